"""vMF clusters: worlds of m members, encoder and linear head, one Adam update, one observation."""

from collections.abc import Callable, Sequence
from functools import partial
from math import log
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import metrics, theory
from core.encoder import WHITENED, Whitening, make_encoder, of_member
from core.laws.densities import log_density
from core.laws.samplers import Noise, cluster_vectors, generator, sampler
from core.mixing import make_mixing, stack
from core.objectives import cross_entropy, log_sum_exp_dot, ranking_cross_entropy
from core.run.evaluation import EVALUATED, Evaluation, between, by_chance
from core.run.experiment import Member, Scores
from core.run.training import Observation, Truth, columns, parameters, schedule
from core.run.updates.descent import Descent
from core.scenarios.clusters import Clusters as Params
from core.scenarios.clusters import judged

ROWS = 100  # of the head at most, kept for pictures
FIRST_BETA = 5.0  # where case C1 starts to look for kappa
VScore = Callable[[np.ndarray, np.ndarray, np.ndarray], float | None]  # (v, w, cluster)


class World:
    """Cluster vectors, labels and latents of m members."""

    def __init__(self, settings: Sequence[Params], v: Tensor, device: torch.device | str) -> None:
        """v (m, C, d), the cluster vectors that have a label."""
        p = settings[0]
        self.d, self.n_labels = p.d, p.n_labels
        self.v = v.to(device)
        self.cluster = (
            torch.arange(p.n_labels, device=device) * p.n_seen // p.n_labels
        )  # of each label
        self.label_noise = torch.tensor([s.label_noise for s in settings], device=device)
        self.conditional = sampler([s.law for s in settings], p.d, device)

    def draw(self, n: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """Labels (m, n), uniform, and latents z (m, n, d) of their clusters.

        Classes and instances come from the same uniform number, so that a world shows the same
        latents under either supervision (where N is a multiple of C).
        """
        labels = self.labels(n, noise)
        mean = self.v.gather(1, self.cluster[labels][..., None].expand(-1, -1, self.d))
        return labels, self.conditional.around(mean, noise)

    def labels(self, n: int, noise: Noise) -> Tensor:
        """Labels (m, n), uniform."""
        return (noise.uniform(n) * self.n_labels).long()

    def noisy(self, labels: Tensor, noise: Noise) -> Tensor:
        """The labels as the learner is given them: a share is drawn anew."""
        n = labels.shape[1]
        anew = self.labels(n, noise)
        return torch.where(noise.uniform(n) < self.label_noise[:, None], anew, labels)


class Head(nn.Module):
    """Bias-free rows w (m, I, d), of unit length or free, and beta, learnt or 1.

    beta must be learnt in case C1. In C2 it is redundant, but without it the rows would have to
    grow to the length kappa one by one.
    """

    def __init__(self, generators: Sequence[torch.Generator], settings: Sequence[Params]) -> None:
        super().__init__()
        p = settings[0]
        bound = p.d**-0.5
        draws = [
            (2 * torch.rand(p.n_labels, p.d, generator=g) - 1) * bound * s.head_scale
            for g, s in zip(generators, settings, strict=True)
        ]
        self.rows = nn.Parameter(torch.stack(draws))
        self.unit = p.unit_weights
        start = torch.full((len(draws), 1, 1), log(FIRST_BETA))
        self.log_beta = nn.Parameter(start) if p.unit_features else None

    def w(self) -> Tensor:
        """The rows (m, I, d)."""
        return F.normalize(self.rows, dim=-1) if self.unit else self.rows

    def beta(self) -> Tensor:
        """(m, 1, 1)."""
        return (
            torch.ones_like(self.rows[:, :1, :1])
            if self.log_beta is None
            else (self.log_beta.exp())
        )


class Learner:
    """m members of equal shape training together; see `core.run.training.Learner`."""

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        self.members = members
        self.settings = [cast(Params, member.params) for member in members]
        p = self.settings[0]
        self.steps, self.batch, self.case, self.candidates = p.steps, p.batch, p.case, p.candidates
        self.observed_at = schedule(p.steps)
        seeds = [member.seed for member in members]

        worlds = {}
        for seed in set(seeds):
            stream = generator(seed, "world")
            g = make_mixing(stream, p.d, p.d, p.mixing_layers)
            worlds[seed] = g, cluster_vectors(stream, p.cluster_law, p.n_clusters, p.d)[: p.n_seen]
        self.g = stack([worlds[seed][0] for seed in seeds]).to(torch.device(device))
        v = torch.stack([worlds[seed][1] for seed in seeds])
        self.world = World(self.settings, v, device)
        self.v = v.double().numpy()
        self.cluster = self.world.cluster.cpu().numpy()
        self.n_instances = np.bincount(self.cluster, minlength=p.n_seen).astype(float)

        starts = [generator(seed, "initialisation") for seed in seeds]
        self.data = Noise(seeds, "data", device)
        self.f = self._encoder(starts).to(device)
        self.head = Head(starts, self.settings).to(device)
        parameters = [*self.f.parameters(), *self.head.parameters()]
        self.descend = Descent(parameters, p.learning_rate, self.steps)

        self.labels, z = self.world.draw(EVALUATED, Noise(seeds, "evaluation", device))
        self.space = p.space
        self.evaluation = Evaluation(self.space, z, self.g, self.f, p.d)
        self.posterior = [self._posterior(i) for i in range(len(members))]
        shown = np.unique(np.linspace(0, p.n_labels - 1, min(ROWS, p.n_labels)).round().astype(int))
        self.shown = torch.from_numpy(shown).to(device)
        self.truth = Truth(
            z=self.evaluation.z_drawn,
            net=self.evaluation.net,
            world={
                "v": self.v[:, self.cluster[shown]].astype(np.float32),
                "x": self.g(self.evaluation.drawn).cpu().numpy(),
            },
        )
        self.baselines = [self._baselines(i, row) for i, row in enumerate(self._final_scores())]

    def _encoder(self, starts: Sequence[torch.Generator]) -> nn.Module:
        """The network, behind what whitens if that is asked for."""
        p = self.settings[0]
        f = make_encoder(starts, p.d, p.d, p.width, p.depth, p.initialisation, p.unit_features)
        if not p.whiten:
            return f
        return nn.Sequential(Whitening(self.g(self.world.draw(WHITENED, self.data)[1])), f)

    def step(self, t: int) -> Tensor:
        """One Adam update of every member on a batch of labels; the loss (m,) before it."""
        labels, z = self.world.draw(self.batch, self.data)
        labels = self.world.noisy(labels, self.data)
        z_hat, w = self.head.beta() * self.f(self.g(z)), self.head.w()
        if self.candidates is None:
            return self.descend(cross_entropy(z_hat, w, labels))
        others = self.world.labels(self.candidates, self.data)
        return self.descend(ranking_cross_entropy(z_hat, w, labels, others))

    def program(self, t: int) -> str:
        """Every update is the same."""
        return "update"

    def look(self) -> Observation:
        """Images of the drawn points and the graticule, and the head."""
        return Observation({}, *self.evaluation.look(), self._moving())

    def observe(self) -> Observation:
        """The same with the scores on the watched points; the degree at every third."""
        seen = self.evaluation.observe()
        covering = [None] * len(self.members) if seen.covering is None else seen.covering
        w = self._w()
        rows = [
            self._scores(i, z, seen.watched[i], w[i], covering[i])
            for i, z in enumerate(self.evaluation.z_watched)
        ]
        return Observation(columns(rows), seen.z_hat, seen.net_hat, self._moving())

    def finish(self) -> list[Scores]:
        """Held-out scores and how far to trust them, the loss on latents no one trained on."""
        return [
            {**row, **self._trust(i, row), "loss": self._loss(i)}
            for i, row in enumerate(self._final_scores())
        ]

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """Latents, observations, labels and features of member i, cluster vectors, all weights."""
        return {
            "z": self.evaluation.z[i],
            "x": self.evaluation.raw_x(i),
            "y": self.labels[i].cpu().numpy(),
            "z_hat": self.evaluation.features(i),
            "v": self.v[i],
            "cluster": self.cluster,  # of each label
            "w": self._w()[i],
            "beta": self.head.beta()[i, 0].detach().cpu().numpy(),
            **parameters("f", self.f, i),
            **self.g.arrays(i),
        }

    def _moving(self) -> dict[str, np.ndarray]:
        with torch.inference_mode():
            w, beta = self.head.w()[:, self.shown], self.head.beta()[:, 0, 0]
        return {"w": w.cpu().numpy().astype(np.float32), "beta": beta.cpu().numpy()}

    @torch.inference_mode()
    def _w(self) -> np.ndarray:
        return self.head.w().cpu().numpy()

    def _final_scores(self) -> list[Scores]:
        z_hat, covering = self.evaluation.everything()
        w = self._w()
        return [
            self._scores(i, z, z_hat[i], w[i], covering[i]) for i, z in enumerate(self.evaluation.z)
        ]

    def _trust(self, i: int, known: Scores) -> Scores:
        """What shuffled codes and vectors of member i get, and its promised score's interval."""
        z, z_hat, v, w = self.evaluation.z[i], self.evaluation.features(i), self.v[i], self._w()[i]
        of_codes = {"linear_r2": metrics.linear_r2, "orthogonal_r2": metrics.orthogonal_r2}
        of_vectors = {  # whose weights are those of another cluster
            name: partial(_of_others, score, w, self.cluster)
            for name, score in V_SCORES.items()
            if known[name] is not None
        }
        return {
            **by_chance(z, z_hat, of_codes),
            **{f"null_{name}": None for name in V_SCORES},
            **by_chance(v, np.arange(len(v)), of_vectors),
            **between(z, z_hat, "linear_r2"),
        }

    def _scores(
        self, i: int, z: np.ndarray, z_hat: np.ndarray, w: np.ndarray, covering: np.ndarray | None
    ) -> Scores:
        """Every score of member i, all None once its latents or weights are not finite."""
        expected = self._expected_singular_value(i)
        scores: Scores = dict.fromkeys(SCORES)
        if not (np.isfinite(z_hat).all() and np.isfinite(w).all()):
            return scores
        return {
            **self._recovery(i, z, z_hat),
            **{name: score(self.v[i], w, self.cluster) for name, score in V_SCORES.items()},
            "singular_value_mae": None
            if expected is None
            else metrics.singular_value_mae(z, z_hat, expected),
            "clipped_r2": None if self.space.curved else metrics.clipped_r2(z, z_hat, self.v[i]),
            "degree": self.evaluation.degree(covering),
            "feature_norm": float(np.linalg.norm(z_hat, axis=1).mean()),
        }

    def _recovery(self, i: int, z: np.ndarray, code: np.ndarray) -> Scores:
        """How well a code, such as f(x) or x itself, gives the latents (n, d) of member i."""
        return {
            "linear_r2": metrics.linear_r2(z, code),
            "orthogonal_r2": metrics.orthogonal_r2(z, code),
            "span_r2": metrics.span_r2(z, code, self.v[i]),
            "complement_r2": metrics.complement_r2(z, code, self.v[i]),
        }

    def _expected_singular_value(self, i: int) -> float | None:
        """Of the map z_hat -> z: 1 for unit features, 1/kappa for C3 (h = kappa O z), else free."""
        p = self.settings[i]
        if self.case == "C4" or p.law.concentration is None:
            return None
        return 1.0 if self.case in ("C1", "C2") else 1 / p.law.concentration

    def _posterior(self, i: int) -> np.ndarray:
        """p(y | z) of one label of each cluster on the evaluation set, (n, C)."""
        p = self.settings[i]
        z = self.evaluation.z[i, : judged(p)].astype(float)
        log_p = log_density(p.law, z, self.v[i])
        return theory.label_posterior(log_p, self.n_instances, p.label_noise)

    def _baselines(self, i: int, untrained: Scores) -> Scores:
        """Scores of x itself and of f at its start, and the loss at the truth."""
        raw = self._recovery(i, self.evaluation.z[i], self.evaluation.raw_x(i))
        return {
            **{f"raw_{name}": value for name, value in raw.items()},
            **{f"untrained_{name}": untrained[name] for name in raw},
            "loss_floor": theory.bayes_cross_entropy(self.posterior[i], self.n_instances),
        }

    @torch.inference_mode()
    def _loss(self, i: int) -> float | None:
        """Cross-entropy of member i on the latents that gave its floor, exact over labels.

        So its distance from the floor is a divergence from the true posterior: never negative.
        """
        own = slice(i, i + 1)
        w = self.head.w()[own]
        z_hat = self.head.beta()[own] * of_member(self.f, i)(
            self.evaluation.x[own, : judged(self.settings[i])]
        )
        total = torch.cat([log_sum_exp_dot(part, w) for part in z_hat.split(512, 1)], 1)
        # sum over labels of p(y | z) <w_y, f>, the rows of one cluster together
        rows = np.zeros_like(self.v[i])
        np.add.at(rows, self.cluster, w[0].cpu().double().numpy())
        expected = self.posterior[i] @ rows
        loss = total[0].cpu().double().numpy() - (expected * z_hat[0].cpu().numpy()).sum(1)
        return float(loss.mean()) if np.isfinite(loss).all() else None


def _of_others(
    score: VScore, w: np.ndarray, cluster: np.ndarray, v: np.ndarray, whose: np.ndarray
) -> float:
    """A score, which there are vectors enough for, of weights against v (C, d) in order `whose`."""
    return cast(float, score(v[whose], w, cluster))


V_SCORES: dict[str, VScore] = {"v_r2": metrics.v_r2, "v_orthogonal_r2": metrics.v_orthogonal_r2}
SCORES = (
    "linear_r2", "orthogonal_r2", "v_r2", "v_orthogonal_r2", "singular_value_mae", "span_r2",
    "complement_r2", "clipped_r2", "degree", "feature_norm",
)  # fmt: skip


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Worlds, encoders and heads of members that agree in every field that is not batched."""
    return Learner(members, device)
