"""What learners from pictures share: their camera, their encoder, the score of every factor."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from core.encoder import make_encoder
from core.images.camera import Camera, by_factor
from core.images.convolution import Convolutions
from core.images.world import World
from core.run.experiment import Scores
from core.scenarios.pixels import POOLED, Pixels


def camera_of(p: Pixels) -> Camera:
    """What an encoder of these parameters is fed."""
    return Camera(p.seen, p.seen.side if p.encoder == "conv" else POOLED)


def encoder_of(
    p: Pixels, starts: Sequence[torch.Generator], d_hat: int, normalised: bool = False
) -> nn.Module:
    """A member's network of each generator: layers over pixels, or over what convolutions leave."""
    if p.encoder == "mlp":
        return make_encoder(starts, p.input_size, d_hat, p.width, p.depth, "standard", normalised)
    convolutions = Convolutions(starts, p.seen.channels, p.seen.side)
    layers = make_encoder(starts, convolutions.features, d_hat, p.width, 1, "standard", normalised)
    return nn.Sequential(convolutions, layers)


def told(world: World, of: str, z: np.ndarray, code: np.ndarray) -> Scores:
    """Scores `of` every factor of z (n, k) from codes (n, d_hat), None of codes not finite."""
    if not np.isfinite(code).all():
        return {f"{of}_{name}": None for name in world.varied}
    return {f"{of}_{name}": score for name, score in by_factor(world, z, code).items()}
