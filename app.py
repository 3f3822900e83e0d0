"""The map: which pages there are."""

import streamlit as st

from ui import runner

st.set_page_config(page_title="Identifiability Explorer", page_icon="🌐", layout="wide")
page = st.navigation(
    [
        st.Page("pages/home.py", title="Identifiability Explorer", default=True),
        st.Page("pages/infonce_sphere.py", title="InfoNCE on a sphere"),
    ],
    position="top",
)
page.run()
runner.warm_up()
