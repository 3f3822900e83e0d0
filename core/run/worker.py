"""What runs inside a worker: a group's learner and the training loop, on the device at hand."""

import ctypes
import datetime
import importlib
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.neural_network  # noqa: F401  (like torch._dynamo: else the first run imports it)
import threadpoolctl
import torch
import torch._dynamo  # on first use these two take seconds that a visitor would wait

from core.run.experiment import Member, Progress, Result, shape
from core.run.training import Learner, train
from core.run.updates import memory
from core.run.updates.capture import aside


def train_group(
    members: tuple[Member, ...],
    report: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    device: str = "auto",
) -> list[Result]:
    """Train members of equal shape together, in halves where they do not fit the GPU's memory.

    `device` is "auto" (CUDA where it is present, else the CPU), "cpu" or "cuda". Raises `Stopped`
    when `should_stop` says so.
    """
    if (results := _fitting(members, report, should_stop, pick_device(device))) is not None:
        return results
    half = (len(members) + 1) // 2
    told: list[Progress] = []
    if report is None:
        parts = (members[:half], members[half:])
        return [run for part in parts for run in train_group(part, None, should_stop, device)]

    def first(progress: Progress) -> None:
        told[:] = [progress]
        report(_side_by_side(progress, _unseen(progress, len(members) - half)))

    def second(progress: Progress) -> None:
        report(_side_by_side(told[-1], progress) if told else progress)

    return [
        *train_group(members[:half], first, should_stop, device),
        *train_group(members[half:], second, should_stop, device),
    ]


def _fitting(
    members: tuple[Member, ...],
    report: Callable[[Progress], None] | None,
    should_stop: Callable[[], bool],
    device: str,
) -> list[Result] | None:
    """Results of members that train together, None where they do not fit the GPU's memory.

    By estimate, or else because it was tried. (What they held is let go once this has returned.)
    """
    kind, m, gpu = shape(members[0]), len(members), device == "cuda"
    if gpu:
        if m > (memory.room(kind) or m):
            return None
        memory.watch()
    try:
        results = _run(members, report, should_stop, device)[1]
    except torch.OutOfMemoryError:
        if m == 1:
            raise
    else:
        if gpu:
            memory.took(kind, m)
        return results
    if gpu:
        torch.cuda.empty_cache()
        memory.refused(kind, m)
    return None


def _unseen(like: Progress, m: int) -> Progress:
    """m further members of which nothing is known yet: every number nan, or 0 among integers."""

    def blank(array: np.ndarray) -> np.ndarray:
        empty = np.nan if np.issubdtype(array.dtype, np.floating) else 0
        return np.full((m, *array.shape[1:]), empty, array.dtype)

    return _arrays(blank, like)


def _side_by_side(first: Progress, second: Progress) -> Progress:
    """Two halves of a group as one, where the second stands."""
    return _arrays(lambda *each: np.concatenate(each), first, second)


def _arrays(of: Callable[..., np.ndarray], *halves: Progress) -> Progress:
    """A Progress whose every array comes `of` the same array of these."""

    def named(name: str) -> dict[str, np.ndarray]:
        every = [getattr(half, name) for half in halves]
        return {key: of(*(each[key] for each in every)) for key in every[0]}

    last = halves[-1]
    plain = {name: of(*(getattr(half, name) for half in halves))
             for name in ("loss", "z", "z_hat", "net", "net_hat")}  # fmt: skip
    scores = None if any(half.scores is None for half in halves) else named("scores")
    return Progress(last.step, last.steps, scores=scores, world=named("world"),
                    moving=named("moving"), **plain)  # fmt: skip


def train_whole(
    members: tuple[Member, ...], device: str = "auto"
) -> list[tuple[Result, dict[str, np.ndarray]]]:
    """The same, each with its whole evaluation set and all that it learnt, to be taken home."""
    learner, results = _run(members, None, lambda: False, device)
    return [(result, learner.whole(i)) for i, result in enumerate(results)]


def _run(
    members: tuple[Member, ...],
    report: Callable[[Progress], None] | None,
    should_stop: Callable[[], bool],
    device: str,
) -> tuple[Learner, list[Result]]:
    torch.set_num_threads(1)  # two threads on a busy core are many times slower than one
    threadpoolctl.threadpool_limits(1)  # of NumPy and scikit-learn as well
    began = time.perf_counter(), time.process_time()
    chosen = pick_device(device)
    # of matrix products on a GPU: 10 bits of precision, many times the speed; scores agree
    torch.backends.cuda.matmul.allow_tf32 = True
    provenance: dict[str, str | float] = {
        "device": device_name(chosen),
        "torch": str(torch.__version__),  # itself a class of torch, which the server would import
        "scored": members[0].scored,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    with aside(chosen):
        learner = learner_of(members, chosen)
        return learner, train(learner, report, should_stop, provenance, began, chosen)


def learner_of(members: tuple[Member, ...], device: str) -> Any:
    """The learner of members of equal shape, on "cpu" or "cuda"."""
    return importlib.import_module(f"core.learners.{members[0].scenario}").start(members, device)


def keep_memory() -> None:
    """Let glibc keep freed activations instead of returning them to the system at every step.

    What the engine sets in its workers' environment, for a process that already runs: training a
    batch of members otherwise costs up to twice as much. Does nothing outside glibc.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(-1, 268_435_456)  # M_TRIM_THRESHOLD
        mallopt(-3, 33_554_432)  # M_MMAP_THRESHOLD


def device_name(wanted: str = "auto") -> str:
    """A device as results name it."""
    return torch.cuda.get_device_name() if pick_device(wanted) == "cuda" else "cpu"


def pick_device(wanted: str) -> str:
    """Resolve "auto"; RuntimeError where a GPU is wanted and there is none."""
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise RuntimeError("there is no GPU here")
    return wanted if wanted != "auto" else "cuda" if there else "cpu"
