"""Scores of any latents and codes, each with its null, its interval and what warns of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core import metrics

Array = np.ndarray
FEW = 20  # samples for each code, below which chance is not small
ALIKE = 0.999  # correlation from which on a column repeats another
TOGETHER = 0.5  # correlation of factors that lets a score count one for another
Function = Callable[[Array, Array], float]


@dataclass(frozen=True)
class Reading:
    """A score of some codes: its value, that of shuffled codes, and 95 % of resampled ones."""

    value: float
    null: tuple[float, ...]
    interval: tuple[float, float] | None

    @property
    def null_mean(self) -> float:
        """What chance gives."""
        return float(np.mean(self.null))

    @property
    def null_high(self) -> float:
        """The most that chance gave in so many shuffles."""
        return max(self.null)


SCORES: Mapping[str, Function] = {  # called as `core.legend` has it
    "linear_r2": metrics.linear_r2,
    "linear_r2_in_sample": metrics.linear_r2_in_sample,
    "orthogonal_r2": metrics.orthogonal_r2,
    "mcc": metrics.mcc,
    "mcc_spearman": metrics.mcc_spearman,
    "mig": metrics.mutual_information_gap,
}


def read(
    z: Array, z_hat: Array, names: Sequence[str] = tuple(SCORES), seed: int = 0,
    shuffles: int = metrics.SHUFFLES, draws: int = metrics.DRAWS,
) -> dict[str, Reading]:  # fmt: skip
    """Scores by name of z (n, d) and z_hat (n, m), finite, n of at least four.

    Latents and codes are brought to mean 0 first, for the score that fits no offset.
    """
    found = {}
    z, z_hat = (x.astype(float) - x.mean(0) for x in (z, z_hat))
    for name in names:
        # once ranked, Spearman's is Pearson's, also of shuffled rows: ranking is what costs
        of, a, b = (
            ("mcc", metrics.ranks(z), metrics.ranks(z_hat)) if name == "mcc_spearman"
            else (name, z, z_hat)
        )  # fmt: skip
        null = metrics.null(SCORES[of], a, b, shuffles, seed)
        resampled = metrics.RESAMPLED.get(of)
        between = resampled and metrics.interval(resampled(a, b, draws=draws, seed=seed))
        found[name] = Reading(SCORES[of](a, b), tuple(null.tolist()), between)
    return found


def warnings(z: Array, z_hat: Array) -> list[str]:
    """Sentences about samples and columns that scores of z (n, d) and z_hat (n, m) do not say."""
    n, m = z_hat.shape
    found = []
    if n < FEW * m:
        found.append(
            f"{n} samples for {m} codes: chance alone raises scores, and R² in sample nears 1 as "
            "codes come near samples. Hold every score against its null."
        )
    if m < z.shape[1]:
        found.append(
            f"{m} {'code' if m == 1 else 'codes'} for {z.shape[1]} latents: MCC can reach "
            f"{m / z.shape[1]:.2f} at most."
        )
    for name, x in (("latents", z), ("codes", z_hat)):
        still = [str(i + 1) for i in np.flatnonzero(np.ptp(x, axis=0) == 0)]
        if still:
            found.append(f"Constant columns of the {name} ({', '.join(still)}) tell nothing.")
        pairs = _alike(x)
        if pairs:
            said = ", ".join(f"{i + 1} and {j + 1}" for i, j in pairs[:5])
            found.append(f"Columns of the {name} repeat each other ({said}).")
    pairs_of_z = _correlations(z)
    close = float(pairs_of_z[pairs_of_z < ALIKE].max())
    if close >= TOGETHER:
        found.append(
            f"Latents are correlated (up to {close:.2f}): codes that mix them get a high MCC, and "
            "MIG is low for codes that do not."
        )
    return found


def _correlations(x: Array) -> Array:
    """Absolute correlations of different columns (d, d), above the diagonal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.abs(np.nan_to_num(np.atleast_2d(np.corrcoef(x, rowvar=False))))
    return np.triu(size, 1)


def _alike(x: Array) -> list[tuple[int, int]]:
    return [(int(i), int(j)) for i, j in np.argwhere(_correlations(x) >= ALIKE)]
