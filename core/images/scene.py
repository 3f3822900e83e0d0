"""A scene: a teapot of ellipsoids before a wall, lit from above and by a coloured spotlight.

In the spirit of 3DIdent (Zimmermann et al. 2021), whose ten factors it has in that order. Rays are
parallel. An ellipsoid is the image m + G w of the unit sphere; with G G' = L L', L lower
triangular, the pixel (x, y) sees it at w = (w1, w2, w3) where x = m1 + L11 w1, y = m2 + L21 w1 +
L22 w2 and w3 = sqrt(1 - w1^2 - w2^2), and its normal is along the solution n of L' n = w.
"""

from math import cos, sin
from typing import NamedTuple

import torch
from torch import Tensor

from core.images.canvas import each, pixels, wheel

SIZE, NEARER = 0.50, 0.34  # half sides of a unit of the teapot at depth 0; log of its growth
TILT = 0.4  # radians by which the scene is seen from above
BLEND = 12.0  # inverse thickness of the seam between parts, a unit of the teapot
KEY = (-0.42, 0.68, 0.60)  # direction of the white light
LEAN = 0.9  # radians between the spotlight and the line of sight
POOL, BEAM = 0.3, 1.2  # the spotlight on the wall: how narrow, and its strength beside the white
DIM, DARK = 0.42, 0.85  # the wall's share of white light; what the shadow takes of the spotlight


class Part(NamedTuple):
    """An ellipsoid in the teapot's frame: x towards the spout, y up, z to the viewer."""

    middle: tuple[float, float, float]
    radii: tuple[float, float, float]
    tilt: float = 0.0  # radians in the plane of x and y

    def axes(self) -> tuple[tuple[float, float, float], ...]:
        """Its semi-axes: columns of the matrix that takes the unit sphere to it."""
        c, s = cos(self.tilt), sin(self.tilt)
        a, b, r = self.radii
        return (c * a, s * a, 0.0), (-s * b, c * b, 0.0), (0.0, 0.0, r)


TEAPOT = (
    Part((0.0, -0.08, 0.0), (0.62, 0.50, 0.62)),
    Part((0.0, -0.53, 0.0), (0.37, 0.09, 0.37)),  # foot
    Part((0.0, 0.36, 0.0), (0.38, 0.15, 0.38)),  # lid
    Part((0.0, 0.57, 0.0), (0.11, 0.11, 0.11)),
    Part((0.74, 0.06, 0.0), (0.40, 0.12, 0.13), 0.85),  # spout
    Part((-0.68, 0.27, 0.0), (0.26, 0.08, 0.09), -0.15),  # handle
    Part((-0.93, 0.08, 0.0), (0.08, 0.25, 0.09), -0.1),
    Part((-0.74, -0.20, 0.0), (0.27, 0.08, 0.09), -0.75),
)


class Surface(NamedTuple):
    """What pixels see: a unit normal, and the share that is covered; all (n, side, side)."""

    normal: tuple[Tensor, Tensor, Tensor]
    cover: Tensor


def paint(values: Tensor, side: int) -> Tensor:
    """x, y, depth, three rotations, spot angle, three hues (n, 10) -> sRGB (n, side, side, 3)."""
    x, y, depth, turn, pitch, roll, spot, *hues = values.unbind(-1)
    scale = SIZE * torch.exp(-NEARER * depth)
    rotation = _rotation(turn, pitch, roll)
    surface = _surface(rotation, torch.stack([x, y], -1), scale, side)
    lamp = tuple(
        each(torch.stack([sin(LEAN) * torch.cos(spot), sin(LEAN) * torch.sin(spot),
                          torch.full_like(spot, cos(LEAN))], -1))
    )  # fmt: skip
    wall = _wall(x, y, scale, spot, side)
    return _lit(surface, lamp, wall, each(torch.stack(hues, -1)))


def _rotation(turn: Tensor, pitch: Tensor, roll: Tensor) -> list[list[Tensor]]:
    """Rows of the rotation (n,): about y, then x, then z, and all of it seen from above."""
    (a, b, c), (p, q, r) = (
        [f(angle) for angle in (turn, pitch, roll)] for f in (torch.cos, torch.sin)
    )
    zero = torch.zeros_like(a)
    about_y = [[a, zero, p], [zero, zero + 1, zero], [-p, zero, a]]
    about_x = [[zero + 1, zero, zero], [zero, b, -q], [zero, q, b]]
    about_z = [[c, -r, zero], [r, c, zero], [zero, zero, zero + 1]]
    above, below = zero + cos(TILT), zero + sin(TILT)
    tilted = [[zero + 1, zero, zero], [zero, above, -below], [zero, below, above]]
    return _product(tilted, _product(about_z, _product(about_x, about_y)))


def _product(left: list[list[Tensor]], right: list[list[Tensor]]) -> list[list[Tensor]]:
    """Of two matrices of columns; by hand, so that an image does not depend on its companions."""
    return [
        [left[i][0] * right[0][j] + left[i][1] * right[1][j] + left[i][2] * right[2][j]
         for j in range(3)]
        for i in range(3)
    ]  # fmt: skip


def _surface(rotation: list[list[Tensor]], place: Tensor, scale: Tensor, side: int) -> Surface:
    """The teapot (n, side, side) turned by rotation about place (n, 2), as large as scale (n,)."""
    column, row = pixels(side, scale)
    (x, y), (size,) = each(place), each(scale[:, None])
    column, row = (column - x) / size, (row - y) / size  # in units of the teapot
    first, *others = (
        _ellipsoid(each(form), min(part.radii), column, row, size * side)
        for part, form in zip(TEAPOT, _forms(rotation), strict=True)
    )
    normal, cover = first.normal, first.share
    height = first.height
    for part in others:
        # of the pixel it takes its share where it is in front, else what is left; over a seam
        front = (part.height - height).mul_(BLEND).add_(0.5).clamp_(0, 1)
        both = torch.maximum(cover, part.share)
        front = torch.lerp(both - cover, part.share, front).div_(both.clamp_min(1e-6))
        cover = both
        height.lerp_(part.height, front)
        for mine, its in zip(normal, part.normal, strict=True):
            mine.lerp_(its, front)
    length = _length(*normal)
    n1, n2, n3 = (component.div_(length) for component in normal)
    return Surface((n1, n2, n3), cover)


class Sight(NamedTuple):
    """One part as pixels see it, in units of the teapot: all (n, side, side)."""

    height: Tensor  # towards the viewer
    normal: tuple[Tensor, Tensor, Tensor]  # not of length 1
    share: Tensor  # of the pixel that it covers, to first order


def _ellipsoid(
    form: tuple[Tensor, ...], r: float, column: Tensor, row: Tensor, density: Tensor
) -> Sight:
    """The part of this form and smallest radius r; see the module.

    column (n, 1, side) and row (n, side, 1) are pixels about the teapot, density (n, 1, 1) is twice
    the pixels of a unit of the teapot.
    """
    m1, m2, m3, l11, l21, l22, l31, l32, l33 = form
    w1 = (column - m1) / l11  # a row of numbers an image
    w2 = (row - m2) / l22 - w1 * (l21 / l22)
    inside = torch.addcmul(1 - w1 * w1, w2, w2, value=-1)
    # not up to the very outline, where the normal turns infinitely fast: half a pixel from it
    w3 = torch.maximum(inside, (1 / (density * r)).clamp_max(0.4)).sqrt_()
    height = torch.addcmul(w1 * l31 + m3, w2, l32).addcmul_(w3, l33)
    # L' n = w solved from below, times the smallest radius, so that parts blend evenly
    n3, n2 = w3 * (r / l33), (w2 * (r / l22)).addcmul_(w3, -r * l32 / (l22 * l33))
    n1 = torch.addcmul(w1 * (r / l11), n2, -l21 / l11).addcmul_(n3, -l31 / l11)
    # inside = 1 - w1^2 - w2^2 has the slope 2 |n| / r at the outline
    share = inside.mul_(density * (r / 4)).div_(_length(n1, n2, n3)).add_(0.5).clamp_(0, 1)
    return Sight(height, (n1, n2, n3), share)


def _forms(rotation: list[list[Tensor]]) -> tuple[Tensor, ...]:
    """m1, m2, m3 and l11, l21, l22, l31, l32, l33 of each part, (n, 9)."""
    middle, *axes = (
        _turned(rotation, vectors)
        for vectors in zip(*((part.middle, *part.axes()) for part in TEAPOT), strict=True)
    )
    g11, g21, g22, g31, g32, g33 = (
        axes[0][i] * axes[0][j] + axes[1][i] * axes[1][j] + axes[2][i] * axes[2][j]
        for i in range(3)
        for j in range(i + 1)
    )
    l11 = g11.sqrt()
    l21, l31 = g21 / l11, g31 / l11
    l22 = (g22 - l21 * l21).sqrt()
    l32 = (g32 - l31 * l21) / l22
    l33 = (g33 - l31 * l31 - l32 * l32).sqrt()
    return torch.stack([*middle, l11, l21, l22, l31, l32, l33], -1).unbind(1)


def _length(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return (x * x).addcmul_(y, y).addcmul_(z, z).add_(1e-12).sqrt_()


def _turned(
    rotation: list[list[Tensor]], vectors: tuple[tuple[float, ...], ...]
) -> tuple[Tensor, ...]:
    """A vector of each part, of the teapot's frame, in the scene's: x, y, z, each (n, parts)."""
    x, y, z = torch.tensor(vectors, device=rotation[0][0].device).unbind(-1)
    return tuple(
        row[0][:, None] * x + row[1][:, None] * y + row[2][:, None] * z for row in rotation
    )


def _wall(x: Tensor, y: Tensor, scale: Tensor, spot: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Brightness of the wall in white light, falling off to the corners, and in the spotlight's.

    That shines on a round part of the wall about the teapot, which throws a soft shadow in it.
    """
    column, row = pixels(side, x)
    away = 0.45 * scale
    u, v, middle, height, size = each(
        torch.stack([x - away * torch.cos(spot), y - away * torch.sin(spot), x, y, scale], -1)
    )
    shadow = _bump(column - u, row - v, 1.1 / size**2).mul_(-DARK).add_(1)
    pool = _bump(column - middle, row - height, POOL / size**2)
    light = 1.0 - 0.22 * ((column + 0.3) ** 2 + (row - 0.4) ** 2) / 2
    return light, pool.mul_(shadow)


def _bump(across: Tensor, above: Tensor, narrow: Tensor) -> Tensor:
    """A normal's height (n, side, side) at (n, 1, side) and (n, side, 1) from its middle."""
    return torch.exp_(-narrow * across**2) * torch.exp_(-narrow * above**2)


def _lit(
    surface: Surface,
    lamp: tuple[Tensor, ...],
    wall: tuple[Tensor, Tensor],
    hues: tuple[Tensor, ...],
) -> Tensor:
    """Phong's model in linear light, the spotlight's colour times what it meets; sRGB by a root."""
    n1, n2, n3 = surface.normal
    white = (n1 * KEY[0]).add_(n2, alpha=KEY[1]).add_(n3, alpha=KEY[2])
    gloss = _gloss(white, n3, KEY[2])
    plain = white.clamp_min_(0).mul_(0.50).add_(n2, alpha=0.06).add_(0.14)
    beam = (n1 * lamp[0]).addcmul_(n2, lamp[1]).addcmul_(n3, lamp[2])
    flare = _gloss(beam, n3, lamp[2])
    beam.clamp_min_(0).mul_(0.75).add_(flare, alpha=0.5)
    body, spot, back = wheel(hues[0], 0.93), wheel(hues[1], 0.97), wheel(hues[2], 0.6)
    light, pool = wall
    image = pool.new_empty(*pool.shape, 3)
    for channel in range(3):
        shade = (
            torch.addcmul(plain, beam, spot[channel]).mul_(body[channel]).add_(gloss, alpha=0.35)
        )
        behind = torch.addcmul(light, pool, BEAM * spot[channel]).mul_(DIM * back[channel])
        behind.lerp_(shade, surface.cover)
        image[..., channel] = behind.clamp_(0, 1).sqrt_()
    return image


def _gloss(along: Tensor, n3: Tensor, towards: Tensor | float) -> Tensor:
    """Phong's highlight: the 16th power of the cosine between the mirrored light and the view.

    along is the cosine of normal and light, towards the light's own part along the line of sight.
    """
    cosine = (along * n3).mul_(2).sub_(towards).clamp_(0.1, 1)  # its power stays a normal number
    for _ in range(4):
        cosine.mul_(cosine)
    return cosine
