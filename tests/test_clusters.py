"""Cross-entropy on vMF clusters: the theorem in both directions, its floor, its world."""

from math import log

import numpy as np
import pytest
import torch
from scipy import stats
from shipped import results

from core import metrics, theory
from core.laws import vmf
from core.laws.densities import log_density
from core.laws.law import Law
from core.laws.samplers import Noise, cluster_vectors, generator
from core.learners.clusters import Learner, World
from core.run.experiment import Experiment
from core.run.worker import train_group
from core.scenarios import SCENARIOS
from core.scenarios.clusters import quadric_count

scenario = SCENARIOS["clusters"]
Params = scenario.Params
CASES = ("C1", "C2", "C3", "C4")
DIET = {"supervision": "instance"}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def ask(seeds=(0, 1, 2), **params):
    return Experiment(Params(**params), "clusters", tuple(seeds)).members


def trained(seeds=(0, 1, 2), **params):
    return results(ask(seeds, **params))


# --- the theorem, in both directions ----------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_under_the_assumptions_latents_and_cluster_vectors_come_back(case):
    for result in trained(case=case):
        scores = result.scores
        assert scores["linear_r2"] >= 0.99 and scores["v_r2"] >= 0.99
        for baseline in ("raw_linear_r2", "untrained_linear_r2"):
            assert scores["linear_r2"] > scores[baseline] + 0.1
        assert scores["degree"] in (1, -1) and not result.diverged


@pytest.mark.slow
def test_instances_do_what_classes_do():
    for result in trained(**DIET):
        assert result.scores["linear_r2"] >= 0.99 and result.scores["v_r2"] >= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("case", ("C3", "C4"))
def test_five_dimensions_and_a_hundred_clusters(case):
    for result in trained(d=5, n_clusters=100, case=case):
        assert result.scores["linear_r2"] >= 0.99 and result.scores["v_r2"] >= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("case", ("C1", "C2", "C3"))
def test_unit_lengths_leave_a_rotation(case):
    for result in trained(case=case):
        assert result.scores["orthogonal_r2"] >= 0.99
        assert result.scores["singular_value_mae"] < 0.06
        if case != "C2":  # where the rows keep an offset
            assert result.scores["v_orthogonal_r2"] >= 0.99


@pytest.mark.slow
def test_lengths_are_those_of_the_theorem():
    for result in trained(case="C1"):  # beta = kappa
        assert float(result.moving["beta"][-1]) == pytest.approx(10, rel=0.1)
        assert result.scores["feature_norm"] == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(np.linalg.norm(result.moving["w"][-1], axis=1), 1, atol=2e-3)
    for result in trained(case="C3"):  # h = kappa O z
        assert result.scores["feature_norm"] == pytest.approx(10, rel=0.1)
        np.testing.assert_allclose(np.linalg.norm(result.moving["w"][-1], axis=1), 1, atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_at_the_optimum_logits_differ_as_the_worlds_do(case):
    """beta <w_i - w_k, f(x)> = kappa <v_i - v_k, z>: equation 19."""
    for result in trained(case=case):
        z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
        v, w = result.world["v"].astype(float), result.moving["w"][-1].astype(float)
        world = 10 * z @ (v[1:] - v[0]).T
        model = float(result.moving["beta"][-1]) * z_hat @ (w[1:] - w[0]).T
        assert np.corrcoef(world.ravel(), model.ravel())[0, 1] > 0.99
        assert np.abs(world - model).mean() < 0.2 * np.abs(world).mean()


@pytest.mark.slow
def test_rows_of_one_cluster_collapse_under_instance_labels():
    for result in trained(**DIET):
        w, v = result.moving["w"][-1].astype(float), result.world["v"]
        _, cluster = np.unique(v.round(5), axis=0, return_inverse=True)
        within = np.mean([w[cluster == c].std(0).mean() for c in range(30)])
        assert within < 0.1 * w.std(0).mean()


@pytest.mark.slow
@pytest.mark.parametrize(("d", "count"), [(3, 3), (5, 3), (5, 4)])
def test_with_too_few_clusters_only_the_span_of_their_differences_comes_back(d, count):
    results = trained(d=d, n_clusters=count)
    for result in results:
        scores = result.scores
        # outside the span even less is left than in x itself; inside, most of it
        assert scores["complement_r2"] < scores["raw_complement_r2"] - 0.1
        assert scores["span_r2"] > scores["complement_r2"] + 0.4
        assert scores["v_r2"] is None and scores["v_orthogonal_r2"] is None
        assert scores["loss"] - scores["loss_floor"] < 0.02  # and the loss does not mind
    inside, raw = (
        np.mean([r.scores[name] for r in results]) for name in ("span_r2", "raw_span_r2")
    )
    assert inside > max(raw + 0.1, 0.9)


@pytest.mark.slow
def test_weights_of_other_clusters_foretell_nothing():
    few = {"steps": 60, "batch": 256, "n_clusters": 20}
    (result,) = train_group(ask((0,), **few))
    for name in ("v_r2", "v_orthogonal_r2"):
        assert result.scores[f"null_{name}"] < 0.1 < 0.5 < result.scores[name]
    (lone,) = train_group(ask((0,), **few | {"n_clusters": 3}))
    assert lone.scores["v_r2"] is None and lone.scores["null_v_r2"] is None


def test_with_some_candidates_the_same_latents_come_back():
    some, every = (train_group(ask((0,), candidates=k, steps=400))[0] for k in (16, None))
    assert some.scores["linear_r2"] > 0.97 and every.scores["linear_r2"] > 0.97
    assert every.scores["loss"] < some.scores["loss"] < every.scores["loss"] + 0.2


def test_many_clusters_on_a_great_circle_are_still_too_few_directions():
    for result in trained(cluster_law="subspace"):
        scores = result.scores
        assert scores["span_r2"] >= 0.99 and scores["complement_r2"] < 0.1
        assert scores["linear_r2"] < scores["raw_linear_r2"]
        assert scores["loss"] - scores["loss_floor"] < 0.01
    assert all(r.scores["span_r2"] is None for r in trained())


@pytest.mark.slow
def test_a_thousand_instances_in_five_dimensions():
    (result,) = trained((0,), d=5, n_clusters=100, n_instances=1000, **DIET)
    assert result.scores["linear_r2"] >= 0.99 and result.scores["v_r2"] >= 0.99


@pytest.mark.slow
def test_noisy_labels_cost_some_and_leave_most():
    for noisy, clean in zip(trained(label_noise=0.8), trained(), strict=True):
        assert noisy.scores["raw_linear_r2"] + 0.03 < noisy.scores["linear_r2"]
        assert noisy.scores["linear_r2"] < clean.scores["linear_r2"] - 0.03


@pytest.mark.slow
def test_labels_that_say_nothing_teach_nothing():
    for noisy, clean in zip(trained(label_noise=1.0), trained(), strict=True):
        assert noisy.scores["v_r2"] < 0.1
        assert noisy.scores["linear_r2"] < noisy.scores["raw_linear_r2"] + 0.02
        assert noisy.scores["loss"] == pytest.approx(log(30), abs=0.01)
        assert noisy.scores["loss_floor"] == pytest.approx(log(30), abs=1e-6)
        half = clean.scores["linear_r2"] - noisy.scores["linear_r2"]
        assert half > 0.1


@pytest.mark.slow
def test_a_long_head_at_the_start_gets_a_run_stuck_that_a_short_one_does_not():
    (stuck,) = trained((2,), case="C3", head_scale=3.0)
    free = trained(case="C3")[2]
    assert stuck.scores["linear_r2"] < 0.9 < 0.99 < free.scores["linear_r2"]
    for result, far in ((stuck, True), (free, False)):
        assert (result.scores["loss"] - result.scores["loss_floor"] > 0.05) == far


# --- the floor --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("setting", [{}, {"case": "C1"}, DIET, {"label_noise": 0.4}],
                         ids=["classes", "unit", "instances", "noisy labels"])  # fmt: skip
def test_no_model_passes_the_bayes_floor_and_a_trained_one_comes_near(setting):
    for result in trained(**setting):
        excess = result.scores["loss"] - result.scores["loss_floor"]
        assert excess >= 0  # a divergence
        # the posterior of noisy labels is no softmax of linear logits
        assert (excess < 0.02) == ("label_noise" not in setting)


def learner(**params):
    return Learner(ask((0,), **params), "cpu")


def test_floor_of_instances_is_that_of_classes_and_the_choice_within_a_class():
    classes, instances = (
        learner(**setting).baselines[0]["loss_floor"] for setting in ({}, DIET)
    )  # fmt: skip
    assert instances - classes == pytest.approx(log(300 / 30), abs=1e-9)


def test_floor_is_the_mean_log_posterior_of_the_true_label():
    """Against a slow estimate: labels drawn, and scored by the true posterior."""
    one = learner(label_noise=0.3, n_clusters=8)
    noise = Noise([5], "floor", "cpu")
    labels, z = one.world.draw(40_000, noise)
    given = one.world.noisy(labels, noise)[0].numpy()
    likelihood = log_density(Law("vmf", 10.0), z[0].double().numpy(), one.v[0])
    posterior = theory.label_posterior(likelihood, one.n_instances, 0.3)
    losses = -np.log(posterior[np.arange(len(given)), given])
    error = losses.std() / len(losses) ** 0.5
    floor = one.baselines[0]["loss_floor"]
    assert floor == pytest.approx(losses.mean(), abs=4 * error + 0.02)


def test_the_reported_loss_is_cross_entropy_in_expectation_over_labels():
    one = learner(label_noise=0.3, n_clusters=8, case="C1")
    noise = Noise([5], "floor", "cpu")
    labels, z = one.world.draw(40_000, noise)
    given = one.world.noisy(labels, noise)
    with torch.no_grad():
        logits = (one.head.beta() * one.f(one.g(z)) @ one.head.w().mT)[0]
        losses = torch.nn.functional.cross_entropy(logits, given[0], reduction="none")
    error = float(losses.std()) / len(losses) ** 0.5
    assert one.finish()[0]["loss"] == pytest.approx(float(losses.mean()), abs=4 * error + 0.02)


def test_loss_at_the_truth_is_the_floor():
    """With x = z and f = kappa z the model is the posterior: no excess at all."""
    one = learner(mixing_layers=0, case="C3")
    with torch.no_grad():
        one.head.rows.copy_(one.world.v)
        one.f.skip.copy_(10 * torch.eye(3))
        for weight in one.f.weights[-1:]:
            weight.zero_()
    scores = one.finish()[0]
    assert scores["loss"] == pytest.approx(one.baselines[0]["loss_floor"], abs=1e-6)
    assert scores["linear_r2"] == pytest.approx(1) and scores["v_r2"] == pytest.approx(1)
    assert scores["singular_value_mae"] < 1e-5


# --- the world --------------------------------------------------------------------------------

N = 30_000


def world(**params):
    p = Params(**params)
    v = cluster_vectors(generator(0, "world"), p.cluster_law, p.n_clusters, p.d)[None, : p.n_seen]
    return World([p], v, "cpu"), v[0].double().numpy(), Noise([0], "data", "cpu")


@pytest.mark.parametrize("setting", [{}, DIET, {**DIET, "n_instances": 70}, {**DIET, "d": 5}])
def test_labels_are_uniform_and_latents_sit_around_their_own_cluster(setting):
    here, v, noise = world(**setting)
    labels, z = here.draw(N, noise)
    labels, z = labels[0].numpy(), z[0].double().numpy()
    counts = np.bincount(labels, minlength=here.n_labels)
    assert stats.chisquare(counts).pvalue > 1e-3
    cluster = here.cluster.numpy()[labels]
    cosine = (z * v[cluster]).sum(1)
    expected = vmf.mean_cosine(10, z.shape[1])
    assert cosine.mean() == pytest.approx(expected, abs=5 * cosine.std() / N**0.5)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("instances", (30, 70, 300, 301))
def test_instances_are_spread_evenly_over_every_cluster(instances):
    here, _, _ = world(supervision="instance", n_instances=instances)
    counts = np.bincount(here.cluster.numpy(), minlength=30)
    assert counts.sum() == instances and np.ptp(counts) <= 1 and counts.min() >= 1


def test_a_seed_shows_the_same_latents_to_classes_and_instances():
    a, b = (learner(**setting) for setting in ({}, DIET))
    np.testing.assert_array_equal(a.evaluation.z, b.evaluation.z)
    first, second = (one.world.draw(64, one.data) for one in (a, b))
    torch.testing.assert_close(first[1], second[1], rtol=0, atol=0)
    np.testing.assert_array_equal(first[0].numpy(), b.world.cluster[second[0]].numpy())


@pytest.mark.parametrize("share", (0.0, 0.3, 1.0))
def test_label_noise_draws_its_share_uniformly_anew(share):
    here, _, noise = world(label_noise=share, n_clusters=10)
    labels, _ = here.draw(N, noise)
    given = here.noisy(labels, noise)
    changed = float((given != labels).double().mean())
    assert changed == pytest.approx(0.9 * share, abs=0.02)
    assert stats.chisquare(np.bincount(given[0].numpy(), minlength=10)).pvalue > 1e-3


def test_fewer_instances_than_clusters_leave_some_unseen_and_it_is_said():
    params = Params(supervision="instance", n_instances=10)
    assert params.n_seen == 10
    assert any("the last 20 never occur" in n.text for n in scenario.notices(params))
    one = learner(supervision="instance", n_instances=10)
    assert one.v.shape == (1, 10, 3)


# --- what is said -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"n_clusters": 3}, "span only 2 of 3 directions"),
        ({"cluster_law": "subspace"}, "lie in 2 of 3 dimensions"),
        ({"case": "C3", "n_clusters": 6}, "meet the paper's condition for case C3 (2d = 6)"),
        ({"case": "C3", "n_clusters": 5}, "asks for 2d = 6 clusters in the paper"),
        ({"n_clusters": 6}, "read it with caution"),
        ({"label_noise": 0.4}, "40% of the labels"),
        ({"kappa": 50.0}, "the optimiser has the trouble"),
        ({"mixing_layers": 0}, "scores 1 by construction"),
    ],
)
def test_a_broken_assumption_gets_a_notice_and_no_error(setting, words):
    assert any(words in notice.text for notice in scenario.notices(Params(**setting)))


def test_the_default_breaks_nothing():
    assert scenario.notices(Params()) == ()
    assert not any("C3" in n.text for n in scenario.notices(Params(case="C3", n_clusters=9)))


@pytest.mark.parametrize("case", CASES)
def test_what_is_promised_depends_on_the_case(case):
    promise = scenario.promise(Params(case=case))
    assert promise.up_to == ("linear" if case == "C4" else "orthogonal")
    assert ("orthogonal_r2" in promise.promised) == (case != "C4")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"conditional": "gennorm"}, "a von Mises-Fisher conditional"),
        ({"n_clusters": 3}, "d + 1 clusters"),
        ({"supervision": "instance", "n_instances": 3}, "d + 1 clusters"),
        ({"cluster_law": "subspace"}, "differences span the space"),
        ({"label_noise": 0.2}, "labels without noise"),
    ],
)
def test_a_promise_names_the_assumption_that_is_missing(setting, words):
    promise = scenario.promise(Params(**setting))
    assert promise.said.startswith("Nothing is promised here") and words in promise.said
    assert not promise.judges and not promise.kept(1.0)


@pytest.mark.parametrize("case", CASES)
def test_with_every_assumption_a_bound_decides(case):
    promise = scenario.promise(Params(case=case))
    assert promise.judges and promise.said.startswith("Promised: A minimiser")


def test_below_the_count_case_c3_is_promised_a_linear_map_alone():
    promise = scenario.promise(Params(case="C3", n_clusters=8))
    assert promise.up_to == "linear" and "orthogonal_r2" not in promise.promised
    assert "d(d+3)/2" in promise.said and promise.judges
    assert scenario.promise(Params(case="C3", n_clusters=9)).up_to == "orthogonal"


def test_the_degree_is_silent_where_it_says_nothing_and_says_why():
    for setting, words in (
        ({"n_clusters": 4}, "leave part of the sphere bare"),
        ({"kappa": 50.0}, "leave part of the sphere bare"),
        ({"d": 5}, "d = 2 and 3"),
        ({"conditional": "gennorm", "project": False}, "fill the space"),
    ):
        assert words in scenario.promise(Params(**setting)).silent["degree"]
    assert not scenario.promise(Params()).silent


@pytest.mark.parametrize("d", (2, 3, 5, 10))
def test_the_count_is_that_of_the_quadrics(d):
    v = cluster_vectors(generator(0, "world"), "uniform", quadric_count(d), d).double().numpy()
    assert len(theory.quadrics(v)) == 0 and len(theory.quadrics(v[:-1])) == 1


def test_scores_of_a_run_are_those_of_its_stored_rows():
    (result,) = trained((0,), steps=30, batch=64)
    v, w = result.world["v"].astype(float), result.moving["w"][-1].astype(float)
    found = metrics.v_r2(v, w, np.arange(30))
    assert found == pytest.approx(result.scores["v_r2"], abs=2e-3)


# --- what the encoder is fed -------------------------------------------------------------------


def test_whitened_observations_have_unit_covariance_and_more_comes_back_in_ten_dimensions():
    setting = {"d": 10, "n_clusters": 100, "steps": 150, "width": 64}
    learner = Learner(ask((0, 1), whiten=True, **setting), "cpu")
    fed = learner.f[0](learner.evaluation.x)
    for x in fed.numpy():
        np.testing.assert_allclose(np.cov(x, rowvar=False), np.eye(10), atol=0.15)
    plain, whitened = (
        [run.scores["linear_r2"] for run in trained((0, 1), whiten=white, **setting)]
        for white in (False, True)
    )
    assert min(whitened) > max(plain)
