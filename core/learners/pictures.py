"""What learners from pictures share: their camera, their encoder, the score of every factor."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics
from core.datasets.subset import Points, Subset
from core.images.camera import Camera, by_factor, pooled
from core.images.convolution import encoder_layers
from core.images.world import World
from core.laws.law import Law
from core.laws.samplers import Noise, sampler
from core.run.experiment import Scores
from core.scenarios.pixels import POOLED, Pixels

HARDLY = 0.02  # deviation of a pixel, five grey levels of 255
COARSEST = 4  # pixels a side
CENTRED = 2048  # pictures that a centring is made of


class OfSubset:
    """A `core.learners.pairs.World` of the latents that pictures of a data set have."""

    def __init__(
        self, laws: Sequence[Law], subset: Subset, parts: Sequence[str], device: torch.device | str
    ) -> None:
        latents = [subset.part(name) for name in parts]
        self.points = Points(np.concatenate(latents))
        self.parts = [torch.from_numpy(z).to(device) for z in latents]
        self.d = self.points.z.shape[1]
        self.conditional = sampler(laws, self.d, device)

    def latents(self, n: int, noise: Noise) -> Tensor:
        """z (m, n, d), as many of each part, one after the other; again where they are too few."""
        each = n // len(self.parts)
        return torch.cat([_dealt(part, each, noise) for part in self.parts], 1)

    def positives(self, z: Tensor, noise: Noise) -> Tensor:
        """z_pos (m, n, d): of the same parts, the nearest to a step from z."""
        wanted = self.conditional.around(z, noise).cpu().numpy()
        return torch.from_numpy(self.points.z[self.points.nearest(wanted)]).to(z.device)


def _dealt(z: Tensor, n: int, noise: Noise) -> Tensor:
    """n of z (N, d) in a random order of every member's own (m, n, d)."""
    rounds = [noise.uniform(len(z)).argsort(1) for _ in range(-(-n // len(z)))]
    return z[torch.cat(rounds, 1)[:, :n]]


def camera_of(p: Pixels) -> Camera:
    """What an encoder of these parameters is fed."""
    return Camera(p.seen, p.seen.side if p.encoder == "conv" else POOLED)


def layers_of(
    p: Pixels, x: Tensor, starts: Sequence[torch.Generator], d_hat: int, normalised: bool = False
) -> list[nn.Module]:
    """A network of each generator that is fed pictures as x (m, n, d_x); an `Encoder` ends it."""
    shape = p.seen.channels, p.seen.side
    return encoder_layers(p.encoder, x, starts, shape, p.width, p.depth, d_hat, normalised)


def readable(p: Pixels, x: np.ndarray, pictures: int | None = None) -> np.ndarray:
    """The pixels of x (n, d_x) that a read-out may use: pooled, and of some deviation.

    As many as there are pictures would fit them all, and one that is lit in a few pictures alone
    fits those and misses by far in the next ones. Where a read-out is fitted to few `pictures`, at
    least four of them go to a pixel.
    """
    camera, channels, side = camera_of(p), p.seen.channels, POOLED
    while pictures is not None and 4 * channels * side**2 > pictures and side > COARSEST:
        side //= 2
    if camera.side > side:
        shape = len(x), channels, camera.side, camera.side
        x = pooled(torch.from_numpy(x).view(shape), camera.side // side).flatten(1).numpy()
    return x[:, x.std(0) > HARDLY]


def told(world: World, of: str, z: np.ndarray, code: np.ndarray) -> Scores:
    """Scores `of` every factor of z (n, k) from codes (n, d_hat), None of codes not finite."""
    if not np.isfinite(code).all():
        return {f"{of}_{name}": None for name in world.varied}
    return {f"{of}_{name}": score for name, score in by_factor(world, z, code).items()}


def told_by_chance(world: World, z: np.ndarray, code: np.ndarray) -> Scores:
    """The same of codes whose rows are shuffled, a mean over a few shuffles."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(z)) for _ in range(metrics.SHUFFLES)]
    rows = [told(world, "null_factor", z, code[order]) for order in orders]
    means = {name: np.mean([row[name] for row in rows]) for name, known in rows[0].items()
             if known is not None}  # fmt: skip
    return {**rows[0], **{name: float(mean) for name, mean in means.items()}}
