"""The anatomy of a page that sets up one scenario, in the order that every such page keeps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.experiment import Experiment, Result
from core.scenarios.scenario import Params, Scenario
from ui import address, export, knobs, recovery, seeds, story, sweep

Panels = Callable[[Experiment, recovery.Choice], dict[str, Result]]


@dataclass(frozen=True)
class Opened:
    """What the visitor set up, and the runs of it that are finished."""

    params: Params
    seeds: tuple[int, ...]
    choice: recovery.Choice
    finished: Mapping[str, Result]  # empty until all are

    @property
    def result(self) -> Result | None:
        """The finished run of the seed that is drawn."""
        return next((r for r in self.finished.values() if r.member.seed == self.choice.seed), None)


def opening(
    scenario: Scenario,
    title: str,
    sentence: str,
    panels: Panels,
    switch: Callable[[], None] = lambda: None,
    sides: bool = True,
    more: Sequence[address.Settings] = (),
) -> Opened:
    """Promise, presets, knobs and the main picture, which `panels` draws.

    `switch` draws what else the page lets a visitor choose about the picture, `sides` says whether
    that has a recovered side, `more` which further settings the page has.
    """
    address.declare(
        knobs.settings(scenario), *recovery.settings(sides), seeds.settings(scenario),
        *sweep.settings(scenario), *more, *address.EVERYWHERE,
    )  # fmt: skip
    present = address.presenting()
    story.opening(title, sentence)
    side, main = (None, st.container()) if present else st.columns([1, 3.6], gap="medium")
    params, chosen = knobs.read(scenario)
    sweep.settle(scenario, params)
    address.sync()
    with main, st.container(gap="xsmall"):
        if present:
            story.slides(scenario, params)
        else:
            story.presets(scenario, params)
            story.lesson(scenario, params)
        refused = st.container()
        with st.container(
            horizontal=True, vertical_alignment="center", gap="small",
            key=address.owned("choices_row"),
        ):  # fmt: skip
            choice = recovery.choose(chosen, getattr(params, "d", 3), sides)
            switch()
            if not present:
                story.notes(scenario, params)
        with refused:  # once all of the page's choices have been read
            story.refused(address.refusals())
        finished = panels(Experiment(params, scenario.name, chosen), choice)
    with side or st.expander("Knobs"):
        knobs.draw(scenario, params)
        story.presenter_switch()
    return Opened(params, chosen, choice, finished)


def shipped(scenario: Scenario) -> Experiment:
    """The default setting, which the gallery holds: what a panel shows before anything else."""
    return Experiment(scenario.at_start(), scenario.name, (0, 1, 2))


def sections(
    scenario: Scenario,
    opened: Opened,
    why: Callable[[Result], None],
    breaks: Callable[[], None],
    paper: Callable[[], None],
    sources: str,
    headings: tuple[str, str, str] = ("Why it works", "When it breaks", "The paper's numbers"),
) -> None:
    """What stands under the main picture, unless it is being shown to a room.

    `headings` are those of `why`, `breaks` and `paper`.
    """
    if address.presenting():
        return
    st.header("How the scores change", anchor="sweep")
    sweep.panel(scenario, opened.params, opened.seeds)
    st.header(headings[0], anchor="why")
    if opened.result is not None:
        why(opened.result)
    else:
        st.caption("The steps are drawn from a finished run: they appear when this one is.")
    st.header(headings[1], anchor="breaks")
    breaks()
    st.header(headings[2], anchor="paper")
    paper()
    st.header("Take it home", anchor="export")
    if opened.finished:
        export.take_home(list(opened.finished.values()), opened.params, scenario)
    st.caption(sources)
