"""Scores of (z, z_hat), NumPy in, floats out.

Names that end in `_r2`, and `mcc`, are better when larger; `_mae` when smaller. Scores that fit a
map take points in two halves: the first fits, the second scores. z is (n, d), z_hat (n, d_hat).
"""

import warnings
from collections.abc import Callable
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import ConvexHull

Array = np.ndarray


def r2(z: Array, predicted: Array) -> float:
    """Explained variance averaged uniformly over the columns, as scikit-learn's `r2_score`.

    (Called dozens of times a run, where that function's checks cost more than the arithmetic.)
    """
    residual = ((z - predicted) ** 2).sum(0)
    return float((1 - residual / ((z - z.mean(0)) ** 2).sum(0)).mean())


def linear_r2(z: Array, z_hat: Array) -> float:
    """Held-out R2 of the best affine map z_hat -> z, averaged uniformly over the columns of z."""
    fit, test = _halves(len(z))
    map_, offset = affine_map(z_hat[fit], z[fit])
    return r2(z[test], z_hat[test] @ map_ + offset)


def orthogonal_r2(z: Array, z_hat: Array) -> float:
    """Held-out R2 of the best scaled orthogonal map z_hat -> z without intercept.

    With d_hat != d the map has orthonormal rows or columns.
    """
    fit, test = _halves(len(z))
    rotation, scale = procrustes(z[fit], z_hat[fit])
    return r2(z[test], scale * z_hat[test] @ rotation)


def procrustes(z: Array, z_hat: Array) -> tuple[Array, float]:
    """Orthogonal map (d_hat, d), reflections allowed, and scale that bring z_hat closest to z."""
    u, s, vt = np.linalg.svd(z_hat.T.astype(float) @ z, full_matrices=False)
    rotation = u @ vt
    energy = float(((z_hat @ rotation) ** 2).sum())
    return rotation, float(s.sum()) / energy if energy > 0 else 0.0


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


def singular_value_mae(z: Array, z_hat: Array, expected: float = 1.0) -> float:
    """Mean |s_i / expected - 1| over the singular values of the no-intercept map z_hat -> z.

    0 exactly when the fitted map is orthogonal up to the expected scale (1 on the sphere).
    """
    fit, _ = _halves(len(z))
    singular_values = np.linalg.svd(linear_map(z[fit], z_hat[fit]), compute_uv=False)
    return float(np.abs(singular_values / expected - 1).mean())


def affine_map(source: Array, target: Array) -> tuple[Array, Array]:
    """The least-squares map (d, d') and offset (d',): target is close to source @ map + offset."""
    design = np.column_stack([source, np.ones(len(source))]).astype(float)
    fitted = np.linalg.lstsq(design, target, rcond=None)[0]
    return fitted[:-1], fitted[-1]


def linear_map(z: Array, z_hat: Array) -> Array:
    """The least-squares map (d_hat, d) without intercept: z is close to z_hat @ map."""
    return np.linalg.lstsq(z_hat.astype(float), z, rcond=None)[0]


def v_r2(v: Array, w: Array, cluster: Array) -> float | None:
    """R2 of cluster vectors foretold from the head's rows by an affine map w -> v.

    Each cluster (with all its instances) is foretold by the map fitted on the others: pooled
    residual over pooled variance. v (C, d) cluster vectors, w (I, d_hat) rows, cluster (I,) the
    index into v of each row. None for C <= d + 1, where the fit is exact whatever w is.
    """
    return _foretold(v, np.column_stack([w, np.ones(len(w))]), cluster, _least_squares)


def v_orthogonal_r2(v: Array, w: Array, cluster: Array) -> float | None:
    """The same by a scaled orthogonal map without intercept."""
    return _foretold(v, w, cluster, _scaled_rotations)


def _foretold(
    v: Array, rows: Array, cluster: Array, fit: Callable[[Array, Array], Array]
) -> float | None:
    """Leave one cluster out, from the moments of the others: all C fits at once."""
    count, d = v.shape
    if count <= d + 1:
        return None
    rows, target = rows.astype(float), v[cluster].astype(float)
    gram = np.zeros((count, rows.shape[1], rows.shape[1]))
    cross = np.zeros((count, rows.shape[1], d))
    np.add.at(gram, cluster, rows[:, :, None] * rows[:, None, :])
    np.add.at(cross, cluster, rows[:, :, None] * target[:, None, :])
    maps = fit(gram.sum(0) - gram, cross.sum(0) - cross)  # (C, d_row, d)
    predicted = np.einsum("ij,ijk->ik", rows, maps[cluster])
    residual = ((target - predicted) ** 2).sum()
    return float(1 - residual / ((target - target.mean(0)) ** 2).sum())


def _least_squares(gram: Array, cross: Array) -> Array:
    return np.linalg.pinv(gram, hermitian=True) @ cross


def _scaled_rotations(gram: Array, cross: Array) -> Array:
    u, s, vt = np.linalg.svd(cross, full_matrices=False)
    turn = u @ vt
    energy = np.einsum("cij,cik,ckj->c", turn, gram, turn)
    return (s.sum(-1) / energy)[:, None, None] * turn


def clipped_r2(z: Array, z_hat: Array, v: Array) -> float:
    """Linear R2 of z clipped, by coordinate, to the range of the cluster vectors v (C, d).

    Beyond the outermost centre the ratios of Laplace densities are constant: what a label can tell
    of a coordinate ends there.
    """
    return linear_r2(z.clip(v.min(0), v.max(0)), z_hat)


def span_r2(z: Array, z_hat: Array, v: Array) -> float | None:
    """Linear R2 of the latents' part in span{v_a - v_b}; None when that is the whole space."""
    inside, outside = span(v)
    return linear_r2(z @ inside, z_hat) if outside.size else None


def complement_r2(z: Array, z_hat: Array, v: Array) -> float | None:
    """Linear R2 of the part orthogonal to it, of which the labels say nothing; None if none is."""
    outside = span(v)[1]
    return linear_r2(z @ outside, z_hat) if outside.size else None


def span(v: Array, rank: int | None = None) -> tuple[Array, Array]:
    """Orthonormal bases (d, r) of span{v_a - v_b} and (d, d - r) of its complement.

    `rank` gives r where noise, as that of class means, would raise it: the leading directions.
    """
    _, s, vt = np.linalg.svd(v - v.mean(0))
    found = int((s > 1e-6 * s[0]).sum()) if rank is None else rank
    return vt[:found].T, vt[found:].T


def probe_accuracy(code: Array, y: Array, kind: str, fit: int | None = None) -> float:
    """Held-out accuracy of a fresh classifier of y (n,) on the code (n, d_z), standardised.

    `kind` is "linear" (logistic regression) or "mlp" (two hidden layers; not stopped early, which
    on a code that is hard to read ends before it has begun). The first `fit` points fit, half of
    them if None, and the rest score. Who sees nothing scores the share of the largest class.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    size = len(code) // 2 if fit is None else fit
    centre, scale = _centre_and_scale(code[:size])
    x = (code - centre) / scale
    probe = (
        LogisticRegression(max_iter=500)
        if kind == "linear"
        else MLPClassifier(
            (64, 64), learning_rate_init=5e-3, batch_size=512, max_iter=40, random_state=0
        )
    )
    return float(_fitted(probe, x[:size], y[:size]).score(x[size:], y[size:]))


def _centre_and_scale(code: Array) -> tuple[Array, Array]:
    """What standardises a code (n, d_z): means and deviations (d_z,), 1 of a constant column."""
    scale = code.std(0)
    return code.mean(0), np.where(scale > 0, scale, 1)


def _fitted(estimator: Any, x: Array, target: Array) -> Any:
    """An estimator of scikit-learn, whose rounds are counted on purpose."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x, target)


def readout_r2(content: Array, code: Array) -> float:
    """Held-out R2 of the content (n, d) read from the code (n, d_z) by a small network."""
    fit, test = _halves(len(code))
    return r2(content[test], _readout(code[fit], content[fit])(code[test]))


def readout_r2_by_class(content: Array, code: Array, y: Array) -> tuple[float, float]:
    """The same with a read-out for each class of y (n,), averaged over the classes.

    First scored on its own class, then on each of the others: how far a read-out fitted to one
    carries over.
    """
    fit, test = _halves(len(code))
    classes = np.unique(y)
    held_out = [(code[test][y[test] == e], content[test][y[test] == e]) for e in classes]
    own, others = [], []
    for e in classes:
        read = _readout(code[fit][y[fit] == e], content[fit][y[fit] == e])
        scores = [r2(target, read(given)) for given, target in held_out]
        own.append(scores.pop(int(np.flatnonzero(classes == e)[0])))
        others += scores
    return float(np.mean(own)), float(np.mean(others))


def _readout(code: Array, content: Array) -> Callable[[Array], Array]:
    """Regression of the content on the standardised code with one hidden layer, stopped early."""
    from sklearn.neural_network import MLPRegressor

    centre, scale = _centre_and_scale(code)
    offset, unit = content.mean(0), content.std()
    network = MLPRegressor(
        hidden_layer_sizes=(64,),
        early_stopping=True,
        learning_rate_init=5e-3,
        batch_size=min(256, max(1, len(code) // 16)),
        max_iter=100,
        random_state=0,
    )
    network = _fitted(network, (code - centre) / scale, (content - offset) / unit)
    return lambda given: network.predict((given - centre) / scale) * unit + offset


def cubic_r2(content: Array, code: Array) -> float:
    """Held-out R2 of the content by least squares on the code's monomials up to the third degree.

    A fast stand-in for `readout_r2` while training.
    """
    return linear_r2(content, _monomials(code))


def least_squares_accuracy(code: Array, y: Array) -> float:
    """Held-out accuracy of the classifier of y (n,) by least squares on one-hot labels.

    A fast stand-in for the linear probe while training.
    """
    fit, test = _halves(len(code))
    map_, offset = affine_map(code[fit], np.eye(int(y.max()) + 1)[y[fit]])
    return float(((code[test] @ map_ + offset).argmax(1) == y[test]).mean())


def _monomials(code: Array) -> Array:
    """Products of one to three coordinates of the standardised code, (n, .)."""
    centre, scale = _centre_and_scale(code)
    x = (code - centre) / scale
    chosen = (
        list(each)
        for degree in (1, 2, 3)
        for each in combinations_with_replacement(range(x.shape[1]), degree)
    )
    return np.stack([x[:, columns].prod(1) for columns in chosen], 1)


class Degree:
    """Topological degree of h: S^(d-1) -> S^(d-1), d = 2 or 3, from the images of fixed points.

    At d = 2 the winding number, at d = 3 the signed area of the triangulation's image over 4 pi.
    +1 or -1 for a homeomorphism (every orthogonal map is one), 0 for a folded sphere.
    """

    def __init__(self, z: Array) -> None:
        """z (n, d) spread over the whole sphere, in no particular order; 2000 points are plenty."""
        self.resolutions = [(every, _oriented_simplices(z[::every])) for every in (1, 4)]

    def __call__(self, z_hat: Array) -> int | None:
        """Degree from unit images z_hat (n, d); None when all points and every fourth disagree.

        (The sum of areas is an integer even when the points are too sparse for it to be right.)
        """
        if not np.isfinite(z_hat).all():
            return None
        counts = {_covering_number(z_hat[::every], s) for every, s in self.resolutions}
        return counts.pop() if len(counts) == 1 else None


def degree(z: Array, z_hat: Array) -> int | None:
    """`Degree` of one map; None also where it is not defined (d_hat != d, or d > 3)."""
    if z.shape[1] != z_hat.shape[1] or z.shape[1] not in (2, 3):
        return None
    return Degree(z)(z_hat)


def _oriented_simplices(z: Array) -> Array:
    """The sphere's triangles (t, 3), or the circle's arcs (t, 2), all oriented alike."""
    if z.shape[1] == 2:
        around = np.argsort(np.arctan2(z[:, 1], z[:, 0]))
        return np.column_stack([around, np.roll(around, -1)])
    triangles = ConvexHull(z).simplices
    inward = np.linalg.det(z[triangles].astype(float)) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    return triangles


def _covering_number(z_hat: Array, simplices: Array) -> int:
    corners = z_hat[simplices].astype(float)
    if z_hat.shape[1] == 2:
        start, end = (corners[:, i] @ np.array([1, 1j]) for i in (0, 1))
        return round(float(np.angle(end / start).sum() / (2 * np.pi)))
    # signed solid angle of a spherical triangle (van Oosterom and Strackee 1983)
    a, b, c = corners[:, 0].T, corners[:, 1].T, corners[:, 2].T
    volume = (a * np.cross(b, c, axis=0)).sum(0)
    cosines = (a * b + b * c + c * a).sum(0)
    return round(float(2 * np.arctan2(volume, 1 + cosines).sum() / (4 * np.pi)))


def _halves(n: int) -> tuple[slice, slice]:
    return slice(0, n // 2), slice(n // 2, n)
