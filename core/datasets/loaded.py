"""What every loader gives: factors, a size, and pictures by their rows; and how it refuses a file.

n pictures, k factors. Nothing is downloaded and no pickle is opened.
"""

import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from core.images.world import Factor

MOST_READ = 1 << 26  # bytes of pictures in one call: 64 MiB
MOST_HELD = 1 << 26  # bytes of one array that is held whole, as of latents: 64 MiB
BLOCK = 1 << 20  # bytes of a compressed file that are skipped at once: 1 MiB

Rows = np.ndarray  # (n,) of integers


class Misread(ValueError):
    """A file that is not what its name promises, and why, in a sentence."""


@dataclass(frozen=True)
class Loaded:
    """A data set whose pictures lie in its file until they are read.

    Its memory: the values of the factors, in arrays of 64 MiB at most (`MOST_HELD`).
    """

    name: str
    factors: tuple[Factor, ...]  # k
    size: int  # pictures
    shape: tuple[int, ...]  # of a picture: (h, w), (h, w, 3), or (d,) for features
    dtype: np.dtype  # uint8 for pictures, float32 for features
    pick: Callable[[Rows], np.ndarray]  # rows that grow -> (n, *shape)
    values: Callable[[Rows], np.ndarray]  # rows -> (n, k) float64, each in its factor's unit
    lengths: np.ndarray | None = None  # of sequences that follow each other; they sum to size

    @property
    def most(self) -> int:
        """Rows that one call may read: 64 MiB of pictures."""
        return MOST_READ // (prod(self.shape) * self.dtype.itemsize)

    def read(self, rows: Rows | list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Pictures (n, *shape) and values of their factors (n, k) of rows, in their order.

        Pictures are uint8 from 0 black to 255 white, rows from top to bottom, values float64.
        Rows may repeat. It holds 64 MiB of pictures at most (`MOST_READ`), twice that where rows
        do not grow, and a block or one picture of what is skipped. Rows that are no whole numbers,
        outside [0, size) or too many are a `Misread`, and so is a file that breaks off.
        """
        rows = np.asarray(rows)
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
            raise Misread(f"Rows of {self.name} are a list of whole numbers.")
        if rows.size and not 0 <= rows.min() <= rows.max() < self.size:
            raise Misread(f"Rows of {self.name} lie between 0 and {self.size - 1:,}.")
        if len(rows) > self.most:
            raise Misread(f"At most {self.most:,} rows of {self.name} are read at once.")
        rows = rows.astype(np.int64)
        distinct, place = np.unique(rows, return_inverse=True)
        images = self.pick(distinct)
        if not np.array_equal(distinct, rows):
            images = images[place]
        return images, self.values(rows)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What goes wrong while a file is read, as a `Misread` with its name."""
    try:
        yield
    except Misread:
        raise
    except (
        OSError, EOFError, ValueError, KeyError, SyntaxError, TypeError, RuntimeError,
        struct.error, zlib.error, zipfile.BadZipFile, tarfile.TarError,
    ) as error:  # fmt: skip
        why = str(error).rstrip(".") or type(error).__name__
        raise Misread(f"{path.name} cannot be read: {why}.") from error


def inside(folder: Path, name: str) -> Path:
    """The file of that name in a folder. One that lies elsewhere, or nowhere, is a `Misread`."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise Misread(f"{name} leads outside the folder of the data sets.")
    if not path.is_file():
        raise Misread(f"There is no file {name} in the folder of the data sets.")
    return path


def exactly(file: object, count: int, path: Path) -> bytes:
    """So many bytes of an open file; fewer are a `Misread`."""
    data = file.read(count)  # type: ignore[attr-defined]
    if len(data) < count:
        raise Misread(f"{path.name} breaks off: it is not complete.")
    return data


def line(name: str, title: str, low: float, high: float, unit: str = "") -> Factor:
    """An ordinal factor."""
    return Factor(name, title, "ordinal", low, high, unit)


def circle(name: str, title: str, low: float, high: float, unit: str = "") -> Factor:
    """A circular factor, whose low and high are the same picture."""
    return Factor(name, title, "circular", low, high, unit)


def within(path: Path, values: np.ndarray, factors: tuple[Factor, ...]) -> None:
    """`Misread` unless every column of values (n, k) lies in its factor's range."""
    for factor, column in zip(factors, values.T, strict=True):
        slack = 1e-6 * (factor.high - factor.low)  # of rounding to float32
        if not ((column >= factor.low - slack) & (column <= factor.high + slack)).all():
            raise Misread(
                f"{path.name}: {factor.name} leaves its range, {factor.low:g} to {factor.high:g}."
            )


def grid(sizes: tuple[int, ...], rows: Rows) -> np.ndarray:
    """Numbers of the values (n, k) of rows where all combinations follow, the last one fastest."""
    return np.stack(np.unravel_index(rows, sizes), -1).astype(np.float64)
