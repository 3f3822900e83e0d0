"""Sources s whose laws an auxiliary variable modulates, and their sufficient statistics."""

from collections.abc import Sequence
from math import log
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from core.laws.modulation import natural, spectrum
from core.laws.samplers import Noise, laplace
from core.scenarios.auxiliary import Auxiliary as Params

CANDIDATES = 500  # modulations of which the best conditioned is taken
Sources = TypeVar("Sources", Tensor, np.ndarray)


def statistic(p: Params, s: Sources) -> Sources:
    """q(s) of the same shape: |s|, s^2, or s itself where a location is modulated."""
    if not p.even:
        return s
    return s * s if p.law == "gauss" else abs(s)


class World:
    """Segments u and sources s of m members; each seed has a modulation of its own."""

    def __init__(
        self, settings: Sequence[Params], places: Sequence[Tensor], device: torch.device | str
    ) -> None:
        """`places` are (E, d) each, from 0 to 1 between the least scale or location and the most.

        See `modulation`.
        """
        self.p = p = settings[0]
        self.d, self.n_segments = p.d, p.n_segments
        at = [_at(p, each.double().numpy(), own.contrast)
              for each, own in zip(places, settings, strict=True)]  # fmt: skip
        self.modulation = torch.from_numpy(np.stack(at)).float().to(device)

    def draw(self, n: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """Segments u (m, n), uniform, and sources s (m, n, d)."""
        u = (noise.uniform(n) * self.n_segments).long()
        e = self._noise(n, noise)
        at = self.modulation.gather(1, u[..., None].expand(-1, -1, self.d))
        return u, at * e if self.p.modulated == "scale" else at + e

    def _noise(self, n: int, noise: Noise) -> Tensor:
        """Noise (m, n, d): standard normal, or of density exp(-|e|) / 2."""
        if self.p.law == "gauss":
            return noise.normal(n, self.d)
        return laplace(noise.uniform(n, self.d))


def modulation(p: Params, generator: torch.Generator) -> Tensor:
    """Where scales or locations lie (E, d), from 0 to 1 between their least and their most.

    Each source takes E evenly spaced places in an order of its own; of `CANDIDATES` orders those
    are taken whose natural parameters, at the default contrast, tell the directions that E segments
    can tell most evenly. All sources go in one order if they share it; half ways if all segments
    are equal.
    """
    if p.modulation == "equal":
        return torch.full((p.n_segments, p.d), 0.5)
    columns = 1 if p.modulation == "shared" else p.d
    order = torch.rand(CANDIDATES, p.n_segments, columns, generator=generator).argsort(1)
    pool = order.double() / (p.n_segments - 1)
    values = spectrum(natural(p.law, p.modulated, _at(p, pool.numpy(), usual(p))))
    told = values[:, : min(columns, p.n_segments - 1)]
    best = pool[int(np.argmin(told[:, 0] / told[:, -1].clip(1e-12)))]
    return best.expand(-1, p.d).float().contiguous()


def usual(p: Params) -> float:
    """The default contrast, which chooses a modulation whatever the contrast in force."""
    return float(type(p).model_fields["contrast"].default)


def _at(p: Params, places: np.ndarray, contrast: float) -> np.ndarray:
    """Scales or locations at places from 0 to 1."""
    logs = (places - 0.5) * log(contrast)
    return np.exp(logs) if p.modulated == "scale" else 2 * logs
