"""Boxes: truncated laws against scipy, Lp losses against the direct ones, matchings, the world."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import nn

from core import metrics, objectives, theory
from core.encoder import Bounded, Whitening, make_encoder, of_member
from core.laws import coordinates
from core.laws.law import Law
from core.laws.samplers import Noise, generator, sampler
from core.laws.spaces import Box, Flat
from core.learners.infonce_box import Learner
from core.learners.pairs import InFlat
from core.objectives import LP_INFO_NCE, log_sum_exp_lp
from core.run.experiment import Experiment
from core.scenarios import SCENARIOS

Params = SCENARIOS["infonce_box"].Params
N = 40_000
SPREAD = 0.2
SCIPY = {  # of scale SPREAD
    "laplace": stats.laplace(scale=SPREAD),
    "normal": stats.norm(scale=SPREAD),
    "gennorm": stats.gennorm(3, scale=SPREAD),
}
families = pytest.mark.parametrize("family", SCIPY)
norms = pytest.mark.parametrize("p", (1, 2, 3))
each_loss = pytest.mark.parametrize("negatives", LP_INFO_NCE)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def law(family, walls=(0.0, 1.0), **changes):
    return Law(family, spread=SPREAD, shape=3.0, project=False, walls=walls, **changes)


# --- truncated laws ---------------------------------------------------------------------------


@families
@pytest.mark.parametrize("mean", (0.0, 0.03, 0.5, 1.0))
def test_noise_between_walls_has_the_truncated_law_and_its_tails(family, mean):
    at = torch.full((1, N, 2), mean)
    z = sampler([law(family)], 2).around(at, Noise([3], "data", "cpu"))[0].double().numpy()
    free = SCIPY[family]
    low, high = free.cdf(-mean), free.cdf(1 - mean)

    def cdf(x):
        return (free.cdf(x - mean) - low) / (high - low)

    assert z.min() >= 0 and z.max() <= 1
    for column in z.T:
        assert stats.kstest(column, cdf).pvalue > 1e-3
        for quantile in (1e-3, 0.999):  # a KS test does not see these
            true = mean + free.ppf(low + quantile * (high - low))
            share = (column <= true).mean()
            assert abs(share - quantile) < 5 * (quantile * (1 - quantile) / N) ** 0.5
    assert abs(np.corrcoef(z.T)[0, 1]) < 5 / N**0.5  # coordinates are independent


@families
def test_walls_far_away_change_nothing(family):
    at, noise = torch.zeros(1, 2000, 2), (Noise([1], "data", "cpu") for _ in range(2))
    near = sampler([law(family, (-50.0, 50.0))], 2).around(at, next(noise))[0]
    free = SCIPY[family]
    u = next(noise).uniform(2000, 2)[0].numpy()
    np.testing.assert_allclose(near, free.ppf(u), atol=2e-4)


def test_members_have_walls_of_their_own_scale_and_do_not_depend_on_company():
    laws = [Law("laplace", spread=s, project=False, walls=(0, 1)) for s in (0.02, 0.3)]
    at = torch.full((2, 500, 3), 0.4)
    both = sampler(laws, 3).around(at, Noise([5, 5], "data", "cpu"))
    for i, each in enumerate(laws):
        alone = sampler([each], 3).around(at[:1], Noise([5], "data", "cpu"))
        assert torch.equal(both[i], alone[0])
    assert both[0].std() < both[1].std()


@pytest.mark.parametrize(
    ("family", "changes", "words"),
    [
        ("vmf", {}, "vmf noise is not confined by walls"),
        ("student-t", {"shape": 3.0}, "student-t noise is not confined by walls"),
        ("laplace", {"project": True}, "laplace noise is not confined by walls"),
        ("laplace", {"walls": (1.0, 1.0)}, "leave no room"),
    ],
)
def test_what_cannot_be_confined_is_refused(family, changes, words):
    with pytest.raises(ValueError, match=words):
        Law(family, **{"project": False, "walls": (0.0, 1.0), **changes})


def test_a_confined_law_knows_its_box_and_has_no_rotational_symmetry():
    confined = law("normal")
    assert confined.space(3) == Box(3, 0.0, 1.0) and not confined.space(3).curved
    assert not confined.isotropic and not confined.normal
    assert law("normal", None).isotropic


def test_nets_of_flat_spaces_are_parallel_to_the_axes():
    for space, curves in ((Box(2), 18), (Flat(2, -3, 3), 18), (Box(3), 24)):
        net = space.net()
        assert net.shape == (curves, 19, space.d)
        assert net.min() == space.low and net.max() == space.high
        assert ((np.ptp(net, axis=1) > 0).sum(1) == 1).all()  # one coordinate runs
    corners = {tuple(end) for edge in Box(3).net()[:12] for end in (edge[0], edge[-1])}
    assert len(corners) == 8 and Box(4).net().shape == (0, 0, 4)
    assert not Box(3).degree_in(3)
    assert Box(2).project(torch.tensor([-1.0, 0.5])).tolist() == [0.0, 0.5]
    assert Flat(2).project(torch.tensor([-9.0, 9.0])).tolist() == [-9.0, 9.0]


# --- densities --------------------------------------------------------------------------------


@families
def test_densities_and_probabilities_of_a_coordinate_are_scipys(family):
    e = np.linspace(-1, 1, 41)
    np.testing.assert_allclose(
        coordinates.log_density(law(family), e), SCIPY[family].logpdf(e), atol=1e-12
    )
    np.testing.assert_allclose(
        coordinates.probability(law(family), e), SCIPY[family].cdf(e), atol=1e-12
    )
    inside = SCIPY[family].cdf(1 - 0.1) - SCIPY[family].cdf(-0.1)
    assert coordinates.log_inside(law(family), np.array(0.1)) == pytest.approx(np.log(inside))
    assert coordinates.log_inside(law(family, None), np.array(0.1)) == 0


@families
@pytest.mark.parametrize("marginal", (None, "normal"))
def test_the_law_of_a_view_is_that_of_draws(family, marginal):
    """By quadrature of scipy's densities, in a box with a uniform or a truncated marginal."""
    around = None if marginal is None else Law(marginal, spread=0.3, project=False, walls=(0, 1))
    log_view = coordinates.log_view(law(family), around, Box(1))
    free = SCIPY[family]

    def joint(z, view):
        prior = 1.0
        if around is not None:
            prior = stats.truncnorm(-0.5 / 0.3, 0.5 / 0.3, 0.5, 0.3).pdf(z)
        return prior * free.pdf(view - z) / (free.cdf(1 - z) - free.cdf(-z))

    for view in (0.01, 0.3, 0.5, 0.97):
        exact = integrate.quad(joint, 0, 1, args=(view,), points=[view], epsabs=1e-10)[0]
        assert np.exp(log_view(np.array(view))) == pytest.approx(exact, rel=1e-3)


def test_without_walls_a_normal_view_of_a_normal_latent_is_normal():
    narrow, wide = (Law("normal", spread=s, project=False) for s in (0.5, 1.2))
    log_view = coordinates.log_view(narrow, wide, Flat(1))
    at = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(log_view(at), stats.norm(scale=1.3).logpdf(at), atol=2e-4)


@pytest.mark.parametrize(
    ("family", "spread", "marginal", "wide"),
    [
        ("laplace", 0.005, "laplace", 1.0),
        ("normal", 5.0, "laplace", 0.05),
        ("laplace", 1.0, "normal", 1.0),
    ],
)
def test_without_walls_the_law_of_a_view_is_right_however_narrow_the_noise(
    family, spread, marginal, wide
):
    of = {"laplace": stats.laplace, "normal": stats.norm}
    noise, around = of[family](scale=spread), of[marginal](scale=wide)
    laws = [
        Law(each, spread=size, project=False) for each, size in ((family, spread), (marginal, wide))
    ]
    log_view = coordinates.log_view(*laws, Flat(1))
    for view in (0.3, 2.0):
        size, reach = max(spread, wide), 20 * min(spread, wide)

        def joint(e, at=view * size):
            return noise.pdf(e) * around.pdf(at - e)

        cuts = [0.0, view * size]
        ends = sorted({-60 * size, 60 * size, *(c + s for c in cuts for s in (-reach, 0, reach))})
        exact = sum(
            integrate.quad(joint, a, b, epsabs=1e-12, limit=200)[0] for a, b in pairwise(ends)
        )
        assert np.exp(log_view(np.array(view * size))) == pytest.approx(exact, rel=2e-3)
    at = np.linspace(-20 * size, 20 * size, 100_001)
    assert np.trapezoid(np.exp(log_view(at)), at) == pytest.approx(1, abs=2e-3)


def test_the_true_ratio_tells_positives_best():
    """Its loss is below that of the ratio without the views' own law, near walls that matter."""
    rng = np.random.default_rng(0)
    around, space = law("laplace"), Box(2)
    ratio = coordinates.log_ratio(around, None, space)
    z = torch.from_numpy(rng.random((1, 4000, 2))).float()
    pos = sampler([around], 2).around(z, Noise([0], "data", "cpu"))[0].numpy()
    z = z[0].numpy()

    def blind(a, b):
        return -np.abs(a[:, None] - b).sum(-1) / SPREAD

    parts = range(0, 4000, 200)
    exact, other = (
        np.array([theory.info_nce_at(c, z[i : i + 200], pos[i : i + 200], "views") for i in parts])
        for c in (ratio, blind)
    )
    gain = other - exact
    assert gain.mean() > 3 * gain.std() / len(gain) ** 0.5


# --- Lp losses --------------------------------------------------------------------------------


def direct(a, b, p):
    """-|a_i - b_j|_p^p, (m, n, k), all differences at once."""
    return -(a[:, :, None] - b[:, None]).abs().pow(p).sum(-1)


def pairs(m=2, n=9, d=3, kind=torch.float64):
    stream = torch.Generator().manual_seed(8)
    return (torch.randn(m, n, d, generator=stream, dtype=kind).requires_grad_() for _ in range(2))


@norms
def test_log_sum_exp_over_norms_is_the_direct_one_with_its_gradient(p):
    a, b = pairs()
    found, exact = log_sum_exp_lp(a, b, p), direct(a, b, p).logsumexp(-1)
    torch.testing.assert_close(found, exact)
    weights = torch.linspace(1, 2, found.numel(), dtype=found.dtype).view_as(found)
    for mine, true in zip(
        torch.autograd.grad((found * weights).sum(), (a, b)),
        torch.autograd.grad((exact * weights).sum(), (a, b)),
        strict=True,
    ):
        torch.testing.assert_close(mine, true)


@norms
def test_blocks_of_rows_change_no_number(p, monkeypatch):
    a, b = pairs(kind=torch.float32)
    whole = log_sum_exp_lp(a, b, p)
    gradient = torch.autograd.grad(whole.sum(), (a, b))
    monkeypatch.setattr(objectives, "BLOCK", 2 * b.shape[1])  # two rows at a time
    blocked = log_sum_exp_lp(a, b, p)
    torch.testing.assert_close(blocked, whole)
    for mine, true in zip(torch.autograd.grad(blocked.sum(), (a, b)), gradient, strict=True):
        torch.testing.assert_close(mine, true)


@norms
def test_the_gradient_holds_where_a_distance_is_zero(p):
    a, _ = pairs()
    for mine, true in zip(
        torch.autograd.grad(log_sum_exp_lp(a, a, p).sum(), a),
        torch.autograd.grad(direct(a, a, p).logsumexp(-1).sum(), a),
        strict=True,
    ):
        torch.testing.assert_close(mine, true)


@norms
@each_loss
def test_lp_losses_are_the_direct_ones(p, negatives):
    a, b = pairs()
    tau = torch.tensor([0.3, 2.0], dtype=a.dtype)
    positive = -(a - b).abs().pow(p).sum(-1) / tau[:, None]
    against = direct(a, b if negatives == "views" else a, p) / tau[:, None, None]
    if negatives == "anchors":
        against = torch.cat([against, positive[..., None]], -1)
    exact = (against.logsumexp(-1) - positive).mean(-1)
    torch.testing.assert_close(LP_INFO_NCE[negatives](a, b, tau, p), exact)


@norms
@each_loss
def test_small_temperatures_and_far_codes_keep_their_digits(p, negatives):
    stream = torch.Generator().manual_seed(1)
    a = 5 + torch.rand(1, 64, 10, generator=stream)
    b = a + 0.05 * torch.randn(1, 64, 10, generator=stream)
    tau = torch.tensor([0.05**p])
    single = LP_INFO_NCE[negatives](a, b, tau, p)
    double = LP_INFO_NCE[negatives](a.double(), b.double(), tau.double(), p)
    assert float(single) == pytest.approx(float(double), rel=2e-3, abs=1e-5)


@norms
def test_no_array_holds_all_differences(p):
    """As many numbers as pairs in each saved array, however many coordinates there are."""
    a, b = pairs(m=1, n=64, d=16, kind=torch.float32)
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, id):
        log_sum_exp_lp(a, b, p)
    assert max(saved) <= 64 * 64


# --- encoders ---------------------------------------------------------------------------------


def test_whitened_observations_have_unit_covariance_by_member():
    stream = torch.Generator().manual_seed(2)
    x = torch.randn(2, 4000, 3, generator=stream) @ torch.randn(2, 3, 3, generator=stream) + 4
    white = Whitening(x)(x)
    for each in white:
        np.testing.assert_allclose(np.cov(each.T.numpy(), bias=True), np.eye(3), atol=2e-3)
        np.testing.assert_allclose(each.mean(0), 0, atol=2e-3)


def test_a_bounded_code_stays_in_its_box_whose_sides_are_learnt():
    bounded = Bounded(torch.tensor([0.5, 3.0]), 2)
    u = torch.tensor([[-90.0, 90.0]]).expand(2, 1, 2)
    torch.testing.assert_close(bounded(u)[:, 0], torch.tensor([[0.0, 0.5], [0.0, 3.0]]))
    bounded(torch.zeros(2, 5, 2)).sum().backward()
    assert bounded.log_bound.grad.shape == (2, 1, 2) and (bounded.log_bound.grad > 0).all()


def test_a_member_alone_is_what_it_is_in_company():
    x = torch.randn(2, 50, 3)
    streams = [generator(seed, "initialisation") for seed in (0, 1)]
    f = nn.Sequential(
        Whitening(x), make_encoder(streams, 3, 3, 16, 2, "standard", normalised=False),
        Bounded(torch.tensor([1.0, 2.0]), 3),
    )  # fmt: skip
    for i in (0, 1):
        torch.testing.assert_close(of_member(f, i)(x[i : i + 1])[0], f(x)[i])


# --- matchings --------------------------------------------------------------------------------


def test_matching_scores_know_their_answers():
    z = np.random.default_rng(3).random((5000, 3))
    code = np.stack([4 - 2 * z[:, 2], 3 * z[:, 0], z[:, 1] + 7], 1)
    assert metrics.mcc(z, code) == pytest.approx(1)
    correlation, (latents, codes) = metrics.matching(z, code)
    assert latents.tolist() == [0, 1, 2] and codes.tolist() == [1, 2, 0]
    assert correlation[2, 0] == pytest.approx(-1)
    map_, shift = metrics.generalised_permutation(z, code)
    np.testing.assert_allclose(code @ map_ + shift, z, atol=1e-9)
    assert ((map_ != 0).sum(0) == 1).all()


@pytest.mark.parametrize("degrees", (0.0, 20.0, 45.0))
def test_a_turned_square_scores_what_theory_says_and_stays_turned_in_the_picture(degrees):
    z = np.random.default_rng(4).random((100_000, 2)) - 0.5
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    expected = theory.rotation_scores(degrees)[1]
    assert metrics.mcc(z, z @ turn) == pytest.approx(expected, abs=5e-3)
    map_, shift = metrics.generalised_permutation(z, z @ turn)
    off = np.abs(z @ turn @ map_ + shift - z).mean()
    assert (off < 1e-9) == (degrees == 0)


def test_a_constant_code_matches_nothing():
    z = np.random.default_rng(5).random((100, 2))
    code = np.column_stack([z[:, 0], np.ones(100)])
    map_, shift = metrics.generalised_permutation(z, code)
    assert metrics.mcc(z, code) == pytest.approx(0.5) and np.isfinite(map_).all()
    assert np.isfinite(shift).all()


# --- what a norm knows ------------------------------------------------------------------------


def test_a_turn_costs_nothing_for_p_2_and_something_for_the_others():
    rng = np.random.default_rng(6)
    z = rng.random((150, 2))
    z_pos = z + rng.laplace(scale=0.05, size=z.shape)
    degrees = np.array([0.0, 30.0, 45.0, 90.0])
    for p in (1, 2, 3):
        losses = theory.turned_info_nce(z, z_pos, p, 0.05**p, degrees, "views")
        assert losses[3] == pytest.approx(losses[0], rel=1e-9)  # a quarter turn is a permutation
        if p == 2:
            np.testing.assert_allclose(losses, losses[0], rtol=1e-9)
        else:
            assert np.ptp(losses[:3]) > 1e-3


@pytest.mark.parametrize("p", [1, 2])
def test_an_anchor_that_repels_itself_shortens_the_distances_of_least_loss(p):
    rng = np.random.default_rng(7)
    z = rng.random((4000, 2))
    noise = rng.laplace(scale=0.05, size=z.shape) if p == 1 else rng.normal(0, 0.05, z.shape)
    tau = 0.05 if p == 1 else 2 * 0.05**2
    views, anchors = (theory.least_scale(z, z + noise, p, tau, 256, n) for n in LP_INFO_NCE)
    assert views == pytest.approx(1, abs=0.1) and anchors < views - 0.1
    assert anchors < theory.least_scale(z, z + noise, p, tau, 2000, "anchors")  # more to repel


# --- the world and its settings ---------------------------------------------------------------


def test_latents_and_positives_stay_in_the_box_and_positives_near():
    world = InFlat([Params(d=3), Params(d=3, spread=0.2)], "cpu")
    noise = Noise([0, 1], "data", "cpu")
    z = world.latents(N, noise)
    z_pos = world.positives(z, noise)
    for points in (z, z_pos):
        assert points.min() >= 0 and points.max() <= 1
    for each in z.reshape(2, -1).double().numpy():
        assert stats.kstest(each, "uniform").pvalue > 1e-3
    near = (z - z_pos).abs().mean((1, 2))
    assert near[0] < 0.05 < near[1]


def test_unbounded_latents_have_the_marginal_that_was_asked_for():
    for marginal, free in (("normal", stats.norm), ("laplace", stats.laplace)):
        params = Params(space="unbounded", marginal=marginal, marginal_spread=2.0)
        z = InFlat([params], "cpu").latents(N, Noise([0], "data", "cpu"))
        assert stats.kstest(z.flatten().double().numpy(), free(scale=2.0).cdf).pvalue > 1e-3


def test_there_is_no_uniform_law_on_all_of_space():
    implied, said = (Params(space="unbounded", marginal=m) for m in ("uniform", "normal"))
    key = {Experiment(p, "infonce_box", (0,)).members[0].key for p in (implied, said)}
    assert len(key) == 1 and implied.marginal_law == said.marginal_law
    notices = {n.field for n in SCENARIOS["infonce_box"].notices(implied)}
    assert "marginal" in notices


def test_a_temperature_that_is_matched_anyway_is_no_choice_and_sides_follow_it():
    assert Params(spread=0.1, tau=0.1).chosen() == {"spread": 0.1}
    assert Params(p=2, conditional="normal").matched_tau == pytest.approx(2 * 0.05**2)
    assert Params().matched_side == pytest.approx(1)
    assert Params(tau=0.2).matched_side == pytest.approx(4)
    assert Params(p=2, tau=0.01).matched_side == pytest.approx(2)


def test_who_is_told_the_latents_is_one_run_whatever_the_pairs():
    twins = [Params(p=p, conditional=c, spread=s).supervised_twin
             for p, c, s in ((1, "laplace", 0.05), (2, "normal", 0.5))]  # fmt: skip
    keys = {Experiment(t, "infonce_box", (0,)).members[0].key for t in twins}
    assert len(keys) == 1
    promise = SCENARIOS["infonce_box"].promise(twins[0])
    assert not promise.judges


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"conditional": "gennorm", "p": 3}, True),
        ({"conditional": "gennorm", "shape": 2.5, "p": 3}, False),
        ({"conditional": "normal", "p": 2}, False),
        ({"model_space": "unbounded"}, False),
        ({"space": "unbounded"}, False),
        ({"p": 3}, False),
        ({"marginal": "normal"}, False),
    ],
)
def test_the_theorem_asks_for_a_box_a_shared_norm_and_one_that_knows_axes(changes, kept):
    params = Params(**changes)
    assert SCENARIOS["infonce_box"].promise(params).judges == kept
    assert kept or SCENARIOS["infonce_box"].notices(params)


@pytest.mark.parametrize("objective", ("contrastive", "supervised"))
def test_the_loss_that_is_trained_is_the_loss_that_is_reported(objective):
    params = Params(
        steps=3, batch=64, objective=objective, width=8, learning_rate=1e-5, negatives="views"
    )
    learner = Learner(Experiment(params, "infonce_box", (0,)).members, "cpu")
    started = [float(learner.step(t)) for t in range(3)]
    (scores,) = learner.finish()
    assert scores["loss"] == pytest.approx(np.mean(started), rel=0.2)
    floor = learner.baselines[0]["loss_floor"]
    if objective == "supervised":  # a squared error has no density ratio
        assert floor is None
    else:
        assert floor < scores["loss"]


def test_nothing_of_the_pairs_touches_a_run_that_is_told_the_latents():
    settings = [
        Params(
            steps=3,
            batch=32,
            width=8,
            objective="supervised",
            space="unbounded",
            conditional=c,
            spread=s,
        )
        for c, s in (("laplace", 0.05), ("normal", 2.0))
    ]
    one, other = (Learner(Experiment(p, "infonce_box", (0,)).members, "cpu") for p in settings)
    for t in range(3):
        assert torch.equal(one.step(t), other.step(t))
    assert one.finish() == other.finish() and one.baselines == other.baselines
    assert one.truth.world.keys() == other.truth.world.keys() == {"x"}
