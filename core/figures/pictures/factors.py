"""Factors behind pictures: how well each is told, and whether each has a code of its own."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
from scipy.stats import gaussian_kde

from core.colours import ROLE
from core.figures import words
from core.figures.figure import Figure
from core.images.world import Factor

Scores = Mapping[str, float | None]
STEP, LONGEST = 30, 140  # pixels a factor, and of its name
READ = (  # what a score is of: its prefix, its name, its colour, how large its dots are
    ("null_", "shuffled", ROLE["baseline"], 40),
    ("raw_", "pixels", ROLE["z"], 40),
    ("untrained_", "untrained", ROLE["v"], 40),
    ("", "trained", ROLE["z_hat"], 130),
)
HILL, UNDER = 0.75, 0.1  # of a row: how high a law rises, and how far dots lie under it
ROW, AROUND = 56, 130  # pixels of a row, and of the axis and the key
LUCK = "rotations at random"
SHADES = (ROLE["z_hat"], ROLE["z"])  # of the groups of runs


def told(factors: Sequence[Factor], runs: Sequence[Scores]) -> Figure:
    """How well each factor is told, a line a factor: every run's code, before training, by pixels.

    `runs` have `factor_` of each, and as baselines that of the start, of pixels and of codes whose
    rows are shuffled. What lies below 0 is drawn there.
    """
    rows = [
        {"factor": factor.title, "code": words_, "score": value, "at": max(0.0, value),
         "colour": colour, "size": size}
        for factor in factors
        for of, words_, colour, size in READ
        for run in runs
        if (value := run.get(f"{of}factor_{factor.name}")) is not None
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["factor", "code", "score", "at", "colour", "size"])
    x = alt.X("at:Q", title="R² of a linear read-out, or accuracy",
              axis=alt.Axis(tickCount=5), scale=alt.Scale(domain=[-0.03, 1.03], nice=False),
              )  # fmt: skip
    y = alt.Y("factor:N", title=None, sort=[factor.title for factor in factors],
              axis=alt.Axis(labelLimit=LONGEST))  # fmt: skip
    scale = alt.Scale(domain=[each[1] for each in READ], range=[each[2] for each in READ])
    key = alt.Legend(orient="top", columns=2)
    colour = alt.Color("code:N", title=None, scale=scale, legend=key)
    dots = alt.Chart(table).mark_circle(opacity=0.8).encode(
        x=x, y=y, color=colour, size=alt.Size("size:Q", scale=None),
        tooltip=[alt.Tooltip("factor:N", title="Factor"), alt.Tooltip("code:N", title="Read from"),
                 alt.Tooltip("score:Q", format=".3f", title="Score")],
    )  # fmt: skip
    names = {"factor": "Factor", "code": "Read from", "score": "Score"}
    chart = dots.properties(height=alt.Step(STEP))
    return words.finished(chart), table[list(names)].rename(columns=names)


def by_luck(
    luck: Mapping[str, np.ndarray], runs: Mapping[str, Mapping[str, Sequence[float]]], title: str
) -> Figure:
    """What a score is by luck, a hill a row, and under it what groups of runs have, a dot each.

    `luck` (n,) and `runs`, by the groups' names, go by the rows'. Hills are kernel estimates
    (Scott's rule), each as high as the others.
    """
    rows, names = list(luck), list(dict.fromkeys(name for each in runs.values() for name in each))
    values = [v for each in runs.values() for group in each.values() for v in group]
    ends = words.span_of([*values, *np.concatenate(list(luck.values())), 1.0], 0.02)
    x = alt.X("value:Q", title=title, axis=alt.Axis(tickCount=6, grid=False),
              scale=alt.Scale(domain=list(ends), nice=False))  # fmt: skip
    scale = alt.Scale(domain=[len(rows) - 1 + 3 * UNDER, -0.85], nice=False, zero=False)
    y = alt.Y("at:Q", title=None, scale=scale, axis=words.named_at(range(len(rows)), rows))
    key = alt.Scale(domain=[LUCK, *names], range=[ROLE["baseline"], *SHADES[: len(names)]])
    colour = alt.Color("what:N", title=None, scale=key, legend=alt.Legend(orient="top", columns=2))
    hills = pd.concat([_hill(i, luck[row]) for i, row in enumerate(rows)])
    dots = pd.DataFrame(
        [{"row": row, "what": name, "value": value, "at": i + UNDER}
         for i, row in enumerate(rows) for name, group in runs[row].items() for value in group]
    )  # fmt: skip
    chart = alt.layer(
        alt.Chart(hills).mark_area(opacity=0.45).encode(
            x=x, y=y, y2="top:Q", detail="row:N", color=colour),
        alt.Chart(dots).mark_circle(size=90, opacity=0.75).encode(
            x=x, y=y, color=colour,
            tooltip=[alt.Tooltip("row:N", title="Of"), alt.Tooltip("what:N", title="Codes"),
                     alt.Tooltip("value:Q", format=".3f", title=title)]),
        height=ROW * len(rows) + AROUND,
    )  # fmt: skip
    return words.finished(chart), _by_luck(luck, dots, title)


def _hill(at: int, values: np.ndarray) -> pd.DataFrame:
    """The law of values (n,) as heights over the line of a row."""
    places = np.linspace(values.min(), values.max(), 80)
    height = gaussian_kde(values)(places)
    return pd.DataFrame({"row": at, "what": LUCK, "value": places, "at": float(at),
                         "top": at - HILL * height / height.max()})  # fmt: skip


def _by_luck(luck: Mapping[str, np.ndarray], dots: pd.DataFrame, title: str) -> pd.DataFrame:
    """Every run's value, and of luck the mean and the middle nine of ten."""
    lines = [
        {"Of": row, "Codes": f"{LUCK}, {said}", title: float(value)}
        for row, values in luck.items()
        for said, value in (("mean", values.mean()), ("5 %", np.quantile(values, 0.05)),
                            ("95 %", np.quantile(values, 0.95)))
    ]  # fmt: skip
    named = {"row": "Of", "what": "Codes", "value": title}
    return pd.concat([pd.DataFrame(lines), dots[list(named)].rename(columns=named)])
