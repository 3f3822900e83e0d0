"""What a touch of a page costs the server: `python -m core bench --pages`.

By Streamlit's own AppTest, whose cost on an empty page is subtracted; CPU-seconds of this process,
in which nothing is trained.
"""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core.lessons import LESSONS
from ui import runner, story

APP = str(Path(__file__).parents[1] / "app.py")
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
    own = cpu(AppTest.from_function(empty).run().run)
    figures = {}
    for page in ("home", *story.TITLES):
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
    spent = []
    for preset in lesson.presets[1:5]:
        button = at.button(key=f"{page}.{lesson.name}.preset.{preset.name}")
        spent.append(cpu(lambda button=button: button.click().run(), times=1))
    return spent


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
