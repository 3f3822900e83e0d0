"""Gradient reversal in a linear world: m members' codes, their adversaries, and the signed game."""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import metrics
from core.entropy import Estimate
from core.laws import leakage
from core.laws.samplers import VMF, Noise, generator, normalise, tilted
from core.run.evaluation import EVALUATED, by_chance, chance, drawn, held_out, watched
from core.run.experiment import Member, Scores
from core.run.training import Observation, Truth, columns, number, parameters, schedule
from core.run.updates.capture import Clock, count
from core.run.updates.descent import settling
from core.scenarios.reversal import Reversal as Params

MANY = 2048  # of each half are watched: what a code tells of the content asks for them
FRESH = 65_536  # latents behind the information of codes of more than two dimensions
GLANCE = 4096  # of them, while training
EVEN = 40  # observations of a narrow code evenly over training; `WAY` shows it orbit between
NARROW = 2  # dimensions
WAY = 8  # steps of a narrow code that are kept between two observations
DRAWS = 200  # of cluster vectors; the best spread out are taken
HIDDEN = 64  # units of the multilayer adversary
BETA2 = 0.999
WHITEN = 1e-4  # added to the variances of a whitened code
GRID = np.linspace(-1, 1, 41, dtype=np.float32)  # codes at which the adversary's belief is kept


class World:
    """Cluster vectors of m members' nuisance, and latents around them."""

    def __init__(
        self, settings: Sequence[Params], seeds: Sequence[int], device: torch.device | str
    ) -> None:
        p = settings[0]
        self.d, self.n_classes, self.rank = p.d, p.n_classes, p.rank
        drawn = {seed: _directions(generator(seed, "world"), p) for seed in set(seeds)}
        axes = torch.stack([drawn[seed][0] for seed in seeds])  # (m, d, d), rows
        w = torch.stack([drawn[seed][1] for seed in seeds])  # (m, k, r)
        height = torch.tensor([s.offset for s in settings])[:, None, None]
        in_v = torch.bmm(w, axes[:, : p.rank])
        v = height * axes[:, p.rank, None] + (1 - height**2).sqrt() * in_v
        self.v = v.to(device)
        self.inside, self.outside = axes[:, : p.rank], axes[:, p.rank :]
        ratio = torch.linspace(-0.5, 0.5, p.n_classes, dtype=torch.float64)
        self.kappa = torch.stack([s.kappa * s.kappa_spread**ratio for s in settings])  # (m, k)
        self.laws = VMF.of(self.kappa.flatten().to(device), p.d)

    def draw(self, n: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """Latents a (m, n, d) and their classes y (m, n), uniform."""
        y = (noise.uniform(n) * self.n_classes).long()
        u, normal = noise.uniform(n), noise.normal(n, self.d)
        mean = self.v.gather(1, y[..., None].expand(-1, -1, self.d))
        m, k = self.kappa.shape
        every = u[:, None].expand(-1, k, -1).reshape(m * k, n)  # at each class's concentration
        cosine, sine = (
            part.view(m, k, n).gather(1, y[:, None])[:, 0]
            for part in self.laws.cosine_and_sine(every)
        )
        return tilted(mean, cosine, sine, normal), y


def _directions(stream: torch.Generator, p: Params) -> tuple[Tensor, Tensor]:
    """Orthonormal axes (d, d), the first r spanning V, and unit w (k, r), well apart in V."""
    axes = torch.linalg.qr(torch.randn(p.d, p.d, generator=stream))[0]
    if p.rank == 1:
        return axes, (1 - 2.0 * (torch.arange(p.n_classes) % 2))[:, None]
    if p.n_classes == p.rank + 1:  # as far apart as can be: a regular simplex, turned
        centred = torch.eye(p.n_classes) - 1 / p.n_classes
        corners = torch.linalg.svd(centred)[0][:, : p.rank]
        turn = torch.linalg.qr(torch.randn(p.rank, p.rank, generator=stream))[0]
        return axes, normalise(corners @ turn)
    w = normalise(torch.randn(DRAWS, p.n_classes, p.rank, generator=stream))
    gaps = torch.cdist(w, w) + 9 * torch.eye(p.n_classes)
    # far apart, and with differences in every direction of V
    widths = torch.linalg.svdvals(w - w.mean(1, keepdim=True))[:, p.rank - 1]
    return axes, w[(gaps.amin((1, 2)) * widths).argmax()]


class Adversary(nn.Module):
    """A classifier of codes (m, n, d_z) into k classes, linear or with one hidden layer."""

    def __init__(self, generators: Sequence[torch.Generator], p: Params) -> None:
        super().__init__()
        sizes = [p.code, *([HIDDEN] if p.adversary == "mlp" else []), p.n_classes]
        layers = []
        for fan_in, fan_out in pairwise(sizes):
            scale = 0.1 if p.adversary == "linear" else fan_in**-0.5
            draws = [torch.randn(fan_in, fan_out, generator=g) * scale for g in generators]
            layers.append(torch.stack(draws))
        self.weights = nn.ParameterList(layers)
        self.biases = nn.ParameterList([torch.zeros(len(w), 1, w.shape[2]) for w in layers])

    def forward(self, code: Tensor) -> Tensor:
        """Logits (m, n, k)."""
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            code = torch.baddbmm(bias, F.relu(code) if depth else code, weight)
        return code


class Player:
    """SGD with momentum, or Adam, with every member's own rate and momentum."""

    def __init__(self, like: Sequence[Tensor], rate: Tensor, beta1: Tensor, adam: bool) -> None:
        self.rate, self.beta1, self.adam = rate[:, None, None], beta1[:, None, None], adam
        self.mean = [torch.zeros_like(each) for each in like]
        self.square = [torch.zeros_like(each) for each in like]
        self.t = count(rate.device)

    def steps(self, gradients: Sequence[Tensor], share: float | Tensor) -> list[Tensor]:
        """What to subtract from each parameter (m, ., .), at a share of the rate."""
        self.t += 1
        rate = share * self.rate
        found = []
        for mean, square, gradient in zip(self.mean, self.square, gradients, strict=True):
            # a running mean, so that momentum does not change the length of the steps
            mean.mul_(self.beta1).add_((1 - self.beta1) * gradient)
            if not self.adam:
                found.append(rate * mean)
                continue
            square.mul_(BETA2).add_((1 - BETA2) * gradient**2)
            unbiased = mean / (1 - self.beta1**self.t)
            size = (square / (1 - BETA2**self.t)).sqrt() + 1e-8
            found.append(rate * unbiased / size)
        return found


class Learner:
    """m members of equal shape playing together; see `core.run.training.Learner`."""

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        self.members = members
        self.settings = [cast(Params, member.params) for member in members]
        self.device = device
        p = self.settings[0]
        self.p, self.steps = p, p.turns
        self.observed_at = _observed_at(p)
        seeds = [member.seed for member in members]
        self.world = World(self.settings, seeds, device)

        starts = [generator(seed, "initialisation") for seed in seeds]
        self.rows = torch.stack([self._first_rows(i, g) for i, g in enumerate(starts)]).to(device)
        self.adversary = Adversary(starts, p).to(device)

        def column(name: str) -> Tensor:
            return torch.tensor([float(getattr(s, name)) for s in self.settings], device=device)

        self.lam, self.decay = column("lam")[:, None, None], column("encoder_weight_decay")
        self.competitor = column("reconstruction")[:, None, None]
        adam, beta1 = p.optimiser == "adam", column("beta1")
        self.encoding = Player([self.rows], column("encoder_rate"), beta1, adam)
        self.parameters = list(self.adversary.parameters())
        self.classifying = Player(self.parameters, column("adversary_rate"), beta1, adam)

        self.data, self.clock = Noise(seeds, "data", device), Clock(device)
        self.finite = self.world.draw(p.n_samples, self.data) if p.n_samples else None
        evaluation = Noise(seeds, "evaluation", device)
        a, y = self.world.draw(EVALUATED, evaluation)
        self.a, self.y = a.cpu().numpy().astype(float), y.cpu().numpy()
        self.fresh = self._fresh(seeds) if p.code > 2 else None
        self.a_watched = watched(self.a, MANY)
        self.held_out = held_out(a)[:, :MANY], held_out(y)[:, :MANY]
        self.closed, seconds = self._closed_form()
        self.truth = Truth(
            z=drawn(self.a).astype(np.float32),
            net=np.zeros((len(members), 0, 0, p.d), np.float32),
            world={
                "v": self.world.v.cpu().numpy(),
                "kappa": self.world.kappa.numpy(),
                "y": drawn(self.y).astype(np.int16),
                "inside": self.world.inside.numpy(),
                "outside": self.world.outside.numpy(),
                "closed": np.stack(self.closed).astype(np.float32),
            },
            seconds={"closed_seconds": seconds},
        )
        most = max(after - before for before, after in pairwise(sorted(self.observed_at)))
        self.way = torch.zeros(1 + most * (p.code <= NARROW), *self.rows.shape, device=device)
        self.way[0] = self.rows
        self.passed = torch.zeros(1, dtype=torch.long, device=device)  # since the last observation
        self.baselines = [self._baselines(i) for i in range(len(members))]

    def step(self, t: int) -> Tensor:
        """One turn: the classifier's inner steps and the encoder's, or the next single move."""
        if self.p.moves:
            move = self.p.moves[t]
            loss = self._move(1.0, encoder=move == "e", classifier=move == "a")
        else:
            # settle in the last quarter, so that the angle left is that of the data
            share = settling(self.clock.at(t) / self.steps)
            for _ in range(self.p.inner_steps - 1):
                self._move(share, encoder=False, classifier=True)
            loss = self._move(share, encoder=True, classifier=True)
        if self.p.code <= NARROW:
            self.passed.add_(1).clamp_(max=len(self.way) - 1)
            self.way.index_copy_(0, self.passed, self.rows[None])
        return loss

    def program(self, t: int) -> str | None:
        """Every turn is the same; single moves are few."""
        return None if self.p.moves else "turn"

    def look(self) -> Observation:
        """Codes of the drawn points, the rows of M and their way here, the adversary's belief."""
        return self._observation({})

    def observe(self) -> Observation:
        """The same with angles, information, content, and the adversary's loss on its batch."""
        rows = [
            {**self._geometry(i), "adversary_loss": against, **self._glance(i)}
            for i, against in enumerate(self._adversary_losses())
        ]
        seen = self._observation(columns(rows))
        self.way[0] = self.rows
        self.passed.zero_()
        return seen

    def finish(self) -> list[Scores]:
        """Angles, exact information, fresh probes, content, the adversary's own loss."""
        return [self._final(i, against) for i, against in enumerate(self._adversary_losses())]

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """Latents, classes and codes of member i, the world's vectors, M and the adversary."""
        m = self.rows[i].cpu().numpy()
        return {
            "z": self.a[i],
            "y": self.y[i],
            "z_hat": self.a[i] @ m.T,
            "m": m,
            **{name: self.truth.world[name][i] for name in ("v", "kappa", "inside", "outside")},
            **parameters("adversary", self.adversary, i),
        }

    def _move(self, share: float | Tensor, encoder: bool, classifier: bool) -> Tensor:
        """One simultaneous step of those who move, on one batch; the loss (m,) before it."""
        a, y = self._batch()
        rows = self.rows.detach().requires_grad_(encoder)
        logits = self.adversary(self._code(a, rows))
        each = F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none")
        loss = each.view(y.shape).mean(1)
        wanted = [*([rows] if encoder else []), *(self.parameters if classifier else [])]
        found = list(torch.autograd.grad(loss.sum(), wanted))
        if encoder:
            self._move_encoder(found.pop(0), a, share)
        if classifier:
            with torch.no_grad():
                downs = self.classifying.steps(found, share)
                for parameter, down in zip(self.parameters, downs, strict=True):
                    parameter.sub_(down)
        return loss.detach()

    def _code(self, a: Tensor, rows: Tensor) -> Tensor:
        """Codes (m, n, d_z) as the adversary sees them."""
        code = torch.bmm(a, rows.mT)
        if self.p.encoder != "whitened":
            return code
        centred = code - code.mean(1, keepdim=True)
        covariance = torch.bmm(centred.mT, centred) / code.shape[1]
        covariance = covariance + WHITEN * torch.eye(self.p.code, device=code.device)
        factor, failed = torch.linalg.cholesky_ex(covariance)  # one member's failure is its own
        factor = torch.where(failed[:, None, None] > 0, torch.nan, factor)
        return torch.linalg.solve_triangular(factor, centred.mT, upper=False).mT

    def _move_encoder(self, uphill: Tensor, a: Tensor, share: float | Tensor) -> None:
        """Up the classifier's loss times lambda, down the competitor's; back to the manifold."""
        gradient = -self.lam * uphill + self.competitor * self._competing(a)
        if self.p.encoder == "grassmann":  # the tangent: only turning the row space counts
            gradient = gradient - torch.bmm(torch.bmm(gradient, self.rows.mT), self.rows)
        (down,) = self.encoding.steps([gradient], share)
        shrink = 1 - share * self.decay[:, None, None] * self.encoding.rate
        rows = (self.rows if self.p.encoder == "grassmann" else shrink * self.rows) - down
        # in place, where a captured turn finds them again
        self.rows.copy_(_orthonormal(rows) if self.p.encoder == "grassmann" else rows)

    def _competing(self, a: Tensor) -> Tensor:
        """Half the gradient in M of mean |a - M^T M a|^2, which prefers V."""
        scatter = torch.bmm(a.mT, a) / a.shape[1]
        seen = torch.bmm(self.rows, scatter)  # M S
        gram, told = torch.bmm(self.rows, self.rows.mT), torch.bmm(seen, self.rows.mT)
        return torch.bmm(gram, seen) + torch.bmm(told, self.rows) - 2 * seen

    def _batch(self) -> tuple[Tensor, Tensor]:
        if self.finite is None:
            return self.world.draw(self.p.batch, self.data)
        a, y = self.finite
        chosen = self.data.index(a.shape[1], self.p.batch)
        return a.gather(1, chosen[..., None].expand(-1, -1, self.p.d)), y.gather(1, chosen)

    def _first_rows(self, i: int, stream: torch.Generator) -> Tensor:
        """M at the start (d_z, d): random orthonormal rows, or such as lie in V or outside it."""
        p = self.p
        basis = torch.eye(p.d)
        if p.start != "random":
            first, second = self.world.inside[i], self.world.outside[i]
            basis = torch.cat([first, second] if p.start == "v" else [second, first])
            size = p.rank if p.start == "v" else p.d - p.rank
            if p.code < size:
                basis = basis[:size]
            else:
                return basis[: p.code].clone()
        turn = torch.linalg.qr(torch.randn(len(basis), len(basis), generator=stream))[0]
        return turn[: p.code] @ basis

    def _fresh(self, seeds: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        a, y = self.world.draw(FRESH, Noise(seeds, "floor", self.device))
        return list(zip(a.cpu().numpy().astype(float), y.cpu().numpy(), strict=True))

    def _observation(self, scores: dict[str, np.ndarray]) -> Observation:
        rows = self.rows.cpu().numpy().copy()
        z_hat = self.truth.z @ rows.transpose(0, 2, 1)
        net_hat = np.zeros((len(rows), 0, 0, self.p.code), np.float32)
        moving = {"m": rows}
        if self.p.code == 1 and self.p.encoder != "whitened":
            moving["belief"] = self._belief()
        if self.p.code <= NARROW:
            kept = np.linspace(0, int(self.passed), WAY).round().astype(int)
            moving["way"] = torch.stack([self.way[i] for i in kept], 1).cpu().numpy()
        return Observation(scores, z_hat, net_hat, moving)

    @torch.inference_mode()
    def _belief(self) -> np.ndarray:
        """The adversary's p(y | b) (m, classes, GRID) at b = u a, u the row of M at unit length."""
        length = self.rows.norm(dim=-1, keepdim=True)  # (m, 1, 1)
        grid = torch.from_numpy(GRID).to(self.device)[None, :, None]
        return self.adversary(length * grid).softmax(-1).mT.cpu().numpy()

    def _row_space(self, i: int) -> np.ndarray:
        """Orthonormal rows (d_z, d) of member i's code, whatever its scale."""
        rows = self.rows[i].cpu().double().numpy()
        return np.linalg.svd(rows, full_matrices=False)[2]

    def _geometry(self, i: int) -> Scores:
        if not torch.isfinite(self.rows[i]).all():
            return dict.fromkeys(("angle_to_v_deg", "angle_to_v_perp_deg"))
        q = self._row_space(i)
        return {
            "angle_to_v_deg": leakage.largest_angle(q, self.world.inside[i].numpy()),
            "angle_to_v_perp_deg": leakage.largest_angle(q, self.world.outside[i].numpy()),
        }

    @torch.no_grad()
    def _adversary_losses(self) -> list[float | None]:
        """The adversary's cross-entropy on latents that no one trains on, of each member."""
        a, y = self.held_out
        logits = self.adversary(self._code(a, self.rows))
        each = F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none")
        return [number(loss) for loss in each.view(y.shape).mean(1).cpu().tolist()]

    def _glance(self, i: int) -> Scores:
        """Information and content on part of the evaluation set: what a page shows meanwhile."""
        if not torch.isfinite(self.rows[i]).all():
            return dict.fromkeys(("information_nats", "content_r2"))
        q, a = self._row_space(i), self.a_watched[i]
        return {
            "information_nats": self._information(i, q, GLANCE)[0],
            "content_r2": metrics.linear_r2(a @ self.world.outside[i].numpy().T, a @ q.T),
        }

    def _information(self, i: int, q: np.ndarray, most: int = FRESH) -> tuple[float, float]:
        samples = None
        if self.fresh is not None:
            samples = self.fresh[i][0][:most], self.fresh[i][1][:most]
        v, kappa = self.world.v[i].cpu().double().numpy(), self.world.kappa[i].numpy()
        return leakage.information(q, v, kappa, samples)

    def _final(self, i: int, against: float | None) -> Scores:
        names = ("information_nats", "information_standard_error", "information_nats_low",
                 "information_nats_high", "content_r2",
                 "null_content_r2", "probe_accuracy_linear", "probe_accuracy_mlp")  # fmt: skip
        scores = {**self._geometry(i), "adversary_loss": against, "loss": against}
        if scores["angle_to_v_deg"] is None:
            return {**scores, **dict.fromkeys(names)}
        q = self._row_space(i)
        told, error = self._information(i, q)
        low, high = Estimate(told, error).interval
        code, content = self.a[i] @ q.T, self.a[i] @ self.world.outside[i].numpy().T
        return {
            **scores,
            "information_nats": told,
            "information_standard_error": error,
            "information_nats_low": low,
            "information_nats_high": high,
            "content_r2": metrics.linear_r2(content, code),
            **by_chance(content, code, {"content_r2": metrics.linear_r2}),
            "probe_accuracy_linear": metrics.probe_accuracy(code, self.y[i], "linear"),
            "probe_accuracy_mlp": metrics.probe_accuracy(code, self.y[i], "mlp"),
        }

    def _closed_form(self) -> tuple[list[np.ndarray], float]:
        """Each member's answer without training, and the CPU-seconds that one takes.

        The null space (d - r, d) of the differences of class means, on the data that the game sees
        (of fresh draws, which are no set, on the evaluation set).
        """
        p, answers, began = self.p, [], time.process_time()
        for i in range(len(self.members)):
            means = leakage.class_means(*self._seen(i), p.n_classes)
            answers.append(metrics.span(means, p.rank)[1].T)
        return answers, (time.process_time() - began) / len(answers)

    def _baselines(self, i: int) -> Scores:
        """Chance, and what the closed form reaches."""
        rest, outside = self.closed[i], self.world.outside[i].numpy()
        v, kappa = self.world.v[i].cpu().double().numpy(), self.world.kappa[i].numpy()
        samples = None
        if len(rest) > 2:
            samples = (self.a[i], self.y[i]) if self.fresh is None else self.fresh[i]
        return {
            "chance": chance(self.y[i]),
            "closed_angle_to_v_perp_deg": leakage.largest_angle(rest, outside),
            "closed_information_nats": leakage.information(rest, v, kappa, samples)[0],
        }

    def _seen(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        if self.finite is None:
            return self.a[i], self.y[i]
        a, y = self.finite
        return a[i].cpu().double().numpy(), y[i].cpu().numpy()


def _observed_at(p: Params) -> set[int]:
    """Every single move; else the usual steps, and for a narrow code many more, evenly."""
    if p.moves:
        return set(range(p.turns + 1))
    even = np.linspace(0, p.turns, EVEN + 1) if p.code <= NARROW else np.zeros(1)
    return schedule(p.turns) | set(even.round().astype(int).tolist())


def _orthonormal(rows: Tensor) -> Tensor:
    """The orthonormal rows nearest in span (m, d_z, d): QR with a positive diagonal."""
    if rows.is_cuda:  # where a library takes one member after the other
        return gram_schmidt(rows)
    q, r = torch.linalg.qr(rows.mT)
    sign = torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0)
    return (q * sign[:, None]).mT.contiguous()


def gram_schmidt(rows: Tensor) -> Tensor:
    """The same by hand, of all members at once: each row less its part in those before, twice."""
    found = normalise(rows[:, :1])
    for i in range(1, rows.shape[1]):
        row = rows[:, i, None]
        for _ in range(2):
            row = normalise(row - torch.bmm(torch.bmm(row, found.mT), found))
        found = torch.cat([found, row], 1)
    return found


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Worlds, codes and adversaries of members that agree in every field that is not batched."""
    return Learner(members, device)
