"""LeJEPA's pictures: what is observed, a code's degrees, what each forgets, an error's bound."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE, ramp
from core.figures import words
from core.figures.figure import Figure

SIDE = 150  # pixels of what is observed
HEIGHT, INSIDE = 250, 185  # of a chart, and between its axes
TALL = 300


def observed(x: np.ndarray, net: np.ndarray, colours: Sequence[str]) -> Figure:
    """Observations (n, 2), coloured as their latents, and the latents' grid (c, p, 2) under g."""
    reach = float(np.abs(x).max(initial=1e-6)) * 1.05
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    across, up = (alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale))
    curves, points = np.indices(net.shape[:2]).reshape(2, -1)
    lines = pd.DataFrame({"x": net[..., 0].ravel(), "y": net[..., 1].ravel(), "curve": curves,
                          "at": points})  # fmt: skip
    dots = pd.DataFrame({"x": x[:, 0], "y": x[:, 1], "colour": list(colours)})
    grid = alt.Chart(lines).mark_line(strokeWidth=0.7, opacity=0.6, color=ROLE["theory"], clip=True)
    cloud = alt.Chart(dots).mark_circle(size=14, opacity=0.9)
    chart = alt.layer(
        grid.encode(x=across, y=up, detail=alt.Detail("curve:N"), order=alt.Order("at:Q")),
        cloud.encode(x=across, y=up, color=alt.Color("colour:N", scale=None)),
        width=SIDE, height=SIDE,
    )  # fmt: skip
    return words.finished(chart), dots[["x", "y"]].rename(columns={"x": "x₁", "y": "x₂"})


def by_degree(runs: Sequence[Sequence[float | None]], costs: Sequence[float] = ()) -> Figure:
    """Share of a code's variance by degree from 1, each run's a dot and their mean a bar.

    `costs` of each degree, the same number of them if any, are written over it.
    """
    rows = [
        {"degree": k, "share": share, "run": i}
        for i, shares in enumerate(runs)
        for k, share in enumerate(shares, 1)
        if share is not None
    ]
    table = pd.DataFrame(rows, columns=["degree", "share", "run"])
    over = table.groupby("degree", as_index=False)["share"].mean()
    over["cost"] = [f"{costs[int(k) - 1]:.2f}" if costs else "" for k in over["degree"]]
    x = alt.X("degree:O", title="degree, and over it its cost" if costs else "degree",
              axis=alt.Axis(labelAngle=0))  # fmt: skip
    y = alt.Y("share:Q", title="share of the code’s variance",
              scale=alt.Scale(domain=[0, 1.12], nice=False),
              axis=alt.Axis(tickCount=5))  # fmt: skip
    bars = alt.Chart(over).mark_bar(color=ROLE["z_hat"], opacity=0.55)
    told = [alt.Tooltip("degree:O", title="Degree"), alt.Tooltip("share:Q", format=".4f",
            title="Share")]  # fmt: skip
    dots = alt.Chart(table).mark_circle(size=36, color=ROLE["z_hat"], opacity=1)
    named = alt.Chart(over).mark_text(dy=-12, fontSize=12, color=words.QUIET)
    chart = alt.layer(
        bars.encode(x=x, y=y, tooltip=told),
        dots.encode(x=x, y=y, tooltip=told),
        named.encode(x=x, y=y, text=alt.Text("cost:N")),
        height=HEIGHT,
    )
    shown = over.rename(columns={"degree": "Degree", "share": "Mean share", "cost": "Cost"})
    return words.finished(chart), shown


def unwinding(
    steps: Sequence[int], shares: Mapping[str, Sequence[float]], title: str = "degree"
) -> Figure:
    """Shares of a code's variance by degree over training, stacked; what is left is of above."""
    shades = dict(zip(shares, ramp(len(shares)), strict=True))
    table = pd.concat(
        [pd.DataFrame({"step": steps, "share": values, "degree": name, "order": i})
         for i, (name, values) in enumerate(shares.items())]
    ).dropna()  # fmt: skip
    x = alt.X("step:Q", title="training step, logarithmic from the tenth",
              scale=alt.Scale(type="symlog", constant=10, nice=False),
              axis=alt.Axis(tickCount=5))  # fmt: skip
    y = alt.Y("share:Q", title="share of the code’s variance", stack="zero",
              scale=alt.Scale(domain=[0, 1], nice=False))  # fmt: skip
    colour = alt.Color("degree:N", title=title, sort=list(shades),
                       scale=alt.Scale(domain=list(shades), range=list(shades.values())),
                       legend=alt.Legend(orient="top", direction="horizontal"))  # fmt: skip
    area = alt.Chart(table).mark_area(opacity=0.85, clip=True).encode(
        x=x, y=y, color=colour, order=alt.Order("order:Q"),
        tooltip=[alt.Tooltip("degree:N", title="Degree"), alt.Tooltip("step:Q", title="Step"),
                 alt.Tooltip("share:Q", format=".3f", title="Share")],
    )  # fmt: skip
    shown = table[["step", "degree", "share"]]
    names = {"step": "Training step", "degree": "Degree", "share": "Share"}
    return words.finished(area.properties(height=HEIGHT)), shown.rename(columns=names)


def forgetting(correlations: Sequence[float], rho: float) -> Figure:
    """Correlation of two views' polynomials of each degree from 1, and rho^k dashed."""
    degrees = list(range(1, len(correlations) + 1))
    table = pd.DataFrame({"degree": degrees, "measured": list(correlations),
                          "theory": [rho**k for k in degrees]})  # fmt: skip
    span = words.span_of([0.0, 1.0, *table["measured"]], 0.02)
    x = alt.X("degree:Q", title="degree k", axis=alt.Axis(values=degrees, format="d"),
              scale=alt.Scale(domain=[0.8, degrees[-1] + 0.2], nice=False))  # fmt: skip
    y = alt.Y("measured:Q", title="correlation of both views",
              scale=alt.Scale(domain=list(span), nice=False))  # fmt: skip
    line = alt.Chart(table).mark_line(color=ROLE["theory"], strokeDash=[5, 4])
    dots = alt.Chart(table).mark_circle(size=70, color=ROLE["z"], opacity=1)
    told = [alt.Tooltip("degree:Q", title="Degree"),
            alt.Tooltip("measured:Q", format=".3f", title="Measured"),
            alt.Tooltip("theory:Q", format=".3f", title="ρ to the k")]  # fmt: skip
    name = {"ρᵏ": float(rho ** degrees[-1])}
    chart = alt.layer(
        line.encode(x=x, y=words.along(y, "theory")), dots.encode(x=x, y=y, tooltip=told),
        words.beside(name, {}, y, INSIDE, span), height=HEIGHT,
    )  # fmt: skip
    names = {"degree": "Degree", "measured": "Correlation", "theory": "ρ to the k"}
    return words.finished(chart), table.rename(columns=names)


def under_bound(runs: Sequence[tuple[str, float, float]]) -> Figure:
    """Errors against their bounds (group, bound, error), both logarithmic; equality is dashed."""
    table = pd.DataFrame(runs, columns=["group", "bound", "error"])
    low = float(table[["bound", "error"]].min().min()) * 0.7
    high = float(table[["bound", "error"]].max().max()) * 1.4
    kind = alt.Scale(type="log", domain=[low, high], nice=False)
    x = alt.X("bound:Q", title="bound on the error", scale=kind, axis=alt.Axis(tickCount=6))
    y = alt.Y("error:Q", title="Procrustes error", scale=kind, axis=alt.Axis(tickCount=6))
    groups = list(dict.fromkeys(table["group"]))
    shades = [ROLE["z_hat"], ROLE["z"], ROLE["v"], ROLE["w"]][: len(groups)]
    colour = alt.Color("group:N", title=None, sort=groups,
                       scale=alt.Scale(domain=groups, range=shades),
                       legend=alt.Legend(orient="top", columns=1))  # fmt: skip
    ends = pd.DataFrame({"bound": [low, high], "error": [low, high]})
    equal = alt.Chart(ends).mark_line(color=ROLE["theory"], strokeDash=[5, 4]).encode(x=x, y=y)
    dots = alt.Chart(table).mark_circle(size=60, opacity=0.8).encode(
        x=x, y=y, color=colour,
        tooltip=[alt.Tooltip("group:N", title="Runs"),
                 alt.Tooltip("bound:Q", format=".4f", title="Bound"),
                 alt.Tooltip("error:Q", format=".4f", title="Error")],
    )  # fmt: skip
    names = {"group": "Runs", "bound": "Bound", "error": "Error"}
    return words.finished(alt.layer(equal, dots, height=TALL)), table.rename(columns=names)
