"""3DIdent: pictures of a teapot under a spotlight, rendered from ten latents in [-1, 1].

Zimmermann, Sharma, Schneider, Bethge and Brendel, "Contrastive Learning Inverts the Data Generating
Process" (2021). A folder with raw_latents.npy and images/, a PNG a row.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from core.datasets.loaded import MOST_HELD, Loaded, Misread, Rows, inside, line, told, within
from core.images.worlds import SCENE
from core.kept.arrays import loaded

SIDE = 224
MOST_FILE = 1 << 20  # bytes of a PNG: unpacked a picture has 150,528
# ten latents in 3DIdent's order, whose arcs do not close: all ordinal
FACTORS = tuple(line(factor.name, factor.title, -1.0, 1.0, "latent") for factor in SCENE.every)


def load(folder: Path, part: str = "train") -> Loaded:
    """3dident/train (or test) of a folder: pictures (224, 224, 3), k = 10.

    Names of pictures are their rows, with as many digits as the last has, or six. They are opened
    one by one when read. Latents that are not (n, 10) floats in [-1, 1], a picture that is missing,
    lies elsewhere or has another size, are a `Misread`.
    """
    root = f"3dident/{part}"
    path = inside(folder, f"{root}/raw_latents.npy")
    with told(path):
        array = loaded(path)
        if array.ndim != 2 or array.shape[1] != len(FACTORS) or not len(array):
            raise Misread(f"{path.name} has the shape {array.shape}, not (n, {len(FACTORS)}).")
        if array.dtype.kind != "f" or array.size * 8 > MOST_HELD:
            raise Misread(f"{path.name} is no array of floats below {MOST_HELD:,} bytes.")
        values = np.array(array, np.float64)
    within(path, values, FACTORS)
    n = len(values)
    digits = 6 if (folder / root / "images" / "000000.png").exists() else len(str(n - 1))

    def pick(rows: Rows) -> np.ndarray:
        out = np.empty((len(rows), SIDE, SIDE, 3), np.uint8)
        for i, row in enumerate(rows.tolist()):
            out[i] = _picture(inside(folder, f"{root}/images/{row:0{digits}}.png"))
        return out

    return Loaded(
        f"3dident_{part}", FACTORS, n, (SIDE, SIDE, 3), np.dtype("u1"), pick,
        lambda rows: values[rows],
    )  # fmt: skip


def _picture(path: Path) -> np.ndarray:
    """A PNG (224, 224, 3); its size is looked at before it is unpacked."""
    if path.stat().st_size > MOST_FILE:
        raise Misread(f"{path.name} has more than {MOST_FILE:,} bytes.")
    with told(path), Image.open(path, formats=["PNG"]) as image:
        if image.size != (SIDE, SIDE):
            raise Misread(f"{path.name} has {image.size} pixels, not ({SIDE}, {SIDE}).")
        if image.mode not in ("RGB", "RGBA"):
            raise Misread(f"{path.name} is no picture in colour.")
        return np.asarray(image.convert("RGB"))
