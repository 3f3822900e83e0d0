"""LeJEPA's worlds, losses and spectrum, held against independent oracles."""

from math import gamma

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import eval_hermitenorm, factorial

from core import figures, metrics, theory
from core.encoder import make_encoder
from core.laws.samplers import Noise, generator
from core.learners.lejepa import World, start
from core.lessons.lejepa import LAPLACE, SHOWN, WHITE
from core.mixing import Bent, make_coupling
from core.objectives import alignment, sigreg, whitening_penalty
from core.run.experiment import Experiment, groups
from core.run.training import train
from core.scenarios import SCENARIOS
from core.scenarios.lejepa import DEGREES, LeJEPA, notices, promise

MANY = 40_000


def law(shape):
    return stats.gennorm(shape, scale=np.sqrt(gamma(1 / shape) / gamma(3 / shape)))


def views(n=MANY, **params):
    world, noise = World([LeJEPA(**params)], "cpu"), Noise([1], "data", "cpu")
    z = world.latents(n, noise)
    return z[0].numpy().astype(float), world.positives(z, noise)[0].numpy().astype(float)


@pytest.mark.parametrize("shape", [0.5, 1.0, 1.5, 2.0, 3.0, 8.0])
def test_latents_have_the_law_and_variance_1(shape):
    z, _ = views(law="gennorm", shape=shape)
    assert abs(law(shape).var() - 1) < 1e-9
    assert stats.kstest(z.ravel(), law(shape).cdf).pvalue > 1e-3
    far = [1e-4, 1 - 1e-4]  # of the tails a KS test sees little
    assert np.quantile(z, far) == pytest.approx(law(shape).ppf(far), rel=0.2)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 4.0, 8.0])
def test_a_diffusion_keeps_the_law_and_the_channel_does_only_for_gaussian_latents(shape):
    at = {"law": "gennorm", "shape": shape}
    _, drifted = views(100_000, **at, transition="diffusion")
    _, added = views(100_000, **at)
    kept = [stats.kstest(z.ravel(), law(shape).cdf).pvalue > 1e-3 for z in (drifted, added)]
    assert kept == [True, shape == 2]
    assert [LeJEPA(**at, transition=t).stationary for t in ("diffusion", "channel")] == kept


@pytest.mark.parametrize("rho", [0.3, 0.8, 0.95])
@pytest.mark.parametrize("transition", ["channel", "diffusion"])
def test_gaussian_views_have_the_correlation_that_is_asked_for(rho, transition):
    z, other = views(rho=rho, transition=transition)
    for k in (1, 2, 3):  # and their Hermite polynomials rho^k, as the theorem's proof has it
        one, two = (eval_hermitenorm(k, each).ravel() for each in (z, other))
        assert np.corrcoef(one, two)[0, 1] == pytest.approx(rho**k, abs=0.03)
    assert np.corrcoef(z[:, 0], other[:, 1])[0, 1] == pytest.approx(0, abs=0.02)


def test_a_diffusion_forgets_in_the_time_that_rho_sets():
    near, far = (
        np.corrcoef(
            *(z.ravel() for z in views(law="gennorm", shape=1.0, transition="diffusion", rho=rho))
        )[0, 1]
        for rho in (0.95, 0.5)
    )
    assert 0.9 < near and far < near - 0.2


def test_a_spiral_turns_by_pi_times_the_length_and_keeps_it():
    z = torch.randn(2, 50, 2)
    x = Bent("spiral")(z)
    one, two = (torch.view_as_complex(each.contiguous()) for each in (z, x))
    turned = one * torch.exp(1j * np.pi * one.abs())
    assert torch.allclose(two, turned, atol=1e-5)


def test_formulas_leave_the_last_of_an_odd_number_as_it_is():
    z = torch.randn(1, 20, 5)
    for formula in ("spiral", "banana", "sinusoid"):
        x = Bent(formula)(z)
        assert torch.equal(x[..., 4], z[..., 4]) and not torch.equal(x[..., :4], z[..., :4])
        assert torch.equal(x[..., 2:4], Bent(formula)(z[..., 2:4]))


@pytest.mark.parametrize("d", [2, 3, 6])
def test_a_coupling_can_be_undone_and_keeps_volumes(d):
    g = make_coupling([generator(s, "world") for s in (0, 1)], d, 3).to(torch.float64)
    z = torch.randn(2, 30, d, dtype=torch.float64)
    # turns are orthogonal to float32 only
    assert torch.allclose(g.inverse(g(z)), z, atol=1e-4)
    assert torch.equal(g.members([1])(z[1:]), g(z)[1:])
    jacobian = torch.autograd.functional.jacobian(lambda at: g.members([0])(at), z[:1, :1])
    assert jacobian.reshape(d, d).det().abs().item() == pytest.approx(1, abs=1e-5)


def slow_sigreg(z, axes, knots):
    """The definition, knot by knot: z (n, d), axes (d, p)."""
    t = np.linspace(-3, 3, 2 * knots - 1)
    normal = np.exp(-(t**2) / 2)
    each = []
    for axis in axes.T:
        empirical = np.exp(1j * np.outer(z @ axis, t)).mean(0)
        each.append(np.trapezoid(np.abs(empirical - normal) ** 2 * normal, t))
    return len(z) * np.mean(each)


def test_sigreg_is_the_integral_that_defines_it_and_so_is_its_gradient():
    z = torch.randn(3, 40, 2, dtype=torch.float64, requires_grad=True)
    axes = torch.nn.functional.normalize(torch.randn(3, 2, 5, dtype=torch.float64), dim=1)
    found = sigreg(z, axes, 17)
    for i in range(3):
        assert found[i].item() == pytest.approx(
            slow_sigreg(z[i].detach().numpy(), axes[i].numpy(), 17), rel=1e-5
        )
    assert torch.autograd.gradcheck(lambda at: sigreg(at, axes, 17), z)


def test_sigreg_of_normal_codes_is_its_mean_whatever_their_number():
    t = np.linspace(-3, 3, 33)
    expected = np.trapezoid((1 - np.exp(-(t**2))) * np.exp(-(t**2) / 2), t)
    axes = torch.eye(2).expand(400, -1, -1)
    for n in (16, 128):
        found = sigreg(torch.randn(400, n, 2), axes, 17)
        assert found.mean().item() == pytest.approx(expected, abs=4 * found.std().item() / 20)
    assert sigreg(2 * torch.randn(400, 128, 2), axes, 17).mean() > 2 * expected


def test_alignment_is_the_distance_of_both_views_to_their_mean():
    one, other = torch.randn(2, 30, 3), torch.randn(2, 30, 3)
    middle = (one + other) / 2
    slow = ((one - middle) ** 2 + (other - middle) ** 2).sum(-1).mean(-1) / 2
    assert torch.allclose(alignment(one, other), slow)


def test_whitening_asks_for_the_identity():
    z = np.random.default_rng(0).normal(size=(100, 3))
    slow = np.linalg.norm(np.cov(z.T, bias=True) - np.eye(3)) ** 2
    assert whitening_penalty(torch.from_numpy(z)[None]).item() == pytest.approx(slow)
    white = np.linalg.qr(z - z.mean(0))[0] * 10
    assert whitening_penalty(torch.from_numpy(white)[None]).item() == pytest.approx(0, abs=1e-9)


def hermite(z, *degrees):
    """The orthonormal polynomial of these degrees in each latent."""
    each = [eval_hermitenorm(k, z[:, i]) / np.sqrt(factorial(k)) for i, k in enumerate(degrees)]
    return np.prod(each, axis=0)


def test_shares_by_degree_are_those_of_hermite_polynomials_for_gaussian_latents():
    z = np.random.default_rng(0).normal(size=(200_000, 2))
    code = np.stack([hermite(z, 1, 0) + 0.5 * hermite(z, 1, 2),
                     0.5 * hermite(z, 0, 2) + 0.5 * hermite(z, 1, 1)], 1)  # fmt: skip
    shares = metrics.degree_shares(z, code, DEGREES)
    assert shares == pytest.approx([1 / 1.75, 0.5 / 1.75, 0.25 / 1.75, 0, 0, 0], abs=0.02)
    turned = z @ np.linalg.qr(np.random.default_rng(1).normal(size=(2, 2)))[0]
    assert metrics.degree_shares(turned, code, DEGREES) == pytest.approx(shares, abs=1e-9)


def test_shares_of_a_polynomial_add_up_whatever_the_law():
    z = np.random.default_rng(0).laplace(size=(4000, 2))
    code = np.stack([z[:, 0] ** 2 * z[:, 1], z[:, 1]], 1)
    assert sum(metrics.degree_shares(z, code, DEGREES)) == pytest.approx(1)
    assert metrics.degree_shares(z, 3 * z + 1, DEGREES)[0] == pytest.approx(1)


def test_degrees_that_the_sample_cannot_tell_have_no_share():
    rng = np.random.default_rng(0)
    shares = metrics.degree_shares(rng.normal(size=(8192, 20)), rng.normal(size=(8192, 2)), DEGREES)
    assert [share is None for share in shares] == [False, False, True, True, True, True]
    assert shares[1] == pytest.approx(210 / 8192, rel=0.3)  # by luck


def test_the_bound_has_the_moments_that_algebra_gives():
    rho, rng = 0.9, np.random.default_rng(0)
    z, fresh = rng.normal(size=(2, 400_000, 2))
    other = rho * z + np.sqrt(1 - rho**2) * fresh
    turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]

    def code(at):  # a variance of 0.09 in degree 2, and a mean that does not count
        bent = np.stack([hermite(at, 2, 0), hermite(at, 1, 1)], 1)
        return at @ turn + 0.3 * bent + 1

    found = metrics.certified(z, code(z), code(other), rho)
    bent = 2 * 0.3**2
    assert found.excess == pytest.approx(bent * 2 * rho * (1 - rho), rel=0.05)
    assert found.error == pytest.approx(bent, rel=0.02)
    assert found.whiteness == pytest.approx(np.sqrt(2) * 0.3**2, rel=0.1)
    assert found.bound == pytest.approx(bent + (found.whiteness + bent) ** 2, rel=0.05)
    assert found.error < found.bound


def test_shrunk_codes_keep_their_r2_and_pay_in_the_error():
    z = np.random.default_rng(0).normal(size=(8192, 2))
    assert metrics.gain(z, 0.7 * z) == pytest.approx(0.7)
    assert metrics.linear_r2(z, 0.7 * z) == pytest.approx(1)
    assert metrics.certified(z, 0.7 * z, 0.7 * z, 0.9).error == pytest.approx(2 * 0.09, rel=0.05)


def test_it_is_promised_for_gaussian_latents_and_not_for_others():
    for params in (LeJEPA(), LeJEPA(objective="whiten"), LeJEPA(law="gennorm", shape=2.0)):
        assert promise(params).judges and notices(params) == ()
    for params in (LeJEPA(law="gennorm"), LeJEPA(objective="infonce")):
        assert not promise(params).judges and notices(params)
    said = [n.field for n in notices(LeJEPA(law="gennorm", transition="diffusion"))]
    assert said == ["law"]
    assert "transition" in [n.field for n in notices(LeJEPA(law="gennorm"))]


def test_what_has_no_effect_is_no_choice():
    plain = LeJEPA()
    same = (plain.but(shape=8.0), plain.but(reg_weight=plain.weight), plain.but(mixing_layers=1),
            plain.but(projections=plain.directions))  # fmt: skip
    assert all(each.chosen() == {} for each in same)
    assert LeJEPA(objective="infonce", reg_weight=0.3).chosen() == {"objective": "infonce"}
    assert SCENARIOS["lejepa"].work(plain) > 0


@pytest.mark.parametrize("transition", ["channel", "diffusion"])
def test_the_slowest_function_is_linear_for_gaussian_latents_and_for_no_other(transition):
    slowest = {a: theory.slowest_functions(a, 0.9, transition) for a in (1.0, 1.5, 2.0, 3.0, 8.0)}
    for k, (correlation, r2) in enumerate(slowest[2.0], 1):  # Hermite polynomials
        assert correlation == pytest.approx(0.9**k, abs=1e-3)
        assert r2 == pytest.approx(float(k == 1), abs=1e-3)
    for shape, (first, *_) in slowest.items():
        assert first[0] >= 0.9 - 1e-3  # what z itself has, in the channel exactly
        assert (first[1] > 0.999) == (shape == 2)


def test_the_slowest_function_of_nearly_uniform_latents_is_a_sine():
    (first, *_) = theory.slowest_functions(40.0, 0.9, "diffusion")
    width = 2 * np.sqrt(3)  # of a uniform law of variance 1, between reflecting walls
    assert first[0] == pytest.approx(0.9 ** (np.pi / width) ** 2, rel=1e-3)
    assert first[1] == pytest.approx(96 / np.pi**4, rel=1e-3)


@pytest.mark.parametrize("shape", [1.0, 2.0, 8.0])
def test_the_channel_changes_the_kurtosis_of_what_is_not_gaussian(shape):
    z, other = views(200_000, law="gennorm", shape=shape, rho=0.8)
    assert theory.excess_kurtosis(shape) == pytest.approx(law(shape).stats("k"), abs=1e-9)
    for at, rho in ((z, 1.0), (other, 0.8)):
        found = theory.excess_kurtosis(shape, rho)
        assert stats.kurtosis(at.ravel()) == pytest.approx(found, abs=0.15)


def test_correlations_by_degree_are_powers_of_rho_for_gaussian_views():
    z, other = views(200_000, rho=0.8)
    found = metrics.degree_correlations(z, other, 4)
    assert found == pytest.approx([0.8**k for k in (1, 2, 3, 4)], abs=0.03)


def test_a_smooth_encoder_is_its_definition_and_starts_beside_a_linear_path():
    starts = [generator(seed, "initialisation") for seed in (0, 1)]
    f = make_encoder(starts, 2, 2, 20, 2, "skip", False, "silu")
    x = torch.randn(2, 30, 2)
    hidden = x
    for depth, (weight, bias) in enumerate(zip(f.weights, f.biases, strict=True)):
        if depth:
            hidden = hidden * torch.sigmoid(hidden)
        hidden = hidden @ weight + bias
    torch.testing.assert_close(f(x), hidden + x @ f.skip)
    torch.testing.assert_close(f.member(1)(x[1:]), f(x)[1:])
    assert all(bias.abs().max() > 0 for bias in f.biases)
    turn = f.skip[0].T @ f.skip[0]
    torch.testing.assert_close(turn, torch.eye(2), atol=1e-5, rtol=0)


@pytest.mark.slow
def test_white_codes_are_gaussian_latents_turned_and_no_others():
    """The theorem in both directions, with nothing hidden; what is lost is what theory says."""
    vary = {"shape": (2.0, 3.0, 8.0)}
    params = LeJEPA.model_validate({**SHOWN, **LAPLACE, **WHITE})
    r2 = {}
    for group in groups(Experiment(params, "lejepa", (0, 1), vary).members):
        for run in train(start(group, "cpu")):
            r2.setdefault(run.member.params.shape, []).append(run.scores["linear_r2"])
    assert min(r2[2.0]) >= 0.999
    for shape in (3.0, 8.0):
        lost = theory.slowest_functions(shape, 0.95, "channel")[0][1]
        assert r2[shape] == pytest.approx([lost] * 2, abs=0.003) and max(r2[shape]) < 0.996


def test_pictures_keep_their_numbers_beside_them():
    rng = np.random.default_rng(0)
    net = rng.normal(size=(3, 4, 2))
    _, seen = figures.observed(rng.normal(size=(5, 2)), net, ["#000000"] * 5)
    assert len(seen) == 5
    _, bars = figures.by_degree([[0.9, 0.05, None], [0.7, 0.15, None]], [0.1, 0.2, 0.3])
    assert bars["Mean share"].tolist() == pytest.approx([0.8, 0.1])
    assert bars["Cost"].tolist() == ["0.10", "0.20"]
    _, way = figures.unwinding([0, 10], {"1": [0.1, 0.9], "2": [0.2, np.nan]})
    assert len(way) == 3
    _, kept = figures.forgetting([0.9, 0.8], 0.9)
    assert kept["ρ to the k"].tolist() == pytest.approx([0.9, 0.81])
    chart, dots = figures.under_bound([("a", 1.0, 0.5), ("b", 0.1, 0.2)])
    assert dots["Error"].tolist() == [0.5, 0.2] and figures.specification(chart)
