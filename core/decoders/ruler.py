"""Linear decoders with the covariance of another decoder: what its numbers are held against."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from core import entropy
from core.entropy import NORMAL, Array, Estimate

ROTATIONS = 50  # behind the ruler's last mark
PCA, CHOLESKY, TURNED = "PCA", "Cholesky", "random rotation"


class Ruler(NamedTuple):
    """Total correlations of linear decoders by name, and PCA's sorted entropy spectrum (d,)."""

    marks: Mapping[str, Estimate]
    spectrum: Array


def ruler(jacobians: Array) -> Ruler:
    """Of linear decoders with one covariance, that of the linearised decoder.

    The covariance is the mean of JJ', and its d largest axes are the latents: as they are (PCA, 0),
    turned at random (a mean over rotations and its standard error), and, where D = d, one latent
    after the other by Cholesky's factor.
    """
    _, high, d = jacobians.shape
    covariance = sum(j @ j.T for j in jacobians) / len(jacobians)
    deviations = np.sqrt(np.linalg.eigvalsh(covariance)[-d:])
    rng = np.random.default_rng(0)
    turned = np.array(
        [
            entropy.linear_total_correlation(
                deviations[:, None] * np.linalg.qr(rng.normal(size=(d, d)))[0]
            )
            for _ in range(ROTATIONS)
        ]
    )
    marks = {PCA: Estimate(entropy.linear_total_correlation(np.diag(deviations)), 0.0)}
    if high == d:
        factor = np.linalg.cholesky(covariance)
        marks[CHOLESKY] = Estimate(entropy.linear_total_correlation(factor), 0.0)
    error = float(turned.std(ddof=1) / np.sqrt(ROTATIONS))
    marks[TURNED] = Estimate(float(turned.mean()), error)
    return Ruler(marks, NORMAL + np.log(deviations[::-1]))
