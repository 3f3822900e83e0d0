"""Linear ICA of sources whose variances change from segment to segment."""

import numpy as np

Array = np.ndarray
ROUNDS = 200
HALVINGS = 12
SETTLED = 1e-8  # of a turn, after which nothing is gained
ALIKE = 1e-3  # how far two sources' variances must be from proportional to be told apart
MOST = 0.5  # of a source that one round adds to another


def unmixing(x: Array, segment: Array) -> tuple[Array, Array]:
    """The mean (d,) and the map (d, d) after which sources x (n, d) are uncorrelated in segments.

    (x - mean) @ map has unit variance over all segments, and within each of them columns that are
    as little correlated as can be: the maximum of the likelihood of Gaussian sources whose
    variances are constant in a segment, by quasi-Newton rounds (Pham and Cardoso 2001).
    `segment` (n,) are whole numbers from 0; those of at most d points are left
    out. Sources whose variances are proportional over the segments are not told apart.
    """
    x = x.astype(float)
    mean = x.mean(0)
    start = _whitening(np.cov(x, rowvar=False))
    covariances, weights = _within((x - mean) @ start, segment)
    if not len(covariances):
        return mean, start
    turn = _whitening(np.tensordot(weights, covariances, 1)).T
    apart = turn @ covariances @ turn.T
    cost = _cost(apart, weights)
    for _ in range(ROUNDS):
        step = _step(apart, weights)
        for _ in range(HALVINGS):
            changed = np.eye(len(step)) - step
            trial = changed @ apart @ changed.T
            lower = _cost(trial, weights) - 2 * np.linalg.slogdet(changed)[1]
            if lower <= cost:
                break
            step = step / 2
        else:
            break
        turn, apart = changed @ turn, trial
        cost = _cost(apart, weights)  # from here on
        if np.abs(step).max() < SETTLED:
            break
    found = start @ turn.T
    scale = ((x - mean) @ found).std(0)
    return mean, found / np.where(scale > 0, scale, 1)


def _within(x: Array, segment: Array) -> tuple[Array, Array]:
    """Covariances (e, d, d) of segments with enough points, and their shares of these (e,)."""
    parts = [x[segment == each] for each in np.unique(segment)]
    parts = [part for part in parts if len(part) > x.shape[1]]
    ridge = 1e-9 * np.eye(x.shape[1])  # of columns that are constant in a segment
    counts = np.array([len(part) for part in parts], float)
    found = [np.cov(part, rowvar=False, bias=True) + ridge for part in parts]
    return np.array(found), counts / counts.sum() if len(parts) else counts


def _whitening(covariance: Array) -> Array:
    """The map (d, d) after which rows of this covariance are uncorrelated, of variance 1."""
    values, axes = np.linalg.eigh(covariance)
    return axes / np.sqrt(values.clip(1e-12 * max(float(values[-1]), 1e-12)))


def _cost(covariances: Array, weights: Array) -> float:
    """Mean of sum_i log C_ii: minus twice the log likelihood but for a volume and a constant."""
    return float(weights @ np.log(np.einsum("eii->ei", covariances)).sum(1))


def _step(covariances: Array, weights: Array) -> Array:
    """How much of each source (columns) a round takes off each other one (rows)."""
    own = np.einsum("eii->ei", covariances)
    slope = np.einsum("e,eij,ei->ij", weights, covariances, 1 / own)
    curve = np.einsum("e,ej,ei->ij", weights, own, 1 / own)
    step = (curve.T * slope - slope.T) / np.maximum(curve * curve.T - 1, ALIKE)
    np.fill_diagonal(step, 0)
    return step.clip(-MOST, MOST)
