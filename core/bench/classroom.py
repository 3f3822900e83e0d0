"""A class at a cluster: the real engine and scheduler, and trainings that only take their time.

Visitors, their requests and the workers' time run `FASTER` than a clock, so that a lesson takes a
minute or two. What is measured is the queue: how long a request waits until it is trained.
"""

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from distributed import LocalCluster

from core.run.bounds import Bounds, Refused
from core.run.engine import Engine
from core.run.experiment import Experiment, Member, Progress, Result
from core.run.job import Job
from core.run.store import Store
from core.scenarios.infonce import InfoNCE

FASTER = 10.0
LOOK = 0.005  # seconds of a clock between two looks at the jobs
SIZES = (100, 1_000, 10_000)
PRETENDS = f"{__name__}:pretend"


@dataclass(frozen=True)
class Lesson:
    """How a class uses the explorer: seconds of a lesson, shares of what a visitor opens."""

    claims: int = 3  # each is tried by everybody, at once
    pause: float = 300.0  # from one claim to the next
    burst: float = 60.0  # in which all have tried it
    shipped: float = 0.6  # share that is shipped or stored, and never waits
    alike: float = 0.3  # share that the teacher has named; the rest is everybody's own
    named: int = 5  # settings that the teacher names, at each claim
    training: float = 3.0  # that a request takes


@dataclass(frozen=True)
class Asked:
    """A request that is not shipped: when it comes, and for which run."""

    at: float
    visitor: int
    seed: int


def requests(lesson: Lesson, visitors: int, seed: int = 0) -> list[Asked]:
    """What a class asks for that is not shipped, in order."""
    chance, found = random.Random(seed), []
    for claim in range(lesson.claims):
        for visitor in range(visitors):
            at, share = lesson.pause * claim + lesson.burst * chance.random(), chance.random()
            if share < lesson.shipped:
                continue
            named = share < lesson.shipped + lesson.alike
            which = chance.randrange(lesson.named) if named else lesson.named + visitor
            found.append(Asked(at, visitor, claim * (lesson.named + visitors) + which))
    return sorted(found, key=lambda each: each.at)


def measure(workers: int, lesson: Lesson | None = None) -> dict[str, float | str | None]:
    """By class size: how long requests wait for so many workers, and how many are refused."""
    lesson = lesson or Lesson()
    told: dict[str, float | str | None] = {
        "workers": float(workers), **{f"lesson, {n}": v for n, v in asdict(lesson).items()}
    }  # fmt: skip
    for visitors in SIZES:
        for name, value in simulate(workers, visitors, lesson).items():
            told[f"{visitors} visitors, {name}"] = value
    return told


def simulate(
    workers: int, visitors: int, lesson: Lesson, bounds: Bounds | None = None
) -> dict[str, float | None]:
    """A lesson of so many visitors: waits in its own seconds, of requests that are not shipped.

    `bounds` are the defaults if none are given.
    """
    asked = requests(lesson, visitors)
    _takes[0] = lesson.training / FASTER
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(n_workers=workers, threads_per_worker=1, processes=False,
                     dashboard_address=None) as cluster,
    ):  # fmt: skip
        engine = Engine(Store(Path(folder), gallery=None), cluster.scheduler_address,
                        trainer=PRETENDS, bounds=bounds or Bounds())  # fmt: skip
        try:
            waits, refused = _attend(engine, asked)
        finally:
            engine.close()
    distinct = len({each.seed for each in asked})
    return {
        "requests": float(len(asked)), "trainings at most": float(distinct),
        "refused, share": refused / len(asked),
        "wait s, median": float(np.median(waits)), "wait s, 95 %": float(np.quantile(waits, 0.95)),
    }  # fmt: skip


def _attend(engine: Engine, asked: list[Asked]) -> tuple[list[float], int]:
    """Ask in time; waits until training begins or a result is there, and how many were refused."""
    began, refused = time.monotonic(), 0
    waits: list[float] = []
    waiting: list[tuple[Job, float]] = []
    rest = list(reversed(asked))
    while rest or waiting:
        now = FASTER * (time.monotonic() - began)
        while rest and rest[-1].at <= now:
            each = rest.pop()
            experiment = Experiment(InfoNCE(), "infonce", (each.seed,))
            try:
                job = engine.submit(experiment, f"visitor {each.visitor}", asked=True)
            except Refused:
                refused += 1
            else:
                waiting.append((job, each.at))
        now = FASTER * (time.monotonic() - began)
        waits += [now - at for job, at in waiting if job.status != "queued"]
        waiting = [(job, at) for job, at in waiting if job.status == "queued"]
        time.sleep(LOOK)
    return waits, refused


_takes = [0.0]  # seconds of a clock that a pretended training takes; workers are threads here


def pretend(
    members: tuple[Member, ...],
    report: Callable[[Progress], None],
    should_stop: Callable[[], bool],
    device: str = "auto",
) -> list[Result]:
    """Take the time of a training, and give runs without a picture."""
    time.sleep(_takes[0])
    nothing = np.zeros((1, 3), np.float32)
    return [
        Result(
            member, {}, False, np.arange(2), np.zeros(2), np.arange(1), {}, np.arange(1), nothing,
            nothing[None], nothing[:0, None], nothing[None, :0, None], {},
            {"cpu_seconds": 0.0, "device": "cpu", "date": "", "scored": member.scored},
        )
        for member in members
    ]  # fmt: skip
