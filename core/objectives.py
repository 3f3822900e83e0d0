"""What is minimised: one loss per member, (m,)."""

from collections.abc import Callable, Iterator
from math import exp, log, pi, sqrt
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class _LogSumExpDot(torch.autograd.Function):
    """The exponentials are taken once, in place, and serve both passes.

    (Autograd's own composition takes them twice and keeps four n x k arrays: half the speed.)
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        dots = torch.bmm(a, b.mT)
        top = dots.amax(-1, keepdim=True)
        weights = dots.sub_(top).exp_()
        total = weights.sum(-1, keepdim=True)
        ctx.save_for_backward(a, b, weights, total)
        return (top + total.log()).squeeze(-1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        a, b, weights, total = ctx.saved_tensors
        share = grads[0].unsqueeze(-1) / total
        return share * torch.bmm(weights, b), torch.bmm(weights.mT, share * a)


def log_sum_exp_dot(a: Tensor, b: Tensor) -> Tensor:
    """log sum_j exp <a_i, b_j>: a (m, n, d), b (m, k, d) -> (m, n)."""
    return _LogSumExpDot.apply(a, b)


def info_nce_views(z_hat: Tensor, z_hat_pos: Tensor, tau: Tensor) -> Tensor:
    """InfoNCE with the other pairs' views as negatives (the textbook form), one direction.

    z_hat, z_hat_pos (m, n, d), tau (m,). Logits <f(x_i), f(x+_j)> / tau, the diagonal positive:
    n terms, so the value is log n where the encoder knows nothing.
    """
    scaled = z_hat / tau[:, None, None]
    positive = (scaled * z_hat_pos).sum(-1)
    return (log_sum_exp_dot(scaled, z_hat_pos) - positive).mean(-1)


def info_nce_anchors(z_hat: Tensor, z_hat_pos: Tensor, tau: Tensor) -> Tensor:
    """InfoNCE as in the paper's code: all anchors are negatives, the anchor itself included.

    Shapes as above; n + 1 terms (n anchors and the positive), log(n + 1) at zero logits. The other
    pairs' views are never negatives (Zimmermann et al. 2021, reference implementation).
    """
    scaled = z_hat / tau[:, None, None]
    positive = (scaled * z_hat_pos).sum(-1)
    total = torch.logaddexp(log_sum_exp_dot(scaled, z_hat), positive)
    return (total - positive).mean(-1)


INFO_NCE: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "views": info_nce_views,
    "anchors": info_nce_anchors,
}


BLOCK = 1 << 17  # pairs whose differences stay in the cache


class _LogSumExpLp(torch.autograd.Function):
    """One coordinate of a block of rows at a time: no array holds all differences of n x k pairs.

    (Kept for the way back are the n x k exponentials, taken once.)
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, p: int) -> Tensor:
        a, b = a.mT.contiguous(), b.mT.contiguous()  # (m, d, .)
        m, d, n = a.shape
        weights = a.new_zeros(m, n, b.shape[2])
        total = a.new_empty(m, n, 1)
        found = a.new_empty(m, n)
        for rows in _blocks(a, b):
            logits = weights[:, rows]
            space = torch.empty_like(logits)
            for axis in range(d):
                size = _differences(a, b, axis, rows, space).abs_()
                logits.sub_(size if p == 1 else size.pow_(p))
            top = logits.amax(-1, keepdim=True)
            total[:, rows] = logits.sub_(top).exp_().sum(-1, keepdim=True)
            found[:, rows] = (top + total[:, rows].log()).squeeze(-1)
        ctx.save_for_backward(a, b, weights, total)
        ctx.p = p
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        a, b, weights, total = ctx.saved_tensors
        assert ctx.p in (1, 3)
        factor = -ctx.p * grads[0].unsqueeze(-1) / total
        to_a, to_b = torch.empty_like(a), torch.zeros_like(b)
        for rows in _blocks(a, b):
            share = weights[:, rows] * factor[:, rows]
            space = torch.empty_like(share)
            for axis in range(a.shape[1]):
                slope = _differences(a, b, axis, rows, space)
                slope = slope.sign_() if ctx.p == 1 else slope.mul_(slope.abs())
                slope.mul_(share)
                to_a[:, axis, rows] = slope.sum(2)
                if a.is_cuda:
                    to_b[:, axis] -= slope.sum(1)
                    continue
                for own, each in zip(to_b[:, axis], slope, strict=True):
                    own -= each.sum(0)  # (of all at once, it would round as their number has it)
        # in the order of a and b, or sums over it would round as the number of members has it
        return to_a.mT.contiguous(), to_b.mT.contiguous(), None


def _blocks(a: Tensor, b: Tensor) -> Iterator[slice]:
    """The rows of a (m, d, n), each paired with k of b (m, d, k), in blocks.

    The same for a member in any company; all at once on a GPU, which has no such cache.
    """
    n, k = a.shape[2], b.shape[2]
    rows = n if a.is_cuda else max(1, BLOCK // k)
    return (slice(start, start + rows) for start in range(0, n, rows))


def _differences(a: Tensor, b: Tensor, axis: int, rows: slice, space: Tensor) -> Tensor:
    """a_i - b_j of one coordinate, (m, rows, k), from (m, d, n) and (m, d, k), into `space`."""
    return torch.sub(a[:, axis, rows, None], b[:, axis, None, :], out=space)


def log_sum_exp_lp(a: Tensor, b: Tensor, p: int) -> Tensor:
    """log sum_j exp -|a_i - b_j|_p^p: a (m, n, d), b (m, k, d), p in 1, 2, 3 -> (m, n).

    Memory: one array of m n k numbers, whatever d, and a few of a block's. p = 2 is a scalar
    product of d + 1 coordinates, -|a|^2 + (2 <a, b> - |b|^2), about the mean of b so that squares
    stay small.
    """
    if p != 2:
        return _LogSumExpLp.apply(a, b, p)
    centre = b.detach().mean(1, keepdim=True)
    a, b = a - centre, b - centre
    ones = torch.ones_like(a[..., :1])
    squares = (b**2).sum(-1, keepdim=True)
    total = log_sum_exp_dot(torch.cat([2 * a, ones], -1), torch.cat([b, -squares], -1))
    return total - (a**2).sum(-1)


def lp_info_nce_views(z_hat: Tensor, z_hat_pos: Tensor, tau: Tensor, p: int) -> Tensor:
    """InfoNCE (m,) of the similarity -|u - v|_p^p / tau, the other pairs' views as negatives.

    Shapes and terms as in `info_nce_views`.
    """
    a, b = (_scaled(z, tau, p) for z in (z_hat, z_hat_pos))
    return (log_sum_exp_lp(a, b, p) + _distance(a, b, p)).mean(-1)


def lp_info_nce_anchors(z_hat: Tensor, z_hat_pos: Tensor, tau: Tensor, p: int) -> Tensor:
    """The same with all anchors as negatives, the anchor itself (distance 0) included.

    Terms as in `info_nce_anchors` (Zimmermann et al. 2021, reference implementation).
    """
    a, b = (_scaled(z, tau, p) for z in (z_hat, z_hat_pos))
    far = _distance(a, b, p)
    return (torch.logaddexp(log_sum_exp_lp(a, a, p), -far) + far).mean(-1)


def _scaled(z: Tensor, tau: Tensor, p: int) -> Tensor:
    """z (m, n, d) in units in which the temperature is 1."""
    return z / (tau ** (1 / p))[:, None, None]


def _distance(a: Tensor, b: Tensor, p: int) -> Tensor:
    """|a_i - b_i|_p^p, (m, n)."""
    return (a - b).abs().pow(p).sum(-1)


LP_INFO_NCE: dict[str, Callable[[Tensor, Tensor, Tensor, int], Tensor]] = {
    "views": lp_info_nce_views,
    "anchors": lp_info_nce_anchors,
}


def cross_entropy(z_hat: Tensor, w: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy (m,) of the softmax over <w_j, z_hat_i>, in nats.

    z_hat (m, n, d) already times beta, w (m, I, d) the head's rows, labels (m, n). Class labels
    make it supervised classification, instance labels DIET (Reizinger et al. 2025, equation 1).
    """
    own = w.gather(1, labels[..., None].expand(-1, -1, w.shape[-1]))
    return (log_sum_exp_dot(z_hat, w) - (z_hat * own).sum(-1)).mean(-1)


def ranking_cross_entropy(z_hat: Tensor, w: Tensor, labels: Tensor, candidates: Tensor) -> Tensor:
    """The same over each label and k others (m, k) that are drawn uniformly, in nats.

    Ranking noise-contrastive estimation: the label is to be told from candidates that may hold it
    again, so that for any k the true posterior minimises it as it does `cross_entropy` (the ranking
    objective of Ma and Collins 2018). Moved by log(I / (k + 1)): log I where nothing is known, and
    in the mean never below what cross-entropy can reach, as InfoNCE is never above the information.
    """
    own, others = (
        w.gather(1, each[..., None].expand(-1, -1, w.shape[-1])) for each in (labels, candidates)
    )
    positive = (z_hat * own).sum(-1)
    total = torch.logaddexp(log_sum_exp_dot(z_hat, others), positive)
    return (total - positive).mean(-1) + log(w.shape[1] / (candidates.shape[1] + 1))


def squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared error (m,) over samples and dimensions of two (m, n, d)."""
    return ((predicted - target) ** 2).mean((1, 2))


def label_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy (m,), in nats, of logits (m, n, k) and labels (m, n)."""
    own = logits.gather(2, labels[..., None])[..., 0]
    return (logits.logsumexp(-1) - own).mean(-1)


def pair_logistic_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Logistic regression (m,) of real pairs (x, u) against x with every u, in nats.

    logits (m, n, E) are r(x, u), labels (m, n) the u that each x came with; u is uniform, so that
    the mean over all E is what shuffled pairs give on average. 2 log 2 where all logits are 0
    (generalised contrastive learning: Hyvarinen, Sasaki and Turner 2019).
    """
    # in double precision: the last few numbers of a float32 tensor are rounded another way, so that
    # a member would depend on its companions
    logits = logits.double()
    own = logits.gather(2, labels[..., None])[..., 0]
    return (F.softplus(-own).mean(1) + F.softplus(logits).mean((1, 2))).float()


def invariant_risk_penalty(predicted: Tensor, target: Tensor, environment: Tensor) -> Tensor:
    """IRMv1 (m,): the mean over environments of (d/dw risk(w predicted) at w = 1)^2.

    For the squared error of predicted and target (m, n, d); `environment` (m, n, k) is one-hot.
    (Arjovsky et al. 2019, equation IRMv1; here the derivative is 2 mean(p (p - t)).)
    """
    slope = 2 * (predicted * (predicted - target)).mean(-1, keepdim=True)  # (m, n, 1)
    each = (slope * environment).sum(1) / environment.sum(1).clamp_min(1)
    return (each**2).mean(-1)


def divergence_from_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Mean KL divergence (m,), in nats, of N(mean, variance) (m, n, d) from N(0, 1)."""
    each = (mean**2 + log_variance.exp() - 1 - log_variance) / 2
    return each.sum(-1).mean(-1)


def divergence_from_laplace(
    mean: Tensor, log_variance: Tensor, centre: Tensor, rate: Tensor
) -> Tensor:
    """Mean KL divergence (m,), in nats, of N(mean, variance) from Laplace around centre (m, n, d).

    Each coordinate's density is rate / 2 exp(-rate |z - centre|), rate (m,); E|z - centre| is that
    of a folded normal (the prior of SlowVAE, Klindt et al. 2021).
    """
    deviation = (log_variance / 2).exp()
    away = (mean - centre) / deviation
    size = deviation * (sqrt(2 / pi) * (-(away**2) / 2).exp() + away * torch.erf(away / sqrt(2)))
    entropy = (log_variance + 1 + log(2 * pi)) / 2
    rates = rate[:, None, None]
    each = rates * size - (rates / 2).log() - entropy
    return each.sum(-1).mean(-1)


def slow_vae(
    drawn: Tensor,
    x: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    code: Tensor,
    gamma: Tensor,
    rate: Tensor,
) -> Tensor:
    """SlowVAE's loss (m,), nats a pair, of first pictures x (m, n, .) and then second ones.

    Both pictures as Bernoulli's, whose logits `drawn` come from the codes (m, n, d), the first
    code's divergence from a normal, and gamma times the second's from a Laplace around the first
    (Klindt et al. 2021).
    """
    missed = F.binary_cross_entropy_with_logits(drawn, x, reduction="none").sum(-1).mean(1)
    mean, mean_next = mean.chunk(2, 1)
    spread, spread_next = log_variance.chunk(2, 1)
    moved = divergence_from_laplace(mean_next, spread_next, code.chunk(2, 1)[0], rate)
    return 2 * missed + divergence_from_normal(mean, spread) + gamma * moved


def reversal_strength(done: Any) -> Any:
    """Share of lambda in force after a share `done` of training: 0 to 1 (Ganin et al. 2016).

    Of a number a number, of a tensor a tensor.
    """
    decay = torch.exp(-10 * done) if isinstance(done, Tensor) else exp(-10 * done)
    return 2 / (1 + decay) - 1


def alignment(one: Tensor, other: Tensor) -> Tensor:
    """Squared distance (m,) of two views' codes (m, n, d) to their mean, summed over coordinates.

    Averaged over pairs and the two views: a quarter of the mean of |u - v|^2.
    """
    return (one - other).square().sum(-1).mean(-1) / 4


def whitening_penalty(z_hat: Tensor) -> Tensor:
    """Squared Frobenius distance (m,) of the covariance of codes (m, n, d) from the identity."""
    n, d = z_hat.shape[1:]
    centred = z_hat - z_hat.mean(1, keepdim=True)
    off = centred.mT @ centred / n - torch.eye(d, device=z_hat.device)
    return off.square().sum((1, 2))


class _CharacteristicMeans(torch.autograd.Function):
    """Means over n of cos(k u) and sin(k u), k = 1 to K, of u (m, p, n): two (m, p, K).

    Multiples of an angle come from one cosine and one sine by the addition theorem, twice as many
    at a time, and serve both passes. (A cosine of every knot takes several times as long.)
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, knots: int) -> tuple[Tensor, Tensor]:
        m, p, n = u.shape
        c, s = u.new_empty(m, p, knots, n), u.new_empty(m, p, knots, n)
        # in double precision, or the last few numbers would be rounded another way
        c[:, :, 0], s[:, :, 0] = u.double().cos(), u.double().sin()
        known = 1
        while known < knots:
            few = slice(0, min(known, knots - known))
            more = slice(known, known + few.stop)
            c_last, s_last = (each[:, :, known - 1, None] for each in (c, s))
            torch.sub(c[:, :, few] * c_last, s[:, :, few] * s_last, out=c[:, :, more])
            torch.add(s[:, :, few] * c_last, c[:, :, few] * s_last, out=s[:, :, more])
            known += few.stop
        c, s = (each.view(m * p, knots, n) for each in (c, s))
        ctx.save_for_backward(c, s)
        share = u.new_full((m * p, n, 1), 1 / n)
        return torch.bmm(c, share).view(m, p, knots), torch.bmm(s, share).view(m, p, knots)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        c, s = ctx.saved_tensors
        (m, p, knots), n = grads[0].shape, c.shape[2]
        times = torch.arange(1, knots + 1, device=c.device) / n
        to_c, to_s = ((grad * times).view(m * p, 1, knots) for grad in grads)
        return (torch.bmm(to_s, c) - torch.bmm(to_c, s)).view(m, p, n), None


def sigreg(z_hat: Tensor, axes: Tensor, knots: int) -> Tensor:
    """How far projections of codes (m, n, d) on axes (m, d, p) are from standard normal (m,).

    The Epps-Pulley statistic, n times the integral over t in [-3, 3] of |E exp(i t a.z) -
    exp(-t^2 / 2)|^2 exp(-t^2 / 2), by the trapezoid rule with so many knots in [0, 3], averaged
    over axes (SIGReg, Balestriero and LeCun 2025). Where codes are standard normal its mean is
    that of 1 - exp(-t^2) so weighted, whatever n.
    """
    step = 3 / (knots - 1)
    t = torch.arange(1, knots, device=z_hat.device) * step  # at 0 there is no difference
    normal = (-t.square().double() / 2).exp().to(z_hat.dtype)
    weight = 2 * step * normal
    projected = (axes * step).mT @ z_hat.mT
    real, imaginary = _CharacteristicMeans.apply(projected, knots - 1)
    off = ((real - normal).square() + imaginary.square()) * weight
    return z_hat.shape[1] * (off.sum(-1) - off[..., -1] / 2).mean(-1)
