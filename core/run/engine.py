"""Where training runs: one queue and one set of workers behind `submit`, shared by all visitors.

Embedded by default: Dask's scheduler in this process, its workers as a subprocess of the very
command a cluster uses. Or an existing cluster by its address, through the same code.
"""

import atexit
import hashlib
import logging
import math
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

from distributed import Client, Future, KilledWorker, Security
from distributed.comm import CommClosedError

from core.run import task
from core.run.bounds import Bounds, Pace, available
from core.run.crew import Crew, default_workers, on_gpu
from core.run.experiment import LARGEST_GROUP, MOST_MEMBERS, Experiment, Member, Result, groups
from core.run.job import Group, Job, Status, Trainers
from core.run.link import Link, fail_early, own_scheduler
from core.run.store import Store

VIEWER_SECONDS = 60  # after which a viewer who did not look no longer counts; a page looks only
# once it is drawn, which takes most of that on a machine that is ten times too busy
ASKED_SECONDS = 300  # the same for a run that somebody asked for: a lost connection comes back
MOST_FATES = 256  # runs that ended without success, of which is known why
STOP_SECONDS = 2  # for a cancelled trainer to notice, before its process is ended
TICK_SECONDS = 1.0
SMALLEST_GROUP = 6  # below this, splitting a batch over idle workers wastes more than it gains
GALLERY_SAMPLE = 20

log = logging.getLogger(__name__)


class Engine:
    """Runs experiments on workers, once for any number of viewers, and stores what they give.

    `address` (or `EXPLORER_SCHEDULER`) names an existing cluster whose workers can import this
    package, in the same version, or their runs fail and say so; without it the engine starts
    `workers` (or `EXPLORER_WORKERS`) processes of its own.
    `trainer` is named, not imported: it loads torch, and only workers need that. `bounds` are those
    of the environment if none are given.
    """

    def __init__(
        self,
        store: Store,
        address: str | None = None,
        workers: int | None = None,
        trainer: str = "core.run.worker:train_group",
        bounds: Bounds | None = None,
    ) -> None:
        self.store = store
        self.bounds = bounds or Bounds.of_environment()
        self.trainer = trainer
        self.workers = workers or default_workers(self.bounds.device)
        self._lock = threading.Lock()  # taken before a job's lock, never after; not by the loop
        self._jobs: dict[str, Job] = {}  # those not ended
        self._attempts: Counter[str] = Counter()  # ended without success, by job key
        self._waiting: deque[tuple[Job, Group]] = deque()
        self._tasks: dict[str, tuple[Job, Group]] = {}  # handed to Dask
        self._stopping: list[tuple[float, str]] = []  # cancelled tasks and until when to be patient
        self._fates: dict[str, str] = {}  # by job key, oldest first
        self.pace = Pace(lambda: store.gallery.sample(GALLERY_SAMPLE) if store.gallery else ())
        self._closing = threading.Event()

        address = address or os.environ.get("EXPLORER_SCHEDULER") or None
        # others on this machine may reach a loopback port: who has no certificate is turned away
        secret = None if address else Security.temporary()
        self._cluster = None if address else own_scheduler(secret)
        self._source = task.source() if address else None  # that a worker must have: ours are of it
        self._link = Link(self._cluster or str(address), self._meet, secret)
        self._crew: Crew | None = None
        if self._cluster is not None:
            keys = secret.get_tls_config_for_role("worker") if secret else {}
            self._crew = Crew(self._cluster.scheduler_address, self.workers, keys)
        self._places = self._link.places(self.bounds.device)
        self._ticker = threading.Thread(target=self._tick, name="engine-ticker", daemon=True)
        self._ticker.start()
        atexit.register(self.close)

    def submit(
        self, experiment: Experiment, viewer: str, playable: bool = False, asked: bool = False
    ) -> Job:
        """Start what is not stored yet, or join those who already wait for the same.

        `playable` also trains again what is stored without its trajectory. A run that was `asked`
        for waits minutes for a viewer who is gone, one that a page began by itself some seconds.
        Raises `Refused` when it asks for more than the bounds allow.
        """
        job = self.find(experiment, viewer)
        if job is not None:
            job.join(viewer, asked)
            return job
        stored = self._stored(experiment.members, playable)
        with self._lock:
            job = self._jobs.get(experiment.key)
            if job is None:
                # once more, as an equal job may have finished since; absent files cost a `stat`
                absent = (m for m in experiment.members if m.key not in stored)
                stored |= self._stored(absent, playable)
                missing = [m for m in experiment.members if m.key not in stored]
                parts = self._split(missing)
                job = Job(
                    experiment, stored, parts, self._ahead, self._leave, lambda: self.trainers
                )
                if missing:
                    self._check(job, viewer)
                    self._enqueue(job)
            job.join(viewer, asked)
        return job

    def find(self, experiment: Experiment, viewer: str) -> Job | None:
        """The job under way for this experiment, which `viewer` then counts for; starts none."""
        with self._lock:
            job = self._jobs.get(experiment.key)
            if job is not None:
                job.join(viewer)
        return job

    def fate(self, experiment: Experiment) -> str | None:
        """Why the last run of this experiment ended without success, unless its viewer wanted it.

        None also once it has been started again.
        """
        return self._fates.get(experiment.key)

    @property
    def trainers(self) -> Trainers:
        """Whether any worker is there; at first they are still starting, a cluster may be away."""
        if self._cluster is not None:
            return "ready" if self._cluster.scheduler.workers else "starting"
        if self._link.away:
            return "away"
        if self._places.tasks:
            return "ready"
        return "without a GPU" if self.bounds.device == "cuda" else "starting"

    def device(self) -> str:
        """What the workers train on, in words; asks them, and waits for their answer."""
        silent, client = "a cluster that does not answer", self._link.client
        if client is None:
            return silent
        try:
            answers = client.run(task.device, self.trainer, self.bounds.device, on_error="ignore")
        except CommClosedError:  # it went, or this engine was closed, while it was asked
            return silent
        found = sorted(f"{n} × {name}" for name, n in Counter(answers.values()).items())
        return ", ".join(found) or "no worker"

    def estimate(self, members: Iterable[Member]) -> float | None:
        """Seconds that training these members takes here; None when nothing is known yet."""
        return self.pace.seconds(members)

    def usual(self, members: Iterable[Member]) -> float | None:
        """CPU-seconds of these members at the gallery's rate, however busy this machine is.

        What a page decides by: the same setting is always the same.
        """
        return self.pace.seconds(members, shipped=True)

    def close(self) -> None:
        """Cancel every job and leave no process behind; harmless when repeated."""
        if self._closing.is_set():
            return
        self._closing.set()
        atexit.unregister(self.close)
        self._ticker.join()
        for job in tuple(self._jobs.values()):
            self._end(job, "cancelled")
        self._link.close()  # before the workers, lest the scheduler think that they died
        if self._crew is not None:
            self._crew.close()
        if self._cluster is not None:
            self._cluster.close()

    def _ahead(self, job: Job) -> tuple[int, float | None]:
        """How many jobs come before this one, and seconds until the workers are through them."""
        jobs = tuple(self._jobs.values())  # in the order they came
        before = jobs[: jobs.index(job)] if job in jobs else ()
        left = sum(other.left for other in before)
        rate = self.pace.rate
        return len(before), left / rate / self._capacity if rate else None

    def _leave(self, job: Job) -> None:
        self._end(job, "cancelled", unless_watched=True)

    def _end(
        self, job: Job, status: Status, error: str | None = None, *, unless_watched: bool = False
    ) -> None:
        """Give a job its final status and stop whatever of it still runs."""
        with self._lock:
            if self._jobs.get(job.key) is not job:
                return
            # who only waits costs nothing, and a page that is still being drawn cannot look
            patient = job.asked or job.status == "queued"
            if unless_watched and job.watched(ASKED_SECONDS if patient else VIEWER_SECONDS):
                return
            del self._jobs[job.key]
            self._waiting = deque(entry for entry in self._waiting if entry[0] is not job)
            if status != "done":
                self._attempts[job.key] += 1
            if error is not None:
                self._fates[job.key] = error
                for old in list(self._fates)[:-MOST_FATES]:
                    del self._fates[old]
            running = [group for other, group in self._tasks.values() if other is job]
            deadline = time.monotonic() + STOP_SECONDS
            self._stopping += [(deadline, group.task) for group in running]
            futures = [group.future for group in running]
            job.finish(status, error)
        client = self._link.client
        if client is not None and (ours := [f for f in futures if f.client is client]):
            client.cancel(ours)

    def _stored(self, members: Iterable[Member], playable: bool) -> dict[str, Result]:
        results = ((member.key, self.store.get(member)) for member in members)
        return {
            key: result
            for key, result in results
            if result is not None and (result.playable or not playable)
        }

    def _split(self, missing: list[Member]) -> list[Group]:
        """Tasks for the missing members: smaller batches where workers would stay idle.

        On a GPU as many train together as are asked for: it hardly takes longer.
        """
        idle = self._capacity - len(self._tasks) - len(self._waiting)
        share = math.ceil(len(missing) / max(1, idle))
        gpu = self._places.each or (self._crew and on_gpu(self.bounds.device))
        largest = min(MOST_MEMBERS if gpu else LARGEST_GROUP, max(SMALLEST_GROUP, share))
        return [Group("", members) for members in groups(missing, largest)]

    def _check(self, job: Job, viewer: str) -> None:
        """Raise `Refused` for a job over a bound, or one that needs what is not there."""
        available(member for group in job.groups for member in group.members)
        queued = [other for other in self._jobs.values() if other.status == "queued"]
        self.bounds.check(
            runs=len(job.experiment.members),
            seconds=max(self.estimate(g.members) or 0.0 for g in job.groups),
            queued=len(queued),
            waiting=sum(other.counts(viewer) for other in queued),
        )

    def _enqueue(self, job: Job) -> None:
        self._fates.pop(job.key, None)
        if self._crew is not None:
            self._crew.try_again()
        for group in job.groups:
            self._name(job, group)
            self._waiting.append((job, group))
        self._jobs[job.key] = job
        self._dispatch()

    def _name(self, job: Job, group: Group) -> None:
        """Name a group's task: the same on every server.

        Dask answers a key it has cancelled, or seen fail, with that old fate: hence attempts.
        """
        members = (member.key for member in group.members)
        identity = " ".join([job.key, self.bounds.device, *members])
        digest = hashlib.sha256(identity.encode()).hexdigest()
        group.task = f"{task.TASK}{digest}#{self._attempts[job.key]}"

    def _dispatch(self) -> None:
        """Hand Dask as many tasks as there are workers.

        Not more, because a task queued on a worker that dies counts as a suspect of its death.
        """
        client = self._link.client
        while (
            client is not None
            and not self._link.away
            and self._waiting
            and len(self._tasks) < self._capacity
        ):
            job, group = self._waiting.popleft()
            self._tasks[group.task] = (job, group)
            future = client.submit(
                task.train, self.trainer, self._source, group.members, self.bounds.device,
                key=group.task, pure=False,
                resources=None if self._cluster else self._places.each,
            )  # fmt: skip
            group.future = future
            # not `add_done_callback`, whose thread is gone when a server exits during a run
            threading.Thread(target=self._follow, args=(job, group, future), daemon=True).start()

    def _on_message(self, event: tuple[float, dict[str, Any]]) -> None:
        _, message = event
        job, group = self._tasks.get(message["task"], (None, None))
        if job is not None and group is not None:  # else of another attempt, or another server's
            job.take(group, message)

    def _follow(self, job: Job, group: Group, future: Future) -> None:
        """Wait for a task and store its results: a thread of its own, as both take time."""
        error = future.exception()
        with self._lock:
            group.future = None
            self._tasks.pop(group.task, None)
            lost = future.status == "cancelled" and not job.ended.is_set()
            if lost:  # with its scheduler: it waits for the next
                self._attempts[job.key] += 1
                job.lose(group)
                self._name(job, group)
                self._waiting.appendleft((job, group))
            if not self._closing.is_set():
                self._dispatch()
        if lost or job.ended.is_set():
            return
        try:
            if error is not None:
                raise error
            results = future.result()
            if {r.member.key for r in results} != {m.key for m in group.members}:
                raise RuntimeError("the trainer did not return one result per member")
            for result in results:
                self.store.put(result)
        except Exception as reason:
            log.warning("a run failed", exc_info=reason)
            self._end(job, "failed", _sentence(reason))
            return
        self.pace.learn(results)
        if job.finish_group(group, results):
            self._end(job, "done")

    def _tick(self) -> None:
        while not self._closing.wait(TICK_SECONDS):
            try:
                self._keep_house()
            except Exception:  # reported, and the next round still comes
                log.exception("the engine's housekeeping failed")

    def _keep_house(self) -> None:
        for job in tuple(self._jobs.values()):
            if job.elapsed > (most := self.bounds.most_seconds):
                reason = f"stopped after {most:g} seconds, the most one request may take"
                self._end(job, "failed", f"{reason}: use fewer runs or fewer steps")
            else:
                reason = f"stopped {job.where()}, because nobody was looking"
                self._end(job, "cancelled", reason, unless_watched=True)
        now = time.monotonic()
        with self._lock:
            due = [name for deadline, name in self._stopping if deadline <= now]
            self._stopping = [entry for entry in self._stopping if entry[0] > now]
        if due:  # in a thread of its own, as a worker that hangs may not answer
            threading.Thread(target=self._end_processes, args=(due,), daemon=True).start()
        self._tend_crew()
        self._link.tend()
        self._place()
        with self._lock:
            self._dispatch()

    def _place(self) -> None:
        """Learn where tasks run; those that ask for GPUs that have gone are handed out anew."""
        before, self._places = self._places, self._link.places(self.bounds.device)
        client = self._link.client
        if client is None or not before.each or self._places.each:
            return
        with self._lock:
            futures = [group.future for _, group in self._tasks.values()]
        client.cancel([future for future in futures if future.client is client])

    def _end_processes(self, tasks: list[str]) -> None:
        """End the processes that still train cancelled tasks; later those that train others too."""
        client = self._link.client
        if client is None:  # the workers of a scheduler that is lost end by themselves
            return
        answers = client.run(task.quit_if_training, tasks, on_error="ignore")
        again = time.monotonic() + STOP_SECONDS
        with self._lock:
            self._stopping += [(again, name) for left in answers.values() for name in left]

    def _tend_crew(self) -> None:
        """Start the workers again where they ended; where they cannot, say so to who waits."""
        waiting = tuple(self._jobs.values())  # who comes later has them try again
        crew = self._crew
        reason = None if crew is None else crew.tend(self.trainers == "ready")
        if reason is not None:
            for job in waiting:
                self._end(job, "failed", reason)

    @property
    def _capacity(self) -> int:
        """Tasks at a time."""
        return self.workers if self._cluster is not None else max(1, self._places.tasks)

    def _meet(self, client: Client) -> None:
        """Have a scheduler and its workers know what this engine needs of them."""
        client.register_plugin(task.WorkerSide(self.trainer))
        client.subscribe_topic(task.TOPIC, self._on_message)
        if self._cluster is None:
            client.run_on_scheduler(fail_early)


def _sentence(error: Exception) -> str:
    if isinstance(error, KilledWorker):
        return "the process that trained this died, and so did the next: it may lack memory"
    lines = str(error).splitlines() or ["no further reason"]
    return f"{type(error).__name__}: {lines[0]}"
