"""Pixels: encoders of pictures trained on pairs, by InfoNCE, by SlowVAE, or told the factors.

Those trained on classes are in `core.learners.sprite_classes`.
"""

from collections.abc import Sequence
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from core.datasets.subset import subset
from core.encoder import Bounded, Encoder, Variational, make_encoder
from core.images.camera import LEVELS
from core.laws import coordinates
from core.learners.pairs import FRESH, InFlat, Map, Mixed, OfPairs, Ratio, World
from core.learners.pictures import (
    CENTRED,
    OfSubset,
    camera_of,
    layers_of,
    readable,
    told,
    told_by_chance,
)
from core.learners.sprite_classes import OfClasses
from core.objectives import LP_INFO_NCE, slow_vae
from core.run.evaluation import HALF
from core.run.experiment import Member, Scores
from core.run.updates.capture import Time
from core.scenarios.pixels import HIGH, LOW
from core.scenarios.pixels import Pixels as Params

UNIFORM = (HIGH - LOW) / 12**0.5  # the deviation of a latent
FLATTENED = 1.5  # times as far codes start before a sigmoid (measured: 1 and 2 miss factors)
AT_ONCE = 1024  # pairs drawn beforehand, at a time


class Learner(OfPairs):
    """m members of equal shape training together; see `core.run.training.Learner`."""

    names = ("mcc", "mcc_spearman", "linear_r2")
    settings: list[Params]

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        p = members[0].params
        assert isinstance(p, Params)
        settings = [each.params for each in members if isinstance(each.params, Params)]
        self.tau, self.warm, self.gamma, self.rate = (
            torch.tensor(column, device=device)
            for column in zip(*((s.model_tau, s.warm, s.gamma, s.rate) for s in settings),
                              strict=True)
        )  # fmt: skip
        self.camera = camera_of(p)
        super().__init__(members, device, p.flat, p.input_size, p.encoded)
        self.album = None if p.stored is None else self._album(p.stored)

    def finish(self) -> list[Scores]:
        """With the score of every factor, and what shuffled codes get of it."""
        world, found = self.settings[0].seen, []
        for i, scores in enumerate(super().finish()):
            z, code = self.evaluation.z[i], self.evaluation.features(i)
            found.append(
                {**scores, **told(world, "factor", z, code), **told_by_chance(world, z, code)}
            )
        return found

    def _world(self, settings: Sequence[Params]) -> World:
        return self._from(settings, "train")

    def _unseen(self, settings: Sequence[Params]) -> World:
        return self._from(settings, "fit", "test")

    def _from(self, settings: Sequence[Params], *parts: str) -> World:
        """Latents as they are drawn, or of those parts of the data set."""
        p = settings[0]
        if not p.found:
            return InFlat(settings, self.device)
        return OfSubset([each.law for each in settings], subset(p.seen), parts, self.device)

    def _mixing(self, seeds: Sequence[int], observed: int) -> Mixed:
        """The same pictures for everybody."""
        return self.camera

    def _raw(self, i: int) -> np.ndarray:
        return readable(self.settings[i], super()._raw(i), self._fitting())

    def _fitting(self) -> int | None:
        """To how many pictures of a data set a read-out is fitted, where those are few."""
        p = self.settings[0]
        found = len(subset(p.seen).parts["fit"]) if p.found else HALF
        return found if found < HALF else None

    def _once(self) -> slice | np.ndarray:
        """The first round of a data set's pictures, where it has few: see `OfSubset.latents`."""
        few = self._fitting()
        return slice(None) if few is None else np.r_[:few, HALF : HALF + few]

    def _kept(self, z: Tensor) -> dict[str, np.ndarray]:
        """No picture: who shows one draws it anew."""
        return {}

    def _fed(self, network: nn.Module) -> nn.Module:
        """The network centres its pictures itself."""
        return network

    def _network(self, starts: Sequence[torch.Generator]) -> nn.Module:
        """An encoder, with a box around its codes or a decoder where that is asked for.

        Of InfoNCE codes start apart, spread as the latents are: otherwise a factor that is hard to
        see is missed now and then.
        """
        p, x = self.settings[0], self.g(self.world.latents(CENTRED, self.data))
        if p.method == "supervised":
            return nn.Sequential(*layers_of(p, x, starts, p.encoded))
        if p.method == "slowvae":
            encoder = nn.Sequential(*layers_of(p, x, starts, 2 * p.encoded))
            sizes = p.encoded, p.input_size, p.width, p.depth
            return Variational(encoder, make_encoder(starts, *sizes, "standard", False))
        *before, last = layers_of(p, x, starts, p.encoded, p.space == "sphere")
        if p.space == "sphere":
            return nn.Sequential(*before, last)
        assert isinstance(last, Encoder)
        wide = UNIFORM * (FLATTENED if p.space == "box" else 1)
        apart = torch.full((len(self.settings),), wide, device=self.device)
        last.start_apart(nn.Sequential(*before)(x), apart)
        if p.space == "unbounded":
            return nn.Sequential(*before, last)
        sides = torch.full_like(apart, HIGH - LOW)
        return nn.Sequential(*before, last, Bounded(sides, p.encoded))

    def _info_nce(self, anchors: Tensor, views: Tensor, tau: Tensor) -> Tensor:
        p = self.settings[0]
        return LP_INFO_NCE[p.negatives](anchors, views, tau, p.p)

    def _tau(self, t: Time) -> Tensor:
        """Cooling over the first half, by a constant factor a step."""
        left = 1 - 2 * t / self.steps
        left = left.clamp_min(0) if isinstance(left, Tensor) else max(0.0, left)
        return self.tau * self.warm**left

    def _objective(self, f: Map, x: Tensor, z: Tensor, tau: Tensor) -> Tensor:
        if isinstance(self.f, Variational):
            return self._slow(self.f, x)
        return super()._objective(f, x, z, tau)

    def _slow(self, f: Variational, x: Tensor) -> Tensor:
        """SlowVAE's loss (m,) of first pictures x (m, n, .) and then second ones."""
        mean, spread = f.encoder(x).chunk(2, -1)
        code = mean + (spread / 2).exp() * self.data.normal(*mean.shape[1:])
        return slow_vae(f.decoder(code), x, mean, spread, code, self.gamma, self.rate)

    def _seen(self) -> tuple[Tensor, Tensor]:
        """Of the album where there is one: pictures, and the first ones' latents."""
        if self.album is None:
            return super()._seen()
        pictures, z = self.album
        chosen = self.data.index(z.shape[1], self.batch)
        member = torch.arange(len(z), device=z.device)[:, None]
        x = torch.cat([each[member, chosen] for each in pictures], 1)
        return x.float() / LEVELS, z[member, chosen]

    def _album(self, n: int) -> tuple[list[Tensor], Tensor]:
        """n pairs of pictures, each (m, n, d_x) with 8 bits a number, and the first ones' z."""
        every = self._pairs(n)
        pictures = [
            torch.cat([(self.camera(part) * LEVELS).round().byte()
                       for part in z.split(AT_ONCE, 1)], 1)
            for z in every
        ]  # fmt: skip
        return pictures, every[0]

    def _told_apart(self, p: Params) -> tuple[object, ...]:
        return p.transition, p.step_size

    def _ratio(self, p: Params) -> Ratio | None:
        """That of the latents: InfoNCE alone has such a floor, and where they fill the box."""
        if p.method != "contrastive" or p.found:
            return None
        return coordinates.log_ratio(p.law, None, p.flat)

    @torch.inference_mode()
    def _fresh_losses(self) -> dict[int, float | None]:
        """Loss of every member on a few fresh batches: pictures take longer than their floor."""
        everyone, tau = range(len(self.members)), self._tau(self.steps)
        losses = [
            self._objective(self.f, self.g(torch.cat(batch, 1)), batch[0], tau)
            for batch in islice(self._fresh(everyone), FRESH)
        ]
        each = torch.stack(losses, 1).cpu().double()
        return {i: float(row.mean()) if row.isfinite().all() else None
                for i, row in enumerate(each)}  # fmt: skip

    def _baselines(self, i: int, untrained: Scores) -> Scores:
        """With what pixels and the encoder at its start tell of every factor."""
        world, z = self.settings[0].seen, self.evaluation.z[i]
        return {
            **super()._baselines(i, untrained),
            **told(world, "raw_factor", z, self._raw(i)),
            **told(world, "untrained_factor", z, self.evaluation.features(i)),
        }


def start(members: Sequence[Member], device: torch.device | str) -> "Learner | OfClasses":
    """Worlds and encoders of members that agree in every field that is not batched."""
    p = members[0].params
    assert isinstance(p, Params)
    if p.task == "classify":
        return OfClasses(members, device)
    return Learner(members, device)
