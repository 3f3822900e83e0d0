"""What the theme in .streamlit/config.toml cannot say."""

import streamlit as st

from core.colours import PAGE

# what comes and goes in these rows moves nothing below them
ROW, LESSON = "2.5rem", "2.8rem"  # a button's height; two lines
# On the dark page the primary colour is light, for it also writes the values of sliders there;
# Streamlit writes white on it all the same.
STYLE = f"""<style>
[data-testid="stBaseButton-primary"] {{ color: light-dark(#ffffff, {PAGE["dark"]}); }}
[class*="training_row"], [class*="choices_row"] {{ min-height: {ROW}; }}
[class*="lesson_row"] {{ min-height: {LESSON}; }}
/* a page is one screen */
[data-testid="stMainBlockContainer"] {{ padding-top: 4.1rem; }}
[data-testid="stMain"] h1 {{ padding: 0; font-size: 1.5rem; line-height: 1.25; }}
[data-testid="stHeading"]:has(h1) {{ margin-bottom: 0.5rem; }}
[class*="choices_row"] {{ row-gap: 0.2rem; }}
[class*="choices_row"] [class*="training_row"]:has(button) {{ flex-wrap: nowrap; }}
[data-testid="stMain"] [data-testid="stVerticalBlock"] {{ gap: 0.6rem; }}
[class*="-presets"] button, [class*="-more"] button {{ min-height: 2rem; padding: 0.1rem 0.7rem; }}
.st-key-moves_row button {{ min-height: 2rem; padding: 0 0.45rem; }}
.st-key-moves_row button p {{ font-size: 0.82rem; }}
[data-testid="stPageLink"] p {{ white-space: normal; }}
[class*="-lead"] [data-testid="stMetricDelta"] * {{ white-space: normal; overflow: visible; }}
/* the numbers of a picture: one quiet icon under it */
[class*="st-key-"][class$="-table"] {{ height: 1.2rem; margin-top: -0.6rem; opacity: 0.65; }}
[class*="st-key-"][class$="-table"] button {{ min-height: 1.2rem; padding: 0; }}
@media (min-width: 1200px) {{ /* what is said of a run has what is left of the line */
  [class*="choices_row"] {{ flex-wrap: nowrap; }}
  [class*="choices_row"] > * {{ flex-shrink: 0; }}
  [class*="choices_row"] > :has([class*="training_row"]) {{ flex: 1 1 0; min-width: 9.5rem; }}
  [class*="training_row"] p {{ display: -webkit-box; -webkit-box-orient: vertical;
    -webkit-line-clamp: 2; overflow: hidden; line-height: 1.2; }}
  :has(> [class*="status-training_row"]) {{ /* over the end of that line, which is free then */
    width: 18rem; margin: -3.1rem 0 0 auto; z-index: 2; }}
  [data-testid="stMain"]:has([class*="status-training_row"]) [class*="-notes"]
    {{ visibility: hidden; }}
}}
@media (min-width: 641px) {{
  :has(> .st-key-to_knobs), .st-key-to_knobs {{ display: none; }}
  .st-key-drawer details:not(details details) {{ border: none; }}
  .st-key-drawer summary:not(details details summary) {{ display: none; }}
  .st-key-drawer [data-testid="stExpanderDetails"]:not(details details *) {{ padding: 0; }}
}}
@media (max-width: 640px) {{ /* the picture first, then the drawer with the knobs */
  .st-key-explore > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"]
    {{ flex-direction: column-reverse; }}
  /* the list of claims leaves the open one in sight */
  :has(> .st-key-claims_list) {{ flex: 0 0 15rem !important; height: 15rem !important; }}
}}
</style>"""


ROOM = """<style>
[data-testid="stHeader"]:not(:hover, :focus-within) { opacity: 0; }
[data-testid="stMainBlockContainer"] { padding-top: 0.8rem; }
</style>"""


def dress() -> None:
    """Once a page, before anything is drawn."""
    st.html(STYLE)


def clear() -> None:
    """Nothing of the page around it, while it is shown to a room."""
    st.html(ROOM)
