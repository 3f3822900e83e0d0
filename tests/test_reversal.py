"""The signed game in its linear world: what the sign decides, what breaks it, and its data."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import stats
from shipped import results

from core import metrics
from core.laws import leakage
from core.laws.samplers import Noise
from core.laws.vmf import mean_cosine
from core.learners.reversal import GRID, Learner, World
from core.run.experiment import Experiment
from core.run.worker import train_group
from core.scenarios import SCENARIOS

scenario = SCENARIOS["reversal"]
Params = scenario.Params
SEEDS = (0, 1, 2)
EIGHT = {"d": 8, "rank": 3, "n_classes": 4}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def ask(seeds=SEEDS, **params):
    return Experiment(Params(**params), "reversal", tuple(seeds)).members


def played(seeds=SEEDS, way=False, **params):
    return results(ask(seeds, **params), way)


# --- what the sign decides --------------------------------------------------------------------


@pytest.mark.slow
def test_reversed_the_code_leaves_v_and_tells_nothing():
    for result in played():
        scores = result.scores
        assert scores["angle_to_v_perp_deg"] <= 2 and scores["information_nats"] <= 0.002
        for probe in ("probe_accuracy_linear", "probe_accuracy_mlp"):
            assert scores[probe] == pytest.approx(scores["chance"], abs=0.03)
        assert scores["content_r2"] >= 0.99


@pytest.mark.slow
def test_minimised_the_code_lies_in_v_and_the_probe_reads_it():
    for result in played(lam=-1.0):
        scores = result.scores
        assert scores["angle_to_v_perp_deg"] >= 88 and scores["angle_to_v_deg"] <= 2
        assert scores["information_nats"] > 0.84 and scores["probe_accuracy_linear"] > 0.87
        assert scores["content_r2"] < 0.05


@pytest.mark.slow
def test_without_a_gradient_the_code_stays_where_it_is():
    for result in played(lam=0.0, steps=50):
        np.testing.assert_allclose(result.moving["m"][0], result.moving["m"][-1], atol=2e-3)


@pytest.mark.slow
def test_in_eight_dimensions_as_well():
    for result in played(**EIGHT):
        assert result.scores["angle_to_v_perp_deg"] <= 5
        assert result.scores["information_nats"] < 0.01 and result.scores["content_r2"] > 0.99


@pytest.mark.slow
@pytest.mark.parametrize(
    "popular",
    [{"beta1": 0.9},
     {"optimiser": "adam", "beta1": 0.9, "encoder_rate": 0.01, "adversary_rate": 0.01}],
    ids=["momentum", "Adam as it comes"],
)  # fmt: skip
def test_momentum_makes_the_code_run_ahead_of_its_adversary(popular):
    for result in played(**popular):
        assert result.scores["angle_to_v_perp_deg"] > 45
        assert result.scores["information_nats"] > 0.3


@pytest.mark.slow
def test_adam_without_momentum_and_a_faster_adversary_succeeds():
    setting = {"optimiser": "adam", "encoder_rate": 0.01, "adversary_rate": 0.1}
    assert max(r.scores["angle_to_v_perp_deg"] for r in played(**setting)) < 5


@pytest.mark.slow
def test_concentrations_that_differ_leave_a_leak_that_a_linear_probe_does_not_see():
    for result in played(**EIGHT, kappa_spread=8.0, offset=0.0):
        scores = result.scores
        assert scores["information_nats"] > 0.2 and scores["closed_information_nats"] > 0.2
        assert scores["probe_accuracy_linear"] < scores["chance"] + 0.08
        assert scores["probe_accuracy_mlp"] > scores["chance"] + 0.12


@pytest.mark.slow
def test_a_code_that_is_too_wide_must_leak_and_one_too_narrow_loses_content():
    wide, fit, narrow = (played((0,), **EIGHT, d_z=d_z)[0].scores for d_z in (6, 5, 3))
    assert wide["information_nats"] > 0.3 > 0.02 > fit["information_nats"]
    assert narrow["content_r2"] < 0.75 < 0.99 < fit["content_r2"]
    assert narrow["information_nats"] < 0.02


@pytest.mark.slow
def test_a_code_that_collapses_blinds_its_own_adversary_and_no_fresh_probe():
    for result in played(encoder="free", encoder_weight_decay=0.1, way=True):
        scores = result.scores
        assert np.linalg.norm(result.moving["m"][-1]) < np.linalg.norm(result.moving["m"][0])
        assert scores["probe_accuracy_linear"] > scores["chance"] + 0.1
        assert scores["information_nats"] > 0.1


def test_with_fewer_dimensions_than_v_the_most_telling_code_is_in_v_for_balanced_centres_only():
    """This project's finding: a common offset tilts it, but not for a regular simplex."""
    slope = np.deg2rad(np.arange(0, 181))
    off = {}
    for name, degrees in (("regular", (0, 120, 240)), ("uneven", (0, 80, 200))):
        turn = np.deg2rad(degrees)
        w = np.stack([np.cos(turn), np.sin(turn)], 1)
        v = np.c_[np.sqrt(1 - 0.09) * w, np.full(3, 0.3)]
        u = np.concatenate(
            [np.c_[np.outer(np.sin(slope), [np.cos(a), np.sin(a)]), np.cos(slope)]
             for a in np.arange(0, np.pi, 0.03)]
        )  # fmt: skip
        best = u[leakage.direction_information(u, v, np.full(3, 10.0)).argmax()]
        off[name] = np.rad2deg(np.arcsin(abs(best[2])))
    assert off["regular"] < 0.6 and 5 < off["uneven"] < 8


@pytest.mark.slow
def test_the_closed_form_is_a_strong_baseline_on_the_same_data():
    for result in (*played(), *played(**EIGHT)):
        scores = result.scores
        assert scores["closed_angle_to_v_perp_deg"] < scores["angle_to_v_perp_deg"] + 1
        assert scores["closed_information_nats"] < 0.003


@pytest.mark.slow
def test_single_moves_are_played_in_their_order():
    (result,) = played((0,), moves="aaaea")
    rows, belief = result.moving["m"], result.moving["belief"]
    assert result.frame_step.tolist() == [0, 1, 2, 3, 4, 5]
    for before, move in enumerate("aaaea"):
        moved = [np.abs(each[before + 1] - each[before]).max() > 0 for each in (rows, belief)]
        # the adversary's belief is kept as a function of the code: it turns with its own steps only
        assert moved == [move == "e", move == "a"]


@pytest.mark.slow
def test_the_adversary_s_belief_is_the_true_posterior_once_it_has_answered():
    """An encoder that stays, and an adversary that has all the time: the best response is Bayes."""
    for result in played(lam=0.0, steps=3000, adversary="mlp"):
        u = result.moving["m"][-1].astype(float)
        u /= np.linalg.norm(u)
        v, kappa = result.world["v"].astype(float), result.world["kappa"].astype(float)
        log_p = leakage.log_image_density(GRID[2:-2, None].astype(float), v @ u.T, kappa, 3)
        truth = np.exp(log_p) / np.exp(log_p).sum(1, keepdims=True)
        weight = np.exp(log_p).sum(1)
        error = np.abs(result.moving["belief"][-1].T[2:-2] - truth).max(1)
        assert (weight * error).sum() / weight.sum() < 0.08


@pytest.mark.slow
def test_what_is_recorded_while_training_ends_in_the_final_scores():
    for result in (*train_group(ask((0,))), *train_group(ask((0,), **EIGHT))):
        for name, slack in (("angle_to_v_perp_deg", 1e-4), ("content_r2", 0.01)):
            assert result.history[name][-1] == pytest.approx(result.scores[name], abs=slack)
        assert result.history["information_nats"][-1] == pytest.approx(
            result.scores["information_nats"], abs=0.005
        )
        assert len(result.frame_step) > (60 if result.z_hat.shape[2] == 1 else 25)


@pytest.mark.parametrize(("start", "angle"), [("v", 90), ("v_perp", 0)])
@pytest.mark.parametrize("setting", [{}, EIGHT], ids=["d=3", "d=8"])
def test_the_code_starts_where_it_is_told(start, angle, setting):
    p = Params(**setting)
    one = Learner(ask((0,), **setting, start=start, d_z=min(p.rank, p.d - p.rank)), "cpu")
    found = leakage.largest_angle(one._row_space(0), one.world.outside[0].numpy())
    assert found == pytest.approx(angle, abs=0.05)


# --- the world --------------------------------------------------------------------------------

N = 30_000


def drawn(**params):
    world = World([Params(**params)], [0], "cpu")
    a, y = world.draw(N, Noise([0], "data", "cpu"))
    return world, a[0].double().numpy(), y[0].numpy()


@pytest.mark.parametrize(
    "setting", [{}, EIGHT, {**EIGHT, "kappa_spread": 8.0}, {"rank": 1, "n_classes": 2}]
)
def test_latents_sit_around_the_centre_of_their_class(setting):
    world, a, y = drawn(**setting)
    v, kappa = world.v[0].double().numpy(), world.kappa[0].numpy()
    np.testing.assert_allclose(np.linalg.norm(v, axis=1), 1, atol=1e-6)
    assert stats.chisquare(np.bincount(y)).pvalue > 1e-3
    for e in range(len(v)):
        cosine = a[y == e] @ v[e]
        expected = mean_cosine(float(kappa[e]), a.shape[1])
        assert cosine.mean() == pytest.approx(expected, abs=6 * cosine.std() / len(cosine) ** 0.5)


@pytest.mark.parametrize("setting", [{}, EIGHT, {"d": 12, "rank": 4, "n_classes": 8}])
def test_differences_of_the_centres_span_v_and_no_more(setting):
    p = Params(**setting)
    world = World([p], [3], "cpu")
    found, rest = (b.T for b in metrics.span(world.v[0].double().numpy(), p.rank))
    assert leakage.largest_angle(found, world.inside[0].numpy()) < 0.01
    assert leakage.largest_angle(rest, world.outside[0].numpy()) < 0.01
    s = np.linalg.svd(world.v[0].numpy() - world.v[0].numpy().mean(0), compute_uv=False)
    assert s[p.rank - 1] > 0.2 and (len(s) == p.rank or s[p.rank] < 1e-5)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"rank": 3}, "must be below d"),
        ({"d": 5, "rank": 3}, "below the number of classes"),
        ({"d_z": 3}, "must be below d"),
        ({"moves": "eax"}, "letters e and a"),
        ({"moves": "e" * 201}, "letters e and a"),
    ],
)
def test_what_cannot_run_is_refused(setting, words):
    with pytest.raises(ValidationError, match=words):
        Params(**setting)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"rank": 1}, "meets the sphere twice"),
        ({"kappa_spread": 4.0}, "differ in width"),
        ({"d_z": 2}, "cannot avoid V"),
        ({**EIGHT, "d_z": 3}, "leaves out content"),
        ({"encoder": "free", "encoder_weight_decay": 0.01}, "sees nothing"),
    ],
)
def test_a_broken_condition_gets_a_notice(setting, words):
    assert any(words in notice.text for notice in scenario.notices(Params(**setting)))


def test_a_code_dimension_that_is_the_default_is_no_choice():
    assert Params(d_z=1).chosen() == Params().chosen() == {}
    assert Params(d_z=2).chosen() == {"d_z": 2}


def test_where_a_code_must_leak_the_promise_is_of_information():
    assert scenario.promise(Params()).score == "angle_to_v_perp_deg"
    assert scenario.promise(Params(lam=-1.0)).score == "angle_to_v_deg"
    for setting in ({**EIGHT, "d_z": 6}, {"kappa_spread": 8.0}):
        promise = scenario.promise(Params(**setting))
        assert promise.score == "information_nats" and not promise.judges and not promise.kept(0.0)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"lam": 0.0}, "a λ above 0"),
        ({"kappa_spread": 8.0}, "one concentration for all classes"),
        ({"d_z": 2}, "a code of at most d − r dimensions"),
        ({"reconstruction": 1.0}, "no competing loss"),
        ({"encoder": "free", "encoder_weight_decay": 0.1}, "no pull of M towards 0"),
        ({"lam": -1.0, "kappa_spread": 8.0}, "one concentration for all classes"),
        ({"lam": -1.0, "d_z": 1, "n_classes": 5}, "evenly spread centres"),
        ({"lam": -1.0, "d_z": 1, "offset": 0.9}, "evenly spread centres"),
    ],
)
def test_a_promise_names_the_condition_that_is_missing(setting, words):
    promise = scenario.promise(Params(**setting))
    assert not promise.judges and not promise.kept(0.0)
    assert promise.said.startswith("Nothing is promised here") and words in promise.said


@pytest.mark.parametrize("setting", [{}, {"lam": -1.0}, {"beta1": 0.8}, EIGHT, {"d_z": 1}])
def test_a_setting_with_every_condition_is_promised_something(setting):
    promise = scenario.promise(Params(**setting))
    assert promise.judges and promise.kept(1.0) and not promise.kept(45.0)
    assert promise.said.startswith("Promised: ")


def test_inner_steps_are_moves_of_the_adversary_alone():
    one = Learner(ask((0,), steps=4, inner_steps=3), "cpu")
    for t in range(4):
        one.step(t)
    assert one.classifying.t == 12 and one.encoding.t == 4


@pytest.mark.parametrize("encoder", ["grassmann", "free"])
def test_the_belief_is_what_the_adversary_says_of_a_code_whatever_its_length(encoder):
    one = Learner(ask((0,), encoder=encoder, steps=60, lam=0.0), "cpu")
    for t in range(60):
        one.step(t)
    one.rows = one.rows * (3.0 if encoder == "free" else 1.0)
    row = one.rows[0, 0]
    code = torch.tensor([[[0.5]]]) * row.norm()  # b = u a = 0.5
    with torch.no_grad():
        said = one.adversary(code).softmax(-1)[0, 0].numpy()
    kept = one._belief()[0]
    np.testing.assert_allclose([np.interp(0.5, GRID, p) for p in kept], said, atol=1e-3)


def test_a_competing_loss_descends_by_its_true_gradient():
    one = Learner(ask((0,), encoder="free", reconstruction=1.0, steps=1), "cpu")
    one.rows = torch.randn(1, 1, 3, generator=torch.Generator().manual_seed(0))
    a = torch.randn(1, 50, 3, generator=torch.Generator().manual_seed(1))
    rows = one.rows.clone().requires_grad_()
    loss = ((a - a @ rows.mT @ rows) ** 2).sum(-1).mean()
    (gradient,) = torch.autograd.grad(loss, rows)
    torch.testing.assert_close(2 * one._competing(a), gradient, atol=1e-4, rtol=1e-4)


def test_a_code_that_cannot_be_whitened_ends_its_own_member_alone():
    one = Learner(ask((0, 1), encoder="whitened", steps=2, d_z=2), "cpu")
    one.rows[0] = torch.inf
    a, _ = one.world.draw(64, one.data)
    codes = one._code(a, one.rows)
    assert not torch.isfinite(codes[0]).any() and torch.isfinite(codes[1]).all()


@pytest.mark.parametrize(
    ("setting", "words"), [({"kappa": 30.0}, "tight"), ({"lam": 2.0}, "faster encoder")]
)
def test_a_default_game_that_fails_is_foretold(setting, words):
    assert any(words in notice.text for notice in scenario.notices(Params(**setting)))
    assert not scenario.notices(Params())
