"""Flows of small images: averaged columns of the Jacobian, traversals, and scales beside entropies.

Images are drawn as pictures of their own, a few hundred bytes each, smoothly enlarged.
"""

import base64
import io
from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from PIL import Image

from core.colours import ROLE
from core.figures import words
from core.figures.figure import SQUARE, Chart, Figure

FINE = 24  # pixels of an enlarged image; the browser smooths the rest
LARGE, SMALL, GAP, LABEL = 78, 42, 6, 16  # pixels of a drawn image, between two, and of its label
LEVEL = "Grey level, of 255"
IN_A_ROW = 4  # columns of the Jacobian, so that a phone shows them


def columns(images: np.ndarray, latents: Sequence[int], entropies: Sequence[float]) -> Figure:
    """Columns of a Jacobian (k, pixels) as images, blue below 0 and orange above it.

    They share one scale, on which 0 is clear. `latents` are their numbers from 0, `entropies` (k,)
    in nats.
    """
    shades = np.asarray(images, dtype=float)
    most = np.abs(shades[np.isfinite(shades)]).max(initial=0) or 1.0
    names = [f"{latent}: {nats:.2f}".replace("-", "−")
             for latent, nats in zip(latents, entropies, strict=True)]  # fmt: skip
    pictures = [_diverging(_square(each) / most) for each in shades]
    chart = _gallery(pictures, names, LARGE, IN_A_ROW)
    table = _pixels(shades, latents, "Latent", "Grey levels a unit of the latent")
    return words.finished(chart), table


def traversal(images: np.ndarray, moves: Sequence[float]) -> Figure:
    """What a decoder makes of one latent's `moves`, the others at 0: grey levels (k, pixels)."""
    names = [f"{move:+g}".replace("-", "−") if move else "0" for move in moves]
    return _grey(images, names, _pixels(images, moves, "Latent at", LEVEL))


def samples(images: np.ndarray) -> Figure:
    """What a decoder makes of latents of the prior: grey levels (k, pixels)."""
    numbers = range(1, len(images) + 1)
    return _grey(images, list(map(str, numbers)), _pixels(images, numbers, "Sample", LEVEL))


def scales(deviations: np.ndarray, entropies: np.ndarray) -> Figure:
    """Manifold entropy of every latent (d,) against its standard deviation in the data (d,)."""
    names = range(len(entropies))
    table = pd.DataFrame({"latent": names, "deviation": deviations, "nats": entropies})
    low, high = np.exp(words.span_of(np.log(deviations).tolist()))
    across = alt.Scale(type="log", domain=[low, high], nice=False)
    up = alt.Scale(domain=words.span_of(entropies.tolist()), nice=False)
    dots = alt.Chart(table).mark_circle(size=46, opacity=0.85, color=ROLE["z_hat"])
    chart = dots.encode(
        x=alt.X("deviation:Q", title="standard deviation of the latent", scale=across,
                axis=alt.Axis(tickCount=4, format="~g")),
        y=alt.Y("nats:Q", title="manifold entropy, nats", scale=up),
        tooltip=[alt.Tooltip("latent:Q", title="Latent"),
                 alt.Tooltip("deviation:Q", format=".3f", title="Standard deviation"),
                 alt.Tooltip("nats:Q", format=".3f", title="Manifold entropy")],
    )  # fmt: skip
    named = {"latent": "Latent", "deviation": "Standard deviation", "nats": "Manifold entropy"}
    return words.finished(chart.properties(**SQUARE)), table.rename(columns=named)


def _grey(images: np.ndarray, names: Sequence[str], table: pd.DataFrame) -> Figure:
    """Grey levels from 0 to 255 as images in a row; 0 is drawn white, as on paper."""
    pictures = [Image.fromarray(255 - _square(each).astype(np.uint8)) for each in images]
    return words.finished(_gallery(pictures, names, SMALL, len(pictures))), table


def _square(image: np.ndarray) -> np.ndarray:
    side = round(len(image) ** 0.5)
    return np.asarray(image).reshape(side, side)


def _diverging(shades: np.ndarray) -> Image.Image:
    """Shades (h, w) from -1 to 1 as colours of two roles, clear at 0."""
    known = np.nan_to_num(shades)
    ends = [[int(ROLE[role][i : i + 2], 16) for i in (1, 3, 5)] for role in ("z", "z_hat")]
    colour = np.where(known[..., None] < 0, *ends)
    alpha = 255 * np.abs(known).clip(0, 1)
    return Image.fromarray(np.concatenate([colour, alpha[..., None]], -1).astype(np.uint8))


def _gallery(
    pictures: Sequence[Image.Image], names: Sequence[str], size: int, in_a_row: int
) -> Chart:
    """Images in rows, each under its name."""
    rows = -(-len(pictures) // in_a_row)
    at = [divmod(i, in_a_row) for i in range(len(pictures))]
    table = pd.DataFrame(
        {"x": [(size + GAP) * (column + 0.5) for _, column in at],
         "y": [(size + GAP + LABEL) * row + LABEL + size / 2 for row, _ in at],
         "over": [(size + GAP + LABEL) * row + LABEL / 2 for row, _ in at],
         "name": list(names), "url": [_link(each) for each in pictures]}
    )  # fmt: skip
    wide, high = (size + GAP) * in_a_row, (size + GAP + LABEL) * rows
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, wide], nice=False))
    down = alt.Scale(domain=[high, 0], nice=False)
    drawn = alt.Chart(table)
    images = drawn.mark_image(width=size, height=size).encode(
        x=x, y=alt.Y("y:Q", axis=None, scale=down), url=alt.Url("url:N")
    )
    labels = drawn.mark_text(color=words.QUIET, fontSize=12, baseline="middle").encode(
        x=x, y=alt.Y("over:Q", axis=None, scale=down), text=alt.Text("name:N")
    )
    return alt.layer(images, labels, width=wide, height=high, autosize="pad")  # as images are


def _link(picture: Image.Image) -> str:
    """An image, smoothly enlarged, as a link that holds it."""
    file = io.BytesIO()
    picture.resize((FINE, FINE), Image.Resampling.BICUBIC).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _pixels(images: np.ndarray, names: Sequence[float], name: str, value: str) -> pd.DataFrame:
    """The numbers of images (k, pixels), a row a pixel."""
    k, count = np.shape(images)
    side = round(count**0.5)
    return pd.DataFrame(
        {name: np.repeat(names, count),
         "Row": np.tile(np.repeat(np.arange(1, side + 1), side), k),
         "Column": np.tile(np.tile(np.arange(1, side + 1), side), k),
         value: np.asarray(images).ravel()}
    )  # fmt: skip
