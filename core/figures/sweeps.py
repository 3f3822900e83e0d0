"""A score against one parameter, or two: every seed a point that opens its run."""

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from core.experiment import Member, Result
from core.figures.figure import Figure
from core.legend import BASELINES, ROLE, SCORES, ramp, setting, spoken
from core.scenarios.scenario import Knob

SWEEP_HEIGHT = 300
LINE_OF_TEXT = 0.075  # of the height that is left between the axes
APART = 0.03  # a baseline that differs by less is drawn once


def sweep(
    runs: Iterable[tuple[Member, Result]],
    knob: Knob,
    score: str,
    baselines: Sequence[str] = (),
    by: Knob | None = None,
) -> Figure:
    """A score against a parameter: every seed a point, their mean a line, baselines dashed.

    `runs` are the members as they were asked for and what they gave. With `by`, a second parameter,
    each of its values has a colour and is named where its line ends. Points can be selected (name
    "run"): the selection carries the value, the one of `by` and the seed.
    """
    table = _sweep_table(runs, knob, by, (score, *baselines))
    fields = ["value", "by", "seed"] if by else ["value", "seed"]
    title = SCORES[score].title
    x = _axis(knob, table)
    y = alt.Y(f"{score}:Q", title=title, scale=alt.Scale(zero=False))
    groups = list(dict.fromkeys(table["by"])) if by else []
    shades = alt.Scale(domain=groups, range=ramp(len(groups)))
    colour = alt.Color("by:N", scale=shades, legend=None) if by else alt.value(ROLE["z_hat"])
    told = [alt.Tooltip("value:N", title=knob.label), "seed:N"]
    told += [alt.Tooltip("by:N", title=by.label)] if by else []
    chosen = alt.selection_point(name="run", fields=fields, nearest=False)
    points = (
        alt.Chart(table)
        .mark_circle(size=80)
        .encode(
            x=x, y=y, color=colour,
            opacity=alt.condition(chosen, alt.value(0.9), alt.value(0.35)),
            tooltip=[*told, alt.Tooltip(f"{score}:Q", format=".3f", title=title)],
        )
        .add_params(chosen)
    )  # fmt: skip
    layers = [
        part for i, name in enumerate(baselines) for part in _baseline(table, x, name, i, colour)
    ]
    if by or not knob.choices:  # else nothing lies between two choices
        mean = alt.Chart(table).mark_line()
        layers.append(mean.encode(x=x, y=alt.Y(f"mean({score}):Q", title=title), color=colour))
    if by is None:
        return alt.layer(*layers, points).properties(height=SWEEP_HEIGHT), table
    names = _line_names(table, (score, *baselines), by)
    words = alt.Chart(names).mark_text(align="left", dx=9, fontSize=13, fontWeight=600)
    layers.append(words.encode(x=x, y=alt.Y("at:Q", title=title), text="name:N", color=colour))
    return alt.layer(*layers, points).properties(height=SWEEP_HEIGHT), table


def _sweep_table(
    runs: Iterable[tuple[Member, Result]], knob: Knob, by: Knob | None, scores: Sequence[str]
) -> pd.DataFrame:
    rows = [
        {
            "value": spoken(getattr(member.params, knob.name)),
            "x": getattr(member.params, knob.name),
            **({"by": spoken(getattr(member.params, by.name))} if by else {}),
            "seed": member.seed,
            **{name: result.scores.get(name) for name in scores},
        }
        for member, result in runs
    ]
    columns = ["value", "x", *(["by"] if by else []), "seed", *scores]
    table = pd.DataFrame(rows, columns=columns)
    table.attrs["names"] = {"value": knob.label, **({"by": by.label} if by else {})}
    return table.astype(dict.fromkeys(scores, float))


def _line_names(table: pd.DataFrame, drawn: Sequence[str], by: Knob) -> pd.DataFrame:
    """What each line is called, and where: at its end, or a little off it where ends lie close."""
    score = drawn[0]
    known = table.dropna(subset=[score])
    means = known.groupby(["by", "value"], sort=False)[score].mean().reset_index()
    names = means.groupby("by", sort=False).tail(1).sort_values(score, ascending=False)
    names["name"] = [value if by.choices else setting(by.label, by.symbol, value)
                     for value in names["by"]]  # fmt: skip
    names["x"] = [known.loc[known["value"] == value, "x"].iloc[0] for value in names["value"]]
    low, high = (getattr(table[list(drawn)], end)().agg(end) for end in ("min", "max"))
    gap = ((high - low) or 1) * LINE_OF_TEXT
    at = names[score].to_numpy(copy=True)  # descending
    for i in range(1, len(at)):
        at[i] = min(at[i], at[i - 1] - gap)
    names["at"] = np.maximum(at, low + gap * np.arange(len(at))[::-1])  # not below the picture
    return names


def _baseline(table: pd.DataFrame, x: alt.X, name: str, i: int, colour: Any) -> list[alt.Chart]:
    """A dashed line and its name at one of its ends: two lie close together.

    One line for all values of the second parameter, unless it makes a difference to the baseline.
    """
    named, shade, dash, aside = table, alt.value(ROLE["baseline"]), [5, 4], 0
    if "by" in table:
        means = table.groupby(["value", "by"], sort=False)[name].mean().groupby("value")
        if (means.max() - means.min()).max() > APART:
            lowest = table.groupby("by")[name].mean().idxmin()
            named, shade, dash = table[table["by"] == lowest], colour, [5, 4] if i % 2 else [1, 3]
            aside = 12  # of the dots, which may be among these lines
    line = alt.Chart(table).mark_line(strokeDash=dash, strokeWidth=1.5)
    dashed = line.encode(x=x, y=f"mean({name}):Q", color=shade)
    return [dashed, _end_label(named, x, name, i > 0, aside)]


def _axis(knob: Knob, table: pd.DataFrame) -> alt.X:
    title = knob.label
    numeric = (
        knob.kind is not bool and table["x"].map(lambda value: isinstance(value, int | float)).all()
    )
    if numeric and knob.scale != "linear" and len(table) and table["x"].min() > 0:
        return alt.X("x:Q", title=title, scale=alt.Scale(type="log", nice=False, padding=12))
    if numeric and knob.scale == "linear":
        whole = alt.Axis(tickMinStep=1, format="d") if knob.kind is int else alt.Axis()
        return alt.X("x:Q", title=title, scale=alt.Scale(zero=False, padding=12), axis=whole)
    return alt.X("value:O", title=title, sort=list(dict.fromkeys(table["value"])))


def _end_label(table: pd.DataFrame, x: alt.X, name: str, last: bool, aside: int = 0) -> alt.Chart:
    """A baseline's name at one end of its line: two lie close together."""
    known = table.dropna(subset=[name])
    end = known["value"].iloc[-1 if last else 0] if len(known) else None
    at = known[known["value"] == end].groupby(["value", "x"], as_index=False, dropna=False)[name]
    word = at.mean().assign(name=BASELINES.get(name.split("_")[0], name))
    return (
        alt.Chart(word)
        .mark_text(
            align="right" if last else "left",
            dx=-aside if last else aside,
            dy=12,
            color=ROLE["baseline"],
            fontSize=12,
        )
        .encode(x=x, y=f"{name}:Q", text="name:N")
    )
