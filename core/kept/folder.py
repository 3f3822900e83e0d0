"""A folder of files that are written whole, of which the oldest make room."""

import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import platformdirs

ROOM = 0.9  # of the cap that is left full when files are removed: it is not needed at every write
RECOUNT = 500  # writes after which the folder is looked through: other processes fill it as well
STALE_SECONDS = 3600

log = logging.getLogger(__name__)


class Damaged(Exception):
    """Something stored that cannot be read back as what it is said to be."""


class Folder:
    """The .npz files of a folder, which any number of processes may share.

    It is made when something is first written. Once the files pass `size_cap` bytes the oldest are
    removed.
    """

    def __init__(self, path: Path, size_cap: int) -> None:
        self.path = path
        self.size_cap = size_cap
        self._size: int | None = None  # bytes, once they have been counted
        self._written = 0
        self._lock = threading.Lock()

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file that stands under `name` once it is complete; then room is made if it must be.

        Raises OSError where the folder does not take it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with replacing(self.path / name) as file:
            yield file
            size = file.tell()
        with self._lock:
            self._size = None if self._size is None else self._size + size
            self._written += 1
            full = self._size is None or self._size > self.size_cap
            look = full or self._written % RECOUNT == 0
        if look:
            self._make_room()

    def set_aside(self, path: Path) -> None:
        """Take a damaged file out of the way."""
        try:
            path.replace(path.with_suffix(".damaged"))
        except FileNotFoundError:  # another reader was first
            pass
        except OSError as error:  # it is read as damaged again: nothing but time is lost
            log.warning("a damaged file stays where it is: %s", why(error))

    def _make_room(self) -> None:
        """Count what the folder holds, and remove the oldest files where that is too much."""
        try:
            files = self.look_through()
            held = sum(size for _, size, _ in files)
            for _, size, path in sorted(files) if held > self.size_cap else ():
                if held <= ROOM * self.size_cap:
                    break
                path.unlink(missing_ok=True)
                held -= size
            self._size = held
        except OSError as error:  # what was just written is there all the same
            log.warning("no room is made in the store: %s", why(error))

    def look_through(self) -> list[tuple[float, int, Path]]:
        """Age, size and path of every file; what killed writers and damage left is removed.

        That is left alone until nobody can be looking at it any more. Raises OSError where there is
        no such folder, or none that can be read.
        """
        files = []
        with os.scandir(self.path) as entries:
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


def default_folder() -> Path:
    """`EXPLORER_CACHE`, or the platform's cache folder."""
    chosen = os.environ.get("EXPLORER_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("identifiability-explorer")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place when it is complete.

    A reader sees the old file, the new one, or none.
    """
    handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn what damage surfaces as, almost any error of zip, NumPy or JSON, into Damaged."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        raise Damaged(f"{path.name}: {error}") from error


def why(error: OSError) -> str:
    """What went wrong with which file, in the system's words."""
    return f"{error.filename or 'the disk'}: {error.strerror or error}"
