"""Train the runs of tables, each stored as soon as it is done, and say before how long it takes."""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from queue import Queue

from tqdm import tqdm

from core.run.crew import on_gpu
from core.run.experiment import Member, Progress, Result, work
from core.run.store import Store

LOOK_SECONDS = 0.5
SAMPLE = 1000  # shipped runs, from which a duration is foretold
UNITS = ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
Trainer = Callable[[Sequence[Member], str], Iterable[Result]]


def foretold(members: Iterable[Member], store: Store) -> float | None:
    """CPU-seconds that training takes, by the speed of the shipped runs of each scenario.

    Of all of them where one has none; None without any. As for any run, by the operations that its
    scenario counts.
    """
    shipped = [] if store.gallery is None else store.gallery.sample(SAMPLE)
    total = 0.0
    by_scenario: dict[str, list[Member]] = {}
    for member in members:
        by_scenario.setdefault(member.scenario, []).append(member)
    for scenario, wanted in by_scenario.items():
        known = [record for record in shipped if record.member.scenario == scenario] or shipped
        done = work(record.member for record in known)
        if not done:
            return None
        spent = sum(float(record.provenance["cpu_seconds"]) for record in known)
        total += work(wanted) * spent / done
    return total


def duration(seconds: float) -> str:
    """A cost in words, no more exact than an estimate is: "about 25 minutes"."""
    for size, unit in UNITS:
        if seconds >= 2 * size:
            return f"about {seconds / size:.0f} {unit}"
    return "a second or two"


def retrain(
    members: Sequence[Member], store: Store, device: str = "auto", trainer: Trainer | None = None
) -> None:
    """Train runs and store each when it is done, so that a second call goes on where one stopped.

    `device` is as `core.run.worker.train_group` has it, `trainer` gives runs as they are finished.
    """
    for result in (trainer or side_by_side)(members, device):
        store.put(result)


def side_by_side(members: Sequence[Member], device: str) -> Iterator[Result]:
    """Runs as they are finished, each in a process of one thread, the longest first.

    A bar on stderr follows their steps.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes, before they load NumPy
    spawn = multiprocessing.get_context("spawn")  # forked threads and torch do not go together
    workers = 1 if on_gpu(device) else os.cpu_count()
    longest = sorted(members, key=lambda member: work([member]), reverse=True)
    with spawn.Manager() as manager, ProcessPoolExecutor(workers, spawn) as pool:
        steps: Queue[tuple[str, float]] = manager.Queue()
        waiting = {pool.submit(_train, member, device, steps) for member in longest}
        with tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {desc} [{elapsed}]") as bar:
            followed = _Bar(bar, longest)
            try:
                while waiting:
                    done, waiting = wait(waiting, LOOK_SECONDS, FIRST_COMPLETED)
                    followed.look(steps)
                    for future in done:
                        followed.finished(future.result().member)
                        yield future.result()
            finally:  # also where nobody asks for the next one
                pool.shutdown(wait=False, cancel_futures=True)


class _Bar:
    """A bar that moves with the operations done."""

    def __init__(self, bar: "tqdm", members: Sequence[Member]) -> None:
        self.bar, self.count, self.finished_ones = bar, len(members), 0
        total = work(members) or 1.0
        self.share = {member.key: 100 * work([member]) / total for member in members}
        self.parts = dict.fromkeys(self.share, 0.0)

    def look(self, steps: "Queue[tuple[str, float]]") -> None:
        """Take what the trainers have told since."""
        while not steps.empty():
            key, part = steps.get()
            self.parts[key] = max(self.parts[key], part)
        self._draw()

    def finished(self, member: Member) -> None:
        """One run more is done."""
        self.parts[member.key] = 1.0
        self.finished_ones += 1
        self._draw()

    def _draw(self) -> None:
        self.bar.n = round(sum(self.share[key] * part for key, part in self.parts.items()), 1)
        self.bar.set_description_str(f"{self.finished_ones} of {self.count} runs")


def _train(member: Member, device: str, steps: "Queue[tuple[str, float]]") -> Result:
    """Train a run in a process of the pool."""
    from core.run.worker import keep_memory, train_group  # torch: not needed to compare

    def report(now: Progress) -> None:
        steps.put((member.key, now.step / max(1, now.steps)))

    keep_memory()
    return train_group((member,), report, device=device)[0]
