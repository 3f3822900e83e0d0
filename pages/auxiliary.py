"""Nonlinear ICA from an auxiliary variable (Hyvarinen and Morioka 2016, and its relatives)."""

from typing import cast

import numpy as np
import streamlit as st

from core.lessons import LESSONS
from core.scenarios.auxiliary import Auxiliary
from ui import article, numbers, recovery, runner, seeds
from ui.auxiliary import paper, sources
from ui.auxiliary.why import why
from ui.pairs import picture
from ui.window import address

scenario = LESSONS["auxiliary"]
SHOWN = ("mcc", "mcc_spearman", "linear_r2", "modulation_rank", "modulation_condition", "loss")


def draw(shown: runner.Shown, choice: recovery.Choice) -> None:
    """Sources beside codes by segment, who matches whom, and every seed's curves."""
    params = cast(Auxiliary, shown.experiment.params)
    seed, run = recovery.run_drawn(shown, choice)
    if run is None:
        return
    promise = scenario.promise(params)
    place = numbers.places()
    asked = {"modulation_rank": f"asked for: {params.d}"}
    numbers.show(run, promise, "Bayes", ideals=asked, only=SHOWN, place=place)
    with place.picture:
        box, beside = st.columns([3.2, 1], gap="small", vertical_alignment="center")
        with box:
            view = sources.view_of(run, params, choice, shown.stale)
            recovery.picture(view, "sources", 335 if address.presenting() else 264)
        with beside:
            picture.matching(run, briefly=not address.presenting())
    recovery.picture_first("sources")
    seeds.together(shown, run, promise, place)
    if not address.presenting():
        pairs = params.method == "gcl"  # of which each, real or shuffled, is told
        chance = 2 * np.log(2) if pairs else np.log(params.n_segments)
        levels = {"Bayes floor": run.scores.get("loss_floor"), "chance": float(chance)}
        seeds.curves(shown, run, scenario.scores, levels, f"seed {seed}")


article.Article(
    scenario,
    "Sources that change with the segment can be told apart",
    "Sources $s$, hidden by $g$, change their scales with a segment $u$. An encoder $f$ learns "
    "which segment $x$ is from. With enough of them its code is $q(s)$, such as $|s|$, up to a "
    "linear map, which ICA undoes.",
    article.panel_of(scenario, draw),
    article.standard(scenario, why, paper.show),
    "Hyvärinen and Morioka: Unsupervised Feature Extraction by Time-Contrastive Learning and "
    "Nonlinear ICA, NeurIPS 2016, arXiv 1605.06336; Hyvärinen, Sasaki, Turner, AISTATS 2019, arXiv "
    "1805.08651; Khemakhem, Kingma, Monti, Hyvärinen, AISTATS 2020, arXiv 1907.04809; the linear "
    "ICA is that of Pham and Cardoso, IEEE Transactions on Signal Processing 49 (2001).",
).show()
