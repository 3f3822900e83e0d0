"""LeJEPA: worlds of m members with two views, encoders kept Gaussian or white, one Adam update."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from math import lgamma

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics
from core.encoder import make_encoder
from core.laws.samplers import GeneralisedNormal, Noise, generator
from core.laws.spaces import normalise
from core.learners.pairs import Mixed, OfPairs, Ratio
from core.mixing import Bent, make_coupling
from core.objectives import alignment, lp_info_nce_views, sigreg, whitening_penalty
from core.run.evaluation import EVALUATED, watched
from core.run.experiment import Member, Scores
from core.run.training import Observation, columns
from core.run.updates.capture import Time
from core.scenarios.lejepa import DEGREES, KNOTS, PLANAR, SHARES, SIGMA
from core.scenarios.lejepa import LeJEPA as Params

DIFFUSED = 8  # steps of a diffusion between two views
STEEPEST = 2.0  # drift of a step, in its own standard deviations: laws with a cusp have any
# of the first layer at the start: units bend all over the observations, as a spiral asks for
STEEP, SPREAD = 3.0, 6.0
CERTIFIED = ("delta", "epsilon", "procrustes_bound", "procrustes_error")


class World:
    """Latents of m members, of variance 1 and independent coordinates, and their second views."""

    def __init__(self, settings: Sequence[Params], device: torch.device | str) -> None:
        p = settings[0]
        self.d, self.gaussian = p.d, p.law == "gaussian"
        self.diffuses = p.transition == "diffusion"
        self.shape = self._column([s.exponent for s in settings], device)
        scale = [(lgamma(1 / s.exponent) - lgamma(3 / s.exponent)) / 2 for s in settings]
        self.scale = self._column(scale, device).exp()
        self.rho = self._column([s.rho for s in settings], device)
        self.noise = GeneralisedNormal.of(self.shape[:, 0, 0])

    @staticmethod
    def _column(values: Sequence[float], device: torch.device | str) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=device)[:, None, None]

    def latents(self, n: int, noise: Noise) -> Tensor:
        """z (m, n, d)."""
        if self.gaussian:
            return noise.normal(n, self.d)
        drawn = self.noise.sample(noise.uniform(n, self.d))
        return self.scale.float() * drawn

    def positives(self, z: Tensor, noise: Noise) -> Tensor:
        """z_pos (m, n, d): rho z + sqrt(1 - rho^2) times fresh latents, or where z diffuses to."""
        if self.diffuses:
            return self._diffused(z, noise)
        fresh = (1 - self.rho.square()).sqrt().float()
        return self.rho.float() * z + fresh * self.latents(z.shape[1], noise)

    def _diffused(self, z: Tensor, noise: Noise) -> Tensor:
        """z (m, n, d) after dz = (log p)'/2 dt + dW for a time of -2 ln rho.

        By small steps of which Metropolis' rule refuses as many as keeps p exact, however large
        they are (Roberts and Tweedie 1996). A step has drift (1 - a) (log p)' and variance 1 - a^2
        with a the correlation of Gaussian views, so that for these it is exact and none is refused.
        """
        kept = self.rho ** (1 / DIFFUSED)
        variance = 1 - kept.square()
        at = z.double()
        for _ in range(DIFFUSED):
            there = self._drifted(at, kept)
            to = there + variance.sqrt() * noise.normal(z.shape[1], self.d).double()
            back = (at - self._drifted(to, kept)).square() - (to - there).square()
            gained = self._log_density(to) - self._log_density(at) - back / (2 * variance)
            at = torch.where(noise.uniform(z.shape[1], self.d).log() < gained, to, at)
        return at.to(z.dtype)

    def _log_density(self, z: Tensor) -> Tensor:
        """log p (m, n, d) of every coordinate, up to a constant."""
        return -((z / self.scale).abs() ** self.shape)

    def _drifted(self, z: Tensor, kept: Tensor) -> Tensor:
        """Where z (m, n, d) drifts to in a step; at most so far, as a cusp's score has no bound."""
        size = (z / self.scale).abs().clamp_min(1e-9) ** (self.shape - 1)
        drift = -z.sign() * self.shape / self.scale * size * (1 - kept)
        most = STEEPEST * (1 - kept.square()).sqrt()
        return z + torch.minimum(torch.maximum(drift, -most), most)


class Learner(OfPairs):
    """m members of equal shape training together; see `core.run.training.Learner`.

    The loss is (1 - w) times `alignment` and w times a regulariser, taken of each view and
    averaged; InfoNCE has neither.
    """

    names = ("linear_r2", "orthogonal_r2", "mcc")
    settings: list[Params]

    def __init__(self, members: Sequence[Member], device: torch.device | str) -> None:
        p = members[0].params
        assert isinstance(p, Params)
        weights = [each.params.weight for each in members if isinstance(each.params, Params)]
        self.weight = torch.tensor(weights, device=device)
        fixed = torch.Generator().manual_seed(0)
        self.half_circle = torch.arange(p.directions, device=device) * (np.pi / p.directions)
        self.unturned = torch.zeros(1, 1, device=device)
        self.fixed_axes = normalise(torch.randn(1, p.directions, p.d, generator=fixed)).mT
        self.fixed_axes = self.fixed_axes.contiguous().to(device)
        super().__init__(members, device, p.flat, p.d, p.d)
        noise = Noise([member.seed for member in members], "evaluation", device)
        views = self.world.positives(self.world.latents(EVALUATED, noise), noise)
        self.x_pos = self.g(views)

    def _world(self, settings: Sequence[Params]) -> World:
        return World(settings, self.device)

    def _mixing(self, seeds: Sequence[int], observed: int) -> Mixed:
        """A formula, or what a seed draws."""
        p = self.settings[0]
        if p.mixing in PLANAR:
            return Bent(p.mixing)
        if p.mixing == "coupling":
            drawn = make_coupling([generator(s, "world") for s in seeds], p.d, p.mixing_layers)
            return drawn.to(torch.device(self.device))
        return super()._mixing(seeds, observed)

    def _kept(self, z: Tensor) -> dict[str, np.ndarray]:
        """Observations of the drawn latents and of the grid."""
        net = torch.from_numpy(self.settings[0].flat.net()).to(z.device)
        curves = net.reshape(1, -1, z.shape[-1]).expand(len(z), -1, -1)
        x_net = self.g(curves).cpu().numpy().reshape(len(z), *net.shape)
        return {**super()._kept(z), "x_net": x_net}

    def _network(self, starts: Sequence[torch.Generator]) -> nn.Module:
        p = self.settings[0]
        f = make_encoder(starts, p.d, p.d, p.width, p.depth, p.initialisation, False, p.activation)
        with torch.no_grad():
            f.weights[0].mul_(STEEP)
            f.biases[0].mul_(SPREAD)
        return f

    def step(self, t: int) -> Tensor:
        """One Adam update of every member on a batch; the loss (m,) before it."""
        self.axes = self._axes(self.data) if self.settings[0].objective == "sigreg" else None
        return super().step(t)

    def _axes(self, noise: Noise | None) -> Tensor:
        """Directions (m, d, p): evenly on half a circle in the plane, turned at random; else drawn.

        The same for all (1, d, p) without noise.
        """
        p = self.settings[0]
        if p.d == 2:
            turn = self.unturned if noise is None else noise.uniform(1) * np.pi
            angles = turn.double() + self.half_circle.double()
            return torch.stack([angles.cos(), angles.sin()], 1).float()
        if noise is None:
            return self.fixed_axes
        return normalise(noise.normal(p.directions, p.d)).mT.contiguous()

    def _info_nce(self, anchors: Tensor, views: Tensor, tau: Tensor) -> Tensor:
        """The loss (m,); `tau` has the regulariser's weights (m,)."""
        objective = self.settings[0].objective
        if objective == "infonce":
            wide = torch.full_like(tau, 2 * SIGMA**2)
            pairs = (anchors, views), (views, anchors)
            losses = [lp_info_nce_views(one, other, wide, 2) for one, other in pairs]
            return (losses[0] + losses[1]) / 2
        if objective == "whiten":
            penalty = (whitening_penalty(anchors) + whitening_penalty(views)) / 2
        else:
            axes = self._axes(None) if self.axes is None else self.axes
            axes = axes.expand(len(anchors), -1, -1)
            penalty = (sigreg(anchors, axes, KNOTS) + sigreg(views, axes, KNOTS)) / 2
        return tau * penalty + (1 - tau) * alignment(anchors, views)

    def _tau(self, t: Time) -> Tensor:
        """The regulariser's weights (m,), which stay."""
        return self.weight

    def _told_apart(self, p: Params) -> Hashable:
        return p.exponent, p.rho

    def _ratio(self, p: Params) -> Ratio | None:
        """None: the least loss is not known in closed form."""
        return None

    def _fresh_losses(self) -> dict[int, float | None]:
        """As with all pairs, on directions that are the same for all."""
        self.axes = None
        return super()._fresh_losses()

    def observe(self) -> Observation:
        """With the bound on the watched points and their views."""
        seen = super().observe()
        codes = [self.evaluation.encode(watched(x)) for x in (self.evaluation.x, self.x_pos)]
        each = zip(self.evaluation.z_watched, *codes, strict=True)
        found = [self._certified(i, *views) for i, views in enumerate(each)]
        return replace(seen, scores=seen.scores | columns(found))

    def finish(self) -> list[Scores]:
        """With the bound on the evaluation set."""
        codes = [self.evaluation.encode(x) for x in (self.evaluation.x, self.x_pos)]
        each = zip(self.evaluation.z, *codes, strict=True)
        found = [self._certified(i, *views) for i, views in enumerate(each)]
        return [scores | more for scores, more in zip(super().finish(), found, strict=True)]

    def _certified(self, i: int, z: np.ndarray, z_hat: np.ndarray, z_hat_pos: np.ndarray) -> Scores:
        """Member i's deviation from the theorem, and what the bound makes of it."""
        if not np.isfinite(z_hat).all() or not np.isfinite(z_hat_pos).all():
            return dict.fromkeys(CERTIFIED)
        found = metrics.certified(z, z_hat, z_hat_pos, self.settings[i].rho)
        return dict(zip(CERTIFIED, found, strict=True))

    def _scores(self, z: np.ndarray, z_hat: np.ndarray, covering: np.ndarray | None) -> Scores:
        """With the spectrum by degree, and how large codes are.

        Codes are centred first: no objective says where their mean is to be.
        """
        found = super()._scores(z, z_hat - z_hat.mean(0), covering)
        if not np.isfinite(z_hat).all():
            return {**found, **dict.fromkeys((*SHARES, "gain"))}
        shares = dict(zip(SHARES, metrics.degree_shares(z, z_hat, DEGREES), strict=True))
        return {**found, **shares, "gain": metrics.gain(z, z_hat)}


def start(members: Sequence[Member], device: torch.device | str) -> Learner:
    """Worlds and encoders of members that agree in every field that is not batched."""
    return Learner(members, device)
