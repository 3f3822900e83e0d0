"""The steps of a proof, drawn from a run: agreement, a matrix, a read-out, curves that meet."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE, on_shade, ramp
from core.figures import words
from core.figures.figure import SQUARE, Figure

HEIGHT, AXIS = 300, 55  # AXIS of it lies under the picture
LETTER_SIZE = 0.12  # of a point's name, where the circle has radius 1
FAINTEST = 0.08  # opacity of a zero in a matrix
NUMBERED = 6  # latents or codes up to which a correlation has room for its number
MATCHED = 190  # height of a matrix beside the picture
INSIDE = 230  # of it, between the axes


def agreement(
    world: np.ndarray,
    model: np.ndarray,
    names: tuple[str, str],
    reach: float | None,
    least: float | None = None,
    slopes: Mapping[str, float] | None = None,
) -> Figure:
    """What the world says against what the model says, a dot a pair, as a proof equates them.

    `reach` draws the identity from `least` (-reach if None) to reach: None where the proof's
    assumptions fail. `slopes` of further lines through 0, by their names, are drawn as far.
    """
    table = pd.DataFrame({"world": world, "model": model})
    ends = [] if reach is None else [-reach if least is None else least, reach]
    across, up = words.span_of([*world, *ends], 0.02), words.span_of([*model, *ends], 0.02)
    x = alt.X("world:Q", title=names[0], scale=alt.Scale(domain=across, nice=False))
    y = alt.Y("model:Q", title=names[1], scale=alt.Scale(domain=up, nice=False))
    layers = [
        alt.Chart(table).mark_circle(size=16, color=ROLE["z_hat"], opacity=0.45).encode(x=x, y=y)
    ]
    if reach is not None:
        lines = {"identity": 1.0, **(slopes or {})}
        for slope in lines.values():
            ends_of = pd.DataFrame({"world": ends, "model": [slope * end for end in ends]})
            line = alt.Chart(ends_of).mark_line(strokeDash=[5, 4], color=ROLE["theory"])
            layers.append(line.encode(x=x, y=y))
        heights = {name: slope * reach for name, slope in lines.items()}
        layers.append(words.beside(heights, {}, y, INSIDE, up))
    chart = alt.layer(*layers, height=HEIGHT)
    shown = table.rename(columns={"world": names[0], "model": names[1]})
    return words.finished(chart), shown


def matrix(entries: np.ndarray, names: Sequence[str] = ()) -> Figure:
    """A small matrix as shaded, numbered squares: the identity is a bright diagonal.

    Its rows have `names` where any are given.
    """
    table = _shaded(entries, ("row", "column"), names)
    axis = alt.Axis(title=None, ticks=False, domain=False) if names else None
    y = alt.Y("row:O", axis=axis, sort=list(names) or alt.Undefined)
    base = alt.Chart(table).encode(x=alt.X("column:O", axis=None), y=y)
    cells = _cells(base)
    numbers = base.mark_text(fontSize=13 if len(entries) < 7 else 10, fill=words.OWN_INK).encode(
        text=alt.Text("value:Q", format=".2f")
    )
    chart = alt.layer(cells, numbers, height=HEIGHT)
    shown = table[["row", "column", "value"]].rename(columns=str.capitalize)
    return words.finished(chart), shown


def matching(
    correlation: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
    codes: np.ndarray | None = None,
    height: int = MATCHED,
    names: Sequence[str] = (),
) -> Figure:
    """Absolute correlations (d, m) of latents with codes, and frames around the pairs matched.

    Columns go by the indices `codes` (m,), in rising order: all there are if None. Rows have the
    latents' `names`, or their numbers from 1.
    """
    table = _shaded(np.abs(correlation), ("latent", "code"), names).assign(pair=False)
    table.loc[pairs[0] * correlation.shape[1] + pairs[1], "pair"] = True
    if codes is not None:
        table["code"] = np.asarray(codes)[table["code"] - 1] + 1
    told = [alt.Tooltip("latent:O"), alt.Tooltip("code:O"),
            alt.Tooltip("value:Q", format=".3f", title="absolute correlation")]  # fmt: skip
    base = alt.Chart(table).encode(
        tooltip=told,
        x=alt.X("code:O", title="code", axis=alt.Axis(orient="top", labelAngle=0, ticks=False)),
        y=alt.Y("latent:O", title=None if names else "latent", sort=list(names) or alt.Undefined,
                axis=alt.Axis(ticks=False)),
    )  # fmt: skip
    frames = (
        base.transform_filter("datum.pair")
        .mark_rect(fillOpacity=0, stroke=words.OUTLINE, strokeWidth=2.5, cornerRadius=3)
    )  # fmt: skip
    layers = [_cells(base), frames]
    if max(correlation.shape) <= NUMBERED:
        numbers = base.mark_text(fontSize=12, fill=words.OWN_INK)
        layers.insert(1, numbers.encode(text=alt.Text("value:Q", format=".2f")))
    shown = table[["latent", "code", "value", "pair"]].rename(
        columns={
            "latent": "Latent",
            "code": "Code",
            "value": "Absolute correlation",
            "pair": "Matched",
        }
    )
    return words.finished(alt.layer(*layers, height=height)), shown


def _shaded(
    entries: np.ndarray, names: tuple[str, str], of_rows: Sequence[str] = ()
) -> pd.DataFrame:
    """A matrix's entries, each with its row and column from 1, its shade and its number's ink.

    Rows that have names go by them.
    """
    rows, columns = np.indices(entries.shape) + 1
    called = np.repeat(list(of_rows), entries.shape[1]) if of_rows else rows.ravel()
    places = dict(zip(names, (called, columns.ravel()), strict=True))
    table = pd.DataFrame({**places, "value": entries.ravel()})
    table["shade"] = FAINTEST + (1 - FAINTEST) * table["value"].abs().clip(upper=1)
    inks = [on_shade(ROLE["z_hat"], shade) for shade in table["shade"]]
    table["light"], table["dark"] = map(list, zip(*inks, strict=True))
    return table


def _cells(base: alt.Chart) -> alt.Chart:
    """The squares of a shaded table."""
    squares = base.mark_rect(cornerRadius=3, color=ROLE["z_hat"])
    return squares.encode(opacity=alt.Opacity("shade:Q", scale=None))


def foretold(true: np.ndarray, found: np.ndarray, title: str, colours: Sequence[str]) -> Figure:
    """A latent direction (n,) against its linear read-out (n,), with the identity dashed."""
    table = pd.DataFrame({"true": true, "read": found, "colour": list(colours)})
    reach = max(1.2, float(np.quantile(np.abs([true, found]), 0.995)))
    scale = alt.Scale(domain=[-reach, reach])
    x = alt.X("true:Q", scale=scale, title=f"true: {title}")
    y = alt.Y("read:Q", scale=scale, title="read out of f(x)")
    dots = (
        alt.Chart(table)
        .mark_circle(size=30, opacity=0.8, clip=True)
        .encode(x=x, y=y, color=alt.Color("colour:N", scale=None))
    )
    ends = pd.DataFrame({"true": [-reach, reach], "read": [-reach, reach]})
    identity = alt.Chart(ends).mark_line(strokeDash=[5, 4], color=ROLE["theory"])
    chart = alt.layer(dots, identity.encode(x=x, y=y), **SQUARE)
    shown = table.drop(columns="colour").rename(
        columns={"true": f"True: {title}", "read": "Read out of f(x)"}
    )
    return words.finished(chart), shown


def closed_curves(
    curves: Mapping[str, tuple[np.ndarray, str]], points: np.ndarray, role: str, word: str
) -> Figure:
    """Closed curves (p, 2) with their colours, named, and marked points (n, 2) named `word` + i."""
    lines = [
        pd.DataFrame({"x": ring[:, 0], "y": ring[:, 1], "at": range(len(ring)), "curve": name})
        for name, (curve, _) in curves.items()
        for ring in [np.concatenate([curve, curve[:1]])]
    ]
    marks = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "curve": ""})
    marks["name"] = [f"{word}{'₁₂₃₄₅₆₇₈₉'[i]}" for i in range(len(points))]
    scale = alt.Scale(domain=[-1.45, 1.45])
    x, y = alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale)
    layers = []
    for line, (name, (_, colour)) in zip(lines, curves.items(), strict=True):
        drawn = alt.Chart(line).mark_line(color=colour, strokeWidth=2.5)
        layers.append(
            drawn.encode(x=x, y=y, order=alt.Order("at:Q"), tooltip=alt.TooltipValue(name))
        )
    dots = alt.Chart(marks).mark_circle(size=110, color=ROLE[role], opacity=1)
    drawn = np.concatenate([curve for curve, _ in curves.values()])
    spots = np.stack([_free_spot(point, drawn) for point in points])
    names = alt.Chart(marks.assign(x=spots[:, 0], y=spots[:, 1])).mark_text(
        fontSize=14, color=words.ink(ROLE[role])
    )
    layers += [dots.encode(x=x, y=y), names.encode(x=x, y=y, text=alt.Text("name:N"))]
    chart = alt.layer(*layers, **SQUARE)
    table = pd.concat([*lines, marks])
    table["curve"] = table["curve"].where(table["curve"] != "", table["name"])
    shown = table.drop(columns=["at", "name"]).rename(
        columns={"x": "First coordinate", "y": "Second coordinate", "curve": "Curve or point"}
    )
    return words.finished(chart), shown


def _free_spot(point: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Beside a point, outwards or inwards, where its name lies on none of the curves (n, 2)."""
    spots = [length * point for length in (1.2, 0.8, 1.35, 0.65)]
    room = [np.linalg.norm(drawn - spot, axis=1).min() for spot in spots]
    return next((s for s, free in zip(spots, room, strict=True) if free > LETTER_SIZE),
                spots[int(np.argmax(room))])  # fmt: skip


def turned(degrees: np.ndarray, losses: Mapping[str, np.ndarray], own: str = "") -> Figure:
    """Loss in nats of a code turned by an angle (a,), above its loss unturned, a line a norm.

    The line named `own` is bolder.
    """
    rows = [
        pd.DataFrame({"angle": degrees, "loss": loss - loss[0], "norm": name})
        for name, loss in losses.items()
    ]
    table = pd.concat(rows)
    shades = dict(zip(losses, ramp(len(losses)), strict=True))
    at = list(range(0, 91, 15))
    axis = words.ticks_at(at, np.asarray(at, dtype=float), list(map(str, at)))
    span = words.span_of([*table["loss"], 0.0])
    x = alt.X("angle:Q", title="angle by which the latents are turned, degrees", axis=axis,
              scale=alt.Scale(domain=[0, 90], nice=False))  # fmt: skip
    y = alt.Y("loss:Q", title="loss above that of the latents themselves, nats",
              scale=alt.Scale(domain=span, nice=False))  # fmt: skip
    scale = alt.Scale(domain=list(shades), range=list(shades.values()))
    bold = alt.StrokeWidthValue(**alt.condition(alt.datum.norm == own, alt.value(3.5),
                                                alt.value(2)))  # fmt: skip
    lines = alt.Chart(table).mark_line().encode(strokeWidth=bold)
    colour = alt.Color("norm:N", legend=None, scale=scale)
    # where the lines are farthest apart, beside the picture's right edge
    middle = {name: float(loss[len(degrees) // 2] - loss[0]) for name, loss in losses.items()}
    names = words.beside(middle, shades, y, HEIGHT - AXIS, span)
    chart = alt.layer(lines.encode(x=x, y=y, color=colour), names, height=HEIGHT)
    named = {"angle": "Angle, degrees", "loss": "Loss above the latents' own, nats", "norm": "Norm"}
    return words.finished(chart), table.rename(columns=named)
