"""What the explorer is about, in one picture; the map of its theory; a lesson of every page."""

from functools import partial

import streamlit as st

from core import figures, metrics
from core.claimed import CLAIMS, HOME
from core.colours import direction_colours
from core.lessons import LESSONS
from core.run.experiment import Experiment
from ui import claims, runner, sheet, story
from ui.map import graph
from ui.scores import turned
from ui.window import address

IN_A_ROW = 3  # pages, side by side
FIRST = ("contrastive-learning-recovers", "standard-starts-stay-folded", "annealing-unfolds")


def pipeline() -> None:
    """z -> g -> x -> f -> z_hat, drawn from a shipped run."""
    scenario = LESSONS["infonce_sphere"]
    results = runner.stored(Experiment(scenario.Params(), "infonce", (0,)).members)
    for result in results.values():
        z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
        turn, _ = metrics.procrustes(z, z_hat)
        colours = direction_colours(z)
        panels = (
            ("latents z", z), ("g →", None), ("observations x = g(z)", result.world["x"]),
            ("f →", None), ("recovered ẑ = f(x), aligned", z_hat @ turn),
        )  # fmt: skip
        places = st.columns([4, 0.7, 4, 0.7, 4], vertical_alignment="center")
        for place, (title, points) in zip(places, panels, strict=True):
            if points is None:
                place.markdown(f"##### :gray[{title}]", text_alignment="center")
                continue
            with place:
                st.markdown(f"**{title}**")
                sheet.figure(
                    title,
                    f"{title}: coloured points.",
                    partial(figures.from_the_front, points, colours),
                    of=(result.member.key,),
                    numbers="pipeline",
                )
        r2, raw = result.scores["linear_r2"], result.scores["raw_linear_r2"]
        st.caption(
            f"One run, as shipped: colour is the true direction of each latent. A linear read-out "
            f"explains {raw:.0%} of z from x, and {r2:.1%} from ẑ. Nobody told f what z was."
        )
    with st.container(horizontal=True, gap="medium"):
        for name in FIRST:
            claims.link(CLAIMS[name], claims.title(CLAIMS[name]))


def lessons() -> None:
    """Every page with the first thing to try there."""
    titles = story.TITLES | story.READING["Scores"]
    row: list[st.delta_generator.DeltaGenerator] = []
    for page, title in titles.items():
        row = row or st.columns(IN_A_ROW, gap="medium")
        with row.pop(0):
            st.subheader(title, anchor=False)
            claims.best([name for name in HOME if CLAIMS[name].page == page])
    st.page_link("pages/papers.py", icon=":material/table_chart:",
                 label="The papers' tables: published numbers beside ours, row by row")  # fmt: skip


address.declare(*address.EVERYWHERE)
address.sync()
story.opening(
    "When does an encoder find the latents behind its data?",
    "Data are made from hidden latents $z$ by a mixing $g$. An encoder $f$ is trained on pairs or "
    "labels of the data, never on $z$. Sometimes it recovers $z$: theorems say when, and here you "
    "watch it happen, or fail.",
)
pipeline()
st.header("One family", anchor="map")
graph.show()
st.page_link(
    "pages/map.py",
    icon=":material/account_tree:",
    label="The map in words, and how many labels or segments each theorem asks for",
)
st.header("Lessons", anchor="lessons")
lessons()
st.header("How to read the scores", anchor="scores")
with st.container(key="home_scores", width=560):
    turned.curve(45)
    st.page_link("pages/scores.py", icon=":material/balance:",
                 label="R² stays, MCC falls as codes turn: how far to trust a score")  # fmt: skip
