"""Closed forms against quadrature, scipy, Monte Carlo and the losses that are trained."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import gamma
from scipy.stats import uniform_direction, vonmises_fisher

from core import metrics, theory
from core.laws import vmf
from core.laws.densities import log_density
from core.laws.law import Law
from core.laws.samplers import VMF, Noise
from core.objectives import INFO_NCE

each_d = pytest.mark.parametrize("d", (2, 3, 5, 10, 20), ids=lambda d: f"d={d}")
each_kappa = pytest.mark.parametrize(
    "kappa", (0.1, 1.0, 10.0, 100.0, 500.0), ids=lambda k: f"kappa={k:g}"
)


def pairs(d, kappa, batch, marginal_kappa=0.0, seed=0):
    """Endless batches (z, z_pos), each (batch, d), from the samplers that training uses."""
    noise = Noise([seed], "floor", "cpu")
    marginal, conditional = (
        VMF.of(torch.tensor([k], dtype=torch.float64), d) for k in (marginal_kappa, kappa)
    )
    mean = torch.eye(d)[-1].expand(1, batch, d)
    while True:
        z = marginal.sample(mean, noise.uniform(batch), noise.normal(batch, d))
        z_pos = conditional.sample(z, noise.uniform(batch), noise.normal(batch, d))
        yield z[0].double().numpy(), z_pos[0].double().numpy()


@pytest.mark.parametrize(("d", "area"), [(1, 2), (2, 2 * np.pi), (3, 4 * np.pi), (4, 2 * np.pi**2)])
def test_sphere_area_is_the_schoolbook_one(d, area):
    assert vmf.log_sphere_area(d) == pytest.approx(np.log(area))


@each_d
@each_kappa
def test_vmf_density_integrates_to_one(kappa, d):
    log_c = float(vmf.log_normaliser(kappa, d))

    def ring(theta):  # all points at one polar angle
        return np.exp(
            log_c + kappa * np.cos(theta) + vmf.log_sphere_area(d - 1)
            + (d - 2) * np.log(np.sin(theta))
        )  # fmt: skip

    width = 1 / np.sqrt(kappa + d)
    cuts = sorted({0.0, np.pi, *np.clip(width * np.array([1, 2, 4, 8, 16]), 0, np.pi)})
    total = sum(quad(ring, a, b, epsabs=1e-12)[0] for a, b in pairwise(cuts))
    assert total == pytest.approx(1, abs=1e-8)


@each_d
@each_kappa
def test_normaliser_is_scipys(kappa, d):
    v = np.eye(d)[0]
    expected = vonmises_fisher(v, kappa).logpdf(v) - kappa
    assert float(vmf.log_normaliser(kappa, d)) == pytest.approx(expected, abs=1e-8)


@each_d
def test_normaliser_tends_to_the_uniform_density(d):
    for kappa in (0.0, 1e-12, 1e-6):
        value = float(vmf.log_normaliser(kappa, d))
        assert value == pytest.approx(-vmf.log_sphere_area(d), abs=1e-6)


@pytest.mark.parametrize("d", (2, 20, 64, 200))
@pytest.mark.parametrize("kappa", (0.0, 1e-3, 1.0, 1500.0, 1e5))
def test_normaliser_is_finite_in_large_dimensions_and_concentrations(kappa, d):
    assert np.isfinite(vmf.log_normaliser(kappa, d))


def test_normaliser_takes_arrays_and_falls_smoothly_across_its_two_branches():
    kappa = np.geomspace(1e-6, 1e3, 400)
    for d in (20, 60, 150):
        value = vmf.log_normaliser(kappa, d)
        assert value.shape == kappa.shape
        # log C falls, ever faster up to slope 1 (its slope is minus the mean cosine)
        assert (np.diff(value) <= 1e-9).all()
        assert (np.diff(value) >= -np.diff(kappa) - 1e-9).all()


@each_kappa
def test_mean_cosine_at_three_dimensions_is_langevins(kappa):
    assert vmf.mean_cosine(kappa, 3) == pytest.approx(1 / np.tanh(kappa) - 1 / kappa)


@each_d
@each_kappa
def test_mean_cosine_is_minus_the_slope_of_the_log_normaliser(kappa, d):
    h = 1e-4 * kappa
    slope = float(vmf.log_normaliser(kappa + h, d) - vmf.log_normaliser(kappa - h, d)) / (2 * h)
    assert vmf.mean_cosine(kappa, d) == pytest.approx(-slope, rel=1e-5)


@each_d
def test_mean_cosine_is_zero_at_zero_and_one_at_infinity(d):
    assert vmf.mean_cosine(0, d) == 0
    assert vmf.mean_cosine(1e6, d) == pytest.approx(1, abs=1e-4)


@each_kappa
def test_information_at_three_dimensions_has_a_closed_form(kappa):
    log_sinh = kappa + np.log1p(-np.exp(-2 * kappa)) - np.log(2)
    expected = np.log(kappa) - log_sinh + kappa / np.tanh(kappa) - 1
    assert theory.vmf_information(kappa, 3) == pytest.approx(expected, abs=1e-9)


def test_information_of_the_default_world_is_two_nats():
    assert theory.vmf_information(10, 3) == pytest.approx(1.996, abs=5e-4)


@each_d
@pytest.mark.parametrize("kappa", (1.0, 30.0))
def test_information_is_the_mean_log_ratio_of_scipys_densities(kappa, d):
    v = np.eye(d)[0]
    law = vonmises_fisher(v, kappa)
    drawn = law.rvs(40_000, random_state=5)
    area = 2 * np.pi ** (d / 2) / gamma(d / 2)
    ratio = law.logpdf(drawn) + np.log(area)
    error = ratio.std() / np.sqrt(len(drawn))
    assert theory.vmf_information(kappa, d) == pytest.approx(ratio.mean(), abs=5 * error)


@each_d
def test_information_grows_from_zero(d):
    values = [theory.vmf_information(kappa, d) for kappa in (0, 0.1, 1, 10, 100)]
    assert values[0] == pytest.approx(0, abs=1e-9)
    assert np.all(np.diff(values) > 0)


# --- density ratios ---------------------------------------------------------------------------


def globe(nodes=80):
    """Quadrature on S^2: points (n, 3) and weights (n,), exact for smooth functions."""
    height, weight = np.polynomial.legendre.leggauss(nodes)
    longitude = 2 * np.pi * np.arange(2 * nodes) / (2 * nodes)
    h, phi = np.meshgrid(height, longitude, indexing="ij")
    flat = np.sqrt(1 - h**2)
    points = np.stack([flat * np.cos(phi), flat * np.sin(phi), h], -1).reshape(-1, 3)
    return points, np.repeat(weight, 2 * nodes) * np.pi / nodes


@pytest.mark.parametrize("d", (2, 3, 5, 10))
@pytest.mark.parametrize("kappa", (0.01, 1.0, 10.0, 100.0, 1000.0))
def test_total_variation_is_the_integral_of_how_far_the_densities_are_apart(kappa, d):
    def difference(theta):  # scipy's density where it is above the uniform one, by latitude
        point = np.r_[np.cos(theta), np.sin(theta), np.zeros(d - 2)]
        above = vonmises_fisher(np.eye(d)[0], kappa).pdf(point) - 1 / whole
        return parallels * max(above, 0.0) * np.sin(theta) ** (d - 2)

    whole, parallels = (np.exp(vmf.log_sphere_area(n)) for n in (d, d - 1))
    narrow = 8 / np.sqrt(kappa)
    parts = ((0, min(narrow, np.pi)), (min(narrow, np.pi), np.pi))
    expected = sum(quad(difference, *part, limit=400)[0] for part in parts)
    assert vmf.total_variation(kappa, d) == pytest.approx(expected, abs=1e-5)


def test_total_variation_at_three_dimensions_is_what_counting_points_gives():
    kappa, n = 5.0, 200_000
    edge = float(vmf.log_psi(3, kappa)) / kappa  # beyond it the density is above the uniform one
    points = vonmises_fisher(np.eye(3)[2], kappa).rvs(n, random_state=4)
    counted = (points[:, 2] > edge).mean() - (1 - edge) / 2
    assert vmf.total_variation(kappa, 3) == pytest.approx(counted, abs=4 * 0.5 / np.sqrt(n))


def test_total_variation_begins_at_0_rises_and_ends_at_1():
    for d in (2, 3, 10):
        found = [vmf.total_variation(kappa, d) for kappa in (0.0, 1e-5, 0.1, 1.0, 10.0, 1e3, 1e5)]
        assert found[:2] == [0.0, 0.0] and np.all(np.diff(found[1:]) > 0) and found[-1] <= 1
        assert found[-1] > 0.99


@pytest.mark.parametrize("marginal_kappa", (0.0, 2.0, 20.0))
@pytest.mark.parametrize("kappa", (1.0, 10.0))
def test_log_ratio_is_the_conditional_over_the_quadrature_of_its_mixture(kappa, marginal_kappa):
    pole = np.array([0.6, 0.0, 0.8])
    other = uniform_direction(3).rvs(30, random_state=6)
    z = uniform_direction(3).rvs(5, random_state=7)
    points, weights = globe()
    marginal = (
        vonmises_fisher(pole, marginal_kappa).pdf(points)
        if marginal_kappa else np.full(len(points), 1 / (4 * np.pi))
    )  # fmt: skip
    conditional = np.array([vonmises_fisher(p, kappa).pdf(other) for p in points])
    p_other = (weights * marginal) @ conditional
    expected = np.array([vonmises_fisher(a, kappa).logpdf(other) for a in z]) - np.log(p_other)
    ratio = theory.vmf_log_ratio(kappa, marginal_kappa, pole)(z, other)
    assert ratio.shape == (5, 30)
    difference = ratio - expected  # a constant, which InfoNCE does not see
    np.testing.assert_allclose(difference, difference[0, 0], atol=1e-6)


def test_log_ratio_in_five_dimensions_agrees_with_monte_carlo():
    d, kappa, marginal_kappa = 5, 4.0, 3.0
    pole = np.eye(d)[-1]
    other = uniform_direction(d).rvs(6, random_state=8)
    anchors = vonmises_fisher(pole, marginal_kappa).rvs(200_000, random_state=9)
    log_c = vonmises_fisher(pole, kappa).logpdf(pole) - kappa
    density = np.exp(log_c + kappa * anchors @ other.T)  # (anchors, other)
    p_other = density.mean(0)
    z = np.eye(d)[:1]
    expected = log_c + kappa * (z @ other.T)[0] - np.log(p_other)
    difference = theory.vmf_log_ratio(kappa, marginal_kappa, pole)(z, other)[0] - expected
    error = density.std(0) / p_other / np.sqrt(len(anchors))
    assert np.abs(difference - difference.mean()).max() < 6 * error.max()


def test_log_ratio_of_a_uniform_marginal_is_kappa_times_the_cosine():
    z, other = uniform_direction(4).rvs(7, random_state=1), uniform_direction(4).rvs(9)
    ratio = theory.vmf_log_ratio(3.0, 0.0, np.eye(4)[-1])(z, other)
    difference = ratio - 3.0 * z @ other.T
    np.testing.assert_allclose(difference, difference[0, 0], atol=1e-12)


# --- the loss at the truth --------------------------------------------------------------------


@pytest.mark.parametrize("negatives", INFO_NCE)
@pytest.mark.parametrize(("d", "kappa"), [(2, 1.0), (3, 10.0), (10, 100.0)])
def test_loss_at_the_truth_is_the_trained_loss_of_a_perfect_encoder(d, kappa, negatives):
    # back on the sphere in double precision: the ratio's marginal feels the rounding of |z|
    z, z_pos = (p / np.linalg.norm(p, axis=1, keepdims=True) for p in next(pairs(d, kappa, 64)))
    ratio = theory.vmf_log_ratio(kappa, 0.0, np.eye(d)[-1])
    trained = INFO_NCE[negatives](
        torch.from_numpy(z)[None], torch.from_numpy(z_pos)[None],
        torch.tensor([1 / kappa], dtype=torch.float64),
    )  # fmt: skip
    ours = theory.info_nce_at(ratio, z, z_pos, negatives)
    assert ours == pytest.approx(float(trained), abs=1e-9)


@pytest.mark.parametrize(
    ("d", "kappa", "batch", "negatives", "expected"),
    [
        (3, 10, 256, "views", 3.54),
        (3, 10, 256, "anchors", 3.63),
        (3, 100, 256, "views", 1.44),
        (3, 100, 256, "anchors", 2.00),
        (10, 10, 512, "views", 3.80),
        (10, 10, 512, "anchors", 4.42),
    ],
)
def test_loss_floor_reproduces_the_measured_table(d, kappa, batch, negatives, expected):
    ratio = theory.vmf_log_ratio(kappa, 0.0, np.eye(d)[-1])
    floor, batches = theory.loss_floor(ratio, pairs(d, kappa, batch), negatives)
    assert floor == pytest.approx(expected, abs=0.05)
    assert batches >= 8


def test_loss_floor_tends_to_log_batch_minus_information_for_many_negatives():
    # log M - I is the limit of M >> e^I: here I = 0.3 nats and M = 512
    ratio = theory.vmf_log_ratio(1.5, 0.0, np.eye(3)[-1])
    floor, _ = theory.loss_floor(ratio, pairs(3, 1.5, 512), "views")
    assert floor == pytest.approx(np.log(512) - theory.vmf_information(1.5, 3), abs=0.03)


@pytest.mark.parametrize("marginal_kappa", (0.0, 10.0))
def test_no_other_critic_beats_the_true_ratio_with_views_as_negatives(marginal_kappa):
    d, kappa = 3, 10.0
    batches = [b for b, _ in zip(pairs(d, kappa, 128, marginal_kappa), range(30), strict=False)]
    pole = np.eye(d)[-1]

    def mean_loss(critic):
        return np.mean([theory.info_nce_at(critic, *batch, "views") for batch in batches])

    truth = mean_loss(theory.vmf_log_ratio(kappa, marginal_kappa, pole))
    for other in (
        theory.vmf_log_ratio(kappa / 2, marginal_kappa, pole),
        theory.vmf_log_ratio(2 * kappa, marginal_kappa, pole),
        theory.vmf_log_ratio(kappa, marginal_kappa + 10, pole),
        lambda z, z_pos: np.zeros((len(z), len(z_pos))),
    ):
        assert truth < mean_loss(other)


def test_loss_floor_is_settled_to_its_standard_error_or_is_none():
    ratio = theory.vmf_log_ratio(10.0, 0.0, np.eye(3)[-1])
    few = [b for b, _ in zip(pairs(3, 10.0, 32), range(5), strict=False)]
    assert theory.loss_floor(ratio, iter(few), "views") == (None, 5)
    floor, batches = theory.loss_floor(ratio, pairs(3, 10.0, 32), "views")
    again, _ = theory.loss_floor(ratio, pairs(3, 10.0, 32, seed=1), "views")
    assert abs(floor - again) < 5 * np.sqrt(2) * theory.STANDARD_ERROR
    values = [
        theory.info_nce_at(ratio, *b, "views")
        for b, _ in zip(pairs(3, 10.0, 32), range(batches), strict=False)
    ]
    assert floor == pytest.approx(np.mean(values))
    assert np.std(values, ddof=1) / np.sqrt(batches) <= theory.STANDARD_ERROR


@pytest.mark.parametrize("angle", (0, 20, 45, 70, 90, 135, 180))
def test_rotation_scores_are_what_the_metrics_measure(angle):
    z = np.random.default_rng(0).normal(size=(40_000, 2))
    radian = np.deg2rad(angle)
    turn = np.array([[np.cos(radian), -np.sin(radian)], [np.sin(radian), np.cos(radian)]])
    expected = theory.rotation_scores(angle)
    assert metrics.linear_r2(z, z @ turn) == pytest.approx(expected[0])
    # sampling error of a correlation
    assert metrics.mcc(z, z @ turn) == pytest.approx(expected[1], abs=0.015)


# --- vMF clusters ------------------------------------------------------------------------------


def unit(count, d, seed=0):
    v = np.random.default_rng(seed).normal(size=(count, d))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def softmax(logits):
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


@pytest.mark.parametrize(("copies", "noise"), [(1, 0.0), (1, 0.3), (4, 0.0), (4, 0.3), (1, 1.0)])
def test_label_posterior_is_bayes_over_all_labels(copies, noise):
    v, z, kappa, count = unit(6, 3), unit(20_000, 3, 1), 7.0, 6
    cluster = np.repeat(np.arange(count), copies)
    density = np.stack([vonmises_fisher(v[c], kappa).pdf(z) for c in cluster], 1)
    clean = density / density.sum(1, keepdims=True)
    expected = (1 - noise) * clean + noise / len(cluster)
    found = theory.label_posterior(
        log_density(Law("vmf", kappa), z, v), np.full(count, float(copies)), noise
    )
    np.testing.assert_allclose(found[:, cluster], expected, rtol=1e-10)
    entropy = -(expected * np.log(expected)).sum(1).mean()
    assert theory.bayes_cross_entropy(found, np.full(count, float(copies))) == pytest.approx(
        entropy, rel=1e-10
    )


def test_labels_may_be_shared_out_unevenly():
    v, z = unit(3, 3), unit(20, 3, 1)
    instances = np.array([1.0, 2.0, 5.0])
    found = theory.label_posterior(log_density(Law("vmf", 4.0), z, v), instances, 0.2)
    np.testing.assert_allclose(found @ instances, 1, rtol=1e-12)
    cluster = np.repeat(np.arange(3), [1, 2, 5])
    expected = 0.8 * softmax(4.0 * z @ v[cluster].T) + 0.2 / 8
    np.testing.assert_allclose(found[:, cluster], expected, rtol=1e-12)


def test_bayes_cross_entropy_runs_from_certainty_to_chance():
    v, z, ones = unit(5, 3), unit(20_000, 3, 1), np.ones(5)

    def value(kappa, noise=0.0):
        likelihood = log_density(Law("vmf", kappa), z, v)
        return theory.bayes_cross_entropy(theory.label_posterior(likelihood, ones, noise), ones)

    assert value(0.0) == pytest.approx(np.log(5)) == value(10.0, noise=1.0)
    assert value(3000.0) < 0.02
    assert value(10.0) < value(3.0) < value(1.0) and value(10.0) < value(10.0, 0.3)


def test_a_floor_that_few_latents_leave_unsettled_is_none():
    v, ones = unit(5, 3), np.ones(5)
    likelihood = log_density(Law("vmf", 10.0), unit(20, 3, 1), v)
    assert theory.bayes_cross_entropy(theory.label_posterior(likelihood, ones, 0.0), ones) is None


@pytest.mark.parametrize(("d", "count"), [(2, 5), (3, 9), (5, 20), (10, 65)])
def test_only_the_sphere_holds_generic_clusters_from_the_count_on(d, count):
    assert d * (d + 3) // 2 == count
    assert len(theory.quadrics(unit(count, d))) == 0
    for fewer in (1, 2, 3):
        assert len(theory.quadrics(unit(count - fewer, d))) == fewer


@pytest.mark.parametrize(("d", "count"), [(2, 4), (3, 6), (5, 10), (5, 19)])
def test_below_the_count_minimisers_of_c3_exist_that_are_no_rotations(d, count):
    """Unit rows, the Bayes posterior to 1e-12, and a map that is not orthogonal."""
    v, z, kappa = unit(count, d), unit(500, d, 1), 10.0
    # the paper's condition for C3 holds: [v * v, v] has rank 2d
    assert count < 2 * d or np.linalg.matrix_rank(np.column_stack([v * v, v])) == 2 * d
    for quadric in theory.quadrics(v):
        homogeneous = np.column_stack([v, np.ones(count)])
        on_it = np.einsum("ci,ij,cj->c", homogeneous, quadric, homogeneous)
        np.testing.assert_allclose(on_it, 0, atol=1e-12)
        m, psi = theory.c3_counterexample(v, quadric, 0.3)
        w = v @ m.T + psi
        h = kappa * z @ np.linalg.inv(m)
        np.testing.assert_allclose(np.linalg.norm(w, axis=1), 1, atol=1e-12)
        assert np.abs(softmax(h @ w.T) - softmax(kappa * z @ v.T)).max() < 1e-12
        singular = np.linalg.svd(m, compute_uv=False)
        assert singular[0] / singular[-1] > 1.02
        # what the scores make of it: a linear map, not an orthogonal one
        assert metrics.linear_r2(z, h) == pytest.approx(1)
        assert metrics.singular_value_mae(z, h, 1 / kappa) > 0.005
        cluster = np.arange(count)
        turned = metrics.v_orthogonal_r2(v, w, cluster)
        assert turned is None or turned < 0.999
        assert count <= d + 1 or metrics.v_r2(v, w, cluster) == pytest.approx(1)


def test_the_family_begins_at_the_identity_and_ends_where_no_ellipsoid_is():
    v = unit(4, 2)
    (quadric,) = theory.quadrics(v)
    m, psi = theory.c3_counterexample(v, quadric, 0.0)
    np.testing.assert_allclose(m, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(psi, 0, atol=1e-12)
    with pytest.raises(ValueError, match="eps = 50 is too large"):
        theory.c3_counterexample(v, quadric, 50.0)


def test_the_limit_of_large_batches_is_left_out_where_it_would_be_negative():
    assert theory.large_batch_limit(256, 10.0, 3) == pytest.approx(3.55, abs=0.01)
    assert theory.large_batch_limit(256, 500.0, 3) is None
    assert theory.large_batch_limit(4096, 500.0, 3) == pytest.approx(
        np.log(4096) - theory.vmf_information(500.0, 3)
    )
