"""The encoder f: x -> z_hat, an MLP for m members at once (leading member axis)."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

SLOPE = 0.01
VECTOR = 32  # numbers that a processor takes at a time, at most
WHITENED = 4096  # observations that a whitening is made of
Initialisation = Literal["identity", "standard", "skip"]
Activation = Literal["leaky", "silu"]


def _silu(hidden: Tensor) -> Tensor:
    """x sigmoid(x) of hidden (m, n, width), in rows of whole vectors.

    The last few numbers of a tensor that is none are rounded another way, so that a member would
    depend on its companions.
    """
    width = hidden.shape[-1]
    more = -width % VECTOR
    return F.silu(F.pad(hidden, (0, more)))[..., :width] if more else F.silu(hidden)


class Encoder(nn.Module):
    """MLP with LeakyReLU(0.01) or SiLU and, from some starts, a linear skip path x S.

    Weights are (m, fan_in, fan_out), biases (m, 1, fan_out); members never mix. `normalised` puts
    z_hat on the unit sphere.
    """

    def __init__(
        self,
        weights: Sequence[Tensor],
        biases: Sequence[Tensor],
        skip: Tensor | None,
        normalised: bool = True,
        activation: Activation = "leaky",
    ) -> None:
        super().__init__()
        self.weights = nn.ParameterList(weights)
        self.biases = nn.ParameterList(biases)
        self.skip = None if skip is None else nn.Parameter(skip)
        self.normalised, self.activation = normalised, activation

    def forward(self, x: Tensor) -> Tensor:
        """x (m, n, d_x) -> z_hat (m, n, d_hat)."""
        hidden, smooth = x, self.activation == "silu"
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if depth:
                hidden = _silu(hidden) if smooth else F.leaky_relu(hidden, SLOPE, inplace=True)
            hidden = torch.baddbmm(bias, hidden, weight)
        if self.skip is not None:
            hidden = torch.baddbmm(hidden, x, self.skip)
        return F.normalize(hidden, dim=-1) if self.normalised else hidden

    @torch.no_grad()
    def start_apart(self, x: Tensor, deviation: Tensor) -> None:
        """Change the last layer so that codes of x (m, n, d_x) are uncorrelated, of mean 0.

        Each of a member's gets its deviation (m,). Codes that start alike learn the same factor,
        and one that is hard to see is never found (measured here; to start a layer from data is
        Mishkin and Matas 2016).
        """
        assert self.skip is None and not self.normalised
        z_hat = self(x)
        mean = z_hat.mean(1, keepdim=True)
        map_ = deviation[:, None, None] * _whitening(z_hat - mean)
        self.weights[-1].copy_(self.weights[-1] @ map_)
        self.biases[-1].copy_((self.biases[-1] - mean) @ map_)

    def member(self, i: int) -> "Encoder":
        """A copy of the i-th member alone (m = 1)."""
        one = slice(i, i + 1)
        return Encoder(
            [w[one].detach().clone() for w in self.weights],
            [b[one].detach().clone() for b in self.biases],
            None if self.skip is None else self.skip[one].detach().clone(),
            self.normalised,
            self.activation,
        )


def _whitening(x: Tensor) -> Tensor:
    """The symmetric map (m, d, d) after which centred x (m, n, d) has unit covariance."""
    values, axes = torch.linalg.eigh(x.mT @ x / x.shape[1])
    return axes * values.clamp_min(1e-12).rsqrt()[:, None] @ axes.mT


class Whitening(nn.Module):
    """x -> W (x - mean), of unit covariance over the points that it is made of. Nothing is learnt.

    Fed whitened observations, fewer standard starts get stuck (measured here; no paper has it).
    """

    mean: Tensor
    map: Tensor

    def __init__(self, x: Tensor) -> None:
        """x (m, n, d_x), n well above d_x."""
        super().__init__()
        mean = x.mean(1, keepdim=True)
        self.register_buffer("mean", mean)
        self.register_buffer("map", _whitening(x - mean))

    def forward(self, x: Tensor) -> Tensor:
        """x (m, n, d_x) -> (m, n, d_x)."""
        return (x - self.mean) @ self.map


class Centring(nn.Module):
    """x -> (x - mean) / deviation, one deviation for all columns. Nothing is learnt.

    For pictures, many of whose directions hardly vary: whitened, they would be all noise.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, x: Tensor) -> None:
        """x (m, n, d_x), the points that it is made of."""
        super().__init__()
        mean = x.mean(1, keepdim=True)
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", (x - mean).square().mean((1, 2), keepdim=True).sqrt())

    def forward(self, x: Tensor) -> Tensor:
        """x (m, n, d_x) -> (m, n, d_x)."""
        return (x - self.mean) / self.deviation


class Bounded(nn.Module):
    """u -> b sigmoid(u), the box [0, b_1] x ... x [0, b_d] whose sides b are learnt.

    As the reference describes it (Zimmermann et al. 2021), but for log b being what descends: at a
    rate for other weights b itself would take the whole training to grow.
    """

    def __init__(self, start: Tensor, d: int) -> None:
        """Sides (m,) at the start."""
        super().__init__()
        self.log_bound = nn.Parameter(start.log()[:, None, None].repeat(1, 1, d))

    def forward(self, u: Tensor) -> Tensor:
        """u (m, n, d) -> (m, n, d)."""
        # in double precision: the last few numbers of a float32 tensor are rounded another way, so
        # that a member would depend on its companions
        return (self.log_bound.double().exp() * torch.sigmoid(u.double())).to(u.dtype)


class Variational(nn.Module):
    """SlowVAE's networks: codes as means, their log variances, and pictures from codes."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, x: Tensor) -> Tensor:
        """x (m, n, d_x) -> the means (m, n, d_hat)."""
        return self.encoder(x).chunk(2, -1)[0]


def of_member(f: nn.Module, i: int) -> Callable[[Tensor], Tensor]:
    """The i-th member's f alone (m = 1), of any module whose tensors all have a member axis."""
    return of_members(f, [i])


def of_members(f: nn.Module, chosen: Sequence[int]) -> Callable[[Tensor], Tensor]:
    """The same of several, in this order."""
    some = {n: torch.stack([v[i] for i in chosen]) for n, v in f.state_dict().items()}
    return lambda x: functional_call(f, some, (x,))


def make_encoder(
    generators: Sequence[torch.Generator],
    d_x: int,
    d_hat: int,
    width: int,
    depth: int,
    initialisation: Initialisation,
    normalised: bool = True,
    activation: Activation = "leaky",
) -> Encoder:
    """One member per CPU generator. `depth` hidden layers of `width` units.

    "standard" is PyTorch's default, weights and biases U(-a, a) with a = 1/sqrt(fan_in).
    "identity" has the same weights, zero biases and a random orthogonal skip S: together with a
    bias-free g, h then starts as a map of degree +1 or -1 rather than a fold. "skip" has that path
    and the default's biases.
    """
    sizes = [d_x, *[width] * depth, d_hat]
    members = [_draw(g, sizes, initialisation) for g in generators]
    weights, biases, skips = zip(*members, strict=True)
    return Encoder(
        [torch.stack(layer) for layer in zip(*weights, strict=True)],
        [torch.stack(layer) for layer in zip(*biases, strict=True)],
        None if initialisation == "standard" else torch.stack(skips),
        normalised,
        activation,
    )


def _draw(
    generator: torch.Generator, sizes: Sequence[int], initialisation: Initialisation
) -> tuple[list[Tensor], list[Tensor], Tensor]:
    weights, biases = [], []
    for fan_in, fan_out in pairwise(sizes):
        bound = fan_in**-0.5
        weights.append((2 * torch.rand(fan_in, fan_out, generator=generator) - 1) * bound)
        bias = (2 * torch.rand(1, fan_out, generator=generator) - 1) * bound
        biases.append(torch.zeros_like(bias) if initialisation == "identity" else bias)
    d_x, d_hat = sizes[0], sizes[-1]
    big = max(d_x, d_hat)
    orthogonal = torch.linalg.qr(torch.randn(big, big, generator=generator))[0]
    return weights, biases, orthogonal[:d_x, :d_hat].contiguous()
