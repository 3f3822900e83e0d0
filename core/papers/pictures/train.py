"""Encoders of pictures out of files, trained on classes, on factors, or on pairs.

m seeds train side by side on the same N pictures; what differs is their start and their batches.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.encoder import Bounded, Encoder, Variational, make_encoder
from core.images.camera import LEVELS
from core.images.convolution import encoder_layers
from core.laws.samplers import Noise, generator
from core.objectives import LP_INFO_NCE, label_cross_entropy, slow_vae, squared_error
from core.papers.pictures.protocol import Recipe
from core.run.updates.descent import Descent

Array = np.ndarray
FED = 16  # pixels a side that a multilayer encoder is fed
CENTRED = 1024  # pictures that a centring is made of
AT_ONCE = 1024  # pictures whose codes are taken together
APART = 2.0  # steps between pairs: the deviation of codes that start apart
GAMMA, RATE = 10.0, 6.0  # SlowVAE's, as published


@dataclass(frozen=True)
class Similarity:
    """A model of pairs: -|u - v|_p^p / tau of codes that live in a space.

    tau is what matches a step of this size, of Laplace's law for p = 1, normal for p = 2.
    """

    p: Literal[1, 2]
    space: Literal["unbounded", "box", "sphere"]
    step: float

    @property
    def tau(self) -> float:
        """The model's temperature."""
        return self.step if self.p == 1 else 2 * self.step**2


@dataclass(frozen=True)
class Codes:
    """Codes (m, n, d_hat) of the pictures that are shown, before training and after."""

    untrained: Array
    trained: Array


class Album:
    """Pictures (N, c, s, s) uint8 as an encoder's rows of numbers in [0, 1]."""

    def __init__(self, pictures: Array, recipe: Recipe) -> None:
        x = torch.from_numpy(pictures)
        if recipe.encoder == "mlp":
            parts = [F.avg_pool2d(part.float(), x.shape[-1] // FED).round().byte()
                     for part in x.split(AT_ONCE)]  # fmt: skip
            x = torch.cat(parts)
        self.shape = x.shape[1], x.shape[-1]
        self.rows = x.flatten(1)

    def __len__(self) -> int:
        return len(self.rows)

    def __call__(self, rows: Tensor) -> Tensor:
        """Rows of any shape -> (..., d_x)."""
        return self.rows[rows].float() / LEVELS


def raw(pictures: Array) -> Array:
    """Pictures (n, c, s, s) as what a multilayer encoder is fed, (n, d_x) in [0, 1]."""
    album = Album(pictures, Recipe("mlp", 1, 1, 1, 1, 1, 1.0))
    return album(torch.arange(len(album))).numpy()


def of_classes(
    pictures: Array, labels: Array, fit: Array, recipe: Recipe, seeds: Sequence[int]
) -> Codes:
    """A linear classifier on the code: pictures of the rows `fit`, shown all."""
    training = _Training(pictures, recipe, seeds)
    y, rows = torch.from_numpy(labels), torch.from_numpy(fit)
    classes, bound = int(labels.max()) + 1, recipe.d_hat**-0.5
    heads = [(2 * torch.rand(recipe.d_hat, classes, generator=g) - 1) * bound
             for g in training.starts]  # fmt: skip
    head = nn.Parameter(torch.stack(heads))
    shift = nn.Parameter(torch.zeros(len(seeds), 1, classes))
    f = nn.Sequential(*training.layers(recipe.d_hat))

    def loss() -> Tensor:
        chosen = rows[training.noise.index(len(rows), recipe.batch)]
        return label_cross_entropy(f(training.album(chosen)) @ head + shift, y[chosen])

    return training.run(f, (*f.parameters(), head, shift), loss, pictures)


def of_factors(
    pictures: Array, z: Array, shown: Array, recipe: Recipe, seeds: Sequence[int]
) -> Codes:
    """Told the factors z (N, d_hat) of pictures, by squared error."""
    training, target = _Training(pictures, recipe, seeds), torch.from_numpy(z).float()
    f = nn.Sequential(*training.layers(recipe.d_hat))

    def loss() -> Tensor:
        chosen = training.noise.index(len(z), recipe.batch)
        return squared_error(f(training.album(chosen)), target[chosen])

    return training.run(f, f.parameters(), loss, shown)


def of_pairs(
    pictures: Array,
    pairs: Array,
    shown: Array,
    recipe: Recipe,
    model: Similarity,
    seeds: Sequence[int],
) -> Codes:
    """InfoNCE of pairs (P, 2), rows of pictures, with all first ones as negatives."""
    training = _Training(pictures, recipe, seeds)
    *before, last = training.layers(recipe.d_hat, model.space == "sphere")
    assert isinstance(last, Encoder)
    if model.space != "sphere":
        apart = torch.full((len(seeds),), APART * model.step)
        last.start_apart(nn.Sequential(*before)(training.sample), apart)
    box = [Bounded(torch.full((len(seeds),), 2.0), recipe.d_hat)] if model.space == "box" else []
    f = nn.Sequential(*before, last, *box)
    taus, both = torch.full((len(seeds),), model.tau), torch.from_numpy(pairs)

    def loss() -> Tensor:
        anchors, views = f(training.both(both)).chunk(2, 1)
        return LP_INFO_NCE["anchors"](anchors, views, taus, model.p)

    return training.run(f, f.parameters(), loss, shown)


def by_slow_vae(
    pictures: Array, pairs: Array, shown: Array, recipe: Recipe, seeds: Sequence[int]
) -> Codes:
    """SlowVAE of the same pairs, whose codes are the means."""
    training, both = _Training(pictures, recipe, seeds), torch.from_numpy(pairs)
    encoder = nn.Sequential(*training.layers(2 * recipe.d_hat))
    d_x = training.album.rows.shape[1]
    sizes = recipe.d_hat, d_x, recipe.width, recipe.depth
    f = Variational(encoder, make_encoder(training.starts, *sizes, "standard", False))
    gamma, rate = (torch.full((len(seeds),), value) for value in (GAMMA, RATE))

    def loss() -> Tensor:
        x = training.both(both)
        mean, spread = f.encoder(x).chunk(2, -1)
        code = mean + (spread / 2).exp() * training.noise.normal(*mean.shape[1:])
        return slow_vae(f.decoder(code), x, mean, spread, code, gamma, rate)

    return training.run(f, f.parameters(), loss, shown)


class _Training:
    """The streams of m seeds, the pictures that they see, and the loop."""

    def __init__(self, pictures: Array, recipe: Recipe, seeds: Sequence[int]) -> None:
        self.recipe, self.album = recipe, Album(pictures, recipe)
        self.starts = [generator(seed, "initialisation") for seed in seeds]
        self.noise = Noise(seeds, "data", "cpu")
        self.sample = self.album(self.noise.index(len(self.album), CENTRED))

    def layers(self, d_hat: int, normalised: bool = False) -> list[nn.Module]:
        """An encoder for each seed."""
        r = self.recipe
        sizes = r.width, r.depth, d_hat, normalised
        return encoder_layers(r.encoder, self.sample, self.starts, self.album.shape, *sizes)

    def both(self, pairs: Tensor) -> Tensor:
        """Pictures (m, 2 batch, d_x) of pairs at random, the first ones first."""
        chosen = pairs[self.noise.index(len(pairs), self.recipe.batch)]  # (m, batch, 2)
        return self.album(torch.cat([chosen[..., 0], chosen[..., 1]], 1))

    def run(
        self,
        f: nn.Module,
        parameters: Iterable[nn.Parameter],
        loss: Callable[[], Tensor],
        shown: Array,
    ) -> Codes:
        """Codes of the pictures `shown` before training, and after."""
        album = Album(shown, self.recipe)
        untrained = self._codes(f, album)
        descend = Descent(parameters, self.recipe.learning_rate, self.recipe.steps)
        for _ in range(self.recipe.steps):
            descend(loss())
        return Codes(untrained, self._codes(f, album))

    @torch.inference_mode()
    def _codes(self, f: nn.Module, album: Album) -> Array:
        m = len(self.starts)
        parts = [f(album(rows).expand(m, -1, -1))
                 for rows in torch.arange(len(album)).split(AT_ONCE)]  # fmt: skip
        return torch.cat(parts, 1).numpy()
