"""InfoNCE in a box or in R^d: contrastive learning finds the axes, where the norm or walls do.

Zimmermann, Sharma, Schneider, Bethge, Brendel, ICML 2021 (arXiv 2102.08850), the second half:
convex bodies and Lp metrics. A scenario of its own, since half of its parameters mean nothing on
a sphere, and half of the sphere's nothing here.
"""

from itertools import pairwise
from typing import Literal

from core.laws.law import Law
from core.laws.spaces import Box, Flat
from core.scenarios.knobs import (
    DEPTH,
    MIXING_LAYERS,
    OBJECTIVE,
    PAIRS,
    WIDTH,
    negatives_knob,
    norm_knob,
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
    Value,
    knob,
    lacking,
    missing,
)

LOW, HIGH = 0.0, 1.0  # of the box, as in the paper
REACH = 2.0  # of the grid that is drawn of R^d, in units of the marginal's spread
CONTRASTIVE = ("conditional", "spread", "shape", "model_space", "p", "tau", "bound_start",
               "negatives")  # fmt: skip


class InfoNCEBox(Params):
    """Latents in a box or R^d, positives by independent noise, an Lp similarity in the model."""

    space: Literal["box", "unbounded"] = knob(
        "box",
        "Where latents live. box: [0, 1]^d, with walls. unbounded: all of R^d.",
        label="World's space",
        unit="of the latents",
    )
    conditional: Literal["laplace", "normal", "gennorm"] = knob(
        "laplace",
        "The law of a positive around its anchor, coordinate by coordinate, cut off at the walls.",
        label="Conditional",
        symbol=r"p(\tilde z \mid z)",
        unit="family",
    )
    model_space: Literal["box", "unbounded", "sphere"] = knob(
        "box",
        "Where codes live. box: between 0 and sides that are learnt. unbounded: anywhere. "
        "sphere: of unit length.",
        label="Model's space",
        unit="of the codes",
    )
    p: int = norm_knob(3)
    bound_start: float = knob(
        1.0,
        "Side of the model's box at the start, as a share of the one that matches the world. Small "
        "sides press the codes against the walls.",
        label="Bound at the start",
        symbol="b_0",
        batched=True,
        scale="log",
        ge=0.01,
        le=4,
        unit="share of the matched side",
    )
    d: int = knob(
        2,
        "Number of latents.",
        label="Latent dimension",
        symbol="d",
        ge=2,
        le=20,
        unit="dimensions",
    )
    spread: float = knob(
        0.05,
        "Scale of the noise between anchor and positive; of a normal its standard deviation.",
        label="Noise scale",
        symbol=r"\lambda",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.005,
        le=5,
        unit="in latent units",
    )
    shape: float = knob(
        3.0,
        "Exponent of the generalised normal: 1 is Laplace, 2 normal.",
        label="Shape",
        symbol=r"\beta",
        advanced=True,
        batched=True,
        ge=1,
        le=10,
        unit="exponent",
    )
    marginal: Literal["uniform", "normal", "laplace"] = knob(
        "uniform",
        "The latents' own law. R^d has no uniform law: there it stands for a normal one.",
        label="Marginal",
        symbol="p(z)",
        advanced=True,
        unit="family",
    )
    marginal_spread: float = knob(
        1.0,
        "Scale of a marginal that is not uniform, around the middle.",
        label="Marginal scale",
        symbol=r"\lambda_m",
        advanced=True,
        scale="log",
        ge=0.05,
        le=5,
        unit="in latent units",
    )
    tau: float | None = knob(
        None,
        "The model's temperature.",
        label="Model temperature",
        symbol=r"\tau",
        advanced=True,
        batched=True,
        scale="log",
        none="λᵖ, which matches the world's scale (√2 λ for a normal)",
        ge=1e-6,
        le=100,
        unit="temperature",
    )
    objective: Literal["contrastive", "supervised"] = OBJECTIVE
    negatives: Literal["views", "anchors"] = negatives_knob("anchors")
    initialisation: Literal["identity", "standard"] = knob(
        "identity",
        "identity: a linear skip path and zero biases. standard: PyTorch's default.",
        label="Initialisation",
        advanced=True,
        unit="how f starts",
    )
    whiten: bool = whiten_knob(True)
    mixing_layers: int = MIXING_LAYERS
    width: int = WIDTH
    depth: int = DEPTH
    batch: int = PAIRS
    steps: int = steps_knob(400, le=300_003)
    learning_rate: float = rate_knob(6e-3, le=0.3)

    def inactive(self) -> frozenset[str]:
        """A supervised encoder sees no pairs; what a law or a model does not read has no effect."""
        off = set(CONTRASTIVE if self.objective == "supervised" else ())
        if self.marginal_family == "uniform":
            off.add("marginal_spread")
        if self.conditional != "gennorm":
            off.add("shape")
        if self.model_space != "box":
            off.add("bound_start")
        return frozenset(off)

    def unsaid(self) -> dict[str, Value]:
        """As in `Params`; R^d has one law that stands for the uniform one."""
        normal: dict[str, Value] = {"marginal": "normal"} if self.space == "unbounded" else {}
        return {"tau": self.matched_tau, **normal}

    @property
    def unsupervised(self) -> bool:
        """Whether pairs are all there is to learn from."""
        return self.objective == "contrastive"

    @property
    def whole(self) -> bool:
        """No map of a flat space has a degree."""
        return False

    @property
    def free_rotation(self) -> int:
        """With p = 2 and no walls codes know no axes."""
        no_axes = self.p == 2 and self.model_space == "unbounded"
        return self.d if self.unsupervised and no_axes else 0

    @property
    def flat(self) -> Flat:
        """Where latents live."""
        if self.space == "box":
            return Box(self.d, LOW, HIGH)
        reach = REACH * self.marginal_spread
        return Flat(self.d, -reach, reach)

    @property
    def walls(self) -> tuple[float, float] | None:
        """What confines every coordinate."""
        return (LOW, HIGH) if self.space == "box" else None

    @property
    def law(self) -> Law:
        """How a positive lies around its anchor."""
        return Law(self.conditional, spread=self.spread, shape=self.shape, project=False,
                   walls=self.walls)  # fmt: skip

    @property
    def marginal_family(self) -> str:
        """The latents' own law by name: R^d has no uniform one."""
        unbounded = self.space == "unbounded" and self.marginal == "uniform"
        return "normal" if unbounded else self.marginal

    @property
    def marginal_law(self) -> Law | None:
        """How latents lie around the middle, None for the uniform law."""
        if self.marginal_family == "uniform":
            return None
        return Law(self.marginal_family, spread=self.marginal_spread, project=False,
                   walls=self.walls)  # fmt: skip

    @property
    def exponent(self) -> float:
        """Of the noise, whose density is exp(-(|e|/scale)^exponent)."""
        return self.law.generalised[0]

    @property
    def matched_tau(self) -> float:
        """The temperature at which codes of the latents' own size have the world's scale."""
        return float(self.law.generalised[1] ** self.p)

    @property
    def model_tau(self) -> float:
        """The temperature in force."""
        return self.matched_tau if self.tau is None else self.tau

    @property
    def matched_side(self) -> float:
        """Side of the model's box at which codes have the world's scale at this temperature."""
        return float((self.model_tau / self.matched_tau) ** (1 / self.p) * (HIGH - LOW))


UNSUPERVISED = Assumption(
    "objective",
    "codes that were not trained on z",
    lambda p: p.objective == "contrastive",
    lambda p: "The encoder was told z itself: a baseline, not a finding.",
)
BODY = Assumption(
    "space",
    "a convex body, such as the box, for latents and codes",
    lambda p: p.space == "box" and p.model_space == "box",
    lambda p: "The theorem asks for a bounded convex body on both sides; this setting has none.",
)
UNIFORM = Assumption(
    "marginal",
    "a uniform marginal",
    lambda p: p.marginal_family == "uniform",
    lambda p: "The theorem asks for latents that fill the box evenly.",
)


def _other_norm(params: InfoNCEBox) -> str:
    return (
        f"The world's noise has exponent {params.exponent:g}, the model's distance p = {params.p}: "
        "the model cannot equal the true posterior."
    )


SAME_NORM = Assumption(
    "p", "the world's own exponent in the model", lambda p: p.p == p.exponent, _other_norm
)
AXES = Assumption(
    "p",
    "a norm that knows the axes (p ≠ 2)",
    lambda p: p.p != 2,
    lambda p: "With p = 2 a turned code has the same distances: the theorem leaves a rotation.",
)
ASSUMPTIONS = (UNSUPERVISED, BODY, UNIFORM, SAME_NORM, AXES)


# what |z - z'|^beta / lambda^beta = |h - h'|_p^p / tau asks for, the first step of the proof: any
# tau, as the size of the codes makes up for it
EQUALITY = (
    SAME_NORM,
    UNIFORM,
    Assumption("model_space", "codes that are not confined to a sphere",
               lambda p: p.model_space != "sphere"),
)  # fmt: skip


def broken(params: InfoNCEBox) -> list[str]:
    """What keeps distances from agreeing, in words; empty if nothing does."""
    return [each.words for each in missing(EQUALITY, params)]


def notices(params: InfoNCEBox) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    if params.objective == "supervised":
        return tuple(lacking((UNSUPERVISED,), params))
    found = lacking(ASSUMPTIONS[1:], params)
    if params.space == "unbounded" and params.marginal == "uniform":
        found.append(Notice("marginal", "R^d has no uniform law: latents are normal here."))
    if params.model_space == "box" and params.bound_start < 1:
        found.append(
            Notice(
                "bound_start",
                "The model's box starts smaller than the world asks for: codes press against its "
                "walls while it grows.",
            )
        )
    return tuple(found)


def work(params: InfoNCEBox) -> float:
    """Floating-point operations of one run: f forward and backward, and every pair's distance."""
    sizes = [params.d, *[params.width] * params.depth, params.d]
    layers = sum(a * b for a, b in pairwise(sizes))
    if params.objective == "supervised":
        return params.steps * 6.0 * params.batch * layers
    each = {1: 12, 2: 2, 3: 20}[params.p]  # of a coordinate of a pair, in the units of the layers'
    return params.steps * 12.0 * (params.batch * layers + params.batch**2 * params.d * each / 4)


def promise(params: InfoNCEBox) -> Promise:
    """What the theorem on convex bodies promises, and which of its assumptions a setting lacks."""
    return Promise(
        up_to="permutation",
        score="mcc",
        promised=("mcc",),
        statement="A minimiser finds the latents one by one, in some order, each scaled, shifted "
        "or mirrored.",
        source="Zimmermann et al. 2021, theorem on convex bodies",
        missing=tuple(each.words for each in missing(ASSUMPTIONS, params)),
    )


SCENARIO = Scenario(
    name="infonce_box",
    title="InfoNCE in a box",
    Params=InfoNCEBox,
    version=1,
    scored=2,
    promise=promise,
    scores=("mcc", "linear_r2"),
    notices=notices,
    work=work,
)
