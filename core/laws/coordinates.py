"""Laws whose coordinates are independent, one coordinate at a time: densities and what views obey.

NumPy and SciPy only.
"""

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import gammainc, gammaln

from core.laws.densities import power
from core.laws.law import Law
from core.laws.spaces import Flat

Array = np.ndarray
FINE = 25.0  # points of a quadrature to a scale of the noise
LEAST, MOST = 401, 8001  # points at all
BLOCK = 1_000_000  # numbers held at a time
METRICS = {1.0: "cityblock", 2.0: "sqeuclidean"}  # those of SciPy that are powers of a norm
FAR = 40.0  # nats below its mode at which a law that has no walls is cut off


def log_density(law: Law, e: Array) -> Array:
    """log density of noise e (...) of one coordinate, before walls confine it."""
    shape, scale = law.generalised
    return _exponent(e, shape, scale) + np.log(shape / (2 * scale)) - gammaln(1 / shape)


def probability(law: Law, e: Array) -> Array:
    """Probability (...) of noise below e."""
    shape, scale = law.generalised
    return (1 + np.sign(e) * gammainc(1 / shape, (np.abs(e) / scale) ** shape)) / 2


def log_inside(law: Law, mean: Array) -> Array:
    """log probability (...) that noise around mean stays between the walls; 0 without any."""
    if law.walls is None:
        return np.zeros_like(mean)
    low, high = law.walls
    return np.log(probability(law, high - mean) - probability(law, low - mean))


def log_view(law: Law, marginal: Law | None, space: Flat) -> Callable[[Array], Array]:
    """log p(z') (...) of one coordinate of a positive z' of z, for z of a marginal law.

    `law` is that of z' around z; the marginal lies around the space's centre, None is uniform on
    its cube. By quadrature over z, or over the narrower of two laws that nothing confines.
    """
    if marginal is not None and marginal.walls is None and law.walls is None:
        return _log_sum(law, marginal, space.centre)
    low, high = _support(marginal, space)
    points = int(np.clip(FINE * (high - low) / law.generalised[1], LEAST, MOST))
    z = np.linspace(low, high, points)
    log_p = -np.log(high - low) + np.zeros(points)
    if marginal is not None:
        centre = np.array(space.centre)
        log_p = log_density(marginal, z - centre) - log_inside(marginal, centre)
    weight = np.exp(log_p - log_inside(law, z))
    weight[[0, -1]] /= 2
    if law.walls is None:
        reach = _reach(law)
        low, high = low - reach, high + reach
    at = np.linspace(low, high, points)
    return _interpolated(at, z, weight * (z[1] - z[0]), law)


def _log_sum(law: Law, other: Law, centre: float) -> Callable[[Array], Array]:
    """log density (...) of the sum of two laws without walls, around a centre."""
    narrow, wide = sorted((law, other), key=lambda each: each.generalised[1])
    e = _symmetric(_reach(narrow), narrow)
    at = _symmetric(_reach(narrow) + _reach(wide), wide)
    weight = np.exp(log_density(narrow, e)) * (e[1] - e[0])
    return _interpolated(centre + at, centre + e, weight, wide)


def _symmetric(reach: float, law: Law) -> Array:
    """Points from -reach to reach, fine for a law, 0 among them."""
    half = int(np.clip(2 * FINE * reach / law.generalised[1], LEAST, MOST / 2))
    return np.linspace(-reach, reach, 2 * half + 1)


def _interpolated(at: Array, nodes: Array, weight: Array, kernel: Law) -> Callable[[Array], Array]:
    """log of the nodes' weights smeared by a kernel, taken at points and interpolated between."""
    blocks = np.array_split(at, max(1, len(at) * len(nodes) // BLOCK))
    density = np.concatenate(
        [np.exp(log_density(kernel, some[:, None] - nodes)) @ weight for some in blocks]
    )
    known = np.log(np.maximum(density, 1e-300))
    return lambda view: np.interp(view, at, known)


def log_ratio(law: Law, marginal: Law | None, space: Flat) -> Callable[[Array, Array], Array]:
    """log p(z'|z) / p(z') up to a function of z: z (n, d), z' (k, d) -> (n, k)."""
    shape, scale = law.generalised
    view = log_view(law, marginal, space)

    def ratio(z: Array, other: Array) -> Array:
        return -_distances(z / scale, other / scale, shape) - view(other.astype(float)).sum(1)

    return ratio


def _distances(a: Array, b: Array, exponent: float) -> Array:
    """sum_i |a_i - b_i|^exponent of every a (n, d) with every b (k, d), (n, k)."""
    if exponent in METRICS:
        return cdist(a, b, METRICS[exponent])
    found = np.zeros((len(a), len(b)))
    for column, against in zip(a.T.astype(float), b.T.astype(float), strict=True):
        found += power(np.abs(column[:, None] - against), exponent)
    return found


def _exponent(e: Array, shape: float, scale: float) -> Array:
    return -((np.abs(e) / scale) ** shape)


def _support(marginal: Law | None, space: Flat) -> tuple[float, float]:
    if marginal is None or marginal.walls is not None:
        return space.low, space.high
    return space.centre - _reach(marginal), space.centre + _reach(marginal)


def _reach(law: Law) -> float:
    """How far from its mean a law without walls has any mass to speak of."""
    shape, scale = law.generalised
    return float(scale * FAR ** (1 / shape))
