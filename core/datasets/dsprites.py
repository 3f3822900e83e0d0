"""dSprites: 737,280 sprites of 64 x 64 pixels, drawn from six factors of which one is constant.

Matthey, Higgins, Hassabis and Lerchner, "dSprites: Disentanglement testing Sprites dataset" (2017).
The file's `metadata` is a pickled object, and is never touched.
"""

from math import pi
from pathlib import Path

import numpy as np

from core.datasets.loaded import Loaded, Misread, Rows, circle, inside, line, within
from core.datasets.members import member
from core.images.world import categories

FILE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
FACTORS = (
    categories("shape", "Shape", "square", "ellipse", "heart"),
    line("scale", "Scale", 0.5, 1.0, "of the largest"),
    circle("rotation", "Rotation", 0.0, 2 * pi, "radians"),
    line("x", "Position x", 0.0, 1.0, "of the range"),
    line("y", "Position y", 0.0, 1.0, "of the range"),
)
SIZES = (1, 3, 6, 40, 32, 32)  # values of colour, shape, scale, rotation, x, y
MOST = 737_280


def load(folder: Path, name: str = FILE) -> Loaded:
    """The .npz of a folder: pictures (64, 64), k = 5 (the colour, which is constant, left out).

    Its images are 0 and 1 in the file and 0 and 255 when read. Rows are picked out of the zip: all
    before the last one wanted is decompressed, 1 MiB at a time. A file of another form is a
    `Misread`.
    """
    path = inside(folder, name)
    images = member(path, "imgs", (None, 64, 64), "u1")
    n = images.shape[0]
    if n > MOST:
        raise Misread(f"{path.name} has {n:,} images, and dSprites has {MOST:,}.")
    classes = member(path, "latents_classes", (n, 6), "i u").whole()
    if not ((classes >= 0) & (classes < SIZES)).all():
        raise Misread(f"{path.name}: latents_classes holds a class that dSprites does not have.")
    values = member(path, "latents_values", (n, 6), "f8").whole()[:, 1:].copy()
    values[:, 0] = classes[:, 1]  # the file has shapes 1 to 3
    within(path, values, FACTORS)

    def pick(rows: Rows) -> np.ndarray:
        picked = images.rows(rows)
        if (picked > 1).any():
            raise Misread(f"{path.name}: imgs holds more than 0 and 1.")
        return picked * np.uint8(255)

    return Loaded("dsprites", FACTORS, n, (64, 64), np.dtype("u1"), pick, lambda rows: values[rows])
