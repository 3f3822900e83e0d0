"""smallNORB: 48,600 photographs of 50 toys, of five categories, by light, height and side.

LeCun, Huang and Bottou, "Learning Methods for Generic Object Recognition with Invariance to Pose
and Lighting" (2004). Six files in the authors' binary matrix format (not MATLAB's, for all that
their names end in .mat): training and testing, each pictures, categories and the four other
factors. A file is, little-endian: its type, how many sides, the sides (three at least), the data.
"""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from core.datasets.loaded import (
    MOST_HELD,
    Loaded,
    Misread,
    Rows,
    circle,
    exactly,
    inside,
    line,
    told,
    within,
)
from core.images.world import categories

PARTS = (
    "smallnorb-5x46789x9x18x6x2x96x96-training",
    "smallnorb-5x01235x9x18x6x2x96x96-testing",
)
FOLDER = "smallnorb"
FILES = tuple(f"{FOLDER}/{part}-{what}.mat" for part in PARTS for what in ("dat", "cat", "info"))
BYTES, INTEGERS = 0x1E3D4C55, 0x1E3D4C54
SIDE = 96
MOST = 24_300  # of a part
FACTORS = (
    categories("category", "Category", "animal", "human", "airplane", "truck", "car"),
    categories("instance", "Which of its kind", *(str(i) for i in range(10))),
    line("elevation", "Elevation of the camera", 30, 70, "degrees"),
    circle("azimuth", "Azimuth", 0, 360, "degrees"),
    categories("lighting", "Lighting", *(str(i) for i in range(6))),
)


def load(folder: Path, files: tuple[str, ...] = FILES) -> Loaded:
    """The six files of a folder: pictures (96, 96) of the first of the two cameras, k = 5.

    Training first (instances 4, 6, 7, 8, 9), then testing. Elevation is 30 + 5 degrees a step;
    azimuth is stored doubled, 0 to 34, 10 degrees a number. One picture after the other is read
    where it lies. Another form, or a file longer or shorter than it says, is a `Misread`.
    """
    parts = [_part(folder, files[i : i + 3]) for i in range(0, len(files), 3)]
    values = np.concatenate([values for _, values in parts])
    starts = np.cumsum([0, *(len(values) for _, values in parts)])

    def pick(rows: Rows) -> np.ndarray:
        taken = []
        for (matrix, _), start, end in zip(parts, starts, starts[1:], strict=False):
            taken.append(matrix.rows(rows[(rows >= start) & (rows < end)] - start))
        return np.concatenate(taken)

    return Loaded(
        "smallnorb", FACTORS, len(values), (SIDE, SIDE), np.dtype("u1"), pick,
        lambda rows: values[rows],
    )  # fmt: skip


@dataclass(frozen=True)
class _Matrix:
    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype
    start: int  # bytes of the header

    def rows(self, rows: Rows) -> np.ndarray:
        """Pictures (n, 96, 96) of the first camera."""
        out = np.empty((len(rows), SIDE, SIDE), np.uint8)
        with told(self.path), self.path.open("rb") as file:
            for i, row in enumerate(rows.tolist()):
                file.seek(self.start + row * 2 * SIDE**2)
                data = exactly(file, SIDE**2, self.path)
                out[i] = np.frombuffer(data, np.uint8).reshape(SIDE, SIDE)
        return out

    def whole(self) -> np.ndarray:
        with told(self.path), self.path.open("rb") as file:
            file.seek(self.start)
            data = exactly(file, prod(self.shape) * self.dtype.itemsize, self.path)
        return np.frombuffer(data, self.dtype).reshape(self.shape)


def _part(folder: Path, files: tuple[str, ...]) -> tuple[_Matrix, np.ndarray]:
    """The pictures of training or testing, and the values of their factors (n, 5)."""
    dat, cat, info = (inside(folder, name) for name in files)
    pictures = _matrix(dat, BYTES, (None, 2, SIDE, SIDE))
    n = pictures.shape[0]
    category = _matrix(cat, INTEGERS, (n,)).whole()
    others = _matrix(info, INTEGERS, (n, 4)).whole()
    if (others[:, 2] % 2).any():
        raise Misread(f"{info.name} holds an azimuth that is odd, and they are stored doubled.")
    raw = np.column_stack([category, others]).astype(np.float64)
    raw[:, 2] = 30 + 5 * raw[:, 2]
    raw[:, 3] *= 10
    within(info, raw, FACTORS)
    if (raw[:, 3] >= 360).any():
        raise Misread(f"{info.name}: azimuth leaves its range, 0 to 34.")
    return pictures, raw


def _matrix(path: Path, kind: int, shape: tuple[int | None, ...]) -> _Matrix:
    with told(path), path.open("rb") as file:
        magic, sides = struct.unpack("<II", exactly(file, 8, path))
        if magic != kind:
            raise Misread(f"{path.name} is no binary matrix of the type it should be.")
        if sides != len(shape):
            raise Misread(f"{path.name} has {sides} sides, not {len(shape)}.")
        count = max(3, sides)  # three are stored at least
        found = struct.unpack(f"<{count}i", exactly(file, 4 * count, path))[:sides]
        start, held = file.tell(), path.stat().st_size
    if not 1 <= found[0] <= MOST or any(
        want is not None and want != side for want, side in zip(shape, found, strict=True)
    ):
        raise Misread(f"{path.name} has the shape {found}, and should have {shape}.")
    dtype = np.dtype("u1") if kind == BYTES else np.dtype("<i4")
    size = prod(found) * dtype.itemsize
    if start + size != held:
        raise Misread(f"{path.name} claims {size:,} bytes and has {held - start:,}.")
    assert kind == BYTES or size <= MOST_HELD
    return _Matrix(path, found, dtype, start)
