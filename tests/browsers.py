"""Chromium, the app that it visits, and what can be seen of the picture."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from core.papers import TABLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[1]
CALLED = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, CALLED)), None)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--enable-unsafe-swiftshader",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
VIEW = "[data-testid=latent-view]"
LIBRARY = "*plotly.min.js*"
LOGS: dict[str, IO[str]] = {}  # what the servers say, by their address
PATIENCE = 180_000  # ms: software rendering, and training, on a busy machine

# Every page's parts, and the links to them.
PARTS = {
    "home": {"": ""},
    "infonce_sphere": {
        p: f"?part={p}" for p in ("explore", "why", "claims", "uniformity", "paper", "home")
    },
    "infonce_box": {p: f"?part={p}" for p in ("explore", "why", "claims", "paper", "home")},
    "auxiliary": {p: f"?part={p}" for p in ("explore", "why", "claims", "paper", "home")},
    "vmf_clusters": {p: f"?part={p}" for p in ("explore", "why", "claims", "paper", "home")},
    "laplace_violation": {
        p: f"?part={p}" for p in ("explore", "why", "claims", "figures", "paper", "home")
    },
    "gradient_reversal": {
        p: f"?part={p}"
        for p in ("explore", "why", "claims", "nonlinear", "price", "stages", "home")
    },
    "manifold_entropy": {
        p: f"?part={p}" for p in ("explore", "why", "claims", "digits", "measured", "paper", "home")
    },
    "pixels": {
        p: f"?part={p}" for p in ("explore", "why", "axes", "proves", "claims", "paper", "home")
    },
    "lejepa": {p: f"?part={p}" for p in ("explore", "why", "laws", "claims", "paper", "home")},
    "scores": {p: f"?part={p}" for p in ("explore", "phases", "claims", "published", "home")},
    "map": {p: f"?part={p}" for p in ("graph", "words", "counting", "sign")},
    "papers": {p: f"?part={p}" for p in (*TABLES, "images")},
}


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def well(url: str, process: "subprocess.Popen[Any]") -> None:
    """Wait until the server that a process starts says that it is well."""
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            assert urllib.request.urlopen(f"{url}/_stcore/health", timeout=60).read() == b"ok"
            return
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)


@contextmanager
def serving(
    folder: Path, base: str = "", flags: tuple[str, ...] = (), **more: str
) -> Iterator[str]:
    """The address of a server of this folder's app.py, on a port of its own."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", *flags]
    words = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | more, stdout=words, stderr=words
    )  # fmt: skip
    url = f"http://localhost:{port}{base}"
    LOGS[url] = words
    try:
        well(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(20)
        LOGS.pop(url).close()


PROFILE: "dict[Browser, BrowserContext]" = {}  # one a browser: what was loaded once is kept


@contextmanager
def window(
    browser: "Browser", flat: bool = False, own: bool = False, scheme: str = "light", **more: object
) -> "Iterator[Page]":
    """A page of its own, which keeps what it asked for and what it complained of.

    It shares the browser's profile, unless `own` or a device other than a desktop asks for another.
    Where a test is not about the live picture it is `flat`: the drawing library is not to be had,
    and the page draws, plays and says the same in a third of the time.
    """
    size = more.pop("viewport", {"width": 1280, "height": 900})
    private = browser.new_context(viewport=size, **more) if own or more else None
    if private is None and browser not in PROFILE:
        PROFILE[browser] = browser.new_context()
    page = (private or PROFILE[browser]).new_page()
    page.set_default_timeout(PATIENCE)
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    page.flat, page.requested, page.complaints = flat, [], []
    if flat:  # not by a route, for which the browser would forget what it has loaded before
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Network.setBlockedURLs", {"urls": [LIBRARY]})
    page.on("request", lambda request: page.requested.append(request.url))
    page.on("websocket", lambda socket: page.requested.append(socket.url))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda m: m.type == "error" and page.complaints.append(m.text))
    yield page
    (private or page).close()


def drawn(page: "Page", url: str) -> None:
    """Go there, and wait for the picture."""
    page.goto(url)
    there = "v.sketched" if page.flat else "+v.draws > 0"
    until(page, there)


AT_REST = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


def settled(page: "Page") -> None:
    """Until the page has been drawn to its end, without a traceback and with no word of failure."""
    page.wait_for_function(f"() => {AT_REST} && document.querySelector('h1')")
    page.wait_for_timeout(250)
    page.wait_for_function(f"() => {AT_REST}")
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.get_by_text("could not be drawn").count() == 0


def facts(page: "Page") -> dict[str, str]:
    return page.evaluate(f"() => ({{...document.querySelector('{VIEW}').dataset}})")


def seen(page: "Page") -> str:
    """A page's address, its pictures' facts, its text and complaints, and the server's words."""
    log = next((words for url, words in LOGS.items() if page.url.startswith(url)), None)
    said = log.seek(0) or log.read()[-6000:] if log else ""
    try:
        views = page.locator(VIEW).evaluate_all("all => all.map((view) => ({...view.dataset}))")
        text = page.locator("body").inner_text(timeout=5000)
    except Exception as error:  # of the browser itself: it is what there is to be said
        return f"{page.url}: {error}"
    return "\n".join([page.url, *map(str, views), text, *page.complaints, said])


def until(page: "Page", condition: str) -> None:
    """Wait until a condition on the view's facts `v` holds."""
    page.wait_for_function(f"() => {{ const v = document.querySelector('{VIEW}')?.dataset; "
                           f"return v && ({condition}) }}")  # fmt: skip


def number(page: "Page", label: str) -> str:
    metric = page.locator("[data-testid=stMetric]", has_text=label).first
    return metric.locator("[data-testid=stMetricValue]").inner_text().strip()


def press_preset(page: "Page", title: str) -> None:
    """Click a preset, in the row or among those for which it has no room."""
    button = page.get_by_role("button", name=title, exact=True).first
    if not button.is_visible():
        page.locator("[class*=-more] button").first.click()
    button.click()


def choose_page(page: "Page", group: str, link: str) -> None:
    """Open a group of the menu and follow one of its links."""
    page.locator("[data-testid=stHeader]").get_by_text(group, exact=True).click()
    page.locator("[data-testid=stTopNavDropdownLink]", has_text=link).click()
