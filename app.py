"""The map: which pages there are."""

import streamlit as st

from ui import address, door, look, runner
from ui.latent_view import preload_plotly

st.set_page_config(page_title="Identifiability Explorer", page_icon="🌐", layout="wide")
page = st.navigation(
    [
        st.Page("pages/home.py", title="Identifiability Explorer", default=True),
        st.Page("pages/infonce_sphere.py", title="InfoNCE on a sphere"),
        st.Page("pages/vmf_clusters.py", title="vMF clusters"),
        st.Page("pages/gradient_reversal.py", title="Gradient reversal"),
        st.Page("pages/laplace_violation.py", title="Laplace violation"),
    ],
    position="top",
)
address.arrive(page.url_path or "home")
look.dress()
preload_plotly()
with door.closed_to_tracebacks():
    page.run()
    address.finished()
runner.warm_up()
