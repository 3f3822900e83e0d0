"""Why aligned Gaussian codes are the latents: three steps, each drawn from the run at hand."""

from typing import cast

import numpy as np
import streamlit as st

from core.run.experiment import Result
from core.scenarios.lejepa import DEGREES, LeJEPA
from ui import sheet, story
from ui.lejepa import spectrum

MOST = 6  # latents that a numbered matrix has room for


def why(result: Result) -> None:
    """Degrees are forgotten one by one: the least alignment is linear, and what is white turns."""
    from core import figures, metrics

    params = cast(LeJEPA, result.member.params)
    z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)

    def forgetting() -> None:
        found = metrics.degree_correlations(z, result.world["z_pos"].astype(float), len(DEGREES))
        sheet.figure(
            "forgetting", "Correlation of both views' polynomials by degree, rho to the k dashed.",
            lambda: figures.forgetting(found, params.rho), of=(result.member.key,),
        )  # fmt: skip
        said = f"From {len(z)} drawn pairs: high degrees are few large numbers, and scatter."
        law = "" if params.gaussian else " These latents are not Gaussian: no line holds for them."
        st.caption(said + law)

    def degrees() -> None:
        spectrum.at_the_end([result], params)

    def turned() -> None:
        if len(z.T) > MOST or not np.isfinite(z_hat).all():
            st.caption("Too many latents for a picture." if len(z.T) > MOST else "Not finite.")
            return
        map_ = metrics.affine_map(z, z_hat)[0]
        sheet.figure(
            "gram", "The fitted linear map from latents to codes times its transpose.",
            lambda: figures.matrix(map_.T @ map_), of=(result.member.key,),
        )  # fmt: skip
        gain = result.scores.get("gain")
        size = "" if gain is None else f" Its singular values are {gain:.2f} in the mean: below 1 "\
            "the loss has shrunk the code."  # fmt: skip
        st.caption(f"The identity where the map only turns and mirrors.{size}")

    story.why(
        [
            (
                "1. Each degree is forgotten at its own rate",
                "Expand what f makes of z in Hermite polynomials. Of degree $k$ two views keep the "
                r"correlation $\rho^k$: the higher the degree, the less they agree.",
                forgetting,
            ),
            (
                "2. So the least alignment is linear",
                r"A code of variance $w_k$ in degree $k$ costs $\sum_k 2\,(1 - \rho^k)\, w_k$. "
                "With its variance fixed, that is least with all of it in degree 1.",
                degrees,
            ),
            (
                "3. And what is linear and white only turns",
                r"$h = A z$ has covariance $A A^\top$. Gaussian or white codes have "
                r"$A A^\top = I$: a rotation or a reflection.",
                turned,
            ),
        ]
    )
