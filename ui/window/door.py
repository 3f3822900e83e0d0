"""The door of a page: what goes wrong behind it is said in a sentence, with a way back, and logged.

Links and knobs reach many settings; a visitor who finds one that fails should lose neither the
page nor what they were doing, and whoever runs the server should learn why.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from ui.window import address

log = logging.getLogger(__name__)


@contextmanager
def closed_to_tracebacks(place: str = "page") -> Iterator[None]:
    """Catch what a page, or a panel of it that is drawn by itself, did not foresee.

    `place` tells the doors of a page apart.
    """
    try:
        yield
    except Exception as error:  # not Streamlit's own signals to stop or run again
        log.exception("a page could not be drawn: %s", st.context.url)
        st.error(
            f"This setting could not be drawn to the end ({type(error).__name__}). The reason is "
            "in the server's log; the page still works at its other settings.",
            icon=":material/error:",
        )
        st.button(
            "Back to the page as it starts",
            key=address.owned(f"door.{place}"),
            icon=":material/restart_alt:",
            on_click=address.reset,
        )
