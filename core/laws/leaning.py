"""Directions that lean from V's complement towards V, and what they tell of the class: exact."""

import numpy as np

from core.laws import leakage

Array = np.ndarray
AZIMUTHS = 24
ANGLES = np.linspace(0, 90, 46)  # degrees to V's complement


def leaning(inside: Array, outside: Array) -> Array:
    """Unit directions (a, b, d) that lean from the complement's first towards V.

    Over b azimuths in the first two directions of V; `inside` (r, d) and `outside` (d - r, d) are
    orthonormal bases of V and of its complement.
    """
    turn = np.arange(AZIMUTHS) * 2 * np.pi / AZIMUTHS
    level = (
        np.outer(np.cos(turn), inside[0]) + np.outer(np.sin(turn), inside[1])
        if len(inside) > 1
        else np.outer(np.where(turn < np.pi, 1, -1), inside[0])
    )
    lean = np.deg2rad(ANGLES)[:, None, None]
    return np.cos(lean) * outside[0] + np.sin(lean) * level


def fan(v: Array, kappa: Array, inside: Array, outside: Array) -> tuple[Array, Array]:
    """Angles (a,) to V's complement and the exact information (a, b) of directions that lean so."""
    u = leaning(inside, outside)
    found = leakage.direction_information(u.reshape(-1, u.shape[-1]), v, kappa)
    return ANGLES, found.reshape(u.shape[:2])


def exact_minimum(v: Array, kappa: Array, inside: Array, outside: Array) -> tuple[Array, Array]:
    """lambda (l,) and the angle of the direction of least reconstruction error + lambda I."""
    u = leaning(inside, outside)
    told = leakage.direction_information(u.reshape(-1, u.shape[-1]), v, kappa)
    lost = 1 - np.einsum("abi,ij,abj->ab", u, leakage.second_moment(v, kappa), u)
    strengths = np.linspace(0, 4, 401)
    total = lost + strengths[:, None, None] * told.reshape(lost.shape)
    return strengths, ANGLES[total.min(2).argmin(1)]


def most_telling(degrees: tuple[float, float, float], offset: float, kappa: float) -> float:
    """Degrees that the most telling direction leans out of V (d = 3, V the first two axes).

    Of three centres at these azimuths, all `offset` above V.
    """
    from scipy.optimize import minimize

    turn = np.deg2rad(degrees)
    flat = np.sqrt(1 - offset**2) * np.stack([np.cos(turn), np.sin(turn)], 1)
    v = np.c_[flat, np.full(3, offset)]

    def told(at: Array) -> Array:
        lean, turn = at[..., 0], at[..., 1]
        u = np.stack([np.cos(lean) * np.cos(turn), np.cos(lean) * np.sin(turn), np.sin(lean)], -1)
        return leakage.direction_information(np.atleast_2d(u), v, np.full(3, kappa))

    grid = np.stack(np.meshgrid(np.linspace(-0.4, 0.4, 9), np.linspace(0, np.pi, 24)), -1)
    start = grid.reshape(-1, 2)[told(grid.reshape(-1, 2)).argmax()]
    options = {"xatol": 1e-4, "fatol": 1e-10}
    found = minimize(lambda at: -told(at)[0], start, method="Nelder-Mead", options=options)
    return float(np.rad2deg(abs(found.x[0])))
