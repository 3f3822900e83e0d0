"""ImageNet-X: which factors a linear probe tells from features, and whether that is luck.

Reizinger et al. 2025, Figure 3, which prints no numbers. Beside its test stand one of corrected
variance, an exact one of one split, and the same of labels that are dealt at random.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from core.datasets import imagenetx
from core.datasets.loaded import Loaded
from core.datasets.registry import SOURCES
from core.metrics.logistic import logistic, told
from core.metrics.significance import LEVELS, PUBLISHED_TESTS, Resplit, splits
from core.papers.images import IMAGENET_X
from core.papers.pictures.protocol import Number, Protocol, Scored, known

Array = np.ndarray
UNTRAINED = f"{imagenetx.FOLDER}/untrained.npz"  # of the same form, where the user has it
OF_A_CLASS, POOL = 500, 2000  # pictures at most: of the rarer class, and of the other
AT_ONCE = 1 << 24  # bytes of features that are read together
SCORES = ("accuracy", "p as published")


def measure(rows: Sequence[str], folder: Path, seeds: Sequence[int]) -> Iterator[Number]:
    """Accuracy of each factor, and p values that it is a half."""
    data = SOURCES["imagenet_x"].load(folder)
    sets = {"": data}
    if (folder / UNTRAINED).is_file():
        sets["untrained"] = imagenetx.load(folder, features=UNTRAINED)
    scales = {name: _scale(each) for name, each in sets.items()}
    for row in rows:
        i = imagenetx.NAMES.index(row)
        found: dict[str, list[Resplit | None]] = {}
        for seed in seeds:
            for name, each in sets.items():
                code, y, rng = _drawn(each, i, scales[name], seed)
                found.setdefault(name, []).append(_resplit(code, y, rng))
                if not name:
                    dealt = rng.permutation(y)
                    found.setdefault("dealt", []).append(_resplit(code, dealt, rng))
        words = data.factors[i].title
        others = {"untrained features": "untrained", "labels at random": "dealt"}
        others = {said: name for said, name in others.items() if name in found}
        yield Number(row, words, SCORES[0], _of(found[""], "mean"),
                     {said: _of(found[name], "mean") for said, name in others.items()})  # fmt: skip
        yield Number(
            row, words, SCORES[1], _of(found[""], "published"),
            {
                "p corrected": _of(found[""], "corrected"),
                "p of one split": _of(found[""], "once"),
                **{f"p as published, {said}": _of(found[name], "published")
                   for said, name in others.items()},
            },
        )  # fmt: skip


def _of(found: Sequence[Resplit | None], name: str) -> Scored:
    return tuple(None if each is None else known(getattr(each, name)) for each in found)


def _scale(data: Loaded) -> tuple[Array, Array]:
    """Mean and deviation (d,) of features over all pictures, read in parts."""
    most = max(1, min(data.most, AT_ONCE // (4 * data.shape[0])))
    total, square = np.zeros(data.shape[0]), np.zeros(data.shape[0])
    first: Array | None = None
    for start in range(0, data.size, most):
        part = data.read(np.arange(start, min(start + most, data.size)))[0].astype(float)
        first = part[0] if first is None else first  # about which squares stay small
        total += (part - first).sum(0)
        square += ((part - first) ** 2).sum(0)
    assert first is not None
    mean = total / data.size
    variance = (square / data.size - mean**2).clip(0)
    return first + mean, np.where(variance > 0, np.sqrt(variance), 1)


def _drawn(
    data: Loaded, i: int, scale: tuple[Array, Array], seed: int
) -> tuple[Array, Array, np.random.Generator]:
    """Standardised features (n, d) and labels (n,) of a factor: as many as are read at once."""
    rng = np.random.default_rng(seed)
    unusual = data.values(np.arange(data.size))[:, i] > 0
    rare = unusual.sum() * 2 <= len(unusual)
    few, many = (np.flatnonzero(unusual == each) for each in (rare, not rare))
    room = max(2, min(data.most, AT_ONCE // (4 * data.shape[0])) // 2)
    kept = [rng.permutation(few)[: min(OF_A_CLASS, room)],
            rng.permutation(many)[: min(POOL, room)]]  # fmt: skip
    rows = np.sort(np.concatenate(kept))
    mean, deviation = scale
    return (data.read(rows)[0] - mean) / deviation, unusual[rows], rng


def _resplit(code: Array, y: Array, rng: np.random.Generator) -> Resplit | None:
    """Ten re-splits as published, one regression at a time; None of too few pictures."""
    try:
        fits, tests = splits(y, rng)
    except ValueError:
        return None
    right = []
    for fit, test in zip(fits, tests, strict=True):
        x_fit, x_test = _turned(code[fit], code[test])
        answers = told(x_test[None], *logistic(x_fit[None], y[None, fit]))[0]
        right.append((answers == y[test]).mean())
    return Resplit(np.array(right), fits.shape[1], tests.shape[1])


def _turned(fit: Array, test: Array) -> tuple[Array, Array]:
    """Points in axes that span those that fit, where these are fewer than their dimensions.

    The regression is the same: its weights lie in that span, whose axes are orthonormal.
    """
    if len(fit) >= fit.shape[1]:
        return fit, test
    axes = np.linalg.svd(fit, full_matrices=False)[2].T
    return fit @ axes, test @ axes


PROTOCOL = Protocol(
    "imagenet-x", IMAGENET_X, {name: ("imagenet_x",) for name in imagenetx.NAMES},
    "Here: features of your own, standardised over all pictures as published; at most "
    f"{OF_A_CLASS} pictures of the rarer class and {POOL:,} of the other, drawn by each seed, and "
    "ten re-splits of them; 16 factors, since ImageNet's classes are not in the file, and no "
    f"feature is left out. An asterisk there is p < {LEVELS[1]:.1g}, 0.05 over {PUBLISHED_TESTS} "
    f"tests. Where {UNTRAINED} is there, the features of an untrained encoder stand beside. There: "
    "ResNet50 and ViT-B/16, 17 factors, ten re-splits of all pictures.",
    "about 10 CPU-minutes for 2,048 features (an estimate)",
    measure,
)  # fmt: skip
