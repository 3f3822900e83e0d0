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
    columns, scores = [], []
    for latent in latents.T:
        model = _regressor(by).fit(codes[fit], latent[fit])
        columns.append(np.abs(model.coef_ if by == "lasso" else model.feature_importances_))
        scores.append(model.score(codes[test], latent[test]))
    importance = np.stack(columns, 1)
    return DCI(
        _concentration(importance), _concentration(importance.T), float(np.mean(scores)), importance
    )


def _regressor(by: str) -> Any:
    if by == "lasso":  # either takes a while to import
        from sklearn.linear_model import Lasso

        return Lasso(STRENGTH, max_iter=10_000)
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(TREES, max_depth=DEPTH, random_state=0)


def _concentration(importance: Array) -> float:
    """1 less each row's entropy in units of an even row's, rows weighted by their sum."""
    total = importance.sum()
    if importance.shape[1] < 2 or total <= 0:
        return 0.0
    rows = importance.sum(1)
    share = importance / np.where(rows > 0, rows, 1)[:, None]
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(1) / np.log(importance.shape[1])
    return float(((1 - entropy) * rows / total).sum())
