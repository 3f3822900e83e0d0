"""What a world of pictures is: its factors, and latents in [-1, 1] as what they mean there.

n images, k factors; arrays may have more axes in front. No torch: a page reads these values, and
`core.images.render` draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

Kind = Literal["ordinal", "categorical", "circular"]


@dataclass(frozen=True)
class Factor:
    """One factor of variation, whose latent lies in [-1, 1].

    ordinal: -1 is low, 1 is high, straight between. circular: the same, and low and high are one
    picture, a period apart. categorical: [-1, 1] is cut into equal bins, and the factor is the
    number of the bin, from 0 = low to high.
    """

    name: str
    title: str
    kind: Kind
    low: float
    high: float
    unit: str = ""
    rest: float = 0.0  # its value, in its unit, where it does not vary
    classes: tuple[str, ...] = ()  # names of a categorical factor's values

    @property
    def word(self) -> str:
        """Its name as a narrow axis has it."""
        return self.name.replace("_", " ")

    def value(self, z: Any) -> Any:
        """Latents in [-1, 1], a NumPy array or a tensor of any shape, in the factor's unit."""
        share = (z + 1) / 2
        if self.kind == "categorical":
            return (share * len(self.classes)).clip(0, len(self.classes) - 0.5) // 1
        return self.low + share * (self.high - self.low)

    def latent(self, value: Any) -> Any:
        """The latents of these values; of a category the middle of its bin."""
        if self.kind == "categorical":
            return (2 * value + 1) / len(self.classes) - 1
        return 2 * (value - self.low) / (self.high - self.low) - 1


def categories(name: str, title: str, *classes: str) -> Factor:
    """A categorical factor of these values, numbered from 0."""
    return Factor(name, title, "categorical", 0, len(classes) - 1, "class", classes=classes)


@dataclass(frozen=True)
class World:
    """A world of pictures: which factors vary, and how large the images are."""

    name: str  # of its renderer in `core.images.render`, where it has no painter
    title: str
    source: str  # the data set in whose spirit it is, and its paper
    every: tuple[Factor, ...]  # all that its renderer takes, in that order
    varied: tuple[str, ...]  # names of those that latents stand for, in their order
    channels: int  # 1 in grey, 3 in colour
    side: int = 32  # pixels
    # who has its pictures: (itself, z (n, k), side) -> (n, side, side) or (n, side, side, 3)
    painter: Callable[["World", np.ndarray, int], np.ndarray] | None = field(
        default=None, compare=False
    )

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The factors that vary, one a latent."""
        known = {factor.name: factor for factor in self.every}
        return tuple(known[name] for name in self.varied)

    def only(self, *names: str) -> "World":
        """The same world where these factors vary, in this order, and the others rest.

        A name that it has not, or that comes twice, is a ValueError.
        """
        known = [factor.name for factor in self.every]
        if not names or len(set(names)) < len(names) or not set(names) <= set(known):
            raise ValueError(f"Factors of {self.name} are among {', '.join(known)}, each once.")
        return replace(self, varied=names)

    def opened(self, share: float) -> "World":
        """The same world where circular factors travel an arc, whose ends differ: ordinal ones.

        The arc is this share of the circle, about the middle of its range; 3DIdent's is a half.
        Not within (0, 1) it is a ValueError.
        """
        if not 0 < share < 1:
            raise ValueError("An arc is a share of the circle between 0 and 1.")
        return replace(self, every=tuple(_arc(factor, share) for factor in self.every))

    def values(self, z: np.ndarray) -> np.ndarray:
        """Latents (..., k) as values of the varied factors in their units (..., k)."""
        self.check(z)
        return np.stack([f.value(z[..., i]) for i, f in enumerate(self.factors)], -1)

    def latents(self, values: np.ndarray) -> np.ndarray:
        """Values of the varied factors (..., k) as latents (..., k); of a class the middle."""
        self._count(values)
        return np.stack([f.latent(values[..., i]) for i, f in enumerate(self.factors)], -1)

    def centred(self, z: np.ndarray) -> np.ndarray:
        """The same latents (..., k), of a category the middle of its bin, where pictures are."""
        self.check(z)
        columns = [
            f.latent(f.value(z[..., i])) if f.kind == "categorical" else z[..., i]
            for i, f in enumerate(self.factors)
        ]
        return np.stack(columns, -1)

    def check(self, z: Any) -> None:
        """ValueError unless z (..., k), an array or a tensor, has a column a factor in [-1, 1]."""
        self._count(z)
        if not bool((abs(z) <= 1).all()):
            raise ValueError(f"Latents of {self.name} are numbers from -1 to 1.")

    def _count(self, columns: Any) -> None:
        if not columns.ndim or columns.shape[-1] != len(self.varied):
            raise ValueError(
                f"{self.title} has {len(self.varied)} factors here ({', '.join(self.varied)}), "
                f"so an array of shape (..., {len(self.varied)}), not {tuple(columns.shape)}."
            )


@dataclass(frozen=True)
class Table:
    """Real images and factors that were measured on them, instead of rendered from them."""

    images: np.ndarray  # (n, side, side) float32 in [0, 1]
    values: np.ndarray  # (n, k) float64, each in its factor's unit
    factors: Sequence[Factor]  # k


def _arc(factor: Factor, share: float) -> Factor:
    if factor.kind != "circular":
        return factor
    middle, half = (factor.low + factor.high) / 2, share * (factor.high - factor.low) / 2
    return replace(factor, kind="ordinal", low=middle - half, high=middle + half)
