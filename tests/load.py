"""A classroom at once: `make load` opens real sessions and says what they waited for.

The server's start, views, trainings, links for the most of everything, and ten minutes of coming
and going; each on servers of its own, on loopback, bounded in number and time. Two server
processes want HAProxy.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from browsers import ROOT, free_port, serving, well
from proxies import HAPROXY, haproxy, process
from tornado.websocket import WebSocketClosedError
from visitors import LONGEST, TRAINED, Session, gone, most_of

from core.run import store

PAGES = ("infonce_sphere", "vmf_clusters", "laplace_violation", "scores")
MOVES = ("infonce_sphere",)  # pages whose knob is moved
LOOKS = 0.1  # seconds between two looks at the server's health
HEALTHY = "/_stcore/health"
FORGOTTEN = 150  # seconds after which Streamlit has let go of who left (it keeps them for 120)
TRAINING = "infonce_sphere"  # the page on which visitors train: three seeds, 400 steps

WORKING = 20  # seconds of a training that are watched

Row = dict[str, object]


@dataclass
class Seen:
    """What a crowd waited for, in seconds, and what went wrong."""

    opened: list[tuple[float, float]] = field(default_factory=list)  # first picture, whole page
    moved: list[float] = field(default_factory=list)
    trained: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)  # milliseconds
    bytes: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    async def visit(self, session: Session, act: Callable[[], Awaitable[None]]) -> None:
        """Let a visitor act, and note what became of it."""
        try:
            await act()
        except (OSError, TimeoutError, RuntimeError, WebSocketClosedError) as reason:
            self.faults.append(repr(reason))
        self.faults.extend(session.faults)
        self.bytes.append(session.received)

    @contextmanager
    def watching(self, url: str) -> Iterator[None]:
        """Ask the server how it is, over and over, in a thread that no visitor shares."""
        done = threading.Event()

        def look() -> None:
            while not done.wait(LOOKS):
                began = time.perf_counter()
                try:
                    urllib.request.urlopen(url + HEALTHY, timeout=60).read()
                except OSError as reason:
                    self.faults.append(f"health: {reason!r}")
                self.health.append(1000 * (time.perf_counter() - began))

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


@contextmanager
def behind(count: int, **settings: str) -> Iterator[tuple[str, list[int]]]:
    """The address of one server, or of two behind HAProxy that share a store and a worker."""
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        settings = {"EXPLORER_CACHE": scratch, "EXPLORER_WORKERS": "1", **settings}
        if count > 1:
            settings["EXPLORER_SCHEDULER"] = stack.enter_context(cluster())
        urls = [stack.enter_context(serving(ROOT, **settings)) for _ in range(count)]
        ports = [int(url.rsplit(":", 1)[1]) for url in urls]
        if count == 1:
            yield urls[0], ports
            return
        yield stack.enter_context(haproxy(ports)), ports


@contextmanager
def cluster() -> Iterator[str]:
    """The address of a scheduler with one worker, by Dask's own commands."""
    dask, at = str(Path(sys.executable).with_name("dask")), f"tcp://127.0.0.1:{free_port()}"
    here = {"PYTHONPATH": ".", "OMP_NUM_THREADS": "1"}
    with (
        process([dask, "scheduler", "--dashboard-address", "127.0.0.1:0", "--host", at], **here),
        process([dask, "worker", at, "--no-dashboard", "--nworkers", "1", "--nthreads", "1"],
                **here),
    ):  # fmt: skip
        yield at


async def opened(url: str, visitors: int, within: float) -> Seen:
    """So many sessions come one after another `within` seconds, look, move a knob, and leave."""
    seen, sessions = Seen(), [Session(url, PAGES[i % len(PAGES)]) for i in range(visitors)]

    async def visit(session: Session, wait: float) -> None:
        await asyncio.sleep(wait)
        seen.opened.append(await session.open())
        if session.page in MOVES:
            seen.moved.append(await session.move())

    with gone(sessions), seen.watching(url):
        await asyncio.gather(*(
            seen.visit(each, lambda i=i, each=each: visit(each, i * within / visitors))
            for i, each in enumerate(sessions)
        ))  # fmt: skip
    return seen


async def trained(url: str, queries: list[str]) -> Seen:
    """Sessions that come with these links and, once all are there, wait for their runs."""
    seen = Seen()
    sessions = [Session(url, TRAINING, query) for query in queries]
    here = asyncio.Barrier(len(sessions))

    async def visit(session: Session) -> None:
        seen.opened.append(await session.open())
        async with asyncio.timeout(LONGEST):  # of one that failed on the way, all are to hear
            await here.wait()
        seen.health.clear()
        seen.trained.append(await session.train())

    with gone(sessions), seen.watching(url):
        await asyncio.gather(*(seen.visit(s, lambda s=s: visit(s)) for s in sessions))
    return seen


def listening(ports: list[int]) -> list[psutil.Process]:
    """The processes that listen on these ports."""
    pids = {
        each.pid for each in psutil.net_connections("tcp")
        if each.laddr and each.laddr.port in ports and each.status == psutil.CONN_LISTEN
    }  # fmt: skip
    assert len(pids) == len(ports)
    return [psutil.Process(pid) for pid in pids]


def memory(ports: list[int]) -> float:
    """Megabytes of the servers that listen on these ports."""
    return sum(each.memory_info().rss for each in listening(ports)) / 1e6


def worked(ports: list[int]) -> float:
    """CPU-seconds of the servers that listen on these ports, so far."""
    return sum(each.cpu_times().user + each.cpu_times().system for each in listening(ports))


class Workers:
    """The processes that a server has begun: what they work from now on, and hold."""

    def __init__(self, ports: list[int]) -> None:
        (server,) = listening(ports)
        self.all = server.children(recursive=True)
        assert self.all, "the server has no workers"
        self._before = self._worked()

    def _worked(self) -> float:
        return sum(each.cpu_times().user for each in self.all)

    @property
    def seconds(self) -> float:
        """CPU-seconds since."""
        return self._worked() - self._before

    def told(self) -> Row:
        """What they worked and hold."""
        held = sum(each.memory_info().rss for each in self.all) / 1e6
        return {"workers, CPU-s": round(self.seconds, 1), "workers' memory, MB": round(held)}


def quantiles(values: list[float]) -> tuple[float, float] | None:
    """Median and 95th percentile, if there is any."""
    if not values:
        return None
    cuts = statistics.quantiles(values if len(values) > 1 else 2 * values, n=20, method="inclusive")
    return round(cuts[9], 2), round(cuts[18], 2)


def told(seen: Seen) -> Row:
    """What a crowd waited for."""
    return {
        "first picture, s (p50, p95)": quantiles([first for first, _ in seen.opened]),
        "page drawn, s (p50, p95)": quantiles([ended for _, ended in seen.opened]),
        "knob moved, s (p50, p95)": quantiles(seen.moved),
        "runs there, s (p50, p95)": quantiles(seen.trained),
        "health, ms (p50, p95)": quantiles(seen.health),
        "sent to each, MB": round(statistics.mean(seen.bytes) / 1e6, 2),
        "errors": seen.faults,
    }


def warm(url: str) -> None:
    """Let a server do what it does once: each page's first visit, and its engine's start."""
    asyncio.run(opened(url, 2 * len(PAGES), 4))
    time.sleep(10)


def views(visitors: int, within: float, servers: int) -> Row:
    """A crowd that only looks, and what the servers keep of it, until it is forgotten."""
    with behind(servers) as (url, ports):
        warm(url)
        before = memory(ports)
        seen = asyncio.run(opened(url, visitors, within))
        after = memory(ports)
        time.sleep(FORGOTTEN)
        return {
            "visitors": visitors, "seconds in which they come": within, "servers": servers,
            **told(seen),
            "servers' memory, MB a visitor": round((after - before) / visitors, 2),
            "servers' memory, MB before, after, forgotten":
                (round(before), round(after), round(memory(ports))),
        }  # fmt: skip


def trainings(visitors: int, alike: bool) -> Row:
    """Visitors who all ask for the same three runs, or each for their own, some seconds each.

    Health is the server's from when all have come.
    """
    queries = [f"kappa={10.01 if alike else 10.01 + i / 100:g}" for i in range(visitors)]
    with (
        tempfile.TemporaryDirectory() as scratch,
        behind(1, EXPLORER_CACHE=scratch) as (url, ports),
    ):
        warm(url)
        workers, before = Workers(ports), worked(ports)
        seen = asyncio.run(trained(url, queries))
        return {
            "visitors": visitors, "who train": "the same" if alike else "each their own",
            **told(seen), "server, CPU-s": round(worked(ports) - before, 1), **workers.told(),
            **stored(Path(scratch)),
        }  # fmt: skip


def stored(folder: Path) -> Row:
    """The runs that trainings have left, and what they cost: what workers worked, if once each."""
    runs = [store.read(path) for path in folder.rglob("*.npz")]
    cost = sum(float(run.provenance["cpu_seconds"]) for run in runs)
    return {"runs stored": len(runs), "their CPU-s": round(cost, 1)}


def work() -> Row:
    """One long training, whose visitor does not look: how the server is while only workers work."""
    seen = Seen()

    async def train(url: str) -> None:
        session = Session(url, TRAINING, "steps=5000")
        with gone([session]):
            await session.open()
            assert session.button, "the page offers no training"
            await session.press()
            await asyncio.sleep(5)
            with seen.watching(url):
                await asyncio.sleep(WORKING)
            seen.faults.extend(session.faults)

    with behind(1) as (url, ports):
        warm(url)
        workers = Workers(ports)
        asyncio.run(train(url))
        assert workers.seconds > WORKING / 4, "the worker did not work"
        return {"health, ms (p50, p95)": quantiles(seen.health), **workers.told(),
                "errors": seen.faults}  # fmt: skip


def most(visitors: int) -> Row:
    """Links for the most of everything, all at once: each gets its page, nothing long begins."""
    queries = [(page, most_of(page)) for page in TRAINED]
    sessions: list[Session] = []

    async def come(url: str, seen: Seen) -> None:
        sessions.extend(Session(url, *queries[i % len(queries)]) for i in range(visitors))

        async def visit(session: Session) -> None:
            seen.opened.append(await session.open())
            if not session.pictured or not (session.button or session.polls):
                seen.faults.append(f"{session.page}: no picture, or nothing that trains")

        with gone(sessions), seen.watching(url):
            await asyncio.gather(*(seen.visit(s, lambda s=s: visit(s)) for s in sessions))
            await asyncio.sleep(WORKING)  # for what has begun

    with behind(1) as (url, ports):
        warm(url)
        seen, workers, before = Seen(), Workers(ports), memory(ports)
        asyncio.run(come(url, seen))
        return {
            "visitors, of everything": visitors, **told(seen), **workers.told(),
            "with a button": sum(bool(each.button) for each in sessions),
            "servers' memory, MB before, after": (round(before), round(memory(ports))),
        }  # fmt: skip


def starts(times: int = 3) -> Row:
    """From the command to the server's word that it is well: a clock's seconds, and the CPU's."""
    wall, cpu = [], []
    for _ in range(times):
        began, port = time.perf_counter(), free_port()
        words = [sys.executable, "-m", "ui.window.serve", "--server.port", str(port)]
        with process(words) as server:
            well(f"http://localhost:{port}", server)
            wall.append(round(time.perf_counter() - began, 2))
            spent = psutil.Process(server.pid).cpu_times()
            cpu.append(round(spent.user + spent.system, 2))
    return {"well after, s": wall, "CPU-s": cpu, "errors": []}


def soak(minutes: float, visitors: int = 10) -> Row:
    """Visitors who come, look and leave for so many minutes: the server's memory over time."""
    faults, sizes = [], []
    with behind(1) as (url, ports):
        warm(url)
        began = time.monotonic()
        while time.monotonic() < began + 60 * minutes:
            faults += asyncio.run(opened(url, visitors, 20)).faults
            sizes.append((round(time.monotonic() - began), round(memory(ports))))
    return {"minutes": minutes, "visitors at a time": visitors, "errors": faults,
            "server, MB after s": sizes}  # fmt: skip


def main() -> int:
    """Each kind of load, or those named; rows of JSON, and 1 where a visitor saw a fault."""
    kinds: dict[str, Callable[[], Row]] = {
        "start": starts,
        "views-60": lambda: views(60, options.within, 1),
        "views-100": lambda: views(100, options.within, 1),
        "views-100-two": lambda: views(100, options.within, 2),
        "train-one": work,
        "train-alike": lambda: trainings(60, True),
        "train-apart": lambda: trainings(60, False),
        "most-60": lambda: most(60),
        "soak": lambda: soak(options.minutes),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*kinds, []], help="all, if none is named")
    parser.add_argument("--within", type=float, default=10, help="seconds in which they come")
    parser.add_argument("--minutes", type=float, default=10, help="of the soak")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    wrong = False
    for kind in options.kinds or kinds:
        if kind.endswith("two") and HAPROXY is None:
            print(f"{kind}: skipped, there is no haproxy here")
            continue
        row = kinds[kind]()
        print(json.dumps({"load": kind, **row}, indent=1), flush=True)
        wrong |= bool(row["errors"])
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
