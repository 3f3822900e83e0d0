"""Nonlinear ICA from an auxiliary variable (Hyvarinen and Morioka 2016): parameters and promise."""

from itertools import pairwise
from typing import Literal

from core.laws.spaces import Box, Flat
from core.scenarios.knobs import (
    MIXING_LAYERS,
    WIDTH,
    batch_knob,
    depth_knob,
    rate_knob,
    steps_knob,
    whiten_knob,
)
from core.scenarios.scenario import (
    Assumption,
    Notice,
    Params,
    Promise,
    Scenario,
    knob,
    lacking,
    missing,
)

REACH = {"scale": 6.0, "location": 4.0}  # how far the lines go that pictures draw of the sources


class Auxiliary(Params):
    """Sources that an auxiliary variable u modulates, mixed by g; an encoder that is told x and u.

    s_i = scale_i(u) e_i, or location_i(u) + e_i, with independent e_i and u uniform on E segments.
    """

    method: Literal["tcl", "gcl"] = knob(
        "tcl",
        "tcl: tell which segment x is from. gcl: tell real pairs of x and u from x with any u. "
        "Both by a linear head on the code.",
        label="Method",
        unit="what is minimised",
    )
    d: int = knob(
        2,
        "How many sources there are, and codes.",
        label="Sources",
        symbol="d",
        ge=2,
        le=8,
        unit="dimensions",
    )
    n_segments: int = knob(
        16,
        "Values that the auxiliary variable u takes. Theory asks for one more than sources.",
        label="Segments",
        symbol="E",
        ge=2,
        le=48,
        unit="values of u",
    )
    modulation: Literal["free", "shared", "equal"] = knob(
        "free",
        "free: each source has its own. shared: one for all sources. equal: the same in every "
        "segment.",
        label="Modulation",
        unit="of the sources by u",
    )
    law: Literal["laplace", "gauss"] = knob(
        "laplace",
        "The law of the sources in a segment.",
        label="Law",
        symbol=r"p(s_i \mid u)",
        unit="family",
    )
    modulated: Literal["scale", "location"] = knob(
        "scale",
        "What of a source's law depends on u: how wide it is, or where it lies.",
        label="What u moves",
        unit="of each law",
    )
    code: Literal["free", "even"] = knob(
        "free",
        "free: what the network gives. even: its absolute value, or its square for normal sources, "
        "which a source shares with its mirror image.",
        label="Code",
        advanced=True,
        unit="kind",
    )
    contrast: float = knob(
        10.0,
        "Largest over smallest scale that a source can have; locations lie as far apart as the "
        "scales' logarithms.",
        label="Contrast",
        advanced=True,
        batched=True,
        scale="log",
        ge=1.1,
        le=100,
        unit="times",
    )
    head_scale: float = knob(
        0.0,
        "Size of the classifier's weights at the start. A classifier at random can turn a code "
        "upside down.",
        label="Classifier at the start",
        advanced=True,
        batched=True,
        ge=0,
        le=3,
        unit="times 1/√d",
    )
    mixing_layers: int = MIXING_LAYERS
    width: int = WIDTH
    depth: int = depth_knob(2)
    whiten: bool = whiten_knob(True)
    batch: int = batch_knob(512, "Observations a step.", "observations")
    steps: int = steps_knob(1500, le=20_000)
    learning_rate: float = rate_knob(3e-2, le=0.3)

    def inactive(self) -> frozenset[str]:
        """A modulation that is the same everywhere has no contrast, and s itself is not even."""
        return frozenset(
            {*({"contrast"} if self.modulation == "equal" else ()),
             *({"code"} if self.modulated == "location" else ())}
        )  # fmt: skip

    @property
    def whole(self) -> bool:
        """No map of sources has a degree."""
        return False

    @property
    def even(self) -> bool:
        """Whether the sufficient statistic is an even function, |s| or s^2."""
        return self.modulated == "scale"

    @property
    def folded(self) -> bool:
        """Whether codes are made even, as the statistic is."""
        return self.even and self.code == "even"

    @property
    def exponential(self) -> bool:
        """Whether laws are of an exponential family with one statistic: a Laplace shift is not."""
        return self.even or self.law == "gauss"

    @property
    def statistic(self) -> str:
        """The sufficient statistic q, in plain letters."""
        if not self.even:
            return "s"
        return "|s|" if self.law == "laplace" else "s²"

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What the theorem asks of a setting."""
        return ASSUMPTIONS

    @property
    def promised(self) -> str:
        """The score that stands for the theorem: of each source by itself, or of a linear map."""
        return "mcc" if self.even else "linear_r2"

    @property
    def flat(self) -> Flat:
        """The part of the sources' space whose lines are drawn: one sign where q is even."""
        reach = REACH[self.modulated]
        return Box(self.d, 0.0, reach) if self.even else Flat(self.d, -reach, reach)


ENOUGH = Assumption(
    "n_segments",
    "one segment more than sources",
    lambda p: p.n_segments > p.d,
    lambda p: (
        f"{p.n_segments} segments for {p.d} sources: {p.n_segments - 1} differences of "
        f"segments span no more than so many directions, and theory asks for all {p.d}."
    ),
)
OWN = Assumption(
    "modulation",
    "a modulation of its own for every source",
    lambda p: p.modulation == "free",
    lambda p: (
        "Every segment is like every other: there is nothing to be learnt."
        if p.modulation == "equal"
        else "All sources change together: segments differ in one direction, the statistics' sum."
    ),
)
FAMILY = Assumption(
    "law",
    "an exponential family with one statistic a source",
    lambda p: p.exponential,
    lambda p: "A Laplace law that is shifted has no sufficient statistic of fixed size.",
)
EVEN = Assumption(
    "modulated",
    "a statistic that is not monotone",
    lambda p: p.even,
    lambda p: (
        "The statistic of a shifted normal is s itself, and every segment has the same "
        "covariance: the sources come back up to a linear map, and no linear ICA can undo it."
        if p.exponential
        else ""
    ),
)
ASSUMPTIONS = (ENOUGH, OWN, FAMILY)


def notices(params: Auxiliary) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    return tuple(lacking((*ASSUMPTIONS, EVEN), params))


def work(params: Auxiliary) -> float:
    """Floating-point operations of one run: its updates, looks and the linear ICA at each."""
    layers = [params.d, *[params.width] * params.depth, params.d, params.n_segments]
    size = sum(a * b for a, b in pairwise(layers))
    observed = 32 * 2000 + 3 * 8192
    networks = 2 if params.method == "gcl" else 1
    return params.steps * networks * (6.0 * params.batch * size + 1e7) + 2.0 * observed * size + 1e9


def promise(params: Auxiliary) -> Promise:
    """q(s) up to an affine map, and one by one where the statistic is even."""
    q = params.statistic
    lacks = tuple(each.words for each in missing(ASSUMPTIONS, params))
    tcl = params.method == "tcl"
    source = (
        "Hyvärinen and Morioka 2016, Theorem 1"
        if tcl
        else "Hyvärinen, Sasaki and Turner 2019, Theorem 3"
    )
    if not params.even:
        return Promise(
            up_to="linear",
            score=params.promised,
            promised=("linear_r2",),
            statement="A minimiser finds the sources up to an invertible affine map.",
            source=source,
            bound=0.95,
            missing=lacks,
        )
    return Promise(
        up_to="permutation",
        score=params.promised,
        promised=("mcc", "linear_r2"),
        statement=f"A minimiser finds {q} of the sources up to an affine map, and linear ICA each "
        "of them by itself; the sign of a source is not found.",
        source=f"{source}{' and Corollary 1' if tcl else ''}",
        bound=0.97,
        missing=lacks,
    )


def marks(params: Auxiliary, field: str) -> dict[str, float]:
    """Where theory's counting condition lies on a sweep of the segments."""
    return {"d + 1 segments": params.d + 1.0} if field == "n_segments" else {}


SCENARIO = Scenario(
    name="auxiliary",
    title="Auxiliary variable",
    Params=Auxiliary,
    version=1,
    promise=promise,
    scores=("mcc", "mcc_spearman", "linear_r2"),
    notices=notices,
    work=work,
    marks=marks,
)
