"""Why telling segments apart finds the sources: three steps, each drawn from the run at hand."""

from functools import partial
from typing import cast

import numpy as np
import streamlit as st

from core.laws import modulation
from core.run.experiment import Result
from core.scenarios.auxiliary import Auxiliary
from core.scenarios.scenario import missing
from ui import sheet, story

SHOWN = 1500  # pairs of a source and a segment in the picture of the first step
HEIGHT = 300


def why(result: Result) -> None:
    """The classifier is linear in q, the segments' differences span d directions, ICA the rest."""
    params = cast(Auxiliary, result.member.params)
    if not np.isfinite(result.z_hat[-1]).all():
        st.caption("The codes of this run are not finite.")
        return
    statistic = params.statistic.replace("²", "^2")
    story.why(
        [
            (
                "1. The best classifier is linear in q",
                r"In a segment $\log p(s \mid u) = \sum_i \lambda_i(u)\, q(s_i) - \log Z(u)$ and "
                rf"a rest without $u$, with $q(s) = {statistic}$. At the minimum "
                r"$w(u) \cdot f(x) + b(u)$ is that, up to what all segments share.",
                partial(_posterior, result, params),
            ),
            (
                "2. Enough segments make f(x) = A q(s) + c",
                r"Subtract one segment from the others: $(w(u) - w(u_0)) \cdot f = (\lambda(u) - "
                r"\lambda(u_0)) \cdot q$ and a constant. If these differences span all $d$ "
                r"directions, which takes $d + 1$ segments, $f$ is an affine map of $q(s)$.",
                partial(_rank, result, params),
            ),
            (
                "3. Linear ICA undoes A",
                "The $q(s_i)$ are independent in every segment and their variances change, each in "
                "its own way: one linear map makes the covariances of all segments diagonal."
                if params.even
                else "Moved sources have the same covariance in every segment: nothing tells $A$ "
                "from any other map.",
                partial(_unmixed, result),
            ),
        ]
    )
    lacks = [each.words for each in missing(params.assumptions, params)]
    if lacks:
        st.caption(f"The steps ask for {', '.join(lacks)}, which this setting lacks.")


def _posterior(result: Result, params: Auxiliary) -> None:
    """What the world says of a segment against what the head says, less means over segments."""
    from core import figures

    at, s = (result.world[name].astype(float) for name in ("modulation", "s"))
    w, b = (result.moving[name][-1].astype(float) for name in ("w", "b"))
    true = modulation.log_likelihood(params.law, params.modulated, at, s)
    world, model = (each - each.mean(1, keepdims=True)
                    for each in (true, result.z_hat[-1].astype(float) @ w.T + b))  # fmt: skip
    chosen = np.random.default_rng(0).integers(world.size, size=SHOWN)
    x, y = world.ravel()[chosen], model.ravel()[chosen]
    names = ("world: log p(u | s), less its mean", "classifier: w(u)·f(x) + b(u), the same")
    sheet.figure(
        "posterior", "log p(u | x) of the world against the classifier's, less means over u.",
        lambda: figures.agreement(x, y, names, float(np.abs(x).max())), of=(result.member.key,),
    )  # fmt: skip


def _rank(result: Result, params: Auxiliary) -> None:
    """The directions that segments tell."""
    from core.figures.relatives import segments

    at = result.world["modulation"].astype(float)
    values = modulation.spectrum(modulation.natural(params.law, params.modulated, at))
    sheet.figure(
        "directions", "Singular values of the natural parameters less their means.",
        lambda: segments.directions(values, params.d), of=(result.member.key,),
    )  # fmt: skip
    st.caption(f"Rank {modulation.rank(values)} for {params.d} sources.")


def _unmixed(result: Result) -> None:
    """Which code after linear ICA is which statistic, and what it was before."""
    from core import figures, metrics

    q, code = result.z.astype(float), result.z_hat[-1].astype(float)
    before = code @ np.linalg.inv(result.moving["unmixing"][-1].astype(float))
    correlation, pairs = metrics.matching(q, code)
    sheet.figure(
        "unmixed", "Absolute correlation of every statistic with every code after linear ICA.",
        lambda: figures.matching(correlation, pairs, height=HEIGHT), of=(result.member.key,),
    )  # fmt: skip
    st.caption(f"Of the points drawn: MCC {metrics.mcc(q, before):.3f} before ICA, "
               f"{metrics.mcc(q, code):.3f} after.")  # fmt: skip
