"""Contrastive learning inverts the data generating process (Zimmermann et al. 2021)."""

from functools import partial
from typing import cast

import numpy as np
import streamlit as st

from core.claimed.infonce_sphere import CROWDING
from core.legend import SCORES
from core.lessons import LESSONS
from core.run.experiment import Result
from core.scenarios.infonce import InfoNCE
from core.scenarios.infonce import broken as broken_by
from core.scenarios.scenario import knobs_of
from ui import article, claims, numbers, papers, recovery, runner, seeds, sheet, story
from ui.pairs import runs
from ui.window import address

scenario = LESSONS["infonce_sphere"]
PAIRS = 1000  # in the picture of the proof's second step
CROWD = "marginal_kappa"
HOLDS = 0.99  # the linear R2 from which a run counts as a minimiser


def draw(shown: runner.Shown, choice: recovery.Choice) -> None:
    """The main picture, its numbers, and the curves of every seed."""
    params = cast(InfoNCE, shown.experiment.params)
    seed, run = recovery.run_drawn(shown, choice)
    if run is None:
        return
    promise = scenario.promise(params)
    place = numbers.places()  # the numbers are text: they do not wait for the 3-D view
    runs.show(run, promise, params, place)
    with place.picture:
        view = recovery.view_of(run, choice, shown.stale)
        recovery.picture(view, "globe", 365 if address.presenting() else 284)
    recovery.picture_first("globe")
    seeds.together(shown, run, promise, place)
    if not address.presenting():
        runs.curves(shown, run, scenario, params, seed)


def why(result: Result) -> None:
    """The theorem in three steps, each drawn from the run above."""
    from core import figures, metrics, theory

    params = cast(InfoNCE, result.member.params)
    if runs.told(params):
        return
    loss, floor, broken = result.scores["loss"], result.scores["loss_floor"], broken_by(params)

    def posterior() -> None:
        if loss is None or floor is None:
            st.caption("No closed form of the density ratio here, so no loss at the truth.")
            return
        bound = params.negatives == "views"
        st.metric(
            f"Loss on fresh pairs, above {'the floor' if bound else 'its value at the truth'}",
            f"{loss - floor:+.3f} nats",
            f"loss {loss:.3f} · {'floor' if bound else 'truth'} {floor:.3f}",
            delta_color="off",
            delta_arrow="off",
        )
        series = {"this seed": (result.loss_step, result.loss)}
        name = "Bayes floor" if bound else "value at the truth"
        steps = int(result.loss_step[-1])
        sheet.figure(
            "posterior",
            "The loss falls to its value at the truth.",
            lambda: figures.curves(series, steps, SCORES["loss"].title, {name: floor}, "this seed"),
            of=(result.member.key,),
        )
        words = "The true density ratio as critic, by Monte Carlo on the same pairs."
        if broken:
            words += f" This model cannot reach it: that asks for {', '.join(broken)}."
        else:
            limit = theory.large_batch_limit(params.batch, params.kappa, params.d)
            words += (
                " This batch is too small for the limit of large ones, log B − I: log B is below I."
                if limit is None
                else f" Its limit for large batches, log B − I, is {limit:.2f}."
            )
        st.caption(words)

    def distances() -> None:
        kappa = params.law.concentration or 1.0
        z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
        a, b = np.random.default_rng(0).integers(len(z), size=(2, PAIRS))
        sheet.figure(
            "distances",
            "World similarity against model similarity over random pairs.",
            lambda: figures.agreement(
                kappa * (z[a] * z[b]).sum(1),
                (z_hat[a] * z_hat[b]).sum(1) / params.model_tau,
                ("world: κ ⟨z, z′⟩", "model: ⟨h(z), h(z′)⟩ / τ"),
                None if broken else kappa,
            ),
            of=(result.member.key,),
        )
        if broken:
            st.caption(
                f"No identity line: it can hold only with {', '.join(broken)}, where both sides "
                "reach κ for a point with itself."
            )

    def orthogonal() -> None:
        z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
        if not np.isfinite(z_hat).all():
            st.caption("The latents of this run are not finite.")
            return
        map_ = metrics.linear_map(z, z_hat)  # takes row vectors: A transposed
        sheet.figure(
            "gram",
            "The fitted map transposed times itself: the identity if orthogonal.",
            lambda: figures.matrix(map_ @ map_.T),
            of=(result.member.key,),
        )

    if broken or (result.scores["linear_r2"] or 0) < HOLDS:
        st.caption(
            ":material/info: The theorem asks for a uniform marginal, a vMF conditional, τκ = 1 "
            "and a minimiser. This run lacks one of them, so expect a step below to fail."
        )
    story.why(
        [
            (
                "1. The minimiser is the posterior",
                "InfoNCE is a cross-entropy. Where it is least, the model's similarity "
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


def crowded() -> None:
    """After the paper's Figure 2: what a marginal that is not uniform costs, in two dimensions."""
    st.subheader("Latents that are not uniform", anchor="uniformity")
    st.caption(
        "After the paper's Figure 2, a picture without numbers: grid, recipes and scores are ours. "
        "Every dot is a seed, lines are means. The second axis is theory: the most by which the "
        "probability of any region differs from its share of the sphere."
    )
    crowding()
    for claim in CROWDING:
        st.markdown(claims.found(claim).words)


def crowding() -> None:
    """Each shipped sweep of the marginal's concentration, beside how far that is from uniform."""
    from core import figures
    from core.laws.vmf import total_variation

    knob = knobs_of(scenario.Params)[CROWD]
    swept = [s for s in scenario.sweeps if s.field == CROWD and "objective" not in s.params]
    for place, sweep in zip(st.columns(len(swept), gap="medium"), swept, strict=True):
        runs = seeds.runs_of(scenario, sweep)
        params = cast(InfoNCE, scenario.Params.model_validate(dict(sweep.params)))
        trained = [float(cast(float, value)) for value in sweep.values]
        at = np.union1d(trained, np.geomspace(max(trained) / 1000, max(trained), 80))
        with place:
            title = f"d = {params.d}, κ = {params.kappa:g}, {params.negatives} as negatives"
            st.markdown(f"**{title}**")
            sheet.figure(
                f"crowding_{params.d}_{params.negatives}",
                f"Linear R² falls as latents crowd around a pole: {title}.",
                partial(
                    figures.crowding, runs, knob,
                    (at.tolist(), [total_variation(k, params.d) for k in at]), params.kappa,
                ),
                of=(len(runs),),
            )  # fmt: skip


def paper() -> None:
    """The rows of Table 1 on the sphere, and Figure 2, beside our runs."""
    papers.beside("infonce_sphere", "contrastive-1", "figure-2")


article.Article(
    scenario,
    "Contrastive learning finds the latents, up to a rotation",
    "Points on a sphere are hidden by an invertible network $g$. An encoder $f$ sees only pairs of "
    "observations that lie close together, and brings the sphere back.",
    article.panel_of(scenario, draw),
    [
        article.Part("why", "Why it works", article.of_run(why)),
        article.claimed(("infonce_sphere",), {"uniformity": crowding}),
        article.Part("uniformity", "Not uniform", article.alone(crowded)),
        article.Part(article.PAPER, "The paper", article.alone(paper)),
    ],
    "Zimmermann, Sharma, Schneider, Bethge, Brendel: Contrastive Learning Inverts the Data "
    "Generating Process, ICML 2021, arXiv 2102.08850. The degree of the map is this project's "
    "own finding.",
).show()
