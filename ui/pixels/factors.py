"""How well each factor is told by a code: trained, at its start, and by the pixels themselves."""

from collections.abc import Mapping, Sequence

from core.legend import wording
from core.lessons import LESSONS
from core.lessons.pixels import CLASSES
from core.scenarios.pixels import Pixels
from ui import recovery, seeds, sheet
from ui.runner import Shown

Scores = Mapping[str, float | None]


def show(shown: Shown, run: recovery.Run, params: Pixels) -> None:
    """The scores of every factor of the finished runs."""
    results = [r.scores for r in shown.results.values()] if not shown.stale else []
    known = [scores for scores in results if f"factor_{params.seen.varied[0]}" in scores]
    if known:
        drawn(params, known, (run.name, len(known)), "factors")


def drawn(params: Pixels, runs: Sequence[Scores], of: tuple, key: str) -> None:
    """A line a factor."""
    from core import figures

    sheet.figure(
        key, "How well each factor is told: by the trained code, before training, by pixels.",
        lambda: figures.told(params.seen.factors, runs), of=of, numbers=key,
    )  # fmt: skip


def classes() -> list[sheet.Part]:
    """What is kept, by what makes a class."""
    from core import figures

    scenario, parts = LESSONS["pixels"], []
    for label in ("shape", "shape-scale", "position", "random"):
        changes = {**CLASSES, "label": label}
        stored = seeds.stored(scenario, changes)
        if not stored:
            return [sheet.NOT_STORED]
        params = scenario.Params.model_validate(changes)
        assert isinstance(params, Pixels)
        parts.append(
            sheet.drawing(
                figures.told(params.seen.factors, [run.scores for run in stored]),
                f"kept-{label}", f"How well each factor is told by a code of classes: {label}.",
                f"Class: {wording(label)}",
            )
        )  # fmt: skip
    return [sheet.Row(parts[:2]), sheet.Row(parts[2:])]
