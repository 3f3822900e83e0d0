"""Results on disk, one atomic .npz per member: the visitor's store, then the shipped gallery."""

import json
import logging
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from core.run.archive import GALLERY, Damaged, Gallery
from core.run.experiment import Member, Record, Result

SIZE_CAP = 2_000_000_000
ROOM = 0.9  # of the cap that is left full when results are removed: it is not needed at every put
RECOUNT = 500  # writes after which the folder is looked through: other processes fill it as well
MOST_UNSAVED = 64  # results kept in memory, where the folder cannot be written: some MB each
MOST_RECENT = 48  # results kept in memory because they were just read
STALE_SECONDS = 3600
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
        self.folder = folder or default_folder()
        self.gallery = None if gallery is None else Gallery(gallery)
        self.size_cap = size_cap
        self.reads = 0  # results read from disk
        self._unsaved: dict[str, tuple[Result, str]] = {}  # with why, oldest first
        self._recent: OrderedDict[str, tuple[object, Record | Result]] = OrderedDict()
        self._lock = threading.Lock()
        self._size = self._written = 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._look_through()
        except OSError as error:
            log.warning("results cannot be saved: %s", _why(error))

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
            self.folder.mkdir(parents=True, exist_ok=True)
            size = write(self.folder / f"{key}.npz", result)
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
            self._size += size
            self._written += 1
            look = self._size > self.size_cap or self._written % RECOUNT == 0
        if look:
            self._make_room()

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
            self._set_aside(path)
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

    def _set_aside(self, path: Path) -> None:
        try:
            path.replace(path.with_suffix(".damaged"))
        except FileNotFoundError:  # another reader was first
            pass
        except OSError as error:  # it is read as damaged again: nothing but time is lost
            log.warning("a damaged result stays where it is: %s", _why(error))

    def _make_room(self) -> None:
        """Count what the folder holds, and remove the oldest results where that is too much."""
        files = self._look_through()
        if self._size <= self.size_cap:
            return
        for _, size, path in sorted(files):
            if self._size <= ROOM * self.size_cap:
                return
            try:
                path.unlink(missing_ok=True)
            except OSError as error:  # what was just written is there all the same
                log.warning("no room is made for results: %s", _why(error))
                return
            self._size -= size

    def _look_through(self) -> list[tuple[float, int, Path]]:
        """Age, size and path of every result; what killed writers and damage left is removed.

        That is left alone until nobody can be looking at it any more.
        """
        files = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                left = entry.name.startswith(".tmp-") or entry.name.endswith(".damaged")
                if not left and not entry.name.endswith(".npz"):
                    continue
                try:
                    stat = entry.stat()
                except FileNotFoundError:  # another process removed it
                    continue
                if not left:
                    files.append((stat.st_mtime, stat.st_size, Path(entry.path)))
                elif time.time() - stat.st_mtime > STALE_SECONDS:
                    Path(entry.path).unlink(missing_ok=True)
        self._size = sum(size for _, size, _ in files)
        return files


def _stat(path: Path) -> os.stat_result | None:
    """Of a file, as far as there is one and this user may know of it."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None


def _why(error: OSError) -> str:
    """What went wrong with which file, in the system's words."""
    return f"{error.filename or 'the disk'}: {error.strerror or error}"


def default_folder() -> Path:
    """`EXPLORER_CACHE`, or the platform's cache folder."""
    chosen = os.environ.get("EXPLORER_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("identifiability-explorer")


def write(path: Path, result: Result) -> int:
    """Write a Result to `path` so that a reader sees the old file, the new one, or none.

    Gives the file's size in bytes.
    """
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
    handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            text = json.dumps(meta, allow_nan=False).encode()
            np.savez(file, meta=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]
            size = file.tell()
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return size


def read(path: Path, member: Member | None = None) -> Result:
    """Read a Result back; `member`, when given, must be the one in the file. Raises Damaged."""
    with _damage(path), np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop("meta").tobytes())
        if sorted(arrays) != meta["arrays"]:
            raise ValueError(f"arrays {sorted(arrays)}, expected {meta['arrays']}")
        for array in arrays.values():
            array.setflags(write=False)
        return Result.of(_record(meta, member), arrays)


def read_record(path: Path, member: Member | None = None) -> Record:
    """Read what a file says of its run without the arrays, as `read` does."""
    with _damage(path), np.load(path, allow_pickle=False) as file:
        return _record(json.loads(file["meta"].tobytes()), member)


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn what damage surfaces as, almost any error of zip, NumPy or JSON, into Damaged."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        raise Damaged(f"{path.name}: {error}") from error


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
