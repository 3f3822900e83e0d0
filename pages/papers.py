"""The papers' tables, retrained here: published and measured side by side."""

import pandas as pd
import streamlit as st

from core.papers import TABLES
from core.papers.images import UNRUN
from core.papers.table import Table
from ui import papers, story
from ui.window import address

IMAGES = "images"
FITS, SCORE = "fits", "score"
BAR = {**{table.name: table.short for table in TABLES.values()}, IMAGES: "Files of yours"}
SCORES = dict.fromkeys(column.name for table in TABLES.values() for column in table.columns)


def choices(table: Table) -> str:
    """Which rows are drawn, and which score of them: its name."""
    titles = {column.name: column.title for column in table.columns}
    if address.get(SCORE) not in titles:
        address.put(SCORE, None)  # of another table
    chosen = address.get(SCORE) or table.columns[0].name
    state = address.owned(f"{SCORE}.bar")
    st.session_state[state] = chosen

    def turn() -> None:
        address.put(SCORE, st.session_state[state])

    with st.container(horizontal=True, gap="small"):
        st.segmented_control(
            "Score", list(titles), default=chosen, required=True, format_func=titles.get,
            key=state, label_visibility="collapsed", on_change=turn,
        )  # fmt: skip
        st.segmented_control(
            "Rows", list(papers.FITS), default=address.get(FITS), required=True,
            format_func=papers.FITS.get, key=address.widget(FITS), label_visibility="collapsed",
            help="Whether a row's model matches what the theory assumes: the paper's column M.",
        )  # fmt: skip
    return chosen


def one(table: Table) -> None:
    """A table: its dots, what differs, and every number with a link to its runs."""
    name = choices(table)
    found = papers.compared(table, address.get(FITS))
    column = next(each for each in table.columns if each.name == name)
    picture, said = st.columns([1.6, 1], gap="medium")
    with picture:
        papers.dots(found, table, column)
        st.caption(":gray[◇ published, with its deviation] · :orange[●] here, a dot a seed. "
                   + column.note)  # fmt: skip
    with said:
        papers.disagreements(found, table)
    st.subheader("Every number, and its runs", anchor="numbers")
    papers.linked(found)
    papers.about(table)


def images() -> None:
    """The tables of image data sets: what each needs, what it prints, what measures it here."""
    st.caption("Measured from a shell where the data sets' files lie in the folder EXPLORER_DATA: "
               "`docs/datasets.md` says how to get them.")  # fmt: skip
    for table in UNRUN:
        st.markdown(f"**{table.title}** ({table.source})")
        st.markdown(f"Needs: {table.needs}")
        if table.command:
            st.code(table.command, language="bash")
        if table.rows:
            with st.expander("As printed"):
                st.dataframe(pd.DataFrame(table.rows), hide_index=True, width="content")


address.declare(
    address.choice(story.PART, BAR, "The table", next(iter(BAR)), BAR.get),
    address.choice(FITS, papers.FITS, "Which rows", "all"),
    address.choice(SCORE, SCORES, "The score"),
    *address.EVERYWHERE,
)
address.sync()
opened = address.get(story.PART)
story.title("The papers' tables, retrained here")
story.bar(BAR, opened)
story.refused(address.refusals())
if opened == IMAGES:
    images()
else:
    st.caption(f"{TABLES[opened].title} ({TABLES[opened].source}).")
    one(TABLES[opened])
address.sync()
