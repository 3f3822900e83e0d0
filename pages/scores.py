"""How far to trust a score: codes that are made, so that what they deserve is known."""

from typing import cast

import streamlit as st

from core.lessons import SETUPS
from core.scores.worlds import Setting
from ui import article, story
from ui.scores import compared, explore, phases, turned
from ui.window import address

scenario = SETUPS["scores"]


def first_screen(opened: article.Opened) -> None:
    """Pictures and scores of the codes that are set up."""
    setting = cast(Setting, opened.params)
    if not address.presenting():
        story.notes(scenario, setting)
        story.refused(address.refusals())
    explore.show(setting)


def take_home(opened: article.Opened) -> None:
    """The same scores of a visitor's own arrays, and who is to be thanked."""
    setting = opened.params
    story.about(scenario, setting)
    st.markdown("**Your own codes.** Latents `Z.npy` (n, d) and codes `Z_HAT.npy` (n, m), row for "
                "row: every score beside what chance gets of it and its interval, "
                "and what warns of them. It runs in a "
                "clone of this project, which its README’s two commands, `make run` and "
                "`make test`, set up.")  # fmt: skip
    st.code("python -m core score Z.npy Z_HAT.npy", language="shell")
    st.markdown("**This setting** as arrays, to try that with:")
    chosen = ", ".join(f"{name}={value!r}" for name, value in setting.chosen().items())
    st.code(
        "import numpy as np\nfrom core.scores.worlds import Setting, drawn\n\n"
        f"z, z_hat = drawn(Setting({chosen}))\n"
        'np.save("Z.npy", z)\nnp.save("Z_HAT.npy", z_hat)',
        language="python",
    )
    st.subheader("Sources", anchor="sources")
    st.caption(
        "Joshi, Saulus, Brendel, Brouillard, Sridhar, Reizinger: Who Guards the Guardians? The "
        f"Challenges of Evaluating Identifiability of Learned Representations, UAI 2026, "
        f"{compared.PAPER}. Kinds of factors and codes are that paper’s; they are drawn by "
        "formulas of this project."
    )


article.Frame(
    scenario,
    "How far to trust a score",
    "Nothing is trained here: factors $z$ and codes $\\hat z$ are made, so that what the codes "
    "deserve is known. Which scores say so?",
    [
        article.Part("phases", "Phase diagrams",
                     lambda opened: phases.show(cast(Setting, opened.params))),
        article.claimed(("scores",), {"turned": turned.show}, turned.SETTING),
        article.Part("published", "The paper", article.alone(compared.show)),
    ],
    first_screen,
    take_home,
).show()  # fmt: skip
