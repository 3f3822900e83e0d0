"""What pages of learners from pairs share: what a loss is held against, and runs told z itself."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import streamlit as st

from core.scenarios.scenario import Promise, Scenario
from ui import numbers, recovery, runner, seeds


class OfPairs(Protocol):
    """The parameters of a scenario that learns from pairs."""

    @property
    def unsupervised(self) -> bool: ...

    negatives: str
    batch: int


def show(
    run: recovery.Run, promise: Promise, params: OfPairs, place: numbers.Places,
    only: Sequence[str] | None = None,
) -> None:  # fmt: skip
    """The numbers; of a run that is told z without its loss, a squared error and no nats."""
    floor = "floor" if params.negatives == "views" else "truth, no bound:"
    without = () if params.unsupervised else ("loss",)
    numbers.show(run, promise, floor, without=without, only=only, place=place)


def curves(
    shown: runner.Shown, run: recovery.Run, scenario: Scenario, params: OfPairs, seed: int
) -> None:
    """Loss and a score over training, every seed's."""
    loss = "Training loss, nats" if params.unsupervised else "Training loss, squared error"
    levels = loss_levels(params, run)
    seeds.curves(shown, run, scenario.scores, levels, f"seed {seed}", loss)


def loss_levels(params: OfPairs, run: recovery.Run) -> dict[str, float | None]:
    """What the loss is held against: the truth, and knowing nothing; a squared error, nothing."""
    if not params.unsupervised:
        return {}
    floor = "Bayes floor" if params.negatives == "views" else "value at the truth"
    terms = params.batch + (params.negatives == "anchors")
    return {floor: run.scores.get("loss_floor"), "chance": float(np.log(terms))}


def told(params: OfPairs) -> bool:
    """Whether a run is told z, and then why there is no proof to draw of it."""
    if not params.unsupervised:
        st.info(
            "This run is told the latents, so that nothing is left to be explained: the steps are "
            "those of a run that sees pairs alone. Its objective is among the knobs of Explore.",
            icon=":material/info:",
        )
    return not params.unsupervised
