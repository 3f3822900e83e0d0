"""R² against the latents' law for three objectives, and errors under their bounds."""

from typing import cast

import numpy as np
import streamlit as st

from core.lessons import LESSONS
from core.lessons.lejepa import SHAPES, SWEEPS
from core.scenarios.lejepa import LeJEPA
from core.scenarios.scenario import knobs_of
from ui import seeds, sheet

scenario = LESSONS["lejepa"]
THEORY = "slowest function"
LEAST = 1.0  # shape that is drawn: of heavier tails see the sweep
REACHED = 1.5  # from which on encoders come to what theory says
CELLS, POINTS = 300, 60  # of the dashed line
BOUNDED = {  # presets whose codes have the latents' size
    "spiral": "Gaussian, spiral",
    "whitening": "Gaussian, white code",
    "laplace": "Laplace, white code",
    "even": "nearly uniform, white code",
}


@st.cache_data(show_spinner=False)
def slowest(transition: str) -> tuple[list[float], list[float]]:
    """Shapes, and R² of a latent on the function of it that two views agree on best."""
    from core import theory

    at = np.geomspace(REACHED, SHAPES[-1], POINTS)
    at = np.unique([*at, 2.0])
    rho = scenario.Params().rho
    found = [theory.slowest_functions(a, rho, transition, CELLS)[0][1] for a in at]
    return at.tolist(), found


def by_shape() -> list[sheet.Part]:
    """R² against shape, a line an objective, with what white codes tend to dashed."""
    from core import figures

    knobs = knobs_of(scenario.Params)
    parts: list[sheet.Part] = []
    for sweep, transition, title in (
        (SWEEPS[0], "channel", "The paper’s channel, three objectives"),
        (SWEEPS[1], "diffusion", "A diffusion that keeps the law, white codes"),
    ):
        stored = seeds.runs_of(scenario, sweep)
        runs = [(m, run) for m, run in stored if cast(LeJEPA, m.params).shape >= LEAST]
        if not runs:
            return [sheet.NOT_STORED]
        by = knobs["objective"] if sweep.by else None
        at, r2 = slowest(transition)
        parts.append(
            sheet.drawing(
                figures.sweep(runs, knobs["shape"], "linear_r2", (), by, {THEORY: (at, r2)}),
                f"shapes-{transition}", "Linear R² against the shape of the latents' law, every "
                "seed a point; what a white code tends to is dashed.", title,
            )
        )  # fmt: skip
    return [sheet.Row(parts)]  # type: ignore[arg-type]


def bound() -> list[sheet.Part]:
    """Every shipped run of some presets, its error against its bound."""
    from core import figures

    rows = []
    for preset in scenario.presets:
        if preset.name in BOUNDED:
            for run in seeds.stored(scenario, preset.params):
                limit, error = (run.scores.get(f"procrustes_{end}") for end in ("bound", "error"))
                if limit is not None and error is not None:
                    rows.append((BOUNDED[preset.name], limit, error))
    if not rows:
        return [sheet.NOT_STORED]
    drawn = figures.under_bound(rows)
    return [sheet.drawing(drawn, "bound", "Error of every run against its bound; equal dashed.")]


def show() -> None:
    """The part of the page."""
    st.markdown(
        "Nothing is hidden here, $x = z$: whatever a code bends, the loss asked for it. Among "
        "white codes alignment is least for the functions of a coordinate that two views agree on "
        "best. They are the latents themselves for a Gaussian law, $\\alpha = 2$, and bend towards "
        "a sine for lighter tails and towards the far ends for heavier ones: dashed is what that "
        "leaves of $R^2$, computed without a network."
    )
    sheet.show(by_shape())
    st.caption(
        "SIGReg pulls the other way, as it asks of a law with light tails to have Gaussian ones: "
        "where both meet depends on the weight. InfoNCE compares densities, and knows no slowest "
        "function. Encoders start beside a linear map, so that runs come down to the dashed line "
        "from above: for tails longer than a Gaussian’s they have not come so far in this time, "
        "and for tails as long as Laplace’s it lies far below the picture."
    )
    st.subheader("The error and its bound", anchor="bound")
    st.markdown(
        r"From alignment and covariance alone follows how far a code can be from a rotation: with "
        r"$\delta$ the alignment beyond its least, $\varepsilon = |\mathrm{Cov}\,h - I|_F$ and "
        r"$D = \delta / (2\rho(1 - \rho))$, $\mathbb{E}|h - Uz|^2 \le D + (\varepsilon + D)^2$ for "
        r"Gaussian latents."
    )
    sheet.show(bound())
    st.caption("Above the dashed line a bound is broken: the theorem does not speak of that law.")


FIGURES = {
    "bound": lambda: sheet.show(bound()),
    "shapes": lambda: sheet.show(by_shape()),
}
