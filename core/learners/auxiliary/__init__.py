"""Nonlinear ICA from an auxiliary variable: worlds of m members, and what is learnt of them."""

from collections.abc import Sequence

import torch

from core.learners.auxiliary.learner import Learner
from core.run.experiment import Member


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Worlds, encoders and heads of members that agree in every field that is not batched."""
    return Learner(members, device)
