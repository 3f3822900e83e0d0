"""The mixing g: z -> x, an invertible map that hides the latents.

`Mixing` is a network of square layers as the reference describes it (Zimmermann et al. 2021):
bias-free, with LeakyReLU(0.2) between layers and none after the last; each matrix has entries
U(-1, 1), unit columns, and is the best conditioned of many draws. `Bent` and `Coupling` are those
of Klindt et al. 2026.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SLOPE = 0.2
CANDIDATES = 2000
WAVE = 1.5  # of the sinusoid
STEEP, SHEAR = 2.0, 1.5  # of a coupling: how steep tanh is, and how far it shears


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


def _spiral(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    angle = pi * (a.square() + b.square()).sqrt()
    c, s = angle.cos(), angle.sin()
    return c * a - s * b, s * a + c * b


FORMULAS: dict[str, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "spiral": _spiral,  # turned by an angle of pi |z|, which keeps areas
    "banana": lambda a, b: (a, b + a.square()),
    "sinusoid": lambda a, b: (a + (WAVE * b).sin(), b),
}


@dataclass(frozen=True)
class Bent:
    """g by a formula of two latents, the same for all members; a last one of an odd d stays."""

    formula: str

    def __call__(self, z: Tensor) -> Tensor:
        """z (m, n, d) -> x (m, n, d)."""
        even = z.shape[-1] // 2 * 2
        # in double precision, or a member's last numbers would depend on its companions
        first, second = z[..., 0:even:2].double(), z[..., 1:even:2].double()
        bent = torch.stack(FORMULAS[self.formula](first, second), -1).flatten(-2)
        return torch.cat([bent.to(z.dtype), z[..., even:]], -1)

    def members(self, chosen: Sequence[int]) -> "Bent":
        """The same, which every member has."""
        return self

    def arrays(self, i: int) -> dict[str, np.ndarray]:
        """Nothing is drawn."""
        return {}


@dataclass(frozen=True)
class Coupling:
    """g of layers that turn z and then shear its second half by tanh of its first: volumes stay.

    turns (m, d, d) each, orthogonal; weights (m, d // 2, d - d // 2) each.
    """

    turns: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]

    def __call__(self, z: Tensor) -> Tensor:
        """z (m, n, d) -> x (m, n, d)."""
        x, half = z, z.shape[-1] // 2
        for turn, weight in zip(self.turns, self.weights, strict=True):
            x = torch.bmm(x, turn)
            shift = SHEAR * torch.bmm(x[..., :half], weight).double().tanh()
            x = torch.cat([x[..., :half], x[..., half:] + shift.to(z.dtype)], -1)
        return x

    def inverse(self, x: Tensor) -> Tensor:
        """x (m, n, d) -> z (m, n, d)."""
        half = x.shape[-1] // 2
        for turn, weight in reversed(tuple(zip(self.turns, self.weights, strict=True))):
            shift = SHEAR * torch.bmm(x[..., :half], weight).tanh()
            x = torch.bmm(torch.cat([x[..., :half], x[..., half:] - shift], -1), turn.mT)
        return x

    def members(self, chosen: Sequence[int]) -> "Coupling":
        """Some of the members, in this order."""
        turns, weights = (
            tuple(torch.stack([layer[i] for i in chosen]) for layer in layers)
            for layers in (self.turns, self.weights)
        )
        return Coupling(turns, weights)

    def to(self, target: torch.device | torch.dtype) -> "Coupling":
        """The same map on another device or in another precision."""
        return Coupling(tuple(t.to(target) for t in self.turns),
                        tuple(w.to(target) for w in self.weights))  # fmt: skip

    def arrays(self, i: int) -> dict[str, np.ndarray]:
        """The i-th member's matrices: `g.turns.0`, `g.weights.0` and so on."""
        turns = {f"g.turns.{depth}": t[i].cpu().numpy() for depth, t in enumerate(self.turns)}
        layers = {f"g.weights.{depth}": w[i].cpu().numpy() for depth, w in enumerate(self.weights)}
        return {**turns, **layers}


def make_coupling(generators: Sequence[torch.Generator], d: int, layers: int) -> Coupling:
    """Draw g of every member from its CPU generator."""
    half = d // 2
    turns, weights = [], []
    for _ in range(layers):
        normal = [torch.randn(d, d, generator=g) for g in generators]
        turns.append(torch.stack([torch.linalg.qr(each)[0] for each in normal]))
        steep = [torch.randn(half, d - half, generator=g) * STEEP / half**0.5 for g in generators]
        weights.append(torch.stack(steep))
    return Coupling(tuple(turns), tuple(weights))
