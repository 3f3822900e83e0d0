"""The way to a scheduler: one of our own in this process, or a cluster's, lost and found again."""

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

import dask
from distributed import Client, LocalCluster, Scheduler, Security

CONNECT_SECONDS = 5  # for a scheduler to answer
ALLOWED_FAILURES = 1  # workers that may die of a run before it is given up

GPU = "GPU"  # a resource of workers, as Dask calls it

log = logging.getLogger(__name__)


class Places(NamedTuple):
    """How many tasks run at a time, and what of a worker's resources each takes."""

    tasks: int
    each: dict[str, float]


class Link:
    """A client of the scheduler at `address` (or of a cluster of this process).

    Each new client is introduced by `meet` before it is used. While the scheduler does not answer
    there is none, and `tend` tries again.
    """

    def __init__(
        self,
        address: str | LocalCluster,
        meet: Callable[[Client], None],
        security: Security | None = None,
    ) -> None:
        self.address, self._meet, self._security = address, meet, security
        self.client: Client | None = None  # None while it is lost
        self._closed = False
        self._lock = threading.Lock()  # of one attempt at a time
        self._try()

    @property
    def away(self) -> bool:
        """Whether the scheduler does not answer."""
        return self.client is None or self.client.status != "running"

    def tend(self) -> None:
        """Let a client go that has lost its scheduler, and look for the scheduler again."""
        lost = self.client
        if lost is not None and self.away:
            log.warning("the cluster at %s does not answer", self.address)
            self.client = None
            # what it waits for ends as cancelled; in a thread of its own, as it waits for an answer
            threading.Thread(target=lost.close, daemon=True).start()
        if self.client is None and not self._lock.locked():
            threading.Thread(target=self._try, daemon=True).start()

    def places(self, device: str) -> Places:
        """Where tasks for this device ("auto", "cpu" or "cuda") run; none without a scheduler.

        Workers that declare a GPU (`--resources GPU=1`) train one task a GPU. "auto" is there
        where any does, "cuda" nowhere else; "cpu" is everywhere.
        """
        client = self.client
        if client is None or self.away:
            return Places(0, {})
        # not `scheduler_info`, whose answer the client's own polling may put out at once
        told = client.sync(client.scheduler.identity, n_workers=-1)
        workers = told["workers"].values()
        gpus = sum(int(each["resources"].get(GPU, 0)) for each in workers)
        if device == "cuda" or (device == "auto" and gpus):
            return Places(gpus, {GPU: 1})
        return Places(sum(each["nthreads"] for each in workers), {})

    def close(self) -> None:
        """Let the client go for good."""
        self._closed = True
        with self._lock:
            if self.client is not None:
                self.client.close()

    def _try(self) -> None:
        with self._lock:
            if self._closed or self.client is not None:
                return
            try:
                client = Client(self.address, set_as_default=False, timeout=CONNECT_SECONDS,
                                security=self._security)  # fmt: skip
            except OSError as reason:  # the next round tries again
                log.warning("the cluster at %s cannot be reached: %s", self.address, reason)
                return
            self._meet(client)
            self.client = client


def own_scheduler(secret: Security | None = None) -> LocalCluster:
    """A scheduler in this process, on loopback, that serves no web page and has no workers yet.

    Who has not the `secret` cannot speak to it.
    """
    # after importing distributed, whose import would undo it: every event is kept this often
    dask.config.set({"distributed.admin.low-level-log-length": 50})
    with dask.config.set({"distributed.scheduler.http.routes": []}):
        return LocalCluster(
            n_workers=0,
            host="127.0.0.1",
            protocol="tls" if secret else "tcp",
            security=secret,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False, "allowed_failures": ALLOWED_FAILURES},
        )


def fail_early(dask_scheduler: Scheduler) -> None:
    """Have a cluster give up a run as soon as our own scheduler does."""
    dask_scheduler.allowed_failures = min(dask_scheduler.allowed_failures, ALLOWED_FAILURES)
