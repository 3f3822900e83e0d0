"""Jacobians of decoders by automatic differentiation, in parts of stated memory."""

from collections.abc import Callable

import torch
from torch import Tensor

MEMORY = 1 << 26  # bytes that the Jacobians of one part may take; forward mode needs a few times it


def of(decoder: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """dg/dz (n, D, d) at each latent of z (n, d), by forward mode, samples side by side.

    `decoder` takes a batch (b, d) to (b, ...), which is flattened to D numbers a sample; what it
    does must not depend on the rest of the batch (a module in `eval`). Raises ValueError where it
    gives another number of samples than it was given.
    """
    with torch.no_grad():
        shape = decoder(z[:1]).shape
    if not shape or shape[0] != 1:
        raise ValueError(f"the decoder gives shape {tuple(shape)} for one latent (1, {z.shape[1]})")

    def one(latent: Tensor) -> Tensor:
        return decoder(latent[None])[0].flatten()

    each = shape.numel() * z.shape[1] * z.element_size()
    return torch.func.vmap(torch.func.jacfwd(one), chunk_size=max(1, MEMORY // each))(z).detach()
