"""ImageNet-X: which of sixteen factors are unusual in a picture of ImageNet, said by people.

Idrissi et al., "ImageNet-X: Understanding Model Mistakes with Factor of Variation Annotations"
(2023). The pictures are ImageNet's, and not read here: in their place are features, which the user
makes of them (`docs/datasets.md`).
"""

import json
from pathlib import Path

import numpy as np

from core.datasets.loaded import MOST_READ, Loaded, Misread, Rows, inside, told
from core.datasets.members import member
from core.images.world import categories

FOLDER = "imagenet_x"
ANNOTATIONS = f"{FOLDER}/imagenet_x_val_multi_factor.jsonl"
FEATURES = f"{FOLDER}/features.npz"
NAMES = (
    "multiple_objects", "background", "color", "brighter", "darker", "style", "larger", "smaller",
    "object_blocking", "person_blocking", "partial_view", "pattern", "pose", "shape",
    "subcategory", "texture",
)  # fmt: skip
FACTORS = tuple(
    categories(name, name.replace("_", " ").capitalize(), "usual", "unusual") for name in NAMES
)
MOST_LINE = 1 << 16  # bytes of one annotation
MOST = 100_000  # annotations, and features


def load(folder: Path, annotations: str = ANNOTATIONS, features: str = FEATURES) -> Loaded:
    """Annotations and features of a folder: rows (d,) float32, k = 16.

    The annotations are a JSON object a line, with file_name and sixteen numbers 0 or 1. The
    features are an .npz with file_names (n,) of text and features (n, d) float32, row for row; the
    rows without an annotation are left out. Another form, a name twice, no name in both, a feature
    that is no number are a `Misread`.
    """
    said, path = _annotations(inside(folder, annotations)), inside(folder, features)
    vectors = member(path, "features", (None, None), "f4")
    names = member(path, "file_names", (vectors.shape[0],), "U").whole().tolist()
    if len(names) > MOST or len(set(names)) < len(names):
        raise Misread(f"{path.name}: file_names has a name twice, or more than {MOST:,}.")
    if 4 * vectors.shape[1] > MOST_READ:
        raise Misread(f"{path.name}: one row of features has more than {MOST_READ:,} bytes.")
    kept = np.array([i for i, name in enumerate(names) if name in said], np.int64)
    if not len(kept):
        raise Misread(f"{path.name}: none of its pictures is annotated.")
    values = np.array([said[names[i]] for i in kept], np.float64)

    def pick(rows: Rows) -> np.ndarray:
        picked = vectors.rows(kept[rows]).astype(np.float32, copy=False)
        if not np.isfinite(picked).all():
            raise Misread(f"{path.name}: features holds what is no number.")
        return picked

    return Loaded(
        "imagenet_x", FACTORS, len(kept), vectors.shape[1:], np.dtype("f4"), pick,
        lambda rows: values[rows],
    )  # fmt: skip


def _annotations(path: Path) -> dict[str, tuple[int, ...]]:
    """Sixteen numbers, 0 or 1, of every file name."""
    said: dict[str, tuple[int, ...]] = {}
    with told(path), path.open("rb") as file:
        number = 0
        while line := file.readline(MOST_LINE + 1):
            number += 1
            if len(line) > MOST_LINE or number > MOST:
                raise Misread(f"{path.name}: line {number} is one too many, or too long.")
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                raise Misread(f"{path.name}: line {number} is no JSON.") from None
            if not isinstance(entry, dict) or not isinstance(entry.get("file_name"), str):
                raise Misread(f"{path.name}: line {number} has no file_name.")
            given = [entry.get(name) for name in NAMES]
            if any(type(each) is not int or each not in (0, 1) for each in given):
                raise Misread(f"{path.name}: line {number} has not 0 or 1 for every factor.")
            if entry["file_name"] in said:
                raise Misread(f"{path.name}: line {number} names a picture a second time.")
            said[entry["file_name"]] = tuple(1 if each else 0 for each in given)
    return said
