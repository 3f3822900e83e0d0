"""Linear decoders with the covariance of another decoder: what its numbers are held against."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from core import entropy
from core.entropy import NORMAL, Array, Estimate

ROTATIONS = 50  # behind the ruler's last mark
DENSE = 2048  # dimensions up to which the covariance is made as a matrix
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
    deviations = np.sqrt(_largest(jacobians))
    whole = _covariance(jacobians) if high == d else None
    return Ruler(_marks(deviations, whole), NORMAL + np.log(deviations[::-1]))


def of_covariance(covariance: Array) -> Mapping[str, Estimate]:
    """The same marks of linear decoders with a given covariance (d, d), such as that of data."""
    return _marks(np.sqrt(np.linalg.eigvalsh(covariance)), covariance)


def _marks(deviations: Array, covariance: Array | None) -> Mapping[str, Estimate]:
    """From deviations (d,) along the principal axes; by Cholesky where a covariance is given."""
    rng, d = np.random.default_rng(0), len(deviations)
    turned = np.array(
        [
            entropy.linear_total_correlation(
                deviations[:, None] * np.linalg.qr(rng.normal(size=(d, d)))[0]
            )
            for _ in range(ROTATIONS)
        ]
    )
    marks = {PCA: Estimate(entropy.linear_total_correlation(np.diag(deviations)), 0.0)}
    if covariance is not None:
        factor = np.linalg.cholesky(covariance)
        marks[CHOLESKY] = Estimate(entropy.linear_total_correlation(factor), 0.0)
    error = float(turned.std(ddof=1) / np.sqrt(ROTATIONS))
    marks[TURNED] = Estimate(float(turned.mean()), error)
    return marks


def _covariance(jacobians: Array) -> Array:
    """Mean of JJ' (D, D)."""
    total = np.zeros(2 * (jacobians.shape[1],))
    for j in jacobians:
        total += j @ j.T
    return total / len(jacobians)


def _largest(jacobians: Array) -> Array:
    """The covariance's d largest eigenvalues (d,), the smallest first.

    By Lanczos's method where the matrix would be large: images have tens of thousands of pixels.
    """
    n, high, d = jacobians.shape
    if high <= DENSE or 4 * d > high:
        return np.linalg.eigvalsh(_covariance(jacobians))[-d:]
    from scipy.sparse.linalg import LinearOperator, eigsh

    def image(v: Array) -> Array:
        return np.matmul(jacobians, np.matmul(v.ravel(), jacobians)[:, :, None]).sum(0)[:, 0] / n

    start = jacobians.mean((0, 2)) + 1 / high  # the same each time, and in the image if it can be
    return np.sort(eigsh(LinearOperator((high, high), image), d, v0=start)[0])
