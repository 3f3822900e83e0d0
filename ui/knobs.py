"""A Params model -> settings of the link and their widgets, each declared once by its field.

What a link asks for in vain, or what no longer fits, becomes a sentence.
"""

from collections.abc import Container, Mapping
from dataclasses import replace

import streamlit as st
from pydantic import ValidationError

from core.command import spelt
from core.legend import label_of, named, wording
from core.scenarios.scenario import (
    MOST_SEEDS,
    Knob,
    Params,
    Preset,
    Setup,
    Value,
    explain,
    knobs_of,
)
from ui.window import address

SEEDS, SHOW, BESIDE = "seeds", "show", "beside"  # keys of a link that are no parameter
DEFAULT_SEEDS = 3
ROUNDS = 2  # times that a field may give way: by itself, and to others that gave way since
WIDEST = 17  # letters that buttons side by side hold in the knobs' column


def key_of(name: str, prefix: str = "") -> str:
    """The link's key for a field: its name on a page's first scenario, prefixed on others."""
    return f"{prefix}_{name}" if prefix else name


def settings(scenario: Setup, prefix: str = "") -> address.Settings:
    """The parameters, and of what is trained the number of seeds, as keys of the page's link."""
    knobs = scenario.controls()
    keys = {key_of(name, prefix): name for name in knobs}
    count = key_of(SEEDS, prefix)

    def take(link: Mapping[str, str]) -> address.Taken:
        texts = {name: link[key] for key, name in keys.items() if key in link}
        params, sentences = _taken(scenario.Params, knobs, texts)
        taken: dict[str, Value] = {key: getattr(params, name) for key, name in keys.items()}
        if count in link:
            if link[count] in [str(number) for number in range(1, MOST_SEEDS + 1)]:
                taken[count] = int(link[count])
            else:
                sentences.append(
                    f"Seeds in the link must be a number from 1 to {MOST_SEEDS} "
                    f"(not {address.quoted(link[count])}); {DEFAULT_SEEDS} are used instead."
                )
        return taken, sentences

    rest: dict[str, Value] = {key: knobs[name].default for key, name in keys.items()}
    return address.Settings(rest | ({count: DEFAULT_SEEDS} if scenario.trained else {}), take)


def read(scenario: Setup, prefix: str = "") -> tuple[Params, tuple[int, ...]]:
    """The parameters and seeds (none of what is not trained) that the link, or the knobs since,
    ask for; draws nothing.

    So a page can show its numbers before its knobs, which take the browser longer.
    """
    knobs = scenario.controls()
    held = {name: address.get(key_of(name, prefix)) for name in knobs}
    params, changed, sentences = _repaired(scenario.Params, knobs, held)
    for name, value in changed.items():
        address.put(key_of(name, prefix), value)
    for sentence in sentences:
        address.note(sentence)
    seeds = range(address.get(key_of(SEEDS, prefix))) if scenario.trained else ()
    return params, tuple(seeds)


def said(params: Params, without: Container[str] = ()) -> str:
    """What a setting changes of the defaults, in words; nothing for the defaults."""
    all_knobs = knobs_of(type(params))
    return ", ".join(
        f"{all_knobs[name].label} {named(all_knobs[name], value)}"
        for name, value in params.chosen().items()
        if name not in without
    )


def has_widget(knob: Knob) -> bool:
    """Whether a field has a widget, and not only buttons of its page that set it.

    (What a callback sets a widget to can be lost: a picture that polls a run sends the browser's
    own values of all widgets, before the browser has heard of the new one.)
    """
    return knob.kind is not str or bool(knob.choices)


def draw(scenario: Setup, params: Params, prefix: str = "") -> None:
    """The widgets, the main ones first; greyed out where they have no effect."""
    with st.container(key=f"knobs{prefix}"):
        _draw(scenario, params, prefix)


def _draw(scenario: Setup, params: Params, prefix: str) -> None:
    off, fixed = params.inactive(), params.instead()
    knobs = {name: here(params, knob) for name, knob in scenario.controls().items()
             if has_widget(knob)}  # fmt: skip
    for name, knob in knobs.items():
        if not knob.advanced:
            _widget(knob, key_of(name, prefix), name in off, fixed.get(name))
    if scenario.trained:
        count = key_of(SEEDS, prefix)
        st.slider(
            "Seeds", 1, MOST_SEEDS, address.get(count), key=address.widget(count),
            help="How many runs, each with its own g, encoder and data. Every one is drawn.",
        )  # fmt: skip
    with st.expander("Advanced"):
        for name, knob in knobs.items():
            if knob.advanced:
                _widget(knob, key_of(name, prefix), name in off, fixed.get(name))


def here(params: Params, knob: Knob) -> Knob:
    """A knob with the choices that can be had on this machine, and the one in force."""
    had = {*params.offered(knob.name), getattr(params, knob.name)}
    return replace(knob, choices=tuple(each for each in knob.choices if each in had))


def apply(scenario: Setup, preset: Preset, prefix: str = "") -> None:
    """Set every knob to a preset's values (a widget callback: before the widgets are drawn).

    Also which seed is drawn and whether something is beside it, as far as any of its presets says.
    """
    turn_to(scenario, preset.params, len(preset.seeds) or None, prefix)
    if any(other.drawn is not None for other in scenario.presets):
        address.put(key_of(SHOW, prefix), preset.seeds[0] if preset.drawn is None else preset.drawn)
    if compares(scenario):
        address.put(BESIDE, preset.compared)


def compares(scenario: Setup) -> bool:
    """Whether its page has a switch that draws another setting beside."""
    return any(preset.compared for preset in scenario.presets)


def turn_to(
    scenario: Setup, params: Mapping[str, Value], seeds: int | None = None, prefix: str = ""
) -> None:
    """Set the knobs to `params`, defaults elsewhere (before the widgets are drawn)."""
    chosen = scenario.Params.model_validate(dict(params))
    for name in knobs_of(scenario.Params):
        address.put(key_of(name, prefix), getattr(chosen, name))
    if seeds is not None:
        address.put(key_of(SEEDS, prefix), seeds)


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


def query(scenario: Setup, preset: Preset, prefix: str = "") -> dict[str, str]:
    """A preset as the query of a link to its page, where the scenario's keys have a prefix."""
    params = scenario.Params.model_validate(dict(preset.params))
    wanted = {
        key_of(name, prefix): spelt(getattr(params, name))
        for name, knob in scenario.controls().items()
        if getattr(params, name) != knob.default
    }
    switched = {BESIDE: spelt(True)} if preset.compared else {}
    if preset.drawn is not None:
        switched[SHOW] = spelt(preset.drawn)
    # something is always said: a link without any settings opens the page as it was left
    seeds = {key_of(SEEDS, prefix): str(len(preset.seeds))}
    always = seeds if scenario.trained else {"part": "explore"}
    return {**wanted, **switched, **always}


def _widget(knob: Knob, key: str, off: bool, fixed: Value = None) -> None:
    """A knob's widget; where the others fix its value (`fixed`) one that says that and no more."""
    about = f"{knob.help} ({knob.unit})" if knob.unit else knob.help
    if knob.none:
        about += f" auto: {knob.none}."
    # said twice, as one that is new to the browser shows its default
    value = address.get(key) if fixed is None else fixed
    state = address.widget(key) if fixed is None else address.owned(f"{key}.fixed")
    common = {"key": state, "help": about, "disabled": off}
    if knob.kind is bool:
        st.toggle(label_of(knob), value, **common)
    elif knob.choices and len("".join(map(wording, knob.choices))) > WIDEST:
        at = knob.choices.index(value)
        st.selectbox(label_of(knob), knob.choices, at, format_func=wording, **common)
    elif knob.choices:
        st.segmented_control(
            label_of(knob),
            knob.choices,
            default=value,
            required=True,
            width="stretch",
            format_func=wording,
            **common,
        )
    else:
        numbers = {v for v in (*ticks(knob), *_between(key)) if v is not None}
        options = [None, *sorted(numbers)] if knob.optional else sorted(numbers)
        unset = knob.none if knob.none.startswith("no ") else "auto"

        def written(value: Value) -> str:
            return unset if value is None else wording(value)

        st.select_slider(label_of(knob), options, value, format_func=written, **common)


def _between(key: str) -> set[Value]:
    """Values, maybe between the slider's ticks, that a link, a preset or a click has asked for."""
    seen = st.session_state.setdefault(address.owned(f"{key}.between"), set())
    seen.add(address.get(key))
    return seen


def _taken(
    model: type[Params], knobs: Mapping[str, Knob], texts: Mapping[str, str]
) -> tuple[Params, list[str]]:
    """The parameters that a link's texts ask for, validated together as their rules are.

    With a sentence for each text that was refused, and each field that gave way to one.
    """
    values: dict[str, Value] = {name: knob.default for name, knob in knobs.items()}
    for name, text in texts.items():
        empty = knobs[name].optional and text.lower() in ("none", "auto")
        values[name] = None if empty else text
    sentences = []
    for _ in range(ROUNDS * len(knobs) + 1):
        try:
            return model.model_validate(values), sentences
        except ValidationError as error:
            field, reason = explain(error, address.quoted)
            knob = knobs[field]
            values[field] = knob.default
            values[field] = _nearest(model, knob, values)
            used = named(knobs[field], values[field]) or "nothing"
            sentences.append(
                f"{knob.label} in the link {reason}; {used} is used instead."
                if field in texts
                else f"The link says nothing of {knob.label}, which {reason}; {used} is used."
            )
    raise AssertionError(f"no value of {', '.join(texts)} fits")


def _repaired(
    model: type[Params], knobs: Mapping[str, Knob], values: Mapping[str, Value]
) -> tuple[Params, dict[str, Value], list[str]]:
    """The parameters, the fields that had to change for them to run, and a sentence for each.

    A field that does not fit the others takes the nearest value that does, else its start.
    """
    values, changed, sentences = dict(values), {}, []
    for _ in range(ROUNDS * len(knobs) + 1):
        try:
            return model.model_validate(values), changed, sentences
        except ValidationError as error:
            field, reason = explain(error, address.quoted)
            values[field] = changed[field] = _nearest(model, knobs[field], values)
            used = named(knobs[field], values[field]) or "nothing"
            sentences.append(f"{knobs[field].label} {reason}; {used} is used instead.")
    raise AssertionError(f"no value of {', '.join(changed)} fits")


def _nearest(model: type[Params], knob: Knob, values: Mapping[str, Value]) -> Value:
    """The value nearest to the one in force with which this field is no longer refused."""
    wanted = values[knob.name]
    if knob.choices or knob.kind in (bool, str) or not isinstance(wanted, int | float):
        return knob.default
    offered = [wanted, *(value for value in ticks(knob) if value is not None)]
    for value in sorted(offered, key=lambda value: abs(float(value) - wanted)):
        try:
            model.model_validate({**values, knob.name: value})
        except ValidationError as error:
            if any(each["loc"][:1] == (knob.name,) for each in error.errors()):
                continue
        return value
    return knob.default
