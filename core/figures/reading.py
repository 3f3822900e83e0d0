"""Pictures for reading scores: points, MCC under a rotation, scores with nulls, phase diagrams."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE, on_shade
from core.figures import words
from core.figures.figure import SQUARE, Figure

LEAST = -0.2  # where the picture ends: what lies further left is an arrowhead there
LINE_STEP, CELL_STEP = 33, 27  # pixels a row
ABOVE, BELOW = -9, 7  # pixels of words and of their score from the middle of their row
WIDE = 400  # pixels of a picture's width from which on there is room for words
NUMBER_END = 58  # pixels right of a picture, where a score's number has ended
FAINTEST = 0.08
NUMBERED = 420  # pixels of a phase diagram's width from which on its cells say their number
PLACED = ["value", "null", "null_low", "null_high", "low", "high"]  # along the axis
INK = {"fooled": ROLE["z_hat"], "unfair": ROLE["w"], "": ROLE["z"]}  # by verdict


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
    names = {"across": "Across", "up": "Up", "depth": "Towards the eye"}
    shown = table.drop(columns="colour").rename(columns=names)
    return words.finished(chart.properties(**SQUARE)), shown


def plane(
    points: np.ndarray, colours: Sequence[str], names: tuple[str, str], side: int = 270
) -> Figure:
    """Points (n, 2) with named axes of one scale, as far as they reach."""
    table = pd.DataFrame({"a": points[:, 0], "b": points[:, 1], "colour": list(colours)})
    reach = 1.05 * float(np.abs(points).max())
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    chart = (
        alt.Chart(table)
        .mark_circle(size=30, opacity=0.85)
        .encode(
            x=alt.X("a:Q", title=names[0], scale=scale, axis=alt.Axis(tickCount=4)),
            y=alt.Y("b:Q", title=names[1], scale=scale, axis=alt.Axis(tickCount=4)),
            color=alt.Color("colour:N", scale=None),
        )
    )
    shown = table.drop(columns="colour").rename(columns=dict(zip("ab", names, strict=True)))
    return words.finished(chart.properties(width=side, height=side)), shown


def rotation_curve(angles: np.ndarray, theory: np.ndarray, at: float, measured: float) -> Figure:
    """MCC against the angle: theory dashed, the measured value of the turned points a dot."""
    table = pd.DataFrame({"angle": angles, "MCC": theory})
    y = alt.Y("MCC:Q", scale=alt.Scale(domain=[0.6, 1.06], nice=False))
    tens = [0, 15, 30, 45, 60, 75, 90]
    axis = words.ticks_at(tens, np.asarray(tens, dtype=float), list(map(str, tens)))
    x = alt.X("angle:Q", title="rotation, degrees", axis=axis,
              scale=alt.Scale(domain=[0, 90], nice=False))  # fmt: skip
    line = alt.Chart(table).mark_line(strokeDash=[5, 4], color=ROLE["theory"]).encode(x=x, y=y)
    dot = (
        alt.Chart(pd.DataFrame({"angle": [at], "MCC": [measured]}))
        .mark_circle(size=160, color=ROLE["z_hat"], opacity=1)
        .encode(x=x, y=y)
    )
    exact = alt.Chart(table.assign(MCC=1.0)).mark_line(color=ROLE["z"]).encode(x=x, y=y)
    # over the one line and under the lowest point of the other
    said = pd.DataFrame(
        {"angle": [45, 45], "MCC": [1.03, 0.65], "text": ["R² = 1 at every angle", "MCC"]}
    )
    text = alt.Chart(said).mark_text(color=words.QUIET, fontSize=12)
    text = text.encode(x=x, y=y, text=alt.Text("text:N"))
    chart = alt.layer(exact, line, dot, text, height=270)
    shown = table.rename(columns={"angle": "Rotation, degrees"})
    return words.finished(chart), shown


@dataclass(frozen=True)
class Line:
    """A score: its value, what shuffled codes get, between what it lies, what is made of it.

    `asks` says what it is a promise about, `answer` whether the codes keep it.
    """

    title: str
    asks: str
    answer: str
    value: float
    null: Sequence[float]
    interval: tuple[float, float] | None
    verdict: str


def readings(lines: Sequence[Line]) -> Figure:
    """Scores as dots with their intervals, shuffled codes as grey marks, verdicts in words.

    What lies below `LEAST` is an arrowhead there, with the score's number beside it.
    """
    table = pd.DataFrame([_row(line) for line in lines])
    placed = table[PLACED].clip(lower=LEAST).add_suffix("_at")
    table = words.inked(table.join(placed), [INK[verdict] for verdict in table["verdict"]])
    low = min(0.0, float(placed.min().min()))
    tens = [at for at in (-0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0) if at >= low]
    said = [f"{at:g}".replace("-", "−") for at in tens]
    x = alt.X("value_at:Q", title=None, scale=alt.Scale(domain=[low - 0.02, 1.02], nice=False),
              axis=words.ticks_at(tens, np.asarray(tens), said))  # fmt: skip
    y = alt.Y("title:N", sort=list(table["title"]), axis=None)
    base = alt.Chart(table)
    layers = [_asked(base, y), *_chance(base, x, y), *_scored(base, x, y), *_judged(base, y)]
    chart = alt.layer(*layers, height=alt.Step(LINE_STEP))
    names = {"title": "Score", "asks": "Asks", "answer": "Answer", "value": "Value",
             "low": "95 % from", "high": "95 % to", "null": "Shuffled codes",
             "null_low": "Shuffled from", "null_high": "Shuffled to",
             "verdict": "Verdict"}  # fmt: skip
    return words.finished(chart), table[list(names)].rename(columns=names)


def _asked(base: alt.Chart, y: alt.Y) -> alt.Chart:
    """What each score asks, over its line; in fewer words where the picture is narrow."""
    text = base.mark_text(
        text=alt.expr(f"width < {WIDE} ? datum.brief : datum.label"), align="left", dy=ABOVE,
        fontSize=12, fill=words.QUIET, limit=alt.expr("width"), tooltip=None,
    )  # fmt: skip
    return text.encode(x=alt.XValue(0), y=y)


def _chance(base: alt.Chart, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """What shuffled codes get: a band from least to most, a tick at the mean."""
    grey = ROLE["baseline"]
    band = base.mark_rule(strokeWidth=11, opacity=0.35, yOffset=BELOW, color=grey, tooltip=None)
    tick = base.transform_filter(f"datum.null >= {LEAST}").mark_tick(
        thickness=2.5, size=18, yOffset=BELOW, color=grey, tooltip=None
    )
    head = base.transform_filter(f"datum.null_low < {LEAST}").mark_point(
        shape="triangle-left", filled=True, size=330, opacity=0.6, yOffset=BELOW, color=grey,
        tooltip=None,
    )  # fmt: skip
    return [
        band.encode(x=words.along(x, "null_low_at"), x2="null_high_at:Q", y=y),
        tick.encode(x=words.along(x, "null_at"), y=y),
        head.encode(x=words.along(x, "null_low_at"), y=y),
    ]


def _scored(base: alt.Chart, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """The score as a dot, its interval as a line through it, both in the verdict's colour."""
    told = [alt.Tooltip("title:N", title="Score"), alt.Tooltip("asks:N", title="Asks"),
            alt.Tooltip("answer:N", title="Answer"),
            alt.Tooltip("value:Q", format=".3f", title="Value"),
            alt.Tooltip("null:Q", format=".3f", title="Shuffled codes")]  # fmt: skip
    line = base.mark_rule(strokeWidth=3, opacity=0.6, yOffset=BELOW, tooltip=None)
    dot = base.transform_filter(f"datum.value >= {LEAST}").mark_circle(
        size=130, opacity=1, yOffset=BELOW
    )
    head = base.transform_filter(f"datum.low < {LEAST}").mark_point(
        shape="triangle-left", filled=True, size=130, opacity=1, yOffset=BELOW
    )
    return [
        line.encode(x=words.along(x, "low_at"), x2="high_at:Q", y=y, color=_by_verdict()),
        dot.encode(x=x, y=y, color=_by_verdict(), tooltip=told),
        head.encode(x=words.along(x, "low_at"), y=y, color=_by_verdict(), tooltip=told),
    ]


def _judged(base: alt.Chart, y: alt.Y) -> list[alt.Chart]:
    """Numbers right of the picture, verdicts behind them, or above where the picture is narrow."""
    behind = {"dx": alt.expr(f"width < {WIDE} ? 10 : {NUMBER_END}"),
              "dy": alt.expr(f"width < {WIDE} ? {ABOVE} : {BELOW}")}  # fmt: skip
    places: dict[str, dict[str, Any]] = {"number": {"dx": 10, "dy": BELOW}, "verdict": behind}
    return [
        base.mark_text(
            align="left", fontSize=13, fontWeight=600, fill=words.OWN_INK, tooltip=None, **place
        ).encode(text=alt.Text(f"{field}:N"), x=alt.XValue(alt.expr("width")), y=y)
        for field, place in places.items()
    ]


def _row(line: Line) -> dict[str, object]:
    low, high = line.interval or (line.value, line.value)
    null = line.null or (np.nan,)
    brief = line.asks.removeprefix("up to ")
    return {
        "title": line.title, "asks": line.asks, "answer": line.answer,
        "label": f"{line.title} asks: {line.asks}? {line.answer}",
        "brief": f"{line.title}: {brief}? {line.answer}",
        "value": line.value, "low": low, "high": high, "null": float(np.mean(null)),
        "null_low": min(null), "null_high": max(null), "verdict": line.verdict,
        "number": f"{line.value:.3f}".replace("-", "−"),
    }  # fmt: skip


def _by_verdict() -> alt.Color:
    scale = alt.Scale(domain=list(INK), range=list(INK.values()))
    return alt.Color("verdict:N", scale=scale, legend=None)


@dataclass(frozen=True)
class Along:
    """An axis of a phase diagram: its title, and each of its values as links and people read it."""

    title: str
    values: Sequence[str]
    named: Sequence[str]


def phase(
    across: Along, up: Along, score: np.ndarray, title: str,
    here: tuple[int, int] | None = None, power: float = 1.0,
) -> Figure:  # fmt: skip
    """A score (up, across) as shaded cells, nan left empty; the one at `here` is outlined.

    Shades go by this `power` of it: a larger one parts scores that are near 1.
    A cell can be selected (name "run"): the selection carries both values.
    """
    cells = [
        (across.values[j], up.values[i], across.named[j], up.named[i], float(score[i, j]),
         (i, j) == here)
        for i in range(len(up.values)) for j in range(len(across.values))
        if np.isfinite(score[i, j])
    ]  # fmt: skip
    columns = ["across", "up", "across_named", "up_named", "score", "here"]
    table = pd.DataFrame(cells, columns=columns)
    table["shade"] = FAINTEST + (1 - FAINTEST) * table["score"].clip(0, 1) ** power
    inks = [on_shade(ROLE["z_hat"], shade) for shade in table["shade"]]
    table["light"], table["dark"] = map(list, zip(*inks, strict=True))
    plain = alt.Axis(ticks=False, labelAngle=0, labelOverlap=True)
    base = alt.Chart(table).encode(
        x=alt.X("across_named:O", title=across.title, sort=list(across.named), axis=plain),
        y=alt.Y("up_named:O", title=up.title, sort=list(reversed(up.named)), axis=plain),
    )  # fmt: skip
    chosen = alt.selection_point(name="run", fields=["across", "up"], nearest=False)
    squares = base.mark_rect(color=ROLE["z_hat"], cornerRadius=2, cursor="pointer").encode(
        opacity=alt.Opacity("shade:Q", scale=None),
        tooltip=[alt.Tooltip("across_named:N", title=across.title),
                 alt.Tooltip("up_named:N", title=up.title),
                 alt.Tooltip("score:Q", format=".3f", title=title)],
    )  # fmt: skip
    numbers = base.mark_text(
        fontSize=11, fill=words.OWN_INK, opacity=alt.expr(f"width < {NUMBERED} ? 0 : 1")
    ).encode(text=alt.Text("score:Q", format=".2f"))
    frame = base.transform_filter("datum.here").mark_rect(
        fillOpacity=0, stroke=words.OUTLINE, strokeWidth=3, cornerRadius=2
    )
    chart = alt.layer(squares.add_params(chosen), numbers, frame, height=alt.Step(CELL_STEP))
    names = {"across_named": across.title, "up_named": up.title, "score": title}
    return words.finished(chart), table[list(names)].rename(columns=names)
