"""Results on disk, one atomic .npz per member: the visitor's store, then the shipped gallery."""

import dataclasses
import json
import logging
import math
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from core.experiment import Member, Result
from core.scenarios import SCENARIOS

GALLERY = Path(__file__).parent / "gallery"
SIZE_CAP = 2_000_000_000
MOST_UNSAVED = 64  # results kept in memory, where the folder cannot be written: some MB each
STALE_SECONDS = 3600
FORMAT = 1
GROUPS = ("history", "world", "moving")  # the fields of a Result that hold arrays by name

log = logging.getLogger(__name__)


class Damaged(Exception):
    """A file that cannot be read back as the Result its name promises."""


class Store:
    """Results by member key.

    `folder` is read and written (default: `EXPLORER_CACHE`, else the platform's cache folder);
    `gallery` is read when the folder has nothing. Any number of processes may share a folder. What
    a folder does not take (read-only, full, a file in its place) is kept in memory, the newest
    `MOST_UNSAVED`, for as long as this object lives.
    """

    def __init__(
        self,
        folder: Path | None = None,
        gallery: Path | None = GALLERY,
        size_cap: int = SIZE_CAP,
    ) -> None:
        self.folder = folder or default_folder()
        self.gallery = gallery
        self.size_cap = size_cap
        self._unsaved: dict[str, tuple[Result, str]] = {}  # with why, oldest first
        self._lock = threading.Lock()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep_temporaries()
        except OSError as error:
            log.warning("results cannot be saved: %s", _why(error))

    def get(self, member: Member) -> Result | None:
        """The stored Result, or None. A damaged file is reported, set aside, and counts as none."""
        unsaved = self._unsaved.get(member.key)
        if unsaved is not None:
            return unsaved[0]
        for layer in (self.folder, self.gallery):
            path = layer / f"{member.key}.npz" if layer else None
            if path is None or not _exists(path):
                continue
            try:
                return read(path, member)
            except FileNotFoundError:  # removed by another process between the two calls
                continue
            except Damaged as reason:
                log.warning("set aside a damaged result: %s", reason)
                if layer == self.folder:
                    self._set_aside(path)
        return None

    def put(self, result: Result) -> None:
        """Write atomically; the oldest results make room when the folder passes its size.

        Where the folder cannot be written the result is kept in memory, and `unsaved` says why.
        """
        key = result.member.key
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write(self.folder / f"{key}.npz", result)
        except OSError as error:
            reason = f"{self.folder} cannot be written ({error.strerror or error})"
            log.warning("a result is kept in memory only: %s", reason)
            with self._lock:
                self._unsaved.pop(key, None)
                self._unsaved[key] = (result, reason)
                for oldest in list(self._unsaved)[:-MOST_UNSAVED]:
                    del self._unsaved[oldest]
            return
        with self._lock:
            self._unsaved.pop(key, None)
        self._make_room()

    def has(self, member: Member) -> bool:
        """Whether there is a result of this member in any layer (its file is not opened)."""
        return member.key in self._unsaved or any(
            layer is not None and _exists(layer / f"{member.key}.npz")
            for layer in (self.folder, self.gallery)
        )

    def unsaved(self, members: Iterable[Member]) -> str | None:
        """Why a result of these members is in memory only; None when all are on disk or absent."""
        kept = (self._unsaved.get(member.key) for member in members)
        return next((each[1] for each in kept if each is not None), None)

    def _set_aside(self, path: Path) -> None:
        try:
            path.replace(path.with_suffix(".damaged"))
        except FileNotFoundError:  # another reader was first
            pass
        except OSError as error:  # it is read as damaged again: nothing but time is lost
            log.warning("a damaged result stays where it is: %s", _why(error))

    def _make_room(self) -> None:
        files = [(stat.st_mtime, stat.st_size, path) for path, stat in _stats(self.folder, "*.npz")]
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self.size_cap:
                return
            try:
                path.unlink(missing_ok=True)
            except OSError as error:  # what was just written is there all the same
                log.warning("no room is made for results: %s", _why(error))
                return
            total -= size

    def _sweep_temporaries(self) -> None:
        """Remove what killed writers and damage left behind, once nobody can be looking at it."""
        for pattern in (".tmp-*", "*.damaged"):
            for path, stat in _stats(self.folder, pattern):
                if time.time() - stat.st_mtime > STALE_SECONDS:
                    path.unlink(missing_ok=True)


def _exists(path: Path) -> bool:
    """Whether there is such a file, as far as this user may know."""
    try:
        return path.exists()
    except PermissionError:
        return False


def _why(error: OSError) -> str:
    """What went wrong with which file, in the system's words."""
    return f"{error.filename or 'the disk'}: {error.strerror or error}"


def default_folder() -> Path:
    """`EXPLORER_CACHE`, or the platform's cache folder."""
    chosen = os.environ.get("EXPLORER_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("identifiability-explorer")


def write(path: Path, result: Result, small: bool = False) -> None:
    """Write a Result to `path` so that a reader sees the old file, the new one, or none.

    `small` packs and compresses it, which takes longer to write: for the gallery.
    """
    arrays, meta = _flatten(result)
    if small:
        meta["packed"] = [[name, a.dtype.str, a.shape] for name, a in arrays.items()]
        arrays = {"packed": _packed(arrays.values())}
    handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            text = json.dumps(meta, allow_nan=False).encode()
            save = np.savez_compressed if small else np.savez
            save(file, meta=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path, member: Member | None = None) -> Result:
    """Read a Result back; `member`, when given, must be the one in the file. Raises Damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop("meta").tobytes())
        if "packed" in meta:
            arrays = _unpacked(arrays["packed"], meta["packed"])
        result = _restore(arrays, meta)
    except FileNotFoundError:
        raise
    except Exception as error:  # flipped bits surface as almost any error of zip, NumPy or JSON
        raise Damaged(f"{path.name}: {error}") from error
    if member is not None and result.member.key != member.key:
        raise Damaged(f"{path.name}: holds another member's result")
    return result


def _packed(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Arrays one after the other, the first bytes of each before its second bytes and so on.

    Signs and exponents then lie side by side, which compresses better, and an archive's overhead
    is paid once.
    """
    flat = (np.ascontiguousarray(a).reshape(-1) for a in arrays)
    turned = [a.view(np.uint8).reshape(len(a), a.itemsize).T.reshape(-1) for a in flat]
    return np.concatenate(turned)


def _unpacked(
    packed: np.ndarray, layout: list[tuple[str, str, list[int]]]
) -> dict[str, np.ndarray]:
    arrays, start = {}, 0
    for name, dtype, shape in layout:
        kind, count = np.dtype(dtype), math.prod(shape)
        part = packed[start : start + count * kind.itemsize]
        bytes_of_each = np.ascontiguousarray(part.reshape(kind.itemsize, count).T)
        arrays[name] = bytes_of_each.reshape(-1).view(kind).reshape(shape)
        start += count * kind.itemsize
    if start != len(packed):
        raise ValueError(f"{len(packed)} bytes, expected {start}")
    return arrays


def _flatten(result: Result) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    arrays: dict[str, np.ndarray] = {}
    for f in dataclasses.fields(Result):
        value = getattr(result, f.name)
        if isinstance(value, np.ndarray):
            arrays[f.name] = value
    for group in GROUPS:
        for name, array in getattr(result, group).items():
            arrays[f"{group}.{name}"] = array
    meta = {
        "format": FORMAT,
        "arrays": sorted(arrays),
        "scenario": result.member.scenario,
        "params": result.member.params.model_dump(),
        "seed": result.member.seed,
        "scores": result.scores,
        "diverged": result.diverged,
        "provenance": result.provenance,
    }
    return arrays, meta


def _restore(arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> Result:
    if meta["format"] != FORMAT:
        raise ValueError(f"format {meta['format']}, expected {FORMAT}")
    if sorted(arrays) != meta["arrays"]:
        raise ValueError(f"arrays {sorted(arrays)}, expected {meta['arrays']}")
    params = SCENARIOS[meta["scenario"]].Params.model_validate(meta["params"])
    nested: dict[str, dict[str, np.ndarray]] = {group: {} for group in GROUPS}
    plain: dict[str, Any] = {}
    for name, array in arrays.items():
        group, _, rest = name.partition(".")
        if rest:
            nested[group][rest] = array
        else:
            plain[name] = array
    return Result(
        member=Member(meta["scenario"], params, meta["seed"]),
        scores=meta["scores"],
        diverged=meta["diverged"],
        provenance=meta["provenance"],
        **plain,
        **nested,  # type: ignore[arg-type]
    )


def _stats(folder: Path, pattern: str) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.glob(pattern):
        try:
            yield path, path.stat()
        except FileNotFoundError:  # another process removed it
            continue
