"""The counting condition as measured here, and what of the papers is not here."""

import pandas as pd
import streamlit as st

from core.lessons import LESSONS
from core.scenarios.auxiliary import Auxiliary
from ui import seeds

scenario = LESSONS["auxiliary"]


def show() -> None:
    """What the theorem asks for beside what runs give."""
    st.markdown(
        "**Theorem 1** (Hyvärinen and Morioka 2016) asks for $d + 1$ segments whose natural "
        "parameters differ in $d$ independent directions. It counts segments of the world; what "
        "follows was measured here."
    )
    st.dataframe(pd.DataFrame(_rows()), hide_index=True, width="content", height="content")
    usual = Auxiliary()
    st.caption(
        "Least and largest over seeds. No number of the papers is repeated here: their signals, "
        "networks and linear ICA are others. "
        f"Here an encoder of width {usual.width} sees {usual.batch} fresh observations a step for "
        f"{usual.steps} steps, and the linear ICA is that of variances which change from segment "
        "to segment (Pham and Cardoso 2001)."
    )


def _rows() -> list[dict[str, str]]:
    """A row a setting of the sweeps over segments."""
    found = []
    for sweep in scenario.sweeps:
        if sweep.field != "n_segments":
            continue
        for value in sweep.values:
            params = scenario.Params.model_validate({**sweep.params, "n_segments": value})
            assert isinstance(params, Auxiliary)
            runs = seeds.stored(scenario, params.chosen())
            row = {"sources": str(params.d), "segments": str(value),
                   "enough": "yes" if params.n_segments > params.d else "no"}  # fmt: skip
            for name, title in (("modulation_rank", "rank"), ("mcc", "MCC"),
                                ("mcc_spearman", "MCC of ranks"), ("linear_r2", "linear R²"),
                                ("raw_mcc", "MCC of x")):  # fmt: skip
                score = name.removeprefix("raw_")
                values = [v for r in runs if (v := r.scores.get(name)) is not None]
                row[title] = seeds.span_of(values, score) or "not measured here"
            found.append({**row, "seeds": str(len(runs))})
    return found
