"""Some pictures of a data set, pooled as they are read, so that few bytes are ever held."""

from collections.abc import Hashable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from core.datasets.loaded import Loaded, Misread, inside
from core.datasets.registry import SOURCES, data_folder
from core.datasets.worlds import FOUND, RESTING
from core.images.world import Factor, World

Array = np.ndarray
SIDE = 32  # pixels a side, of all that is kept
MOST_KEPT = 1 << 26  # bytes of pooled pictures: 64 MiB, beside one reading of `Loaded.read`
MOST = 16_384  # pictures of a subset
FEWEST = 512
FEW = 256  # pictures that are pooled at once
GRID = 64  # a factor of more values than that lies on no grid, and cannot be held at one
QUARTERS = {"train": 2, "fit": 3, "test": 4}  # where each part of a subset ends
ROWS = 1 << 16  # whose factors are looked at together
MOST_SUBSETS = 2  # that a process keeps
_KEEPING = Lock()
_kept: dict[Hashable, "Future[Subset]"] = {}  # by world, folder and files; the last one used last


def some(rows: Array, most: int, seed: int = 0) -> Array:
    """Of rows that grow `most` at random, or all; they grow as well."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


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
        for few in range(0, len(images), FEW):
            cells = images[few : few + FEW]
            cells = cells.reshape(-1, side, high // side, side, wide // side, channels)
            means = np.rint(cells.mean((2, 4), dtype=np.float32)).astype(np.uint8)
            out[start + few : start + few + len(means)] = means.transpose(0, 3, 1, 2)
        del images, cells  # before the next ones are read
    return out, values


def latents(data: Loaded, values: Array) -> Array:
    """Values of factors (n, k) as latents in [-1, 1]; 0 of a factor that does not vary."""
    columns = [
        factor.latent(column) if factor.high > factor.low else np.zeros(len(column))
        for factor, column in zip(data.factors, values.T, strict=True)
    ]
    return np.stack(columns, 1)


class Points:
    """Latents z (n, k), and which of them lie nearest to others."""

    def __init__(self, z: Array) -> None:
        self.z = z
        self._tree = cKDTree(z)

    def nearest(self, z: Array) -> Array:
        """Rows (...) of those that lie nearest to z (..., k)."""
        return self._tree.query(z)[1]


@dataclass(frozen=True)
class Subset:
    """Pictures of a data set, found by the latents of those of its factors that vary in a world."""

    points: Points  # n, float32 in [-1, 1]
    pictures: Array  # (n, c, SIDE, SIDE) uint8
    parts: Mapping[str, Array]  # rows that train, that fit a read-out and that score it

    @property
    def z(self) -> Array:
        """The pictures' latents (n, k)."""
        return self.points.z

    def part(self, name: str) -> Array:
        """Latents (., k) of a part."""
        return self.z[self.parts[name]]

    def painted(self, z: Array, side: int) -> Array:
        """The pictures nearest to z (n, k): (n, side, side) in grey, (n, side, side, 3) in colour.

        float32 in [0, 1], scaled from 32 pixels a side by straight lines between them.
        """
        taken = self.pictures[self.points.nearest(z)].transpose(0, 2, 3, 1)
        taken = taken[..., 0] if taken.shape[-1] == 1 else taken
        if side != SIDE:
            size, way = (side, side), Image.Resampling.BILINEAR
            scaled = [np.asarray(Image.fromarray(each).resize(size, way)) for each in taken]
            taken = np.stack(scaled) if scaled else np.empty((0, *size, *taken.shape[3:]), np.uint8)
        return taken.astype(np.float32) / 255


def subset(world: World) -> Subset:
    """Up to 16,384 pictures of a world of `core.datasets.worlds`, read once and then kept.

    Factors that do not vary rest at one value (their middle one, unless `RESTING` says another),
    and take any where they lie on no grid. Half of the pictures train, a quarter fits read-outs and
    a quarter scores them, at random but always the same. A process keeps two subsets. A set that is
    not found, is not what it should be, or has fewer than 512 such pictures is a `Misread`.
    """
    folder, source = data_folder(), SOURCES[world.name]
    if folder is None or not source.found(folder):
        raise Misread(f"{source.absent(folder)}.")
    files = [inside(folder, name).stat() for name in source.files]
    key = world, folder, tuple((file.st_size, file.st_mtime_ns) for file in files)
    with _KEEPING:
        first = key not in _kept
        found = _kept[key] = Future() if first else _kept.pop(key)  # the last one used comes last
        while len(_kept) > MOST_SUBSETS:
            del _kept[next(iter(_kept))]
    if first:
        try:
            found.set_result(_read(world, folder))
        except BaseException as why:
            with _KEEPING:
                _kept.pop(key, None)
            found.set_exception(why)
    return found.result()


def _read(world: World, folder: Path) -> Subset:
    data = SOURCES[world.name].load(folder)
    if list(map(_known, data.factors)) != list(map(_known, FOUND[world.name].every)):
        raise Misread(f"{world.title} has other factors than it is known to have.")
    rows = some(_fitting(world, data), MOST)
    if len(rows) < FEWEST:
        raise Misread(
            f"Of {world.title} {len(rows):,} pictures show nothing else that varies, and "
            f"{FEWEST} are needed: let more of its factors vary."
        )
    pictures, values = pooled(data, rows)
    z = world.latents(_varied(world, values)).clip(-1, 1).astype(np.float32)
    order, *ends, _ = np.random.default_rng(0).permutation(len(rows)), *QUARTERS.values()
    split = np.split(order, [len(order) // 4 * end for end in ends])
    return Subset(Points(z), pictures, dict(zip(QUARTERS, split, strict=True)))


def _known(factor: Factor) -> tuple[object, ...]:
    """All of a factor but what it is called on a page, and where it rests."""
    return factor.name, factor.kind, factor.low, factor.high, factor.classes


def _varied(world: World, values: Array) -> Array:
    """The columns of values (n, every) that vary in a world, in its order."""
    names = [factor.name for factor in world.every]
    return values[:, [names.index(name) for name in world.varied]]


def _fitting(world: World, data: Loaded) -> Array:
    """Rows whose varied factors have latents, and whose others rest, found block by block.

    Those outside an arc that is travelled have none.
    """
    blocks = [np.arange(at, min(at + ROWS, data.size)) for at in range(0, data.size, ROWS)]
    rest = _rest(world, (data.values(block) for block in blocks))
    found = []
    for block in blocks:
        values = data.values(block)
        fits = (np.abs(world.latents(_varied(world, values))) <= 1 + 1e-6).all(1)
        for i, value in rest.items():
            fits &= values[:, i] == value
        found.append(block[fits])
    return np.concatenate(found)


def _rest(world: World, blocks: Iterable[Array]) -> dict[int, float]:
    """By column the value at which it rests, of those that do not vary and lie on a grid."""
    still = [i for i, factor in enumerate(world.every) if factor.name not in world.varied]
    there: dict[int, set[float]] = {i: set() for i in still}
    for values in blocks:
        for i in still:
            if len(there[i]) <= GRID:
                there[i].update(np.unique(values[:, i]).tolist())
    return {
        i: RESTING.get((world.name, world.every[i].name), sorted(seen)[len(seen) // 2])
        for i, seen in there.items()
        if len(seen) <= GRID
    }
