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
NORMS = (1, 2, 3)
MOST = 6  # latents that a numbered matrix has room for


def why(result: Result) -> None:
    """The proof for a run in a box."""
    steps(result, broken_by(cast(InfoNCEBox, result.member.params)))


def steps(result: Result, broken: Sequence[str]) -> None:
    """Distances are kept, a norm may know the axes, and so each code is a latent.

    `broken` says what keeps distances from agreeing.
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
        sheet.figure(
            "distances", "World distance against model distance over random pairs.",
            lambda: figures.agreement(
                world, model,
                ("world: (|z − z′| / λ)^β, summed", "model: |h(z) − h(z′)|ₚᵖ / τ"),
                None if broken else float(world.max()), 0.0,
            ),
            of=(result.member.key,),
        )  # fmt: skip
        if params.negatives == "anchors":
            st.caption("Every anchor repels itself as well, and in many dimensions others are "
                       "far: smaller codes than the truth then have a lower loss, and dots lie "
                       "below the line.")  # fmt: skip
        if broken:
            st.caption(f"No identity line: it can hold only with {', '.join(broken)}.")

    def turned() -> None:
        few, views = z[:TURNED, :2], result.world["z_pos"][:TURNED, :2].astype(float)
        size = params.law.generalised[1]

        def losses() -> dict[str, np.ndarray]:
            return {
                f"p = {p}": theory.turned_info_nce(few, views, p, size**p, DEGREES, "views")
                for p in NORMS
            }

        sheet.figure(
            "turned", "Loss of the true latents turned by an angle, for p = 1, 2 and 3.",
            lambda: figures.turned(DEGREES, losses()),
            of=(result.member.key,),
        )  # fmt: skip
        st.caption("Nothing is trained here: the code is z itself, turned in the plane of its "
                   "first two coordinates, over this world’s own pairs. Below 0 a norm would "
                   "rather turn them: it is not the one of the noise.")  # fmt: skip

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
            lambda: figures.matrix(map_.T), of=(result.member.key,),
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
                r"A turned code keeps all distances if $p = 2$. For $p = 1$ or $3$ only turns that "
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
