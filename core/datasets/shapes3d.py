"""Shapes3D: 480,000 pictures of a shape in a coloured room, all combinations of six factors.

Burgess and Kim, "3D Shapes Dataset" (2018); Kim and Mnih, "Disentangling by Factorising" (2018).
The file is HDF5, which h5py reads: it is asked for when a file is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from core.datasets.loaded import BLOCK, Loaded, Misread, Rows, circle, inside, line, told, within
from core.images.world import categories

FILE = "3dshapes.h5"
FACTORS = (
    circle("floor_hue", "Hue of the floor", 0.0, 1.0, "turns"),
    circle("wall_hue", "Hue of the wall", 0.0, 1.0, "turns"),
    circle("object_hue", "Hue of the object", 0.0, 1.0, "turns"),
    line("scale", "Scale", 0.75, 1.25, "as published"),
    categories("shape", "Shape", "0", "1", "2", "3"),
    line("orientation", "Orientation", -30.0, 30.0, "degrees"),
)
MOST = 480_000
MOST_CHUNK = 64 * BLOCK  # bytes that HDF5 unpacks at once


def load(folder: Path, name: str = FILE) -> Loaded:
    """The .h5 of a folder: pictures (64, 64, 3), k = 6.

    images (n, 64, 64, 3) uint8 and labels (n, 6) float64; besides the rows that are read one chunk
    of the file (64 MiB at most) and what is taken of it are held. Without h5py, with another form,
    with data that lie in another file, it is a `Misread`.
    """
    path = inside(folder, name)
    with _opened(path) as file:
        images, labels = _dataset(file, path, "images"), _dataset(file, path, "labels")
        n = images.shape[0] if images.ndim else 0
        if images.shape[1:] != (64, 64, 3) or images.dtype != np.uint8 or not 1 <= n <= MOST:
            raise Misread(
                f"{path.name}: images has the shape {images.shape} of {images.dtype}, not "
                f"(n, 64, 64, 3) of uint8 with n up to {MOST:,}."
            )
        if labels.shape != (n, 6) or labels.dtype.kind != "f":
            raise Misread(f"{path.name}: labels has another form than ({n}, 6) of floats.")
        values = np.asarray(labels[:], np.float64)
    within(path, values, FACTORS)

    def pick(rows: Rows) -> np.ndarray:
        with _opened(path) as file:
            return _picked(_dataset(file, path, "images"), rows)

    return Loaded(
        "shapes3d", FACTORS, n, (64, 64, 3), np.dtype("u1"), pick, lambda rows: values[rows]
    )


def _picked(images: Any, rows: Rows) -> np.ndarray:
    """Rows that grow, of which every chunk is unpacked once.

    Chunks may hold a few pixels of thousands of pictures, as those do that h5py makes by itself:
    picture after picture, each would be unpacked thousands of times.
    """
    sides = 64, 64, 3
    out = np.empty((len(rows), *sides), np.uint8)
    together, *tile = images.chunks or (1, *sides)
    at = 0
    for band in np.split(rows, np.flatnonzero(np.diff(rows // together)) + 1):
        for corner in product(*map(range, (0, 0, 0), sides, tile)) if len(band) else ():
            place = tuple(slice(c, c + step) for c, step in zip(corner, tile, strict=True))
            read = images[(slice(int(band[0]), int(band[-1]) + 1), *place)]
            out[(slice(at, at + len(band)), *place)] = read[band - band[0]]
        at += len(band)
    return out


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        h5py = import_module("h5py")
    except ImportError:
        raise Misread(
            f"{path.name} is read by h5py, which is not installed here: pip install h5py."
        ) from None
    with told(path), h5py.File(path, "r") as file:
        yield file


def _dataset(file: Any, path: Path, key: str) -> Any:
    """A data set that lies in the file itself, and of which any row is unpacked in 64 MiB."""
    if key not in file.keys():
        raise Misread(f"{path.name} has no data set {key}.")
    link = type(file.get(key, getlink=True)).__name__
    if link != "HardLink" or not hasattr(file[key], "chunks"):
        raise Misread(f"{path.name}: {key} is no data set of this file.")
    found = file[key]
    if found.external or found.is_virtual:
        raise Misread(f"{path.name}: {key} lies in another file, outside this one.")
    if found.chunks and np.prod(found.chunks, dtype=float) * found.dtype.itemsize > MOST_CHUNK:
        raise Misread(f"{path.name}: {key} lies in chunks of more than {MOST_CHUNK:,} bytes.")
    if found.id.get_storage_size() == 0:
        raise Misread(f"{path.name}: {key} claims a shape, {found.shape}, and holds nothing.")
    return found
