"""How far to trust a score: codes that are made, so that what they deserve is known."""

from typing import cast

import streamlit as st

from core.lessons import SETUPS
from core.scores.worlds import Setting
from ui import claims, knobs, story
from ui.scores import compared, explore, phases, turned
from ui.window import address, look

scenario = SETUPS["scores"]
BAR = {
    story.EXPLORE: "Explore", "phases": "Phase diagrams", "claims": "Claims",
    "published": "The paper", story.HOME: "Take it home",
}  # fmt: skip
SENTENCE = (
    "Nothing is trained here: factors $z$ and codes $\\hat z$ are made, so that what the codes "
    "deserve is known. Which scores say so?"
)


def first_screen(setting: Setting) -> None:
    """Presets, pictures and scores, with the knobs beside."""
    if address.presenting():
        look.clear()
        claims.slides(("scores",), setting)
        explore.show(setting)
        with st.expander("Knobs"):
            knobs.draw(scenario, setting)
            story.presenter_switch()
        return
    story.bar(BAR, story.EXPLORE)
    with st.container(key="explore"):
        side, main = st.columns([1, 3.6], gap="medium")
    with main, st.container(gap="xsmall"):
        story.presets(scenario, setting)
        with st.container(key="to_knobs"):
            st.caption("[Knobs ↓](#knobs)")
        story.lesson(scenario, setting)
        story.notes(scenario, setting)
        story.refused(address.refusals())
        explore.show(setting)
    with side, st.expander("Knobs", expanded=True, key="drawer"):
        st.html("<span id='knobs'></span>")
        st.caption(SENTENCE)
        knobs.draw(scenario, setting)
        story.presenter_switch()


def take_home(setting: Setting) -> None:
    """The same scores of a visitor's own arrays, and who is to be thanked."""
    story.about(scenario, setting)
    st.markdown("**Your own codes.** Latents `Z.npy` (n, d) and codes `Z_HAT.npy` (n, m), row for "
                "row: every score beside what chance gets of it, an interval of linear R² and MCC, "
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


FIGURES = {"turned": turned.show}

address.declare(
    address.choice(story.PART, BAR, "The part", story.EXPLORE, BAR.get),
    knobs.settings(scenario), claims.settings("scores"), turned.SETTING, *address.EVERYWHERE,
)  # fmt: skip
params, _ = knobs.read(scenario)
setting = cast(Setting, params)
address.sync()
story.title("How far to trust a score")
part = address.get(story.PART)
if address.presenting() or part == story.EXPLORE:
    first_screen(setting)
else:
    story.bar(BAR, part)
    story.refused(address.refusals())
    if part == "phases":
        phases.show(setting)
    elif part == "claims":
        claims.browser(("scores",), FIGURES)
    elif part == "published":
        compared.show()
    else:
        take_home(setting)
address.sync()
