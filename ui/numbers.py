"""The numbers of a run: the promised one large, with its baselines, and the others in a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from core.legend import SCORES, baselines
from core.scenarios.scenario import Promise
from ui import recovery
from ui.window import address

FULL = 3  # baselines in the small line under a number
NEAR = 0.99, 0.9995  # between which a third decimal says that it is not 1


@dataclass(frozen=True)
class Places:
    """Where the parts of the first screen stand: what is drawn first is not what stands first."""

    picture: st.delta_generator.DeltaGenerator
    number: st.delta_generator.DeltaGenerator
    words: st.delta_generator.DeltaGenerator
    dots: st.delta_generator.DeltaGenerator
    more: st.delta_generator.DeltaGenerator


def places() -> Places:
    """The picture, under it the promised score, its seeds in words and as dots, then the rest."""
    picture = st.container()
    with st.container(key=address.owned("lead")):
        number, seeds = st.columns([2, 2.8], gap="small", vertical_alignment="center")
    with seeds, st.container(gap=None):
        words, dots = st.container(), st.container()
    return Places(picture, number, words, dots, st.container())


def show(
    run: recovery.Run,
    promise: Promise,
    floor: str = "floor",
    ideals: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    only: Sequence[str] | None = None,
    key: str = recovery.NUMBERS,
    place: Places | None = None,
) -> None:
    """The promised scores first, each with its baselines and what perfect would be.

    All in a row, or the one that stands for the promise apart from the others, in its `place`.

    `floor` names the loss at the truth, which only some objectives cannot pass. `ideals` says what
    perfect is where that depends on the setting. Scores named in `without` are left out, and those
    that are not in `only`.
    """
    rest = (name for name in SCORES if name not in (*promise.promised, *without))
    order = [name for name in (*promise.promised, *rest) if only is None or name in only]
    first = [promise.score] if place and promise.score in order else []
    if place:
        with place.number, st.container(key=key):
            _metrics(run, promise, first, floor, ideals or {})
    with place.more if place else st.container():
        with st.container(horizontal=True, gap="small", key=f"{key}-more" if place else key):
            rest = [name for name in order if name not in first]
            _metrics(run, promise, rest, floor, ideals or {})


def _metrics(
    run: recovery.Run, promise: Promise, names: Sequence[str], floor: str, ideals: Mapping[str, str]
) -> None:
    """A number for each of these scores that says something of this run."""
    for name in names:
        score, beside = SCORES[name], _beside(name, run, floor, ideals)
        if name in promise.silent:
            beside = promise.silent[name]
        known = run.scores.get(name) is not None
        if name in run.scores and (known or beside or name in promise.promised):
            st.metric(
                f"**{score.title}**" if name in promise.promised else score.title,
                score.written(None if name in promise.silent else run.scores[name]),
                beside,
                delta_color="off",
                delta_arrow="off",
                help=". ".join((score.meaning, *_trust(name, run))),
                width="content",
            )


def _beside(name: str, run: recovery.Run, floor: str, ideals: Mapping[str, str]) -> str:
    """A score's baselines and its ceiling, or why it has no value: the small line under it."""
    known = [
        f"{word} {_briefly(name, value)}"
        for beside, word in baselines(name, run.scores).items()
        if (value := run.scores[beside]) is not None
    ]
    at_truth = run.scores.get(f"{name}_floor")
    known += [f"{floor} {at_truth:.2f}"] if at_truth is not None else []
    if run.scores.get(name) is None:
        why = "diverged" if run.diverged else SCORES[name].none
        return " · ".join([*known, *([why] if why else [])])
    full = len(known) >= FULL  # the line has no room for more
    ideal = "" if full else ideals.get(name, SCORES[name].ideal)
    return " · ".join([*known, *([ideal] if ideal else [])])


def _trust(name: str, run: recovery.Run) -> list[str]:
    """What shuffled rows get of a score, and 95 % of resampled samples, if measured."""
    score, null = SCORES[name], run.scores.get(f"null_{name}")
    low, high = (run.scores.get(f"{name}_{end}") for end in ("low", "high"))
    found = [] if null is None else [f"Shuffled rows get {score.written(null)}"]
    if low is not None and high is not None:
        reach = f"{score.written(low)} to {score.written(high)}"
        found.append(f"95 % of resampled evaluation samples: {reach}")
    return found


def _briefly(name: str, value: float) -> str:
    """A baseline to two decimals, or to as many as its score needs, or a value near 1."""
    score = SCORES[name]
    short = score.format == ".3f" and not NEAR[0] <= value < NEAR[1]
    return (replace(score, format=".2f") if short else score).written(value)
