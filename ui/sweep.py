"""Scores against a parameter, over seeds: a click on a point opens that run above."""

from collections.abc import Mapping, Sequence

import streamlit as st
from pydantic import ValidationError

from core.legend import SCORES, baselines, spoken
from core.run.experiment import Experiment, Member
from core.scenarios.scenario import Knob, Params, Scenario, Sweep, Value, knobs_of
from ui import knobs, runner, seeds, sheet, story
from ui.window import address

VARY, BY, SCORE = "vary", "by", "score"
NOTHING = "nothing"  # the second parameter of a sweep that has none
POINTS, FEW_POINTS = 7, 3


def panel(scenario: Scenario, params: Params, seeds: tuple[int, ...]) -> None:
    """Choose a parameter, and maybe a second one; show their sweep when stored, else offer it."""
    side, main = st.columns([1, 3.6], gap="medium")
    with side:
        vary, by, score = choose(scenario, params)
        st.caption(
            f"Every dot is one seed; the {'line is' if by == NOTHING else 'lines are'} their mean. "
            "Click a dot to open its run."
        )
    with main:
        try:
            experiment = Experiment(
                params, scenario.name, seeds, varied(scenario, params, vary, by)
            )
        except ValueError as reason:  # more members than one request may hold
            st.info(f"{reason}, or nothing under “For each”.", icon=":material/info:")
            return
        runner.panel(
            experiment,
            lambda shown: _draw(scenario, score, shown),
            "sweep",
            before=_instead(scenario, vary),
            about=_about(experiment),
            read=runner.records,
        )


def _instead(scenario: Scenario, vary: str) -> Experiment | None:
    """A shipped sweep, of this field if there is one: drawn while the one chosen is not stored."""
    real = [sweep for sweep in scenario.sweeps if len(sweep.values) > 1]
    sweep = max(real, key=lambda each: each.field == vary, default=None)
    if sweep is None:
        return None
    params = scenario.Params.model_validate(dict(sweep.params))
    return Experiment(params, scenario.name, sweep.seeds, sweep.vary)


def _about(experiment: Experiment) -> str:
    """What a sweep would train: "World concentration over 7 values, 3 seeds each"."""
    all_knobs = knobs_of(type(experiment.params))
    fields = (
        f"{all_knobs[name].label} over {len(values)} values"
        for name, values in experiment.vary.items()
    )
    seeds = len(experiment.seeds)
    return f"{', '.join(fields)}, {seeds} {'seed' if seeds == 1 else 'seeds'} each"


def settings(scenario: Scenario) -> tuple[address.Settings, ...]:
    """The keys of a page's link that `choose` offers; without a word of them, what is shipped."""
    all_knobs = knobs_of(scenario.Params)
    fields = [name for name, knob in all_knobs.items() if knobs.has_widget(knob)]

    def label(name: str) -> str:
        return _label(all_knobs, name)

    return (
        address.choice(VARY, fields, "The parameter to vary", None, label),
        address.choice(BY, [NOTHING, *fields], "The second parameter", None, label),
        address.choice(SCORE, SCORES, "Score", None, lambda name: SCORES[name].title),
    )  # fmt: skip


def settle(scenario: Scenario, params: Params) -> None:
    """Let go of a chosen parameter that cannot be varied for these, and say so."""
    free, all_knobs = _free(params), knobs_of(scenario.Params)
    vary = address.get(VARY)
    if vary is not None and vary not in free:
        address.put(VARY, None)
        address.note(f"{_label(all_knobs, vary)} has no effect here, so it is not varied.")
    by = address.get(BY)
    if by not in (None, NOTHING, *free) or by == (address.get(VARY) or _first(scenario, free)):
        address.put(BY, None)
        address.note(f"{_label(all_knobs, by)} cannot be the second parameter here.")
    score = address.get(SCORE)
    if score is not None and score not in offered(scenario, params):
        address.put(SCORE, None)
        address.note(seeds.unmeasured(score))


def offered(scenario: Scenario, params: Params) -> list[str]:
    """The scores that a sweep of these parameters can draw, the one at first in front.

    That is the promised one where a scenario's own scores lack it.
    """
    promised = scenario.promise(params).score
    return [*([] if promised in scenario.scores else [promised]), *scenario.scores]


def varied(
    scenario: Scenario, params: Params, vary: str, by: str = NOTHING
) -> dict[str, tuple[Value, ...]]:
    """The fields that a sweep varies, each with its values.

    Those of a sweep that is shipped for these parameters, else a few over the knob's range (and of
    the second field the one in force), as far as they can run with each other and the rest.
    """
    all_knobs = {name: knobs.here(params, k) for name, k in knobs_of(scenario.Params).items()}
    shipped = shipped_sweep(scenario, params, vary, by)
    values = _fitting(params, vary, shipped.values if shipped else _few(all_knobs[vary], POINTS))
    if by == NOTHING:
        return {vary: values}
    second = shipped.by[1] if shipped and shipped.by and shipped.by[0] == by else None
    wanted = second or _with(getattr(params, by), _few(all_knobs[by], FEW_POINTS))
    fits_all = [_fitting(params.but(**{vary: value}), by, wanted) for value in values]
    common = tuple(value for value in wanted if all(value in fits for fits in fits_all))
    return {vary: values, by: common or (getattr(params, by),)}


def shipped_sweep(scenario: Scenario, params: Params, vary: str, by: str = "") -> Sweep | None:
    """The shipped sweep of a field: one for these parameters and this second field, if there is.

    Without `by` any second field will do. Sweeps of a single value are there for tables.
    """
    of_field = [s for s in scenario.sweeps if s.field == vary and len(s.values) > 1]

    def nearness(sweep: Sweep) -> tuple[bool, bool]:
        second = sweep.by[0] if sweep.by else NOTHING
        return _is_for(sweep, params), second == by or not by

    return max(of_field, key=nearness, default=None)


def _is_for(sweep: Sweep, params: Params) -> bool:
    """Whether a sweep's fixed parameters are these, which must lie on it in its second field."""
    free = {name: getattr(params, name) for name in sweep.vary}
    if sweep.by and free[sweep.by[0]] not in sweep.by[1]:
        return False
    try:
        fixed = type(params).model_validate({**sweep.params, **free})
    except ValidationError:
        return False
    return fixed.chosen() == params.chosen()


def member_at(
    members: Sequence[Member], names: Sequence[str], dot: Mapping[str, object]
) -> Member | None:
    """The run that a dot of the figure stands for: its values of the varied fields, its seed."""
    for member in members:
        values = [spoken(getattr(member.params, name)) for name in names]
        told = dict(zip(("value", "by"), values, strict=False), seed=member.seed)
        if all(dot.get(name) == value for name, value in told.items()):
            return member
    return None


def choose(scenario: Scenario, params: Params) -> tuple[str, str, str]:
    """The widgets: the parameter to vary, the second one, and the score."""
    free, all_knobs = _free(params), knobs_of(scenario.Params)
    titles = {NOTHING: NOTHING, **{name: knob.label for name, knob in all_knobs.items()}}
    vary = _select(
        VARY, "Vary", free, _first(scenario, free), titles,
        "Everything else stays as the knobs above say.",
    )  # fmt: skip
    others = [NOTHING, *(name for name in free if name != vary)]
    shipped = shipped_sweep(scenario, params, vary)
    usual = NOTHING
    if shipped and shipped.by and shipped.by[0] in others and _is_for(shipped, params):
        usual = shipped.by[0]
    by = _select(
        BY, "For each", others, usual, titles,
        "A second parameter: a line for each of a few of its values.",
    )  # fmt: skip
    scores = offered(scenario, params)
    named = {name: SCORES[name].title for name in scores}
    return vary, by, _select(SCORE, "Score", scores, scores[0], named)


def _select(
    key: str, label: str, options: list[str], usual: str, titles: Mapping[str, str],
    help: str | None = None,
) -> str:  # fmt: skip
    """A list that shows the usual, which changes with the knobs, until a visitor chooses."""
    listed = address.listed(key, options, usual)

    def choose() -> None:
        listed.choose()
        if key == VARY:  # the second one belonged to the other
            address.put(BY, None)

    return st.selectbox(
        label,
        options,
        options.index(listed.value),
        format_func=titles.get,
        key=listed.widget,
        on_change=choose,
        help=help,
    )


def _free(params: Params) -> list[str]:
    """Names of the fields that can be varied: those with an effect, and with values to offer."""
    off, all_knobs = params.inactive(), knobs_of(type(params))
    return [
        name for name, knob in all_knobs.items()
        if name not in off and (knob.choices or knob.kind is not str)
    ]  # fmt: skip


def _first(scenario: Scenario, free: Sequence[str]) -> str:
    """The parameter that is varied when nobody has chosen."""
    return next((sweep.field for sweep in scenario.sweeps if sweep.field in free), free[0])


def _label(all_knobs: dict[str, Knob], name: str) -> str:
    return NOTHING if name == NOTHING else all_knobs[name].label


def _few(knob: Knob, count: int) -> tuple[Value, ...]:
    """About `count` values over a knob's range, or both or all of a choice."""
    if knob.choices:
        return knob.choices
    if knob.kind is bool:
        return (False, True)
    offered = [value for value in knobs.ticks(knob) if value is not None]
    return tuple(offered[:: max(1, -(-len(offered) // count))])


def _with(value: Value, few: tuple[Value, ...]) -> tuple[Value, ...]:
    """Numbers in order, a given one among them."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return tuple(sorted({*few, value})) if number else few


def _fitting(params: Params, name: str, values: Sequence[Value]) -> tuple[Value, ...]:
    """Those that can run with the other parameters (at least the one in force can)."""

    def fits(value: Value) -> bool:
        try:
            params.but(**{name: value})
        except ValidationError:
            return False
        return True

    return tuple(value for value in values if fits(value)) or (getattr(params, name),)


def _draw(scenario: Scenario, score: str, shown: runner.Shown) -> None:
    from core import figures  # altair: the numbers above do not need it

    all_knobs = knobs_of(scenario.Params)
    names = tuple(shown.experiment.vary)  # a stale picture may vary others than the knobs say
    knob, by = all_knobs[names[0]], all_knobs[names[1]] if len(names) > 1 else None
    members = [m for m in shown.experiment.members if m.key in shown.results]
    runs = [(member, shown.results[member.key]) for member in members]
    known = list(baselines(score, runs[0][1].scores)) if runs else []
    key = "_".join(("sweep", *names, score))

    def open_run() -> None:
        for dot in st.session_state[key].selection.get("run", [])[:1]:
            if (member := member_at(members, names, dot)) is not None:
                knobs.turn_to(scenario, member.params.chosen(), len(shown.experiment.seeds))
                address.put(knobs.SHOW, member.seed)
                story.show_picture()
                runner.rerun_page()

    marks = {} if by or not runs else scenario.marks(runs[0][0].params, knob.name)
    if shown.stale:
        st.caption("These curves belong to another setting, until this one has run.")
    title = SCORES[score].title
    lines = f", for each {by.label.lower()}" if by else ""
    sheet.figure(
        key, f"{title} against {knob.label}{lines}, every seed a point, baselines dashed.",
        lambda: figures.sweep(runs, knob, score, known, by, marks=marks),
        of=(shown.experiment.key, len(runs)), numbers="_".join((scenario.name, *names)),
        on_select=open_run,
    )  # fmt: skip
