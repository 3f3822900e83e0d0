"""A published table as dots: every row's printed score with its spread, and ours, seed by seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from core.figures import words
from core.figures.figure import Figure
from core.legend import ROLE

STEP, LINE = 30, 7  # pixels of a row, and by which a name of two lines is raised
PUBLISHED, OURS = "published", "here"


@dataclass(frozen=True)
class Beside:
    """A row: its name, what is printed (mean and deviation) and what every seed gives, in percent.

    `fits` says in a word whether it matches what the theory assumes.
    """

    name: str
    printed: tuple[float, float] | None
    seeds: Mapping[int, float]
    fits: str


def beside(rows: Sequence[Beside], title: str, best: float = 100.0) -> Figure:
    """Published scores as grey diamonds with their deviation, ours as a dot a seed.

    The axis, in percent, holds all of them and the `best` there is.
    """
    table = _table(rows)
    numbers = table[["value", "low", "high"]].to_numpy(float).ravel()
    low, high = words.span_of([*numbers, best])
    x = alt.X("value:Q", title=f"{title}, percent", axis=alt.Axis(tickCount=6),
              scale=alt.Scale(domain=[low, high], nice=False))  # fmt: skip
    raised = LINE if len(table) and table["name"].str.contains("\n").all() else 0
    y = alt.Y("name:N", title=None, sort=list(dict.fromkeys(table["name"])), axis=alt.Axis(
        labelExpr="split(datum.label, '\\n')", labelLimit=0, labelPadding=6, labelOffset=-raised,
        ticks=False, domain=False, grid=True, gridDash=[1, 3]))  # fmt: skip
    told = [
        alt.Tooltip("row:N", title="Row"),
        alt.Tooltip("what:N", title="Number"),
        alt.Tooltip("value:Q", format=".2f", title=title),
        alt.Tooltip("fits:N", title="Row is"),
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
    return words.finished(chart), _shown(table, title)


def _table(rows: Sequence[Beside]) -> pd.DataFrame:
    """A line for every number, published or of a seed; the deviation as the ends of a bar."""
    lines: list[dict[str, object]] = []
    for row in rows:
        about = {"row": row.name, "name": _in_lines(row.name), "fits": row.fits}
        if row.printed is not None:
            mean, sd = row.printed
            lines.append({**about, "kind": PUBLISHED, "what": f"published, ± {sd:.2f}",
                          "value": mean, "low": mean - sd, "high": mean + sd})  # fmt: skip
        lines += [
            {**about, "kind": OURS, "what": f"here, seed {seed}", "value": value,
             "low": None, "high": None}
            for seed, value in row.seeds.items()
        ]  # fmt: skip
    columns = ["row", "name", "fits", "kind", "what", "value", "low", "high"]
    return pd.DataFrame(lines, columns=columns).astype({"low": float, "high": float})


def _in_lines(name: str) -> str:
    """World and model of a row under each other; any other name in two lines if it is long."""
    world, arrow, model = name.partition(" → ")
    return f"{world}\n→ {model}" if arrow else words.wrapped(name)


def _shown(table: pd.DataFrame, title: str) -> pd.DataFrame:
    names = {"row": "Row", "fits": "Assumptions", "what": "Number", "value": f"{title}, percent"}
    return table[list(names)].rename(columns=names)
