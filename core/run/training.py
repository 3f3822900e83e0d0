"""The one training loop: budget, schedule of observations, progress, cancellation, divergence."""

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from core.laws.samplers import Noise
from core.run.experiment import Member, Progress, Result, Scores, Stopped, compact
from core.run.updates.capture import updates

FRAMES = 32
REPORT_SECONDS = 0.2
LOOKING = 0.1  # of the time of a training, that looks between observations may take
MOST_LOSSES = 400
LOST = 1e6  # nats; a loss that has passed this does not come back (1e4 does)


@dataclass(frozen=True)
class Observation:
    """What is seen of m members at one step."""

    scores: dict[str, np.ndarray]  # each (m,), nan where undefined
    z_hat: np.ndarray  # (m, n, d_hat) images of the drawn points
    net_hat: np.ndarray  # (m, c, p, d_hat) images of the graticule
    moving: dict[str, np.ndarray] = field(default_factory=dict)  # what else changes, each (m, ...)


@dataclass(frozen=True)
class Truth:
    """What the drawn points and curves are in truth, and what else a figure needs."""

    z: np.ndarray  # (m, n, d)
    net: np.ndarray  # (m, c, p, d)
    world: dict[str, np.ndarray]  # each (m, ...)
    seconds: dict[str, float] = field(default_factory=dict)  # that baselines took, by their name


class Learner(Protocol):
    """Worlds, encoders and one update of members that train together."""

    members: Sequence[Member]
    steps: int
    data: Noise  # all that an update draws from
    observed_at: set[int]  # steps at which to observe, 0 and the last among them
    truth: Truth
    baselines: Sequence[Scores]  # what is known before training: raw and untrained scores, floor

    def step(self, t: int) -> Tensor:
        """Perform update t (from 0) of every member and return the losses (m,) before it."""

    def program(self, t: int) -> Hashable | None:
        """Which updates are the same but for what a clock tells; see `core.run.updates.capture`."""

    def look(self) -> Observation:
        """Images of the drawn points alone, without scores: cheap enough for several a second."""

    def observe(self) -> Observation:
        """Scores on part of the evaluation set, and the images of the drawn points."""

    def finish(self) -> list[Scores]:
        """Final scores on the whole evaluation set, one dict a member."""

    def whole(self, i: int) -> dict[str, np.ndarray]:
        """The evaluation set of member i and what it learnt, by the scenario's names."""


def parameters(name: str, network: nn.Module, i: int) -> dict[str, np.ndarray]:
    """Member i's part of a network's weights, such as `f.weights.0`."""
    state = network.state_dict()
    return {f"{name}.{key}": value[i].cpu().numpy() for key, value in state.items()}


def number(value: float) -> float | None:
    """A score, or None where it is not finite."""
    return float(value) if np.isfinite(value) else None


def schedule(steps: int, frames: int = FRAMES) -> set[int]:
    """The usual steps at which to observe: 0, the end, and log-spaced, so dense early."""
    grid = np.geomspace(1, steps + 1, min(frames, steps + 1)) - 1
    return {0, steps, *grid.round().astype(int).tolist()}


def train(
    learner: Learner,
    report: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    provenance: dict[str, str | float] | None = None,
    began: tuple[float, float] | None = None,
    device: str = "cpu",
) -> list[Result]:
    """Train to the end of the budget and return one Result per member.

    A member whose loss or latents stop being finite, or whose loss passes `LOST`, has diverged:
    from there on it has no scores, and the others go on. Raises `Stopped` as soon as `should_stop`
    says so. `began` is when the learner began to be made, by `perf_counter` and `process_time`:
    worlds and baselines are part of what a run costs. `device` is the learner's: on "cuda" its
    updates are captured, and nothing waits for one but an observation or a report.
    """
    started, cpu_started = began or (time.perf_counter(), time.process_time())
    losses: list[Tensor] = []
    seen: list[tuple[int, Observation]] = []
    alive = _Alive(len(learner.members))
    told = None if report is None else _Told(learner, report, alive, losses)

    update = updates(learner, device)
    updating = 0.0
    for t in range(learner.steps + 1):
        if t in learner.observed_at:
            seen.append((t, alive.among(learner.observe(), losses)))
            if told is not None:
                told.observed(t, seen[-1][1])
        elif told is not None:
            told.between(t)
        if should_stop():
            raise Stopped
        if t < learner.steps:
            began_step = time.process_time()
            losses.append(update(t))
            updating += time.process_time() - began_step

    scores = [
        {**(final if fine else dict.fromkeys(final)), **before}
        for final, before, fine in zip(learner.finish(), learner.baselines, alive.now, strict=True)
    ]
    loss = torch.stack(losses).cpu().numpy()  # (steps, m)
    clock: dict[str, str | float] = {
        "seconds": (time.perf_counter() - started) / len(learner.members),
        "cpu_seconds": (time.process_time() - cpu_started) / len(learner.members),
        "updating_seconds": updating / len(learner.members),
    }
    facts = {**(provenance or {}), **learner.truth.seconds, **clock}
    return [_result(learner, i, scores[i], loss[:, i], seen, facts) for i in range(loss.shape[1])]


class _Told:
    """What a viewer is told of a training: every observation, and looks between them."""

    def __init__(self, learner: Learner, report: Callable[[Progress], None], alive: "_Alive",
                 losses: list[Tensor]) -> None:  # fmt: skip
        self.learner, self.report, self.alive, self.losses = learner, report, alive, losses
        self.known = columns(learner.baselines)
        self.next = -float("inf")  # when the next look is due, by perf_counter

    def observed(self, step: int, observation: Observation) -> None:
        """With its scores."""
        self._tell(step, observation, {**observation.scores, **self.known})
        self.next = time.perf_counter() + REPORT_SECONDS

    def between(self, step: int) -> None:
        """A look where one is due: one that takes long is seldom repeated."""
        began = time.perf_counter()
        if began < self.next:
            return
        self._tell(step, self.alive.among(self.learner.look(), self.losses), None)
        now = time.perf_counter()
        self.next = now + max(REPORT_SECONDS, (now - began) / LOOKING)

    def _tell(
        self, step: int, observation: Observation, scores: dict[str, np.ndarray] | None
    ) -> None:
        learner, latest = self.learner, np.full(len(self.learner.members), np.nan)
        if self.losses:
            latest = self.losses[-1].cpu().numpy()
        self.report(
            Progress(
                step, learner.steps, np.where(self.alive.now, latest, np.nan), scores,
                learner.truth.z, observation.z_hat, learner.truth.net, observation.net_hat,
                learner.truth.world, observation.moving,
            )
        )  # fmt: skip


class _Alive:
    """Which of m members have not diverged, as far as has been looked."""

    def __init__(self, m: int) -> None:
        self.now = np.full(m, True)
        self.checked = 0  # steps

    def among(self, observation: Observation, losses: list[Tensor]) -> Observation:
        """The observation without the scores of members that have diverged by these losses (m,)."""
        if len(losses) > self.checked:  # all at once: on a GPU every look costs a wait
            self.now &= _sound(torch.stack(losses[self.checked :]).cpu().numpy()).all(0)
        self.checked = len(losses)
        self.now &= np.isfinite(observation.z_hat).all((1, 2))
        kept = {name: np.where(self.now, v, np.nan) for name, v in observation.scores.items()}
        return replace(observation, scores=kept)


def _sound(loss: np.ndarray) -> np.ndarray:
    return np.abs(loss) <= LOST  # NaN is not


def columns(rows: Sequence[Scores]) -> dict[str, np.ndarray]:
    """One dict of scores a member -> each score's numbers (m,), nan where undefined."""
    return {name: _column([row[name] for row in rows]) for name in rows[0]}


def _column(values: Sequence[float | None]) -> np.ndarray:
    """Scores of m members as numbers (m,), nan where undefined."""
    return np.array([np.nan if value is None else value for value in values], float)


def _result(
    learner: Learner,
    i: int,
    scores: Scores,
    loss: np.ndarray,
    seen: list[tuple[int, Observation]],
    provenance: dict[str, str | float],
) -> Result:
    """Member i of a finished group."""
    finite = np.isfinite(z_hat := np.stack([o.z_hat[i] for _, o in seen])).all()
    sound = np.logical_and.accumulate(_sound(loss))
    loss = np.where(sound, loss, np.nan)
    kept = np.unique(np.linspace(0, len(loss) - 1, min(len(loss), MOST_LOSSES)).round().astype(int))
    steps = np.array([step for step, _ in seen], np.int32)
    return Result(
        member=learner.members[i],
        scores=scores,
        diverged=not (sound.all() and finite),
        loss_step=(kept + 1).astype(np.int32),
        loss=loss[kept].astype(np.float32),
        history_step=steps,
        history={
            name: np.array([o.scores[name][i] for _, o in seen], np.float32)
            for name in seen[0][1].scores
        },
        frame_step=steps,
        z=learner.truth.z[i].astype(np.float32),
        z_hat=compact(z_hat),
        net=learner.truth.net[i].astype(np.float32),
        net_hat=compact(np.stack([observation.net_hat[i] for _, observation in seen])),
        world={name: array[i] for name, array in learner.truth.world.items()},
        provenance=provenance,
        moving={
            name: compact(np.stack([observation.moving[name][i] for _, observation in seen]))
            for name in seen[0][1].moving
        },
    )
