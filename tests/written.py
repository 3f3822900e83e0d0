"""Small files in the form of published data sets, and what a loader should read from them."""

import io
import json
import pickle
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from core.datasets import cars3d, dsprites, ident, imagenetx, kitti, mpi3d, shapes3d, smallnorb
from core.datasets.registry import SOURCES
from core.images.render import render
from core.images.worlds import SPRITES


class Trap:
    """An object whose unpickling writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def noise(shape, most=256, seed=0):
    return np.random.default_rng(seed).integers(0, most, shape).astype(np.uint8)


def npz(path, arrays, changes, packed=True):
    """Arrays with changes; one that is changed to None is left out."""
    arrays = {key: value for key, value in (arrays | changes).items() if value is not None}
    (np.savez_compressed if packed else np.savez)(path, **arrays)


def write_dsprites(folder, n=40, packed=True, **changes):
    imgs, generator = noise((n, 64, 64), 2), np.random.default_rng(1)
    classes = generator.integers(0, dsprites.SIZES, (n, 6))
    steps = np.array([0, 1, 1 / 10, 2 * np.pi / 39, 1 / 31, 1 / 31])
    values = classes * steps + np.array([1, 1, 0.5, 0, 0, 0])
    arrays = {
        "imgs": imgs, "latents_classes": classes, "latents_values": values,
        "metadata": np.array(Trap(folder / "sprung"), dtype=object),
    }  # fmt: skip
    npz(folder / dsprites.FILE, arrays, changes, packed)
    return 255 * imgs, np.column_stack([classes[:, 1], values[:, 2:]])


GRID, REST = (6, 16, 16), (2, 20)  # scales and places of sprites; shape and rotation that rest


def write_sprites(folder):
    """A dSprites of sprites as they are drawn here: a whole grid of one shape, and some others."""
    on_grid = [(shape, scale, turn, x, y) for shape, turn in [REST]
               for scale, x, y in np.ndindex(GRID)]  # fmt: skip
    others = [(shape, 3, turn, 8, y) for shape in (0, 1) for turn in (0, 39) for y in range(16)]
    shape, scale, turn, x, y = np.array(on_grid + others).T
    values = np.column_stack([
        np.ones(len(x)), shape + 1, 0.5 + scale / 10, turn * 2 * np.pi / 39, x / 15, y / 15,
    ])  # fmt: skip
    z = np.column_stack([shape - 1.0, scale / 2.5 - 1, values[:, 3] / np.pi - 1,
                         2 * values[:, 4:] - 1])  # fmt: skip
    imgs = (render(SPRITES, np.clip(z, -1, 1), 64).numpy() > 0.5).astype(np.uint8)
    classes = np.column_stack([0 * x, shape, scale, turn, 2 * x, 2 * y])
    arrays = {"imgs": imgs, "latents_classes": classes, "latents_values": values}
    npz(folder / dsprites.FILE, arrays, {})
    return 255 * imgs, np.column_stack([shape, values[:, 2:]])


SIZES = (2, 1, 2, 1, 1, 3, 2)  # of an MPI3D of 24 images


def write_mpi3d(folder, packed=False, **changes):
    images = noise((24, 64, 64, 3))
    npz(folder / "mpi3d_toy.npz", {"images": images}, changes, packed)
    return images, np.array(list(np.ndindex(SIZES)), float)


def write_shapes3d(folder, n=30, **changes):
    import h5py

    images, generator = noise((n, 64, 64, 3)), np.random.default_rng(2)
    low, high = np.array([(factor.low, factor.high) for factor in shapes3d.FACTORS]).T
    labels = low + generator.integers(0, 4, (n, 6)) / 3 * (high - low)
    with h5py.File(folder / shapes3d.FILE, "w") as file:
        for key, value in ({"images": images, "labels": labels} | changes).items():
            if value is not None:
                file.create_dataset(key, data=value, compression="gzip")
    return images, labels


def car(image, masks=True):
    """A car's MATLAB file."""
    file = io.BytesIO()
    arrays = {"im": image} | ({"mask": np.zeros((4, 4), np.uint8)} if masks else {})
    savemat(file, arrays, do_compression=True)
    return file.getvalue()


def tar(path, members):
    """A .tar.gz of pairs of a name and bytes, or of a TarInfo and nothing."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for member, data in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            info.size = len(data) if data else 0
            archive.addfile(info, io.BytesIO(data) if data else None)


def write_cars3d(folder):
    image = np.zeros((2, *cars3d.SHAPE), np.uint8)
    marks = noise((2, 24, 4), seed=3)
    for i, j, k in np.ndindex(marks.shape):  # a picture is a row, a column and a colour in black
        image[i, k + 2, :, 0, j, k] = marks[i, j, k]
        image[i, :, j, 1, j, k] = 200
    tar(folder / cars3d.FILE, [
        ("data/cars/car_002_mesh.mat", car(image[1])), ("data/cars/list.txt", b"car_001_mesh"),
        ("data/shapes48.mat", b"no car"), ("data/cars/car_001_mesh.mat", car(image[0])),
    ])  # fmt: skip
    pictures = image.transpose(0, 4, 5, 1, 2, 3).reshape(192, 128, 128, 3)
    return pictures, np.array(list(np.ndindex(2, 24, 4)), float) * (1, 15, 1)


def matrix(path, array, magic=None, sides=None):
    """The binary matrix format of NORB; magic and sides may lie."""
    sides = array.shape if sides is None else sides
    magic = {"u": 0x1E3D4C55, "i": 0x1E3D4C54}[array.dtype.kind] if magic is None else magic
    padded = (*sides, *(1,) * (3 - len(sides)))
    path.write_bytes(struct.pack(f"<II{len(padded)}i", magic, len(sides), *padded)
                     + array.tobytes())  # fmt: skip


def write_smallnorb(folder, **changes):
    (folder / smallnorb.FOLDER).mkdir()
    pictures, values = [], []
    for part, count in enumerate((7, 5)):
        generator = np.random.default_rng(part)
        dat = noise((count, 2, 96, 96), seed=part)
        cat = generator.integers(0, 5, count).astype(np.int32)
        info = generator.integers(0, (10, 9, 18, 6), (count, 4)).astype(np.int32)
        values.append(np.column_stack([cat, info]) * (1, 1, 5, 20, 1) + (0, 0, 30, 0, 0))
        info[:, 2] *= 2  # as it is stored
        pictures.append(dat[:, 0])
        arrays = {"dat": dat, "cat": cat, "info": info} | changes
        for what, name in zip(arrays, smallnorb.FILES[3 * part :], strict=False):
            matrix(folder / name, arrays[what])
    return np.concatenate(pictures), np.concatenate(values)


def write_ident(folder, digits=6, n=3, **changes):
    root = folder / "3dident" / "train"
    (root / "images").mkdir(parents=True)
    images = noise((n, 224, 224, 3))
    latents = changes.get("latents", np.random.default_rng(4).uniform(-1, 1, (n, 10)))
    np.save(root / "raw_latents.npy", latents)
    for i, image in enumerate(images):
        Image.fromarray(image).save(root / "images" / f"{i:0{digits}}.png", compress_level=1)
    return images, latents


def write_kitti(folder, **changes):
    masks = noise((12, 64, 64), 2).astype(bool)
    latents = np.random.default_rng(5).uniform(1, 60, (12, 3))
    arrays = {"masks": masks, "latents": latents, "lengths": np.array([5, 4, 3])}
    npz(folder / kitti.FILE, arrays, changes)
    return 255 * masks.astype(np.uint8), latents


def annotation(name, given):
    return {"file_name": name, "class": 7, "justification": "a toy"} | dict(
        zip(imagenetx.NAMES, given, strict=True)
    )


def write_imagenetx(folder, lines=None, **changes):
    (folder / imagenetx.FOLDER).mkdir()
    given, features = noise((9, 16), 2), np.random.default_rng(6).normal(size=(12, 5))
    names = np.array([f"ILSVRC2012_val_{i:08}.JPEG" for i in range(12)])
    if lines is None:  # the last nine, backwards
        lines = [json.dumps(annotation(name, row.tolist()))
                 for name, row in zip(names[:2:-1], given, strict=True)]  # fmt: skip
    (folder / imagenetx.ANNOTATIONS).write_text("\n".join(lines) + "\n")
    arrays = {"file_names": names, "features": features.astype(np.float32)}
    npz(folder / imagenetx.FEATURES, arrays, changes)
    return features[3:].astype(np.float32), given[::-1].astype(float)


def lying(path, name, shape, packed, held=100):
    """An .npz whose only array claims a shape and holds a few bytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr(f"{name}.npy", header.getvalue() + bytes(min(held, prod(shape))))


load_mpi3d = partial(mpi3d.load, name="mpi3d_toy.npz", sizes=(SIZES,))
SETS = {  # what writes it, what loads it
    "dsprites": (write_dsprites, dsprites.load),
    "dsprites stored": (partial(write_dsprites, packed=False), dsprites.load),
    "shapes3d": (write_shapes3d, shapes3d.load),
    "mpi3d_toy": (write_mpi3d, load_mpi3d),
    "mpi3d_toy packed": (partial(write_mpi3d, packed=True), load_mpi3d),
    "cars3d": (write_cars3d, SOURCES["cars3d"].load),
    "smallnorb": (write_smallnorb, SOURCES["smallnorb"].load),
    "3dident_train": (write_ident, SOURCES["3dident_train"].load),
    "3dident_train short names": (partial(write_ident, digits=1), ident.load),
    "kitti_masks": (write_kitti, SOURCES["kitti_masks"].load),
    "imagenet_x": (write_imagenetx, SOURCES["imagenet_x"].load),
}


def made(name, folder):
    """Its data set, and the pictures and values that were"""
    write, load = SETS[name]
    if name == "shapes3d":
        pytest.importorskip("h5py", reason="h5py, which reads .h5, is not installed")
    images, values = write(folder)
    return load(folder), images, values


def alone(measure: Callable[..., Any], *given: Any) -> Any:
    """What a function of a test file gives in a process where no other thread takes memory.

    Not one of `multiprocessing`, which would run what is `__main__` here: it may be a page.
    """
    code = (
        "import importlib, pickle, sys\n"
        "sys.path[:0], module, name, given = pickle.load(sys.stdin.buffer)\n"
        "measure = getattr(importlib.import_module(module), name)\n"
        "pickle.dump(measure(*given), sys.stdout.buffer)\n"
    )
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    asked = pickle.dumps((folders, measure.__module__, measure.__name__, given))
    done = subprocess.run(
        [sys.executable, "-c", code], input=asked, check=True, capture_output=True
    )
    return pickle.loads(done.stdout)


def traced(read: Callable[[], Any]) -> tuple[Any, int]:
    """What a function gives, and the memory at most meanwhile, in bytes."""
    tracemalloc.start()
    try:
        return read(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
