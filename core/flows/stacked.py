"""What the flows of several members have in common: stacked weights, losses, how they start."""

from collections.abc import Sequence
from math import log, pi

import torch
from torch import Tensor, nn
from torch.func import stack_module_state


def stacked(flows: Sequence[nn.Module]) -> tuple[dict[str, nn.Parameter], dict[str, Tensor]]:
    """Parameters to be trained and buffers of m flows of one shape, each by name (m, ...)."""
    parameters, buffers = stack_module_state(list(flows))
    return {name: nn.Parameter(each.detach()) for name, each in parameters.items()}, buffers


def nll(z: Tensor, ladj: Tensor) -> Tensor:
    """Mean of -log p(x) in nats (m,), from codes (m, n, d) and log-determinants (m, n)."""
    log_p = -0.5 * (z**2).sum(-1) - 0.5 * z.shape[-1] * log(2 * pi) + ladj
    return -log_p.mean(-1)


def core_alone(z: Tensor, core: int) -> Tensor:
    """Codes (m, n, d) with the latents after the first `core` at 0."""
    return torch.cat([z[..., :core], torch.zeros_like(z[..., core:])], -1)


def squared_error(back: Tensor, x: Tensor) -> Tensor:
    """Of what was reconstructed (m, n, D), summed over dimensions, in mean (m,)."""
    return ((back - x) ** 2).sum(-1).mean(-1)


@torch.no_grad()
def drawn_anew(weight: Tensor, bias: Tensor, stream: torch.Generator) -> None:
    """A layer (out, in) and its bias by PyTorch's default law, from a member's own stream."""
    bound = weight.shape[1] ** -0.5
    weight.uniform_(-bound, bound, generator=stream)
    bias.uniform_(-bound, bound, generator=stream)
