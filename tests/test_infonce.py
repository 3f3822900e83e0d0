"""The theorem and where it fails, as the learner shows it: scores reached, folds, floors."""

import numpy as np
import pytest
import torch
from scipy import stats
from shipped import results

from core import metrics
from core.laws.samplers import Noise
from core.laws.spaces import Sphere
from core.laws.vmf import mean_cosine
from core.learners.infonce import Learner, World
from core.run.experiment import Experiment
from core.run.worker import train_group
from core.scenarios import SCENARIOS

Params = SCENARIOS["infonce"].Params


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def trained(seeds=(0, 1, 2), **params):
    return results(Experiment(Params(**params), "infonce", seeds).members)


# --- the theorem, in both directions ----------------------------------------------------------


@pytest.mark.slow
def test_under_the_assumptions_the_latents_come_back():
    for result in trained():
        scores = result.scores
        assert scores["linear_r2"] >= 0.99
        for baseline in ("raw_linear_r2", "untrained_linear_r2"):
            assert scores["linear_r2"] > scores[baseline] + 0.1
        assert scores["degree"] in (1, -1) and not result.diverged


@pytest.mark.slow
def test_what_is_left_is_a_rotation():
    for result in trained():
        scores = result.scores
        assert scores["orthogonal_r2"] >= 0.99 and scores["singular_value_mae"] < 0.05
        # nothing pins the axes: the matching score stays below, as theory says
        assert scores["mcc"] < scores["linear_r2"] - 0.02


@pytest.mark.slow
def test_the_rotation_left_over_differs_between_seeds():
    turns = [metrics.procrustes(r.z, r.z_hat[-1].astype(float))[0] for r in trained()]
    for i, a in enumerate(turns):
        for b in turns[:i]:
            assert np.abs(a - b).max() > 0.2


@pytest.mark.slow
def test_at_the_optimum_similarities_of_the_model_are_those_of_the_world():
    # kappa z.z' = h(z).h(z') / tau for all pairs: the proof's second step
    for result in trained():
        z, z_hat = result.z, result.z_hat[-1].astype(np.float32)
        assert np.abs(z @ z.T - z_hat @ z_hat.T).mean() < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("negatives", ("views", "anchors"))
def test_loss_on_fresh_pairs_ends_near_its_floor_and_with_views_not_below(negatives):
    for result in trained(negatives=negatives):
        loss, floor = result.scores["loss"], result.scores["loss_floor"]
        if negatives == "views":  # the Bayes bound; both are means over the same batches
            assert loss >= floor - 0.03
        assert loss == pytest.approx(floor, abs=0.1)


@pytest.mark.slow
def test_floor_is_the_same_for_every_seed_and_between_the_seeds_losses_and_log_batch():
    floors = {result.scores["loss_floor"] for result in trained()}
    assert len(floors) == 1 and 0 < floors.pop() < np.log(256)


@pytest.mark.slow
def test_a_standard_start_leaves_some_seeds_folded_and_degree_tells_which():
    results = trained(tuple(range(8)), initialisation="standard", steps=800)
    folded = [r for r in results if r.scores["degree"] == 0]
    unfolded = [r for r in results if r.scores["degree"] in (1, -1)]
    assert folded and unfolded
    assert all(r.scores["linear_r2"] < 0.9 for r in folded)
    assert all(r.scores["linear_r2"] > 0.95 for r in unfolded)
    # a fold costs: every folded run pays more than every unfolded one
    losses = [[r.scores["loss"] for r in group] for group in (folded, unfolded)]
    assert min(losses[0]) > max(losses[1])


@pytest.mark.slow
def test_a_fold_loses_one_direction_and_keeps_the_others():
    results = trained(tuple(range(8)), initialisation="standard", steps=800)
    for result in results:
        if result.scores["degree"] == 0:
            z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
            design = np.column_stack([z_hat, np.ones(len(z_hat))])
            residual = z - design @ np.linalg.lstsq(design, z, rcond=None)[0]
            lost = np.linalg.eigvalsh(np.cov(residual.T)) / (1 / 3)
            assert lost[-1] > 0.4 and lost[1] < 0.25


@pytest.mark.slow
def test_a_concentrated_marginal_breaks_recovery():
    """Below the uniform case, although everything else is as the theorem wants it."""
    uniform = trained()
    cap = trained(marginal_kappa=20.0, negatives="anchors")
    for good, bad in zip(uniform, cap, strict=True):
        assert bad.scores["linear_r2"] < good.scores["linear_r2"] - 0.2
        assert bad.scores["linear_r2"] < bad.scores["raw_linear_r2"]


# --- the world --------------------------------------------------------------------------------

N = 20_000


def world(seeds=(0,), **params):
    members = [Params(**params) for _ in seeds]
    return World(members, "cpu"), Noise(seeds, "data", "cpu")


def test_latents_are_uniform_unless_a_marginal_says_otherwise():
    uniform, noise = world()
    z = uniform.latents(N, noise)[0].numpy()
    assert np.abs(z.mean(0)).max() < 5 / np.sqrt(3 * N)
    cap, noise = world(marginal_kappa=10.0)
    z = cap.latents(N, noise)[0].numpy()
    expected = [0, 0, mean_cosine(10, 3)]
    np.testing.assert_allclose(z.mean(0), expected, atol=5 / np.sqrt(N))


@pytest.mark.parametrize("d", (2, 3, 10))
def test_vmf_positives_sit_around_their_own_anchor(d):
    here, noise = world(d=d, kappa=20.0)
    z = here.latents(N, noise)
    z_pos = here.positives(z, noise)
    cosine = (z * z_pos).sum(-1).numpy()
    error = float(cosine.std()) / N**0.5
    assert float(cosine.mean()) == pytest.approx(mean_cosine(20, d), abs=6 * error)
    # the pair is exchangeable: the positive's marginal is uniform as well
    assert np.abs(z_pos[0].numpy().mean(0)).max() < 5 / np.sqrt(N)


@pytest.mark.parametrize(
    ("conditional", "law"), [("laplace", stats.laplace), ("normal", stats.norm)]
)
def test_projected_positives_carry_noise_of_the_named_law(conditional, law):
    spread = 1e-3  # so small that projecting only removes the radial part
    here, noise = world(conditional=conditional, spread=spread)
    z = here.latents(N, noise)
    z_pos = here.positives(z, noise)
    difference = (z_pos - z)[0].double().numpy() / spread
    z = z[0].double().numpy()
    # where the anchor is near an axis's equator that coordinate keeps its own noise
    level = np.abs(z[:, 0]) < 0.02
    assert level.sum() > 200
    assert stats.kstest(difference[level, 0], law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("d", (2, 3, 10))
@pytest.mark.parametrize("spread", (0.3, 1.0, 5.0))
def test_a_normal_around_the_pole_is_projected_as_a_noncentral_t_says(d, spread):
    here, noise = world(d=d, marginal="normal", marginal_spread=spread)
    z = here.latents(N, noise)[0].double().numpy()
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-6)
    # cotangent of the angle to the pole: a normal of mean 1/spread over a chi of d - 1 degrees
    cotangent = z[:, -1] / np.linalg.norm(z[:, :-1], axis=1)
    law = stats.nct(df=d - 1, nc=1 / spread)
    assert stats.kstest(np.sqrt(d - 1) * cotangent, law.cdf).pvalue > 1e-3
    # and it is turned about the pole as it is: the rest points everywhere alike
    rest = z[:, :-1] / np.linalg.norm(z[:, :-1], axis=1, keepdims=True)
    assert np.abs(rest.mean(0)).max() < 5 / np.sqrt(N)
    np.testing.assert_allclose(rest.T @ rest / N, np.eye(d - 1) / (d - 1), atol=5 / np.sqrt(N))


def test_a_wide_normal_around_the_pole_is_nearly_uniform_and_never_called_so():
    here, noise = world(marginal="normal", marginal_spread=100.0)
    assert np.abs(here.latents(N, noise)[0].numpy().mean(0)).max() < 0.02
    normal = Params(marginal="normal")
    assert not normal.whole and not SCENARIOS["infonce"].promise(normal).judges
    assert "a uniform marginal" in SCENARIOS["infonce"].promise(normal).said
    assert "marginal_kappa" in normal.inactive() and "marginal_spread" in Params().inactive()


def test_no_floor_is_claimed_where_the_density_ratio_has_no_closed_form():
    (normal,) = train_group(Experiment(Params(marginal="normal", **TINY), "infonce", (0,)).members)
    assert normal.scores["loss_floor"] is None and normal.scores["loss"] is not None


def test_whitened_observations_reach_the_network_with_unit_covariance():
    members = Experiment(Params(whiten=True, **TINY), "infonce", (0, 3)).members
    learner = Learner(members, "cpu")
    noise = Noise((0, 3), "evaluation", "cpu")
    x = learner.g(learner.world.latents(N, noise))
    seen = learner.f[0](x).detach().numpy()
    for each, raw in zip(seen, x.numpy(), strict=True):
        np.testing.assert_allclose(np.cov(each.T), np.eye(3), atol=0.1)
        assert np.abs(np.cov(raw.T) - np.eye(3)).max() > 0.5
    # a linear read-out does not feel it, so the baseline of raw x is that of the plain run
    plain = Learner(Experiment(Params(**TINY), "infonce", (0, 3)).members, "cpu")
    for a, b in zip(learner.baselines, plain.baselines, strict=True):
        assert a["raw_linear_r2"] == b["raw_linear_r2"]
    assert {"f.0.map", "f.1.weights.0"} <= set(learner.whole(0))


# --- told the latents --------------------------------------------------------------------------

TINY = {"steps": 5, "batch": 32}
PAIRS = (
    {"kappa": 3.0}, {"conditional": "laplace"}, {"conditional": "normal", "spread": 0.3},
    {"tau": 0.3}, {"negatives": "anchors"}, {"anneal": 0.5}, {"d_hat": 5},
)  # fmt: skip


def told(**params):
    asked = Experiment(Params(objective="supervised", **TINY, **params), "infonce", (0,))
    (result,) = train_group(asked.members, device="cpu")
    return result


def test_what_pairs_are_made_of_changes_nothing_of_a_run_that_is_told_the_latents():
    plain = told()
    for setting in PAIRS:
        other = told(**setting)
        assert other.member.key == plain.member.key
        for name in ("z", "z_hat", "loss"):
            np.testing.assert_array_equal(getattr(other, name), getattr(plain, name))
        assert other.scores == plain.scores and other.world.keys() == plain.world.keys() == {"x"}


@pytest.mark.parametrize(
    "setting",
    [{"d": 4}, {"marginal_kappa": 5.0}, {"n_train": 50}, {"width": 32}, {"d_x": 5}],
    ids=str,
)
def test_what_an_encoder_learns_from_does_change_it(setting):
    assert told(**setting).member.key != told().member.key
    assert not np.array_equal(told(**setting).loss, told().loss)


def test_its_loss_is_the_squared_error_of_unit_features():
    learner = Learner(Experiment(Params(objective="supervised", **TINY), "infonce", (0,)).members,
                      "cpu")  # fmt: skip
    again = Learner(learner.members, "cpu")
    z = again._batch()[0]
    z_hat = again.f(again.g(z)).detach().numpy()
    np.testing.assert_allclose(np.linalg.norm(z_hat, axis=2), 1, atol=1e-6)
    expected = np.mean((z_hat - z.numpy()) ** 2)
    assert float(learner.step(0)[0]) == pytest.approx(float(expected), rel=1e-6)
    scores = learner.finish()[0]
    assert 0 < scores["loss"] < 1 and learner.baselines[0]["loss_floor"] is None


def test_nothing_is_promised_of_it_and_every_notice_is_about_that():
    told = Params(objective="supervised", conditional="laplace", tau=3.0, initialisation="standard")
    promise = SCENARIOS["infonce"].promise(told)
    assert promise.missing == ("a loss that is not told the latents",) and not promise.judges
    (notice,) = SCENARIOS["infonce"].notices(told)
    assert notice.field == "objective" and "told z itself" in notice.text


def test_the_twin_of_a_setting_keeps_what_acts_on_both_and_has_none_itself():
    pairs = Params(kappa=3.0, tau=0.2, d=5, d_hat=6, marginal_kappa=20.0, steps=800)
    twin = pairs.supervised_twin
    assert twin.chosen() == {
        "objective": "supervised",
        "d": 5,
        "marginal_kappa": 20.0,
        "steps": 800,
    }
    assert twin.kappa == 10.0 and twin.supervised_twin is None
    assert all(Params(**setting).supervised_twin == Params().supervised_twin for setting in PAIRS)
    assert SCENARIOS["clusters"].Params().supervised_twin is None
    assert SCENARIOS["flows"].Params().supervised_twin is None  # its objective is another


@pytest.mark.slow
def test_told_the_latents_the_encoder_finds_them_best():
    for pairs, told in zip(trained(), trained(objective="supervised"), strict=True):
        assert told.scores["linear_r2"] >= 0.99
        assert told.scores["linear_r2"] > pairs.scores["raw_linear_r2"] + 0.1
        # and no rotation is left over: the coordinates themselves come back
        assert told.scores["mcc"] > 0.99 > pairs.scores["mcc"]


def test_graticule_lies_on_the_sphere_and_follows_its_description():
    net = Sphere(3).net()
    assert net.shape == (17, 37, 3)
    np.testing.assert_allclose(np.linalg.norm(net, axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(net[:12, 0], np.tile([0, 0, -1], (12, 1)), atol=1e-6)
    np.testing.assert_allclose(net[:12, -1], np.tile([0, 0, 1], (12, 1)), atol=1e-6)
    np.testing.assert_allclose(net[0, 18], [1, 0, 0], atol=1e-6)  # longitude 0, equator
    heights = net[12:, :, 2]
    np.testing.assert_allclose(np.ptp(heights, axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(heights[:, 0], np.sin(np.deg2rad([-60, -30, 0, 30, 60])), atol=1e-6)
    np.testing.assert_allclose(net[12:, 0], net[12:, -1], atol=1e-6)  # closed


def test_graticule_is_the_circle_in_the_plane_and_nothing_above_three_dimensions():
    assert Sphere(2).net().shape == (1, 37, 2) and Sphere(5).net().shape == (0, 0, 5)
    np.testing.assert_allclose(np.linalg.norm(Sphere(2).net(), axis=-1), 1, atol=1e-6)


def test_more_negatives_than_pairs_repeat_an_anchors_own_positive_as_the_notice_says():
    params = SCENARIOS["infonce"].Params(n_train=64, batch=256)
    learner = Learner(Experiment(params, "infonce", (0,)).members, "cpu")
    repeats = []
    for _ in range(20):
        z_pos = learner._batch()[1][0]
        same = (z_pos[:, None] == z_pos[None]).all(-1)
        repeats.append(float(same.sum(1).float().mean()) - 1)  # itself is no negative
    assert np.mean(repeats) == pytest.approx(255 / 64, rel=0.05)
