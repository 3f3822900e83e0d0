"""The grid of pixels that shapes are drawn on, coverage of a pixel, and the wheel of hues."""

from math import pi

import torch
from torch import Tensor


def pixels(side: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Centres of columns from left to right (1, 1, side) and of rows from the top (1, side, 1).

    In half sides from the middle, x to the right and y up.
    """
    x = (torch.arange(side, device=like.device, dtype=like.dtype) + 0.5) * (2 / side) - 1
    return x[None, None, :], -x[None, :, None]


def each(values: Tensor) -> tuple[Tensor, ...]:
    """Columns of values (n, k), each (n, 1, 1), to be drawn with pixels."""
    return tuple(column[:, None, None] for column in values.unbind(-1))


def coverage(distance: Tensor, side: int) -> Tensor:
    """The share of a pixel that a shape covers, in [0, 1], written over the distance.

    distance is signed and in half sides, negative inside; the edge is a ramp one pixel wide.
    """
    return distance.mul_(-side / 2).add_(0.5).clamp_(0, 1)


def wheel(hue: Tensor, depth: float) -> tuple[Tensor, Tensor, Tensor]:
    """Linear red, green and blue in [1 - depth, 1] of hues in radians: 0 red, 2 pi / 3 green.

    Cosines, so that a colour is smooth in its hue all around the circle.
    """
    red, green, blue = (1 - depth * (1 - torch.cos(hue - k * 2 * pi / 3)) / 2 for k in range(3))
    return red, green, blue
