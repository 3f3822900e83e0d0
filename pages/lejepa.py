"""LeJEPA: when aligned views and Gaussian codes recover the latents (Klindt et al. 2026)."""

from typing import cast

import streamlit as st

from core.lessons import LESSONS
from core.scenarios.lejepa import LeJEPA
from ui import article, numbers, recovery, runner, seeds
from ui.lejepa import laws, picture, protocol, spectrum
from ui.lejepa.why import why
from ui.window import address

scenario = LESSONS["lejepa"]
SHOWN = ("linear_r2", "orthogonal_r2", "degree_share_1", "gain", "procrustes_error",
         "procrustes_bound")  # fmt: skip


def draw(shown: runner.Shown, choice: recovery.Choice) -> None:
    """The grid beside what becomes of it, what f is fed, the spectrum and every seed's curves."""
    params = cast(LeJEPA, shown.experiment.params)
    seed, run = recovery.run_drawn(shown, choice)
    if run is None:
        return
    promise = scenario.promise(params)
    place = numbers.places()
    numbers.show(run, promise, only=SHOWN, place=place)
    with place.picture:
        box, beside = st.columns([3.2, 1], gap="small", vertical_alignment="center")
        with box:
            view = picture.view_of(run, params, choice, shown.stale)
            recovery.picture(view, "lejepa", 330 if address.presenting() else 264)
        with beside:
            picture.observed(run)
    recovery.picture_first("lejepa")
    seeds.together(shown, run, promise, place)
    if not address.presenting():
        spectrum.show(shown, params, seed)
        seeds.curves(shown, run, scenario.scores, {}, f"seed {seed}", "Training loss")


article.Article(
    scenario,
    "LeJEPA finds the world where the world is Gaussian",
    "Gaussian latents are wound up by $g$. An encoder $f$ sees two close views, and is to give "
    "them like codes whose law stays Gaussian, or only white. Then its codes are the latents, "
    "turned. Of another law they are not.",
    article.panel_of(scenario, draw),
    [
        article.Part("why", "Why it works", article.of_run(why)),
        article.Part("laws", "Which laws", article.alone(laws.show)),
        article.claimed(("lejepa",), laws.FIGURES),
        article.Part(article.PAPER, "The paper", article.alone(protocol.show)),
    ],
    "Klindt, LeCun, Balestriero: When Does LeJEPA Learn a World Model?, 2026, arXiv 2605.26379. "
    "SIGReg: Balestriero and LeCun, LeJEPA, 2025.",
).show()
