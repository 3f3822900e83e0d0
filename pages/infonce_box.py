"""Contrastive learning on a box: the norm or the walls find the axes (Zimmermann et al. 2021)."""

from typing import cast

import streamlit as st

from core.lessons import LESSONS
from core.scenarios.infonce_box import InfoNCEBox
from ui import article, numbers, papers, recovery, runner, seeds
from ui.pairs import picture, runs
from ui.pairs.why import why
from ui.window import address

scenario = LESSONS["infonce_box"]


def draw(shown: runner.Shown, choice: recovery.Choice) -> None:
    """The box's lines beside what becomes of them, who matches whom, and every seed's curves."""
    params = cast(InfoNCEBox, shown.experiment.params)
    seed, run = recovery.run_drawn(shown, choice)
    if run is None:
        return
    promise = scenario.promise(params)
    place = numbers.places()
    runs.show(run, promise, params, place)
    with place.picture:
        box, beside = st.columns([3.2, 1], gap="small", vertical_alignment="center")
        with box:
            view = picture.view_of(run, params, choice, shown.stale)
            recovery.picture(view, "box", 365 if address.presenting() else 264)
        with beside:
            picture.matching(run)
    recovery.picture_first("box")
    seeds.together(shown, run, promise, place)
    if not address.presenting():
        runs.curves(shown, run, scenario, params, seed)


def paper() -> None:
    """The rows of Tables 1 and 2 in a box and unbounded, beside our runs."""
    papers.beside("infonce_box", "contrastive-1", "contrastive-2")


article.Article(
    scenario,
    "Contrastive learning on a box finds the axes",
    "Independent latents fill a box that $g$ hides. An encoder $f$ sees pairs of close "
    "observations, and compares codes by a norm $p$. If that norm knows the axes, or walls press, "
    "each code is one latent.",
    article.panel_of(scenario, draw),
    article.standard(scenario, why, paper),
    "Zimmermann, Sharma, Schneider, Bethge, Brendel: Contrastive Learning Inverts the Data "
    "Generating Process, ICML 2021, arXiv 2102.08850. What the walls do is this project's own "
    "finding.",
).show()
