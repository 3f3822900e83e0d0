"""Members that train together: independent of their companions, and what the loop promises."""

import json
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.curate import shipped
from core.learners import infonce
from core.legend import SCORES
from core.lessons.laplace_violation import LAPLACE
from core.metrics import probes
from core.run.archive import Gallery
from core.run.experiment import Experiment, Progress, Result, Stopped, groups
from core.run.training import FRAMES, LOST, MOST_LOSSES, schedule, train
from core.run.worker import pick_device, train_group
from core.scenarios import SCENARIOS

ROOT = Path(__file__).parents[1]
Params = SCENARIOS["infonce"].Params
SHORT = {"steps": 40, "batch": 64}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def ask(seeds=(0,), vary=None, scenario="infonce", **params):
    """Members of one group."""
    asked = SCENARIOS[scenario].Params(**params)
    members = Experiment(asked, scenario, tuple(seeds), vary or {}).members
    (group,) = groups(members)
    return group


# of a reported number: some processors take the ends of arrays in steps of another width
ROUNDING = {"rtol": 2e-6, "atol": 1e-9}


def differences(a: Result, b: Result, **rounding: float):
    """Names of what is not the same in the two results, bit for bit.

    Reported numbers may be a rounding apart if that is given, latents never.
    """

    def same(x, y):
        if rounding and np.asarray(x).dtype.kind == "f" and np.shape(x) == np.shape(y):
            return np.allclose(x, y, **rounding, equal_nan=True)
        return np.array_equal(x, y, equal_nan=np.asarray(x).dtype.kind == "f")

    found = []
    for f in fields(Result):
        x, y = getattr(a, f.name), getattr(b, f.name)
        if f.name in ("history", "world", "moving"):
            assert x.keys() == y.keys()
            found += [f"{f.name}.{k}" for k in x if not same(x[k], y[k])]
        elif isinstance(x, np.ndarray):
            exact = np.array_equal(x, y, equal_nan=True)
            found += [] if exact or (f.name == "loss" and same(x, y)) else [f.name]
        elif f.name == "scores":
            found += [f"scores.{k} {x[k]} {y[k]}" for k in x if x[k] != y[k]
                      and not (isinstance(x[k], float) and same(x[k], y[k]))]  # fmt: skip
            assert x.keys() == y.keys()
        elif f.name != "provenance":  # the clock
            found += [] if x == y else [f.name]
    return found


COMPANY = {
    "seeds": ask(range(5), **SHORT),
    "three seeds, default batch": ask((2, 1, 0), steps=40),
    "kappas": ask((1,), {"kappa": (1.0, 10.0, 100.0)}, **SHORT),
    "taus and seeds": ask((0, 3), {"tau": (0.02, 1.0)}, **SHORT),
    "annealing": ask((0,), {"anneal": (0.0, 0.5, 1.0)}, **SHORT),
    "marginals": ask((0,), {"marginal_kappa": (0.0, 20.0, 500.0)}, **SHORT),
    "laplace": ask((0, 1), {"spread": (0.05, 0.5)}, conditional="laplace", **SHORT),
    "normal": ask((0, 1, 2), conditional="normal", **SHORT),
    "standard start, anchors": ask(
        range(3), initialisation="standard", negatives="anchors", **SHORT),
    "circle": ask(range(6), d=2, **SHORT),
    "five dimensions, observed in seven": ask(range(3), {"kappa": (5.0, 20.0)}, d=5, d_x=7,
                                              steps=30, batch=64),
    "whitened": ask((0, 2), {"kappa": (3.0, 10.0)}, whiten=True, **SHORT),
    "odd sizes": ask(range(3), d_hat=5, width=24, steps=30, batch=50),
    "normal marginals": ask((1, 0), {"marginal_spread": (0.3, 1.0)}, marginal="normal", **SHORT),
    "told the latents": ask(
        (0, 2), {"marginal_kappa": (0.0, 20.0)}, objective="supervised", **SHORT),
    "finite training set": ask(range(3), n_train=100, **SHORT),
    "boxes": ask(
        range(3), {"spread": (0.05, 0.2), "bound_start": (0.1, 1.0)}, scenario="infonce_box",
        **SHORT),
    "boxes of another norm, from a standard start": ask(
        (2, 0), {"shape": (2.5, 3.0), "tau": (None, 0.01)}, scenario="infonce_box", d=5, p=3,
        conditional="gennorm", initialisation="standard", whiten=False, width=24, steps=30,
        batch=50),
    "unbounded spaces, normal": ask(
        range(2), {"spread": (0.5, 1.0)}, scenario="infonce_box", space="unbounded",
        model_space="unbounded", conditional="normal", p=2, negatives="views",
        **SHORT),
    "codes of a box on a sphere": ask(
        range(2), scenario="infonce_box", model_space="sphere", d=3, **SHORT),
    "boxes that are told": ask(
        range(3), scenario="infonce_box", objective="supervised", **SHORT),
    "clusters": ask(range(4), scenario="clusters", **SHORT),
    "clusters, three seeds, default batch": ask((2, 1, 0), scenario="clusters", steps=40),
    "clusters, whitened": ask(
        range(3), {"kappa": (5.0, 50.0)}, scenario="clusters", whiten=True, d=5, **SHORT),
    "clusters, kappas, noise and head": ask(
        (1,), {"kappa": (5.0, 50.0), "label_noise": (0.0, 0.5), "head_scale": (0.1, 1.0)},
        scenario="clusters", **SHORT),
    "instances, unit features and weights": ask(
        range(3), scenario="clusters", case="C1", supervision="instance", n_instances=100, **SHORT),
    "clusters in five dimensions, unit weights": ask(
        range(3), scenario="clusters", case="C3", d=5, n_clusters=50, width=24, steps=30, batch=50),
    "signed games": ask(
        range(3), {"lam": (-1.0, 1.0), "beta1": (0.0, 0.9)}, scenario="reversal", **SHORT),
    "games in eight dimensions against a multilayer adversary": ask(
        range(2), {"kappa_spread": (1.0, 4.0)}, scenario="reversal", d=8, rank=3, n_classes=4,
        adversary="mlp", optimiser="adam", inner_steps=2, **SHORT),
    "codes that hide": ask((0,), {"lam": (0.0, 1.0)}, scenario="invariance", **SHORT),
    "two stages with a bottleneck": ask(
        (0,), {"kl": (0.0, 0.05)}, scenario="invariance", method="two-stage", dynamics="free",
        **SHORT),
    "heads under a penalty": ask(
        (1, 0), scenario="invariance", method="irm", d_z=5, n_classes=3, width=24, steps=30,
        batch=50),
    "erased codes of worlds with shifted content": ask(
        (0,), {"rho": (0.0, 1.0)}, scenario="invariance", method="leace", d_z=4, **SHORT),
    "flows": ask(range(2), scenario="flows", transforms=2, width=16, steps=10, batch=64),
    "flows under a penalty of the decoder": ask(
        (0,), {"alpha": (0.1, 1.0)}, scenario="flows", objective="ml-mtc", data="arc",
        transforms=2, width=16, steps=8, batch=64),
    "flows that reconstruct": ask(
        (1, 0), scenario="flows", objective="ml-rec", data="banana", transforms=2, width=16,
        steps=8, batch=64),
    "flows in four dimensions": ask(
        (0, 2), scenario="flows", objective="ml-mtc", data="torus", transforms=2, width=16,
        steps=6, batch=64, core_dim=2),
    "latents turned by hand": ask((1, 0), scenario="flows", data="turned", turn=12),
    "flows of digits": ask(
        range(2), {"noise": (0.05, 0.1)}, scenario="digits", transforms=2, width=32, steps=6,
        batch=32),
    "wavelet flows of digits, of default width": ask(
        (1, 0), scenario="digits", architecture="wavelet", steps=3, batch=64),
    "flows of digits that keep volume and reconstruct": ask(
        (0,), {"recon_weight": (1.0, 30.0)}, scenario="digits", architecture="gin",
        objective="ml-rec", by_class=False, transforms=2, width=32, steps=5, batch=32),
    "segments": ask(
        range(3), {"contrast": (3.0, 10.0), "head_scale": (0.0, 1.0)}, scenario="auxiliary",
        **SHORT),
    "pairs with a segment": ask(
        (2, 0), scenario="auxiliary", method="gcl", d=3, n_segments=5, width=24, steps=30,
        batch=50),
    "pictures": ask(
        range(3), {"spread": (0.05, 0.2), "warm": (1.0, 5.0)}, scenario="pixels", width=16,
        steps=30, batch=50),
    "slow pictures": ask(
        (2, 0), {"gamma": (1.0, 10.0)}, scenario="pixels", method="slowvae", width=24, depth=2,
        steps=20, batch=50),
    "classes of sprites": ask(
        range(3), scenario="pixels", task="classify", label="random", width=16, steps=30, batch=50),
    "views of a spiral": ask(
        range(3), {"rho": (0.8, 0.95), "reg_weight": (0.01, 0.1)}, scenario="lejepa", width=24,
        steps=30, batch=50),
    "views that diffuse in three dimensions": ask(
        (2, 0), {"shape": (0.5, 3.0)}, scenario="lejepa", law="gennorm", transition="diffusion",
        d=3, mixing="coupling", width=20, steps=20, batch=50),
    "views told apart": ask(
        range(2), {"shape": (1.0, 8.0)}, scenario="lejepa", law="gennorm", objective="infonce",
        mixing="sinusoid", width=16, steps=20, batch=50),
    "white views": ask(
        (1, 0), scenario="lejepa", objective="whiten", mixing="network", width=16, steps=20,
        batch=50),
    "classifiers of digits": ask(
        range(3), {"weight_decay": (0.0, 0.01)}, scenario="probes", steps=30, batch=50),
    "classifiers of shuffled labels": ask(
        (2, 0), scenario="probes", features="shuffled", width=24, depth=1, d_hat=5, steps=30),
    "encoders of digits that are not trained": ask(
        (1, 0), scenario="probes", features="untrained", width=16, d_hat=8),
    "noise beside digits": ask(range(2), scenario="probes", features="noise", d_hat=8),
    "fewer instances than clusters": ask(
        range(2), scenario="clusters", case="C2", supervision="instance", n_instances=20, **SHORT),
}  # fmt: skip


@pytest.fixture
def one_round(monkeypatch):
    """Probes and read-outs with hidden layers learn for one round, where no one asks how well.

    What they give is still another number for other data.
    """
    fitted = probes._fitted

    def quickly(estimator, x, target):
        if "hidden_layer_sizes" in estimator.get_params():
            estimator.set_params(max_iter=1)
        return fitted(estimator, x, target)

    monkeypatch.setattr(probes, "_fitted", quickly)


@pytest.mark.parametrize("members", COMPANY.values(), ids=COMPANY)
def test_a_member_alone_is_the_same_member_in_company_bit_for_bit(members, one_round):
    together = train_group(members, device="cpu")
    assert [result.member for result in together] == list(members)
    for i, member in enumerate(members):
        (alone,) = train_group((member,), device="cpu")
        assert differences(alone, together[i], **ROUNDING) == []


@pytest.fixture(scope="module")
def large_company():
    """Ten default runs of two worlds."""
    return train_group(ask(range(5), {"kappa": (3.0, 10.0)}), device="cpu")


@pytest.mark.slow
def test_a_default_run_does_not_depend_on_a_large_company(large_company):
    together = large_company
    for i in (0, 6, 9):
        (alone,) = train_group((together[i].member,), device="cpu")
        assert differences(alone, together[i]) == []


def test_a_run_repeats_itself():
    first, again = (train_group(ask((0, 1), **SHORT), device="cpu") for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert differences(a, b) == []


def test_seeds_and_settings_do_make_a_difference():
    results = train_group(ask((0, 1), {"kappa": (3.0, 10.0)}, **SHORT), device="cpu")
    losses = {float(result.loss[-1]) for result in results}
    assert len(losses) == 4


def test_members_that_share_a_seed_share_world_start_and_noise():
    low, high = train_group(ask((0,), {"kappa": (3.0, 10.0)}, **SHORT), device="cpu")
    np.testing.assert_array_equal(low.z, high.z)
    np.testing.assert_array_equal(low.z_hat[0], high.z_hat[0])
    assert low.scores["raw_linear_r2"] == high.scores["raw_linear_r2"]
    assert not np.array_equal(low.world["z_pos"], high.world["z_pos"])


# --- what a result holds ----------------------------------------------------------------------

PROMISED = {
    "linear_r2", "orthogonal_r2", "mcc", "singular_value_mae", "degree", "loss", "loss_floor",
    "raw_linear_r2", "raw_mcc", "untrained_linear_r2", "untrained_mcc",
    "null_linear_r2", "null_orthogonal_r2", "null_mcc", "linear_r2_low", "linear_r2_high",
}  # fmt: skip


def test_a_result_holds_what_the_design_promises():
    (result,) = train_group(ask((3,), **SHORT), device="cpu")
    k = len(schedule(40))
    assert set(result.scores) == PROMISED and not result.diverged
    assert set(result.history) <= set(SCORES)  # a page has words for what it draws over training
    assert all(type(value) in (float, int) for value in result.scores.values())
    assert result.z.shape == (500, 3) and result.z_hat.shape == (k, 500, 3)
    assert result.net.shape[1:] == result.net_hat.shape[2:] and len(result.net_hat) == k
    assert result.world["z_pos"].shape == (500, 3)
    assert result.frame_step.tolist() == sorted(schedule(40))
    assert result.loss_step.tolist() == list(range(1, 41))
    assert all(len(values) == k for values in result.history.values())
    for points in (result.z, result.world["z_pos"], result.net, result.z_hat.astype(float)):
        # float16 frames: 3 digits
        tolerance = 2e-3 if points is not result.z else 1e-6
        assert np.abs(np.linalg.norm(points, axis=-1) - 1).max() < tolerance
    assert result.provenance["device"] == "cpu" and result.provenance["cpu_seconds"] > 0


def test_first_frame_and_first_scores_are_of_the_untrained_encoder():
    (result,) = train_group(ask((0,), **SHORT), device="cpu")
    learner = infonce.start(ask((0,), **SHORT), "cpu")
    np.testing.assert_array_equal(result.z_hat[0], learner.look().z_hat[0].astype(np.float16))
    # fewer points while training than at the end
    assert result.history["linear_r2"][0] == pytest.approx(
        result.scores["untrained_linear_r2"], abs=0.05
    )


def test_the_look_between_observations_is_what_an_observation_shows():
    learner = infonce.start(ask((0, 1), **SHORT), "cpu")
    look, observation = learner.look(), learner.observe()
    np.testing.assert_allclose(look.z_hat, observation.z_hat, atol=1e-6)
    np.testing.assert_allclose(look.net_hat, observation.net_hat, atol=1e-6)
    assert look.scores == {} and all(v.shape == (2,) for v in observation.scores.values())


def test_long_histories_of_the_loss_are_thinned_but_keep_both_ends():
    (result,) = train_group(ask((0,), steps=450, batch=16, width=8, depth=1), device="cpu")
    assert len(result.loss) == len(result.loss_step) == MOST_LOSSES
    assert result.loss_step[0] == 1 and result.loss_step[-1] == 450
    assert (np.diff(result.loss_step) >= 1).all()


def test_one_step_is_a_run_too():
    (result,) = train_group(ask((0,), steps=1, batch=8), device="cpu")
    assert result.frame_step.tolist() == [0, 1] and len(result.loss) == 1


# --- schedule, reports, stopping ---------------------------------------------------------------


@pytest.mark.parametrize("steps", (1, 2, 5, 40, 400, 20_000))
def test_schedule_has_both_ends_and_is_dense_early(steps):
    when = sorted(schedule(steps))
    assert when[0] == 0 and when[-1] == steps and 1 in when
    assert len(when) <= FRAMES + 1
    assert {0, 1, min(2, steps), min(3, steps)} <= set(when)
    gaps = np.diff(when)
    assert (np.diff(gaps) >= -1).all()  # ever wider, up to rounding
    if steps >= 400:
        assert when[len(when) // 2] < steps / 10 and gaps[-1] > 0.1 * steps


def test_reports_grow_and_carry_scores_at_every_observation():
    told: list[Progress] = []
    train_group(ask((0, 1), **SHORT), told.append, device="cpu")
    steps = [progress.step for progress in told]
    assert steps == sorted(set(steps)) and steps[0] == 0 and steps[-1] == 40
    assert {p.step for p in told if p.scores is not None} == schedule(40)
    for progress in told:
        assert progress.steps == 40 and progress.loss.shape == (2,)
        assert progress.z.shape == progress.z_hat.shape == (2, 500, 3)
        assert progress.net.shape == progress.net_hat.shape
        assert np.isfinite(progress.loss).all() == (progress.step > 0)


@pytest.mark.parametrize("patience", (0, 7))
def test_training_stops_as_soon_as_it_is_told(patience):
    asked, told = [], []

    def should_stop():
        asked.append(True)
        return len(asked) > patience

    with pytest.raises(Stopped):
        train_group(ask((0,), **SHORT), told.append, should_stop, device="cpu")
    assert len(asked) == patience + 1
    assert max(progress.step for progress in told) <= patience


@pytest.mark.parametrize("step", (0, 10))
def test_a_member_that_diverges_is_marked_and_the_others_go_on(step):
    members = ask((0, 1, 2), **SHORT)
    learner = infonce.start(members, "cpu")
    healthy = train(infonce.start(members, "cpu"))

    def poison(progress):
        if progress.step == step:
            with torch.no_grad():
                learner.f.weights[0][1] = torch.nan

    results = train(learner, poison)
    assert [result.diverged for result in results] == [False, True, False]
    for i in (0, 2):
        assert differences(results[i], healthy[i]) == []
    broken = results[1].scores
    trained = ("linear_r2", "orthogonal_r2", "mcc", "singular_value_mae", "degree", "loss")
    assert all(broken[name] is None for name in trained)
    # what does not depend on the encoder that broke is still there
    assert broken["raw_linear_r2"] == healthy[1].scores["raw_linear_r2"]
    assert broken["untrained_mcc"] == healthy[1].scores["untrained_mcc"]
    assert np.isnan(results[1].history["degree"][-1])
    assert np.isnan(results[1].loss[-1])


def test_the_harshest_settings_stay_finite_or_are_marked():
    harsh = {"learning_rate": 0.3, "tau": 0.005, "kappa": 500.0, **SHORT}
    for result in train_group(ask((0, 1), **harsh), device="cpu"):
        finite = np.isfinite(result.loss).all() and np.isfinite(result.z_hat).all()
        assert result.diverged != finite


def test_latents_too_large_for_half_precision_are_kept_as_they_are():
    learner = infonce.start(ask((0, 1), **SHORT), "cpu")

    def stretched(observation):  # member 1 as an encoder that lets its scale grow would give it
        z_hat, net_hat = observation.z_hat.copy(), observation.net_hat.copy()
        z_hat[1] *= 2e5
        net_hat[1] *= 2e5
        moving = {"w": np.stack([z_hat[0, :3], 3 * z_hat[1, :3]])}
        return replace(observation, z_hat=z_hat, net_hat=net_hat, moving=moving)

    look, observe = learner.look, learner.observe
    learner.look = lambda: stretched(look())
    learner.observe = lambda: stretched(observe())
    small, large = train(learner)
    assert small.z_hat.dtype == np.float16 and large.z_hat.dtype == np.float32
    for array in (large.z_hat, large.net_hat, large.moving["w"], large.thinned(3, 9).z_hat):
        assert np.isfinite(array).all() and np.abs(array).max() > np.finfo(np.float16).max
    assert not large.diverged and large.sound == len(large.frame_step)


def test_a_game_whose_loss_runs_away_has_diverged_though_every_number_is_finite():
    members = ask((0,), scenario="reversal", encoder="free", adversary_rate=10.0)
    (result,) = train_group(members, device="cpu")
    assert result.diverged
    trained = ("angle_to_v_deg", "angle_to_v_perp_deg", "adversary_loss", "information_nats",
               "content_r2", "probe_accuracy_linear", "probe_accuracy_mlp", "loss")  # fmt: skip
    assert all(result.scores[name] is None for name in trained)
    assert result.scores["chance"] is not None
    finite = np.isfinite(result.loss)
    lost = int(result.loss_step[~finite][0])
    assert 0 < lost < 400 and not finite[result.loss_step >= lost].any()
    assert result.loss[finite].max() <= LOST
    # frames and scores reach to where it was lost, and no number after that is one
    assert 1 < result.sound < len(result.frame_step)
    assert result.frame_step[result.sound - 1] < lost <= result.frame_step[result.sound]
    for values in result.history.values():
        assert np.isfinite(values[: result.sound]).all() and np.isnan(values[result.sound :]).all()
    assert all(np.isfinite(a[: result.sound]).all() for a in result.moving.values())
    assert result.thinned(1, 20).frame_step.tolist() == [result.frame_step[result.sound - 1]]


def test_device_is_the_one_asked_for():
    assert pick_device("cpu") == "cpu"
    assert pick_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    if torch.cuda.is_available():
        assert pick_device("cuda") == "cuda"
    else:
        with pytest.raises(RuntimeError, match="there is no GPU here"):
            pick_device("cuda")


# --- golden numbers ---------------------------------------------------------------------------

GOLDEN = {
    "default": (
        {},
        {
            "linear_r2": 0.84362, "orthogonal_r2": 0.80782, "mcc": 0.72704,
            "singular_value_mae": 0.1005, "degree": 1, "loss": 4.68923, "loss_floor": 3.56545,
            "raw_linear_r2": 0.80635, "raw_mcc": 0.59466,
            "untrained_linear_r2": 0.82605, "untrained_mcc": 0.72241,
        },
    ),
    "laplace on the circle, anchors, standard start, lifted": (
        {"conditional": "laplace", "negatives": "anchors", "initialisation": "standard",
         "d": 2, "d_x": 4},
        {
            "linear_r2": 0.78808, "orthogonal_r2": 0.54707, "mcc": 0.821,
            "singular_value_mae": 0.27015, "degree": 0, "loss": 4.99713, "loss_floor": None,
            "raw_linear_r2": 0.94084, "raw_mcc": 0.74176,
            "untrained_linear_r2": 0.57495, "untrained_mcc": 0.59817,
        },
    ),
    "five dimensions, a cap, annealed, a finite set": (
        {"d": 5, "marginal_kappa": 20.0, "anneal": 0.5, "n_train": 200},
        {
            "linear_r2": 0.59921, "orthogonal_r2": 0.37209, "mcc": 0.56358, "degree": None,
            "loss": 5.97597, "loss_floor": 4.85259,
            "raw_linear_r2": 0.70242, "untrained_linear_r2": 0.56259,
        },
    ),
    "told the latents of a cap": (
        {"steps": 20, "objective": "supervised", "marginal_kappa": 5.0},
        {
            "linear_r2": 0.57339, "orthogonal_r2": 0.38072, "mcc": 0.54254,
            "singular_value_mae": 0.49372, "loss": 0.09893, "loss_floor": None,
            "raw_linear_r2": 0.85374, "raw_mcc": 0.5619,
            "untrained_linear_r2": 0.79474, "untrained_mcc": 0.69077,
        },
    ),
    "four dimensions, a normal around the pole": (
        {"steps": 20, "marginal": "normal", "marginal_spread": 0.5, "d": 4},
        {
            "linear_r2": 0.80569, "orthogonal_r2": 0.62866, "mcc": 0.60678, "loss": 4.88823,
            "singular_value_mae": 0.34585, "degree": None, "loss_floor": None,
            "raw_linear_r2": 0.78719, "raw_mcc": 0.77702,
            "untrained_linear_r2": 0.70981, "untrained_mcc": 0.64854,
        },
    ),
    "clusters": (
        {"steps": 20, "scenario": "clusters"},
        {"linear_r2": 0.78606, "orthogonal_r2": 0.54582, "span_r2": None, "complement_r2": None,
         "v_r2": 0.70258, "v_orthogonal_r2": 0.6603, "singular_value_mae": None, "degree": 1,
         "feature_norm": 9.15856, "loss": 2.47746, "raw_linear_r2": 0.81782,
         "raw_orthogonal_r2": 0.57573, "raw_span_r2": None, "raw_complement_r2": None,
         "untrained_linear_r2": 0.81728, "untrained_orthogonal_r2": 0.5732,
         "untrained_span_r2": None, "untrained_complement_r2": None, "loss_floor": 1.49433},
    ),
    "instances in five dimensions, unit features and weights, standard start": (
        {"steps": 20, "scenario": "clusters", "case": "C1", "d": 5, "supervision": "instance",
         "n_instances": 90, "initialisation": "standard", "cluster_law": "laplace"},
        {"linear_r2": 0.53638, "orthogonal_r2": 0.12164, "span_r2": None, "complement_r2": None,
         "v_r2": -0.01825, "v_orthogonal_r2": 0.03122, "degree": None, "feature_norm": 1.0,
         "loss": 4.31476, "raw_linear_r2": 0.75038, "raw_orthogonal_r2": 0.50123,
         "raw_span_r2": None, "raw_complement_r2": None, "untrained_linear_r2": 0.57659,
         "untrained_orthogonal_r2": 0.01073, "untrained_span_r2": None,
         "untrained_complement_r2": None, "loss_floor": 2.48207},
    ),
    "three clusters, unit weights, noisy labels": (
        {"steps": 20, "scenario": "clusters", "case": "C3", "n_clusters": 3, "label_noise": 0.3,
         "kappa": 20.0},
        {"linear_r2": 0.84964, "orthogonal_r2": -0.34595, "span_r2": 0.8249,
         "complement_r2": 0.23475, "v_r2": None, "v_orthogonal_r2": None, "degree": 0,
         "feature_norm": 1.03747, "loss": 0.82757, "raw_linear_r2": 0.78893,
         "raw_orthogonal_r2": 0.25422, "raw_span_r2": 0.66224, "raw_complement_r2": 0.49072,
         "untrained_linear_r2": 0.78891, "untrained_orthogonal_r2": 0.24277,
         "untrained_span_r2": 0.66341, "untrained_complement_r2": 0.48879, "loss_floor": 0.72463},
    ),
    "a signed game": (
        {"steps": 20, "scenario": "reversal"},
        {"angle_to_v_deg": 1.10815, "angle_to_v_perp_deg": 88.89185, "adversary_loss": 0.54364,
         "information_nats": 0.78794, "content_r2": -0.00171, "probe_accuracy_linear": 0.87012,
         "chance": 0.33594, "closed_angle_to_v_perp_deg": 0.36056,
         "closed_information_nats": 9e-05},
    ),
    "a game in eight dimensions, unequal concentrations, Adam with momentum, whitened": (
        {"steps": 20, "scenario": "reversal", "d": 8, "rank": 3, "n_classes": 5,
         "kappa_spread": 4.0, "optimiser": "adam", "beta1": 0.5, "encoder_rate": 0.01,
         "adversary_rate": 0.1, "encoder": "whitened"},
        {"angle_to_v_deg": 83.21184, "angle_to_v_perp_deg": 79.52219, "adversary_loss": 1.06251,
         "information_nats": 0.805, "content_r2": 0.6951, "probe_accuracy_linear": 0.62598,
         "chance": 0.21387, "information_standard_error": 0.0033,
         "closed_angle_to_v_perp_deg": 3.85358, "closed_information_nats": 0.152},
    ),
    "single moves of a free code that shrinks, against a multilayer adversary": (
        {"moves": "aaeae", "scenario": "reversal", "encoder": "free", "adversary": "mlp",
         "encoder_weight_decay": 0.1, "reconstruction": 1.0, "start": "v", "n_samples": None},
        {"angle_to_v_deg": 0.15227, "angle_to_v_perp_deg": 89.84773, "adversary_loss": 0.53976,
         "information_nats": 0.82035, "content_r2": -0.00165, "probe_accuracy_linear": 0.88599,
         "chance": 0.33594, "closed_angle_to_v_perp_deg": 0.47488,
         "closed_information_nats": 0.00015},
    ),
    "a code that hides": (
        {"steps": 20, "scenario": "invariance"},
        {"probe_accuracy_linear": 0.30542, "adversary_loss": 1.24385, "loss": 0.44351,
         "chance": 0.26074, "raw_probe_accuracy_linear": 0.99438, "action_r2": None,
         "state_r2": None},
    ),
    "actions in two stages": (
        {"steps": 20, "scenario": "invariance", "method": "two-stage", "dynamics": "free",
         "kl": 0.01, "rho": 0.5},
        {"probe_accuracy_linear": 0.43408, "adversary_loss": 1.15426, "loss": 0.40923,
         "chance": 0.26074, "raw_probe_accuracy_linear": 0.99829},
    ),
    "a flow of the arc under a penalty of its decoder": (
        {"steps": 10, "scenario": "flows", "data": "arc", "objective": "ml-mtc"},
        {"entropy_nats": 1.56505, "core_entropy_nats": 0.81642, "detail_entropy_nats": 0.76576,
         "mtc_nats": 0.01713, "nll": 1.26839, "mcc": 0.66029, "linear_r2": 0.51593,
         "loss": 1.32432, "raw_mcc": 0.6417, "raw_linear_r2": 0.50976, "loss_floor": 0.70565,
         "true_mtc_nats": 0.0},
    ),
    "a small flow of the moons that reconstructs, from a bent start": (
        {"steps": 10, "scenario": "flows", "objective": "ml-rec", "initialisation": "standard",
         "width": 16, "transforms": 2},
        {"entropy_nats": 3.11611, "core_entropy_nats": 1.71387, "detail_entropy_nats": 1.45073,
         "mtc_nats": 0.04849, "nll": 2.82448, "loss": 12.11345, "mcc": None, "loss_floor": None},
    ),
    "a small flow of the torus": (
        {"steps": 10, "scenario": "flows", "data": "torus", "width": 16, "transforms": 2,
         "core_dim": 2},
        {"entropy_nats": 4.62297, "core_entropy_nats": 2.41521, "detail_entropy_nats": 2.26202,
         "mtc_nats": 0.05427, "pairwise_mi_nats": 0.05478, "nll": 3.55419, "mcc": 0.49645,
         "loss_floor": 1.40913},
    ),
    "latents turned by hand": (
        {"scenario": "flows", "data": "turned", "turn": 20},
        {"mtc_nats": 0.44857, "core_entropy_nats": 2.05401, "nll": 2.84028, "mcc": 0.93966},
    ),
    "a flow of digits": (
        {"steps": 10, "scenario": "digits", "transforms": 4, "width": 32},
        {"entropy_nats": -7.18738, "core_entropy_nats": 0.74431, "detail_entropy_nats": -7.82147,
         "mtc_nats": 0.11022, "pairwise_mi_nats": 0.11634, "nll": 2.10385, "loss": 2.10385,
         "pca_mtc_nats": 0.0, "haar_mtc_nats": 6.90265, "cholesky_mtc_nats": 7.47068,
         "rotated_mtc_nats": 16.13906, "gaussian_nll": -19.56051},
    ),
    "a wavelet flow of noisier digits that reconstructs": (
        {"steps": 10, "scenario": "digits", "architecture": "wavelet", "objective": "ml-rec",
         "transforms": 4, "width": 32, "noise": 0.2},
        {"entropy_nats": -3.0155, "core_entropy_nats": -1.28447, "mtc_nats": 0.08672,
         "nll": 29.46709, "loss": 190.67122, "haar_mtc_nats": 3.07969, "gaussian_nll": 5.21421},
    ),
    "a flow that keeps volume and is not told the digit": (
        {"steps": 10, "scenario": "digits", "architecture": "gin", "by_class": False,
         "transforms": 4, "width": 32, "core_dim": 3},
        {"entropy_nats": -11.31294, "core_entropy_nats": 0.19979, "mtc_nats": 0.09201,
         "nll": 4.12579, "rotated_mtc_nats": 25.34432, "gaussian_nll": -15.00438},
    ),
    "segments": (
        {"scenario": "auxiliary"},
        {"linear_r2": 0.34115, "loss": 2.73024, "loss_floor": 2.40853, "span_r2": None,
         "raw_mcc": 0.68785, "raw_linear_r2": 0.48598, "untrained_linear_r2": 0.26317,
         "modulation_rank": 2.0, "modulation_condition": 1.00074},
    ),
    "too few segments, in pairs": (
        {"scenario": "auxiliary", "method": "gcl", "d": 3, "n_segments": 3},
        {"linear_r2": 0.22271, "span_r2": 0.2631, "complement_r2": 0.08378, "loss": 1.36361,
         "loss_floor": 1.00657, "raw_linear_r2": 0.47662, "modulation_rank": 2.0,
         "modulation_condition": None},
    ),
    "normal sources with even codes": (
        {"scenario": "auxiliary", "law": "gauss", "code": "even", "head_scale": 1.0},
        {"linear_r2": 0.40585, "loss": 2.80922, "loss_floor": 2.22731, "raw_mcc": 0.66729,
         "untrained_linear_r2": 0.61191},
    ),
    "normal sources that move": (
        {"scenario": "auxiliary", "law": "gauss", "modulated": "location"},
        {"linear_r2": 0.79022, "loss": 2.59995, "loss_floor": 1.73297,
         "raw_linear_r2": 0.78738},
    ),
    "pictures of pairs": (
        # at the default rate a first update of 1e-7 more or less is told from the scores
        {"scenario": "pixels", "learning_rate": 3e-4},
        {"mcc": 0.26933, "linear_r2": 0.12484, "factor_x": 0.27655, "factor_size": 0.04154,
         "loss": 9.16769, "loss_floor": 3.05011, "raw_linear_r2": 0.9469, "raw_mcc": 0.35412,
         "raw_factor_size": 0.96925, "untrained_mcc": 0.2543},
    ),
    "pictures of pairs, slowly": (
        {"scenario": "pixels", "method": "slowvae", "n_factors": 4},
        {"mcc": 0.31561, "linear_r2": 0.25877, "factor_stride": 0.00053, "loss_floor": None,
         "untrained_linear_r2": 0.22752, "raw_factor_stride": -0.01444},
    ),
    "classes of sprites": (
        {"scenario": "pixels", "task": "classify", "label": "all"},
        {"label_accuracy": 0.0625, "linear_r2": 0.42649, "factor_x": 0.7776,
         "factor_shape": 0.38867, "r_bare_x": 0.8716, "r_x": 0.88185,
         "null_label_accuracy": 0.0189, "loss": 3.85519, "chance": 0.02441,
         "raw_factor_scale": 0.89933, "raw_r_bare_shape": 0.0805, "raw_r_shape": 0.16889,
         "untrained_factor_shape": 0.36475},
    ),
    "a classifier of digits": (
        {"steps": 20, "scenario": "probes"},
        {"accuracy_class": 0.90446, "classifier_accuracy": 0.8475, "loss": 0.61371,
         "fresh_accuracy_class": 0.92893, "accuracy_hole": 0.79608, "accuracy_hole_low": 0.73303,
         "asterisks_published": 10, "asterisks_corrected": 10, "asterisks_fresh": 10,
         "chance": 0.1125},
    ),
    "a narrow classifier of shuffled labels that shrinks": (
        {"steps": 20, "scenario": "probes", "features": "shuffled", "d_hat": 8,
         "weight_decay": 0.01},
        {"accuracy_class": 0.71964, "classifier_accuracy": 0.11125, "loss": None,
         "fresh_accuracy_hole": 0.73438},
    ),
    "pixels of digits": (
        {"scenario": "probes", "features": "pixels"},
        {"accuracy_class": 0.84911, "fresh_accuracy_class": 0.86041, "corrected_p_hole": 4.87181,
         "published_p_hole": 7.95887, "fresh_p_hole": 27.76009, "classifier_accuracy": None},
    ),
    "noise beside digits": (
        {"scenario": "probes", "features": "noise", "d_hat": 16},
        {"accuracy_class": 0.47946, "rejected_published": 3, "rejected_corrected": 0,
         "rejected_fresh": 0, "published_p_hole": 0.08378},
    ),
    "views of a spiral": (
        {"scenario": "lejepa"},
        {"linear_r2": 0.00785, "orthogonal_r2": 0.00819, "degree_share_5": 0.13137,
         "gain": 0.08562, "epsilon": 0.29239, "loss": 0.36705, "loss_floor": None,
         "raw_linear_r2": 0.00787, "untrained_mcc": 0.08949},
    ),
    "white views of Laplace latents that diffuse": (
        {"scenario": "lejepa", "law": "gennorm", "transition": "diffusion", "objective": "whiten",
         "mixing": "coupling", "d": 3},
        {"linear_r2": 0.52264, "degree_share_2": 0.06959, "gain": 0.85566, "loss": 1.05789,
         "raw_mcc": 0.6723},
    ),
    "views told apart": (
        {"scenario": "lejepa", "objective": "infonce", "mixing": "network"},
        {"linear_r2": 0.76668, "gain": 1.64221, "loss": 4.94808, "raw_linear_r2": 0.76391},
    ),
    "an erased head": (
        {"steps": 20, "scenario": "invariance", "method": "leace", "d_z": 4, "noise": 0.3},
        {"adversary_loss": None, "loss": 0.70138, "raw_probe_accuracy_linear": 0.9231},
    ),
}  # fmt: skip


# the same where a processor of wider vectors rounds what the samplers accept otherwise
WIDER = {
    "a signed game": {
        "angle_to_v_deg": 0.87312, "angle_to_v_perp_deg": 89.12688, "adversary_loss": 0.53612,
        "information_nats": 0.83648, "content_r2": -0.0026, "probe_accuracy_linear": 0.88525,
        "chance": 0.33594, "closed_angle_to_v_perp_deg": 0.46954,
        "closed_information_nats": 0.00015,
    },
    "single moves of a free code that shrinks, against a multilayer adversary": {
        "angle_to_v_deg": 0.22274, "angle_to_v_perp_deg": 89.77726, "adversary_loss": 0.41607,
        "information_nats": 0.81936, "content_r2": -0.00254, "probe_accuracy_linear": 0.87842,
        "chance": 0.33594, "closed_angle_to_v_perp_deg": 0.27034,
        "closed_information_nats": 0.00005,
    },
}  # fmt: skip


@pytest.mark.parametrize("case", GOLDEN)
def test_numbers_are_those_of_this_version(case, one_round):
    setting, expected = GOLDEN[case]
    assert not any("mlp" in name or "per_class" in name for name in expected)
    (result,) = train_group(ask((0,), **{"steps": 5, **setting}), device="cpu")
    first = next(iter(expected))
    if case in WIDER and result.scores[first] != pytest.approx(expected[first], abs=1e-3):
        assert WIDER[case].keys() == expected.keys()
        expected = WIDER[case]
    for name, value in expected.items():
        assert result.scores[name] == (None if value is None else pytest.approx(value, abs=1e-3)), (
            f"{name} changed: stored results no longer match this code. If that is meant, raise "
            "`version` of its scenario and pin the new numbers here."
        )


# what tests, claims and pages say of shipped runs, they say of this code
AS_SHIPPED = {
    "contrastive pairs": ask((0,)),
    "clusters": ask((0,), scenario="clusters"),
    "clusters of another law": ask((0,), scenario="clusters", **LAPLACE),
    "pairs in a box": ask((0,), scenario="infonce_box"),
    "a signed game": ask((0,), scenario="reversal"),
    "a code that hides": ask((0,), scenario="invariance"),
    "a flow that reconstructs": ask((0,), scenario="flows", data="arc", objective="ml-rec"),
}


@pytest.mark.slow
@pytest.mark.parametrize("members", AS_SHIPPED.values(), ids=AS_SHIPPED)
def test_a_shipped_run_is_what_this_code_trains(members):
    (member,) = members
    known = Gallery().record(member)
    (result,) = train_group(members, device="cpu")
    assert known.provenance["scored"] == member.scored
    assert known.scores.keys() == result.scores.keys()
    turning = ("mcc", "angle_to_v_perp_deg", "probe_accuracy_linear", "probe_accuracy_mlp")
    for name, value in known.scores.items():
        if value is None or "seconds" in name:
            continue
        # another machine rounds otherwise: where a rotation ends, or a game of two, differs more
        tolerance = 0.3 if "deg" in name else 0.03 if name in turning else 0.01
        tolerance = 0.05 if name.endswith("entropy_nats") else tolerance
        tolerance = 0.02 if name.startswith("mtc") else tolerance
        relative = 0.02 if name == "feature_norm" else 0.0  # which nothing holds in place
        assert result.scores[name] == pytest.approx(value, rel=relative, abs=tolerance), name


OF_WEIGHTS = ("angle_to_v_deg", "angle_to_v_perp_deg")  # and of no samples
OF_CODES = ("linear_r2", "mcc")  # which shuffled codes can score as well


def test_every_shipped_run_says_what_chance_gets_and_how_far_samples_carry():
    gallery, judged = Gallery(), 0
    for run in shipped().values():
        member = run.member
        record, score = (
            gallery.record(member),
            SCENARIOS[member.scenario].promise(member.params).score,
        )
        if record.scores.get(score) is None:
            continue  # it diverged
        judged += 1
        if score in OF_CODES:
            assert abs(record.scores[f"null_{score}"]) < 0.05, member
        if score not in OF_WEIGHTS:
            low, high = record.scores[f"{score}_low"], record.scores[f"{score}_high"]
            assert low - 1e-9 <= record.scores[score] <= high + 1e-9, member
    assert judged > 2500


# --- other machines ---------------------------------------------------------------------------

ELSEWHERE = """
import json
from core.run.experiment import Experiment
from core.scenarios import SCENARIOS
from core.run.worker import train_group
members = Experiment(SCENARIOS["infonce"].Params(), "infonce", (0, 1, 2)).members
print(json.dumps([result.scores for result in train_group(members, device="cpu")]))
"""


def trained_with(**environment):
    """The scores of three default runs from a process with these instructions of the CPU."""
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() == "DEFAULT", reason="has no other instructions"
)
def test_what_agrees_across_machines(large_company):
    default = ask((0, 1, 2))
    here = [result.scores for result in large_company if result.member in default]
    there = trained_with(ATEN_CPU_CAPABILITY="default", MKL_CBWR="COMPATIBLE")
    assert any(a["mcc"] != b["mcc"] for a, b in zip(here, there, strict=True))  # another machine
    for a, b in zip(here, there, strict=True):
        for name in ("linear_r2", "orthogonal_r2"):
            assert min(a[name], b[name]) >= 0.99  # a recovered member
            assert a[name] == pytest.approx(b[name], abs=1e-3)
        assert a["degree"] == b["degree"]
        # what was drawn before training is the same; where the rotation ends is not
        for name in ("raw_linear_r2", "raw_mcc", "untrained_linear_r2", "untrained_mcc"):
            assert a[name] == pytest.approx(b[name], abs=1e-3)
        assert a["mcc"] == pytest.approx(b["mcc"], abs=0.03)
