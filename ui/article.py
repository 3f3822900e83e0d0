"""The anatomy of a page that sets up one scenario: a bar of parts, of which one is open.

Only the open part is computed and sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from core.lessons import SETUPS
from core.run.experiment import Experiment, Result
from core.scenarios.scenario import Params, Scenario, Setup
from ui import claims, export, knobs, recovery, runner, seeds, story, sweep, wording
from ui.window import address, look

PAPER = "paper"  # the part that tells of what was published
Panels = Callable[[Experiment, recovery.Choice], object]


@dataclass(frozen=True)
class Opened:
    """What the visitor set up, with no seeds where nothing is trained."""

    setup: Setup
    params: Params
    seeds: tuple[int, ...]

    @property
    def experiment(self) -> Experiment:
        """The runs of it."""
        return Experiment(self.params, self.setup.name, self.seeds)


@dataclass(frozen=True)
class Part:
    """One part of a page: its name in the link, its title in the bar, what it shows.

    `settings` are its own keys of the link: one that has some of them and names no part means this.
    """

    name: str
    title: str
    show: Callable[[Opened], None]
    settings: tuple[address.Settings, ...] = ()


@dataclass(frozen=True)
class Frame:
    """The frame of every page with a setting: its bar, its first screen, its parts.

    `explore` draws what follows the presets, `below` what comes under the first screen, `home`
    the last part. `settings` are the keys of the link besides knobs and parts', `settle` puts
    them in order once the knobs are read, `hint` follows the sentence above the knobs.
    """

    setup: Setup
    title: str
    sentence: str
    parts: Sequence[Part]
    explore: Callable[[Opened], None]
    home: Callable[[Opened], None]
    settings: Sequence[address.Settings] = ()
    settle: Callable[[Params], None] = lambda params: None
    below: Callable[[Opened], None] = lambda opened: None
    hint: str = ""

    def show(self) -> None:
        """The open part of the page."""
        setup = self.setup
        bar = {story.EXPLORE: "Explore", **{part.name: part.title for part in self.parts}}
        bar[story.HOME] = "Take it home"
        address.declare(
            address.choice(story.PART, bar, "The part", None, bar.get), knobs.settings(setup),
            *self.settings, *(each for part in self.parts for each in part.settings),
            *address.EVERYWHERE,
        )  # fmt: skip
        params, chosen = knobs.read(setup)
        self.settle(params)
        address.sync()
        opened = Opened(setup, params, chosen)
        story.title(self.title)
        part = story.EXPLORE if address.presenting() else self._part()
        if address.presenting():
            look.clear()
            with st.container(gap="xsmall"):
                claims.slides((page_of(setup),), params)
                self.explore(opened)
            with st.expander("Knobs"):
                knobs.draw(setup, params)
                story.presenter_switch()
            return
        story.bar(bar, part)
        if part == story.EXPLORE:
            self._first_screen(opened)
            self.below(opened)
        else:
            told = st.container()  # what the link asked for in vain, once the part has read it
            if part == story.HOME:
                self.home(opened)
            else:
                next(each for each in self.parts if each.name == part).show(opened)
            with told:
                story.refused(address.refusals())

    def _part(self) -> str:
        """The open part: the one that the link names, or else means by its settings."""
        named = address.get(story.PART)
        if named is not None:
            return named
        for part in self.parts:
            rest = {key: value for group in part.settings for key, value in group.rest.items()}
            if any(address.get(key) != value for key, value in rest.items()):
                return part.name
        return story.EXPLORE

    def _first_screen(self, opened: Opened) -> None:
        """Presets and pictures, with the knobs beside them."""
        setup, params = self.setup, opened.params
        with st.container(key="explore"):
            side, main = st.columns([1, 3.6], gap="medium")
        with main, st.container(gap="xsmall"):
            story.presets(setup, params)
            with st.container(key="to_knobs"):  # on a phone they come after the picture
                st.caption("[Knobs ↓](#knobs)")
            story.lesson(setup, params)
            self.explore(opened)
        with side, st.expander("Knobs", expanded=True, key="drawer"):
            st.html("<span id='knobs'></span>")
            st.caption(f"{self.sentence}{self.hint}")
            knobs.draw(setup, params)
            story.presenter_switch()


@dataclass(frozen=True)
class Article:
    """A page whose settings are trained: the claim it opens with, and what Explore draws.

    `panels` draws the main picture, `switch` what else there is to choose about it (with `more`
    settings), `sides` says whether it has a recovered side, `one_sided` which settings have none
    after all. `sources` are credited below the part on the paper and at the end.
    """

    scenario: Scenario
    title: str
    sentence: str
    panels: Panels
    parts: Sequence[Part]
    sources: str
    switch: Callable[[], None] = lambda: None
    sides: bool = True
    one_sided: Callable[[Any], bool] = lambda params: False
    more: Sequence[address.Settings] = ()

    def show(self) -> None:
        """The open part of the page."""
        scenario = self.scenario
        parts = [self._credited(part) if part.name == PAPER else part for part in self.parts]
        Frame(
            scenario, self.title, self.sentence, parts, self._explore, self._take_home,
            (*recovery.settings(self.sides), seeds.settings(), *sweep.settings(scenario),
             *self.more),
            partial(sweep.settle, scenario), self._sweep, " [How the scores change ↓](#sweep)",
        ).show()  # fmt: skip

    def _credited(self, part: Part) -> Part:
        """A part with the sources below."""

        def show(opened: Opened) -> None:
            part.show(opened)
            self._sources()

        return replace(part, show=show)

    def _sources(self) -> None:
        """Who is to be thanked, with where it can be read."""
        st.subheader("Sources", anchor="sources")
        st.caption(wording.linked(self.sources), width="content")

    def _sweep(self, opened: Opened) -> None:
        """How the scores change as a parameter moves."""
        st.header("How the scores change", anchor="sweep")
        sweep.panel(self.scenario, opened.params, opened.seeds)

    def _explore(self, opened: Opened) -> None:
        """The main picture, and what there is to choose about it."""
        row = st.container(
            horizontal=True, vertical_alignment="center", gap="small",
            key=address.owned("choices_row"),
        )  # fmt: skip
        with row:
            sides = self.sides and not self.one_sided(opened.params)
            d = getattr(opened.params, "d", 3)
            choice = recovery.choose(opened.seeds, d, sides)
            self.switch()
            if not address.presenting():
                story.notes(self.scenario, opened.params)
        told = st.container()
        self.panels(opened.experiment, replace(choice, row=row))
        with told:  # once all of the page's choices have been read
            story.refused(address.refusals())

    def _take_home(self, opened: Opened) -> None:
        """The runs' data, scores and commands, and who is to be thanked."""
        story.about(self.scenario, opened.params)
        runs = runner.stored(opened.experiment.members)
        if len(runs) == len(opened.experiment.members):
            export.take_home(list(runs.values()), opened.params, self.scenario)
        else:
            st.info("These runs are not there yet: train them in Explore.", icon=":material/info:")
        self._sources()


def second(
    scenario: Scenario,
    prefix: str,
    draw: Callable[[runner.Shown, int], None],
    choices: Callable[[Params], None] = lambda params: None,
    panel: str | None = None,
) -> None:
    """Any setting of a page's second scenario, in a part of its own: its link's keys have a prefix.

    `choices` offers what else there is to choose before `draw` shows a seed; `panel` is the panel's
    name where that is not the prefix.
    """
    params, chosen = knobs.read(scenario, prefix)
    side, main = st.columns([1, 3.6], gap="medium")
    with main:
        story.presets(scenario, params, prefix)
        story.lesson(scenario, params, f"{prefix}.lesson_row")
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            seed = recovery.seed_drawn(chosen, prefix)
            choices(params)
            story.notes(scenario, params, f"{prefix}.notes")
        asked = Experiment(params, scenario.name, chosen)
        runner.panel(asked, lambda shown: draw(shown, seed), panel or prefix,
                     before=opening(scenario))  # fmt: skip
    with side:
        knobs.draw(scenario, params, prefix)


def page_of(setup: Setup) -> str:
    """The name of the page that a lesson belongs to."""
    return next(name for name, lesson in SETUPS.items() if lesson is setup)


def opening(scenario: Scenario) -> Experiment:
    """The default setting, which the gallery holds: what a panel shows before anything else."""
    return Experiment(scenario.at_start(), scenario.name, (0, 1, 2))


def panel_of(scenario: Scenario, draw: Callable[[runner.Shown, recovery.Choice], None]) -> Panels:
    """The one panel of a page whose `draw` shows a setting's runs as the visitor chose."""

    def panels(experiment: Experiment, choice: recovery.Choice) -> object:
        return runner.panel(
            experiment, lambda shown: draw(shown, choice), "run", before=opening(scenario),
            row=choice.row,
        )  # fmt: skip

    return panels


def drawn(opened: Opened) -> Result | None:
    """The finished run of the seed that is drawn, whose numbers a proof is drawn from.

    Says so where there is none.
    """
    seed = address.get(knobs.SHOW)
    experiment = Experiment(
        opened.params, opened.setup.name, (seed if seed in opened.seeds else opened.seeds[0],)
    )
    for result in runner.stored(experiment.members).values():
        if not result.diverged:
            return result
        st.info("This run diverged: the steps need one that did not.", icon=":material/info:")
        return None
    st.info("The steps are drawn from a finished run: train it in Explore.",
            icon=":material/info:")  # fmt: skip
    return None


def of_run(why: Callable[[Result], None]) -> Callable[[Opened], None]:
    """A part that is drawn from the finished run of the seed at hand."""

    def show(opened: Opened) -> None:
        story.about(opened.setup, opened.params)
        result = drawn(opened)
        if result is not None:
            why(result)

    return show


def alone(show: Callable[[], None]) -> Callable[[Opened], None]:
    """A part that does not depend on the setting."""
    return lambda opened: show()


def claimed(lessons: Sequence[str], figures: Mapping[str, Callable[[], None]],
            *settings: address.Settings) -> Part:  # fmt: skip
    """The claims of some lessons, with figures of the page's own, which may have settings."""
    return Part(
        "claims", "Claims", alone(lambda: claims.browser(lessons, figures)),
        (claims.settings(*lessons), *settings),
    )  # fmt: skip


def standard(
    scenario: Scenario,
    why: Callable[[Result], None],
    paper: Callable[[], None],
    figures: Mapping[str, Callable[[], None]] | None = None,
    *settings: address.Settings,
) -> list[Part]:
    """The usual parts between Explore and Take it home."""
    return [
        Part("why", "Why it works", of_run(why)),
        claimed((page_of(scenario),), figures or {}, *settings),
        Part(PAPER, "The paper", alone(paper)),
    ]
