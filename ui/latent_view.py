"""Truth beside recovered latents: two linked globes and a player that runs in the browser.

The whole run travels once, as one base64 float32 string; after that the browser plays, scrubs and
turns it without asking the server. See `latent_view.js` for what happens there.
"""

import base64
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.legend import ROLE

HERE = Path(__file__).parent
APP_FOLDER = HERE.parent
BUNDLE = "plotly.min.js"
FARTHEST = 2.2  # radii; a point farther out is cut off, or the sphere would be too small to read
BAND = (0.55, 0.92)  # radii between which the density on a circle stands, inside the points
DEEP = "rgb(38,88,128)"  # level lines of the plain figure, seen on a pale and on a blue ball
ABOVE = 1.005  # radius of level lines, which would sink into the sphere's facets otherwise

_component = st.components.v2.component(
    "identifiability_explorer.latent_view",
    css=(HERE / "latent_view.css").read_text(encoding="utf-8"),
    js="\n".join((HERE / f"latent_{part}.js").read_text("utf-8") for part in ("view", "layers")),
    isolate_styles=False,
)


@dataclass(frozen=True, eq=False)
class Arrow:
    """A vector drawn from the origin, such as a cluster vector and the weight that stands for it.

    `truth` is (d,), `recovered` is (k, d); either may be None, and the arrow is then on one side.
    """

    label: str
    role: str
    truth: np.ndarray | None
    recovered: np.ndarray | None


@dataclass(frozen=True, eq=False)
class LatentView:
    """What the picture shows: a run of k frames with n points in d = 2 or 3 drawn dimensions."""

    run: str
    """Names the run; when it changes, the player goes to the last frame."""
    d: int
    z: np.ndarray
    """True points (n, d)."""
    z_hat: np.ndarray
    """Recovered points (k, n, d)."""
    steps: np.ndarray
    """Training step of each frame (k,)."""
    colours: list[str]
    """One hex colour a point, from its true latent."""
    net: np.ndarray
    """Graticule on the true sphere: c curves of p points (c, p, d); c may be 0."""
    net_hat: np.ndarray
    """The same curves carried along (k, c, p, d)."""
    net_bold: tuple[int, ...] | list[int] = ()
    """Curves drawn bolder (the equator and the prime meridian)."""
    titles: tuple[str, str] = ("True latents z", "Recovered ẑ")
    alt: str = ""
    """What the picture shows, in words."""
    note: str = ""
    """A small line under the picture."""
    labels: tuple[str, ...] | list[str] = ()
    """Names at the ends of the d axes; none are drawn when empty."""
    arrows: tuple[Arrow, ...] | list[Arrow] = ()
    pairs: tuple[np.ndarray, np.ndarray] | None = None
    """(z_pos (q, d), index (q,)): arcs on the true side from point index[i] to its positive."""
    field: np.ndarray | None = None
    """A density on the true sphere, of maximum 1, drawn as its colour (d = 3) or as the height of
    a band inside the circle (d = 2): (rows, columns), latitudes from -90 to 90 degrees by
    longitudes from 0 to below 360. At d = 2 there is one row. About (25, 48) is smooth."""
    levels: Sequence[np.ndarray] = ()
    """Closed curves (p_i, d) on the true sphere, such as the level lines of the density."""
    whiskers: bool | None = None
    """Lines from each recovered point to its truth: drawn at first or not; None offers none,
    since they mean nothing when the two sides are not aligned."""
    total: int | None = None
    """The step training ends at; the last frame's when None."""
    moments: tuple[str, ...] | list[str] | None = None
    """Words for each frame, in place of its step, where the frames are not of one training."""
    live: bool = False
    """Training is going on: no player, the newest frame."""
    stale: bool = False
    """Another run is queued: the picture is dimmed and says that it is the previous one."""

    def __post_init__(self) -> None:
        n, d, k = len(self.z), self.d, len(self.z_hat)
        c, p = self.net.shape[:2] if self.net.size else (0, 0)
        expected = {
            "z": (self.z, (n, d)),
            "z_hat": (self.z_hat, (k, n, d)),
            "steps": (self.steps, (k,)),
            "net": (self.net, (c, p, d) if c else self.net.shape),
            "net_hat": (self.net_hat, (k, c, p, d) if c else self.net_hat.shape),
        }
        if d not in (2, 3):
            raise ValueError(f"d is {d}: two or three dimensions can be drawn")
        if k == 0:
            raise ValueError("z_hat has no frames")
        for name, (array, shape) in expected.items():
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
        if self.moments is not None and len(self.moments) != k:
            raise ValueError(f"{len(self.moments)} moments for {k} frames")
        if c and not self.net_hat.size:
            raise ValueError("net_hat is empty but net is not")
        if len(self.colours) != n:
            raise ValueError(f"{len(self.colours)} colours for {n} points")
        if self.field is not None:
            self._check_field(self.field)
        for i, level in enumerate(self.levels):
            if level.ndim != 2 or level.shape[1] != d or not len(level):
                raise ValueError(f"levels[{i}] has shape {level.shape}, expected (p, {d})")
            if not np.isfinite(level).all():
                raise ValueError(f"levels[{i}] is not finite")

    def _check_field(self, field: np.ndarray) -> None:
        rows = "1" if self.d == 2 else "2 or more"
        fits = field.ndim == 2 and field.shape[1] >= 3
        if not fits or (field.shape[0] != 1 if self.d == 2 else field.shape[0] < 2):
            raise ValueError(f"field has shape {field.shape}, expected ({rows}, 3 or more)")
        if not np.isfinite(field).all():
            raise ValueError("field is not finite")
        if field.min() < 0 or field.max() > 1 + 1e-6:
            raise ValueError(
                f"field goes from {field.min():.3g} to {field.max():.3g}, not in 0 to 1"
            )


def latent_view(view: LatentView, key: str, height: int = 440) -> None:
    """Draw the view; `key` names the place on the page, whose camera is kept from run to run."""
    ensure_plotly_bundle()
    _component(key=key, data=pack(view, key, height))


def preload_plotly(key: str = "preload_plotly") -> None:
    """Have the browser fetch plotly.min.js now, before the page knows what it will draw."""
    ensure_plotly_bundle()
    _component(key=key, data={"preload": True})


def pack(view: LatentView, key: str, height: int) -> dict[str, Any]:
    """The message to the browser: a header, and all arrays as one base64 string of float32.

    `header["arrays"]` lists (name, shape) in the order in which they follow each other.
    """
    frames, d = len(view.steps), view.d
    arrays = {"z": _spread(view.z, d), "z_hat": _spread(view.z_hat, d)}
    if view.net.size:
        arrays |= {"net": _spiral(view.net, d), "net_hat": _spiral(view.net_hat, d)}
    if view.pairs is not None and len(view.pairs[1]):
        arrays["pairs"] = _arcs(view.z, *view.pairs)
    if view.arrows:  # a side without the arrow gets NaN, which is not drawn
        gap = np.full((frames, d), np.nan, np.float32)
        truth = [gap[0] if a.truth is None else a.truth for a in view.arrows]
        recovered = [gap if a.recovered is None else a.recovered for a in view.arrows]
        arrays |= {"arrows": np.stack(truth), "arrows_hat": np.stack(recovered, axis=1)}
    if view.field is not None:
        arrays |= {"field": view.field} if d == 3 else {"band": _band(view.field)}
    if len(view.levels):
        arrays["levels"] = _level_lines(view.levels)
    # Of the last frame: on its way there a free encoder may shoot far beyond, and is cut off.
    ends = [arrays["z_hat"][-1], *([arrays["net"]] if "net" in arrays else [])]
    radii = [np.linalg.norm(points, axis=-1) for points in ends]
    reach = max(float(np.fmax.reduce(r, axis=None, initial=1)) for r in radii)  # NaN counts not
    flat = [np.asarray(array, "<f4").ravel() for array in arrays.values()]
    header = {
        "key": key,
        "height": height,
        "run": view.run,
        "d": view.d,
        "steps": [int(step) for step in view.steps],
        "total": int(view.steps[-1] if view.total is None else view.total),
        "moments": None if view.moments is None else list(view.moments),
        "colours": list(view.colours),
        "bold": [int(i) for i in view.net_bold],
        "arrows": [{"label": a.label, "colour": ROLE[a.role]} for a in view.arrows],
        "titles": list(view.titles),
        "alt": view.alt,
        "note": view.note,
        "labels": list(view.labels),
        "whiskers": view.whiskers,
        "live": view.live,
        "stale": view.stale,
        "reach": round(min(reach, FARTHEST), 3),
        "arrays": [(name, list(array.shape)) for name, array in arrays.items()],
    }
    if "levels" in arrays or view.field is not None:
        header["density"] = ROLE["z"]
    return {"header": header, "floats": base64.b64encode(np.concatenate(flat).tobytes()).decode()}


def ensure_plotly_bundle(app_folder: Path = APP_FOLDER) -> Path:
    """Copy the installed plotly's plotly.min.js to `static/`, unless a file of its size is there.

    The copy appears whole or not at all. Streamlit serves the folder at `app/static/`.
    """
    spec = importlib.util.find_spec("plotly")  # finds it without importing it
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("plotly is not installed", name="plotly")
    source = Path(spec.origin).parent / "package_data" / BUNDLE
    target = app_folder / "static" / BUNDLE
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return target
    target.parent.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".tmp-", dir=target.parent)
    os.close(handle)
    try:
        shutil.copyfile(source, name)
        os.chmod(name, 0o644)
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)
    return target


def plain_figure(view: LatentView) -> dict[str, Any]:
    """The last frame as a Plotly figure spec, for pages that show `st.plotly_chart` instead."""
    data: list[dict[str, Any]] = []
    for side, (points, net) in enumerate(
        ((view.z, view.net), (view.z_hat[-1], view.net_hat[-1] if view.net.size else view.net))
    ):
        if view.d == 3:
            field = None if side else view.field
            data.append(_sphere(field) | {"scene": f"scene{side + 1 if side else ''}"})
        elif not side and view.field is not None:
            data += _plain_band(view.field)
        bold = set(view.net_bold)
        for chosen, width in (([i for i in range(len(net)) if i not in bold], 1), (bold, 2.5)):
            if view.net.size and chosen:
                curves = _broken(net[sorted(chosen)])
                line = {"color": "rgba(128,132,142,0.8)", "width": width}
                data.append(_trace(curves, side, "lines") | {"line": line})
        if len(view.levels) and not side:
            line = {"color": DEEP, "width": 3}
            data.append(_trace(_level_lines(view.levels), side, "lines") | {"line": line})
        marker = {"color": view.colours, "size": 3.5 if view.d == 3 else 6}
        data.append(_trace(points, side, "markers") | {"marker": marker})
        data += _plain_arrows(view, side)
    return {"data": data, "layout": _plain_layout(view)}


def _plain_arrows(view: LatentView, side: int) -> list[dict[str, Any]]:
    """One trace a role: rays from the origin, and the names of those that have one."""
    data = []
    for role in dict.fromkeys(arrow.role for arrow in view.arrows):
        tips, names = [], []
        for arrow in view.arrows:
            tip = arrow.recovered[-1] if side and arrow.recovered is not None else None
            tip = tip if side else arrow.truth
            if tip is not None and arrow.role == role:
                tips.append(np.stack([np.zeros(view.d), tip]))
                names += ["", arrow.label, ""]
        if tips:
            mode = "lines+text" if any(names) else "lines"
            thin = min(1.0, (12 / len(view.arrows)) ** 0.5)  # the more, the thinner
            line = {"color": ROLE[role], "width": 4 * max(0.3, thin)}
            ray = _trace(_broken(np.stack(tips)), side, mode) | {"line": line}
            data.append(ray | ({"text": names} if any(names) else {}))
    return data


def _spread(points: np.ndarray, d: int) -> np.ndarray:
    """On a circle points hide each other: pull them apart in radius, each point always alike."""
    if d == 3:
        return points
    jitter = np.arange(points.shape[-2]) * 0.618034 % 1 - 0.5
    return points * (1 + 0.08 * jitter)[:, None]


def _spiral(curves: np.ndarray, d: int) -> np.ndarray:
    """On a circle a curve that folds back hides itself: let it spiral outwards along its length."""
    return curves if d == 3 else curves * np.linspace(1.08, 1.17, curves.shape[-2])[:, None]


def _arcs(z: np.ndarray, z_pos: np.ndarray, index: np.ndarray, points: int = 7) -> np.ndarray:
    """Arcs (q, points, d) from z[index] to z_pos: great circles, lengths interpolated."""
    t = np.linspace(0, 1, points)[:, None]
    start, end = z[index][:, None], np.asarray(z_pos)[:, None]
    chord = start + t * (end - start)
    far = [np.linalg.norm(a, axis=-1, keepdims=True) for a in (start, end, chord)]
    return chord * (far[0] + t * (far[1] - far[0])) / np.maximum(far[2], 1e-9)


def _band(field: np.ndarray) -> np.ndarray:
    """A density (1, columns) on the circle as the outline (2 * columns + 2, 2) of a band.

    First its edge, whose radius grows with the density, then the circle it stands on, backwards.
    """
    angle = np.linspace(0, 2 * np.pi, field.shape[1] + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    inner, outer = BAND
    edge = circle * (inner + (outer - inner) * np.append(field[0], field[0, 0]))[:, None]
    return np.concatenate([edge, inner * circle[::-1]])


def _level_lines(levels: Sequence[np.ndarray]) -> np.ndarray:
    """Curves (p_i, d) closed, a little above the sphere, as one polyline with a gap after each."""
    return np.concatenate([_broken(np.r_[level, level[:1]][None]) for level in levels]) * ABOVE


def _broken(curves: np.ndarray) -> np.ndarray:
    """(c, p, d) curves as one polyline (c * (p + 1), d) with a gap after each."""
    gap = np.full((len(curves), 1, curves.shape[2]), np.nan)
    return np.concatenate([curves, gap], axis=1).reshape(-1, curves.shape[2])


def _trace(points: np.ndarray, side: int, mode: str) -> dict[str, Any]:
    suffix = "2" if side else ""
    rounded = np.round(points.astype(float), 4)
    columns = [[None if np.isnan(v) else v for v in column] for column in rounded.T.tolist()]
    trace = {"mode": mode, "hoverinfo": "skip", "showlegend": False}
    if len(columns) == 3:
        place = {"type": "scatter3d", "scene": f"scene{suffix}"}
    else:
        place = {"type": "scatter", "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    return trace | place | dict(zip("xyz", columns, strict=False))


def _plain_band(field: np.ndarray) -> list[dict[str, Any]]:
    outline = _band(field)
    red, green, blue = (int(ROLE["z"][i : i + 2], 16) for i in (1, 3, 5))
    fill = {"fill": "toself", "fillcolor": f"rgba({red},{green},{blue},0.4)", "line": {"width": 0}}
    edge = _trace(outline[: len(outline) // 2], 0, "lines")
    return [_trace(outline, 0, "lines") | fill, edge | {"line": {"color": ROLE["z"], "width": 1.5}}]


def _sphere(field: np.ndarray | None) -> dict[str, Any]:
    rows, columns = (19, 36) if field is None else field.shape
    lon, lat = np.meshgrid(
        np.linspace(0, 2 * np.pi, columns + 1), np.linspace(-np.pi / 2, np.pi / 2, rows)
    )
    xyz = 0.985 * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    x, y, z = np.round(xyz, 3).tolist()
    grey = [[0, "rgb(206,208,214)"], [1, "rgb(206,208,214)"]]
    look = {"opacity": 0.3, "showscale": False, "colorscale": grey, "hoverinfo": "skip"}
    surface = {"type": "surface", "x": x, "y": y, "z": z, "contours": {}} | look
    if field is None:
        return surface
    shades = {"colorscale": [grey[0], [1, ROLE["z"]]], "cmin": 0, "cmax": 1, "opacity": 1}
    shades |= {"lighting": {"ambient": 0.9, "diffuse": 0.15, "specular": 0, "fresnel": 0}}
    around = np.concatenate([field, field[:, :1]], axis=1).astype(float)
    return surface | shades | {"surfacecolor": np.round(around, 4).tolist()}


def _plain_layout(view: LatentView) -> dict[str, Any]:
    halves = ([0, 0.5], [0.5, 1])
    layout: dict[str, Any] = {
        "margin": {"l": 0, "r": 0, "t": 36, "b": 0},
        "height": 440,
        "annotations": [
            {
                "text": title.replace("&", "&amp;").replace("<", "&lt;"),
                "x": sum(half) / 2,
                "y": 1,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "center",
                "yanchor": "bottom",
                "showarrow": False,
            }
            for title, half in zip(view.titles, halves, strict=True)
        ],
    }
    hidden = {"visible": False, "range": [-1.1, 1.1]}
    for half, suffix in zip(halves, ("", "2"), strict=True):
        if view.d == 3:
            layout[f"scene{suffix}"] = {
                "domain": {"x": half, "y": [0, 1]},
                "aspectmode": "manual",
                "aspectratio": dict.fromkeys("xyz", 1.9),
                "camera": {
                    "eye": {"x": 0.9, "y": -1.5, "z": 0.65},
                    "projection": {"type": "orthographic"},
                },
                **{f"{axis}axis": hidden for axis in "xyz"},
            }
        else:
            anchor = {"scaleanchor": f"x{suffix}", "scaleratio": 1}
            layout[f"xaxis{suffix}"] = hidden | {"domain": half, "anchor": f"y{suffix}"}
            layout[f"yaxis{suffix}"] = hidden | anchor | {"anchor": f"x{suffix}"}
    return layout
