"""Minimisers of case C3 that are no rotations, constructed and drawn at d = 2 and d = 3."""

from functools import partial

import numpy as np
import streamlit as st

from core.claimed.exact.quadrics import EPS, clusters, solution
from core.colours import ROLE, direction_colours
from core.laws.spaces import Sphere
from ui import recovery, sheet
from ui.player.view import Arrow, LatentView
from ui.window import address

FRAMES = 21
FAMILY = "family"


def settings() -> address.Settings:
    """The key of a page's link for the place in the family of solutions."""
    return address.choice(FAMILY, range(101), "Along the family of solutions", 100)


def ellipses() -> None:
    """d = 2: four points lie on the circle and on an ellipse; one linear map swaps the two."""
    from core import figures, theory

    v = clusters(2)
    (quadric,) = theory.quadrics(v)
    *places, side = st.columns([1, 1, 1], gap="medium")
    with side:
        share = st.slider("Along the family of solutions", 0, 100, address.get(FAMILY),
                          key=address.widget(FAMILY), format="%d%%",
                          help="0: the rotation itself.")  # fmt: skip
        st.markdown(
            "Blue: the latents' circle. Grey: where $|Mv + \\psi| = 1$, an ellipse through all "
            "four $v_c$ in the world, the circle of unit weights in the solution. Orange: "
            "$h(z)/\\kappa$. Every position of the slider is a global minimiser."
        )
    m, psi = theory.c3_counterexample(v, quadric, EPS[2] * share / 100)
    turn = np.linspace(0, 2 * np.pi, 181)
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)
    through = (circle - psi) @ np.linalg.inv(m).T  # where |M v + psi| = 1
    sides = (
        ("World: four $v_c$ on circle and ellipse",
         {"the sphere of z": (circle, ROLE["z"]), "|Mv + ψ| = 1": (through, ROLE["theory"])},
         v, "v"),
        ("Solution: $w_c$ on the circle",
         {"unit weights": (circle, ROLE["theory"]),
          "h(z)/κ": (circle @ np.linalg.inv(m), ROLE["z_hat"])}, v @ m.T + psi, "w"),
    )  # fmt: skip
    for place, (words, curves, points, role) in zip(places, sides, strict=True):
        with place:
            st.markdown(words)
            sheet.figure(
                f"ellipse_{role}",
                f"Four points on a circle and on an ellipse: {role}.",
                partial(figures.closed_curves, curves, points, role, role),
                of=(),
                numbers="counterexample",
            )


def globes() -> None:
    """d = 3: the family of solutions from the rotation on, as frames that can be played."""
    family = [solution(along) for along in np.linspace(0, 1, FRAMES)]
    v, z, net = clusters(3), family[0].z, Sphere(3).net()
    st.markdown(
        "d = 3: six clusters (2d) on the left, a solution on the right. Its weights have unit "
        "length, its loss is the Bayes floor, and its sphere is an ellipsoid. Play the family."
    )
    rows = np.stack([each.w for each in family]).astype(np.float32)
    shown = LatentView(
        run="counterexample",
        d=3,
        z=z.astype(np.float32),
        z_hat=np.stack([z @ each.inverse for each in family]).astype(np.float32),
        steps=np.arange(FRAMES),
        colours=direction_colours(z),
        net=net,
        net_hat=np.stack([net @ each.inverse for each in family]).astype(np.float32),
        net_bold=(recovery.EQUATOR, recovery.PRIME_MERIDIAN),
        titles=("World: z and v", "Solution: h(z)/κ and w"),
        alt="A sphere beside an ellipsoid that gives the same posterior with unit weights.",
        arrows=[
            *(Arrow("", "v", each.astype(np.float32), None) for each in v),
            *(Arrow("", "w", None, rows[:, i]) for i in range(len(v))),
        ],
        moments=[
            f"axes {each.axes:.2f} : 1 · posterior exact to {each.error:.0e}" for each in family
        ],
    )
    recovery.picture(shown, "counterexample", 420)
