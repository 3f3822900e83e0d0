"""Turns: how many pages the server draws at one time, whoever many ask.

Python runs one thread at a time. A hundred pages begun together would take it from one another,
and from the thread that answers the network, and all be drawn late; one after another the first is
drawn at once and the last no later.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 2  # so that one is drawn while another waits for a file

_turns = threading.BoundedSemaphore(AT_ONCE)
_drawing = threading.local()


@contextmanager
def taken() -> Iterator[None]:
    """Wait for a turn, and have it until the end; within a turn of this thread's, at once."""
    if getattr(_drawing, "now", False):
        yield
        return
    with _turns:
        _drawing.now = True
        try:
            yield
        finally:
            _drawing.now = False


@contextmanager
def lent() -> Iterator[None]:
    """Let another have this thread's turn, if it has one, while it waits for something else."""
    if not getattr(_drawing, "now", False):
        yield
        return
    _drawing.now = False
    _turns.release()
    try:
        yield
    finally:
        _turns.acquire()
        _drawing.now = True
