"""InfoNCE on a sphere: worlds of m members, their encoders, one Adam update, one observation."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics, theory
from core.encoder import Whitening, make_encoder, of_member
from core.laws.samplers import Noise, generator, pole, sampler
from core.mixing import Mixing, make_mixing, stack
from core.objectives import INFO_NCE, squared_error
from core.run.evaluation import EVALUATED, Evaluation
from core.run.experiment import Member, Scores
from core.run.training import Descent, Observation, Truth, columns, parameters, schedule
from core.scenarios.infonce import InfoNCE as Params

LOWEST_CONCENTRATION = 0.1  # annealing starts at this fraction of 1/tau
FRESH = 16  # batches behind the reported loss where there is no floor to settle
MOST_FRESH = 1000
WHITENED = 4096  # observations that the whitening is made of
Map = Callable[[Tensor], Tensor]


class World:
    """Latents and positives of m members: the marginal and the conditional."""

    def __init__(self, settings: Sequence[Params], device: torch.device | str) -> None:
        self.d = settings[0].d
        self.pole = pole(self.d, device).expand(len(settings), 1, self.d)
        self.marginal = sampler([p.around_pole for p in settings], self.d, device)
        self.conditional = sampler([p.law for p in settings], self.d, device)

    def latents(self, n: int, noise: Noise) -> Tensor:
        """z (m, n, d): uniform, or around the pole."""
        return self.marginal.around(self.pole.expand(-1, n, -1), noise)

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
        self.steps, self.batch, self.unsupervised = p.steps, p.batch, p.unsupervised
        self.observed_at = schedule(p.steps)
        seeds = [member.seed for member in members]

        self.world = World(self.settings, device)
        mixings = {
            seed: make_mixing(generator(seed, "world"), p.d, p.observed, p.mixing_layers)
            for seed in set(seeds)
        }
        self.g = stack([mixings[seed] for seed in seeds]).to(torch.device(device))
        self.data = Noise(seeds, "data", device)
        self.f = self._encoder(seeds).to(device)
        self.info_nce = INFO_NCE[p.negatives]
        self.concentration = torch.tensor([1 / s.model_tau for s in self.settings], device=device)
        self.anneal = torch.tensor([s.anneal for s in self.settings], device=device)
        self.descend = Descent(self.f.parameters(), p.learning_rate, self.steps)

        self.floors: dict[tuple[float, float], tuple[float | None, int]] = {}
        self.finite = self._pairs(p.n_train) if p.n_train else None
        noise = Noise(seeds, "evaluation", device)
        z = self.world.latents(EVALUATED, noise)
        self.evaluation = Evaluation(p.space, z, self.g, self.f, p.encoded)
        seen, world = self.evaluation.drawn, dict[str, np.ndarray]()
        if p.unsupervised:
            world["z_pos"] = self.world.positives(seen, noise).cpu().numpy()
        world["x"] = self.g(seen).cpu().numpy()
        self.truth = Truth(z=self.evaluation.z_drawn, net=self.evaluation.net, world=world)
        self.baselines = [self._baselines(i, f) for i, f in enumerate(self._final_scores())]

    def step(self, t: int) -> Tensor:
        """One Adam update of every member on a batch of pairs; the loss (m,) before it."""
        return self.descend(self._loss(self.g, self.f, self._batch(), self._tau(t)))

    def look(self) -> Observation:
        """Images of the drawn points and the graticule."""
        return Observation({}, *self.evaluation.look())

    def observe(self) -> Observation:
        """The same with the scores on the watched points; the degree at every third."""
        seen = self.evaluation.observe()
        covering = [None] * len(self.members) if seen.covering is None else seen.covering
        watched = zip(self.evaluation.z_watched, seen.watched, covering, strict=True)
        return Observation(columns([self._scores(*each) for each in watched]), *seen[:2])

    def finish(self) -> list[Scores]:
        """Held-out scores, and the loss on data that no one trained on."""
        return [
            {**scores, "loss": self._fresh_loss(i)} for i, scores in enumerate(self._final_scores())
        ]

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """Latents, observations and features of member i, and the weights of f and g."""
        return {
            "z": self.evaluation.z[i],
            "x": self.evaluation.raw_x(i),
            "z_hat": self.evaluation.features(i),
            **parameters("f", self.f, i),
            **self.g.arrays(i),
        }

    def _encoder(self, seeds: Sequence[int]) -> nn.Module:
        """The network, after what whitens its observations where that is asked for."""
        p = self.settings[0]
        network = make_encoder(
            [generator(seed, "initialisation") for seed in seeds],
            p.observed, p.encoded, p.width, p.depth, p.initialisation,
        )  # fmt: skip
        if not p.whiten:
            return network
        return nn.Sequential(Whitening(self.g(self.world.latents(WHITENED, self.data))), network)

    def _loss(self, g: Mixing, f: Map, batch: tuple[Tensor, ...], tau: Tensor) -> Tensor:
        """What is minimised (m,), of a batch as `_pairs` gives it."""
        z_hat = f(g(torch.cat(batch, 1)))
        if self.unsupervised:
            anchors, views = z_hat.chunk(2, 1)
            return self.info_nce(anchors, views, tau)
        return squared_error(z_hat, batch[0])

    def _batch(self) -> tuple[Tensor, ...]:
        """As `_pairs`, fresh or of the finite set."""
        if self.finite is None:
            return self._pairs(self.batch)
        chosen = self.data.index(self.finite[0].shape[1], self.batch)[..., None]
        chosen = chosen.expand(-1, -1, self.world.d)
        return tuple(each.gather(1, chosen) for each in self.finite)

    def _pairs(self, n: int) -> tuple[Tensor, ...]:
        """z and z_pos (m, n, d) each; z alone where that is what is told."""
        z = self.world.latents(n, self.data)
        return (z, self.world.positives(z, self.data)) if self.unsupervised else (z,)

    def _tau(self, t: int) -> Tensor:
        """Temperature at step t (m,): the concentration rises linearly over the annealed steps."""
        ramp = (t / self.steps / self.anneal.clamp_min(1e-9)).clamp(max=1)
        share = LOWEST_CONCENTRATION + (1 - LOWEST_CONCENTRATION) * ramp
        return 1 / (self.concentration * share)

    def _final_scores(self) -> list[Scores]:
        everything = zip(self.evaluation.z, *self.evaluation.everything(), strict=True)
        return [self._scores(*each) for each in everything]

    def _scores(self, z: np.ndarray, z_hat: np.ndarray, covering: np.ndarray | None) -> Scores:
        """Every score of one member, all None once its latents are not finite."""
        names = ("linear_r2", "orthogonal_r2", "mcc", "singular_value_mae")
        if not np.isfinite(z_hat).all():
            return {**dict.fromkeys(names), "degree": None}
        scores: Scores = {name: getattr(metrics, name)(z, z_hat) for name in names}
        return {**scores, "degree": self.evaluation.degree(covering)}

    def _baselines(self, i: int, untrained: Scores) -> Scores:
        """Scores of x itself and of f at its start, and the loss at the truth."""
        p, z, x = self.settings[i], self.evaluation.z[i], self.evaluation.raw_x(i)
        world = (p.kappa, p.marginal_kappa)
        if world not in self.floors:
            self.floors[world] = self._loss_floor(i)
        return {
            "raw_linear_r2": metrics.linear_r2(z, x),
            "raw_mcc": metrics.mcc(z, x),
            "untrained_linear_r2": untrained["linear_r2"],
            "untrained_mcc": untrained["mcc"],
            "loss_floor": self.floors[world][0],
        }

    def _fresh(self, i: int) -> Iterator[tuple[Tensor, ...]]:
        """Batches of fresh pairs, as `_pairs`, of member i's world, the same for every seed."""
        world = World(self.settings[i : i + 1], self.device)
        noise = Noise([0], "floor", self.device)
        for _ in range(MOST_FRESH):
            z = world.latents(self.batch, noise)
            yield (z, world.positives(z, noise)) if self.unsupervised else (z,)

    def _loss_floor(self, i: int) -> tuple[float | None, int]:
        """The loss at the truth, None without a closed-form density ratio, and its batches."""
        p = self.settings[i]
        kappa, around_pole = p.law.concentration, p.around_pole.concentration
        if kappa is None or around_pole is None or not self.unsupervised:
            return None, FRESH
        ratio = theory.vmf_log_ratio(kappa, around_pole, np.eye(p.d)[-1])
        pairs = ((z[0].cpu().numpy(), z_pos[0].cpu().numpy()) for z, z_pos in self._fresh(i))
        return theory.loss_floor(ratio, pairs, p.negatives)

    @torch.inference_mode()
    def _fresh_loss(self, i: int) -> float | None:
        """Loss of member i on the batches that settled its floor, at the final temperature."""
        p = self.settings[i]
        batches = self.floors[p.kappa, p.marginal_kappa][1]
        tau = self._tau(self.steps)[i : i + 1]
        g, f = self.g.member(i), of_member(self.f, i)
        losses = [float(self._loss(g, f, batch, tau)) for batch in islice(self._fresh(i), batches)]
        return float(np.mean(losses)) if np.isfinite(losses).all() else None


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Worlds and encoders of members that agree in every field that is not batched."""
    return Learner(members, device)
