"""Tests of a probe's accuracy: against scipy and scikit-learn, and by how often they are wrong."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from core.metrics import significance
from core.metrics.logistic import logistic, standardised, told
from core.metrics.significance import (
    ALPHA,
    LEVELS,
    Resplit,
    binomial_test,
    fresh_test,
    halved,
    on_noise,
    rejected,
    resplit,
    splits,
    t_test,
)

SEED = 0


@pytest.fixture
def rng():
    return np.random.default_rng(SEED)


def data_sets(rng, k=5, n=120, d=8):
    """Points and labels, of which the last set is told apart without an error."""
    x = rng.normal(size=(k, n, d))
    y = (x @ rng.normal(size=(k, d, 1)))[..., 0] + rng.normal(size=(k, n)) > 0.3
    x[-1, :, 0] = np.where(y[-1], 3.0, -3.0) * (1 + rng.random(n))
    return x, y


@pytest.mark.parametrize("strength", [1.0, 0.01, 100.0])
def test_regressions_at_once_are_those_of_scikit_learn(rng, strength):
    x, y = data_sets(rng)
    weights, offsets = logistic(x, y, strength)
    for i in range(len(x)):
        one = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000).fit(x[i], y[i])
        np.testing.assert_allclose(weights[i], one.coef_[0], atol=1e-3)
        assert offsets[i] == pytest.approx(one.intercept_[0], abs=1e-3)
        np.testing.assert_array_equal(told(x[i : i + 1], weights[i : i + 1], offsets[i : i + 1])[0],
                                      one.predict(x[i]))  # fmt: skip


def test_a_regression_ends_where_the_slope_is_zero_however_far_that_is(rng):
    x, y = data_sets(rng)
    x[:, 0] *= 1000  # one point far out: plain steps of Newton's go uphill
    weights, offsets = logistic(x, y, 1e4)
    margin = (x @ weights[..., None])[..., 0] + offsets[:, None]
    wrong = np.where(y, 1, 0) - expit(margin)
    slope = (x * wrong[..., None]).sum(1) - weights / 1e4
    assert np.abs(slope).max() < 1e-4 and np.abs(wrong.sum(1)).max() < 1e-4


def test_a_regression_does_not_depend_on_the_others(rng):
    x, y = data_sets(rng)
    together, alone = logistic(x, y)[0], logistic(x[2:3], y[2:3])[0]
    np.testing.assert_allclose(together[2], alone[0], atol=1e-5)


def test_standardised_columns_have_deviation_one_and_constant_ones_are_zero(rng):
    x = standardised(np.stack([rng.normal(5, 3, 50), np.full(50, 7.0)], 1))
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(x.std(0), [1, 0], atol=1e-12)


def test_p_values_are_those_of_scipy(rng):
    each = 0.5 + 0.05 * rng.normal(0.5, 1, size=(30, 10))
    np.testing.assert_allclose(t_test(each), stats.ttest_1samp(each, 0.5, axis=1).pvalue)
    se = np.sqrt(each.var(1, ddof=1) * (1 / 10 + 120 / 280))
    t = (each.mean(1) - 0.5) / se
    np.testing.assert_allclose(Resplit(each, 280, 120).corrected, 2 * stats.t.sf(np.abs(t), 9))
    for n in (1, 16, 57):
        right = np.arange(n + 1)
        expected = [stats.binomtest(int(k), n, 0.5).pvalue for k in right]
        np.testing.assert_allclose(binomial_test(right, n), expected)


def test_the_interval_leaves_out_a_half_where_the_corrected_test_rejects(rng):
    each = 0.5 + 0.03 * rng.normal(0.8, 1, size=(200, 10))
    found = Resplit(each, 280, 120)
    low, high = found.interval()
    outside = (low > 0.5) | (high < 0.5)
    assert 0 < outside.sum() < 200
    np.testing.assert_array_equal(outside, found.corrected < 0.05)


def test_equal_accuracies_are_certain_unless_they_are_a_half():
    assert t_test(np.full(10, 0.7)) == 0 and np.isnan(t_test(np.full(10, 0.5)))


@pytest.mark.parametrize("fixed", [True, False])
def test_splits_hold_both_classes_alike_and_no_image_twice(rng, fixed):
    y = rng.random(300) < 0.3
    few = y.sum()
    fit, test = splits(y, rng, fixed=fixed)
    assert fit.shape == (10, 2 * round(0.7 * few)) and fit.shape[1] + test.shape[1] == 2 * few
    seen = np.concatenate([fit, test], 1)
    for rows in (*fit, *test):
        assert y[rows].mean() == 0.5
    for rows in seen:
        assert len(set(rows)) == 2 * few and set(np.flatnonzero(y)) <= set(rows)
    assert len({frozenset(rows) for rows in seen}) == (1 if fixed else 10)
    assert len({frozenset(rows) for rows in fit}) == 10


def test_what_cannot_be_split_is_refused(rng):
    with pytest.raises(ValueError, match="A class of 1 images"):
        splits(np.arange(9) == 0, rng)
    with pytest.raises(ValueError, match="no image"):
        fresh_test(np.ones((4, 1)), np.ones(4, bool), np.ones((4, 1)), np.arange(4) < 2, rng)


def test_a_proxy_is_above_the_median():
    assert halved(np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [False, False, True, True]
    assert halved(np.array([0.0, 0.0, 0.0, 5.0])).tolist() == [False, False, False, True]


def test_accuracies_are_those_of_a_plain_loop(rng):
    x, y = data_sets(rng, k=1)
    found = resplit(x[0], y[0], np.random.default_rng(3))
    fit, test = splits(y[0], np.random.default_rng(3))
    scaled = (x[0] - x[0].mean(0)) / x[0].std(0)
    slow = [
        LogisticRegression().fit(scaled[a], y[0][a]).score(scaled[b], y[0][b])
        for a, b in zip(fit, test, strict=True)
    ]
    np.testing.assert_allclose(found.each, slow)
    assert (found.n_fit, found.n_test) == (fit.shape[1], test.shape[1])


# --- how often a test is wrong ----------------------------------------------------------------


def test_p_values_of_independent_accuracies_are_uniform_and_those_of_resplits_are_not(rng):
    independent = rng.binomial(120, 0.5, size=(600, 10)) / 120
    assert stats.kstest(t_test(independent), "uniform").pvalue > 0.01
    assert rejected(t_test(independent), ALPHA) == pytest.approx(ALPHA, abs=0.03)
    resplits = on_noise("fixed", data_sets=200, seed=SEED)
    published, corrected = (
        stats.kstest(resplits[n], "uniform") for n in ("published", "corrected")
    )
    assert published.pvalue < 1e-9 and published.statistic_sign == 1  # too many small ones
    # an approximation, which errs on the careful side
    assert corrected.statistic < published.statistic / 2 and corrected.statistic_sign == -1


@pytest.mark.parametrize(("setting", "least", "most"), [("fixed", 0.22, 0.45),
                                                        ("redrawn", 0.07, 0.21)])  # fmt: skip
def test_noise_gets_asterisks_by_the_published_test_alone(setting, least, most):
    found = on_noise(setting, data_sets=200, seed=1)
    assert least < rejected(found["published"], ALPHA) < most
    for name in ("corrected", "once"):  # 0.1: three standard errors above the level
        assert rejected(found[name], ALPHA) < 0.1
        assert rejected(found[name], LEVELS[1]) < 0.02
    # where the images stay the same, Bonferroni does not help
    assert (rejected(found["published"], LEVELS[1]) > 0.015) == (setting == "fixed")


def test_a_draw_is_its_seeds_and_no_memory_limit_changes_it(monkeypatch):
    one, other = (on_noise("fixed", data_sets=6, n=40, d=3, seed=s)["published"] for s in (0, 1))
    assert not np.array_equal(one, other)
    monkeypatch.setattr(significance, "AT_ONCE", 1)
    np.testing.assert_allclose(on_noise("fixed", 6, 40, 3, seed=0)["published"], one)


def test_what_is_there_is_found_by_every_test(rng):
    y = rng.random(400) < 0.5
    code = rng.normal(size=(400, 20))
    code[:, 0] += 2 * y
    found = resplit(code, y, rng)
    assert max(found.published, found.corrected, found.once) < 0.05 / 85
    accuracy, p = fresh_test(code[:200], y[:200], code[200:], y[200:], rng)
    assert accuracy > 0.7 and p < 0.05 / 85
    knows, learnt_by_heart = fresh_test(code[:200, 1:], y[:200], code[200:, 1:], y[200:], rng)
    assert learnt_by_heart > 0.05 / 85 and knows == pytest.approx(0.5, abs=0.12)


def test_a_fresh_test_keeps_its_level(rng):
    p = []
    for _ in range(300):
        code, y = rng.normal(size=(160, 10)), rng.random(160) < 0.5
        p.append(fresh_test(code[:80], y[:80], code[80:], y[80:], rng)[1])
    assert 0.005 < rejected(np.array(p), ALPHA) < 0.09
