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
MOST_FACTORS, MOST_SAMPLES = 4, 1000  # of the mixtures
TURNED = np.sin(np.pi / 4) / (np.pi / 4)  # mean of cos over -45 to 45 degrees: MCC of a random turn
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
        "Both diagrams are of codes that do not identify their factors up to permutation. A click "
        "on a cell opens it in Explore."
    )
    d, n = min(setting.d, MOST_FACTORS), min(setting.n, MOST_SAMPLES)
    left, right = st.columns(2, gap="large")
    all_knobs = knobs_of(Setting)
    rho, kappa = all_knobs["rho"], all_knobs["kappa"]
    with left:
        st.markdown(f"**MCC says yes to mixtures**: dense ones of {d} factors, {n:,} samples")
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
            "rises though they are not identified up to permutation (up to a linear map they are, "
            "and linear R² is 1). Upwards the map stretches some directions more than others. At κ "
            "= 1 it is a rotation or a reflection: two independent factors, turned at random, get "
            f"{TURNED:.2f} in the mean. Outlined: the setting in Explore, if it is here."
            f"{_capped(setting)}"
        )
    with right:
        st.markdown(f"**MCC of noise is not 0**: codes that never saw their {D} factors")
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
            f"chance alone scores, up to {np.nanmax(noise()[0]):.2f} here: this is the null, and "
            f"far from a yes ({glance.HIGH:g}). Empty cells have fewer than twenty samples, or "
            "more than a touch allows. A factor without a code counts 0."
        )


def _capped(setting: Setting) -> str:
    """Where the setting in Explore has more than the diagram of mixtures shows."""
    if setting.d <= MOST_FACTORS and setting.n <= MOST_SAMPLES:
        return ""
    return (
        f" The diagram has {MOST_FACTORS} factors and {MOST_SAMPLES:,} samples at most, the "
        f"setting in Explore {setting.d} and {setting.n:,}."
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
