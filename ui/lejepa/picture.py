"""The latents' grid, what g makes of it, and what becomes of it in the code."""

import numpy as np
import streamlit as st

from core.colours import direction_colours
from core.scenarios.lejepa import LeJEPA
from ui import recovery, sheet
from ui.player.view import LatentView

ROOM = 0.72  # of half the picture's height that the grid takes: some latents lie beyond
MIDDLE = 4  # of the nine lines across an axis
BEYOND = 1.25  # how far from 1 the scale of a code may be before it is drawn in the latents'


def view_of(
    run: recovery.Run, params: LeJEPA, choice: recovery.Choice, stale: bool = False
) -> LatentView:
    """Latents and their grid, true and recovered, in units of the grid's half side.

    Aligned: codes are centred and turned by the best orthogonal map at the last frame; as learnt,
    centred alone. They keep their size, unless it is far from the latents', as InfoNCE's is.
    """
    d = run.z.shape[1]
    drawn = choice.axes if d > 3 and max(choice.axes) < d else tuple(range(min(d, 3)))
    unit = params.flat.high / ROOM
    turn, centre, scale = _onto_truth(run, choice.aligned)

    def true(z: np.ndarray) -> np.ndarray:
        return (z / unit)[..., list(drawn)]

    def recovered(z_hat: np.ndarray) -> np.ndarray:
        return true((z_hat - centre) @ turn * scale)

    whole = len(drawn) == d
    none = np.zeros((0, 0, len(drawn)), np.float32)
    score = run.scores.get("linear_r2")
    said = "not finite" if score is None else f"{score:.3f}"
    lines = len(run.net) // 2
    return LatentView(
        run=run.name,
        d=len(drawn),
        z=true(run.z),
        z_hat=recovered(run.z_hat),
        steps=run.steps,
        total=run.total,
        colours=direction_colours(run.z[:, drawn]),
        net=true(run.net) if whole else none,
        net_hat=recovered(run.net_hat) if whole else np.stack([none] * len(run.z_hat)),
        net_bold=(MIDDLE, lines + MIDDLE) if d == 2 else (),
        curved=False,
        titles=("True latents z", f"Recovered ẑ, {'aligned' if choice.aligned else 'as learnt'}"),
        alt=f"The true latents' grid beside what becomes of it at step {run.steps[-1]}; linear R² "
        f"{said}.",
        note="; ".join(_remarks(run, params, choice.aligned, drawn, scale)),
        whiskers=False if choice.aligned else None,
        live=run.live,
        stale=stale,
        follow=recovery.follow(run),
    )


def _onto_truth(run: recovery.Run, aligned: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """The map (d, d), centre (d,) and scale that bring codes to the latents at the last frame."""
    last, d = run.z_hat[-1].astype(float), run.z.shape[1]
    if not np.isfinite(last).all():
        return np.eye(d), np.zeros(d), 1.0
    centre, turn = last.mean(0), np.eye(d)
    size = float((last - centre).std() / run.z.std())
    scale = 1 / size if size > BEYOND else 1.0
    if aligned:
        from core import metrics  # scipy takes a while to import, and the numbers come first

        turn = metrics.procrustes(run.z.astype(float), last - centre)[0]
    return turn, centre, scale


def _remarks(
    run: recovery.Run, params: LeJEPA, aligned: bool, drawn: tuple[int, ...], scale: float
) -> list[str]:
    remarks = [run.end] if run.end else []
    if len(drawn) < run.z.shape[1]:
        named = ", ".join(str(axis + 1) for axis in drawn)
        remarks.append(f"coordinates {named} of {run.z.shape[1]}")
    remarks.append("codes turned by the best rotation or reflection" if aligned
                   else "codes as they came, centred")  # fmt: skip
    if scale != 1:
        remarks.append(f"{1 / scale:.1f} times the latents’ size, drawn in theirs")
    return [*remarks, f"lines to ±{params.flat.high:g}"]


def observed(run: recovery.Run) -> None:
    """What f is fed, a small picture: the same points and grid under g."""
    from core import figures

    x, net = run.world["x"], run.world["x_net"]
    if x.shape[1] != 2:
        return
    st.caption("**Observed** $x = g(z)$")
    sheet.figure(
        "observed", "The observations, coloured as their latents, and the latents' grid in them.",
        lambda: figures.observed(x, net, direction_colours(run.z)),
        of=None if run.live else (run.name,), numbers=None,
    )  # fmt: skip
