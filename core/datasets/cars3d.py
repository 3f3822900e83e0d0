"""Cars3D: 183 models of cars, each from 24 sides at 4 heights, 17,568 pictures of 128 x 128.

Reed, Zhang, Zhang and Lee, "Deep Visual Analogy-Making" (2015). The file is a .tar.gz with a MATLAB
file (version 5) a car; a .mat in a folder cars is a car, and nothing is unpacked onto the disk.
"""

import gzip
import io
import posixpath
import struct
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from core.datasets.loaded import Loaded, Misread, Rows, circle, grid, inside, line, told
from core.images.world import categories

FILE = "nips2015-analogy-data.tar.gz"
SHAPE = (128, 128, 3, 24, 4)  # rows, columns, colours, sides, heights
VIEWS = SHAPE[3] * SHAPE[4]
MOST_CARS = 183
MOST_FILE = 1 << 24  # bytes of a car's file, packed or not: its pictures are 4.5 MiB, masks 1.5
COMPRESSED = 15  # MATLAB's type of an element that zlib packed


def load(folder: Path, name: str = FILE) -> Loaded:
    """The .tar.gz of a folder: pictures (128, 128, 3), k = 3: car, azimuth, elevation.

    Cars are numbered by their sorted file names; a car's 96 pictures follow each other, azimuth by
    azimuth. To find its names the file is run through once, and once more for every reading, up to
    the last car wanted, of which one at a time is held: 16 MiB packed and unpacked. A car of
    another form, a member that leads outside, more than 183 cars are a `Misread`.
    """
    path = inside(folder, name)
    names = sorted(member.name for _, member in _cars(path))
    if not names:
        raise Misread(f"{path.name} holds no .mat in a folder cars.")
    if len(names) > MOST_CARS or len(set(names)) < len(names):
        raise Misread(f"{path.name} holds more than {MOST_CARS} cars, or one twice.")
    titles = (posixpath.basename(each).removesuffix(".mat") for each in names)
    factors = (
        categories("car", "Car", *titles),
        circle("azimuth", "Azimuth", 0.0, 360.0, "degrees"),
        line("elevation", "Elevation", 0, SHAPE[4] - 1, "step"),
    )
    sizes = (len(names), SHAPE[3], SHAPE[4])

    def pick(rows: Rows) -> np.ndarray:
        out = np.empty((len(rows), *SHAPE[:3]), np.uint8)
        wanted = {names[i] for i in np.unique(rows // VIEWS)}
        with told(path):
            for archive, member in _cars(path) if wanted else ():
                if member.name in wanted:
                    views = _views(archive.extractfile(member).read(), path, member.name)
                    mine = rows // VIEWS == names.index(member.name)
                    out[mine] = views[rows[mine] % VIEWS]
                    wanted.remove(member.name)
                    if not wanted:
                        break
        return out

    def values(rows: Rows) -> np.ndarray:
        return grid(sizes, rows) * (1, 360 / SHAPE[3], 1)

    size = len(names) * VIEWS
    return Loaded("cars3d", factors, size, SHAPE[:3], np.dtype("u1"), pick, values)


def _cars(path: Path) -> Iterator[tuple[Any, tarfile.TarInfo]]:
    """The archive and each car in it, in the archive's order, as it streams by."""
    # gzip by itself, since tarfile takes a file that breaks off between two members for its end
    with told(path), gzip.open(path) as file, tarfile.open(fileobj=file, mode="r|") as archive:
        for member in archive:
            tarfile.data_filter(member, str(path.parent))  # refuses what leads outside
            folder, name = posixpath.split(member.name)
            if posixpath.basename(folder) == "cars" and name.endswith(".mat"):
                if not member.isreg() or member.size > MOST_FILE:
                    raise Misread(f"{path.name}: {member.name} is no file of a car's size.")
                yield archive, member


def _views(data: bytes, path: Path, name: str) -> np.ndarray:
    """A car's pictures (96, 128, 128, 3), azimuth by azimuth."""
    found = loadmat(io.BytesIO(_inflated(data, path, name)), variable_names=["im"])
    if "im" not in found:
        raise Misread(f"{path.name}: {name} has no array im.")
    image = found["im"]
    if image.shape != SHAPE or image.dtype != np.uint8:
        raise Misread(f"{path.name}: {name} holds {image.shape} of {image.dtype}, not {SHAPE}.")
    return image.transpose(3, 4, 0, 1, 2).reshape(VIEWS, *SHAPE[:3])


def _inflated(data: bytes, path: Path, name: str) -> bytes:
    """A MATLAB file with its elements unpacked, 16 MiB at most, before anything is made of it.

    128 bytes of header, then elements: type and length (4 bytes each, little-endian), content.
    """
    if data[126:128] != b"IM":
        raise Misread(f"{path.name}: {name} is no MATLAB file of version 5 (little-endian).")
    parts, at, room = [data[:128]], 128, MOST_FILE
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        content = data[at + 8 : at + 8 + length]
        if len(content) < length:
            raise Misread(f"{path.name}: {name} breaks off: it is not complete.")
        if kind == COMPRESSED:
            packed = zlib.decompressobj()
            content = packed.decompress(content, room + 1)
            if not packed.eof and len(content) <= room:
                raise Misread(f"{path.name}: {name} breaks off: it is not complete.")
        else:
            content = data[at : at + 8] + content
        room -= len(content)
        if room < 0:
            raise Misread(f"{path.name}: {name} unpacks to more than {MOST_FILE:,} bytes.")
        parts.append(content)
        at += 8 + length
    return b"".join(parts)
