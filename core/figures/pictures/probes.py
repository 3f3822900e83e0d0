"""What probes of factors prove: accuracies with their asterisks, and how often a test is wrong."""

import json
from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE
from core.figures import words
from core.figures.figure import Chart, Figure
from core.legend import wording
from core.metrics import share_interval
from core.metrics.significance import ALPHA, CHANCE, LEVELS, PROCEDURES
from core.scenarios.probes import FACTORS, TESTS

LINE = 10.0  # pixels from one code of a factor to the next
KEY, GAP = 1.6, 1.2  # lines that a line of the key takes, and between two factors
INK = {"trained": ROLE["z_hat"], "shuffled": ROLE["w"], "untrained": ROLE["v"],
       "pixels": ROLE["z"], "noise": ROLE["baseline"]}  # fmt: skip
SAID = {1: "above chance by the published test", 2: "and by the corrected one, too"}  # by number
STAR = "M0,-1L0,1M-.87,-.5L.87,.5M-.87,.5L.87,-.5"
HEIGHT, INSIDE = 300, 245  # of the other picture, and between its axes
SHADES = {"published": ROLE["z_hat"], "corrected": ROLE["z"], "once": ROLE["v"]}
NAMES = {"published": "published", "corrected": "corrected", "once": "one split, exact"}
Scores = Mapping[str, float | None]


def probes(codes: Mapping[str, Sequence[Scores]]) -> Figure:
    """Accuracy of every factor's probe on every code, with its interval and its asterisks.

    `codes` has by the name of a code the scores of its seeds: the first is a dot with its interval,
    the others are small. Chance is dashed.
    """
    order = list(FACTORS)
    key = KEY * (len(codes) + len(SAID)) + 2 * GAP
    rows = []
    for i, factor in enumerate(order):
        for j, (code, runs) in enumerate(codes.items()):
            at = key + i * (len(codes) + GAP) + j
            rows += [_row(at, factor, code, seed, run) for seed, run in enumerate(runs)]
    table = pd.DataFrame(rows).dropna(subset=["accuracy"])
    whole = key + len(order) * (len(codes) + GAP)
    middle = [key + i * (len(codes) + GAP) + (len(codes) - 1) / 2 for i in range(len(order))]
    low, high = words.span_of([CHANCE, 1.0, *table["low"]], 0.02)
    x = alt.X("accuracy:Q", title="accuracy of a probe",
              scale=alt.Scale(domain=[low, min(high, 1.01)], nice=False),
              axis=alt.Axis(tickCount=5, grid=False))  # fmt: skip
    y = alt.Y("at:Q", title=None, scale=alt.Scale(domain=[whole - GAP, -1], nice=False, zero=False),
              axis=words.named_at(middle, [FACTORS[name] for name in order]))  # fmt: skip
    chart = alt.layer(
        *_chance(key, whole - GAP, x, y), *_accuracies(table, x, y), *_key(codes, x, y, low),
        height=round(LINE * (whole + 1)),
    )  # fmt: skip
    names = {"factor": "Factor", "code": "Code", "seed": "Seed", "accuracy": "Accuracy",
             "low": "95 % from", "high": "95 % to", "published": "−log₁₀ p, published",
             "corrected": "−log₁₀ p, corrected", "fresh": "−log₁₀ p, fresh"}  # fmt: skip
    return words.finished(chart, right=34), table[list(names)].rename(columns=names)


def _row(at: float, factor: str, code: str, seed: int, run: Scores) -> dict[str, object]:
    sure = {name: run[f"{name}_p_{factor}"] for name in ("published", "corrected", "fresh")}
    published, corrected = (
        p is not None and bool(p > -np.log10(ALPHA / TESTS)) for p in list(sure.values())[:2]
    )
    return {
        "at": at, "factor": FACTORS[factor], "code": wording(code), "seed": seed,
        "accuracy": run[f"accuracy_{factor}"], "low": run[f"accuracy_{factor}_low"],
        "high": run[f"accuracy_{factor}_high"], **sure,
        "stars": published + (published and corrected), "colour": INK[code],
    }  # fmt: skip


def _chance(top: float, bottom: float, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Dashed, where a coin would be, with its name."""
    line = pd.DataFrame({"accuracy": [CHANCE], "at": [top - GAP / 2], "end": [bottom],
                         "name": ["chance"]})  # fmt: skip
    rule = alt.Chart(line).mark_rule(color=ROLE["theory"], strokeDash=[5, 4], strokeWidth=1.5)
    name = alt.Chart(line).mark_text(dy=-8, fontSize=12, color=words.QUIET)
    return [rule.encode(x=x, y=y, y2="end:Q"), name.encode(x=x, y=y, text=alt.Text("name:N"))]


def _accuracies(table: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Dots and intervals of the first seed, asterisks right of the picture, the other seeds."""
    first, others = (alt.Chart(table[where]) for where in (table["seed"] == 0, table["seed"] > 0))
    colour = alt.Color("colour:N", scale=None)
    told = [alt.Tooltip("factor:N", title="Factor"), alt.Tooltip("code:N", title="Code"),
            alt.Tooltip("accuracy:Q", format=".3f", title="Accuracy"),
            alt.Tooltip("published:Q", format=".1f", title="−log₁₀ p, published"),
            alt.Tooltip("corrected:Q", format=".1f", title="−log₁₀ p, corrected")]  # fmt: skip
    return [
        first.mark_rule(strokeWidth=2, opacity=0.55, clip=True).encode(
            x=words.along(x, "low"), x2="high:Q", y=y, color=colour),
        others.mark_circle(size=14, opacity=0.55).encode(x=x, y=y, color=colour, tooltip=told),
        first.mark_circle(size=52, opacity=1).encode(x=x, y=y, color=colour, tooltip=told),
        *(_star(first, count, 12 * count - 2).encode(x=alt.XValue(alt.expr("width")), y=y)
          for count in SAID),
    ]  # fmt: skip


def _star(drawn: alt.Chart, count: int, right: float) -> alt.Chart:
    """An asterisk where there are at least so many, some pixels to the right."""
    some = drawn.transform_filter(f"datum.stars >= {count}")
    return some.mark_point(shape=STAR, size=60, strokeWidth=1.4, opacity=1, xOffset=right,
                           stroke=words.QUIET, tooltip=None)  # fmt: skip


def _key(codes: Mapping[str, object], x: alt.X, y: alt.Y, low: float) -> list[alt.Chart]:
    """What colours and asterisks stand for, over the first factor."""
    at = [KEY * i for i in range(len(codes) + len(SAID))]
    texts = [*map(wording, codes), *SAID.values()]
    stars = [*[0] * len(codes), *SAID]
    colours = [*(INK[code] for code in codes), *[ROLE["theory"]] * len(SAID)]
    rows = pd.DataFrame(
        {"accuracy": low, "at": at, "text": texts, "stars": stars, "colour": colours}
    )
    drawn = alt.Chart(words.inked(rows, colours))
    text = drawn.mark_text(align="left", baseline="middle", dx=28, fontSize=12, fontWeight=600,
                           fill=words.OWN_INK)  # fmt: skip
    dot = drawn.transform_filter("datum.stars == 0").mark_circle(
        size=52, opacity=1, xOffset=8, tooltip=None
    )
    return [
        text.encode(x=x, y=y, text=alt.Text("text:N")),
        dot.encode(x=x, y=y, color=alt.Color("colour:N", scale=None)),
        *(_star(drawn, count, 12 * count - 4).encode(x=x, y=y) for count in SAID),
    ]


def wrongly(p_values: Mapping[str, np.ndarray]) -> Figure:
    """How often a test of noise is below a level, against that level: on the dashed line it holds.

    `p_values` (n,) by procedure. Shares of n tests with their 95 % interval; a share of none is not
    drawn, both axes being logarithmic.
    """
    levels = np.geomspace(LEVELS[1], 0.5, 40)
    rows = [_counted(name, level, p) for name, p in p_values.items() for level in levels]
    table = pd.DataFrame(rows)
    fewest = 0.5 / min(map(len, p_values.values()))  # half of what one test comes to
    with np.errstate(divide="ignore"):
        table = table.assign(
            level_at=np.log10(table["level"]),
            share_at=np.log10(table["share"]),
            low_at=np.log10(table["low"].clip(lower=fewest)),
            high_at=np.log10(table["high"].clip(lower=fewest)),
        )
    least = float(np.log10(fewest))
    ends = [float(np.log10(levels[0])), float(np.log10(levels[-1]))]
    x = alt.X("level_at:Q", title="level: how often a test may be wrong",
              axis=_decades([*LEVELS, 0.005, 0.5]), scale=alt.Scale(domain=ends, nice=False),
              )  # fmt: skip
    span = (least, 0.0)
    y = alt.Y("share_at:Q", title="how often it is, of pure noise", axis=_shares(least),
              scale=alt.Scale(domain=list(span)))  # fmt: skip
    scale = alt.Scale(domain=list(SHADES), range=list(SHADES.values()))
    colour = alt.Color("procedure:N", legend=None, scale=scale)
    known = table[np.isfinite(table["share_at"])]
    last = known.groupby("procedure", sort=False)["share_at"].last()
    named = {NAMES[name]: value for name, value in last.items()} | {"as it should": ends[1]}
    tints = {NAMES[name]: shade for name, shade in SHADES.items()}
    chart = alt.layer(
        alt.Chart(table).mark_area(opacity=0.14, clip=True).encode(
            x=x, y=words.along(y, "low_at"), y2="high_at:Q", color=colour),
        _holding(ends, least, x, y),
        alt.Chart(known).mark_line(strokeWidth=2.5, interpolate="step-after").encode(
            x=x, y=y, color=colour),
        words.beside(named, tints, y, INSIDE, span),
        height=HEIGHT,
    )  # fmt: skip
    names = {"procedure": "Test", "level": "Level", "share": "Share below", "low": "95 % from",
             "high": "95 % to", "n": "Tests"}  # fmt: skip
    shown = table.assign(procedure=[PROCEDURES[name] for name in table["procedure"]])
    return words.finished(chart), shown[list(names)].rename(columns=names)


def _counted(name: str, level: float, p: np.ndarray) -> dict[str, object]:
    share = float((p < level).mean())
    low, high = share_interval(share, len(p))
    return {"procedure": name, "level": level, "share": share, "low": low, "high": high,
            "n": len(p)}  # fmt: skip


def _holding(ends: Sequence[float], least: float, x: alt.X, y: alt.Y) -> Chart:
    """Where a share is its level: dashed."""
    at = np.maximum(ends, least)
    line = alt.Chart(pd.DataFrame({"level_at": at, "share_at": at}))
    return line.mark_line(color=ROLE["theory"], strokeDash=[5, 4], strokeWidth=1.5).encode(x=x, y=y)


def _decades(levels: Sequence[float]) -> alt.Axis:
    """An axis of log10 of levels, with the levels as its texts."""
    known = sorted(levels)
    at = [float(np.log10(level)) for level in known]
    return words.ticks_at(at, np.asarray(at), [f"{level:.2g}" for level in known])


def _shares(least: float) -> alt.Axis:
    """An axis of log10 of shares."""
    shown = [share for share in (0.001, 0.01, 0.05, 0.2, 1.0) if np.log10(share) >= least]
    at = [float(np.log10(share)) for share in shown]
    said = json.dumps([f"{share:g}" for share in shown])
    return alt.Axis(values=at, labelExpr=f"{said}[indexof({json.dumps(at)}, datum.value)]")
