"""Densities around cluster vectors against quadrature, samples and closed forms."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln
from scipy.stats import gennorm, multivariate_t, norm, uniform_direction

from core.laws.densities import _log_inside, level_curves, log_density
from core.laws.law import Law

ENOUGH = -14.0  # nats below the best cluster: a posterior of 1e-6


def unit(count, d, seed=0):
    return uniform_direction(d).rvs(count, random_state=seed)


def on_sphere(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def draws(conditional, v, count, seed=0):
    """Points z (count, d) around one v, by scipy's and numpy's samplers."""
    rng, d = np.random.default_rng(seed), len(v)
    if conditional.family == "student-t":
        law = multivariate_t(np.zeros(d), np.eye(d), df=conditional.shape)
        noise = conditional.spread * law.rvs(count, random_state=rng)
    else:
        law = gennorm(conditional.shape, scale=conditional.spread)
        noise = law.rvs((count, d), random_state=rng)
        if conditional.truncation is not None:
            low, high = law.cdf(-conditional.truncation - v), law.cdf(conditional.truncation - v)
            noise = law.ppf(low + (high - low) * rng.random((count, d)))
        if conditional.family == "isotropic-gennorm":
            radius = np.linalg.norm(noise, axis=1, keepdims=True)
            noise = radius * on_sphere(rng.normal(size=(count, d)))
    return on_sphere(v + noise) if conditional.project else v + noise


def log_ray(log_f, u, v, kinks=(), end=np.inf):
    """log of the integral of r^(d-1) f(r u - v) over 0 < r < end, by quad over log r."""
    d, top = len(u), min(np.log(end), 40.0)

    def log_value(s):
        return d * s + log_f(np.multiply.outer(np.exp(s), u) - v)

    low, high = -30.0, top
    for _ in range(6):  # to where the mass is
        s = np.linspace(low, high, 800)
        values = log_value(s)
        counts = np.flatnonzero(values > values.max() - 25)
        low, high = s[max(counts[0] - 1, 0)], s[min(counts[-1] + 1, 799)]
    cuts = {low, high, *np.linspace(low, high, 9), *(np.log(k) for k in kinks if k > 0)}
    cuts = sorted(x for x in cuts if low <= x <= high)
    peak = values.max()
    total = sum(
        quad(lambda s: np.exp(log_value(s) - peak).item(), a, b, epsabs=1e-7)[0]
        for a, b in pairwise(cuts)
    )
    return np.log(total) + peak


def compared(found, expected, atol):
    """Relative to the best cluster, where a cluster's posterior matters."""
    best = expected.argmax(1)[:, None]
    gap = expected - np.take_along_axis(expected, best, 1)
    found_gap = found - np.take_along_axis(found, best, 1)
    matters = gap > ENOUGH
    assert matters.sum() > len(found)  # something beyond the best
    np.testing.assert_allclose(found_gap[matters], gap[matters], atol=atol)
    assert (found_gap[~matters] < ENOUGH + 0.01).all()


def neighbours(d, spread, count=4):
    """Clusters (count, d) as near to each other as the spread, and points among them."""
    apart = 0.4 * min(spread, 1)
    v = on_sphere(unit(1, d) + apart * np.random.default_rng(1).normal(size=(count, d)))
    z = on_sphere(v[:2] + apart * np.random.default_rng(2).normal(size=(2, d)))
    return np.concatenate([z, v[:1], np.eye(d)[:1]]), v


each_setting = pytest.mark.parametrize(
    ("d", "shape", "spread"),
    [(2, 1.0, 0.02), (2, 1.5, 1.0), (2, 1.1, 0.1), (3, 1.0, 1.0), (3, 8.0, 0.3), (3, 2.5, 0.02),
     (3, 20.0, 0.3), (3, 30.0, 0.3),
     (5, 1.0, 0.3), (5, 1.25, 5.0), (5, 8.0, 1.0), (5, 1.37, 0.1), (10, 1.0, 5.0),
     (10, 1.5, 0.02), (10, 3.0, 0.3), (10, 8.0, 5.0)],
)  # fmt: skip


@each_setting
@pytest.mark.parametrize("truncation", (None, 1.0, 1.5))
def test_projected_gennorm_is_the_integral_along_the_ray(d, shape, spread, truncation):
    z, v = neighbours(d, spread)
    law = gennorm(shape, scale=spread)
    inside = np.zeros(len(v))
    if truncation is not None:
        inside = np.log(law.cdf(truncation - v) - law.cdf(-truncation - v)).sum(1)
    expected = np.array([
        [log_ray(lambda e: -(np.abs(e / spread) ** shape).sum(-1), u, c, c / u,
                 np.inf if truncation is None else truncation / np.abs(u).max())
         - log_inside for c, log_inside in zip(v, inside, strict=True)]
        for u in z + 1e-15  # no division by 0 for kinks
    ])  # fmt: skip
    conditional = Law("gennorm", shape=shape, spread=spread, truncation=truncation)
    found = log_density(conditional, z, v)
    close = 1e-3 if shape <= 8 else 5e-3  # the integrand is nearly a box
    compared(found, expected, close)
    # not only relative to one another: the constant is the same for every point, too
    near = expected > expected.max(1, keepdims=True) + ENOUGH
    assert np.ptp((found - expected)[near]) < 2 * close


@pytest.mark.parametrize("project", (True, False))
@pytest.mark.parametrize("spread", (0.02, 0.3, 1.0, 5.0))
@pytest.mark.parametrize("shape", (0.5, 1.0, 3.0))
@pytest.mark.parametrize("d", (2, 3, 10))
def test_student_t_is_scipys_and_its_integral_along_the_ray(d, shape, spread, project):
    z, v = neighbours(d, spread)
    log_f = multivariate_t(np.zeros(d), spread**2 * np.eye(d), df=shape).logpdf
    expected = np.array([
        [log_ray(log_f, u, c) if project else log_f(u - c) for c in v] for u in z
    ])  # fmt: skip
    found = log_density(Law("student-t", shape=shape, spread=spread, project=project), z, v)
    compared(found, expected, 1e-3)


def log_average(shape, d, rho):
    """log of the mean of exp(-sum |rho w_i|^shape) over directions: quadrature at d = 2, 3."""
    if d == 2:
        angle = (np.arange(40_000) + 0.5) / 40_000 * np.pi / 2
        w, weight = np.stack([np.cos(angle), np.sin(angle)]), np.ones(40_000)
    else:
        nodes, weights = np.polynomial.legendre.leggauss(400)
        t, angle = (nodes + 1) / 2, (nodes + 1) * np.pi / 4
        t, weights = t**2 * (3 - 2 * t), weights * 6 * t * (1 - t)  # crowds nodes at axes
        flat = np.sqrt(1 - t[:, None] ** 2)
        w = np.stack([flat * np.cos(angle), flat * np.sin(angle), t[:, None] + 0 * flat * angle])
        weight = weights[:, None] * np.polynomial.legendre.leggauss(400)[1]
    energy = ((rho * w) ** shape).sum(0)
    least = energy.min()
    return np.log((np.exp(least - energy) * weight).sum() / weight.sum()) - least


@pytest.mark.parametrize("shape", (1.0, 1.5, 2.0, 3.0, 8.0))
@pytest.mark.parametrize("d", (2, 3))
def test_isotropic_gennorm_is_the_average_over_directions(d, shape):
    v, spread = np.zeros((1, d)), 0.5
    rho = np.array([0.0, 0.05, 0.3, 0.7, 1.5, 4.0, 10.0])
    rho = rho[(rho / spread) ** shape < 150]
    conditional = Law("isotropic-gennorm", shape=shape, spread=spread, project=False)
    z = rho[:, None] * unit(len(rho), d)
    expected = [log_average(shape, d, r / spread) for r in rho]
    np.testing.assert_allclose(log_density(conditional, z, v)[:, 0], expected, atol=1e-2)


@pytest.mark.parametrize("shape", (1.0, 1.9, 3.0, 8.0))
@pytest.mark.parametrize("d", (2, 5, 10, 20))
def test_isotropic_gennorm_keeps_the_mass_and_the_radius_of_its_model(d, shape):
    law = Law("isotropic-gennorm", shape=shape, spread=1.0, project=False)
    rho = np.linspace(1e-6, 4 * d, 8001)[:, None] * np.eye(d)[:1]
    log_p = log_density(law, rho, np.zeros((1, d)))[:, 0] + (d - 1) * np.log(rho[:, 0])
    area = np.log(2) + d / 2 * np.log(np.pi) - gammaln(d / 2)
    mass = np.trapezoid(
        np.exp(log_p + area - d * np.log(2) - d * gammaln(1 + 1 / shape)), rho[:, 0]
    )
    assert mass == pytest.approx(1, abs=2e-3)
    share = np.cumsum(np.exp(log_p)) / np.exp(log_p).sum()
    drawn = np.linalg.norm(gennorm(shape).rvs((40_000, d), random_state=3), axis=1)
    for quantile in (0.02, 0.3, 0.7, 0.98):
        at = np.interp(quantile, share, rho[:, 0])
        assert (drawn < at).mean() == pytest.approx(quantile, abs=0.012)


@pytest.mark.parametrize("spread", (0.02, 0.3, 1.0, 5.0))
@pytest.mark.parametrize("shape", (1.0, 1.5, 3.0, 8.0))
@pytest.mark.parametrize("d", (2, 3, 10))
def test_projected_isotropic_gennorm_is_the_integral_along_the_ray(d, shape, spread):
    z, v = neighbours(d, spread)
    flat = Law("isotropic-gennorm", shape=shape, spread=spread, project=False)

    def log_f(e):
        return log_density(flat, np.atleast_2d(e), np.zeros((1, d)))[:, 0]

    expected = np.array([[log_ray(log_f, u, c) for c in v[:3]] for u in z[:2]])
    found = log_density(Law("isotropic-gennorm", shape=shape, spread=spread), z[:2], v[:3])
    compared(found, expected, 5e-3)


@pytest.mark.parametrize("family", ("gennorm", "isotropic-gennorm"))
@pytest.mark.parametrize("sigma", (0.05, 0.5, 2.0))
def test_shape_two_is_the_projected_normal_law(family, sigma):
    v, z = unit(6, 3), unit(40, 3, 1)
    t = np.clip(z @ v.T, -1, 1) / sigma
    # d = 3: the integral of r^2 exp(-r^2 / 2 + r t), whose derivatives build up from norm.cdf
    with np.errstate(divide="ignore"):
        ratio = np.exp(norm.logcdf(t) - norm.logpdf(t))
    expected = np.log(t + (1 + t**2) * ratio) - (z[:, None] @ z[:, :, None])[:, 0] / 2 / sigma**2
    found = log_density(Law(family, shape=2, spread=np.sqrt(2) * sigma), z, v)
    keep = t > -3  # beyond, the closed form cancels
    assert keep.sum() > 50
    difference = (found - expected)[keep]
    np.testing.assert_allclose(difference, difference[0], atol=1e-3)


@pytest.mark.parametrize("truncation", (None, 2.5))
def test_the_general_quadrature_agrees_at_shape_two(truncation):
    """It is not taken there by itself (the table is faster), a wide truncation forces it."""
    v, z = unit(6, 5), unit(40, 5, 1)
    shape = 2 if truncation else 2 + 1e-9
    found = Law("gennorm", shape=shape, spread=0.3, truncation=truncation)
    expected = log_density(Law("gennorm", shape=2, spread=0.3), z, v)
    compared(log_density(found, z, v), expected, 1e-3)


FLAT = [
    Law("gennorm", shape=1.0, spread=0.5, truncation=1.0, project=False),
    Law("gennorm", shape=1.5, spread=0.3, truncation=1.5, project=False),
    Law("gennorm", shape=8.0, spread=0.7, project=False),
]


@pytest.mark.parametrize("conditional", FLAT, ids=str)
def test_unprojected_gennorm_is_scipys_with_its_truncation(conditional):
    v, wide = unit(5, 3), 2.0
    z = np.random.default_rng(1).uniform(-wide, wide, (300, 3))
    t, law = conditional.truncation, gennorm(conditional.shape, scale=conditional.spread)
    expected = law.logpdf(z[:, None] - v).sum(2)
    if t is not None:
        expected -= np.log(law.cdf(t - v) - law.cdf(-t - v)).sum(1)
        expected[(np.abs(z) > t).any(1)] = -np.inf
        assert 20 < np.isinf(expected[:, 0]).sum() < 290
    found = log_density(conditional, z, v)
    kept = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(found), kept)
    difference = found[kept] - expected[kept]
    np.testing.assert_allclose(difference, difference[0], atol=1e-9)


def test_float32_latents_on_the_edge_of_a_truncation_are_inside():
    conditional = FLAT[0]
    edge = np.nextafter(np.float32([[1.0, 0.2, -1.0]]), np.float32([[2.0, 0.2, -2.0]]))
    assert np.abs(edge).max() > 1
    assert np.isfinite(log_density(conditional, edge, unit(4, 3))).all()
    assert np.isneginf(log_density(conditional, [[1.001, 0.2, -1.0]], unit(4, 3))).all()


def test_truncation_normalisers_survive_centres_outside_and_tiny_tails():
    v = np.array([[1.0, 0.0], [0.6, 0.8]])
    for shape, spread in ((1.0, 0.3), (1.5, 0.2), (8.0, 0.5)):
        conditional = Law("gennorm", shape=shape, spread=spread, truncation=0.5)
        law = gennorm(shape, scale=spread)
        expected = [
            sum(np.log(quad(law.pdf, -0.5 - c, 0.5 - c, points=[0])[0]) for c in row) for row in v
        ]
        np.testing.assert_allclose(_log_inside(conditional, v), expected, atol=1e-6)
    narrow = Law("gennorm", shape=3.0, spread=0.02, truncation=0.5)
    assert np.isfinite(_log_inside(narrow, v)).all()
    assert np.isfinite(log_density(narrow, unit(20, 2), v)).all()


def circle(count=40_000):
    angle = 2 * np.pi * (np.arange(count) + 0.5) / count
    return np.stack([np.cos(angle), np.sin(angle)], 1)


PROJECTED = [
    Law("vmf", kappa=10.0),
    Law("gennorm", shape=1.0, spread=0.05),
    Law("gennorm", shape=1.0, spread=1.0),
    Law("gennorm", shape=1.5, spread=0.3, truncation=1.0),
    Law("gennorm", shape=8.0, spread=1.0),
    Law("gennorm", shape=1.0, spread=1.0, truncation=1.5),
    Law("isotropic-gennorm", shape=1.0, spread=0.3),
    Law("isotropic-gennorm", shape=8.0, spread=1.0),
    Law("student-t", shape=0.5, spread=0.3),
    Law("student-t", shape=2.0, spread=1.0),
]
each_projected = pytest.mark.parametrize("conditional", PROJECTED, ids=str)


@each_projected
@pytest.mark.parametrize("d", (2, 3))
def test_every_cluster_has_the_same_mass(conditional, d):
    v = np.concatenate([unit(4, d), np.eye(d)[:1]])
    if d == 2:
        z, weight = circle(), np.ones(40_000)
    else:
        height, weights = np.polynomial.legendre.leggauss(160)
        angle = 2 * np.pi * (np.arange(320) + 0.5) / 320
        flat = np.sqrt(1 - height[:, None] ** 2)
        z = np.stack([flat * np.cos(angle), flat * np.sin(angle), height[:, None] + 0 * angle], -1)
        z, weight = z.reshape(-1, 3), np.repeat(weights, 320)
    mass = weight @ np.exp(log_density(conditional, z, v))
    # the cusp of a narrow law at v lies between the nodes of the sphere
    np.testing.assert_allclose(mass, mass[0], rtol=5e-3 if d == 2 else 2e-2)


@pytest.mark.parametrize(
    "conditional",
    [*PROJECTED[1:],
     Law("gennorm", shape=1.0, spread=0.5, truncation=1.0, project=False),
     Law("isotropic-gennorm", shape=1.0, spread=0.5, project=False),
     Law("student-t", shape=1.0, spread=0.5, project=False)],
    ids=str,
)  # fmt: skip
def test_the_posterior_is_how_often_a_cluster_is_behind_a_latent(conditional):
    """Among draws binned by what the density claims, and by direction.

    Bins of 60,000 draws a cluster tell an error of some percent from chance, which is what counts.
    """
    v = on_sphere(np.array([[1.0, 0.1, 0.0], [0.6, 0.7, 0.3], [0.5, -0.2, 0.8]]))
    z = np.concatenate([draws(conditional, c, 60_000, seed) for seed, c in enumerate(v)])
    cluster = np.repeat(np.arange(3), 60_000)
    log_p = log_density(conditional, z, v)
    posterior = np.exp(log_p - log_p.max(1, keepdims=True))
    posterior /= posterior.sum(1, keepdims=True)
    direction = np.floor(4 * (on_sphere(z) + 1)).astype(int) @ np.array([1, 9, 81])
    claim = np.floor(20 * posterior[:, 0]).astype(int)
    for bins in (direction, claim):
        _, index, count = np.unique(bins, return_inverse=True, return_counts=True)
        for c in range(3):
            seen = np.bincount(index, cluster == c)
            said = np.bincount(index, posterior[:, c])
            # variance of a sum of independent labels
            error = np.sqrt(np.bincount(index, posterior[:, c] * (1 - posterior[:, c])) + 1)
            assert (np.abs(seen - said) / error)[count > 200].max() < 5


def test_isotropic_laws_depend_on_the_cosine_alone_and_coordinatewise_noise_does_not():
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(4, 4)))[0]
    z, v = unit(50, 4), unit(6, 4, 1)

    def moved(conditional):
        return np.abs(
            log_density(conditional, z @ turn, v @ turn) - log_density(conditional, z, v)
        ).max()

    for family in ("vmf", "isotropic-gennorm", "student-t"):
        assert moved(Law(family, shape=1.0)) < 1e-6
    assert moved(Law("gennorm", shape=2.0)) < 1e-6
    assert moved(Law("gennorm", shape=1.0)) > 0.1
    assert moved(Law("gennorm", shape=8.0)) > 0.1


@pytest.mark.parametrize("family", ("gennorm", "isotropic-gennorm", "student-t"))
@pytest.mark.parametrize("spread", (0.02, 5.0))
@pytest.mark.parametrize("shape", (1.0, 8.0))
def test_far_points_and_many_pairs_give_finite_numbers(family, spread, shape):
    v = np.concatenate([unit(300, 3), -np.eye(3)])
    z = np.concatenate([unit(200, 3, 1), np.eye(3)])
    found = log_density(Law(family, shape=shape, spread=spread), z.astype(np.float32), v)
    assert found.shape == (203, 303) and np.isfinite(found).all()
    # each pair is on its own, however the work is shared out
    single = log_density(Law(family, shape=shape, spread=spread), z[7:8], v[5:6])
    assert single[0, 0] == pytest.approx(found[7, 5], rel=1e-5, abs=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"family": "cauchy"}, "no family 'cauchy'"),
     ({"family": "gennorm", "shape": 0.5}, "shape = 0.5 of gennorm is below 1"),
     ({"family": "student-t", "shape": 0.4}, "shape = 0.4 of student-t is below 0.5"),
     ({"family": "gennorm", "spread": 0.0}, "spread = 0 is not positive"),
     ({"family": "gennorm", "truncation": -1.0}, "truncation = -1 is not positive"),
     ({"family": "student-t", "truncation": 1.0}, "student-t noise is not truncated")],
)  # fmt: skip
def test_a_law_that_does_not_exist_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Law(**settings)


# --- level lines --------------------------------------------------------------------------------


def stereographic(x, v):
    """The sphere without -v on the plane (n, 2), v at 0."""
    side = np.linalg.svd(v[None])[2][1:]
    return x @ side.T / (1 + x @ v)[:, None]


def enclosed(points, curves):
    """Whether each planar point is inside an odd number of closed curves."""
    inside = np.zeros(len(points), bool)
    x, y = points.T
    for curve in curves:
        for (ax, ay), (bx, by) in pairwise(curve):
            if ay != by:
                crosses = (ay > y) != (by > y)
                inside ^= crosses & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return inside


@pytest.mark.parametrize(
    "conditional",
    [Law("vmf", kappa=2.0), Law("vmf", kappa=200.0),
     *PROJECTED[1:6], PROJECTED[6], PROJECTED[9]],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("v", [(0.48, 0.6, 0.64), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)], ids=str)
def test_level_curves_enclose_their_share_of_the_draws(conditional, v):
    v = np.array(v)
    if conditional.family == "vmf":
        rng, kappa = np.random.default_rng(5), conditional.kappa
        t = 1 + np.log(1 - rng.random(8000) * (1 - np.exp(-2 * kappa))) / kappa
        side = on_sphere(np.cross(rng.normal(size=(8000, 3)), v))
        z = t[:, None] * v + np.sqrt(np.maximum(1 - t**2, 0))[:, None] * side
    else:
        z = draws(conditional, v, 8000, seed=5)
    for share in (0.25, 0.5, 0.9):
        curves, _ = level_curves(conditional, v, (share,))
        assert curves
        for curve in curves:
            np.testing.assert_allclose(np.linalg.norm(curve, axis=1), 1, atol=1e-12)
            np.testing.assert_allclose(curve[0], curve[-1], atol=1e-5)  # closed: no seam
        inside = enclosed(stereographic(z, v), [stereographic(c, v) for c in curves])
        # the antipode, at infinity, counted as outside: of wide noise it may be in the region
        there, edge = log_density(conditional, np.stack([-v, curves[0][0]]), v[None])[:, 0]
        inside ^= there > edge
        assert inside.mean() == pytest.approx(share, abs=0.02)


def test_level_curves_of_all_shares_come_in_order_with_the_density_for_drawing():
    v = on_sphere(np.array([0.2, -0.5, 0.7]))
    conditional = Law("vmf", kappa=10.0)
    curves, density = level_curves(conditional, v)
    # of a vMF law at d = 3 the region of share s ends at this cosine
    cosine = 1 + np.log(1 - np.array([0.25, 0.5, 0.75, 0.9]) * (1 - np.exp(-20))) / 10
    assert len(curves) == 4
    for curve, t in zip(curves, cosine, strict=True):
        np.testing.assert_allclose(curve @ v, t, atol=2e-3)
    assert density.shape == (25, 48) and density.max() == 1 and density.min() > 0
    latitude, longitude = np.deg2rad(np.linspace(-90, 90, 25)), np.deg2rad(7.5 * np.arange(48))
    flat = np.cos(latitude)[:, None]
    cosines = (
        flat * (v[0] * np.cos(longitude) + v[1] * np.sin(longitude))
        + v[2] * np.sin(latitude)[:, None]
    )  # fmt: skip
    np.testing.assert_allclose(density, np.exp(10 * (cosines - cosines.max())), atol=1e-9)


def test_a_region_may_have_several_parts_whose_curves_cross_the_seam():
    # wide Laplace noise: its density peaks at the axes, the one behind v among them
    v = np.array([0.0, 0.0, 1.0])
    curves, _ = level_curves(Law("gennorm", shape=1.0, spread=3.0), v, (0.3,))
    assert len(curves) > 1
    behind = [c for c in curves if (c @ v).max() < -0.5]
    assert len(behind) == 1
    np.testing.assert_allclose(behind[0][0], behind[0][-1], atol=1e-5)


def test_level_curves_of_noise_in_space_are_those_of_its_direction():
    v = np.array([0.0, 0.6, 0.8])
    flat = Law("gennorm", shape=1.0, spread=0.4, truncation=1.0, project=False)
    ours, density = level_curves(flat, v, (0.5,))
    theirs, other = level_curves(replace(flat, project=True), v, (0.5,))
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(density, other)


def test_uniform_latents_have_no_level_lines():
    curves, density = level_curves(Law("vmf", kappa=0.0), np.array([0.0, 1.0, 0.0]))
    assert curves == [] and (density == 1).all()
