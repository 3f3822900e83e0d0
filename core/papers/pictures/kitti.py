"""KITTI Masks: the middle and the size of a walker, found from frames that follow each other.

Zimmermann et al. 2021, Table 3. The table has no untrained encoder; it stands beside here, and so
does the matching that the published score is made of, without its columns of noise.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.loaded import Misread
from core.datasets.registry import SOURCES
from core.datasets.subset import pooled
from core.metrics import matching, mcc
from core.papers.images import KITTI
from core.papers.pictures.protocol import Number, Protocol, Recipe, known

if TYPE_CHECKING:
    from core.papers.pictures.train import Codes

Array = np.ndarray
FRAMES = 20_000  # at most
CODES = 10  # dimensions
STEP = 0.1  # between codes of a pair, at the start
SCORED = 5  # every fifth sequence scores
APART = {"0.05": 1, "0.15": 5}  # seconds on average: frames between a pair, at most
CONTRASTIVE = Recipe("mlp", 128, 3, CODES, 1500, 128, 1e-2)
SLOW = Recipe("mlp", 128, 3, CODES, 1500, 128, 5e-3)
MODELS = ("SlowVAE, unbounded", "Laplace, unbounded", "Laplace, box", "normal, unbounded",
          "normal, box")  # fmt: skip


def measure(rows: Sequence[str], folder: Path, seeds: Sequence[int]) -> Iterator[Number]:
    """The MCC of every model, for pairs that lie this far apart."""
    data = SOURCES["kitti_masks"].load(folder)
    assert data.lengths is not None
    lengths = data.lengths[np.cumsum(data.lengths) <= FRAMES]
    if len(lengths) < 2:
        raise Misread(f"KITTI Masks has no two sequences in its first {FRAMES:,} frames.")
    pictures, z = pooled(data, np.arange(lengths.sum()))
    trains = np.repeat(np.arange(len(lengths)) % SCORED != SCORED - 1, lengths)
    if trains.all():  # fewer than five sequences: the last one
        trains[-lengths[-1] :] = False
    for row in rows:
        pairs = neighbours(lengths, APART[row])
        pairs = pairs[trains[pairs[:, 0]]]
        if not len(pairs):
            raise Misread("KITTI Masks has no sequence of two frames that trains.")
        printed = next(each for each in KITTI.rows if each["mean Δt"] == f"{row} s")
        for model in MODELS:
            codes = _codes(model, pictures, pairs, pictures[~trains], seeds)
            shown = z[~trains]
            yield Number(
                row, f"mean Δt {row} s", model,
                tuple(known(padded_mcc(shown, each)) for each in codes.trained),
                {
                    "best of ten codes": tuple(known(_mcc(shown, e)) for e in codes.trained),
                    "untrained": tuple(known(padded_mcc(shown, e)) for e in codes.untrained),
                },
                printed[model], 100,
            )  # fmt: skip


def neighbours(lengths: Array, apart: int) -> Array:
    """Pairs of frames (P, 2) of a sequence, from one to so many frames apart."""
    ends = np.repeat(np.cumsum(lengths), lengths)
    frames = np.arange(len(ends))
    found = [
        np.stack([frames, frames + gap], 1)[frames + gap < ends] for gap in range(1, apart + 1)
    ]
    return np.concatenate(found)


def padded_mcc(z: Array, z_hat: Array) -> float:
    """MCC as published: factors (n, k) and columns of noise matched to as many codes.

    Averaged over the factors alone. nan of codes that are no numbers.
    """
    k, d_hat = z.shape[1], z_hat.shape[1]
    if not np.isfinite(z_hat).all():
        return np.nan
    noise = np.random.default_rng(0).normal(size=(len(z), d_hat - k))
    correlation, (of_z, of_code) = matching(np.column_stack([z, noise]), z_hat)
    size = np.abs(correlation[of_z, of_code])
    return float(size[of_z < k].mean())


def _mcc(z: Array, z_hat: Array) -> float:
    return mcc(z, z_hat) if np.isfinite(z_hat).all() else np.nan


def _codes(
    model: str, pictures: Array, pairs: Array, shown: Array, seeds: Sequence[int]
) -> "Codes":
    from core.papers.pictures import train  # torch

    if model.startswith("SlowVAE"):
        return train.by_slow_vae(pictures, pairs, shown, SLOW, seeds)
    similarity = train.Similarity(
        1 if model.startswith("Laplace") else 2, "box" if model.endswith("box") else "unbounded",
        STEP,
    )  # fmt: skip
    return train.of_pairs(pictures, pairs, shown, CONTRASTIVE, similarity, seeds)


PROTOCOL = Protocol(
    "kitti-masks", KITTI, {row: ("kitti_masks",) for row in APART},
    f"Here: the first {FRAMES:,} frames, pooled to 16 × 16, an MLP of {CONTRASTIVE.depth} × "
    f"{CONTRASTIVE.width} units, ten codes, {CONTRASTIVE.steps:,} steps of batch "
    f"{CONTRASTIVE.batch}, τ that matches a step of {STEP:g}; scored on every fifth sequence, "
    "which does not train. Δt is not in the file: 0.05 s is the next frame, 0.15 s one of the next "
    "five, whose mean is three times that. There: convolutions on 64 × 64, 300,000 steps of batch "
    "64, τ = 1, ten seeds.",
    "about 2 CPU-minutes a row",
    measure,
)  # fmt: skip
