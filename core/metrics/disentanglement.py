"""DCI: how far each code depends on one latent, each latent on one code, and how well it is told.

Eastwood and Williams 2018 (ICLR, sections 2 and 3): disentanglement, completeness, informativeness.
Importances are those of scikit-learn's regressors, a latent at a time.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from core.metrics.regression import centre_and_scale, halves

Array = np.ndarray
TREES, DEPTH = 20, 8
STRENGTH = 0.01  # of the lasso's penalty, in units of a latent's deviation


@dataclass(frozen=True)
class DCI:
    """The three scores, and how much of each latent every code was used for, (m, d)."""

    disentanglement: float
    completeness: float
    informativeness: float
    importance: Array


def dci(z: Array, z_hat: Array, by: Literal["lasso", "forest"] = "lasso") -> DCI:
    """Scores of latents z (n, d) and codes z_hat (n, m); informativeness is held-out R2.

    Disentanglement is 1 where every code serves one latent, weighted by how much it serves at all;
    completeness 1 where every latent is told by one code.
    """
    fit, test = halves(len(z))
    codes, latents = (
        (x - centre) / scale for x in (z_hat, z) for centre, scale in [centre_and_scale(x[fit])]
    )
    read = _by_lasso if by == "lasso" else _by_forest
    importance, informativeness = read(codes[fit], latents[fit], codes[test], latents[test])
    return DCI(
        _concentration(importance), _concentration(importance.T), informativeness, importance
    )


def _by_lasso(codes: Array, latents: Array, new: Array, told: Array) -> tuple[Array, float]:
    """Sizes of its weights (m, d), and R2 of latents `told` from codes `new`."""
    from sklearn.linear_model import Lasso  # either takes a while to import

    # all latents from one matrix of products: twenty times as fast as by the points
    model = Lasso(STRENGTH, max_iter=10_000, precompute=True).fit(codes, latents)
    return np.abs(model.coef_.reshape(latents.shape[1], -1)).T, float(model.score(new, told))


def _by_forest(codes: Array, latents: Array, new: Array, told: Array) -> tuple[Array, float]:
    """The same of its importances, a forest a latent."""
    from sklearn.ensemble import RandomForestRegressor

    columns, scores = [], []
    for latent, its in zip(latents.T, told.T, strict=True):
        model: Any = RandomForestRegressor(TREES, max_depth=DEPTH, random_state=0)
        model.fit(codes, latent)
        columns.append(model.feature_importances_)
        scores.append(model.score(new, its))
    return np.stack(columns, 1), float(np.mean(scores))


def _concentration(importance: Array) -> float:
    """1 less each row's entropy in units of an even row's, rows weighted by their sum."""
    total = importance.sum()
    if importance.shape[1] < 2 or total <= 0:
        return 0.0
    rows = importance.sum(1)
    share = importance / np.where(rows > 0, rows, 1)[:, None]
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(1) / np.log(importance.shape[1])
    return float(((1 - entropy) * rows / total).sum())
