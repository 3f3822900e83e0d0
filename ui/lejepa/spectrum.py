"""Which degrees a code is made of: at the end, and over training."""

import numpy as np
import streamlit as st

from core.run.experiment import Result
from core.scenarios.lejepa import DEGREES, SHARES, LeJEPA
from ui import sheet
from ui.runner import Shown


def costs(params: LeJEPA) -> list[float]:
    """What a unit of variance of each degree costs in E|h - h'|^2: known of Gaussian latents."""
    if params.exponent != 2:
        return []
    return [2 * (1 - params.rho**k) for k in DEGREES]


def show(shown: Shown, params: LeJEPA, seed: int) -> None:
    """Both pictures of the finished runs, the second one of the seed that is drawn."""
    results = list(shown.results.values()) if not shown.stale else []
    if not results:
        return
    drawn = shown.result(seed)
    left, right = st.columns(2, gap="medium")
    with left:
        at_the_end(results, params)
    with right:
        if drawn is not None:
            over_training(drawn)


def at_the_end(results: list[Result], params: LeJEPA) -> None:
    """Shares of all seeds by degree, with what each degree costs."""
    from core import figures

    asked = r", and what alignment asks for each degree, $2\,(1 - \rho^k)$"
    st.markdown("**The code’s spectrum**" + (asked if costs(params) else ""))
    shares = [[result.scores.get(name) for name in SHARES] for result in results]
    sheet.figure(
        "degrees", "Share of the code's variance by degree of the polynomial, every seed a dot.",
        lambda: figures.by_degree(shares, costs(params)),
        of=(*costs(params), *(result.member.key for result in results)), numbers="degrees",
    )  # fmt: skip


def over_training(result: Result) -> None:
    """Shares of one seed over training."""
    from core import figures

    st.markdown(f"**How it came to that**, seed {result.member.seed}")
    known = {str(k): result.history[name] for k, name in zip(DEGREES, SHARES, strict=True)
             if name in result.history and np.isfinite(result.history[name]).any()}  # fmt: skip
    if not known:
        st.caption("Of this run no shares were kept over training.")
        return
    sheet.figure(
        "unwinding", "Shares of the code's variance by degree over training, stacked.",
        lambda: figures.unwinding(result.history_step, known),
        of=(result.member.key,), numbers="unwinding",
    )  # fmt: skip
