"""Sprites and their classes: encoders with a linear classifier on the code, one Adam update."""

from collections.abc import Sequence
from math import prod
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics
from core.images.camera import correlations
from core.laws.samplers import Noise, generator
from core.learners.pictures import CENTRED, camera_of, layers_of, readable, told, told_by_chance
from core.objectives import label_cross_entropy
from core.run.evaluation import HALF, Evaluation, chance, watched
from core.run.experiment import EVALUATED, Member, Scores
from core.run.training import Observation, Truth, columns, number, parameters, schedule
from core.run.updates.descent import Descent
from core.scenarios.pixels import CELLS, PARTITION
from core.scenarios.pixels import Pixels as Params

FRESH = 8  # batches behind the reported loss


class Labels:
    """The class of every latent: the cell of [-1, 1]^k that it lies in, or what it was dealt."""

    def __init__(self, p: Params, seeds: Sequence[int], device: torch.device | str) -> None:
        place = {name: i for i, name in enumerate(p.seen.varied)}
        parts = CELLS[p.label]
        self.columns = torch.tensor([place[name] for name in parts], device=device)
        self.parts = torch.tensor(list(parts.values()), device=device)
        self.dealt = None
        if p.label == "random":
            count = prod(parts.values())
            self.dealt = torch.stack(
                [torch.randint(PARTITION, (count,), generator=generator(seed, "world"))
                 for seed in seeds]
            ).to(device)  # fmt: skip

    def __call__(self, z: Tensor) -> Tensor:
        """z (m, n, k) -> (m, n), from 0."""
        share = (z.index_select(-1, self.columns) + 1) / 2
        cell = (share * self.parts).long().clamp_max(self.parts - 1)
        index = torch.zeros_like(cell[..., 0])
        for i, parts in enumerate(self.parts):
            index = index * parts + cell[..., i]
        return index if self.dealt is None else self.dealt.gather(1, index)


def _agreement(y: np.ndarray, said: np.ndarray) -> float:
    """The share of labels (n,) that were said."""
    return float((said == y).mean())


class OfClasses:
    """m members of equal shape training together; see `core.run.training.Learner`."""

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        self.members, self.device = members, device
        self.p = p = cast(Params, members[0].params)
        self.steps, self.observed_at = p.steps, schedule(p.steps)
        seeds = [member.seed for member in members]
        self.camera, self.labels = camera_of(p), Labels(p, seeds, device)
        self.data = Noise(seeds, "data", device)
        starts = [generator(seed, "initialisation") for seed in seeds]
        x = self.camera(self._latents(CENTRED, self.data))
        self.f = nn.Sequential(*layers_of(p, x, starts, p.encoded))
        bound = p.encoded**-0.5
        heads = [(2 * torch.rand(p.encoded, p.classes, generator=g) - 1) * bound for g in starts]
        self.head = nn.Parameter(torch.stack(heads).to(device))
        self.shift = nn.Parameter(torch.zeros(len(seeds), 1, p.classes, device=device))
        weights = (*self.f.parameters(), self.head, self.shift)
        self.descend = Descent(weights, p.learning_rate, self.steps)

        noise = Noise(seeds, "evaluation", device)
        z = self._latents(EVALUATED, noise)
        self.evaluation = Evaluation(p.flat, z, self.camera, self.f, p.encoded)
        self.y = self.labels(z).cpu().numpy()
        self.y_watched = watched(self.y)
        self.truth = Truth(z=self.evaluation.z_drawn, net=self.evaluation.net, world={})
        self.baselines = [self._baselines(i) for i in range(len(members))]

    def step(self, t: int) -> Tensor:
        """One Adam update of every member on fresh pictures; the loss (m,) before it."""
        return self.descend(self._loss(self._latents(self.p.batch, self.data)))

    def program(self, t: int) -> str:
        """Every update is the same."""
        return "update"

    def look(self) -> Observation:
        """Codes of the drawn sprites."""
        return Observation({}, *self.evaluation.look())

    def observe(self) -> Observation:
        """The same with the scores on the watched sprites."""
        seen = self.evaluation.observe()
        rows = [self._scores(i, z, z_hat, y)
                for i, (z, z_hat, y) in enumerate(
                    zip(self.evaluation.z_watched, seen.watched, self.y_watched, strict=True))
                ]  # fmt: skip
        return Observation(columns(rows), *seen[:2])

    def finish(self) -> list[Scores]:
        """Held-out scores of every factor, the classifier's accuracy, the loss on fresh sprites."""
        with torch.inference_mode():
            noise = Noise([member.seed for member in self.members], "floor", self.device)
            fresh = [self._loss(self._latents(self.p.batch, noise)) for _ in range(FRESH)]
            loss = torch.stack(fresh).mean(0).cpu().numpy()
        return [
            {**self._final(i), "loss": number(loss[i])} for i in range(len(self.members))
        ]  # fmt: skip

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """Latents, classes, pictures and codes of member i, and its weights."""
        return {
            "z": self.evaluation.z[i],
            "y": self.y[i],
            "x": self.evaluation.raw_x(i),
            "z_hat": self.evaluation.features(i),
            "w": self.head[i].detach().cpu().numpy(),
            "b": self.shift[i, 0].detach().cpu().numpy(),
            **parameters("f", self.f, i),
        }

    def _latents(self, n: int, noise: Noise) -> Tensor:
        return self.p.flat.uniform(noise.uniform(n, self.p.k)).float()

    def _loss(self, z: Tensor) -> Tensor:
        """Cross-entropy (m,), in nats, of the classes of z (m, n, k)."""
        logits = torch.baddbmm(self.shift, self.f(self.camera(z)), self.head)
        return label_cross_entropy(logits, self.labels(z))

    def _final(self, i: int) -> Scores:
        z, code = self.evaluation.z[i], self.evaluation.features(i)
        scores = self._scores(i, z, code, self.y[i])
        accuracy = scores["label_accuracy"]
        low = high = null = None
        if accuracy is not None:
            low, high = metrics.share_interval(accuracy, HALF)
            null = float(metrics.null(_agreement, self.y[i][HALF:], self._said(i, code)).mean())
        return {
            **scores,
            **told(self.p.seen, "factor", z, code),
            **told_by_chance(self.p.seen, z, code),
            **self._read_out("", z, code),
            "label_accuracy_low": low,
            "label_accuracy_high": high,
            "null_label_accuracy": null,
        }

    def _said(self, i: int, code: np.ndarray) -> np.ndarray:
        """Classes that member i's classifier says of the half of a code that is scored."""
        head, shift = self.head[i].detach().cpu().numpy(), self.shift[i].detach().cpu().numpy()
        return (code[len(code) // 2 :] @ head + shift).argmax(1)

    def _scores(self, i: int, z: np.ndarray, z_hat: np.ndarray, y: np.ndarray) -> Scores:
        """Every score of member i, all None once its codes are not finite."""
        if not np.isfinite(z_hat).all():
            return dict.fromkeys(("label_accuracy", "mcc", "linear_r2"))
        return {
            "label_accuracy": _agreement(y[len(y) // 2 :], self._said(i, z_hat)),
            "mcc": metrics.mcc(z, z_hat),
            "linear_r2": metrics.linear_r2(z, z_hat),
        }

    def _baselines(self, i: int) -> Scores:
        """What pixels and the encoder at its start tell of every factor, and always one class."""
        seen, z = self.evaluation, self.evaluation.z[i]
        found: Scores = {"chance": chance(self.y[i])}
        for of, code in (
            ("raw_", readable(self.p, seen.raw_x(i))),
            ("untrained_", seen.features(i)),
        ):
            found |= {
                f"{of}linear_r2": metrics.linear_r2(z, code),
                f"{of}mcc": metrics.mcc(z, code),
                **told(self.p.seen, f"{of}factor", z, code),
                **self._read_out(of, z, code),
            }
        return found

    def _read_out(self, of: str, z: np.ndarray, code: np.ndarray) -> Scores:
        """Correlations of read-outs as published, through the origin, and with an intercept.

        None of codes that are not finite.
        """
        ways = ((f"{of}r_bare", False), (f"{of}r", True))
        if not np.isfinite(code).all():
            lines = [f.name for f in self.p.seen.factors if f.kind != "circular"]
            return {f"{way}_{name}": None for way, _ in ways for name in lines}
        return {
            f"{way}_{name}": number(r)
            for way, intercept in ways
            for name, r in correlations(self.p.seen, z, code, intercept).items()
        }
