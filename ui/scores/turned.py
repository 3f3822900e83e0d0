"""R2 and MCC of turned codes: the two part ways."""

from functools import partial

import numpy as np
import streamlit as st

from core import metrics, theory
from core.colours import direction_colours
from ui import sheet
from ui.window import address

ANGLE = "angle"
SETTING = address.choice(ANGLE, range(91), "The rotation", 45)


@st.cache_data(show_spinner=False, max_entries=91)
def rotated(angle: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    """400 of the factors and of their turned copies (n, 2), and R2 and MCC of all 2000."""
    z = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
    radians = np.deg2rad(angle)
    turn = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    z_hat = z @ turn
    return z[:400], z_hat[:400], metrics.linear_r2(z, z_hat), metrics.mcc(z, z_hat)


def curve(angle: int) -> None:
    """What MCC is at every angle, by theory, and here."""
    from core import figures  # altair: the numbers do not wait for it

    angles = np.linspace(0, 90, 91)
    expected = np.array([theory.rotation_scores(a)[1] for a in angles])
    sheet.figure(
        "rotation_curve", f"MCC falls to {np.cos(np.pi / 4):.2f} at 45 degrees; R² stays 1.",
        lambda: figures.rotation_curve(angles, expected, angle, rotated(angle)[3]), of=(angle,),
    )  # fmt: skip


def show() -> None:
    """Points, their turned copies, both scores and the curve, for an angle of the visitor's."""
    from core import figures

    angle = st.slider("Turn the codes", 0, 90, address.get(ANGLE), key=address.widget(ANGLE),
                      format="%d°")  # fmt: skip
    drawn, turned, r2, mcc = rotated(angle)
    colours = direction_colours(drawn)
    sides = (
        (drawn, "Factors", ("z₁", "z₂")),
        (turned, f"Codes, turned by {angle}°", ("ẑ₁", "ẑ₂")),
    )
    for place, (points, title, names) in zip(st.columns(2), sides, strict=True):
        with place:
            st.markdown(f"**{title}**")
            sheet.figure(names[0], f"{title}: 400 points.",
                         partial(figures.plane, points, colours, names), of=(angle,),
                         numbers="rotation")  # fmt: skip
    with st.container(horizontal=True, gap="large"):
        st.metric("Linear R²", f"{r2:.2f}", "up to a linear map: yes", delta_color="off",
                  delta_arrow="off", width="content")  # fmt: skip
        identified = "yes" if angle in (0, 90) else "no"
        st.metric("MCC", f"{mcc:.2f}", f"up to permutation: {identified}", delta_color="off",
                  delta_arrow="off", width="content")  # fmt: skip
    curve(angle)
