"""Truth beside recovered latents: two linked globes and a player that runs in the browser.

Or one globe beside a chart that follows the same player. The whole run travels once, as one base64
float32 string; after that the browser plays, scrubs and turns it without asking the server. See
`view.js` for what happens there.
"""

import base64
import importlib.util
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.colours import ROLE
from ui.player.chart import Chart, Panel, Series, chart_arrays, chart_header, typeset
from ui.player.plain import plain_figure
from ui.player.scene import (
    CONSTANTS,
    Arrow,
    Follow,
    LatentView,
    Lines,
    Plane,
    apart,
    arcs,
    band,
    level_lines,
    named,
    reach,
    spiral,
)

__all__ = [
    "Arrow",
    "Chart",
    "Follow",
    "LatentView",
    "Lines",
    "Panel",
    "Plane",
    "Series",
    "bundle_served",
    "ensure_plotly_bundle",
    "latent_view",
    "pack",
    "plain_figure",
    "preload_plotly",
]

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
APP_FOLDER = HERE.parents[1]
BUNDLE = "plotly.min.js"
PARTS = ("view", "page", "follow", "hands", "layers", "chart", "sketch")


def _script(part: str) -> str:
    return (HERE / f"{part}.js").read_text("utf-8")


_component = st.components.v2.component(
    "identifiability_explorer.latent_view",
    css=(HERE / "view.css").read_text(encoding="utf-8"),
    js="\n".join([f"const SHARED = {CONSTANTS.read_text('utf-8')};", *map(_script, PARTS)]),
    isolate_styles=False,
)


def latent_view(view: LatentView, key: str, height: int = 440, focus: int = 0) -> None:
    """Draw the view; `key` names the place on the page, whose camera is kept from run to run.

    When `focus` changes, the page is scrolled until the view is seen.
    """
    message = pack(view, key, height) | ({} if bundle_served() else {"sent": True})
    message["header"] |= {"focus": focus} if focus else {}
    _component(key=key, data=message)


def preload_plotly(key: str = "preload_plotly") -> None:
    """Have the browser fetch plotly.min.js now, before the page knows what it will draw."""
    text = {} if bundle_served() else {"library": _library()}
    _component(key=key, data={"preload": True, **text})


def bundle_served() -> bool:
    """Whether the browser can fetch plotly.min.js as a file: else the server sends its text.

    Streamlit serves files from the app's own `static/` alone, which may not be writable.
    """
    try:
        ensure_plotly_bundle()
    except OSError as error:
        _complain(f"{error.filename} ({error.strerror})")
        return False
    return True


@st.cache_resource(show_spinner=False)
def _complain(reason: str) -> None:
    """Say in the log, once a server, why every visit costs some megabytes more."""
    log.warning("plotly.min.js is sent as text, since %s cannot be written", reason)


@st.cache_resource(show_spinner=False)
def _library() -> str:
    return _source().read_text("utf-8")


def pack(view: LatentView, key: str, height: int) -> dict[str, Any]:
    """The message to the browser: a header, and all arrays as one base64 string of float32.

    `header["arrays"]` lists (name, shape) in the order in which they follow each other.
    """
    d = view.d
    arrays = {"z": view.z, "z_hat": view.z_hat}
    if view.curved:
        arrays = {name: apart(points, d) for name, points in arrays.items()}
    arrays |= {f"lines{i}": lines.curves for i, lines in enumerate(view.lines)}
    if view.net.size:
        arrays["net"] = spiral(view.net, d) if view.curved else view.net
    if view.net.size and view.net_hat.size:
        arrays["net_hat"] = spiral(view.net_hat, d) if view.curved else view.net_hat
    if view.pairs is not None and len(view.pairs[1]):
        arrays["pairs"] = arcs(view.z, *view.pairs)
    if view.arrows:
        arrays |= _arrow_arrays(view)
    if view.density is not None:
        arrays |= {"density": view.density} if d == 3 else {"band": band(view.density)}
    if len(view.levels):
        arrays["levels"] = level_lines(view.levels)
    arrays |= {f"plane{i}": plane.basis for i, plane in enumerate(view.planes)}
    if view.chart is not None:
        arrays |= chart_arrays(view.chart)
    flat = [np.asarray(array, "<f4").ravel() for array in arrays.values()]
    header = {
        "key": key,
        "height": height,
        "run": view.run,
        "d": view.d,
        "curved": view.curved,
        "steps": [int(step) for step in view.steps],
        "total": int(view.steps[-1] if view.total is None else view.total),
        "moments": None if view.moments is None else list(view.moments),
        "colours": list(view.colours),
        "bold": [int(i) for i in view.net_bold],
        "arrows": _arrow_header(view),
        "titles": [typeset(title) for title in view.titles],
        "alt": view.alt,
        "note": typeset(view.note),
        "whiskers": view.whiskers,
        "live": view.live,
        "stale": view.stale,
        "reach": reach(view, arrays).round(2).tolist(),
        "named": round(named(view), 3),
        "arrays": [(name, list(array.shape)) for name, array in arrays.items()],
    }
    if "levels" in arrays or view.density is not None:
        header["densest"] = ROLE[view.density_role]
    if view.density_labels is not None:
        header["scale"] = [typeset(words) for words in view.density_labels]
    if view.planes:
        header["planes"] = [
            {"label": typeset(p.label), "colour": ROLE[p.role]} for p in view.planes
        ]
    if view.lines:
        header["lines"] = [ROLE[lines.role] for lines in view.lines]
    if view.chart is not None:
        header["chart"] = chart_header(view.chart)
    if view.follow is not None:
        scores = {title: list(written) for title, written in view.follow.scores.items()}
        header["follow"] = {**vars(view.follow), "scores": scores, "ends": list(view.follow.ends)}
    if view.slow:
        header["slow"] = True
    return {"header": header, "floats": base64.b64encode(np.concatenate(flat).tobytes()).decode()}


def _arrow_arrays(view: LatentView) -> dict[str, np.ndarray]:
    """Tips on the true side (q, d), or (k, q, d) where one of them moves, and recovered (k, q, d).

    A side without the arrow gets NaN, which is not drawn. Beside a chart there is one side. Trails
    follow, each by its arrow's place.
    """
    frames, d = len(view.steps), view.d
    gap = np.full((frames, d), np.nan, np.float32)
    truth = [gap[0] if a.truth is None else a.truth for a in view.arrows]
    if any(tip.ndim == 2 for tip in truth):
        tips = np.stack([np.broadcast_to(tip, (frames, d)) for tip in truth], axis=1)
    else:
        tips = np.stack(truth)
    trails = {f"trail{i}": a.trail for i, a in enumerate(view.arrows) if a.trail is not None}
    if view.chart is not None:
        return {"arrows": tips, **trails}
    recovered = [gap if a.recovered is None else a.recovered for a in view.arrows]
    return {"arrows": tips, "arrows_hat": np.stack(recovered, axis=1), **trails}


def _arrow_header(view: LatentView) -> list[dict[str, Any]]:
    moves = [arrow.truth is not None and arrow.truth.ndim == 2 for arrow in view.arrows]
    header = []
    for arrow, moving in zip(view.arrows, moves, strict=True):
        flags = {
            "trail": arrow.trail is not None,
            "both": arrow.both,
            "still": any(moves) and not moving,
        }
        said = {"label": typeset(arrow.label), "colour": ROLE[arrow.role]}
        header.append(said | {name: True for name, flag in flags.items() if flag})
    return header


def ensure_plotly_bundle(app_folder: Path | None = None) -> Path:
    """Copy the installed plotly's plotly.min.js to `static/`, unless a file of its size is there.

    The copy appears whole or not at all. Streamlit serves the folder at `app/static/`. Raises
    OSError where that cannot be written.
    """
    source = _source()
    target = (app_folder or APP_FOLDER) / "static" / BUNDLE
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


def _source() -> Path:
    """plotly.min.js as it is installed."""
    spec = importlib.util.find_spec("plotly")  # finds it without importing it
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("plotly is not installed", name="plotly")
    return Path(spec.origin).parent / "package_data" / BUNDLE
