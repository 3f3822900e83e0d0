"""The training loop against a learner that fabricates its losses and latents."""

import numpy as np
import pytest
import torch

from core.run import training
from core.run.experiment import Member, Stopped
from core.run.training import Observation, Truth, train
from core.run.updates.descent import PLAYING, Descent, GameDescent
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


# --- looks between observations ----------------------------------------------------------------


class Slow(Fabricated):
    """One whose looks and updates take their time, by a clock of its own."""

    def __init__(self, looking):
        super().__init__(np.ones((200, 3)), np.ones((201, 3)))
        self.steps, self.observed_at = 200, {0, 200}
        self.looking, self.now, self.looks = looking, 0.0, 0

    def step(self, t):
        self.now += 0.1
        return super().step(t)

    def look(self):
        self.now += self.looking
        self.looks += 1
        return super().look()

    observe = Fabricated.look


@pytest.mark.parametrize(("looking", "looks"), [(0.01, (90, 100)), (1.0, (1, 2))])
def test_looks_take_a_small_share_of_a_training(monkeypatch, looking, looks):
    learner, told = Slow(looking), []
    monkeypatch.setattr(training.time, "perf_counter", lambda: learner.now)
    train(learner, told.append)
    assert looks[0] <= learner.looks <= looks[1]
    assert len(told) == learner.looks + 2


def test_nobody_looks_where_nobody_is_told():
    learner = Slow(0.01)
    train(learner)
    assert learner.looks == 0


# --- descents ----------------------------------------------------------------------------------


def networks(m):
    draw = torch.Generator().manual_seed(0)
    shapes = [(m, 3, 7), (m, 1, 7), (m, 7, 2)]
    return [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in shapes]


def losses_of(weights):
    """(m,), of layers (m, 3, 7), (m, 1, 7) and (m, 7, 2)."""
    x = torch.linspace(-1, 1, 15).view(1, 5, 3)
    return ((x @ weights[0] + weights[1]).tanh() @ weights[2]).square().mean((1, 2))


@pytest.mark.parametrize("m", [1, 4])
def test_descending_in_one_row_is_descending_layer_by_layer_to_the_last_bit(m):
    ours, theirs = networks(m), networks(m)
    down = Descent(ours, 0.1, 50)
    plain = torch.optim.Adam(theirs, lr=0.1)
    rate = torch.optim.lr_scheduler.OneCycleLR(plain, 0.1, total_steps=51, pct_start=0.25)
    for _ in range(50):
        before = down(losses_of(ours))
        plain.zero_grad()
        expected = losses_of(theirs)
        expected.sum().backward()
        plain.step()
        rate.step()
        assert torch.equal(before, expected.detach())
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert down.taken == 50 and bool((losses_of(ours) < losses_of(networks(m)) / 20).all())


def test_a_player_moves_alone_and_comes_to_rest():
    mine, other = networks(1), torch.nn.Linear(2, 1)
    player = torch.nn.ParameterList(mine)
    game, plain = GameDescent([player], 0.1), torch.optim.Adam(theirs := networks(1), 0.1, PLAYING)
    unmoved = [each.clone() for each in other.parameters()]
    for t in range(20):
        game.descend(losses_of(mine), t / 20)
        plain.param_groups[0]["lr"] = 0.1 * min(1, 4 * (1 - t / 20))
        plain.zero_grad()
        losses_of(theirs).sum().backward()
        plain.step()
    assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(other.parameters(), unmoved, strict=True))
    rested = [each.detach().clone() for each in mine]
    game.descend(losses_of(mine), 1.0)
    assert all(torch.equal(a, b) for a, b in zip(mine, rested, strict=True))
