"""Probes of digits: which images who sees, what is probed, and what a probe proves."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression

from core.claimed.pictures.probes import CLAIMS
from core.claims.claim import gathered
from core.images import digits
from core.learners.probes import CERTAIN, FITTED, FRESH, PICTURE, Images, Learner, probed, proxy
from core.legend import SCORES
from core.lessons.probes import FEATURES
from core.run.experiment import Experiment, groups
from core.run.worker import train_group
from core.scenarios import SCENARIOS
from core.scenarios.probes import (
    CODES,
    DRAWN,
    FACTORS,
    PROBED,
    PROCEDURES,
    SAMPLES,
    SHOWN,
    TESTS,
    TRAINED,
)

scenario = SCENARIOS["probes"]
Params = scenario.Params
TINY = {"width": 16, "d_hat": 8, "batch": 32, "steps": 6}
kinds = pytest.mark.parametrize("features", CODES)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def members(seeds=(0, 1), **params):
    asked = Params(**{**TINY, **params})
    (group,) = groups(Experiment(asked, "probes", tuple(seeds)).members)
    return group


def taught(updates=6, seeds=(0, 1), **params):
    one = Learner(members(seeds, **params), "cpu")
    for t in range(updates):
        one.step(t)
    return one


# --- the data ---------------------------------------------------------------------------------


def test_the_factors_are_those_of_the_images_in_their_order():
    assert list(FACTORS) == [factor.name for factor in digits.FACTORS]
    assert set(CODES) == set(FEATURES) and TESTS == 50


def test_images_are_split_by_the_seed_and_every_one_is_there_once():
    one, same, other = (Images.of(seed) for seed in (0, 0, 1))
    table = digits.read()
    assert torch.equal(one.x, same.x) and not torch.equal(one.y, other.y)
    whole = np.sort(table.values[:, 1])
    for each in (one, other):
        np.testing.assert_array_equal(np.sort(each.factors[:, 1]), whole)
        np.testing.assert_array_equal(each.factors[:, 0], each.y.numpy())
        ink = each.x.double().mean(1).numpy()
        assert np.corrcoef(ink, each.factors[:, 1])[0, 1] > 0.9999  # each beside its own image
    torch.testing.assert_close(one.x[:TRAINED].mean(0), torch.zeros(64), atol=1e-6, rtol=0)


def test_wrong_labels_are_the_same_ones_in_another_order():
    one = Images.of(3)
    right = one.y[:TRAINED]
    assert torch.equal(one.wrong.bincount(), right.bincount())
    assert (one.wrong == right).double().mean() == pytest.approx(0.1, abs=0.04)


def test_what_fits_and_what_is_fresh_is_never_trained_on():
    assert (FITTED.start, FITTED.stop, FRESH.start, FRESH.stop) == (
        TRAINED, TRAINED + PROBED, TRAINED + PROBED, SAMPLES)  # fmt: skip
    assert FITTED.start <= PICTURE.start < PICTURE.stop <= FITTED.stop
    one = Learner(members(), "cpu")
    one.x[:, TRAINED:] = torch.nan  # what is trained on may hold none of these
    one.y[:, TRAINED:] = -1
    assert all(one.step(t).isfinite().all() for t in range(3))


def test_probes_fit_on_some_images_and_fresh_ones_change_only_the_fresh_scores():
    one = Images.of(0)
    code = one.x.numpy().copy()
    before = probed(code, one.factors, 0)
    code[FRESH] = np.random.default_rng(0).normal(size=code[FRESH].shape)
    after = probed(code, one.factors, 0)
    changed = {name for name in before if before[name] != after[name]}
    assert changed and all("fresh" in name for name in changed)
    assert after["fresh_accuracy_ink"] < 0.7 < 0.9 < before["fresh_accuracy_ink"]
    code = one.x.numpy().copy()
    code[:TRAINED] = 0  # no probe sees what the encoder is trained on
    assert probed(code, one.factors, 0) == before


def test_proxies_halve_the_probed_images_and_the_digit_is_five_or_more():
    factors = Images.of(0).factors
    y = proxy(factors, 0)
    np.testing.assert_array_equal(y, factors[:, 0] >= 5)
    for j in range(1, len(FACTORS)):
        y, middle = proxy(factors, j), np.median(factors[FITTED, j])
        np.testing.assert_array_equal(y, factors[:, j] > middle)
        assert 0.3 < y[FITTED].mean() <= 0.5


# --- what is probed ---------------------------------------------------------------------------


def test_codes_are_what_they_are_called():
    trained, shuffled, untrained, pixels, noise = (taught(features=name) for name in CODES)
    start = taught(0)._codes()
    np.testing.assert_array_equal(untrained._codes(), start)
    np.testing.assert_array_equal(pixels._codes(), pixels.x.numpy())
    assert np.abs(trained._codes() - start).max() > 0.1
    assert np.abs(trained._codes() - shuffled._codes()).max() > 0.1
    assert noise._codes().shape == trained._codes().shape == (2, SAMPLES, TINY["d_hat"])
    inked = noise.x[0].numpy()[:, noise.x[0].std(0) > 0]
    together = np.concatenate([noise._codes()[0], inked], 1)
    apart = np.corrcoef(together.T)[: TINY["d_hat"], TINY["d_hat"] :]
    assert np.abs(apart).max() < 0.12  # of some 500 pairs: five standard errors


@kinds
def test_only_what_acts_is_in_the_key_and_what_does_not_changes_nothing(features):
    p = Params(features=features)
    acts = {"trained": 8, "shuffled": 8, "untrained": 4, "pixels": 1, "noise": 2}[features]
    assert len(set(Params.model_fields) - p.inactive()) == acts
    if not p.trains:
        one, other = (taught(1, features=features, steps=s, learning_rate=r).finish()
                      for s, r in ((6, 1e-2), (9, 1e-3)))  # fmt: skip
        assert one == other


def test_weight_decay_shrinks_the_weights():
    plain, shrunk = (taught(60, steps=60, weight_decay=w).classifier.length() for w in (0.0, 0.1))
    assert (shrunk < plain / 2).all()


# --- scores -----------------------------------------------------------------------------------


@kinds
def test_scores_have_words_and_are_those_of_the_codes(features):
    one = taught(features=features)
    for i, found in enumerate(one.finish()):
        again = probed(one._codes()[i], one.images[i].factors, one.members[i].seed)
        assert again.items() <= found.items()
        for name in found:
            assert name.removesuffix("_low").removesuffix("_high") in SCORES, name
        assert (found["classifier_accuracy"] is None) == (features not in ("trained", "shuffled"))
        assert (found["loss"] is None) == (features != "trained")
        for name in PROCEDURES:
            p = [found[f"{name}_p_{factor}"] for factor in FACTORS]
            assert all(0 <= each <= CERTAIN for each in p)
            assert found[f"asterisks_{name}"] == sum(each > -np.log10(0.05 / 50) for each in p)
            assert found[f"rejected_{name}"] == sum(each > -np.log10(0.05) for each in p)


def test_a_fresh_accuracy_is_that_of_scikit_learn():
    one = Images.of(2)
    code, y = one.x.numpy().astype(float), proxy(one.factors, 1)
    found = probed(code, one.factors, 2)
    kept = code[FITTED].std(0) > 0
    centre, scale = code[FITTED].mean(0), np.where(kept, code[FITTED].std(0), 1)
    scaled = (code - centre) / scale
    plain = LogisticRegression().fit(scaled[FITTED], y[FITTED]).score(scaled[FRESH], y[FRESH])
    assert found["fresh_accuracy_ink"] == pytest.approx(plain, abs=0.03)  # not balanced there
    n = 2 * min(y[FRESH].sum(), (~y[FRESH]).sum())
    right = round(found["fresh_accuracy_ink"] * n)
    p = stats.binomtest(int(right), int(n), 0.5).pvalue
    assert found["fresh_p_ink"] == pytest.approx(-np.log10(p), rel=1e-9)


def test_a_code_that_diverged_has_no_scores():
    one = taught(1)
    with torch.no_grad():
        one.classifier.f.biases[0].fill_(torch.nan)
    for found in one.finish():
        of_probes = {k: v for k, v in found.items() if k not in ("classifier_accuracy", "loss")}
        assert set(of_probes.values()) == {None} and found["loss"] is None
    assert np.isnan(one.observe().z_hat).all()


@kinds
def test_a_run_can_be_drawn_to_its_end(features):
    (result,) = train_group(members((0,), features=features), device="cpu")
    assert result.sound == len(result.frame_step) >= 2 and not result.diverged
    assert result.z.shape == (DRAWN, SHOWN) and result.z_hat.shape[1:] == (DRAWN, SHOWN)
    small = result.thinned(12, 100)
    assert small.world["y"].shape == (100,) and small.world["factors"].shape == (100, 10)
    if features == "pixels":  # whose axes they are
        np.testing.assert_allclose(result.z_hat[-1], result.z, atol=2e-3)


# --- what it proves ---------------------------------------------------------------------------

RUNS = {}  # of seeds that claims are tried on, by key: most are of several claims


@pytest.mark.slow
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_holds_of_seeds_that_no_one_chose_it_by_and_its_counter_does_not(claim):
    seeds = tuple(range(50, 55))
    for group in groups(m for m in claim.members(seeds) if m.key not in RUNS):
        RUNS.update((r.member.key, r.record) for r in train_group(group, device="cpu"))
    for counter in (False, True):
        found = gathered(claim, lambda member: RUNS[member.key], counter=counter, seeds=seeds)
        assert found.verdict is not counter, (str(claim.holds), found.values)


def test_an_untrained_code_gets_asterisks_and_noise_does_not():
    """Both ways, without training: what an asterisk says, and what it does not."""
    found = {name: taught(1, features=name, d_hat=64, width=64).finish() for name in
             ("untrained", "pixels", "noise")}  # fmt: skip
    for name in PROCEDURES:
        for run in (*found["untrained"], *found["pixels"]):
            assert run[f"asterisks_{name}"] >= 9
        assert sum(run[f"asterisks_{name}"] for run in found["noise"]) <= 2
