"""Factors and codes that are made, not learnt: what each code deserves is known by construction.

The kinds of factors (D1 to D4) and of codes (E1 to E10) are those of Joshi et al. 2026 (arXiv
2602.24278), drawn by formulas of this project; a plain rotation is added.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import ValidationInfo, field_validator

from core.scenarios.scenario import Notice, Params, knob

Array = np.ndarray
Factors = Literal["independent", "correlated", "copied", "dependent"]
Codes = Literal[
    "permuted", "distorted", "rotated", "mixed", "undercomplete", "copies", "several",
    "overcomplete", "waves", "noise", "uniform-noise",
]  # fmt: skip
MOST_NUMBERS = 1_000_000  # samples times codes times factors, so that all scores come at once
Draw = Callable[[Array, "Setting", np.random.Generator], Array]


class Setting(Params):
    """Factors, codes and how many samples there are of them."""

    factors: Factors = knob(
        "independent",
        "independent: normal. correlated: all pairs alike. copied: the second is a noisy copy of "
        "the first. dependent: the last is a noisy sum of the others.",
        label="Factors",
        unit="law of z",
    )
    rho: float = knob(
        0.8,
        "How strongly factors hang together.",
        label="Correlation",
        symbol=r"\rho",
        ge=-0.99,
        le=0.99,
        unit="correlation",
    )
    code: Codes = knob(
        "mixed",
        "What stands for the encoder: a known map of the factors, or noise that ignores them.",
        label="Code",
        unit="kind of map",
    )
    alpha: float = knob(
        1.0,
        "How far each factor is stretched towards its ends (a share of its cube): 0 not at all.",
        label="Distortion",
        symbol=r"\alpha",
        ge=0,
        le=1,
        unit="share",
    )
    kappa: float = knob(
        5.0,
        "Largest over smallest singular value of the mixing, 1 for a rotation; no concentration.",
        label="Condition number",
        symbol=r"\kappa",
        scale="log",
        ge=1,
        le=100,
        unit="ratio",
    )
    m_over_d: float = knob(
        2.0,
        "Codes for each factor, where a code has more (or fewer) dimensions than the factors.",
        label="Codes a factor",
        symbol="m/d",
        advanced=True,
        scale="log",
        ge=0.2,
        le=20,
        unit="ratio",
    )
    d: int = knob(
        2, "Dimensions of z.", label="Number of factors", symbol="d", ge=2, le=10, unit="count"
    )
    n: int = knob(
        1000,
        "Samples that scores are computed from.",
        label="Samples",
        symbol="n",
        scale="log",
        ge=20,
        le=10_000,
        unit="samples",
    )
    seed: int = knob(0, "Of factors, code and samples.", label="Seed", advanced=True, ge=0, le=299,
                     unit="number")  # fmt: skip

    @field_validator("n")
    @classmethod
    def _enough_and_not_too_many(cls, n: int, info: ValidationInfo) -> int:
        if not {"code", "m_over_d", "d"} <= info.data.keys():
            return n  # one of them was refused, which is said already
        code, d = info.data["code"], info.data["d"]
        codes = codes_of(code, d, info.data["m_over_d"])
        if codes > n:
            raise ValueError(f"must be at least the {codes} codes")
        if n > (most := MOST_NUMBERS // (codes * d)):
            raise ValueError(f"may be at most {most} here: more would take longer than a touch")
        return n

    def inactive(self) -> frozenset[str]:
        """What the factors and the code do not read."""
        kind = KINDS[self.code]
        off = {name for name in ("alpha", "kappa", "m_over_d") if name not in kind.reads}
        return frozenset(off | ({"rho"} if self.factors == "independent" else set()))

    @property
    def codes(self) -> int:
        """Dimensions of the code."""
        return codes_of(self.code, self.d, self.m_over_d)


@dataclass(frozen=True)
class Kind:
    """A kind of code: how it is drawn, which knobs it reads, and the classes it deserves.

    `linear`: factors come back by a linear map, `orthogonal`: by a scaled orthogonal one.
    `permutation`: each factor is one code, scaled. `monotone`: each factor is one code, by a map
    that only rises or only falls. `single`: each code depends on one factor, and on nothing else.
    """

    draw: Draw
    words: str
    reads: tuple[str, ...] = ()
    linear: Callable[[Setting], bool] = lambda s: False
    orthogonal: Callable[[Setting], bool] = lambda s: False
    permutation: Callable[[Setting], bool] = lambda s: False
    monotone: Callable[[Setting], bool] = lambda s: False
    single: bool = False


def codes_of(code: Codes, d: int, m_over_d: float) -> int:
    """Dimensions of a code of d factors."""
    if "m_over_d" not in KINDS[code].reads:
        return 2 * d if code == "waves" else d
    share = min(m_over_d, 1) if code == "undercomplete" else m_over_d
    most = d - 1 if code == "undercomplete" else 20 * d
    least = 1 if code in ("undercomplete", "noise", "uniform-noise") else d
    return int(np.clip(round(share * d), least, most))


def factors(setting: Setting, rng: np.random.Generator) -> Array:
    """z (n, d), every factor normal of mean 0 and deviation 1."""
    z = rng.standard_normal((setting.n, setting.d))
    rho, rest = setting.rho, np.sqrt(1 - setting.rho**2)
    if setting.factors == "correlated":
        rho = rho_in_force(setting)
        square = np.full((setting.d, setting.d), rho) + (1 - rho) * np.eye(setting.d)
        return z @ np.linalg.cholesky(square).T
    if setting.factors == "copied":
        z[:, 1] = rho * z[:, 0] + rest * z[:, 1]
    if setting.factors == "dependent":
        z[:, -1] = rho * z[:, :-1].sum(1) / np.sqrt(setting.d - 1) + rest * z[:, -1]
    return z


def rho_in_force(setting: Setting) -> float:
    """The correlation in force: d factors cannot all have less than -1/(d - 1) with each other."""
    return max(setting.rho, -0.99 / (setting.d - 1))


def drawn(setting: Setting) -> tuple[Array, Array]:
    """Factors z (n, d) and codes z_hat (n, m) of a setting, the same for the same seed.

    The map has a stream of its own, so that more samples are more of the same code.
    """
    of_map, of_factors = np.random.default_rng(setting.seed).spawn(2)
    z = factors(setting, of_factors)
    return z, KINDS[setting.code].draw(z, setting, of_map)


def stretched(x: Array, alpha: float) -> Array:
    """A map of each factor that rises everywhere: a share of its cube."""
    return (1 - alpha) * x + alpha * x**3


def _turned(d: int) -> Array:
    """Rotation by 45 degrees in the plane of each factor and the next, for d = 2 the one."""
    turn = np.eye(d)
    for i, j in pairwise(range(d)):
        plane = np.eye(d)
        plane[np.ix_([i, j], [i, j])] = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
        turn = turn @ plane
    return turn


def _orthogonal(d: int, rng: np.random.Generator) -> Array:
    from scipy.stats import ortho_group  # takes a while to import, and pages open without it

    return ortho_group.rvs(d, random_state=rng) if d > 1 else np.ones((1, 1))


def _mixing(rows: int, columns: int, kappa: float, rng: np.random.Generator) -> Array:
    """(rows, columns) of full rank, singular values even in logarithm from 1 to 1/kappa."""
    rank = min(rows, columns)
    left, right = _orthogonal(rows, rng)[:, :rank], _orthogonal(columns, rng)[:rank]
    return left * np.geomspace(1, 1 / kappa, rank) @ right


def _order(d: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """A permutation, and signed scales."""
    return rng.permutation(d), rng.uniform(0.5, 2, d) * rng.choice([-1, 1], d)


def _permuted(z: Array, s: Setting, rng: np.random.Generator) -> Array:
    order, scale = _order(s.d, rng)
    return z[:, order] * scale


def _several(z: Array, s: Setting, rng: np.random.Generator) -> Array:
    """Each factor in turn, ever more stretched from copy to copy."""
    m = s.codes
    strength = s.alpha * (1 + np.arange(m) // s.d) / np.ceil(m / s.d)
    return np.stack([stretched(z[:, i % s.d], a) for i, a in enumerate(strength)], 1)


def _copies(z: Array, s: Setting, rng: np.random.Generator) -> Array:
    scale = rng.uniform(0.5, 2, s.codes) * rng.choice([-1, 1], s.codes)
    return z[:, np.arange(s.codes) % s.d] * scale


def _always(setting: Setting) -> bool:
    return True


def _never(setting: Setting) -> bool:
    return False


def _even(setting: Setting) -> bool:
    return setting.kappa == 1


def _straight(setting: Setting) -> bool:
    return setting.alpha == 0


def _straight_or_twice(setting: Setting) -> bool:
    """Two codes of a factor, stretched otherwise, have the factor as a combination."""
    return setting.alpha == 0 or setting.codes >= 2 * setting.d


KINDS: dict[Codes, Kind] = {
    "permuted": Kind(_permuted, "the factors in another order, scaled and mirrored",
                     (), _always, _never, _always, _always, True),
    "distorted": Kind(lambda z, s, rng: _permuted(stretched(z, s.alpha), s, rng),
                      "each factor stretched by a map that only rises", ("alpha",),
                      _straight, _never, _straight, _always, True),
    "rotated": Kind(lambda z, s, rng: z @ _turned(s.d).T, "the factors turned by 45 degrees",
                    (), _always, _always),
    "mixed": Kind(lambda z, s, rng: z @ _mixing(s.d, s.d, s.kappa, rng).T,
                  "a dense linear map of the factors", ("kappa",), _always,
                  _even),
    "undercomplete": Kind(lambda z, s, rng: _permuted(z, s, rng)[:, : s.codes],
                          "some of the factors, the others lost", ("m_over_d",), single=True),
    "copies": Kind(_copies, "each factor several times, scaled", ("m_over_d",), _always, _never,
                   _always, _always, True),
    "several": Kind(_several, "each factor several times, each time stretched otherwise",
                    ("m_over_d", "alpha"), _straight_or_twice, _never, _straight, _always,
                    True),
    "overcomplete": Kind(lambda z, s, rng: z @ _mixing(s.codes, s.d, s.kappa, rng).T,
                         "a dense linear map into more dimensions", ("m_over_d", "kappa"), _always,
                         _even),
    "waves": Kind(lambda z, s, rng: np.concatenate([np.sin(z), np.cos(z)], 1),
                  "sine and cosine of each factor", single=True),
    "noise": Kind(lambda z, s, rng: rng.standard_normal((len(z), s.codes)),
                  "normal noise that ignores the factors", ("m_over_d",)),
    "uniform-noise": Kind(lambda z, s, rng: rng.uniform(-1, 1, (len(z), s.codes)),
                          "uniform noise that ignores the factors", ("m_over_d",)),
}  # fmt: skip


def words_of(setting: Setting) -> str:
    """What the code is."""
    said = KINDS[setting.code].words
    if setting.code == "rotated" and setting.d > 2:
        said += ", in the plane of each and the next, one turn after another"
    return said


def notices(setting: Setting) -> tuple[Notice, ...]:
    """What there is to know of a setting before reading its scores."""
    found = []
    if setting.factors == "correlated" and rho_in_force(setting) > setting.rho:
        text = (
            f"{setting.d} factors cannot all have a correlation of {setting.rho:g}: "
            f"{rho_in_force(setting):.2f} is used."
        )
        found.append(Notice("rho", text))
    if "m_over_d" in KINDS[setting.code].reads:
        wanted = round(setting.m_over_d * setting.d)
        if setting.codes != wanted:
            text = f"This kind of code has {setting.codes} dimensions here, not {wanted}."
            found.append(Notice("m_over_d", text))
    return tuple(found)
