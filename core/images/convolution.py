"""Convolutions over pictures, for m members that never mix."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.encoder import SLOPE, Centring, make_encoder

CHANNELS = (16, 32, 32)  # of layers that each halve the side
KERNEL = 4


class Convolutions(nn.Module):
    """Layers of stride 2 with LeakyReLU(0.01): rows of pixels in, rows of features out.

    Weights are (m, out, in, 4, 4), U(-a, a) with a = 1/sqrt(fan_in), biases (m, out). A member at a
    time: together they are no faster, and would round as their number has it.
    """

    def __init__(self, generators: Sequence[torch.Generator], channels: int, side: int) -> None:
        super().__init__()
        self.channels, self.side = channels, side
        sizes = [channels, *CHANNELS]
        every = [[_drawn(g, a, b) for a, b in zip(sizes, CHANNELS, strict=False)]
                 for g in generators]  # fmt: skip
        layers = list(zip(*every, strict=True))
        self.weights = nn.ParameterList([torch.stack([w for w, _ in layer]) for layer in layers])
        self.biases = nn.ParameterList([torch.stack([b for _, b in layer]) for layer in layers])

    @property
    def features(self) -> int:
        """Numbers that come out."""
        return CHANNELS[-1] * (self.side // 2 ** len(CHANNELS)) ** 2

    def forward(self, x: Tensor) -> Tensor:
        """x (m, n, channels side side) -> (m, n, features)."""
        return torch.stack([self._of(i, pictures) for i, pictures in enumerate(x)])

    def _of(self, i: int, x: Tensor) -> Tensor:
        hidden = x.reshape(-1, self.channels, self.side, self.side)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            hidden = F.conv2d(hidden, weight[i], bias[i], stride=2, padding=1)
            hidden = F.leaky_relu(hidden, SLOPE)
        return hidden.flatten(1)


def encoder_layers(
    kind: str,
    x: Tensor,
    generators: Sequence[torch.Generator],
    shape: tuple[int, int],
    width: int,
    depth: int,
    d_hat: int,
    normalised: bool = False,
) -> list[nn.Module]:
    """A network of each generator, "mlp" or "conv", that is fed pictures as x (m, n, d_x).

    `shape` is their channels and side, x what centres them; an `Encoder` ends it, after
    convolutions of one hidden layer.
    """
    if kind == "mlp":
        layers = make_encoder(generators, x.shape[-1], d_hat, width, depth, "standard", normalised)
        return [Centring(x), layers.to(x.device)]
    convolutions = Convolutions(generators, *shape)
    features = convolutions.features
    layers = make_encoder(generators, features, d_hat, width, 1, "standard", normalised)
    return [Centring(x), convolutions.to(x.device), layers.to(x.device)]


def _drawn(generator: torch.Generator, fan: int, out: int) -> tuple[Tensor, Tensor]:
    bound = (fan * KERNEL**2) ** -0.5
    weight = (2 * torch.rand(out, fan, KERNEL, KERNEL, generator=generator) - 1) * bound
    return weight, (2 * torch.rand(out, generator=generator) - 1) * bound
