"""InfoNCE on a sphere: contrastive learning inverts the data generating process.

Zimmermann, Sharma, Schneider, Bethge, Brendel, ICML 2021 (arXiv 2102.08850), Theorem 2.
"""

from itertools import pairwise
from typing import Literal

from pydantic import ValidationInfo, field_validator

from core.laws.law import Law
from core.laws.spaces import Space
from core.scenarios.knobs import (
    DEPTH,
    MIXING_LAYERS,
    OBJECTIVE,
    PAIRS,
    WIDTH,
    negatives_knob,
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

# what a run that is told z itself has no use for
OF_PAIRS = frozenset({"kappa", "conditional", "spread", "tau", "negatives", "anneal", "d_hat"})


class InfoNCE(Params):
    """Latents on S^(d-1), positives from a conditional around the anchor, an InfoNCE encoder."""

    kappa: float = knob(
        10.0,
        "How tightly a positive sits around its anchor in the world. Large is tight.",
        label="World concentration",
        symbol=r"\kappa",
        batched=True,
        scale="log",
        ge=0.1,
        le=500,
        unit="concentration of the vMF conditional",
    )
    tau: float | None = knob(
        None,
        "The model's temperature: similarities are divided by it. The theorem's value is 1/κ.",
        label="Model temperature",
        symbol=r"\tau",
        batched=True,
        scale="log",
        none="1/κ for a vMF conditional, 1 for a projected one",
        ge=0.005,
        le=100,
        unit="temperature",
    )
    d: int = knob(
        3,
        "Dimension of the space the sphere sits in.",
        label="Latent dimension",
        symbol="d",
        ge=2,
        le=20,
        unit="dimensions",
    )
    marginal_kappa: float = knob(
        0.0,
        "How strongly the latents crowd around a pole. 0 is uniform, as the theorem assumes.",
        label="Marginal concentration",
        symbol=r"\kappa_m",
        batched=True,
        ge=0,
        le=1000,
        scale="log",
        unit="concentration of the marginal",
    )
    marginal: Literal["vmf", "normal"] = knob(
        "vmf",
        "The law of the latents around their pole. vMF of concentration 0 is the uniform law; a "
        "normal is projected to the sphere.",
        label="Marginal",
        symbol="p(z)",
        advanced=True,
        unit="family",
    )
    marginal_spread: float = knob(
        1.0,
        "Standard deviation of the normal around the pole, before it is projected.",
        label="Marginal spread",
        symbol=r"\sigma_m",
        unit="standard deviation in latent units",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.01,
        le=100,
    )
    objective: Literal["contrastive", "supervised"] = OBJECTIVE
    initialisation: Literal["identity", "standard"] = knob(
        "identity",
        "identity: a linear skip path and zero biases, so f starts unfolded (if d_x = d). "
        "standard: PyTorch's default, which starts folded.",
        label="Initialisation",
        unit="how f starts",
    )
    conditional: Literal["vmf", "laplace", "normal"] = knob(
        "vmf",
        "The law of a positive around its anchor. The theorem assumes von Mises-Fisher.",
        label="Conditional",
        symbol=r"p(\tilde z \mid z)",
        advanced=True,
        unit="family",
    )
    spread: float = knob(
        0.05,
        "Scale of the Laplace or normal noise that is added and projected back to the sphere.",
        label="Noise scale",
        symbol=r"\sigma",
        unit="scale in latent units",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.001,
        le=5,
    )
    negatives: Literal["views", "anchors"] = negatives_knob("views")
    anneal: float = knob(
        0.0,
        "Fraction of the steps over which the model's concentration 1/τ rises from a tenth to "
        "its value. 0 switches it off.",
        label="Annealing",
        unit="fraction of the steps",
        batched=True,
        advanced=True,
        ge=0,
        le=1,
    )
    whiten: bool = whiten_knob(False)
    mixing_layers: int = MIXING_LAYERS
    d_x: int | None = knob(
        None,
        "Dimension of the observations; they are lifted isometrically before the mixing.",
        label="Observation dimension",
        symbol="d_x",
        advanced=True,
        none="the latent dimension",
        ge=2,
        le=64,
        unit="dimensions",
    )
    d_hat: int | None = knob(
        None,
        "Dimension of the encoder's output sphere. A wrong guess is worth trying.",
        label="Encoder dimension",
        symbol=r"\hat d",
        advanced=True,
        none="the latent dimension",
        ge=2,
        le=20,
        unit="dimensions",
    )
    n_train: int | None = knob(
        None,
        "Number of pairs in a finite training set.",
        label="Training pairs",
        advanced=True,
        none="fresh draws every step",
        ge=16,
        le=100_000,
        scale="doubling",
        unit="pairs",
    )
    width: int = WIDTH
    depth: int = DEPTH
    batch: int = PAIRS
    steps: int = steps_knob(400, le=300_003)
    learning_rate: float = rate_knob(3e-3, le=0.3)

    @field_validator("d_x")
    @classmethod
    def _observes_every_latent(cls, d_x: int | None, info: ValidationInfo) -> int | None:
        if d_x is not None and d_x < info.data.get("d", 2):
            raise ValueError("must be at least d, or x could not determine z")
        return d_x

    def inactive(self) -> frozenset[str]:
        """What the chosen laws do not read; where z itself is told, all that pairs are made of."""
        unread = Law.unread(self.conditional) & {"kappa", "spread"}
        around = {"kappa": "marginal_kappa", "spread": "marginal_spread"}
        unread |= {mine for law, mine in around.items() if law in Law.unread(self.marginal)}
        return unread if self.unsupervised else unread | OF_PAIRS

    @property
    def unsupervised(self) -> bool:
        """Whether pairs are all there is to learn from."""
        return self.objective == "contrastive"

    @property
    def whole(self) -> bool:
        """A marginal that is not uniform leaves part of the sphere bare, or nearly."""
        return self.around_pole.concentration == 0

    @property
    def free_rotation(self) -> int:
        """An inner product sees no rotation; latents around a pole have not one variance."""
        free = self.unsupervised and self.whole and self.encoded == self.d
        return self.d if free else 0

    @property
    def model_tau(self) -> float:
        """The temperature in force."""
        return self.auto_tau if self.tau is None else self.tau

    @property
    def auto_tau(self) -> float:
        """What tau = None stands for: 1/kappa for vMF and 1 for the projected families."""
        kappa = self.law.concentration
        return 1.0 if kappa is None else 1 / kappa

    @property
    def law(self) -> Law:
        """How a positive lies around its anchor."""
        return Law(self.conditional, kappa=self.kappa, spread=self.spread)

    @property
    def around_pole(self) -> Law:
        """How latents lie around the pole: the marginal."""
        return Law(self.marginal, kappa=self.marginal_kappa, spread=self.marginal_spread)

    @property
    def space(self) -> Space:
        """Where latents live."""
        return self.law.space(self.d)

    @property
    def observed(self) -> int:
        """Dimension of x."""
        return self.d_x or self.d

    @property
    def encoded(self) -> int:
        """Dimension of z_hat."""
        return self.d if self.d_hat is None or not self.unsupervised else self.d_hat

    def unsaid(self) -> dict[str, Value]:
        """As in `Params`."""
        return {"d_x": self.d, "d_hat": self.d, "tau": self.auto_tau}


def _temperature(params: InfoNCE) -> str:
    if params.encoded > params.d and params.model_tau * params.kappa < 1:
        return ""  # a spare dimension can absorb the difference: h = (a z, sqrt(1 - a^2))
    return (
        f"The model's concentration 1/τ = {1 / params.model_tau:.3g} is not the world's "
        f"κ = {params.kappa:.3g}: the model cannot equal the true posterior."
    )


# what kappa <z, z'> = <h, h'> / tau asks for, the second step of the proof
EQUALITY = (
    Assumption(
        "marginal_kappa",
        "a uniform marginal",
        lambda p: p.whole,
        lambda p: (
            "The theorem assumes latents spread uniformly over the sphere; here they crowd "
            "around a pole. Compare with the raw observation: a narrow cap is nearly flat."
        ),
    ),
    Assumption(
        "conditional",
        "a vMF conditional",
        lambda p: p.law.concentration is not None,
        lambda p: (
            "The conditional is not von Mises-Fisher, so the theorem is silent; the paper "
            "reports that recovery survives."
        ),
    ),
    Assumption(
        "tau",
        "τκ = 1",
        lambda p: p.law.concentration is None or abs(p.model_tau * p.kappa - 1) <= 1e-6,
        _temperature,
    ),
    Assumption(
        "d_hat",
        "an encoder with as many dimensions as there are latents",
        lambda p: p.encoded >= p.d,
        lambda p: (
            f"The encoder has {p.encoded} dimensions for {p.d} latents: no map into the "
            "smaller sphere keeps all distances."
        ),
    ),
)
ASSUMPTIONS = (
    *EQUALITY,
    Assumption(
        "n_train",
        "fresh pairs at every step",
        lambda p: p.n_train is None,
        lambda p: (
            f"Only {p.n_train:,} pairs are ever seen, so the training loss may fall below "
            "the floor (which is that of fresh data) while held-out scores do not follow."
        ),
    ),
)

UNSUPERVISED = Assumption(
    "objective",
    "a loss that is not told the latents",
    lambda p: p.unsupervised,
    lambda p: (
        "The encoder is told z itself. There is nothing unsupervised about it: it says what this "
        "encoder can represent, and is what runs that see pairs alone are held against."
    ),
)


def asked(params: InfoNCE) -> tuple[Assumption, ...]:
    """The theorem's assumptions; a run that is told z lacks their point, whatever its pairs."""
    return ASSUMPTIONS if params.unsupervised else (UNSUPERVISED,)


def broken(params: InfoNCE) -> list[str]:
    """What keeps kappa <z, z'> = <h, h'> / tau from holding, in words; empty if nothing does."""
    return [each.words for each in missing(EQUALITY, params)]


def notices(params: InfoNCE) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    found = lacking(asked(params), params)
    if not params.unsupervised:
        return tuple(found)
    if params.encoded > params.d:
        found.append(
            Notice(
                "d_hat",
                f"The encoder has {params.encoded} dimensions for {params.d} latents: the sphere "
                "still fits, in a subspace. MCC picks the best partners among more candidates.",
            )
        )
    if params.n_train is not None and params.n_train < params.batch:
        found.append(
            Notice(
                "n_train",
                f"A batch of {params.batch:,} draws from {params.n_train:,} pairs with repeats: "
                "an anchor's own pair is among its negatives about "
                f"{(params.batch - 1) / params.n_train:.1f} times, and is pushed away with them.",
            )
        )
    if params.initialisation == "standard":
        found.append(
            Notice(
                "initialisation",
                "A standard start folds the sphere; some seeds never unfold. Every seed is shown.",
            )
        )
    if params.law.concentration is not None and params.law.concentration < 0.5:
        found.append(
            Notice(
                "kappa",
                "A positive is almost as far from its anchor as any other point: "
                "there is little to learn from, whatever the encoder.",
            )
        )
    return tuple(found)


def work(params: InfoNCE) -> float:
    """Floating-point operations of one run: the encoder forward and backward, and any logits."""
    sizes = [params.observed, *[params.width] * params.depth, params.encoded]
    layers = sum(a * b for a, b in pairwise(sizes))
    if not params.unsupervised:
        return params.steps * 6.0 * params.batch * layers
    logits = params.batch**2 * (params.encoded + 4)
    return params.steps * 12.0 * (params.batch * layers + logits)


def silent(params: InfoNCE) -> dict[str, str]:
    """Scores that say nothing of a setting, each with the reason."""
    if params.d not in (2, 3):
        return {"degree": "for d = 2 and 3"}
    if params.encoded != params.d:
        return {"degree": f"for an encoder of {params.d} dimensions, not {params.encoded}"}
    if not params.whole:
        return {"degree": "does not apply: the latents leave part of the sphere bare"}
    return {}


def promise(params: InfoNCE) -> Promise:
    """What Theorem 2 promises, and which of its assumptions a setting lacks."""
    return Promise(
        up_to="orthogonal",
        score="linear_r2",
        promised=("linear_r2", "orthogonal_r2"),
        statement="A minimiser of InfoNCE recovers the latents up to a rotation or reflection.",
        source="Zimmermann et al. 2021, Theorem 2",
        missing=tuple(each.words for each in missing(asked(params), params)),
        silent=silent(params),
    )


SCENARIO = Scenario(
    name="infonce",
    title="InfoNCE on a sphere",
    Params=InfoNCE,
    version=1,
    scored=2,
    promise=promise,
    scores=("linear_r2", "orthogonal_r2", "mcc", "degree"),
    notices=notices,
    work=work,
)
