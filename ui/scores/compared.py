"""The paper's printed scores beside ours, at the same settings."""

from collections.abc import Sequence

import streamlit as st

from core.scores import published
from core.scores.published import CELLS, OURS, SOURCE, THEIRS

PAPER = "[arXiv 2602.24278](https://arxiv.org/abs/2602.24278)"
WHAT = {
    "3": "Experiment 3: dense mixtures of two factors by their correlation (κ is not said: 10 "
    "here), 100 samples",
    "4": "Experiment 4: the same by correlation and condition number",
    "11": "Experiment 11: noise for five factors, five codes",
}

TWO = st.column_config.NumberColumn(format="%.2f")
DIGITS = {"Published": TWO, f"Here, {THEIRS} seeds": TWO, "Difference": TWO}

NOISE, MIXED = ("11",), ("3", "4")


def _near(experiments: Sequence[str]) -> str:
    """How many of some experiments' rows are as near as can be asked of five seeds."""
    rows = [abs(cell.five - cell.printed) <= published.NEAR for cell in CELLS
            if cell.experiment in experiments]  # fmt: skip
    return f"{sum(rows)} of {len(rows)} rows"


def _agree(experiments: Sequence[str]) -> str:
    rows = [cell.agrees for cell in CELLS if cell.experiment in experiments]
    return f"{sum(rows)} of {len(rows)}"


@st.cache_data(show_spinner=False)
def rows(experiment: str) -> list[dict[str, object]]:
    """A row a printed number."""
    return [
        {
            "Setting": cell.words,
            "Published": cell.printed,
            f"Here, {THEIRS} seeds": round(cell.five, 2),
            f"Here, {OURS} seeds": f"{cell.mean:.2f} ± {cell.strays:.2f}",
            "Difference": round(cell.five - cell.printed, 2),
            "Within two deviations": "yes" if cell.agrees else "no",
        }
        for cell in CELLS
        if cell.experiment == experiment
    ]


def show() -> None:
    """A table an experiment."""
    st.markdown(
        f"MCC as printed ({SOURCE}, {PAPER}) and as drawn here with the same samples and "
        f"dimensions. **Noise: {_near(NOISE)} within {published.NEAR:g} of our first {THEIRS} "
        f"seeds. Mixtures: {_near(MIXED)}**; {_agree(MIXED)} within two deviations of the mean "
        f"of all our draws (±: how far a mean of {THEIRS} strays). A map of two factors is its "
        f"angle, so such means stray far, and the rows of an experiment share their maps: they are "
        "few observations, not many."
    )
    for experiment, words in WHAT.items():
        st.markdown(f"**{words}**")
        st.dataframe(rows(experiment), hide_index=True, width="content", column_config=DIGITS)
    st.caption(
        "The paper’s code scores the last fifth of the samples, on which no map is fitted; these "
        "rows do so too, so “n = 50” rests on ten points. In the files of the experiment on noise "
        "the rows for 50 and for 200 codes repeat the others to every digit: they are not quoted. "
        "Not compared: its scores of noise by codes a sample, whose settings could not be told."
    )
