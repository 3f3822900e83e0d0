"""Small charts beside the globe that follow its player: a stack of panels with one scale each.

The arrays travel with the view's own message; see `latent_chart.js` for how they are drawn.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

Kind = Literal["bars", "line", "dashed", "points"]


@dataclass(frozen=True, eq=False)
class Series:
    """One line, histogram or cloud of a panel, of p points, written in words where it lies."""

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
    y_range: tuple[float, float]
    series: Sequence[Series]
    share: float = 1
    """Its part of the height, relative to the other panels."""


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
                if len(ends) != 2 or not np.isfinite(ends).all() or ends[0] >= ends[1]:
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
            "title": panel.title,
            "x_label": panel.x_label,
            "y_label": panel.y_label,
            "x_range": [float(end) for end in panel.x_range],
            "y_range": [float(end) for end in panel.y_range],
            "share": float(panel.share),
            "series": [
                {"label": s.label, "colour": s.colour, "kind": s.kind} for s in panel.series
            ],
        }
        for panel in chart.panels
    ]
