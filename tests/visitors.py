"""Visitors without a browser: what one sends and takes, in Streamlit's own websocket protocol."""

import asyncio
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from browsers import ROOT
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.util import calc_hash
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from core.command import spelt
from core.lessons import LESSONS
from core.scenarios.scenario import knobs_of

KNOB, MOVED = "Latent dimension", "4"  # shipped at the defaults' other values
LONGEST = 600  # seconds for a page to be drawn
PICTURES = ("identifiability_explorer.latent_view", "arrow_vega_lite_chart")
ENDED = "CPU-s each"  # of what is said under runs that are there
TRAINED = [name for name in LESSONS if (ROOT / f"pages/{name}.py").exists()]  # pages that train
EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN


class Session:
    """A visitor of one page, by a link of it; `faults` is what no visitor should have seen."""

    def __init__(self, url: str, page: str, query: str = "", **headers: str) -> None:
        """`headers` are a browser's, where not those of who follows the link to this very url."""
        self.url, self.page, self.query = url, page, query
        scheme, _, rest = url.partition("://")
        self.headers = {"Origin": f"{scheme}://{rest.partition('/')[0]}"} | headers
        self.line: WebSocketClientConnection | None = None
        self.faults: list[str] = []
        self.received = 0  # bytes
        self.pictured: float | None = None  # when the first picture came
        self.trained = False  # whether the page shows runs that have ended
        self.headings: list[str] = []
        self.knob = self.button = ""  # the widgets' ids, once they have come
        self.polls: dict[str, float] = {}  # seconds between two looks of a panel, by its id

    async def open(self) -> tuple[float, float]:
        """Follow the link; seconds until its first picture, and until it is drawn to its end."""
        began = time.perf_counter()
        cookie = await asyncio.to_thread(self._arrive)
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        self.line = await websocket_connect(
            HTTPRequest(address, headers=self.headers | ({"Cookie": cookie} if cookie else {})),
            subprotocols=["streamlit"], max_message_size=200_000_000,
        )  # fmt: skip
        await self.run(BackMsg())
        ended = time.perf_counter()
        return (self.pictured or ended) - began, ended - began

    async def move(self) -> float:
        """Move a knob; seconds until the page is drawn anew."""
        began, message = time.perf_counter(), BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id = self.knob
        state.string_array_value.data.append(MOVED)
        await self.run(message)
        return time.perf_counter() - began

    async def train(self) -> float:
        """Press the button, where there is one, and wait; seconds until the runs are there."""
        began = time.perf_counter()
        async with asyncio.timeout(LONGEST):
            while not self.trained:
                if self.button:
                    await self.press()
                elif self.polls:
                    message = BackMsg()
                    (panel, every), *_ = self.polls.items()
                    await asyncio.sleep(every)
                    message.rerun_script.fragment_id = panel
                    message.rerun_script.is_auto_rerun = True
                    await self.run(message)
                else:
                    raise RuntimeError(f"nothing trains: {self.query} {self.faults}")
        return time.perf_counter() - began

    async def press(self) -> None:
        """Press the button that trains, where there is one."""
        if self.button:
            message = BackMsg()
            state = message.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = self.button, True
            await self.run(message)

    async def run(self, message: BackMsg) -> None:
        """Ask for something, and take what comes until it is done."""
        assert self.line is not None
        message.rerun_script.page_script_hash = calc_hash(self.page)
        message.rerun_script.query_string = self.query
        await self.line.write_message(message.SerializeToString(), binary=True)
        async with asyncio.timeout(LONGEST):
            while True:
                told = await self.line.read_message()
                if told is None:
                    raise ConnectionError("the server closed the connection")
                assert isinstance(told, bytes)
                self.received += len(told)
                if self._take(ForwardMsg.FromString(told)):
                    return

    def leave(self) -> None:
        """Close the tab."""
        if self.line is not None:
            self.line.close()

    def _arrive(self) -> str:
        """Load the page as a browser does first; the cookie that a proxy gives, or nothing."""
        with urllib.request.urlopen(f"{self.url}/", timeout=LONGEST) as answer:
            given = answer.headers.get_all("Set-Cookie") or []
        return "; ".join(each.split(";")[0] for each in given)

    def _take(self, told: ForwardMsg) -> bool:
        """Note what came; whether it ends what was asked for."""
        kind = told.WhichOneof("type")
        if kind == "new_session" and not told.metadata.run.fragment_ids:
            self.button, self.trained = "", False  # the whole page comes anew
            self.polls.clear()
        elif kind == "auto_rerun":
            self.polls[told.auto_rerun.fragment_id] = told.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for panel in told.stop_auto_rerun.fragment_ids:
                self.polls.pop(panel, None)
        elif kind == "delta":
            self._see(told.delta.new_element)
        return kind == "script_finished" and told.script_finished != EARLY

    def _see(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        named = element.bidi_component.component_name if kind == "bidi_component" else kind
        early = "preload" in element.bidi_component.id
        if self.pictured is None and named in PICTURES and not early:
            self.pictured = time.perf_counter()
        if kind == "heading":
            self.headings.append(element.heading.body)
        if kind == "slider" and element.slider.label.startswith(KNOB):
            self.knob = element.slider.id
        if kind == "button" and element.button.label.startswith("Train "):
            self.button = element.button.id
        if kind == "markdown" and ENDED in element.markdown.body:
            self.trained = True
        if kind == "exception" or (kind == "alert" and element.alert.format == element.alert.ERROR):
            self.faults.append(str(element)[:300])


def most_of(page: str) -> str:
    """The link to a page that asks for the most of everything."""
    knobs = knobs_of(LESSONS[page].Params).items()
    return urlencode({name: spelt(k.high) for name, k in knobs if k.high is not None})


@contextmanager
def gone(sessions: list[Session]) -> Iterator[None]:
    """All of them leave at the end."""
    try:
        yield
    finally:
        for session in sessions:
            session.leave()
