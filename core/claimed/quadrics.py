"""Minimisers of case C3 that are no rotations, as numbers: exact, nothing trained."""

from functools import cache

import numpy as np

from core import theory
from core.scenarios.clusters import quadric_count

DRAWS = {2: 1, 3: 5}  # worlds whose 2d cluster vectors lie well apart
EPS, KAPPA = 0.7, 10.0  # how far along the family of solutions, and the world's concentration
DIMENSIONS = (2, 3, 5, 10)


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
    v = np.random.default_rng(DRAWS[3]).normal(size=(6, 3))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    m, psi = theory.c3_counterexample(v, theory.quadrics(v)[0], EPS * along)
    z = np.random.default_rng(0).normal(size=(300, 3))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    model = KAPPA * z @ np.linalg.inv(m) @ (v @ m.T + psi).T
    error = np.abs(_softmax(model) - _softmax(KAPPA * z @ v.T)).max()
    s = np.linalg.svd(m, compute_uv=False)
    return float(s[0] / s[-1]), float(error)


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)
