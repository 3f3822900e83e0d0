"""Log-densities of latents around cluster vectors, and their level lines on the sphere.

Noise e around a cluster vector v gives z = v + e in R^d, or its projection to the sphere, whose
density at a direction u is the integral of r^(d-1) f(r u - v) over r > 0. NumPy and SciPy only.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import gammaincc, gammaln, logsumexp

from core.laws.law import Law
from core.laws.spaces import on_globe

Array = np.ndarray
CHUNK = 1 << 14  # pairs of a point and a cluster at a time: what they need stays in the cache
DROP = 12.0  # nats below its peak where an integrand on a ray no longer counts
LONGITUDES = 48  # of the grid that is returned for drawing


def log_density(law: Law, z: Array, v: Array) -> Array:
    """log p(z | v_c) up to a constant common to all clusters: z (n, d), v (C, d) -> (n, C)."""
    z, v = np.asarray(z, float), np.asarray(v, float)
    if law.concentration is not None:
        return law.concentration * z @ v.T
    if law.projected:
        # float32 latents are unit vectors to 1e-7 only, which narrow densities would feel
        z = z / np.linalg.norm(z, axis=1, keepdims=True)
    shape, spread = law.generalised
    if law.projected and law.isotropic:
        return _of_angle(_angle_table(law.family, shape, spread, v.shape[1]), z, v)
    if law.projected:
        return _projected(law, z, v)
    if law.isotropic:
        radial = _radial(law.family, shape, v.shape[1])
        squared = (z**2).sum(1)[:, None] + (v**2).sum(1) - 2 * z @ v.T
        return radial(np.sqrt(np.maximum(squared, 0)) / spread)
    return _separable(law, z, v)


def _separable(law: Law, z: Array, v: Array) -> Array:
    shape, spread = law.generalised
    log_p = np.zeros((len(z), len(v)))
    for column, centre in zip(z.T, v.T, strict=True):
        log_p -= power(np.abs(column[:, None] - centre) / spread, shape)
    if np.isinf(law.bound):
        return log_p
    log_p -= _log_inside(law, v)
    tolerance = 1e-5 * max(law.bound, 1)  # float32 latents on the very edge
    log_p[(np.abs(z) > law.bound + tolerance).any(1)] = -np.inf
    return log_p


def _projected(law: Law, z: Array, v: Array) -> Array:
    shape, spread = law.generalised
    cut = law.bound / np.abs(z).max(1)  # beyond it a coordinate of r u leaves [-T, T]
    log_p = np.empty((len(z), len(v)))
    rows = max(1, CHUNK // len(v))
    for start in range(0, len(z), rows):
        part = slice(start, start + rows)
        log_p[part] = _log_ray_integral(z[part] / spread, v / spread, shape, cut[part])
    return log_p if np.isinf(law.bound) else log_p - _log_inside(law, v)


def _log_inside(law: Law, v: Array) -> Array:
    """log probability (C,) that untruncated noise keeps every coordinate in [-T, T]."""
    shape, spread = law.generalised
    near = (law.bound - np.abs(v)) / spread  # the nearer wall, negative if passed
    far = (law.bound + np.abs(v)) / spread
    log_near, log_far = (_log_tail(np.abs(wall), shape) for wall in (near, far))
    with np.errstate(divide="ignore"):
        inside = np.log1p(-(np.exp(log_near) + np.exp(log_far)) / 2)
        # a centre outside the interval: a difference of tails, both of which may underflow
        outside = log_near - np.log(2) + np.log1p(-np.exp(log_far - log_near))
    return np.where(near >= 0, inside, outside).sum(1)


def _log_tail(x: Array, shape: float) -> Array:
    """log P(|e| > x) of generalised normal noise of scale 1; finite however small."""
    a, y = 1 / shape, x**shape
    tail = gammaincc(a, y)
    series = (a - 1) * np.log(np.maximum(y, 1)) - y - gammaln(a)
    with np.errstate(divide="ignore"):
        return np.where(tail > 1e-290, np.log(tail), series)


PRODUCTS = 16.0  # the largest exponent that products are taken for


def power(x: Array, exponent: float) -> Array:
    """x^exponent of x >= 0. Multiples of 1/4 take roots and products: several times faster."""
    quarters = 4 * exponent
    if quarters != int(quarters) or exponent > PRODUCTS:
        with np.errstate(divide="ignore"):
            return np.exp(exponent * np.log(x))
    times = int(quarters)
    if times % 4:
        x = np.sqrt(x)
    if times % 2:
        x = np.sqrt(x)
    times //= 4 if times % 4 == 0 else 2 if times % 2 == 0 else 1
    result = None
    while times:
        if times % 2:
            result = x if result is None else result * x
        times //= 2
        if times:
            x = x * x
    return np.ones_like(x) if result is None else result


# --- independent noise, projected ---------------------------------------------------------------


def _log_ray_integral(u: Array, v: Array, shape: float, cut: Array) -> Array:
    """log of the integral of r^(d-1) exp(-sum_i |r u_i - v_i|^shape) over 0 < r < cut.

    u (n, d) and v (C, d) in units of the spread, cut (n,) -> (n, C). The integrand is log-concave
    (shape >= 1): bisection finds its peak and the interval where it is within DROP nats of it,
    whatever their scale, and Gauss-Legendre integrates that, below shape 2 from kink to kink.
    """
    d = u.shape[1]
    v_energy = (np.abs(v) ** shape).sum(1)
    precise = v_energy.max() > 300  # small differences of large energies
    real = np.float64 if precise else np.float32
    v_norm, u_norm = v_energy ** (1 / shape), (np.abs(u) ** shape).sum(1)[:, None] ** (1 / shape)

    def reach(energy: Array) -> Array:  # a radius beyond which the noise has at least that energy
        return np.minimum((v_norm + energy ** (1 / shape)) / u_norm, cut[:, None]).astype(real)

    columns = [
        (a[:, None], b) for a, b in zip(u.T.astype(real), v.T.astype(real), strict=True)
    ]  # fmt: skip

    even = shape % 2 == 0 and shape <= PRODUCTS  # products of either sign

    def energy(r: Array) -> Array:
        total = np.zeros_like(r)
        for a, b in columns:
            x = a * r
            x -= b
            total += power(x, shape) if even else power(np.abs(x, out=x), shape)
        return total

    def log_integrand(r: Array) -> Array:
        return (d - 1) * np.log(r) - energy(r)

    def rising(r: Array) -> Array:
        slope = np.zeros_like(r)
        for a, b in columns:
            x = a * r
            x -= b
            slope += a * np.copysign(power(np.abs(x), shape - 1), x)
        return shape * r * slope < d - 1

    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        top = reach(v_energy + d - 1)
        steps = 32 if precise else 14
        peak = top * np.exp2(-_halvings(lambda s: rising(top * np.exp2(-s)), top, 40, steps))
        height = log_integrand(peak)
        low, high = height - DROP, reach((energy(peak) + DROP + 3 * (d - 1)).astype(float))

        def end(span: Array) -> Array:  # where the integrand is low, between the peak and a span
            def counts(s: Array) -> Array:
                return log_integrand(peak + span * np.exp2(-s)) > low

            return peak + span * np.exp2(-_halvings(counts, peak, 32 if precise else 24, 7))

        first, last = end(-peak), end(high - peak)
        edges = [first, peak, last]
        if shape < 2:
            kinks = [np.clip(np.nan_to_num(b / a, nan=-1.0), first, last) for a, b in columns]
            edges = list(np.moveaxis(np.sort(np.stack([*edges, *kinks], -1), -1), -1, 0))
        nodes, weights = np.polynomial.legendre.leggauss(8 if shape < 2 else 16)
        total = np.zeros(peak.shape)
        for left, right in pairwise(edges):
            width, part = right - left, np.zeros_like(peak)
            for x, w in zip((nodes + 1) / 2, weights / 2, strict=True):
                value = log_integrand(left + real(x) * width) - height
                part += real(w) * np.exp(np.minimum(value, 80, out=value), out=value)
            total += part * width
        return np.log(total) + height


def _halvings(turns: Callable[[Array], Array], like: Array, most: int, steps: int) -> Array:
    """The s in [0, most] from which on turns(s) is true, or just below, by bisection."""
    low, high = np.zeros_like(like), np.full_like(like, most)
    for _ in range(steps):
        middle = (low + high) / 2
        turned = turns(middle)
        low, high = np.where(turned, low, middle), np.where(turned, middle, high)
    return low


# --- isotropic noise ----------------------------------------------------------------------------


def _radial(family: str, shape: float, d: int) -> Callable[[Array], Array]:
    """log f of isotropic noise in R^d, up to a constant, at a radius in units of the spread."""
    if family == "student-t":
        return lambda x: -(shape + d) / 2 * np.log1p(x * x / shape)
    return _spherical_average(shape, d)


@lru_cache(64)
def _spherical_average(shape: float, d: int) -> Callable[[Array], Array]:
    """log of the mean over directions w of exp(-sum_i |x w_i|^shape), as a function of x >= 0.

    One dimension at a time: with w = (sin a, cos a w') the mean A_k(x) over S^(k-1) is that of
    exp(-(x sin a)^shape) A_(k-1)(x cos a) with weight cos^(k-2) a. Held as a spline over log x,
    less its leading term (least sum of |w_i|^shape) x^shape, along which it is continued.
    """
    if shape == 2:
        return lambda x: -x * x
    least = d ** min(0.0, 1 - shape / 2)
    grid = np.linspace(np.log(1e-4), np.log(300 / least) / shape, 240)
    x = np.exp(grid)[:, None]
    # double exponential nodes: at large x the mass is at an axis, or where |w_i| are alike
    t = np.linspace(-2.8, 2.8, 801)
    flat, steep = (np.pi / 2 / (1 + np.exp(sign * np.pi * np.sinh(t))) for sign in (-1, 1))
    sin, cos = np.sin(flat), np.sin(steep)
    log_weight = np.log(flat) + np.log(steep) + np.log(np.cosh(t))

    def law(k: int, values: Array) -> Callable[[Array], Array]:
        leading = k ** min(0.0, 1 - shape / 2)
        spline = CubicSpline(grid, values + leading * x[:, 0] ** shape)
        slope = float(spline(grid[-1], 1))

        def log_mean(x: Array) -> Array:
            with np.errstate(divide="ignore"):
                y = np.log(x)
            beyond = np.maximum(y - grid[-1], 0)
            inside = spline(np.clip(y, grid[0], grid[-1]))
            return inside + slope * beyond - leading * power(x, shape)

        return log_mean

    current = law(1, -(x[:, 0] ** shape))
    for k in range(2, d + 1):
        weight = log_weight + (k - 2) * np.log(cos)
        values = logsumexp(weight - (x * sin) ** shape + current(x * cos), axis=-1) - logsumexp(
            weight, axis=-1
        )
        current = law(k, values)
    return current


@lru_cache(64)
def _angle_table(family: str, shape: float, spread: float, d: int) -> tuple[CubicSpline, float]:
    """log density of projected isotropic noise over asinh(angle to v / scale), and that scale.

    On each ray r = r0 + s sinh(y) from its nearest point to v: s is the distance there or the
    spread, tails of any power become exponential in y. The range of y is narrowed to the mass.
    """
    law = _radial(family, shape, d)
    scale = spread / 4
    y = np.linspace(0, np.arcsinh(np.pi / scale), 500)
    angle = np.minimum(scale * np.sinh(y), np.pi)[:, None]
    along, across = np.cos(angle), np.sin(angle)
    nearest = np.maximum(along, 0)
    s = np.hypot(spread, np.where(along > 0, across, 1))

    def log_integrand(y: Array) -> Array:
        r = nearest + s * np.sinh(y)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_r = np.where(r > 0, np.log(r), -np.inf)
        distance = np.hypot(r - along, across) / spread
        return (d - 1) * log_r + law(distance) + np.log(s * np.cosh(y))

    low = -np.arcsinh(nearest / s)
    high = low + 10 + 20 / (shape if family == "student-t" else 4)
    for _ in range(5):
        at = low + (high - low) * np.linspace(0, 1, 101)
        values = log_integrand(at)
        counts = values > values.max(1, keepdims=True) - 20
        start = np.maximum(counts.argmax(1) - 1, 0)[:, None]
        stop = np.minimum(101 - counts[:, ::-1].argmax(1), 100)[:, None]
        low, high = np.take_along_axis(at, start, 1), np.take_along_axis(at, stop, 1)
    nodes, weights = np.polynomial.legendre.leggauss(120)
    values = log_integrand(low + (high - low) * (nodes + 1) / 2) + np.log(weights / 2)
    return CubicSpline(y, logsumexp(values, axis=-1) + np.log(high - low)[:, 0]), scale


def _of_angle(table: tuple[CubicSpline, float], z: Array, v: Array) -> Array:
    spline, scale = table
    return spline(np.arcsinh(np.arccos(np.clip(z @ v.T, -1, 1)) / scale))


# --- on the sphere ------------------------------------------------------------------------------


def level_curves(
    law: Law, v: Array, shares: Sequence[float] = (0.25, 0.5, 0.75, 0.9)
) -> tuple[list[Array], Array]:
    """Boundaries of the highest-density regions around v (3,) with these shares of probability.

    Curves (p, 3) on the unit sphere in the order of `shares` (a region may have several), and the
    density itself, scaled to a maximum of 1: rows latitudes -90 to 90, columns longitudes from 0,
    every 7.5 degrees. For noise that is not projected it is that of the direction of z.
    """
    from contourpy import contour_generator

    law = replace(law, project=True)
    turn = _turn_to(v)
    # v in the middle of a grid that is finer there, its seam through the antipode
    latitude = _graded(np.pi / 2, law.width, 121)
    longitude = _graded(np.pi, law.width, 241)
    points = on_globe(*np.meshgrid(latitude, longitude, indexing="ij")) @ turn
    log_p = log_density(law, points.reshape(-1, 3), v[None]).reshape(points.shape[:2])
    area = np.cos(latitude)[:, None] * np.gradient(latitude)[:, None] * np.gradient(longitude)
    area[:, [0, -1]] /= 2
    order = np.argsort(-log_p, axis=None)
    mass = np.cumsum((np.exp(log_p - log_p.max()) * area).ravel()[order])
    levels = np.interp(np.asarray(shares) * mass[-1], mass, log_p.ravel()[order])
    contours = contour_generator(longitude, latitude, log_p)
    curves = [
        curve @ turn
        for level in levels
        for curve in _joined([on_globe(*np.asarray(c).T[::-1]) for c in contours.lines(level)])
    ]
    rows = np.deg2rad(np.linspace(-90, 90, LONGITUDES // 2 + 1))
    columns = 2 * np.pi * np.arange(LONGITUDES) / LONGITUDES
    shown = on_globe(*np.meshgrid(rows, columns, indexing="ij"))
    density = log_density(law, shown.reshape(-1, 3), v[None]).reshape(shown.shape[:2])
    return curves, np.exp(density - density.max())


def _turn_to(v: Array) -> Array:
    """A rotation (3, 3) whose first row is v: points @ it takes (1, 0, 0) to v."""
    v = np.asarray(v, float) / np.linalg.norm(v)
    side = np.cross(v, np.eye(3)[np.abs(v).argmin()])
    side /= np.linalg.norm(side)
    return np.stack([v, side, np.cross(v, side)])


def _graded(end: float, width: float, count: int) -> Array:
    """Angles from -end to end, as fine around 0 as a density of that width asks for."""
    steps = np.linspace(-1, 1, count) * np.arcsinh(end / width)
    return np.clip(width * np.sinh(steps), -end, end)


def _joined(pieces: list[Array]) -> list[Array]:
    """Curves (p, 3), those that the grid's seam has cut put together again.

    All run with the higher density on the same side, so that an end meets only a beginning.
    """
    curves: list[Array] = []
    while pieces:
        curve = pieces.pop()
        while not _meet(curve[-1], curve[0]):
            for i, other in enumerate(pieces):
                if _meet(curve[-1], other[0]):
                    curve = np.concatenate([curve, other[1:]])
                    del pieces[i]
                    break
            else:
                break
        curves.append(curve)
    return curves


def _meet(a: Array, b: Array) -> bool:
    return bool(np.abs(a - b).max() < 1e-6)
