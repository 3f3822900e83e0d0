"""Flows read by their own Jacobians: data, maps and their inverses, objectives, what comes out."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy import stats
from shipped import records
from sklearn.datasets import make_moons
from torch.func import jacfwd, vmap

from core import entropy
from core.flows import known
from core.flows.known import AXES
from core.flows.plane import coordinate_lines, sources
from core.laws.samplers import Noise
from core.learners.flows import (
    Learner,
    World,
    _forward,
    _inverse,
    _inverted,
    _total_correlation,
)
from core.run.experiment import Experiment
from core.run.worker import train_group
from core.scenarios import SCENARIOS

scenario = SCENARIOS["flows"]
Params = scenario.Params
TINY = {"transforms": 2, "width": 8, "batch": 64, "steps": 8}
N = 20_000


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def learner(seeds=(0, 1), **params):
    members = Experiment(Params(**{**TINY, **params}), "flows", tuple(seeds)).members
    return Learner(members, "cpu")


def taught(steps=8, **params):
    one = learner(**params)
    for t in range(steps):
        one.step(t)
    return one


# --- the data ---------------------------------------------------------------------------------


def test_the_moons_are_scikit_learns():
    (x,), _ = World([Params()], [0], "cpu").draw(N, Noise([0], "data", "cpu"))
    theirs, _ = make_moons(N, noise=0.1, random_state=1)
    for direction in ((1, 0), (0, 1), (1, 1), (1, -2)):
        ours = x.double().numpy() @ direction
        assert stats.ks_2samp(ours, theirs @ direction).pvalue > 1e-3


def test_known_generators_have_the_entropy_that_their_latents_give():
    z = torch.randn(N, 2, generator=torch.Generator().manual_seed(0)).double()
    found = {}
    for data in ("arc", "banana", "gaussian"):
        j = vmap(jacfwd(partial(sources, data)))(z).numpy()
        found[data] = entropy.entropy(j).value, entropy.total_correlation(j).value
    assert found["arc"] == (pytest.approx(0.705, abs=0.005), pytest.approx(0, abs=1e-9))
    # a shear: every point of the banana is stretched as much as any other
    assert found["banana"][0] == pytest.approx(2 * entropy.NORMAL + np.log(0.3), abs=1e-6)
    assert found["banana"][1] > 0.2
    assert found["gaussian"] == (pytest.approx(2 * entropy.NORMAL, abs=1e-6), pytest.approx(0))
    x = sources("gaussian", z).numpy()
    values = np.linalg.eigvalsh(np.cov(x.T))
    np.testing.assert_allclose(values, (0.25, 4), rtol=0.05)


def at_one(learner, parameters, buffers, x):
    """The code of a single point, for forward mode."""
    return _forward(learner.flow, parameters, buffers, x[None])[0][0]


# --- the maps ---------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["moons", "arc"])
def test_a_flow_goes_back_where_it_came_from_and_knows_its_volume(data):
    one = taught(data=data)
    x, z = one.x[:, :200], one._encode(one.x[:, :200])
    back = one._each(partial(_inverse, one.flow), torch.from_numpy(z))
    torch.testing.assert_close(back, x, atol=2e-4, rtol=1e-3)
    z_, ladj = one._each(partial(_forward, one.flow), x)
    encoder = one._each(lambda p, b, x: vmap(jacfwd(lambda each: at_one(one, p, b, each)))(x), x)
    torch.testing.assert_close(torch.linalg.slogdet(encoder)[1], ladj, atol=1e-4, rtol=1e-3)
    decoder = one._jacobians(z_.detach())
    product = decoder @ encoder.detach().double().numpy()
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(2), product.shape), atol=2e-3)


def test_what_is_penalised_is_what_is_read():
    one = taught(data="arc", objective="ml-mtc", initialisation="standard")
    x = one.x[:, :300].requires_grad_()
    z, ladj = one._each(partial(_forward, one.flow), x)
    penalised = _total_correlation(x, z, ladj).detach()
    for i, j in enumerate(one._jacobians(z.detach())):
        assert entropy.total_correlation(j).value == pytest.approx(float(penalised[i]), abs=1e-3)


def test_the_likelihood_is_that_of_the_change_of_variables():
    one = taught(data="arc")
    x = one.x[:1, :50]
    code = one._encode(one.x[:, :50])[0].astype(float)
    j = one._jacobians(torch.from_numpy(code.astype(np.float32))[None].repeat(2, 1, 1))[0]
    log_p = stats.norm.logpdf(code).sum(1) - entropy.log_volumes(j)
    nll = one._nll(torch.cat([x, x]))[0]
    assert nll == pytest.approx(-log_p.mean(), abs=1e-3)


def test_a_flow_is_measured_by_anybodys_road_as_by_its_own():
    one = taught(data="moons")
    own = {name: value[1].detach() for name, value in one.parameters.items()}
    buffers = {name: value[1] for name, value in one.buffers.items()}
    latents = one.latents[1, :400]
    found = entropy.measure(lambda z: _inverse(one.flow, own, buffers, z), latents)
    reading = one._reading(one._jacobians(one.latents[:, :400])[1])
    assert found.total_correlation.value == pytest.approx(reading["mtc_nats"], abs=1e-4)
    sampled = entropy.spectrum(
        one._jacobians(one.latents[:, :400])[1], latents.numpy().astype(float)
    )[0]
    np.testing.assert_allclose(found.spectrum, sampled, atol=1e-4)
    shared = reading["core_entropy_nats"] + reading["detail_entropy_nats"] - reading["mtc_nats"]
    assert shared == pytest.approx(reading["entropy_nats"], abs=1e-9)


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "off"),
    [
        ({}, {"alpha", "recon_weight"}),
        ({"objective": "ml-mtc"}, {"recon_weight"}),
        ({"objective": "ml-rec"}, {"alpha"}),
    ],
)
def test_a_weight_acts_where_its_term_is_trained(setting, off):
    assert Params(**setting).inactive() == off | {"turn"}
    one, other = (taught(3, **setting, **{name: v for name in off}) for v in (0.5, 2.0))
    for name, value in one.parameters.items():
        assert torch.equal(value, other.parameters[name])


def test_reconstruction_leaves_something_out():
    with pytest.raises(ValueError, match="must be below 2"):
        Params(objective="ml-rec", core_dim=2)


def test_data_without_known_latents_have_no_recovery():
    assert "mcc" in scenario.promise(Params()).silent
    assert not scenario.promise(Params(data="arc")).silent
    scores = taught().finish()[0]
    assert scores["mcc"] is None and scores["linear_r2"] is None and scores["mtc_nats"] >= 0


# --- what comes out ---------------------------------------------------------------------------


@pytest.mark.slow
def test_orthogonal_columns_are_not_the_generators_unless_the_start_helps():
    """Two starts of one loss: both nets are nearly orthogonal, one of them is the arc's own."""
    found = {}
    for start in ("identity", "standard"):
        params = Params(data="arc", objective="ml-mtc", initialisation=start)
        (run,) = records(Experiment(params, "flows", (0,)).members)
        found[start] = run.scores
    for scores in found.values():
        assert scores["mtc_nats"] < 0.02 and scores["nll"] < scores["loss_floor"] + 0.1
    assert found["identity"]["mcc"] < 0.5 and found["standard"]["mcc"] > 0.97
    # alignment, which the loss does not ask for, tells them apart
    apart = {
        start: scores["core_entropy_nats"] - scores["detail_entropy_nats"]
        for start, scores in found.items()
    }
    assert apart["standard"] > apart["identity"] + 0.5


def test_reconstruction_finds_the_arc_in_every_seed():
    params = Params(data="arc", objective="ml-rec")
    for run in records(Experiment(params, "flows", (0, 1, 2)).members):
        assert run.scores["mcc"] >= 0.99 and run.scores["mtc_nats"] <= 0.03
        assert run.scores["nll"] < run.scores["loss_floor"] + 0.05


# --- turned by hand ---------------------------------------------------------------------------


def test_turning_the_latents_keeps_the_density_and_changes_the_total_correlation():
    (result,) = train_group(Experiment(Params(data="turned", turn=60), "flows", (0,)).members)
    assert list(result.frame_step) == list(range(61))
    closed = [known.turned(degrees) for degrees in range(61)]
    np.testing.assert_allclose(result.history["mtc_nats"], closed, atol=1e-5)
    long, short = AXES
    assert closed[45] == pytest.approx(np.log((long**2 + short**2) / (2 * long * short)), abs=1e-12)
    np.testing.assert_allclose(result.loss, result.loss[0], atol=1e-5)  # the likelihood is blind
    assert result.scores["mtc_nats"] == pytest.approx(closed[60], abs=1e-5)
    assert result.scores["loss_floor"] == pytest.approx(result.scores["entropy_nats"], abs=1e-6)
    # z and its code: the same up to the turn
    turn = known.rotation(np.pi / 3)
    np.testing.assert_allclose(result.z_hat[-1].astype(float) @ turn.T, result.z, atol=5e-3)


def test_by_hand_nothing_but_the_turn_acts():
    by_hand = Params(data="turned", objective="ml-rec", core_dim=1)
    assert set(Params.model_fields) - by_hand.inactive() == {"data", "turn", "core_dim"}
    assert not by_hand.ordered and Params(objective="ml-rec").ordered
    assert "turn" in Params(data="gaussian").inactive()
    assert [notice.field for notice in scenario.notices(by_hand)] == ["turn"]


def test_what_moves_is_what_the_page_draws():
    """Columns at nine places, by differences of the lines that are carried along."""
    one = taught(data="arc")
    seen = one.look()
    assert seen.moving["spectrum"].shape == (2, 2)
    places, columns = seen.moving["places"], seen.moving["columns"]
    assert places.shape == (2, 9, 2) and columns.shape == (2, 9, 2, 2)
    step = 1e-2
    for latent in (0, 1):
        ahead, behind = (one._decode(one.places + sign * step * torch.eye(2)[latent])
                         for sign in (1, -1))  # fmt: skip
        slope = ((ahead - behind) / (2 * step)).numpy()
        np.testing.assert_allclose(columns[..., latent], slope, atol=2e-2)
    np.testing.assert_allclose(places, one._decode(one.places).numpy(), atol=1e-6)


# --- four dimensions --------------------------------------------------------------------------


def test_a_torus_is_two_arcs_rotated():
    one = learner(data="torus")
    axes = one.world.axes
    torch.testing.assert_close(axes @ axes.mT, torch.eye(4).expand(2, 4, 4), atol=1e-5, rtol=0)
    assert not torch.allclose(axes[0], axes[1])  # a seed's own
    unturned = (one.x @ axes.mT).double()
    z = torch.from_numpy(one.z).double()
    for circle in (slice(0, 2), slice(2, 4)):
        torch.testing.assert_close(
            unturned[..., circle], sources("arc", z[..., circle]), atol=1e-5, rtol=0
        )
    (known,) = {round(b["true_mtc_nats"], 9) for b in one.baselines}
    assert known == 0 and one.baselines[0]["loss_floor"] == pytest.approx(2 * 0.705, abs=0.02)
    np.testing.assert_allclose(one.truth.world["plane"], axes[:, :2].numpy())


@pytest.mark.parametrize("d", [2, 4])
def test_along_a_coordinate_line_one_latent_varies(d):
    lines = coordinate_lines(d)
    ranges = np.ptp(lines, axis=1)
    assert ((ranges > 0).sum(1) == 1).all() and np.allclose(ranges.max(1), 4)
    assert np.bincount(ranges.argmax(1)).tolist() == [len(lines) // d] * d
    assert len(np.unique(lines.reshape(len(lines), -1), axis=0)) == len(lines)


def test_a_flow_of_the_torus_is_read_in_all_its_latents():
    one = taught(data="torus", objective="ml-mtc", core_dim=2)
    (scores, _), j = one.finish(), one._jacobians(one.latents)
    assert j.shape == (2, 10_000, 4, 4)
    whole = scores["core_entropy_nats"] + scores["detail_entropy_nats"] - scores["mtc_nats"]
    assert whole == pytest.approx(scores["entropy_nats"], abs=1e-9)
    assert scores["mtc_per_dim"] == pytest.approx(scores["mtc_nats"] / 4)
    seen = one.look()
    assert seen.net_hat.shape == (2, *coordinate_lines(4).shape)
    assert seen.moving["columns"].shape == (2, 9, 4, 4)
    z = one._encode(one.x[:, :50])
    back = one._decode(torch.from_numpy(z))
    torch.testing.assert_close(back, one.x[:, :50], atol=1e-3, rtol=1e-3)


def test_core_latents_are_some_of_those_there_are():
    assert Params(data="torus", objective="ml-rec", core_dim=3).size == 4
    with pytest.raises(ValueError, match="must be at most 2, as many as there are latents"):
        Params(core_dim=3)
    assert Params(data="turned", objective="ml-rec", core_dim=2).core_dim == 2  # trains nothing
    with pytest.raises(ValueError, match="must be below 4"):
        Params(data="torus", objective="ml-rec", core_dim=4)


def test_a_flow_that_was_flattened_has_nothing_to_read():
    one = taught(data="arc")
    encoder = np.stack([np.eye(2), np.zeros((2, 2)), 2 * np.eye(2)])[None]
    decoder = _inverted(encoder)
    np.testing.assert_array_equal(decoder[0, [0, 2]], np.linalg.inv(encoder[0, [0, 2]]))
    assert np.isnan(decoder[0, 1]).all()
    assert set(one._reading(decoder[0]).values()) == {None}


def test_the_total_correlation_of_a_run_has_an_interval_and_its_history_none():
    params = SCENARIOS["flows"].Params(data="banana", steps=3)
    (result,) = train_group(Experiment(params, "flows", (0,)).members, device="cpu")
    low, high = result.scores["mtc_nats_low"], result.scores["mtc_nats_high"]
    assert low < result.scores["mtc_nats"] < high
    assert not {"mtc_nats_low", "mtc_nats_high"} & set(result.history)
