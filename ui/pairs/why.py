"""Why a norm or a wall finds the axes: three steps, each drawn from the run at hand."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import streamlit as st

from core.run.experiment import Result
from core.scenarios.infonce_box import InfoNCEBox
from core.scenarios.infonce_box import broken as broken_by
from core.scenarios.pixels import Pixels
from ui import sheet, story
from ui.pairs import runs

PAIRS = 1000  # in the picture of the first step
TURNED = 200  # latents whose loss is taken at every angle
DEGREES = np.arange(0.0, 91.0, 3.0)
NORMS = (1, 2)  # drawn beside that of the setting
MOST = 6  # latents that a numbered matrix has room for


def why(result: Result) -> None:
    """The proof for a run in a box."""
    steps(result, broken_by(cast(InfoNCEBox, result.member.params)))


def _slope(slope: float, least: float | None, batch: int) -> str:
    """What the slope of the dots is, and why it is not 1."""
    found = f"The dots have slope {slope:.2f}."
    if least is None:
        return found
    return (
        f"{found} Why less than 1: every anchor repels itself as well, at no distance, which the "
        "identity does not weigh against the others; codes that are smaller than the truth then "
        f"have a lower loss. In batches of {batch} the latents’ own loss is least with distances "
        f"times {least:.2f}: the lower dashed line."
    )


def steps(result: Result, broken: Sequence[str], names: Sequence[str] = ()) -> None:
    """Distances are kept, a norm may know the axes, and so each code is a latent.

    `broken` says what keeps distances from agreeing, `names` are the latents' own, if any.
    """
    from core import figures, metrics, theory

    params = cast("InfoNCEBox | Pixels", result.member.params)
    if runs.told(params):
        return
    z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
    finite = bool(np.isfinite(z_hat).all())
    shape, scale = params.law.generalised

    def distances() -> None:
        a, b = np.random.default_rng(0).integers(len(z), size=(2, PAIRS))
        world = (np.abs(z[a] - z[b]) ** shape).sum(1) / scale**shape
        model = (np.abs(z_hat[a] - z_hat[b]) ** params.p).sum(1) / params.model_tau
        least = {}
        if params.negatives == "anchors" and not broken:
            z_pos = result.world["z_pos"].astype(float)
            least["least loss"] = theory.least_scale(
                z, z_pos, params.p, scale**shape, params.batch, params.negatives
            )
        sheet.figure(
            "distances", "World distance against model distance over random pairs.",
            lambda: figures.agreement(
                world, model,
                ("world: (|z − z′| / λ)^β, summed", "model: |h(z) − h(z′)|ₚᵖ / τ"),
                None if broken else float(world.max()), 0.0, least,
            ),
            of=(result.member.key,),
        )  # fmt: skip
        slope = float(world @ model / (world @ world))
        st.caption(_slope(slope, least.get("least loss"), params.batch) if finite and not broken
                   else f"No identity line: it can hold only with {', '.join(broken)}."
                   if broken else "The codes of this run are not finite.")  # fmt: skip

    def turned() -> None:
        few, views = z[:TURNED, :2], result.world["z_pos"][:TURNED, :2].astype(float)
        size = params.law.generalised[1]
        norms = {p: f"p = {p}{', here' if p == params.p else ''}"
                 for p in sorted({*NORMS, params.p})}  # fmt: skip

        def losses() -> dict[str, np.ndarray]:
            return {
                norms[p]: theory.turned_info_nce(few, views, p, size**p, DEGREES, "views")
                for p in norms
            }

        sheet.figure(
            "turned", "Loss of the true latents turned by an angle, by the norm of the similarity.",
            lambda: figures.turned(DEGREES, losses(), norms[params.p]),
            of=(result.member.key,),
        )  # fmt: skip
        st.caption("Bold: this setting’s p; the others are there to compare. Nothing is trained "
                   "here: the code is z itself, turned in the plane of its first two coordinates, "
                   "over this setting’s own pairs. Below 0 a norm would rather turn them: it is "
                   "not the one of the noise.")  # fmt: skip

    def permutation() -> None:
        if not finite:
            st.caption("The codes of this run are not finite.")
            return
        units = (z - z.mean(0)) / z.std(0), (z_hat - z_hat.mean(0)) / z_hat.std(0).clip(1e-12)
        map_ = metrics.linear_map(*units)  # takes row vectors: A transposed
        if len(map_) > MOST:
            st.caption(f"For {len(map_)} latents see the correlations in Explore.")
            return
        sheet.figure(
            "map", "The fitted linear map from codes to latents, in their deviations.",
            lambda: figures.matrix(map_.T, names), of=(result.member.key,),
        )  # fmt: skip
        st.caption("A row is a latent, a column a code. A permutation has one entry of size 1 in "
                   "each.")  # fmt: skip

    story.why(
        [
            (
                "1. The minimiser keeps distances",
                "InfoNCE is least where the model’s posterior is the world’s: "
                r"$|h(z) - h(z')|_p^p / \tau = |z - z'|_\beta^\beta / \lambda^\beta$ up to what "
                r"the walls add, for $h = f \circ g$. Each dot is one pair of latents.",
                distances,
            ),
            (
                "2. A norm may know the axes",
                r"A turned code keeps all distances if $p = 2$. For any other $p$ only turns that "
                r"permute and mirror the axes map the unit ball onto itself. The loss says so.",
                turned,
            ),
            (
                "3. So each code is a latent",
                r"What keeps distances with $p \neq 2$ permutes and mirrors the axes. Fit $A$ in "
                r"$z \approx A\,\hat z$, both in units of their deviation.",
                permutation,
            ),
        ]
    )
