"""The map: which pages there are."""

import streamlit as st

from ui import runner, story
from ui.player.view import preload_plotly
from ui.window import address, door, look, turns

st.set_page_config(page_title="Identifiability Explorer", page_icon="🌐", layout="wide")
with turns.taken():
    home = st.Page("pages/home.py", title="Identifiability Explorer", default=True)
    pages = {
        group: [st.Page(f"pages/{name}.py", title=title) for name, title in titles.items()]
        for group, titles in ({"Start": {}} | story.MENU | story.READING).items()
    }
    page = st.navigation(
        {**pages, "Start": [home, *pages["Start"]]},
        position="hidden" if st.context.is_embedded else "top",
    )
    address.arrive(page.url_path or "home")
    look.dress()
    preload_plotly()
    with door.closed_to_tracebacks():
        page.run()
        address.finished()
runner.warm_up()
