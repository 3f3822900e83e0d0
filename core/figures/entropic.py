"""Manifold entropic metrics of decoders: the sorted spectrum, and what pairs of latents share."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from core.colours import ROLE, class_colours, on_shade
from core.figures import words
from core.figures.figure import Figure

HEIGHT, INSIDE = 300, 235  # of a spectrum, and of it between the axes
FEW = 24  # latents, up to which a spectrum counts them off and shows each with its error
CAP = 0.1  # nats, from which a pair has the full colour
CELLS = 64  # along a side of the heatmap: more latents share a cell
SIDE = 270  # pixels of it
NUMBERED = 8  # latents, up to which its cells hold their numbers
LABELS = 8  # along a side of it
DIGITS = 4  # of a pair, in the picture; its table has all of them
RULER = 84  # pixels of the line of marks
BELOW = 18  # of its middle, to the words under it
FAINTEST = 0.06  # opacity of a pair that shares nothing: the diagonal, which is empty, has none
UNIT = "Manifold entropy, nats"
SHARED = "Mutual information, nats"
Spectrum = tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray | None]


class Cell(NamedTuple):
    """A cell of the heatmap: the latents from `first` to `last`, and the name of its place."""

    first: int
    last: int
    name: str


def spectrum(
    decoders: Mapping[str, Spectrum], ruler: Sequence[float] | np.ndarray | None = None
) -> Figure:
    """Manifold entropies of each decoder's latents, sorted, the largest first.

    `decoders` maps a name to values (d,) in nats and their standard errors (d,), or None; names
    stand beside the lines, unless empty. `ruler` (d,) is the spectrum of the linear decoder with
    the same covariance, by its principal axes: dashed, "PCA".
    """
    table = pd.concat([_sorted(name, *found) for name, found in decoders.items()])
    d = int(table["rank"].max())
    colours = class_colours(len(decoders)) if len(decoders) > 1 else [ROLE["z_hat"]]
    dashes = pd.DataFrame({"rank": [], "nats": []})
    if ruler is not None:
        dashes = _sorted("PCA", ruler, None)
        d = max(d, len(dashes))
    errors = table["error"].fillna(0)
    span = words.span_of([*(table["nats"] - errors), *(table["nats"] + errors), *dashes["nats"]])
    x = _ranks(d)
    y = alt.Y("nats:Q", title=UNIT, scale=alt.Scale(domain=span, nice=False))
    shade = alt.Color(
        "decoder:N", legend=None, scale=alt.Scale(domain=list(decoders), range=colours)
    )
    told = [alt.Tooltip("decoder:N", title="Decoder")] if len(decoders) > 1 else []
    told += [alt.Tooltip("latent:Q", title="Latent"), alt.Tooltip("nats:Q", format=".3f"),
             alt.Tooltip("error:Q", format=".3f", title="Standard error")]  # fmt: skip
    line = alt.Chart(table).mark_line(strokeWidth=1.8)
    layers = [line.encode(x=x, y=y, color=shade, tooltip=told)]
    if d <= FEW:
        layers += _dots(table, x, y, shade, told)
    names = {name: float(table[table["decoder"] == name]["nats"].iloc[-1]) for name in decoders}
    inks = dict(zip(decoders, colours, strict=True))
    if ruler is not None:
        dashed = alt.Chart(dashes).mark_line(strokeDash=[5, 4], color=ROLE["theory"])
        layers.append(dashed.encode(x=x, y=y))
        names["PCA"] = float(dashes["nats"].iloc[-1])
    names.pop("", None)
    if names:
        layers.append(words.beside(names, inks, y, INSIDE, span))
    chart = alt.layer(*layers, height=HEIGHT)
    named = {"decoder": "Decoder", "rank": "Place", "latent": "Latent", "nats": UNIT,
             "error": "Standard error"}  # fmt: skip
    shown = table if ruler is None else pd.concat([table, dashes])
    return words.finished(chart), shown.rename(columns=named)


def _sorted(
    name: str,
    values: Sequence[float] | np.ndarray,
    errors: Sequence[float] | np.ndarray | None,
) -> pd.DataFrame:
    """A decoder's latents by their entropy, the largest first, counted from 1."""
    values = np.asarray(values, dtype=float)
    order = np.argsort(-values, kind="stable")
    error = np.full(len(values), np.nan) if errors is None else np.asarray(errors, dtype=float)
    return pd.DataFrame(
        {"decoder": name, "rank": np.arange(1, len(values) + 1), "latent": order,
         "nats": values[order], "error": error[order]}
    )  # fmt: skip


def _dots(
    table: pd.DataFrame, x: alt.X, y: alt.Y, shade: alt.Color, told: list[alt.Tooltip]
) -> list[alt.Chart]:
    """A dot a latent, and its standard error as a thin bar."""
    low, high = table["nats"] - table["error"], table["nats"] + table["error"]
    bars = alt.Chart(table.assign(low=low, high=high)).mark_rule(strokeWidth=1.2)
    ends = {"y": alt.Y("low:Q", scale=y["scale"]), "y2": alt.Y2("high:Q")}
    dots = alt.Chart(table).mark_circle(size=46, opacity=1)
    return [bars.encode(x=x, color=shade, **ends),
            dots.encode(x=x, y=y, color=shade, tooltip=told)]  # fmt: skip


def _ranks(d: int) -> alt.X:
    """Places from 1 to d: one after the other where they are few, else on a log axis."""
    if d <= FEW:
        at = list(range(1, d + 1))
        scale = alt.Scale(domain=[0.7, d + 0.3], nice=False)
        place = np.asarray(at, dtype=float)
    else:
        steps = [step * 10**power for power in range(1 + int(np.log10(d))) for step in (1, 2, 5)]
        at = [*(each for each in steps if each < 0.8 * d), d]
        scale = alt.Scale(type="log", domain=[1, d], nice=False)
        place = np.log(at)
    return alt.X("rank:Q", title="latents, by entropy", scale=scale,
                 axis=words.ticks_at(at, place, list(map(str, at))))  # fmt: skip


def ruler(value: float, error: float, marks: Mapping[str, float], title: str) -> Figure:
    """A decoder's number with its standard error, below the marks of a ruler, on a line from 0."""
    high = 1.06 * max([value + error, *marks.values()]) or 1.0
    x = alt.X("value:Q", title=None, axis=alt.Axis(tickCount=6),
              scale=alt.Scale(domain=[0, high], nice=False))  # fmt: skip
    drawn = pd.DataFrame({"name": list(marks), "value": list(marks.values())})
    own = pd.DataFrame({"name": [f"this decoder {value:.3f}"], "value": [value],
                        "low": [value - error], "high": [value + error]})  # fmt: skip
    tick = alt.Chart(drawn).mark_tick(color=ROLE["theory"], thickness=2, size=18)
    told = [alt.Tooltip("name:N", title="Linear decoder"),
            alt.Tooltip("value:Q", format=".3f", title="nats")]  # fmt: skip
    layers = [tick.encode(x=x, tooltip=told)]
    layers += words.over(marks, (0, high))
    spread = alt.Chart(own).mark_rule(color=ROLE["z_hat"], strokeWidth=2)
    layers.append(spread.encode(x=alt.X("low:Q", scale=x["scale"]), x2=alt.X2("high:Q")))
    layers.append(alt.Chart(own).mark_circle(size=90, color=ROLE["z_hat"], opacity=1).encode(x=x))
    own_name = {f"this decoder {value:.3f}": value}
    layers += words.over(own_name, (0, high), words.ink(ROLE["z_hat"]), BELOW, fontWeight=600)
    chart = alt.layer(*layers, height=RULER)
    shown = pd.concat([own.assign(name="this decoder"), drawn]).drop(columns=["low", "high"])
    named = shown.assign(error=[error, *(np.nan for _ in marks)]).rename(
        columns={"name": "Decoder", "value": title, "error": "Standard error"}
    )
    return words.finished(chart, top=16, bottom=2), named


def pairs(
    values: np.ndarray,
    blocks: Sequence[int] = (),
    names: Sequence[int] | None = None,
    cap: float = CAP,
) -> Figure:
    """What every pair of latents shares (d, d), in nats, as a square of shades; no diagonal.

    From `cap` nats on a pair has the full colour. Rows and columns come in the order given: `names`
    are the latents' own numbers (0 to d - 1 if not said), `blocks` the sizes of runs of them, which
    a line sets apart. More than 64 latents share cells, each the mean of its pairs. Raises
    ValueError where the blocks are no partition of the latents.
    """
    d = len(values)
    if blocks and sum(blocks) != d:
        raise ValueError(f"blocks of {list(blocks)} are no partition of {d} latents")
    numbers = range(d) if names is None else names
    cells = _cells(numbers)
    means = _means(np.asarray(values, dtype=float), cells)
    said = [cell.name for cell in cells]
    row, column = np.nonzero(np.isfinite(means))
    table = pd.DataFrame({"row": [said[i] for i in row], "column": [said[i] for i in column],
                          "nats": means[row, column]})  # fmt: skip
    drawn = table.assign(nats=table["nats"].round(DIGITS))
    x, y = _places(said)
    full = alt.Scale(domain=[0, cap], range=[FAINTEST, 1], clamp=True)
    told = [alt.Tooltip("row:N", title="Latent"), alt.Tooltip("column:N", title="and latent"),
            alt.Tooltip("nats:Q", title="share, nats")]  # fmt: skip
    squares = alt.Chart(drawn).mark_rect(color=ROLE["z_hat"]).encode(
        x=x, y=y, tooltip=told, opacity=alt.Opacity("nats:Q", legend=None, scale=full)
    )  # fmt: skip
    layers = [squares]
    if d <= NUMBERED:
        layers.append(_numbers(table, cap, x, y))
    layers += _boundaries(blocks, cells, x, y)
    most = -(-d // CELLS)
    shared = f"; a cell is a mean over up to {most} × {most} latents" if d > CELLS else ""
    title = alt.TitleParams(
        f"nats, full colour from {cap:g}{shared}", color=words.QUIET, fontSize=12,
        fontWeight="normal", anchor="start", offset=8,
    )  # fmt: skip
    chart = alt.layer(*layers, width=SIDE, height=SIDE, title=title, autosize="pad")  # a square
    half = table[row <= column]
    named = {"row": "Latent", "column": "And latent", "nats": SHARED}
    return words.finished(chart), half.rename(columns=named)


def _numbers(table: pd.DataFrame, cap: float, x: alt.X, y: alt.Y) -> alt.Chart:
    """What each pair shares, written on its square."""
    strength = FAINTEST + (1 - FAINTEST) * (table["nats"] / cap).clip(0, 1)
    inks = [on_shade(ROLE["z_hat"], each) for each in strength]
    inked = table.assign(light=[ink[0] for ink in inks], dark=[ink[1] for ink in inks])
    written = alt.Chart(inked).mark_text(fontSize=12, fill=words.OWN_INK)
    return written.encode(x=x, y=y, text=alt.Text("nats:Q", format=".3f"))


def _cells(names: Sequence[int]) -> list[Cell]:
    """Which latents stand in which cell of a side, one each as far as there is room."""
    parts = np.array_split(np.arange(len(names)), min(len(names), CELLS))
    ends = [(int(part[0]), int(part[-1])) for part in parts]
    return [Cell(first, last, str(names[first]) if first == last
                 else f"{names[first]} … {names[last]}") for first, last in ends]  # fmt: skip


def _means(values: np.ndarray, cells: Sequence[Cell]) -> np.ndarray:
    """The mean of the pairs in each cell; nan where there are none, as on the diagonal."""
    if len(cells) == len(values):
        return np.where(np.eye(len(values), dtype=bool), np.nan, values)
    starts = [cell.first for cell in cells]
    there = np.isfinite(values) & ~np.eye(len(values), dtype=bool)

    def summed(matrix: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(matrix, starts, 0), starts, 1)

    count = summed(there.astype(float))
    total = summed(np.where(there, values, 0.0))
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _places(names: Sequence[str]) -> tuple[alt.X, alt.Y]:
    """Axes of cells, with as many of their names as can be read."""
    axis = alt.Axis(
        values=list(names[:: -(-len(names) // LABELS)]), labelAngle=0, domain=False,
        labelExpr="split(datum.label, ' ')[0]", labelOverlap=False, tickColor=ROLE["theory"],
        ticks=len(names) > NUMBERED, title="latent",
    )  # fmt: skip
    scale = alt.Scale(domain=list(names), padding=0)
    order = list(names)
    return (
        alt.X("column:N", sort=order, axis=axis, scale=scale),
        alt.Y("row:N", sort=order, axis=axis, scale=scale),
    )


def _boundaries(
    blocks: Sequence[int], cells: Sequence[Cell], x: alt.X, y: alt.Y
) -> list[alt.Chart]:
    """Lines between blocks of latents, at the cell in which the next one begins."""
    starts = list(accumulate(blocks))[:-1]
    at = [next(cell.name for cell in cells if cell.last >= start) for start in starts]
    if not at:
        return []
    rule = alt.Chart(pd.DataFrame({"column": at, "row": at})).mark_rule(
        color=ROLE["theory"], strokeWidth=1.2
    )
    across, down = x.copy(deep=False), y.copy(deep=False)
    across["bandPosition"] = down["bandPosition"] = 0
    return [rule.encode(x=across), rule.encode(y=down)]
