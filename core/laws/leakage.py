"""What linear images of clusters tell of the class: exact densities, subspaces, and erasure.

A latent a of class e is vMF(v_e, kappa_e) on S^(d-1); a code b = Q a has orthonormal rows Q (m, d).
V is the span of the centres' differences. NumPy and SciPy only.
"""

from functools import cache
from math import lgamma, log, pi

import numpy as np
from scipy.linalg import subspace_angles
from scipy.special import logsumexp

from core.laws.vmf import log_psi, mean_cosine

Array = np.ndarray
NODES = 160  # of a quadrature, per coordinate


def log_mgf(code: Array, v: Array, kappa: float, d: int) -> Array:
    """log E[exp(s' M a)] of vMF(v, kappa) at points `code` = M's (n, d): pulled back, M^T s.

    Only the cross term s' M v knows the class.
    """
    length = np.linalg.norm(kappa * v + code, axis=-1)
    return log_psi(d, length) - log_psi(d, kappa)


def log_image_density(b: Array, means: Array, kappa: Array, d: int) -> Array:
    """log p(b | e), (..., n, k), of codes b (n, m) in the unit ball: Lebesgue measure for m < d.

    `means` (..., k, m) are the centres' codes Q v_e, of one code or of many at once, and kappa (k,)
    their concentrations. For m = d the code is on the sphere and the density is relative to the
    uniform one.
    """
    m = b.shape[1]
    linear = kappa * (b @ means.mT)
    if m == d:
        return linear - log_psi(d, kappa)
    rest = d - m
    inside = np.maximum(1 - (b**2).sum(1), 1e-300)[:, None]
    hidden = np.maximum(1 - (means**2).sum(-1), 0)[..., None, :]
    measure = lgamma(d / 2) - lgamma(rest / 2) - m / 2 * log(pi)
    spread = log_psi(rest, kappa * np.sqrt(hidden * inside))
    return measure + linear + (rest / 2 - 1) * np.log(inside) + spread - log_psi(d, kappa)


def direction_information(u: Array, v: Array, kappa: Array) -> Array:
    """I(y; u'a) in nats of many unit directions u (n, d) at once, classes equally likely: (n,)."""
    return _by_quadrature(u[:, None], v, kappa)


def information(
    q: Array, v: Array, kappa: Array, samples: tuple[Array, Array] | None = None
) -> tuple[float, float]:
    """I(y; Q a) in nats and its standard error, classes equally likely.

    q (m, d) orthonormal rows, v (k, d), kappa (k,). By quadrature for m = 1 or 2 (error 0); above
    by the mean log posterior ratio over `samples`, latents a (n, d) and their classes y (n,).
    """
    d = v.shape[1]
    if len(q) <= 2 and len(q) < d:
        return float(_by_quadrature(q, v, kappa)), 0.0
    if samples is None:
        raise ValueError(f"codes of {len(q)} dimensions need samples")
    a, y = samples
    log_p = log_image_density(a @ q.T, v @ q.T, kappa, d)
    ratio = log_p[np.arange(len(y)), y] - logsumexp(log_p, axis=1) + log(len(v))
    return float(ratio.mean()), float(ratio.std() / np.sqrt(len(ratio)))


def _by_quadrature(q: Array, v: Array, kappa: Array) -> Array:
    """I(y; Q a) of codes q (..., m, d), m = 1 or 2 and below d."""
    b, log_weight = _ball_nodes(q.shape[-2])
    log_p = log_image_density(b, v @ q.mT, kappa, v.shape[1])  # (..., nodes, k)
    mixture = logsumexp(log_p, axis=-1, keepdims=True) - log(len(v))
    weights = np.exp(log_p + log_weight[:, None])
    return (weights * (log_p - mixture)).sum((-2, -1)) / len(v)


def leakiest(rows: Array, inside: Array) -> Array:
    """Of each row space (k, m, d), the unit direction that is nearest to V, (k, d).

    `inside` (r, d) is an orthonormal basis of V. Signs follow from one row space to the next.
    """
    q = np.linalg.qr(rows.mT.astype(float))[0].mT  # (k, m, d)
    turn = np.linalg.svd(q @ inside.T)[0][..., 0]  # (k, m)
    u = (turn[:, None] @ q)[:, 0]
    flips = np.where((u[1:] * u[:-1]).sum(1) < 0, -1.0, 1.0)
    return u * np.r_[1.0, np.cumprod(flips)][:, None]


@cache
def _ball_nodes(m: int) -> tuple[Array, Array]:
    """Points (n, m) of the unit ball and log weights of a quadrature, m = 1 or 2.

    In the angle whose sine is the radius, so that the density's edge is smooth.
    """
    x, w = np.polynomial.legendre.leggauss(NODES)
    if m == 1:
        angle = x * pi / 2
        return np.sin(angle)[:, None], np.log(w * pi / 2 * np.cos(angle))
    angle, weight = (x + 1) * pi / 4, w * pi / 4
    turn = 2 * pi * np.arange(NODES) / NODES
    radius = np.sin(angle)
    points = radius[:, None, None] * np.stack([np.cos(turn), np.sin(turn)], -1)
    log_weight = np.log(weight * radius * np.cos(angle) * 2 * pi / NODES)
    return points.reshape(-1, 2), np.repeat(log_weight, NODES)


def second_moment(v: Array, kappa: Array) -> Array:
    """E[a a'] (d, d) of the mixture, classes equally likely.

    A linear code of orthonormal rows Q reconstructs a with the mean squared error 1 - tr(Q E Q').
    Of one class it is (A/kappa) I + (1 - d A/kappa) v v', A the mean cosine (Mardia and Jupp 2000).
    """
    d = v.shape[1]
    across = mean_cosine(kappa, d) / kappa  # (k,)
    along = 1 - d * across
    return across.mean() * np.eye(d) + (v.T * along) @ v / len(v)


def class_means(a: Array, y: Array, classes: int) -> Array:
    """Mean latent of each class, (k, d)."""
    sums = np.zeros((classes, a.shape[1]))
    np.add.at(sums, y, a)
    return sums / np.bincount(y, minlength=classes).clip(1)[:, None]


def eraser(x: Array, y: Array, classes: int) -> tuple[Array, Array]:
    """LEACE: the affine map with the least change of x that leaves all class means equal.

    x (n, d) and classes y (n,) -> a matrix (d, d) and an offset (d,), so that x @ matrix + offset
    is the erased x: x - W^+ P W (x - E x), where W = (Cov x)^(-1/2) and P projects on the column
    space of W Cov(x, onehot y) (Belrose et al. 2023). Then no linear classifier does
    better than a constant; others may.
    """
    mean = x.mean(0)
    centred, onehot = x - mean, np.eye(classes)[y]
    values, axes = np.linalg.eigh(centred.T @ centred / len(x))
    kept = values > 1e-10 * values[-1]
    values, axes = values[kept], axes[:, kept]
    whiten, colour = ((axes * values**power) @ axes.T for power in (-0.5, 0.5))
    left, s, _ = np.linalg.svd(whiten @ centred.T @ (onehot - onehot.mean(0)) / len(x))
    left = left[:, : int((s > 1e-9).sum())]  # of the k columns, one is the others' negative sum
    matrix = np.eye(x.shape[1]) - (colour @ left @ left.T @ whiten).T
    return matrix, mean - mean @ matrix


def largest_angle(rows: Array, basis: Array) -> float:
    """Largest of the principal angles between two row spaces, in degrees; accurate near zero.

    Of as many angles as the smaller space has dimensions.
    """
    if not (len(rows) and len(basis)):
        return 90.0
    return float(np.rad2deg(subspace_angles(rows.T, basis.T).max()))


def complement(vectors: Array) -> Array:
    """Orthonormal rows (d - rank, d): all directions orthogonal to the vectors (k, d)."""
    _, s, vt = np.linalg.svd(vectors)
    return vt[int((s > 1e-2 * s[0]).sum()) :]


def shared(one: Array, other: Array) -> float:
    """Share of the subspace `other` (q, d) that lies in `one` (p, d), both orthonormal rows."""
    overlap = np.linalg.svd(one @ other.T, compute_uv=False)
    return float((overlap**2).sum() / len(other))
