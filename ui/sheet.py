"""What stands under the main picture and no knob moves: made once, then shown at every rerun.

Building a chart costs Altair tens of milliseconds of validation, and such a page has dozens.
"""

from collections.abc import Sequence
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


Part = Drawing | Frame | Words | Row
NOT_STORED = Words("These runs are not stored here.")


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
    wide = "content" if isinstance(each.spec.get("width"), int) else "stretch"
    st.vega_lite_chart(spec=each.spec, key=each.key, alt=each.alt, width=wide)
    export.table(each.table, each.key, f"{each.key}.table")
