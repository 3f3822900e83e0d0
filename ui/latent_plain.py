"""The picture's last frame as a plain Plotly figure, for pages that show `st.plotly_chart`."""

from typing import Any

import numpy as np

from core.legend import ROLE
from ui.latent_scene import LatentView, band, broken, level_lines

DEEP = "rgb(38,88,128)"  # level lines of the plain figure, seen on a pale and on a blue ball


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
                curves = broken(net[sorted(chosen)])
                line = {"color": "rgba(128,132,142,0.8)", "width": width}
                data.append(_trace(curves, side, "lines") | {"line": line})
        if len(view.levels) and not side:
            line = {"color": DEEP, "width": 3}
            data.append(_trace(level_lines(view.levels), side, "lines") | {"line": line})
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
            ray = _trace(broken(np.stack(tips)), side, mode) | {"line": line}
            data.append(ray | ({"text": names} if any(names) else {}))
    return data


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
    outline = band(field)
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
