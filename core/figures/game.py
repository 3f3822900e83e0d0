"""The signed game: gauges, what a direction tells, an adversary that lags, and a bistable code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import altair as alt
import numpy as np
import pandas as pd

from core.figures.figure import Figure
from core.figures.sweeps import SWEEP_HEIGHT, sweep
from core.legend import ROLE, class_colours

GAUGE = 46  # pixels a row


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
        align="left", dx=8, fontSize=13, fontWeight=600, color=ROLE["z_hat"]
    )
    tick = alt.Chart(marks).mark_tick(color=ROLE["theory"], thickness=2, size=20)
    word = alt.Chart(marks).mark_text(dy=-16, fontSize=11, color=ROLE["theory"])
    layers = [
        rail.encode(y=y, x=end),
        bar.encode(y=y, x=x),
        tick.encode(y=y, x=x),
        word.encode(y=y, x=x, text="mark:N"),
        said.encode(y=y, x=end, text="written:N"),
    ]
    chart = alt.layer(*layers).properties(height=GAUGE * len(readings))
    return chart.properties(padding={"right": 70, "top": 12, "left": 5, "bottom": 5}), table


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
    x = alt.X("s:Q", title="s")
    title = "log E[exp(s b) | e]"
    lines = alt.Chart(table).mark_line(strokeDash=[5, 4], strokeWidth=1.5)
    dots = alt.Chart(table).mark_circle(size=26, opacity=0.8)
    ends = table[table["s"] == s.max()].sort_values("exact").groupby("code").tail(1)
    words = alt.Chart(ends).mark_text(align="right", dx=-6, dy=-12, fontSize=12, fontWeight=600)
    chart = alt.layer(
        lines.encode(x=x, y=alt.Y("exact:Q", title=title), color=shade, detail="code:N"),
        dots.encode(x=x, y=alt.Y("drawn:Q", title=title), color=shade),
        words.encode(x=x, y=alt.Y("exact:Q", title=title), text="code:N",
                     color=alt.value(ROLE["theory"])),
    )  # fmt: skip
    return chart.properties(height=300), table


def meridian(angle: np.ndarray, information: np.ndarray, seeds: Mapping[str, tuple]) -> Figure:
    """Exact information of a direction by its angle to V's complement, and where each seed ended.

    angle (a,) in degrees; information (a, b) over b azimuths, drawn as a band; `seeds` gives each
    its (angle, information).
    """
    table = pd.DataFrame({"angle": angle, "least": information.min(1), "most": information.max(1)})
    ends = pd.DataFrame([(name, *at) for name, at in seeds.items()],
                        columns=["seed", "angle", "information"])  # fmt: skip
    x = alt.X("angle:Q", title="angle to V⊥, degrees", scale=alt.Scale(domain=[0, 90]))
    title = "exact information, nats"
    band = (
        alt.Chart(table)
        .mark_area(color=ROLE["theory"], opacity=0.35, line=False)
        .encode(x=x, y=alt.Y("least:Q", title=title), y2="most:Q")
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
        .encode(x=x, y=alt.Y("information:Q", title=title), tooltip=["seed:N", "angle:Q",
                                                                     "information:Q"])
    )  # fmt: skip
    return alt.layer(band, *edges, dots).properties(height=300), table


def pursuit(
    steps: np.ndarray, adversary: np.ndarray, information: np.ndarray, blind: float
) -> Figure:
    """The adversary's own loss over training beside that of the best response to each code.

    (t,) each, in nats; `blind` is the loss of who knows nothing, H(y), and the best response to a
    code that tells `information` has that much less.
    """
    best = blind - information
    table = pd.DataFrame({"step": steps, "own": adversary, "best": best})
    x = alt.X("step:Q", title="training step")
    scale = alt.Scale(zero=False, domainMax=max(1.15 * blind, float(np.nanmax(adversary))))
    y = alt.Y("own:Q", title="cross-entropy, nats", scale=scale)
    own = alt.Chart(table.dropna()).mark_line(color=ROLE["w"], strokeWidth=2).encode(x=x, y=y)
    bayes = (
        alt.Chart(table)
        .mark_line(color=ROLE["theory"], strokeDash=[5, 4], strokeWidth=2)
        .encode(x=x, y=alt.Y("best:Q", title="cross-entropy, nats"))
    )
    level = pd.DataFrame({"y": [blind], "name": ["knows nothing: H(y)"]})
    rule = alt.Chart(level).mark_rule(color=ROLE["baseline"]).encode(y="y:Q")
    named = alt.Chart(level).mark_text(align="right", dy=-8, color=ROLE["baseline"], fontSize=12)
    words = pd.DataFrame(
        {
            "step": [steps[-1]] * 2,
            "at": [np.nanmin(best), np.nanmin(best)],
            "name": ["the adversary's own (solid)", "best response (dashed)"],
            "dy": [0, 1],
        }
    )
    key = [
        alt.Chart(words[i : i + 1])
        .mark_text(align="right", dy=-20 + 15 * i, fontSize=12, color=colour)
        .encode(x="step:Q", y="at:Q", text="name:N")
        for i, colour in enumerate((ROLE["w"], ROLE["theory"]))
    ]
    said = named.encode(x=alt.value("width"), y="y:Q", text="name:N")
    return alt.layer(rule, said, bayes, own, *key).properties(height=300), table


def bistable(
    swept: Sequence[tuple], knob: object, by: object, exact: tuple[np.ndarray, np.ndarray]
) -> Figure:
    """A sweep of the angle from two starts, and the angle of the exact minimum, dashed.

    `exact` is (lambda (a,), angle (a,)).
    """
    chart, table = sweep(swept, knob, "angle_to_v_perp_deg", (), by)  # type: ignore[arg-type]
    line = pd.DataFrame({"x": exact[0], "angle_to_v_perp_deg": exact[1]})
    dashed = (
        alt.Chart(line)
        .mark_line(color=ROLE["theory"], strokeDash=[5, 4], strokeWidth=2, interpolate="step-after")
        .encode(x="x:Q", y="angle_to_v_perp_deg:Q")
    )
    jump = line[line["angle_to_v_perp_deg"] < 45].iloc[[0]]
    word = (
        alt.Chart(jump.assign(name="exact minimum", angle_to_v_perp_deg=45))
        .mark_text(align="left", dx=8, color=ROLE["theory"], fontSize=12)
        .encode(x="x:Q", y="angle_to_v_perp_deg:Q", text="name:N")
    )
    return alt.layer(chart, dashed, word).properties(height=SWEEP_HEIGHT), table
