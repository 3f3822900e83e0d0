"""The nonlinear world: what hides a nuisance and what only seems to, its data, and its settings."""

import numpy as np
import pytest
import torch
from scipy import stats
from shipped import records
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from core.laws.samplers import Noise
from core.learners.invariance import Learner, World
from core.objectives import invariant_risk_penalty
from core.run.experiment import Experiment
from core.scenarios import SCENARIOS

scenario = SCENARIOS["invariance"]
Params = scenario.Params
SEEDS = (0, 1, 2)
pytestmark = pytest.mark.usefixtures("fitted_once")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def ask(seeds=SEEDS, vary=None, **params):
    return Experiment(Params(**params), "invariance", tuple(seeds), vary or {}).members


def trained(seeds=SEEDS, **params):
    return [record.scores for record in records(ask(seeds, **params))]


def over_chance(scores, probe="mlp"):
    return scores[f"probe_accuracy_{probe}"] - scores["chance"]


# --- what each method does --------------------------------------------------------------------


@pytest.mark.slow
def test_reversal_hides_the_nuisance_from_a_fresh_probe_and_keeps_the_content():
    for scores in trained():
        assert over_chance(scores) <= 0.04 and over_chance(scores, "linear") <= 0.04
        assert scores["content_r2"] >= 0.94 and scores["content_r2_per_class"] >= 0.95
        assert scores["adversary_loss"] == pytest.approx(np.log(4), abs=0.02)
        assert scenario.promise(Params()).kept(scores["probe_accuracy_mlp"])


@pytest.mark.slow
def test_x_itself_shows_everything():
    for scores in trained():
        assert scores["raw_probe_accuracy_linear"] > 0.97 and scores["raw_content_r2"] > 0.98
        assert scores["raw_probe_accuracy_mlp"] > 0.97


@pytest.mark.slow
def test_without_reversal_the_same_autoencoder_leaks_and_its_bodies_do_not_agree():
    pairs = list(zip(trained(method="ae"), trained(), strict=True))
    for plain, reversed_ in pairs:
        assert over_chance(plain) > 0.05 and plain["adversary_loss"] is None
        # the content is there, body by body, but one body's read-out is of little use to another
        assert plain["content_r2_per_class"] > 0.95 and plain["transfer_r2"] < 0.8
        assert plain["content_r2"] < reversed_["content_r2"] - 0.05
        assert reversed_["transfer_r2"] > 0.9
    assert np.mean([over_chance(plain) for plain, _ in pairs]) > 0.15


@pytest.mark.slow
def test_a_game_without_its_gradient_hides_nothing():
    (scores,) = trained((0,), lam=0.0)
    assert over_chance(scores) > 0.1
    assert scores["adversary_loss"] < np.log(4) - 0.05


@pytest.mark.slow
def test_a_head_with_no_room_for_the_nuisance_is_invariant_and_one_with_room_is_not():
    heads = (trained((0, 1), method="content", d_z=d_z) for d_z in (2, 8))
    for narrow, wide in zip(*heads, strict=True):
        assert over_chance(narrow) <= 0.04 and wide["probe_accuracy_mlp"] > 0.95
        assert min(narrow["content_r2"], wide["content_r2"]) > 0.99


@pytest.mark.slow
@pytest.mark.parametrize(("d_z", "reads"), [(None, 0.25), (8, 0.4)], ids=["x", "code"])
def test_linear_erasure_blinds_the_linear_probe_and_no_other(d_z, reads):
    for scores in trained(method="leace", d_z=d_z):
        assert over_chance(scores, "linear") < 0.15 and over_chance(scores) > reads
        assert over_chance(scores) > over_chance(scores, "linear") + 0.2


@pytest.mark.slow
def test_equal_risks_are_not_equal_codes():
    for scores in trained((0, 1), method="irm", d_z=8):
        assert scores["probe_accuracy_mlp"] > 0.95 and scores["content_r2"] > 0.98


@pytest.mark.slow
def test_content_that_goes_with_the_nuisance_is_lost_between_bodies_but_not_within_one():
    for shifted, plain in zip(trained(rho=1.0), trained(), strict=True):
        assert over_chance(shifted) <= 0.04
        assert shifted["content_r2"] < 0.75 < 0.94 <= plain["content_r2"]
        assert shifted["content_r2_per_class"] > 0.94
    (head,) = trained((0,), method="content", rho=1.0)  # keeps the content, and so the nuisance
    assert head["content_r2"] > 0.99 and over_chance(head) > 0.2


@pytest.mark.slow
def test_free_dynamics_repeat_the_state_and_additive_ones_or_a_bottleneck_do_not():
    two = {"method": "two-stage"}
    for scores in trained((0, 1), **two):
        assert scores["action_r2"] > 0.97 and abs(scores["state_r2"]) < 0.02
        assert over_chance(scores) <= 0.04 and scores["content_r2"] > 0.96
    for scores in trained((0, 1), **two, dynamics="free"):
        # the code is invariant all the same: nothing in its own scores warns of what is gone
        assert over_chance(scores) <= 0.04
        assert scores["action_r2"] < 0.75 and scores["state_r2"] > 0.2
        assert scores["content_r2"] < 0.75
    for scores in trained((0,), **two, dynamics="free", kl=0.05):
        assert scores["action_r2"] > 0.9 and scores["state_r2"] < 0.08


@pytest.mark.slow
def test_an_action_of_two_dimensions_has_no_room_for_the_nuisance_before_the_second_stage():
    (scores,) = trained((0,), method="two-stage", lam=0.0)
    assert over_chance(scores) <= 0.04 and scores["content_r2"] > 0.96


@pytest.mark.slow
def test_equal_laws_do_not_make_equal_maps():
    """Two bodies, one of whose maps is twisted: no probe sees it, and no read-out transfers."""
    (scores,) = trained((2,), n_classes=2)
    assert over_chance(scores) <= 0.04 and scores["content_r2_per_class"] > 0.95
    assert scores["content_r2"] < 0.7 and scores["transfer_r2"] < 0


# --- the world --------------------------------------------------------------------------------

N = 20_000


def drawn(**params):
    world = World([Params(**params)], [0], "cpu")
    return world, world.draw(N, Noise([0], "data", "cpu"))


def latents(world, x):
    return world.g.inverse(x)[0].double().numpy()


@pytest.mark.parametrize("rho", (0.0, 1.5))
def test_contents_are_normal_and_shifted_by_their_class_alone(rho):
    world, sample = drawn(rho=rho, n_classes=5)
    content, y = sample.content[0].double().numpy(), sample.y[0].numpy()
    assert stats.chisquare(np.bincount(y)).pvalue > 1e-3
    means = world.means.double().numpy()
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), 1, atol=1e-6)
    for column in (content - rho * means[y]).T:
        assert stats.kstest(column, "norm").pvalue > 1e-3
    np.testing.assert_array_equal(sample.body[0].argmax(1), y)


def test_the_mixing_hides_content_nuisance_and_noise():
    world, sample = drawn(noise=0.2)
    z = latents(world, sample.x)
    np.testing.assert_allclose(z[:, :2], sample.content[0], atol=1e-4)
    rest = np.column_stack([z[:, 2:4] - world.means[sample.y[0]].numpy(), z[:, 4:]])
    np.testing.assert_allclose(np.cov(rest.T), 0.04 * np.eye(4), atol=2e-3)
    np.testing.assert_allclose(rest.mean(0), 0, atol=8e-3)
    assert (sample.state == 0).all()


def test_an_action_takes_a_body_from_one_state_to_the_next():
    world, sample = drawn(method="two-stage")
    before, after = latents(world, sample.x[..., :6]), latents(world, sample.x[..., 6:])
    np.testing.assert_allclose(before[:, :2], sample.state[0], atol=1e-4)
    np.testing.assert_allclose(after[:, :2], sample.after[0], atol=1e-4)
    np.testing.assert_allclose(sample.after - sample.state, sample.content, atol=1e-5)
    np.testing.assert_allclose(before[:, 2:4], after[:, 2:4], atol=1e-4)  # the same body
    noise = np.corrcoef(before[:, 4:].T, after[:, 4:].T)
    assert np.abs(noise - np.eye(4)).max() < 0.04
    assert np.abs(np.corrcoef(sample.state[0].T, sample.content[0].T)[:2, 2:]).max() < 0.04


@pytest.mark.parametrize("method", ("ae-grl", "two-stage"))
def test_the_grid_is_seen_by_every_body_without_noise(method):
    world, _ = drawn(method=method, n_classes=3)
    contents = torch.tensor([[0.0, 1.0], [-2.0, 0.5]])
    x = world.bodies(contents)
    assert x.shape == (1, 6, 6 if method == "ae-grl" else 12)
    z = latents(world, x[..., -6:])
    np.testing.assert_allclose(z[:, :2], contents.repeat(3, 1), atol=1e-4)
    np.testing.assert_allclose(z[:, 2:4], world.means.repeat_interleave(2, 0), atol=1e-4)
    np.testing.assert_allclose(z[:, 4:], 0, atol=1e-4)


# --- what a result holds ----------------------------------------------------------------------

BRIEF = {"steps": 4, "batch": 32, "width": 8}


@pytest.mark.parametrize(
    ("setting", "d_z"),
    [({}, 2), ({"method": "two-stage", "d_z": 3}, 3), ({"method": "leace"}, 6),
     ({"method": "leace", "d_z": 4}, 4)],
    ids=str,
)  # fmt: skip
def test_a_learner_shows_codes_and_every_bodys_map_of_the_grid(setting, d_z):
    learner = Learner(ask((0,), **setting, **BRIEF), "cpu")
    for t in range(learner.steps):
        loss = learner.step(t)
        assert loss.shape == (1,) and torch.isfinite(loss).all()
    look, seen = learner.look(), learner.observe()
    assert look.z_hat.shape == seen.z_hat.shape == (1, 500, d_z)
    np.testing.assert_allclose(look.z_hat, seen.z_hat, atol=1e-6)
    assert seen.moving["bodies"].shape == (1, 4, 10, 17, d_z)
    assert learner.truth.world["grid"].shape == (1, 10, 17, 2)
    assert learner.truth.z.shape == (1, 500, 2) and learner.truth.world["y"].shape == (1, 500)
    lines = learner.truth.world["grid"][0]
    assert (lines[:5, :, 0] == lines[:5, :1, 0]).all()
    assert (lines[5:, :, 1] == lines[5:, :1, 1]).all()
    assert np.abs(lines).max() == 2


def test_erasing_x_trains_nothing_and_leaves_a_linear_probe_no_better_than_a_guess():
    learner = Learner(ask((0,), method="leace"), "cpu")
    assert learner.steps == 1
    before = learner.look().z_hat[0]
    learner.step(0)
    np.testing.assert_array_equal(before, learner.look().z_hat[0])
    x, y = learner.truth.world["x"][0], learner.truth.world["y"][0]
    erased, raw = (
        log_loss(y, LogisticRegression(max_iter=500).fit(each, y).predict_proba(each))
        for each in (before, x)
    )
    # on 500 points the fitted probe is a little too sure of itself
    assert erased == pytest.approx(np.log(4), abs=0.02) and raw < 0.5


def test_a_member_that_breaks_leaves_no_scores_and_no_exception():
    learner = Learner(ask((0,), {"rho": (0.0, 1.0)}, method="leace", d_z=2, **BRIEF), "cpu")
    with torch.no_grad():
        learner.f.weights[0][0] = torch.nan
    learner.step(0)
    broken, healthy = learner.finish()
    assert set(broken.values()) == {None} and healthy["content_r2"] is not None
    assert np.isnan(learner.observe().scores["content_r2"]).tolist() == [True, False]


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "field", "words"),
    [
        ({"rho": 1.0}, "rho", "pooled content falls"),
        ({"method": "content"}, "d_z", "invariant by itself"),
        ({"d_z": 1}, "d_z", "narrower than the content"),
        ({"method": "leace"}, "method", "a draw among near ties"),
        ({"method": "irm", "d_z": 8}, "method", "not their codes"),
        ({"method": "two-stage", "dynamics": "free"}, "dynamics", "part of the content gone"),
        ({"method": "two-stage", "dynamics": "free", "kl": 0.05}, "dynamics", "dear to repeat"),
        ({"lam": 0.0}, "lam", "nothing hides"),
        ({"method": "two-stage", "lam": 0.0}, "lam", "no room for the nuisance"),
    ],
    ids=str,
)
def test_a_broken_condition_gets_a_notice(setting, field, words):
    found = [n.text for n in scenario.notices(Params(**setting)) if n.field == field]
    assert len(found) == 1 and words in found[0]


@pytest.mark.parametrize(
    "setting", [{}, {"method": "content", "d_z": 8}, {"method": "two-stage"}], ids=str
)
def test_a_setting_that_does_what_it_says_gets_none(setting):
    assert scenario.notices(Params(**setting)) == ()


def test_fields_without_effect_do_not_make_another_run():
    assert Params(d_z=2).chosen() == Params(kl=0.1, dynamics="free").chosen() == {}
    assert Params(method="ae", lam=3.0).chosen() == {"method": "ae"}
    assert Params(method="leace", steps=50, width=8).chosen() == {"method": "leace"}
    leace = Params(method="leace", d_z=2, steps=50).chosen()
    assert leace == {"method": "leace", "d_z": 2, "steps": 50}
    assert Params(method="irm", lam=2.0).chosen() == {"method": "irm", "lam": 2.0}


def test_every_method_has_a_promise_and_says_who_made_it():
    for method in Params.model_fields["method"].annotation.__args__:
        promise = scenario.promise(Params(method=method, n_classes=5))
        assert promise.statement and promise.source and promise.at_most
        assert not promise.kept(0.26) and not promise.kept(None)
        # only an adversary is promised to leave nothing to any probe
        assert promise.judges == promise.kept(0.24) == Params(method=method).reverses
        assert promise.said.startswith(
            "Promised" if promise.judges or method == "leace" else "Nothing"
        )


def test_without_its_gradient_reversal_promises_nothing():
    promise = scenario.promise(Params(lam=0.0))
    assert promise.missing == ("a λ above 0",) and not promise.judges


def test_erasure_promises_a_loss_of_linear_probes_and_no_accuracy():
    promise = scenario.promise(Params(method="leace"))
    assert promise.bound is None and promise.promised == ("probe_accuracy_linear",)
    assert "of accuracies neither" in promise.said


def test_the_penalty_of_a_minibatch_is_not_zero_where_that_of_all_is():
    """What the notice says: a squared mean of few terms keeps their variance."""
    rng = torch.Generator().manual_seed(0)
    target = torch.randn(1, 40_000, 1, generator=rng)
    predicted = 0.8 * (target + 0.5 * torch.randn(1, 40_000, 1, generator=rng))  # the best slope
    body = torch.eye(4)[torch.arange(40_000) % 4][None]
    whole = float(invariant_risk_penalty(predicted, target, body)[0])
    parts = [slice(at, at + 256) for at in range(0, 40_000 - 256, 256)]
    few = np.mean(
        [float(invariant_risk_penalty(predicted[:, s], target[:, s], body[:, s])[0]) for s in parts]
    )
    assert whole < 2e-3 < few / 5
    (notice,) = (n for n in scenario.notices(Params(method="irm", d_z=8)) if n.field == "method")
    assert (
        "about 64 observations a body" in notice.text and "not 0 even at the truth" in notice.text
    )


def test_work_grows_with_what_is_done():
    def work(**params):
        return scenario.work(Params(**params))

    assert work(method="leace") < work(method="ae") < work(method="two-stage")
    assert work(method="two-stage") < work() < work(inner_steps=6)
    assert work(steps=100) < work() < work(batch=1024)


@pytest.mark.slow
def test_the_penalty_makes_the_risks_of_the_bodies_more_alike():
    """IRMv1's penalty of a trained head, held out, with its weight and without."""
    left = {}
    for lam in (0.0, 10.0):
        one = Learner(ask((0,), method="irm", d_z=8, lam=lam, steps=300), "cpu")
        for t in range(one.steps):
            one.step(t)
        held_out = one.evaluated
        with torch.no_grad():
            read = one.reader(one.f(held_out.x))
        left[lam] = float(invariant_risk_penalty(read, held_out.content, held_out.body)[0])
    assert left[10.0] < left[0.0] / 2
