"""InfoNCE in a box or R^d: worlds of m members, encoders, one Adam update, one observation."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.encoder import Bounded, make_encoder
from core.laws import coordinates
from core.learners.pairs import InFlat, OfPairs, Ratio
from core.objectives import LP_INFO_NCE
from core.run.experiment import Member
from core.run.updates.capture import Time
from core.scenarios.infonce_box import InfoNCEBox as Params


class Learner(OfPairs):
    """m members of equal shape training together; see `core.run.training.Learner`."""

    names = ("mcc", "mcc_spearman", "linear_r2")
    settings: list[Params]

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        p = members[0].params
        assert isinstance(p, Params)
        taus = [each.params.model_tau for each in members if isinstance(each.params, Params)]
        self.tau = torch.tensor(taus, device=device)
        super().__init__(members, device, p.flat, p.d, p.d)

    def _world(self, settings: Sequence[Params]) -> InFlat:
        return InFlat(settings, self.device)

    def _network(self, starts: Sequence[torch.Generator]) -> nn.Sequential:
        """An encoder, and a box around its codes unless they are told what to be."""
        p = self.settings[0]
        where = p.model_space if self.unsupervised else "unbounded"
        parts: list[nn.Module] = [
            make_encoder(starts, p.d, p.d, p.width, p.depth, p.initialisation, where == "sphere")
        ]
        if where == "box":
            sides = [s.bound_start * s.matched_side for s in self.settings]
            parts.append(Bounded(torch.tensor(sides), p.d))
        return nn.Sequential(*parts)

    def _info_nce(self, anchors: Tensor, views: Tensor, tau: Tensor) -> Tensor:
        p = self.settings[0]
        return LP_INFO_NCE[p.negatives](anchors, views, tau, p.p)

    def _tau(self, t: Time) -> Tensor:
        return self.tau

    def _told_apart(self, p: Params) -> tuple[float, ...]:
        return p.spread, p.shape, p.marginal_spread

    def _ratio(self, p: Params) -> Ratio | None:
        return coordinates.log_ratio(p.law, p.marginal_law, p.flat)


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Worlds and encoders of members that agree in every field that is not batched."""
    return Learner(members, device)
