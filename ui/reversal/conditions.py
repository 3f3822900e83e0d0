"""Figures behind claims about the linear game: exact minima, spans, collapse, what is left."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st

from core.claims.measures import measured
from core.laws import leakage, leaning
from core.legend import SCORES
from core.lessons import LESSONS
from core.lessons.gradient_reversal import COLLAPSE, EIGHT
from core.run.experiment import Result
from core.scenarios.scenario import OPENED, Scenario, knobs_of
from ui import runner, seeds, sheet

UNEVEN = (0, 80, 200)  # degrees of three centres in V that are no regular triangle
NEAR = 5  # degrees, within which a code has stayed where it started


def show(name: str) -> None:
    """A figure by the name that a claim gives it."""
    sheet.show(_parts(name))


@st.cache_data(show_spinner=False)
def _parts(name: str) -> list[sheet.Part]:
    """From shipped runs and theory alone, so that it is made once."""
    return FIGURES[name](LESSONS["gradient_reversal"])


def _hysteresis(scenario: Scenario) -> list[sheet.Part]:
    from core import figures

    sweep = next(s for s in scenario.sweeps if s.by and s.by[0] == "start")
    all_knobs, runs = knobs_of(scenario.Params), seeds.runs_of(scenario, sweep)
    if not runs:
        return [sheet.NOT_STORED]
    (first,) = runner.stored([runs[0][0]]).values()
    world = first.world
    facts = (world[name].astype(float) for name in ("v", "kappa", "inside", "outside"))
    strengths, angles = leaning.exact_minimum(*facts)
    figure = figures.bistable(runs, all_knobs["lam"], all_knobs["start"], (strengths, angles))
    drawn = sheet.drawing(figure, "care_hysteresis", "Angle against lambda from two starts.")
    jump = strengths[np.argmax(angles < 45)]
    started = [(m.params.lam, r.scores["angle_to_v_perp_deg"]) for m, r in runs
               if m.params.start == "v_perp"]  # fmt: skip
    lost = max((lam for lam, angle in started if angle is None or angle > NEAR), default=0.0)
    stayed = [lam for lam, _ in started if lam > lost]
    said = (
        f"Exact, for the world of seed 0: the minimum of reconstruction + λ I jumps at λ = "
        f"{jump:.2f}. From V the trained code leaves only far beyond it; from V⊥ it stays within "
        f"{NEAR} degrees at every λ drawn from {min(stayed):g} on ({len(stayed)} runs)."
    )
    return [drawn, sheet.Words(said)]


def _tilt(scenario: Scenario) -> list[sheet.Part]:
    from core import figures

    tilts = {}
    for name, degrees in (("evenly spread", (0, 120, 240)), ("0°, 80°, 200°", UNEVEN)):
        for offset in (0.0, 0.3, 0.5, 0.9):
            lean = leaning.most_telling(degrees, offset, scenario.Params().kappa)
            tilts[f"{name}, h = {offset:g}"] = [lean]
    figure = figures.compare(tilts, "lean out of V, degrees", best=0.0)
    words = "How far the most telling direction leans out of V."
    said = "Exact (quadrature over all directions), d = 3, κ = 10, one code dimension."
    return [sheet.drawing(figure, "care_tilt", words), sheet.Words(said)]


def _spans(scenario: Scenario) -> list[sheet.Part]:
    """Closed form: two codes that erase, one of them too much."""
    result = next(iter(seeds.runs(scenario, EIGHT, OPENED[:1])), None)
    if result is None:
        return [sheet.NOT_STORED]
    v, outside = result.world["v"].astype(float), result.world["outside"].astype(float)
    kappa = result.world["kappa"].astype(float)
    rows = []
    for words, erased in (("span of differences", v - v.mean(0)), ("span of centres", v)):
        kept = leakage.complement(erased)
        told = abs(leakage.direction_information(kept, v, kappa).max())
        rows.append(
            {
                "erased": words,
                "dimensions left": len(kept),
                "most that one of them tells": f"{told:.4f} nats",
                "share of V⊥ kept": f"{leakage.shared(kept, outside):.2f}",
            }
        )
    said = "d = 8, four classes, r = 3, h = 0.3; from the cluster vectors, nothing trained."
    return [sheet.frame(rows), sheet.Words(said)]


def _span(measure: str, runs: Sequence[Result]) -> str:
    return seeds.span_of([value for r in runs if (value := measured(measure, r)) is not None])


def _spare(scenario: Scenario) -> list[sheet.Part]:
    results = seeds.stored(scenario, {**EIGHT, "lam": -1.0})
    rows = [
        {
            "seed": r.member.seed,
            "angle between V and the rows": f"{r.scores['angle_to_v_deg']:.1f}°",
            "content R² (V⊥ read from the code)": f"{r.scores['content_r2']:.3f}",
            "exact information, nats": f"{r.scores['information_nats']:.3f}",
        }
        for r in results
    ]
    return [sheet.frame(rows)]


def _collapse(scenario: Scenario) -> list[sheet.Part]:
    rows = []
    for words, setting in (("orthonormal rows", {}), ("free, no pull", {"encoder": "free"}),
                           ("free, weight decay 0.1, λ = 0.3", COLLAPSE)):  # fmt: skip
        runs = seeds.runs(scenario, setting)
        rows.append(
            {
                "M": words,
                "seeds": len(runs),
                "|M| at the end": _span("code_norm", runs),
                **{
                    SCORES[name].title: seeds.span_of(
                        [value for r in runs if (value := r.scores[name]) is not None]
                    )
                    for name in ("adversary_loss", "probe_accuracy_mlp", "information_nats")
                },
            }
        )
    return [sheet.frame(rows)]


def _content(scenario: Scenario) -> list[sheet.Part]:
    rows = []
    for words, setting in (("λ = 1", {}), ("λ = −1", {"lam": -1.0})):
        runs = seeds.runs(scenario, setting)
        rows.append(
            {
                "d = 3, r = 2": words,
                "seeds": len(runs),
                "R² of the part inside V": _span("inside_r2", runs),
                "R² of the part outside V": _span("outside_r2", runs),
            }
        )
    said = "Linear read-outs from the code of one dimension, on the drawn latents."
    return [sheet.frame(rows), sheet.Words(said)]


def _mirrored(scenario: Scenario) -> list[sheet.Part]:
    """Latents reflected in V's complement: how far they move, and how far their codes do."""
    rows = []
    for words, setting in (("d = 3, r = 2", {}), ("d = 3, r = 1", {"rank": 1, "n_classes": 2})):
        runs = seeds.runs(scenario, setting)
        rows.append(
            {
                "world": words,
                "mean distance to the mirror image": _span("mirrored", runs),
                "of their codes": _span("mirrored_codes", runs),
                "seeds": len(runs),
            }
        )
    said = "Trained codes at λ = 1; what is left is the angle of a finite data set."
    return [sheet.frame(rows), sheet.Words(said)]


FIGURES: Mapping[str, Callable[[Scenario], list[sheet.Part]]] = {
    "hysteresis": _hysteresis,
    "tilt": _tilt,
    "spans": _spans,
    "spare": _spare,
    "collapse": _collapse,
    "content": _content,
    "mirrored": _mirrored,
}
