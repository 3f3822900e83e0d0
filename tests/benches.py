"""An engine with a trainer that fabricates its results, and what that was told and has done."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from core.run.engine import Engine
from core.run.experiment import Experiment
from core.run.store import Store
from core.scenarios.infonce import InfoNCE

ROOT = Path(__file__).resolve().parents[1]
TRAINER = "tests.engine_trainers:obedient"
PATIENCE = 90


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)


def apart(act):
    """What a coroutine function gives, in a thread of its own: here may run Playwright's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(act())).result()


def asked(*seeds, **vary):
    """An experiment of these seeds (its numbers mean nothing: the trainer fabricates them)."""
    return Experiment(InfoNCE(), "infonce", seeds, vary)


class Bench:
    """An engine, and what its trainer is told to do and has done."""

    def __init__(self, folder, monkeypatch, workers=2):
        self.folder = folder
        monkeypatch.setenv("ENGINE_TEST_FOLDER", str(folder))
        self.tell("quick")
        self.engine = Engine(Store(folder / "store", gallery=None), None, workers, TRAINER)

    def tell(self, mode):
        """quick, raise, hold (until release, or stopped), deaf (the same, but never stops)."""
        (self.folder / "release").unlink(missing_ok=True)
        (self.folder / "mode").write_text(mode)

    def release(self):
        (self.folder / "release").touch()

    def notes(self, ending, experiment):
        """What the trainer noted about this experiment's members, oldest first."""
        wanted = {member.key for member in experiment.members}
        notes = [json.loads(path.read_text()) for path in self.folder.glob(f"*.{ending}")]
        mine = [note for note in notes if wanted & set(note["members"])]
        return sorted(mine, key=lambda note: note["began"])

    def started(self, experiment, times=1):
        until(lambda: len(self.notes("ran", experiment)) >= times, "the trainer starts")

    def children(self):
        return psutil.Process(self.engine._crew.process.pid).children(recursive=True)
