"""What the explorer is, and how to read its scores."""

from functools import partial

import numpy as np
import streamlit as st

from core import figures, metrics, theory
from core.claimed import CLAIMS, HOME
from core.legend import direction_colours
from core.lessons import LESSONS
from core.run.experiment import Experiment
from ui import claims, runner, sheet, story
from ui.window import address

IN_A_ROW = 3  # pages, side by side
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
            with place:
                st.markdown(f"**{title}**")
                sheet.figure(
                    title,
                    f"{title}: coloured points.",
                    partial(figures.from_the_front, points, colours),
                    of=(result.member.key,),
                    numbers="pipeline",
                )
        r2, raw = result.scores["linear_r2"], result.scores["raw_linear_r2"]
        st.caption(
            f"One run, as shipped: colour is the true direction of each latent. A linear read-out "
            f"explains {raw:.0%} of z from x, and {r2:.1%} from ẑ. Nobody told f what z was."
        )


@st.cache_data(show_spinner=False, max_entries=91)
def rotated(angle: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    """400 of the latents and of their turned copies (n, 2), and R2 and MCC of all 2000."""
    z = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
    radians = np.deg2rad(angle)
    turn = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    z_hat = z @ turn
    return z[:400], z_hat[:400], metrics.linear_r2(z, z_hat), metrics.mcc(z, z_hat)


def mcc_by_angle(angle: int, mcc: float) -> figures.figure.Figure:
    """What MCC is at every angle, by theory, and here."""
    angles = np.linspace(0, 90, 91)
    expected = np.array([theory.rotation_scores(a)[1] for a in angles])
    return figures.rotation_curve(angles, expected, angle, mcc)


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
    drawn, turned, r2, mcc = rotated(angle)
    with left:
        colours = direction_colours(drawn)
        sides = (
            (drawn, "true latents", ("z₁", "z₂")),
            (turned, f"recovered latents, turned by {angle}°", ("ẑ₁", "ẑ₂")),
        )
        for place, (points, title, names) in zip(st.columns(2), sides, strict=True):
            with place:
                st.markdown(f"**{title}**")
                sheet.figure(
                    names[0],
                    f"{title}: 400 points.",
                    partial(figures.plane, points, colours, names),
                    of=(angle,),
                    numbers="rotation",
                )
    with right:
        with st.container(horizontal=True, gap="large"):
            st.metric("Linear R²", f"{r2:.2f}", "up to a linear map: yes",
                      delta_color="off", delta_arrow="off", width="content")  # fmt: skip
            st.metric("MCC", f"{mcc:.2f}", "up to permutation: " + ("yes" if mcc > 0.99 else "no"),
                      delta_color="off", delta_arrow="off", width="content")  # fmt: skip
        sheet.figure(
            "rotation_curve",
            f"MCC falls to {np.cos(np.pi / 4):.2f} at 45 degrees.",
            partial(mcc_by_angle, angle, mcc),
            of=(angle,),
        )


address.declare(address.choice(ANGLE, range(91), "The rotation", 45), *address.EVERYWHERE)
address.sync()
story.opening(
    "When does an encoder find the latents behind its data?",
    "Data are made from hidden latents $z$ by a mixing $g$. An encoder $f$ is trained on pairs or "
    "labels of the data, never on $z$. Sometimes it recovers $z$: theorems say when, and here you "
    "watch it happen, or fail.",
)
row: list[st.delta_generator.DeltaGenerator] = []
for page in story.TITLES:
    row = row or st.columns(IN_A_ROW, gap="medium")
    with row.pop(0):
        st.subheader(story.TITLES[page], anchor=False)
        claims.best([name for name in HOME if CLAIMS[name].page == page])
        st.page_link(f"pages/{page}.py", label="Every claim of this page",
                     query_params={"part": "claims"}, icon=":material/checklist:")  # fmt: skip
for name, title in story.READING["Papers"].items():
    st.page_link(f"pages/{name}.py", label=f"{title}: published numbers beside ours, row by row",
                 icon=":material/table_chart:")  # fmt: skip
st.header("What happens", anchor="pipeline")
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
