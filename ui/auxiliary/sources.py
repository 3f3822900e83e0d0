"""Sufficient statistics of the sources beside codes after linear ICA, coloured by segment."""

from collections.abc import Callable

import numpy as np

from core.colours import class_colours
from core.legend import SCORES
from core.scenarios.auxiliary import Auxiliary
from ui import recovery
from ui.pairs import picture
from ui.player.view import LatentView

ROOM = 0.92  # of the picture that the sources take, in half its height
SMALL = 0.25  # quantile of the statistics from which on axes are logarithmic
BELOW = 0.12  # of it that lies under 0, where codes can be and statistics cannot


def view_of(
    run: recovery.Run, params: Auxiliary, choice: recovery.Choice, stale: bool = False
) -> LatentView:
    """Points and lines of the sources' space, true and recovered, on axes that grow as a logarithm.

    Matched: codes in the order, with the signs and at the scale of the statistics that they match
    at the last frame, never turned. As learnt: shifted and scaled alike in all directions.
    """
    d = run.z.shape[1]
    drawn = choice.axes if d > 3 and max(choice.axes) < d else tuple(range(min(d, 3)))
    onto, shift = (picture.matched if choice.aligned else picture.as_learnt)(run)
    place = _axes(run, params)

    def recovered(z_hat: np.ndarray) -> np.ndarray:
        return place(z_hat @ onto + shift)[..., list(drawn)]

    lines = len(drawn) == d
    none = np.zeros((0, 0, len(drawn)), np.float32)
    score = run.scores.get(params.promised)
    said = "not finite" if score is None else f"{score:.3f}"
    shades = class_colours(params.n_segments)
    how = "matched" if choice.aligned else "as learnt"
    return LatentView(
        run=run.name,
        d=len(drawn),
        z=place(run.z)[..., list(drawn)],
        z_hat=recovered(run.z_hat),
        steps=run.steps,
        total=run.total,
        colours=[shades[int(u)] for u in run.world["u"]],
        net=place(run.net)[..., list(drawn)] if lines else none,
        net_hat=recovered(run.net_hat) if lines else np.zeros((len(run.z_hat), *none.shape)),
        net_bold=tuple(range(picture.EDGES)) if d == 3 else (),
        curved=False,
        titles=(f"True {params.statistic} of the sources", f"Recovered ẑ, {how}"),
        alt=f"True {params.statistic} of the sources beside codes at step {run.steps[-1]}, "
        f"coloured by segment; {SCORES[params.promised].title} {said}.",
        note="; ".join(_remarks(run, params, choice, drawn)),
        whiskers=False if choice.aligned else None,
        live=run.live,
        stale=stale,
        follow=recovery.follow(run, ends=(picture.MATRIX,)),
    )


def _axes(run: recovery.Run, params: Auxiliary) -> Callable[[np.ndarray], np.ndarray]:
    """From statistics to the picture, the same on both sides, coordinate by coordinate."""
    if not params.even:
        reach = float(np.abs(run.z).max())
        return lambda q: (q * (ROOM / reach)).astype(np.float32)
    small = max(float(np.quantile(run.z, SMALL)), 1e-3)
    reach = float(np.log1p(max(run.z.max(), run.net.max(initial=0)) / small))

    def place(q: np.ndarray) -> np.ndarray:
        share = np.sign(q) * np.log1p(np.abs(q) / small) / reach
        return (ROOM * (2 * (share + BELOW) / (1 + BELOW) - 1)).astype(np.float32)

    return place


def _remarks(
    run: recovery.Run, params: Auxiliary, choice: recovery.Choice, drawn: tuple[int, ...]
) -> list[str]:
    remarks = [run.end] if run.end else []
    if len(drawn) < run.z.shape[1]:
        names = ", ".join(str(axis + 1) for axis in drawn)
        remarks.append(f"coordinates {names} of {run.z.shape[1]}")
    how = "matched" if choice.aligned else "scaled alike"
    axes = ["logarithmic axes"] if params.even else []
    return [*remarks, "a colour a segment", f"codes after linear ICA, {how}", *axes]
