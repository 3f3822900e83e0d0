"""What the theme in .streamlit/config.toml cannot say."""

import streamlit as st

from core.legend import PAGE

ROW = "2.5rem"  # a button's height: what comes and goes in these rows moves nothing below
# On the dark page the primary colour is light, for it also writes the values of sliders there;
# Streamlit writes white on it all the same.
STYLE = f"""<style>
[data-testid="stBaseButton-primary"] {{ color: light-dark(#ffffff, {PAGE["dark"]}); }}
[class*="training_row"], [class*="lesson_row"] {{ min-height: {ROW}; }}
</style>"""


def dress() -> None:
    """Once a page, before anything is drawn."""
    st.html(STYLE)
