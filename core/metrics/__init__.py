"""Scores of (z, z_hat), NumPy in, floats out.

Names that end in `_r2`, and `mcc`, are better when larger; `_mae` when smaller. Scores that fit a
map take points in two halves: the first fits, the second scores. z is (n, d), z_hat (n, d_hat).
"""

from core.metrics.degrees import Degree, degree
from core.metrics.disentanglement import DCI, dci
from core.metrics.matching import (
    best_matching,
    generalised_permutation,
    matching,
    mcc,
    mcc_spearman,
    mutual_information_gap,
    ranks,
    told_by_point,
)
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
    halves,
    linear_map,
    linear_r2,
    linear_r2_in_sample,
    orthogonal_r2,
    procrustes,
    r2,
    read_out_correlations,
    singular_value_mae,
    span,
    span_r2,
    v_orthogonal_r2,
    v_r2,
)
from core.metrics.resampling import (
    DRAWS,
    RESAMPLED,
    SHUFFLES,
    expected_largest,
    interval,
    left_out,
    linear_r2_draws,
    linear_r2_in_sample_draws,
    mcc_draws,
    mcc_of_rotations,
    mig_draws,
    null,
    orthogonal_r2_draws,
    share_interval,
)
from core.metrics.spectrum import (
    Certified,
    certified,
    degree_correlations,
    degree_shares,
    gain,
)
from core.metrics.unmixing import unmixing

__all__ = [
    "DCI", "DRAWS", "RESAMPLED", "SHUFFLES", "Certified", "Degree", "affine_map", "best_matching",
    "certified", "clipped_r2", "complement_r2", "cubic_r2", "dci", "degree", "degree_correlations",
    "degree_shares",
    "expected_largest", "gain", "generalised_permutation", "halves", "interval",
    "least_squares_accuracy", "left_out", "linear_map", "linear_r2", "linear_r2_draws",
    "linear_r2_in_sample", "linear_r2_in_sample_draws",
    "matching", "mcc", "mcc_draws", "mcc_of_rotations", "mcc_spearman", "mig_draws",
    "mutual_information_gap", "null",
    "orthogonal_r2", "orthogonal_r2_draws", "probe_accuracy", "procrustes", "r2", "ranks",
    "read_out_correlations", "readout_r2", "readout_r2_by_class", "share_interval",
    "singular_value_mae", "span", "span_r2",
    "told_by_point", "unmixing", "v_orthogonal_r2", "v_r2",
]  # fmt: skip
