"""The furniture that pages share."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

# Until a first visitor has passed through app.py, Streamlit serves the files of a folder named
# pages/ by its older convention: alone, without our navigation and page config. Whoever opens a
# link to a page on a fresh server would see that; the run starts again through app.py instead.
if PagesManager.uses_pages_directory:
    PagesManager.uses_pages_directory = False
    st.rerun()
