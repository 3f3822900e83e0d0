"""Arrays in files that anybody may have written: numbers are read, and nothing is unpickled."""

from pathlib import Path

import numpy as np

MOST = 1 << 28  # numbers in a file: 2 GB at eight bytes


class Unreadable(ValueError):
    """A file that holds no array of numbers, and why, in a sentence."""


def loaded(path: Path) -> np.ndarray:
    """The array of an .npy file. Raises `Unreadable` where it is none, in a sentence."""
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r")
    except FileNotFoundError:
        raise Unreadable(f"{path}: there is no such file") from None
    except (OSError, ValueError, EOFError) as error:
        raise Unreadable(f"{path}: {_why(error)}") from error
    if not isinstance(array, np.ndarray):
        raise Unreadable(f"{path}: holds several arrays; save one with np.save")
    if array.size > MOST:
        raise Unreadable(
            f"{path}: {array.size:,} numbers are more than {MOST:,}: take fewer samples"
        )
    return array


def _why(error: Exception) -> str:
    if "pickle" in str(error).lower() or "Python objects" in str(error):
        return (
            "is no .npy file of numbers (and unpickling, which objects would take, is never done)"
        )
    return f"cannot be read as .npy ({error})"
