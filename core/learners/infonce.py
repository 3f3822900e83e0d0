"""InfoNCE on a sphere: worlds of m members, their encoders, one Adam update, one observation."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from core import theory
from core.encoder import make_encoder
from core.laws.samplers import Noise, pole, sampler
from core.learners.pairs import OfPairs, Ratio
from core.objectives import INFO_NCE
from core.run.experiment import Member, Scores
from core.run.updates.capture import Time
from core.scenarios.infonce import InfoNCE as Params

LOWEST_CONCENTRATION = 0.1  # annealing starts at this fraction of 1/tau


class World:
    """Latents and positives of m members: the marginal and the conditional."""

    def __init__(self, settings: Sequence[Params], device: torch.device | str) -> None:
        self.d = settings[0].d
        self.pole = pole(self.d, device).expand(len(settings), 1, self.d)
        self.marginal = sampler([p.around_pole for p in settings], self.d, device)
        self.conditional = sampler([p.law for p in settings], self.d, device)

    def latents(self, n: int, noise: Noise) -> Tensor:
        """z (m, n, d): uniform, or around the pole."""
        return self.marginal.around(self.pole.expand(-1, n, -1), noise)

    def positives(self, z: Tensor, noise: Noise) -> Tensor:
        """z_pos (m, n, d) from the conditional around z."""
        return self.conditional.around(z, noise)


class Learner(OfPairs):
    """m members of equal shape training together; see `core.run.training.Learner`."""

    names = ("linear_r2", "orthogonal_r2", "mcc", "singular_value_mae")
    settings: list[Params]

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        p = members[0].params
        assert isinstance(p, Params)
        super().__init__(members, device, p.space, p.observed, p.encoded)

    def _world(self, settings: Sequence[Params]) -> World:
        return World(settings, self.device)

    def _network(self, starts: Sequence[torch.Generator]) -> nn.Module:
        p = self.settings[0]
        self.info_nce = INFO_NCE[p.negatives]
        self.concentration, self.anneal = (
            torch.tensor(column, device=self.device)
            for column in zip(*((1 / s.model_tau, s.anneal) for s in self.settings), strict=True)
        )
        return make_encoder(starts, p.observed, p.encoded, p.width, p.depth, p.initialisation)

    def _info_nce(self, anchors: Tensor, views: Tensor, tau: Tensor) -> Tensor:
        return self.info_nce(anchors, views, tau)

    def _tau(self, t: Time) -> Tensor:
        """Temperature at step t (m,): the concentration rises linearly over the annealed steps."""
        ramp = (t / self.steps / self.anneal.clamp_min(1e-9)).clamp(max=1)
        share = LOWEST_CONCENTRATION + (1 - LOWEST_CONCENTRATION) * ramp
        return 1 / (self.concentration * share)

    def _scores(self, z: np.ndarray, z_hat: np.ndarray, covering: np.ndarray | None) -> Scores:
        """With the degree of the map, None once its latents are not finite."""
        finite = np.isfinite(z_hat).all()
        degree = self.evaluation.degree(covering) if finite else None
        return {**super()._scores(z, z_hat, covering), "degree": degree}

    def _told_apart(self, p: Params) -> tuple[float, ...]:
        return p.kappa, p.marginal_kappa

    def _ratio(self, p: Params) -> Ratio | None:
        """In closed form where both laws are von Mises-Fisher."""
        kappa, around_pole = p.law.concentration, p.around_pole.concentration
        if kappa is None or around_pole is None:
            return None
        return theory.vmf_log_ratio(kappa, around_pole, np.eye(p.d)[-1])


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Worlds and encoders of members that agree in every field that is not batched."""
    return Learner(members, device)
