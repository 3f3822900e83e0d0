"""Scores of linear maps between latents z (n, d) and codes z_hat (n, d_hat).

Those that fit a map take points in two halves: the first fits, the second scores.
"""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def r2(z: Array, predicted: Array) -> float:
    """Explained variance averaged uniformly over the columns, as scikit-learn's `r2_score`.

    (Called dozens of times a run, where that function's checks cost more than the arithmetic.)
    """
    residual = ((z - predicted) ** 2).sum(0)
    return float((1 - residual / ((z - z.mean(0)) ** 2).sum(0)).mean())


def linear_r2(z: Array, z_hat: Array) -> float:
    """Held-out R2 of the best affine map z_hat -> z, averaged uniformly over the columns of z."""
    fit, test = halves(len(z))
    map_, offset = affine_map(z_hat[fit], z[fit])
    return r2(z[test], z_hat[test] @ map_ + offset)


def linear_r2_in_sample(z: Array, z_hat: Array) -> float:
    """The same of the very points that fitted the map: 1 when columns come near points."""
    map_, offset = affine_map(z_hat, z)
    return r2(z, z_hat @ map_ + offset)


def orthogonal_r2(z: Array, z_hat: Array) -> float:
    """Held-out R2 of the best scaled orthogonal map z_hat -> z without intercept.

    With d_hat != d the map has orthonormal rows or columns.
    """
    fit, test = halves(len(z))
    rotation, scale = procrustes(z[fit], z_hat[fit])
    return r2(z[test], scale * z_hat[test] @ rotation)


def procrustes(z: Array, z_hat: Array) -> tuple[Array, float]:
    """Orthogonal map (d_hat, d), reflections allowed, and scale that bring z_hat closest to z."""
    u, s, vt = np.linalg.svd(z_hat.T.astype(float) @ z, full_matrices=False)
    rotation = u @ vt
    energy = float(((z_hat @ rotation) ** 2).sum())
    return rotation, float(s.sum()) / energy if energy > 0 else 0.0


def singular_value_mae(z: Array, z_hat: Array, expected: float = 1.0) -> float:
    """Mean |s_i / expected - 1| over the singular values of the no-intercept map z_hat -> z.

    0 exactly when the fitted map is orthogonal up to the expected scale (1 on the sphere).
    """
    fit, _ = halves(len(z))
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


def read_out_correlations(
    z: Array, code: Array, fit: Array | slice, test: Array | slice, intercept: bool
) -> Array:
    """Pearson's r (k,), on rows `test`, of factors z (n, k) and their linear read-out of a code.

    As published (Reizinger et al. 2025, Table 4) of factors standardised on the rows that `fit`;
    without an `intercept` the read-out is a map through the origin. nan of a factor, or a
    read-out, that does not vary, and of a code that is not finite.
    """
    if not np.isfinite(code).all():
        return np.full(z.shape[1], np.nan)
    spread = z[fit].std(0)
    target = (z[fit] - z[fit].mean(0)) / np.where(spread > 0, spread, 1)
    design = np.column_stack([code, np.ones(len(code))]) if intercept else code
    told = design[test] @ linear_map(target, design[fit])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.array([np.corrcoef(*each)[0, 1] for each in zip(z[test].T, told.T, strict=True)])


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
    few = len(v) < v.shape[1]  # only then vt lacks rows unless u, which is (C, C), is whole as well
    _, s, vt = np.linalg.svd(v - v.mean(0), full_matrices=few)
    found = int((s > 1e-6 * s[0]).sum()) if rank is None else rank
    return vt[:found].T, vt[found:].T


def centre_and_scale(code: Array) -> tuple[Array, Array]:
    """What standardises columns (n, k): means and deviations (k,), 1 of a constant column."""
    # rounding gives a constant column a deviation
    return code.mean(0), np.where(np.ptp(code, axis=0) > 0, code.std(0), 1)


def halves(n: int) -> tuple[slice, slice]:
    """The points that fit, and those that score."""
    return slice(0, n // 2), slice(n // 2, n)
