"""Time-contrastive learning and its general form: encoders with a linear head of the segments.

Both learn logits w(u) . f(x) + b(u), of which GCL adds a(x): the one tells which segment an x is
from, the other real pairs (x, u) from x with every segment.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics, theory
from core.encoder import WHITENED, Whitening, make_encoder
from core.laws.modulation import log_likelihood, natural, rank, spectrum
from core.laws.samplers import Noise, generator
from core.learners.auxiliary.world import World, modulation, statistic
from core.mixing import make_mixing, stack
from core.objectives import label_cross_entropy, pair_logistic_loss
from core.run.evaluation import (
    CHUNK,
    EVALUATED,
    HALF,
    Evaluation,
    between,
    by_chance,
    drawn,
    watched,
)
from core.run.experiment import Member, Scores
from core.run.training import Observation, Truth, columns, number, parameters, schedule
from core.run.updates.descent import Descent
from core.scenarios.auxiliary import Auxiliary as Params

CODES = ("mcc", "mcc_spearman", "linear_r2", "span_r2", "complement_r2")  # scores of a code
NULLS = {"mcc": metrics.mcc, "linear_r2": metrics.linear_r2}


class Even(nn.Module):
    """v -> |v| or v^2: codes that do not tell a source from its mirror image, as q does not."""

    def __init__(self, p: Params) -> None:
        super().__init__()
        self.p = p

    def forward(self, v: Tensor) -> Tensor:
        """v (m, n, d) -> (m, n, d)."""
        return statistic(self.p, v)


class Unmixing:
    """A code's linear ICA: means and maps of m members, each in the order of the one before."""

    def __init__(self, m: int, d: int) -> None:
        self.means, self.maps = np.zeros((m, d)), np.tile(np.eye(d), (m, 1, 1))

    def fit(self, codes: np.ndarray, segments: np.ndarray) -> None:
        """From codes (m, n, d) and segments (m, n); a member whose codes are not finite keeps its.

        Columns take the order and signs of those that they replace.
        """
        for i, (code, segment) in enumerate(zip(codes, segments, strict=True)):
            if not np.isfinite(code).all():
                continue
            mean, map_ = metrics.unmixing(code, segment)
            before = (code - self.means[i]) @ self.maps[i]
            correlation, (old, new) = metrics.matching(before, (code - mean) @ map_)
            sign = np.where(correlation[old, new] < 0, -1.0, 1.0)
            self.means[i], self.maps[i] = mean, map_[:, new] * sign

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Codes (m, ..., d) unmixed, float32."""
        shape = codes.shape
        flat = codes.reshape(shape[0], -1, shape[-1])
        found = (flat - self.means[:, None]) @ self.maps
        return found.reshape(shape).astype(np.float32)


class Learner:
    """m members of equal shape training together; see `core.run.training.Learner`.

    What counts as z is the sufficient statistic q(s), and as z_hat the code after linear ICA, which
    the first half of what is seen fits and the second scores.
    """

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        self.members, self.device = members, device
        self.settings = [cast(Params, member.params) for member in members]
        self.p = p = self.settings[0]
        self.steps, self.observed_at = p.steps, schedule(p.steps)
        seeds = [member.seed for member in members]
        worlds = {}
        for seed in set(seeds):
            stream = generator(seed, "world")
            worlds[seed] = make_mixing(stream, p.d, p.d, p.mixing_layers), modulation(p, stream)
        self.g = stack([worlds[seed][0] for seed in seeds]).to(torch.device(device))
        self.world = World(self.settings, [worlds[seed][1] for seed in seeds], device)
        self.at = self.world.modulation.cpu().numpy()
        self.natural = natural(p.law, p.modulated, self.at.astype(float))
        self.spectra = spectrum(self.natural)
        self.ranks = [rank(values) for values in self.spectra]

        self.data = Noise(seeds, "data", device)
        starts = [generator(seed, "initialisation") for seed in seeds]
        self.f = self._encoder(starts).to(device)
        bound = p.d**-0.5
        heads = [
            (2 * torch.rand(p.d, p.n_segments, generator=g) - 1) * bound * own.head_scale
            for g, own in zip(starts, self.settings, strict=True)
        ]
        self.head = nn.Parameter(torch.stack(heads).to(device))
        self.shift = nn.Parameter(torch.zeros(len(seeds), 1, p.n_segments, device=device))
        self.a = self._offset(starts).to(device) if p.method == "gcl" else None
        own = self.a.parameters() if self.a is not None else ()
        weights = (*self.f.parameters(), self.head, self.shift, *own)
        self.descend = Descent(weights, p.learning_rate, self.steps)

        u, s = self.world.draw(EVALUATED, Noise(seeds, "evaluation", device))
        self.evaluation = Evaluation(p.flat, s, self.g, self.f, p.d)
        self.segments = u.cpu().numpy()
        self.q = statistic(p, self.evaluation.z)
        self.unmixing = Unmixing(len(seeds), p.d)
        self.posterior = [self._posterior(i) for i in range(len(members))]
        self.truth = Truth(
            z=drawn(self.q),
            net=statistic(p, self.evaluation.net),
            world={"u": drawn(self.segments), "s": self.evaluation.z_drawn, "modulation": self.at,
                   "x": self.g(self.evaluation.drawn).cpu().numpy()},
        )  # fmt: skip
        self.baselines = [self._baselines(i, row) for i, row in enumerate(self._final_scores())]
        self.unmixing = Unmixing(len(seeds), p.d)

    def _encoder(self, starts: Sequence[torch.Generator]) -> nn.Sequential:
        """The network, behind what whitens if that is asked for, and an even function after it."""
        p = self.p
        f = make_encoder(starts, p.d, p.d, p.width, p.depth, "identity", False)
        self.white = (
            [Whitening(self.g(self.world.draw(WHITENED, self.data)[1]))] if p.whiten else []
        )
        return nn.Sequential(*self.white, f, *([Even(p)] if p.folded else []))

    def _offset(self, starts: Sequence[torch.Generator]) -> nn.Sequential:
        """What GCL's logits have without u, a network of its own whose outputs are summed.

        (A single output is multiplied in another order alone than in company.)
        """
        p = self.p
        return nn.Sequential(
            *self.white, make_encoder(starts, p.d, p.d, p.width, p.depth, "standard", False)
        )

    def step(self, t: int) -> Tensor:
        """One Adam update of every member on fresh observations; the loss (m,) before it."""
        u, s = self.world.draw(self.p.batch, self.data)
        cost = label_cross_entropy if self.a is None else pair_logistic_loss
        return self.descend(cost(self._logits(self.g(s)), u))

    def program(self, t: int) -> str:
        """Every update is the same."""
        return "update"

    def look(self) -> Observation:
        """Codes of the drawn points and of the net, as the linear ICA last seen unmixes them."""
        z_hat, net_hat = self.evaluation.look()
        return Observation({}, self.unmixing(z_hat), self.unmixing(net_hat), self._moving())

    def observe(self) -> Observation:
        """The same by a linear ICA of its own, with the scores on the watched points."""
        seen = self.evaluation.observe()
        q, u = watched(self.q), watched(self.segments)
        half = q.shape[1] // 2
        self.unmixing.fit(seen.watched[:, :half], u[:, :half])
        codes = self.unmixing(seen.watched)
        rows = [self._scores(i, *each) for i, each in enumerate(zip(q, codes, strict=True))]
        return Observation(
            columns(rows), self.unmixing(seen.z_hat), self.unmixing(seen.net_hat), self._moving()
        )

    def finish(self) -> list[Scores]:
        """Held-out scores and how far to trust them, the loss on sources that no one trained on."""
        losses = self._losses()
        return [
            {**row, **self._trust(i), "loss": losses[i]}
            for i, row in enumerate(self._final_scores())
        ]

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """Sources, statistics, segments, observations and codes of member i, and its weights."""
        return {
            "z": self.q[i],
            "s": self.evaluation.z[i],
            "u": self.segments[i],
            "modulation": self.at[i],
            "x": self.evaluation.raw_x(i),
            "z_hat": self.codes[i],
            "w": self.head[i].detach().cpu().numpy(),
            "b": self.shift[i, 0].detach().cpu().numpy(),
            **parameters("f", self.f, i),
            **(parameters("a", self.a, i) if self.a is not None else {}),
            **self.g.arrays(i),
        }

    def _logits(self, x: Tensor) -> Tensor:
        """What the head says of observations (m, n, d): (m, n, E)."""
        logits = torch.baddbmm(self.shift, self.f(x), self.head)
        return logits if self.a is None else logits + self.a(x).sum(-1, keepdim=True)

    def _moving(self) -> dict[str, np.ndarray]:
        """The linear ICA, and the classifier as one of unmixed codes.

        Maps (m, d, d), weights w (m, E, d) and shifts b (m, E).
        """
        head = self.head.detach().cpu().double().numpy()
        shift = self.shift.detach().cpu().double().numpy()[:, 0]
        means = self.unmixing.means[:, None]
        w = np.linalg.solve(self.unmixing.maps, head)
        b = shift + (means @ head)[:, 0]
        return {
            "w": w.transpose(0, 2, 1).astype(np.float32),
            "b": b.astype(np.float32),
            "unmixing": self.unmixing.maps.astype(np.float32),
        }

    def _final_scores(self) -> list[Scores]:
        raw = self.evaluation.encode(self.evaluation.x)
        self.unmixing.fit(raw[:, :HALF], self.segments[:, :HALF])
        self.codes = self.unmixing(raw)
        every = zip(self.q, self.codes, strict=True)
        return [self._scores(i, *each) for i, each in enumerate(every)]

    def _scores(self, i: int, q: np.ndarray, code: np.ndarray) -> Scores:
        """Scores of statistics q (n, d) and unmixed codes (n, d) of member i, None of codes lost.

        Of the second half, as the first fitted the linear ICA. The span is that of all differences
        of segments' natural parameters: what they tell, where that is not all.
        """
        if not np.isfinite(code).all():
            return dict.fromkeys(CODES)
        test = slice(len(q) // 2, None)
        some = 0 < self.ranks[i] < self.p.d
        return {
            "mcc": metrics.mcc(q[test], code[test]),
            "mcc_spearman": metrics.mcc_spearman(q[test], code[test]),
            "linear_r2": metrics.linear_r2(q, code),
            "span_r2": metrics.span_r2(q, code, self.natural[i]) if some else None,
            "complement_r2": metrics.complement_r2(q, code, self.natural[i]) if some else None,
        }

    def _trust(self, i: int) -> Scores:
        """What shuffled codes of member i get, and the interval of its promised score."""
        q, code = self.q[i], self.codes[i]
        reach = (q, code) if self.p.promised == "linear_r2" else (q[HALF:], code[HALF:])
        return {**by_chance(q, code, NULLS), **between(*reach, self.p.promised)}

    def _baselines(self, i: int, untrained: Scores) -> Scores:
        """Scores of x itself and of f at its start, the modulation's rank, and the Bayes loss."""
        x = statistic(self.p, self.evaluation.raw_x(i))
        mean, map_ = metrics.unmixing(x[:HALF], self.segments[i, :HALF])
        raw = self._scores(i, self.q[i], (x - mean) @ map_)
        values, whole = self.spectra[i], self.ranks[i] == self.p.d
        return {
            **{f"raw_{name}": raw[name] for name in ("mcc", "linear_r2")},
            **{f"untrained_{name}": untrained[name] for name in ("mcc", "linear_r2")},
            "modulation_rank": float(self.ranks[i]),
            "modulation_condition": float(values[0] / values[-1]) if whole else None,
            "loss_floor": self._floor(i),
        }

    def _one_each(self) -> np.ndarray:
        return np.ones(self.p.n_segments)

    def _posterior(self, i: int) -> np.ndarray:
        """p(u | s) (n, E) of the evaluation set of member i."""
        at, s = self.at[i].astype(float), self.evaluation.z[i]
        log_p = log_likelihood(self.p.law, self.p.modulated, at, s)
        return theory.label_posterior(log_p, self._one_each(), 0.0)

    def _floor(self, i: int) -> float | None:
        """The least loss that there is, with the true posterior for the head's."""
        posterior = self.posterior[i]
        if self.a is None:
            return theory.bayes_cross_entropy(posterior, self._one_each())
        ratio = np.log(np.maximum(posterior, 1e-300) * self.p.n_segments)
        return theory.expected_pair_loss(ratio, posterior)

    @torch.inference_mode()
    def _losses(self) -> list[float | None]:
        """The loss of every member against its true posterior, so never below its floor."""
        told = torch.cat([self._logits(x) for x in self.evaluation.x.split(CHUNK, 1)], 1)
        logits = told.cpu().double()
        if self.a is not None:
            pairs = zip(logits.numpy(), self.posterior, strict=True)
            return [theory.expected_pair_loss(*each) for each in pairs]
        pairs = zip(logits.log_softmax(-1).numpy(), self.posterior, strict=True)
        return [number(-(posterior * each).sum(1).mean()) for each, posterior in pairs]
