"""Masks: a walker's silhouette, white on black, given by its outline in every row.

In the spirit of KITTI Masks (Klindt et al. 2021), the silhouettes of pedestrians in a street, whose
factors are the two coordinates of the middle and the size.
"""

import torch
from torch import Tensor

from core.images.canvas import coverage, each, pixels

HEAD, TOP = 0.15, 0.84  # the head's radius and middle; the figure reaches from -1 to 1
SHOULDER, WAIST, HIP = 0.44, 0.0, -0.1  # heights


def paint(values: Tensor, side: int) -> Tensor:
    """x, y, log height, stride in [0, 1] (n, 4) -> (n, side, side)."""
    x, y, size, stride = each(values)
    column, row = pixels(side, values)
    half = torch.exp(size)  # half a height, in half sides
    u, v = ((column - x) / half).abs_(), (row - y) / half
    outer, inner = _outline(v, stride)
    middle, width = (outer + inner) / 2, (outer - inner) / 2
    body = (u - middle).abs_().sub_(width)
    # the head by its quadratic form, whose slope is 1 on the edge
    head = (u.square_() + ((v - TOP) ** 2 - HEAD**2)).mul_(1 / (2 * HEAD))
    return coverage(torch.minimum(body, head).mul_(half), side)


def _outline(v: Tensor, stride: Tensor) -> tuple[Tensor, Tensor]:
    """How far from the axis the body ends, and the gap between the legs, at height v (n, side, 1).

    Without a gap the inner edge is the outer one mirrored.
    """
    below = (HIP - v).clamp_min(0)  # the hip
    torso = 0.20 + 0.16 * (v - WAIST).clamp_min(0)
    leg = 0.19 + below * (0.32 * stride - 0.05)
    gap = (below * (0.02 + 0.34 * stride)).clamp_max(leg)
    rounding = (v - SHOULDER).clamp_min(0) ** 2 / 0.11 + (-0.94 - v).clamp_min(0) ** 2 / 0.03
    outer = torch.where(v < HIP, leg, torso) - rounding
    open_ = (below / 0.12).clamp_max(1)
    inner = open_ * (gap + rounding) - (1 - open_) * outer
    return outer, inner
