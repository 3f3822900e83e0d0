"""Every seed of a setting: as dots beside the baselines, as curves, counted, and as table rows."""

from collections.abc import Mapping, Sequence
from functools import cache, partial

import numpy as np
import streamlit as st

from core.legend import SCORES, baselines
from core.run.experiment import EVALUATED, Experiment, Member, Record, Result
from core.scenarios.scenario import FURTHER, OPENED, Params, Promise, Scenario, Sweep, Value
from ui import export, numbers, recovery, runner, sheet
from ui.window import address

CURVE = "curve"
Series = dict[str, tuple[Sequence[float], Sequence[float]]]


def settings() -> address.Settings:
    """The key of a page's link for the score over training; without it, a setting's first."""
    return address.choice(CURVE, SCORES, "Score over training", None,
                          lambda name: SCORES[name].title)  # fmt: skip


def together(
    shown: runner.Shown, run: recovery.Run, promise: Promise, place: numbers.Places
) -> None:
    """How many seeds keep the promise, the table behind the picture, and every seed as a dot."""
    results = list(shown.results.values())
    if shown.stale:
        place.words.caption("These are the numbers of another setting, until this one has run.")
    elif len(results) == len(shown.experiment.members):
        with place.words:
            st.markdown(tally(results, promise))
        with place.dots:
            strip(results, promise)
        with place.more:
            st.caption(promise.said)
            export.table(recovery.points(run), "latents", "globe.table", drawn_points(run))


def drawn_points(run: recovery.Run) -> str:
    """What the table of latents holds, and what it does not."""
    turned = "aligned as in the picture" if run.aligned else "as learnt"
    return (
        f"{len(run.z)} of the {EVALUATED:,} points of the evaluation set, {turned}. Scores are of "
        "all of them."
    )


def strip(results: Sequence[Result], promise: Promise) -> None:
    """The promised score of every seed as a dot, with its mean baselines and what is best."""
    from core import figures  # altair: the numbers do not wait for it

    score = promise.score
    values = {f"seed {r.member.seed}": r.scores.get(score) for r in results}
    words = {name: word for r in results for name, word in baselines(score, r.scores).items()}
    beside = {}
    for name, word in words.items():
        known = [v for r in results if (v := r.scores.get(name)) is not None]
        beside[f"mean {word}" if len(known) > 1 else word] = float(np.mean(known))
    if results:
        beside |= by_rotation(results[0].member.params, score)
    title = SCORES[score].title
    best = 0.0 if promise.at_most else 1.0
    sheet.figure(
        "every_seed", f"{title} of every seed as a dot on a line.",
        lambda: figures.strip(values, beside, title, best=best),
        of=(score, best, *(r.member.key for r in results)), numbers=None,
    )  # fmt: skip


@cache
def _mean_rotation(d: int) -> float:
    from core import metrics  # scipy takes a while to import

    return float(metrics.mcc_of_rotations(d).mean())


def by_rotation(params: Params, score: str) -> dict[str, float]:
    """What a rotation at random has of a score, where codes may be turned and it would tell."""
    d = params.free_rotation
    return {"random rotation": _mean_rotation(d)} if d and score == "mcc" else {}


def curves(
    shown: runner.Shown,
    run: recovery.Run,
    scores: Sequence[str],
    loss_levels: Mapping[str, float | None],
    bold: str,
    loss: str = "Training loss, nats",
) -> None:
    """Loss beside `loss_levels`, and a chosen score beside its baselines, over training.

    A thin line a seed, the one named `bold` thicker. `loss` names it, with its unit.
    """
    from core import figures  # altair: the numbers do not wait for it

    with st.container(horizontal=True, horizontal_alignment="right"):
        chosen = _chosen(scores)
    with st.container(key=recovery.CURVES):
        columns = st.columns(2, gap="medium")
    for column, score in zip(columns, ("loss", chosen), strict=True):
        with column:
            title = loss if score == "loss" else SCORES[score].title
            own = {word: run.scores[name] for name, word in baselines(score, run.scores).items()}
            own |= by_rotation(shown.experiment.params, score)
            levels = loss_levels if score == "loss" else own
            known = {name: value for name, value in levels.items() if value is not None}
            side = "loss" if score == "loss" else "score"
            done = None if run.live else (score, bold, *shown.results)
            sheet.figure(
                f"curve_{side}", f"{title} over training, by seed.",
                partial(figures.curves, history(shown, score), run.total, title, known, bold),
                of=done, numbers=score if done else None,
            )  # fmt: skip


def _chosen(scores: Sequence[str]) -> str:
    """The score over training: the first until a visitor chooses another that is measured."""
    wanted = address.get(CURVE)
    if wanted is not None and wanted not in scores:
        address.put(CURVE, None)
        address.note(unmeasured(wanted))
    listed = address.listed(CURVE, scores, scores[0])
    return st.segmented_control(
        "Score over training", scores, default=listed.value, required=True, key=listed.widget,
        on_change=listed.choose, format_func=lambda name: SCORES[name].title,
        label_visibility="collapsed",
    )  # fmt: skip


def unmeasured(score: str) -> str:
    """What is said where a link, or a choice before, asks for a score that a setting has not."""
    return f"{SCORES[score].title} is not measured here, so another score is drawn."


def history(shown: runner.Shown, score: str) -> Series:
    """A score or the loss over training, for every seed, by the seed's name."""
    series: Series = {}
    for member in shown.experiment.members:
        result, live = shown.results.get(member.key), shown.live.get(member.key)
        name = f"seed {member.seed}"
        if result is not None and score == "loss":
            series[name] = (result.loss_step, result.loss)
        elif result is not None and score in result.history:
            series[name] = (result.history_step, result.history[score])
        elif live is not None and score == "loss":
            series[name] = (live.loss_step, live.loss)
        elif live is not None and score in live.scores:
            series[name] = (live.score_step, live.scores[score])
    return series


def stored(
    scenario: Scenario, changes: Mapping[str, Value], of: Sequence[int] = (*OPENED, *FURTHER)
) -> list[Record]:
    """The scores of a setting's runs, in the order of their seeds: as many as are stored."""
    return list(runner.records(_members(scenario, changes, of)).values())


def runs(
    scenario: Scenario, changes: Mapping[str, Value], of: Sequence[int] = (*OPENED, *FURTHER)
) -> list[Result]:
    """The same runs with their arrays, which are read for it."""
    return list(runner.stored(_members(scenario, changes, of)).values())


def _members(
    scenario: Scenario, changes: Mapping[str, Value], of: Sequence[int]
) -> tuple[Member, ...]:
    params = scenario.Params.model_validate(dict(changes))
    return Experiment(params, scenario.name, tuple(of)).members


def runs_of(scenario: Scenario, sweep: Sweep) -> list[tuple[Member, Record]]:
    """The members of a shipped sweep that are stored, each with its scores."""
    params = scenario.Params.model_validate(dict(sweep.params))
    members = [
        member
        for of in (sweep.seeds, sweep.further)
        if of
        for member in Experiment(params, scenario.name, of, sweep.vary).members
    ]
    # setting by setting, as a sweep is drawn
    settings = {member.params.model_dump_json(): i for i, member in reversed([*enumerate(members)])}
    members.sort(key=lambda m: (settings[m.params.model_dump_json()], m.seed))
    found = runner.records(members)
    return [(member, found[member.key]) for member in members if member.key in found]


def tally(results: Sequence[Record | Result], promise: Promise) -> str:
    """How many seeds reached the promise, in a sentence; what was measured where there is none."""
    if not promise.judges:
        return f"Measured: {summed_up(results, promise.score)}"
    good = sum(promise.kept(r.scores.get(promise.score)) for r in results)
    folded = sum(r.scores.get("degree") == 0 for r in results if r.member.params.whole)
    lost = sum(r.diverged for r in results)
    sentence = f"{good} of {len(results)} seeds reach {promise.bound:g}"
    if promise.at_most:
        title = SCORES[promise.score].title
        bound = f"{promise.bound:g}{SCORES[promise.score].unit}"
        sentence = f"{good} of {len(results)} seeds: {title} at most {bound}"
    if folded:
        sentence += f"; {folded} {'has' if folded == 1 else 'have'} degree 0, a folded globe"
    return sentence + (f"; {lost} diverged" if lost else "") + "."


def summed_up(results: Sequence[Record | Result], score: str = "linear_r2") -> str:
    """The spread of a score over seeds against raw x, and how many maps are whole, or diverged."""
    lost = sum(r.diverged for r in results)
    end = f"; {lost} diverged." if lost else "."
    known = [(v, r.scores.get(f"raw_{score}")) for r in results
             if (v := r.scores.get(score)) is not None]  # fmt: skip
    if not known:
        return "not measured here" + end
    title, _, unit = SCORES[score].title.partition(", ")
    title = title[0].lower() + title[1:] if title[1].islower() else title
    words = f"{title} {counted([value for value, _ in known], score, unit)}"
    pairs = [(value, raw) for value, raw in known if raw is not None]
    if pairs:
        shown = getattr(results[0].member.params, "mixing_layers", None) == 0
        words += f" ({'x = z:' if shown else 'raw x'} {span_of([raw for _, raw in pairs])}"
        # x = z is the best by construction
        better = 0 if shown else sum(raw > value for value, raw in pairs)
        words += f", better for {better} of {len(pairs)})" if better else ")"
    degrees = [r.scores.get("degree") for r in results if r.member.params.whole]
    if all(degree is None for degree in degrees):
        return words + end
    whole = sum(d in (1, -1) for d in degrees)
    share = "all" if whole == len(degrees) > 1 else f"{whole} of {len(degrees)}"
    return f"{words}, {share} maps whole{end}"


def counted(values: Sequence[float], score: str = "linear_r2", unit: str = "") -> str:
    """A span with the number of seeds that it is of: "0.867 to 0.965, 5 seeds"."""
    seeds = "one seed" if len(values) == 1 else f"{len(values)} seeds"
    return f"{span_of(values, score)}{unit and f' {unit}'}, {seeds}" if values else ""


def span_of(values: Sequence[float], score: str = "linear_r2") -> str:
    """The least and the largest of some values, written as a score is; nothing for none."""
    if not values:
        return ""
    low, high = (SCORES[score].written(end) for end in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"
