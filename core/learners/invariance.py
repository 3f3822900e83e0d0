"""A nonlinear world with a nuisance: m members' observations, and codes by seven methods."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core import metrics
from core.encoder import Encoder, Initialisation, make_encoder
from core.laws import leakage
from core.laws.samplers import Noise, generator
from core.laws.spaces import plane_grid
from core.mixing import make_mixing, stack
from core.objectives import (
    divergence_from_normal,
    invariant_risk_penalty,
    label_cross_entropy,
    reversal_strength,
    squared_error,
)
from core.run.evaluation import (
    DRAWN,
    EVALUATED,
    WATCHED,
    by_chance,
    chance,
    drawn,
    held_out,
    in_parts,
    watched,
)
from core.run.experiment import Member, Scores
from core.run.training import Observation, Truth, columns, number, parameters, schedule
from core.run.updates.capture import Clock
from core.run.updates.descent import GameDescent
from core.scenarios.invariance import CONTENT, OBSERVED
from core.scenarios.invariance import Invariance as Params

PROBED = 16_384  # more of them, for probes: what is hard to read takes many
LINES, POINTS, REACH = 5, 17, 2.0  # of the grid of contents that is carried along
DEPTH = 2  # hidden layers of every network
PENALTY = 10.0  # IRM's weight at lambda = 1
ACTION = CONTENT  # dimensions of the first stage's action


class Sample(NamedTuple):
    """n draws of m members' worlds; of two stages, x is the observation before and after."""

    x: Tensor  # (m, n, d_x)
    y: Tensor  # (m, n) class
    body: Tensor  # (m, n, k) the same, one-hot
    content: Tensor  # (m, n, 2)
    state: Tensor  # (m, n, 2) before; zero where there is one stage

    @property
    def after(self) -> Tensor:
        """The state (m, n, 2) that the action leads to."""
        return self.state + self.content

    def at(self, chosen: Tensor) -> "Sample":
        """The draws with indices `chosen` (m, b)."""
        deep = chosen[..., None]
        picked = [
            each.gather(1, chosen)
            if each.dim() == 2
            else each.gather(1, deep.expand(-1, -1, each.shape[2]))
            for each in self
        ]
        return Sample(*picked)

    def part(self, of: Callable[[Tensor], Tensor]) -> "Sample":
        """Some of the draws: those that `of` takes of every array."""
        return Sample(*map(of, self))


class World:
    """x = g([c, u, noise]): content c, and u around one of k points of the unit circle.

    Of two stages the content is an action: x is the pair g([s, u, noise]), g([s + c, u, noise]) of
    observations of one body, with a state s ~ N(0, I) and fresh noise.
    """

    def __init__(
        self, settings: Sequence[Params], seeds: Sequence[int], device: torch.device | str
    ) -> None:
        p = settings[0]
        self.n_classes, self.paired = p.n_classes, p.method == "two-stage"
        layers = {s: make_mixing(generator(s, "world"), OBSERVED, OBSERVED, p.mixing_layers)
                  for s in set(seeds)}  # fmt: skip
        self.g = stack([layers[seed] for seed in seeds]).to(torch.device(device))
        angle = 2 * torch.pi * torch.arange(p.n_classes) / p.n_classes
        self.means = torch.stack([angle.cos(), angle.sin()], 1).to(device)  # (k, 2)
        self.rho = torch.tensor([s.rho for s in settings], device=device)[:, None, None]
        self.noise = torch.tensor([s.noise for s in settings], device=device)[:, None, None]

    def draw(self, n: int, noise: Noise) -> Sample:
        """Classes uniform, contents N(rho mean, I)."""
        y = (noise.uniform(n) * self.n_classes).long()
        mean = self.means[y]
        content = noise.normal(n, CONTENT) + self.rho * mean
        nuisance = mean + self.noise * noise.normal(n, CONTENT)
        state = noise.normal(n, CONTENT) if self.paired else torch.zeros_like(content)
        more = self.noise * noise.normal(n, 2 * CONTENT)
        x = self._observe(content, nuisance, state, more)
        body = F.one_hot(y, self.n_classes).float()
        return Sample(x, y, body, content, state)

    def bodies(self, contents: Tensor) -> Tensor:
        """Observations (m, k n, d_x) of contents (n, 2) under every class, without noise."""
        n, k, m = len(contents), self.n_classes, len(self.rho)
        content = contents.repeat(k, 1).expand(m, -1, -1)
        nuisance = self.means.repeat_interleave(n, 0).expand(m, -1, -1)
        nothing = torch.zeros(m, k * n, 2 * CONTENT, device=contents.device)
        return self._observe(content, nuisance, nothing[..., :CONTENT], nothing)

    def _observe(self, content: Tensor, nuisance: Tensor, state: Tensor, noise: Tensor) -> Tensor:
        first, second = noise.split(CONTENT, -1)
        if not self.paired:
            return self.g(torch.cat([content, nuisance, first], -1))
        before = self.g(torch.cat([state, nuisance, first], -1))
        return torch.cat([before, self.g(torch.cat([state + content, nuisance, second], -1))], -1)


class Dynamics:
    """The first of two stages: an action read from two observations, and what it leads to.

    a = IDM(x, x'), and s' is foretold as s + G(a) (additive) or FDM(s, a) (free), with the KL
    divergence of a ~ N(mean, variance) from N(0, I) at weight kl.
    """

    def __init__(self, starts: Sequence[torch.Generator], settings: Sequence[Params], d_x: int,
                 device: torch.device | str) -> None:  # fmt: skip
        p = settings[0]
        self.additive = p.dynamics == "additive"
        given = ACTION if self.additive else CONTENT + ACTION
        self.inverse = _network(starts, d_x, 2 * ACTION, p, p.initialisation).to(device)
        self.forward = _network(starts, given, CONTENT, p).to(device)
        self.kl = torch.tensor([s.kl for s in settings], device=device)
        self.player = GameDescent([self.inverse, self.forward], p.encoder_rate)

    def learn(self, batch: Sample, noise: Tensor, done: float | Tensor) -> Tensor:
        """One update; the squared error of the next state (m,) before it."""
        mean, log_variance = self.inverse(batch.x).split(ACTION, -1)
        # without a bottleneck there is no reason to be noisy
        spread = torch.exp(log_variance / 2) * (self.kl > 0)[:, None, None]
        action = mean + spread * noise
        if self.additive:
            after = batch.state + self.forward(action)
        else:
            after = self.forward(torch.cat([batch.state, action], -1))
        error = squared_error(after, batch.after)
        self.player.descend(error + self.kl * divergence_from_normal(mean, log_variance), done)
        return error.detach()

    @torch.no_grad()
    def actions(self, x: Tensor) -> Tensor:
        """Mean actions (m, n, 2)."""
        return self.inverse(x)[..., :ACTION]


class Learner:
    """m members of equal shape training together; see `core.run.training.Learner`."""

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        self.members, self.device = members, device
        self.settings = [cast(Params, member.params) for member in members]
        p = self.settings[0]
        self.p, self.steps = p, p.turns
        self.observed_at = schedule(p.turns)
        seeds = [member.seed for member in members]
        self.world = World(self.settings, seeds, device)
        self.data, self.clock = Noise(seeds, "data", device), Clock(device)
        raw = self.world.draw(p.n_samples, self.data)
        self.unit = _unit(raw.x)
        self.seen = self._standardised(raw)
        self.evaluated = self._standardised(
            self.world.draw(EVALUATED, Noise(seeds, "evaluation", device))
        )

        starts = [generator(seed, "initialisation") for seed in seeds]
        d_x = self.seen.x.shape[2]
        self.dynamics = None
        if p.method == "two-stage":
            self.dynamics = Dynamics(starts, self.settings, d_x, device)
            d_x = ACTION
        self.first_steps = self.steps // 2 if self.dynamics else 0
        self.tells_body = p.method in ("ae", "ae-grl", "two-stage")
        self.f = _network(starts, d_x, p.code, p, p.initialisation).to(device)
        if self.tells_body:
            self.reader = _network(starts, p.code + p.n_classes, d_x, p).to(device)
        else:
            self.reader = make_encoder(starts, p.code, CONTENT, 1, 0, "standard", False).to(device)
        self.adversary = _network(starts, p.code, p.n_classes, p).to(device)
        self.coding = GameDescent([self.f, self.reader], p.encoder_rate)
        self.opposing = GameDescent([self.adversary], p.adversary_rate)
        self.lam = torch.tensor([s.lam for s in self.settings], device=device)

        grid = plane_grid(LINES, POINTS, REACH)
        lines = torch.from_numpy(grid.reshape(-1, CONTENT)).to(device)
        shown, x = self.evaluated.part(drawn), self.evaluated.x
        self.x_bodies = (self.world.bodies(lines) - self.unit[0]) / self.unit[1]
        self.x_look = torch.cat([shown.x, self.x_bodies], 1)
        self.x_observe = torch.cat([self.x_look, watched(x)], 1)
        self._refresh()
        self.truth = Truth(
            z=shown.content.cpu().numpy(),
            net=np.zeros((len(members), 0, 0, CONTENT), np.float32),
            world={
                "y": shown.y.cpu().numpy().astype(np.int16),
                "x": shown.x.cpu().numpy(),
                "grid": np.broadcast_to(grid, (len(members), *grid.shape)),
            },
        )
        self.content = self.evaluated.content.cpu().numpy().astype(float)
        self.y = self.evaluated.y.cpu().numpy()
        known: dict[tuple[int, float, float], Scores] = {}
        self.baselines = []
        for i, (seed, s) in enumerate(zip(seeds, self.settings, strict=True)):
            world = seed, s.rho, s.noise  # members of one world share its baselines
            if world not in known:
                known[world] = self._baselines(i)
            self.baselines.append(known[world])

    def step(self, t: int) -> Tensor:
        """One update of the encoder, after those of its adversary; the loss (m,) before it."""
        if not self.p.trains:
            return self._loss(self._codes(self.seen.x), self.seen)
        now = self.clock.at(t)
        if self.dynamics and t < self.first_steps:
            batch = self._batch()
            noise = self.data.normal(self.p.batch, ACTION)
            return self.dynamics.learn(batch, noise, now / self.first_steps)
        if self.dynamics and t == self.first_steps:  # from here on, actions are all that is seen
            self._refresh()
            self.seen = self.seen._replace(x=self._inputs(self.seen.x))
        done = (now - self.first_steps) / (self.steps - self.first_steps)
        for _ in range(self.p.inner_steps if self.p.reverses else 0):
            batch = self._batch()
            with torch.no_grad():
                code = self.f(batch.x)
            self.opposing.descend(self._against(code, batch), done)
        batch = self._batch()
        code = self.f(batch.x)
        main = self._loss(code, batch)
        self.coding.descend(main + self._pressure(code, batch, done), done)
        return main.detach()

    def program(self, t: int) -> str | None:
        """Updates of the first stage and those of the codes; the one between moves to actions."""
        if not self.p.trains or (self.dynamics and t == self.first_steps):
            return None
        return "dynamics" if t < self.first_steps else "codes"

    def look(self) -> Observation:
        """Codes of the drawn points and of the grid under every body."""
        self._refresh()
        return self._observation(self._codes(self.x_look), {})

    def observe(self) -> Observation:
        """The same, with scores that least squares give."""
        self._refresh()
        code = self._codes(self.x_observe)
        seen, scored = code.split([self.x_look.shape[1], 2 * WATCHED], 1)
        sample = self.evaluated.part(watched)
        against = self._adversary_loss(scored, sample)
        rows = [
            self._watched(i, scored[i].cpu().numpy(), sample, against)
            for i in range(len(self.members))
        ]
        return self._observation(seen, columns(rows))

    def finish(self) -> list[Scores]:
        """Fresh probes and read-outs, and both players' losses on observations no one saw."""
        self._refresh()
        code = self._codes(self.evaluated.x)
        probing = self.world.draw(
            PROBED, Noise([member.seed for member in self.members], "floor", self.device)
        )
        fit = torch.cat([self._codes(self._standardised(probing).x), held_out(code)], 1)
        y = torch.cat([probing.y, held_out(self.evaluated.y)], 1).cpu().numpy()
        rest = self.evaluated.part(held_out)
        against = self._adversary_loss(held_out(code), rest)
        with torch.no_grad():
            given = rest._replace(x=self._inputs(rest.x))
            loss = self._loss(held_out(code), given).cpu().numpy()
        return [
            {**self._final(i, code[i].cpu().numpy(), against, loss),
             **self._probes(fit[i].cpu().numpy(), y[i])}
            for i in range(len(self.members))
        ]  # fmt: skip

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """Contents, observations, bodies and codes of member i, and the weights of all networks."""
        networks = {"f": self.f, "reader": self.reader, "adversary": self.adversary}
        if self.dynamics:
            networks |= {"inverse": self.dynamics.inverse, "forward": self.dynamics.forward}
        weights = (parameters(name, network, i) for name, network in networks.items())
        found = {name: each for every in weights for name, each in every.items()}
        if self.p.method == "leace":
            found |= {"erase": self.erase[0][i].cpu().numpy()}
        return {
            "z": self.content[i],
            "x": self.evaluated.x[i].cpu().numpy(),
            "y": self.y[i],
            "z_hat": self._codes(self.evaluated.x)[i].cpu().numpy(),
            **found,
            **self.world.g.arrays(i),
        }

    def _probes(self, code: np.ndarray, y: np.ndarray) -> Scores:
        """Accuracies of fresh probes with their intervals, on the evaluation set's second half."""
        found: Scores = {}
        for name, kind in (("probe_accuracy_linear", "linear"), ("probe_accuracy_mlp", "mlp")):
            if not np.isfinite(code).all():
                found |= dict.fromkeys((name, f"{name}_low", f"{name}_high"))
                continue
            share = metrics.probe_accuracy(code, y, kind, PROBED)
            low, high = metrics.share_interval(share, len(y) - PROBED)
            found |= {name: share, f"{name}_low": low, f"{name}_high": high}
        return found

    def _standardised(self, raw: Sample) -> Sample:
        mean, scale = self.unit
        return raw._replace(x=(raw.x - mean) / scale)

    def _batch(self) -> Sample:
        return self.seen.at(self.data.index(self.p.n_samples, self.p.batch))

    def _against(self, code: Tensor, batch: Sample) -> Tensor:
        """The adversary's loss (m,) on codes of unit variance: scale hides nothing."""
        mean, scale = _unit(code)
        return label_cross_entropy(self.adversary((code - mean) / scale), batch.y)

    def _loss(self, code: Tensor, batch: Sample) -> Tensor:
        """What the method is about (m,): the share of variance lost, or the content's error."""
        if not self.p.trains:
            return squared_error(code, batch.x)
        if self.tells_body:
            return squared_error(self.reader(torch.cat([code, batch.body], -1)), batch.x)
        return squared_error(self.reader(code), batch.content)

    def _pressure(self, code: Tensor, batch: Sample, done: float | Tensor) -> Tensor:
        """What is added to that loss for the sake of invariance (m,)."""
        strength = self.lam * reversal_strength(done)
        if self.p.reverses:
            return -strength * self._against(code, batch)
        if self.p.method == "irm":  # from the start, it would have the head foretell nothing
            read = self.reader(code)
            return PENALTY * strength * invariant_risk_penalty(read, batch.content, batch.body)
        return torch.zeros_like(self.lam)

    @torch.no_grad()
    def _refresh(self) -> None:
        """What depends on the whole training set: the actions' unit, and the eraser."""
        if self.dynamics and self.seen.x.shape[2] != ACTION:
            self.action_unit = _unit(self.dynamics.actions(self.seen.x))
        if self.p.method == "leace":
            code = self.f(self.seen.x) if self.p.trains else self.seen.x
            found = [self._eraser(i, each.cpu().numpy()) for i, each in enumerate(code.double())]
            matrices, offsets = zip(*found, strict=True)
            self.erase = (
                torch.from_numpy(np.stack(matrices)).to(code),
                torch.from_numpy(np.stack(offsets)).to(code)[:, None],
            )

    def _eraser(self, i: int, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not np.isfinite(code).all():  # a member that diverged
            return np.full((self.p.code, self.p.code), np.nan), np.zeros(self.p.code)
        return leakage.eraser(code, self.seen.y[i].cpu().numpy(), self.p.n_classes)

    def _inputs(self, x: Tensor) -> Tensor:
        """What the encoder is given: observations, or actions of unit variance."""
        if not self.dynamics:
            return x
        mean, scale = self.action_unit
        return (self.dynamics.actions(x) - mean) / scale

    @torch.no_grad()
    def _codes(self, x: Tensor) -> Tensor:
        """Codes (m, n, d_z) of standardised observations, erased where the method does so."""
        code = in_parts(lambda part: self.f(self._inputs(part)), x) if self.p.trains else x
        if self.p.method == "leace":
            matrix, offset = self.erase
            code = torch.baddbmm(offset, code, matrix)
        return code

    @torch.no_grad()
    def _adversary_loss(self, code: Tensor, sample: Sample) -> np.ndarray:
        """Of the adversary in training, (m,); nan where there is none."""
        if not self.p.reverses:
            return np.full(len(self.members), np.nan)
        return self._against(code, sample).cpu().numpy()

    def _observation(self, code: Tensor, scores: dict[str, np.ndarray]) -> Observation:
        m, k, d_z = len(self.members), self.p.n_classes, self.p.code
        bodies = code[:, DRAWN:].reshape(m, k, 2 * LINES, POINTS, d_z).cpu().numpy()
        net = np.zeros((m, 0, 0, d_z), np.float32)
        return Observation(scores, code[:, :DRAWN].cpu().numpy(), net, {"bodies": bodies})

    def _watched(self, i: int, code: np.ndarray, sample: Sample, against: np.ndarray) -> Scores:
        names = ("probe_accuracy_linear", "content_r2", "adversary_loss")
        if not np.isfinite(code).all():
            return dict.fromkeys(names)
        return {
            "probe_accuracy_linear": metrics.least_squares_accuracy(
                code, sample.y[i].cpu().numpy()
            ),
            "content_r2": metrics.cubic_r2(sample.content[i].cpu().numpy(), code),
            "adversary_loss": number(against[i]),
        }

    def _final(self, i: int, code: np.ndarray, against: np.ndarray, loss: np.ndarray) -> Scores:
        if not np.isfinite(code).all():
            return dict.fromkeys(SCORES)
        content, y = self.content[i], self.y[i]
        per_class, transfer = metrics.readout_r2_by_class(content, code, y)
        return {
            "content_r2": metrics.readout_r2(content, code),
            **by_chance(content, code, {"content_r2": metrics.readout_r2}, shuffles=1),
            "content_r2_per_class": per_class,
            "transfer_r2": transfer,
            "adversary_loss": number(against[i]),
            **self._first_stage(i),
            "loss": number(loss[i]),
        }

    def _first_stage(self, i: int) -> Scores:
        """What the first stage's action tells of the content and of the state."""
        if not self.dynamics:
            return {"action_r2": None, "state_r2": None}
        action = self.dynamics.actions(self.evaluated.x)[i].cpu().numpy()
        state = self.evaluated.state[i].cpu().numpy().astype(float)
        return {
            "action_r2": metrics.readout_r2(self.content[i], action),
            "state_r2": metrics.readout_r2(state, action),
        }

    def _baselines(self, i: int) -> Scores:
        """Chance, and the scores of x itself."""
        x, y = self.evaluated.x[i].cpu().numpy(), self.y[i]
        return {
            "chance": chance(y),
            "raw_probe_accuracy_linear": metrics.probe_accuracy(x, y, "linear"),
            "raw_probe_accuracy_mlp": metrics.probe_accuracy(x, y, "mlp"),
            "raw_content_r2": metrics.readout_r2(self.content[i], x),
        }


SCORES = (
    "probe_accuracy_linear", "probe_accuracy_mlp", "content_r2", "null_content_r2",
    "content_r2_per_class", "transfer_r2", "adversary_loss", "action_r2", "state_r2", "loss",
)  # fmt: skip


def _network(
    starts: Sequence[torch.Generator],
    d_in: int,
    d_out: int,
    p: Params,
    initialisation: Initialisation = "standard",
) -> Encoder:
    return make_encoder(starts, d_in, d_out, p.width, DEPTH, initialisation, False)


def _unit(x: Tensor) -> tuple[Tensor, Tensor]:
    """Means and standard deviations (m, 1, d) of (m, n, d)."""
    return x.mean(1, keepdim=True), (x.var(1, keepdim=True, correction=0) + 1e-5).sqrt()


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Worlds, encoders and adversaries of members that agree in every field not batched."""
    return Learner(members, device)
