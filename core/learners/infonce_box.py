"""InfoNCE in a box or R^d: worlds of m members, encoders, one Adam update, one observation."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics, theory
from core.encoder import Bounded, Whitening, make_encoder, of_member
from core.laws import coordinates
from core.laws.samplers import Noise, generator, sampler
from core.laws.spaces import Box
from core.mixing import make_mixing, stack
from core.objectives import LP_INFO_NCE, squared_error
from core.run.evaluation import EVALUATED, Evaluation
from core.run.experiment import Member, Scores
from core.run.training import Descent, Observation, Truth, columns, parameters, schedule
from core.scenarios.infonce_box import InfoNCEBox as Params

WHITENED = 4096  # observations that the whitening is made of
FRESH = 16  # batches behind the reported loss where there is no floor to settle
MOST_FRESH = 1000


class World:
    """Latents and positives of m members: the marginal and the conditional."""

    def __init__(self, settings: Sequence[Params], device: torch.device | str) -> None:
        p = settings[0]
        self.space, self.d = p.flat, p.d
        marginals = [law for s in settings if (law := s.marginal_law) is not None]
        self.marginal = sampler(marginals, p.d, device) if marginals else None
        self.conditional = sampler([s.law for s in settings], p.d, device)
        self.centre = torch.full((len(settings), 1, p.d), self.space.centre, device=device)

    def latents(self, n: int, noise: Noise) -> Tensor:
        """z (m, n, d): uniform in the box, or around its middle."""
        if self.marginal is not None:
            return self.marginal.around(self.centre.expand(-1, n, -1), noise)
        assert isinstance(self.space, Box)
        return self.space.uniform(noise.uniform(n, self.d)).float()

    def positives(self, z: Tensor, noise: Noise) -> Tensor:
        """z_pos (m, n, d) from the conditional around z."""
        return self.conditional.around(z, noise)


class Learner:
    """m members of equal shape training together; see `core.run.training.Learner`."""

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        self.members = members
        self.settings = [cast(Params, member.params) for member in members]
        self.device = device
        p = self.settings[0]
        self.steps, self.batch, self.p = p.steps, p.batch, p.p
        self.supervised = p.objective == "supervised"
        self.observed_at = schedule(p.steps)
        seeds = [member.seed for member in members]

        self.world = World(self.settings, device)
        mixings = {
            seed: make_mixing(generator(seed, "world"), p.d, p.d, p.mixing_layers)
            for seed in set(seeds)
        }
        self.g = stack([mixings[seed] for seed in seeds]).to(torch.device(device))
        self.data = Noise(seeds, "data", device)
        self.f = self._encoder(seeds).to(device)
        self.loss = LP_INFO_NCE[p.negatives]
        self.tau = torch.tensor([s.model_tau for s in self.settings], device=device)
        self.descend = Descent(self.f.parameters(), p.learning_rate, self.steps)

        self.floors: dict[tuple[float, ...], tuple[float | None, int]] = {}
        noise = Noise(seeds, "evaluation", device)
        z = self.world.latents(EVALUATED, noise)
        self.evaluation = Evaluation(p.flat, z, self.g, self.f, p.d)
        self.truth = Truth(
            z=self.evaluation.z_drawn,
            net=self.evaluation.net,
            world={
                "z_pos": self.world.positives(self.evaluation.drawn, noise).cpu().numpy(),
                "x": self.g(self.evaluation.drawn).cpu().numpy(),
            },
        )
        self.baselines = [self._baselines(i, f) for i, f in enumerate(self._final_scores())]

    def step(self, t: int) -> Tensor:
        """One Adam update of every member on a batch; the loss (m,) before it."""
        z = self.world.latents(self.batch, self.data)
        if self.supervised:
            return self.descend(squared_error(self.f(self.g(z)), z))
        z_pos = self.world.positives(z, self.data)
        z_hat, z_hat_pos = self.f(self.g(torch.cat([z, z_pos], 1))).chunk(2, 1)
        return self.descend(self.loss(z_hat, z_hat_pos, self.tau, self.p))

    def look(self) -> Observation:
        """Images of the drawn points and of the box's lines."""
        return Observation({}, *self.evaluation.look())

    def observe(self) -> Observation:
        """The same with the scores on the watched points."""
        seen = self.evaluation.observe()
        watched = zip(self.evaluation.z_watched, seen.watched, strict=True)
        return Observation(columns([self._scores(*each) for each in watched]), *seen[:2])

    def finish(self) -> list[Scores]:
        """Held-out scores, and the loss on pairs that no one trained on."""
        return [
            {**scores, "loss": self._fresh_loss(i)} for i, scores in enumerate(self._final_scores())
        ]

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """Latents, observations and codes of member i, and the weights of f and g."""
        return {
            "z": self.evaluation.z[i],
            "x": self.evaluation.raw_x(i),
            "z_hat": self.evaluation.features(i),
            **parameters("f", self.f, i),
            **self.g.arrays(i),
        }

    def _encoder(self, seeds: Sequence[int]) -> nn.Sequential:
        """What whitens, the network itself, and the space of its codes."""
        p = self.settings[0]
        sphere = p.model_space == "sphere" and not self.supervised
        parts: list[nn.Module] = [
            make_encoder(
                [generator(seed, "initialisation") for seed in seeds],
                p.d, p.d, p.width, p.depth, p.initialisation, normalised=sphere,
            )
        ]  # fmt: skip
        if p.whiten:
            parts.insert(0, Whitening(self.g(self.world.latents(WHITENED, self.data))))
        if p.model_space == "box" and not self.supervised:
            sides = [s.bound_start * s.matched_side for s in self.settings]
            parts.append(Bounded(torch.tensor(sides), p.d))
        return nn.Sequential(*parts)

    def _final_scores(self) -> list[Scores]:
        everything = zip(self.evaluation.z, self.evaluation.everything()[0], strict=True)
        return [self._scores(*each) for each in everything]

    def _scores(self, z: np.ndarray, z_hat: np.ndarray) -> Scores:
        """Every score of one member, all None once its latents are not finite."""
        if not np.isfinite(z_hat).all():
            return dict.fromkeys(("mcc", "linear_r2"))
        return {"mcc": metrics.mcc(z, z_hat), "linear_r2": metrics.linear_r2(z, z_hat)}

    def _baselines(self, i: int, untrained: Scores) -> Scores:
        """Scores of x itself and of f at its start, and the loss at the truth."""
        z, x = self.evaluation.z[i], self.evaluation.raw_x(i)
        return {
            "raw_mcc": metrics.mcc(z, x),
            "raw_linear_r2": metrics.linear_r2(z, x),
            "untrained_mcc": untrained["mcc"],
            "untrained_linear_r2": untrained["linear_r2"],
            "loss_floor": self._floor(i)[0],
        }

    def _fresh(self, i: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches (1, batch, d) of fresh pairs of member i's world, the same for every seed."""
        world = World(self.settings[i : i + 1], self.device)
        noise = Noise([0], "floor", self.device)
        for _ in range(MOST_FRESH):
            z = world.latents(self.batch, noise)
            yield z, world.positives(z, noise)

    def _floor(self, i: int) -> tuple[float | None, int]:
        """The loss at the truth and the batches it took: 0 of a squared error, None if open."""
        if self.supervised:
            return 0.0, FRESH
        p = self.settings[i]
        world = (p.spread, p.shape, p.marginal_spread)
        if world not in self.floors:
            ratio = coordinates.log_ratio(p.law, p.marginal_law, p.flat)
            pairs = ((z[0].cpu().numpy(), z_pos[0].cpu().numpy()) for z, z_pos in self._fresh(i))
            self.floors[world] = theory.loss_floor(ratio, pairs, p.negatives)
        return self.floors[world]

    @torch.inference_mode()
    def _fresh_loss(self, i: int) -> float | None:
        """Loss of member i on the batches that settled its floor."""
        g, f, tau = self.g.member(i), of_member(self.f, i), self.tau[i : i + 1]
        losses = []
        for z, z_pos in islice(self._fresh(i), self._floor(i)[1]):
            z_hat, z_hat_pos = f(g(torch.cat([z, z_pos], 1))).chunk(2, 1)
            found = (
                squared_error(z_hat, z)
                if self.supervised
                else self.loss(z_hat, z_hat_pos, tau, self.p)
            )
            losses.append(float(found))
        return float(np.mean(losses)) if np.isfinite(losses).all() else None


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Worlds and encoders of members that agree in every field that is not batched."""
    return Learner(members, device)
