"""Visits to the app under AppTest: a page opened by link or menu, and what it says."""

import base64
import io
import json
import re
import time
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from altair.utils import schemapi
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox
from streamlit.util import calc_hash

import core.figures
from ui.window import touch

APP = str(Path(__file__).parents[1] / "app.py")
HOME = "pages/home.py"
SPHERE = "pages/infonce_sphere.py"
CLUSTERS = "pages/vmf_clusters.py"
LAPLACE = "pages/laplace_violation.py"
REVERSAL = "pages/gradient_reversal.py"
ENTROPY = "pages/manifold_entropy.py"
BOX = "pages/infonce_box.py"
PAPERS = "pages/papers.py"
PIXELS = "pages/pixels.py"
MAP = "pages/map.py"
AUXILIARY = "pages/auxiliary.py"
LEJEPA = "pages/lejepa.py"
PAGES = [SPHERE, BOX, LEJEPA, AUXILIARY, CLUSTERS, LAPLACE, REVERSAL, ENTROPY, PIXELS]

touch.through_app()

# ---- what hundreds of visits would do over and over, done once

_checked, _by_schema = schemapi.validate_jsonschema, schemapi._FromDict
_passed: set[int] = set()


def _checked_once(spec, schema, rootschema=None, **how):
    """Whether a chart keeps to its schema: what did so before does so again."""
    found = hash((json.dumps(spec, sort_keys=True, default=repr), id(schema), id(rootschema)))
    if found in _passed:
        return None
    error = _checked(spec, schema, rootschema, **how)
    if error is None:
        _passed.add(found)
    return error


_kept = cache(_by_schema)  # Altair's table of its own classes, made anew for every dict it is given

# the app leaves the check of its charts to these tests
core.figures.specification = lambda chart: chart.to_dict(validate=True)
schemapi.validate_jsonschema = _checked_once
schemapi._FromDict = lambda classes, /: _kept(tuple(classes))


def opened(page: str, **link: str) -> AppTest:
    """A page's link, followed in a fresh browser."""
    at = AppTest.from_file(APP, default_timeout=60)
    if page != HOME:  # as the server does from the address; switch_page would need home first
        at._page_hash = calc_hash(Path(page).stem)
    for name, value in link.items():
        at.query_params[name] = value
    return at.run()


def to(at: AppTest, page: str) -> AppTest:
    """A click on the menu, which leads to the page's bare address."""
    at.query_params.clear()
    return at.switch_page(page).run()


def own(at: AppTest, key: str) -> str:
    """The key of a setting's widget on the page at hand."""
    return f"{at.session_state['_page']}.{key}"


def listed(at: AppTest, label: str) -> Selectbox:
    """A list by its label: its key changes with what it offers."""
    return next(box for box in at.selectbox if box.label == label)


def metric(at: AppTest, label: str) -> str:
    """A number's value by its label."""
    return next(m.value for m in at.metric if m.label.strip("*") == label)


def pictures(at: AppTest) -> list:
    """The views of a page, without what every page brings along unseen."""
    unseen = {"address", "preload_plotly"}
    return [each for each in at.get("bidi_component") if each.key not in unseen]


def charted(at: AppTest) -> list[pd.DataFrame]:
    """The tables that a page's charts are drawn from."""
    return [pa.ipc.open_stream(data.data.data).read_pandas()
            for chart in at.get("vega_lite_chart") for data in chart.proto.datasets]  # fmt: skip


def images(at):
    """The rows of pictures on a page: each an array (n, side, side, 3), with its words."""
    found = []
    for html in at.get("html"):
        for alt, row in re.findall(r'aria-label="([^"]*)"(.*?)</div>', html.proto.body):
            pictures = [Image.open(io.BytesIO(base64.b64decode(text)))
                        for text in re.findall(r'base64,([^"]+)"', row)]  # fmt: skip
            found.append((alt, np.stack([np.asarray(picture) for picture in pictures])))
    return found


def said(at: AppTest, words: str) -> bool:
    """Whether these words stand in a paragraph."""
    return any(words in text.value for text in at.markdown)


def wait_for(at: AppTest, words: str) -> None:
    """Rerun, as a page does by itself, until a run has come to these words."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not said(at, words):
        time.sleep(0.2)
        at.run()
