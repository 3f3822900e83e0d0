"""Cross-entropy inverts the data generating process (Reizinger et al. 2025)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import pandas as pd
import streamlit as st

from core.colours import direction_colours
from core.legend import SCORES
from core.lessons import LESSONS
from core.lessons.vmf_clusters import CASES
from core.run.experiment import Experiment, Result
from core.scenarios.clusters import Clusters, quadric_count
from ui import article, export, knobs, numbers, papers, recovery, runner, seeds, sheet, story
from ui.clusters import heads, minimisers
from ui.window import address

scenario = LESSONS["vmf_clusters"]
OTHER = {"class": "instance", "instance": "class"}
HEADINGS = {"class": "Supervised: labels are classes", "instance": "DIET: labels are instances"}
TRIPLES = 1000  # points and pairs of labels in the proof's picture
STUCK = 0.03  # nats above the Bayes floor
WHERE = {-1: "below it", 0: "at it", 1: "above it"}


def panels(experiment: Experiment, choice: recovery.Choice) -> dict[str, Result]:
    """The run, alone or beside the same world under the other kind of label."""
    before = article.opening(scenario)
    if not address.get(knobs.BESIDE):
        return runner.panel(
            experiment, lambda shown: draw(shown, choice), "run", before=before, row=choice.row
        )
    finished = {}
    params = cast(Clusters, experiment.params)
    order = sorted((params.supervision, OTHER[params.supervision]))
    for place, supervision in zip(st.columns(2, gap="medium"), order, strict=True):
        own = supervision == params.supervision
        asked = replace(experiment, params=params.but(supervision=supervision))
        with place:
            st.markdown(f"**{HEADINGS[supervision]}**")
            key = "run" if own else "twin"
            results = runner.panel(asked, lambda shown, key=key: twin(shown, choice, key), key)
        finished |= results if own else {}
    shared = "g, cluster vectors and first encoder"
    if params.n_instances % params.n_clusters == 0:
        shared = "g, cluster vectors, latents and first encoder"
    st.caption(
        f"One world twice, with the same {shared}; the labels differ: {params.n_clusters} classes, "
        f"or {params.n_instances} instances spread over them."
    )
    return finished


def draw(shown: runner.Shown, choice: recovery.Choice) -> None:
    """The main picture, its numbers, and the curves of every seed."""
    params = cast(Clusters, shown.experiment.params)
    seed, run = recovery.run_drawn(shown, choice)
    if run is None:
        return
    promise = scenario.promise(params)
    place = numbers.places()  # the numbers are text: they do not wait for the 3-D view
    radius = {"C3": f"theory κ = {params.kappa:g}", "C4": ""}.get(params.case, "by design")
    numbers.show(run, promise, ideals={"feature_norm": radius}, place=place)
    with place.picture:
        recovery.picture(heads.of(run, params, choice, shown.stale), "globe",
                         365 if address.presenting() else 264)  # fmt: skip
    recovery.picture_first("globe")
    seeds.together(shown, run, promise, place)
    result = shown.result(seed)
    if result is not None and result.scores["span_r2"] is not None and not shown.stale:
        split(result)
    if not address.presenting():
        levels = {
            f"Bayes floor of seed {seed}": run.scores.get("loss_floor"),
            "chance": float(np.log(params.n_labels)),
        }
        seeds.curves(shown, run, scenario.scores, levels, f"seed {seed}")


def twin(shown: runner.Shown, choice: recovery.Choice, key: str) -> None:
    """One of two runs side by side: its picture, and its scores in a row."""
    params = cast(Clusters, shown.experiment.params)
    _, run = recovery.run_drawn(shown, choice)
    if run is None:
        return
    row = f"{recovery.NUMBERS}.{key}"
    view = heads.of(run, params, choice, shown.stale)
    view = replace(view, follow=recovery.follow(run, row, curves=""))
    recovery.picture(view, f"globe.{key}", 300)
    numbers.show(run, scenario.promise(params), only=("linear_r2", "v_r2", "loss"), key=row)


def split(result: Result) -> None:
    """Too few directions: what is inside span{v_a - v_b} comes back, the rest does not."""
    from core import figures, metrics

    if result.diverged:
        st.caption("This run diverged: there is no read-out to split.")
        return
    z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
    colours = direction_colours(z)
    inside, outside = metrics.span(result.world["v"].astype(float))
    st.markdown(
        f"**The split.** The differences of the cluster vectors span {inside.shape[1]} of "
        f"{len(inside)} directions. Inside, the labels tell; outside, they are silent."
    )
    map_, offset = metrics.affine_map(z_hat, z)
    fitted = z_hat @ map_ + offset
    sides = (("span_r2", inside, "inside the span"), ("complement_r2", outside, "outside it"))
    for place, (score, basis, words) in zip(st.columns(2), sides, strict=True):
        with place:
            title = SCORES[score]
            raw = result.scores.get(f"raw_{score}")
            st.markdown(
                f"{title.title}: **{title.written(result.scores[score])}**"
                + ("" if raw is None else f" (raw x {raw:.3f})")
            )
            sheet.figure(
                score,
                f"A latent direction {words} against its read-out.",
                partial(
                    figures.foretold,
                    z @ basis[:, 0],
                    fitted @ basis[:, 0],
                    f"a direction {words}",
                    colours,
                ),
                of=(result.member.key,),
            )


def why(result: Result) -> None:
    """The theorem in three steps, each drawn from the run above."""
    from core import figures, metrics

    params = cast(Clusters, result.member.params)
    z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
    v, w = result.world["v"].astype(float), result.moving["w"][-1].astype(float)
    beta = float(result.moving["beta"][-1])
    loss, floor = result.scores["loss"], result.scores["loss_floor"]
    a, _ = metrics.affine_map(v, w)

    def posterior() -> None:
        assert loss is not None and floor is not None
        st.metric(
            "Divergence from the true posterior, held out",
            f"{loss - floor:.4f} nats",
            f"cross-entropy {loss:.3f} · Bayes floor {floor:.3f}",
            delta_color="off",
            delta_arrow="off",
        )
        series = {"this seed": (result.loss_step, result.loss)}
        sheet.figure(
            "posterior",
            "The loss falls to the Bayes floor.",
            lambda: figures.curves(
                series,
                int(result.loss_step[-1]),
                SCORES["loss"].title,
                {"Bayes floor": floor},
                "this seed",
            ),
            of=(result.member.key,),
        )

    def logits() -> None:
        rng = np.random.default_rng(0)
        i = rng.integers(len(v), size=TRIPLES)
        k = (i + rng.integers(1, len(v), size=TRIPLES)) % len(v)  # another one
        n = rng.integers(len(z), size=TRIPLES)
        holds = params.label_noise == 0
        world = params.kappa * ((v[i] - v[k]) * z[n]).sum(1)
        model = beta * ((w[i] - w[k]) * z_hat[n]).sum(1)
        sheet.figure(
            "logits",
            "Logit differences of the world and the model.",
            lambda: figures.agreement(
                world,
                model,
                ("world: κ ⟨vᵢ − vₖ, z⟩", "model: β ⟨wᵢ − wₖ, f(x)⟩"),
                float(np.abs(world).max()) if holds else None,
            ),
            of=(result.member.key,),
        )
        if not holds:
            st.caption("No identity line: the posterior of noisy labels is no softmax of these.")

    def linear() -> None:
        if params.case == "C4":
            h = metrics.linear_map(z_hat, z)  # z -> h, for row vectors
            entries = beta * h @ a.T / params.kappa
            words = "βHᵀA/κ: the identity if the two maps undo each other."
        else:
            m = metrics.linear_map(z, z_hat)
            entries = m @ m.T * (params.kappa**2 if params.case == "C3" else 1)
            words = "BᵀB (times κ² for C3, where h = κ O z): the identity if h is a rotation."
        sheet.figure(
            "matrix",
            "A small matrix that should be the identity.",
            lambda: figures.matrix(entries),
            of=(result.member.key,),
        )
        st.caption(words)

    st.caption(
        "h = f ∘ g takes a latent to its feature. β scales the logits (learnt in C1 and C2, else "
        "1). ψ is an offset that all weights may share: a softmax cannot see it."
    )
    if params.label_noise > 0:
        st.caption(
            ":material/info: Steps 2 and 3 need clean labels: here the best logits are not linear."
        )
    if params.n_seen < params.d + 1 or params.cluster_law == "subspace":
        st.caption(
            ":material/info: The theorem asks that the cluster vectors' differences span the space."
            " Here they do not, so the third step must fail."
        )
    story.why(
        [
            ("1. The minimiser is the posterior", first_step(params), posterior),
            (
                "2. So logits agree",
                r"Both are softmaxes: $\beta\langle w_i - w_k, f(x)\rangle = "
                r"\kappa\langle v_i - v_k, z\rangle$ for all labels $i, k$ (equation 19 there).",
                logits,
            ),
            ("3. So h is linear", last_step(params), linear),
        ]
    )


def first_step(params: Clusters) -> str:
    """Why the trained logits are the world's."""
    words = (
        "Where cross-entropy is least, the softmax of the logits "
        r"$\beta\langle w_i, f(x)\rangle$ equals the world's label posterior."
    )
    if params.label_noise > 0:
        words += " Noise bends that posterior: it is no softmax of logits linear in z."
    return words


def last_step(params: Clusters) -> str:
    """What is left of h, by the case and the number of clusters."""
    if params.case == "C4":
        return (
            r"With enough clusters no freedom is left: $A(v_a - v_b) = w_a - w_b$ defines one "
            r"linear map, and $h$ is its inverse transpose. Fit $h(z) \approx H z$ and "
            r"$w \approx A v + \psi$."
        )
    if params.case == "C3" and params.n_seen < quadric_count(params.d):
        return (
            r"$h$ is linear. The paper concludes a rotation from $2d$ clusters; by this project's "
            r"count it takes $d(d+3)/2$ (see Claims). Fit $B$ in $z \approx B\,\hat z$."
        )
    return (
        r"$h$ is linear, and unit lengths leave only a rotation or reflection. Fit $B$ in "
        r"$z \approx B\,\hat z$."
    )


def tight() -> None:
    """The four cases at kappa = 50: the same world, and different luck."""
    rows = []
    for case in CASES:
        results = seeds.stored(scenario, {"d": 5, "n_clusters": 100, "kappa": 50.0, "case": case})
        rows.append({"case": case, "seeds": len(results), **_scores(results)})
    _frame(rows, "tight")


def _scores(results: Sequence[Result]) -> dict[str, str]:
    """What the tables of this section show of a setting: the range over its seeds."""
    excess = [
        r.scores["loss"] - r.scores["loss_floor"]
        for r in results
        if r.scores["loss"] is not None and r.scores["loss_floor"] is not None
    ]
    columns = {"linear_r2": SCORES["linear_r2"].title, "raw_linear_r2": "raw x",
               "v_r2": SCORES["v_r2"].title,
               "v_orthogonal_r2": SCORES["v_orthogonal_r2"].title}  # fmt: skip
    found = {title: [r.scores[name] for r in results] for name, title in columns.items()}
    found["loss above its floor, nats"] = excess
    return {
        title: seeds.span_of([value for value in values if value is not None])
        for title, values in found.items()
    }


def _frame(rows: list[dict], name: str) -> None:
    """A table of measured numbers, with its download."""
    table = pd.DataFrame(rows)
    st.dataframe(table, hide_index=True, width="content")
    export.table(table, name, f"{name}.table")


def stuck() -> None:
    """By start of the encoder and of the head: how many of the four cases' runs end stuck."""
    rows = []
    for start in ("identity", "standard"):
        for scale in (0.1, 1.0, 3.0):
            setting = {"initialisation": start, "head_scale": scale}
            runs = [
                r
                for case in CASES
                for r in seeds.stored(scenario, {**setting, "case": case}, range(8))
            ]
            lost = [r for r in runs if _is_stuck(r)]
            rows.append(
                {
                    "encoder starts": start,
                    "head starts at": f"{scale:g} of the default",
                    "stuck": f"{len(lost)} of {len(runs)}",
                    "their linear R²": seeds.span_of([r.scores["linear_r2"] for r in lost]) or "–",
                    "their degrees": ", ".join(_degree(r.scores["degree"]) for r in lost) or "–",
                }
            )
    _frame(rows, "stuck")


def _is_stuck(result: Result) -> bool:
    loss, floor = result.scores["loss"], result.scores["loss_floor"]
    return loss is None or floor is None or loss - floor > STUCK


def _degree(value: float | None) -> str:
    return "unclear" if value is None else SCORES["degree"].written(value)


def trained_c3() -> None:
    """What training makes of case C3 below, at and above the count; a rotation has condition 1."""
    from core import metrics

    rows = []
    for d, counts in ((3, (6, 9, 12, 30)), (5, (10, 20, 40))):
        for count in counts:
            runs = seeds.runs(scenario, {"case": "C3", "d": d, "n_clusters": count, "steps": 3000})
            ends = [(r.z.astype(float), r.z_hat[-1].astype(float)) for r in runs]
            conditions = [float(np.linalg.cond(metrics.linear_map(*end))) for end in ends]
            where = np.sign(count - quadric_count(d))
            rows.append(
                {
                    "d": d,
                    "clusters": count,
                    "count d(d+3)/2": f"{quadric_count(d)}, {WHERE[int(where)]}",
                    "condition": seeds.span_of(conditions),
                    "seeds": len(runs),
                    **_scores(runs),
                }
            )
    _frame(rows, "trained_c3")


def paper() -> None:
    """The rows of Tables 2, 3 and 5 that open here, beside our runs."""
    papers.beside("vmf_clusters", "clusters-2", "clusters-3", "clusters-5")


def switch() -> None:
    """Beside the run, the same world under the other kind of label."""
    st.toggle(
        "Classes beside instances",
        address.get(knobs.BESIDE),
        key=address.widget(knobs.BESIDE),
        help="Draw the same world twice: supervised, and DIET.",
    )


OWN = {
    "tight": tight,
    "stuck": stuck,
    "trained_c3": trained_c3,
    "ellipses": minimisers.ellipses,
    "globes": minimisers.globes,
}
article.Article(
    scenario,
    "Classifying clusters finds the latents, up to a linear map",
    "Latents cluster on a sphere and are hidden by an invertible network $g$. A classifier sees "
    "only observations and labels: an encoder $f$ under a linear head $W$, trained by "
    "cross-entropy. Its features are the latents again, and its weights the cluster vectors.",
    panels,
    article.standard(scenario, why, paper, OWN, minimisers.settings()),
    "Reizinger, Bizeul, Juhos, Vogt, Balestriero, Brendel, Klindt: Cross-Entropy Is All You Need "
    "To Invert the Data Generating Process, ICLR 2025, arXiv 2410.21869. The count d(d+3)/2, its "
    "counterexamples and the part of the start are this project's own findings.",
    switch,
    more=(address.switch(knobs.BESIDE, "Classes beside instances"),),
).show()
