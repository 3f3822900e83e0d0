"""Scores over training, over seeds, between settings, and beside what papers print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE
from core.figures import words
from core.figures.figure import Figure

LINE_HEIGHT = 230
INSIDE = 165  # of it, between the axes
STEP, RAISED = 30, 7  # pixels of a row, and by which a name of two lines is raised
PUBLISHED, OURS = "published", "here"
SHORTEST = 0.1  # axis of a comparison, so that small differences look small
NOISE = 1e-6  # below which a value is 0, rounded


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    steps: int,
    title: str,
    levels: Mapping[str, float],
    shown: str = "",
) -> Figure:
    """Curves over training steps, one thin line a name, and dashed levels, named beside them.

    `series` maps a seed's name to (steps, values); `shown` is drawn bolder. `levels` are baselines
    or floors. Also gives the table behind the picture.
    """
    lengths = [len(values) for _, values in series.values()]
    table = pd.DataFrame(
        {
            "seed": np.repeat(list(series) or [""], lengths or [0]),
            "step": np.concatenate([np.zeros(0), *(at for at, _ in series.values())]).astype(int),
            "value": np.concatenate([np.zeros(0), *(values for _, values in series.values())]),
        }
    ).dropna()
    span = words.span_of([*table["value"], *levels.values()])
    x = alt.X("step:Q", title="training step", axis=words.first_to_last(steps),
              scale=alt.Scale(domain=[0, steps], nice=False))  # fmt: skip
    y = alt.Y("value:Q", title=title, scale=alt.Scale(domain=span, nice=False))
    drawn = alt.datum.seed == shown
    bold = alt.StrokeWidthValue(**alt.condition(drawn, alt.value(2.6), alt.value(1)))
    faint = alt.OpacityValue(**alt.condition(drawn, alt.value(1), alt.value(0.55)))
    told = [alt.Tooltip("seed:N"), alt.Tooltip("step:Q"),
            alt.Tooltip("value:Q", format=".3f", title=title)]  # fmt: skip
    lines = (
        alt.Chart(table)
        .mark_line(color=ROLE["z_hat"], interpolate="monotone")
        .encode(x=x, y=y, detail=alt.Detail("seed:N"), strokeWidth=bold, opacity=faint,
                tooltip=told)
    )  # fmt: skip
    layers = [lines]
    if levels:
        marks = pd.DataFrame({"name": list(levels), "value": list(levels.values())})
        rule = alt.Chart(marks).mark_rule(color=ROLE["theory"], strokeDash=[5, 4], strokeWidth=1.5)
        layers += [rule.encode(y=y), words.beside(levels, {}, y, INSIDE, span)]
    chart = alt.layer(*layers, height=LINE_HEIGHT)
    shown_table = table.rename(columns={"seed": "Seed", "step": "Training step", "value": title})
    return words.finished(chart), shown_table


def strip(
    values: Mapping[str, float | None], baselines: Mapping[str, float], title: str, best: float
) -> Figure:
    """Every seed's score as a dot on one axis that ends at the best, 1 or 0; labelled ticks."""
    table = pd.DataFrame(
        [{"seed": seed, "value": value} for seed, value in values.items() if value is not None],
        columns=["seed", "value"],
    )
    known = [*table["value"], *baselines.values()]
    low, high = max(min([0.5, *known]) - 0.05, -0.2), best
    if best == 0:  # an angle, an error
        low, high = 0.0, 1.1 * max([1.0, *known])
    x = alt.X("value:Q", title=None, scale=alt.Scale(domain=[low, high], nice=False),
              axis=alt.Axis(tickCount=8))  # fmt: skip
    dots = (
        alt.Chart(table)
        .mark_circle(size=90, color=ROLE["z_hat"], opacity=0.75)
        .encode(
            x=x, tooltip=[alt.Tooltip("seed:N"), alt.Tooltip("value:Q", format=".3f", title=title)]
        )
    )
    marks = pd.DataFrame({"name": list(baselines), "value": list(baselines.values())})
    tick = alt.Chart(marks).mark_tick(color=ROLE["baseline"], thickness=2, size=18).encode(x=x)
    said = words.over(baselines, (low, high))
    chart = alt.layer(tick, *said, dots, height=68)
    named = table.rename(columns={"seed": "Seed", "value": title})
    return words.finished(chart, top=11, bottom=2), named


def compare(groups: Mapping[str, Sequence[float]], title: str, best: float | None = 1.0) -> Figure:
    """A score of several settings, at best 1 or 0 or neither: one row each, every seed a dot."""
    rows = [(name, value) for name, values in groups.items() for value in values]
    table = pd.DataFrame(rows, columns=["setting", "value"])
    # one scale, so that small differences look small
    low, high = min([0.8, *(0.05 * np.floor(20 * table["value"]))]), 1.005
    steps = np.arange(low, 1.001, 0.05).round(2)
    ticks = words.ticks_at(list(map(float, steps)), steps, [f"{at:.2f}" for at in steps])
    if best != 1:
        (low, high), ticks = _from_zero(table["value"]), alt.Axis(tickCount=6)
    chart = (
        alt.Chart(table)
        .mark_circle(size=80, color=ROLE["z_hat"], opacity=0.75)
        .encode(
            x=alt.X(
                "value:Q",
                title=title,
                scale=alt.Scale(domain=[low, high], nice=False),
                axis=ticks,
            ),
            y=alt.Y("setting:N", title=None, sort=list(groups), axis=alt.Axis(labelLimit=200)),
            tooltip=[alt.Tooltip("setting:N"), alt.Tooltip("value:Q", format=".3f", title=title)],
        )
    )
    shown = table.rename(columns={"setting": "Setting", "value": title})
    return words.finished(chart.properties(height=alt.Step(24))), shown


def _from_zero(values: pd.Series) -> tuple[float, float]:
    """An axis from 0, or from below the least, to beyond the most; none shorter than `SHORTEST`."""
    bottom, top = (0.0 if abs(end) < NOISE else float(end) for end in (values.min(), values.max()))
    room = 0.08 * max(top - min(bottom, 0.0), SHORTEST)
    low = bottom - room if bottom < 0 else 0.0
    return low, max(top + room, low + SHORTEST)


@dataclass(frozen=True)
class Beside:
    """A row: its name, what is printed (mean and deviation) and what every seed gives, in percent.

    `fits` says in a word whether it matches what the theory assumes, `world` what was published.
    """

    name: str
    printed: tuple[float, float] | None
    seeds: Mapping[int, float]
    fits: str
    world: str = ""


def beside(rows: Sequence[Beside], title: str, best: float = 100.0) -> Figure:
    """Published scores as grey diamonds with their deviation, ours as a dot a seed.

    The axis, in percent, holds all of them and the `best` there is.
    """
    table = _rows_of(rows)
    numbers = table[["value", "low", "high"]].to_numpy(float).ravel()
    low, high = words.span_of([*numbers, best])
    x = alt.X("value:Q", title=f"{title}, percent", axis=alt.Axis(tickCount=6),
              scale=alt.Scale(domain=[low, high], nice=False))  # fmt: skip
    raised = RAISED if len(table) and table["name"].str.contains("\n").all() else 0
    y = alt.Y("name:N", title=None, sort=list(dict.fromkeys(table["name"])), axis=alt.Axis(
        labelExpr="split(datum.label, '\\n')", labelLimit=0, labelPadding=6, labelOffset=-raised,
        ticks=False, domain=False, grid=True, gridDash=[1, 3]))  # fmt: skip
    told = [
        alt.Tooltip("row:N", title="Row"),
        alt.Tooltip("what:N", title="Number"),
        alt.Tooltip("value:Q", format=".2f", title=title),
        alt.Tooltip("fits:N", title="Row is"),
        alt.Tooltip("world:N", title="Published for"),
    ]
    theirs, ours = (table[table["kind"] == kind] for kind in (PUBLISHED, OURS))
    spread = alt.Chart(theirs).mark_rule(color=ROLE["baseline"], strokeWidth=5, opacity=0.45)
    mean = alt.Chart(theirs).mark_point(
        shape="diamond", size=110, filled=False, color=ROLE["baseline"], strokeWidth=2
    )
    dots = alt.Chart(ours).mark_circle(size=80, color=ROLE["z_hat"], opacity=0.75)
    chart = alt.layer(
        spread.encode(x=words.along(x, "low"), x2="high:Q", y=y, tooltip=told),
        mean.encode(x=x, y=y, tooltip=told),
        dots.encode(x=x, y=y, tooltip=told),
        height=alt.Step(STEP),
    )
    return words.finished(chart), _told_of(table, title)


def _rows_of(rows: Sequence[Beside]) -> pd.DataFrame:
    """A line for every number, published or of a seed; the deviation as the ends of a bar."""
    lines: list[dict[str, object]] = []
    for row in rows:
        about = {"row": row.name, "name": _in_lines(row.name), "fits": row.fits,
                 "world": row.world}  # fmt: skip
        if row.printed is not None:
            mean, sd = row.printed
            lines.append({**about, "kind": PUBLISHED, "what": f"published, ± {sd:.2f}",
                          "value": mean, "low": mean - sd, "high": mean + sd})  # fmt: skip
        lines += [
            {**about, "kind": OURS, "what": f"here, seed {seed}", "value": value,
             "low": None, "high": None}
            for seed, value in row.seeds.items()
        ]  # fmt: skip
    columns = ["row", "name", "fits", "world", "kind", "what", "value", "low", "high"]
    return pd.DataFrame(lines, columns=columns).astype({"low": float, "high": float})


def _in_lines(name: str) -> str:
    """World and model of a row under each other; any other name in two lines if it is long."""
    world, arrow, model = name.partition(" → ")
    return f"{world}\n→ {model}" if arrow else words.wrapped(name)


def _told_of(table: pd.DataFrame, title: str) -> pd.DataFrame:
    names = {
        "row": "Row",
        "world": "Published for",
        "fits": "Assumptions",
        "what": "Number",
        "value": f"{title}, percent",
    }
    return table[list(names)].rename(columns=names)
