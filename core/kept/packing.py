"""The arrays of a run as bytes for the gallery: fixed point, differences, zstd (from Arrow).

What is drawn (points, curves, many rows) is kept to half a 1,023rd of its largest number, a tenth
of a pixel; arrays of a few numbers, of which figures compute, keep every bit.
"""

from typing import Any

import numpy as np
import pyarrow as pa

STEPS = 1023  # of fixed point, from 0 to the largest number
FEW = 64  # numbers a frame, below which an array is kept as it is
LEVEL = 19  # of zstd, to write; reading takes the same time at any

Layout = dict[str, Any]  # of one array: dtype, shape and, where it is in fixed point, its unit
_zstd = pa.Codec("zstd", compression_level=LEVEL)


def pack(array: np.ndarray, moves: bool = False, curves: bool = False) -> tuple[Layout, bytes]:
    """An array's layout and bytes, before compression.

    `moves` says that the first axis is time, `curves` that the last but one runs along a curve:
    neighbours there are alike, and only their differences are kept.
    """
    layout: Layout = {"dtype": array.dtype.str, "shape": array.shape}
    many = array.size >= FEW * (len(array) if moves else 1)
    if array.dtype.kind != "f" or not many or not np.isfinite(array).all():
        return layout, np.ascontiguousarray(array).tobytes()
    wide = array.astype(np.float64)
    unit = float(np.abs(wide).max(initial=0)) / STEPS or 1.0
    ticks = np.round(wide / unit).astype(np.int16)
    axes = ([0] if moves else []) + ([-2] if curves else [])
    for axis in axes:
        ticks = np.diff(ticks, axis=axis, prepend=np.int16(0))
    return {**layout, "unit": unit, "along": axes}, _in_bytes(ticks)


def unpack(layout: Layout, data: bytes) -> np.ndarray:
    """The array of a layout and its bytes (ValueError when they do not fit); read-only."""
    shape, dtype = tuple(layout["shape"]), np.dtype(layout["dtype"])
    if "unit" not in layout:
        return np.frombuffer(data, dtype).reshape(shape)
    ticks = _from_bytes(data).reshape(shape)
    for axis in reversed(layout["along"]):
        ticks = np.cumsum(ticks, axis=axis, dtype=np.int16)
    array = (ticks * layout["unit"]).astype(np.float32)
    array.setflags(write=False)
    return array


def size(layout: Layout) -> int:
    """How many bytes an array takes before compression."""
    each = 2 if "unit" in layout else np.dtype(layout["dtype"]).itemsize
    return each * int(np.prod(layout["shape"], dtype=np.int64))


def squeeze(data: bytes) -> bytes:
    """Compressed bytes, their length before them in eight."""
    return len(data).to_bytes(8, "little") + _zstd.compress(data, asbytes=True)


def expand(data: bytes) -> bytes:
    """The bytes that were squeezed. Raises OSError or ValueError when they are damaged."""
    length = int.from_bytes(data[:8], "little")
    return _zstd.decompress(data[8:], decompressed_size=length, asbytes=True)


def _in_bytes(ticks: np.ndarray) -> bytes:
    """Small numbers of either sign as small ones without, low bytes first: zeros side by side."""
    folded = ((ticks << 1) ^ (ticks >> 15)).view(np.uint16).ravel()
    return np.concatenate([folded.astype(np.uint8), (folded >> 8).astype(np.uint8)]).tobytes()


def _from_bytes(data: bytes) -> np.ndarray:
    low, high = np.frombuffer(data, np.uint8).reshape(2, -1).astype(np.uint16)
    folded = low | (high << 8)
    return ((folded >> 1) ^ (0 - (folded & 1)).astype(np.uint16)).view(np.int16)
