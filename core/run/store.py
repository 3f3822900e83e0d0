"""Results on disk, one atomic .npz per member: the visitor's store, then the shipped gallery."""

import json
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from core.kept.folder import Damaged, Folder, damage, default_folder, replacing, why
from core.run.archive import GALLERY, Gallery
from core.run.experiment import Member, Record, Result

SIZE_CAP = 2_000_000_000
MOST_UNSAVED = 64  # results kept in memory, where the folder cannot be written: some MB each
MOST_RECENT = 48  # results kept in memory because they were just read
FORMAT = 2

log = logging.getLogger(__name__)


class Store:
    """Results by member key.

    `folder` is read and written (default: `EXPLORER_CACHE`, else the platform's cache folder);
    `gallery` is read when the folder has nothing. Any number of processes may share a folder. What
    a folder does not take (read-only, full, a file in its place) is kept in memory, the newest
    `MOST_UNSAVED`, for as long as this object lives. Arrays that are read cannot be written.
    """

    def __init__(
        self,
        folder: Path | None = None,
        gallery: Path | None = GALLERY,
        size_cap: int = SIZE_CAP,
    ) -> None:
        self.files = Folder(folder or default_folder(), size_cap)
        self.gallery = None if gallery is None else Gallery(gallery)
        self.reads = 0  # results read from disk
        self._unsaved: dict[str, tuple[Result, str]] = {}  # with why, oldest first
        self._recent: OrderedDict[str, tuple[object, Record | Result]] = OrderedDict()
        self._lock = threading.Lock()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.files.look_through()
        except OSError as error:
            log.warning("results cannot be saved: %s", why(error))

    @property
    def folder(self) -> Path:
        """Where results are written."""
        return self.files.path

    def get(self, member: Member) -> Result | None:
        """The stored Result, or None. A damaged file is reported, set aside, and counts as none."""
        unsaved = self._unsaved.get(member.key)
        if unsaved is not None:
            return unsaved[0]
        found = self._from_folder(member, whole=True)
        if found is None and self.gallery is not None:
            stamp = self.gallery.stamp(member)
            found = self._kept(member.key, stamp, whole=True)
            if found is None and stamp is not None and (found := self.gallery.get(member)):
                self._keep(member.key, stamp, found)
        assert found is None or isinstance(found, Result)
        return found

    def record(self, member: Member) -> Record | None:
        """The scores of a stored run and where they come from, as `get` finds it."""
        unsaved = self._unsaved.get(member.key)
        if unsaved is not None:
            return unsaved[0].record
        found = self._from_folder(member, whole=False)
        if found is not None:
            return found.record if isinstance(found, Result) else found
        return self.gallery.record(member) if self.gallery else None

    def put(self, result: Result) -> None:
        """Write atomically; the oldest results make room when the folder passes its size.

        Where the folder cannot be written the result is kept in memory, and `unsaved` says why.
        """
        key = result.member.key
        try:
            with self.files.writing(f"{key}.npz") as file:
                _save(file, result)
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

    def has(self, member: Member) -> bool:
        """Whether there is a result of this member in any layer (its file is not opened)."""
        return (
            member.key in self._unsaved
            or _stat(self.folder / f"{member.key}.npz") is not None
            or (self.gallery is not None and member.key in self.gallery)
        )

    def _from_folder(self, member: Member, whole: bool) -> Record | Result | None:
        """What the folder has of a member: its Result, or where not the `whole`, maybe a Record."""
        path = self.folder / f"{member.key}.npz"
        stat = _stat(path)
        if stat is None:
            return None
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        found = self._kept(member.key, stamp, whole)
        if found is not None:
            return found
        try:
            found = read(path, member) if whole else read_record(path, member)
        except FileNotFoundError:  # removed by another process between the two calls
            return None
        except Damaged as reason:
            log.warning("set aside a damaged result: %s", reason)
            self.files.set_aside(path)
            return None
        self._keep(member.key, stamp, found)
        return found

    def _kept(self, key: str, stamp: object, whole: bool) -> Record | Result | None:
        """What was read a short while ago, if it is still what there is to read."""
        with self._lock:
            before, found = self._recent.get(key, (None, None))
            if before != stamp or (whole and not isinstance(found, Result)):
                return None
            self._recent.move_to_end(key)
            return found

    def _keep(self, key: str, stamp: object, found: Record | Result) -> None:
        with self._lock:
            self.reads += isinstance(found, Result)
            self._recent[key] = (stamp, found)
            self._recent.move_to_end(key)
            while len(self._recent) > MOST_RECENT:
                self._recent.popitem(last=False)

    def unsaved(self, members: Iterable[Member]) -> str | None:
        """Why a result of these members is in memory only; None when all are on disk or absent."""
        kept = (self._unsaved.get(member.key) for member in members)
        return next((each[1] for each in kept if each is not None), None)


def _stat(path: Path) -> os.stat_result | None:
    """Of a file, as far as there is one and this user may know of it."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None


def write(path: Path, result: Result) -> int:
    """Write a Result to `path` so that a reader sees the old file, the new one, or none.

    Gives the file's size in bytes.
    """
    with replacing(path) as file:
        _save(file, result)
        return file.tell()


def _save(file: BinaryIO, result: Result) -> None:
    arrays = result.arrays()
    meta = {
        "format": FORMAT,
        "key": result.member.key,
        "arrays": sorted(arrays),
        "scenario": result.member.scenario,
        "params": result.member.params.model_dump(),
        "seed": result.member.seed,
        "scores": result.scores,
        "diverged": result.diverged,
        "steps": result.steps,
        "playable": result.playable,
        "provenance": result.provenance,
    }
    text = json.dumps(meta, allow_nan=False).encode()
    np.savez(file, meta=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]


def read(path: Path, member: Member | None = None) -> Result:
    """Read a Result back; `member`, when given, must be the one in the file. Raises Damaged."""
    with damage(path), np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop("meta").tobytes())
        if sorted(arrays) != meta["arrays"]:
            raise ValueError(f"arrays {sorted(arrays)}, expected {meta['arrays']}")
        for array in arrays.values():
            array.setflags(write=False)
        return Result.of(_record(meta, member), arrays)


def read_record(path: Path, member: Member | None = None) -> Record:
    """Read what a file says of its run without the arrays, as `read` does."""
    with damage(path), np.load(path, allow_pickle=False) as file:
        return _record(json.loads(file["meta"].tobytes()), member)


def _record(meta: dict[str, Any], member: Member | None) -> Record:
    if meta["format"] != FORMAT:
        raise ValueError(f"format {meta['format']}, expected {FORMAT}")
    if member is None:
        member = Member.of(meta["scenario"], meta["params"], meta["seed"])
    if meta["key"] != member.key:
        raise ValueError("holds another member's result")
    return Record(
        member, meta["scores"], meta["diverged"], meta["provenance"], meta["steps"],
        meta["playable"],
    )  # fmt: skip
