"""A classroom at once: `make load` opens real sessions and says what they waited for.

Each session speaks Streamlit's own websocket protocol, on loopback: it opens a page, moves a knob
to a setting that is stored, and leaves. Bounded in number and time; the server is this folder's.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
from browsers import serving
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.util import calc_hash
from tornado.websocket import WebSocketClientConnection, websocket_connect

ROOT = Path(__file__).parents[1]
KNOB, MOVED = "Latent dimension", "4"  # shipped at the defaults' other values
PAGES = ("infonce_sphere", "vmf_clusters", "laplace_violation", "scores")
MOVES = ("infonce_sphere",)  # pages whose knob is moved
LONGEST = 120  # seconds for a page to be drawn
LOOKS = 0.1  # seconds between two looks at the server's health
HEALTHY = "/_stcore/health"
PICTURES = ("identifiability_explorer.latent_view", "arrow_vega_lite_chart")


class Session:
    """A visitor: what a browser sends and takes, without drawing it."""

    def __init__(self, url: str, page: str) -> None:
        self.url, self.page = url, page
        self.knob = ""  # the widget's id, once it has come
        self.line: WebSocketClientConnection | None = None
        self.faults: list[str] = []
        self.received = 0  # bytes
        self.pictured: float | None = None  # when the first picture came

    async def open(self) -> tuple[float, float]:
        """Follow the link; seconds until its first picture, and until it is drawn to its end."""
        began = time.perf_counter()
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        self.line = await websocket_connect(address, subprotocols=["streamlit"],
                                            max_message_size=200_000_000)  # fmt: skip
        await self._run(BackMsg())
        ended = time.perf_counter()
        return (self.pictured or ended) - began, ended - began

    async def move(self) -> float:
        """Move a knob; seconds until the page is drawn anew."""
        began, message = time.perf_counter(), BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id = self.knob
        state.string_array_value.data.append(MOVED)
        await self._run(message)
        return time.perf_counter() - began

    def leave(self) -> None:
        """Close the tab."""
        if self.line is not None:
            self.line.close()

    async def _run(self, message: BackMsg) -> None:
        message.rerun_script.page_script_hash = calc_hash(self.page)
        await self.line.write_message(message.SerializeToString(), binary=True)
        async with asyncio.timeout(LONGEST):
            while True:
                told = await self.line.read_message()
                if told is None:
                    raise ConnectionError("the server closed the connection")
                self.received += len(told)
                if self._take(ForwardMsg.FromString(told)):
                    return

    def _take(self, told: ForwardMsg) -> bool:
        """Note what came; whether it ends a run of the page."""
        if told.WhichOneof("type") == "delta":
            element = told.delta.new_element
            kind = element.WhichOneof("type")
            named = element.bidi_component.component_name if kind == "bidi_component" else kind
            early = "preload" in element.bidi_component.id
            if self.pictured is None and named in PICTURES and not early:
                self.pictured = time.perf_counter()
            if kind == "slider" and element.slider.label.startswith(KNOB):
                self.knob = element.slider.id
            if kind == "exception" or (kind == "alert" and "could not be drawn" in str(element)):
                self.faults.append(str(element)[:300])
        return told.WhichOneof("type") == "script_finished"


async def healths(url: str, over: asyncio.Event) -> list[float]:
    """Milliseconds that the server took to say it is well, until it is `over`."""

    def ask() -> float:
        began = time.perf_counter()
        urllib.request.urlopen(url + HEALTHY, timeout=60).read()
        return 1000 * (time.perf_counter() - began)

    found = []
    while not over.is_set():
        found.append(await asyncio.to_thread(ask))
        await asyncio.sleep(LOOKS)
    return found


async def crowd(url: str, visitors: int, within: float) -> dict[str, list[float] | list[str]]:
    """So many sessions that come one after another `within` seconds, all still there at the end."""
    opened, moved, faults, sizes = [], [], [], []
    over = asyncio.Event()
    watch = asyncio.create_task(healths(url, over))
    sessions = [Session(url, PAGES[i % len(PAGES)]) for i in range(visitors)]

    async def visit(session: Session, wait: float) -> None:
        await asyncio.sleep(wait)
        try:
            opened.append(await session.open())
            if session.page in MOVES:
                moved.append(await session.move())
        except (OSError, TimeoutError) as reason:
            faults.append(repr(reason))
        faults.extend(session.faults)
        sizes.append(session.received)

    await asyncio.gather(*(visit(s, i * within / visitors) for i, s in enumerate(sessions)))
    over.set()
    health = await watch
    for session in sessions:
        session.leave()
    return {"opened": opened, "moved": moved, "health": health, "faults": faults, "bytes": sizes}


def memory(port: int) -> float:
    """Megabytes of the server that listens on a port."""
    (server,) = {
        each.pid for each in psutil.net_connections("tcp")
        if each.laddr and each.laddr.port == port and each.status == psutil.CONN_LISTEN
    }  # fmt: skip
    return psutil.Process(server).memory_info().rss / 1e6


def quantiles(values: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return round(cuts[9], 2), round(cuts[18], 2)


def measure(visitors: int, within: float) -> dict[str, object]:
    """What so many visitors waited for on a server of their own, and what it kept of them."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        serving(ROOT, EXPLORER_CACHE=scratch, EXPLORER_WORKERS="1") as url,
    ):
        port = int(url.rsplit(":", 1)[1])
        asyncio.run(crowd(url, len(PAGES), 1))  # what every server does once
        time.sleep(10)
        before = memory(port)
        told = asyncio.run(crowd(url, visitors, within))
        after = memory(port)
        time.sleep(10)
        return {
            "visitors": visitors, "seconds in which they come": within,
            "first picture, s (p50, p95)": quantiles([first for first, _ in told["opened"]]),
            "page drawn, s (p50, p95)": quantiles([ended for _, ended in told["opened"]]),
            "knob moved, s (p50, p95)": quantiles(told["moved"]),
            "health, ms (p50, p95)": quantiles(told["health"]),
            "sent to each, MB": round(statistics.mean(told["bytes"]) / 1e6, 2),
            "server, MB a visitor": round((after - before) / visitors, 2),
            "server, MB before and after": (round(before), round(memory(port))),
            "errors": told["faults"],
        }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, nargs="*", default=[60, 100])
    parser.add_argument("--within", type=float, default=10, help="seconds in which they come")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    rows = [measure(each, options.within) for each in options.visitors]
    print(json.dumps(rows, indent=1))
    sys.exit(any(row["errors"] for row in rows))
