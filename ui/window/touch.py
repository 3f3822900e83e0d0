"""What a touch of a page costs the server: `python -m core bench --pages`.

By Streamlit's own AppTest, whose cost on an empty page is subtracted; CPU-seconds of this process.
A preset is clicked when all that it shows is stored and none of it has been drawn before; what it
costs to train anything, here or in a worker, is not in it.
"""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core.lessons import LESSONS
from core.run.job import Job
from ui import runner, sheet, story

APP = str(Path(__file__).parents[2] / "app.py")
TIMES = 5


def empty() -> None:
    """A page with nothing on it."""


def cpu(act: Callable[[], object], times: int = TIMES) -> float:
    """CPU-seconds of an act, the least of a few times."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        act()
        spent.append(time.process_time() - began)
    return min(spent)


def measure() -> dict[str, dict[str, float]]:
    """By page: CPU-seconds of a rerun with nothing changed and of a preset, and results read."""
    logging.disable(logging.CRITICAL)
    through_app()
    while runner.engine().trainers != "ready":  # its start is a server's, and no touch's
        time.sleep(0.1)
    own = cpu(AppTest.from_function(empty).run().run)
    figures = {}
    for page in ("home", *story.TITLES, *story.READ):
        at = AppTest.from_file(APP, default_timeout=60)
        if page != "home":  # as the server does from the address
            at._page_hash = calc_hash(page)
        at.run()
        reads = runner.store().reads
        rerun = cpu(at.run) - own
        figures[page] = {
            "rerun: CPU-s": rerun,
            "rerun: results read": (runner.store().reads - reads) / TIMES,
        }
        if page in LESSONS:
            figures[page]["preset: CPU-s"] = max(presets(at, page)) - own
    return figures


def presets(at: AppTest, page: str) -> list[float]:
    """CPU-seconds of the first click on each of the presets that stand in the row."""
    lesson = LESSONS[page]
    row = [f"{page}.{lesson.name}.preset.{preset.name}" for preset in lesson.presets[1:5]]
    for key in row:
        at.button(key=key).click().run()
        while training(at, page):
            time.sleep(0.2)
            at.run()
    forget()
    return [cpu(at.button(key=key).click().run, times=1) for key in row]


def training(at: AppTest, page: str) -> bool:
    """Whether a panel of the page waits for a job."""
    keys = [f"{page}.{panel}.job" for panel in ("run", "sweep")]
    held = [at.session_state[key] for key in keys if key in at.session_state]
    return any(isinstance(job, Job) and not job.ended.is_set() for job in held)


def forget() -> None:
    """Put the server back to before its first visitor, but for what it keeps in memory of disk."""
    st.cache_data.clear()
    sheet.forget()
    runner.store.clear()
    gallery = runner.store().gallery
    assert gallery is not None and gallery.rows


def through_app() -> None:
    """Have AppTest run pages by way of app.py, as a server does, and not their files alone."""
    made = PagesManager.__init__

    def begun(self: PagesManager, *args: object, **kwargs: object) -> None:
        made(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False

    PagesManager.__init__ = begun


if __name__ == "__main__":
    print(json.dumps(measure()))
    runner.engine().close()
