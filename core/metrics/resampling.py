"""What a score is by chance, and how far it depends on which samples were drawn."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from scipy.special import ndtr, ndtri

from core.metrics.matching import best_matching, matching, ranks, told_by_point
from core.metrics.regression import affine_map, centre_and_scale, halves, procrustes

Array = np.ndarray
Score = Callable[[Array, Array], float]
SHUFFLES = 5
DRAWS = 200
PARTS = 10  # of the points, each left out in turn
LEVEL = 0.95
AT_ONCE = 2_000_000  # numbers held at a time


def null(score: Score, z: Array, z_hat: Array, shuffles: int = SHUFFLES, seed: int = 0) -> Array:
    """The score (shuffles,) of the same codes with their rows in another order.

    Latents z (n, d) and codes z_hat (n, d_hat) keep their own laws, and say nothing of each other:
    what a score is by chance with as many samples and columns.
    """
    rng = np.random.default_rng(seed)
    return np.array([score(z, z_hat[rng.permutation(len(z))]) for _ in range(shuffles)])


def expected_largest(n: int, codes: int) -> float:
    """Mean of the largest of m absolute correlations of a latent with codes that ignore it.

    Each is about normal of variance 1/n: a single one has mean size sqrt(2 / (pi n)), the largest
    of many about sqrt(2 ln m / n). By quadrature over the law of the largest.
    """
    size = np.linspace(0, 10, 4001)
    inside = 2 * ndtr(size) - 1
    return float(np.trapezoid(1 - inside**codes, size) / np.sqrt(n))


def mcc_of_rotations(d: int, count: int = 2000, seed: int = 0) -> Array:
    """MCC (count,) of independent latents with rotations of them at random (reflections as well).

    For latents (n, d) of one variance, n without end: the correlations of z with z Q are then the
    entries of Q, which is drawn from the uniform law of orthogonal matrices (Haar's).
    """
    drawn = np.random.default_rng(seed).normal(size=(count, d, d))
    size = np.abs(np.linalg.qr(drawn)[0])  # whose signs alone are not Haar's
    return np.array([each[best_matching(each)].mean() for each in size])


def linear_r2_draws(z: Array, z_hat: Array, draws: int = DRAWS, seed: int = 0) -> Array:
    """Linear R2 (draws,) of resampled points of the half that scores, by the map of the other."""
    fit, test = halves(len(z))
    map_, offset = affine_map(z_hat[fit], z[fit])
    return _r2_draws(z[test], z_hat[test] @ map_ + offset, draws, seed)


def linear_r2_in_sample_draws(z: Array, z_hat: Array, draws: int = DRAWS, seed: int = 0) -> Array:
    """The same of all points, by the map that they fitted."""
    map_, offset = affine_map(z_hat, z)
    return _r2_draws(z, z_hat @ map_ + offset, draws, seed)


def orthogonal_r2_draws(z: Array, z_hat: Array, draws: int = DRAWS, seed: int = 0) -> Array:
    """Orthogonal R2 (draws,) of resampled points of the half that scores, as linear R2's."""
    fit, test = halves(len(z))
    rotation, scale = procrustes(z[fit], z_hat[fit])
    return _r2_draws(z[test], scale * z_hat[test] @ rotation, draws, seed)


def _r2_draws(z: Array, predicted: Array, draws: int, seed: int) -> Array:
    """R2 (draws,) of resampled latents and what was foretold of them, (n, d) each."""
    residual = (z - predicted) ** 2
    target = z.astype(float) - z.mean(0)
    found = []
    for count in _counts(len(target), draws, seed):
        left, mean, square = (count @ each / len(target) for each in (residual, target, target**2))
        found.append((1 - left / (square - mean**2)).mean(1))
    return np.concatenate(found)


def mcc_draws(
    z: Array, z_hat: Array, draws: int = DRAWS, seed: int = 0, by_rank: bool = False
) -> Array:
    """MCC (draws,) of resampled points; of ranks of all points if `by_rank`.

    Pairs and signs are those of all points: matched anew, points that are drawn twice agree by luck
    more than fresh ones do, and the draws would lie above the score.
    """
    if by_rank:
        z, z_hat = ranks(z), ranks(z_hat)
    correlation, (latents, codes) = matching(z, z_hat)
    sign = np.sign(correlation[latents, codes])
    a, b = (
        (x - centre) / scale
        for x in (z[:, latents].astype(float), z_hat[:, codes].astype(float))
        for centre, scale in [centre_and_scale(x)]
    )
    found = []
    for count in _counts(len(a), draws, seed):
        weight = count / len(a)
        mean_a, mean_b = weight @ a, weight @ b
        scale = np.sqrt(np.clip(weight @ a**2 - mean_a**2, 0, None)
                        * np.clip(weight @ b**2 - mean_b**2, 0, None))  # fmt: skip
        together = weight @ (a * b) - mean_a * mean_b
        each = np.divide(together, scale, out=np.zeros_like(scale), where=scale > 1e-12)
        found.append((each * sign).sum(1) / z.shape[1])
    return np.concatenate(found)


def mig_draws(z: Array, z_hat: Array, draws: int = DRAWS, seed: int = 0) -> Array:
    """MIG (draws,) of resampled points: bins, codes and what each bin tells are those of all.

    An information is a mean over points of log p(a, b) / (p(a) p(b)), an entropy of -log p(a). Bins
    counted anew would tell more of points that are drawn twice.
    """
    gap, surprise = told_by_point(z, z_hat)
    found = []
    for count in _counts(len(z), draws, seed):
        above, below = count @ gap, count @ surprise
        found.append(np.divide(above, below, out=np.zeros_like(above), where=below > 0).mean(1))
    return np.concatenate(found)


def left_out(score: Score, z: Array, z_hat: Array, parts: int = PARTS) -> tuple[float, float]:
    """95 % of a score that is no mean over points: from what it is without each of some parts.

    The score and 1.96 of its standard error by the jackknife over parts of equal size (Efron and
    Stein 1981); every `parts`-th point is in one part.
    """
    turn = np.arange(len(z)) % parts
    found = np.array([score(z[turn != i], z_hat[turn != i]) for i in range(parts)])
    error = np.sqrt((parts - 1) * found.var())
    reach, value = float(ndtri((1 + LEVEL) / 2)) * error, score(z, z_hat)
    return float(value - reach), float(value + reach)


def interval(draws: Array, level: float = LEVEL) -> tuple[float, float]:
    """The middle of resampled scores that holds a share of them."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def share_interval(share: float, n: int) -> tuple[float, float]:
    """Between what a share of n points lies, at the level of 95 % (Wilson 1927, eq. 2)."""
    z = float(ndtri((1 + LEVEL) / 2))
    centre = share + z**2 / (2 * n)
    reach = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float((centre - reach) / (1 + z**2 / n)), float((centre + reach) / (1 + z**2 / n))


RESAMPLED: Mapping[str, Callable[..., Array]] = {  # by score: (z, z_hat, draws=, seed=) -> (draws,)
    "linear_r2": linear_r2_draws,
    "linear_r2_in_sample": linear_r2_in_sample_draws,
    "orthogonal_r2": orthogonal_r2_draws,
    "mig": mig_draws,
    "mcc": mcc_draws,
    "mcc_spearman": partial(mcc_draws, by_rank=True),
}


def _counts(n: int, draws: int, seed: int) -> Iterator[Array]:
    """How often each of n points is drawn, (some, n) at a time until there are as many draws."""
    rng, most = np.random.default_rng(seed), max(1, AT_ONCE // n)
    for start in range(0, draws, most):
        some = min(most, draws - start)
        chosen = rng.integers(n, size=(some, n)) + n * np.arange(some)[:, None]
        yield np.bincount(chosen.ravel(), minlength=some * n).reshape(some, n).astype(float)
