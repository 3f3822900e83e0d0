"""Logistic regression, for many data sets at once."""

import numpy as np

from core.metrics.regression import centre_and_scale

Array = np.ndarray
ROUNDS, HALVINGS = 50, 20  # of Newton's method, and of one of its steps
SETTLED = 1e-6  # change of a coefficient below which it has ended


def logistic(x: Array, y: Array, strength: float = 1.0) -> tuple[Array, Array]:
    """Weights (k, d) and offsets (k,) that tell labels y (k, n), bool, from points x (k, n, d).

    The minimum of the sum of -log p(y | x) plus |weights|^2 / (2 strength), offsets free: what
    scikit-learn's LogisticRegression minimises, `strength` its C. By Newton's method, a step halved
    where it would lead uphill.
    """
    ones = np.ones((*x.shape[:2], 1))
    points = np.concatenate([np.asarray(x, dtype=float), ones], -1)  # (k, n, d + 1)
    sign = np.where(y, 1.0, -1.0)
    penalty = np.append(np.full(x.shape[2], 1 / strength), 0.0)
    found = np.zeros((len(points), points.shape[2]))
    height = _height(points, sign, penalty, found)
    for _ in range(ROUNDS):
        step = _newton(points, sign, penalty, found)
        share = np.ones(len(found))
        for _ in range(HALVINGS):
            after = _height(points, sign, penalty, found - share[:, None] * step)
            # as high as before but for rounding is as low as it gets
            uphill = after > height + 1e-9 * np.abs(height)
            if not uphill.any():
                break
            share = np.where(uphill, share / 2, share)
        moved = share[:, None] * step
        found, height = found - moved, after
        if np.abs(moved).max(initial=0) < SETTLED:
            break
    return found[:, :-1], found[:, -1]


def told(x: Array, weights: Array, offsets: Array) -> Array:
    """Labels (k, n), bool, that such regressions give points x (k, n, d)."""
    return _products(np.asarray(x, dtype=float), weights) + offsets[:, None] > 0


def standardised(x: Array) -> Array:
    """Columns of x (n, d) of mean 0 and deviation 1 over all its rows; constant ones 0."""
    centre, scale = centre_and_scale(x)
    return (x - centre) / scale


def _height(points: Array, sign: Array, penalty: Array, at: Array) -> Array:
    """What is minimised (k,)."""
    loss = np.logaddexp(0, -sign * _products(points, at)).sum(1)
    return loss + (penalty * at**2).sum(1) / 2


def _newton(points: Array, sign: Array, penalty: Array, at: Array) -> Array:
    """Newton's step (k, d + 1) downhill, to be taken off."""
    wrong = 1 / (1 + np.exp(np.clip(sign * _products(points, at), -500, 500)))
    turned = points.transpose(0, 2, 1)
    slope = -_products(turned, sign * wrong) + penalty * at
    curve = turned @ (points * (wrong * (1 - wrong))[..., None])
    return np.linalg.solve(curve + np.diag(penalty + 1e-12), slope[..., None])[..., 0]


def _products(rows: Array, columns: Array) -> Array:
    """Rows (k, n, d) by a column each (k, d): (k, n)."""
    return (rows @ columns[..., None])[..., 0]
