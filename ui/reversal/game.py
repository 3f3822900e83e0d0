"""The signed game as a visitor sees it: the code among all directions, and what it shows.

On the globe the row space of M, by its leakiest direction, among V and its complement; beside it
that direction's histogram for each class with its exact density, and what the adversary believes.
"""

import numpy as np
import streamlit as st

from core.colours import class_colours
from core.laws import leakage
from core.scenarios.reversal import Reversal
from ui import recovery
from ui.player.scene import EYE
from ui.player.view import Arrow, Chart, LatentView, Panel, Plane, Series

PIN = 1.24  # length of an arrow, whose part outside the globe is seen
BINS = np.linspace(-1, 1, 17)
FINE = np.linspace(-0.995, 0.995, 101)  # where densities are drawn
NORTH, LONGITUDES = 14, 54  # circles from the equator to the pole, and directions on each
HEADROOM = 1.1
MOST_NAMED = 4  # classes whose curves are named
GAUGES = "gauges_of_the_end"  # their container
MOVED = {"e": "encoder moved", "a": "adversary moved"}


def of(run: recovery.Run, params: Reversal, stale: bool) -> LatentView:
    """The picture of one seed's run."""
    inside, outside = run.world["inside"].astype(float), run.world["outside"].astype(float)
    axes = section(inside, outside)
    rows = run.moving["m"].astype(float)
    way = _way(run, rows, inside)
    if way[-1, -1] @ axes.T @ EYE < 0:  # a direction has no sign: the end that is seen
        way = -way
    u = way[:, -1]
    colours = class_colours(params.n_classes)
    whole = params.d == 3
    most, density = _information(*_hashable(run, axes)) if whole else (0.0, None)
    stepped = bool(params.moves) and len(rows) > 1  # live runs show one frame
    return LatentView(
        run=run.name,
        d=3,
        z=(run.z @ axes.T).astype(np.float32),
        z_hat=np.zeros((len(rows), 0, 3), np.float32),
        steps=run.steps,
        total=run.total,
        colours=[colours[e] for e in run.world["y"].astype(int)],
        net=np.zeros((0, 0, 3), np.float32),
        net_hat=np.zeros((len(rows), 0, 0, 3), np.float32),
        titles=("Where the code looks", "What it sees of the nuisance"),
        alt=_words(run, params),
        note="; ".join([*([run.end] if run.end else []), *_remarks(params)]),
        arrows=_arrows(run, way, inside, axes),
        planes=_planes(params),
        chart=Chart(_panels(run, u, colours)),
        density=density,
        density_labels=("0", f"{most:.2f} nats") if whole else None,
        moments=_moments(params.moves)[: len(rows)] if stepped else None,
        slow=True,
        live=run.live,
        stale=stale,
        follow=recovery.follow(run, ends=[GAUGES]),
    )


def section(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """The three directions (3, d) that are drawn: two of V level, and one of its complement up.

    Where V is a line, one of V and two of its complement.
    """
    level = inside[:2] if len(inside) > 1 else np.stack([inside[0], outside[1]])
    return np.concatenate([level, outside[:1]])


def _way(run: recovery.Run, rows: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The leakiest direction on its way to each frame (k, s, d), at the end in the frame itself."""
    way = run.moving["way"].astype(float) if "way" in run.moving else rows[:, None]
    frames, s = way.shape[:2]
    u = leakage.leakiest(way.reshape(frames * s, *rows.shape[1:]), inside)
    return u.reshape(frames, s, -1)


def _hashable(run: recovery.Run, axes: np.ndarray) -> tuple[tuple, tuple]:
    v = (run.world["v"].astype(float) @ axes.T).round(4)
    return tuple(map(tuple, v.tolist())), tuple(run.world["kappa"].round(4).tolist())


@st.cache_data(max_entries=64, show_spinner=False)
def _information(v: tuple, kappa: tuple) -> tuple[float, np.ndarray]:
    """The largest exact information of any direction, and of all of them as a share of it."""
    lat = np.linspace(0, np.pi / 2, NORTH)[:, None]
    lon = np.arange(LONGITUDES) * 2 * np.pi / LONGITUDES
    u = np.stack(np.broadcast_arrays(np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon),
                                     np.sin(lat)), -1)  # fmt: skip
    found = leakage.direction_information(u.reshape(-1, 3), np.array(v), np.array(kappa))
    north = found.reshape(NORTH, LONGITUDES)
    south = np.roll(north[:0:-1], LONGITUDES // 2, axis=1)  # -u tells what u tells
    most = float(found.max())
    return most, (np.concatenate([south, north]) / most).clip(0, 1).astype(np.float32)


def _arrows(
    run: recovery.Run, way: np.ndarray, inside: np.ndarray, axes: np.ndarray
) -> list[Arrow]:
    """The code's leakiest direction with its way, and that of the closed-form answer."""
    closed = leakage.leakiest(run.world["closed"].astype(float)[None], inside)[0]
    closed = closed if closed @ way[-1, -1] >= 0 else -closed
    trail = (PIN * way @ axes.T).astype(np.float32)
    # of a wider code the leakiest direction changes its place at once: that is no way
    alone = run.moving["m"].shape[1] == 1
    return [
        Arrow("", "baseline", (PIN * closed @ axes.T).astype(np.float32), None),
        Arrow("M", "w", trail[:, -1], None, trail if alone else None, both=True),
    ]


def _planes(params: Reversal) -> list[Plane]:
    """V and its complement, as far as they lie in the three directions drawn."""
    level, up = np.eye(3)[:2], np.eye(3)[2:]
    if params.rank == 1:
        return [Plane("V", "v", np.eye(3)[:1]), Plane("V⊥", "z_hat", np.eye(3)[1:])]
    return [Plane("V", "v", level), Plane("V⊥", "z_hat", up)]


def _panels(run: recovery.Run, u: np.ndarray, colours: list[str]) -> list[Panel]:
    """Histogram and exact density of u a for each class; below, belief and true posterior."""
    y, v, kappa = run.world["y"].astype(int), run.world["v"].astype(float), run.world["kappa"]
    d, k = v.shape[1], len(v)
    b = run.z @ u.T  # (n, frames)
    log_p = leakage.log_image_density(FINE[:, None], (u @ v.T)[:, :, None], kappa.astype(float), d)
    density = np.exp(log_p)  # (frames, FINE, k)
    names = [f"e = {e + 1}" if k <= MOST_NAMED else str(e + 1) for e in range(k)]
    bars, lines = [], []
    for e in range(k):
        counts = np.stack([np.histogram(column[y == e], BINS, density=True)[0] for column in b.T])
        bars.append(Series("", colours[e], "bars", BINS, counts))
        lines.append(Series(names[e], colours[e], "line", FINE, density[:, :, e]))
    peaks = np.maximum(density.max((1, 2)), np.max([series.y.max(1) for series in bars], axis=0))
    # on the way a density may be many times as high as at the end: the axis follows, in octaves
    octaves = np.ceil(np.log2(peaks / peaks[-1]).clip(0))
    tops = HEADROOM * peaks[-1] * 2**octaves
    panels = [
        Panel("Histograms and exact densities", "code b = u·a", "density", (-1, 1),
              np.stack([np.zeros_like(tops), tops], 1), [*bars, *lines], share=1.5)
    ]  # fmt: skip
    belief = run.moving.get("belief")
    if belief is None:
        return panels
    posterior = density / density.sum(2, keepdims=True)
    grid = np.linspace(-1, 1, belief.shape[2])
    flips = np.sign((run.moving["m"][:, 0].astype(float) * u).sum(1))  # u may be turned round
    turned = np.where(flips[:, None, None] < 0, belief[:, :, ::-1], belief)
    shares = [
        series
        for e in range(k)
        for series in (
            Series("", colours[e], "dashed", FINE, posterior[:, :, e]),
            Series("", colours[e], "line", grid, turned[:, e]),
        )
    ]
    return [
        *panels,
        Panel("The adversary's belief; the true posterior dashed", "code b = u·a",
              "p(e | b)", (-1, 1), (0, 1), shares),
    ]  # fmt: skip


def _moments(moves: str) -> list[str]:
    """Words for every frame of a game that is played move by move."""
    return ["start", *(f"move {i} of {len(moves)}: {MOVED[m]}" for i, m in enumerate(moves, 1))]


def _remarks(params: Reversal) -> list[str]:
    """What the picture does not say by itself."""
    said = []
    if params.d == 3:
        said.append("colour of the globe: exact information of each direction")
    else:
        level = "two directions of V" if params.rank > 1 else "V, one direction of V⊥"
        said.append(f"three of {params.d} directions: {level} and one of V⊥")
    if params.code > 1:
        said.append(f"the arrow is the leakiest of the code's {params.code} dimensions")
    if params.code > 1 or params.encoder == "whitened":
        said.append("the adversary's belief is drawn for codes of one dimension, not whitened")
    return [*said, "points by class", "purple: M and its way", "grey: the closed-form answer"]


def _words(run: recovery.Run, params: Reversal) -> str:
    angle, known = run.scores.get("angle_to_v_perp_deg"), run.scores.get("information_nats")
    where = "lost" if angle is None else f"{angle:.1f} degrees from the complement of V"
    told = "" if known is None else f"; it tells {known:.4f} nats of the nuisance"
    return (
        f"A globe of directions with the code's row space {where}{told}, beside the histograms of "
        f"the code for {params.n_classes} classes."
    )
