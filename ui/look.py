"""What the theme in .streamlit/config.toml cannot say."""

import streamlit as st

from core.legend import PAGE

# what comes and goes in these rows moves nothing below them
ROW, LESSON = "2.5rem", "3.8rem"  # a button's height; two lines
# On the dark page the primary colour is light, for it also writes the values of sliders there;
# Streamlit writes white on it all the same.
STYLE = f"""<style>
[data-testid="stBaseButton-primary"] {{ color: light-dark(#ffffff, {PAGE["dark"]}); }}
[class*="training_row"], [class*="choices_row"] {{ min-height: {ROW}; }}
[class*="status-training_row"] {{ margin-bottom: -0.5rem; }}
[class*="lesson_row"] {{ min-height: {LESSON}; }}
</style>"""


def dress() -> None:
    """Once a page, before anything is drawn."""
    st.html(STYLE)
