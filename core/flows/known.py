"""Generators in the plane that are known: their scales, and what they come to. NumPy only."""

from math import pi

import numpy as np

from core import entropy

Array = np.ndarray
ARC = (0.8, 0.15)  # radians of angle and units of radius, a standard deviation of each latent
AXES, TURN = (2.0, 0.5), pi / 6  # of the normal
BEND, THICK = 0.5, 0.3  # of the banana


def rotation(angle: float) -> Array:
    """The matrix (2, 2) that turns by so many radians."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def turned(degrees: float) -> float:
    """Total correlation of the normal's decoder behind latents that were turned."""
    return entropy.linear_total_correlation(rotation(TURN) * AXES @ rotation(np.radians(degrees)))


def rescaled(factor: float) -> float:
    """Total correlation of the normal along its own axes, the first pixel in another unit."""
    return entropy.linear_total_correlation(np.diag([factor, 1.0]) @ (rotation(TURN) * AXES))


def arc_apart() -> float:
    """Entropy of the arc's angle above that of its radius, nats: E log r + log(s1 / s2).

    By Gauss-Hermite quadrature over the radius 1 + s2 z.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    angle, radius = ARC
    return float(weights @ np.log(np.abs(1 + radius * nodes)) / weights.sum()
                 + np.log(angle / radius))  # fmt: skip
