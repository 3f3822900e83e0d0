"""Decoders that are known, as numbers: turned, rescaled, and twins of encoders. Nothing trained.

With as many observations as latents the decoder that an encoder stands for has its Jacobian
inverted: of x = g(z) and codes h(z) it is J_g J_h^-1 (Galperin and Köthe 2025, own algebra).
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from core import entropy, metrics

D, LAYERS, SLOPE = 5, 3, 0.2  # of the network that hides the box's latents
N, DRAWS = 4000, 400
SMALL = 0.12  # radians by which the nearly right codes are turned
MIXED = np.array([[1.0, 0.8], [0.0, 0.6]])  # two sources, its columns not at right angles
KINDS = ("truth", "recovered", "nearly", "rotated")


class Twin(NamedTuple):
    """What codes h(z) score, and what is read of the decoder that they stand for."""

    linear_r2: float
    mcc: float
    total_correlation: float
    cross: np.ndarray  # (d, d) mutual information of true and recovered columns, nats, capped


@cache
def unmixed() -> dict[str, tuple[float, float]]:
    """Of two uniform sources under a slanted mixing: total correlation and MCC by each method."""
    from sklearn.decomposition import PCA, FastICA

    half = np.sqrt(3)
    z = np.random.default_rng(0).uniform(-half, half, size=(20_000, 2))
    x = z @ MIXED.T
    found = {"truth": (entropy.linear_total_correlation(MIXED), 1.0)}
    for name, method in {
        "PCA": PCA(whiten=True),
        "FastICA": FastICA(random_state=0, whiten="unit-variance"),
    }.items():
        codes = method.fit_transform(x)
        decoder = np.linalg.lstsq(codes, x - x.mean(0), rcond=None)[0].T
        found[name] = entropy.linear_total_correlation(decoder), metrics.mcc(z, codes)
    return found


@cache
def twin(kind: str) -> Twin:
    """Codes of a box's latents behind a network g: the latents' own, or such as are left open.

    recovered: in another order, each bent by a monotone map of its own. nearly, rotated: turned by
    a little, and by a random rotation.
    """
    rng = np.random.default_rng(1)
    z = rng.uniform(-1, 1, size=(N, D))
    _, j = network(z, rng)
    basis = np.linalg.qr(rng.normal(size=(D, D)))[0]
    skew = rng.normal(size=(D, D))
    order = rng.permutation(D)
    if kind == "recovered":
        codes = (2 * z + z**3)[:, order]
        slopes = (2 + 3 * z**2)[:, order]
        inverse = np.eye(D)[:, order] / slopes[:, None, :]
    else:
        turn = {"truth": np.eye(D), "nearly": _small(skew - skew.T), "rotated": basis}[kind]
        codes, inverse = z @ turn.T, np.broadcast_to(turn.T, (N, D, D))
    decoder = j @ inverse
    return Twin(
        metrics.linear_r2(z, codes),
        metrics.mcc(z, codes),
        entropy.total_correlation(decoder).value,
        entropy.cross_pairwise(j, decoder)[0],
    )


def _small(skew: np.ndarray) -> np.ndarray:
    """A rotation by few degrees, Cayley's of a skew matrix."""
    step = SMALL / 2 * skew / np.linalg.norm(skew, 2)
    return np.linalg.solve(np.eye(D) - step, np.eye(D) + step)


def network(z: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Layers of LeakyReLU, as `core.mixing` draws them: x (n, D), and their Jacobians (n, D, D)."""
    x, j = z, np.broadcast_to(np.eye(D), (len(z), D, D))
    for depth in range(LAYERS):
        if depth:
            slope = np.where(x < 0, SLOPE, 1.0)
            x, j = slope * x, slope[:, :, None] * j
        pool = rng.uniform(-1, 1, size=(DRAWS, D, D))
        pool /= np.linalg.norm(pool, axis=1, keepdims=True)
        weight = pool[np.linalg.cond(pool).argmin()]
        x, j = x @ weight.T, weight @ j
    return x, j
