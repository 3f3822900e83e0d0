"""Scores against a parameter, over seeds: a click on a point opens that run above."""

import streamlit as st
from pydantic import ValidationError

from core.experiment import Experiment
from core.legend import BASELINES, SCORE_TITLES, spoken
from core.scenarios.scenario import Knob, Params, Scenario, Value, explain, knobs_of
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
    knob = all_knobs[vary]
    try:
        experiment = Experiment(params, scenario.name, seeds, {vary: values(scenario, knob)})
    except ValidationError as error:
        st.warning("This sweep cannot run: {} {}.".format(*explain(error)))
        return
    with main:
        runner.panel(experiment, lambda shown: _draw(scenario, knob, score, shown), f"sweep.{vary}")


def values(scenario: Scenario, knob: Knob) -> tuple[Value, ...]:
    """The shipped sweep's values, else a few spread over the knob's range."""
    for sweep in scenario.sweeps:
        if sweep.field == knob.name:
            return sweep.values
    if knob.choices:
        return knob.choices
    offered = [value for value in knobs.ticks(knob) if value is not None]
    stride = max(1, -(-len(offered) // POINTS))
    return tuple(offered[::stride])


def _keep_valid(free: list[str]) -> None:
    if st.session_state.get(VARY) not in (None, *free):
        del st.session_state[VARY]


def _draw(scenario: Scenario, knob: Knob, score: str, shown: runner.Shown) -> None:
    from core import figures  # plotly and altair: the numbers above need neither

    results = [shown.results[m.key] for m in shown.experiment.members if m.key in shown.results]
    baselines = [f"{kind}_{score}" for kind in BASELINES]
    known = [b for b in baselines if results and results[0].scores.get(b) is not None]
    chart, table = figures.sweep(results, knob, score, known)
    key = f"sweep_{knob.name}_{score}"

    def open_run() -> None:
        picked = st.session_state[key].selection.get("run", [])
        for member in shown.experiment.members:
            value = spoken(getattr(member.params, knob.name))
            if picked and (value, member.seed) == (picked[0]["value"], picked[0]["seed"]):
                knobs.turn_to(scenario, member.params.chosen())
                st.session_state["show"] = member.seed

    title = SCORE_TITLES[score]
    st.altair_chart(
        chart, key=key, on_select=open_run, selection_mode="run",
        alt=f"{title} against {knob.label}, every seed a point, baselines dashed.",
    )  # fmt: skip
    export.table(table, f"{scenario.name}_{knob.name}", f"{key}.table")
