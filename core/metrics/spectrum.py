"""Which degrees a code is made of, and how far it can be from a rotation of the latents.

Latents z (n, d), codes z_hat (n, d_hat). Polynomials are orthonormal under the law of the latents'
own sample: for Gaussian latents products of Hermite polynomials.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from scipy.special import eval_hermitenorm

Array = np.ndarray
SPARE = 16  # samples that a polynomial has to itself at least


def degree_shares(z: Array, z_hat: Array, degrees: Sequence[int]) -> list[float | None]:
    """Share of the variance of z_hat that polynomials of z of each total degree explain.

    Of degree k what is explained beyond all of lower degree, by least squares; `degrees` rise from
    1. Of a code that ignores z each polynomial explains 1/n by luck. None where there are fewer
    than `SPARE` samples a polynomial, as in many dimensions. What is left to 1 is of higher degree.
    """
    n, d = z.shape
    centred = z_hat.astype(float) - z_hat.mean(0)
    energy = float((centred**2).sum())
    powers = [_powers(d, k) for k in range(degrees[-1] + 1) if _fits(n, d, k)]
    columns = [np.ones((n, 1)), *_hermite(z, powers[1:])]
    basis = np.linalg.qr(np.concatenate(columns, 1))[0]
    found: list[float | None] = []
    start = 1
    for k in degrees:
        if k >= len(powers) or energy == 0:
            found.append(None)
            continue
        stop = start + len(powers[k])
        found.append(float(((basis[:, start:stop].T @ centred) ** 2).sum() / energy))
        start = stop
    return found


def _fits(n: int, d: int, degree: int) -> bool:
    """Whether there are samples enough for every polynomial up to a degree."""
    count = 1
    for k in range(1, degree + 1):
        count = count * (d + k) // k
    return (count - 1) * SPARE <= n


@cache
def _powers(d: int, degree: int) -> tuple[tuple[int, ...], ...]:
    """The exponents of every monomial of a total degree in d variables."""
    return tuple(
        tuple(chosen.count(i) for i in range(d))
        for chosen in combinations_with_replacement(range(d), degree)
    )


def _hermite(z: Array, powers: Sequence[Sequence[tuple[int, ...]]]) -> Iterator[Array]:
    """Products of Hermite polynomials with these exponents, a block (n, .) a degree.

    They span what monomials span, and are nearly orthogonal already. Latents are taken in units of
    their deviation.
    """
    x = (z.astype(float) - z.mean(0)) / z.std(0)
    known = [np.ones_like(x), x]
    for k in range(1, len(powers)):
        known.append((x * known[k] - np.sqrt(k) * known[k - 1]) / np.sqrt(k + 1))
    for block in powers:
        columns = []
        for exponents in block:
            column = np.ones(len(x))
            for i, k in enumerate(exponents):
                if k:
                    column = column * known[k][:, i]
            columns.append(column)
        yield np.stack(columns, 1)


class Certified(NamedTuple):
    """What a code's moments say of how near it is to a rotation of Gaussian latents."""

    excess: float  # delta: alignment cost beyond the least of a code of this covariance
    whiteness: float  # epsilon: Frobenius distance of the covariance from the identity
    bound: float  # on the error
    error: float  # mean squared distance from the nearest rotation of the latents


def certified(z: Array, z_hat: Array, z_hat_pos: Array, rho: float) -> Certified:
    """Bound and measure how far codes are from U z, U orthogonal (Klindt et al. 2026).

    Views of Gaussian latents z (n, d) with correlation rho have codes z_hat, z_hat_pos (n, d). What
    a code has of degree k costs 2 (1 - rho^k), so with delta = E|h - h'|^2 - 2 (1 - rho) tr Cov h
    at most D = delta / (2 rho (1 - rho)) of its variance is not linear, and E|h - Uz|^2 is at most
    D + (epsilon + D)^2. Codes are centred. Of samples both sides have their sampling error.
    """
    code = z_hat.astype(float) - z_hat.mean(0)
    covariance = code.T @ code / len(code)
    cost = float(((z_hat.astype(float) - z_hat_pos) ** 2).sum(1).mean())
    excess = max(cost - 2 * (1 - rho) * float(np.trace(covariance)), 0.0)
    whiteness = float(np.linalg.norm(covariance - np.eye(len(covariance))))
    bent = excess / (2 * rho * (1 - rho))
    u, _, vt = np.linalg.svd(z.T.astype(float) @ code, full_matrices=False)
    error = float(((code - z @ (u @ vt)) ** 2).sum(1).mean())
    return Certified(excess, whiteness, bent + (whiteness + bent) ** 2, error)


def gain(z: Array, z_hat: Array) -> float:
    """Mean singular value of the best affine map z -> z_hat: below 1 where codes are shrunk."""
    centred = z.astype(float) - z.mean(0)
    map_ = np.linalg.lstsq(centred, z_hat.astype(float) - z_hat.mean(0), rcond=None)[0]
    return float(np.linalg.svd(map_, compute_uv=False).mean())


def degree_correlations(z: Array, other: Array, most: int) -> list[float]:
    """Correlation of two views' (n, d) Hermite polynomials of each coordinate, by degree from 1.

    For Gaussian views of correlation rho that is rho^k of degree k.
    """
    found = []
    for k in range(1, most + 1):
        one, two = (eval_hermitenorm(k, view.astype(float)).ravel() for view in (z, other))
        found.append(float(np.corrcoef(one, two)[0, 1]))
    return found
