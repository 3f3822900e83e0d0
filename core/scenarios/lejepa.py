"""LeJEPA on known worlds: close views, codes that are Gaussian or white, and what they recover.

Klindt, LeCun, Balestriero, "When Does LeJEPA Learn a World Model?", 2026 (arXiv 2605.26379): two
views of latents are aligned while their codes are kept Gaussian. With Gaussian latents the codes
are the latents, turned.
"""

from itertools import pairwise
from typing import Literal

from core.laws.spaces import Flat
from core.scenarios.knobs import WIDTH, batch_knob, depth_knob, rate_knob, steps_knob, whiten_knob
from core.scenarios.scenario import (
    Assumption,
    Notice,
    Params,
    Promise,
    Scenario,
    Value,
    knob,
    lacking,
    missing,
)

REACH = 2.0  # of the grid that is drawn, in standard deviations
PLANAR = ("spiral", "banana", "sinusoid")  # mixings of two latents
LAYERED = ("coupling", "network")
WEIGHTS = {"sigreg": 0.008, "whiten": 0.1}
PLANE, SPACE = 8, 64  # projections in two dimensions, and in more
KNOTS = 17  # of the quadrature over a characteristic function
SIGMA = 1.0  # of InfoNCE's similarity
DEGREES = tuple(range(1, 7))  # of the spectrum
SHARES = tuple(f"degree_share_{k}" for k in DEGREES)


class LeJEPA(Params):
    """Latents of unit variance, a second view close by, and a code kept Gaussian or white."""

    law: Literal["gaussian", "gennorm"] = knob(
        "gaussian",
        "The latents' own law, coordinate by coordinate, of variance 1.",
        label="Latents' law",
        symbol="p(z)",
        unit="family",
    )
    shape: float = knob(
        1.0,
        "Exponent of the generalised normal: 1 is Laplace, 2 Gaussian, large nearly uniform.",
        label="Shape",
        symbol=r"\alpha",
        batched=True,
        scale="log",
        ge=0.5,
        le=16,
        unit="exponent",
    )
    transition: Literal["channel", "diffusion"] = knob(
        "channel",
        "channel: the second view is ρ z plus fresh noise of the same law. diffusion: it follows a "
        "drift along the law's score, which keeps the law.",
        label="Transition",
        symbol=r"p(\tilde z \mid z)",
        unit="of the second view",
    )
    rho: float = knob(
        0.95,
        "Correlation of the two views' latents; of a diffusion that of Gaussian latents in the "
        "same time.",
        label="Correlation",
        symbol=r"\rho",
        batched=True,
        ge=0.1,
        le=0.999,
        unit="of views",
    )
    mixing: Literal["spiral", "banana", "sinusoid", "coupling", "network"] = knob(
        "spiral",
        "How g hides the latents. spiral: turned by π |z|. banana: bent by a square. sinusoid: "
        "sheared by a sine. coupling: layers that shear by tanh. network: the invertible network "
        "of the other pages.",
        label="Mixing",
        symbol="g",
        unit="of the latents",
    )
    objective: Literal["sigreg", "whiten", "infonce"] = knob(
        "sigreg",
        "What keeps codes apart beside alignment. sigreg: their projections should be standard "
        "normal. whiten: their covariance should be the identity. infonce: other pairs' codes.",
        label="Objective",
        unit="what is minimised",
    )
    reg_weight: float | None = knob(
        None,
        "Share of the regulariser in the loss; alignment has the rest.",
        label="Regulariser's weight",
        symbol=r"\lambda",
        advanced=True,
        batched=True,
        scale="log",
        none=f"{WEIGHTS['sigreg']:g}, of whitening {WEIGHTS['whiten']:g}",
        ge=1e-6,
        le=0.999,
        unit="share",
    )
    projections: int | None = knob(
        None,
        "Directions a step in which codes are held against a normal law.",
        label="Projections",
        advanced=True,
        none=f"{PLANE} in two dimensions, {SPACE} in more",
        scale="doubling",
        ge=1,
        le=1024,
        unit="directions",
    )
    d: int = knob(
        2,
        "Number of latents.",
        label="Latent dimension",
        symbol="d",
        advanced=True,
        ge=2,
        le=20,
        unit="dimensions",
    )
    mixing_layers: int = knob(
        3,
        "Layers of a coupling or a network. 0 shows the latents.",
        label="Mixing layers",
        advanced=True,
        ge=0,
        le=5,
        unit="layers",
    )
    activation: Literal["silu", "leaky"] = knob(
        "silu",
        "Between the encoder's layers. silu: smooth. leaky: piecewise linear, as on other pages.",
        label="Activation",
        advanced=True,
        unit="of f",
    )
    initialisation: Literal["skip", "standard"] = knob(
        "skip",
        "skip: a linear path beside the layers, so that f starts one to one. standard: none.",
        label="Initialisation",
        advanced=True,
        unit="how f starts",
    )
    whiten: bool = whiten_knob(False)
    width: int = WIDTH
    depth: int = depth_knob(4)
    batch: int = batch_knob(512, "Pairs of views a step.", "pairs")
    steps: int = steps_knob(2400, le=100_000)
    learning_rate: float = rate_knob(1.5e-2, le=0.3)

    def inactive(self) -> frozenset[str]:
        """A Gaussian has no shape, a formula no layers, and InfoNCE no regulariser."""
        off = set[str]()
        if self.law == "gaussian":
            off.add("shape")
        if self.objective == "infonce":
            off.add("reg_weight")
        if self.objective != "sigreg":
            off.add("projections")
        if self.mixing not in LAYERED:
            off.add("mixing_layers")
        return frozenset(off)

    def unsaid(self) -> dict[str, Value]:
        """As in `Params`: the weight of this regulariser, and its directions."""
        weight: dict[str, Value] = (
            {} if self.objective == "infonce" else {"reg_weight": WEIGHTS[self.objective]}
        )
        return {**weight, "projections": PLANE if self.d == 2 else SPACE}

    @property
    def unsupervised(self) -> bool:
        """Always: codes are told nothing of z."""
        return True

    @property
    def whole(self) -> bool:
        """No map of a flat space has a degree."""
        return False

    @property
    def flat(self) -> Flat:
        """Where latents live."""
        return Flat(self.d, -REACH, REACH)

    @property
    def exponent(self) -> float:
        """Of the latents' law, whose density is proportional to exp(-(|z| / scale)^exponent)."""
        return 2.0 if self.law == "gaussian" else self.shape

    @property
    def gaussian(self) -> bool:
        """Whether the latents' law is."""
        return self.exponent == 2

    @property
    def stationary(self) -> bool:
        """Whether the second view has the first one's law."""
        return self.gaussian or self.transition == "diffusion"

    @property
    def weight(self) -> float:
        """The regulariser's share in force; 0 where there is none."""
        if self.objective == "infonce":
            return 0.0
        return WEIGHTS[self.objective] if self.reg_weight is None else self.reg_weight

    @property
    def directions(self) -> int:
        """How many projections a step are in force."""
        return self.projections or (PLANE if self.d == 2 else SPACE)


GAUSSIAN = Assumption(
    "law", "Gaussian latents", lambda p: p.gaussian,
    lambda p: "With latents that are not Gaussian, the functions that change least are not the "
    "linear ones.",
)  # fmt: skip
ALIGNED = Assumption(
    "objective", "codes that are aligned while kept Gaussian or white",
    lambda p: p.objective != "infonce",
    lambda p: "InfoNCE's similarity −|u − v|² / 2 can equal the log density ratio only as ρ → 1, "
    "where it is as linear.",
)  # fmt: skip
ASSUMPTIONS = (GAUSSIAN, ALIGNED)


def notices(params: LeJEPA) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    found = lacking(ASSUMPTIONS, params)
    if not params.stationary:
        found.append(
            Notice(
                "transition",
                "ρ z plus noise of the same law does not have the law of z, unless that is "
                "Gaussian: the second view's law is another. A diffusion keeps it.",
            )
        )
    if params.mixing in PLANAR and params.d > 2:
        odd = " and sees the last as it is" if params.d % 2 else ""
        found.append(Notice("mixing", f"It hides latents two by two{odd}."))
    return tuple(found)


def work(params: LeJEPA) -> float:
    """Floating-point operations of one run: f forward and backward, and the regulariser's."""
    sizes = [params.d, *[params.width] * params.depth, params.d]
    layers = sum(a * b for a, b in pairwise(sizes))
    each = {"sigreg": params.directions * KNOTS * 4, "whiten": params.d**2,
            "infonce": params.batch * params.d}[params.objective]  # fmt: skip
    return params.steps * 12.0 * params.batch * (layers + each)


def silent(params: LeJEPA) -> dict[str, str]:
    """Scores that say nothing of a setting, each with the reason."""
    if params.objective == "infonce":
        told = "of codes held to the latents’ size"
        return {"procrustes_bound": told, "procrustes_error": told}
    return {} if params.exponent == 2 else {"procrustes_bound": "for Gaussian latents"}


def promise(params: LeJEPA) -> Promise:
    """What the theorem promises of Gaussian latents, and which assumption a setting lacks."""
    return Promise(
        up_to="orthogonal",
        score="linear_r2",
        promised=("linear_r2", "orthogonal_r2"),
        statement="Codes that change least among white or Gaussian ones are the latents, turned or "
        "mirrored.",
        source="Klindt, LeCun and Balestriero 2026",
        missing=tuple(each.words for each in missing(ASSUMPTIONS, params)),
        silent=silent(params),
    )


SCENARIO = Scenario(
    name="lejepa",
    title="LeJEPA",
    Params=LeJEPA,
    version=1,
    promise=promise,
    scores=("linear_r2", "orthogonal_r2", "degree_share_1", "procrustes_error"),
    notices=notices,
    work=work,
)
