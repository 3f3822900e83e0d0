"""Serve the explorer: `python -m ui.window.serve`, which `make run` calls.

Further words go to Streamlit as they are: `--server.address 0.0.0.0`, `--server.baseUrlPath /ica`.
"""

import os
import re
import socket
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from streamlit import net_util
from streamlit.web.cli import main as streamlit

from core.run.bounds import Bounds
from ui.player.view import bundle_served

APP = Path(__file__).parents[2] / "app.py"
PORT = 8501  # Streamlit's own
TRIED = 100
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def free_port(first: int = PORT) -> int:
    """The first port from here on where nobody listens on this machine (OSError: none near)."""
    for port in range(first, min(first + TRIED, 65_536)):
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise OSError(f"ports {first} to {first + TRIED - 1} are all taken")


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


if __name__ == "__main__":
    try:
        lacking = Bounds.of_environment().lacking()
    except ValueError as reason:  # now, and not to the first visitor
        sys.exit(f"error: {reason}")
    if lacking is not None:
        sys.exit(f"error: EXPLORER_DEVICE: {lacking}")
    bundle_served()
    # else Streamlit asks a service in the network for this machine's address, where it listens to
    # everybody, and when a request names another site as its origin
    net_util._external_ip = ""
    streamlit(arguments(sys.argv[1:]))
