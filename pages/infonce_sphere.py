"""Contrastive learning inverts the data generating process (Zimmermann et al. 2021)."""

from typing import cast

import numpy as np
import pandas as pd
import streamlit as st

from core.experiment import Experiment, Result
from core.legend import BASELINES, SCORE_TITLES
from core.scenarios import SCENARIOS
from core.scenarios.infonce import InfoNCE
from ui import export, knobs, recovery, runner, story, sweep

scenario = SCENARIOS["infonce"]
MAIN = ("kappa", "tau", "d", "marginal_kappa", "initialisation")
present = story.presenting()


def seed_and_view(seeds: tuple[int, ...], d: int) -> tuple[int, bool, tuple[int, ...]]:
    """Which seed is drawn, aligned or as learnt, and which coordinates."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if st.session_state.get("show") not in (None, *seeds):
            del st.session_state["show"]
        seed = st.segmented_control(
            "Seed drawn", seeds, default=0, required=True, key="show", bind="query-params",
            format_func=lambda seed: f"seed {seed}", label_visibility="collapsed",
        )  # fmt: skip
        view = st.segmented_control(
            "Recovered side", ("aligned", "learnt"), default="aligned", required=True,
            key="view", bind="query-params", label_visibility="collapsed",
            help="aligned: turned by the best rotation or reflection, fitted at the last step.",
        )  # fmt: skip
        axes = (1, 2, 3)
        if d > 3:
            names = [str(i + 1) for i in range(d)]
            chosen = st.multiselect(
                "Coordinates", names, names[:3], max_selections=3, key="axes", width=220,
                bind="query-params", label_visibility="collapsed",
            )  # fmt: skip
            axes = tuple(int(name) for name in chosen) if len(chosen) == 3 else axes
    return seed, view == "aligned", tuple(axis - 1 for axis in axes)


def draw(shown: runner.Shown) -> None:
    """The main picture, its numbers, and the curves of every seed."""
    params = cast(InfoNCE, shown.experiment.params)
    seed, aligned, axes = seed_and_view(shown.experiment.seeds, params.d)
    run = recovery.Run.of(shown, seed)
    if run is None:
        st.caption(f"Seed {seed} has not started yet.")
        return
    plain = st.query_params.get("plain") == "1"
    height = 500 if present else 380
    place = st.container()  # the numbers are text: they do not wait for the 3-D view above them
    recovery.numbers(run, scenario.claim)
    with place:
        recovery.picture(run, aligned, axes, "globe", shown.stale, plain, height)
    recovery.picture_first("globe")
    results = list(shown.results.values())
    if shown.stale:
        st.caption("These are the numbers of the run before.")
    elif len(results) == len(shown.experiment.members):
        words, dots = st.columns([1, 2.4], vertical_alignment="center")
        words.markdown(recovery.tally(scenario, results))
        with dots:
            every_seed(results)
    if not present:
        curves(shown, run, f"seed {seed}")


def every_seed(results: list[Result]) -> None:
    """The promised score of every seed as a dot, with its mean baselines and its ceiling."""
    from core import figures  # altair: the numbers do not wait for it

    score = scenario.claim.score
    values = {f"seed {r.member.seed}": r.scores[score] for r in results}
    baselines = {
        word: float(np.mean([r.scores[f"{kind}_{score}"] for r in results]))
        for kind, word in BASELINES.items()
    }
    chart, _ = figures.strip(values, baselines, SCORE_TITLES[score], ceiling=1.0)
    st.altair_chart(chart, key="every_seed", alt="Linear R² of every seed as a dot on a line.")


def curves(shown: runner.Shown, run: recovery.Run, bold: str) -> None:
    """Loss with its floor, and the promised score with its baselines, over training."""
    from core import figures  # plotly and altair: the numbers do not wait for them

    floor, raw = run.scores.get("loss_floor"), run.scores.get("raw_linear_r2")
    params = cast(InfoNCE, shown.experiment.params)
    floor_name = "Bayes floor" if params.negatives == "views" else "value at the truth"
    levels = {
        "loss": {} if floor is None else {floor_name: floor},
        "linear_r2": {} if raw is None else {"raw x": raw},
    }
    for column, score in zip(st.columns(2, gap="medium"), levels, strict=True):
        with column:
            title = SCORE_TITLES[score]
            series = recovery.history(shown, score)
            chart, table = figures.curves(series, run.total, title, levels[score], bold)
            st.altair_chart(chart, key=f"curve_{score}", alt=f"{title} over training, by seed.")
            if not run.live:
                export.table(table, score, f"curve_{score}.table")


def why(result: Result) -> None:
    """The theorem in three steps, each drawn from the run above."""
    from core import figures, metrics

    params = cast(InfoNCE, result.member.params)
    loss, floor = result.scores["loss"], result.scores["loss_floor"]

    def posterior() -> None:
        if loss is None or floor is None:
            st.caption("The density ratio of this conditional has no closed form, so no floor.")
            return
        st.metric(
            "Loss on fresh pairs above the floor",
            f"{loss - floor:+.3f} nats",
            f"loss {loss:.3f} · floor {floor:.3f}",
            delta_color="off",
            delta_arrow="off",
        )
        st.caption(
            "The floor is the loss of the true density ratio, by Monte Carlo on the same pairs."
        )

    def distances() -> None:
        chart, table = figures.distances(
            result, params.kappa, params.model_tau, line=params.matched
        )
        st.altair_chart(
            chart,
            key="distances",
            alt="World similarity against model similarity over random pairs.",
        )
        if not params.matched:
            st.caption(
                "No identity line: it can hold only for a uniform marginal, a vMF conditional and "
                "τκ = 1, where both sides reach κ for a point with itself."
            )
        export.table(table, "distances", "distances.table")

    def orthogonal() -> None:
        z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
        if not np.isfinite(z_hat).all():
            st.caption("The latents of this run are not finite.")
            return
        chart, table = figures.gram(metrics.linear_map(z, z_hat))
        st.altair_chart(
            chart,
            key="gram",
            alt="The fitted map transposed times itself: the identity if orthogonal.",
        )
        export.table(table, "gram", "gram.table")

    story.why(
        [
            (
                "1. The minimiser is the posterior",
                "InfoNCE is a cross-entropy. At its floor, the model's similarity "
                r"$\langle h(z), h(z')\rangle/\tau$ equals the world's log density ratio, "
                r"$\kappa\,\langle z, z'\rangle$ up to a constant, for $h = f \circ g$.",
                posterior,
            ),
            (
                "2. So h keeps every distance",
                r"On the sphere the constant must vanish when $\tau\kappa = 1$: "
                r"$\kappa\,\langle z, z'\rangle = \langle h(z), h(z')\rangle/\tau$ "
                "for all pairs. Each dot is one pair of latents.",
                distances,
            ),
            (
                "3. So h is orthogonal",
                "A map of the sphere that keeps all distances is a rotation or a reflection. "
                r"Fit $A$ in $z \approx A\,\hat z$: then $A^\top A$ is the identity.",
                orthogonal,
            ),
        ]
    )


BREAKS = {
    "cold": "**Too cold** (τ = 0.01). The start has degree ±1, but the training tears it",
    "fold": "**A folded start.** Most standard starts stay at degree 0",
    "unfold": "**Its cure.** The same starts, with 1/τ rising slowly",
    "cap": "**A concentrated marginal** (κₘ = 20). Raw x is a strong rival",
    "laplace": "**The wrong conditional.** Projected Laplace noise",
}


def degrees() -> None:
    """This project's own finding: the degree of the map separates the failures from the rest."""
    st.markdown(
        "$h = f \\circ g$ maps the sphere to itself, so it wraps it a whole number of times: its "
        "**degree**. A rotation has degree +1, a reflection −1, a folded sphere 0. Training moves "
        "$h$ little by little, and the degree changes only where the map tears. That the best map "
        "is unique does not mean that training finds it. (This is measured here; no paper says it.)"
    )
    starts = {
        "identity-like": {"steps": 800},
        "standard": {"initialisation": "standard", "steps": 800},
        "standard, annealed": {"initialisation": "standard", "steps": 800, "anneal": 0.5},
    }
    rows = []
    for start, changes in starts.items():
        params = scenario.Params.model_validate(changes)
        experiment = Experiment(params, scenario.name, tuple(range(8)))
        for result in runner.stored(experiment.members).values():
            first, last = result.history["degree"][0], result.scores["degree"]
            whole = "whole, ±1" if last in (1, -1) else "folded, 0" if last == 0 else "unclear"
            rows.append(
                (start, f"{first:+.0f}" if first else "0", whole, result.scores["linear_r2"])
            )
    table = pd.DataFrame(rows, columns=["start", "at first", "degree at the end", "r2"])
    summary = table.groupby(["start", "degree at the end"], sort=False)["r2"]
    summary = summary.agg(seeds="count", lowest="min", highest="max").reset_index()
    st.dataframe(
        summary.rename(columns={"lowest": "lowest linear R²", "highest": "highest linear R²"}),
        hide_index=True,
        width="content",
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("lowest linear R²", "highest linear R²")
        },
    )
    export.table(table, "degrees", "degrees.table")


def breaks() -> None:
    """Each broken assumption with the scores it was measured to give, and a link."""
    for name, words in BREAKS.items():
        preset = next(p for p in scenario.presets if p.name == name)
        params = scenario.Params.model_validate(dict(preset.params))
        experiment = Experiment(params, scenario.name, preset.seeds)
        results = list(runner.stored(experiment.members).values())
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{words}: {recovery.spread(results)}", width="content")
            story.preset_link(scenario, name, "open", f"breaks_{name}")


story.opening(
    "Contrastive learning finds the latents, up to a rotation",
    "Points on a sphere are hidden by an invertible network $g$. An encoder $f$ sees only pairs of "
    "observations that lie close together, and brings the sphere back.",
)
side, main = (None, st.container()) if present else st.columns([1, 3.6], gap="medium")
params, seeds = knobs.read(scenario)
with main:
    if present:
        story.slides(scenario, params)
    else:
        story.presets(scenario, params)
    story.notices([n.text for n in scenario.notices(params)], knobs.refusals())
    experiment = Experiment(params, scenario.name, seeds)
    shipped = Experiment(scenario.Params(), scenario.name, (0, 1, 2))
    finished = runner.panel(experiment, draw, "run", before=shipped)
with side or st.expander("Knobs"):
    knobs.draw(scenario, params, MAIN)
    story.presenter_switch()

if not present:
    st.header("How the scores change", anchor="sweep")
    sweep.panel(scenario, params, seeds)
    st.header("Why it works", anchor="why")
    shown = [r for r in finished.values() if r.member.seed == st.session_state.get("show", 0)]
    if shown:
        why(shown[0])
    else:
        st.caption("The steps are drawn from a finished run: they appear when this one is.")
    st.header("When it breaks", anchor="breaks")
    degrees()
    breaks()
    st.header("Take it home", anchor="export")
    if finished:
        export.take_home(list(finished.values()), params, scenario.name)
    st.caption(
        "Zimmermann, Sharma, Schneider, Bethge, Brendel: Contrastive Learning Inverts the Data "
        "Generating Process, ICML 2021, arXiv 2102.08850. The degree of the map is this project's "
        "own finding."
    )
