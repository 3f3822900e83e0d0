"""The words around a picture: the promise, presets as links, steps of a proof, presenter mode."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.scenarios.scenario import Params, Preset, Setup
from ui import knobs
from ui.window import address

FOCUS = "focus"  # how often a visitor was brought back to the picture
MENU = {  # pages that set up a scenario, by their lesson: each with its title
    "Contrastive": {
        "infonce_sphere": "InfoNCE on a sphere",
        "infonce_box": "InfoNCE in a box",
        "lejepa": "LeJEPA",
    },
    "Cross-entropy": {
        "vmf_clusters": "vMF clusters",
        "laplace_violation": "Laplace violation",
        "auxiliary": "Auxiliary variable",
    },
    "Invariance": {"gradient_reversal": "Gradient reversal"},
    "Decoders": {"manifold_entropy": "Manifold entropy"},
    "Pictures": {"pixels": "From pixels"},
}
READING = {  # pages that train nothing
    "Start": {"map": "The map"},
    "Scores": {"scores": "How far to trust a score"},
    "Papers": {"papers": "The papers' tables"},
}
READ = [name for pages in READING.values() for name in pages]
TITLES = {name: title for pages in MENU.values() for name, title in pages.items()}
BUTTON, LETTER = 32.0, 7.2  # pixels of a button's edges and gap, and of a letter
ROOM, MORE = 560.0, 80.0  # pixels of a row of presets, and of the button for the rest
PART = "part"  # the link's key for the open part of a page
EXPLORE, HOME = "explore", "home"  # the first part of every page, and the last


def opening(heading: str, sentence: str) -> None:
    """The claim as title, and one sentence."""
    title(heading)
    st.markdown(sentence)


def title(heading: str) -> None:
    """The claim."""
    st.title(heading, anchor=False)


def bar(parts: Mapping[str, str], now: str) -> None:
    """The parts of a page by name and title, the open one lit."""
    state = address.owned(f"{PART}.bar")
    st.session_state[state] = now

    def turn() -> None:
        address.put(PART, st.session_state[state])

    st.segmented_control(
        "Part", list(parts), default=now, required=True, key=state, format_func=parts.get,
        label_visibility="collapsed", on_change=turn,
    )  # fmt: skip


def about(scenario: Setup, params: Params) -> None:
    """Which setting this part of the page is about, where the knobs are not in sight."""
    now = active(scenario, params)
    said = knobs.said(params) or "the defaults"
    st.caption(f"Setting: **{now.title}** ({said})." if now else f"Setting: {said}.")


def presenter_switch() -> None:
    """The switch."""
    st.toggle("Present", address.presenting(), key=address.widget(address.PRESENT),
              help="Only the promise, the picture and its numbers, and ← → between presets.",
              )  # fmt: skip


def active(scenario: Setup, params: Params) -> Preset | None:
    """The preset that these parameters, and the link's further keys, are; if any."""
    # which seed is drawn is the visitor's to change
    beside = knobs.compares(scenario) and address.get(knobs.BESIDE)
    found = scenario.presets_of(params)
    return next((preset for preset in found if preset.compared == beside), None)


def presets(scenario: Setup, params: Params, prefix: str = "") -> None:
    """The presets in a row, the active one lit; each sets the whole link.

    Buttons, which hold no state: a widget that mirrors the knobs would, with a knob in motion, be
    taken for a visitor's choice and turn the knobs back.
    """
    now, more = active(scenario, params), address.owned(f"{scenario.name}.more")

    def choose(preset: Preset) -> None:
        st.session_state[more] = False  # it would stay open over the picture
        knobs.apply(scenario, preset, prefix)

    def button(preset: Preset) -> None:
        st.button(
            preset.title,
            key=address.owned(f"{scenario.name}.preset.{preset.name}"),
            type="primary" if preset is now else "secondary",
            on_click=choose,
            args=(preset,),
        )

    shown = in_a_row([preset.title for preset in scenario.presets])
    rest = scenario.presets[shown:]
    with st.container(horizontal=True, gap="xsmall", key=address.owned(f"{scenario.name}.presets")):
        for preset in scenario.presets[:shown]:
            button(preset)
        if rest:
            with st.popover(f"More: {now.title}" if now in rest else "More", type="tertiary",
                            key=more, on_change="rerun"):  # fmt: skip
                for preset in rest:
                    button(preset)


def in_a_row(titles: Sequence[str]) -> int:
    """How many buttons with these titles stand side by side, at 1024 pixels too."""
    taken = 0.0
    for count, title in enumerate(titles):
        taken += BUTTON + LETTER * len(title)
        if taken > ROOM and sum(BUTTON + LETTER * len(t) for t in titles) > ROOM + MORE:
            return count
    return len(titles)


def refused(sentences: Sequence[str]) -> None:
    """What the link, or a knob, asked for in vain."""
    for sentence in sentences:
        st.warning(sentence, icon=":material/link_off:")


def lesson(scenario: Setup, params: Params, key: str = "lesson_row") -> None:
    """What the setting teaches, in a place of two lines: the picture below it stays where it is."""
    now = active(scenario, params)
    with st.container(key=address.owned(key)):
        st.caption(now.lesson if now else "Your own setting. Every knob is in the link: share it.")


def notes(scenario: Setup, params: Params, key: str = "notes") -> None:
    """What the setting breaks or cannot show, one click away and in the line of other choices."""
    notices = scenario.notices(params)
    if notices:
        count = f"{len(notices)} {'note' if len(notices) == 1 else 'notes'}"  # one line with seeds
        icon = ":material/info:"
        with st.popover(count, icon=icon, type="tertiary", key=address.owned(key)):
            for notice in notices:
                st.markdown(notice.text)


Step = tuple[str, str, Callable[[], None]]


def why(steps: Sequence[Step]) -> None:
    """A proof in a few steps, each a heading, a paragraph and its picture, side by side."""
    for column, (heading, text, picture) in zip(st.columns(len(steps)), steps, strict=True):
        with column:
            st.markdown(f"**{heading}**")
            st.markdown(text)
            picture()


def show_picture() -> None:
    """From a callback further down the page: bring the main picture, which it changes, in view."""
    address.put(PART, EXPLORE)
    state = address.owned(FOCUS)
    st.session_state[state] = st.session_state.get(state, 0) + 1
