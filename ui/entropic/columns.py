"""Why the columns tell what a density does not: three steps, and figures of two claims."""

from collections.abc import Callable
from itertools import combinations
from typing import cast

import numpy as np
import streamlit as st

from core.claimed.exact import twins
from core.flows import known
from core.legend import SCORES
from core.run.experiment import Result
from core.scenarios.flows import Flows
from ui import recovery, sheet, story
from ui.entropic.waterfall import core_first, roles

TURNS = np.arange(0.0, 91.0, 3.0)  # degrees
CURVE = np.arange(6.0, 90.5, 1.0)  # degrees between two columns
FACTORS = np.geomspace(1 / 8, 8, 49)


def why(result: Result) -> None:
    """A column's length, the angle of two, and what a likelihood sees of them, from this run."""
    from core import entropy, figures

    params = cast(Flows, result.member.params)
    columns = result.moving["columns"][-1].astype(float)
    places = result.moving["places"][-1].astype(float)
    spectrum = result.moving["spectrum"][-1:]
    order = core_first(params, spectrum)
    first = np.eye(params.size)[:, [order[0], order[-1]]]  # two latents that are turned

    def lengths() -> None:
        if params.size == 2:
            sheet.figure(
                "cells", "Data with the cells that the decoder’s two columns span at nine places.",
                lambda: figures.cells(result.world["x"].astype(float), places, columns,
                                      roles(params, spectrum)),
                of=(result.member.key,),
            )  # fmt: skip
        else:
            sheet.figure(
                "spectrum", "The latents’ manifold entropies, the largest first.",
                lambda: figures.spectrum({"": (spectrum[0].astype(float), None)}),
                of=(result.member.key,),
            )  # fmt: skip
        core, detail = (result.scores[f"{part}_entropy_nats"] for part in ("core", "detail"))
        if core is not None and detail is not None:
            written = SCORES["core_entropy_nats"].written
            st.caption(f"Over all of z: core {written(core)} nats, detail {written(detail)}.")

    def angles() -> None:
        shared = np.array([
            entropy.total_correlation(np.stack([j, j])[:, :, pair]).value
            for pair in combinations(range(params.size), 2) for j in columns
        ])  # fmt: skip
        between = entropy.angle_of(shared)
        sheet.figure(
            "angle", "What two columns share against the angle between them, at nine places.",
            lambda: figures.against_angle(
                (CURVE, entropy.shared_at(CURVE)), (between, shared),
                ("angle between the columns, degrees", "what they share, nats"), theory=True),
            of=(result.member.key,),
        )  # fmt: skip
        total, pairs = result.scores["mtc_nats"], result.scores["pairwise_mi_nats"]
        said = "Dashed: −log sin of the angle. "
        if total is not None and params.size == 2:
            st.caption(said + f"Its mean over all of z is {total:.3f} nats, the total correlation.")
        elif total is not None and pairs is not None:
            st.caption(said + f"Summed over pairs its mean is {pairs:.3f} nats; the total "
                       f"correlation, which sees more than pairs, is {total:.3f}.")  # fmt: skip

    def turned() -> None:
        rest = np.eye(params.size) - first @ first.T
        found = [
            entropy.total_correlation(
                columns @ (rest + first @ known.rotation(np.radians(t)) @ first.T)).value
            for t in TURNS
        ]  # fmt: skip
        sheet.figure(
            "turning", "Total correlation at nine places when the latents of this run are turned.",
            lambda: figures.against_angle(
                (TURNS, np.array(found)), (TURNS[:1], np.array(found[:1])),
                ("further turn of the latents, degrees", "total correlation, nats"), theory=False),
            of=(result.member.key,),
        )  # fmt: skip
        st.caption(
            "At the same nine places; the dot is the run as it is. Its likelihood is the same "
            "at every turn."
        )

    story.why(
        [
            (
                "1. A column’s length is a latent’s spread",
                r"The column $J_i = \partial g/\partial z_i$ says how far $x$ moves with latent "
                r"$i$. Its manifold entropy is $H(q_i) = \tfrac12\log 2\pi e + "
                r"\mathbb E\log\lVert J_i\rVert$: a standard deviation’s log, bends and all.",
                lengths,
            ),
            (
                "2. The angle is what two latents share",
                r"Of two columns, $\mathcal I = -\tfrac12\,\mathbb E\log(1-\cos^2\angle)$: nothing "
                "at right angles. Of all latents the total correlation is the lengths less the "
                r"volume: $\mathbb E[\sum_i\log\lVert J_i\rVert - \log|J|]$.",
                angles,
            ),
            (
                "3. A likelihood sees the area alone",
                r"In $\log p(x) = \log p(z) - \log|J|$ only the volume stands. Turn the latents, "
                r"and a normal $z$ stays normal and $|J|$ what it was, whatever becomes of lengths "
                "and angles.",
                turned,
            ),
        ]
    )


def by_turn(run: recovery.Run) -> None:
    """Total correlation at every degree that was drawn, on its closed form."""
    from core import figures

    degrees = np.arange(91.0)
    closed = np.array([known.turned(each) for each in degrees])
    read = np.asarray(run.on_the_way["mtc_nats"], float)
    sheet.figure(
        "by_turn", "Total correlation against the turn of the latents, on its closed form.",
        lambda: figures.against_angle(
            (degrees, closed), (run.steps.astype(float), read),
            ("turn of the latents, degrees", "total correlation, nats"), theory=True),
        of=(run.name,),
    )  # fmt: skip


def twin_figure() -> None:
    """What true and recovered columns share, for three kinds of codes, with their scores."""
    from core import entropy, figures

    for place, (kind, said) in zip(
        st.columns(3), {"truth": "truth", "recovered": "reordered, bent",
                        "rotated": "rotated"}.items(), strict=True,
    ):  # fmt: skip
        with place:
            found = twins.twin(kind)
            st.markdown(f"**{said}**")
            sheet.figure(
                f"twin_{kind}", f"Mutual information of true and {kind} columns.",
                lambda found=found: figures.matrix(found.cross), of=("twins", kind),
            )  # fmt: skip
            st.caption(
                f"R² {found.linear_r2:.3f}, MCC {found.mcc:.3f}, total correlation "
                f"{found.total_correlation:.3f}"
            )
    st.caption(
        f"Rows: true latents; columns: recovered ones. Nats, capped at {entropy.CAPPED:.1f}, where "
        "two columns are parallel; full colour from 1. It is the twin of the correlations behind "
        "MCC, and blind to a fold. Of latents on a sphere the choice of a tangent basis "
        "would change it: there R², entropy and volume are what can be compared."
    )


def units_figure() -> None:
    """Total correlation against the unit of one pixel."""
    from core import figures

    values = np.array([known.rescaled(factor) for factor in FACTORS])
    sheet.figure(
        "units", "Total correlation of a normal’s own axes against the unit of its first pixel.",
        lambda: figures.against_factor(
            FACTORS, values, "unit of x₁, times", "total correlation, nats"),
        of=("units",), numbers="units",
    )  # fmt: skip


FIGURES: dict[str, Callable[[], None]] = {"twins": twin_figure, "units": units_figure}
