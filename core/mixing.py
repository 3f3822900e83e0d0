"""The mixing g: z -> x, an invertible network of square layers that hides the latents.

As the reference describes it (Zimmermann et al. 2021): bias-free layers with LeakyReLU(0.2) between
them and none after the last; each matrix has entries U(-1, 1), unit columns, and is the best
conditioned of many draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SLOPE = 0.2
CANDIDATES = 2000


@dataclass(frozen=True)
class Mixing:
    """g for m members: an isometric lift to d_x dimensions, then square layers x = W x.

    lift (m, d, d_x) has orthonormal rows; weights are transposed, (m, d_x, d_x) each, so that row
    vectors multiply from the left. No layers and d_x = d is x = z.
    """

    lift: Tensor
    weights: tuple[Tensor, ...]

    def __call__(self, z: Tensor) -> Tensor:
        """z (m, n, d) -> x (m, n, d_x)."""
        x = torch.bmm(z, self.lift)
        for depth, weight in enumerate(self.weights):
            x = torch.bmm(F.leaky_relu(x, SLOPE) if depth else x, weight)
        return x

    def inverse(self, x: Tensor) -> Tensor:
        """x (m, n, d_x) in the image of g -> z (m, n, d)."""
        for depth, weight in reversed(tuple(enumerate(self.weights))):
            x = torch.linalg.solve(weight, x, left=False)
            if depth:
                x = torch.where(x < 0, x / SLOPE, x)
        return torch.bmm(x, self.lift.mT)

    def members(self, chosen: Sequence[int]) -> "Mixing":
        """Some of the members, in this order."""
        return stack([Mixing(self.lift[i, None], tuple(w[i, None] for w in self.weights))
                      for i in chosen])  # fmt: skip

    def arrays(self, i: int) -> dict[str, np.ndarray]:
        """The i-th member's matrices: `g.lift`, then `g.weights.0` and so on."""
        layers = {f"g.weights.{depth}": w[i].cpu().numpy() for depth, w in enumerate(self.weights)}
        return {"g.lift": self.lift[i].cpu().numpy(), **layers}

    def to(self, target: torch.device | torch.dtype) -> "Mixing":
        """The same map on another device or in another precision."""
        return Mixing(self.lift.to(target), tuple(w.to(target) for w in self.weights))


def make_mixing(generator: torch.Generator, d: int, d_x: int, layers: int) -> Mixing:
    """Draw g for one member (m = 1) from a CPU generator; d_x >= d."""
    lift = torch.eye(d)
    if d_x > d:
        lift = torch.linalg.qr(torch.randn(d_x, d, generator=generator))[0].mT
    weights = [_well_conditioned(generator, d_x).mT[None] for _ in range(layers)]
    return Mixing(lift[None].contiguous(), tuple(w.contiguous() for w in weights))


def stack(mixings: Sequence[Mixing]) -> Mixing:
    """Several members' mixings of one shape as one, along the member axis."""
    weights = zip(*(g.weights for g in mixings), strict=True)
    return Mixing(
        torch.cat([g.lift for g in mixings]), tuple(torch.cat(layer) for layer in weights)
    )


def _well_conditioned(generator: torch.Generator, d: int) -> Tensor:
    """The matrix (d, d) of smallest condition number among CANDIDATES with unit columns."""
    pool = 2 * torch.rand(CANDIDATES, d, d, generator=generator) - 1
    pool = pool / pool.norm(dim=1, keepdim=True)
    return pool[torch.linalg.cond(pool).argmin()]
