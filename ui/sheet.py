"""Charts and tables that are made once and then shown at every rerun.

Building a chart costs Altair tens of milliseconds, and a page has many.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from ui import export

if TYPE_CHECKING:
    from core.figures.figure import Figure  # altair: the numbers do not wait for it


@dataclass(frozen=True)
class Drawing:
    """A chart as Vega-Lite's specification, with the table behind it."""

    key: str
    alt: str
    spec: dict[str, Any]
    table: pd.DataFrame
    title: str = ""


@dataclass(frozen=True)
class Frame:
    """A table of numbers."""

    table: pd.DataFrame


@dataclass(frozen=True)
class Words:
    """A caption."""

    text: str


@dataclass(frozen=True)
class Row:
    """Drawings side by side."""

    drawings: Sequence[Drawing]


MOST_KEPT = 400  # drawings that a server remembers: some 30 kB each
Part = Drawing | Frame | Words | Row
NOT_STORED = Words("These runs are not stored here.")


@st.cache_resource(show_spinner=False)
def _kept() -> "OrderedDict[Hashable, Drawing]":
    return OrderedDict()


def forget() -> None:
    """Let go of all drawings."""
    _kept.clear()


def kept(
    of: Sequence[Hashable], make: Callable[[], "Figure"], key: str, alt: str, title: str = ""
) -> Drawing:
    """The drawing of a figure that `of` determines: made for the first who asks for it."""
    known, name = _kept(), (key, alt, *of)
    if name not in known:
        known[name] = drawing(make(), key, alt, title)
        while len(known) > MOST_KEPT:
            known.popitem(last=False)
    else:
        known.move_to_end(name)
    return known[name]


def figure(
    key: str,
    alt: str,
    make: Callable[[], "Figure"],
    of: Sequence[Hashable] | None = None,
    numbers: str | None = "",
    on_select: Callable[[], None] | None = None,
) -> None:
    """Draw a figure and, a click away, its numbers under the name `numbers` (default: `key`).

    `of` is what it is determined by, a run's key say; None where it is made anew each time.
    `numbers=None` leaves them out. `on_select` is called when a mark of the chart's selection
    "run" is clicked.
    """
    made = drawing(make(), key, alt) if of is None else kept(of, make, key, alt)
    _chart(made, on_select)
    if numbers is not None:
        export.table(made.table, numbers or key, f"{key}.table")


def drawing(figure: "Figure", key: str, alt: str, title: str = "") -> Drawing:
    """A figure made ready to be shown again and again."""
    from core import figures

    chart, table = figure
    return Drawing(key, alt, figures.specification(chart), table, title)


def frame(rows: Sequence[dict[str, Any]]) -> Frame:
    """A table from its rows, which may lack some columns."""
    return Frame(pd.DataFrame(rows).fillna("–"))


def show(parts: Sequence[Part]) -> None:
    """One part under another."""
    for part in parts:
        if isinstance(part, Row):
            for place, each in zip(st.columns(len(part.drawings)), part.drawings, strict=True):
                with place:
                    _draw(each)
        elif isinstance(part, Drawing):
            _draw(part)
        elif isinstance(part, Frame):
            st.dataframe(part.table, hide_index=True, width="content")
        else:
            st.caption(part.text)


def _draw(each: Drawing) -> None:
    if each.title:
        st.markdown(f"**{each.title}**")
    _chart(each)
    export.table(each.table, each.key, f"{each.key}.table")


def _chart(each: Drawing, on_select: Callable[[], None] | None = None) -> None:
    wide = "content" if isinstance(each.spec.get("width"), int) else "stretch"
    choice = {"on_select": on_select, "selection_mode": "run"} if on_select else {}
    st.vega_lite_chart(spec=each.spec, key=each.key, alt=each.alt, width=wide, **choice)
