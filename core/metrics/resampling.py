"""What a score is by chance, and how far it depends on which samples were drawn."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from scipy.special import ndtr, ndtri

from core.metrics.matching import best_matching, ranks
from core.metrics.regression import affine_map, centre_and_scale, halves

Array = np.ndarray
Score = Callable[[Array, Array], float]
SHUFFLES = 5
DRAWS = 200
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


def linear_r2_draws(z: Array, z_hat: Array, draws: int = DRAWS, seed: int = 0) -> Array:
    """Linear R2 (draws,) of resampled points of the half that scores, by the map of the other."""
    fit, test = halves(len(z))
    map_, offset = affine_map(z_hat[fit], z[fit])
    target = z[test].astype(float)
    residual = (target - z_hat[test] @ map_ - offset) ** 2
    target = target - target.mean(0)
    found = []
    for count in _counts(len(target), draws, seed):
        left, mean, square = (count @ each / len(target) for each in (residual, target, target**2))
        found.append((1 - left / (square - mean**2)).mean(1))
    return np.concatenate(found)


def mcc_draws(
    z: Array, z_hat: Array, draws: int = DRAWS, seed: int = 0, by_rank: bool = False
) -> Array:
    """MCC (draws,) of resampled points, each matched anew; of ranks of all points if `by_rank`."""
    if by_rank:
        z, z_hat = ranks(z), ranks(z_hat)
    a, b = (
        (x - centre) / scale
        for x in (z.astype(float), z_hat.astype(float))
        for centre, scale in [centre_and_scale(x)]
    )
    return np.concatenate([_mcc_of(a, b, count / len(a)) for count in _counts(len(a), draws, seed)])


def _mcc_of(a: Array, b: Array, weight: Array) -> Array:
    """MCC (draws,) of standardised columns under weights of their points (draws, n)."""
    n, d, m = len(a), a.shape[1], b.shape[1]
    means = [weight @ each for each in (a, b)]
    scales = [
        np.sqrt(np.clip(weight @ each**2 - mean**2, 0, None))
        for each, mean in zip((a, b), means, strict=True)
    ]
    products = np.empty((len(weight), d, m))
    columns = max(1, AT_ONCE // (n * m))
    for start in range(0, d, columns):
        some = slice(start, start + columns)
        pairs = (a[:, some, None] * b[:, None, :]).reshape(n, -1)
        products[:, some] = (weight @ pairs).reshape(len(weight), -1, m)
    covariance = products - means[0][:, :, None] * means[1][:, None, :]
    scale = scales[0][:, :, None] * scales[1][:, None, :]
    size = np.abs(np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 1e-12))
    return np.array([each[best_matching(each)].sum() / d for each in size])


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
