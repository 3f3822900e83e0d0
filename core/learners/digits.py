"""Normalizing flows of digits: images of m members, their flows, one Adam update, one reading.

Members are the leading axis of their flows' stacked weights, under `torch.func.vmap`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.func import functional_call, jacfwd, vmap

from core import entropy
from core.flows.couplings import Flow
from core.flows.linear import Gaussian, haar
from core.flows.stacked import core_alone, nll, squared_error, stacked
from core.laws.samplers import Noise, generator
from core.run.evaluation import CHUNK, HALF, held_out
from core.run.experiment import Member, Scores
from core.run.training import Observation, Truth, columns, number, schedule
from core.run.updates.descent import Descent
from core.scenarios.digits import CLASSES, MOVES, SHOWN, SIZE
from core.scenarios.digits import Digits as Params

TRAINED = 1500  # images, of 1797
UNIT = 0.2  # grey levels, about a pixel's deviation: of what a flow's blocks see
FRAMES = 12  # observations: each takes Jacobians
READ, GLANCED, PART = 300, 40, 50  # latents behind the metrics, while training, and at a time
SAMPLES = 4  # a class
WATCHED = 512  # images of the evaluation set that are scored while training
DRAWN, CODED = 100, 2  # images whose codes are kept, and of how many latents


class Images(NamedTuple):
    """The images of a seed, in grey levels from 0 to 1 less their mean, and which digits they are.

    The first 1500 are to train on.
    """

    x: Tensor  # (1797, 64)
    y: Tensor  # (1797,)
    mean: Tensor  # (64,)

    @classmethod
    def of(cls, seed: int) -> "Images":
        """scikit-learn's, in this seed's order."""
        data: Any = load_digits()
        order = torch.randperm(len(data.target), generator=generator(seed, "world"))
        x = torch.from_numpy(data.data).float()[order] / data.data.max()
        mean = x[:TRAINED].mean(0)
        return cls(x - mean, torch.from_numpy(data.target)[order].long(), mean)


class World:
    """What m members' flows are fitted to."""

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        every = [Images.of(member.seed) for member in members]
        self.x, self.y, self.mean = (
            torch.stack(list(each)).to(device) for each in zip(*every, strict=True)
        )
        noises = [cast(Params, member.params).noise for member in members]
        self.noise = torch.tensor(noises, device=device)[:, None, None]

    def draw(self, n: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """Images to train on with fresh noise x (m, n, 64), and their digits (m, n)."""
        return self._seen(noise.index(TRAINED, n), noise)

    def evaluation(self, noise: Noise) -> tuple[Tensor, Tensor]:
        """The evaluation set: a half of images trained on, a half of others, each in turn."""
        m, total = self.y.shape
        turn = torch.arange(HALF, device=self.y.device)
        order = torch.cat([turn % TRAINED, TRAINED + turn % (total - TRAINED)])
        return self._seen(order.expand(m, -1), noise)

    def _seen(self, which: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        x = self.x.gather(1, which[..., None].expand(-1, -1, SIZE))
        return x + self.noise * noise.normal(which.shape[1], SIZE), self.y.gather(1, which)


def basis_of(architecture: str, stream: torch.Generator) -> Tensor:
    """Orthonormal rows (64, 64) in which a flow sees its image."""
    if architecture in ("wavelet", "basis-only"):
        return torch.from_numpy(haar()).float()
    if architecture == "factorisation-only":
        return torch.linalg.qr(torch.randn(SIZE, SIZE, generator=stream))[0]
    return torch.eye(SIZE)


class Learner:
    """m members of equal shape training together; see `core.run.training.Learner`."""

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        self.members = members
        self.settings = [cast(Params, member.params) for member in members]
        self.p = p = self.settings[0]
        self.steps, self.observed_at = p.steps, schedule(p.steps, FRAMES)
        seeds = [member.seed for member in members]
        self.world = World(members, device)
        self.data = Noise(seeds, "data", device)

        flows = [_flow(p, generator(seed, "initialisation")).to(device) for seed in seeds]
        self.parameters, buffers = stacked(flows)
        # halves are the same for all members, and tell sizes: they stay the module's own
        self.buffers = {name: b for name, b in buffers.items() if not name.endswith("mask")}
        self.flow = flows[0]
        self.descend = Descent(self.parameters.values(), p.learning_rate, self.steps)
        self.weight = torch.tensor([s.recon_weight for s in self.settings], device=device)

        noise = Noise(seeds, "evaluation", device)
        self.x, self.y = self.world.evaluation(noise)
        self.latents = noise.normal(READ, SIZE)
        self.digits = torch.arange(READ, device=device).expand(len(seeds), -1) % CLASSES
        self.turns = noise.normal(SIZE, SIZE).cpu().numpy()
        self.rulers = [self._ruler(i) for i in range(len(members))]
        self.seen = self._read(GLANCED)
        self.truth = Truth(
            z=np.stack([self._ruled(i) for i in range(len(members))]),
            net=np.zeros((len(members), 0, 0, CODED), np.float32),
            world={
                "pca_entropies": np.stack(
                    [entropy.NORMAL + np.log(np.linalg.norm(r.axes, axis=0)) for r in self.rulers]
                ),
            },
        )
        self.baselines = [self._baselines(i) for i in range(len(members))]

    def step(self, t: int) -> Tensor:
        """One Adam update of every member on freshly noisy images; the loss (m,) before it."""
        return self.descend(self._loss(*self.world.draw(self.p.batch, self.data)))

    def program(self, t: int) -> str:
        """Every update is the same."""
        return "update"

    def look(self) -> Observation:
        """Codes of the drawn images, beside the latest reading."""
        return self._observation({})

    def observe(self) -> Observation:
        """The same with a new reading, of fewer latents than at the end, and likelihoods."""
        self.seen = self._read(READ if self.descend.taken == self.steps else GLANCED)
        found = self._nll(held_out(self.x)[:, :WATCHED], held_out(self.y)[:, :WATCHED])
        rows = [
            {**{name: each.scores[name] for name in entropy.READINGS}, "nll": number(found[i])}
            for i, each in enumerate(self.seen)
        ]
        return self._observation(columns(rows))

    def finish(self) -> list[Scores]:
        """Metrics of the decoder, and the likelihood of images that no one saw."""
        x, y = held_out(self.x), held_out(self.y)
        found = self._nll(x, y)
        with torch.no_grad():
            loss = self._loss(x, y).cpu().numpy()
        return [{**each.scores, "nll": number(found[i]), "loss": number(loss[i])}
                for i, each in enumerate(self.seen)]  # fmt: skip

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """Images and their digits, codes, Jacobians at the prior's latents, weights, bases."""
        learnt = {**self.parameters, **self.buffers}
        return {
            "x": self.x[i].cpu().numpy(),
            "y": self.y[i].cpu().numpy(),
            "z_hat": self._encode(self.x, self.y)[i],
            "latents": self.latents[i].cpu().numpy(),
            "latents_y": self.digits[i].cpu().numpy(),
            "jacobians": self._jacobians(i, READ),
            **{f"f.{name}": each[i].detach().cpu().numpy() for name, each in learnt.items()},
        }

    # --- what is minimised

    def _loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Negative log-likelihood in nats (m,), and the objective's further term."""
        digit = self._told(y)
        z, ladj = self._each("encode", x, digit)
        if self.p.objective == "ml":
            return nll(z, ladj)
        back = self._each("decode", core_alone(z, self.p.core_dim), digit)
        return nll(z, ladj) + self.weight * squared_error(back, x)

    def _each(self, way: str, value: Tensor, digit: Tensor) -> Any:
        """One of a flow's ways, of every member."""
        return vmap(partial(_through, self.flow, way))(self.parameters, self.buffers, value, digit)

    def _told(self, y: Tensor) -> Tensor:
        """Digits (m, n) as indicators (m, n, 10); nothing of them where the flow is not told."""
        return nn.functional.one_hot(y, CLASSES).float()[..., : self.p.told]

    # --- what is read

    @torch.no_grad()
    def _encode(self, x: Tensor, y: Tensor) -> np.ndarray:
        parts = zip(x.split(CHUNK, 1), y.split(CHUNK, 1), strict=True)
        codes = [self._each("encode", each, self._told(of))[0] for each, of in parts]
        return torch.cat(codes, 1).cpu().numpy()

    @torch.no_grad()
    def _nll(self, x: Tensor, y: Tensor) -> np.ndarray:
        return nll(*self._each("encode", x, self._told(y))).cpu().numpy()

    def _own(self, i: int, kind: torch.dtype) -> list[dict[str, Tensor]]:
        """Parameters and buffers of member i, numbers of this kind."""
        return [
            {name: v[i].detach().to(kind if v.is_floating_point() else v.dtype)
             for name, v in each.items()}
            for each in (self.parameters, self.buffers)
        ]  # fmt: skip

    def _jacobians(self, i: int, n: int) -> np.ndarray:
        """Of member i's decoder at the first n latents (n, D, d), in float64."""
        parameters, buffers = self._own(i, torch.float64)

        def decoded(z: Tensor, digit: Tensor) -> Tensor:
            return _through(self.flow, "decode", parameters, buffers, z[None], digit[None])[0]

        at = self.latents[i, :n].double(), self._told(self.digits)[i, :n].double()
        return vmap(jacfwd(decoded), chunk_size=PART)(*at).cpu().numpy()

    def _read(self, n: int) -> "list[Seen]":
        """What n of the prior's latents say of each member's decoder, and what it draws."""
        with torch.no_grad():
            digit = self._told(self.y[:, -WATCHED:])
            code = self._each("encode", self.x[:, -WATCHED:], digit)[0]
            own = self._each("unscaled", code, digit)
        y = self.y[:, -WATCHED:].cpu().numpy()
        found = []
        for i in range(len(self.members)):
            jacobians = self._jacobians(i, n)
            scores, entropies, pairs = self._metrics(jacobians)
            top = np.argsort(-np.nan_to_num(entropies, nan=-np.inf), kind="stable")[:SHOWN]
            of = self._classes(self.digits[i, :n].cpu().numpy())
            rows = range(of.max() + 1)
            shown = self._pictures(i, top, len(rows))
            moving = {
                "entropies": entropies,
                "pairs": np.where(np.eye(SIZE, dtype=bool), 0, pairs),  # nan would mean divergence
                "top": top,
                "columns": np.stack([jacobians[of == c][:, :, top].mean(0).T for c in rows]),
                "deviations": _by_class(own[i].cpu().numpy(), self._classes(y[i])),
                **shown,
            }
            found.append(Seen(scores, moving))
        return found

    def _metrics(self, jacobians: np.ndarray) -> tuple[Scores, np.ndarray, np.ndarray]:
        """Scores, entropies (d,) and pairs (d, d); nothing where there is nothing to read."""
        try:
            found = entropy.read(jacobians)
        except entropy.Degenerate:  # a flow that diverged, or was flattened
            return (
                dict.fromkeys((*entropy.READINGS, *entropy.BETWEEN)),
                np.full(SIZE, np.nan),
                np.full((SIZE, SIZE), np.nan),
            )
        scores = found.scores(self.p.core_dim, ordered=self.p.objective == "ml-rec")
        return {**scores, **found.between}, found.spectrum, found.pairs

    @torch.no_grad()
    def _pictures(self, i: int, top: np.ndarray, classes: int) -> dict[str, np.ndarray]:
        """Grey levels from 0 to 255 of traversals (classes, latents, moves, 64), and of samples."""
        parameters, buffers = self._own(i, torch.float32)
        moves = torch.zeros(len(top), len(MOVES), SIZE, device=self.x.device)
        for row, latent in enumerate(top):
            moves[row, :, int(latent)] = moves.new_tensor(MOVES)
        z = torch.cat([moves.flatten(0, 1), self.latents[i, :SAMPLES]])
        drawn = []
        for c in range(classes):
            digit = self._told(torch.full((len(z),), c, device=z.device))
            x = _through(self.flow, "decode", parameters, buffers, z, digit) + self.world.mean[i]
            drawn.append((255 * x).nan_to_num().clamp(0, 255).round().byte().cpu().numpy())
        every = np.stack(drawn)
        return {
            "traversals": every[:, :-SAMPLES].reshape(classes, *moves.shape),
            "samples": every[:, -SAMPLES:],
        }

    def _ruler(self, i: int) -> Gaussian:
        x, y = self.world.x[i, :TRAINED].cpu().numpy(), self.world.y[i, :TRAINED].cpu().numpy()
        return Gaussian(x.astype(float), self._classes(y), self.settings[i].noise)

    def _ruled(self, i: int) -> np.ndarray:
        """The drawn images' first coordinates (n, 2) along the principal axes."""
        x, y = _drawn(self.x)[i].cpu().numpy(), self._classes(_drawn(self.y)[i].cpu().numpy())
        z = np.linalg.solve(self.rulers[i].axes, (x - self.rulers[i].centres[y]).T)
        return z[:CODED].T.astype(np.float32)

    def _classes(self, y: np.ndarray) -> np.ndarray:
        """Digits as the flow tells them apart: 0 for all where it is not told."""
        return y if self.p.by_class else np.zeros_like(y)

    def _baselines(self, i: int) -> Scores:
        """Of the linear flow: its likelihood, and its total correlation by its decoders."""
        ruler, turn = self.rulers[i], np.linalg.qr(self.turns[i].astype(float))[0]
        x, y = held_out(self.x)[i].cpu().numpy(), held_out(self.y)[i].cpu().numpy()
        found = {f"{kind}_mtc_nats": entropy.linear_total_correlation(a)
                 for kind, a in ruler.decoders(haar(), turn).items()}  # fmt: skip
        return {**found, "gaussian_nll": ruler.nll(x.astype(float), self._classes(y))}

    @torch.no_grad()
    def _observation(self, scores: dict[str, np.ndarray]) -> Observation:
        code = self._each("encode", _drawn(self.x), self._told(_drawn(self.y)))[0]
        moving = {name: np.stack([each.moving[name] for each in self.seen])
                  for name in self.seen[0].moving}  # fmt: skip
        z_hat = code[..., :CODED].cpu().numpy()
        return Observation(scores, z_hat, self.truth.net, moving)


def _flow(p: Params, stream: torch.Generator) -> Flow:
    """A member's flow as it starts."""
    basis = basis_of(p.architecture, stream)
    return Flow(basis, p.levels, p.widths, p.blocks, p.told, stream, UNIT, p.architecture == "gin")


class Seen(NamedTuple):
    """What is read of one member's decoder: scores, and arrays that figures need."""

    scores: Scores
    moving: dict[str, np.ndarray]


def _through(
    flow: Flow, way: str, parameters: dict, buffers: dict, value: Tensor, digit: Tensor
) -> Any:
    return functional_call(flow, (parameters, buffers), (value, digit, way))


def _by_class(values: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Standard deviations (classes, d) of values (n, d) within each class."""
    return np.stack([values[y == c].std(0) for c in range(y.max() + 1)])


def _drawn(x: Tensor) -> Tensor:
    """Of the evaluation set (m, EVALUATED, ...) images that nobody trained on."""
    return x[:, HALF : HALF + DRAWN]


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Images and flows of members that agree in every field that is not batched."""
    return Learner(members, device)
