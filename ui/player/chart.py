"""Small charts beside the globe that follow its player: a stack of panels with one scale each.

The arrays travel with the view's own message; see `chart.js` for how they are drawn.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

Kind = Literal["bars", "area", "line", "dashed", "points"]


@dataclass(frozen=True, eq=False)
class Series:
    """One line, histogram, cloud or filled outline ("area") of a panel, of p points, written in
    words where it lies."""

    label: str
    """Drawn beside it in its colour; none when empty."""
    colour: str
    """As "#rrggbb", or "" for the colour of the text."""
    kind: Kind
    x: np.ndarray
    """Places (p,); the edges (p + 1,) of "bars"; of "points" (k, p) as well, one row a frame."""
    y: np.ndarray
    """Heights (p,), or (k, p): one row a frame. NaN leaves a gap."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One pair of axes, named in words, and what is drawn between them."""

    title: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]
    y_range: tuple[float, float] | np.ndarray
    """(low, high), or (k, 2) where the axis follows the player as well."""
    series: Sequence[Series]
    share: float = 1
    """Its part of the height, relative to the other panels."""
    x_names: Sequence[str] = ()
    """Words in place of the numbers 0, 1, ... of the x axis."""


@dataclass(frozen=True, eq=False)
class Chart:
    """Panels from top to bottom. One above another with the same x axis leaves its labels out."""

    panels: Sequence[Panel]

    def check(self, frames: int) -> None:
        """Refuse, by name, what cannot be drawn over so many frames."""
        if not self.panels:
            raise ValueError("chart has no panels")
        for i, panel in enumerate(self.panels):
            where = f"chart.panels[{i}]"
            for name, ends in (("x_range", panel.x_range), ("y_range", panel.y_range)):
                span = np.asarray(ends, float)
                shapes = ((2,), (frames, 2)) if name == "y_range" else ((2,),)
                rises = span.shape in shapes and np.isfinite(span).all()
                if not rises or (span[..., 0] >= span[..., 1]).any():
                    raise ValueError(f"{where}.{name} is {ends}, expected (low, high)")
            if not panel.share > 0:
                raise ValueError(f"{where}.share is {panel.share}, expected more than 0")
            for j, series in enumerate(panel.series):
                _check_series(series, f"{where}.series[{j}]", frames)


def _check_series(series: Series, where: str, frames: int) -> None:
    if series.kind not in get_args(Kind):
        kinds = ", ".join(get_args(Kind))
        raise ValueError(f"{where}.kind is {series.kind!r}, expected one of {kinds}")
    if series.colour and not re.fullmatch("#[0-9a-fA-F]{6}", series.colour):
        raise ValueError(f"{where}.colour is {series.colour!r}, expected #rrggbb")
    p = series.x.shape[-1] - (series.kind == "bars") if series.x.ndim else 0
    moving = series.kind == "points" and series.x.ndim == 2
    if p < 1 or series.x.ndim != 1 + moving or (moving and len(series.x) != frames):
        expected = f"(p,) or ({frames}, p)" if series.kind == "points" else "(p,)"
        expected = "(p + 1,)" if series.kind == "bars" else expected
        raise ValueError(f"{where}.x has shape {series.x.shape}, expected {expected}")
    if series.y.shape not in ((p,), (frames, p)):
        raise ValueError(
            f"{where}.y has shape {series.y.shape}, expected ({p},) or ({frames}, {p})"
        )
    for name, array in (("x", series.x), ("y", series.y)):
        if np.isinf(array).any() or (series.kind == "bars" and np.isnan(array).any()):
            raise ValueError(f"{where}.{name} is not finite")


def chart_arrays(chart: Chart) -> dict[str, np.ndarray]:
    """The chart's part of the message: an x and a y a series."""
    return {
        f"{axis}{i}.{j}": getattr(series, axis)
        for i, panel in enumerate(chart.panels)
        for j, series in enumerate(panel.series)
        for axis in "xy"
    }


def chart_header(chart: Chart) -> list[dict[str, Any]]:
    """What is said of each panel and of its series."""
    return [
        {
            "title": typeset(panel.title),
            "x_label": typeset(panel.x_label),
            "y_label": typeset(panel.y_label),
            "x_range": [float(end) for end in panel.x_range],
            "y_range": np.round(np.asarray(panel.y_range, float), 4).tolist(),
            "share": float(panel.share),
            "x_names": [typeset(name) for name in panel.x_names],
            "series": [
                {"label": typeset(s.label), "colour": s.colour, "kind": s.kind}
                for s in panel.series
            ],
        }
        for panel in chart.panels
    ]


# ---- the last frame, for a plain figure

FIRST = 3  # the first axes a panel may have: a flat pair of sides has the others
LEFT, RIGHT = 0.57, 0.99  # of the figure's width
HEAD, FOOT = 0.09, 0.13  # of its height, over and under each panel
GREY = "#808495"


def plain_series(chart: Chart | None) -> list[dict[str, Any]]:
    """Plotly traces of all panels, each name at its line's highest point that is still free."""
    data = []
    for i, panel in enumerate(chart.panels if chart else ()):
        axes = {"xaxis": f"x{FIRST + i}", "yaxis": f"y{FIRST + i}", "type": "scatter"}
        axes |= {"hoverinfo": "skip", "showlegend": False}
        taken: list[tuple[float, float]] = []
        for series in panel.series:
            x, y = (a[-1] if a.ndim == 2 else a for a in (series.x, series.y))
            colour = series.colour or GREY
            if series.kind == "bars":
                at = (x[1:] + x[:-1]) / 2
                drawn = np.repeat(x, 2), np.r_[0, np.repeat(y, 2), 0]
            else:
                at, drawn = x, (x, y)
            places = {axis: _plain(values) for axis, values in zip("xy", drawn, strict=True)}
            data.append(axes | _plain_style(series.kind, colour) | places)
            if series.label and np.isfinite(y).any():
                spot = _free_spot(panel, at, y, taken)
                taken.append(spot)
                words = [typeset(series.label)]
                name = {"x": [spot[0]], "y": [spot[1]], "text": words, "mode": "text"}
                look = {"textposition": "top center", "textfont": {"color": colour}}
                data.append(axes | name | look | {"cliponaxis": False})
    return data


def _free_spot(
    panel: Panel, x: np.ndarray, y: np.ndarray, taken: list[tuple[float, float]]
) -> tuple[float, float]:
    """The highest point of a line that is not beside one in `taken`, else simply the highest."""
    bottom, ceiling = last_range(panel)
    wide, high = np.ptp(panel.x_range), ceiling - bottom
    free = np.isfinite(y)
    for left, top in taken:
        apart = (np.abs(x - left) > 0.18 * wide) | (np.abs(y - top) > 0.12 * high)
        free = free & apart if (free & apart).any() else free
    best = int(np.argmax(np.where(free, y, -np.inf)))
    return round(float(x[best]), 4), round(float(min(y[best], ceiling)), 4)


def last_range(panel: Panel) -> tuple[float, float]:
    """The y axis at the last frame."""
    low, high = np.asarray(panel.y_range, float).reshape(-1, 2)[-1].tolist()
    return low, high


def _plain_style(kind: Kind, colour: str) -> dict[str, Any]:
    line = {"color": colour, "width": 1 if kind in ("bars", "area") else 2}
    if kind == "points":
        return {"mode": "markers", "marker": {"color": colour, "size": 6}}
    if kind in ("bars", "area"):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        fill = {"fill": "toself", "fillcolor": f"rgba({red},{green},{blue},0.2)"}
        return {"mode": "lines", "line": line} | fill
    return {"mode": "lines", "line": line | ({"dash": "dash"} if kind == "dashed" else {})}


def _plain(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(v) else round(float(v), 4) for v in values]


def plain_axes(chart: Chart) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The layout's axes of all panels, and their titles as annotations."""
    axes: dict[str, Any] = {}
    titles = []
    shares = np.array([panel.share for panel in chart.panels])
    heights = shares / shares.sum() * (1 - len(shares) * (HEAD + FOOT))
    top = 1.0
    for i, (panel, height) in enumerate(zip(chart.panels, heights, strict=True)):
        upper = top - HEAD
        lower = upper - max(0.02, float(height))
        look = {"showgrid": False, "zeroline": False, "showline": True, "nticks": 5}
        for axis, other, words, ends, domain in (
            ("x", "y", panel.x_label, panel.x_range, [LEFT, RIGHT]),
            ("y", "x", panel.y_label, last_range(panel), [max(0.0, lower), upper]),
        ):
            place = {"anchor": f"{other}{FIRST + i}", "domain": domain, "range": list(ends)}
            axes[f"{axis}axis{FIRST + i}"] = look | place | {"title": {"text": typeset(words)}}
        if panel.x_names:
            names = {"tickvals": [*range(len(panel.x_names))], "ticktext": [*panel.x_names]}
            axes[f"xaxis{FIRST + i}"] |= names
        corner = {"x": LEFT, "y": upper, "xref": "paper", "yref": "paper", "showarrow": False}
        anchors = {"xanchor": "left", "yanchor": "bottom", "text": typeset(panel.title)}
        titles.append(corner | anchors)
        top = lower - FOOT
    return axes, titles


def typeset(words: str) -> str:
    """Words as Plotly's own markup: v_c with its subscript, V⊥ with its superscript."""
    words = words.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"(?<=\w)⊥", "<sup>⊥</sup>", re.sub(r"(?<=\w)_(\w)\b", r"<sub>\1</sub>", words))
