"""What is measured of a table of pictures: a recipe as data, numbers beside published ones.

n pictures, m seeds. Every number is a fraction here, whatever the paper prints.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from core.papers.images import Unrun
from core.papers.table import NUMBERS

Scored = tuple[float | None, ...]  # one number a seed, None where there is none
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Recipe:
    """An encoder of pictures and its training.

    "mlp": `depth` layers of `width` units over pictures pooled to 16 pixels a side. "conv": three
    convolutions of stride 2 over 32 a side, then one such layer.
    """

    encoder: Literal["mlp", "conv"]
    width: int
    depth: int
    d_hat: int  # of the code
    steps: int
    batch: int
    learning_rate: float  # the peak of one cycle


@dataclass(frozen=True)
class Number:
    """A score of a row by seed, what was printed of it, and the controls that the table lacks.

    `printed` is the table's text, in `unit`s (100: percent), none where it prints none.
    """

    row: str
    words: str
    score: str
    here: Scored
    beside: Mapping[str, Scored] = field(default_factory=dict)
    printed: str = ""
    unit: float = 1.0

    @property
    def published(self) -> tuple[float, float] | None:
        """Mean and deviation that were printed."""
        match = NUMBERS.fullmatch(self.printed)
        if match is None:
            return None
        mean, sd = match.groups()
        return float(mean) / self.unit, float(sd) / self.unit


@dataclass(frozen=True)
class Protocol:
    """How a table of pictures is measured here.

    `rows` has the data sets that each row reads, by the row's name. `measure` yields the numbers
    of some rows, read in a folder, for some seeds.
    """

    name: str
    table: Unrun
    rows: Mapping[str, tuple[str, ...]]
    recipe: str  # what differs from the published protocol
    budget: str
    measure: Callable[[Sequence[str], Path, Sequence[int]], Iterator[Number]]


def mean_and_sd(values: Sequence[float | None]) -> tuple[float, float | None] | None:
    """Over seeds, of those that are numbers; one alone has no deviation."""
    known = np.array([value for value in values if value is not None])
    if not len(known):
        return None
    return float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else None


def known(value: float) -> float | None:
    """A score, None where it is no number."""
    return float(value) if np.isfinite(value) else None
