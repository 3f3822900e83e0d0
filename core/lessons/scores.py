"""What the page on scores sets up: factors and codes that are made, and what each of them shows."""

from core.scenarios.scenario import Preset, Setup, Value
from core.scores import worlds


def _preset(name: str, title: str, lesson: str, **params: Value) -> Preset:
    return Preset(name, title, lesson, params, seeds=(), further=())


PRESETS = (
    _preset(
        "faked",
        "Correlated factors",
        "Factors of correlation 0.98, and codes that each mix both: MCC says yes, though no code "
        "is a factor.",
        factors="correlated", rho=0.98, code="mixed", kappa=3.0,
        seed=2,
    ),
    _preset(
        "honest",
        "Independent factors",
        "The same mixing of independent factors: MCC falls, and R² is 1 as before. R² cannot see "
        "that codes are mixed.",
        code="mixed", kappa=3.0, seed=2,
    ),
    _preset(
        "rotated",
        "45 degrees",
        "Factors turned by 45 degrees: R² is 1, MCC cos 45° and DCI 0.",
        code="rotated",
    ),
    _preset(
        "stretched",
        "Stretched",
        "Each code is one factor, stretched by a map that only rises: Pearson’s correlation and R² "
        "fall, Spearman’s does not. MIG, in bins of equal width, is unfair.",
        code="distorted", alpha=1.0,
    ),
    _preset(
        "noise",
        "Noise, few samples",
        "Five codes that never saw the five factors, and 50 samples: MCC stands at what chance "
        "gives.",
        code="noise", d=5, m_over_d=1.0, n=50,
    ),
    _preset(
        "in-sample",
        "In sample",
        "Forty-eight codes of noise, 50 samples: R² of the points that fit its map comes near 1, "
        "held out it is far below 0.",
        code="noise", d=5, m_over_d=9.6, n=50,
    ),
    _preset(
        "overcomplete",
        "Too many codes",
        "Twelve codes, each a mixture of both factors: a regression picks a few of them, and DCI "
        "takes them for pure.",
        code="overcomplete", m_over_d=6.0, kappa=1.0,
    ),
    _preset(
        "copies",
        "Copies",
        "Each factor twice: nothing is lost and nothing mixed, yet MIG, which wants one code a "
        "factor, says no.",
        code="copies", m_over_d=2.0,
    ),
    _preset(
        "permuted",
        "As promised",
        "Another order, other scales, mirrored: every score that allows for that says yes. "
        "Orthogonal R², with one scale for all, says no.",
        code="permuted", seed=5,
    ),
)  # fmt: skip

LESSON = Setup(
    name="scores",
    title="How far to trust a score",
    Params=worlds.Setting,
    notices=worlds.notices,
    presets=PRESETS,
    front=("factors", "rho", "code", "kappa", "m_over_d", "n"),
    start={"factors": "correlated", "rho": 0.98, "kappa": 3.0, "seed": 2},
)
