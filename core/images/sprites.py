"""Sprites: a square, an ellipse or a heart, white on black, antialiased by signed distances.

In the spirit of dSprites (Matthey et al. 2017), whose factors but its constant colour they have.
Where the distance is not exact it has the right sign, and slope 1 across the edge.
"""

import torch
from torch import Tensor

from core.images.canvas import coverage, each, pixels

SQUARE = 0.3  # half a side, at scale 1, in half sides of the image
ELLIPSE = (0.4, 0.22)  # semi-axes
HEART = 0.29  # half a diagonal of the square under a heart's two discs
FAR = 9.0  # puts a shape that is not meant out of the image
DROP = 0.05  # how far that square lies below the heart's middle


def paint(values: Tensor, side: int) -> Tensor:
    """Shape (0 square, 1 ellipse, 2 heart), scale, rotation, x, y (n, 5) -> (n, side, side)."""
    shape, scale, rotation, x, y = each(values)
    column, row = pixels(side, values)
    cosine, sine = torch.cos(rotation) / scale, torch.sin(rotation) / scale
    # the pixel in the shape's own frame at scale 1: a row of numbers and a column, added
    u = (column - x) * cosine + (row - y) * sine
    v = (row - y) * cosine - (column - x) * sine
    u.abs_()  # every shape is its own mirror image
    each_kind = torch.maximum(u, v.abs()).sub_(SQUARE), _ellipse(u, v), _heart(u, v)
    distance = None
    for kind, its in enumerate(each_kind):
        its.add_((shape != kind) * FAR)  # cheaper than a choice for every pixel
        distance = its if distance is None else torch.minimum(distance, its, out=distance)
    assert distance is not None
    return coverage(distance.mul_(scale), side)


def _ellipse(u: Tensor, v: Tensor) -> Tensor:
    """Signed distance to first order, q / |grad q| of q = (u / a)^2 + (v / b)^2 - 1."""
    a, b = ELLIPSE
    p, q = u * (1 / a), v * (1 / b)
    p2, q2 = p * p, q * q
    slope = (p2 * (1 / a**2)).add_(q2, alpha=1 / b**2).add_(1e-12).sqrt_()
    return p2.add_(q2).sub_(1).div_(slope.mul_(2))


def _heart(u: Tensor, v: Tensor) -> Tensor:
    """A square on its corner and a disc on each of its upper edges; u is |u|."""
    down = v + DROP
    square = (u + down.abs()).sub_(HEART).mul_(0.5**0.5)
    across, above = u - HEART / 2, down.sub_(HEART / 2)
    disc = across.square_().add_(above.square_()).sqrt_().sub_(HEART * 0.5**0.5)
    return torch.minimum(square, disc)
