"""What the paper does, what is done here, and how the two differ."""

import streamlit as st

from core.lessons import LESSONS
from core.scenarios.lejepa import KNOTS, SIGMA, LeJEPA
from ui import sheet

scenario = LESSONS["lejepa"]


def rows() -> list[dict[str, str]]:
    """A row a choice: the published one in two dimensions, as its code has it, and the default."""
    here = LeJEPA()
    white = LeJEPA(objective="whiten")
    return [
        {"What": "World", "Paper’s code": "Gaussian latents, ρ = 0.95; spiral, banana, sinusoid, "
         "couplings", "Here": f"the same, ρ = {here.rho:g}; the other pages’ network as well"},
        {"What": "Encoder", "Paper’s code": "MLP, 4 layers of 256, GELU",
         "Here": f"MLP, {here.depth} layers of {here.width}, SiLU, with a linear path beside them"},
        {"What": "Training", "Paper’s code": "20,000 steps of AdamW, batch 256",
         "Here": f"{here.steps:,} steps of Adam, batch {here.batch}"},
        {"What": "SIGReg", "Paper’s code": "256 projections, 17 knots on [0, 3], weight 0.001",
         "Here": f"{here.directions} projections, {KNOTS} knots on [0, 3], weight {here.weight:g}"},
        {"What": "Whitening", "Paper’s code": "weight 0.5", "Here": f"weight {white.weight:g}"},
        {"What": "InfoNCE", "Paper’s code": "−|u − v|² / 2σ², σ = 1, both directions",
         "Here": f"the same, σ = {SIGMA:g}"},
        {"What": "Other laws", "Paper’s code": "generalised normal, with noise of the same law",
         "Here": "the same, and a diffusion that keeps the law"},
        {"What": "Not here", "Paper’s code": "up to 1024 dimensions; pictures of a simulated arm",
         "Here": "–"},
    ]  # fmt: skip


def show() -> None:
    """The part of the page."""
    st.markdown(
        "The paper trains longer and wider than a page can wait for. What is measured here has "
        "another budget, another encoder and other weights, and its numbers are not the paper’s. "
        "The theorem: among codes of Gaussian latents that are white, those that change least from "
        "view to view are the latents, turned or mirrored; and of latents whose views have "
        "stationary additive noise that is so for Gaussian ones alone."
    )
    sheet.show([sheet.frame(rows())])
    st.caption(
        "The regulariser’s weight counts together with the batch: SIGReg is times the batch’s "
        "size. A weight as small as the paper’s shrinks codes more, and bends them even where "
        "nothing is hidden (see Claims)."
    )
