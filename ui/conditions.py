"""Where the argument for invariance needs a condition, each with what was measured here."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st

from core import leakage
from core.experiment import Member, Record
from core.legend import SCORES
from core.lessons import LESSONS
from core.lessons.gradient_reversal import ANSWERED, COLLAPSE, COMPETING, EIGHT, UNEQUAL
from core.scenarios.scenario import OPENED, Scenario, Value, knobs_of
from ui import seeds, sheet, story

AZIMUTHS = 24
ANGLES = np.linspace(0, 90, 46)
RANKS: Mapping[str, Value] = {"d": 8, "n_classes": 8}
UNEVEN = (0, 80, 200)  # degrees of three centres in V that are no regular triangle
Runs = list[tuple[Member, Record]]


def fan(
    v: np.ndarray, kappa: np.ndarray, inside: np.ndarray, outside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Angles (a,) to V's complement and the exact information (a, b) of directions that lean so.

    Over b azimuths in the first two directions of V, from the first direction of the complement.
    """
    u = _leaning(inside, outside)
    found = leakage.direction_information(u.reshape(-1, u.shape[-1]), v, kappa)
    return ANGLES, found.reshape(u.shape[:2])


def _leaning(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Unit directions (a, b, d) that lean from the complement's first towards V."""
    turn = np.arange(AZIMUTHS) * 2 * np.pi / AZIMUTHS
    level = (
        np.outer(np.cos(turn), inside[0]) + np.outer(np.sin(turn), inside[1])
        if len(inside) > 1
        else np.outer(np.where(turn < np.pi, 1, -1), inside[0])
    )
    lean = np.deg2rad(ANGLES)[:, None, None]
    return np.cos(lean) * outside[0] + np.sin(lean) * level


def swept(
    scenario: Scenario, field: str, by: str = "", of: Mapping[str, Value] | None = None
) -> Runs:
    """The runs of the shipped sweep of a field (and a second one) for the given parameters."""
    return seeds.swept(
        scenario,
        next(
            s
            for s in scenario.sweeps
            if s.field == field
            and (s.by[0] if s.by else "") == by
            and dict(s.params) == dict(of or {})
        ),
    )


def show() -> None:
    """All conditions, one after another."""
    st.markdown(
        "The post's core is right and exact. These are the conditions under which it holds, and "
        "what happens without them. Dots are seeds, five to a setting, lines their means; dashed "
        "lines are computed, not trained."
    )
    scenario = LESSONS["gradient_reversal"]
    for number, (words, _, presets) in enumerate(_items(scenario), 1):
        text, picture = st.columns([1, 1.5], gap="medium", vertical_alignment="center")
        with text:
            st.markdown(f"**({number})** {words}")
            for name, label in presets.items():
                story.preset_link(scenario, name, label, f"care_{number}_{name}")
        with picture:
            sheet.show(_parts(number))


@st.cache_data(show_spinner=False)
def _parts(number: int) -> list[sheet.Part]:
    """What stands beside a condition: from shipped runs alone, so that it is made once."""
    scenario = LESSONS["gradient_reversal"]
    return _items(scenario)[number - 1][1]()


Item = tuple[str, Callable[[], list[sheet.Part]], Mapping[str, str]]


def _items(scenario: Scenario) -> list[Item]:
    return [
        (
            "**λ is a switch, not a dial.** The sign decides; up to about 1 the size only sets the "
            "pace: the ramp from 0 to 0.2 is training that has not finished, and it shrinks as the "
            "steps grow. Beyond, the encoder outruns its adversary, as in (2). At 0 the code stays "
            "where it began.",
            lambda: _sweep(scenario, "lam", "steps"),
            {"reverse": "λ = 1", "align": "λ = −1"},
        ),
        (
            "**A single sign change is not enough.** It is a game: with momentum and orthonormal "
            "rows the encoder outruns its classifier and circles in V, beginning between 0.3 "
            "and 0.6. A free or whitened M "
            "puts up with more (a likely reason: it grows, and so turns more slowly).",
            lambda: _sweep(scenario, "beta1", "encoder"),
            {"orbit": "momentum 0.8", "popular": "Adam as it comes"},
        ),
        (
            "**A competing loss makes it jump.** Linear reconstruction prefers V. The sum of the "
            "two losses has its minimum at the pole or at the equator and nowhere between, so it "
            "jumps at one λ (dashed, exact), and training stays where it started far beyond it.",
            lambda: _hysteresis(scenario),
            {"compete": "λ = 0.4, started in V"},
        ),
        (
            "**The code's dimension is assumed known.** At d = 8, r = 3 five dimensions are free "
            "of the nuisance. With fewer the code loses content, with more it must leak, and no "
            "error message says so.",
            lambda: _two(scenario, "d_z", EIGHT, ("information_nats", "content_r2")),
            {"wide": "six dimensions", "eight": "five"},
        ),
        (
            "**All classes need the same κ.** If they differ, the classes differ in width outside "
            "V as well, and no code but M = 0 is invariant. A linear probe stays near chance and "
            "is no witness; with a shared κ it is one, since E[M a | e] = A(κ) M v_e. The prior of "
            "e does not matter.",
            lambda: _unequal(scenario),
            {"unequal": "unequal κ, d = 3"},
        ),
        (
            "**V is spanned by differences.** Erasing the span of the v_e themselves throws away "
            "one good dimension as soon as the centres have something in common (h > 0).",
            lambda: _spans(scenario),
            {},
        ),
        (
            "**The encoder lands inside V only if it has no spare rows.** Aligned (λ = −1) with "
            "d_z = 5 > r = 3 its rows contain V, and the two spare ones stay in V⊥ (content R² "
            "2/5).",
            lambda: _spare(scenario),
            {},
        ),
        (
            "**And with fewer rows than V has, not quite inside.** Our finding: if the centres "
            "share an offset and are not evenly spread, the most telling direction leans out of V. "
            "Evenly spread centres, this page's default, do not lean unless the offset is large.",
            _tilt,
            {},
        ),
        (
            "**M = 0 is invariant too,** and M is found only up to an invertible map of the code. "
            "Nothing drives M to 0, but a strong enough pull on its length does: a free M under "
            "weight decay. Then the adversary in training knows nothing, and a fresh probe on the "
            "standardised code does.",
            lambda: _collapse(scenario),
            {"collapse": "weight decay 0.1"},
        ),
        (
            "**Not losing anything else** is meant modulo V: content inside V is gone, and with it "
            "content that goes along with the nuisance (ρ, below). This is the trade-off of "
            "Zhao et al. 2019.",
            lambda: _content(scenario),
            {},
        ),
        (
            "**There must be something outside V.** The centres may span no more than r < d "
            "dimensions: if their differences span all, as the theorems on alignment ask, V⊥ is "
            "empty and only M = 0 is invariant. Short of that a finite data set leaves an angle "
            "(d = 8, eight classes): that of the closed form (dashed) is larger for r = 7 than for "
            "r = 2, while the game's own differs more between seeds than with r. And r = 1 allows "
            "two distinct centres only: a line meets the sphere twice.",
            lambda: _rank(scenario),
            {"line": "two classes"},
        ),
        (
            "**Recovering all of a sphere is too much to ask.** A code of fewer dimensions is the "
            "same for a latent and its mirror image in V⊥ (table), and no continuous map from the "
            "whole sphere to fewer dimensions is one to one (Borsuk-Ulam). The post's recovery "
            "needs a cap, r = 1 and two classes.",
            lambda: _mirrored(scenario),
            {"line": "two classes"},
        ),
        (
            "**Tight clusters ask for more answers.** With the default of one step each the game "
            "begins to fail at about κ = 20, in some seeds before others: the classifier's weights "
            "have to grow with κ, and the encoder is gone before. Five inner steps go further. The "
            "closed form does not care.",
            lambda: _sweep(scenario, "kappa", "inner_steps"),
            {},
        ),
        (
            "**Finite data leave an angle.** The closed form, the null space of the differences of "
            "class means (LEACE's row space), is at least as good on average and takes a moment. "
            "The game earns its keep in the nonlinear world.",
            lambda: _closed(scenario),
            {},
        ),
    ]  # fmt: skip


def _mirrored(scenario: Scenario) -> list[sheet.Part]:
    """Latents reflected in V's complement: how far they move, and how far their codes do."""
    rows = []
    for words, setting in (("d = 3, r = 2", {}), ("d = 3, r = 1", {"rank": 1, "n_classes": 2})):
        moved, seen = [], []
        for r in seeds.runs(scenario, setting):
            a, inside = r.z.astype(float), r.world["inside"].astype(float)
            shift = 2 * a @ inside.T @ inside
            moved.append(float(np.linalg.norm(shift, axis=1).mean()))
            seen.append(float(np.linalg.norm(shift @ r.moving["m"][-1].astype(float).T, axis=1)
                              .mean()))  # fmt: skip
        rows.append({"world": words, "mean distance to the mirror image": seeds.span_of(moved),
                     "of their codes": seeds.span_of(seen), "seeds": len(seen)})  # fmt: skip
    said = "Trained codes at λ = 1; what is left is the angle of a finite data set."
    return [sheet.frame(rows), sheet.Words(said)]


def _rank(scenario: Scenario) -> list[sheet.Part]:
    """The game by the rank of V, beside the closed form."""
    scores = ("angle_to_v_perp_deg", "information_nats")
    parts = _two(scenario, "rank", RANKS, scores, closed=True)
    means = []
    for r in (2, 3, 5, 7):
        runs = seeds.stored(scenario, {**RANKS, "rank": r})
        played, closed = (
            [value for run in runs if (value := run.scores[name]) is not None]
            for name in ("angle_to_v_perp_deg", "closed_angle_to_v_perp_deg")
        )
        if runs:
            means.append(f"r = {r}: {np.mean(played):.1f}° and {np.mean(closed):.1f}°")
    said = f"Mean angles of the game and of the closed form, {len(runs)} seeds: {', '.join(means)}."
    return [*parts, sheet.Words(said)]


def _closed(scenario: Scenario) -> list[sheet.Part]:
    """The game beside the closed form, and what that takes."""
    name = "angle_to_v_perp_deg"
    parts = _two(scenario, "n_samples", EIGHT, (name,), closed=True)
    runs = seeds.stored(scenario, EIGHT)
    if not runs:
        return parts
    closed, played = (
        [float(r.provenance[name]) for r in runs] for name in ("closed_seconds", "cpu_seconds")
    )
    said = (
        f"d = 8, 4000 latents: {1000 * max(closed):.1f} ms for the closed form, "
        f"{min(played):.2f} CPU-s or more for a game, its scoring included."
    )
    return [*parts, sheet.Words(said)]


def _sweep(scenario: Scenario, field: str, by: str) -> list[sheet.Part]:
    from core import figures

    all_knobs, runs = knobs_of(scenario.Params), swept(scenario, field, by)
    chart, table = figures.sweep(runs, all_knobs[field], "angle_to_v_perp_deg", (), all_knobs[by])
    words = f"Angle to V-perp against {all_knobs[field].label}, for each {all_knobs[by].label}."
    return [sheet.drawing((chart, table), f"care_{field}_{by}", words)]


def _two(
    scenario: Scenario,
    field: str,
    of: Mapping[str, Value],
    scores: Sequence[str],
    closed: bool = False,
) -> list[sheet.Part]:
    """One or two scores of a sweep side by side, with those of the closed form where asked for."""
    from core import figures

    knob, runs = knobs_of(scenario.Params)[field], swept(scenario, field, "", of)
    drawings = [
        sheet.drawing(
            figures.sweep(runs, knob, score, [f"closed_{score}"] * closed),
            f"care_{field}_{score}",
            f"{SCORES[score].title} against {knob.label}.",
        )
        for score in scores
    ]
    return [sheet.Row(drawings)]


def _hysteresis(scenario: Scenario) -> list[sheet.Part]:
    from core import figures

    all_knobs, runs = knobs_of(scenario.Params), swept(scenario, "lam", "start", COMPETING)
    if not runs:
        return [sheet.NOT_STORED]
    world = seeds.runs(scenario, COMPETING, OPENED[:1])[0].world
    facts = (world[name].astype(float) for name in ("v", "kappa", "inside", "outside"))
    strengths, angles = exact_minimum(*facts)
    figure = figures.bistable(runs, all_knobs["lam"], all_knobs["start"], (strengths, angles))
    drawn = sheet.drawing(figure, "care_hysteresis", "Angle against lambda from two starts.")
    jump = strengths[np.argmax(angles < 45)]
    said = (
        f"Exact, for the world of seed 0: the minimum of reconstruction + λ I jumps at λ = "
        f"{jump:.2f}. From V the trained code leaves only far beyond it; from V⊥ it stays near "
        "it from about λ = 0.2 on."
    )
    return [drawn, sheet.Words(said)]


def exact_minimum(
    v: np.ndarray, kappa: np.ndarray, inside: np.ndarray, outside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """lambda (l,) and the angle of the direction of least reconstruction error + lambda I."""
    u = _leaning(inside, outside)
    told = leakage.direction_information(u.reshape(-1, u.shape[-1]), v, kappa)
    lost = 1 - np.einsum("abi,ij,abj->ab", u, leakage.second_moment(v, kappa), u)
    strengths = np.linspace(0, 4, 401)
    total = lost + strengths[:, None, None] * told.reshape(lost.shape)
    return strengths, ANGLES[total.min(2).argmin(1)]


def _unequal(scenario: Scenario) -> list[sheet.Part]:
    from core import figures

    runs = swept(scenario, "kappa_spread", "", UNEQUAL)
    knob = knobs_of(scenario.Params)["kappa_spread"]
    drawings = [
        sheet.drawing(
            figures.sweep(runs, knob, score, ["chance"] * ("probe" in score)),
            f"care_unequal_{score}",
            f"{SCORES[score].title}, unequal concentrations.",
        )
        for score in ("information_nats", "probe_accuracy_linear", "probe_accuracy_mlp")
    ]
    told = [
        seeds.counted([v for r in found if (v := r.scores["information_nats"]) is not None])
        for found in (
            seeds.stored(scenario, {**UNEQUAL, "kappa_spread": 8.0}),
            seeds.stored(scenario, {**UNEQUAL, **ANSWERED, "kappa_spread": 8.0}),
        )
    ]
    said = (
        f"d = 8, h = 0. Ratio 8, nats that are left: {told[0]}, against a linear adversary; "
        f"{told[1]}, against an MLP with five inner steps, which sees widths and cannot remove "
        "them either."
    )
    return [sheet.Row(drawings), sheet.Words(said)]


def _spans(scenario: Scenario) -> list[sheet.Part]:
    """Closed form: two codes that erase, one of them too much."""
    result = next(iter(seeds.runs(scenario, EIGHT, OPENED[:1])), None)
    if result is None:
        return [sheet.NOT_STORED]
    v, outside = result.world["v"].astype(float), result.world["outside"].astype(float)
    kappa = result.world["kappa"].astype(float)
    rows = []
    for words, erased in (("differences v_e − v_e'", v - v.mean(0)), ("the v_e themselves", v)):
        _, s, vt = np.linalg.svd(erased)
        rank = int((s > 1e-2 * s[0]).sum())
        kept = vt[rank:]
        told = abs(leakage.direction_information(kept, v, kappa).max())
        overlap = np.linalg.svd(kept @ outside.T, compute_uv=False)
        rows.append(
            {
                "erased": words,
                "dimensions left": len(kept),
                "most that one of them tells": f"{told:.4f} nats",
                "share of V⊥ kept": f"{(overlap**2).sum() / len(outside):.2f}",
            }
        )
    said = "d = 8, four classes, r = 3, h = 0.3; from the cluster vectors, nothing trained."
    return [sheet.frame(rows), sheet.Words(said)]


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


def _tilt() -> list[sheet.Part]:
    from core import figures

    tilts = {}
    for name, degrees in (("evenly spread", (0, 120, 240)), ("0°, 80°, 200°", UNEVEN)):
        turn = np.deg2rad(degrees)
        w = np.stack([np.cos(turn), np.sin(turn)], 1)
        for offset in (0.0, 0.3, 0.5, 0.9):
            v = np.c_[np.sqrt(1 - offset**2) * w, np.full(3, offset)]
            tilts[f"{name}, h = {offset:g}"] = [_best_lean(v)]
    figure = figures.compare(tilts, "lean out of V, degrees", best=0.0)
    words = "How far the most telling direction leans out of V."
    said = "Exact (quadrature over all directions), d = 3, κ = 10, one code dimension."
    return [sheet.drawing(figure, "care_tilt", words), sheet.Words(said)]


def _best_lean(v: np.ndarray) -> float:
    """Degrees between V, the first two axes, and the direction of most information (d = 3)."""
    from scipy.optimize import minimize

    def told(at: np.ndarray) -> np.ndarray:
        lean, turn = at[..., 0], at[..., 1]
        u = np.stack([np.cos(lean) * np.cos(turn), np.cos(lean) * np.sin(turn), np.sin(lean)], -1)
        return leakage.direction_information(np.atleast_2d(u), v, np.full(3, 10.0))

    grid = np.stack(np.meshgrid(np.linspace(-0.4, 0.4, 9), np.linspace(0, np.pi, 24)), -1)
    start = grid.reshape(-1, 2)[told(grid.reshape(-1, 2)).argmax()]
    found = minimize(lambda at: -told(at)[0], start, method="Nelder-Mead",
                     options={"xatol": 1e-4, "fatol": 1e-10})  # fmt: skip
    return float(np.rad2deg(abs(found.x[0])))


def _collapse(scenario: Scenario) -> list[sheet.Part]:
    rows = []
    for words, setting in (("orthonormal rows", {}), ("free, no pull", {"encoder": "free"}),
                           ("free, weight decay 0.1, λ = 0.3", COLLAPSE)):  # fmt: skip
        runs = seeds.runs(scenario, setting)
        rows.append(
            {
                "M": words,
                "seeds": len(runs),
                "|M| at the end": seeds.span_of(
                    [float(np.linalg.norm(r.moving["m"][-1].astype(float))) for r in runs]
                ),
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
    from core import metrics

    rows = []
    for words, setting in (("λ = 1", {}), ("λ = −1", {"lam": -1.0})):
        runs = seeds.runs(scenario, setting)
        inside, outside = [], []
        for r in runs:
            a, code = r.z.astype(float), r.z_hat[-1].astype(float)
            inside.append(metrics.linear_r2(a @ r.world["inside"].astype(float).T, code))
            outside.append(metrics.linear_r2(a @ r.world["outside"].astype(float).T, code))
        rows.append(
            {
                "d = 3, r = 2": words,
                "seeds": len(runs),
                "R² of the part inside V": seeds.span_of(inside),
                "R² of the part outside V": seeds.span_of(outside),
            }
        )
    said = "Linear read-outs from the code of one dimension, on the drawn latents."
    return [sheet.frame(rows), sheet.Words(said)]
