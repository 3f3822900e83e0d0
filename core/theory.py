"""Closed forms: what the dashed lines of every figure are drawn from. NumPy and SciPy only."""

from collections.abc import Callable, Iterator
from math import lgamma, log, pi

import numpy as np
from scipy.special import gammaln, ive

Array = np.ndarray
STANDARD_ERROR = 0.01


def log_sphere_area(d: int) -> float:
    """log of the surface area of S^(d-1)."""
    return log(2) + d / 2 * log(pi) - lgamma(d / 2)


def log_vmf_normaliser(kappa: float | Array, d: int) -> Array:
    """log C_d(kappa), so that C exp(kappa <v, z>) integrates to 1 over S^(d-1); finite at 0."""
    kappa = np.asarray(kappa, float)
    order = d / 2 - 1
    safe = np.maximum(kappa, 1e-8)
    # log I_order(k): scaled Bessel, and its leading series term where that underflows
    scaled = ive(order, safe)
    small = order * np.log(safe / 2) - gammaln(order + 1)
    with np.errstate(divide="ignore"):
        log_bessel = np.where(scaled > 0, np.log(scaled) + safe, small)
    return order * np.log(safe) - d / 2 * log(2 * pi) - log_bessel


def vmf_mean_cosine(kappa: float, d: int) -> float:
    """A_d(kappa) = I_{d/2} / I_{d/2-1}: the mean of <v, z> under vMF(v, kappa); 0 at kappa = 0."""
    return float(ive(d / 2, kappa) / ive(d / 2 - 1, kappa)) if kappa > 0 else 0.0


def vmf_information(kappa: float, d: int) -> float:
    """Mutual information of a positive pair, in nats: uniform marginal, vMF(kappa) conditional."""
    normaliser = float(log_vmf_normaliser(kappa, d))
    return log_sphere_area(d) + normaliser + kappa * vmf_mean_cosine(kappa, d)


def vmf_log_ratio(kappa: float, marginal_kappa: float, pole: Array) -> Callable[..., Array]:
    """log p(z'|z) / p(z') up to a constant, z ~ vMF(pole, marginal_kappa) and z' ~ vMF(z, kappa).

    The product of two vMF factors integrates to a normaliser, so in every dimension
    p(z') = C(a) C(k) / C(|a pole + k z'|), a constant where the marginal is uniform (a = 0).
    The function takes z (n, d) and z' (n', d) and gives (n, n').
    """
    d = len(pole)

    def log_ratio(z: Array, other: Array) -> Array:
        marginal = -log_vmf_normaliser(
            np.linalg.norm(marginal_kappa * pole + kappa * other, axis=1), d
        )
        return kappa * z @ other.T - marginal

    return log_ratio


def info_nce_at(log_ratio: Callable[..., Array], z: Array, z_pos: Array, negatives: str) -> float:
    """InfoNCE of one batch z, z_pos (n, d), with the log density ratio as critic.

    The very expression that is trained: n terms with views as negatives, n + 1 with anchors.
    """
    against = log_ratio(z, z_pos)
    positive = against.diagonal()
    if negatives == "anchors":
        against = np.column_stack([log_ratio(z, z), positive])
    top = against.max(1)
    total = top + np.log(np.exp(against - top[:, None]).sum(1))
    return float((total - positive).mean())


def loss_floor(
    log_ratio: Callable[..., Array], batches: Iterator[tuple[Array, Array]], negatives: str
) -> tuple[float | None, int]:
    """Expected InfoNCE at the truth, by Monte Carlo to a standard error of at most 0.01 nats.

    `batches` yields (z, z_pos) of the batch size that is trained. With views this is the Bayes
    bound; with anchors only the value at the truth. Also gives the number of batches it took, so
    that a model can be judged on the same ones. None when they do not settle it (few, heavy tails).
    """
    values: list[float] = []
    for z, z_pos in batches:
        values.append(info_nce_at(log_ratio, z, z_pos, negatives))
        enough = len(values) >= 8
        if enough and np.std(values, ddof=1) / np.sqrt(len(values)) <= STANDARD_ERROR:
            return float(np.mean(values)), len(values)
    return None, len(values)


def rotation_scores(angle_deg: float) -> tuple[float, float]:
    """(R2, MCC) of two independent latents of equal variance, rotated: (1, max(|cos|, |sin|))."""
    angle = np.deg2rad(angle_deg)
    return 1.0, float(max(abs(np.cos(angle)), abs(np.sin(angle))))
