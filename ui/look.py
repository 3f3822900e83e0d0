"""What the theme in .streamlit/config.toml cannot say."""

import streamlit as st

from core.legend import PAGE

# On the dark page the primary colour is light, for it also writes the values of sliders there;
# Streamlit writes white on it all the same.
STYLE = f"""<style>
[data-testid="stBaseButton-primary"] {{ color: light-dark(#ffffff, {PAGE["dark"]}); }}
</style>"""


def dress() -> None:
    """Once a page, before anything is drawn."""
    st.html(STYLE)
