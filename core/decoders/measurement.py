"""What was measured of a decoder, kept in the visitor's store under the digest of its numbers."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.decoders.ruler import CHOLESKY, PCA, TURNED, Ruler
from core.entropy import Array, Estimate, Reading
from core.kept.folder import Damaged, Folder, damage, default_folder

PLACE = "measured"  # of the folder in the store, and the key of a link to one of them
SIZE_CAP = 100_000_000
MOST_LATENTS = 1024  # of a measurement that is kept: 4 MB
FORMAT = 1
LONGEST = 80  # letters of a file's name
DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class Measurement:
    """A decoder's numbers beside their ruler, and which file they are of (day: UTC)."""

    name: str
    day: str
    reading: Reading
    ruler: Ruler


class Label(NamedTuple):
    """What a list says of a measurement."""

    digest: str
    name: str
    day: str
    samples: int
    dimensions: tuple[int, int]
    total_correlation: Estimate


class Shelf:
    """Measurements by digest, in a folder that any number of processes may share.

    `folder` is by default "measured" in the visitor's store; the oldest make room.
    """

    def __init__(self, folder: Path | None = None, size_cap: int = SIZE_CAP) -> None:
        self.files = Folder(folder or default_folder() / PLACE, size_cap)

    def put(self, measurement: Measurement) -> str:
        """Keep it; its digest. Raises OSError, and ValueError for more than 1,024 latents."""
        d = measurement.reading.dimensions[1]
        if d > MOST_LATENTS:
            raise ValueError(f"{d:,} latents are more than the {MOST_LATENTS:,} that are kept")
        numbers, arrays = _numbers(measurement), _arrays(measurement)
        key = _digest(numbers, arrays)
        told = {"name": measurement.name[:LONGEST], "day": measurement.day, "numbers": numbers}
        text = json.dumps(told, allow_nan=False).encode()
        with self.files.writing(f"{key}.npz") as file:
            np.savez_compressed(file, meta=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]
        return key

    def get(self, digest: str) -> Measurement | None:
        """The measurement, or None where there is none. Raises Damaged, ValueError for no digest.

        A file is damaged whose numbers have another digest than its name says.
        """
        path = self._path(digest)
        try:
            with damage(path), np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
                told = json.loads(arrays.pop("meta").tobytes())
                if _digest(told["numbers"], arrays) != digest:
                    raise ValueError("its numbers are not those that were written")
                return _measurement(_label(digest, told), told["numbers"], arrays)
        except FileNotFoundError:
            return None

    def newest(self, most: int) -> list[Label]:
        """What is kept, the newest first; what is damaged is left out."""
        try:
            files = self.files.look_through()
        except OSError:  # nothing was ever measured
            return []
        found: list[Label] = []
        for _, _, path in sorted(files, reverse=True):
            if len(found) == most:
                break
            try:
                with damage(path), np.load(path, allow_pickle=False) as file:
                    found.append(_label(path.stem, json.loads(file["meta"].tobytes())))
            except (Damaged, FileNotFoundError):
                continue
        return found

    def _path(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"a digest is 64 hexadecimal digits, not {digest[:LONGEST]!r}")
        return self.files.path / f"{digest}.npz"


def _numbers(measurement: Measurement) -> dict[str, Any]:
    """All but the arrays, as JSON has it."""
    reading = measurement.reading
    return {
        "format": FORMAT,
        "samples": reading.samples,
        "dimensions": list(reading.dimensions),
        "entropy": list(reading.entropy),
        "total_correlation": list(reading.total_correlation),
        "marks": {name: list(mark) for name, mark in measurement.ruler.marks.items()},
    }


def _arrays(measurement: Measurement) -> dict[str, Array]:
    """Spectra (d,) in full, pairs (d (d - 1) / 2,) above the diagonal and in single precision."""
    reading = measurement.reading
    above = np.triu_indices(reading.dimensions[1], 1)
    return {
        "pairs": reading.pairs[above].astype(np.float32),
        "pairs_error": reading.pairs_error[above].astype(np.float32),
        "ruler": measurement.ruler.spectrum,
        "spectrum": reading.spectrum,
        "spectrum_error": reading.spectrum_error,
    }


def _digest(numbers: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """SHA-256 of everything but a file's name and day."""
    found = hashlib.sha256(json.dumps(numbers, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes())
    return found.hexdigest()


def _label(digest: str, told: Mapping[str, Any]) -> Label:
    """Raises ValueError (or KeyError, TypeError) where it is not what `put` writes."""
    numbers, name, day = told["numbers"], told["name"], told["day"]
    if numbers["format"] != FORMAT:
        raise ValueError(f"format {numbers['format']}, expected {FORMAT}")
    if not (isinstance(name, str) and len(name) <= LONGEST and isinstance(day, str)):
        raise ValueError("no name or no day")
    datetime.strptime(day, "%Y-%m-%d")
    samples, (high, low) = numbers["samples"], numbers["dimensions"]
    whole = all(type(each) is int for each in (samples, high, low))
    if not (whole and samples >= 2 and 1 <= low <= min(high, MOST_LATENTS)):
        raise ValueError(f"{samples} samples of {low} latents in {high} dimensions")
    return Label(digest, name, day, samples, (high, low), _estimate(numbers["total_correlation"]))


def _measurement(
    label: Label, numbers: Mapping[str, Any], arrays: Mapping[str, Array]
) -> Measurement:
    d = label.dimensions[1]
    above = np.triu_indices(d, 1)
    shapes = {"pairs": above[0].shape, "pairs_error": above[0].shape, "ruler": (d,),
              "spectrum": (d,), "spectrum_error": (d,)}  # fmt: skip
    if {name: array.shape for name, array in arrays.items()} != shapes:
        raise ValueError(f"arrays of other shapes than {shapes}")
    for name, array in arrays.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{name} holds something else than numbers")
    marks = {name: _estimate(mark) for name, mark in numbers["marks"].items()}
    if not {PCA} <= marks.keys() <= {PCA, CHOLESKY, TURNED}:
        raise ValueError(f"no ruler of linear decoders has the marks {list(marks)}")
    square = {}
    for name in ("pairs", "pairs_error"):
        square[name] = np.full((d, d), np.nan)
        square[name][above] = square[name].T[above] = arrays[name]
    reading = Reading(
        label.samples, label.dimensions, _estimate(numbers["entropy"]), arrays["spectrum"],
        arrays["spectrum_error"], label.total_correlation, **square,
    )  # fmt: skip
    return Measurement(label.name, label.day, reading, Ruler(marks, arrays["ruler"]))


def _estimate(pair: Any) -> Estimate:
    value, error = map(float, pair)
    if not np.isfinite([value, error]).all():
        raise ValueError("a number that is not finite")
    return Estimate(value, error)
