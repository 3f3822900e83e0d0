"""Explore: factors beside codes, who is matched with whom, and every score with its verdict."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.colours import direction_colours
from core.legend import SCORES
from core.lessons import SETUPS
from core.scores import glance
from core.scores.glance import ASKS, UP_TO, Glance
from core.scores.reading import Reading
from core.scores.worlds import Setting, words_of
from ui import export, sheet
from ui.window import address, turns

if TYPE_CHECKING:
    from core.figures.figure import Figure

DCI = "dci"
AT_ONCE = 50_000  # numbers n m d of which DCI is shown to a room without being asked for
SIDE, SMALL = 205, 190  # pixels of a picture of points, and of one that is presented
CAPTION = (
    "The code is {code}.{copied} Grey band: least to most of {shuffles} scores of the same codes "
    "with their rows shuffled; tick: their mean. Thin coloured line through a dot: "
    "95\N{NO-BREAK SPACE}% of resampled samples, with pairs, maps and bins kept.{forest}"
    "{further} **yes** or **no**: whether the codes, as they were made, identify the factors up to "
    "that (DCI: are such codes). "
    f"*fooled*: {glance.HIGH:g} or more where it is no; *unfair*: less where it is yes."
)
COPIED = " Each factor is one of the codes, also where the second nearly repeats the first."
FOREST = (
    " DCI by a lasso: by the jackknife; shuffled codes keep a weight or two, or none, so that it "
    "is anything. By a forest: {shuffles} shuffles, no interval."
)
FURTHER = " What an arrowhead marks lies further left."
BRIEF = (
    f"Grey: codes shuffled · *fooled*: {glance.HIGH:g} or more where the codes do not deserve it "
    "· *unfair*: less where they do"
)


def show(setting: Setting) -> None:
    """The first screen."""
    seen = glance.glance(setting)
    left, middle, right = st.columns(3, gap="small")
    with left:
        _points("factors", seen.z, _factors(seen), seen, setting)
    with middle:
        _points("codes", seen.z_hat, _names(seen), seen, setting)
    with right:
        _matching(seen, setting)
    _scores(seen, setting)
    if address.presenting():
        return
    for sentence in seen.warnings:
        st.caption(f":material/warning: {sentence}")
    _button(setting)


def _names(seen: Glance) -> tuple[str, str]:
    """The codes that stand for the first two factors."""
    first, second = (
        f"{'no code' if j is None else f'code {j + 1}'}, for {name}"
        for j, name in zip(seen.partners, _factors(seen), strict=True)
    )
    return first, second


def _factors(seen: Glance) -> tuple[str, str]:
    """The factors that are drawn, by their letters."""
    first, second = (export.column(f"z{i + 1}") for i in seen.factors)
    return first, second


def _points(
    what: str, points: glance.Array, names: tuple[str, str], seen: Glance, setting: Setting
) -> None:
    from core import figures  # altair: the numbers do not wait for it

    of = f"of {setting.d} " if setting.d > 2 else ""
    titles = {"factors": f"**Factors z** (two {of}shown)" if of else "**Factors z**",
              "codes": "**Codes ẑ** matched to them"}  # fmt: skip
    st.markdown(titles[what])
    side = SMALL if address.presenting() else SIDE
    sheet.figure(
        what, f"{what.capitalize()}: {len(points)} points, each in the colour of its factors.",
        partial(figures.plane, points, direction_colours(seen.z), names, side),
        of=(setting, side), numbers=None,
    )  # fmt: skip


def _matching(seen: Glance, setting: Setting) -> None:
    from core import figures

    more = f", {seen.correlation.shape[1]} of {seen.codes}" if seen.codes > glance.WIDEST else ""
    st.markdown(f"**|Correlation|**, matches outlined{more}")
    sheet.figure(
        "matching", "Absolute correlation of every factor with every code, matched pairs outlined.",
        partial(figures.matching, seen.correlation, seen.pairs, seen.kept), of=(setting,),
        numbers=None,
    )  # fmt: skip


def _scores(seen: Glance, setting: Setting) -> None:
    """Every score as a dot, with DCI once it is asked for, or for a room."""
    from core import figures  # altair: the numbers do not wait for it

    small = setting.n * setting.codes * setting.d <= AT_ONCE
    asked = _asked(setting) or (address.presenting() and small)
    readings = dict(seen.readings)
    if asked:
        with turns.lent(), st.spinner("Fitting lassos and random forests"):
            readings |= glance.dci_readings(setting)
    deserved = glance.deserved(setting)

    def made() -> "Figure":
        lines = []
        for name, reading in readings.items():
            up_to = ASKS[name]
            lines.append(
                figures.Line(
                    SCORES[name].title,
                    UP_TO[up_to],
                    "yes" if deserved[up_to] else "no",
                    reading.value,
                    reading.null,
                    reading.interval,
                    glance.verdict(reading.value, deserved[up_to]),
                )
            )
        return figures.readings(lines)

    numbers = None if address.presenting() else "scores"
    sheet.figure("scores", "Every score as a dot, with what shuffled codes get and a verdict.",
                 made, of=(setting, asked), numbers=numbers)  # fmt: skip
    st.caption(BRIEF if address.presenting() else _caption(readings, setting))


def _caption(readings: Mapping[str, Reading], setting: Setting) -> str:
    """What is drawn of the scores, and what of them lies outside the picture."""
    from core.figures.reading import LEAST

    known = [least for each in readings.values() for least in (each.value, *each.null,
             *(each.interval or ()))]  # fmt: skip
    copied = setting.factors == "copied" and glance.deserved(setting)["permutation"]
    return CAPTION.format(
        code=words_of(setting), copied=COPIED if copied else "",
        shuffles=glance.shuffles(setting),
        forest=FOREST.format(shuffles=glance.OF_FOREST) if "dci_forest" in readings else "",
        further=FURTHER if min(known) < LEAST else "",
    )  # fmt: skip


def _asked(setting: Setting) -> bool:
    """Whether DCI is shown: asked for, or what a preset is about."""
    told = any("DCI" in preset.lesson for preset in SETUPS["scores"].presets_of(setting))
    return told or st.session_state.get(address.owned(DCI)) == setting


def _button(setting: Setting) -> None:
    """DCI, which takes a few seconds."""

    def ask() -> None:
        st.session_state[address.owned(DCI)] = setting

    if _asked(setting):
        few = glance.dci_samples(setting)
        if few < setting.n:
            st.caption(
                f"DCI is of the first {few:,} samples: more would take longer than a few seconds."
            )
        return
    st.button("Add DCI by a lasso and by a random forest", key=address.owned("ask_dci"),
              on_click=ask, icon=":material/add:", help="Takes a second or a few.")  # fmt: skip
