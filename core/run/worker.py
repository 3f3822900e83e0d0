"""What runs inside a worker: a group's learner and the training loop, on the device at hand."""

import ctypes
import datetime
import importlib
import platform
import time
from collections.abc import Callable

import numpy as np
import sklearn.neural_network  # noqa: F401  (like torch._dynamo: else the first run imports it)
import threadpoolctl
import torch
import torch._dynamo  # on first use these two take seconds that a visitor would wait

from core.run.experiment import Member, Progress, Result
from core.run.training import Learner, train


def train_group(
    members: tuple[Member, ...],
    report: Callable[[Progress], None] = lambda progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    device: str = "auto",
) -> list[Result]:
    """Train members of equal shape together.

    `device` is "auto" (CUDA where it is present, else the CPU), "cpu" or "cuda". Raises `Stopped`
    when `should_stop` says so.
    """
    return _run(members, report, should_stop, device)[1]


def train_whole(
    members: tuple[Member, ...], device: str = "auto"
) -> list[tuple[Result, dict[str, np.ndarray]]]:
    """The same, each with its whole evaluation set and all that it learnt, to be taken home."""
    learner, results = _run(members, lambda progress: None, lambda: False, device)
    return [(result, learner.whole(i)) for i, result in enumerate(results)]


def _run(
    members: tuple[Member, ...],
    report: Callable[[Progress], None],
    should_stop: Callable[[], bool],
    device: str,
) -> tuple[Learner, list[Result]]:
    torch.set_num_threads(1)  # two threads on a busy core are many times slower than one
    threadpoolctl.threadpool_limits(1)  # of NumPy and scikit-learn as well
    began = time.perf_counter(), time.process_time()
    chosen = pick_device(device)
    learner = importlib.import_module(f"core.learners.{members[0].scenario}").start(members, chosen)
    provenance: dict[str, str | float] = {
        "device": torch.cuda.get_device_name() if chosen == "cuda" else "cpu",
        "torch": str(torch.__version__),  # itself a class of torch, which the server would import
        "scored": members[0].scored,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    return learner, train(learner, report, should_stop, provenance, began)


def keep_memory() -> None:
    """Let glibc keep freed activations instead of returning them to the system at every step.

    What the engine sets in its workers' environment, for a process that already runs: training a
    batch of members otherwise costs up to twice as much. Does nothing outside glibc.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(-1, 268_435_456)  # M_TRIM_THRESHOLD
        mallopt(-3, 33_554_432)  # M_MMAP_THRESHOLD


def pick_device(wanted: str) -> str:
    """Resolve "auto"."""
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"
