"""Normalizing flows of affine couplings, in one factor or in several from coarse to fine.

The couplings are zuko's (Dinh et al. 2017); several factors in a wavelet basis make a wavelet flow
(Yu et al. 2020, arXiv 2010.13821).
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import exp, log
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Transform
from zuko.flows.coupling import GeneralCouplingTransform
from zuko.lazy import LazyComposedTransform, LazyTransform, UnconditionalTransform
from zuko.nn import Linear
from zuko.transforms import CouplingTransform, MonotonicAffineTransform, PermutationTransform

from core.flows.stacked import drawn_anew

BOUND = 1.5  # of the logarithm of a coordinate's scale, by all blocks together


class Preserving(MonotonicAffineTransform):
    """An affine map of several features whose scales multiply to 1 (Sorrenson et al. 2020)."""

    def __init__(self, shift: Tensor, scale: Tensor, **bounds: float) -> None:
        super().__init__(shift, scale, **bounds)
        free: Tensor = self.log_scale
        self.log_scale: Tensor = free - free.mean(-1, keepdim=True)
        self.scale = self.log_scale.exp()


class Halves(CouplingTransform):
    """A coupling that is given the places of its halves: to look for them reads a GPU's memory."""

    def __init__(self, meta: Callable[[Tensor], Transform], kept: Tensor, changed: Tensor) -> None:
        Transform.__init__(self)
        self.meta, self.idx_a, self.idx_b = meta, kept, changed


class Coupling(GeneralCouplingTransform):
    """zuko's, with its halves found once."""

    def __init__(self, *sizes: int, **options: Any) -> None:
        super().__init__(*sizes, **options)
        self._apply(lambda each: each)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Coupling":
        super()._apply(fn, recurse)
        self.halves = self.mask.nonzero()[:, 0], (~self.mask).nonzero()[:, 0]
        return self

    def forward(self, c: Tensor | None = None) -> Transform:
        """The coupling under a condition."""
        return Halves(partial(self.meta, c), *self.halves)


class Flow(nn.Module):
    """A map x -> z (n, D) with the log-determinant of its Jacobian, and back; it starts as a basis.

    The coordinates of x in an orthonormal `basis` (rows), in units of `unit`, are taken in factors
    of the sizes `levels`, each given those before it and a condition of `told` numbers; a factor is
    so many `transforms` with two hidden layers of its one of the `widths`. Where it is
    `preserving` they keep volume, and each latent has a shift and a scale that depend on the
    condition alone, as in the GIN of Sorrenson et al. 2020 (arXiv 2001.04872).
    """

    basis: Tensor

    def __init__(
        self,
        basis: Tensor,
        levels: Sequence[int],
        widths: Sequence[int],
        transforms: int,
        told: int,
        stream: torch.Generator,
        unit: float = 1.0,
        preserving: bool = False,
    ) -> None:
        super().__init__()
        self.levels, self.unit = list(levels), unit
        self.register_buffer("basis", basis)
        self.factors, given = nn.ModuleList(), told
        for size, width in zip(levels, widths, strict=True):
            law = Preserving if preserving else MonotonicAffineTransform
            self.factors.append(_blocks(law, transforms, size, given, width, stream))
            given += size
        couplings = [each for each in self.modules() if isinstance(each, Coupling)]
        for coupling in couplings:
            *hidden, last = (layer for layer in coupling.hyper if isinstance(layer, Linear))
            for layer in hidden:
                drawn_anew(layer.weight, layer.bias, stream)
            nn.init.zeros_(last.weight)  # so that a flow starts as its basis
            nn.init.zeros_(last.bias)
        self.scales = nn.Linear(max(told, 1), 2 * len(basis)) if preserving else None
        if self.scales is not None:
            nn.init.zeros_(self.scales.weight)
            nn.init.zeros_(self.scales.bias)

    def forward(self, value: Tensor, given: Tensor, way: str) -> Any:
        """One of the ways below, given the condition (n, told)."""
        return getattr(self, way)(value, given)

    def encode(self, x: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        """z and log |det dz/dx| (n,) of x (n, D)."""
        y, codes = x @ self.basis.T / self.unit, []
        ladj, low = torch.full_like(x[:, 0], -x.shape[1] * log(self.unit)), 0
        for part, factor in zip(y.split(self.levels, 1), self.factors, strict=True):
            z, each = factor(_condition(y[:, :low], given)).call_and_ladj(part)
            codes.append(z)
            ladj, low = ladj + each, low + part.shape[1]
        z = torch.cat(codes, 1)
        if self.scales is None:
            return z, ladj
        shift, log_scale = self._own_scales(z, given)
        return (z - shift) * (-log_scale).exp(), ladj - log_scale.sum(1)

    def decode(self, z: Tensor, given: Tensor) -> Tensor:
        """x (n, D) of z (n, D)."""
        z = self.unscaled(z, given)
        done = z[:, :0]
        for part, factor in zip(z.split(self.levels, 1), self.factors, strict=True):
            done = torch.cat([done, factor(_condition(done, given)).inv(part)], 1)
        return self.unit * done @ self.basis

    def unscaled(self, z: Tensor, given: Tensor) -> Tensor:
        """Latents as blocks that keep volume know them, before each is scaled; else z itself."""
        if self.scales is None:
            return z
        shift, log_scale = self._own_scales(z, given)
        return z * log_scale.exp() + shift

    def _own_scales(self, z: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        assert self.scales is not None
        told = given if given.shape[1] else torch.ones_like(z[:, :1])
        shift, log_scale = self.scales(told).chunk(2, 1)
        return shift, log_scale


def _blocks(
    law: Callable[..., Transform],
    transforms: int,
    size: int,
    given: int,
    width: int,
    stream: torch.Generator,
) -> LazyComposedTransform:
    """Couplings of fixed random halves in turn, so that every coordinate is changed as often.

    A latent keeps the place of its coordinate.
    """
    found: list[LazyTransform] = []
    slope = exp(-2 * BOUND / transforms)
    order = torch.arange(size)
    for block in range(transforms):
        order = order.flip(0) if block % 2 else torch.randperm(size, generator=stream)
        coupling = Coupling(
            size, given, mask=torch.arange(size) < size // 2,
            univariate=partial(law, slope=slope), hidden_features=(width, width),
        )  # fmt: skip
        there, back = (UnconditionalTransform(PermutationTransform, o, buffer=True)
                       for o in (order, order.argsort()))  # fmt: skip
        found += [there, coupling, back]
    return LazyComposedTransform(*found)


def _condition(coarser: Tensor, given: Tensor) -> Tensor | None:
    """What a factor is conditioned on, None for nothing."""
    both = torch.cat([coarser, given], 1)
    return both if both.shape[1] else None
