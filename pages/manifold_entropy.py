"""Reading a decoder by manifold entropic metrics (Galperin and Koethe 2025)."""

from typing import cast

import numpy as np
import pandas as pd
import streamlit as st

from core.decoders import ruler
from core.entropy import NORMAL
from core.legend import SCORES
from core.lessons import LESSONS
from core.scenarios.flows import Flows
from ui import article, numbers, recovery, runner, seeds
from ui.entropic import columns, digits, measured, waterfall
from ui.window import address

scenario = LESSONS["manifold_entropy"]
PARTS = {  # of an entropy: its score, and what of the latents' own is in it
    "core": ("core_entropy_nats", NORMAL),
    "detail": ("detail_entropy_nats", NORMAL),
    "total corr.": ("mtc_nats", 0.0),
    "entropy": ("entropy_nats", 2 * NORMAL),
}
SHOWN = ("mtc_nats", "core_entropy_nats", "detail_entropy_nats", "nll", "mcc", "mcc_spearman",
         "linear_r2")  # fmt: skip


def draw(shown: runner.Shown, choice: recovery.Choice) -> None:
    """Coordinate lines and waterfall, the numbers, and the curves of every seed."""
    params = cast(Flows, shown.experiment.params)
    seed, run = recovery.run_drawn(shown, choice)
    if run is None:
        return
    promise = scenario.promise(params)
    place = numbers.places()
    numbers.show(run, promise, only=SHOWN, place=place)
    with place.picture:
        view = waterfall.view_of(run, params, shown.stale)
        recovery.picture(view, "plane", 330 if address.presenting() else 264)
    recovery.picture_first("plane")
    seeds.together(shown, run, promise, place)
    with place.more:
        st.caption(linear(run))
    if address.presenting():
        return
    if params.data == "turned" and run.on_the_way:  # nothing is trained: no curves over training
        columns.by_turn(run)
    else:
        levels = {"entropy of the truth": run.scores.get("loss_floor")}
        offered = [name for name in scenario.scores if name not in promise.silent]
        seeds.curves(shown, run, offered, levels, f"seed {seed}")


def linear(run: recovery.Run) -> str:
    """The ruler under a total correlation: linear decoders with the covariance of the points."""
    marks = ruler.of_covariance(np.cov(run.world["x"].astype(float).T))
    said = ", ".join(f"{name} {SCORES['mtc_nats'].written(m.value)}" for name, m in marks.items())
    return f"Total correlation of linear decoders with the points’ covariance, in nats: {said}."


PUBLISHED = {  # two moons, read off the paper's poster: H core, H detail, total correlation, H
    "likelihood": (-0.3, -0.4, 1.2, -1.8),
    "likelihood, total correlation": (-0.55, -1.2, 0.0, -1.8),
    "likelihood, reconstruction": (0.5, -2.2, 0.1, -1.8),
}
PRIOR = 2 * NORMAL  # entropy of the latents, which the poster leaves out


def paper() -> None:
    """The paper's two moons beside ours, and what of it is not here."""
    rows = []
    for preset, (objective, theirs) in zip(
        ("moons", "moons-mtc", "moons-rec"), PUBLISHED.items(), strict=True
    ):
        chosen = next(each for each in scenario.presets if each.name == preset)
        runs = seeds.stored(scenario, chosen.params)
        row = {"two moons": objective}
        for (part, (name, less)), published in zip(PARTS.items(), theirs, strict=True):
            values = [v - less for r in runs if (v := r.scores.get(name)) is not None]
            row[f"{part}, paper"] = f"≈ {published:g}".replace("-", "−")
            row[f"{part}, here"] = seeds.span_of(values, name) or "not measured here"
        rows.append({**row, "seeds here": str(len(runs))})
    ours = Flows()
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="content")
    st.caption(
        "In nats. Paper: Galperin and Köthe 2025, poster, read off a figure; one run each, with "
        "flows of width 128 and batches of 1,024. Entropies there leave out the latents’ own "
        f"({PRIOR:.3f} nats), and so does this table. Here: width {ours.width}, batches of "
        f"{ours.batch}, {ours.steps} steps (there 1,000), weights of our own choice."
    )
    st.markdown(
        "**What is not here**: their EMNIST digits at 28 × 28 with convolutional flows, the torus "
        "of 20 dimensions and the β-VAEs. The part on digits repeats the comparison of a wavelet "
        "flow with a plain one at 8 × 8, on networks without convolutions."
    )


article.Article(
    scenario,
    "One density, many decoders: their columns tell them apart",
    "A flow $g$ turns a normal $z$ into data $x$. How well it fits says nothing of its latents. "
    "The columns of its Jacobian say how far each moves $x$, and what two of them share.",
    article.panel_of(scenario, draw),
    [
        article.Part("why", "Why it works", article.of_run(columns.why)),
        article.claimed(("manifold_entropy", "digits"), columns.FIGURES | digits.FIGURES),
        digits.part(),
        measured.part(),
        article.Part(article.PAPER, "The paper", article.alone(paper)),
    ],
    "Galperin, Köthe: Analyzing Generative Models by Manifold Entropic Metrics, AISTATS 2025, "
    "arXiv 2410.19426. The flows are neural spline flows (Durkan et al. 2019) as in zuko.",
    sides=False,
).show()
