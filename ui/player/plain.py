"""The picture's last frame as a plain Plotly figure, for pages that show `st.plotly_chart`."""

from typing import Any

import numpy as np

from core.colours import ROLE
from ui.player.chart import plain_axes, plain_series, typeset
from ui.player.scene import RIM, LatentView, annulus, band, broken, level_lines, reach

DEEP = "rgb(38,88,128)"  # level lines of the plain figure, seen on a pale and on a blue ball
DARK = "rgb(70,74,82)"  # the same on a ball of another colour


def plain_figure(view: LatentView) -> dict[str, Any]:
    """The last frame as a Plotly figure spec, for pages that show `st.plotly_chart` instead."""
    data: list[dict[str, Any]] = []
    sides = [(view.z, view.net)]
    if view.chart is None:
        sides += [(view.z_hat[-1], view.net_hat[-1] if view.net.size else view.net)]
    for side, (points, net) in enumerate(sides):
        if view.d == 3 and view.curved:
            density = None if side else view.density
            ball = _sphere(density, ROLE[view.density_role], view.density_labels)
            data.append(ball | {"scene": f"scene{side + 1 if side else ''}"})
        elif not side and view.density is not None:
            data += _plain_band(view.density, ROLE[view.density_role])
        bold = set(view.net_bold)
        for chosen, width in (([i for i in range(len(net)) if i not in bold], 1), (bold, 2.5)):
            if view.net.size and chosen:
                curves = broken(net[sorted(chosen)])
                line = {"color": "rgba(128,132,142,0.8)", "width": width}
                data.append(_trace(curves, side, "lines") | {"line": line})
        data += [] if side else _plain_planes(view)
        if len(view.levels) and not side:
            line = {"color": DEEP if view.density_role == "z" else DARK, "width": 3}
            data.append(_trace(level_lines(view.levels), side, "lines") | {"line": line})
        marker = {"color": view.colours, "size": 3.5 if view.d == 3 else 6}
        data.append(_trace(points, side, "markers") | {"marker": marker})
        data += [] if side else _plain_trails(view)
        data += _plain_arrows(view, side)
        for lines in () if side else view.lines:
            line = {"color": ROLE[lines.role], "width": 1.6}
            data.append(_trace(broken(lines.curves[-1]), 0, "lines") | {"line": line})
    return {"data": data + plain_series(view.chart), "layout": _plain_layout(view)}


def _plain_arrows(view: LatentView, side: int) -> list[dict[str, Any]]:
    """One trace a role: rays from the origin, and the names of those that have one."""
    data = []
    for role in dict.fromkeys(arrow.role for arrow in view.arrows):
        tips, names = [], []
        for arrow in view.arrows:
            tip = arrow.recovered[-1] if side and arrow.recovered is not None else None
            if not side and arrow.truth is not None:
                tip = arrow.truth[-1] if arrow.truth.ndim == 2 else arrow.truth
            if tip is not None and arrow.role == role:
                tips.append(np.stack([np.zeros(view.d), tip]))
                names += ["", typeset(arrow.label), ""]
                if arrow.both:
                    tips.append(-tips[-1])
                    names += ["", "", ""]
        if tips:
            mode = "lines+text" if any(names) else "lines"
            thin = min(1.0, (12 / len(view.arrows)) ** 0.5)  # the more, the thinner
            line = {"color": ROLE[role], "width": 4 * max(0.3, thin)}
            ray = _trace(broken(np.stack(tips)), side, mode) | {"line": line}
            data.append(ray | ({"text": names} if any(names) else {}))
    return data


def _plain_trails(view: LatentView) -> list[dict[str, Any]]:
    return [
        _trace(arrow.trail.reshape(-1, view.d), 0, "lines")
        | {"line": {"color": ROLE[arrow.role], "width": 3}, "opacity": 0.7}
        for arrow in view.arrows
        if arrow.trail is not None
    ]


def _plain_planes(view: LatentView) -> list[dict[str, Any]]:
    """An axis with its name at its upper end; a ring with its rim, and its name on it."""
    data = []
    for plane in view.planes:
        line = {"color": ROLE[plane.role], "width": 3}
        if len(plane.basis) == 1:
            end = RIM * plane.basis * (1 if plane.basis[0, -1] >= 0 else -1)
            rays, names = np.stack([-end, end], axis=1), ["", typeset(plane.label), ""]
            line["width"] = 6
        else:
            rims = annulus(plane.basis)
            data.append(_plain_ring(rims, ROLE[plane.role]))
            rays, names = rims[:1], [typeset(plane.label)] + [""] * rims.shape[1]
        curve = _trace(broken(rays), 0, "lines+text" if plane.label else "lines")
        data.append(curve | {"line": line} | ({"text": names} if plane.label else {}))
        data[-1]["textposition"] = "middle left" if len(plane.basis) == 1 else "middle right"
    return data


def _plain_ring(rims: np.ndarray, colour: str) -> dict[str, Any]:
    count = rims.shape[1]
    a = np.arange(count - 1)
    faces = [np.r_[a, a + 1], np.r_[a + 1, count + a + 1], np.r_[count + a, count + a]]
    places = dict(zip("xyz", np.round(rims.reshape(-1, 3), 4).T.tolist(), strict=True))
    corners = dict(zip("ijk", (face.tolist() for face in faces), strict=True))
    look = {"color": colour, "opacity": 0.32, "hoverinfo": "skip", "lighting": {"ambient": 1}}
    return {"type": "mesh3d", "scene": "scene"} | places | corners | look


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


def _plain_band(density: np.ndarray, colour: str) -> list[dict[str, Any]]:
    outline = band(density)
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    fill = {"fill": "toself", "fillcolor": f"rgba({red},{green},{blue},0.4)", "line": {"width": 0}}
    edge = _trace(outline[: len(outline) // 2], 0, "lines")
    return [_trace(outline, 0, "lines") | fill, edge | {"line": {"color": colour, "width": 1.5}}]


def _sphere(
    density: np.ndarray | None, colour: str, labels: tuple[str, str] | None
) -> dict[str, Any]:
    rows, columns = (19, 36) if density is None else density.shape
    lon, lat = np.meshgrid(
        np.linspace(0, 2 * np.pi, columns + 1), np.linspace(-np.pi / 2, np.pi / 2, rows)
    )
    xyz = 0.985 * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    x, y, z = np.round(xyz, 3).tolist()
    grey = [[0, "rgb(206,208,214)"], [1, "rgb(206,208,214)"]]
    look = {"opacity": 0.3, "showscale": False, "colorscale": grey, "hoverinfo": "skip"}
    surface = {"type": "surface", "x": x, "y": y, "z": z, "contours": {}} | look
    if density is None:
        return surface
    shades = {"colorscale": [grey[0], [1, colour]], "cmin": 0, "cmax": 1, "opacity": 1}
    shades |= {"lighting": {"ambient": 0.9, "diffuse": 0.15, "specular": 0, "fresnel": 0}}
    around = np.concatenate([density, density[:, :1]], axis=1).astype(float)
    if labels is not None:
        words = {"tickvals": [0, 1], "ticktext": [typeset(label) for label in labels]}
        words |= {"len": 0.2, "thickness": 8}
        place = {"orientation": "h", "x": 0.02, "xanchor": "left", "y": 0, "yanchor": "bottom"}
        shades |= {"showscale": True, "colorbar": words | place}
    return surface | shades | {"surfacecolor": np.round(around, 4).tolist()}


def _plain_layout(view: LatentView) -> dict[str, Any]:
    halves = ([0, 0.5], [0.5, 1])
    layout: dict[str, Any] = {
        "margin": {"l": 0, "r": 0, "t": 36, "b": 0},
        "height": 440,
        "annotations": [
            {
                "text": typeset(title),
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
    drawn = {"z": view.z, "z_hat": view.z_hat} | (
        {"net": view.net, "net_hat": view.net_hat} if view.net.size else {}
    )
    widest = round(1.02 * max(1.08, float(reach(view, drawn)[-1])), 3)
    hidden = {"visible": False, "range": [-widest, widest]}
    if view.chart is not None:
        axes, titles = plain_axes(view.chart)
        layout |= axes
        layout["annotations"] += titles
    for half, suffix in zip(halves, ("", "2"), strict=True):
        if suffix and view.chart is not None:
            continue
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
