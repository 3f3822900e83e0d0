"""How far scores can be trusted: nulls and intervals, known codes, anybody's arrays."""

import json
from itertools import permutations

import numpy as np
import pytest
import torch
from elsewhere import LEARNERS
from scipy import stats
from shell import told
from sklearn.feature_selection import mutual_info_regression

from core import metrics, theory
from core.run.experiment import Member
from core.scenarios import SCENARIOS
from core.scores.reading import SCORES, read, warnings
from core.scores.worlds import KINDS, Setting, drawn, factors, stretched

RNG = np.random.default_rng(0)


# ---- nulls


@pytest.mark.parametrize(("n", "codes"), [(200, 1), (500, 5), (1000, 50)])
def test_the_null_of_one_latent_is_the_largest_of_normal_correlations(n, codes):
    z, z_hat = RNG.standard_normal((n, 1)), RNG.standard_normal((n, codes))
    found = metrics.null(metrics.mcc, z, z_hat, shuffles=400)
    expected = metrics.expected_largest(n, codes)
    assert found.mean() == pytest.approx(expected, abs=4 * found.std() / 20)
    if codes == 1:
        assert expected == pytest.approx(np.sqrt(2 / (np.pi * n)), rel=1e-3)
    if codes == 50:
        assert expected == pytest.approx(np.sqrt(2 * np.log(codes) / n), rel=0.2)


def test_the_null_of_r2_in_sample_is_that_of_the_f_distribution():
    """R2 of m columns of noise with an intercept is Beta(m / 2, (n - m - 1) / 2), F in disguise."""
    n, m = 60, 12
    z, z_hat = RNG.standard_normal((n, 1)), RNG.standard_normal((n, m))
    found = metrics.null(metrics.linear_r2_in_sample, z, z_hat, shuffles=600)
    assert stats.kstest(found, stats.beta(m / 2, (n - m - 1) / 2).cdf).pvalue > 1e-3
    held_out = metrics.null(metrics.linear_r2, z, z_hat, shuffles=50)
    assert found.mean() == pytest.approx(m / (n - 1), abs=0.02) and held_out.mean() < 0


def test_a_rotation_at_random_has_the_mcc_of_its_angle_in_the_plane_and_less_of_more_factors():
    """In the plane MCC is the larger of |cos a| and |sin a|, a uniform: arcsine's law, folded."""
    found = metrics.mcc_of_rotations(2, 4000)
    law = stats.uniform(0, np.pi / 4)
    assert stats.kstest(np.arccos(np.clip(found, 0, 1)), law.cdf).pvalue > 1e-3
    assert found.mean() == pytest.approx(4 / np.pi * np.sin(np.pi / 4), abs=4 * found.std() / 63)
    means = [metrics.mcc_of_rotations(d, 500).mean() for d in (1, 2, 3, 5, 7)]
    assert means[0] == 1 and (np.diff(means) < 0).all()


def test_the_mcc_of_rotations_is_that_of_turned_latents_under_the_best_of_all_orders():
    turns = np.abs(stats.ortho_group.rvs(6, 2000, random_state=1))
    orders = [list(order) for order in permutations(range(6))]
    best = turns[:, range(6), orders].mean(-1).max(-1)  # of (2000, 720)
    expected = metrics.mcc_of_rotations(6, 2000)
    assert abs(best.mean() - expected.mean()) < 4 * np.hypot(best.std(), expected.std()) / 2000**0.5
    assert best.std() == pytest.approx(expected.std(), rel=0.1)
    z = RNG.uniform(-1, 1, (40_000, 6))
    turn = stats.ortho_group.rvs(6, random_state=2)
    sizes = np.abs(turn)[range(6), orders].mean(-1)
    assert metrics.mcc(z, z @ turn) == pytest.approx(sizes.max(), abs=0.01)


OPEN = {"model_space": "unbounded"}
TURNED = {  # whether turned codes have the same loss, and whether they are codes of the model
    "sphere": ("infonce", {"d": 3}, True, True),
    "box, p = 2, no walls": ("infonce_box", {"d": 3, "p": 2, **OPEN}, True, True),
    "box, p = 2": ("infonce_box", {"d": 3, "p": 2}, True, False),  # walls
    "box, p = 3, no walls": ("infonce_box", {"d": 3, "p": 3, **OPEN}, False, True),
    "pictures, p = 2": ("pixels", {"p": 2}, True, True),
    "pictures, p = 1": ("pixels", {"p": 1}, False, True),
    "pictures, p = 2, a box": ("pixels", {"p": 2, "space": "box"}, True, False),
}


@pytest.mark.parametrize(("scenario", "changes", "same", "within"), TURNED.values(), ids=TURNED)
def test_a_rotation_is_free_where_turned_codes_have_the_same_loss_and_stay_in_their_space(
    scenario, changes, same, within, monkeypatch
):
    monkeypatch.setattr(theory, "loss_floor", lambda *_: (None, 2))
    params = SCENARIOS[scenario].Params(**changes)
    learner = LEARNERS[scenario].start([Member(scenario, params, 0)], "cpu")
    (x, z), tau = learner._seen(), learner._tau(0)
    turn = torch.from_numpy(stats.ortho_group.rvs(3, random_state=0)).float()
    with torch.no_grad():
        codes = learner.f(x)
        loss, turned = (float(learner._objective(lambda _, c=each: c, x, z, tau))
                        for each in (codes, codes @ turn))  # fmt: skip
    assert (turned == pytest.approx(loss, rel=1e-4)) == same
    assert params.free_rotation == (3 if same and within else 0)


@pytest.mark.parametrize(
    ("scenario", "changes"),
    [("infonce", {"objective": "supervised"}), ("infonce", {"marginal_kappa": 2.0}),
     ("infonce", {"d_hat": 5}), ("infonce_box", {"p": 2, "model_space": "sphere"}),
     ("pixels", {"p": 2, "d_hat": 10}), ("pixels", {"p": 2, "method": "slowvae"}),
     ("pixels", {"p": 2, "task": "classify"}), ("auxiliary", {})],
)  # fmt: skip
def test_no_rotation_is_expected_of_codes_that_are_told_or_are_no_rotation_of_latents(
    scenario, changes
):
    assert SCENARIOS[scenario].Params(**changes).free_rotation == 0


def test_a_null_is_the_score_of_shuffled_rows_and_the_same_for_its_seed():
    z = RNG.standard_normal((300, 3))
    found = metrics.null(metrics.mcc, z, z, shuffles=3, seed=4)
    rng = np.random.default_rng(4)
    assert found.tolist() == [metrics.mcc(z, z[rng.permutation(300)]) for _ in range(3)]
    assert not np.array_equal(found, metrics.null(metrics.mcc, z, z, shuffles=3, seed=5))


# ---- intervals


@pytest.mark.parametrize("by_rank", [False, True])
@pytest.mark.parametrize("at_once", [300, 2_000_000])
def test_resampled_mcc_is_that_of_the_points_drawn_with_pairs_and_signs_kept(
    by_rank, at_once, monkeypatch
):
    monkeypatch.setattr("core.metrics.resampling.AT_ONCE", at_once)
    z = RNG.standard_normal((150, 3))
    z_hat = z @ RNG.standard_normal((3, 4)) + 0.3 * RNG.standard_normal((150, 4))
    found = metrics.mcc_draws(z, z_hat, draws=6, seed=2, by_rank=by_rank)
    chosen = np.random.default_rng(2).integers(150, size=(6, 150))
    a, b = (metrics.ranks(z), metrics.ranks(z_hat)) if by_rank else (z, z_hat)
    size, (rows, columns) = metrics.matching(a, b)
    expected = [
        np.mean([np.sign(size[i, j]) * np.corrcoef(a[some, i], b[some, j])[0, 1]
                 for i, j in zip(rows, columns, strict=True)])
        for some in chosen
    ]  # fmt: skip
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_an_interval_of_the_mcc_of_noise_holds_what_such_noise_gets():
    """Five codes that ignore five latents: the score itself always, its mean over draws mostly."""
    rng, held, mean = np.random.default_rng(5), 0, []
    draws = [rng.standard_normal((2, 100, 5)) for _ in range(80)]
    mean = np.mean([metrics.mcc(z, z_hat) for z, z_hat in draws])
    for z, z_hat in draws:
        low, high = metrics.interval(metrics.mcc_draws(z, z_hat))
        assert low < metrics.mcc(z, z_hat) < high
        held += low <= mean <= high
    assert held / 80 >= 0.9


def test_resampled_r2_keeps_the_map_of_the_other_half():
    z = RNG.standard_normal((200, 2))
    z_hat = z @ RNG.standard_normal((2, 3)) + 0.5 * RNG.standard_normal((200, 3))
    found = metrics.linear_r2_draws(z, z_hat, draws=5, seed=1)
    map_, offset = metrics.affine_map(z_hat[:100], z[:100])
    chosen = 100 + np.random.default_rng(1).integers(100, size=(5, 100))
    expected = [metrics.r2(z[i], z_hat[i] @ map_ + offset) for i in chosen]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_resampled_orthogonal_and_in_sample_r2_keep_their_maps():
    z = RNG.standard_normal((200, 2))
    z_hat = z @ RNG.standard_normal((2, 3)) + 0.5 * RNG.standard_normal((200, 3))
    turn, scale = metrics.procrustes(z[:100], z_hat[:100])
    chosen = np.random.default_rng(1).integers(100, size=(5, 100))
    expected = [metrics.r2(z[100 + i], scale * z_hat[100 + i] @ turn) for i in chosen]
    found = metrics.orthogonal_r2_draws(z, z_hat, draws=5, seed=1)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    map_, offset = metrics.affine_map(z_hat, z)
    chosen = np.random.default_rng(1).integers(200, size=(5, 200))
    expected = [metrics.r2(z[i], z_hat[i] @ map_ + offset) for i in chosen]
    found = metrics.linear_r2_in_sample_draws(z, z_hat, draws=5, seed=1)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_mig_is_a_mean_over_points():
    z = RNG.standard_normal((500, 3))
    z_hat = z @ RNG.standard_normal((3, 4)) + 0.3 * RNG.standard_normal((500, 4))
    gap, surprise = metrics.told_by_point(z, z_hat)
    mean = (gap.mean(0) / surprise.mean(0)).mean()
    assert mean == pytest.approx(metrics.mutual_information_gap(z, z_hat), abs=1e-12)
    chosen = np.random.default_rng(2).integers(500, size=(4, 500))
    expected = [(gap[i].mean(0) / surprise[i].mean(0)).mean() for i in chosen]
    np.testing.assert_allclose(metrics.mig_draws(z, z_hat, draws=4, seed=2), expected, atol=1e-12)
    one = z_hat[:, :1]
    assert set(metrics.mig_draws(z, one)) == {metrics.mutual_information_gap(z, one)} == {0.0}


@pytest.mark.parametrize("name", ["mig", "dci_lasso"])
def test_an_interval_is_about_as_wide_as_fresh_samples_make_the_score_stray(name):
    """Four widths of a deviation, give or take a third; and not of twice as many samples."""
    rng, scores, widths = np.random.default_rng(7), [], []

    def lasso(z, z_hat):
        return metrics.dci(z, z_hat).disentanglement

    for _ in range(60):
        z = rng.standard_normal((600, 2))
        z_hat = z @ np.array([[1.0, 0.4], [-0.2, 1.0]]) + 0.4 * rng.standard_normal((600, 2))
        of_mig = name == "mig"
        scores.append((metrics.mutual_information_gap if of_mig else lasso)(z, z_hat))
        low, high = (
            metrics.interval(metrics.mig_draws(z, z_hat)) if of_mig
            else metrics.left_out(lasso, z, z_hat)
        )  # fmt: skip
        assert low <= scores[-1] <= high
        widths.append(high - low)
    ratio = np.mean(widths) / (2 * 1.96 * np.std(scores))
    assert 0.75 < ratio < 1.33


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (37, 120), (4000, 4096)])
def test_the_interval_of_a_share_is_wilsons(hits, n):
    expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert metrics.share_interval(hits / n, n) == pytest.approx((expected.low, expected.high))


def test_an_interval_of_mcc_holds_the_correlation_about_as_often_as_it_says():
    """A latent and a code of correlation .6: percentile intervals of 95 % hold it."""
    rng, held = np.random.default_rng(3), 0
    for _ in range(120):
        z = rng.standard_normal((200, 1))
        z_hat = 0.6 * z + 0.8 * rng.standard_normal((200, 1))
        low, high = metrics.interval(metrics.mcc_draws(z, z_hat, seed=int(rng.integers(1e6))))
        held += low <= 0.6 <= high
    assert 0.87 <= held / 120 <= 1


# ---- scores


def test_spearman_forgives_what_pearson_does_not():
    z = RNG.standard_normal((2000, 3))
    assert metrics.mcc_spearman(z, -stretched(z[:, ::-1], 1.0)) == pytest.approx(1)
    assert metrics.mcc(z, -stretched(z[:, ::-1], 1.0)) < 0.85


def test_the_gap_of_information_is_wide_for_one_code_and_none_for_two():
    z = RNG.uniform(size=(5000, 2))
    assert metrics.mutual_information_gap(z, z[:, ::-1]) == pytest.approx(1, abs=0.05)
    assert metrics.mutual_information_gap(z, np.repeat(z, 2, 1)) == 0
    noisy = z + 0.2 * RNG.standard_normal(z.shape)
    told_of = [
        np.sort(mutual_info_regression(noisy, latent, random_state=0))[::-1] for latent in z.T
    ]
    expected = np.mean([(first - second) / np.log(20) for first, second in told_of])
    assert metrics.mutual_information_gap(z, noisy) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("by", ["lasso", "forest"])
def test_dci_tells_codes_of_one_latent_from_mixed_ones(by):
    z = RNG.standard_normal((1500, 3))
    own, mixed = metrics.dci(z, z[:, ::-1], by), metrics.dci(z, z @ np.ones((3, 3)) + z, by)
    assert own.disentanglement > 0.95 and own.completeness > 0.95 and own.informativeness > 0.9
    assert mixed.disentanglement < own.disentanglement - 0.2
    copies = metrics.dci(z, np.repeat(z, 3, 1) + 0.1 * RNG.standard_normal((1500, 9)), by)
    assert copies.disentanglement > 0.9 and copies.completeness < 0.9


# ---- factors and codes


@pytest.mark.parametrize("kind", ["independent", "correlated", "copied", "dependent"])
def test_factors_have_the_correlation_that_is_asked_for(kind):
    setting = Setting(factors=kind, rho=0.6, d=3, n=10_000)
    found = np.corrcoef(factors(setting, np.random.default_rng(0)), rowvar=False)
    expected = {"independent": (0, 0, 0), "correlated": (0.6, 0.6, 0.6), "copied": (0.6, 0, 0),
                "dependent": (0, 0.6 / np.sqrt(2), 0.6 / np.sqrt(2))}[kind]  # fmt: skip
    np.testing.assert_allclose(found[np.triu_indices(3, 1)], expected, atol=0.03)
    np.testing.assert_allclose(factors(setting, np.random.default_rng(0)).std(0), 1, atol=0.03)


@pytest.mark.parametrize("code", KINDS)
@pytest.mark.parametrize("changes", [{}, {"alpha": 0.0}, {"m_over_d": 1.0}, {"d": 4}])
def test_what_a_code_deserves_is_what_it_can_be_undone_by(code, changes):
    """By brute force: a linear map, a matching of columns, a matching of ranks."""
    setting = Setting(code=code, n=4000, **changes)
    z, z_hat = drawn(setting)
    kind = KINDS[code]
    assert z_hat.shape == (4000, setting.codes)
    assert (metrics.linear_r2(z, z_hat) > 0.9999) == kind.linear(setting)
    assert (metrics.mcc(z, z_hat) > 0.9999) == kind.permutation(setting)
    assert (metrics.mcc_spearman(z, z_hat) > 0.9999) == kind.monotone(setting)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_a_distortion_rises_everywhere(alpha):
    assert (np.diff(stretched(np.linspace(-4, 4, 99), alpha)) > 0).all()


def test_more_samples_are_more_of_the_same_code():
    few, many = (drawn(Setting(code="mixed", n=n))[1] for n in (100, 1000))
    np.testing.assert_allclose(few, many[:100])


# ---- anybody's arrays


def written(folder, **arrays):
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return [str(folder / f"{name}.npy") for name in arrays]


def test_files_are_scored_with_nulls_intervals_and_warnings(tmp_path, capsys):
    z, z_hat = drawn(Setting(code="mixed", factors="correlated", rho=0.9, n=400))
    files = written(tmp_path, z=z, z_hat=z_hat)
    status, out, err = told(capsys, "score", *files, "--json", "--in-sample", "--forest")
    found = json.loads(out)
    assert (status, err) == (0, "") and set(found) == {"scores", "intervals", "warnings"}
    names = {name for measure in SCORES for name in (measure, f"null_{measure}")}
    assert names < set(found["scores"]) and found["scores"]["dci_forest_informativeness"] > 0.9
    assert found["scores"]["mcc"] == pytest.approx(metrics.mcc(z, z_hat))
    low, high = found["intervals"]["mcc"]
    assert low <= found["scores"]["mcc"] <= high
    assert any("correlated" in each for each in found["warnings"])
    assert any("in sample" in each for each in found["warnings"])
    status, text, _ = told(capsys, "score", *files)
    assert status == 0 and "Linear R², in sample" not in text and "by chance" in text


def test_noise_that_dci_calls_disentangled_is_said_and_chance_gets_as_much(tmp_path, capsys):
    rng = np.random.default_rng(0)
    files = written(tmp_path, z=rng.normal(size=(10_000, 2)), z_hat=rng.normal(size=(10_000, 20)))
    _, out, _ = told(capsys, "score", *files, "--json")
    found = json.loads(out)
    assert found["scores"]["dci_lasso"] > 0.3 and found["scores"]["null_dci_lasso"] > 0.3
    assert found["scores"]["dci_lasso_informativeness"] < 0.01
    assert any("foretell nothing" in each for each in found["warnings"])
    _, out, _ = told(capsys, "score", files[0], files[0], "--json")
    assert not any("foretell" in each for each in json.loads(out)["warnings"])


def test_scores_that_need_two_columns_are_left_out_where_there_is_one(tmp_path, capsys):
    z = np.random.default_rng(0).normal(size=(200, 2))
    one, two = written(tmp_path, one=z[:, :1], two=z)
    _, out, _ = told(capsys, "score", one, one, "--json")
    scores = json.loads(out)["scores"]
    assert not {"mig", "dci_lasso", "dci_lasso_completeness"} & set(scores)
    assert scores["linear_r2"] == pytest.approx(1)
    _, out, _ = told(capsys, "score", two, one, "--json")
    found = json.loads(out)
    assert {"dci_lasso"} == {"mig", "dci_lasso", "dci_lasso_completeness"} & set(found["scores"])
    assert any("1 code for 2 latents: MCC can reach 0.50" in each for each in found["warnings"])


@pytest.mark.parametrize("unit", [1e-170, 1e160])
def test_the_unit_of_a_code_changes_no_score(unit, tmp_path, capsys):
    z, z_hat = drawn(Setting(code="mixed", n=400))
    found = []
    for each in (z_hat, unit * z_hat):
        _, out, err = told(capsys, "score", *written(tmp_path, z=z, z_hat=each), "--json")
        assert not err
        found.append(json.loads(out)["scores"])
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_rows_that_are_sorted_are_scored_as_any_others(tmp_path, capsys):
    z, z_hat = drawn(Setting(code="distorted", n=600))
    order = np.argsort(z[:, 0])
    found = []
    for a, b in ((z, z_hat), (z[order], z_hat[order])):
        _, out, _ = told(capsys, "score", *written(tmp_path, z=a, z_hat=b), "--json")
        found.append(json.loads(out)["scores"]["linear_r2"])
    halves = metrics.linear_r2(z[order], z_hat[order])
    assert found[0] == pytest.approx(found[1], abs=0.1) and abs(halves - found[1]) > 0.2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda z: np.column_stack([z, z[:, 0]]), "repeat each other (1 and 4)"),
        (lambda z: np.column_stack([z, np.full(len(z), 0.1)]), "Constant columns of the codes (4)"),
        (lambda z: np.tile(z, 9) + RNG.standard_normal((len(z), 27)), "chance alone"),
    ],
)
def test_what_warns_of_a_score_is_said(change, sentence):
    z = np.random.default_rng(1).standard_normal((200, 3))
    assert any(sentence in each for each in warnings(z, change(z)))
    assert not any(sentence in each for each in warnings(z, z))


def test_latents_that_repeat_do_not_hide_others_that_hang_together():
    z = np.random.default_rng(2).standard_normal((500, 3))
    z[:, 2] = 0.9 * z[:, 0] + 0.4 * z[:, 2]
    told = warnings(np.column_stack([z, z[:, 0]]), z)
    assert any("repeat" in each for each in told) and any("correlated" in each for each in told)


def test_a_constant_column_has_no_correlation_whatever_its_number():
    z = np.random.default_rng(3).standard_normal((97, 2))
    assert metrics.mcc(z, np.column_stack([z[:, 0], np.full(97, 0.1)])) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("z", "z_hat", "sentence"),
    [
        (np.zeros((9, 2)), np.ones((9, 2)), "a column is constant"),
        (np.full((9, 2), 0.1), RNG.normal(size=(9, 2)), "a column is constant"),
        (RNG.normal(size=(9, 2)), RNG.normal(size=(8, 2)), "has 9 rows"),
        (RNG.normal(size=(9,)), RNG.normal(size=(9, 2)), "of shape (9,)"),
        (RNG.normal(size=(5, 2)), RNG.normal(size=(5, 2)), "fewer than 8"),
        (np.array([["a", "b"]] * 9), RNG.normal(size=(9, 2)), "not real numbers"),
        (np.eye(9)[:, :2], RNG.normal(size=(9, 2)), "constant in one half"),
        (np.full((9, 2), np.nan), RNG.normal(size=(9, 2)), "not finite"),
        (np.array([[{}, {}]] * 9), RNG.normal(size=(9, 2)), "unpickling"),
        (RNG.normal(size=(9, 2)) * [1, 1e-200], RNG.normal(size=(9, 2)), "a factor of 1e100"),
    ],
)
def test_bad_files_get_a_sentence(z, z_hat, sentence, tmp_path, capsys):
    status, out, err = told(capsys, "score", *written(tmp_path, z=z, z_hat=z_hat))
    assert (status, out) == (2, "") and err.startswith("error: ") and err.count("\n") == 1
    assert sentence in err


def test_a_reading_knows_chance_from_a_score():
    z = RNG.standard_normal((500, 3))
    found, noise = read(z, z, ("mcc",))["mcc"], read(z, RNG.permuted(z, axis=0), ("mcc",))["mcc"]
    assert found.value > found.null_high and noise.value < 3 * noise.null_mean
