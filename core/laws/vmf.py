"""The von Mises-Fisher law in closed form, on S^(d-1). NumPy and SciPy only."""

from math import lgamma, log, pi

import numpy as np
from scipy.special import betainc, i0e, ive

Array = np.ndarray
SMALL = 1e-4  # below which a series replaces the Bessel function
NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)


def log_psi(d: int, s: Array | float) -> Array:
    """log of the mean of exp(s u'x) over x uniform on S^(d-1): 0F1(; d/2; s^2/4), any d >= 1."""
    s = np.asarray(s, float)
    order = d / 2 - 1
    safe = np.maximum(s, SMALL)
    bessel = i0e(safe) if order == 0 else ive(order, safe)  # the same, in a tenth of the time
    with np.errstate(divide="ignore"):
        exact = lgamma(d / 2) - order * np.log(safe / 2) + np.log(bessel) + safe
    # in many dimensions the scaled function underflows: there too, the series' first term
    return np.where((s < SMALL) | (bessel == 0), s**2 / (2 * d), exact)


def log_sphere_area(d: int) -> float:
    """log of the surface area of S^(d-1)."""
    return log(2) + d / 2 * log(pi) - lgamma(d / 2)


def log_normaliser(kappa: Array | float, d: int) -> Array:
    """log C_d(kappa), so that C exp(kappa <v, z>) integrates to 1 over S^(d-1); finite at 0."""
    return -log_psi(d, kappa) - log_sphere_area(d)


def mean_cosine(kappa: Array | float, d: int) -> Array:
    """A_d(kappa) = I_{d/2} / I_{d/2-1}: the mean of <v, z> under vMF(v, kappa); 0 at kappa = 0.

    Mardia and Jupp 2000, section 10.3.
    """
    safe = np.maximum(np.asarray(kappa, float), SMALL)
    ratio = ive(d / 2, safe) / ive(d / 2 - 1, safe)
    return np.where(np.asarray(kappa) < SMALL, np.asarray(kappa, float) / d, ratio)


def total_variation(kappa: float, d: int) -> float:
    """Total variation distance of vMF(kappa) from the uniform law of S^(d-1), from 0 to 1.

    The most by which the two differ in the probability of any region: that of the cap where the
    density is above the uniform one, <v, z> > log psi(kappa) / kappa. One quadrature, d >= 2.
    """
    if kappa < SMALL:
        return 0.0
    log_ratio = float(log_psi(d, kappa))  # of the densities, less kappa <v, z>
    edge = np.arccos(np.clip(log_ratio / kappa, -1, 1))
    theta = edge * (NODES + 1) / 2
    area = log_sphere_area(d - 1) - log_sphere_area(d)  # of the parallels, of the whole
    density = np.exp(kappa * np.cos(theta) - log_ratio + area) * np.sin(theta) ** (d - 2)
    cap = betainc((d - 1) / 2, (d - 1) / 2, np.sin(edge / 2) ** 2)  # its share of the sphere
    return float(edge / 2 * WEIGHTS @ density - cap)
