"""How well each factor is told by a code: trained, at its start, and by the pixels themselves."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.legend import wording
from core.lessons import LESSONS
from core.lessons.pixels import CLASSES, CONVOLVED, LONG, OPEN, SCENE, WIDE
from core.scenarios.pixels import CELLS, CODES, Pixels
from core.scenarios.scenario import Value
from ui import recovery, seeds, sheet
from ui.runner import Shown

Scores = Mapping[str, float | None]
Setting = Mapping[str, Value]


def show(shown: Shown, run: recovery.Run, params: Pixels) -> None:
    """The scores of every factor of the finished runs."""
    results = [r.scores for r in shown.results.values()] if not shown.stale else []
    known = [scores for scores in results if f"factor_{params.seen.varied[0]}" in scores]
    if known:
        drawn(params, known, (run.name, len(known)), "factors")
        if params.task == "classify" and (said := of_classes(params, known)):
            st.caption(said)


def of_classes(params: Pixels, runs: Sequence[Scores]) -> str:
    """Why a category here and the class that it makes have two accuracies; nothing of others."""
    category = [factor for factor in params.seen.factors if factor.kind == "categorical"]
    alike = [factor for factor in category if list(CELLS[params.label]) == [factor.name]]
    if not alike:
        return ""
    (factor,) = alike
    here = seeds.span_of([v for r in runs if (v := r[f"factor_{factor.name}"]) is not None])
    there = seeds.span_of([v for r in runs if (v := r["label_accuracy"]) is not None])
    return (
        f"{factor.title} has {here} here and the class {there} below, of the same codes: here a "
        "new read-out is fitted to every factor by least squares, on labels that are 0 or 1 and "
        "not on the borders between them; below, it is the classifier that was trained with the "
        "code."
    )


def drawn(params: Pixels, runs: Sequence[Scores], of: tuple, key: str) -> None:
    """A line a factor."""
    from core import figures

    sheet.figure(
        key, "How well each factor is told: by the trained code, before training, by pixels.",
        lambda: figures.told(params.seen.factors, runs), of=of, numbers=key,
    )  # fmt: skip


def classes() -> list[sheet.Part]:
    """What is kept, by what makes a class."""
    labels = ("shape", "shape-scale", "position", "random")
    return _side_by_side(
        {f"Class: {wording(label)}": {**CLASSES, "label": label} for label in labels}
    )


def widths() -> list[sheet.Part]:
    """What a code of classes tells, by how wide it is."""
    narrow: Setting = {**CLASSES, "label": "shape"}
    settings = {f"{CODES} dimensions": narrow, f"{WIDE['d_hat']} dimensions": WIDE,
                f"{CONVOLVED['d_hat']} dimensions, convolutions": CONVOLVED}  # fmt: skip
    return _side_by_side(settings)


def luck() -> list[sheet.Part]:
    """MCC of runs with and without walls, over that of rotations at random."""
    from core import figures, metrics

    scenario = LESSONS["pixels"]
    rows = {"three factors": LONG, "five factors": SCENE, "seven factors": OPEN}
    spaces = {"no walls": "unbounded", "in a box": "box"}
    runs = {
        row: {said: [v for run in seeds.stored(scenario, {**base, "space": space})
                     if (v := run.scores["mcc"]) is not None]
              for said, space in spaces.items()}
        for row, base in rows.items()
    }  # fmt: skip
    if not all(group for each in runs.values() for group in each.values()):
        return [sheet.NOT_STORED]
    of = [(row, said, *group) for row, each in runs.items() for said, group in each.items()]
    free = {row: scenario.Params.model_validate(base).free_rotation
               for row, base in rows.items()}  # fmt: skip
    return [
        sheet.kept(
            of,
            lambda: figures.by_luck(
                {row: metrics.mcc_of_rotations(d) for row, d in free.items()}, runs, "MCC"
            ),
            "luck",
            "MCC of every run with and without walls, and of rotations at random, by the number of "
            "factors.",
        )
    ]


def _side_by_side(settings: Mapping[str, Setting]) -> list[sheet.Part]:
    """How well each factor is told in some settings, by their titles; two in a row."""
    from core import figures

    scenario, parts = LESSONS["pixels"], []
    for title, changes in settings.items():
        stored = seeds.stored(scenario, changes)
        if not stored:
            return [sheet.NOT_STORED]
        params = scenario.Params.model_validate(changes)
        assert isinstance(params, Pixels)
        parts.append(
            sheet.drawing(
                figures.told(params.seen.factors, [run.scores for run in stored]),
                f"kept-{len(parts)}",
                f"How well each factor is told by a code of classes. {title}.",
                title,
            )
        )  # fmt: skip
    return [sheet.Row(parts[:2]), sheet.Row(parts[2:])]
