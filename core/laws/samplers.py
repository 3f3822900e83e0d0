"""Draws of latents: samplers of laws, and the noise they consume.

n samples, d dimensions, m members (runs trained together, always the leading axis). Samplers take
noise and return points, so that members which share a seed share the noise and no draw depends on
a member's companions. Nothing here rejects, loops over samples or looks at the data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal, Protocol

import numpy as np
import torch
from scipy.special import expit, gammaincc, gammainccinv, gammaincinv
from torch import Tensor

from core.laws.law import Law
from core.laws.spaces import Box, normalise

Role = Literal["world", "initialisation", "data", "evaluation", "floor"]
ROLES: tuple[Role, ...] = ("world", "initialisation", "data", "evaluation", "floor")
ANGLES = 4096
TAIL = 60.0  # log-density below the mode at which the polar angle's table ends


def generator(seed: int, role: Role, device: torch.device | str = "cpu") -> torch.Generator:
    """The stream of one seed for one purpose; different roles are independent (SeedSequence)."""
    child = np.random.SeedSequence(seed).spawn(len(ROLES))[ROLES.index(role)]
    state = int(child.generate_state(1, np.uint64)[0] >> np.uint64(1))
    return torch.Generator(device).manual_seed(state)


class Noise:
    """Noise for members with the given seeds; members that share a seed get the same numbers."""

    def __init__(self, seeds: Sequence[int], role: Role, device: torch.device | str) -> None:
        distinct = sorted(set(seeds))
        self.device = torch.device(device)
        self.generators = [generator(seed, role, device) for seed in distinct]
        self.of_member = torch.tensor([distinct.index(s) for s in seeds], device=self.device)
        self.in_order = distinct == list(seeds)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal, (m, *shape), float32."""
        return self._per_member(
            [torch.randn(shape, generator=g, device=self.device) for g in self.generators]
        )

    def uniform(self, *shape: int) -> Tensor:
        """Uniform on (0, 1), (m, *shape), float64 because the tails of a law need the digits."""
        kind = torch.float64
        draws = [
            torch.rand(shape, generator=g, device=self.device, dtype=kind) for g in self.generators
        ]
        return self._per_member(draws).clamp_(min=2.0**-54)

    def index(self, high: int, *shape: int) -> Tensor:
        """Uniform integers in [0, high), (m, *shape)."""
        return self._per_member(
            [torch.randint(high, shape, generator=g, device=self.device) for g in self.generators]
        )

    def _per_member(self, draws: list[Tensor]) -> Tensor:
        """Members in the order of their seeds: gathered only where that is another one."""
        drawn = torch.stack(draws)
        return drawn if self.in_order else drawn.index_select(0, self.of_member)


def sphere(normal: Tensor) -> Tensor:
    """Uniform points on S^(d-1) from standard normal noise (..., d)."""
    return normalise(normal)


@dataclass(frozen=True)
class VMF:
    """von Mises-Fisher on S^(d-1), one concentration per member; kappa = 0 is uniform.

    The polar angle comes from its inverse distribution function: in closed form at d = 3, else by
    a float64 table of angles on the window that carries the mass. (A grid uniform in probability
    ruins the tails.)
    """

    d: int
    kappa: Tensor  # (m,) float64
    angles: Tensor | None  # (m, ANGLES)
    cdf: Tensor | None  # (m, ANGLES), from 0 to 1

    @classmethod
    def of(cls, kappa: Tensor, d: int) -> "VMF":
        """kappa (m,) >= 0, d >= 2."""
        kappa = kappa.double()
        if d == 3:
            return cls(d, kappa, None, None)
        # The table is made on the CPU in float64, so that it is the same on every device.
        rows = [_angle_table(float(k), d) for k in kappa.cpu()]
        angles, cdf = (
            torch.from_numpy(np.stack(a)).to(kappa.device) for a in zip(*rows, strict=True)
        )
        return cls(d, kappa, angles, cdf)

    def cosine_and_sine(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """cos and sin of the polar angle below which lies probability u (m, n); float64."""
        if self.angles is None or self.cdf is None:
            kappa = self.kappa.clamp_min(1e-9)[:, None]
            # 1 - cos, which keeps the digits near the mode: -log(1 - u (1 - exp(-2 kappa))) / kappa
            drop = -torch.log1p(u * torch.expm1(-2 * kappa)) / kappa
            drop = drop.clamp(0, 2)
            return 1 - drop, (drop * (2 - drop)).sqrt()
        right = torch.searchsorted(self.cdf, u.contiguous()).clamp_(1, ANGLES - 1)
        low, high = self.cdf.gather(1, right - 1), self.cdf.gather(1, right)
        a, b = self.angles.gather(1, right - 1), self.angles.gather(1, right)
        theta = a + (b - a) * (u - low) / (high - low).clamp_min(1e-300)
        return theta.cos(), theta.sin()

    def sample(self, mean: Tensor, u: Tensor, normal: Tensor) -> Tensor:
        """Points (m, n, d) around mean (m, n, d), from u (m, n) uniform and normal (m, n, d)."""
        return tilted(mean, *self.cosine_and_sine(u), normal)

    def around(self, mean: Tensor, noise: Noise) -> Tensor:
        """See `Sampler`."""
        n = mean.shape[1]
        return self.sample(mean, noise.uniform(n), noise.normal(n, self.d))


def tilted(mean: Tensor, cosine: Tensor, sine: Tensor, normal: Tensor) -> Tensor:
    """Points (m, n, d) at angles of these cosines and sines (m, n) from mean, towards normal."""
    across = normal
    for _ in range(2):  # once more, for a normal that was nearly parallel to the mean
        across = normalise(across - (across * mean).sum(-1, keepdim=True) * mean)
    return _float(cosine) * mean + _float(sine) * across


def _float(column: Tensor) -> Tensor:
    return column.float().unsqueeze(-1)


def _angle_table(kappa: float, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Angles on the window that carries the mass of exp(kappa cos) sin^(d-2), and their CDF."""

    def log_density(theta: np.ndarray) -> np.ndarray:
        # cos - 1 = -2 sin^2(theta / 2) keeps the digits at large kappa
        with np.errstate(divide="ignore"):
            return -2 * kappa * np.sin(theta / 2) ** 2 + (d - 2) * np.log(np.sin(theta))

    coarse = np.linspace(0, np.pi, ANGLES)
    for _ in range(4):  # narrow the window until it is resolved: kappa may be large
        height = log_density(np.clip(coarse, 1e-12, np.pi - 1e-12))
        inside = np.flatnonzero(height > height.max() - TAIL)
        low = coarse[max(inside[0] - 1, 0)]
        high = coarse[min(inside[-1] + 1, ANGLES - 1)]
        coarse = np.linspace(low, high, ANGLES)
    height = log_density(np.clip(coarse, 1e-12, np.pi - 1e-12))
    density = np.exp(height - height.max())
    mass = (density[1:] + density[:-1]) / 2
    cdf = np.concatenate([[0.0], np.cumsum(mass)])
    return coarse, cdf / cdf[-1]


def laplace(u: Tensor) -> Tensor:
    """Standard Laplace noise, density exp(-|e|)/2, from u uniform on (0, 1); float32."""
    half = u - 0.5
    return (-half.sign() * torch.log1p(-2 * half.abs())).float()


@dataclass(frozen=True)
class GeneralisedNormal:
    """Noise of density proportional to exp(-|e|^shape), one shape per member: 1 is Laplace.

    |e| comes from a float64 table over -log of its survival probability, in which it is nearly
    straight, so that tails keep their digits.
    """

    shape: Tensor  # (m,) float64
    size: Tensor  # (m, ANGLES), |e| from 0 up
    drop: Tensor  # (m, ANGLES), -log P(|e| > size)

    @classmethod
    def of(cls, shape: Tensor) -> "GeneralisedNormal":
        """shape (m,) > 0."""
        rows = [_size_table(float(s)) for s in shape.cpu()]
        size, drop = (
            torch.from_numpy(np.stack(a)).to(shape.device) for a in zip(*rows, strict=True)
        )
        return cls(shape.double(), size, drop)

    def sample(self, u: Tensor) -> Tensor:
        """Noise (m, ...) below which lies probability u (m, ...); float32."""
        half = (u - 0.5).flatten(1)
        size = _interpolate(self.drop, self.size, -torch.log1p(-2 * half.abs()))
        return (half.sign() * size).view_as(u).float()

    def cdf(self, e: Tensor) -> Tensor:
        """Probability (m, n, d) below e (m, n, d); float64."""
        shape = self.shape[:, None, None]
        inside = torch.special.gammainc(1 / shape.expand_as(e), e.abs() ** shape)
        return (1 + e.sign() * inside) / 2

    def between(self, low: Tensor, high: Tensor, u: Tensor) -> Tensor:
        """Noise confined to [low, high], all (m, n, d), without rejection."""
        below = self.cdf(low)
        return self.sample((below + u * (self.cdf(high) - below)).clamp(2.0**-54, 1 - 2.0**-53))


class _Confinable(Protocol):
    """Noise of scale 1 that can be confined."""

    def between(self, low: Tensor, high: Tensor, u: Tensor) -> Tensor:
        """Noise confined to [low, high], all (m, n, d), without rejection."""


@dataclass(frozen=True)
class _Closed:
    """Noise of scale 1 whose distribution function and quantiles have closed forms."""

    cdf: Callable[[Tensor], Tensor]
    quantile: Callable[[Tensor], Tensor]

    def between(self, low: Tensor, high: Tensor, u: Tensor) -> Tensor:
        """See `_Confinable`."""
        below = self.cdf(low)
        return self.quantile((below + u * (self.cdf(high) - below)).clamp(2.0**-54, 1 - 2.0**-53))


def _laplace_cdf(e: Tensor) -> Tensor:
    return (1 - e.sign() * torch.expm1(-e.abs())) / 2


CLOSED: dict[str, _Confinable] = {
    "laplace": _Closed(_laplace_cdf, laplace),
    "normal": _Closed(  # of scale 1 as a generalised normal, exp(-e^2)
        lambda e: torch.special.ndtr(e * sqrt(2)), lambda u: torch.special.ndtri(u) / sqrt(2)
    ),
}


@dataclass(frozen=True)
class ChiSquared:
    """Chi-squared, one number of degrees of freedom per member: what Student's t divides by.

    A table of its logarithm over the logit of the probability, straight at both ends.
    """

    logit: Tensor  # (m, ANGLES)
    log_value: Tensor  # (m, ANGLES)

    @classmethod
    def of(cls, freedom: Tensor) -> "ChiSquared":
        """freedom (m,) > 0."""
        rows = [_log_chi_squared_table(float(f)) for f in freedom.cpu()]
        logit, log_value = (
            torch.from_numpy(np.stack(a)).to(freedom.device) for a in zip(*rows, strict=True)
        )
        return cls(logit, log_value)

    def sample(self, u: Tensor) -> Tensor:
        """Values (m, n) below which lies probability u (m, n); float64."""
        return _interpolate(self.logit, self.log_value, torch.log(u) - torch.log1p(-u)).exp()


def _interpolate(x: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """Piecewise linear y(x), x (m, k) rising, at (m, n)."""
    right = torch.searchsorted(x, at.contiguous()).clamp_(1, x.shape[1] - 1)
    low, high = x.gather(1, right - 1), x.gather(1, right)
    a, b = y.gather(1, right - 1), y.gather(1, right)
    return a + (b - a) * ((at - low) / (high - low).clamp_min(1e-300)).clamp(0, 1)


def _size_table(shape: float) -> tuple[np.ndarray, np.ndarray]:
    """|e| and -log of its survival probability, up to exp(-TAIL)."""
    largest = gammainccinv(1 / shape, np.exp(-TAIL)) ** (1 / shape)
    # of a shape below 1 the tail is so long that even steps would miss the middle
    size = np.linspace(0, largest ** min(shape, 1), ANGLES) ** max(1 / shape, 1)
    return size, -np.log(gammaincc(1 / shape, size**shape))


def _log_chi_squared_table(freedom: float) -> tuple[np.ndarray, np.ndarray]:
    logit = np.linspace(-TAIL, TAIL, ANGLES)
    below = gammaincinv(freedom / 2, expit(np.minimum(logit, 0)))
    above = gammainccinv(freedom / 2, expit(-np.maximum(logit, 0)))
    return logit, np.log(2 * np.where(logit < 0, below, above))


class Sampler(Protocol):
    """Of one law a member."""

    def around(self, mean: Tensor, noise: Noise) -> Tensor:
        """Latents (m, n, d) around means (m, n, d)."""


def sampler(laws: Sequence[Law], d: int, device: torch.device | str = "cpu") -> Sampler:
    """The sampler of members whose laws are of one family, and all projected or none."""
    family = laws[0].family
    if laws[0].walls is not None:
        return _Walled(laws, d, device)
    if family == "vmf":
        return VMF.of(_column([law.kappa for law in laws], device), d)
    return (_Added if family in ("laplace", "normal") else _Tabled)(laws, d, device)


class _Added:
    """Laplace or normal noise added in R^d, in closed form."""

    def __init__(self, laws: Sequence[Law], d: int, device: torch.device | str) -> None:
        self.laplace, self.d = laws[0].family == "laplace", d
        self.space = laws[0].space(d)
        self.spread = _column([law.spread for law in laws], device).float()[:, None, None]

    def around(self, mean: Tensor, noise: Noise) -> Tensor:
        """See `Sampler`."""
        shape = mean.shape[1], self.d
        drawn = laplace(noise.uniform(*shape)) if self.laplace else noise.normal(*shape)
        return self.space.project(mean + self.spread * drawn)


class _Walled:
    """Noise whose coordinates are confined to a box: u in [F(low), F(high)], F by the family."""

    def __init__(self, laws: Sequence[Law], d: int, device: torch.device | str) -> None:
        assert laws[0].walls is not None
        self.d, self.box = d, Box(d, *laws[0].walls)
        shape, scale = zip(*(law.generalised for law in laws), strict=True)
        self.scale = _column(scale, device)[:, None, None]
        closed = CLOSED.get(laws[0].family)
        self.noise = closed or GeneralisedNormal.of(_column(shape, device))

    def around(self, mean: Tensor, noise: Noise) -> Tensor:
        """See `Sampler`."""
        u = noise.uniform(mean.shape[1], self.d)
        low, high = ((wall - mean) / self.scale for wall in (self.box.low, self.box.high))
        z = mean + (self.scale * self.noise.between(low, high, u)).float()
        return self.box.project(z)  # rounding may pass a wall


class _Tabled:
    """Generalised normal noise, truncated or not, its isotropic kin, and Student's t."""

    def __init__(self, laws: Sequence[Law], d: int, device: torch.device | str) -> None:
        self.family, self.d = laws[0].family, d
        self.space = laws[0].space(d)
        shape = _column([law.shape for law in laws], device)
        self.spread = _column([law.spread for law in laws], device)[:, None, None]
        self.bound = _column([law.bound for law in laws], device)[:, None, None]
        if self.family == "student-t":
            self.freedom = shape[:, None]
            self.chi_squared = ChiSquared.of(shape)
        else:
            self.gennorm = GeneralisedNormal.of(shape)

    def around(self, mean: Tensor, noise: Noise) -> Tensor:
        """See `Sampler`."""
        z = mean + (self.spread * self._noise(mean, noise)).float()
        z = z.clamp(-self.bound.float(), self.bound.float())  # rounding may pass the bound
        return self.space.project(z)

    def _noise(self, mean: Tensor, noise: Noise) -> Tensor:
        """Noise (m, n, d) of scale 1."""
        n = mean.shape[1]
        if self.family == "student-t":
            over = (self.chi_squared.sample(noise.uniform(n)) / self.freedom).sqrt()
            return noise.normal(n, self.d) / over[..., None]
        u = noise.uniform(n, self.d)
        if self.family == "isotropic-gennorm":  # the same radii in random directions
            size = self.gennorm.sample(u).norm(dim=-1, keepdim=True)
            return size * sphere(noise.normal(n, self.d))
        low, high = (-self.bound - mean) / self.spread, (self.bound - mean) / self.spread
        return self.gennorm.between(low, high, u)


def _column(values: Sequence[float], device: torch.device | str) -> Tensor:
    """A number of each member, (m,), float64."""
    return torch.tensor(list(values), dtype=torch.float64, device=device)


def pole(d: int, device: torch.device | str = "cpu") -> Tensor:
    """The north pole e_d (d,), around which a concentrated marginal sits."""
    return torch.eye(d, device=device)[-1]


ClusterLaw = Literal["uniform", "laplace", "normal", "subspace"]


def cluster_vectors(generator: torch.Generator, law: ClusterLaw, n: int, d: int) -> Tensor:
    """Unit cluster vectors v (n, d) of one world, from a CPU generator.

    "laplace" and "normal" add noise of scale 1 to the north pole and project (the reference code
    of Reizinger et al. 2025, Table 5); "subspace" is uniform on the sphere orthogonal to the pole.
    """
    if law == "laplace":
        noise = laplace(torch.rand(n, d, generator=generator, dtype=torch.float64))
        return normalise(pole(d) + noise)
    noise = torch.randn(n, d, generator=generator)
    if law == "normal":
        return normalise(pole(d) + noise)
    if law == "subspace":
        noise = noise - noise * pole(d)
    return sphere(noise)
