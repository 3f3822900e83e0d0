"""Which code is which latent: correlations, the best matching, and scores of it."""

import numpy as np
from scipy.optimize import linear_sum_assignment

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
    return correlation, linear_sum_assignment(np.abs(correlation), maximize=True)


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
