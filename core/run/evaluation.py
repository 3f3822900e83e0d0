"""The fixed evaluation set: latents that are scored, drawn, or wrapped around the whole sphere."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics
from core.laws.spaces import Space
from core.run.experiment import EVALUATED, Scores  # EVALUATED draws of the training law

HALF = EVALUATED // 2  # the first fits, the second is scored
WATCHED = 512  # of each half, for the scores while training
DRAWN = 500  # of the second half
COVERED = 2000  # uniform points for the degree, whatever the marginal
DEGREE_EVERY = 3  # observations: it needs many points
CHUNK = 2048  # points of a member at a time: a network's activations take m CHUNK width numbers

Latents = TypeVar("Latents", Tensor, np.ndarray)


def drawn(x: Latents) -> Latents:
    """Of the evaluation set (m, EVALUATED, ...) what is drawn, which nothing is fitted to."""
    return x[:, HALF : HALF + DRAWN]


def watched(x: Latents, each: int = WATCHED) -> Latents:
    """What is scored in training (m, 2 each, ...): `each` that fit, as many that are scored."""
    return x[:, np.r_[:each, HALF : HALF + each]]


def held_out(x: Latents) -> Latents:
    """The half (m, HALF, ...) that is scored."""
    return x[:, HALF:]


def chance(y: np.ndarray) -> float:
    """Accuracy (labels y (EVALUATED,) of one member) of always saying what is most frequent."""
    return float(np.bincount(y[HALF:]).max() / HALF)


Scored = Mapping[str, Callable[[np.ndarray, np.ndarray], float]]  # of (z, z_hat), by name


def by_chance(
    z: np.ndarray, z_hat: np.ndarray, scores: Scored, shuffles: int = metrics.SHUFFLES
) -> Scores:
    """What shuffled codes (n, d_hat) get of some scores; None for codes that are not finite."""
    sound = np.isfinite(z_hat).all()
    return {
        f"null_{name}": float(metrics.null(of, z, z_hat, shuffles).mean()) if sound else None
        for name, of in scores.items()
    }


def between(z: np.ndarray, z_hat: np.ndarray, name: str) -> Scores:
    """What 95 % of resampled points give for a score; None for codes that are not finite."""
    low, high = f"{name}_low", f"{name}_high"
    if not np.isfinite(z_hat).all():
        return {low: None, high: None}
    return dict(zip((low, high), metrics.interval(metrics.RESAMPLED[name](z, z_hat)), strict=True))


@torch.inference_mode()
def in_parts(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """f(x) (m, n, d_hat) of x (m, n, d_x), in parts small enough for the cache."""
    return torch.cat([f(part) for part in x.split(CHUNK, 1)], 1)


class Seen(NamedTuple):
    """Images under h at one step, m members."""

    z_hat: np.ndarray  # (m, DRAWN, d_hat)
    net_hat: np.ndarray  # (m, c, p, d_hat)
    watched: np.ndarray  # (m, 2 WATCHED, d_hat)
    covering: np.ndarray | None  # (m, COVERED, d_hat), None when it is not the degree's turn


class Evaluation:
    """Latents of m members, their observations, and what an encoder makes of them."""

    def __init__(
        self, space: Space, z: Tensor, g: Callable[[Tensor], Tensor], f: nn.Module, d_hat: int
    ) -> None:
        """z (m, EVALUATED, d) of the training law, in their space."""
        m, _, d = z.shape
        shown, seen = drawn(z), watched(z)
        net = space.net()
        curves = torch.from_numpy(net).to(z.device).reshape(1, -1, d).expand(m, -1, -1)
        # the degree belongs to h on the whole sphere, so its points are uniform for every world
        noise = torch.randn(COVERED, d, generator=torch.Generator().manual_seed(0))
        closed = space.degree_in(d_hat)
        covering = space.covering(noise) if closed else noise[:0]  # without a degree, of no use
        self._degree = metrics.Degree(covering.numpy()) if closed else None

        self.f = f
        self.drawn = shown
        self.z, self.x = z.cpu().numpy(), g(z)
        self.z_drawn = shown.cpu().numpy()
        self.z_watched = seen.cpu().numpy()
        self.net = np.broadcast_to(net, (m, *net.shape))
        self._x_look = g(torch.cat([shown, curves], 1))
        self._x_covering = g(covering.to(z.device).expand(m, -1, -1))
        self._x_observe = torch.cat([self._x_look, g(seen)], 1)
        self._observed = 0

    def look(self) -> tuple[np.ndarray, np.ndarray]:
        """Images (m, n, d_hat) of the drawn points and (m, c, p, d_hat) of the graticule."""
        return self._parts(self.encode(self._x_look))

    def observe(self) -> Seen:
        """The same with the watched points, and at every third call those of the degree."""
        covering = None
        if self._degree is not None and self._observed % DEGREE_EVERY == 0:
            covering = self.encode(self._x_covering)
        self._observed += 1
        seen, watched = np.split(self.encode(self._x_observe), [self._x_look.shape[1]], axis=1)
        return Seen(*self._parts(seen), watched, covering)

    def everything(self) -> tuple[np.ndarray, np.ndarray]:
        """Images (m, EVALUATED, d_hat) of all latents and (m, COVERED, d_hat) for the degree.

        (None of the latter where there is no degree.)
        """
        return self.encode(self.x), self.encode(self._x_covering)

    def degree(self, covering: np.ndarray | None) -> int | None:
        """Degree of h/|h| from one member's images of the covering points."""
        if self._degree is None or covering is None:
            return None
        # features may be free: their direction is a map of spheres wherever none vanishes
        return self._degree(covering / np.linalg.norm(covering, axis=1, keepdims=True))

    def features(self, i: int) -> np.ndarray:
        """f(x) (EVALUATED, d_hat) of member i."""
        return self.encode(self.x)[i]

    def raw_x(self, i: int) -> np.ndarray:
        """Observations (EVALUATED, d_x) of member i, whose scores are the baseline."""
        return self.x[i].cpu().numpy()

    def _parts(self, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        curves = seen[:, DRAWN:].reshape(*self.net.shape[:3], seen.shape[-1])
        return seen[:, :DRAWN], curves

    def encode(self, x: Tensor) -> np.ndarray:
        """f(x) (m, n, d_hat)."""
        return in_parts(self.f, x).cpu().numpy()
