"""A score against how far the latents are from uniform, on two axes."""

from collections.abc import Iterable, Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE
from core.figures import words
from core.figures.figure import Chart, Figure
from core.legend import BASELINES, SCORES, label_of, letters
from core.run.experiment import Member, Record, Result
from core.scenarios.scenario import Knob

HEIGHT = 260
TOP = 1.03  # of both axes, so that a dot at 1 is whole
OWN, RAW = "linear_r2", "raw_linear_r2"
GAP = "Total variation from the uniform law"


def crowding(
    runs: Iterable[tuple[Member, Record | Result]],
    knob: Knob,
    gap: tuple[Sequence[float], Sequence[float]],
    conditional: float,
) -> Figure:
    """Linear R² against the concentration of the marginal, beside how far that is from uniform.

    Every seed is a dot, the line their mean, raw x dashed. `gap` is (concentrations, total
    variation) of theory, dashed, on the second axis. A dotted line stands where the marginal is as
    concentrated as the `conditional`.
    """
    rows = [
        {"x": getattr(m.params, knob.name), "seed": m.seed, OWN: r.scores.get(OWN),
         RAW: r.scores.get(RAW)} for m, r in runs
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["x", "seed", OWN, RAW]).astype({OWN: float, RAW: float})
    theory = pd.DataFrame({"x": list(gap[0]), "gap": list(gap[1])})
    least = float(np.nanmin([0.0, *table[OWN], *table[RAW]]))
    low = least - 0.03 if least < 0 else 0.0
    scale = alt.Scale(domain=[low, TOP], nice=False)
    x = words.swept_axis(knob, table["x"].tolist() or [0.0])
    one = alt.Axis(orient="left", titleColor=words.ink(ROLE["z_hat"]))
    other = alt.Axis(orient="right", titleColor=words.ink(ROLE["z"]))
    y = alt.Y(f"{OWN}:Q", title=SCORES[OWN].title, scale=scale, axis=one)
    second = alt.Y("gap:Q", title="Total variation", scale=scale, axis=other)
    told = [alt.Tooltip("x:Q", title=label_of(knob)), alt.Tooltip("seed:N", title="Seed"),
            alt.Tooltip(f"{OWN}:Q", format=".3f", title=SCORES[OWN].title)]  # fmt: skip
    measured = alt.Chart(table)
    own, raw = alt.ColorValue(ROLE["z_hat"]), alt.ColorValue(ROLE["baseline"])
    left = alt.layer(
        measured.mark_line(strokeDash=[5, 4], strokeWidth=1.5).encode(
            x=x, y=words.along(y, f"mean({RAW})"), color=raw),
        measured.mark_line().encode(x=x, y=words.along(y, f"mean({OWN})"), color=own),
        measured.mark_circle(size=70, opacity=0.8).encode(x=x, y=y, color=own, tooltip=told),
        _at(conditional, f"{letters(knob.symbol)} = κ", x, y, low),
        _named(table, x, y),
    )  # fmt: skip
    dashed = alt.Chart(theory).mark_line(color=ROLE["z"], strokeDash=[2, 2], strokeWidth=2)
    chart = alt.layer(left, dashed.encode(x=x, y=second)).resolve_scale(y="independent")
    return words.finished(chart.properties(height=HEIGHT)), _shown(table, theory, knob)


def _at(value: float, name: str, x: alt.X, y: alt.Y, low: float) -> Chart:
    """A dotted line at a value of x, named at its foot."""
    mark = alt.Chart(pd.DataFrame({"x": [value], "name": [name], "foot": [low]}))
    rule = mark.mark_rule(strokeDash=[1, 4], strokeWidth=2, color=ROLE["theory"]).encode(x=x)
    named = mark.mark_text(
        align="left", baseline="bottom", dx=6, dy=-4, fontSize=12, fontWeight=600, fill=words.QUIET
    )
    return alt.layer(rule, named.encode(x=x, y=words.along(y, "foot"), text="name:N"))


def _named(table: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    """The baseline's name over its beginning."""
    means = table.groupby("x")[RAW].mean().reset_index().head(1)
    means["name"] = BASELINES["raw"]
    mark = alt.Chart(means).mark_text(
        align="left", baseline="top", dx=6, dy=7, fontSize=12, fontWeight=600, fill=words.QUIET
    )
    return mark.encode(x=x, y=words.along(y, RAW), text="name:N")


def _shown(table: pd.DataFrame, theory: pd.DataFrame, knob: Knob) -> pd.DataFrame:
    """The numbers behind the picture, the theory at the values that were trained."""
    at = np.interp(table["x"], theory["x"], theory["gap"]) if len(table) else []
    named = {"x": label_of(knob), "seed": "Seed", OWN: SCORES[OWN].axis,
             RAW: f"{BASELINES['raw']}: {SCORES[OWN].axis}"}  # fmt: skip
    return table.assign(gap=at).rename(columns={**named, "gap": GAP})
