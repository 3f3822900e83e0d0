"""Result -> Altair figure and the table behind it; colours by role, everywhere the same.

Keyed Altair charts do not flicker while a run streams, and load beside the 3-D view's Plotly, where
Streamlit's own Plotly would be a second library to wait for. Theory is dashed, measurement solid or
points.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from core.experiment import Member, Result
from core.legend import BASELINES, ROLE, SCORES, ramp, setting, spoken
from core.scenarios.scenario import Knob

Figure = tuple[alt.LayerChart | alt.FacetChart | alt.Chart, pd.DataFrame]

LINE_HEIGHT = 230
SWEEP_HEIGHT = 300
LINE_OF_TEXT = 0.075  # of the height that is left between the axes
APART = 0.03  # a baseline that differs by less is drawn once
SQUARE = {"width": 270, "height": 270}


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
    values: Mapping[str, float | None], baselines: Mapping[str, float], title: str, ceiling: float
) -> Figure:
    """Every seed's score as a dot on one axis, with baselines and ceiling as labelled ticks."""
    table = pd.DataFrame(
        [{"seed": seed, title: value} for seed, value in values.items() if value is not None],
        columns=["seed", title],
    )
    low = min([0.5, *table[title], *baselines.values()])
    x = alt.X(f"{title}:Q", title=None, scale=alt.Scale(domain=[max(low - 0.05, -0.2), ceiling]))
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
    return alt.layer(tick, *words, dots).properties(height=84), table


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


def compare(groups: Mapping[str, Sequence[float]], title: str) -> Figure:
    """A score of several settings, at best 1: one row each and every seed a dot."""
    rows = [(name, value) for name, values in groups.items() for value in values]
    table = pd.DataFrame(rows, columns=["setting", title])
    # one scale, so that small differences look small
    low = min([0.8, *(0.05 * np.floor(20 * table[title]))])
    chart = (
        alt.Chart(table)
        .mark_circle(size=80, color=ROLE["z_hat"], opacity=0.75)
        .encode(
            x=alt.X(
                f"{title}:Q",
                title=title,
                scale=alt.Scale(domain=[low, 1.005], nice=False),
                axis=alt.Axis(values=list(np.arange(low, 1.001, 0.05).round(2))),
            ),
            y=alt.Y("setting:N", title=None, sort=list(groups), axis=alt.Axis(labelLimit=200)),
            tooltip=["setting:N", alt.Tooltip(f"{title}:Q", format=".3f")],
        )
    )
    return chart.properties(height=alt.Step(24)), table


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
    return chart.properties(**SQUARE).configure_view(strokeWidth=0), table


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
    return chart.properties(**SQUARE), table.rename(columns=dict(zip("ab", names, strict=True)))


def rotation_curve(angles: np.ndarray, theory: np.ndarray, at: float, measured: float) -> Figure:
    """MCC against the angle: theory dashed, the measured value of the turned points a dot."""
    table = pd.DataFrame({"angle": angles, "MCC": theory})
    y = alt.Y("MCC:Q", scale=alt.Scale(domain=[0.6, 1.02]))
    x = alt.X(
        "angle:Q", title="rotation, degrees", axis=alt.Axis(values=[0, 15, 30, 45, 60, 75, 90])
    )
    line = alt.Chart(table).mark_line(strokeDash=[5, 4], color=ROLE["theory"]).encode(x=x, y=y)
    dot = (
        alt.Chart(pd.DataFrame({"angle": [at], "MCC": [measured]}))
        .mark_circle(size=160, color=ROLE["z_hat"], opacity=1)
        .encode(x=x, y=y)
    )
    exact = alt.Chart(table.assign(MCC=1.0)).mark_line(color=ROLE["z"]).encode(x=x, y=y)
    words = pd.DataFrame(
        {"angle": [90, 66], "MCC": [1.0, 0.86], "text": ["R² = 1 at every angle", "MCC"]}
    )
    text = (
        alt.Chart(words)
        .mark_text(align="right", dy=-8, color=ROLE["theory"], fontSize=12)
        .encode(x=x, y=y, text="text:N")
    )
    return alt.layer(exact, line, dot, text).properties(height=270), table
