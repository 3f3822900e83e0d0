"""Exact densities and information of linear images against samples, quadrature and closed forms."""

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.special import hyp0f1, iv
from scipy.stats import ortho_group, vonmises_fisher
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from core import metrics
from core.laws import leakage, vmf

each_d = pytest.mark.parametrize("d", (2, 3, 5, 8, 12))


def world(d, rank, classes, offset=0.3, kappa=10.0, seed=0):
    """Centres v_e = h q + sqrt(1 - h^2) w_e (k, d), kappas, V's basis and its complement's."""
    rng = np.random.default_rng(seed)
    basis = ortho_group.rvs(d, random_state=seed)
    w = rng.normal(size=(classes, rank))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    v = offset * basis[rank] + np.sqrt(1 - offset**2) * w @ basis[:rank]
    return v, np.full(classes, kappa), basis[:rank], basis[rank:]


def sample(v, kappa, n, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(len(v), size=n)
    a = np.empty((n, v.shape[1]))
    for e in range(len(v)):
        law = vonmises_fisher(v[e] / np.linalg.norm(v[e]), kappa[e], seed=rng)
        a[y == e] = law.rvs(int((y == e).sum()))
    return a, y


@pytest.mark.parametrize("d", (1, 2, 3, 5, 12))
def test_log_psi_is_the_confluent_series_and_finite_at_large_arguments(d):
    s = np.array([0.0, 1e-6, 1e-3, 0.1, 1.0, 5.0, 20.0])
    np.testing.assert_allclose(vmf.log_psi(d, s), np.log(hyp0f1(d / 2, s**2 / 4)), atol=1e-10)
    assert np.isfinite(vmf.log_psi(d, np.array([1e3, 1e5]))).all()


@each_d
def test_mgf_is_that_of_samples(d):
    v, kappa, _, _ = world(d, 1, 2)
    a, y = sample(v, kappa, 60_000)
    m = np.random.default_rng(1).normal(size=(1, d))
    for e in range(2):
        moment = np.exp(a[y == e] @ m.T)[:, 0]
        error = moment.std() / len(moment) ** 0.5
        expected = np.exp(leakage.log_mgf(m, v[e], 10.0, d))[0]
        assert moment.mean() == pytest.approx(expected, abs=5 * error)


@pytest.mark.parametrize(("d", "m"), [(2, 1), (3, 1), (3, 2), (5, 1), (5, 2), (12, 2)])
@pytest.mark.parametrize("kappa", (0.5, 10.0, 100.0))
def test_image_density_integrates_to_one(d, m, kappa):
    v, _, _, _ = world(d, 1, 2)
    q = ortho_group.rvs(d, random_state=3)[:m]
    kappas = np.full(2, kappa)

    def density(*b):
        return np.exp(leakage.log_image_density(np.array([b]), v @ q.T, kappas, d))[0, 0]

    if m == 1:
        total = quad(lambda t: density(np.sin(t)) * np.cos(t), -np.pi / 2, np.pi / 2, limit=400)[0]
    else:
        total = dblquad(
            lambda t, p: density(np.sin(t) * np.cos(p), np.sin(t) * np.sin(p))
            * np.sin(t) * np.cos(t),
            0, 2 * np.pi, 0, np.pi / 2, epsabs=1e-7,
        )[0]  # fmt: skip
    assert total == pytest.approx(1, abs=1e-5)
    b, log_weight = leakage._ball_nodes(m)
    log_p = leakage.log_image_density(b, v @ q.T, kappas, d)[:, 0]
    assert np.exp(log_p + log_weight).sum() == pytest.approx(1, abs=1e-6)


def test_in_three_dimensions_the_density_is_the_bessel_form():
    kappa, mean, b = 10.0, 0.4, np.linspace(-0.95, 0.95, 21)
    expected = kappa / (2 * np.sinh(kappa)) * np.exp(kappa * mean * b)
    expected = expected * iv(0, kappa * np.sqrt((1 - mean**2) * (1 - b**2)))
    found = leakage.log_image_density(b[:, None], np.array([[mean]]), np.array([kappa]), 3)
    np.testing.assert_allclose(np.exp(found[:, 0]), expected, rtol=1e-10)


@pytest.mark.parametrize(("d", "m"), [(3, 1), (5, 2), (8, 5), (8, 7)])
def test_image_density_is_that_of_samples(d, m):
    """Held against each other by a class's posterior in bins of the true code."""
    v, kappa, _, _ = world(d, 2, 3)
    q = ortho_group.rvs(d, random_state=3)[:m]
    a, y = sample(v, kappa, 60_000)
    log_p = leakage.log_image_density(a @ q.T, v @ q.T, kappa, d)
    posterior = np.exp(log_p - log_p.max(1, keepdims=True))
    posterior /= posterior.sum(1, keepdims=True)
    for e in range(3):
        bins = np.digitize(posterior[:, e], np.linspace(0, 1, 11)[1:-1])
        for k in np.unique(bins):
            inside = bins == k
            if inside.sum() > 300:
                share = posterior[inside, e].mean()
                error = np.sqrt(share * (1 - share) / inside.sum()) + 1e-3
                assert (y[inside] == e).mean() == pytest.approx(share, abs=5 * error)


@pytest.mark.parametrize(("d", "rank", "classes"), [(3, 2, 3), (3, 1, 2), (8, 3, 4), (12, 4, 8)])
def test_outside_the_differences_nothing_is_told(d, rank, classes):
    v, kappa, inside, outside = world(d, rank, classes)
    samples = sample(v, kappa, 20_000)
    value, error = leakage.information(outside, v, kappa, samples)
    assert value == pytest.approx(0, abs=1e-9) and error < 1e-9
    most, _ = leakage.information(inside[:1], v, kappa, samples)
    assert 0.05 < most < np.log(classes)


def test_concentrations_that_differ_tell_of_the_class_even_there():
    v, _, _, outside = world(8, 3, 4, offset=0.0)
    kappa = np.array([5.0, 10.0, 20.0, 40.0])
    value, error = leakage.information(outside, v, kappa, sample(v, kappa, 60_000))
    assert value > 0.2 > 20 * error


@pytest.mark.parametrize("m", (1, 2))
def test_quadrature_and_samples_agree_on_the_information(m):
    v, kappa, _, _ = world(5, 3, 4)
    q = ortho_group.rvs(5, random_state=1)[:m]
    exact, none = leakage.information(q, v, kappa)
    a, y = sample(v, kappa, 60_000)
    log_p = leakage.log_image_density(a @ q.T, v @ q.T, kappa, 5)
    ratio = log_p[np.arange(len(y)), y] - np.log(np.exp(log_p).mean(1))
    assert none == 0 and exact == pytest.approx(ratio.mean(), abs=5 * ratio.std() / len(y) ** 0.5)


def test_information_grows_as_the_square_of_a_small_angle():
    v, kappa, inside, outside = world(3, 2, 3)
    angles = np.deg2rad([2.0, 4.0])
    values = [
        leakage.information(np.cos(t) * outside + np.sin(t) * inside[:1], v, kappa)[0]
        for t in angles
    ]
    assert values[1] / values[0] == pytest.approx(4, rel=0.05)


def test_codes_of_many_dimensions_need_samples():
    v, kappa, inside, _ = world(8, 3, 4)
    with pytest.raises(ValueError, match="codes of 3 dimensions need samples"):
        leakage.information(inside, v, kappa)


@pytest.mark.parametrize(("d", "rank", "classes"), [(3, 2, 3), (8, 3, 4), (12, 4, 8)])
def test_null_space_of_mean_differences_nears_the_complement_as_data_grow(d, rank, classes):
    v, kappa, inside, outside = world(d, rank, classes)
    found, rest = (basis.T for basis in metrics.span(v))
    assert leakage.largest_angle(found, inside) < 1e-5
    assert leakage.largest_angle(rest, outside) < 1e-5
    angles = []
    for n in (500, 50_000):
        a, y = sample(v, kappa, n)
        means = leakage.class_means(a, y, classes)
        angles.append(leakage.largest_angle(metrics.span(means, rank)[1].T, outside))
    assert angles[1] < angles[0] and angles[1] < 1.5


@pytest.mark.parametrize(("d", "rank", "classes"), [(3, 2, 3), (8, 3, 4)])
def test_erasure_keeps_the_null_space_of_the_mean_differences(d, rank, classes):
    v, kappa, _, _ = world(d, rank, classes)
    a, y = sample(v, kappa, 4000)
    matrix, offset = leakage.eraser(a, y, classes)
    erased = a @ matrix + offset
    means = leakage.class_means(a, y, classes)
    assert np.ptp(leakage.class_means(erased, y, classes), axis=0).max() < 1e-9
    assert np.ptp(means, axis=0).max() > 0.1
    _, s, vt = np.linalg.svd(matrix.T)
    rest = metrics.span(means, rank)[1].T
    assert leakage.largest_angle(vt[: (s > 1e-9).sum()], rest) < 1e-5


def blobs(n=4000, d=5, classes=3, seed=0):
    """Correlated points (n, d) around class means, and their classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=n)
    mixing = rng.normal(size=(d, d))
    return (rng.normal(size=(n, d)) + 2 * rng.normal(size=(classes, d))[y]) @ mixing + 3, y


def test_erasure_leaves_a_linear_probe_that_succeeded_no_better_than_a_constant():
    x, y = blobs()
    matrix, offset = leakage.eraser(x, y, 3)
    once = x @ matrix + offset
    shares = np.bincount(y) / len(y)
    known = -(shares * np.log(shares)).sum()  # nats, of a classifier that sees nothing
    losses = []
    for each in (x, once):
        scaled = (each - each.mean(0)) / each.std(0)
        probe = LogisticRegression(max_iter=2000).fit(scaled, y)
        losses.append(log_loss(y, probe.predict_proba(scaled)))
    assert losses[0] < 0.5 * known and losses[1] == pytest.approx(known, abs=1e-6)
    np.testing.assert_allclose(once @ matrix + offset, once, atol=1e-9)  # nothing is left to erase
    np.testing.assert_allclose(once.mean(0), x.mean(0), atol=1e-9)
    assert np.linalg.matrix_rank(np.eye(5) - matrix, tol=1e-9) == 2


def test_erasure_changes_the_points_less_than_any_other_projection_that_does_it():
    x, y = blobs()
    matrix, offset = leakage.eraser(x, y, 3)
    least = ((x @ matrix + offset - x) ** 2).sum()
    means = leakage.class_means(x, y, 3)
    inside = metrics.span(means)[0].T
    rng = np.random.default_rng(1)
    centred = x - x.mean(0)
    for trial in range(50):
        # an oblique projection along V: P with P V = V; the orthogonal one comes first
        other = inside if trial == 0 else inside + 0.3 * rng.normal(size=inside.shape)
        along = inside.T @ np.linalg.inv(other @ inside.T) @ other
        erased = centred - centred @ along.T
        assert np.ptp(leakage.class_means(erased, y, 3), axis=0).max() < 1e-9
        assert ((erased - centred) ** 2).sum() > least


def test_erasure_survives_a_dimension_that_says_nothing():
    x, y = blobs()
    flat = np.column_stack([x, np.ones(len(x)), x[:, 0]])
    matrix, offset = leakage.eraser(flat, y, 3)
    erased = flat @ matrix + offset
    assert np.ptp(leakage.class_means(erased, y, 3), axis=0).max() < 1e-8
    np.testing.assert_allclose(erased[:, 5], 1, atol=1e-9)


@pytest.mark.parametrize("angle", (1e-5, 0.3, 45.0, 89.9))
def test_largest_angle_is_accurate_from_end_to_end(angle):
    t = np.deg2rad(angle)
    one, other = np.eye(4)[:2], np.eye(4)[:2].copy()
    other[1] = [0, np.cos(t), np.sin(t), 0]
    assert leakage.largest_angle(one, other) == pytest.approx(angle, rel=1e-6)
    assert leakage.largest_angle(one, np.zeros((0, 4))) == 90


def test_many_directions_at_once_are_those_one_by_one():
    v, kappa, _, _ = world(3, 2, 3)
    u = np.random.default_rng(4).normal(size=(7, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    one_by_one = [leakage.information(each[None], v, kappa)[0] for each in u]
    found = leakage.direction_information(u, v, np.full(3, 10.0))
    np.testing.assert_allclose(found, one_by_one, atol=1e-12)


def test_the_leakiest_direction_of_a_code_is_the_one_nearest_to_v():
    rng = np.random.default_rng(5)
    inside = np.eye(5)[:2]
    rows = rng.normal(size=(6, 3, 5))
    for row, u in zip(rows, leakage.leakiest(rows, inside), strict=True):
        assert np.linalg.norm(u) == pytest.approx(1)
        assert np.linalg.matrix_rank(np.vstack([row, u]), tol=1e-9) == 3
        others = rng.normal(size=(500, 3)) @ row
        others /= np.linalg.norm(others, axis=1, keepdims=True)
        assert np.linalg.norm(others @ inside.T, axis=1).max() <= np.linalg.norm(u @ inside.T)


def test_the_leakiest_direction_keeps_its_sign_while_it_moves():
    angle = np.linspace(0, 3, 40)
    rows = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)[:, None]
    rows[::3] *= -1
    u = leakage.leakiest(rows, np.eye(3)[:1])
    assert (u[1:] * u[:-1]).sum(1).min() > 0.99
