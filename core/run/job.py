"""A run as those who wait for it see it: its state, its progress, and who still looks."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from core.run.experiment import Experiment, Member, Result, work

ARRAYS = ("z", "z_hat", "net", "net_hat")  # of a Progress
NAMED = ("world", "moving")  # what only some scenarios have, sent as `group.name`
LOOK_SECONDS = 1.0
AWAY_SECONDS = 30.0  # a page looks several times a second, but not while it is being drawn

Status = Literal["queued", "running", "done", "failed", "cancelled"]
Trainers = Literal["ready", "starting", "away", "without a GPU"]
Doing = Literal["waiting", "making worlds", "training", "scoring"]


@dataclass(frozen=True, eq=False)
class Live:
    """A member in training, as last reported."""

    loss_step: list[int]
    loss: list[float]
    score_step: list[int]
    scores: dict[str, list[float]]  # each as long as score_step
    z: np.ndarray  # (n, d)
    z_hat: np.ndarray  # (n, d_hat)
    net: np.ndarray  # (c, p, d)
    net_hat: np.ndarray  # (c, p, d_hat)
    world: dict[str, np.ndarray]  # further facts, by the scenario's names
    moving: dict[str, np.ndarray]  # what else moves


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A job as it stands: a page polls this several times a second."""

    status: Status
    error: str | None
    trainers: Trainers
    position: int  # jobs ahead while queued, else 0
    wait: float | None  # seconds until they are done, by an estimate; None where nothing is known
    doing: Doing  # of the running group that is furthest behind
    step: int  # of the same
    steps: int
    fraction: float  # of the work that was missing at submission
    elapsed: float  # seconds since the first task started
    members: dict[str, Live]  # by member key: those that have reported and are not finished
    results: dict[str, Result]  # by member key: stored before, or finished since


class Group:
    """Members that train together in one task, and what they reported."""

    def __init__(self, task: str, members: tuple[Member, ...]) -> None:
        self.task = task
        self.members = members
        self.work = work(members)
        self.future: Any = None  # the engine's handle while it runs
        self.finished = False
        self._restart("")

    def _restart(self, run: str) -> None:
        self.run = run
        self.step = self.steps = 0
        self.loss_step: list[int] = []
        self.score_step: list[int] = []
        self.loss: list[list[float]] = [[] for _ in self.members]
        self.scores: list[dict[str, list[float]]] = [{} for _ in self.members]
        self.arrays: dict[str, np.ndarray] = {}

    @property
    def doing(self) -> Doing:
        if not self.run:
            return "waiting"
        if not self.steps:
            return "making worlds"
        return "training" if self.step < self.steps else "scoring"

    @property
    def fraction(self) -> float:
        return 1.0 if self.finished else self.step / self.steps if self.steps else 0.0

    def take(self, message: dict[str, Any]) -> None:
        if "step" not in message:  # a start: the first, or again after its worker died
            self._restart(message["run"])
        elif message["run"] == self.run and not self.finished:
            self.step, self.steps = message["step"], message["steps"]
            self.loss_step.append(self.step)
            for history, value in zip(self.loss, message["loss"], strict=True):
                history.append(value)
            if message["scores"] is not None:
                self.score_step.append(self.step)
                for name, values in message["scores"].items():
                    for scores, value in zip(self.scores, values, strict=True):
                        scores.setdefault(name, []).append(value)
            for name, (dtype, shape, raw) in message["arrays"].items():
                self._show(name, np.frombuffer(raw, dtype).reshape(shape))

    def _show(self, name: str, new: np.ndarray) -> None:
        """Take an array (m, ...); a member that is not finite any more stays where it was."""
        before = self.arrays.get(name)
        if before is not None and before.shape == new.shape:
            fine = np.isfinite(new).reshape(len(new), -1).all(1)
            new = np.where(fine.reshape(-1, *[1] * (new.ndim - 1)), new, before)
        self.arrays[name] = new

    def live(self) -> dict[str, Live]:
        if self.finished or not self.loss_step:
            return {}
        return {
            member.key: Live(
                loss_step=list(self.loss_step),
                loss=list(self.loss[i]),
                score_step=list(self.score_step),
                scores={name: list(values) for name, values in self.scores[i].items()},
                **{name: self.arrays[name][i] for name in ARRAYS},
                world=self._named("world", i),
                moving=self._named("moving", i),
            )
            for i, member in enumerate(self.members)
        }

    def _named(self, group: str, i: int) -> dict[str, np.ndarray]:
        """Member i's arrays of one group, by name."""
        split = ((*key.partition("."), array) for key, array in self.arrays.items())
        return {name: array[i] for kind, _, name, array in split if kind == group}


class Job:
    """An experiment under way or finished, shared by every viewer who asked for it; thread-safe."""

    def __init__(
        self,
        experiment: Experiment,
        stored: Mapping[str, Result],
        groups: Sequence[Group],
        ahead: Callable[["Job"], tuple[int, float | None]],
        leave: Callable[["Job"], None],
        trainers: Callable[[], Trainers] = lambda: "ready",
    ) -> None:
        self.key = experiment.key
        self.experiment = experiment
        self.status: Status = "queued" if groups else "done"
        self.error: str | None = None
        self.groups = tuple(groups)
        self.ended = threading.Event()
        self.asked = False  # by somebody, and not begun by a page itself
        self._ahead = ahead  # how many jobs come before, and for how long
        self._leave = leave  # a viewer left, maybe the last
        self._trainers = trainers  # whether any worker is there
        self._results = dict(stored)
        self._lock = threading.Lock()  # never held while calling `ahead` or `leave`
        self._began = self._stopped = 0.0
        self._seen: dict[str, float] = {}
        self._left: set[str] = set()
        if not groups:
            self.ended.set()

    def snapshot(self, viewer: str) -> Snapshot:
        """The state now; keeps `viewer` counted, unless they cancelled."""
        ahead, seconds = self._ahead(self) if self.status == "queued" else (0, 0.0)
        with self._lock:
            self._look(viewer)
            behind = self._behind()
            total = sum(g.work for g in self.groups)
            return Snapshot(
                status=self.status,
                error=self.error,
                trainers=self._trainers(),
                position=ahead,
                wait=seconds,
                doing=behind.doing if behind else "waiting",
                step=behind.step if behind else 0,
                steps=behind.steps if behind else 0,
                fraction=sum(g.work * g.fraction for g in self.groups) / total if total else 1.0,
                elapsed=self.elapsed,
                members={key: live for g in self.groups for key, live in g.live().items()},
                results=dict(self._results),
            )

    def cancel(self, viewer: str) -> None:
        """Stop counting `viewer`; the run stops when nobody is left."""
        with self._lock:
            self._seen.pop(viewer, None)
            self._left.add(viewer)
        self._leave(self)

    def results(self) -> tuple[Result, ...]:
        """Every member's Result in the experiment's order (RuntimeError until the job is done)."""
        if self.status != "done":
            raise RuntimeError(f"the run is {self.status}: it has no results")
        return tuple(self._results[member.key] for member in self.experiment.members)

    def wait(self, timeout: float | None = None, viewer: str | None = None) -> bool:
        """Block until the job has ended, counting `viewer` meanwhile; whether it has."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while not self.ended.wait(max(0.0, min(LOOK_SECONDS, deadline - time.monotonic()))):
            if viewer is not None:
                with self._lock:
                    self._look(viewer)
            if time.monotonic() >= deadline:
                return False
        return True

    def join(self, viewer: str, asked: bool = False) -> None:
        """Count `viewer`, also one who cancelled before."""
        with self._lock:
            self.asked = self.asked or asked
            self._left.discard(viewer)
            self._look(viewer)

    def counts(self, viewer: str) -> bool:
        """Whether this viewer waits for it."""
        with self._lock:
            return viewer in self._seen

    def watched(self, seconds: float) -> bool:
        """Whether anybody has looked within these seconds."""
        with self._lock:
            return any(time.monotonic() - t < seconds for t in self._seen.values())

    def missed(self, viewer: str) -> bool:
        """Whether the end came when this viewer had not looked for a while."""
        with self._lock:
            seen = self._seen.get(viewer)
            return self.ended.is_set() and seen is not None and self._stopped - seen > AWAY_SECONDS

    def where(self) -> str:
        """How far it has come, as the end of a sentence."""
        with self._lock:
            behind = self._behind()
            if behind is None or not behind.steps:
                return "before its first step"
            return f"at step {behind.step} of {behind.steps}"

    @property
    def elapsed(self) -> float:
        """Seconds since its first task started; 0 while queued."""
        return (self._stopped or time.monotonic()) - self._began if self._began else 0.0

    def take(self, group: Group, message: dict[str, Any]) -> None:
        """Store a worker's message (called on the client's event loop: quick)."""
        with self._lock:
            if self.ended.is_set():
                return
            if self.status == "queued":
                self.status = "running"
                self._began = time.monotonic()
            group.take(message)

    def lose(self, group: Group) -> None:
        """A group's attempt was lost: it begins again."""
        with self._lock:
            group.take({"run": ""})  # as before its first start

    def finish_group(self, group: Group, results: Iterable[Result]) -> bool:
        """Keep a finished group's results; whether it was the last."""
        with self._lock:
            self._results.update({result.member.key: result for result in results})
            group.finished = True
            group.step = group.steps
            return all(g.finished for g in self.groups)

    @property
    def left(self) -> float:
        """Work that is still to be done."""
        with self._lock:
            return sum(g.work * (1 - g.fraction) for g in self.groups)

    def finish(self, status: Status, error: str | None) -> None:
        """Take a final status."""
        with self._lock:
            self.status, self.error = status, error
            self._stopped = time.monotonic()
            self.ended.set()

    def _behind(self) -> Group | None:
        """The running group that is furthest behind; the last one where none runs."""
        active = [g for g in self.groups if g.run and not g.finished]
        last = self.groups[-1] if self.groups else None
        return min(active, key=lambda g: g.fraction, default=last)

    def _look(self, viewer: str) -> None:
        if viewer not in self._left and not self.ended.is_set():
            self._seen[viewer] = time.monotonic()
