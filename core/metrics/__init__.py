"""Scores of (z, z_hat), NumPy in, floats out.

Names that end in `_r2`, and `mcc`, are better when larger; `_mae` when smaller. Scores that fit a
map take points in two halves: the first fits, the second scores. z is (n, d), z_hat (n, d_hat).
"""

from core.metrics.degrees import Degree, degree
from core.metrics.matching import generalised_permutation, matching, mcc
from core.metrics.probes import (
    cubic_r2,
    least_squares_accuracy,
    probe_accuracy,
    readout_r2,
    readout_r2_by_class,
)
from core.metrics.regression import (
    affine_map,
    clipped_r2,
    complement_r2,
    linear_map,
    linear_r2,
    orthogonal_r2,
    procrustes,
    r2,
    singular_value_mae,
    span,
    span_r2,
    v_orthogonal_r2,
    v_r2,
)

__all__ = [
    "Degree",
    "affine_map",
    "clipped_r2",
    "complement_r2",
    "cubic_r2",
    "degree",
    "generalised_permutation",
    "least_squares_accuracy",
    "linear_map",
    "linear_r2",
    "matching",
    "mcc",
    "orthogonal_r2",
    "probe_accuracy",
    "procrustes",
    "r2",
    "readout_r2",
    "readout_r2_by_class",
    "singular_value_mae",
    "span",
    "span_r2",
    "v_orthogonal_r2",
    "v_r2",
]
