"""Pictures for reading: points from the front, on a plane, and MCC under a rotation."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.figures import words
from core.figures.figure import SQUARE, Figure
from core.legend import ROLE


def from_the_front(points: np.ndarray, colours: Sequence[str]) -> Figure:
    """Points (n, d) seen along the first axis, centred and scaled to fit; far ones fainter."""
    centred = points[:, :3] - (points[:, :3].max(0) + points[:, :3].min(0)) / 2
    flat = centred / np.abs(centred).max()
    table = pd.DataFrame(
        {"across": flat[:, 1], "up": flat[:, 2], "depth": flat[:, 0], "colour": list(colours)}
    ).sort_values("depth")
    scale = alt.Scale(domain=[-1.08, 1.08])
    depth = alt.Scale(domain=[-1, 0.6], range=[0.12, 1])
    chart = (
        alt.Chart(table)
        .mark_circle(size=46)
        .encode(
            x=alt.X("across:Q", axis=None, scale=scale),
            y=alt.Y("up:Q", axis=None, scale=scale),
            color=alt.Color("colour:N", scale=None),
            opacity=alt.Opacity("depth:Q", scale=depth, legend=None),
        )
    )
    names = {"across": "Across", "up": "Up", "depth": "Towards the eye"}
    shown = table.drop(columns="colour").rename(columns=names)
    return words.finished(chart.properties(**SQUARE)), shown


def plane(points: np.ndarray, colours: Sequence[str], names: tuple[str, str]) -> Figure:
    """Points (n, 2) with named axes."""
    table = pd.DataFrame({"a": points[:, 0], "b": points[:, 1], "colour": list(colours)})
    scale = alt.Scale(domain=[-1.5, 1.5])
    chart = (
        alt.Chart(table)
        .mark_circle(size=40, opacity=0.85)
        .encode(
            x=alt.X("a:Q", title=names[0], scale=scale),
            y=alt.Y("b:Q", title=names[1], scale=scale),
            color=alt.Color("colour:N", scale=None),
        )
    )
    shown = table.drop(columns="colour").rename(columns=dict(zip("ab", names, strict=True)))
    return words.finished(chart.properties(**SQUARE)), shown


def rotation_curve(angles: np.ndarray, theory: np.ndarray, at: float, measured: float) -> Figure:
    """MCC against the angle: theory dashed, the measured value of the turned points a dot."""
    table = pd.DataFrame({"angle": angles, "MCC": theory})
    y = alt.Y("MCC:Q", scale=alt.Scale(domain=[0.6, 1.06], nice=False))
    tens = [0, 15, 30, 45, 60, 75, 90]
    axis = words.ticks_at(tens, np.asarray(tens, dtype=float), list(map(str, tens)))
    x = alt.X("angle:Q", title="rotation, degrees", axis=axis,
              scale=alt.Scale(domain=[0, 90], nice=False))  # fmt: skip
    line = alt.Chart(table).mark_line(strokeDash=[5, 4], color=ROLE["theory"]).encode(x=x, y=y)
    dot = (
        alt.Chart(pd.DataFrame({"angle": [at], "MCC": [measured]}))
        .mark_circle(size=160, color=ROLE["z_hat"], opacity=1)
        .encode(x=x, y=y)
    )
    exact = alt.Chart(table.assign(MCC=1.0)).mark_line(color=ROLE["z"]).encode(x=x, y=y)
    # over the one line and under the lowest point of the other
    said = pd.DataFrame(
        {"angle": [45, 45], "MCC": [1.03, 0.65], "text": ["R² = 1 at every angle", "MCC"]}
    )
    text = alt.Chart(said).mark_text(color=words.QUIET, fontSize=12)
    text = text.encode(x=x, y=y, text=alt.Text("text:N"))
    chart = alt.layer(exact, line, dot, text, height=270)
    shown = table.rename(columns={"angle": "Rotation, degrees"})
    return words.finished(chart), shown
