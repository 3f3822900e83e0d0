"""Minimisers of case C3 that are no rotations, as numbers: exact, nothing trained."""

from functools import cache

import numpy as np
from scipy.special import softmax

from core import theory
from core.scenarios.clusters import quadric_count

DRAWS = {2: 1, 3: 5}  # worlds whose 2d cluster vectors lie well apart
EPS = {2: 0.75, 3: 0.7}  # how far along the family of solutions that is
KAPPA = 10.0  # the world's concentration
DIMENSIONS = (2, 3, 5, 10)


def clusters(d: int) -> np.ndarray:
    """2d unit vectors (2d, d), as few as the paper's condition asks for."""
    v = np.random.default_rng(DRAWS[d]).normal(size=(2 * d, d))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


@cache
def counted(more: int) -> tuple[float, ...]:
    """Quadrics besides the sphere through d(d+3)/2 + `more` random unit vectors, for each d."""
    found = []
    for d in DIMENSIONS:
        v = np.random.default_rng(0).normal(size=(quadric_count(d) + more, d))
        found.append(float(len(theory.quadrics(v / np.linalg.norm(v, axis=1, keepdims=True)))))
    return tuple(found)


@cache
def solution(along: float) -> tuple[float, float]:
    """Of six clusters at d = 3: the solution's longest over shortest axis, and its largest error.

    `along` goes from the rotation (0) to the solution that the page draws (1); the error is that
    of the label posterior, over 300 latents.
    """
    v = clusters(3)
    m, psi = theory.c3_counterexample(v, theory.quadrics(v)[0], EPS[3] * along)
    z = np.random.default_rng(0).normal(size=(300, 3))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    model = KAPPA * z @ np.linalg.inv(m) @ (v @ m.T + psi).T
    error = np.abs(softmax(model, 1) - softmax(KAPPA * z @ v.T, 1)).max()
    s = np.linalg.svd(m, compute_uv=False)
    return float(s[0] / s[-1]), float(error)
