"""Pictures of latents: a strip in which one factor moves, and pictures along a recovered axis.

Renderers are torch's, which takes a second or two to import: nothing here is drawn before the
latents are.
"""

import base64
from collections.abc import Sequence
from io import BytesIO
from typing import cast

import numpy as np
import streamlit as st

from core.datasets.loaded import Misread
from core.images.world import Factor, World
from core.run.experiment import Result
from core.scenarios.pixels import HIGH, LOW, ORDER, Pixels
from ui.window import address, turns

SIDE, LARGE, GAP = 68, 128, 3  # pixels of a picture in Explore, elsewhere, and between two
NARROW = 84  # pixels that a large picture keeps on a phone, where a row takes several lines
LEAST = "max(46px,0.3*(640px - 100vw))"  # of one in Explore: larger on a phone
MOVES = 5  # pictures of a factor on its way
ALONG = 7  # pictures along an axis
MOST_AXES = 5
TENTHS = 10  # of a latent unit, in which a link says where a factor is
FACTOR, AT = "factor", "at"
EVERY = tuple(dict.fromkeys(name for names in ORDER.values() for name in names))
SETTINGS = (
    address.choice(FACTOR, EVERY, "The factor that moves", "x"),
    address.choice(AT, range(int(LOW * TENTHS), int(HIGH * TENTHS) + 1), "Where it is", 0),
)
OWN_WEIGHT = 4.0  # of the axis at hand, against each of the others, in looking for a picture


def strip(params: Pixels) -> None:
    """A factor at the visitor's choice, from low to high, and the picture where it is set."""
    world = params.seen
    titles = {factor.name: factor.title for factor in world.factors}
    if address.get(FACTOR) not in titles:
        address.put(FACTOR, world.varied[0])
    set_, shown = st.columns([1, 3], gap="small")
    with set_, st.container(gap=None):
        name = st.selectbox(
            "Factor that moves", list(titles), list(titles).index(address.get(FACTOR)),
            format_func=titles.get, key=address.widget(FACTOR), label_visibility="collapsed",
        )  # fmt: skip
        at = st.slider(
            "From low to high", int(LOW * TENTHS), int(HIGH * TENTHS), address.get(AT),
            key=address.widget(AT), label_visibility="collapsed", format=" ",
        )  # fmt: skip
    axis = world.varied.index(name)
    z = np.zeros((MOVES + 1, len(titles)))
    z[1:, axis] = np.linspace(LOW, HIGH, MOVES)
    z[0, axis] = at / TENTHS
    z = world.centred(z)
    said = [_said(world.factors[axis], value) for value in world.values(z)[:, axis]]
    with shown:
        drawn = _read(params, z, SIDE)
        if drawn is None:
            return
        one = _grid(drawn[:1], said[:1], LEAST, SIDE, f"{titles[name]}: {said[0]}")
        way = f"{titles[name]} from low to high"
        moves = _grid(drawn[1:], said[1:], LEAST, SIDE, way)
        st.html(
            '<div style="display:flex;gap:1rem">'
            f'<div style="flex:1 1 0;min-width:{LEAST};max-width:{SIDE}px">{one}</div>'
            f'<div style="flex:{MOVES} 1 0;min-width:0">{moves}</div></div>'
            f'<small style="opacity:0.75">At {said[0]}; then {titles[name].lower()} '
            f"{'low to high, nearest pictures' if params.found else 'alone, low to high'}.</small>"
        )


def _said(factor: Factor, value: float) -> str:
    """A value of a factor in words."""
    return factor.classes[int(value)] if factor.classes else f"{value:.2f} {factor.unit}"


def along(result: Result) -> None:
    """For every code pictures of drawn latents whose code moves along it, the others in between."""
    params = cast(Pixels, result.member.params)
    world, z, z_hat = params.seen, result.z.astype(float), result.z_hat[-1].astype(float)
    if not np.isfinite(z_hat).all():
        st.caption("The codes of this run are not finite.")
        return
    st.markdown(
        f"A row is a code, which rises from left to right: of {len(z)} pictures those nearest to "
        f"{ALONG} points of a line on which this code goes from low to high and the others stay in "
        "the middle. Where a code is one factor, that alone changes along its row."
    )
    names = _partners(world, z, z_hat)
    units = (z_hat - np.median(z_hat, 0)) / z_hat.std(0).clip(1e-12)
    for code in range(min(z_hat.shape[1], MOST_AXES)):
        picked = _on_the_way(units, code)
        said = f"Code {code + 1}" + (f", matched with {names[code]}" if code in names else "")
        drawn = _read(params, z[picked], LARGE)
        if drawn is None:
            return
        st.caption(f"**{said}**")
        row(drawn, f"{said}: {ALONG} pictures from low to high.")
    left = z_hat.shape[1] - MOST_AXES
    if left > 0:
        st.caption(f"{left} more codes are not drawn.")


def _partners(world: World, z: np.ndarray, z_hat: np.ndarray) -> dict[int, str]:
    from core import metrics  # scipy takes a while to import

    rows, columns = metrics.matching(z, z_hat)[1]
    titles = [factor.title for factor in world.factors]
    return {int(j): titles[int(i)].lower() for i, j in zip(rows, columns, strict=True)}


def _on_the_way(units: np.ndarray, code: int) -> list[int]:
    """Which of codes (n, d_hat) in deviations lie nearest to places along one of them."""
    weight = np.ones(units.shape[1])
    weight[code] = OWN_WEIGHT
    places = np.quantile(units[:, code], np.linspace(0.03, 0.97, ALONG))
    found = []
    for place in places:
        target = np.zeros(units.shape[1])
        target[code] = place
        found.append(int((weight * (units - target) ** 2).sum(1).argmin()))
    return found


def _read(params: Pixels, z: np.ndarray, side: int) -> np.ndarray | None:
    """As `rendered`; None where there are none, which it says."""
    if params.absent():
        st.info(f"{params.absent()}.", icon=":material/folder_off:")
        return None
    if not params.found:
        return rendered(params.seen, z, side)
    try:
        with st.spinner(f"Reading {params.seen.title}"), turns.lent():  # once; others go on
            return rendered(params.seen, z, side)
    except Misread as why:
        st.error(str(why), icon=":material/broken_image:")
        return None


def rendered(world: World, z: np.ndarray, side: int) -> np.ndarray:
    """Pictures (n, side, side, 3), 8 bits a number, of latents z (n, k) within their walls."""
    with turns.lent():
        from core.images.render import render  # torch

    drawn = np.asarray(render(world, np.clip(z, LOW, HIGH), side))
    drawn = drawn if world.channels == 3 else np.repeat(drawn[..., None], 3, -1)
    return (255 * drawn).round().astype(np.uint8)


def row(pictures: np.ndarray, alt: str) -> None:
    """Large pictures in a row, on a phone in several lines; `alt` for who does not see them."""
    st.html(_grid(pictures, [""] * len(pictures), f"{NARROW}px", LARGE, alt))


def _grid(
    pictures: np.ndarray, titles: Sequence[str], least: str, most: int, alt: str
) -> str:  # fmt: skip
    """Pictures side by side as HTML, between two widths, each with its title on hover."""
    images = "".join(
        f'<img alt="" title="{title}" style="width:100%;display:block" src="{_png(picture)}">'
        for picture, title in zip(pictures, titles, strict=True)
    )
    count = len(pictures)
    width = f"max({least},(100% - {(count - 1) * GAP}px)/{count})"
    return (
        f'<div role="img" aria-label="{alt}" style="display:grid;gap:{GAP}px;'
        f"max-width:{count * (most + GAP)}px;"
        f'grid-template-columns:repeat(auto-fill,minmax({width},1fr))">{images}</div>'
    )


def _png(picture: np.ndarray) -> str:
    """A picture (side, side, 3) of 8 bits a number as an address that holds it."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(picture).save(file, "png")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
