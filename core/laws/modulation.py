"""Laws of independent sources whose scale or location depends on a segment. NumPy only."""

from typing import Literal

import numpy as np

Array = np.ndarray
Family = Literal["laplace", "gauss"]
Moved = Literal["scale", "location"]
RANK = 1e-6  # of the largest singular value, below which one counts as none


def log_likelihood(family: Family, moved: Moved, at: Array, s: Array) -> Array:
    """log p(s | u) (n, E) of sources s (n, d) up to a constant.

    `at` (E, d) has each segment's scales, locations then being 0, or its locations at scale 1.
    """
    scale, centre = (at, 0.0) if moved == "scale" else (np.ones_like(at), at)
    e = (s.astype(float)[:, None] - centre) / scale
    size = np.abs(e) if family == "laplace" else e**2 / 2
    return -(size + np.log(scale)).sum(2)


def natural(family: Family, moved: Moved, at: Array) -> Array:
    """Natural parameters lambda (E, d) of scales or locations: what stands with a statistic.

    log p(s | u) = sum_i lambda_i(u) q(s_i) - log Z(u) + log b(s), q being |s|, s^2 or s. A shifted
    Laplace law has none: its locations stand for them.
    """
    if moved == "location":
        return at
    return -1 / at if family == "laplace" else -1 / (2 * at**2)


def spectrum(parameters: Array) -> Array:
    """Singular values (..., min(E, d)) of natural parameters (..., E, d) less their mean over u.

    As many are positive as the matrix of differences lambda_i(u) - lambda_i(u_0) has ranks, in
    whichever segment u_0 (Hyvarinen and Morioka 2016, Theorem 1): at most E - 1.
    """
    return np.linalg.svd(parameters - parameters.mean(-2, keepdims=True), compute_uv=False)


def rank(values: Array) -> int:
    """How many of some singular values, the largest first, count: those above a millionth of it."""
    return int((values > RANK * max(float(values[0]), RANK)).sum())
