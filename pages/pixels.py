"""Factors of pictures, from pairs and from classes, and what a probe of a code proves."""

from typing import cast

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.lessons import LESSONS
from core.scenarios.pixels import Pixels
from ui import article, numbers, recovery, runner, seeds, sheet
from ui.pairs import picture, runs
from ui.pixels import factors, files, papers, pictures, proves
from ui.pixels.why import why
from ui.window import address

scenario = LESSONS["pixels"]
SHOWN = ("mcc", "mcc_spearman", "linear_r2", "label_accuracy", "loss")


def draw(shown: runner.Shown, choice: recovery.Choice) -> None:
    """A factor that moves, latents beside codes or what a class keeps, and every seed's curves."""
    params = cast(Pixels, shown.experiment.params)
    seed, run = recovery.run_drawn(shown, choice)
    if run is None:
        return
    promise = scenario.promise(params)
    place = numbers.places()
    if params.task == "classify":
        chance = run.scores.get("chance")
        ideals = {} if chance is None else {"label_accuracy": f"chance {chance:.2f}"}
        numbers.show(run, promise, ideals=ideals, only=SHOWN, place=place)
    else:
        runs.show(run, promise, params, place, SHOWN)
    with place.picture:
        if params.task == "classify" and not run.live:
            strip = st.container()
            factors.show(shown, run, params)
        else:
            strip = latents(run, params, choice, shown.stale)
    recovery.picture_first("pixels")
    with strip:
        pictures.strip(params)
    seeds.together(shown, run, promise, place)
    if address.presenting():
        return
    if params.task == "pairs":
        factors.show(shown, run, params)
    curves(shown, run, params, seed)


def curves(shown: runner.Shown, run: recovery.Run, params: Pixels, seed: int) -> None:
    """Loss and a score over training, every seed's."""
    if params.task == "classify":
        levels = {"chance": float(np.log(params.classes))}
        seeds.curves(shown, run, ("label_accuracy", "linear_r2", "mcc"), levels, f"seed {seed}")
    elif params.method == "slowvae":
        seeds.curves(shown, run, ("mcc", "linear_r2"), {}, f"seed {seed}")
    else:
        runs.curves(shown, run, scenario, params, seed)


def latents(
    run: recovery.Run, params: Pixels, choice: recovery.Choice, stale: bool
) -> DeltaGenerator:
    """True latents beside recovered ones, and who matches whom; a place over them for pictures."""
    box, beside = st.columns([2.4, 1], gap="small", vertical_alignment="center")
    with box:
        above = st.container()
        view = picture.view_of(run, params, choice, stale)
        recovery.picture(view, "pixels", 232 if address.presenting() else 156)
    with beside:
        words = [factor.word for factor in params.seen.factors]
        picture.matching(run, briefly=True, names=words)
    return above


FIGURES = {
    "kept": lambda: sheet.show(factors.classes()),
    "wide": lambda: sheet.show(factors.widths()),
    "luck": lambda: sheet.show(factors.luck()),
    **proves.FIGURES,
}

article.Article(
    scenario,
    "From pixels: the factors behind pictures",
    "Factors $z$ are drawn as a picture $x$. An encoder $f$ sees pairs of pictures whose factors "
    "are close, or classes, and nobody tells it the factors. Which ones does its code keep?",
    article.panel_of(scenario, draw),
    [
        article.Part("why", "Why it works", article.of_run(why)),
        article.Part("axes", "Along an axis", article.of_run(pictures.along)),
        proves.part(),
        article.claimed(("pixels", "probes"), FIGURES),
        article.Part(article.PAPER, "The papers", article.alone(papers.show), (files.SETTINGS,)),
    ],
    "Zimmermann et al., ICML 2021, arXiv 2102.08850; Klindt et al. (SlowVAE), ICLR 2021, arXiv "
    "2007.10930; Reizinger et al., ICLR 2025, arXiv 2410.21869. The pictures are this project’s "
    "own, in the spirit of dSprites, KITTI Masks and 3DIdent, unless a data set is the world.",
    one_sided=lambda params: params.task == "classify",
    more=pictures.SETTINGS,
).show()
