"""Pictures of latents: a strip in which one factor moves, and pictures along a recovered axis.

Renderers are torch's, which takes a second or two to import: nothing here is drawn before the
latents are.
"""

import base64
from io import BytesIO
from typing import cast

import numpy as np
import streamlit as st

from core.images.world import World
from core.run.experiment import Result
from core.scenarios.pixels import HIGH, LOW, ORDER, Pixels
from ui.window import address, turns

SIDE, LARGE, GAP = 40, 64, 3  # pixels of a picture in Explore, elsewhere, and between two
MOVES = 9  # pictures of a factor on its way
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
    chosen, moved, shown = st.columns([1, 1, 3.4], gap="small", vertical_alignment="center")
    name = chosen.selectbox(
        "Factor that moves", list(titles), list(titles).index(address.get(FACTOR)),
        format_func=titles.get, key=address.widget(FACTOR), label_visibility="collapsed",
    )  # fmt: skip
    at = moved.slider(
        "From low to high", int(LOW * TENTHS), int(HIGH * TENTHS), address.get(AT),
        key=address.widget(AT), label_visibility="collapsed", format=" ",
    )  # fmt: skip
    axis = world.varied.index(name)
    z = np.zeros((MOVES + 1, len(titles)))
    z[:MOVES, axis] = np.linspace(LOW, HIGH, MOVES)
    z[MOVES, axis] = at / TENTHS
    value = world.values(z[MOVES:])[0, axis]
    factor = world.factors[axis]
    said = factor.classes[int(value)] if factor.classes else f"{value:.2f} {factor.unit}"
    with shown:
        drawn = rendered(world, z, SIDE)
        row(np.concatenate([drawn[MOVES:], drawn[:MOVES]]),
               f"{factor.title}: {said}. Right of it from low to high in {MOVES} pictures; the "
               "other factors rest.", 1, said)  # fmt: skip


def along(result: Result) -> None:
    """For every code pictures of drawn latents whose code moves along it, the others in between."""
    params = cast(Pixels, result.member.params)
    world, z, z_hat = params.seen, result.z.astype(float), result.z_hat[-1].astype(float)
    if not np.isfinite(z_hat).all():
        st.caption("The codes of this run are not finite.")
        return
    names = _partners(world, z, z_hat)
    units = (z_hat - np.median(z_hat, 0)) / z_hat.std(0).clip(1e-12)
    for code in range(min(z_hat.shape[1], MOST_AXES)):
        picked = _on_the_way(units, code)
        said = f"Code {code + 1}" + (f", matched with {names[code]}" if code in names else "")
        st.caption(f"**{said}**")
        row(rendered(world, z[picked], LARGE), f"{said}: {ALONG} pictures from low to high.")
    left = z_hat.shape[1] - MOST_AXES
    st.caption(
        f"Of {len(z)} pictures the nearest to points of a line on which one code goes from low to "
        "high and the others stay in the middle. A code that is one factor moves that alone."
        + (f" {left} more codes are not drawn." if left > 0 else "")
    )


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


def rendered(world: World, z: np.ndarray, side: int) -> np.ndarray:
    """Pictures (n, side, side, 3), 8 bits a number, of latents z (n, k) within their walls."""
    with turns.lent():
        from core.images.render import render  # torch

    drawn = np.asarray(render(world, np.clip(z, LOW, HIGH), side))
    drawn = drawn if world.channels == 3 else np.repeat(drawn[..., None], 3, -1)
    return (255 * drawn).round().astype(np.uint8)


def row(pictures: np.ndarray, alt: str, apart: int = 0, said: str = "") -> None:
    """Pictures in a row after a word, a wider gap after the first few that stand `apart`."""
    from PIL import Image

    count, side = pictures.shape[:2]
    width = count * (side + GAP) + (4 * GAP if apart else 0)
    drawn = np.zeros((side, width, 4), np.uint8)
    for i, picture in enumerate(pictures):
        left = i * (side + GAP) + (4 * GAP if apart and i >= apart else 0)
        drawn[:, left : left + side, :3] = picture
        drawn[:, left : left + side, 3] = 255
    file = BytesIO()
    Image.fromarray(drawn).save(file, "png")
    text = base64.b64encode(file.getvalue()).decode()
    image = (f'<img alt="{alt}" title="{alt}" style="min-width:0;max-width:100%;height:auto" '
             f'src="data:image/png;base64,{text}">')  # fmt: skip
    word = f'<small style="white-space:nowrap">{said}</small>' if said else ""
    st.html(f'<div style="display:flex;align-items:center;gap:0.6rem">{word}{image}</div>')
