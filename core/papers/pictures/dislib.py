"""DisLib: what a classifier's code keeps of the factors, as Pearson's r of a linear read-out.

Reizinger et al. 2025, Table 4. The table has no untrained encoder and no read-out with an
intercept; both stand beside here.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from core.datasets.loaded import Misread
from core.datasets.registry import SOURCES
from core.datasets.subset import pooled, some
from core.metrics import read_out_correlations
from core.papers.images import DISLIB
from core.papers.pictures.protocol import Number, Protocol, Recipe, Scored, known

Array = np.ndarray
PICTURES = 10_000  # of a set
FITTED = 0.8  # of them, which train the encoder and fit the read-out
# set: the table's name of it, and its factors by the table's names; the category is the class
SETS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "dsprites": (
        "dSprites", {"category": "shape", "scale": "scale", "posX": "x", "posY": "y"},
    ),
    "shapes3d": (
        "Shapes3D", {"category": "shape", "objSize": "scale", "objAzimuth": "orientation"},
    ),
    "mpi3d_toy": (
        "MPI3D",
        {"category": "object_shape", "posX": "horizontal_axis", "posY": "vertical_axis"},
    ),
    "mpi3d_real": (
        "MPI3D real",
        {"category": "object_shape", "posX": "horizontal_axis", "posY": "vertical_axis"},
    ),
    "cars3d": ("Cars3D", {"category": "car", "elevation": "elevation"}),
    "smallnorb": ("smallNORB", {"category": "category", "elevation": "elevation"}),
}  # fmt: skip
ENCODERS: dict[str, Recipe] = {
    "MLP": Recipe("mlp", 512, 2, 512, 1200, 256, 1e-3),
    "CNN": Recipe("conv", 512, 1, 512, 600, 256, 2e-3),
}
ROWS = {f"{name}-{latent}": (name,) for name, (_, factors) in SETS.items() for latent in factors}


def measure(rows: Sequence[str], folder: Path, seeds: Sequence[int]) -> Iterator[Number]:
    """The numbers of rows, a data set at a time: r of x, of the MLP's code and of the CNN's."""
    for name in dict.fromkeys(ROWS[row][0] for row in rows):
        wanted = [latent for latent in SETS[name][1] if f"{name}-{latent}" in rows]
        yield from _of_set(name, wanted, folder, seeds)


def _of_set(
    name: str, wanted: Sequence[str], folder: Path, seeds: Sequence[int]
) -> Iterator[Number]:
    from core.papers.pictures import train  # torch

    title, factors = SETS[name]
    data = SOURCES[name].load(folder)
    pictures, values = pooled(data, some(np.arange(data.size), PICTURES))
    place = {factor.name: i for i, factor in enumerate(data.factors)}
    labels = values[:, place[factors["category"]]].astype(np.int64)
    if len(np.unique(labels)) < 2:
        raise Misread(f"{title} has one class in what is read, and nothing is told apart.")
    order = np.random.default_rng(0).permutation(len(labels))
    fit, test = np.split(order, [int(FITTED * len(order))])
    z = values[:, [place[factors[latent]] for latent in wanted]]

    x = train.raw(pictures)
    bare, affine = (read_out_correlations(z, x, fit, test, each) for each in (False, True))
    columns = [("x", [bare] * len(seeds), {"with intercept": [affine] * len(seeds)})]
    for kind, recipe in ENCODERS.items():
        codes = train.of_classes(pictures, labels, fit, recipe, seeds)
        found = [
            [read_out_correlations(z, code, fit, test, intercept) for code in each]
            for each in (codes.trained, codes.untrained)
            for intercept in (False, True)
        ]
        words = ("with intercept", "untrained", "untrained, with intercept")
        columns.append((kind, found[0], dict(zip(words, found[1:], strict=True))))
    for i, latent in enumerate(wanted):
        printed = next(
            row for row in DISLIB.rows if (row["data"], row["latent"]) == (title, latent)
        )
        for column, here, beside in columns:
            yield Number(
                f"{name}-{latent}", f"{title}, {latent}", column, _of(here, i),
                {word: _of(each, i) for word, each in beside.items()}, printed[column],
            )  # fmt: skip


def _of(found: Sequence[Array], i: int) -> Scored:
    return tuple(known(each[i]) for each in found)


PROTOCOL = Protocol(
    "dislib", DISLIB, ROWS,
    f"Here: {PICTURES:,} pictures of a set at random, pooled to 16 × 16 (CNN 32 × 32), the same "
    f"for every seed; {ENCODERS['MLP'].steps:,} steps (CNN {ENCODERS['CNN'].steps}) of batch "
    f"{ENCODERS['MLP'].batch} without BatchNorm, the CNN of three convolutions; the read-out is "
    "fitted to the 80 % that train and scored on the others, and x is the pooled picture. There: "
    "all pictures, 64 × 64, ResNet18, up to 100 epochs of batch 4,096, the checkpoint chosen on "
    "the pictures that score.",
    "about 4 CPU-minutes a data set, and its file read up to three times",
    measure,
)  # fmt: skip
