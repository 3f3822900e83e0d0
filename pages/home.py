"""What the explorer is, and how to read its scores."""

import streamlit as st

st.title("When does a trained encoder recover the latents that generated its data?", anchor=False)
