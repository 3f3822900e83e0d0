"""3DIdent: ten latents of a rendered scene, found from pairs of pictures that lie close.

Zimmermann et al. 2021, Table 4. The table has no untrained encoder; it stands beside here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.datasets.registry import SOURCES
from core.datasets.subset import Points, latents, pooled, some
from core.metrics import linear_r2, mcc
from core.papers.images import IDENT
from core.papers.pictures.protocol import Number, Protocol, Recipe, Scored, known

if TYPE_CHECKING:
    from core.papers.pictures.train import Codes

Array = np.ndarray
PAIRS, SHOWN = 6000, 4096  # pairs that train; pictures of the test set
STEP = 0.1  # sigma, as published: of the positives before the nearest picture is taken
RECIPE = Recipe("conv", 256, 1, 10, 2000, 128, 3e-3)
Law = Literal["normal", "laplace"]


@dataclass(frozen=True)
class Model:
    """A row of the table: its name there, the law of its pairs and the space of its codes."""

    words: tuple[str, str, str]  # p(z̃|z), model space, q_h
    law: Law = "normal"
    space: Literal["unbounded", "box", "sphere"] = "unbounded"
    told: bool = False


MODELS: Mapping[str, Model] = {
    "supervised": Model(("supervised", "unbounded", "–"), told=True),
    "normal-box": Model(("normal", "box", "normal"), space="box"),
    "normal-unbounded": Model(("normal", "unbounded", "normal")),
    "laplace-box": Model(("Laplace", "box", "normal"), "laplace", "box"),
    "normal-sphere": Model(("normal", "sphere", "vMF"), space="sphere"),
}


def measure(rows: Sequence[str], folder: Path, seeds: Sequence[int]) -> Iterator[Number]:
    """R² and MCC of every row, on pictures of the test set."""
    from core.papers.pictures import train  # torch

    train_set, test_set = (SOURCES[f"3dident_{part}"].load(folder) for part in ("train", "test"))
    shown, z = pooled(test_set, some(np.arange(test_set.size), SHOWN))
    z = latents(test_set, z)
    x = train.raw(shown)
    kept: dict[Law, tuple[Array, Array, Array]] = {}
    for row in rows:
        model = MODELS[row]
        if model.law not in kept:
            kept.clear()
            every = latents(train_set, train_set.values(np.arange(train_set.size)))
            pairs = positives(every, model.law)
            used, place = np.unique(pairs, return_inverse=True)
            pictures, _ = pooled(train_set, used)
            kept[model.law] = pictures, place.reshape(pairs.shape), every[used]
        pictures, pairs, target = kept[model.law]
        codes = _codes(model, pictures, pairs, target, shown, seeds)
        printed = _printed(model)
        if "identity R²" in printed:
            same = known(linear_r2(z, x))
            yield Number(row, _words(model), "identity R²", (same,) * len(seeds),
                         printed=printed["identity R²"], unit=100)  # fmt: skip
        for score, of in (("R²", linear_r2), ("MCC", mcc)):
            here, before = (
                tuple(known(of(z, each)) if np.isfinite(each).all() else None for each in some_)
                for some_ in (codes.trained, codes.untrained)
            )
            beside: dict[str, Scored] = {"untrained": before}
            if score == "MCC":
                beside["pixels"] = (known(mcc(z, x)),) * len(seeds)
            yield Number(row, _words(model), score, here, beside, printed[score], 100)


def positives(z: Array, law: Law, pairs: int = PAIRS, seed: int = 0) -> Array:
    """Pairs of rows (P, 2) of z (n, k): at random, and the nearest row to a step from it.

    A step that leaves [-1, 1] is drawn again, coordinate by coordinate. As published a positive is
    a row of the set, which may be the same.
    """
    rng = np.random.default_rng(seed)
    anchors = rng.choice(len(z), min(pairs, len(z)), replace=False)
    draw = rng.normal if law == "normal" else rng.laplace
    centre = z[anchors]
    there = np.full(centre.shape, np.inf)
    while (left := np.abs(there) > 1).any():
        there[left] = draw(centre[left], STEP)
    return np.stack([anchors, Points(z).nearest(there)], 1)


def _codes(
    model: Model, pictures: Array, pairs: Array, target: Array, shown: Array, seeds: Sequence[int]
) -> "Codes":
    from core.papers.pictures import train  # torch

    if model.told:
        return train.of_factors(pictures, target, shown, RECIPE, seeds)
    similarity = train.Similarity(2, model.space, STEP)
    return train.of_pairs(pictures, pairs, shown, RECIPE, similarity, seeds)


def _printed(model: Model) -> dict[str, str]:
    heads = "p(z̃|z)", "model space", "q_h"
    row = next(each for each in IDENT.rows if tuple(each[head] for head in heads) == model.words)
    return {score: row[score] for score in ("identity R²", "R²", "MCC") if row[score] != "–"}


def _words(model: Model) -> str:
    return ", ".join(word for word in model.words if word != "–")


PROTOCOL = Protocol(
    "3dident", IDENT, {row: ("3dident_train", "3dident_test") for row in MODELS},
    f"Here: {PAIRS:,} pairs of the training set, the second picture that whose latents are nearest "
    f"to a step of {STEP:g}; pooled to 32 × 32, three convolutions, {RECIPE.steps:,} steps of "
    f"batch {RECIPE.batch}, τ that matches the step; scored on {SHOWN:,} pictures of the test set, "
    "identity and pixels pooled to 16 × 16. There: all pictures, 224 × 224, ResNet18, 30,000 steps "
    "of batch 512, τ = 1. The row of augmentations is not run.",
    "about 5 CPU-minutes a row, and 16,000 pictures opened (an estimate)",
    measure,
)  # fmt: skip
