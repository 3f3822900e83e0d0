"""Manifold entropic metrics of a decoder, from samples of its Jacobian. NumPy only.

Galperin and Köthe, "Analyzing Generative Models by Manifold Entropic Metrics", AISTATS 2025
(arXiv 2410.19426). A decoder g takes latents z (d,) to x (D,), D >= d; J = dg/dz (n, D, d) at n
samples of the latents. |J_S| = det(J_S' J_S)^(1/2) is the volume of the columns S. Nats throughout,
every number a mean over the samples.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray
NORMAL = 0.5 * np.log(2 * np.pi * np.e)  # entropy of a standard normal latent
REACH = 1.96  # standard errors to either side: 95 %
PARALLEL = (
    1e-12  # of 1 - cos^2, below which columns count as parallel: a mutual information of 13.8
)
CAPPED = -0.5 * np.log(PARALLEL)
SINGULAR = 1e-10  # least over largest singular value, columns of length 1, of full rank


class Estimate(NamedTuple):
    """A mean over samples, and its standard error."""

    value: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """Where the mean lies, at the level of 95 %."""
        return self.value - REACH * self.error, self.value + REACH * self.error


class Degenerate(ValueError):
    """Jacobians of which there is nothing to say, in a sentence."""


def checked(jacobians: Any, latents: Any = None) -> tuple[Array, Array | None]:
    """Jacobians (n, D, d) and latents (n, d) as float64.

    Raises `Degenerate` for another shape or kind, for numbers that are not finite, for fewer than
    two samples, for D < d and for columns that are linearly dependent at some sample.
    """
    j = np.asarray(jacobians)
    if j.dtype.kind not in "fiu":
        raise Degenerate(f"Jacobians are numbers, not {j.dtype}")
    if j.ndim != 3:
        raise Degenerate(f"Jacobians have shape (samples, D, d), not {j.shape}")
    n, high, low = j.shape
    if n < 2 or low < 1:
        raise Degenerate(f"{n} samples of {low} latents are too few: an error takes two samples")
    if high < low:
        raise Degenerate(
            f"{low} latents cannot be told apart in {high} dimensions: D is at least d"
        )
    j = j.astype(float)
    if not np.isfinite(j).all():
        raise Degenerate(
            f"{int((~np.isfinite(j)).any((1, 2)).sum())} of {n} samples are not finite"
        )
    lengths = np.linalg.norm(j, axis=1)
    if not lengths.all():
        at, which = np.argwhere(lengths == 0)[0]
        raise Degenerate(f"latent {which} moves nothing at sample {at}: its column is zero")
    s = np.linalg.svd(j / lengths[:, None], compute_uv=False)
    lost = s[:, -1] < SINGULAR * s[:, 0]
    if lost.any():
        raise Degenerate(
            f"{int(lost.sum())} of {n} samples have linearly dependent columns (the first is "
            f"sample {int(lost.argmax())}): no volume, and entropies without bound"
        )
    if latents is None:
        return j, None
    z = np.asarray(latents)
    if z.dtype.kind not in "fiu" or z.shape != (n, low):
        raise Degenerate(f"latents have shape {(n, low)} beside these Jacobians, not {z.shape}")
    if not np.isfinite(z).all():
        raise Degenerate("the latents are not finite")
    return j, z.astype(float)


def log_volumes(jacobians: Array, subset: Sequence[int] | None = None) -> Array:
    """log |J_S| (n,) of the columns S, all of them if not said."""
    j = jacobians if subset is None else jacobians[:, :, list(subset)]
    lengths = np.linalg.norm(j, axis=1)
    r = np.linalg.qr(j / lengths[:, None], mode="r")  # unit columns: as exact for any scale
    diagonal = np.abs(np.diagonal(r, axis1=1, axis2=2))
    return np.log(lengths).sum(1) + np.log(diagonal).sum(1)


def entropy(
    jacobians: Array, subset: Sequence[int] | None = None, latents: Array | None = None
) -> Estimate:
    """Manifold entropy H(q_S) = E[-log p(z_S) + log |J_S|], latents standard normal.

    With `latents` (n, d) the prior's part is a mean over them, else exact.
    """
    chosen = range(jacobians.shape[2]) if subset is None else subset
    volumes = log_volumes(jacobians, subset)
    return _mean(volumes + sum(_surprise(latents, i) for i in chosen))


def spectrum(jacobians: Array, latents: Array | None = None) -> tuple[Array, Array]:
    """H(q_i) of every latent (d,), and their standard errors; sorted, the entropy spectrum."""
    lengths = np.log(np.linalg.norm(jacobians, axis=1))
    prior = [np.broadcast_to(_surprise(latents, i), len(lengths)) for i in range(lengths.shape[1])]
    values = lengths + np.stack(prior, 1)
    return values.mean(0), values.std(0, ddof=1) / np.sqrt(len(values))


def total_correlation(
    jacobians: Array, partition: Iterable[Sequence[int]] | None = None
) -> Estimate:
    """Manifold total correlation E[sum over blocks of log |J_S| - log |J|] >= 0.

    Over single latents if not said, which is the IMA contrast (Gresele et al. 2021, arXiv
    2106.05200). 0 exactly where the blocks are orthogonal almost everywhere. Raises ValueError
    where the blocks are no partition of the latents.
    """
    d = jacobians.shape[2]
    blocks = [[i] for i in range(d)] if partition is None else [list(b) for b in partition]
    if sorted(i for block in blocks for i in block) != list(range(d)):
        raise ValueError(f"{blocks} is no partition of {d} latents")
    apart = sum(log_volumes(jacobians, block) for block in blocks)
    return _mean(apart - log_volumes(jacobians))


def mutual_information(jacobians: Array, one: Sequence[int], other: Sequence[int]) -> Estimate:
    """Between two disjoint sets of latents: E[log |J_S| + log |J_T| - log |J_ST|]."""
    both = log_volumes(jacobians, [*one, *other])
    return _mean(log_volumes(jacobians, one) + log_volumes(jacobians, other) - both)


def pairwise(jacobians: Array) -> tuple[Array, Array]:
    """Manifold mutual information of every pair of latents (d, d), and its standard errors.

    -E log(1 - cos^2) / 2 of the columns' angle; the diagonal, which is infinite, is nan.
    """
    values, errors = cross_pairwise(jacobians, jacobians)
    np.fill_diagonal(values, np.nan)
    np.fill_diagonal(errors, np.nan)
    return values, errors


def cross_pairwise(one: Array, other: Array) -> tuple[Array, Array]:
    """The same between the latents of two decoders at the same x (d, d'), and standard errors.

    Columns that are parallel to 1 - cos^2 = 1e-12 count as 13.8 nats: perfect agreement is capped.
    """
    unit = [j / np.linalg.norm(j, axis=1, keepdims=True) for j in (one, other)]
    total = np.zeros((one.shape[2], other.shape[2]))
    squared = np.zeros_like(total)
    for a, b in zip(*unit, strict=True):  # a sample at a time: n d d' numbers may be many
        nats = -0.5 * np.log(np.maximum(1 - (a.T @ b) ** 2, PARALLEL))
        total += nats
        squared += nats**2
    n = len(one)
    mean = total / n
    variance = np.maximum(squared / n - mean**2, 0) * n / (n - 1)
    return mean, np.sqrt(variance / n)


READINGS = (  # scores, by which a reading is known
    "entropy_nats", "core_entropy_nats", "detail_entropy_nats", "mtc_nats", "mtc_per_dim",
    "pairwise_mi_nats",
)  # fmt: skip
BETWEEN = ("mtc_nats_low", "mtc_nats_high")  # where the total correlation lies, 95 %


@dataclass(frozen=True, eq=False)
class Reading:
    """What a decoder's Jacobians say: every metric with its standard error."""

    samples: int
    dimensions: tuple[int, int]  # D, d
    entropy: Estimate
    spectrum: Array  # (d,), in the latents' order
    spectrum_error: Array
    total_correlation: Estimate
    pairs: Array  # (d, d), nan on the diagonal
    pairs_error: Array

    @property
    def order(self) -> Array:
        """Latents by manifold entropy, the largest first."""
        return np.argsort(-self.spectrum, kind="stable")

    @property
    def per_dimension(self) -> float:
        """Total correlation in nats a latent."""
        return self.total_correlation.value / self.dimensions[1]

    def scores(self, core: int, ordered: bool) -> dict[str, float]:
        """Its `READINGS`: so many core latents are the first ones where `ordered`, else those of
        largest entropy."""
        h = self.spectrum if ordered else self.spectrum[self.order]
        numbers = (
            self.entropy.value, float(h[:core].sum()), float(h[core:].sum()),
            self.total_correlation.value, self.per_dimension,
            float(self.pairs[np.triu_indices(self.dimensions[1], 1)].sum()),
        )  # fmt: skip
        return dict(zip(READINGS, numbers, strict=True))

    @property
    def between(self) -> dict[str, float]:
        """Its `BETWEEN`."""
        return dict(zip(BETWEEN, self.total_correlation.interval, strict=True))

    def top_pairs(self, most: int = 10) -> list[tuple[int, int, Estimate]]:
        """Pairs (i < j) by mutual information, the largest first."""
        rows, columns = np.triu_indices(self.dimensions[1], 1)
        best = np.argsort(-self.pairs[rows, columns], kind="stable")[:most]
        return [
            (int(i), int(j), Estimate(float(self.pairs[i, j]), float(self.pairs_error[i, j])))
            for i, j in zip(rows[best], columns[best], strict=True)
        ]


def read(jacobians: Any, latents: Any = None) -> Reading:
    """Every metric of Jacobians (n, D, d). Raises `Degenerate`; see `checked`."""
    return read_checked(*checked(jacobians, latents))


def read_checked(j: Array, z: Array | None = None) -> Reading:
    """The same of what `checked` gave."""
    pairs, pairs_error = pairwise(j)
    values, errors = spectrum(j, z)
    return Reading(
        len(j), j.shape[1:], entropy(j, latents=z), values, errors, total_correlation(j),
        pairs, pairs_error,
    )  # fmt: skip


def measure(decoder: Callable[[Any], Any], latents: Any) -> Reading:
    """Every metric of a decoder at samples of its latents (n, d), which are standard normal.

    A decoder of torch takes a tensor (b, d) to (b, ...): its Jacobians come from automatic
    differentiation. One of NumPy brings its own: `decoder.jacobian` takes an array (n, d) to
    (n, D, d). Raises `Degenerate`, and TypeError where neither is the case.
    """
    own = getattr(decoder, "jacobian", None)
    if own is not None and isinstance(latents, np.ndarray):
        return read(own(latents), latents)
    if not hasattr(latents, "element_size"):
        raise TypeError(
            "a decoder of NumPy needs a method `jacobian`; one of torch takes its latents as a "
            "torch tensor"
        )
    from core import jacobians  # torch

    found = jacobians.of(decoder, latents)
    return read(found.cpu().numpy(), latents.detach().cpu().numpy())


def shared_at(degrees: Array) -> Array:
    """What two columns at an angle share, nats: -log sin, which is -log(1 - cos^2) / 2."""
    return -np.log(np.sin(np.radians(degrees)))


def angle_of(shared: Array) -> Array:
    """The angle in degrees, up to 90, at which two columns share so many nats."""
    return np.degrees(np.arcsin(np.exp(-np.maximum(shared, 0.0))))


def linear_total_correlation(a: Array) -> float:
    """Closed form for x = A z: (sum log (A'A)_ii - log det A'A) / 2; A (D, d) of full rank."""
    gram = a.T @ a
    nats = 0.5 * (np.log(np.diagonal(gram)).sum() - np.linalg.slogdet(gram)[1])
    return max(float(nats), 0.0)  # Hadamard's inequality, but for rounding


def linear_entropy(a: Array) -> float:
    """Closed form of the entropy of x = A z, z standard normal, on the span of A (D, d)."""
    return float(a.shape[1] * NORMAL + 0.5 * np.linalg.slogdet(a.T @ a)[1])


def _surprise(latents: Array | None, i: int) -> Array | float:
    """-log p(z_i) of a standard normal latent, at its samples; its mean where there are none."""
    return NORMAL if latents is None else 0.5 * (np.log(2 * np.pi) + latents[:, i] ** 2)


def _mean(values: Array) -> Estimate:
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))
