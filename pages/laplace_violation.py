"""Break the conditional: what cross-entropy loses when clusters are not von Mises-Fisher."""

from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import streamlit as st

from core.laws.densities import log_density
from core.legend import baselines
from core.lessons import LESSONS
from core.lessons.infonce_sphere import BESIDE_CLUSTERS
from core.lessons.laplace_violation import LAPLACE
from core.run.experiment import Experiment, Result
from core.scenarios.clusters import Clusters
from core.scenarios.scenario import knobs_of
from ui import article, numbers, papers, recovery, runner, seeds, sheet, story
from ui.clusters import heads
from ui.window import address

scenario = LESSONS["laplace_violation"]
PAIRS = 1500  # of latents and cluster vectors in a picture


def panels(experiment: Experiment, choice: recovery.Choice) -> dict[str, Result]:
    """The run in the main picture."""
    return runner.panel(
        experiment,
        lambda shown: draw(shown, choice, cast(Clusters, experiment.params)),
        "run",
        before=article.opening(scenario),
        row=choice.row,
    )


def draw(shown: runner.Shown, choice: recovery.Choice, asked: Clusters) -> None:
    """The conditional beside recovered latents, the numbers, and the curves of every seed.

    The density is that of the knobs, `asked`, at once; the latents follow when they are trained.
    """
    params = cast(Clusters, shown.experiment.params)
    seed, run = recovery.run_drawn(shown, choice)
    if run is None:
        return
    promise = scenario.promise(params)
    place = numbers.places()  # the numbers are text: they do not wait for the 3-D view
    numbers.show(run, promise, place=place)
    with place.picture:
        view = heads.of(run, params, choice, shown.stale, density=asked)
        if view.density is not None:
            kind = "Density" if asked.space.curved else "Density of the direction"
            view = replace(view, titles=(f"{kind} around one v, and all z", view.titles[1]))
        recovery.picture(view, "globe", 365 if address.presenting() else 264)
    recovery.picture_first("globe")
    seeds.together(shown, run, promise, place)
    if not address.presenting():
        levels = {
            f"Bayes floor of seed {seed}": run.scores.get("loss_floor"),
            "chance": float(np.log(params.n_labels)),
        }
        offered = [name for name in scenario.scores if name in run.scores]
        seeds.curves(shown, run, offered, levels, f"seed {seed}")


def why(result: Result) -> None:
    """What the loss asks for, and why only a conditional of rotational symmetry can give it."""
    from core import figures

    params = cast(Clusters, result.member.params)
    z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
    v, w = result.world["v"].astype(float), result.moving["w"][-1].astype(float)
    log_p = log_density(params.law, z, v)
    rng = np.random.default_rng(0)
    n, i, k = (rng.integers(size, size=PAIRS) for size in (len(z), len(v), len(v)))

    def symmetry() -> None:
        inside = np.isfinite(log_p[n, i])
        sheet.figure(
            "symmetry",
            "Log-density against the inner product.",
            lambda: figures.agreement(
                (v[i] * z[n]).sum(1)[inside],
                (log_p[n, i] - log_p.max())[inside],
                ("⟨v, z⟩", "log p(z | v), up to a constant"),
                None,
            ),
            of=(result.member.key,),
        )

    def logits() -> None:
        world = log_p[n, i] - log_p[n, k]
        model = float(result.moving["beta"][-1]) * ((w[i] - w[k]) * z_hat[n]).sum(1)
        kept = np.isfinite(world)
        sheet.figure(
            "logits",
            "Log ratios of the world and the model.",
            lambda: figures.agreement(
                world[kept],
                model[kept],
                ("world: log p(z|vᵢ) − log p(z|vₖ)", "model: ⟨wᵢ − wₖ, f(x)⟩, scaled"),
                float(np.abs(world[kept]).max()),
            ),
            of=(result.member.key,),
        )
        loss, floor = result.scores["loss"], result.scores["loss_floor"]
        if loss is not None and floor is not None:
            st.caption(f"The loss ends {loss - floor:.3f} nats above the Bayes floor.")

    def lost() -> None:
        from core import metrics
        from core.colours import direction_colours

        map_, shift = metrics.affine_map(z_hat, z)
        sheet.figure(
            "lost",
            "A latent against its read-out.",
            lambda: figures.foretold(
                z[:, 0], (z_hat @ map_ + shift)[:, 0], "first latent", direction_colours(z)
            ),
            of=(result.member.key,),
        )

    story.why(
        [
            (
                "1. What the labels can tell",
                r"The posterior over clusters is a softmax of $\log p(z \mid v_c)$. If that is a "
                r"function of $\langle v, z \rangle$ alone, the dots lie on a curve; for vMF it is "
                "a straight line.",
                symmetry,
            ),
            (
                "2. What a linear head can say",
                r"The model's logits are inner products with $f(x)$ of $d$ dimensions. Where the "
                "world's log ratios are not, the best fit is a compromise, and the loss stays "
                "above its floor.",
                logits,
            ),
            (
                "3. What is lost",
                "Where it must, the encoder bends so that inner products come as close as they "
                "can. A linear read-out of a latent shows by how much; the cluster vectors, "
                "averages over their clouds, survive.",
                lost,
            ),
        ]
    )


def after_the_figures() -> None:
    """Sweeps after the paper's Figures 4 and 5, drawn from runs of this code."""
    from core.figures import sweep

    st.subheader("After the paper's Figures 4 and 5", anchor="figures")
    st.caption(
        "The paper prints these as pictures without numbers, so only ours are drawn. Every dot is "
        "a seed, lines are means."
    )
    clusters = LESSONS["vmf_clusters"]
    wanted = (
        ("R² of z against α, for each β", scenario, "spread", "shape", "linear_r2"),
        ("R² of v against α, for each β", scenario, "spread", "shape", "v_r2"),
        ("Mean feature norm against β, for each α (d = 5)", scenario, "shape", "spread",
         "feature_norm"),
        ("R² of z against the truncation, for each α (d = 5)", scenario, "truncation", "spread",
         "linear_r2"),
        ("R² of z against the batch, for each κ (vMF, behind g)", clusters, "batch", "kappa",
         "linear_r2"),
        ("Mean feature norm against α, for each β", scenario, "spread", "shape", "feature_norm"),
    )  # fmt: skip
    knobs = knobs_of(scenario.Params)
    for pair in (wanted[:2], wanted[2:4], wanted[4:]):
        for place, (title, lesson, name, by, score) in zip(
            st.columns(2, gap="medium"), pair, strict=True
        ):
            swept = next(s for s in lesson.sweeps if s.field == name and s.by and s.by[0] == by)
            runs = seeds.runs_of(lesson, swept)
            with place:
                st.markdown(f"**{title}**")
                known = list(baselines(score, runs[0][1].scores)) if runs else []
                key = f"figure_{name}_{by}_{score}"
                sheet.figure(
                    key,
                    f"{title}.",
                    partial(sweep, runs, knobs[name], score, known, knobs[by]),
                    of=(len(runs),),
                )


def contrast() -> None:
    """R2 of both losses under Laplace noise, at the same budget."""
    from core import figures

    infonce = LESSONS["infonce_sphere"]
    groups: dict[str, list[float]] = {}
    for spread in (0.2, 0.5, 1.0, 2.0):
        of_entropy = seeds.stored(scenario, {**LAPLACE, "spread": spread})
        of_pairs = seeds.stored(infonce, {**BESIDE_CLUSTERS, "spread": spread})
        for words, runs, score in (
            ("cross-entropy, z", of_entropy, "linear_r2"),
            ("InfoNCE, z", of_pairs, "linear_r2"),
            ("cross-entropy, v", of_entropy, "v_r2"),
        ):
            found = [value for r in runs if (value := r.scores[score]) is not None]
            groups[f"spread {spread:g}: {words}"] = found
    sheet.figure(
        "contrast",
        "R² of both losses under Laplace noise.",
        lambda: figures.compare(groups, "R²"),
        of=(),
    )
    st.caption(
        "Laplace noise projected to the sphere, d = 3, x = z, 1200 steps of batch 512. That the "
        "shared map is the reason is this project's reading of the order, not a theorem."
    )


def paper() -> None:
    """The rows of Tables 2 and 3 that violate the assumptions, beside our runs."""
    papers.beside("laplace_violation", "clusters-2", "clusters-3")


article.Article(
    scenario,
    "On the sphere, Laplace clusters cost the latents, and not for their tails",
    "The theorem on clusters assumes a von Mises-Fisher conditional. Replace it, with nothing "
    "hidden ($x = z$), and watch what minimising cross-entropy gives up.",
    panels,
    [
        article.Part("why", "What the objective asks for", article.of_run(why)),
        article.claimed(("laplace_violation",), {"contrast": contrast, "published": paper}),
        article.Part("figures", "After the figures", article.alone(after_the_figures)),
        article.Part(article.PAPER, "The paper", article.alone(paper)),
    ],
    "Reizinger, Bizeul, Juhos, Vogt, Balestriero, Brendel, Klindt: Cross-Entropy Is All You Need "
    "To Invert the Data Generating Process, ICLR 2025, arXiv 2410.21869. The isotropic controls "
    "and the reading of claim (4) are this project's own.",
).show()
