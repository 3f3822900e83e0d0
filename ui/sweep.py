"""Scores against a parameter, over seeds: a click on a point opens that run above."""

import streamlit as st
from pydantic import ValidationError

from core.experiment import Experiment
from core.legend import BASELINES, SCORE_TITLES, spoken
from core.scenarios.scenario import Knob, Params, Scenario, Value, knobs_of
from ui import export, knobs, runner

VARY = "vary"
POINTS = 7
SCORES = ("linear_r2", "orthogonal_r2", "mcc", "degree")


def panel(scenario: Scenario, params: Params, seeds: tuple[int, ...]) -> None:
    """Choose a parameter; show its sweep when stored, offer to train it otherwise."""
    all_knobs = knobs_of(scenario.Params)
    free = [name for name in all_knobs if name not in params.inactive()]
    side, main = st.columns([1, 3.6], gap="medium")
    with side:
        _keep_valid(free)
        first = scenario.sweeps[0].field if scenario.sweeps else free[0]
        vary = st.selectbox(
            "Vary",
            free,
            index=free.index(first) if first in free else 0,
            format_func=lambda name: all_knobs[name].label,
            key=VARY,
            bind="query-params",
            help="Everything else stays as the knobs above say.",
        )
        score = st.selectbox(
            "Score", SCORES, format_func=lambda name: SCORE_TITLES[name],
            key="score", bind="query-params",
        )  # fmt: skip
        st.caption("Every dot is one seed; the line is their mean. Click a dot to open its run.")
    varied = {vary: values(scenario, all_knobs[vary], params)}
    experiment = Experiment(params, scenario.name, seeds, varied)
    with main:
        runner.panel(experiment, lambda shown: _draw(scenario, score, shown), "sweep")


def read_link(scenario: Scenario, params: Params) -> None:
    """Take the panel's choices from the link, before the page says what it refused."""
    all_knobs = knobs_of(scenario.Params)
    free = [name for name in all_knobs if name not in params.inactive()]
    knobs.choice(VARY, free, "The parameter to vary", lambda name: all_knobs[name].label)
    knobs.choice("score", SCORES, "Score", lambda name: SCORE_TITLES[name])


def values(scenario: Scenario, knob: Knob, params: Params) -> tuple[Value, ...]:
    """The shipped sweep's values, else a few over the knob's range; those that can run with params.

    (At least the value in force can.)
    """
    shipped = next((sweep.values for sweep in scenario.sweeps if sweep.field == knob.name), None)
    if shipped is None and knob.choices:
        shipped = knob.choices
    elif shipped is None:
        offered = [value for value in knobs.ticks(knob) if value is not None]
        shipped = tuple(offered[:: max(1, -(-len(offered) // POINTS))])
    fitting = tuple(value for value in shipped if _fits(params, knob.name, value))
    return fitting or (getattr(params, knob.name),)


def _fits(params: Params, name: str, value: Value) -> bool:
    try:
        params.but(**{name: value})
    except ValidationError:
        return False
    return True


def _keep_valid(free: list[str]) -> None:
    if st.session_state.get(VARY) not in (None, *free):
        del st.session_state[VARY]


def _draw(scenario: Scenario, score: str, shown: runner.Shown) -> None:
    from core import figures  # altair: the numbers above do not need it

    (name,) = shown.experiment.vary  # a stale picture may vary another parameter than the knob says
    knob = knobs_of(scenario.Params)[name]
    members = [m for m in shown.experiment.members if m.key in shown.results]
    runs = [(member, shown.results[member.key]) for member in members]
    baselines = [f"{kind}_{score}" for kind in BASELINES]
    known = [b for b in baselines if runs and runs[0][1].scores.get(b) is not None]
    chart, table = figures.sweep(runs, knob, score, known)
    key = f"sweep_{name}_{score}"

    def open_run() -> None:
        picked = st.session_state[key].selection.get("run", [])
        for member in members:
            value = spoken(getattr(member.params, name))
            if picked and (value, member.seed) == (picked[0]["value"], picked[0]["seed"]):
                knobs.turn_to(scenario, member.params.chosen(), len(shown.experiment.seeds))
                st.session_state["show"] = member.seed
                runner.rerun_page()

    title = SCORE_TITLES[score]
    st.altair_chart(
        chart, key=key, on_select=open_run, selection_mode="run",
        alt=f"{title} against {knob.label}, every seed a point, baselines dashed.",
    )  # fmt: skip
    export.table(table, f"{scenario.name}_{name}", f"{key}.table")
