"""The address of a page, and the settings that it stands for: one thing, whoever changed it last.

Every page owns its settings. They are taken from the address when a visitor arrives (by a link, a
reload, Back or Forward), from what was left when the menu brings them back, and from the widgets
otherwise; and the address is then made to say what is drawn.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.command import spelt
from core.scenarios.scenario import Value

PAGES, HERE = "_pages", "_page"
PRESENT, PLAIN = "present", "plain"
LONGEST = 40  # letters of a link that are quoted
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")

_history = st.components.v2.component(
    "identifiability_explorer.address",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)

Taken = tuple[dict[str, Value], list[str]]  # values by key, and a sentence for what was refused


@dataclass(frozen=True)
class Settings:
    """Keys of a page's link that belong together, such as the parameters of its scenario.

    `rest` gives each its value when the link says nothing, `take` reads the texts that a link has
    for some of them, `write` gives a value's text.
    """

    rest: Mapping[str, Value]
    take: Callable[[Mapping[str, str]], Taken]
    write: Callable[[str, Value], str] = lambda key, value: spelt(value)


@dataclass(frozen=True)
class Listed:
    """A widget's key, what it shows, and its callback once something is chosen."""

    widget: str
    value: str
    choose: Callable[[], None]


@dataclass
class Page:
    """What a visitor has set on one page, kept while they are elsewhere."""

    values: dict[str, Value] = field(default_factory=dict)
    declared: dict[str, Settings] = field(default_factory=dict)  # by key
    refused: list[str] = field(default_factory=list)
    link: dict[str, str] | None = None  # what this run still has to take its settings from
    arrived: bool = False  # in this very run, from its link
    drawing: bool = False  # this very run; what is set between two is set by a visitor
    untold: set[str] = field(default_factory=set)  # set here, and maybe not yet known to a browser

    def query(self) -> dict[str, str]:
        """The link's keys and texts: what differs from rest."""
        return {
            key: settings.write(key, self.values[key])
            for key, settings in self.declared.items()
            if key in self.values and self.values[key] != settings.rest[key]
        }


def arrive(page: str) -> None:
    """Begin a run of a page (once, before it is run): note where its settings come from.

    Back and Forward mean the address, bare or not. So does any other way to a page if its address
    has settings; a bare one finds the page as it was left. Who presents goes on presenting.
    """
    _history(key="address", data={})
    ctx = get_script_run_ctx()
    back = ctx is not None and ctx.is_history_navigation
    pages: dict[str, Page] = st.session_state.setdefault(PAGES, {})
    before = st.session_state.get(HERE)
    st.session_state[HERE] = page
    held = pages.setdefault(page, Page())
    if page == before and not back:
        return
    link = st.query_params.to_dict()
    if not back and before is not None:
        link = link or held.query()
        if pages[before].values.get(PRESENT):
            link.setdefault(PRESENT, "1")
    held.link, held.refused = link, []


def owned(key: str) -> str:
    """A key of the session's state that belongs to the page at hand."""
    page = st.session_state.get(HERE)
    return f"{page}.{key}" if page else key


def declare(*groups: Settings) -> None:
    """Say which settings the page has, before any is read: take them from the link if that is due.

    Otherwise take what widgets were set to. What was refused before is forgotten once anything has
    changed.
    """
    page = _here()
    page.declared = {key: group for group in groups for key in group.rest}
    page.drawing = True
    if page.link is None and not page.values:  # a page that runs alone
        page.link = st.query_params.to_dict()
    page.arrived = page.link is not None
    if page.link is None:
        before = dict(page.values)
        _gather(page)
        if page.values != before:
            page.refused = []
        return
    link, page.link = page.link, None
    for group in groups:
        taken, sentences = group.take({key: link[key] for key in group.rest if key in link})
        for key, value in {**group.rest, **taken}.items():
            put(key, value)
        page.refused += sentences
    page.refused += [_unknown(key, page.declared) for key in link if key not in page.declared]


def get(key: str) -> Any:
    """A setting's value now."""
    state = owned(key)
    return st.session_state[state] if state in st.session_state else _here().values[key]


def presenting() -> bool:
    """Whether the page is being shown to a room: only claim, picture and numbers."""
    return bool(_here().values.get(PRESENT))


def put(key: str, value: Value) -> None:
    """Give a setting a value (from a callback, or before its widget is drawn)."""
    page = _here()
    if not page.drawing and page.values.get(key) != value:
        page.refused = []
    st.session_state[owned(key)] = page.values[key] = value
    page.untold.add(key)


def widget(key: str) -> str:
    """The key for the widget of a setting, which shows the setting's value.

    What is set here travels to the browser with the widget, once, and is lost when that run is cut
    short: so it is said again until a run comes to its end. (Not for ever: a visitor who is quicker
    than the server would see a knob jump back.)
    """
    state, page = owned(key), _here()
    if state not in st.session_state:  # it was not drawn in the run before, and Streamlit forgot it
        st.session_state[state] = page.values[key]
    elif key in page.untold:
        st.session_state[state] = st.session_state[state]
    return state


def listed(key: str, options: Sequence[str], usual: str) -> Listed:
    """A list for a setting that shows the usual, which changes with others, until one is chosen.

    Where the list or its value is changed here it is another widget: a browser that has not heard
    of that yet would be taken to have chosen the older value.
    """
    wanted, told = get(key) or usual, owned(f"{key}.told")
    *before, turn = st.session_state.get(told, (wanted, options, 0))
    turn += before != [wanted, options]
    st.session_state[told] = (wanted, options, turn)
    state = owned(f"{key}.list{turn}")

    def choose() -> None:
        chosen = st.session_state[state]
        st.session_state[told] = (chosen, options, turn)
        put(key, chosen if chosen != usual else None)

    return Listed(state, wanted, choose)


def arrived() -> bool:
    """Whether this run has taken the page's settings from its link."""
    return _here().arrived


def note(sentence: str) -> None:
    """Keep a sentence about what the link, or a knob, asked for and did not get."""
    refused = _here().refused
    if sentence not in refused:
        refused.append(sentence)


def refusals() -> Sequence[str]:
    """Those sentences, until a setting changes."""
    return tuple(_here().refused)


def sync() -> None:
    """Make the address say what is set."""
    page = _here()
    _gather(page)
    wanted = page.query()
    if wanted != st.query_params.to_dict():
        st.query_params.from_dict(wanted)


def finished() -> None:
    """End a run of a page that came to its end."""
    page = _here()
    page.drawing = False
    page.untold.clear()


def reset() -> None:
    """Put every setting of the page to rest."""
    page = _here()
    for key, group in page.declared.items():
        put(key, group.rest[key])
    page.refused = []


# ---- settings by themselves


def choice(
    key: str,
    options: Iterable[Value],
    label: str,
    rest: Value = None,
    wording: Callable[[Any], str] = str,
) -> Settings:
    """One of several options, which a link names by value or by `wording`."""
    offered = {text: option for option in options for text in (spelt(option), wording(option))}

    def take(link: Mapping[str, str]) -> Taken:
        taken, sentences = {}, []
        for text in link.values():
            if text in offered:
                taken[key] = offered[text]
            else:
                sentences.append(
                    f"{label} in the link is none of those offered (not {quoted(text)}); "
                    "it is left as it was."
                )
        return taken, sentences

    return Settings({key: rest}, take)


def switch(key: str, label: str) -> Settings:
    """Something that is on or off; off at rest."""

    def take(link: Mapping[str, str]) -> Taken:
        taken: dict[str, Value] = {}
        sentences = []
        for text in link.values():
            if text.lower() in YES + NO:
                taken[key] = text.lower() in YES
            else:
                sentences.append(
                    f"{label} in the link is on or off (not {quoted(text)}); it is off."
                )
        return taken, sentences

    return Settings({key: False}, take, lambda key, value: "1" if value else "0")


EVERYWHERE = (switch(PRESENT, "Presenter mode"), switch(PLAIN, "The plain picture"))


def quoted(text: str) -> str:
    """Anybody's text, shown as it is and never read as Markdown."""
    return "`" + text[:LONGEST].replace("`", "'").replace("\n", " ") + "`"


def _here() -> Page:
    return st.session_state.setdefault(PAGES, {}).setdefault(st.session_state.get(HERE), Page())


def _gather(page: Page) -> None:
    page.values |= {key: get(key) for key in page.declared}


def _unknown(key: str, declared: Iterable[str]) -> str:
    by_letters = {name.lower(): name for name in declared}
    close = get_close_matches(key.lower(), by_letters, 1)
    meant = f" Did you mean `{by_letters[close[0]]}`?" if close else ""
    return f"{quoted(key)} in the link is no setting of this page, and was left out.{meant}"
