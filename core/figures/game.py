"""The signed game: gauges, what a direction tells, an adversary that lags, and a bistable code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE, class_colours
from core.figures import words
from core.figures.figure import Figure
from core.figures.sweeps import sweep
from core.run.experiment import Member, Result
from core.scenarios.scenario import Knob

GAUGE = 46  # pixels a row
HEIGHT, INSIDE = 300, 235  # of a chart, and of it between the axes
RIGHT_ANGLE = (0, 15, 30, 45, 60, 75, 90)


@dataclass(frozen=True)
class Gauge:
    """One reading between two ends, with marks that are named."""

    name: str
    value: float | None
    low: float
    high: float
    written: str
    marks: Mapping[str, float] = field(default_factory=dict)


def gauges(readings: Sequence[Gauge]) -> Figure:
    """Readings as bars one under another, each on its own scale, with marks."""
    table = pd.DataFrame(
        [
            {"name": g.name, "value": g.value, "low": g.low, "high": g.high,
             "share": np.nan if g.value is None else _share(g, g.value), "written": g.written}
            for g in readings
        ]
    )  # fmt: skip
    marks = pd.DataFrame(
        [{"name": g.name, "share": _share(g, at), "mark": word} for g in readings
         for word, at in g.marks.items()],
        columns=["name", "share", "mark"],
    )  # fmt: skip
    table["end"] = 1.0
    y = alt.Y("name:N", sort=[g.name for g in readings], title=None,
              axis=alt.Axis(labelLimit=220, domain=False, ticks=False))  # fmt: skip
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("share:Q", axis=None, scale=scale)
    end = alt.X("end:Q", axis=None, scale=scale)
    rail = alt.Chart(table).mark_bar(height=10, color=ROLE["baseline"], opacity=0.22)
    bar = alt.Chart(table).mark_bar(height=10, color=ROLE["z_hat"])
    said = alt.Chart(table).mark_text(
        align="left", dx=8, fontSize=13, fontWeight=600, color=words.ink(ROLE["z_hat"])
    )
    tick = alt.Chart(marks).mark_tick(color=ROLE["theory"], thickness=2, size=20)
    inwards = alt.expr("datum.share < 0.1 ? 'left' : datum.share > 0.9 ? 'right' : 'center'")
    word = alt.Chart(marks).mark_text(dy=-16, fontSize=12, color=words.QUIET, align=inwards)
    layers = [
        rail.encode(y=y, x=end),
        bar.encode(y=y, x=x),
        tick.encode(y=y, x=x),
        word.encode(y=y, x=x, text=alt.Text("mark:N")),
        said.encode(y=y, x=end, text=alt.Text("written:N")),
    ]
    chart = alt.layer(*layers, height=GAUGE * len(readings))
    shown = table[["name", "value", "low", "high", "written"]].rename(columns=str.capitalize)
    return words.finished(chart, right=70, top=12), shown


def _share(gauge: Gauge, value: float) -> float:
    return float(np.clip((value - gauge.low) / (gauge.high - gauge.low), 0, 1))


def generating(
    s: np.ndarray, drawn: Mapping[str, np.ndarray], exact: Mapping[str, np.ndarray]
) -> Figure:
    """Log moment-generating functions of codes, a line a class: (k, s) by the code's name.

    `drawn` from latents, dots; `exact` from the formula, dashed.
    """
    table = pd.DataFrame(
        [
            {"code": name, "class": str(e + 1), "s": at, "drawn": seen, "exact": true}
            for name in exact
            for e, (row, formula) in enumerate(zip(drawn[name], exact[name], strict=True))
            for at, seen, true in zip(s, row, formula, strict=True)
        ]
    )
    k = len(next(iter(exact.values())))
    shade = alt.Color(
        "class:N",
        scale=alt.Scale(domain=[str(e + 1) for e in range(k)], range=class_colours(k)),
        legend=None,
    )
    span = words.span_of([*table["drawn"], *table["exact"]])
    x = alt.X("s:Q", title="s", scale=alt.Scale(domain=[s.min(), s.max()], nice=False))
    y = alt.Y("exact:Q", title="log E[exp(s b) | e]", scale=alt.Scale(domain=span, nice=False))
    lines = alt.Chart(table).mark_line(strokeDash=[5, 4], strokeWidth=1.5)
    dots = alt.Chart(table).mark_circle(size=26, opacity=0.8)
    ends = table[table["s"] == s.max()].groupby("code", sort=False)["exact"].max().to_dict()
    chart = alt.layer(
        lines.encode(x=x, y=y, color=shade, detail=alt.Detail("code:N")),
        dots.encode(x=x, y=words.along(y, "drawn"), color=shade),
        words.beside(ends, {}, y, INSIDE, span),
    )
    names = {"code": "Code", "class": "Class", "s": "Argument s", "drawn": "Of the drawn latents",
             "exact": "By the formula"}  # fmt: skip
    finished = words.finished(chart.properties(height=HEIGHT))
    return finished, table.rename(columns=names)


def meridian(angle: np.ndarray, information: np.ndarray, seeds: Mapping[str, tuple]) -> Figure:
    """Exact information of a direction by its angle to V's complement, and where each seed ended.

    angle (a,) in degrees; information (a, b) over b azimuths, drawn as a band; `seeds` gives each
    its (angle, information).
    """
    table = pd.DataFrame({"angle": angle, "least": information.min(1), "most": information.max(1)})
    ends = pd.DataFrame([(name, *at) for name, at in seeds.items()],
                        columns=["seed", "angle", "information"])  # fmt: skip
    axis = words.ticks_at(RIGHT_ANGLE, np.asarray(RIGHT_ANGLE), list(map(str, RIGHT_ANGLE)))
    x = alt.X("angle:Q", title="angle to V⊥, degrees", axis=axis,
              scale=alt.Scale(domain=[0, 90], nice=False))  # fmt: skip
    title = "exact information, nats"
    band = (
        alt.Chart(table)
        .mark_area(color=ROLE["theory"], opacity=0.35, line=False)
        .encode(x=x, y=alt.Y("least:Q", title=title), y2=alt.Y2("most:Q"))
    )
    edges = [
        alt.Chart(table)
        .mark_line(color=ROLE["theory"], strokeDash=[5, 4], strokeWidth=1.5)
        .encode(x=x, y=alt.Y(f"{name}:Q", title=title))
        for name in ("least", "most")
    ]
    dots = (
        alt.Chart(ends)
        .mark_circle(size=90, color=ROLE["z_hat"], opacity=0.85)
        .encode(x=x, y=alt.Y("information:Q", title=title),
                tooltip=[alt.Tooltip(name) for name in ("seed:N", "angle:Q", "information:Q")])
    )  # fmt: skip
    names = {"angle": "Angle to V⊥, degrees", "least": "Least information, nats",
             "most": "Most information, nats"}  # fmt: skip
    chart = alt.layer(band, *edges, dots, height=HEIGHT)
    return words.finished(chart), table.rename(columns=names)


def pursuit(
    steps: np.ndarray, adversary: np.ndarray, information: np.ndarray, blind: float
) -> Figure:
    """The adversary's own loss over training beside that of the best response to each code.

    (t,) each, in nats; `blind` is the loss of who knows nothing, H(y), and the best response to a
    code that tells `information` has that much less.
    """
    best = blind - information
    table = pd.DataFrame({"step": steps, "own": adversary, "best": best})
    own_words, best_words = "the adversary’s own (solid)", "best response (dashed)"
    ends = {"knows nothing: H(y)": blind, own_words: float(table["own"].dropna().iloc[-1]),
            best_words: float(table["best"].dropna().iloc[-1])}  # fmt: skip
    span = words.span_of([*table["own"], *table["best"], blind])
    last = int(steps[-1])
    x = alt.X("step:Q", title="training step", axis=words.first_to_last(last),
              scale=alt.Scale(domain=[0, last], nice=False))  # fmt: skip
    y = alt.Y("own:Q", title="cross-entropy, nats", scale=alt.Scale(domain=span, nice=False))
    own = alt.Chart(table.dropna()).mark_line(color=ROLE["w"], strokeWidth=2).encode(x=x, y=y)
    bayes = alt.Chart(table).mark_line(color=ROLE["theory"], strokeDash=[5, 4], strokeWidth=2)
    level = alt.Chart(pd.DataFrame({"blind": [blind]})).mark_rule(color=ROLE["baseline"])
    chart = alt.layer(
        level.encode(y=words.along(y, "blind")),
        bayes.encode(x=x, y=words.along(y, "best")),
        own,
        words.beside(ends, {own_words: ROLE["w"]}, y, INSIDE, span),
        height=HEIGHT,
    )
    names = {"step": "Training step", "own": "Adversary’s own loss, nats",
             "best": "Best response’s loss, nats"}  # fmt: skip
    return words.finished(chart), table.rename(columns=names)


def bistable(
    swept: Sequence[tuple[Member, Result]],
    knob: Knob,
    by: Knob,
    exact: tuple[np.ndarray, np.ndarray],
) -> Figure:
    """A sweep of the angle from two starts, and the angle of the exact minimum, dashed.

    `exact` is (lambda (a,), angle (a,)).
    """
    at, angle = (list(map(float, each)) for each in exact)
    return sweep(swept, knob, "angle_to_v_perp_deg", (), by, {"exact minimum": (at, angle)})
