"""Arrays in an .npz file of anybody's, read row by row out of the zip, and never unpickled.

An .npz is a zip of .npy files (NumPy's format, versions 1.0 and 2.0).
"""

import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from core.datasets.loaded import BLOCK, MOST_HELD, Misread, Rows, exactly, told


@dataclass(frozen=True)
class Member:
    """One array of an .npz, of which only the header has been read."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    start: int  # bytes of its header

    def whole(self) -> np.ndarray:
        """All of it; more than 64 MiB (`MOST_HELD`) is a `Misread`."""
        size = prod(self.shape) * self.dtype.itemsize
        if size > MOST_HELD:
            raise Misread(f"{self.path.name}: {self.name} is larger than {MOST_HELD:,} bytes.")
        with told(self.path), _opened(self.path, self.name) as file:
            exactly(file, self.start, self.path)
            data = exactly(file, size, self.path)
        return np.frombuffer(data, self.dtype).reshape(self.shape)

    def rows(self, rows: Rows) -> np.ndarray:
        """These rows, which grow: (n, *shape[1:]).

        What lies between is skipped, in blocks of 1 MiB where the array is compressed, and nothing
        is read after the last.
        """
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        stride = prod(self.shape[1:]) * self.dtype.itemsize
        with told(self.path), _opened(self.path, self.name) as file:
            _skip(file, self.start, self.path)
            at = 0
            for i, row in enumerate(rows.tolist()):
                _skip(file, (row - at) * stride, self.path)
                data = exactly(file, stride, self.path)
                out[i] = np.frombuffer(data, self.dtype).reshape(self.shape[1:])
                at = row + 1
        return out


def member(path: Path, name: str, shape: tuple[int | None, ...], kinds: str) -> Member:
    """The array `name` of an .npz, of this shape, where None is any length from 1 on.

    kinds are NumPy's letters of its dtype, as "u1" or "i u" (a letter alone is any width). Another
    shape or dtype, an object array, one stored column by column, a header that claims more than
    there is, a key that is missing: each is a `Misread`.
    """
    with told(path), _opened(path, name) as file:
        version = np.lib.format.read_magic(file)
        readers: dict[tuple[int, int], Any] = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in readers:
            raise Misread(f"{path.name}: {name} is in a version of NumPy's format not read here.")
        found, by_columns, dtype = readers[version](file)
        start = file.tell() - _origin(file)
        held = _size(path, name)
    if dtype.hasobject:
        raise Misread(f"{path.name}: {name} holds Python objects, and none is ever unpickled.")
    wanted = "(" + ", ".join("n" if side is None else str(side) for side in shape) + ")"
    if len(found) != len(shape) or any(
        side != want if want is not None else side < 1
        for side, want in zip(found, shape, strict=True)
    ):
        raise Misread(f"{path.name}: {name} has the shape {found}, not {wanted}.")
    if dtype.kind not in kinds.split() and dtype.str[1:] not in kinds.split():
        raise Misread(f"{path.name}: {name} holds {dtype}, which is not what is expected.")
    if by_columns and len(found) > 1:
        raise Misread(f"{path.name}: {name} is stored column by column, and not read so.")
    size = prod(found) * dtype.itemsize  # Python's numbers, which do not overflow
    if size + start != held:
        raise Misread(f"{path.name}: {name} claims {size:,} bytes and has {held - start:,}.")
    return Member(path, name, found, dtype, start)


class _Part:
    """A file whose first bytes lie at an offset: an array that is stored uncompressed."""

    def __init__(self, file: IO[bytes], origin: int) -> None:
        self.file, self.origin = file, origin
        self.read, self.tell = file.read, file.tell
        file.seek(origin)

    def skip(self, count: int) -> None:
        self.file.seek(count, 1)


def _origin(file: Any) -> int:
    return file.origin if isinstance(file, _Part) else 0


def _size(path: Path, name: str) -> int:
    with zipfile.ZipFile(path) as archive:
        return archive.getinfo(f"{name}.npy").file_size


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Any]:
    """The bytes of an array, from its header on."""
    with zipfile.ZipFile(path) as archive:
        if f"{name}.npy" not in archive.namelist():
            raise Misread(f"{path.name} has no array {name}.")
        info = archive.getinfo(f"{name}.npy")
        if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1:
            with path.open("rb") as file:  # it can be jumped in
                file.seek(info.header_offset)
                head = exactly(file, 30, path)
                names, extra = struct.unpack("<HH", head[26:30])
                yield _Part(file, info.header_offset + 30 + names + extra)
        else:
            with archive.open(info) as file:
                yield file


def _skip(file: Any, count: int, path: Path) -> None:
    if isinstance(file, _Part):
        file.skip(count)
        return
    while count:
        step = min(count, BLOCK)
        exactly(file, step, path)
        count -= step
