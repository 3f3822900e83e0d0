"""Spaces that latents live in, as values: how to project, what to draw of them. NumPy only.

n samples, d dimensions. A space draws nothing itself; `core.laws.samplers` does.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray
CURVE = 37  # points a curve of the net
GRID, ALONG = 9, 19  # lines of a box's net across each axis, and points a line


def normalise(z: Any) -> Any:
    """Project a torch tensor to the unit sphere along the last axis; 0 maps to itself."""
    return z / z.norm(dim=-1, keepdim=True).clamp_min(1e-12)


@dataclass(frozen=True)
class Space(ABC):
    """Where latents of d >= 2 coordinates live.

    What is carried along by h, and has a degree, is the unit sphere of the space.
    """

    d: int

    @property
    @abstractmethod
    def curved(self) -> bool:
        """Whether it is the sphere itself, so that a latent is a direction and |z| says nothing."""

    @abstractmethod
    def project(self, z: Any) -> Any:
        """The latents (..., d), a torch tensor, that arbitrary points of R^d stand for."""

    def net(self) -> Array:
        """The graticule (c, p, d), float32: the circle at d = 2, none above 3.

        At d = 3: 12 meridians from pole to pole, the first through longitude 0, then the parallels
        at -60, -30, 0, 30, 60 degrees.
        """
        return _graticule(self.d)

    def covering(self, normal: Any) -> Any:
        """Uniform points (n, d) of the unit sphere from normal noise, whatever the latents' law."""
        return normalise(normal)

    def degree_in(self, encoded: int) -> bool:
        """Whether a map to `encoded` dimensions has a degree: d = 2 (winding number) and 3."""
        return self.d in (2, 3) and encoded == self.d


class Sphere(Space):
    """The unit sphere S^(d-1) in R^d."""

    curved = True

    def project(self, z: Any) -> Any:
        """Along the ray to the origin; the zero vector maps to itself."""
        return normalise(z)


class Euclidean(Space):
    """All of R^d."""

    curved = False

    def project(self, z: Any) -> Any:
        """Every point is a latent."""
        return z


@dataclass(frozen=True)
class Flat(Space):
    """All of R^d, of which the cube [low, high]^d is drawn."""

    low: float = -2.0
    high: float = 2.0
    curved = False

    def project(self, z: Any) -> Any:
        """Every point is a latent."""
        return z

    @property
    def centre(self) -> float:
        """Every coordinate of the cube's centre."""
        return (self.low + self.high) / 2

    def net(self) -> Array:
        """Lines (c, p, d), float32, parallel to the axes: a grid at d = 2, none above 3.

        At d = 3 the cube's edges come first, 12 of them, and then its faces' middle lines, 12 more.
        """
        lines = _cube(self.d)
        return (self.low + (self.high - self.low) * lines).astype(np.float32)

    def degree_in(self, encoded: int) -> bool:
        """Never: what is flat does not close."""
        return False


@dataclass(frozen=True)
class Box(Flat):
    """The cube [low, high]^d itself: a convex body, with walls."""

    low: float = 0.0
    high: float = 1.0

    def project(self, z: Any) -> Any:
        """To the nearest point of the box."""
        return z.clamp(self.low, self.high)

    def uniform(self, u: Any) -> Any:
        """Its uniform law, from u (..., d) uniform on (0, 1)."""
        return self.low + (self.high - self.low) * u


@cache
def _graticule(d: int) -> Array:
    if d > 3:
        return np.zeros((0, 0, d), np.float32)
    turn = np.linspace(0, 2 * np.pi, CURVE)
    if d == 2:
        return np.stack([np.cos(turn), np.sin(turn)], -1)[None].astype(np.float32)
    latitude, longitude = np.linspace(-np.pi / 2, np.pi / 2, CURVE), np.deg2rad(range(0, 360, 30))
    curves = [on_globe(latitude, np.full(CURVE, angle)) for angle in longitude]
    curves += [on_globe(np.full(CURVE, np.deg2rad(a)), turn) for a in (-60, -30, 0, 30, 60)]
    return np.stack(curves).astype(np.float32)


@cache
def _cube(d: int) -> Array:
    """The net of [0, 1]^d, see `Flat.net`."""
    if d > 3:
        return np.zeros((0, 0, d), np.float32)
    if d == 2:
        return (plane_grid(GRID, ALONG, 1.0) + 1) / 2
    along = np.linspace(0, 1, ALONG)
    places = sorted(product((0.0, 0.5, 1.0), repeat=2), key=lambda at: 0.5 in at)
    lines = [
        np.insert(np.tile(at, (ALONG, 1)), axis, along, 1)
        for edges in (True, False)
        for axis in range(3)
        for at in places
        if at != (0.5, 0.5) and (0.5 not in at) == edges
    ]
    return np.stack(lines).astype(np.float32)


def plane_grid(lines: int, points: int, reach: float) -> Array:
    """Lines of constant first, then second coordinate (2 lines, points, 2), float32, to +-reach."""
    across, along = np.linspace(-reach, reach, lines), np.linspace(-reach, reach, points)
    first = np.stack(np.meshgrid(across, along, indexing="ij"), -1)
    return np.concatenate([first, first[..., ::-1]]).astype(np.float32)


def on_globe(latitude: Array, longitude: Array) -> Array:
    """Points (..., 3) of the unit sphere, from radians."""
    flat = np.cos(latitude)
    return np.stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)], -1)
