"""Why a norm, or a wall, finds factors in pictures, and what a class leaves of them."""

from typing import cast

import streamlit as st

from core.run.experiment import Result
from core.scenarios.pixels import Pixels, broken
from ui import story
from ui.pairs import why as of_pairs
from ui.pixels import factors


def why(result: Result) -> None:
    """The proof for pairs; for classes, what there is instead of one."""
    params = cast(Pixels, result.member.params)
    if params.task == "classify":
        _classes(result, params)
    elif params.method == "slowvae":
        st.info(
            "SlowVAE has a likelihood to reach, not distances to keep: its prior expects Laplace "
            "steps along the codes’ own axes, which a turned code does not make.",
            icon=":material/info:",
        )
    else:
        of_pairs.steps(result, broken(params), [factor.word for factor in params.seen.factors])


def _classes(result: Result, params: Pixels) -> None:
    """What a class asks for is kept; the rest is there by luck or width."""

    def kept() -> None:
        factors.drawn(params, [result.scores], (result.member.key,), "kept")

    story.why(
        [
            (
                "What a class does not ask for, a narrow code drops",
                "Cross-entropy is as low for a code that forgets all factors that make no class. "
                "With room to spare they stay, as they were before training: so a wide code’s "
                "scores say little of what was learnt.",
                kept,
            )
        ]
    )
