"""Which code is which latent: correlations, the best matching, and scores of it."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

Array = np.ndarray


def mcc(z: Array, z_hat: Array) -> float:
    """Mean absolute Pearson correlation under the best matching of latents to recovered ones.

    Over the d latents: one without a partner (d_hat < d) counts 0, as does a constant column.
    """
    correlation, (latents, codes) = matching(z, z_hat)
    return float(np.abs(correlation[latents, codes]).sum() / z.shape[1])


def matching(z: Array, z_hat: Array) -> tuple[Array, tuple[Array, Array]]:
    """Pearson correlations (d, d_hat), 0 of a constant column, and the best matching's pairs.

    The pairs are indices of latents and of codes, as many as the fewer of the two; together they
    have the largest sum of absolute correlations (Hungarian algorithm).
    """
    d = z.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.nan_to_num(np.corrcoef(z, z_hat, rowvar=False)[:d, d:])
    correlation[np.ptp(z, axis=0) == 0] = 0  # rounding gives a constant column correlations
    correlation[:, np.ptp(z_hat, axis=0) == 0] = 0
    return correlation, best_matching(np.abs(correlation))


def best_matching(size: Array) -> tuple[Array, Array]:
    """Rows and columns (k,) each of the pairs, no two alike, with the largest sum of sizes (d, m).

    (Hungarian algorithm; k is the fewer of d and m.)
    """
    return linear_sum_assignment(size, maximize=True)


def mcc_spearman(z: Array, z_hat: Array) -> float:
    """The same of ranks: a monotone distortion of a latent does not lower it."""
    return mcc(ranks(z), ranks(z_hat))


def ranks(x: Array) -> Array:
    """The rank of each value in its column (n, d), equal values sharing their mean rank."""
    return rankdata(x, axis=0)


def mutual_information_gap(z: Array, z_hat: Array, bins: int = 20) -> float:
    """MIG: how much more the best code tells of a latent than the next best, over its entropy.

    Chen et al. 2018 (arXiv 1802.04942, eq. 6), averaged over the latents (n, d); informations of
    values in `bins` bins of equal width, as is usual. 0 with fewer than two codes: no code is next.
    """
    if z_hat.shape[1] < 2:
        return 0.0
    of_z, of_code = (_binned(x, bins) for x in (z, z_hat))
    gaps = []
    for latent in of_z.T:
        joint = _joint(latent, of_code, bins)
        entropy = _entropy(joint[0].sum(1))
        told = np.sort(entropy + _entropy(joint.sum(1)) - _entropy(joint.reshape(len(joint), -1)))
        gaps.append((told[-1] - told[-2]) / entropy if entropy > 0 else 0.0)
    return float(np.mean(gaps))


def told_by_point(z: Array, z_hat: Array, bins: int = 20) -> tuple[Array, Array]:
    """What MIG is a mean of: for every point and latent how much more the best code's bin tells
    of the latent's than the next best's, and the latent's surprise, in nats, (n, d) each.

    The sum of the one over that of the other is a latent's gap.
    """
    if z_hat.shape[1] < 2:
        return np.zeros(z.shape), np.ones(z.shape)
    of_z, of_code = (_binned(x, bins) for x in (z, z_hat))
    gaps, surprises = [], []
    for latent in of_z.T:
        joint = _joint(latent, of_code, bins) / len(z)
        alone, codes = joint[0].sum(1), joint.sum(1)
        surprise = -np.log(alone[latent])
        told = _log(joint) - np.log(np.where(alone > 0, alone, 1))[:, None] - _log(codes)[:, None]
        best = np.argsort((joint * told).sum((1, 2)))[:-3:-1]
        first, second = (told[code, latent, of_code[:, code]] for code in best)
        gaps.append(first - second)
        surprises.append(surprise)
    return np.stack(gaps, 1), np.stack(surprises, 1)


def _log(share: Array) -> Array:
    return np.log(np.where(share > 0, share, 1))


def _binned(x: Array, bins: int) -> Array:
    """Index of the bin of each value, (n, d)."""
    low, high = x.min(0), x.max(0)
    share = (x - low) / np.where(high > low, high - low, 1)
    return np.minimum((share * bins).astype(int), bins - 1)


def _entropy(counts: Array) -> Array:
    """Entropies in nats (...) of the laws that counts (..., k) stand for."""
    share = counts / counts.sum(-1, keepdims=True)
    return -(share * np.log(np.where(share > 0, share, 1))).sum(-1)


def _joint(latent: Array, codes: Array, bins: int) -> Array:
    """How often each bin of a latent (n,) meets each of the codes (n, m): (m, bins, bins)."""
    m = codes.shape[1]
    cell = (np.arange(m) * bins + latent[:, None]) * bins + codes
    return np.bincount(cell.ravel(), minlength=m * bins**2).reshape(m, bins, bins)


def generalised_permutation(z: Array, z_hat: Array) -> tuple[Array, Array]:
    """The map (d_hat, d) and shift (d,) that bring each code to the latent that it matches.

    A permutation whose entries have the sign of the correlation and bring the code's deviation to
    its latent's: what is left of a code that identifies its latents is the identity.
    """
    correlation, (latents, codes) = matching(z, z_hat)
    map_ = np.zeros((z_hat.shape[1], z.shape[1]))
    spread = z_hat.std(0)[codes]
    scale = np.where(spread > 0, z.std(0)[latents] / np.where(spread > 0, spread, 1), 0)
    map_[codes, latents] = np.sign(correlation[latents, codes]) * scale
    return map_, z.mean(0) - z_hat.mean(0) @ map_
