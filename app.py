"""The map: which pages there are."""

import streamlit as st

from ui import runner, story
from ui.player.view import preload_plotly
from ui.window import address, door, look

GROUPS = {
    "Contrastive": ["infonce_sphere"],
    "Cross-entropy": ["vmf_clusters", "laplace_violation"],
    "Invariance": ["gradient_reversal"],
}
st.set_page_config(page_title="Identifiability Explorer", page_icon="🌐", layout="wide")
page = st.navigation(
    {
        "Start": [st.Page("pages/home.py", title="Identifiability Explorer", default=True)],
        **{
            group: [st.Page(f"pages/{name}.py", title=story.TITLES[name]) for name in names]
            for group, names in GROUPS.items()
        },
    },
    position="top",
)
address.arrive(page.url_path or "home")
look.dress()
preload_plotly()
with door.closed_to_tracebacks():
    page.run()
    address.finished()
runner.warm_up()
