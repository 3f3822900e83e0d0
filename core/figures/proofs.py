"""The steps of a proof, drawn from a run: agreement, a matrix, a read-out, curves that meet."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.figures.figure import SQUARE, Figure
from core.legend import ROLE


def agreement(
    world: np.ndarray, model: np.ndarray, names: tuple[str, str], reach: float | None
) -> Figure:
    """What the world says against what the model says, a dot a pair, as a proof equates them.

    `reach` draws the identity from -reach to reach: None where the proof's assumptions fail.
    """
    table = pd.DataFrame({"world": world, "model": model})
    x, y = alt.X("world:Q", title=names[0]), alt.Y("model:Q", title=names[1])
    layers = [
        alt.Chart(table).mark_circle(size=16, color=ROLE["z_hat"], opacity=0.45).encode(x=x, y=y)
    ]
    if reach is not None:
        ends = pd.DataFrame({"world": [-reach, reach], "model": [-reach, reach]})
        word = pd.DataFrame({"world": [0.5 * reach], "model": [0.5 * reach], "text": ["identity"]})
        identity = alt.Chart(ends).mark_line(strokeDash=[5, 4], color=ROLE["theory"])
        layers.append(identity.encode(x=x, y=y))
        layers.append(
            alt.Chart(word)
            .mark_text(align="right", dx=-12, color=ROLE["theory"], fontSize=12)
            .encode(x=x, y=y, text="text:N")
        )
    return alt.layer(*layers).properties(height=300), table


def matrix(entries: np.ndarray) -> Figure:
    """A small matrix as shaded, numbered squares: the identity is a bright diagonal."""
    rows, columns = np.indices(entries.shape) + 1
    table = pd.DataFrame({"row": rows.ravel(), "column": columns.ravel(), "value": entries.ravel()})
    table["size"] = table["value"].abs().clip(upper=1)
    base = alt.Chart(table).encode(x=alt.X("column:O", axis=None), y=alt.Y("row:O", axis=None))
    cells = base.mark_rect(cornerRadius=3, color=ROLE["z_hat"]).encode(
        opacity=alt.Opacity("size:Q", scale=alt.Scale(domain=[0, 1], range=[0.08, 1]), legend=None)
    )
    large = alt.condition("abs(datum.value) > 0.5", alt.value("white"), alt.value(ROLE["baseline"]))
    words = base.mark_text(fontSize=13 if len(entries) < 7 else 10).encode(
        text=alt.Text("value:Q", format=".2f"), color=large
    )
    return alt.layer(cells, words).properties(height=300), table


def foretold(true: np.ndarray, found: np.ndarray, title: str, colours: Sequence[str]) -> Figure:
    """A latent direction (n,) against its linear read-out (n,), with the identity dashed."""
    table = pd.DataFrame({"true": true, "read out": found, "colour": list(colours)})
    reach = max(1.2, float(np.quantile(np.abs([true, found]), 0.995)))
    scale = alt.Scale(domain=[-reach, reach])
    x = alt.X("true:Q", scale=scale, title=f"true: {title}")
    y = alt.Y("read out:Q", scale=scale, title="read out of f(x)")
    dots = (
        alt.Chart(table)
        .mark_circle(size=30, opacity=0.8, clip=True)
        .encode(x=x, y=y, color=alt.Color("colour:N", scale=None))
    )
    ends = pd.DataFrame({"true": [-reach, reach], "read out": [-reach, reach]})
    identity = alt.Chart(ends).mark_line(strokeDash=[5, 4], color=ROLE["theory"])
    return alt.layer(identity.encode(x=x, y=y), dots).properties(**SQUARE), table


def closed_curves(
    curves: Mapping[str, tuple[np.ndarray, str]], points: np.ndarray, role: str, word: str
) -> Figure:
    """Closed curves (p, 2) with their colours, named, and marked points (n, 2) named `word` + i."""
    lines = [
        pd.DataFrame({"x": curve[:, 0], "y": curve[:, 1], "at": range(len(curve)), "curve": name})
        for name, (curve, _) in curves.items()
    ]
    marks = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "curve": ""})
    marks["name"] = [f"{word}{'₁₂₃₄₅₆₇₈₉'[i]}" for i in range(len(points))]
    scale = alt.Scale(domain=[-1.45, 1.45])
    x, y = alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale)
    layers = []
    for line, (name, (_, colour)) in zip(lines, curves.items(), strict=True):
        drawn = alt.Chart(line).mark_line(color=colour, strokeWidth=2.5)
        layers.append(drawn.encode(x=x, y=y, order="at:Q", tooltip=alt.value(name)))
    dots = alt.Chart(marks).mark_circle(size=110, color=ROLE[role], opacity=1)
    outside = marks.assign(x=1.2 * marks["x"], y=1.2 * marks["y"])
    names = alt.Chart(outside).mark_text(fontSize=14, color=ROLE[role])
    layers += [dots.encode(x=x, y=y), names.encode(x=x, y=y, text="name:N")]
    chart = alt.layer(*layers).properties(**SQUARE).configure_view(strokeWidth=0)
    return chart, pd.concat([*lines, marks])
