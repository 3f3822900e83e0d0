"""The losses against a slow loop on six points drawn as angles, and their laws."""

import itertools
import math
from itertools import product

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import nn

from core.objectives import (
    INFO_NCE,
    cross_entropy,
    divergence_from_laplace,
    divergence_from_normal,
    info_nce_anchors,
    info_nce_views,
    invariant_risk_penalty,
    label_cross_entropy,
    log_sum_exp_dot,
    ranking_cross_entropy,
    reversal_strength,
    squared_error,
)

ANCHORS = (0, 40, 95, 150, 230, 300)  # degrees on the circle
POSITIVES = (10, 30, 120, 150, 200, 340)
each_loss = pytest.mark.parametrize("negatives", INFO_NCE)


def on_circle(degrees, members=1):
    angle = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    return torch.stack([angle.cos(), angle.sin()], -1).expand(members, -1, -1)


def slow(anchors, positives, tau, negatives):
    """-log of the positive's share among its rivals, averaged; every dot product is a cosine."""

    def similarity(a, b):
        return math.exp(math.cos(math.radians(a - b)) / tau)

    total = 0.0
    for i, anchor in enumerate(anchors):
        positive = similarity(anchor, positives[i])
        if negatives == "views":
            among = sum(similarity(anchor, other) for other in positives)
        else:
            among = positive + sum(similarity(anchor, other) for other in anchors)
        total -= math.log(positive / among)
    return total / len(anchors)


@each_loss
@pytest.mark.parametrize("tau", (0.05, 0.3, 1.0, 20.0))
def test_loss_is_the_slow_loop(negatives, tau):
    loss = INFO_NCE[negatives](
        on_circle(ANCHORS), on_circle(POSITIVES), torch.tensor([tau], dtype=torch.float64)
    )
    assert loss.shape == (1,)
    assert float(loss) == pytest.approx(slow(ANCHORS, POSITIVES, tau, negatives), abs=1e-12)


@each_loss
def test_members_have_their_own_temperature(negatives):
    taus = (0.1, 0.5, 2.0)
    loss = INFO_NCE[negatives](
        on_circle(ANCHORS, 3), on_circle(POSITIVES, 3), torch.tensor(taus, dtype=torch.float64)
    )
    expected = [slow(ANCHORS, POSITIVES, tau, negatives) for tau in taus]
    assert loss.tolist() == pytest.approx(expected, abs=1e-12)


@each_loss
def test_members_do_not_meet(negatives):
    generator = torch.Generator().manual_seed(0)
    z, z_pos = torch.randn(2, 2, 8, 3, generator=generator, dtype=torch.float64)
    tau = torch.tensor([0.5, 0.5], dtype=torch.float64)
    before = INFO_NCE[negatives](z, z_pos, tau)
    z, z_pos = z.clone(), z_pos.clone()
    z[1], z_pos[1] = -z[1], z_pos[1] * 2
    after = INFO_NCE[negatives](z, z_pos, tau)
    assert before[0] == after[0] and before[1] != after[1]


@each_loss
def test_joint_rotation_and_joint_reflection_change_nothing(negatives):
    generator = torch.Generator().manual_seed(1)
    z, z_pos = nn.functional.normalize(
        torch.randn(2, 1, 20, 4, generator=generator, dtype=torch.float64), dim=-1
    )
    q = torch.linalg.qr(torch.randn(4, 4, generator=generator, dtype=torch.float64))[0]
    mirror = torch.diag(torch.tensor([1.0, -1, 1, 1], dtype=torch.float64))
    tau = torch.tensor([0.2], dtype=torch.float64)
    loss = INFO_NCE[negatives]
    before = loss(z, z_pos, tau)
    for turn in (q, q @ mirror):
        torch.testing.assert_close(loss(z @ turn, z_pos @ turn, tau), before)
    # turning only one of the two is not harmless
    assert abs(float(loss(z @ q, z_pos, tau) - before)) > 0.01


@pytest.mark.parametrize("n", (2, 6, 100))
def test_an_encoder_that_knows_nothing_pays_the_log_of_the_number_of_terms(n):
    z, tau = torch.zeros(1, n, 3), torch.ones(1)
    assert float(info_nce_views(z, z, tau)) == pytest.approx(math.log(n), abs=1e-6)
    assert float(info_nce_anchors(z, z, tau)) == pytest.approx(math.log(n + 1), abs=1e-6)


@each_loss
def test_coldest_temperature_stays_finite(negatives):
    generator = torch.Generator().manual_seed(2)
    z, z_pos = nn.functional.normalize(torch.randn(2, 1, 64, 3, generator=generator), dim=-1)
    tau = torch.tensor([0.005])  # logits reach 200, exp(200) overflows float32
    for a, b in ((z, z_pos), (z, z), (z, -z)):
        a = a.clone().requires_grad_()
        loss = INFO_NCE[negatives](a, b, tau)
        loss.sum().backward()
        assert loss.isfinite().all() and a.grad.isfinite().all()
        double = INFO_NCE[negatives](a.detach().double(), b.double(), tau.double())
        assert float(loss.detach()) == pytest.approx(float(double), abs=1e-3)


@each_loss
def test_training_precision_agrees_with_double(negatives):
    generator = torch.Generator().manual_seed(3)
    z, z_pos = nn.functional.normalize(torch.randn(2, 1, 256, 3, generator=generator), dim=-1)
    tau = torch.tensor([0.1])
    single = INFO_NCE[negatives](z, z_pos, tau)
    double = INFO_NCE[negatives](z.double(), z_pos.double(), tau.double())
    assert float(single) == pytest.approx(float(double), abs=1e-5)


# --- the hand-written gradient ----------------------------------------------------------------


def two(n, k, d, m=2):
    generator = torch.Generator().manual_seed(4)
    return (
        torch.randn(m, n, d, generator=generator, dtype=torch.float64).requires_grad_(),
        torch.randn(m, k, d, generator=generator, dtype=torch.float64).requires_grad_(),
    )


def test_log_sum_exp_dot_passes_gradcheck():
    assert torch.autograd.gradcheck(log_sum_exp_dot, two(4, 5, 3))


def test_log_sum_exp_dot_passes_gradcheck_when_both_arguments_are_one_tensor():
    a, _ = two(4, 4, 3)
    assert torch.autograd.gradcheck(lambda z: log_sum_exp_dot(z * 2, z), (a,))


def test_log_sum_exp_dot_is_the_plain_composition():
    a, b = two(7, 9, 3)
    weight = torch.rand(2, 7, dtype=torch.float64)
    ours = log_sum_exp_dot(a, b)
    plain = torch.logsumexp(a @ b.mT, -1)
    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close(
        torch.autograd.grad((ours * weight).sum(), (a, b)),
        torch.autograd.grad((plain * weight).sum(), (a, b)),
    )


def test_log_sum_exp_dot_leaves_its_arguments_alone():
    a, b = two(4, 5, 3)
    before = a.detach().clone(), b.detach().clone()
    log_sum_exp_dot(a, b).sum().backward()
    assert torch.equal(a, before[0]) and torch.equal(b, before[1])


@each_loss
def test_gradient_of_the_loss_is_autograds(negatives):
    z, z_pos = two(6, 6, 3)
    tau = torch.tensor([0.3, 1.5], dtype=torch.float64)
    scaled = z / tau[:, None, None]
    positive = (scaled * z_pos).sum(-1)
    against = scaled @ (z_pos if negatives == "views" else z).mT
    if negatives == "anchors":
        against = torch.cat([against, positive[..., None]], -1)
    plain = (torch.logsumexp(against, -1) - positive).mean(-1)
    ours = INFO_NCE[negatives](z, z_pos, tau)
    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close(
        torch.autograd.grad(ours.sum(), (z, z_pos)), torch.autograd.grad(plain.sum(), (z, z_pos))
    )


@pytest.mark.parametrize("labels", (2, 7, 300))
def test_cross_entropy_is_pytorchs_with_its_gradients(labels):
    make = torch.Generator().manual_seed(0)
    z_hat = torch.randn(3, 40, 5, generator=make, dtype=torch.float64).requires_grad_()
    w = torch.randn(3, labels, 5, generator=make, dtype=torch.float64).requires_grad_()
    y = torch.randint(labels, (3, 40), generator=make)
    ours = cross_entropy(z_hat, w, y)
    logits = torch.einsum("mnd,mkd->mnk", z_hat, w)
    theirs = nn.functional.cross_entropy(logits.mT, y, reduction="none").mean(-1)
    torch.testing.assert_close(ours, theirs)
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    found = torch.autograd.grad((weights * ours).sum(), (z_hat, w))
    for a, b in zip(found, torch.autograd.grad((weights * theirs).sum(), (z_hat, w)), strict=True):
        torch.testing.assert_close(a, b)


def test_cross_entropy_of_a_head_of_zeros_is_log_of_the_labels():
    y = torch.randint(11, (2, 30), generator=torch.Generator().manual_seed(0))
    loss = cross_entropy(torch.randn(2, 30, 4), torch.zeros(2, 11, 4), y)
    torch.testing.assert_close(loss, torch.full((2,), math.log(11)))


# --- invariance -------------------------------------------------------------------------------


def test_ranking_against_every_other_label_is_cross_entropy():
    z_hat, w = torch.randn(7, 1, 4), torch.randn(7, 5, 4)
    y = torch.arange(7)[:, None] % 5
    others = torch.stack([torch.tensor([j for j in range(5) if j != i]) for i in y[:, 0]])
    expected = cross_entropy(z_hat, w, y)
    torch.testing.assert_close(ranking_cross_entropy(z_hat, w, y, others), expected)


def test_ranking_with_a_head_of_zeros_is_log_of_the_labels():
    y, others = torch.randint(11, (2, 30)), torch.randint(11, (2, 6))
    loss = ranking_cross_entropy(torch.randn(2, 30, 4), torch.zeros(2, 11, 4), y, others)
    torch.testing.assert_close(loss, torch.full((2,), math.log(11)))


@pytest.mark.parametrize("k", [1, 2])
def test_the_true_posterior_is_where_ranking_is_flat_and_no_lower_than_cross_entropy(k):
    """Over every observation, label and draw of k candidates, each as often as it occurs."""
    inputs, labels = 4, 3
    noise = torch.Generator().manual_seed(0)
    raw = torch.rand(inputs, labels, generator=noise, dtype=torch.float64) + 0.05
    for _ in range(500):  # inputs and labels are uniform, as the learner's labels are
        raw = raw / raw.sum(0) / labels
        raw = raw / raw.sum(1, keepdim=True) / inputs
    joint = raw
    posterior = joint / joint.sum(1, keepdim=True)
    cases = list(product(range(inputs), range(labels), *[range(labels)] * k))
    x, y, others = (
        torch.tensor(c)
        for c in ([c[0] for c in cases], [c[1] for c in cases], [c[2:] for c in cases])
    )
    often = joint[x, y] / labels**k

    def loss(logits):
        w = torch.eye(labels, dtype=torch.float64).expand(len(cases), -1, -1)
        each = ranking_cross_entropy(logits[x][:, None], w, y[:, None], others)
        return (often * each).sum()

    true = posterior.log().requires_grad_()
    at_truth = loss(true)
    (slope,) = torch.autograd.grad(at_truth, true)
    torch.testing.assert_close(slope, torch.zeros_like(slope), atol=1e-12, rtol=0)
    entropy = -(joint * posterior.log()).sum()
    assert entropy < at_truth < math.log(labels)
    bent = true.detach() + torch.tensor([0.3, 0.0, -0.3], dtype=torch.float64)
    assert loss(bent) > at_truth


def test_label_cross_entropy_is_torchs():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 50, 4, generator=generator)
    labels = torch.randint(4, (3, 50), generator=generator)
    expected = [nn.functional.cross_entropy(a, b) for a, b in zip(logits, labels, strict=True)]
    torch.testing.assert_close(label_cross_entropy(logits, labels), torch.stack(expected))


def test_irm_penalty_is_the_squared_slope_of_every_risk_in_a_scale_of_the_head():
    generator = torch.Generator().manual_seed(0)
    predicted, target = torch.randn(2, 2, 60, 2, generator=generator, dtype=torch.float64)
    y = torch.randint(3, (2, 60), generator=generator)
    onehot = nn.functional.one_hot(y, 3).double()
    found = invariant_risk_penalty(predicted, target, onehot)
    for i in range(2):
        slopes = []
        for e in range(3):
            w = torch.ones((), dtype=torch.float64, requires_grad=True)
            own = y[i] == e
            risk = ((w * predicted[i, own] - target[i, own]) ** 2).mean()
            slopes.append(torch.autograd.grad(risk, w)[0])
        assert float(found[i]) == pytest.approx(float(torch.stack(slopes).square().mean()))
    assert (invariant_risk_penalty(target, target, onehot) == 0).all()


def test_divergence_from_normal_is_that_of_the_distributions():
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 2, 30, 3, generator=generator)
    law = torch.distributions.Normal(mean, (log_variance / 2).exp())
    normal = torch.distributions.Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(law, normal).sum(-1).mean(-1)
    torch.testing.assert_close(divergence_from_normal(mean, log_variance), expected)


def slow_divergence(mean, deviation, centre, rate):
    """The integral of q log q / p, in parts that meet where p is bent and where q is largest."""
    q = stats.norm(mean, deviation)
    p = stats.laplace(centre, 1 / rate)
    ends = sorted({mean - 12 * deviation, mean + 12 * deviation, mean,
                   min(max(centre, mean - 12 * deviation), mean + 12 * deviation)})  # fmt: skip
    return sum(
        integrate.quad(lambda e: q.pdf(e) * (q.logpdf(e) - p.logpdf(e)), a, b, epsabs=1e-12)[0]
        for a, b in itertools.pairwise(ends)
    )


def test_divergence_from_laplace_is_the_integral_of_the_densities():
    noise = torch.Generator().manual_seed(0)
    mean, log_variance, centre = torch.randn(
        3, 2, 4, 2, generator=noise, dtype=torch.float64
    ) * torch.tensor([1.0, 2.0, 1.0])[:, None, None, None]  # fmt: skip
    rate = torch.tensor([0.3, 6.0], dtype=torch.float64)
    found = divergence_from_laplace(mean, log_variance, centre, rate)
    assert found.shape == (2,)
    for i in range(2):
        each = [
            sum(
                slow_divergence(m, math.exp(v / 2), c, float(rate[i]))
                for m, v, c in zip(*row, strict=True)
            )
            for row in zip(mean[i].tolist(), log_variance[i].tolist(), centre[i].tolist(),
                           strict=True)
        ]  # fmt: skip
        assert float(found[i]) == pytest.approx(np.mean(each), rel=1e-8)


def one_divergence(mean, log_variance, centre, rate):
    values = (torch.tensor([[[v]]], dtype=torch.float64) for v in (mean, log_variance, centre))
    return float(divergence_from_laplace(*values, torch.tensor([rate], dtype=torch.float64)))


@pytest.mark.parametrize("rate", [0.1, 2.0, 30.0])
def test_divergence_from_laplace_in_the_limits(rate):
    narrow = 2 * math.log(1e-6)  # a log variance of which a point is left
    entropy = (narrow + 1 + math.log(2 * math.pi)) / 2
    for away in (-1.5, 0.7):
        expected = rate * abs(away) - math.log(rate / 2) - entropy
        assert one_divergence(2 + away, narrow, 2.0, rate) == pytest.approx(expected, rel=1e-9)
    here = rate * math.sqrt(2 / math.pi) - math.log(rate / 2) - (1 + math.log(2 * math.pi)) / 2
    assert one_divergence(5.0, 0.0, 5.0, rate) == pytest.approx(here, rel=1e-9)
    # never below 0, and least of all deviations at that of the folded normal's own equation
    deviations = [one_divergence(0.0, 2 * math.log(s), 0.0, rate)
                  for s in np.geomspace(0.1, 10, 41) * math.sqrt(math.pi / 2) / rate]  # fmt: skip
    assert min(deviations) == deviations[20] > 0


def test_divergence_from_laplace_is_the_mean_of_what_draws_give():
    rng = np.random.default_rng(0)
    draws = rng.normal(0.4, 0.5, 400_000)
    log_ratio = stats.norm.logpdf(draws, 0.4, 0.5) - stats.laplace.logpdf(draws, -0.1, 1 / 3)
    error = log_ratio.std() / math.sqrt(len(draws))
    found = one_divergence(0.4, 2 * math.log(0.5), -0.1, 3.0)
    assert found == pytest.approx(log_ratio.mean(), abs=5 * error)


def test_divergence_from_laplace_has_slopes_where_mean_and_centre_meet():
    zeros = [torch.zeros(1, 3, 2, requires_grad=True) for _ in range(3)]
    divergence_from_laplace(*zeros, torch.ones(1)).sum().backward()
    mean, log_variance, centre = (each.grad for each in zeros)
    assert (mean == 0).all() and (centre == 0).all() and log_variance.isfinite().all()


def test_squared_error_is_a_mean_over_samples_and_dimensions_of_each_member():
    predicted = torch.tensor([[[1.0, 2.0]], [[0.0, 0.0]]])
    assert squared_error(predicted, torch.zeros(2, 1, 2)).tolist() == [2.5, 0.0]


def test_reversal_sets_in_from_nothing_to_all():
    values = [reversal_strength(t / 20) for t in range(21)]
    assert values[0] == 0 and values[-1] == pytest.approx(1, abs=1e-3)
    assert values == sorted(values)
    assert reversal_strength(0.1) == pytest.approx(math.tanh(0.5))
