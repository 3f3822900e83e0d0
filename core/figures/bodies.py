"""The nonlinear world: what a code keeps against what it leaks, and one net of content a body."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE, class_colours, ramp
from core.figures import words
from core.figures.figure import Figure

SMALL = {"width": 240, "height": 240}
TRADE_HEIGHT, TWIST_HEIGHT, AXIS = 380, 300, 65  # AXIS of each lies under the picture
FEW = 4  # bodies whose names fit over a picture
REACH = 2.5  # of the content, in its standard deviations: what is drawn at least


def trade(rows: Sequence[tuple[str, int, float, float]], chance: float) -> Figure:
    """Content kept against nuisance read, a dot a seed: (method, seed, probe, content R2)."""
    table = pd.DataFrame(rows, columns=["method", "seed", "probe", "content"])
    methods = list(dict.fromkeys(table["method"]))
    shades = dict(zip(methods, ramp(len(methods)), strict=True))
    scale = alt.Scale(domain=methods, range=list(shades.values()))
    colour = alt.Color("method:N", legend=None, scale=scale)
    across = [min(chance, table["probe"].min()) - 0.05, 1.0]
    x = alt.X("probe:Q", title="MLP probe of the nuisance, held out",
              scale=alt.Scale(domain=across, nice=False))  # fmt: skip
    span = words.span_of(table["content"])
    y = alt.Y("content:Q", title="content R², pooled", scale=alt.Scale(domain=span, nice=False))
    dots = (
        alt.Chart(table)
        .mark_circle(size=110, opacity=0.85)
        .encode(
            x=x, y=y, color=colour,
            tooltip=[alt.Tooltip("method:N"), alt.Tooltip("seed:N"),
                     *(alt.Tooltip(f"{axis}:Q", format=".3f") for axis in ("probe", "content"))],
        )
    )  # fmt: skip
    heights = table.groupby("method", sort=False)["content"].mean().to_dict()
    names = words.beside(heights, shades, y, TRADE_HEIGHT - AXIS, span)
    level = alt.Chart(pd.DataFrame({"probe": [chance], "name": ["chance"]}))
    rule = level.mark_rule(color=ROLE["baseline"], strokeDash=[5, 4]).encode(x=x)
    said = level.mark_text(color=words.QUIET, fontSize=12)
    named = said.encode(x=x, y=alt.YValue(-8), text=alt.Text("name:N"))  # over the picture
    chart = alt.layer(rule, named, dots, names, height=TRADE_HEIGHT)
    columns = {"method": "Method", "seed": "Seed", "probe": "MLP probe", "content": "Content R²"}
    finished = words.finished(chart, top=20)
    return finished, table.rename(columns=columns)


def reach(*points: np.ndarray) -> float:
    """How far a square frame goes from 0 that holds all points (..., 2)."""
    return max(REACH, *(1.04 * float(np.abs(each).max()) for each in points))


def cloud(points: np.ndarray, colours: Sequence[str], frame: float) -> Figure:
    """A code read as content (n, 2), each point in its colour, from -frame to frame."""
    table = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "colour": list(colours)})
    scale = alt.Scale(domain=[-frame, frame], nice=False)
    x, y = alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale)
    dots = alt.Chart(table).mark_circle(size=22, opacity=0.8)
    shown = dots.encode(x=x, y=y, color=alt.Color("colour:N", scale=None))
    columns = {"x": "First content coordinate", "y": "Second content coordinate"}
    return words.finished(shown.properties(**SMALL)), table.drop(columns="colour").rename(
        columns=columns
    )


def nets(grid: np.ndarray, bodies: np.ndarray, frame: float | None = None) -> Figure:
    """One net of content lines (c, p, 2), and its images (e, c, p, 2) under every body.

    Drawn from -frame to frame, or as far as it reaches.

    The true net is grey and dashed, each body has the colour of its class. The same edge of each is
    bold and ends in a dot, which tells a turned or mirrored net from one that lies alike.
    """
    colours = class_colours(len(bodies))
    names = ["truth", *(f"body {e + 1}" if len(bodies) <= FEW else str(e + 1)
                        for e in range(len(bodies)))]  # fmt: skip
    frames = [_lines(net, name) for net, name in zip([grid, *bodies], names, strict=True)]
    frame = frame or reach(grid, bodies)
    scale = alt.Scale(domain=[-frame, frame], nice=False)
    x, y = alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale)
    layers = []
    for frame, colour in zip(frames, [ROLE["theory"], *colours], strict=True):
        dash = [3, 3] if colour == ROLE["theory"] else [1, 0]
        drawn = (
            alt.Chart(frame)
            .mark_line(color=colour, strokeWidth=1.6, opacity=0.85, strokeDash=dash)
            .encode(x=x, y=y, order=alt.Order("at:Q"), detail=alt.Detail("line:N"),
                    tooltip=alt.Tooltip("net:N"))
        )  # fmt: skip
        layers.append(drawn)
    for net, colour in zip([grid, *bodies], [ROLE["theory"], *colours], strict=True):
        edge = _lines(net[:1], "")
        bold = alt.Chart(edge).mark_line(color=colour, strokeWidth=4)
        end = alt.Chart(edge[-1:]).mark_circle(size=110, color=colour, opacity=1)
        layers += [bold.encode(x=x, y=y, order=alt.Order("at:Q")), end.encode(x=x, y=y)]
    for i, colour in enumerate([ROLE["theory"], *colours]):
        word = alt.Chart(pd.DataFrame({"net": [names[i]]})).mark_text(
            align="left", fontSize=12, fontWeight=600, color=words.ink(colour)
        )
        spot = {"x": alt.XValue(2 + SMALL["width"] / len(names) * i), "y": alt.YValue(-8)}
        layers.append(word.encode(text=alt.Text("net:N"), **spot))
    chart = alt.layer(*layers, **SMALL)
    columns = {"x": "First content coordinate", "y": "Second content coordinate", "net": "Net",
               "line": "Line", "at": "Place on the line"}  # fmt: skip
    return words.finished(chart, top=20), pd.concat(frames).rename(columns=columns)


def _lines(curves: np.ndarray, name: str) -> pd.DataFrame:
    c, p, _ = curves.shape
    return pd.DataFrame(
        {"x": curves[..., 0].ravel(), "y": curves[..., 1].ravel(), "net": name,
         "line": np.repeat(np.arange(c), p), "at": np.tile(np.arange(p), c)}
    )  # fmt: skip


def twist(degrees: np.ndarray, pooled: np.ndarray, from_one: np.ndarray) -> Figure:
    """R2 of codes whose bodies are turned against their neighbours, by the angle: exact curves."""
    all_, across, each = "one read-out for all", "from one body to another", "a read-out for each"
    table = pd.DataFrame({"degrees": degrees, all_: pooled, across: from_one,
                          each: np.ones(len(degrees))})  # fmt: skip
    long = table.melt("degrees", var_name="read-out", value_name="R²")
    colours = {all_: ROLE["z_hat"], across: ROLE["w"], each: ROLE["theory"]}
    ends = {name: float(table[name].iloc[-1]) for name in colours}
    span = words.span_of(long["R²"])
    ticks = (0, 15, 30, 45, 60, 75, 90)
    x = alt.X("degrees:Q", title="turn from one body to the next, degrees",
              scale=alt.Scale(domain=[0, 90], nice=False),
              axis=words.ticks_at(ticks, np.asarray(ticks), list(map(str, ticks))))  # fmt: skip
    y = alt.Y("R²:Q", title="R² of the content", scale=alt.Scale(domain=span, nice=False))
    shade = alt.Color(
        "read-out:N",
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        legend=None,
    )
    lines = alt.Chart(long).mark_line(strokeDash=[5, 4], strokeWidth=2)
    chart = alt.layer(
        lines.encode(x=x, y=y, color=shade),
        words.beside(ends, colours, y, TWIST_HEIGHT - AXIS, span),
        height=TWIST_HEIGHT,
    )
    shown = table.rename(columns={"degrees": "Turn, degrees"})
    return words.finished(chart), shown
