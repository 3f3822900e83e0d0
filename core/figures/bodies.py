"""The nonlinear world: what a code keeps against what it leaks, and one net of content a body."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.figures.figure import Figure
from core.legend import ROLE, class_colours, ramp

SMALL = {"width": 240, "height": 240}
REACH = 2.7  # of the content that is drawn, in its standard deviations


def trade(rows: Sequence[tuple[str, int, float, float]], chance: float) -> Figure:
    """Content kept against nuisance read, a dot a seed: (method, seed, probe, content R2)."""
    table = pd.DataFrame(rows, columns=["method", "seed", "probe", "content"])
    order = list(dict.fromkeys(table["method"]))
    colour = alt.Color("method:N", scale=alt.Scale(domain=order, range=ramp(len(order))),
                       legend=None)  # fmt: skip
    x = alt.X("probe:Q", title="MLP probe of the nuisance, held out",
              scale=alt.Scale(domain=[0.2, 1.04], nice=False))  # fmt: skip
    low = float(np.floor(20 * table["content"].min()) / 20) - 0.05
    y = alt.Y(
        "content:Q", title="content R², pooled", scale=alt.Scale(domain=[low, 1.03], nice=False)
    )
    dots = (
        alt.Chart(table)
        .mark_circle(size=110, opacity=0.85)
        .encode(
            x=x, y=y, color=colour,
            tooltip=["method:N", "seed:N", alt.Tooltip("probe:Q", format=".3f"),
                     alt.Tooltip("content:Q", format=".3f")],
        )
    )  # fmt: skip
    middle = (
        table.groupby("method", sort=False)["probe"].rank(method="first")
        == (table.groupby("method", sort=False)["probe"].transform("size") + 1) // 2
    )
    names = table[middle].reset_index(drop=True)  # beside the seed in the middle
    words = [
        alt.Chart(names[i : i + 1])
        .mark_text(
            align="right" if at > 0.6 else "left",
            dx=-9 if at > 0.6 else 9,
            dy=[-13, 15, 28, 41][i % 4],
            fontSize=12,
            fontWeight=600,
        )
        .encode(x=x, y=y, text="method:N", color=colour)
        for i, at in enumerate(names["probe"])
    ]
    level = pd.DataFrame({"probe": [chance], "content": [low], "name": ["chance"]})
    rule = alt.Chart(level).mark_rule(color=ROLE["baseline"], strokeDash=[5, 4]).encode(x=x)
    said = alt.Chart(level).mark_text(align="left", dx=4, dy=-8, color=ROLE["baseline"])
    named = said.encode(x=x, y=y, text="name:N")
    return alt.layer(rule, named, dots, *words).properties(height=380), table


def cloud(points: np.ndarray, colours: Sequence[str]) -> Figure:
    """A code read as content (n, 2), each point in its colour, in the frame of `nets`."""
    table = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "colour": list(colours)})
    scale = alt.Scale(domain=[-REACH, REACH])
    x, y = alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale)
    dots = alt.Chart(table).mark_circle(size=22, opacity=0.8, clip=True)
    shown = dots.encode(x=x, y=y, color=alt.Color("colour:N", scale=None))
    return shown.properties(**SMALL).configure_view(strokeWidth=0), table


def nets(grid: np.ndarray, bodies: np.ndarray) -> Figure:
    """One net of content lines (c, p, 2), and its images (e, c, p, 2) under every body.

    The true net is grey and dashed, each body has the colour of its class. The same edge of each is
    bold and ends in a dot, which tells a turned or mirrored net from one that lies alike.
    """
    colours = class_colours(len(bodies))
    frames = [_lines(grid, "truth")] + [
        _lines(body, f"body {e + 1}") for e, body in enumerate(bodies)
    ]
    scale = alt.Scale(domain=[-REACH, REACH])
    x, y = alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale)
    layers = []
    for frame, colour in zip(frames, [ROLE["theory"], *colours], strict=True):
        dash = [3, 3] if colour == ROLE["theory"] else [1, 0]
        drawn = alt.Chart(frame).mark_line(
            color=colour, strokeWidth=1.6, opacity=0.85, clip=True, strokeDash=dash
        )
        layers.append(drawn.encode(x=x, y=y, order="at:Q", detail="line:N", tooltip="net:N"))
    for net, colour in zip([grid, *bodies], [ROLE["theory"], *colours], strict=True):
        edge = _lines(net[:1], "")
        bold = alt.Chart(edge).mark_line(color=colour, strokeWidth=4, clip=True)
        end = alt.Chart(edge[-1:]).mark_circle(size=110, color=colour, clip=True, opacity=1)
        layers += [bold.encode(x=x, y=y, order="at:Q"), end.encode(x=x, y=y)]
    key = pd.DataFrame(
        {"net": ["truth", *(f"body {e + 1}" for e in range(len(bodies)))],
         "at": range(len(bodies) + 1)}
    )  # fmt: skip
    for i, colour in enumerate([ROLE["theory"], *colours]):
        word = alt.Chart(key[i : i + 1]).mark_text(
            align="left", fontSize=12, fontWeight=600, color=colour
        )
        spot = {"x": alt.value(2 + 240 / (len(bodies) + 1) * i), "y": alt.value(-8)}
        layers.append(word.encode(text="net:N", **spot))
    chart = alt.layer(*layers).properties(**SMALL).configure_view(strokeWidth=0)
    return chart, pd.concat(frames)


def _lines(curves: np.ndarray, name: str) -> pd.DataFrame:
    c, p, _ = curves.shape
    return pd.DataFrame(
        {"x": curves[..., 0].ravel(), "y": curves[..., 1].ravel(), "net": name,
         "line": np.repeat(np.arange(c), p), "at": np.tile(np.arange(p), c)}
    )  # fmt: skip


def twist(degrees: np.ndarray, pooled: np.ndarray, across: np.ndarray) -> Figure:
    """R2 of codes whose bodies are turned against their neighbours, by the angle: exact curves."""
    table = pd.DataFrame({"degrees": degrees, "one read-out for all": pooled,
                          "from one body to another": across,
                          "a read-out for each": np.ones(len(degrees))})  # fmt: skip
    long = table.melt("degrees", var_name="read-out", value_name="R²")
    colours = dict(zip(["one read-out for all", "from one body to another", "a read-out for each"],
                       [ROLE["z_hat"], ROLE["w"], ROLE["theory"]], strict=True))  # fmt: skip
    x = alt.X("degrees:Q", title="turn from one body to the next, degrees",
              scale=alt.Scale(domain=[0, 90]))  # fmt: skip
    y = alt.Y("R²:Q", title="R² of the content", scale=alt.Scale(domain=[-1.05, 1.1]))
    shade = alt.Color(
        "read-out:N",
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        legend=None,
    )
    lines = alt.Chart(long).mark_line(strokeDash=[5, 4], strokeWidth=2, clip=True)
    at = {"one read-out for all": 44, "from one body to another": 38, "a read-out for each": 60}
    layers = [lines.encode(x=x, y=y, color=shade)]
    for name, spot in at.items():
        left = name == "from one body to another"  # of its curve, where there is room
        word = alt.Chart(long[(long["read-out"] == name) & (long["degrees"] == spot)]).mark_text(
            align="right" if left else "left",
            dx=-9 if left else 9,
            dy=9 if left else -9,
            fontSize=12,
            fontWeight=600,
        )
        layers.append(word.encode(x=x, y=y, text="read-out:N", color=shade))
    chart = alt.layer(*layers)
    return chart.properties(height=300), table
