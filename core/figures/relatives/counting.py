"""What theorems ask to be counted, as marks on one axis, over what was measured against it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import altair as alt
import pandas as pd

from core.colours import ROLE
from core.figures import words
from core.figures.figure import Figure

LEAST, MOST = 2, 110  # of the axis
TICKS = (2, 3, 4, 6, 10, 20, 40, 100)
ROOM = 152  # pixels left of both pictures, so that their axes stand one over the other
ROW = 24  # pixels a theorem
HEIGHT = 230


@dataclass(frozen=True)
class Asked:
    """A theorem's count at the number of latents at hand, and which curve shows it, if any."""

    name: str  # such as "n + 1 segments"
    count: int
    identifies: str
    source: str
    curve: str
    colour: str = ROLE["theory"]  # its curve's


@dataclass(frozen=True)
class Measured:
    """Scores of runs (seed, score) by what was counted, under a curve's name."""

    curve: str
    title: str
    colour: str
    runs: Mapping[int, Sequence[float]]


def asked(theorems: Sequence[Asked]) -> Figure:
    """A line a theorem, in the order of their counts, with a diamond at what it asks for."""
    order = sorted(theorems, key=lambda each: each.count)
    table = pd.DataFrame([asdict(each) for each in order])
    y = alt.Y("name:N", title=None, sort=[each.name for each in order],
              axis=alt.Axis(grid=True, labelLimit=ROOM, minExtent=ROOM, maxExtent=ROOM),
              )  # fmt: skip
    told = [alt.Tooltip("name:N", title="Asked for"), alt.Tooltip("count:Q", title="At this n"),
            alt.Tooltip("identifies:N", title="Promises"),
            alt.Tooltip("source:N", title="Source")]  # fmt: skip
    dots = alt.Chart(table).mark_point(shape="diamond", size=110, filled=True, opacity=1).encode(
        x=_axis("count", None), y=y, color=alt.Color("colour:N", scale=None), tooltip=told
    )  # fmt: skip
    said = alt.Chart(table).mark_text(align="left", dx=9, fontSize=12, color=words.QUIET).encode(
        x=_axis("count", None), y=y, text="count:Q"
    )  # fmt: skip
    names = {"name": "Asked for", "count": "At this n", "identifies": "Promises",
             "source": "Source"}  # fmt: skip
    chart = alt.layer(dots, said).properties(height=alt.Step(ROW))
    return words.finished(chart), table[list(names)].rename(columns=names)


def against_count(curves: Sequence[Measured], theorems: Sequence[Asked]) -> Figure:
    """Scores against what is counted: a dot a seed, a line through means, counts asked dashed."""
    rows = [
        {"curve": each.curve, "Score": each.title, "count": count, "score": score, "seed": seed,
         "colour": each.colour}
        for each in curves
        for count, scores in each.runs.items()
        for seed, score in enumerate(scores)
    ]  # fmt: skip
    columns = ["curve", "Score", "count", "score", "seed", "colour"]
    table = pd.DataFrame(rows, columns=columns)
    low, high = words.span_of([0.0, 1.0, *table["score"]], 0.03)
    x = _axis("count", "how many")
    y = alt.Y("score:Q", title=None, scale=alt.Scale(domain=[low, high], nice=False),
              axis=alt.Axis(minExtent=ROOM, maxExtent=ROOM, grid=False, tickCount=5))  # fmt: skip
    colour = alt.Color("colour:N", scale=None)
    told = [alt.Tooltip("Score:N"), alt.Tooltip("count:Q", title="How many"),
            alt.Tooltip("seed:N", title="Seed"),
            alt.Tooltip("score:Q", format=".3f", title="Value")]  # fmt: skip
    shown = [each for each in theorems if each.curve in {curve.curve for curve in curves}]
    marks = pd.DataFrame([{"count": each.count, "colour": each.colour} for each in shown],
                         columns=["count", "colour"])  # fmt: skip
    base = alt.Chart(table)
    chart = alt.layer(
        alt.Chart(marks).mark_rule(strokeDash=[5, 4], strokeWidth=1.5).encode(x=x, color=colour),
        base.mark_line(strokeWidth=2).encode(
            x=x, y=words.along(y, "mean(score)"), color=colour, detail="curve:N"),
        base.mark_circle(size=34, opacity=0.75).encode(x=x, y=y, color=colour, tooltip=told),
        height=HEIGHT,
    )  # fmt: skip
    names = {"Score": "Score", "count": "How many", "seed": "Seed", "score": "Value"}
    return words.finished(chart), table[list(names)].rename(columns=names)


def _axis(field: str, title: str | None) -> alt.X:
    return alt.X(f"{field}:Q", title=title,
                 scale=alt.Scale(type="log", domain=[LEAST * 0.9, MOST], nice=False),
                 axis=alt.Axis(values=list(TICKS), grid=False, format="d"))  # fmt: skip
