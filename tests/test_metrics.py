"""Known answers for every score, and scikit-learn, scipy and brute force beside them."""

from itertools import permutations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from core import metrics

N = 4000
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(N, 2))
TURN = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
SHUFFLE = np.array([[0.0, -3.0], [2.0, 0.0]])
AFFINE = Z @ np.array([[1.0, 2.0], [0.5, -1.0]]) + np.array([5.0, -7.0])
NOISE = RNG.normal(size=(N, 2))
WIDER = np.column_stack([NOISE[:, 0], Z[:, 1], Z[:, 0]])
PADDED = np.column_stack([Z, NOISE])
ANY = None  # not asserted

# z_hat, then linear_r2, orthogonal_r2, mcc, singular_value_mae
KNOWN = {
    "identity": (Z, 1, 1, 1, 0),
    "permuted and flipped": (Z[:, ::-1] * [1, -1], 1, 1, 1, 0),
    "permuted, flipped and scaled": (Z @ SHUFFLE, 1, ANY, 1, (2 / 3 + 1 / 2) / 2),
    "doubled": (2 * Z, 1, 1, 1, 0.5),
    "rotated by 45 degrees": (Z @ TURN, 1, 1, np.sqrt(0.5), 0),
    "independent noise": (NOISE, 0, 0, 0, 1),
    "affine with an offset": (AFFINE, 1, ANY, ANY, ANY),
    "shifted": (Z + 3, 1, ANY, 1, ANY),
    "one latent lost": (Z[:, :1], 0.5, 0.5, 0.5, ANY),
    "one column too many": (WIDER, 1, ANY, 1, ANY),
    "noise appended": (PADDED, 1, 1, 1, ANY),
    "one column constant": (Z * [1, 0], 0.5, 0.5, 0.5, 0.5),
}
NAMES = ("linear_r2", "orthogonal_r2", "mcc", "singular_value_mae")


@pytest.mark.parametrize(
    ("name", "z_hat", "expected"),
    [
        pytest.param(name, row[0], value, id=f"{name}: {case}")
        for case, row in KNOWN.items()
        for name, value in zip(NAMES, row[1:], strict=True)
        if value is not ANY
    ],
)
def test_known_answer(name, z_hat, expected):
    # the sample correlation of independent columns is 1/sqrt(n) = 0.016; three of them
    exact = expected in (0, 1) and z_hat is not NOISE and z_hat is not PADDED
    value = getattr(metrics, name)(Z, z_hat)
    assert value == pytest.approx(expected, abs=1e-9 if exact else 0.05)


def test_rotation_keeps_r2_but_not_mcc():
    turned = Z @ TURN
    assert metrics.linear_r2(Z, turned) == pytest.approx(1)
    assert metrics.orthogonal_r2(Z, turned) == pytest.approx(1)
    assert metrics.mcc(Z, turned) < 0.75


def test_a_shear_keeps_linear_r2_but_not_orthogonal_r2():
    sheared = Z @ np.array([[1.0, 2.0], [0.0, 1.0]])
    assert metrics.linear_r2(Z, sheared) == pytest.approx(1)
    assert metrics.orthogonal_r2(Z, sheared) < 0.9
    assert metrics.singular_value_mae(Z, sheared) > 0.3


def test_an_offset_keeps_linear_r2_but_not_orthogonal_r2():
    assert metrics.linear_r2(Z, Z + 3) == pytest.approx(1)
    assert metrics.orthogonal_r2(Z, Z + 3) < 0.5


def test_singular_value_mae_is_measured_against_the_expected_scale():
    assert metrics.singular_value_mae(Z, Z * 5, expected=1 / 5) == pytest.approx(0, abs=1e-9)
    assert metrics.singular_value_mae(Z, Z * [1, 2], expected=1.0) == pytest.approx(0.25)


def test_r2_is_scikit_learns():
    for scale in (0.1, 1.0, 10.0):
        guess = Z + scale * NOISE
        assert metrics.r2(Z, guess) == pytest.approx(r2_score(Z, guess))


@pytest.mark.parametrize("d_hat", (1, 3, 6))
def test_linear_r2_is_a_regression_on_one_half_scored_on_the_other(d_hat):
    rng = np.random.default_rng(d_hat)
    z = rng.normal(size=(501, 3)).astype(np.float32)  # an odd number, in training precision
    z_hat = np.tanh(z @ rng.normal(size=(3, d_hat))) + 0.1 * rng.normal(size=(501, d_hat)) + 2
    model = LinearRegression().fit(z_hat[:250], z[:250])
    expected = r2_score(z[250:], model.predict(z_hat[250:]))
    assert metrics.linear_r2(z, z_hat) == pytest.approx(expected, abs=1e-6)


def test_linear_r2_is_held_out():
    rng = np.random.default_rng(1)
    z, memorised = rng.normal(size=(60, 2)), rng.normal(size=(60, 29))
    # 29 columns of noise fit 30 points perfectly and predict nothing
    assert metrics.linear_r2(z, memorised) < 0
    assert LinearRegression().fit(memorised[:30], z[:30]).score(memorised[:30], z[:30]) > 0.99


@pytest.mark.parametrize("d_hat", (3, 2, 5))
def test_procrustes_minimises_what_scipy_does(d_hat):
    rng = np.random.default_rng(2)
    z, z_hat = rng.normal(size=(200, 3)), rng.normal(size=(200, d_hat))
    rotation, scale = metrics.procrustes(z, z_hat)
    small = min(3, d_hat)
    gram = rotation.T @ rotation if d_hat >= 3 else rotation @ rotation.T
    np.testing.assert_allclose(gram, np.eye(small), atol=1e-12)
    if d_hat == 3:
        theirs, strength = orthogonal_procrustes(z_hat, z)
        np.testing.assert_allclose(rotation, theirs, atol=1e-10)
        assert scale == pytest.approx(strength / (z_hat**2).sum())
    # no other orthonormal frame, nor another scale, comes closer
    best = ((z - scale * z_hat @ rotation) ** 2).sum()
    for turn in ortho_group(max(3, d_hat)).rvs(50, random_state=3):
        other = turn[:d_hat, :3]
        for s in (scale, 0.9 * scale, 1.1 * scale):
            assert best <= ((z - s * z_hat @ other) ** 2).sum() + 1e-9
    assert best < ((z - 1.1 * scale * z_hat @ rotation) ** 2).sum()


def test_procrustes_allows_reflections_and_survives_a_zero_code():
    mirror = Z * [1, -1]
    rotation, scale = metrics.procrustes(Z, mirror)
    assert np.linalg.det(rotation) == pytest.approx(-1) and scale == pytest.approx(1)
    assert metrics.procrustes(Z, np.zeros_like(Z))[1] == 0
    assert metrics.orthogonal_r2(Z, np.zeros_like(Z)) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("d_hat", (2, 4, 5))
def test_mcc_matching_is_the_best_of_all_permutations(d_hat):
    rng = np.random.default_rng(d_hat)
    d = 4
    for _ in range(10):
        z = rng.normal(size=(100, d))
        z_hat = np.tanh(z @ rng.normal(size=(d, d_hat))) + rng.normal(size=(100, d_hat))
        strength = [[abs(np.corrcoef(z[:, i], z_hat[:, j])[0, 1]) for j in range(d_hat)]
                    for i in range(d)]  # fmt: skip
        if d_hat >= d:
            best = max(sum(strength[i][p[i]] for i in range(d))
                       for p in permutations(range(d_hat), d))  # fmt: skip
        else:
            best = max(sum(strength[p[j]][j] for j in range(d_hat))
                       for p in permutations(range(d), d_hat))  # fmt: skip
        assert metrics.mcc(z, z_hat) == pytest.approx(best / d)


def test_mcc_of_a_dead_encoder_is_zero_not_nan():
    assert metrics.mcc(Z, np.ones((N, 2))) == 0


# --- degree -----------------------------------------------------------------------------------


def ball(n=2000, d=3, seed=0):
    z = np.random.default_rng(seed).normal(size=(n, d))
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def power(z, k):
    """z -> z^k on the circle, suspended to the sphere: longitude times k."""
    turned = ((z[:, 0] + 1j * z[:, 1]) / np.abs(z[:, 0] + 1j * z[:, 1])) ** k
    turned = turned * np.abs(z[:, 0] + 1j * z[:, 1])
    return np.column_stack([turned.real, turned.imag, *z[:, 2:].T])


def bent(z):
    """A homeomorphism far from linear: stretch and renormalise."""
    image = z * np.arange(1, z.shape[1] + 1) ** 2 + 0.3 * np.sin(3 * z)
    return image / np.linalg.norm(image, axis=1, keepdims=True)


def turn(d, sign):
    q = ortho_group(d).rvs(random_state=4)
    return q if np.sign(np.linalg.det(q)) == sign else q * [-1, *[1] * (d - 1)]


MAPS = {
    "identity": (lambda z: z, 1),
    "reflection": (lambda z: z * [-1, *[1] * (z.shape[1] - 1)], -1),
    "rotation": (lambda z: z @ turn(z.shape[1], 1), 1),
    "rotation and reflection": (lambda z: z @ turn(z.shape[1], -1), -1),
    "fold": (lambda z: np.column_stack([z[:, :-1], np.abs(z[:, -1])]), 0),
    "constant": (lambda z: np.tile(z[:1], (len(z), 1)), 0),
    "square": (lambda z: power(z, 2), 2),
    "inverse square": (lambda z: power(z, -2), -2),
    "cube": (lambda z: power(z, 3), 3),
    "bent": (bent, 1),
}


@pytest.mark.parametrize("d", (2, 3), ids=("circle", "sphere"))
@pytest.mark.parametrize(("image", "expected"), MAPS.values(), ids=MAPS)
def test_degree_of_a_known_map(image, expected, d):
    z = ball(d=d)
    assert metrics.degree(z, image(z)) == expected


def test_degree_does_not_depend_on_the_order_or_precision_of_the_points():
    z = ball()
    shuffled = z[np.random.default_rng(1).permutation(len(z))]
    assert metrics.degree(shuffled, power(shuffled, 2)) == 2
    assert metrics.degree(z.astype(np.float32), power(z, 2).astype(np.float32)) == 2


def test_antipodal_map_reverses_the_sphere_but_turns_the_circle():
    assert metrics.degree(ball(d=3), -ball(d=3)) == -1
    assert metrics.degree(ball(d=2), -ball(d=2)) == 1


def test_degrees_multiply_under_composition():
    z = ball(6000)
    assert metrics.degree(z, power(power(z, 2) * [1, -1, 1], 2)) == -4


def test_degree_is_none_when_the_points_are_too_sparse_for_the_map():
    def evenly(n):
        angle = 2 * np.pi * np.arange(n) / n
        return np.column_stack([np.cos(angle), np.sin(angle)])

    # every fourth of 40 points turns by 252 degrees a step, which looks like -108
    assert metrics.degree(evenly(40), power(evenly(40), 7)) is None
    assert metrics.degree(evenly(400), power(evenly(400), 7)) == 7


def test_degree_of_a_scramble_is_none():
    z = ball()
    found = [metrics.degree(z, ball(seed=seed)) for seed in range(1, 11)]
    # each resolution yields some integer; that they agree is luck, which a few of ten may have
    assert found.count(None) >= 7


@pytest.mark.parametrize(("d", "d_hat"), [(3, 2), (2, 3), (4, 4), (5, 5)])
def test_degree_is_none_where_it_is_not_defined(d, d_hat):
    assert metrics.degree(ball(100, d), ball(100, d_hat)) is None


@pytest.mark.parametrize("value", (np.nan, np.inf))
def test_degree_of_a_diverged_encoder_is_none(value):
    z_hat = ball()
    z_hat[17] = value
    assert metrics.degree(ball(), z_hat) is None


# --- cluster vectors and the head's rows --------------------------------------------------------


def clusters(count, d, copies=1, seed=0):
    """Unit v (C, d), an invertible map (d, d), an offset, and the cluster of each of C*copies."""
    rng = np.random.default_rng(seed)
    v = rng.normal(size=(count, d))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    return v, rng.normal(size=(d, d)), rng.normal(size=d), np.repeat(np.arange(count), copies)


@pytest.mark.parametrize(("count", "d", "copies"), [(6, 2, 1), (12, 3, 1), (30, 3, 4), (40, 5, 2)])
@pytest.mark.parametrize("noise", (0.05, 0.5, 5.0))
def test_v_r2_is_the_slow_loop_over_clusters(count, d, copies, noise):
    v, a, psi, cluster = clusters(count, d, copies)
    w = (v @ a + psi)[cluster] + noise * np.random.default_rng(1).normal(size=(count * copies, d))
    affine, turned = np.empty((2, len(w), d))
    for c in range(count):
        out = cluster == c
        fit = LinearRegression().fit(w[~out], v[cluster[~out]])
        affine[out] = fit.predict(w[out])
        turn, scale = orthogonal_procrustes(w[~out], v[cluster[~out]])
        turned[out] = w[out] @ turn * scale / (w[~out] ** 2).sum()
    total = ((v[cluster] - v[cluster].mean(0)) ** 2).sum()
    expected = [1 - ((v[cluster] - p) ** 2).sum() / total for p in (affine, turned)]
    assert metrics.v_r2(v, w, cluster) == pytest.approx(expected[0], abs=1e-9)
    assert metrics.v_orthogonal_r2(v, w, cluster) == pytest.approx(expected[1], abs=1e-9)


def test_v_r2_forgives_an_affine_map_and_its_orthogonal_form_only_a_scaled_rotation():
    v, a, psi, cluster = clusters(30, 3)
    turn = ortho_group.rvs(3, random_state=0)
    assert metrics.v_r2(v, v @ a + psi, cluster) == pytest.approx(1)
    assert metrics.v_orthogonal_r2(v, 7 * v @ turn, cluster) == pytest.approx(1)
    assert metrics.v_orthogonal_r2(v, v @ turn + psi, cluster) < 0.9
    assert metrics.v_orthogonal_r2(v, v @ a, cluster) < 0.9


def test_an_affine_map_is_found_with_its_offset():
    v, a, psi, _ = clusters(30, 3)
    found, offset = metrics.affine_map(v, v @ a + psi)
    np.testing.assert_allclose(found, a, atol=1e-9)
    np.testing.assert_allclose(offset, psi, atol=1e-9)


def test_rows_that_know_nothing_of_their_cluster_foretell_nothing():
    v, _, _, cluster = clusters(300, 3)
    w = np.random.default_rng(2).normal(size=v.shape)
    assert metrics.v_r2(v, w, cluster) < 0.02
    assert metrics.v_orthogonal_r2(v, w, cluster) < 0.02


@pytest.mark.parametrize("count", (2, 3, 4))
def test_v_r2_is_silent_where_any_rows_would_fit(count):
    v, a, psi, cluster = clusters(count, 3)
    assert metrics.v_r2(v, v @ a + psi, cluster) is None
    assert metrics.v_orthogonal_r2(v, v, cluster) is None


def test_v_r2_of_cluster_vectors_in_a_plane_is_still_that_of_the_loop():
    v, a, psi, cluster = clusters(12, 3)
    v[:, 2] = 0
    assert metrics.v_r2(v, v @ a + psi, cluster) == pytest.approx(1)


@pytest.mark.parametrize(("count", "d", "rank"), [(2, 3, 1), (3, 3, 2), (4, 3, 3), (3, 5, 2)])
def test_span_of_the_differences_and_its_complement(count, d, rank):
    v = clusters(count, d)[0]
    inside, outside = metrics.span(v)
    assert inside.shape == (d, rank) and outside.shape == (d, d - rank)
    both = np.column_stack([inside, outside])
    np.testing.assert_allclose(both.T @ both, np.eye(d), atol=1e-12)
    np.testing.assert_allclose((v[1:] - v[0]) @ outside, 0, atol=1e-12)


def test_span_scores_tell_what_is_recovered_from_what_is_not():
    v = clusters(3, 3)[0]
    inside, _ = metrics.span(v)
    z = np.random.default_rng(0).normal(size=(N, 3))
    seen = z @ inside  # a code that holds the span alone
    assert metrics.span_r2(z, seen, v) == pytest.approx(1)
    assert metrics.complement_r2(z, seen, v) == pytest.approx(0, abs=0.02)
    assert metrics.complement_r2(z, z @ TURN_3, v) == pytest.approx(1)
    full = clusters(4, 3)[0]
    assert metrics.span_r2(z, z, full) is None and metrics.complement_r2(z, z, full) is None


TURN_3 = ortho_group.rvs(3, random_state=1)


# --- read-outs --------------------------------------------------------------------------------


def wave(z):
    """A smooth bijection of the plane that no affine map undoes."""
    return np.column_stack([z[:, 0] + np.sin(2 * z[:, 1]), 3 * z[:, 1]])


def test_a_readout_undoes_what_an_affine_map_cannot():
    assert metrics.readout_r2(Z, wave(Z)) > 0.98 > 0.9 > metrics.linear_r2(Z, wave(Z))
    assert metrics.readout_r2(Z, NOISE) == pytest.approx(0, abs=0.03)
    assert metrics.readout_r2(Z, np.zeros((N, 2))) == pytest.approx(0, abs=0.01)
    shifted = metrics.readout_r2(100 * Z + 7, 1e-3 * wave(Z) - 5)
    assert shifted == pytest.approx(metrics.readout_r2(Z, wave(Z)), abs=0.01)


def test_a_readout_by_class_tells_whether_the_classes_share_their_map():
    y = np.random.default_rng(3).integers(3, size=N)
    own, others = metrics.readout_r2_by_class(Z, wave(Z), y)
    assert own > 0.95 and others > 0.95
    turned = np.where((y == 0)[:, None], -wave(Z), wave(Z))  # the same law, another map
    own, others = metrics.readout_r2_by_class(Z, turned, y)
    assert own > 0.95 and others < 0.2
    assert metrics.readout_r2(Z, turned) < 0.6


def test_the_cubic_stand_in_is_exact_for_cubics_and_held_out():
    code = np.random.default_rng(4).normal(size=(N, 2))
    target = np.column_stack([code[:, 0] ** 3 + code[:, 1], code[:, 0] * code[:, 1] ** 2])
    assert metrics.cubic_r2(target, code) == pytest.approx(1)
    assert metrics.linear_r2(target, code) < 0.8
    assert metrics.cubic_r2(NOISE, code) <= 0.01


def test_the_least_squares_classifier_is_near_the_linear_probe():
    rng = np.random.default_rng(5)
    y = rng.integers(4, size=N)
    code = rng.normal(size=(N, 3)) + 2 * np.eye(4)[y][:, :3]
    fast, probe = metrics.least_squares_accuracy(code, y), metrics.probe_accuracy(code, y, "linear")
    assert fast == pytest.approx(probe, abs=0.03) and fast > 0.6
    assert metrics.least_squares_accuracy(rng.normal(size=(N, 3)), y) == pytest.approx(
        0.25, abs=0.04
    )


def test_probes_do_not_see_the_scale_of_a_code():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=2000)
    code = rng.normal(size=(2000, 2)) + np.eye(3)[y][:, :2] * 3
    for kind in ("linear", "mlp"):
        usual = metrics.probe_accuracy(code, y, kind)
        faint = metrics.probe_accuracy(code * [1e-5, 1e4] + 7, y, kind)
        assert usual > 0.8 and faint == pytest.approx(usual, abs=0.01)
        np.random.seed(len(kind))  # a probe is a function of its data alone
        assert metrics.probe_accuracy(code, y, kind) == usual


def test_a_probe_with_hidden_layers_reads_what_takes_patience():
    rng = np.random.default_rng(0)
    code = rng.uniform(-1, 1, (12_000, 2))
    y = ((np.floor(3 * code[:, 0]) + np.floor(3 * code[:, 1])) % 2).astype(int)  # a chessboard
    assert metrics.probe_accuracy(code, y, "linear", 8000) < 0.6
    assert metrics.probe_accuracy(code, y, "mlp", 8000) > 0.85
