"""Data in the plane and around it: known generators, lines of latents, and spline flows.

The flows are zuko's neural spline flows (Durkan et al. 2019) as coupling blocks.
"""

from collections.abc import Iterable

import numpy as np
import torch
import zuko
from scipy import stats
from torch import Tensor, nn

from core.flows import known
from core.flows.known import ARC, AXES, BEND, THICK, TURN
from core.flows.stacked import drawn_anew
from core.laws.spaces import plane_grid

SIZE = 2
LINES, POINTS, REACH = 7, 81, 2.0  # of the latents that are carried along
HIDDEN_LAYERS = 2


def sources(data: str, z: Tensor) -> Tensor:
    """x (m, n, d) of the known generators from their latents z (m, n, d), standard normal.

    d is 2, and 4 for the torus, which is two arcs.
    """
    if data == "torus":
        return torch.cat([sources("arc", each) for each in z.split(SIZE, -1)], -1)
    first, second = z.unbind(-1)
    if data == "arc":  # polar coordinates: orthogonal, and no linear map
        radius, angle = 1 + ARC[1] * second, ARC[0] * first
        return torch.stack([radius * angle.sin(), radius * angle.cos()], -1)
    if data == "banana":
        return torch.stack([first, BEND * (first**2 - 1) + THICK * second], -1)
    return z @ normal_axes(z).T


def coordinate_lines(d: int) -> np.ndarray:
    """Lines (c, p, d) along which one latent varies and the others stand, float32.

    At d = 2 a grid; else of each latent one through the middle and some beside it, at quantiles of
    a normal of the other latents (Halton).
    """
    if d == SIZE:
        return plane_grid(LINES, POINTS, REACH)
    places = stats.norm.ppf(stats.qmc.Halton(d, scramble=False).random(LINES + 1)[1:])
    lines = np.repeat(places[None, :, None], POINTS, 2).repeat(d, 0)  # (d, LINES, POINTS, d)
    for latent in range(d):
        lines[latent, ..., latent] = np.linspace(-REACH, REACH, POINTS)
    return lines.reshape(d * LINES, POINTS, d).astype(np.float32)


def normal_axes(like: Tensor) -> Tensor:
    """The matrix (2, 2) by which the normal's own latents become x."""
    return rotation(TURN, like) * _constant(AXES, like)


def rotation(angle: float, like: Tensor) -> Tensor:
    """The matrix (2, 2) that turns by so many radians, in the precision of `like`."""
    return torch.stack([_constant(row, like) for row in known.rotation(angle)])


def _constant(values: Iterable[float], like: Tensor) -> Tensor:
    """Numbers (k,) in the precision of `like`, filled in where it is: nothing is copied there."""
    return torch.stack([like.new_full((), float(value)) for value in values])


class Flow(nn.Module):
    """x -> z with the log-determinant of its Jacobian, and z -> x: so many spline blocks.

    By PyTorch's default law from a member's own stream, or `still`: every block starts as z = x.
    """

    def __init__(
        self, d: int, bins: int, transforms: int, width: int, still: bool, stream: torch.Generator
    ) -> None:
        super().__init__()
        self.blocks = zuko.flows.NSF(
            d, bins=bins, transforms=transforms, passes=2,
            hidden_features=(width,) * HIDDEN_LAYERS,
        )  # fmt: skip
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                drawn_anew(layer.weight, layer.bias, stream)
        for block in self.blocks.transform.transforms if still else ():
            nn.init.zeros_(block.hyper[-1].weight)
            nn.init.zeros_(block.hyper[-1].bias)

    def forward(self, value: Tensor, inverse: bool = False) -> tuple[Tensor, Tensor]:
        """z and log |det dz/dx| (n,) of x (n, d); or, `inverse`, x of z and no determinant."""
        transform = self.blocks().transform
        if inverse:
            return transform.inv(value), value[..., 0]
        return transform.call_and_ladj(value)
