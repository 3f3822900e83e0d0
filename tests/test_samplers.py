"""The samplers against the exact laws: scipy, quadrature, closed forms. All noise is seeded."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.integrate import cumulative_simpson, quad
from scipy.optimize import brentq
from scipy.special import ive

from core.laws.law import Law
from core.laws.samplers import (
    ROLES,
    VMF,
    ChiSquared,
    GeneralisedNormal,
    Noise,
    _angle_table,
    cluster_vectors,
    generator,
    laplace,
    normalise,
    pole,
    sampler,
    sphere,
)
from core.laws.spaces import Euclidean, Sphere

DIMENSIONS = (2, 3, 5, 10, 20)
CONCENTRATIONS = (0.0, 0.3, 1.0, 10.0, 100.0, 500.0)
N = 20_000
UNLIKELY = 1e-3  # p-value below which a seeded sample is called off its law

each_d = pytest.mark.parametrize("d", DIMENSIONS, ids=lambda d: f"d={d}")
each_kappa = pytest.mark.parametrize("kappa", CONCENTRATIONS, ids=lambda k: f"kappa={k:g}")


def polar_density(theta, kappa, d):
    """Density of the polar angle of vMF(kappa) on S^(d-1), relative to its value at the mode."""
    theta = np.asarray(theta, float)
    mode = mode_angle(kappa, d)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = kappa * (np.cos(theta) - np.cos(mode))
        if d > 2:
            log = log + (d - 2) * (np.log(np.sin(theta)) - np.log(np.sin(mode)))
    return np.exp(log)


def mode_angle(kappa, d):
    """Where kappa sin^2 = (d - 2) cos."""
    if d == 2:
        return 0.0
    half = (d - 2) / (2 * kappa) if kappa else np.inf
    return np.arccos(1 / (half + np.sqrt(half**2 + 1))) if kappa else np.pi / 2


@cache
def mass(kappa, d, low, high):
    """Integral of the polar density, split around its bulk so that quad sees it."""
    mode, width = mode_angle(kappa, d), 1 / np.sqrt(kappa + d)
    marks = mode + width * np.array([-8, -4, -2, -1, 0, 1, 2, 4, 8, 16])
    cuts = [low, *marks[(marks > low) & (marks < high)], high]
    return sum(
        quad(polar_density, a, b, args=(kappa, d), epsabs=0, epsrel=1e-11)[0]
        for a, b in pairwise(cuts)
    )


def angle_quantile(p, kappa, d):
    """Angle below which probability p lies, from whichever side keeps the digits."""
    total = mass(kappa, d, 0.0, np.pi)

    def excess(log_theta):
        theta = float(np.exp(log_theta))
        if p < 0.5:
            return mass(kappa, d, 0.0, theta) / total - p
        return (1 - p) - mass(kappa, d, theta, np.pi) / total

    return float(np.exp(brentq(excess, np.log(1e-9), np.log(np.pi), xtol=1e-12)))


@cache
def draw(d):
    """vMF samples (kappas, N, d) around random means (kappas, N, d) = one mean a kappa."""
    noise = Noise(range(len(CONCENTRATIONS)), "data", "cpu")
    mean = sphere(noise.normal(1, d)).expand(-1, N, -1)
    law = VMF.of(torch.tensor(CONCENTRATIONS), d)
    z = law.sample(mean, noise.uniform(N), noise.normal(N, d))
    return mean[:, 0].double().numpy(), z.double().numpy()


def sample(kappa, d):
    mean, z = draw(d)
    i = CONCENTRATIONS.index(kappa)
    return mean[i], z[i]


def mean_cosine(kappa, d):
    return ive(d / 2, kappa) / ive(d / 2 - 1, kappa) if kappa else 0.0


@each_d
@each_kappa
def test_vmf_points_have_unit_norm(kappa, d):
    _, z = sample(kappa, d)
    assert np.abs(np.linalg.norm(z, axis=1) - 1).max() < 1e-6


@each_d
@each_kappa
def test_cosine_to_the_mean_follows_the_exact_law(kappa, d):
    mean, z = sample(kappa, d)
    cosine = np.clip(z @ mean, -1, 1)
    theta = np.linspace(0, np.pi, 40_001)
    cdf = cumulative_simpson(polar_density(theta, kappa, d), x=theta, initial=0)
    # in angle, not in cosine: F(cos t) = 1 - F(t)
    result = stats.kstest(cosine, lambda w: 1 - np.interp(np.arccos(w), theta, cdf / cdf[-1]))
    assert result.pvalue > UNLIKELY


@pytest.mark.parametrize("d", (2, 3, 4, 5, 10, 20), ids=lambda d: f"d={d}")
@each_kappa
@pytest.mark.parametrize("p", [1e-5, 0.5, 1 - 1e-5], ids=["lowest", "median", "highest"])
def test_extreme_angles_match_a_numeric_inversion(p, kappa, d):
    u = torch.full((1, 1), p, dtype=torch.float64)
    cosine, sine = VMF.of(torch.tensor([kappa]), d).cosine_and_sine(u)
    # the table is linear between 4096 angles, a dozen of which span the lowest tail at d = 4
    tolerance = {3: 1e-6, 4: 4e-3}.get(d, 1e-3)
    expected = angle_quantile(p, kappa, d)
    assert float(torch.atan2(sine, cosine)) == pytest.approx(expected, rel=tolerance)


@each_d
@each_kappa
def test_mean_resultant_points_along_the_mean_with_the_bessel_ratio_as_length(kappa, d):
    mean, z = sample(kappa, d)
    error = z.mean(0) - mean_cosine(kappa, d) * mean
    # the whole vector, so every direction counts: six standard errors of d coordinates
    assert np.linalg.norm(error) < 6 * np.sqrt(z.var(0).sum() / N)


@each_d
@each_kappa
def test_spread_across_the_mean_is_isotropic(kappa, d):
    mean, z = sample(kappa, d)
    frame = np.linalg.svd(mean[None])[2][1:]  # orthonormal complement (d - 1, d)
    across = z @ frame.T
    a = mean_cosine(kappa, d)
    variance = a / kappa if kappa else 1 / d  # (1 - E cos^2) / (d - 1), by Bessel recurrence
    second = across.T @ across / N
    spread = np.sqrt(3 * variance**2 / N)  # at most: a Gaussian's fourth moment
    assert np.abs(second - variance * np.eye(d - 1)).max() < 6 * spread
    cosine = z @ mean
    coupling = ((cosine - cosine.mean())[:, None] * across).mean(0)
    assert np.abs(coupling).max() < 6 * np.sqrt(cosine.var() * variance / N) + 1e-9


@pytest.mark.parametrize("d", (2, 3, 5, 10), ids=lambda d: f"d={d}")
@pytest.mark.parametrize("kappa", (1.0, 10.0, 100.0), ids=lambda k: f"kappa={k:g}")
def test_projection_on_any_direction_agrees_with_scipys_sampler(kappa, d):
    mean, z = sample(kappa, d)
    theirs = stats.vonmises_fisher(mean, kappa).rvs(N, random_state=1)
    directions = np.random.default_rng(2).normal(size=(4, d))
    for direction in directions:
        assert stats.ks_2samp(z @ direction, theirs @ direction).pvalue > UNLIKELY


@each_d
def test_zero_concentration_is_uniform(d):
    _, z = sample(0.0, d)
    # moments of the uniform law: mean 0, second moment I/d, fourth 3/(d(d+2)) a coordinate
    assert np.abs(z.mean(0)).max() < 6 / np.sqrt(N * d)
    assert np.abs(z.T @ z / N - np.eye(d) / d).max() < 6 * np.sqrt(3 / (d * (d + 2)) / N)
    assert np.abs((z**4).mean(0) - 3 / (d * (d + 2))).max() < 6 / np.sqrt(N) / d


@each_kappa
def test_closed_form_at_three_dimensions_is_the_law_of_the_table(kappa):
    angles, cdf = _angle_table(kappa, 3)
    # from 1e-3 on: below lie the table's first few cells, where F is not yet linear in a cell
    u = torch.linspace(1e-3, 1 - 1e-6, 2001, dtype=torch.float64)[None]
    cosine, sine = VMF.of(torch.tensor([kappa]), 3).cosine_and_sine(u)
    table = np.interp(u[0].numpy(), cdf, angles)
    np.testing.assert_allclose(torch.atan2(sine, cosine)[0].numpy(), table, rtol=1e-3)


def test_closed_form_at_three_dimensions_is_continuous_down_to_uniform():
    u = torch.linspace(1e-9, 1 - 1e-9, 101, dtype=torch.float64).expand(2, -1)
    cosine, _ = VMF.of(torch.tensor([0.0, 1e-6]), 3).cosine_and_sine(u)
    assert cosine.isfinite().all()
    torch.testing.assert_close(cosine[0], 1 - 2 * u[0], atol=1e-7, rtol=0)
    torch.testing.assert_close(cosine[0], cosine[1], atol=2e-6, rtol=0)


@each_d
def test_angles_are_finite_and_ordered_in_the_farthest_tails(d):
    u = torch.tensor([2.0**-54, 1e-12, 0.1, 0.9, 1 - 1e-12, 1 - 2.0**-53], dtype=torch.float64)
    law = VMF.of(torch.tensor(CONCENTRATIONS), d)
    cosine, sine = law.cosine_and_sine(u.expand(len(CONCENTRATIONS), -1).contiguous())
    theta = torch.atan2(sine, cosine)
    assert theta.isfinite().all()
    steps = theta.diff(dim=1)
    assert (steps >= 0).all() and (sine >= 0).all()


def test_concentrations_of_members_do_not_touch_each_other():
    u, normal = torch.rand(3, 50).double(), torch.randn(3, 50, 5)
    mean = pole(5).expand(3, 50, 5)
    kappas = torch.tensor([0.5, 20.0, 300.0])
    together = VMF.of(kappas, 5).sample(mean, u, normal)
    for i in range(3):
        one = slice(i, i + 1)
        assert torch.equal(VMF.of(kappas[one], 5).sample(mean[one], u[one], normal[one])[0],
                           together[i])  # fmt: skip


# --- projected conditionals -------------------------------------------------------------------


def test_laplace_noise_is_scipys_quantile_function_into_the_tails():
    u = np.array([2.0**-54, 1e-12, 1e-5, 0.2, 0.5, 0.8, 1 - 1e-5, 1 - 1e-12])
    ours = laplace(torch.from_numpy(u)).numpy()
    np.testing.assert_allclose(ours, stats.laplace.ppf(u), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("law", "draws"),
    [
        (stats.laplace, lambda noise: laplace(noise.uniform(N))),
        (stats.norm, lambda noise: noise.normal(N)),
        (stats.uniform, lambda noise: noise.uniform(N)),
    ],
    ids=["laplace", "normal", "uniform"],
)
def test_noise_follows_its_law(law, draws):
    values = draws(Noise([7], "data", "cpu"))[0].double().numpy()
    assert stats.kstest(values, law.cdf).pvalue > UNLIKELY


@pytest.mark.parametrize("scale", (0.001, 0.05, 5.0))
def test_projected_noise_is_added_in_space_and_brought_back_to_the_sphere(scale):
    noise, same = Noise([1, 2], "data", "cpu"), Noise([1, 2], "data", "cpu")
    mean = sphere(noise.normal(40, 4))
    same.normal(40, 4)
    added = laplace(same.uniform(40, 4))
    laws = [Law("laplace", spread=scale), Law("laplace", spread=2 * scale)]
    z = sampler(laws, 4).around(mean, noise).numpy()
    for m in range(2):
        for i in range(40):
            target = mean[m, i].double().numpy() + scale * (m + 1) * added[m, i].double().numpy()
            np.testing.assert_allclose(z[m, i], target / np.linalg.norm(target), atol=1e-6)


@pytest.mark.parametrize("family", ["laplace", "normal"])
def test_small_projected_noise_keeps_its_law_across_the_mean(family):
    # projection only shortens to second order: across the mean the noise is recovered from z
    noise, scale = Noise([3], "data", "cpu"), 1e-3
    around = sampler([Law(family, spread=scale)], 3).around
    z = around(pole(3).expand(1, N, 3), noise)[0].double().numpy()
    law = stats.laplace if family == "laplace" else stats.norm
    for axis in (0, 1):
        across = z[:, axis] / z[:, 2] / scale
        assert stats.kstest(across, law.cdf).pvalue > UNLIKELY


@pytest.mark.parametrize(
    ("law", "isotropic"),
    [
        (Law("vmf", kappa=4.0), True),
        (Law("normal", spread=0.5), True),
        (Law("laplace", spread=0.5), False),
        (Law("gennorm", shape=2.0, spread=0.5), True),
        (Law("gennorm", shape=2.0, spread=0.5, truncation=0.5), False),
        (Law("gennorm", shape=6.0, spread=0.7), False),
        (Law("isotropic-gennorm", shape=6.0, spread=0.7), True),
        (Law("student-t", shape=3.0, spread=0.5), True),
    ],
    ids=lambda value: getattr(value, "family", str(value)),
)
@pytest.mark.parametrize("project", [True, False])
def test_an_isotropic_law_has_no_preferred_direction_across_its_mean(law, isotropic, project):
    # an angle a across the mean: the mean of cos 4a is 0 by symmetry, but not for coordinates
    law = replace(law, project=project)
    assert law.isotropic == isotropic
    z = sampler([law], 3).around(pole(3).expand(1, N, 3), Noise([5], "data", "cpu"))[0]
    assert law.space(3).curved == bool((z.norm(dim=-1) - 1).abs().max() < 1e-6)
    fourth = (4 * torch.atan2(z[:, 1], z[:, 0])).cos().double()
    settled = abs(float(fourth.mean())) < 5 * float(fourth.std()) / N**0.5
    assert settled == isotropic


def test_the_space_of_latents_says_what_is_drawn_and_what_has_a_degree():
    for space in (Sphere(3), Euclidean(3)):
        assert space.net().shape == (17, 37, 3) and space.degree_in(3) and not space.degree_in(4)
        z = space.project(torch.tensor([0.0, 3.0, 4.0])).tolist()
        assert z == pytest.approx([0.0, 0.6, 0.8] if space.curved else [0.0, 3.0, 4.0])
    assert Sphere(2).net().shape[0] == 1 and Sphere(5).net().size == 0
    assert not Sphere(5).degree_in(5)


def test_normalise_leaves_the_zero_vector_finite():
    z = normalise(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
    assert torch.equal(z, torch.tensor([[0.0, 0.0], [0.6, 0.8]]))


# --- streams of noise -------------------------------------------------------------------------

KINDS = {
    "normal": lambda noise: noise.normal(64, 3),
    "uniform": lambda noise: noise.uniform(64),
    "index": lambda noise: noise.index(1000, 64),
}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@each_kind
def test_members_that_share_a_seed_share_the_noise(kind):
    a, b, c = kind(Noise([5, 3, 5], "data", "cpu"))
    assert torch.equal(a, c)
    assert not torch.equal(a, b)


@each_kind
def test_a_members_noise_does_not_depend_on_its_companions(kind):
    alone = Noise([5], "data", "cpu")
    crowd = Noise([9, 5, 0, 5, 2], "data", "cpu")
    for _ in range(3):  # later draws too
        assert torch.equal(kind(alone)[0], kind(crowd)[1])


@each_kind
def test_draws_repeat_for_a_seed_and_go_on_within_a_stream(kind):
    noise, again = Noise([1], "data", "cpu"), Noise([1], "data", "cpu")
    first = kind(noise)
    assert torch.equal(first, kind(again))
    assert not torch.equal(first, kind(noise))


def test_roles_of_a_seed_and_neighbouring_seeds_are_independent():
    streams = [torch.randn(4000, generator=generator(s, r)) for s in (0, 1, 2) for r in ROLES]
    correlation = torch.corrcoef(torch.stack(streams)) - torch.eye(len(streams))
    assert correlation.abs().max() < 5 / np.sqrt(4000)


def test_uniform_noise_never_reaches_the_ends_and_index_stays_in_range():
    noise = Noise([0], "data", "cpu")
    u = noise.uniform(100_000)
    assert u.dtype == torch.float64 and 0 < u.min() and u.max() < 1
    assert u.min() < 1e-4 and u.max() > 1 - 1e-4  # and the tails are not cut
    chosen = noise.index(7, 1000)
    assert set(chosen.flatten().tolist()) == set(range(7))


def test_pole_is_the_last_axis():
    assert pole(4).tolist() == [0, 0, 0, 1]


# --- cluster vectors ---------------------------------------------------------------------------


def vectors(law, d, n=N, seed=0):
    return cluster_vectors(generator(seed, "world"), law, n, d).double().numpy()


@pytest.mark.parametrize("law", ("uniform", "laplace", "normal", "subspace"))
@each_d
def test_cluster_vectors_are_unit_and_a_seed_repeats_them(law, d):
    v = vectors(law, d, n=50)
    np.testing.assert_allclose(np.linalg.norm(v, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(v, vectors(law, d, n=50))
    assert np.abs(v - vectors(law, d, n=50, seed=1)).max() > 0.1


@each_d
def test_uniform_cluster_vectors_are_uniform(d):
    v = vectors("uniform", d)
    # one coordinate of a uniform direction: (1 + v) / 2 is Beta((d - 1) / 2, (d - 1) / 2)
    law = stats.beta((d - 1) / 2, (d - 1) / 2)
    for axis in (0, d - 1):
        assert stats.kstest((1 + v[:, axis]) / 2, law.cdf).pvalue > UNLIKELY


@pytest.mark.parametrize(("law", "noise"), [("laplace", stats.laplace), ("normal", stats.norm)])
@pytest.mark.parametrize("d", (2, 3, 5))
def test_cluster_vectors_around_the_pole_are_projected_noise_of_scale_one(law, noise, d):
    raw = noise.rvs(size=(N, d), random_state=1)
    raw[:, -1] += 1
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)
    v = vectors(law, d)
    for axis in (0, d - 1):
        assert stats.ks_2samp(v[:, axis], raw[:, axis]).pvalue > UNLIKELY
    # the joint law as well: the largest coordinate, and a product of two
    for statistic in (lambda a: np.abs(a).max(1), lambda a: a[:, 0] * a[:, -1]):
        assert stats.ks_2samp(statistic(v), statistic(raw)).pvalue > UNLIKELY
    assert v[:, -1].mean() > 0.2


@pytest.mark.parametrize("d", (3, 5))
def test_cluster_vectors_in_a_subspace_span_all_but_the_pole(d):
    v = vectors("subspace", d)
    assert np.abs(v[:, -1]).max() == 0
    law = stats.beta((d - 2) / 2, (d - 2) / 2)
    assert stats.kstest((1 + v[:, 0]) / 2, law.cdf).pvalue > UNLIKELY
    assert np.linalg.matrix_rank(v[:50] - v[0]) == d - 1


# --- noise around a cluster vector --------------------------------------------------------------

each_shape = pytest.mark.parametrize("shape", (1.0, 1.25, 1.5, 2.0, 3.0, 8.0))
each_freedom = pytest.mark.parametrize("freedom", (0.5, 1.0, 2.0, 5.0, 30.0))


def members(*values):
    return torch.tensor(values, dtype=torch.float64)


@each_shape
def test_generalised_normal_inverts_its_distribution_from_tail_to_tail(shape):
    law = stats.gennorm(shape)
    extreme = np.concatenate([10.0 ** -np.arange(1, 16), 1 - 10.0 ** -np.arange(1, 16)])
    u = np.sort(np.concatenate([np.linspace(0.01, 0.99, 99), extreme]))
    noise = GeneralisedNormal.of(members(shape))
    found = noise.sample(torch.from_numpy(u)[None, :, None])[0, :, 0].numpy()
    np.testing.assert_allclose(found, law.ppf(u), rtol=2e-4, atol=1e-6)


@each_shape
def test_generalised_normal_knows_its_distribution(shape):
    e = np.linspace(-4, 4, 41)
    noise = GeneralisedNormal.of(members(shape))
    found = noise.cdf(torch.from_numpy(e)[None, :, None])[0, :, 0].numpy()
    np.testing.assert_allclose(found, stats.gennorm(shape).cdf(e), atol=1e-12)
    ends = noise.cdf(torch.tensor([[[-np.inf], [np.inf]]], dtype=torch.float64))
    assert ends.flatten().tolist() == [0.0, 1.0]


@each_shape
@pytest.mark.parametrize(("low", "high"), [(-0.5, 1.5), (-np.inf, 0.3), (0.2, 0.4), (-3, -1)])
def test_truncated_noise_is_the_law_within_its_bounds(shape, low, high):
    noise = GeneralisedNormal.of(members(shape))
    u = Noise([0], "data", "cpu").uniform(N, 1)
    bounds = (torch.full_like(u, end, dtype=torch.float64) for end in (low, high))
    e = noise.between(*bounds, u)[0, :, 0].double().numpy()
    law = stats.gennorm(shape)
    below, above = law.cdf([low, high])
    assert low - 1e-5 <= e.min() and e.max() <= high + 1e-5
    assert stats.kstest((law.cdf(e) - below) / (above - below), "uniform").pvalue > UNLIKELY


def test_noise_without_bounds_is_the_noise_itself_to_the_bit():
    noise = GeneralisedNormal.of(members(1.5))
    u = Noise([0], "data", "cpu").uniform(500, 3)
    endless = torch.full_like(u, np.inf)
    torch.testing.assert_close(noise.between(-endless, endless, u), noise.sample(u), rtol=0, atol=0)


@each_freedom
def test_chi_squared_inverts_its_distribution_from_tail_to_tail(freedom):
    extreme = np.concatenate([10.0 ** -np.arange(1, 16), 1 - 10.0 ** -np.arange(1, 16)])
    u = np.sort(np.concatenate([np.linspace(0.01, 0.99, 99), extreme]))
    found = ChiSquared.of(members(freedom)).sample(torch.from_numpy(u)[None])[0].numpy()
    np.testing.assert_allclose(found, stats.chi2(freedom).ppf(u), rtol=3e-4)


def test_members_of_different_laws_do_not_mix():
    u = Noise([3], "data", "cpu").uniform(200, 2)
    shapes = (1.0, 2.0, 8.0)
    together = GeneralisedNormal.of(members(*shapes)).sample(u.expand(3, -1, -1))
    for i, shape in enumerate(shapes):
        alone = GeneralisedNormal.of(members(shape)).sample(u)
        torch.testing.assert_close(together[i], alone[0], rtol=0, atol=0)
