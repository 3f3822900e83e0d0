"""The nonlinear world: methods side by side, one to play with, and two stages for many bodies."""

from functools import partial
from math import log, nan

import numpy as np
import streamlit as st

from core.claimed.nonlinear import BODIES
from core.colours import class_colours, direction_colours
from core.legend import SCORES
from core.lessons import LESSONS
from core.lessons.nonlinear import METHODS, STAGES, STARTED, TWISTED
from core.run.experiment import Result
from core.scenarios.scenario import knobs_of
from ui import article, knobs, numbers, recovery, runner, seeds, sheet
from ui.window import address

PREFIX = "invariance"
PICTURE = 256  # pixels
COLUMNS = ("probe_accuracy_linear", "probe_accuracy_mlp", "content_r2", "content_r2_per_class",
           "transfer_r2")  # fmt: skip
scenario = LESSONS["nonlinear"]


def settings() -> tuple[address.Settings, ...]:
    """The keys of the page's link for this scenario."""
    return knobs.settings(scenario, PREFIX), *recovery.settings(sides=False, prefix=PREFIX)


def show() -> None:
    """The methods compared, then one of them at the visitor's choice."""
    st.markdown(
        "Now $x = g([\\text{content}, \\text{nuisance}, \\text{noise}])$ with a random invertible "
        "network $g$: the nuisance is which of four **bodies** is seen, the content what it does. "
        "No null space of means helps here: linear erasers do not fool a probe with hidden "
        "layers. A code without room for the body, or an adversary, may."
    )
    sheet.show(compare())
    st.subheader("One method, at your choice", anchor="method")
    article.second(scenario, PREFIX, draw, panel="nonlinear")


def price() -> None:
    """What reversal costs: against its strength, and where content goes along with the body."""
    st.subheader("How much reversal", anchor="strength")
    st.markdown(
        "As in the linear world the size of λ hardly matters, from the smallest drawn on: the code "
        "is blind if there is an adversary at all, and it keeps more of the content than without "
        "one. (λ ramps up over the first steps, as in Ganin et al. 2016.)"
    )
    sheet.show(trade_off("lam", "", ("probe_accuracy_mlp", "content_r2")))
    st.subheader("Content that goes along with the body", anchor="rho")
    st.markdown(
        "If the bodies differ in what they do (ρ > 0), a code that hides the body cannot keep all "
        "of the content: one read-out for all bodies loses much (left), a read-out for each far "
        "less (right). Content is kept per body; what is paid is the alignment across them. A head "
        "that is trained on the content keeps both, and tells the body."
    )
    sheet.show(trade_off("rho", "method", ("content_r2", "content_r2_per_class")))


@st.cache_data(show_spinner=False)
def compare() -> list[sheet.Part]:
    """All methods in one table and one picture."""
    from core import figures

    rows, dots, chances = [], [], []
    for words, setting in METHODS.items():
        results = seeds.stored(scenario, setting)
        counted = {"seeds": str(len(results))}
        rows.append({"method": words, **counted, **_spans(results), **_cost(results)})
        chances += [_of(r, "chance") for r in results]
        dots += [(words, r.member.seed, _of(r, "probe_accuracy_mlp"), _of(r, "content_r2"))
                 for r in results]  # fmt: skip
    if not dots:
        return [sheet.NOT_STORED]
    raw = seeds.stored(scenario, METHODS["LEACE on x"])
    baseline = {SCORES[name].title: seeds.span_of([_of(r, f"raw_{name}") for r in raw])
                for name in COLUMNS if f"raw_{name}" in raw[0].scores}  # fmt: skip
    rows.insert(0, {"method": "raw x", **baseline})
    drawn = sheet.drawing(
        figures.trade(dots, float(np.mean(chances))),
        "trade", "Content kept against nuisance read, by method.",
    )  # fmt: skip
    said = (
        f"{len(dots) // len(METHODS)} seeds, chance about {np.mean(chances):.2f}; probes and "
        "read-outs are fresh and held out; CPU-seconds of one run's updates where it was made, "
        "without its scoring. LEACE promises that no linear probe beats a constant guess in loss; "
        "accuracy is a draw among near ties. A content head with two dimensions has no room for "
        "the body and hides the effect; at eight, reversal blinds its own adversary, whose loss "
        "says so, and not a fresh probe with more data (as Elazar and Goldberg 2018 saw). IRM "
        "makes risks equal, not codes: another goal, not a worse reversal (Rosenfeld et al. 2020)."
    )
    return [drawn, sheet.frame(rows), sheet.Words(said)]


def draw(shown: runner.Shown, seed: int) -> None:
    """The scores of one run, its code, and what each body's map makes of one net."""
    run = recovery.Run.of(shown, shown.seed(seed))
    if run is None:
        st.caption("Not started yet.")
        return
    params = shown.experiment.params
    chance = run.scores.get("chance")
    said = "" if chance is None else f"chance {chance:.3f}"
    ideals = {f"probe_accuracy_{kind}": said for kind in ("linear", "mlp")}
    ideals["adversary_loss"] = f"blind {log(len(run.moving['bodies'][-1])):.3f}"
    own = ("action_r2", "state_r2")
    without = ("loss", *(() if run.scores.get("action_r2") is not None else own))
    numbers.show(run, scenario.promise(params), ideals=ideals, without=without, key="nonlinear")
    code(run)
    results = list(shown.results.values())
    if not shown.stale and len(results) == len(shown.experiment.members):
        st.markdown(seeds.tally(results, scenario.promise(params)))


def code(run: recovery.Run) -> None:
    """The code by content and by body, and the nets; all through the best affine read-out."""
    from core import figures

    if not np.isfinite(run.z_hat[-1]).all():
        st.caption("This code is not finite: there is nothing to draw.")
        return
    z, y = run.z.astype(float), run.world["y"].astype(int)
    seen, bodies = read_out(run)
    by_body, grid = class_colours(len(bodies)), run.world["grid"].astype(float)
    frame = figures.reach(seen, bodies, grid)
    pictures = [
        ("The code, by true content", "cloud_content",
         partial(figures.cloud, seen, direction_colours(z), frame)),
        ("The code, by body", "cloud_body",
         partial(figures.cloud, seen, [by_body[e] for e in y], frame)),
        ("One net of content, by body", "nets", partial(figures.nets, grid, bodies, frame)),
    ]  # fmt: skip
    with st.container(horizontal=True, gap="medium"):
        done = None if run.live else (run.name,)
        for title, key, make in pictures:
            with st.container(width=PICTURE):
                st.markdown(f"**{title}**")
                sheet.figure(key, f"{title}.", make, of=done, numbers=key if done else None)


@st.cache_data(show_spinner=False)
def trade_off(field: str, by: str, scores: tuple[str, ...]) -> list[sheet.Part]:
    """A shipped sweep of the scenario, one drawing a score."""
    from core import figures

    runs = seeds.runs_of(scenario, next(s for s in scenario.sweeps if s.field == field))
    all_knobs = knobs_of(scenario.Params)
    drawings = [
        sheet.drawing(
            figures.sweep(
                runs,
                all_knobs[field],
                score,
                ["chance"] * score.startswith("probe"),
                all_knobs[by] if by else None,
            ),
            f"{field}_{score}",
            f"{SCORES[score].title} against {all_knobs[field].label}.",
        )
        for score in scores
    ]
    return [sheet.Row(drawings)]


def stages() -> None:
    """SCAR in miniature."""
    st.markdown(
        "**Stage one** is given states and observations, never actions. An inverse model reads "
        "$\\tilde a$ from two consecutive observations, a forward model foretells the next state "
        "from the last and $\\tilde a$. **Stage two** makes $\\tilde a$ blind to the body by "
        "reversal, with a decoder that is told the body. (Here $s' = s + a$ and an action has as "
        "many dimensions as the content, so that stage one with additive dynamics leaves stage two "
        "nothing to do: first row.) The catch is in stage one: a forward model that sees the state "
        "allows $\\tilde a = \\rho_s(a)$, any relabelling that depends on the state, and no "
        "prediction error tells."
    )
    sheet.show(first_stage())
    st.subheader("Why transfer between bodies is not free", anchor="transfer")
    st.markdown(
        "The game fixes the law of the code, the same for every body. It does not fix the maps: "
        "turn body $e$'s code by $e\\varphi$, and with round content every law stays as it was, "
        "$I(e; \\hat z) = 0$, while a read-out learnt on one body fails on the next. What holds "
        "the maps together in practice is not the objective but the start, and luck: below, from "
        "an identity-like start, from a standard one, and with two bodies. Where transfer is far "
        "below the content by class, the code is blind to the body and reads no content across: "
        "the net of one body lies mirrored or turned against the other's. (All read by the first "
        "body's own linear map; the same edge of each is bold and ends in a dot.)"
    )
    sheet.show(maps())
    left, right = st.columns(2, gap="medium")
    transferred, turning = transfer()
    with left:
        sheet.show(transferred)
    with right:
        sheet.show(turning)


@st.cache_data(show_spinner=False)
def first_stage() -> list[sheet.Part]:
    """What stage one makes of actions, by its dynamics."""
    names = ("action_r2", "state_r2", "probe_accuracy_mlp", "content_r2", "transfer_r2")
    rows = []
    for words, setting in STAGES.items():
        results = seeds.stored(scenario, setting)
        counted = {"seeds": str(len(results))}
        rows.append({"forward dynamics": words, **counted, **_spans(results, names),
                     **_cost(results)})  # fmt: skip
    lost = [1 - _of(r, "content_r2") for r in seeds.stored(scenario, STAGES["free"])]
    if not lost:
        return [sheet.NOT_STORED]
    said = (
        f"Free dynamics leave a code that is as invariant as any, with {min(lost):.0%} to "
        f"{max(lost):.0%} of the content's variance gone ({len(lost)} seeds): the score of "
        "invariance does not tell. The divergence to a standard normal law (weight β), which SCAR "
        "adds to stage one, brings it back: it looks load-bearing, not cosmetic (our reading)."
    )
    return [sheet.frame(rows), sheet.Words(said)]


def own_figure(name: str) -> None:
    """A figure of a claim, by its name."""
    transferred, turning = transfer() if name in ("transfer", "twist") else ([], [])
    made = {"trade": compare, "maps": maps}
    sheet.show(made[name]() if name in made else transferred if name == "transfer" else turning)


@st.cache_data(show_spinner=False)
def maps() -> list[sheet.Part]:
    """Per-body maps of three runs: aligned, twisted, and of two stages."""
    from core import figures

    chosen = (
        ("Four bodies, seed 0", {}, 0),
        ("Two bodies, seed 2", TWISTED, 2),
        ("Two stages, seed 0", STAGES["additive"], 0),
    )
    drawings = []
    for title, setting, seed in chosen:
        for result in seeds.runs(scenario, setting, (seed,)):
            run = recovery.Run.finished(result)
            _, bodies = read_out(run)
            figure = figures.nets(run.world["grid"].astype(float), bodies)
            key = f"maps_{title.split()[0].lower()}_{title.split()[1][:3]}"
            drawings.append(sheet.drawing(figure, key, f"Each body's map. {title}.", title))
    return [sheet.Row(drawings)] if drawings else [sheet.NOT_STORED]


def read_out(run: recovery.Run) -> tuple[np.ndarray, np.ndarray]:
    """Codes (n, 2) and every body's net (e, c, p, 2), by the first body's own affine read-out.

    (One for all would show bodies that are turned against each other as their mean.)
    """
    from core import metrics

    z, z_hat = run.z.astype(float), run.z_hat[-1].astype(float)
    first = run.world["y"] == 0
    turn, shift = metrics.affine_map(z_hat[first], z[first])
    return z_hat @ turn + shift, run.moving["bodies"][-1].astype(float) @ turn + shift


@st.cache_data(show_spinner=False)
def transfer() -> tuple[list[sheet.Part], list[sheet.Part]]:
    """Trained runs, and codes turned against each other on purpose."""
    from core import figures, theory

    names = ("probe_accuracy_mlp", "content_r2", "content_r2_per_class", "transfer_r2")
    settings = {"four bodies": {}, "four, standard start": STARTED, "two bodies": TWISTED}
    rows = [
        {"runs": words, "seed": r.member.seed, **_spans([r], names)}
        for words, setting in settings.items()
        for r in seeds.stored(scenario, setting, range(8 if setting is TWISTED else 5))
    ]
    degrees = np.arange(0.0, 91.0, 2.0)
    words = "R2 against the turn between bodies: exact curves."
    turning = sheet.drawing(
        figures.twist(degrees, *theory.turned_bodies(degrees, BODIES)), "twist", words
    )
    said = f"Exact, {BODIES} bodies, content standard normal, linear read-outs."
    return [sheet.frame(rows)], [turning, sheet.Words(said)]


def _of(result: Result, name: str) -> float:
    value = result.scores.get(name)
    return nan if value is None else value


def _spans(results: list[Result], names: tuple[str, ...] = COLUMNS) -> dict[str, str]:
    return {
        SCORES[name].title: seeds.span_of(
            [v for r in results if (v := r.scores.get(name)) is not None]
        )
        for name in names
    }


def _cost(results: list[Result]) -> dict[str, str]:
    seconds = [float(r.provenance["updating_seconds"]) for r in results]
    return {"CPU-s": f"{np.mean(seconds):.2f}" if seconds else ""}
