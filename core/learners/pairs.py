"""What learners from pairs have in common: the world's streams, one update, what is scored.

A scenario's own file adds its world, its encoder's last layers, its loss and its density ratio.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics, theory
from core.encoder import WHITENED, Whitening, of_members
from core.laws.samplers import Noise, generator, sampler
from core.laws.spaces import Box, Space
from core.mixing import make_mixing, stack
from core.objectives import squared_error
from core.run.evaluation import EVALUATED, Evaluation, between, by_chance
from core.run.experiment import Member, Scores
from core.run.training import Observation, Truth, columns, parameters, schedule
from core.run.updates.capture import Clock, Time
from core.run.updates.descent import Descent

FRESH = 16  # batches behind the reported loss where there is no floor to settle
MOST_FRESH = 1000
BASELINES = ("linear_r2", "mcc")  # scores that x itself and an untrained f have as well
NULLS = ("linear_r2", "orthogonal_r2", "mcc", "mcc_spearman")  # that shuffled codes have
Map = Callable[[Tensor], Tensor]
Ratio = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Mixed(Protocol):
    """The mixing g of m members, whatever it is made of."""

    def __call__(self, z: Tensor) -> Tensor:
        """z (m, n, d) -> x (m, n, d_x)."""

    def members(self, chosen: Sequence[int]) -> Any:
        """Some of the members, in this order."""

    def arrays(self, i: int) -> dict[str, np.ndarray]:
        """What the i-th member's is made of."""


class World(Protocol):
    """Latents and positives of m members."""

    d: int

    def latents(self, n: int, noise: Noise) -> Tensor:
        """z (m, n, d) of the marginal."""

    def positives(self, z: Tensor, noise: Noise) -> Tensor:
        """z_pos (m, n, d) from the conditional around z."""


class InFlat:
    """A `World` in a box or R^d, of parameters with `flat`, `d`, `law` and `marginal_law`."""

    def __init__(self, settings: Sequence[Any], device: torch.device | str) -> None:
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


class OfPairs(ABC):
    """m members of equal shape training together; see `core.run.training.Learner`.

    Those that are told z itself draw latents alone, so that nothing of the pairs touches them.
    """

    names: ClassVar[tuple[str, ...]]  # of the scores of a code, the promised one first

    def __init__(self, members: Sequence[Member], device: torch.device | str, space: Space,
                 observed: int, encoded: int) -> None:  # fmt: skip
        self.members, self.device = members, device
        self.settings: list[Any] = [member.params for member in members]
        p = self.settings[0]
        self.steps, self.batch, self.unsupervised = p.steps, p.batch, p.unsupervised
        self.observed_at = schedule(p.steps)
        seeds = [member.seed for member in members]

        self.world = self._world(self.settings)
        self.g = self._mixing(seeds, observed)
        self.data, self.clock = Noise(seeds, "data", device), Clock(device)
        network = self._network([generator(seed, "initialisation") for seed in seeds])
        self.f = self._fed(network).to(device)
        self.descend = Descent(self.f.parameters(), p.learning_rate, self.steps)

        self.floors: dict[Hashable, tuple[float | None, int]] = {}
        n_train = getattr(p, "n_train", None)
        self.finite = self._pairs(n_train) if n_train else None
        noise, unseen = Noise(seeds, "evaluation", device), self._unseen(self.settings)
        z = unseen.latents(EVALUATED, noise)
        self.evaluation = Evaluation(space, z, self.g, self.f, encoded)
        seen, world = self.evaluation.drawn, dict[str, np.ndarray]()
        if self.unsupervised:
            world["z_pos"] = unseen.positives(seen, noise).cpu().numpy()
        world |= self._kept(seen)
        self.truth = Truth(z=self.evaluation.z_drawn, net=self.evaluation.net, world=world)
        self.baselines = [self._baselines(i, f) for i, f in enumerate(self._final_scores())]

    @abstractmethod
    def _world(self, settings: Sequence[Any]) -> World:
        """The world of some members."""

    def _unseen(self, settings: Sequence[Any]) -> World:
        """Where nobody trains: what is scored comes from there; the same law."""
        return self._world(settings)

    def _mixing(self, seeds: Sequence[int], observed: int) -> Mixed:
        """g of every member, a seed's own."""
        p = self.settings[0]
        mixings = {
            seed: make_mixing(generator(seed, "world"), p.d, observed, p.mixing_layers)
            for seed in set(seeds)
        }
        return stack([mixings[seed] for seed in seeds]).to(torch.device(self.device))

    def _kept(self, z: Tensor) -> dict[str, np.ndarray]:
        """What a Result keeps of the drawn latents' observations."""
        return {"x": self.g(z).cpu().numpy()}

    def _raw(self, i: int) -> np.ndarray:
        """Observations (EVALUATED, .) of member i, whose scores are the baseline."""
        return self.evaluation.raw_x(i)

    @abstractmethod
    def _network(self, starts: Sequence[torch.Generator]) -> nn.Module:
        """The encoder, fed with what it is to be fed with."""

    @abstractmethod
    def _info_nce(self, anchors: Tensor, views: Tensor, tau: Tensor) -> Tensor:
        """The loss (m,) of codes of pairs (m, n, d_hat)."""

    @abstractmethod
    def _tau(self, t: Time) -> Tensor:
        """Temperature at step t (m,)."""

    @abstractmethod
    def _ratio(self, p: Any) -> Ratio | None:
        """log p(z'|z) / p(z') up to a function of z, where it is known."""

    @abstractmethod
    def _told_apart(self, p: Any) -> Hashable:
        """What of a batched setting its density ratio depends on."""

    def step(self, t: int) -> Tensor:
        """One Adam update of every member on a batch; the loss (m,) before it."""
        tau = self._tau(self.clock.at(t))
        return self.descend(self._objective(self.f, *self._seen(), tau))

    def program(self, t: int) -> str:
        """Every update is the same."""
        return "update"

    def look(self) -> Observation:
        """Images of the drawn points and of the space's net."""
        return Observation({}, *self.evaluation.look())

    def observe(self) -> Observation:
        """The same with the scores on the watched points; the degree, if any, at every third."""
        seen = self.evaluation.observe()
        covering = [None] * len(self.members) if seen.covering is None else seen.covering
        watched = zip(self.evaluation.z_watched, seen.watched, covering, strict=True)
        return Observation(columns([self._scores(*each) for each in watched]), *seen[:2])

    def finish(self) -> list[Scores]:
        """Held-out scores and how far to trust them, the loss on data that no one trained on."""
        losses = self._fresh_losses()
        return [
            {**scores, **self._trust(i), "loss": losses[i]}
            for i, scores in enumerate(self._final_scores())
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

    def _fed(self, network: nn.Module) -> nn.Module:
        """The network, after what whitens its observations where that is asked for."""
        if not self.settings[0].whiten:
            return network
        x = self.g(self.world.latents(WHITENED, self.data))
        parts = network if isinstance(network, nn.Sequential) else (network,)
        return nn.Sequential(Whitening(x), *parts)

    def _objective(self, f: Map, x: Tensor, z: Tensor, tau: Tensor) -> Tensor:
        """What is minimised (m,), of observations of anchors, then of views; z those of anchors."""
        z_hat = f(x)
        if self.unsupervised:
            anchors, views = z_hat.chunk(2, 1)
            return self._info_nce(anchors, views, tau)
        return squared_error(z_hat, z)

    def _seen(self) -> tuple[Tensor, Tensor]:
        """The observations of a batch, anchors first, and the anchors' latents."""
        batch = self._batch()
        return self.g(torch.cat(batch, 1)), batch[0]

    def _batch(self) -> tuple[Tensor, ...]:
        """As `_pairs`, fresh or of the finite set."""
        if self.finite is None:
            return self._pairs(self.batch)
        chosen = self.data.index(self.finite[0].shape[1], self.batch)[..., None]
        chosen = chosen.expand(-1, -1, self.world.d)
        return tuple(each.gather(1, chosen) for each in self.finite)

    def _pairs(self, n: int) -> tuple[Tensor, ...]:
        """z and z_pos (m, n, d) each; z alone where that is what is told."""
        return self._drawn(self.world, n, self.data)

    def _drawn(self, world: World, n: int, noise: Noise) -> tuple[Tensor, ...]:
        z = world.latents(n, noise)
        return (z, world.positives(z, noise)) if self.unsupervised else (z,)

    def _final_scores(self) -> list[Scores]:
        everything = zip(self.evaluation.z, *self.evaluation.everything(), strict=True)
        return [self._scores(*each) for each in everything]

    def _trust(self, i: int) -> Scores:
        """What shuffled codes of member i get, and the interval of its promised score."""
        z, z_hat = self.evaluation.z[i], self.evaluation.features(i)
        nulls = {name: getattr(metrics, name) for name in self.names if name in NULLS}
        once = self._once()
        return {**by_chance(z, z_hat, nulls), **between(z[once], z_hat[once], self.names[0])}

    def _once(self) -> slice | np.ndarray:
        """Rows of the evaluation set in which none comes again, half of them of each half."""
        return slice(None)

    def _scores(self, z: np.ndarray, z_hat: np.ndarray, covering: np.ndarray | None) -> Scores:
        """Every score of one member, all None once its latents are not finite."""
        if not np.isfinite(z_hat).all():
            return dict.fromkeys(self.names)
        return {name: getattr(metrics, name)(z, z_hat) for name in self.names}

    def _baselines(self, i: int, untrained: Scores) -> Scores:
        """Scores of x itself and of f at its start, and the loss at the truth."""
        z, x = self.evaluation.z[i], self._raw(i)
        return {
            **{f"raw_{name}": getattr(metrics, name)(z, x) for name in BASELINES},
            **{f"untrained_{name}": untrained[name] for name in BASELINES},
            "loss_floor": self._floor(i)[0],
        }

    def _fresh(self, chosen: Sequence[int]) -> Iterator[tuple[Tensor, ...]]:
        """Batches of fresh pairs, as `_pairs`, of some members' worlds, the same for every seed."""
        world = self._unseen([self.settings[i] for i in chosen])
        noise = Noise([0] * len(chosen), "floor", self.device)
        for _ in range(MOST_FRESH):
            yield self._drawn(world, self.batch, noise)

    def _floor(self, i: int) -> tuple[float | None, int]:
        """The loss at the truth, None where its density ratio is not known, and its batches."""
        p = self.settings[i]
        world = self._told_apart(p)
        if world not in self.floors:
            ratio = self._ratio(p) if self.unsupervised else None
            pairs = ((z[0].cpu().numpy(), z_pos[0].cpu().numpy()) for z, z_pos in self._fresh([i]))
            known = None if ratio is None else theory.loss_floor(ratio, pairs, p.negatives)
            self.floors[world] = known or (None, FRESH)
        return self.floors[world]

    @torch.inference_mode()
    def _fresh_losses(self) -> dict[int, float | None]:
        """Loss of every member on the batches that settled its floor, at the final temperature."""
        alone = torch.device(self.device).type == "cpu"  # a GPU would be kept waiting so
        together: dict[tuple[int, int], list[int]] = {}
        for i in range(len(self.members)):
            together.setdefault((self._floor(i)[1], i if alone else 0), []).append(i)
        found: dict[int, float | None] = {}
        for (batches, _), chosen in together.items():
            g, f, tau = self.g.members(chosen), of_members(self.f, chosen), self._tau(self.steps)
            taus = torch.stack([tau[i] for i in chosen])
            fresh = islice(self._fresh(chosen), batches)
            losses = [self._objective(f, g(torch.cat(batch, 1)), batch[0], taus) for batch in fresh]
            for i, each in zip(chosen, torch.stack(losses, 1).cpu().tolist(), strict=True):
                found[i] = float(np.mean(each)) if np.isfinite(each).all() else None
        return found
