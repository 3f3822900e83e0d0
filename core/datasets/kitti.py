"""KITTI Masks: silhouettes of pedestrians in sequences, with where their middle is and how large.

Klindt et al., "Towards Nonlinear Disentanglement in Natural Data with Temporal Sparse Coding"
(2021), from the segmentations of KITTI (MOTS). They are published as a pickle, which this project
never opens: `docs/datasets.md` says how its owner makes an .npz of it once.
"""

from pathlib import Path

import numpy as np

from core.datasets.loaded import Loaded, Misread, Rows, inside, line
from core.datasets.members import member

FILE = "kitti_masks.npz"
SIDE = 64


def load(folder: Path, name: str = FILE) -> Loaded:
    """The .npz of a folder, frame after frame, sequence after sequence: pictures (64, 64), k = 3.

    masks (n, 64, 64) bool or uint8, 0 and 1 (255 when read); latents (n, 3) float64, y and x of
    the middle from the top left and the area, as published; lengths (s,) of whole numbers, how
    many frames each of s sequences has. The range of a factor is the file's own. What does not
    fit, as lengths that do not sum to n, is a `Misread`.
    """
    path = inside(folder, name)
    masks = member(path, "masks", (None, SIDE, SIDE), "b1 u1")
    n = masks.shape[0]
    latents = member(path, "latents", (n, 3), "f8").whole()
    lengths = member(path, "lengths", (None,), "i u").whole().astype(np.int64)
    if not np.isfinite(latents).all() or (latents[:, 2] < 0).any():
        raise Misread(f"{path.name}: latents holds what is no position or no area.")
    if (lengths < 1).any() or (lengths > n).any() or lengths.sum() != n:
        raise Misread(f"{path.name}: the lengths of its sequences do not sum to its {n:,} masks.")
    low, high = latents.min(0).tolist(), latents.max(0).tolist()
    factors = (
        line("y", "Position y, from the top", low[0], high[0], "as published"),
        line("x", "Position x", low[1], high[1], "as published"),
        line("area", "Area", low[2], high[2], "as published"),
    )

    def pick(rows: Rows) -> np.ndarray:
        picked = masks.rows(rows).view(np.uint8)
        if (picked > 1).any():
            raise Misread(f"{path.name}: masks holds more than 0 and 1.")
        return picked * np.uint8(255)

    return Loaded(
        "kitti_masks", factors, n, (SIDE, SIDE), np.dtype("u1"),
        pick, lambda rows: latents[rows], lengths,
    )  # fmt: skip
