"""Phase diagrams: a score where two things vary. A click on a cell opens its setting."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.legend import SCORES, label_of, spoken, wording
from core.lessons import SETUPS
from core.scenarios.scenario import Value, knobs_of
from core.scores import glance
from core.scores.worlds import Setting
from ui import knobs, sheet, story

if TYPE_CHECKING:
    from core.figures import Along
    from core.figures.figure import Figure

SEEDS = (0, 1, 2, 3, 4)
RHO = (-0.95, -0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98)
KAPPA = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
CODES = (0.4, 1.0, 2.0, 4.0, 10.0, 20.0)  # a factor
RATIO = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # codes a sample
D = 5  # factors of the noise
SCENARIO = SETUPS["scores"]


@st.cache_data(show_spinner=False, max_entries=16)
def correlated(d: int, n: int) -> np.ndarray:
    """MCC (kappa, rho) of dense mixtures of correlated factors, a mean over seeds."""
    setting = Setting(factors="correlated", code="mixed", d=d, n=n)
    return glance.over(setting, ("rho", possible(d)), ("kappa", KAPPA), "mcc", SEEDS)


@st.cache_data(show_spinner=False)
def noise() -> tuple[np.ndarray, np.ndarray]:
    """MCC (m/d, m/n) of noise, a mean over seeds, and the samples of each cell."""
    return glance.noise_grid(D, CODES, RATIO, SEEDS)


def show(setting: Setting) -> None:
    """Both diagrams."""
    from core import figures

    st.markdown(
        "**Where MCC says yes for nothing.** Both diagrams are of codes that do not identify their "
        "factors up to permutation. A click on a cell opens it in Explore."
    )
    d, n = min(setting.d, 4), min(setting.n, 1000)
    left, right = st.columns(2, gap="large")
    all_knobs = knobs_of(Setting)
    rho, kappa = all_knobs["rho"], all_knobs["kappa"]
    with left:
        st.markdown(f"**Dense mixtures** of {d} factors, {n:,} samples")
        _diagram(
            "mixtures", (d, n),
            lambda: figures.phase(
                _along(label_of(rho), possible(d)), _along(label_of(kappa), KAPPA),
                correlated(d, n), SCORES["mcc"].title, _cell(setting, d, n), 3.0,
            ),
            lambda across, up: {"factors": "correlated", "code": "mixed", "d": d, "n": n,
                                "rho": across, "kappa": up},
            (_cell(setting, d, n),),
        )  # fmt: skip
        st.caption(
            f"MCC, a mean over {len(SEEDS)} maps. To the right and left factors hang together: MCC "
            "rises though nothing is identified. Upwards the map is less even. Outlined: the "
            "setting in Explore, if it is here."
        )
    with right:
        st.markdown(f"**Noise** that never saw its {D} factors")
        _diagram(
            "noise", (),
            lambda: figures.phase(
                _along("Codes a sample m/n", RATIO),
                _along(label_of(all_knobs["m_over_d"]), CODES),
                noise()[0], SCORES["mcc"].title,
            ),
            lambda across, up: {
                "factors": "independent", "code": "noise", "d": D, "m_over_d": up,
                "n": int(noise()[1][CODES.index(up), RATIO.index(across)]),
            },
            (),
        )  # fmt: skip
        st.caption(
            "MCC, a mean over as many draws. To the right samples get few for so many codes, and "
            "chance alone scores: this is the null. Empty cells have fewer than twenty samples, or "
            "more than a touch allows. A factor without a code counts 0."
        )


def possible(d: int) -> tuple[float, ...]:
    """The correlations that d factors can all have with each other."""
    return tuple(rho for rho in RHO if rho > -1 / (d - 1))


def _cell(setting: Setting, d: int, n: int) -> tuple[int, int] | None:
    """Where a setting lies in the diagram of mixtures, if it is one of its own."""
    own = (setting.factors, setting.code, setting.d, setting.n) == ("correlated", "mixed", d, n)
    if not (own and setting.rho in possible(d) and setting.kappa in KAPPA):
        return None
    return KAPPA.index(setting.kappa), possible(d).index(setting.rho)


def _along(title: str, values: Sequence[float]) -> "Along":
    from core.figures import Along

    return Along(title, [spoken(v) for v in values], [wording(v) for v in values])


def _diagram(
    key: str, of: tuple, make: "Callable[[], Figure]",
    opened: Callable[[float, float], dict[str, Value]], shown: tuple,
) -> None:  # fmt: skip
    def open_cell() -> None:
        for cell in st.session_state[key].selection.get("run", [])[:1]:
            knobs.turn_to(SCENARIO, opened(float(cell["across"]), float(cell["up"])))
            story.show_picture()

    sheet.figure(
        key, "MCC as shaded cells, where two things vary.", make, of=(*of, *shown),
        numbers=f"phase_{key}", on_select=open_cell,
    )  # fmt: skip
