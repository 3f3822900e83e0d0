"""A decoder's columns: the cells that they span over the data, and what their angles come to."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE
from core.figures import words
from core.figures.figure import Figure

HEIGHT = 300
STEP = 0.5  # standard deviations of a latent, for which a cell's edge stands


def cells(
    points: np.ndarray, places: np.ndarray, columns: np.ndarray, roles: Sequence[str]
) -> Figure:
    """Points x (n, 2), and at some places (q, 2) the cell that the columns (q, 2, 2) there span.

    An edge is a step of half a standard deviation of one latent, in that latent's colour.
    """
    found = []
    for at, (place, cell) in enumerate(zip(places, STEP * columns, strict=True)):
        for latent, edge in enumerate(cell.T):
            for start in (place, place + cell.T[1 - latent]):
                end = start + edge
                found.append((at, latent, *start, *end))
    names = ["place", "latent", "x", "y", "x2", "y2"]
    edges = pd.DataFrame(found, columns=names)
    cloud = pd.DataFrame({"x": points[:, 0], "y": points[:, 1]})
    seen = pd.concat([cloud, edges[["x", "y"]], edges[["x2", "y2"]].set_axis(["x", "y"], axis=1)])
    x, y = (
        channel(f"{name}:Q", axis=None, scale=alt.Scale(domain=words.span_of(seen[name], 0.04)))
        for name, channel in (("x", alt.X), ("y", alt.Y))
    )
    dots = alt.Chart(cloud).mark_circle(size=12, color=ROLE["theory"], opacity=0.35)
    drawn = alt.Chart(edges).mark_rule(strokeWidth=2.2, strokeCap="round")
    colours = alt.Scale(domain=[0, 1], range=[ROLE[role] for role in roles])
    shade = alt.Color("latent:O", legend=None, scale=colours)
    chart = alt.layer(
        dots.encode(x=x, y=y),
        drawn.encode(x=x, y=y, x2="x2:Q", y2="y2:Q", color=shade),
        height=HEIGHT,
    )
    named = {"place": "Place", "latent": "Latent", "x": "From x₁", "y": "From x₂", "x2": "To x₁",
             "y2": "To x₂"}  # fmt: skip
    return words.finished(chart), edges.rename(columns=named)


def against_angle(
    line: tuple[np.ndarray, np.ndarray],
    dots: tuple[np.ndarray, np.ndarray],
    titles: tuple[str, str],
    theory: bool,
) -> Figure:
    """Nats against degrees: a line, dashed where it is `theory`, and single dots."""
    tables = [pd.DataFrame({"angle": angle, "nats": nats}) for angle, nats in (line, dots)]
    up = words.span_of([0.0, *tables[0]["nats"], *tables[1]["nats"]], 0.05)
    at = list(range(0, 91, 15))
    axis = words.ticks_at(at, np.asarray(at, dtype=float), list(map(str, at)))
    x = alt.X("angle:Q", title=titles[0], axis=axis, scale=alt.Scale(domain=[0, 90], nice=False))
    y = alt.Y("nats:Q", title=titles[1], scale=alt.Scale(domain=up, nice=False))
    look = {"strokeDash": [5, 4], "color": ROLE["theory"]} if theory else {"color": ROLE["w"]}
    chart = alt.layer(
        alt.Chart(tables[0]).mark_line(**look).encode(x=x, y=y),
        alt.Chart(tables[1]).mark_circle(size=90, color=ROLE["w"], opacity=0.9).encode(x=x, y=y),
        height=HEIGHT,
    )
    kinds: Sequence[str] = ("curve", "dot")
    table = pd.concat([t.assign(what=kind) for t, kind in zip(tables, kinds, strict=True)])
    named = {"angle": titles[0].capitalize(), "nats": titles[1].capitalize(), "what": "What"}
    return words.finished(chart), table.rename(columns=named)


def against_factor(factors: np.ndarray, nats: np.ndarray, x_title: str, y_title: str) -> Figure:
    """Nats against a factor on a log axis, by theory: dashed."""
    table = pd.DataFrame({"factor": factors, "nats": nats})
    at = [2.0**power for power in range(-3, 4)]
    said = ["1/8", "1/4", "1/2", "1", "2", "4", "8"]
    axis = words.ticks_at(at, np.log(at), said)
    ends = [float(factors.min()), float(factors.max())]
    x = alt.X("factor:Q", title=x_title, axis=axis,
              scale=alt.Scale(type="log", domain=ends, nice=False))  # fmt: skip
    y = alt.Y("nats:Q", title=y_title,
              scale=alt.Scale(domain=words.span_of([0.0, *nats]), nice=False))  # fmt: skip
    line = alt.Chart(table).mark_line(strokeDash=[5, 4], color=ROLE["theory"]).encode(x=x, y=y)
    named = {"factor": x_title.capitalize(), "nats": y_title.capitalize()}
    return words.finished(alt.layer(line, height=HEIGHT)), table.rename(columns=named)
