"""Normalizing flows in the plane: data of m members, their flows, one Adam update, one reading.

Members are the leading axis of their flows' stacked weights, under `torch.func.vmap`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from math import pi
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacfwd, vmap

from core import entropy, metrics
from core.flows.known import AXES
from core.flows.plane import Flow, coordinate_lines, normal_axes, rotation, sources
from core.flows.stacked import core_alone, nll, squared_error, stacked
from core.laws.samplers import Noise, generator
from core.run.evaluation import (
    CHUNK,
    EVALUATED,
    between,
    by_chance,
    drawn,
    held_out,
    in_parts,
    watched,
)
from core.run.experiment import Member, Scores
from core.run.training import Observation, Truth, columns, number, schedule
from core.run.updates.descent import Descent
from core.scenarios.flows import SIZE
from core.scenarios.flows import Flows as Params

NOISE = 0.1  # of the two moons, as in the paper
DEGREE = pi / 180
PENALISED = 2  # of so many points one is read for the penalty
RECOVERY = {  # scores of codes whose latents are known
    "mcc": metrics.mcc,
    "mcc_spearman": metrics.mcc_spearman,
    "linear_r2": metrics.linear_r2,
}
READ, GLANCED = 10_000, 500  # latents behind the metrics at the end, and while training


class World:
    """What m members' flows are fitted to."""

    def __init__(
        self, settings: Sequence[Params], seeds: Sequence[int], device: torch.device | str
    ) -> None:
        self.data, self.known, self.size = settings[0].data, settings[0].known, settings[0].size
        self.axes: Tensor | None = None  # (m, d, d), rows: what a torus is rotated to
        if self.data == "torus":
            drawn_axes = [torch.randn(self.size, self.size, generator=generator(seed, "world"))
                          for seed in seeds]  # fmt: skip
            self.axes = torch.linalg.qr(torch.stack(drawn_axes))[0].to(device)

    def draw(self, n: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """x (m, n, d) and, where they are known, its latents; x itself elsewhere."""
        if self.known:
            z = noise.normal(n, self.size)
            x = sources(self.data, z)
            return (x if self.axes is None else x @ self.axes), z
        u = noise.uniform(n)
        lower, angle = (u < 0.5).float(), pi * (2 * u % 1).float()
        upper = torch.stack([angle.cos(), angle.sin()], -1)
        other = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], -1)
        x = torch.where(lower[..., None] > 0, other, upper) + NOISE * noise.normal(n, SIZE)
        return x, x


class Reader(ABC):
    """What m members have in common: points, latents, and what is read of a decoder.

    See `core.run.training.Learner`. Subclasses set `steps` and `observed_at`, and say how x (m, n,
    d) is encoded and latents are decoded.
    """

    steps: int
    observed_at: set[int]

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        self.members = members
        self.settings = [cast(Params, member.params) for member in members]
        self.p = self.settings[0]
        seeds = [member.seed for member in members]
        self.world = World(self.settings, seeds, device)
        self.data = Noise(seeds, "data", device)
        noise = Noise(seeds, "evaluation", device)
        self.x, z = self.world.draw(EVALUATED, noise)
        self.z = z.cpu().numpy()
        self.latents = noise.normal(READ, self.p.size)
        grid = coordinate_lines(self.p.size)
        lines = torch.from_numpy(grid).to(device)
        self.lines = lines.reshape(1, -1, self.p.size).expand(len(members), -1, -1)
        places = torch.cartesian_prod(*SIZE * [torch.arange(-1.0, 2.0, device=device)])
        places = nn.functional.pad(places, (0, self.p.size - SIZE))
        self.places = places.expand(len(members), -1, -1)
        self.truth = Truth(
            z=drawn(self.z),
            net=np.broadcast_to(grid, (len(members), *grid.shape)),
            world={"x": drawn(self.x).cpu().numpy(), **self._plane()},
        )
        self.baselines = [self._baselines(i) for i in range(len(members))]

    def _plane(self) -> dict[str, np.ndarray]:
        """The plane (m, 2, d) of a torus's first circle, in which its points are drawn."""
        axes = self.world.axes
        return {} if axes is None else {"plane": axes[:, :SIZE].cpu().numpy()}

    @abstractmethod
    def step(self, t: int) -> Tensor:
        """One update of every member; the loss (m,) before it."""

    @abstractmethod
    def program(self, t: int) -> str | None:
        """See `core.run.updates.capture.Learner`."""

    @abstractmethod
    def _encode(self, x: Tensor) -> np.ndarray:
        """Latents (m, n, d) of points."""

    @abstractmethod
    def _decode(self, z: Tensor) -> Tensor:
        """Points (m, n, d) of latents."""

    @abstractmethod
    def _jacobians(self, z: Tensor) -> np.ndarray:
        """Of the decoder at latents (m, n, d): (m, n, D, d), float64."""

    @abstractmethod
    def _nll(self, x: Tensor) -> np.ndarray:
        """Negative log-likelihood of points in nats (m,)."""

    @abstractmethod
    def _final_loss(self) -> np.ndarray:
        """What was minimised, of points that no one saw (m,)."""

    @abstractmethod
    def _weights(self, i: int) -> dict[str, np.ndarray]:
        """What member i learnt, by name."""

    def look(self) -> Observation:
        """Latents of the drawn points, and the grid of latents pushed through the decoder.

        As `moving`: every latent's manifold entropy (m, d), and at the images of nine latents
        around the middle, (m, 9, d), the decoder's columns (m, 9, d, d).
        """
        return self._observation(self._jacobians(self.latents[:, :GLANCED]), {})

    def observe(self) -> Observation:
        """The same with the metrics at fewer latents, and likelihoods of the watched points."""
        fit, jacobians = self._nll(watched(self.x)), self._jacobians(self.latents[:, :GLANCED])
        rows = [{**self._reading(j), "nll": number(fit[i])} for i, j in enumerate(jacobians)]
        return self._observation(jacobians, columns(rows))

    def finish(self) -> list[Scores]:
        """Metrics of the decoder, the likelihood of points that no one saw, and recovery."""
        jacobians, fit = self._jacobians(self.latents), self._nll(held_out(self.x))
        z_hat, loss = self._encode(self.x), self._final_loss()
        found = []
        for i in range(len(self.members)):
            scores = {**self._reading(jacobians[i], between=True), "nll": number(fit[i])}
            scores |= self._recovery(i, z_hat[i])
            found.append({**scores, "loss": number(loss[i])})
        return found

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """Points, their latents where known, codes, Jacobians at the prior's latents, weights."""
        return {
            "z": self.z[i],
            "x": self.x[i].cpu().numpy(),
            "z_hat": self._encode(self.x)[i],
            "latents": self.latents[i].cpu().numpy(),
            "jacobians": self._jacobians(self.latents)[i],
            **self._weights(i),
        }

    def _reading(self, jacobians: np.ndarray, between: bool = False) -> Scores:
        """Entropies and total correlation of a member; None where there is nothing to read.

        With the interval of the total correlation, if that is asked for.
        """
        try:
            found = entropy.read(jacobians)
        except entropy.Degenerate:  # a flow that diverged, or was flattened
            return dict.fromkeys((*entropy.READINGS, *(entropy.BETWEEN if between else ())))
        interval = found.between if between else {}
        return {**found.scores(self.p.core_dim, self.p.ordered), **interval}

    def _recovery(self, i: int, z_hat: np.ndarray) -> Scores:
        """How well codes (n, d) give the known latents, what shuffled ones do, and the interval."""
        if not self.world.known or not np.isfinite(z_hat).all():
            return dict.fromkeys((*RECOVERY, *(f"null_{name}" for name in RECOVERY),
                                  "mcc_low", "mcc_high"))  # fmt: skip
        z = self.z[i]
        return {
            **{name: score(z, z_hat) for name, score in RECOVERY.items()},
            **by_chance(z, z_hat, RECOVERY),
            **between(z, z_hat, "mcc"),
        }

    def _baselines(self, i: int) -> Scores:
        """x itself, and of the known generator its own entropy and total correlation."""
        if not self.world.known:
            return dict.fromkeys(("raw_mcc", "raw_linear_r2", "loss_floor", "true_mtc_nats"))
        x, z = self.x[i].cpu().numpy(), self.latents[i].double()
        true = vmap(jacfwd(partial(sources, self.p.data)))(z).cpu().numpy()
        return {
            "raw_mcc": metrics.mcc(self.z[i], x),
            "raw_linear_r2": metrics.linear_r2(self.z[i], x),
            "loss_floor": entropy.entropy(true).value,
            "true_mtc_nats": entropy.total_correlation(true).value,
        }

    def _observation(self, jacobians: np.ndarray, scores: dict[str, np.ndarray]) -> Observation:
        net = self._decode(self.lines).cpu().numpy().reshape(self.truth.net.shape)
        moving = {
            "spectrum": np.stack([entropy.spectrum(j)[0] for j in jacobians]),
            "places": self._decode(self.places).cpu().numpy(),
            "columns": self._jacobians(self.places),
        }
        return Observation(scores, self._encode(drawn(self.x)), net, moving)


class Turned(Reader):
    """The normal's own decoder, nothing trained: its latents are turned, a degree a step."""

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        super().__init__(members, device)
        self.steps = self.p.turn
        self.observed_at = set(range(self.steps + 1))
        self.turned = 0  # degrees

    def step(self, t: int) -> Tensor:
        """One degree further; the negative log-likelihood (m,), which that does not change."""
        before = torch.from_numpy(self._nll(watched(self.x)))
        self.turned = t + 1
        return before

    def program(self, t: int) -> None:
        """Nothing is trained."""

    def _matrix(self, like: Tensor) -> Tensor:
        """dx/dz (2, 2)."""
        return normal_axes(like) @ rotation(self.turned * DEGREE, like)

    def _encode(self, x: Tensor) -> np.ndarray:
        return (x @ torch.linalg.inv(self._matrix(x)).T).cpu().numpy()

    def _decode(self, z: Tensor) -> Tensor:
        return z @ self._matrix(z).T

    def _jacobians(self, z: Tensor) -> np.ndarray:
        matrix = self._matrix(z.double()).cpu().numpy()
        return np.broadcast_to(matrix, (*z.shape[:2], SIZE, SIZE))

    def _nll(self, x: Tensor) -> np.ndarray:
        z = self._encode(x)
        log_volume = float(np.log(np.prod(AXES)))
        return 0.5 * (z**2).sum(-1).mean(-1) + 0.5 * SIZE * np.log(2 * pi) + log_volume

    def _final_loss(self) -> np.ndarray:
        return self._nll(held_out(self.x))

    def _weights(self, i: int) -> dict[str, np.ndarray]:
        return {"a": self._matrix(self.x).cpu().numpy()}


class Learner(Reader):
    """m flows of equal shape training together."""

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        super().__init__(members, device)
        p = self.p
        self.steps, self.batch = p.steps, p.batch
        self.observed_at = schedule(p.steps)
        seeds = [member.seed for member in members]

        flows = [
            Flow(p.size, p.spline_bins, p.transforms, p.width, p.initialisation == "identity",
                 generator(seed, "initialisation")).to(device)
            for seed in seeds
        ]  # fmt: skip
        self.parameters, self.buffers = stacked(flows)
        self.flow = flows[0]
        self.descend = Descent(self.parameters.values(), p.learning_rate, self.steps)
        weights = {"ml": None, "ml-mtc": "alpha", "ml-rec": "recon_weight"}[p.objective]
        self.weight = torch.tensor(
            [getattr(s, weights) if weights else 0.0 for s in self.settings], device=device
        )

    def step(self, t: int) -> Tensor:
        """One Adam update of every member on fresh points; the loss (m,) before it."""
        x, _ = self.world.draw(self.batch, self.data)
        return self.descend(self._loss(x))

    def program(self, t: int) -> str:
        """Every update is the same."""
        return "update"

    # --- what is minimised

    def _loss(self, x: Tensor) -> Tensor:
        """Negative log-likelihood in nats (m,), and the objective's further term."""
        if self.p.objective == "ml-mtc":
            return self._penalised(x)
        z, ladj = self._each(partial(_forward, self.flow), x)
        if self.p.objective == "ml":
            return nll(z, ladj)
        back = self._each(partial(_inverse, self.flow), core_alone(z, self.p.core_dim))
        return nll(z, ladj) + self.weight * squared_error(back, x)

    def _penalised(self, x: Tensor) -> Tensor:
        """The same with the total correlation at every second point: that is what costs most."""
        seen = x[:, ::PENALISED].requires_grad_()
        z, ladj = self._each(partial(_forward, self.flow), seen)
        rest = [x[:, i::PENALISED] for i in range(1, PENALISED)]
        others = [self._each(partial(_forward, self.flow), part) for part in rest]
        codes = torch.cat([z, *(code for code, _ in others)], 1)
        volumes = torch.cat([ladj, *(volume for _, volume in others)], 1)
        return nll(codes, volumes) + self.weight * _total_correlation(seen, z, ladj)

    def _each(self, of: Callable, values: Tensor) -> Tensor:
        """A function of one member's parameters, buffers and values, of every member."""
        return vmap(of)(self.parameters, self.buffers, values)

    def _final_loss(self) -> np.ndarray:
        return self._loss(held_out(self.x)).detach().cpu().numpy()

    # --- what is read

    @torch.no_grad()
    def _nll(self, x: Tensor) -> np.ndarray:
        return nll(*self._each(partial(_forward, self.flow), x)).cpu().numpy()

    def _encode(self, x: Tensor) -> np.ndarray:
        return (
            in_parts(lambda part: self._each(partial(_forward, self.flow), part)[0], x)
            .cpu()
            .numpy()
        )

    @torch.no_grad()
    def _decode(self, z: Tensor) -> Tensor:
        return self._each(partial(_inverse, self.flow), z)

    def _jacobians(self, z: Tensor) -> np.ndarray:
        """Of the decoder at latents (m, n, d): (m, n, D, d), float64."""
        found = []
        for part in z.split(CHUNK, 1):
            with torch.no_grad():
                x = self._each(partial(_inverse, self.flow), part)
            code, _ = self._each(partial(_forward, self.flow), x.requires_grad_())
            found.append(_encoder_jacobian(x, code, retain=True).cpu())
        return _inverted(torch.cat(found, 1).numpy().astype(float))

    def _weights(self, i: int) -> dict[str, np.ndarray]:
        return {f"f.{name}": v[i].detach().cpu().numpy() for name, v in self.parameters.items()}


def _forward(flow: Flow, parameters: dict, buffers: dict, x: Tensor) -> tuple[Tensor, Tensor]:
    return functional_call(flow, (parameters, buffers), (x,))


def _inverse(flow: Flow, parameters: dict, buffers: dict, z: Tensor) -> Tensor:
    return functional_call(flow, (parameters, buffers), (z, True))[0]


def _encoder_jacobian(x: Tensor, z: Tensor, retain: bool = False, learn: bool = False) -> Tensor:
    """dz/dx (m, n, d, D) of codes z that were computed from x, point by point.

    By reverse mode, a row at a time: forward mode under `vmap` costs four times as much here.
    """
    rows = [
        torch.autograd.grad(each.sum(), x, retain_graph=retain, create_graph=learn)[0]
        for each in z.unbind(-1)
    ]
    return torch.stack(rows, -2)


def _inverted(encoder: np.ndarray) -> np.ndarray:
    """Decoders' Jacobians from encoders' (..., d, d); nan where a flow was flattened."""
    flat = np.linalg.slogdet(encoder)[0] == 0
    found = np.linalg.inv(np.where(flat[..., None, None], np.eye(encoder.shape[-1]), encoder))
    return np.where(flat[..., None, None], np.nan, found)


def _total_correlation(x: Tensor, z: Tensor, ladj: Tensor) -> Tensor:
    """Of the decoder at the codes z of x, (m,): its Jacobian is the encoder's, inverted."""
    # unchecked: a check would wait for the GPU, and a flow that was flattened shows by its loss
    decoder = torch.linalg.inv_ex(_encoder_jacobian(x, z, retain=True, learn=True)).inverse
    lengths = decoder.norm(dim=-2)
    return (lengths.log().sum(-1) + ladj).mean(-1)


def start(members: Sequence[Member], device: torch.device | str) -> Reader:
    """Data and decoders of members that agree in every field that is not batched."""
    turned = cast(Params, members[0].params).data == "turned"
    return (Turned if turned else Learner)(members, device)
