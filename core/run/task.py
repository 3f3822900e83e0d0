"""The side of training that runs inside a worker: a task, its progress, its cancel, its end."""

import hashlib
import importlib
import os
import threading
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Worker, WorkerPlugin, get_worker

from core.run.experiment import Member, Progress, Result, Stopped
from core.run.job import ARRAYS, NAMED

TOPIC = "explorer-progress"  # one for all jobs: the scheduler keeps a history of every topic
TASK = "train-"

_stops: dict[str, threading.Event] = {}  # of the tasks that this process trains


@cache
def source() -> str:
    """SHA-256 of this package's source: runs of another source are other runs."""
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


class WorkerSide(WorkerPlugin):
    """Tells a training task that it was cancelled, which Dask by itself does not do.

    Rests on names of worker states that Dask may change: the tests of cancelling notice. Also
    imports the trainer ahead of the first task, as torch takes seconds, and has the process keep
    its memory, which workers of a cluster were not told by their environment.
    """

    name = "explorer"
    idempotent = True

    def __init__(self, trainer: str) -> None:
        self.trainer = trainer

    def setup(self, worker: Worker) -> None:
        # a trainer that cannot be imported says so in the first job
        threading.Thread(target=_get_ready, args=(self.trainer,), daemon=True).start()

    def teardown(self, worker: Worker) -> None:
        for stop in tuple(_stops.values()):
            stop.set()

    def transition(self, key: Any, start: str, finish: str, **kwargs: Any) -> None:
        if not str(key).startswith(TASK):
            return
        if finish == "executing":  # before its thread starts, so that no cancel is missed
            _stops[key] = threading.Event()
        elif start in ("executing", "long-running") and finish == "released" and key in _stops:
            _stops[key].set()


def _get_ready(trainer: str) -> None:
    module = importlib.import_module(trainer.partition(":")[0])
    getattr(module, "keep_memory", lambda: None)()


def train(
    trainer: str, version: str | None, members: tuple[Member, ...], device: str
) -> list[Result]:
    """A task: call the trainer by name, sending its progress to whoever listens.

    `device` is as `core.run.worker.train_group` has it. Refuses where this process does not have
    the source that `version` names.
    """
    if version not in (None, source()):
        raise RuntimeError("the cluster's workers have another version of the explorer")
    worker = get_worker()
    task = str(worker.get_current_task())
    stop = _stops.setdefault(task, threading.Event())
    run = uuid.uuid4().hex
    sent: dict[str, np.ndarray] = {}

    def report(progress: Progress) -> None:
        arrays = {name: getattr(progress, name) for name in ARRAYS}
        for group in NAMED:
            arrays |= {f"{group}.{n}": array for n, array in getattr(progress, group).items()}
        changed = {
            n: a for n, a in arrays.items() if n not in sent or not np.array_equal(a, sent[n])
        }
        sent.update({name: a.copy() for name, a in changed.items()})
        scores = progress.scores
        message = {
            "task": task,
            "run": run,
            "step": int(progress.step),
            "steps": int(progress.steps),
            "loss": progress.loss.tolist(),
            "scores": None if scores is None else {n: v.tolist() for n, v in scores.items()},
            "arrays": {n: (a.dtype.str, a.shape, a.tobytes()) for n, a in changed.items()},
        }
        worker.log_event(TOPIC, message)

    worker.log_event(TOPIC, {"task": task, "run": run})
    module, _, function = trainer.partition(":")
    try:
        trained = getattr(importlib.import_module(module), function)
        return trained(members, report=report, should_stop=stop.is_set, device=device)
    except Stopped:
        return []  # cancelled: nobody takes what is returned
    finally:
        _stops.pop(task, None)


def device(trainer: str, wanted: str) -> str:
    """What this process trains on where a device is `wanted`."""
    module = importlib.import_module(trainer.partition(":")[0])
    return str(getattr(module, "device_name", lambda wanted: "nothing")(wanted))


def quit_if_training(tasks: list[str], dask_worker: Worker) -> list[str]:
    """End this process if it still trains a cancelled task; its nanny starts another.

    Not while it trains others beside it, or holds what they gave: then these tasks are still here.
    """
    here = [task for task in tasks if task in _stops]
    if here and not dask_worker.data and _stops.keys() <= set(tasks):
        os._exit(1)
    return here
