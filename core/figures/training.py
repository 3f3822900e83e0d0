"""Scores over training, over seeds and between settings."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.figures.figure import Figure
from core.legend import ROLE

LINE_HEIGHT = 230


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    steps: int,
    title: str,
    levels: Mapping[str, float],
    shown: str = "",
) -> Figure:
    """Curves over training steps, one thin line a name, and dashed labelled levels.

    `series` maps a seed's name to (steps, values); `shown` is drawn bolder. `levels` are baselines
    or floors. Also gives the table behind the picture.
    """
    lengths = [len(values) for _, values in series.values()]
    table = pd.DataFrame(
        {
            "seed": np.repeat(list(series) or [""], lengths or [0]),
            "step": np.concatenate([np.zeros(0), *(at for at, _ in series.values())]).astype(int),
            title: np.concatenate([np.zeros(0), *(values for _, values in series.values())]),
        }
    ).dropna()
    x = alt.X("step:Q", title="training step", scale=alt.Scale(domain=[0, steps]))
    y = alt.Y(f"{title}:Q", title=title, scale=alt.Scale(zero=False))
    bold = alt.condition(alt.datum.seed == shown, alt.value(2.6), alt.value(1))
    faint = alt.condition(alt.datum.seed == shown, alt.value(1), alt.value(0.55))
    lines = (
        alt.Chart(table)
        .mark_line(color=ROLE["z_hat"], interpolate="monotone")
        .encode(x=x, y=y, detail="seed:N", strokeWidth=bold, opacity=faint,
                tooltip=["seed:N", "step:Q", alt.Tooltip(f"{title}:Q", format=".3f")])
    )  # fmt: skip
    return alt.layer(lines, *_levels(levels, y)).properties(height=LINE_HEIGHT), table


def _levels(levels: Mapping[str, float], y: alt.Y) -> list[alt.Chart]:
    """Dashed horizontal lines, each labelled on the line; no legend to decode."""
    title = y.shorthand.removesuffix(":Q")
    charts = []
    for i, (name, level) in enumerate(levels.items()):
        base = alt.Chart(pd.DataFrame({"name": [name], title: [level]})).encode(y=y)
        rule = base.mark_rule(color=ROLE["theory"], strokeDash=[5, 4], strokeWidth=1.5)
        left = i % 2 == 1  # in turn at either end: levels lie close together
        text = base.mark_text(
            align="left" if left else "right",
            dx=4 if left else -4,
            dy=11,
            color=ROLE["theory"],
            fontSize=12,
        )
        charts += [rule, text.encode(x=alt.value(0 if left else "width"), text="name:N")]
    return charts


def strip(
    values: Mapping[str, float | None], baselines: Mapping[str, float], title: str, best: float
) -> Figure:
    """Every seed's score as a dot on one axis that ends at the best, 1 or 0; labelled ticks."""
    table = pd.DataFrame(
        [{"seed": seed, title: value} for seed, value in values.items() if value is not None],
        columns=["seed", title],
    )
    known = [*table[title], *baselines.values()]
    low, high = max(min([0.5, *known]) - 0.05, -0.2), best
    if best == 0:  # an angle, an error
        low, high = 0.0, 1.1 * max([1.0, *known])
    x = alt.X(f"{title}:Q", title=None, scale=alt.Scale(domain=[low, high], nice=False))
    dots = (
        alt.Chart(table)
        .mark_circle(size=90, color=ROLE["z_hat"], opacity=0.75)
        .encode(x=x, tooltip=["seed:N", alt.Tooltip(f"{title}:Q", format=".3f")])
    )
    marks = pd.DataFrame({"name": list(baselines), title: list(baselines.values())})
    tick = alt.Chart(marks).mark_tick(color=ROLE["baseline"], thickness=2, size=22).encode(x=x)
    words = [  # above and below in turn: baselines lie close together
        alt.Chart(marks[i : i + 1])
        .mark_text(dy=19 if i % 2 else -19, color=ROLE["baseline"], fontSize=11)
        .encode(x=x, text="name:N")
        for i in range(len(marks))
    ]
    chart = alt.layer(tick, *words, dots).properties(height=84)
    return chart.properties(padding={"top": 10, "left": 5, "right": 8, "bottom": 5}), table


def compare(groups: Mapping[str, Sequence[float]], title: str, best: float = 1.0) -> Figure:
    """A score of several settings, at best 1 or 0: one row each and every seed a dot."""
    rows = [(name, value) for name, values in groups.items() for value in values]
    table = pd.DataFrame(rows, columns=["setting", title])
    # one scale, so that small differences look small
    low, high = min([0.8, *(0.05 * np.floor(20 * table[title]))]), 1.005
    ticks = alt.Axis(values=list(np.arange(low, 1.001, 0.05).round(2)))
    if best == 0:
        low, high, ticks = -0.02 * table[title].max(), 1.08 * table[title].max(), alt.Axis()
    chart = (
        alt.Chart(table)
        .mark_circle(size=80, color=ROLE["z_hat"], opacity=0.75)
        .encode(
            x=alt.X(
                f"{title}:Q",
                title=title,
                scale=alt.Scale(domain=[low, high], nice=False),
                axis=ticks,
            ),
            y=alt.Y("setting:N", title=None, sort=list(groups), axis=alt.Axis(labelLimit=200)),
            tooltip=["setting:N", alt.Tooltip(f"{title}:Q", format=".3f")],
        )
    )
    return chart.properties(height=alt.Step(24)), table
