"""A score against one parameter, or two: every seed a point that opens its run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from core.colours import ROLE, ramp
from core.figures import words
from core.figures.figure import Figure
from core.legend import BASELINES, SCORES, label_of, named, setting, spoken
from core.run.experiment import Member, Result
from core.scenarios.scenario import Knob

SWEEP_HEIGHT = 300
INSIDE = 235  # of it, between the axes
APART = 0.03  # a baseline that differs by less is drawn once


def sweep(
    runs: Iterable[tuple[Member, Result]],
    knob: Knob,
    score: str,
    baselines: Sequence[str] = (),
    by: Knob | None = None,
    theory: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """A score against a parameter: every seed a point, their mean a line, baselines dashed.

    `runs` are the members as they were asked for and what they gave. With `by`, a second parameter,
    each of its values has a colour; lines are named beside the picture, at the height where they
    end. `theory` maps a name to a curve, dashed, `marks` one to a value of the parameter. Points
    can be selected (name "run"): the selection carries the value, the one of `by` and the seed.
    """
    table = _sweep_table(runs, knob, by, (score, *baselines))
    groups = list(dict.fromkeys(table["by"])) if by else []
    shades = dict(zip(groups, ramp(len(groups)), strict=True))
    curves = theory or {}
    drawn = table[[score, *baselines]].to_numpy(float).ravel()
    span = words.span_of([*drawn, *(v for _, curve in curves.values() for v in curve)])
    x = _axis(knob, table)
    y = alt.Y(f"{score}:Q", title=SCORES[score].axis, scale=alt.Scale(domain=span, nice=False))
    colour = (
        alt.Color("by:N", scale=alt.Scale(domain=groups, range=list(shades.values())), legend=None)
        if by
        else alt.ColorValue(ROLE["z_hat"])
    )
    layers, names = [], dict[str, tuple[float, str]]()
    for i, name in enumerate(baselines):
        dashed, told = _baseline(table, x, y, name, i, colour if by else None)
        layers.append(dashed)
        names |= told
    for name, (at, values) in curves.items():
        layers.append(_curve(x, y, at, values))
        names[name] = (float(values[-1]), ROLE["theory"])
    if by or not knob.choices:  # else nothing lies between two choices
        mean = alt.Chart(table).mark_line()
        layers.append(mean.encode(x=x, y=words.along(y, f"mean({score})"), color=colour))
    if by:
        names |= _line_ends(table, score, shades)
    layers.append(_points(table, x, y, knob, by, score, colour))
    if names:
        heights = {name: at for name, (at, _) in names.items()}
        inks = {name: ink for name, (_, ink) in names.items()}
        layers.append(words.beside(heights, inks, y, INSIDE, span))
    marked = _marks(x, marks or {}, table)
    chart = alt.layer(*layers, *marked, height=SWEEP_HEIGHT)
    return words.finished(chart, **({"top": 22} if marked else {})), _shown(table, knob, by)


def _points(
    table: pd.DataFrame, x: alt.X, y: alt.Y, knob: Knob, by: Knob | None, score: str, colour: Any
) -> alt.Chart:
    told = [alt.Tooltip("named:N", title=label_of(knob)), alt.Tooltip("seed:N", title="Seed")]
    told += [alt.Tooltip("by_named:N", title=label_of(by))] if by else []
    fields = ["value", "by", "seed"] if by else ["value", "seed"]
    chosen = alt.selection_point(name="run", fields=fields, nearest=False)
    return (
        alt.Chart(table)
        .mark_circle(size=80)
        .encode(
            x=x, y=y, color=colour,
            opacity=alt.OpacityValue(**alt.condition(chosen, alt.value(0.9), alt.value(0.35))),
            tooltip=[*told, alt.Tooltip(f"{score}:Q", format=".3f", title=SCORES[score].title)],
        )
        .add_params(chosen)
    )  # fmt: skip


def _sweep_table(
    runs: Iterable[tuple[Member, Result]], knob: Knob, by: Knob | None, scores: Sequence[str]
) -> pd.DataFrame:
    """Rows of the chart: values as links write them, which a selection carries, and in words."""
    rows = []
    for member, result in runs:
        value = getattr(member.params, knob.name)
        row = {"value": spoken(value), "x": value, "named": words.wrapped(named(knob, value))}
        if by:
            second = getattr(member.params, by.name)
            row |= {"by": spoken(second), "by_named": named(by, second),
                    "line": setting(by, second)}  # fmt: skip
        rows.append({**row, "seed": member.seed, **{s: result.scores.get(s) for s in scores}})
    columns = ["value", "x", "named", *(["by", "by_named", "line"] if by else []), "seed", *scores]
    table = pd.DataFrame(rows, columns=columns)
    table.attrs["names"] = {"value": knob.label, **({"by": by.label} if by else {})}
    return table.astype(dict.fromkeys(scores, float))


def _shown(table: pd.DataFrame, knob: Knob, by: Knob | None) -> pd.DataFrame:
    """The numbers behind the picture, under the names that the picture uses."""
    own = {"named": label_of(knob), "by_named": label_of(by) if by else "", "seed": "Seed"}
    shown = table.drop(columns=["value", "x", "by", "line"], errors="ignore")
    shown["named"] = shown["named"].str.replace("\n", " ")
    return shown.rename(columns=lambda name: own.get(name) or column(name))


def column(score: str) -> str:
    """A column of scores, or of one of their baselines, in words."""
    kind, _, of = score.partition("_")
    if kind in BASELINES and of in SCORES:
        return f"{BASELINES[kind]}: {SCORES[of].axis}"
    return SCORES[score].axis if score in SCORES else score


def _line_ends(
    table: pd.DataFrame, score: str, shades: Mapping[str, str]
) -> dict[str, tuple[float, str]]:
    """What each line is called, the height at which it ends, and its colour."""
    known = table.dropna(subset=[score])
    means = known.groupby(["by", "line", "value"], sort=False)[score].mean()
    ends = means.reset_index().groupby("by", sort=False).tail(1)
    return {row["line"]: (float(row[score]), shades[row["by"]]) for row in ends.to_dict("records")}


def _baseline(
    table: pd.DataFrame, x: alt.X, y: alt.Y, name: str, i: int, colour: Any
) -> tuple[alt.Chart, dict[str, tuple[float, str]]]:
    """A dashed line, and its name with the height at which it ends.

    One line for all values of the second parameter, unless it makes a difference to the baseline:
    then one a value, named at the lowest of them.
    """
    shade, dash, ends = alt.ColorValue(ROLE["baseline"]), [5, 4], table
    if "by" in table:
        means = table.groupby(["value", "by"], sort=False)[name].mean().groupby("value")
        if (means.max() - means.min()).max() > APART:
            lowest = table.groupby("by")[name].mean().idxmin()
            ends, shade, dash = table[table["by"] == lowest], colour, [5, 4] if i % 2 else [1, 3]
    known = ends.dropna(subset=[name]).groupby("value", sort=False)[name].mean()
    told = BASELINES.get(name.split("_")[0], column(name))
    named_at = {told: (float(known.iloc[-1]), ROLE["baseline"])} if len(known) else {}
    line = alt.Chart(table).mark_line(strokeDash=dash, strokeWidth=1.5)
    return line.encode(x=x, y=words.along(y, f"mean({name})"), color=shade), named_at


def _curve(x: alt.X, y: alt.Y, at: Sequence[float], values: Sequence[float]) -> alt.Chart:
    """A curve of theory, over the part of the axis that the sweep covers."""
    field = y["shorthand"].removesuffix(":Q")
    dashed = alt.Chart(pd.DataFrame({"x": at, field: values})).mark_line(
        color=ROLE["theory"], strokeDash=[5, 4], strokeWidth=2, interpolate="step-after", clip=True
    )
    return dashed.encode(x=x, y=y)


def _marks(x: alt.X, marks: Mapping[str, float], table: pd.DataFrame) -> list[alt.Chart]:
    """A dashed line across the picture for each mark that lies on the axis, its name over it."""
    reach, layers = table["x"].tolist() if marks else [], []
    for name, at in marks.items():
        if reach and min(reach) <= at <= max(reach):
            base = alt.Chart(pd.DataFrame({"x": [at], "name": [name]})).encode(x=x)
            said = base.mark_text(fill=words.QUIET, fontSize=12, align="left", dx=-4)
            layers += [
                base.mark_rule(color=ROLE["theory"], strokeDash=[5, 4], strokeWidth=2),
                said.encode(y=alt.YValue(-8), text=alt.Text("name:N")),
            ]
    return layers


def _axis(knob: Knob, table: pd.DataFrame) -> alt.X:
    numbers = not knob.choices and knob.kind in (int, float)
    if numbers and len(table) and table["x"].notna().all():  # else "auto" is one of the values
        return words.swept_axis(knob, table["x"].tolist())
    return words.choice_axis("named", list(dict.fromkeys(table["named"])), label_of(knob))
