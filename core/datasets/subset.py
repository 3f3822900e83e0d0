"""Some pictures of a data set, pooled as they are read, so that few bytes are ever held."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from core.datasets.loaded import Loaded, Misread, inside
from core.datasets.registry import SOURCES, data_folder
from core.images.world import World

Array = np.ndarray
SIDE = 32  # pixels a side, of all that is kept
MOST_KEPT = 1 << 26  # bytes of pooled pictures: 64 MiB, beside one reading of `Loaded.read`
MOST = 16_384  # pictures of a subset
FEWEST = 512
GRID = 64  # a factor of more values than that lies on no grid, and cannot be held at one
QUARTERS = {"train": 2, "fit": 3, "test": 4}  # where each part of a subset ends
_READING = Lock()


def some(data: Loaded, most: int, seed: int = 0) -> Array:
    """Numbers of rows, growing: `most` of them at random, or all."""
    return _some(np.arange(data.size), most, seed)


def pooled(data: Loaded, rows: Array, side: int = SIDE) -> tuple[Array, Array]:
    """Pictures (n, c, side, side) uint8 and values of their factors (n, k) of rows that grow.

    Read in parts of 64 MiB at most, of which the means of squares of pixels are kept. Pictures
    whose sides are no multiple of `side`, or more than `MOST_KEPT` of them, are a `Misread`.
    """
    if len(data.shape) < 2 or data.shape[0] % side or data.shape[1] % side:
        raise Misread(f"Pictures of {data.name} are {data.shape}, and not pooled to {side}.")
    high, wide, *rest = data.shape
    channels = rest[0] if rest else 1
    if len(rows) * channels * side**2 > MOST_KEPT:
        raise Misread(f"{len(rows):,} pictures of {data.name} are more than are held at once.")
    out = np.empty((len(rows), channels, side, side), np.uint8)
    values = np.empty((len(rows), len(data.factors)))
    for start in range(0, len(rows), data.most):
        part = slice(start, start + data.most)
        images, values[part] = data.read(rows[part])
        cells = images.reshape(-1, side, high // side, side, wide // side, channels)
        means = cells.mean((2, 4), dtype=np.float32)
        out[part] = np.rint(means).astype(np.uint8).transpose(0, 3, 1, 2)
    return out, values


def latents(data: Loaded, values: Array) -> Array:
    """Values of factors (n, k) as latents in [-1, 1]; 0 of a factor that does not vary."""
    columns = [
        factor.latent(column) if factor.high > factor.low else np.zeros(len(column))
        for factor, column in zip(data.factors, values.T, strict=True)
    ]
    return np.stack(columns, 1)


@dataclass(frozen=True)
class Subset:
    """Pictures of a data set, found by the latents of those of its factors that vary in a world."""

    z: Array  # (n, k) float32 in [-1, 1]
    pictures: Array  # (n, c, SIDE, SIDE) uint8
    parts: Mapping[str, Array]  # rows that train, that fit a read-out and that score it

    def nearest(self, z: Array) -> Array:
        """The latents (..., k) of the pictures whose latents lie nearest to z."""
        return self.z[self._tree.query(z)[1]]

    def painted(self, z: Array, side: int) -> Array:
        """Those pictures of z (n, k): (n, side, side) in grey, (n, side, side, 3) in colour.

        float32 in [0, 1], scaled from 32 pixels a side by straight lines between them.
        """
        taken = self.pictures[self._tree.query(z)[1]].transpose(0, 2, 3, 1)
        taken = taken[..., 0] if taken.shape[-1] == 1 else taken
        if side != SIDE:
            size, way = (side, side), Image.Resampling.BILINEAR
            scaled = [np.asarray(Image.fromarray(each).resize(size, way)) for each in taken]
            taken = np.stack(scaled) if scaled else np.empty((0, *size, *taken.shape[3:]), np.uint8)
        return taken.astype(np.float32) / 255

    def part(self, *names: str) -> "Subset":
        """Parts of it by their names, without parts of their own."""
        rows = np.concatenate([self.parts[name] for name in names])
        return Subset(self.z[rows], self.pictures[rows], {})

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.z)


def subset(world: World) -> Subset:
    """Up to 16,384 pictures of a world of `core.datasets.worlds`, read once and then kept.

    Factors that do not vary rest at their middle value, and any value does where they lie on no
    grid. Half of the pictures train, a quarter fits read-outs and a quarter scores them, at random
    but always the same. A set that is not found, is not what it should be, or has fewer than 512
    such pictures is a `Misread`.
    """
    folder, source = data_folder(), SOURCES[world.name]
    if folder is None or not source.found(folder):
        raise Misread(f"{source.absent(folder)}.")
    files = [inside(folder, name).stat() for name in source.files]
    stamp = tuple((file.st_size, file.st_mtime_ns) for file in files)
    with _READING:
        return _read(world, folder, stamp)


@lru_cache(maxsize=2)
def _read(world: World, folder: Path, stamp: tuple[tuple[int, int], ...]) -> Subset:
    """The subset of a world whose files have these sizes and times."""
    data = SOURCES[world.name].load(folder)
    if [factor.name for factor in data.factors] != [factor.name for factor in world.every]:
        raise Misread(f"{world.title} has other factors than it is known to have.")
    every = data.values(np.arange(data.size))
    rows = np.flatnonzero(_at_rest(world, every) & _inside(world, _varied(world, every)))
    if len(rows) < FEWEST:
        raise Misread(
            f"{world.title} has {len(rows):,} pictures in which no other factor varies, of "
            f"{FEWEST} that are needed: let more of its factors vary."
        )
    rows = _some(rows, MOST)
    pictures, values = pooled(data, rows)
    z = world.latents(_varied(world, values)).clip(-1, 1).astype(np.float32)
    order, *ends, _ = np.random.default_rng(0).permutation(len(rows)), *QUARTERS.values()
    split = np.split(order, [len(order) // 4 * end for end in ends])
    return Subset(z, pictures, dict(zip(QUARTERS, split, strict=True)))


def _some(rows: Array, most: int, seed: int = 0) -> Array:
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _varied(world: World, values: Array) -> Array:
    """The columns of values (n, every) that vary in a world, in its order."""
    names = [factor.name for factor in world.every]
    return values[:, [names.index(name) for name in world.varied]]


def _inside(world: World, values: Array) -> Array:
    """Which of values (n, k) have latents: those outside an arc that is travelled have none."""
    return (np.abs(world.latents(values)) <= 1 + 1e-6).all(1)


def _at_rest(world: World, values: Array) -> Array:
    """Which of values (n, every) have what does not vary at its middle value, or on no grid."""
    held = np.ones(len(values), bool)
    for factor, column in zip(world.every, values.T, strict=True):
        there = np.unique(column)
        if factor.name not in world.varied and len(there) <= GRID:
            held &= column == there[len(there) // 2]
    return held
