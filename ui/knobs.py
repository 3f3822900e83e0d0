"""A Params model -> widgets bound to the link, each declared once by its field.

The link's raw text is read before any widget is made, because a widget silently drops what it does
not take; what was refused becomes a sentence.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import streamlit as st
from pydantic import ValidationError

from core.legend import spoken
from core.scenarios.scenario import Knob, Params, Preset, Scenario, Value, explain, knobs_of

SEEDS = "seeds"
MOST_SEEDS = 8
DEFAULT_SEEDS = 3
WIDEST = 20  # letters that buttons side by side hold in the knobs' column
# Where columns are stacked, the knobs keep to a third of the screen and scroll by themselves, so
# that the picture stays in sight while one is turned.
ON_A_PHONE = """<style>@media (max-width: 640px) {
  [class*="st-key-knobs"] { max-height: 32vh; overflow-y: auto; padding-right: 0.5rem; }
}</style>"""


def key_of(name: str, prefix: str = "") -> str:
    """The link's key for a field: its name on a page's first scenario, prefixed on others."""
    return f"{prefix}_{name}" if prefix else name


def read(scenario: Scenario, prefix: str = "") -> tuple[Params, tuple[int, ...]]:
    """The parameters and seeds that the link, or the knobs since, ask for; draws nothing.

    So a page can show its numbers before its knobs, which take the browser longer.
    """
    knobs = scenario.controls()
    _read_link(scenario.Params, knobs, prefix)
    held = {
        name: (st.query_params if in_the_link(knob) else st.session_state).get(
            key_of(name, prefix), knob.default
        )
        for name, knob in knobs.items()
    }
    params, changed, sentences = _repaired(scenario.Params, knobs, held)
    for name, value in changed.items():
        if in_the_link(knobs[name]):
            set_in_the_link(key_of(name, prefix), value)
        else:
            st.session_state[key_of(name, prefix)] = value
    for sentence in sentences:
        _note(prefix, sentence)
    return params, tuple(range(st.session_state.get(key_of(SEEDS, prefix), DEFAULT_SEEDS)))


def in_the_link(knob: Knob) -> bool:
    """Whether a field has no widget: it lives in the link alone, and buttons of its page set it.

    (What a callback sets a widget to can be lost: a picture that polls a run sends the browser's
    own values of all widgets, before the browser has heard of the new one.)
    """
    return knob.kind is str and not knob.choices


def set_in_the_link(key: str, value: Value) -> None:
    """Set such a field; its default, which is empty, leaves the link."""
    if value:
        st.query_params[key] = str(value)
    else:
        st.query_params.pop(key, None)


def draw(scenario: Scenario, params: Params, prefix: str = "") -> None:
    """The widgets, the main ones first; greyed out where they have no effect."""
    st.html(ON_A_PHONE)
    with st.container(key=f"knobs{prefix}"):
        _draw(scenario, params, prefix)


def _draw(scenario: Scenario, params: Params, prefix: str) -> None:
    off = params.inactive()
    knobs = {n: knob for n, knob in scenario.controls().items() if not in_the_link(knob)}
    for name, knob in knobs.items():
        if not knob.advanced:
            _widget(knob, key_of(name, prefix), name in off)
    st.slider(
        "Seeds", 1, MOST_SEEDS, DEFAULT_SEEDS, key=key_of(SEEDS, prefix), bind="query-params",
        help="How many runs, each with its own g, encoder and data. Every one is drawn.",
    )  # fmt: skip
    with st.expander("Advanced"):
        for name, knob in knobs.items():
            if knob.advanced:
                _widget(knob, key_of(name, prefix), name in off)


def choice(
    key: str,
    options: Iterable[Value],
    label: str,
    wording: Callable[[Any], str] = str,
    prefix: str = "",
) -> None:
    """Read the link for a widget that the caller draws next, by value or by `wording`.

    Says so when it asks for none of the options.
    """
    raw = st.query_params.get(key)
    if raw is None or key in st.session_state:
        return
    offered = {text: option for option in options for text in (str(option), wording(option))}
    if raw in offered:
        st.session_state[key] = offered[raw]
    else:
        _note(prefix, f"{label} in the link is none of those offered (not {_quoted(raw)}); "
                      "it is left as it was.")  # fmt: skip


def refusals(params: Params, prefix: str = "") -> list[str]:
    """Sentences about what the link asked for and did not get, until a knob moves."""
    state = f"_refused_{prefix}"
    sentences = st.session_state.get(state, [])
    if sentences and st.session_state.setdefault(f"{state}_for", params) != params:
        sentences = st.session_state[state] = []
    return sentences


def apply(scenario: Scenario, preset: Preset, prefix: str = "") -> None:
    """Set every knob to a preset's values (a widget callback: before the widgets are drawn).

    Further link keys too, among them those of other presets that this one does not name: at rest.
    """
    turn_to(scenario, preset.params, len(preset.seeds), prefix)
    for key, value in switches(scenario, preset).items():
        if value is None:
            st.session_state.pop(key, None)
        else:
            st.session_state[key] = value


def switches(scenario: Scenario, preset: Preset) -> dict[str, Value]:
    """Every link key that the scenario's presets set besides knobs, with its value in this one."""
    named = {key: value for other in scenario.presets for key, value in other.link.items()}
    rest: dict[str, Value] = {
        key: False if isinstance(value, bool) else preset.seeds[0] if key.endswith("show") else None
        for key, value in named.items()
    }
    return {**rest, **preset.link}


def turn_to(
    scenario: Scenario, params: Mapping[str, Value], seeds: int | None = None, prefix: str = ""
) -> None:
    """Set the knobs to `params`, defaults elsewhere (before the widgets are drawn)."""
    chosen = scenario.Params.model_validate(dict(params))
    for name, knob in knobs_of(scenario.Params).items():
        key, value = key_of(name, prefix), getattr(chosen, name)
        if in_the_link(knob):
            set_in_the_link(key, value)
            continue
        st.session_state[key] = value
        _extra(key).add(value)
    if seeds is not None:
        st.session_state[key_of(SEEDS, prefix)] = seeds


def ticks(knob: Knob) -> list[Value]:
    """The values a slider offers: evenly spaced, 1-2-3-5-7 per decade, or doubling."""
    assert knob.low is not None and knob.high is not None, f"{knob.name} has no bounds"
    low, high = knob.low, knob.high
    if knob.scale == "doubling":
        found = [2**p for p in range(30) if low <= 2**p <= high]
    elif knob.scale == "log":
        steps = [s * 10.0**p for p in range(-6, 7) for s in (1, 1.5, 2, 3, 5, 7)]
        found = [knob.kind(f"{s:.6g}") for s in steps if low <= s <= high and knob.kind(s) == s]
        found = ([knob.kind(0)] if low == 0 else []) + [s for s in found if low or s >= 0.5]
    elif knob.kind is int:
        found = list(range(int(low), int(high) + 1))
    else:
        found = [round(low + (high - low) * i / 20, 6) for i in range(21)]
    found = sorted({*found, *([] if knob.default is None else [knob.default])})
    return [None, *found] if knob.optional else list(found)


def name_of(knob: Knob) -> str:
    """A knob's label with its symbol, as Streamlit's labels take it."""
    return f"{knob.label} ${knob.symbol}$" if knob.symbol else knob.label


def query(scenario: Scenario, preset: Preset) -> dict[str, str]:
    """A preset as the query of a link to its page, where it is of the page's first scenario."""
    params = scenario.Params.model_validate(dict(preset.params))
    wanted = {
        name: spoken(getattr(params, name))
        for name, knob in scenario.controls().items()
        if getattr(params, name) != knob.default
    }
    switched = {name: spoken(value) for name, value in preset.link.items()}
    seeds = {SEEDS: str(len(preset.seeds))} if len(preset.seeds) != DEFAULT_SEEDS else {}
    return {**wanted, **switched, **seeds}


def _widget(knob: Knob, key: str, off: bool) -> None:
    about = f"{knob.help} ({knob.unit})" if knob.unit else knob.help
    if knob.none:
        about += f" auto: {knob.none}."
    common = {"key": key, "help": about, "disabled": off, "bind": "query-params"}
    if knob.kind is bool:
        st.toggle(name_of(knob), value=bool(knob.default), **common)
    elif knob.choices and len("".join(knob.choices)) > WIDEST:
        st.selectbox(name_of(knob), knob.choices, knob.choices.index(knob.default), **common)
    elif knob.choices:
        st.segmented_control(
            name_of(knob),
            knob.choices,
            default=knob.default,
            required=True,
            width="stretch",
            **common,
        )
    else:
        offered = ticks(knob)
        numbers = {v for v in (*offered, *_extra(key)) if v is not None}
        options = [None, *sorted(numbers)] if knob.optional else sorted(numbers)
        unset = knob.none if knob.none.startswith("no ") else "auto"

        def wording(value: Value) -> str:
            return unset if value is None else spoken(value)

        st.select_slider(name_of(knob), options, value=knob.default, format_func=wording, **common)


def _extra(key: str) -> set[Value]:
    """Values between the slider's ticks that a link, a preset or a click has asked for."""
    return st.session_state.setdefault(f"_extra_{key}", set())


def _read_link(model: type[Params], knobs: Mapping[str, Knob], prefix: str) -> None:
    """Take what the link asks for, once; fields are validated together, as their rules are."""
    start = {name: knob.default for name, knob in knobs.items()}
    wanted: dict[str, Value] = {}
    for name, knob in knobs.items():
        key = key_of(name, prefix)
        raw = st.query_params.get(key)
        if raw is not None and key not in st.session_state:
            empty = knob.optional and raw.lower() in ("none", "auto")
            wanted[name] = None if empty else raw
    while wanted:
        try:
            params = model.model_validate({**start, **wanted})
            break
        except ValidationError as error:
            field, reason = explain(error, _quoted)
            knob = knobs[field]
            if field in wanted:
                wanted.pop(field)
                used = knob.default
                if in_the_link(knob):
                    set_in_the_link(key_of(field, prefix), None)
            else:  # one that was not asked for does not fit what was
                used = wanted[field] = _nearest(model, knob, {**start, **wanted})
                if used == start[field]:
                    wanted.clear()
            _note(prefix, f"{knob.label} in the link {reason}; "
                          f"{spoken(used) or 'nothing'} is used instead.")  # fmt: skip
    for name in wanted:
        key = key_of(name, prefix)
        if in_the_link(knobs[name]):
            continue
        value = st.session_state[key] = getattr(params, name)
        _extra(key).add(value)
    _read_seeds(key_of(SEEDS, prefix), prefix)


def _read_seeds(key: str, prefix: str) -> None:
    raw = st.query_params.get(key)
    if raw is None or key in st.session_state:
        return
    if raw in [str(count) for count in range(1, MOST_SEEDS + 1)]:
        st.session_state[key] = int(raw)
    else:
        _note(prefix, f"Seeds in the link must be a number from 1 to {MOST_SEEDS} "
                      f"(not {_quoted(raw)}); {DEFAULT_SEEDS} are used instead.")  # fmt: skip


def _quoted(text: str) -> str:
    """Anybody's text, shown as it is and never read as Markdown."""
    return "`" + text[:40].replace("`", "'").replace("\n", " ") + "`"


def _repaired(
    model: type[Params], knobs: Mapping[str, Knob], values: Mapping[str, Value]
) -> tuple[Params, dict[str, Value], list[str]]:
    """The parameters, the fields that had to change for them to run, and a sentence for each.

    A field that does not fit the others takes the nearest value that does, else its start.
    """
    values, changed, sentences = dict(values), {}, []
    for _ in knobs:
        try:
            return model.model_validate(values), changed, sentences
        except ValidationError as error:
            field, reason = explain(error, _quoted)
            values[field] = changed[field] = _nearest(model, knobs[field], values)
            used = spoken(values[field]) or "nothing"
            sentences.append(f"{knobs[field].label} {reason}; {used} is used instead.")
    return model(), {name: knob.default for name, knob in knobs.items()}, sentences


def _nearest(model: type[Params], knob: Knob, values: Mapping[str, Value]) -> Value:
    """The value nearest to the one in force with which this field is no longer refused."""
    wanted = values[knob.name]
    if knob.choices or knob.kind in (bool, str) or not isinstance(wanted, int | float):
        return knob.default
    offered = [value for value in ticks(knob) if value is not None]
    for value in sorted(offered, key=lambda value: abs(float(value) - wanted)):
        try:
            model.model_validate({**values, knob.name: value})
        except ValidationError as error:
            if any(each["loc"][:1] == (knob.name,) for each in error.errors()):
                continue
        return value
    return knob.default


def _note(prefix: str, sentence: str) -> None:
    said = st.session_state.setdefault(f"_refused_{prefix}", [])
    if sentence not in said:
        said.append(sentence)
