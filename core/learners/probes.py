"""Codes of digits: images of m members, an encoder that classifies them or not, probes of it.

Of a seed's 1,797 images the encoder sees the first 997; probes are fitted and split on the next
400, and the last 400 are fresh to both.
"""

from collections.abc import Sequence
from functools import cache
from math import log
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics
from core.encoder import Encoder, make_encoder
from core.images import digits
from core.images.world import Table
from core.laws.samplers import Noise, generator
from core.metrics import significance
from core.objectives import cross_entropy
from core.run.experiment import Member, Scores
from core.run.training import Observation, Truth, number, parameters, schedule
from core.run.updates.descent import Descent
from core.scenarios.probes import (
    CLASSES,
    DRAWN,
    FACTORS,
    PROBED,
    PROCEDURES,
    SAMPLES,
    SHOWN,
    SIZE,
    TESTS,
    TRAINED,
)
from core.scenarios.probes import Probes as Params

CERTAIN = 100.0  # the largest -log10 p that is told apart
FITTED = slice(TRAINED, TRAINED + PROBED)
FRESH = slice(TRAINED + PROBED, SAMPLES)
PICTURE = slice(TRAINED, TRAINED + DRAWN)


@cache
def _read() -> Table:
    return digits.read()


class Images(NamedTuple):
    """A seed's images in its order, less the mean of those to train on, and what they are."""

    x: Tensor  # (1797, 64)
    y: Tensor  # (1797,) digits
    wrong: Tensor  # (997,) the digits to train on, in another order
    factors: np.ndarray  # (1797, 10)

    @classmethod
    def of(cls, seed: int) -> "Images":
        """scikit-learn's, of which the first 997 are to train on."""
        stream, table = generator(seed, "world"), _read()
        order = torch.randperm(SAMPLES, generator=stream)
        x = torch.from_numpy(table.images.reshape(SAMPLES, SIZE))[order]
        factors = table.values[order.numpy()]
        y = torch.from_numpy(factors[:, 0]).long()
        wrong = y[:TRAINED][torch.randperm(TRAINED, generator=stream)]
        return cls(x - x[:TRAINED].mean(0), y, wrong, factors)


class Classifier(nn.Module):
    """An encoder f and the rows w (m, 10, d_hat) of a linear head on its code, without bias."""

    def __init__(self, starts: Sequence[torch.Generator], p: Params) -> None:
        super().__init__()
        self.f: Encoder = make_encoder(
            starts, SIZE, p.d_hat, p.width, p.depth, "standard", normalised=False
        )
        bound = p.d_hat**-0.5
        rows = [(2 * torch.rand(CLASSES, p.d_hat, generator=g) - 1) * bound for g in starts]
        self.w = nn.Parameter(torch.stack(rows))

    def length(self) -> Tensor:
        """The squared length (m,) of all weights."""
        each = [weights.square().flatten(1).sum(1) for weights in self.parameters()]
        return torch.stack(each).sum(0)


class Learner:
    """m members of equal shape together; see `core.run.training.Learner`."""

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        self.members = members
        settings = [cast(Params, member.params) for member in members]
        self.p = p = settings[0]
        self.steps = p.steps if p.trains else 1  # of which nothing comes
        self.observed_at = schedule(self.steps)
        seeds = [member.seed for member in members]

        self.images = [Images.of(seed) for seed in seeds]
        self.x, self.y, wrong = (
            torch.stack([getattr(each, name) for each in self.images]).to(device)
            for name in ("x", "y", "wrong")
        )
        self.told = wrong if p.features == "shuffled" else self.y[:, :TRAINED]
        starts = [generator(seed, "initialisation") for seed in seeds]
        self.classifier = Classifier(starts, p).to(device)
        self.decay = torch.tensor([each.weight_decay for each in settings], device=device)
        self.descend = Descent(self.classifier.parameters(), p.learning_rate, self.steps)
        self.data = Noise(seeds, "data", device)
        self.noise = Noise(seeds, "evaluation", device).normal(SAMPLES, p.d_hat)

        z = np.stack([_principal(x) for x in self.x[:, PICTURE].cpu().numpy()])
        factors = np.stack([each.factors for each in self.images])
        self.truth = Truth(
            z=z.astype(np.float32),
            net=np.zeros((len(members), 0, 0, SHOWN), np.float32),
            world={
                "x": self.x[:, PICTURE].cpu().numpy(),
                "y": self.y[:, PICTURE].cpu().numpy(),
                "factors": factors[:, PICTURE].astype(np.float32),
            },
        )
        frequent = [np.bincount(y).max() for y in self.y[:, TRAINED:].cpu().numpy()]
        self.baselines: list[Scores] = [
            {"chance": float(n / (SAMPLES - TRAINED))} for n in frequent
        ]

    def step(self, t: int) -> Tensor:
        """One Adam update of every member on a batch; the loss (m,) before it.

        Where nothing is trained, the loss of who takes every digit for as likely.
        """
        if not self.p.trains:
            return torch.full_like(self.decay, log(CLASSES))
        chosen = self.data.index(TRAINED, self.p.batch)
        x = self.x.gather(1, chosen[..., None].expand(-1, -1, SIZE))
        loss = self._loss(x, self.told.gather(1, chosen))
        return self.descend(loss + self.decay / 2 * self.classifier.length())

    def program(self, t: int) -> str | None:
        """Every update is the same, where there are any."""
        return "update" if self.p.trains else None

    def look(self) -> Observation:
        """Codes of the drawn images along the axes in which they vary most."""
        return self._observation({})

    def observe(self) -> Observation:
        """The same with the classifier's accuracy."""
        return self._observation({"classifier_accuracy": self._accuracy()})

    def finish(self) -> list[Scores]:
        """Probes of every factor, and how sure each procedure is of them."""
        accuracy, codes = self._accuracy(), self._codes()
        with torch.inference_mode():
            losses = self._loss(self.x[:, TRAINED:], self.y[:, TRAINED:]).cpu().numpy()
        own = self.p.features == "trained"  # of shuffled labels there are no held-out ones
        return [
            {
                "classifier_accuracy": number(accuracy[i]),
                "loss": number(losses[i]) if own else None,
                **probed(codes[i], self.images[i].factors, self.members[i].seed),
            }
            for i in range(len(self.members))
        ]

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """Images and digits in the seed's order, their factors and codes, and all weights."""
        return {
            "images": self.x[i].cpu().numpy(),
            "digits": self.y[i].cpu().numpy(),
            "factors": self.images[i].factors,
            "codes": self._codes()[i],
            **parameters("classifier", self.classifier, i),
        }

    def _loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Cross-entropy (m,) of the classifier, in nats."""
        return cross_entropy(self.classifier.f(x), self.classifier.w, y)

    @torch.inference_mode()
    def _accuracy(self) -> np.ndarray:
        """Of the classifier (m,), on images that no one trained on; nan where no one did."""
        if not self.p.trains:
            return np.full(len(self.members), np.nan)
        logits = self.classifier.f(self.x[:, TRAINED:]) @ self.classifier.w.mT
        return (logits.argmax(-1) == self.y[:, TRAINED:]).double().mean(1).cpu().numpy()

    @torch.inference_mode()
    def _codes(self, which: slice = slice(None)) -> np.ndarray:
        """What is probed (m, n, d_hat) of some images, of all by default."""
        if self.p.features == "pixels":
            return self.x[:, which].cpu().numpy()
        if self.p.features == "noise":
            return self.noise[:, which].cpu().numpy()
        return self.classifier.f(self.x[:, which]).cpu().numpy()

    def _observation(self, scores: dict[str, np.ndarray]) -> Observation:
        pairs = zip(self._codes(PICTURE), self.truth.z, strict=True)
        z_hat = np.stack([_turned(_principal(code), z) for code, z in pairs])
        return Observation(scores, z_hat.astype(np.float32), self.truth.net)


def probed(code: np.ndarray, factors: np.ndarray, seed: int) -> Scores:
    """Every score of probes of the factors (1797, 10) on a code (1797, d_hat), in a seed's order.

    All None of a code that is not finite.
    """
    rows: dict[str, list[float | None]] = {name: [] for name in PROCEDURES}
    sound, found = np.isfinite(code).all(), Scores()
    for j, name in enumerate(FACTORS):
        of = _of_factor(code, proxy(factors, j), seed, j) if sound else dict.fromkeys(KINDS)
        found |= {kind.format(name): value for kind, value in of.items()}
        for procedure, values in rows.items():
            values.append(of[f"{procedure}_p_{{}}"])
    for procedure, values in rows.items():
        for kind, level in (("asterisks", significance.ALPHA / TESTS),
                            ("rejected", significance.ALPHA)):  # fmt: skip
            below = sum(value is not None and value > -np.log10(level) for value in values)
            found[f"{kind}_{procedure}"] = float(below) if sound else None
    return found


KINDS = (
    "accuracy_{}", "accuracy_{}_low", "accuracy_{}_high", "fresh_accuracy_{}", "published_p_{}",
    "corrected_p_{}", "fresh_p_{}",
)  # fmt: skip


def proxy(factors: np.ndarray, j: int) -> np.ndarray:
    """The binary proxy (n,) of factor j: the median that halves it is that of the probed images.

    Of the digit whether it is 5 or more, as the paper halves the classes of ImageNet.
    """
    if list(FACTORS)[j] == "class":
        return factors[:, j] >= CLASSES / 2
    return significance.halved(factors[:, j], among=factors[FITTED, j])


def _of_factor(code: np.ndarray, y: np.ndarray, seed: int, j: int) -> Scores:
    """The accuracy of a factor's probes, their interval, and -log10 p by every procedure."""
    rng = np.random.default_rng((seed, j))
    again = significance.resplit(code[FITTED].astype(float), y[FITTED], rng)
    low, high = again.interval()
    fresh, p = significance.fresh_test(code[FITTED], y[FITTED], code[FRESH], y[FRESH], rng)
    tests = (again.published, again.corrected, p)
    values = [float(again.mean), float(low), float(high), fresh, *map(_decades, tests)]
    return {kind: number(value) for kind, value in zip(KINDS, values, strict=True)}


def _decades(p: Any) -> float:
    """-log10 of a p value, at most `CERTAIN`; nan where it has none."""
    return float(-np.log10(np.maximum(p, 10**-CERTAIN)))


def _principal(code: np.ndarray) -> np.ndarray:
    """Codes (n, d) along the three axes in which they vary most (n, 3); nan where not finite."""
    if not np.isfinite(code).all():
        return np.full((len(code), SHOWN), np.nan)
    centred = code.astype(float) - code.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:SHOWN]
    return centred @ axes.T


def _turned(code: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Codes (n, 3) turned to the pixels' z (n, 3): axes have no sign, and would jump in a film."""
    return code @ metrics.procrustes(z, code)[0] if np.isfinite(code).all() else code


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Images and classifiers of members that agree in every field that is not batched."""
    return Learner(members, device)
