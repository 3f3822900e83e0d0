"""What the explorer is, and how to read its scores."""

import numpy as np
import streamlit as st

from core import figures, metrics, theory
from core.experiment import Experiment
from core.legend import direction_colours
from core.lessons import LESSONS
from ui import address, export, knobs, runner, seeds, story

LINKS = (
    ("infonce_sphere", "matched", "When the assumptions hold, the latents come back"),
    ("infonce_sphere", "weak", "Even when a positive is hardly closer than a stranger"),
    (
        "infonce_sphere",
        "fold",
        "The same loss from a standard start folds the sphere, and it mostly stays folded",
    ),
    ("infonce_sphere", "unfold", "Raising the concentration slowly unfolds it"),
    (
        "infonce_sphere",
        "cold",
        "Too low a temperature tears a whole globe and draws it together into a small cap",
    ),
    ("infonce_sphere", "cap", "Latents that crowd around a pole come back worse"),
    ("infonce_sphere", "laplace", "The wrong conditional, Laplace noise of scale 0.2, is forgiven"),
    ("vmf_clusters", "free", "Classifying clusters recovers them too, up to a linear map"),
    ("vmf_clusters", "diet", "So does telling every instance from every other"),
    ("vmf_clusters", "few", "With too few clusters only the span of their differences comes back"),
    (
        "vmf_clusters",
        "tight",
        "Tight clusters are a matter of optimisation, not of identifiability",
    ),
    ("gradient_reversal", "reverse", "One sign turns the same loss against a nuisance"),
    ("gradient_reversal", "align", "The other sign turns the code towards the nuisance"),
    ("gradient_reversal", "orbit", "With momentum the same game circles and never arrives"),
    ("gradient_reversal", "unequal", "Classes of unequal width cannot be hidden by any code"),
    ("laplace_violation", "laplace", "Laplace clusters cost the latents, with nothing hidden"),
    ("laplace_violation", "round", "The same noise in random directions costs next to nothing"),
)


ANGLE = "angle"


def pipeline() -> None:
    """z -> g -> x -> f -> z_hat, drawn from a shipped run."""
    scenario = LESSONS["infonce_sphere"]
    results = runner.stored(Experiment(scenario.Params(), "infonce", (0,)).members)
    for result in results.values():
        z, z_hat = result.z.astype(float), result.z_hat[-1].astype(float)
        turn, _ = metrics.procrustes(z, z_hat)
        colours = direction_colours(z)
        panels = (
            ("latents z", z), ("g →", None), ("observations x = g(z)", result.world["x"]),
            ("f →", None), ("recovered ẑ = f(x), aligned", z_hat @ turn),
        )  # fmt: skip
        places = st.columns([4, 0.7, 4, 0.7, 4], vertical_alignment="center")
        for place, (title, points) in zip(places, panels, strict=True):
            if points is None:
                place.markdown(f"##### :gray[{title}]", text_alignment="center")
                continue
            chart, table = figures.from_the_front(points, colours)
            with place:
                st.markdown(f"**{title}**")
                st.altair_chart(chart, key=title, width="content", alt=f"{title}: coloured points.")
                export.table(table, "pipeline", f"{title}.table")
        r2, raw = result.scores["linear_r2"], result.scores["raw_linear_r2"]
        st.caption(
            f"One run, as shipped: colour is the true direction of each latent. A linear read-out "
            f"explains {raw:.0%} of z from x, and {r2:.1%} from ẑ. Nobody told f what z was."
        )


def reading_scores() -> None:
    """R2 and MCC answer different questions: a rotation shows it."""
    left, right = st.columns([1.5, 1], gap="large")
    angle = right.slider(
        "Rotate the recovered latents",
        0,
        90,
        address.get(ANGLE),
        key=address.widget(ANGLE),
        format="%d°",
    )
    z = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
    radians = np.deg2rad(angle)
    turn = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    r2, mcc = metrics.linear_r2(z, z @ turn), metrics.mcc(z, z @ turn)
    drawn = z[:400]
    with left:
        colours = direction_colours(drawn)
        sides = (
            (drawn, "true latents", ("z₁", "z₂")),
            (drawn @ turn, f"recovered latents, turned by {angle}°", ("ẑ₁", "ẑ₂")),
        )
        for place, (points, title, names) in zip(st.columns(2), sides, strict=True):
            chart, table = figures.plane(points, colours, names)
            with place:
                st.markdown(f"**{title}**")
                st.altair_chart(chart, key=names[0], width="content", alt=f"{title}: 400 points.")
                export.table(table, "rotation", f"{names[0]}.table")
    with right:
        with st.container(horizontal=True, gap="large"):
            st.metric("Linear R²", f"{r2:.2f}", "up to a linear map: yes",
                      delta_color="off", delta_arrow="off", width="content")  # fmt: skip
            st.metric("MCC", f"{mcc:.2f}", "up to permutation: " + ("yes" if mcc > 0.99 else "no"),
                      delta_color="off", delta_arrow="off", width="content")  # fmt: skip
        angles = np.linspace(0, 90, 91)
        expected = np.array([theory.rotation_scores(a)[1] for a in angles])
        chart, table = figures.rotation_curve(angles, expected, angle, mcc)
        st.altair_chart(chart, key="rotation_curve", alt="MCC falls to 0.71 at 45 degrees.")
        export.table(table, "rotation_curve", "rotation_curve.table")


address.declare(address.choice(ANGLE, range(91), "The rotation", 45), *address.EVERYWHERE)
address.sync()
story.opening(
    "When does an encoder find the latents behind its data?",
    "Data are made from hidden latents $z$ by a mixing $g$. An encoder $f$ is trained on pairs or "
    "labels of the data, never on $z$. Sometimes it recovers $z$: theorems say when, and here you "
    "watch it happen, or fail.",
)
pipeline()
st.header("How to read the scores", anchor="scores")
st.markdown(
    "**Linear R²** asks whether a linear map takes $\\hat z$ to $z$. **MCC** asks whether each "
    "coordinate of $\\hat z$ *is* one of $z$. Turn the recovered latents and see them part ways."
)
reading_scores()
st.markdown(
    "Two more things to keep apart: $\\kappa$ belongs to the world (how tightly a positive sits "
    "around its anchor, or a latent around its cluster vector), $\\tau$ to the model (what its "
    "similarities are divided by). And every R² here is held out and stands beside what the raw "
    "data, or an untrained encoder, already gives."
)
st.header("What to try", anchor="try")
for name, preset_name, words in LINKS:
    scenario = LESSONS[name]
    preset = next(p for p in scenario.presets if p.name == preset_name)
    results = seeds.stored(scenario, preset.params, preset.every_seed)
    params = scenario.Params.model_validate(dict(preset.params))
    with st.container(horizontal=True, vertical_alignment="center"):
        link = knobs.query(scenario, preset)
        st.page_link(
            f"pages/{name}.py", label=words, icon=":material/arrow_forward:", query_params=link
        )
        st.caption(seeds.spread(results, scenario.promise(params).score), width="content")
