"""The words of a figure: readable on both pages, beside the lines and never on them, none cut."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

import altair as alt
import numpy as np
import pandas as pd

from core.colours import PAGE, ROLE, readable
from core.figures.figure import Chart
from core.legend import label_of, named
from core.scenarios.scenario import Knob

Axis = TypeVar("Axis", alt.X, alt.Y)
BRIGHT = "luminance(background) > 0.5"  # Vega knows the page's colour when it draws
LETTER = 6.6  # pixels, of the font at 12 px; a little more than measured
ABOVE = -17  # pixels from the middle of a line of dots to the words over it
LINE = 15.0  # pixels from one line of text to the next
GAP = 0.25  # of a line, between names of which some have two
LONGEST = 15  # letters of a name in one line, so that a phone has room for the picture
APART = 9.0  # pixels between two labels of an axis
SMALLEST, LARGEST = 80, 1400  # widths of a picture between its axes, in pixels


def ink(colour: str) -> Any:
    """A colour for text, which is one on the light page and another on the dark one."""
    light, dark = readable(colour)
    return alt.expr(f"{BRIGHT} ? '{light}' : '{dark}'")


QUIET = ink(ROLE["theory"])
OUTLINE = alt.expr(f"{BRIGHT} ? '{PAGE['dark']}' : '{PAGE['light']}'")  # as strong as can be
OWN_INK = alt.expr(f"{BRIGHT} ? datum.light : datum.dark")  # of rows that `inked` has coloured


def inked(table: pd.DataFrame, colours: Sequence[str]) -> pd.DataFrame:
    """Rows of text with the colours that they take on either page, for `OWN_INK`."""
    light, dark = zip(*map(readable, colours), strict=True) if len(table) else ((), ())
    return table.assign(light=list(light), dark=list(dark))


def finished(chart: Chart, **padding: float) -> Chart:
    """The chart with axes that can be read on both pages (Vega leaves room for words beside it).

    Set on the chart itself: Altair's own methods copy all of its layers each time.
    """
    axis = {"labelColor": QUIET, "titleColor": QUIET, "labelFlush": False}
    room = {"left": 5, "top": 8, "right": 10, "bottom": 12}
    chart["padding"] = {**room, **padding}
    chart["config"] = alt.Config(axis=alt.AxisConfig(**axis))
    return chart


def wrapped(name: str) -> str:
    """A long name in two lines, broken near its middle."""
    gaps = [i for i, letter in enumerate(name) if letter == " "]
    if len(name) <= LONGEST or not gaps:
        return name
    at = min(gaps, key=lambda i: abs(i - len(name) / 2))
    return name[:at] + "\n" + name[at + 1 :]


def apart(
    heights: Sequence[float], lines: Sequence[float], line: float, low: float, high: float
) -> np.ndarray:
    """Heights of names, near those wanted and in their order, that leave room for their lines.

    `line` is what a line of text takes, in the units of the axis, which runs from low to high.
    """
    order = np.argsort(-np.asarray(heights, dtype=float), kind="stable")
    at, room = np.asarray(heights, dtype=float)[order], line * np.asarray(lines)[order]
    for i in range(len(at)):  # downwards, the highest first
        at[i] = min(at[i], at[i - 1] - (room[i - 1] + room[i]) / 2 if i else high)
    for i in reversed(range(len(at))):  # and back up from the bottom
        at[i] = max(at[i], at[i + 1] + (room[i + 1] + room[i]) / 2 if i + 1 < len(at) else low)
    found = np.empty(len(at))
    found[order] = at
    return found


def beside(
    names: Mapping[str, float],
    colours: Mapping[str, str],
    y: alt.Y,
    height: float,
    span: tuple[float, float],
) -> alt.Chart:
    """Names right of the picture at their heights, each in its colour (quiet where none is given).

    `height` is that of the picture between its axes in pixels, `span` what its y axis shows.
    """
    low, high = span
    texts = [wrapped(name) for name in names]
    lines = [text.count("\n") + 1 for text in texts]
    taken = [count + GAP * (max(lines) > 1) for count in lines]
    at = apart(list(names.values()), taken, (high - low) * LINE / height, low, high)
    table = pd.DataFrame({"name": texts, "at": at, "lines": lines})
    table = inked(table, [colours.get(name, ROLE["theory"]) for name in names])
    words = alt.Chart(table).mark_text(
        align="left", baseline="middle", dx=9, fontSize=12, fontWeight=600, lineBreak="\n",
        dy=alt.expr(f"-{LINE / 2} * (datum.lines - 1)"), fill=OWN_INK,
    )  # fmt: skip
    right = alt.XValue(alt.expr("width"))
    return words.encode(x=right, y=along(y, "at"), text=alt.Text("name:N"))


def over(
    names: Mapping[str, float], span: tuple[float, float], colour: Any = None, dy: float = ABOVE,
    **style: Any,
) -> list[alt.Chart]:  # fmt: skip
    """Names over their places on a line whose axis shows `span`; none lies on another, or is cut.

    A name moves aside as far as those before and after it ask for, at any width. Where one of them
    would leave its place every second name is in another line, farther from the axis.
    """
    order = sorted(names, key=lambda name: names[name])
    texts = _told_once(order)
    shares = [(names[name] - span[0]) / (span[1] - span[0]) for name in order]
    taken = [LETTER * len(text) for text in texts]
    wide = [at for at in range(LARGEST, SMALLEST, -10) if not _in_one_line(shares, taken, at)]
    room = max(wide, default=SMALLEST) + 10
    one = _side_by_side(shares, taken)
    two = [""] * len(order)
    for first in (0, 1):
        two[first::2] = _side_by_side(shares[first::2], taken[first::2])
    farther = dy + (LINE if dy > 0 else -LINE)
    layers = []
    for i, (name, text) in enumerate(zip(order, texts, strict=True)):
        row = pd.DataFrame({"name": [text], "value": [names[name]]})
        up = alt.expr(f"width < {room} ? {farther:g} : {dy:g}") if i % 2 else dy
        word = alt.Chart(row).mark_text(fontSize=12, color=colour or QUIET, align="center", dy=up,
                                        **style)  # fmt: skip
        place = alt.expr(f"width < {room} ? {two[i]} : {one[i]}")
        layers.append(word.encode(x=alt.XValue(place), text=alt.Text("name:N")))
    return layers


def _told_once(names: Sequence[str]) -> list[str]:
    """Names in a row without a first word that the first of them, or the one before, has said."""
    found = []
    for i, name in enumerate(names):
        word = name.split(" ")[0] + " "
        said = i > 0 and any(names[j].startswith(word) for j in (0, i - 1))
        found.append(name.removeprefix(word) if said else name)
    return found


def _side_by_side(shares: Sequence[float], taken: Sequence[float]) -> list[str]:
    """Vega's expressions for the middles of words near shares of a width, in order and apart."""
    gaps = [(a + b) / 2 + APART for a, b in pairwise(taken)]
    right: list[str] = []  # pushed by those before it, and the width's beginning
    for i, share in enumerate(shares):
        least = f"{taken[0] / 2:.1f}" if not i else f"{right[-1]} + {gaps[i - 1]:.1f}"
        right.append(f"max({share:.4f} * width, {least})")
    found: list[str] = []  # and back by those behind it, and the width's end
    for i in reversed(range(len(shares))):
        most = f"{found[0]} - {gaps[i]:.1f}" if found else f"width - {taken[i] / 2:.1f}"
        found.insert(0, f"min({right[i]}, {most})")
    return found


def _in_one_line(shares: Sequence[float], taken: Sequence[float], width: float) -> bool:
    """Whether such words are all over their places, a width in pixels being given."""
    gaps = [(a + b) / 2 + APART for a, b in pairwise(taken)]
    at = [share * width for share in shares]
    for i in range(len(at)):
        at[i] = max(at[i], at[i - 1] + gaps[i - 1] if i else taken[0] / 2)
    for i in reversed(range(len(at))):
        at[i] = min(at[i], at[i + 1] - gaps[i] if i + 1 < len(at) else width - taken[i] / 2)
    return all(abs(found - share * width) <= long / 2 + 1
               for found, share, long in zip(at, shares, taken, strict=True))  # fmt: skip


def along(y: Axis, field: str) -> Axis:
    """Another field on the same axis."""
    other = y.copy(deep=False)
    other["shorthand"] = f"{field}:Q"
    return other


def span_of(values: Sequence[float], margin: float = 0.05) -> tuple[float, float]:
    """An axis that holds all values, and a little more for the dots at its ends."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    more = margin * (high - low) or 0.05 * max(abs(high), 0.1)
    return low - more, high + more


# ---- axes of swept values


def swept_axis(knob: Knob, values: Sequence[Any]) -> alt.X:
    """The x axis of a sweep of numbers (field "x"): from its first value to its last.

    Its ticks are the values; labels are left out, by the width, where they would overlap.
    """
    known = sorted(set(values))
    kind: dict[str, Any] = {"type": "linear"}
    place = np.asarray(known, dtype=float)
    if knob.scale != "linear" and known[0] > 0:
        kind, place = {"type": "log"}, np.log(place)
    elif knob.scale != "linear" and known[0] == 0 and len(known) > 1:  # log from the second on
        kind, place = {"type": "symlog", "constant": known[1]}, np.log1p(place / known[1])
    ends = [known[0], known[-1]] if len(known) > 1 else alt.Undefined
    return alt.X("x:Q", title=label_of(knob), scale=alt.Scale(domain=ends, nice=False, **kind),
                 axis=ticks_at(known, place, [named(knob, value) for value in known]))  # fmt: skip


def ticks_at(values: Sequence[float], place: np.ndarray, texts: Sequence[str]) -> alt.Axis:
    """An axis with a tick at each value, and as many of their texts as its width has room for."""
    kept = ""
    for below, indices in shown_by_width(tuple(np.asarray(place).tolist()), tuple(texts)):
        kept += f"width < {below} ? {list(indices)} : "
    kept += f"{list(range(len(texts)))}"
    at = f"indexof({json.dumps(list(values))}, datum.value)"
    text = f"indexof({kept}, {at}) < 0 ? '' : {json.dumps(list(texts), ensure_ascii=False)}[{at}]"
    return alt.Axis(values=list(values), ticks=True, tickSize=5, tickColor=ROLE["theory"],
                    labelPadding=6, labelOverlap=False, labelExpr=text)  # fmt: skip


def named_at(places: Sequence[float], texts: Sequence[str]) -> alt.Axis:
    """A y axis with a text at each place, and no ticks."""
    said = json.dumps(list(texts), ensure_ascii=False)
    expression = f"{said}[indexof({json.dumps(list(places))}, datum.value)]"
    return alt.Axis(values=list(places), labelExpr=expression, grid=False, ticks=False,
                    domain=False, labelPadding=8)  # fmt: skip


def first_to_last(last: int) -> alt.Axis:
    """An axis of whole numbers from 0 to `last`, in round steps, with both ends."""
    step = 10 ** int(np.log10(max(last, 1)))
    if last < 5 * step:
        step = max(step // 2, 1)
    if last < 2.5 * step:
        step = max(step // 2, 1)
    values = [at for at in range(0, last, step) if last - at >= 0.6 * step or at == 0] + [last]
    return ticks_at(values, np.asarray(values, dtype=float), list(map(str, values)))


@lru_cache(maxsize=256)
def shown_by_width(
    place: tuple[float, ...], texts: tuple[str, ...]
) -> list[tuple[int, tuple[int, ...]]]:
    """Which labels fit (their indices) in a width below which; beyond the last one all do."""
    share = (np.asarray(place, dtype=float) - place[0]) / (float(place[-1] - place[0]) or 1.0)
    found: list[tuple[int, tuple[int, ...]]] = []
    for width in range(SMALLEST, LARGEST, 10):
        kept = _fitting(width * share, texts)
        if found and found[-1][1] == kept:
            found.pop()
        found.append((width + 10, kept))
    return found[:-1] if len(found[-1][1]) == len(texts) else found


def _fitting(at: np.ndarray, texts: Sequence[str]) -> tuple[int, ...]:
    """The first label and the last, then the shortest ones first, as far as there is room."""
    half = [LETTER * len(text) / 2 for text in texts]
    kept = [0, len(at) - 1]
    for i in sorted(range(1, len(at) - 1), key=lambda i: len(texts[i])):
        if all(abs(at[i] - at[j]) >= half[i] + half[j] + APART for j in kept):
            kept.append(i)
    return tuple(sorted(set(kept)))


def choice_axis(field: str, order: Sequence[str], title: str) -> alt.X:
    """The x axis of named choices: long names in two lines, aslant where there is little room."""
    longest = max((len(line) for name in order for line in name.split("\n")), default=0)
    tight = f"width < {len(order) * (LETTER * longest + APART):.0f}"
    axis = alt.Axis(
        labelExpr="split(datum.label, '\\n')", labelOverlap=False, labelLimit=0, labelPadding=6,
        labelAngle=alt.expr(f"{tight} ? -45 : 0"),
        labelAlign=alt.expr(f"{tight} ? 'right' : 'center'"),
    )  # fmt: skip
    return alt.X(f"{field}:N", title=title, sort=list(order), axis=axis)
