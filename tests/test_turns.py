"""Turns: never more pages at a time than there are, none lost however a page ends."""

import threading
import time
from contextlib import contextmanager, suppress

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from visits import SPHERE, opened

from ui import recovery, story
from ui.window import turns


class Crowd:
    """Threads that each take a turn, and how many had one at a time."""

    def __init__(self, size: int, waits: bool) -> None:
        self.now = self.most = self.waited = 0
        self.waits, self.lock = waits, threading.Lock()
        self.together = threading.Barrier(size)
        threads = [threading.Thread(target=self.visit) for _ in range(size)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)
        assert not any(each.is_alive() for each in threads)

    def count(self, change: int) -> None:
        with self.lock:
            self.now += change
            self.most = max(self.most, self.now)

    def visit(self) -> None:
        with turns.taken(), turns.taken():  # a panel within its page
            self.count(1)
            time.sleep(0.001)
            if self.waits:
                self.count(-1)
                with turns.lent():
                    self.together.wait(60)  # all are here: nobody held a turn while waiting
                self.count(1)
            self.count(-1)


@pytest.mark.parametrize("waits", [False, True])
def test_no_more_pages_at_a_time_than_turns_and_who_waits_holds_none(waits):
    crowd = Crowd(12 * turns.AT_ONCE, waits)
    assert crowd.most == turns.AT_ONCE and crowd.now == 0
    assert turns._turns.free == turns.AT_ONCE


def test_a_page_that_stops_gives_its_turn_back():
    for _ in range(3 * turns.AT_ONCE):
        with pytest.raises(KeyError), turns.taken():
            raise KeyError
        with pytest.raises(KeyError), turns.taken(), turns.lent():
            raise KeyError
    assert Crowd(2, waits=True).now == 0 and turns._turns.free == turns.AT_ONCE


def test_nothing_is_lent_by_who_has_none():
    with turns.lent(), turns.lent():
        assert turns._turns.free == turns.AT_ONCE


def test_turns_come_in_the_order_in_which_they_are_asked_for():
    line, came = turns.Turns(1), []
    line.take()
    waiting = []
    for name in range(8):
        waiting.append(threading.Thread(target=lambda n=name: (line.take(), came.append(n))))
        waiting[-1].start()
        until = time.monotonic() + 60
        while len(line._waiting) <= name and time.monotonic() < until:
            time.sleep(0.001)
    for name in range(8):
        line.give()
        waiting[name].join(60)
        assert came == list(range(name + 1)) and not line.free
    line.give()
    assert line.free == 1


def _in_line(line, count):
    until = time.monotonic() + 60
    while len(line._waiting) != count and time.monotonic() < until:
        time.sleep(0.001)
    assert len(line._waiting) == count


@pytest.mark.parametrize("reason, order", [
    (RerunException(RerunData()), "m a m b c m"),
    (KeyError(), "m a b c m m"),
], ids=["a knob is moved", "the page ends"])  # fmt: skip
def test_whose_knob_is_moved_while_they_wait_is_next_once(reason, order, monkeypatch):
    line, came, all_here = turns.Turns(1), [], threading.Event()
    monkeypatch.setattr(turns, "_turns", line)

    def come(name):
        """Have a turn until all who are still to come are in line."""
        came.append(name)
        assert all_here.wait(60)
        others = sum(each not in came for each in "abc")
        _in_line(line, others + (name != "m" and came.count("m") < 3))

    def visit(name, times):
        for _ in range(times):
            with suppress(type(reason)), turns.taken():
                come(name)
                raise reason

    threads = [threading.Thread(target=visit, args=(n, 3 if n == "m" else 1)) for n in "mabc"]
    for i, each in enumerate(threads):
        each.start()
        _in_line(line, i)
        while line.free:  # the first has not come yet
            time.sleep(0.001)
    all_here.set()
    for each in threads:
        each.join(60)
    assert " ".join(came) == order and line.free == 1


@pytest.mark.usefixtures("nothing_trains")
def test_a_page_and_its_panels_are_drawn_in_a_turn_that_is_given_back(monkeypatch):
    free = []

    def noting(what):
        def wrapped(*words, **more):
            free.append(turns._turns.free)
            return what(*words, **more)

        return wrapped

    lent = turns.lent

    @contextmanager
    def lending():
        with lent():
            free.append(turns._turns.free)
            yield

    monkeypatch.setattr(story, "title", noting(story.title))  # of the page
    monkeypatch.setattr(recovery, "picture", noting(recovery.picture))  # in a panel
    monkeypatch.setattr(turns, "lent", lending)  # before what comes after the picture
    at = opened(SPHERE)
    assert not at.exception
    assert free == [turns.AT_ONCE - 1, turns.AT_ONCE - 1, turns.AT_ONCE]
    assert turns._turns.free == turns.AT_ONCE
    monkeypatch.setattr(story, "title", noting(lambda heading: 1 / 0))
    assert at.run().error and turns._turns.free == turns.AT_ONCE
    monkeypatch.setattr(story, "title", noting(lambda heading: st.stop()))
    at.run()
    assert turns._turns.free == turns.AT_ONCE
