"""The box's lines carried by h beside the true ones, and which code stands for which latent."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import streamlit as st

from core.colours import direction_colours
from core.laws.spaces import Box, Flat
from ui import recovery, sheet
from ui.player.view import LatentView

ROOM = 0.92  # of the picture that the true cube takes, in half its height
EDGES = 12  # of a cube, which come first among its lines
LOW, LINE = 164, 16  # pixels of the matrix where another picture takes room; of a named row
AROUND = 84  # of it, what is no row
MATRIX = "matching"  # the container of what is drawn of the last frame alone


class OfFlat(Protocol):
    """The parameters of a scenario whose latents live in a box, or in R^d."""

    @property
    def flat(self) -> Flat: ...


def view_of(
    run: recovery.Run, params: OfFlat, choice: recovery.Choice, stale: bool = False
) -> LatentView:
    """Points and lines of the cube, true and recovered, in its half sides.

    Aligned: codes in the order and with the signs of the latents that they match at the last
    frame, each shifted and scaled to its latent's mean and deviation, and nothing more: a turned
    box stays turned. As learnt: shifted and scaled alike in all directions.
    """
    d = run.z.shape[1]
    drawn = choice.axes if d > 3 and max(choice.axes) < d else tuple(range(min(d, 3)))
    space = params.flat
    unit = (space.high - space.low) / 2 / ROOM
    onto, shift = (matched if choice.aligned else as_learnt)(run)

    def true(z: np.ndarray) -> np.ndarray:
        return ((z - space.centre) / unit)[..., list(drawn)]

    def recovered(z_hat: np.ndarray) -> np.ndarray:
        return true(z_hat @ onto + shift)

    lines = len(drawn) == d
    score = run.scores.get("mcc")
    said = "not finite" if score is None else f"{score:.3f}"
    return LatentView(
        run=run.name,
        d=len(drawn),
        z=true(run.z),
        z_hat=recovered(run.z_hat),
        steps=run.steps,
        total=run.total,
        colours=direction_colours(true(run.z)),
        net=true(run.net) if lines else np.zeros((0, 0, len(drawn)), np.float32),
        net_hat=recovered(run.net_hat) if lines
        else np.zeros((len(run.z_hat), 0, 0, len(drawn)), np.float32),
        net_bold=tuple(range(EDGES)) if d == 3 else (0, len(run.net) // 2 - 1, len(run.net) // 2,
                                                     len(run.net) - 1) if d == 2 else (),
        curved=False,
        titles=("True latents z", f"Recovered ẑ, {'matched' if choice.aligned else 'as learnt'}"),
        alt=f"The true latents' axes beside what becomes of them at step {run.steps[-1]}; "
        f"MCC {said}.",
        note="; ".join(_remarks(run, params, choice, drawn)),
        whiskers=False if choice.aligned else None,
        live=run.live,
        stale=stale,
        follow=recovery.follow(run, ends=(MATRIX,)),
    )  # fmt: skip


def matched(run: recovery.Run) -> tuple[np.ndarray, np.ndarray]:
    """The map (d, d) and shift (d,) that bring each code to the latent it stands for."""
    from core import metrics  # scipy takes a while to import, and the numbers come first

    last = run.z_hat[-1].astype(float)
    if not np.isfinite(last).all():
        return np.eye(last.shape[1], run.z.shape[1]), np.zeros(run.z.shape[1])
    return metrics.generalised_permutation(run.z.astype(float), last)


def as_learnt(run: recovery.Run) -> tuple[np.ndarray, np.ndarray]:
    """One scale and a shift: the codes' cloud as large as the latents', where that is."""
    last = run.z_hat[-1].astype(float)
    spread = last.std()
    if not (np.isfinite(spread) and spread > 0):
        return np.eye(last.shape[1], run.z.shape[1]), np.zeros(run.z.shape[1])
    scale, d = run.z.std() / spread, run.z.shape[1]
    onto = scale * np.eye(last.shape[1], d)  # of more codes the first, of fewer all
    return onto, run.z.mean(0) - last.mean(0) @ onto


def _remarks(
    run: recovery.Run, params: OfFlat, choice: recovery.Choice, drawn: tuple[int, ...]
) -> list[str]:
    remarks = [run.end] if run.end else []
    if len(drawn) < run.z.shape[1]:
        remarks.append(
            f"coordinates {', '.join(str(axis + 1) for axis in drawn)} of {run.z.shape[1]}"
        )
    how = (
        "codes in the latents’ order, mirrored and scaled one by one, never turned"
        if choice.aligned
        else "codes shifted and scaled alike in all directions"
    )
    wider = not isinstance(params.flat, Box)
    return [*remarks, *([f"lines to ±{params.flat.high:g}"] if wider else []), how]


def matching(run: recovery.Run, briefly: bool = False, names: Sequence[str] = ()) -> None:
    """|correlation| of each latent with each code, the pairs that MCC counts outlined.

    Latents go by their `names` where they have any.
    """
    from core import figures, metrics
    from core.figures.proofs import MATCHED

    z, z_hat = run.z.astype(float), run.z_hat[-1].astype(float)
    with st.container(key=MATRIX):
        if not np.isfinite(z_hat).all():
            st.caption("The codes of this run are not finite.")
            return
        correlation, pairs = metrics.matching(z, z_hat)
        st.caption("**|Correlation|**, matches outlined" if briefly else "**|Correlation|** of "
                   "latents (rows) and codes; outlined: the pairs that MCC averages.")  # fmt: skip
        height = max(LOW, AROUND + LINE * len(names)) if briefly else MATCHED
        sheet.figure(
            "matching", "Absolute correlation of every latent with every code, matched pairs "
            "outlined.",
            lambda: figures.matching(correlation, pairs, height=height, names=names),
            of=None if run.live else (run.name,), numbers=None if run.live else "matching",
        )  # fmt: skip
