"""What an encoder sees of a world: its pictures as rows of numbers, and how well factors are told.

m members, n pictures, k factors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core import metrics
from core.images.render import paint
from core.images.world import World

Array = np.ndarray
LEVELS = 255  # above black
AT_ONCE = 2048  # pictures of full size in memory


@dataclass(frozen=True)
class Camera:
    """The mixing g of a world of pictures: latents in [-1, 1]^k -> pixels, the same for all.

    Pictures are drawn at the world's own side, pooled to `side` where that is less, and have 8 bits
    a number: a read-out of finer ones would live on differences that nobody sees.
    """

    world: World
    side: int

    def __call__(self, z: Tensor) -> Tensor:
        """z (m, n, k) -> x (m, n, channels side side), in [0, 1], rows of one channel first."""
        m, n, _ = z.shape
        parts = [self._taken(part) for part in z.flatten(0, 1).split(AT_ONCE)]
        return torch.cat(parts).unflatten(0, (m, n))

    def _taken(self, z: Tensor) -> Tensor:
        """Latents (n, k) -> (n, channels side side)."""
        pictures = paint(self.world, z, self.world.side)
        pictures = pictures[:, None] if self.world.channels == 1 else pictures.permute(0, 3, 1, 2)
        if self.side < self.world.side:
            pictures = pooled(pictures, self.world.side // self.side)
        return (pictures.flatten(1) * LEVELS).round() / LEVELS

    def members(self, chosen: Sequence[int]) -> "Camera":
        """Every member has the same."""
        return self

    def arrays(self, i: int) -> dict[str, Array]:
        """Nothing was drawn to make it."""
        return {}


def pooled(pictures: Tensor, size: int) -> Tensor:
    """Means of blocks of size x size pixels, of pictures (..., side, side).

    Bit for bit what PyTorch's own pooling gives, in a fraction of its time on a CPU.
    """
    first, *others = (
        pictures[..., row::size, column::size] for row in range(size) for column in range(size)
    )
    total = first.clone()
    for each in others:
        total += each
    return total.div_(size**2)


def by_factor(world: World, z: Array, z_hat: Array) -> dict[str, float]:
    """By factor of z (n, k) how well codes z_hat (n, d_hat) tell it; held out, by least squares.

    R2 of an ordinal factor, of a circular one R2 of its sine and cosine, of a category the
    accuracy of the classifier by least squares on one-hot classes.
    """
    values = world.values(z)
    found, lines = {}, {}
    for i, factor in enumerate(world.factors):
        if factor.kind == "categorical":
            found[factor.name] = metrics.least_squares_accuracy(z_hat, values[:, i].astype(int))
        else:
            lines[factor.name] = _on_a_line(factor.kind, z[:, i])
    if not lines:  # a world of categories alone
        return found
    fit, test = metrics.halves(len(z))
    target = np.concatenate(list(lines.values()), 1)
    map_, offset = metrics.affine_map(z_hat[fit], target[fit])
    told, at = z_hat[test] @ map_ + offset, 0
    for name, its in lines.items():
        columns = slice(at, at := at + its.shape[1])
        found[name] = metrics.r2(its[test], told[:, columns])
    return {name: found[name] for name in world.varied}


def correlations(world: World, z: Array, z_hat: Array, intercept: bool) -> dict[str, float]:
    """By ordinal or categorical factor Pearson's r of it and its linear read-out, held out.

    As published, a category by its number; without an `intercept` the read-out goes through the
    origin (`core.metrics.read_out_correlations`).
    """
    told = metrics.read_out_correlations(world.values(z), z_hat, *metrics.halves(len(z)), intercept)
    return {
        factor.name: float(r)
        for factor, r in zip(world.factors, told, strict=True)
        if factor.kind != "circular"
    }


def _on_a_line(kind: str, z: Array) -> Array:
    """An ordinal factor as it is (n, 1), a circular one as its sine and cosine (n, 2)."""
    if kind == "circular":
        return np.stack([np.sin(np.pi * z), np.cos(np.pi * z)], 1)
    return z[:, None]
