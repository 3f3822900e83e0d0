"""Clusters as a visitor sees them: cluster vectors beside the rows of the head that stand for them.

On the true side also the density of the conditional around one cluster vector.
"""

from dataclasses import replace

import numpy as np
import streamlit as st

from core.laws.densities import level_curves
from core.laws.law import Law
from core.scenarios.clusters import Clusters
from ui import recovery
from ui.player.scene import EYE
from ui.player.view import Arrow, LatentView

MOST_ARROWS = 30  # where only three of more coordinates are drawn


def of(
    run: recovery.Run,
    params: Clusters,
    choice: recovery.Choice,
    stale: bool,
    density: Clusters | None = None,
) -> LatentView:
    """Truth with its cluster vectors beside recovered latents with the rows of W.

    With `density`, at d = 3, one cluster and the law of those parameters around it.
    """
    one = None
    if density is not None and params.d == 3 and "v" in run.world:
        one = int((run.world["v"] @ EYE).argmax())  # the cluster that faces whoever looks
    drawn = recovery.view_of(
        run,
        choice,
        stale,
        arrows=arrows(run, params, one),
        radius=params.law.concentration if params.case == "C3" else None,
    )
    said = "green: cluster vectors v_c; purple: rows w_c of W"
    if one is not None:
        said = "green: one cluster vector v_c and the law around it; purple: its row w_c of W"
    elif density is not None:
        said += " (the law around one is drawn at d = 3)"
    if params.case in ("C2", "C4"):
        said += ", without the offset that all rows share"
    w = run.moving.get("w")
    if params.unit_weights:
        said += " at their own unit length"
    elif w is not None and np.isfinite(w[-1]).all():
        length = mean_length(w - offset(run.world["v"], w[-1], params))
        said += f", divided by {length:.3g}, their mean length at the end"
    notes = [said, *([drawn.note] if drawn.note else [])]
    if params.case == "C1" and len(run.moving.get("beta", ())):
        learnt = run.moving["beta"][-1]
        notes.append(f"learnt β = {learnt:.2f} at the end, theory κ = {params.kappa:g}")
    if not run.live and np.isfinite(run.z_hat[-1]).all():
        from core import metrics  # scipy takes a while to import, and the numbers come first

        axes = np.linalg.cond(metrics.affine_map(run.z, run.z_hat[-1])[0])
        notes.append(f"the linear map fitted at the end has axes {axes:.2f} : 1")
    drawn = replace(drawn, note="; ".join(notes))
    if one is None or density is None:
        return drawn
    shading, levels = _density(density.law, tuple(run.world["v"][one].tolist()))
    return replace(drawn, density=shading, levels=levels, net_bold=())


@st.cache_data(max_entries=64, show_spinner=False)
def _density(law: Law, v: tuple[float, ...]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Density on the sphere around v, and its level lines."""
    levels, shading = level_curves(law, np.array(v))
    return shading, levels


def arrows(run: recovery.Run, params: Clusters, one: int | None = None) -> list[Arrow]:
    """Cluster vectors, and the head's rows without their common offset, of mean length 1.

    With `one` only that cluster's, and named.
    """
    v, w = run.world.get("v"), run.moving.get("w")
    if v is None or w is None or not np.isfinite(w).all():
        return []
    rows = w - offset(v, w[-1], params)
    rows = rows / mean_length(rows)
    if one is not None:
        return [Arrow("v_c", "v", v[one], None), Arrow("w_c", "w", None, rows[:, one])]
    every = -(-len(v) // MOST_ARROWS) if params.d > 3 else 1
    distinct = np.unique(v[::every], axis=0)
    return [
        *(Arrow("", "v", each, None) for each in distinct),
        *(Arrow("", "w", None, rows[:, i]) for i in range(0, len(v), every)),
    ]


def offset(v: np.ndarray, w: np.ndarray, params: Clusters) -> np.ndarray | float:
    """psi of w = A v + psi, which cross-entropy does not see; the rows' mean where A is unknown."""
    if params.case in ("C1", "C3"):
        return 0.0
    if params.n_seen < params.d + 1:
        return w.mean(0)
    from core import metrics  # scipy takes a while to import, and the numbers come first

    return metrics.affine_map(v, w)[1].astype(np.float32)


def mean_length(rows: np.ndarray) -> float:
    """Mean length of the rows (k, r, d) at the last frame."""
    return float(np.linalg.norm(rows[-1], axis=1).mean().clip(1e-9))
