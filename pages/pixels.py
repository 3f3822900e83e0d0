"""Factors of pictures, from pairs and from classes, and what a probe of a code proves."""

from typing import cast

import numpy as np
import pandas as pd
import streamlit as st

from core.lessons import LESSONS
from core.lessons.pixels import CLASSES, NORMAL, SCENE, SLOW
from core.papers.images import DISLIB, IDENT, KITTI
from core.scenarios.pixels import Pixels
from ui import article, numbers, recovery, runner, seeds, sheet
from ui.pairs import picture, runs
from ui.pixels import factors, pictures, proves
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
    runs.show(run, promise, params, place, SHOWN)
    with place.picture:
        strip = st.container(key=address.owned("inputs"))
        if params.task == "classify" and not run.live:
            factors.show(shown, run, params)
        else:
            latents(run, params, choice, shown.stale)
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


def latents(run: recovery.Run, params: Pixels, choice: recovery.Choice, stale: bool) -> None:
    """True latents beside recovered ones, and who matches whom."""
    box, beside = st.columns([3.2, 1], gap="small", vertical_alignment="center")
    with box:
        view = picture.view_of(run, params, choice, stale)
        recovery.picture(view, "pixels", 300 if address.presenting() else 184)
    with beside:
        picture.matching(run, briefly=True)


def paper() -> None:
    """The papers' image tables beside our worlds: other pictures, the same question."""
    st.markdown(
        "The papers’ pictures are others, larger, and seen by larger networks for longer. What "
        "can be compared is the order of the models, not a number."
    )
    st.markdown(f"**{KITTI.title}** ({KITTI.source})")
    ours: dict[str, dict] = {
        "SlowVAE, unbounded": SLOW, "Laplace, unbounded": {}, "Laplace, box": {"space": "box"},
        "normal, unbounded": NORMAL, "normal, box": {**NORMAL, "space": "box"},
    }  # fmt: skip
    rows = [
        {
            "model": model,
            **{f"paper, Δt {row['mean Δt']}": row[model] for row in KITTI.rows},
            "walkers’ masks here": _percent(setting, "mcc"),
        }
        for model, setting in ours.items()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="content")
    st.caption(
        "MCC in percent. There all models see the walkers’ own steps; here the normal model’s are "
        f"normal. SlowVAE here has ten codes, and {SLOW['steps']:,} steps."
    )
    st.markdown(f"**{IDENT.title}** ({IDENT.source})")
    printed = {row["model space"]: row for row in IDENT.rows if row["matched"] in ("yes", "no")
               and row["p(z̃|z)"] == "normal"}  # fmt: skip
    rows = [
        {
            "model space": space,
            "paper, R²": printed[space]["R²"], "paper, MCC": printed[space]["MCC"],
            "scene here, R²": _percent({**SCENE, "space": space}, "linear_r2"),
            "scene here, MCC": _percent({**SCENE, "space": space}, "mcc"),
        }
        for space in ("box", "unbounded")
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="content")
    st.caption("In percent. The paper has ten factors; the scene here five.")
    st.markdown(f"**{DISLIB.title}** ({DISLIB.source}), dSprites")
    printed = {row["latent"]: row for row in DISLIB.rows if row["data"] == "dSprites"}
    called = {"category": "shape", "scale": "scale", "posX": "x", "posY": "y"}
    records = seeds.stored(scenario, {**CLASSES, "label": "shape"})
    rows = [
        {
            "latent": theirs,
            "paper, x": printed[theirs]["x"], "paper, MLP": printed[theirs]["MLP"],
            **{f"here, {said}": seeds.span_of([r.scores[f"{of}r_bare_{name}"] for r in records])
               for said, of in (("x", "raw_"), ("untrained", "untrained_"), ("trained", ""))},
            "here, x with an intercept": seeds.span_of([r.scores[f"raw_r_{name}"]
                                                        for r in records]),
        }
        for theirs, name in called.items()
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="content")
    st.caption(
        "Correlation of a factor with its linear read-out, as published without an intercept. The "
        "paper’s codes are wide; ours has eight dimensions, so that it must choose. Its table has "
        "no untrained encoder."
    )


def _percent(setting: dict, score: str) -> str:
    values = [100 * v for r in seeds.stored(scenario, setting)
              if (v := r.scores.get(score)) is not None]  # fmt: skip
    return f"{min(values):.1f} to {max(values):.1f}" if values else "not measured here"


FIGURES = {"kept": lambda: sheet.show(factors.classes()), **proves.FIGURES}

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
        article.Part("paper", "The papers", article.alone(paper)),
    ],
    "Zimmermann et al., ICML 2021, arXiv 2102.08850; Klindt et al. (SlowVAE), ICLR 2021, arXiv "
    "2007.10930; Reizinger et al., ICLR 2025, arXiv 2410.21869. The pictures are this project’s "
    "own, in the spirit of dSprites, KITTI Masks and 3DIdent.",
    more=pictures.SETTINGS,
).show()
