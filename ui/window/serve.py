"""Serve the explorer: `python -m ui.window.serve`, which `make run` calls.

Further words go to Streamlit as they are: `--server.address 0.0.0.0`, `--server.baseUrlPath /ica`.
"""

import os
import re
import socket
import sys
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from streamlit import net_util
from streamlit.web.cli import main as streamlit

from core.command import EVERYWHERE
from core.run.bounds import Bounds
from core.run.crew import default_workers, on_gpu
from ui.player.view import bundle_served

APP = Path(__file__).parents[2] / "app.py"
PORT = 8501  # Streamlit's own
TRIED = 100
LOOPBACK = ("localhost", "127.0.0.1", "::1")
LOOK_SECONDS = 0.2
EARLY_SECONDS = 3.0  # for who comes at once: their first picture does not wait for the engine


def free_port(first: int = PORT) -> int:
    """The first port from here on where nobody listens on this machine (OSError: none near)."""
    for port in range(first, min(first + TRIED, 65_536)):
        if not listened("127.0.0.1", port):
            return port
    raise OSError(f"ports {first} to {first + TRIED - 1} are all taken")


def listened(host: str, port: int) -> bool:
    """Whether anybody listens there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def arguments(given: Sequence[str]) -> list[str]:
    """Streamlit's, with a free port unless one is given; says so where the usual one is taken.

    Who listens to others is asked for by names that nobody knows here: each will do, unless told.
    """
    words = ["run", str(APP), *given]
    if asked("address", given, "localhost") not in LOOPBACK and not asked("allowedHosts", given):
        words += ["--server.allowedHosts", "*"]
    if asked("port", given):
        return words
    port = free_port()
    if port != PORT:
        print(f"Port {PORT} is taken: the explorer is at {port}.", flush=True)
    return [*words, "--server.port", str(port)]


def asked(option: str, given: Sequence[str], rest: str = "") -> str:
    """What these words, or else the environment, say of one of the server's options."""
    for word, following in pairwise([*given, ""]):
        name, equals, value = word.partition("=")
        if name == f"--server.{option}":
            return value if equals else following
    variable = "STREAMLIT_SERVER_" + re.sub("(?=[A-Z])", "_", option).upper()
    return os.environ.get(variable, rest)


def trains(bounds: Bounds) -> str:
    """What trains here, in words, by the settings and the files of torch: nothing is started."""
    if not bounds.train:
        return "Trains nothing: EXPLORER_TRAIN is off."
    if address := os.environ.get("EXPLORER_SCHEDULER"):
        return f"Trains on the workers of {address}."
    count = default_workers(bounds.device)
    workers = f"{count} worker{'' if count == 1 else 's'}"
    return f"Trains on a GPU, by {workers}." if on_gpu(bounds.device) else (
        f"Trains on the CPU, by {workers}.")  # fmt: skip


def place(words: Sequence[str]) -> tuple[str, int]:
    """Where on this machine the server listens that these words start."""
    host = asked("address", words, "localhost")
    return "localhost" if host in EVERYWHERE else host, int(asked("port", words))


def home(words: Sequence[str]) -> str:
    """Where a browser on this machine finds that server."""
    (host, port), base = place(words), asked("baseUrlPath", words).strip("/")
    scheme = "https" if asked("sslCertFile", words) else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/{base}"


def warm(host: str, port: int) -> None:
    """Have the workers ready before they are asked for: once the server is there, and a while."""
    while not listened(host, port):
        time.sleep(LOOK_SECONDS)
    time.sleep(EARLY_SECONDS)
    from ui import runner

    runner.warm_up()


if __name__ == "__main__":
    try:
        bounds = Bounds.of_environment()
    except ValueError as reason:  # now, and not to the first visitor
        sys.exit(f"error: {reason}")
    if (lacking := bounds.lacking()) is not None:
        sys.exit(f"error: EXPLORER_DEVICE: {lacking}")
    bundle_served()
    # else Streamlit asks a service in the network for this machine's address, where it listens to
    # everybody, and when a request names another site as its origin
    net_util._external_ip = ""
    words = arguments(sys.argv[1:])
    print(f"Open {home(words)}\n{trains(bounds)}", flush=True)
    threading.Thread(target=warm, args=place(words), name="warm-up", daemon=True).start()
    streamlit(words)
