"""The training loop against a learner that fabricates its losses and latents."""

import numpy as np
import pytest
import torch

from core.run.experiment import Member, Stopped
from core.run.training import Observation, Truth, train
from core.scenarios.infonce import InfoNCE

STEPS = 6


class Fabricated:
    """Three members; `losses` (STEPS, 3) are what they have, `latents` (STEPS + 1, 3) all of z."""

    def __init__(self, losses, latents):
        self.members = tuple(Member("infonce", InfoNCE(), seed) for seed in range(3))
        self.steps, self.observed_at = STEPS, {0, 3, STEPS}
        self.losses, self.latents, self.t = losses, latents, 0
        self.truth = Truth(np.zeros((3, 4, 2)), np.zeros((3, 0, 2, 2)), {})
        self.baselines = [{"raw_linear_r2": 0.5}] * 3

    def step(self, t):
        self.t = t + 1
        return torch.tensor(self.losses[t])

    def look(self):
        z_hat = np.broadcast_to(self.latents[self.t][:, None, None], (3, 4, 2))
        return Observation({"linear_r2": np.full(3, 0.1 * self.t)}, z_hat, np.zeros((3, 0, 2, 2)))

    observe = look

    def finish(self):
        return [{"linear_r2": 0.9} for _ in range(3)]


def calm():
    return np.ones((STEPS, 3)), np.ones((STEPS + 1, 3))


def test_who_diverged_has_no_scores_and_the_others_have_theirs():
    losses, latents = calm()
    losses[2:, 1] = np.nan  # of one the loss
    latents[2:, 2] = np.inf  # of another the latents, under a loss that stays
    fine, lost, burst = train(Fabricated(losses, latents))
    assert fine.scores == {"linear_r2": 0.9, "raw_linear_r2": 0.5} and not fine.diverged
    for result in (lost, burst):
        assert result.scores == {"linear_r2": None, "raw_linear_r2": 0.5} and result.diverged
        told = result.history["linear_r2"]
        assert told[0] == 0 and np.isnan(told[1:]).all()
    np.testing.assert_allclose(fine.history["linear_r2"], [0, 0.3, 0.6], atol=1e-6)


@pytest.mark.parametrize("at", [0, STEPS - 1])
def test_a_loss_beyond_all_bounds_is_a_divergence_whenever_it_comes(at):
    losses, latents = calm()
    losses[at, 0] = 1e30
    first, *others = train(Fabricated(losses, latents))
    assert first.diverged and first.scores["linear_r2"] is None
    assert np.isnan(first.loss[first.loss_step > at]).all()
    assert not any(result.diverged for result in others)


def test_whoever_is_told_to_stop_stops_before_the_next_step():
    learner = Fabricated(*calm())
    with pytest.raises(Stopped):
        train(learner, should_stop=lambda: learner.t >= 2)
    assert learner.t == 2


def test_reports_tell_the_loss_of_the_step_and_the_scores_of_an_observation():
    losses, latents = calm()
    losses[:, 0] = np.arange(STEPS)
    told = []
    train(Fabricated(losses, latents), told.append)
    scored = {each.step: each for each in told if each.scores is not None}
    assert set(scored) == {0, 3, STEPS}
    assert np.isnan(scored[0].loss).all()
    assert [scored[step].loss[0] for step in (3, STEPS)] == [2, STEPS - 1]
    assert scored[3].scores["raw_linear_r2"].tolist() == [0.5] * 3
