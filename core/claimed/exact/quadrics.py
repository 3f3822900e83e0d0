"""Minimisers of case C3 that are no rotations, as numbers: exact, nothing trained."""

from functools import cache
from typing import NamedTuple

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


class Solution(NamedTuple):
    """A minimiser of case C3 for six clusters at d = 3."""

    z: np.ndarray  # latents (300, 3)
    inverse: np.ndarray  # (3, 3): h(z) = KAPPA z @ inverse
    w: np.ndarray  # rows (6, 3), of unit length
    axes: float  # the longest over the shortest of h's ellipsoid
    error: float  # largest, of the label posterior over the latents


@cache
def solution(along: float) -> Solution:
    """From the rotation (0) to the solution that the page draws (1)."""
    v = clusters(3)
    m, psi = theory.c3_counterexample(v, theory.quadrics(v)[0], EPS[3] * along)
    z = np.random.default_rng(0).normal(size=(300, 3))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    inverse, w = np.linalg.inv(m), v @ m.T + psi
    model = KAPPA * z @ inverse @ w.T
    error = np.abs(softmax(model, 1) - softmax(KAPPA * z @ v.T, 1)).max()
    s = np.linalg.svd(m, compute_uv=False)
    return Solution(z, inverse, w, float(s[0] / s[-1]), float(error))
