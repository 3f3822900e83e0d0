"""Turns: how many pages the server draws at one time, whoever many ask.

Python runs one thread at a time. A hundred pages begun together would take it from one another,
and from the thread that answers the network, and all be drawn late; one after another the first is
drawn at once and the last no later.
"""

import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.runtime.scriptrunner_utils.exceptions import RerunException

AT_ONCE = 2  # so that one is drawn while another waits for a file, or computes for long
SWITCH_SECONDS = 0.0005  # a tenth of Python's own: the thread that answers the network is not kept


class Turns:
    """So many turns, given in the order in which they are asked for."""

    def __init__(self, count: int) -> None:
        self.free = count
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    def take(self, first: bool = False) -> None:
        """Wait for a turn, behind all others or as the first of them."""
        with self._lock:
            if self.free:
                self.free -= 1
                return
            mine = threading.Event()
            if first:
                self._waiting.appendleft(mine)
            else:
                self._waiting.append(mine)
        mine.wait()

    def give(self) -> None:
        """Hand a turn to who has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self.free += 1


sys.setswitchinterval(SWITCH_SECONDS)
_turns = Turns(AT_ONCE)
_drawing = threading.local()


@contextmanager
def taken() -> Iterator[None]:
    """Wait for a turn, and have it until the end; within a turn of this thread's, at once.

    Whose knob was moved meanwhile begins again when the turn has come, in the same thread, and has
    not waited in vain: they are next, once.
    """
    if getattr(_drawing, "now", False):
        yield
        return
    again, _drawing.again = getattr(_drawing, "again", False), False
    _turns.take(first=again)
    _drawing.now = True
    try:
        yield
    except RerunException:
        _drawing.again = not again
        raise
    finally:
        _drawing.now = False
        _turns.give()


@contextmanager
def lent() -> Iterator[None]:
    """Let others have this thread's turn, if it has one, while it waits for something else."""
    if not getattr(_drawing, "now", False):
        yield
        return
    _drawing.now = False
    _turns.give()
    try:
        yield
    finally:
        _turns.take()
        _drawing.now = True
