"""Contrastive learning on a box: the norm or the walls find the axes (Zimmermann et al. 2021)."""

from typing import cast

import numpy as np
import streamlit as st

from core.lessons import LESSONS
from core.scenarios.infonce_box import InfoNCEBox
from ui import article, numbers, papers, recovery, runner, seeds
from ui.boxed import picture
from ui.boxed.why import why
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
    floor = "floor" if params.negatives == "views" else "at truth"
    numbers.show(run, promise, floor, place=place)
    with place.picture:
        box, pairs = st.columns([3.2, 1], gap="small", vertical_alignment="center")
        with box:
            view = picture.view_of(run, params, choice, shown.stale)
            recovery.picture(view, "box", 365 if address.presenting() else 264)
        with pairs:
            picture.matching(run)
    recovery.picture_first("box")
    seeds.together(shown, run, promise, place)
    if not address.presenting():
        seeds.curves(shown, run, scenario.scores, loss_levels(params, run), f"seed {seed}")


def loss_levels(params: InfoNCEBox, run: recovery.Run) -> dict[str, float | None]:
    """What the loss is held against: the truth, and knowing nothing."""
    if params.objective == "supervised":
        return {}
    floor = "Bayes floor" if params.negatives == "views" else "value at the truth"
    terms = params.batch + (params.negatives == "anchors")
    return {floor: run.scores.get("loss_floor"), "chance": float(np.log(terms))}


def paper() -> None:
    """The rows of Tables 1 and 2 in a box and unbounded, beside our runs."""
    papers.beside("infonce_box", "contrastive-1", "contrastive-2")


article.Article(
    scenario,
    "Contrastive learning on a box finds the axes",
    "Independent latents fill a box that $g$ hides. An encoder $f$ sees pairs of close "
    "observations, and compares codes by a norm $p$. If that norm knows the axes, or walls press, "
    "each code is one latent.",
    lambda experiment, choice: runner.panel(
        experiment,
        lambda shown: draw(shown, choice),
        "run",
        before=article.opening(scenario),
        row=choice.row,
    ),
    article.standard(scenario, why, paper),
    "Zimmermann, Sharma, Schneider, Bethge, Brendel: Contrastive Learning Inverts the Data "
    "Generating Process, ICML 2021, arXiv 2102.08850. What the walls do is this project's own "
    "finding.",
).show()
