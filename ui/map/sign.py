"""Signal against nuisance: one loss, and the sign that says whether the label's part is kept."""

import streamlit as st

from core.claimed import CLAIMS
from core.lessons import LESSONS
from core.scenarios.scenario import knobs_of
from ui import claims, seeds, sheet

LESSON = "gradient_reversal"
KEPT, LOST = "alignment-turns-to-the-nuisance", "reversal-goes-blind"


def show() -> None:
    """Both signs in words and formulas, and the angle of the code over the signed weight."""
    from core import figures

    st.markdown(
        "Most settings of the map observe a label, a segment or a second view, and take it as "
        "**signal**: the encoder helps whoever guesses it, and what it tells is kept. At the map’s "
        "right edge stands the same loss with the other sign. There the label is a **nuisance**: "
        "the encoder hinders the guess, and what the label cannot tell is kept. Below, $V$ are the "
        "directions of the latents that tell the label, $V^\\perp$ those that do not."
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.latex(r"\min_W\ \min_f\ \mathbb E\,[-\log p_W(y \mid f(x))]")
        _claim(KEPT)
    with right:
        st.latex(r"\min_W\ \max_f\ \mathbb E\,[-\log p_W(y \mid f(x))]")
        _claim(LOST)
    lesson = LESSONS[LESSON]
    sweep = next(each for each in lesson.sweeps if each.field == "lam" and not each.params)
    runs = seeds.runs_of(lesson, sweep)
    by = knobs_of(lesson.Params)[sweep.by[0]] if sweep.by else None
    sheet.figure(
        "sign", "The code's angle to the label's directions against the signed weight of the loss.",
        lambda: figures.sweep(runs, knobs_of(lesson.Params)["lam"], "angle_to_v_deg", by=by),
        of=("sign",), numbers="sign",
    )  # fmt: skip
    st.caption("Left of 0 the code turns into V, right of it out of V, to 90 degrees: a line a "
               "length of training, every seed a dot.")  # fmt: skip


def _claim(name: str) -> None:
    st.markdown(claims.found(CLAIMS[name]).words)
    claims.link(CLAIMS[name], "Open its setting")
