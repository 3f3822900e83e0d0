"""What runs inside a worker: a group's learner and the training loop, on the device at hand."""

import datetime
import importlib
from collections.abc import Callable

import torch

from core.experiment import Member, Progress, Result
from core.training import train


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
    torch.set_num_threads(1)  # two threads on a busy core are many times slower than one
    chosen = pick_device(device)
    learner = importlib.import_module(f"core.learners.{members[0].scenario}").start(members, chosen)
    provenance: dict[str, str | float] = {
        "device": torch.cuda.get_device_name() if chosen == "cuda" else "cpu",
        "torch": torch.__version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    return train(learner, report, should_stop, provenance)


def pick_device(wanted: str) -> str:
    """Resolve "auto"."""
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"
