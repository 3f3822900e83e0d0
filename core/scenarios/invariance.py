"""A code that hides a nuisance behind a nonlinear mixing, by seven methods on the same world.

After the post "Anti-Diversity is All You Need to Get a Unified Latent Space" and SCAR (arXiv
2605.16412): x = g([content, nuisance, noise]), and the code should keep the content alone.
"""

from typing import Literal

from core.scenarios.knobs import WIDTH, batch_knob
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

CONTENT = 2  # dimensions of the content, as of the nuisance's embedding and of the noise
OBSERVED = 3 * CONTENT
ALLOWED = 0.05  # above 1 / k: .04 of a probe, and what the largest of k equal classes may exceed it
REVERSED = ("ae-grl", "content-grl", "two-stage")


class Invariance(Params):
    """Observations of a content, a nuisance and noise, and a code of them."""

    method: Literal["ae", "ae-grl", "content", "content-grl", "irm", "leace", "two-stage"] = knob(
        "ae-grl",
        "ae: an autoencoder whose decoder is told the nuisance. content: a head that foretells the "
        "content. -grl: with gradient reversal. irm: the head with IRM's penalty. leace: linear "
        "erasure. two-stage: actions from pairs of observations, then reversal.",
        label="Method",
        unit="kind of training",
    )
    lam: float = knob(
        1.0,
        "Strength of the reversal; for irm the weight of its penalty, in tens.",
        label="Reversal",
        symbol=r"\lambda",
        batched=True,
        ge=0,
        le=10,
        unit="times the adversary's gradient",
    )
    rho: float = knob(
        0.0,
        "How far the nuisance shifts the content's mean. 0: they are independent.",
        label="Content shifted by the nuisance",
        symbol=r"\rho",
        batched=True,
        ge=0,
        le=3,
        unit="standard deviations of the content",
    )
    d_z: int | None = knob(
        None,
        "Dimension of the code. For leace, of the content head's code that is erased.",
        label="Code dimension",
        symbol="d_z",
        none="2, that of the content; for leace no encoder, and x itself is erased",
        ge=1,
        le=16,
        unit="dimensions",
    )
    n_classes: int = knob(
        4,
        "Values of the nuisance.",
        label="Classes",
        symbol="k",
        ge=2,
        le=8,
        unit="classes",
    )
    dynamics: Literal["additive", "free"] = knob(
        "additive",
        "How the first of two stages foretells the next state from the last and the action: their "
        "sum, or any network of both.",
        label="Forward dynamics",
        unit="kind of network",
    )
    kl: float = knob(
        0.0,
        "Weight of the first stage's bottleneck: the divergence of the action from a standard "
        "normal law. 0: none.",
        label="Bottleneck",
        symbol=r"\beta",
        batched=True,
        ge=0,
        le=0.1,
        unit="weight against the squared error",
    )
    steps: int = knob(
        1000,
        "Steps of the encoder; two-stage spends half of them on each stage.",
        label="Steps",
        scale="log",
        ge=1,
        le=20_000,
        unit="steps",
    )
    noise: float = knob(
        0.1,
        "Standard deviation of the two noise dimensions, and of the nuisance around its mean.",
        label="Noise",
        symbol=r"\sigma",
        advanced=True,
        batched=True,
        ge=0,
        le=1,
        unit="of the content's",
    )
    mixing_layers: int = knob(
        2,
        "Layers of the invertible network g that hides the latents. 0 shows them.",
        label="Mixing layers",
        advanced=True,
        ge=0,
        le=5,
        unit="layers",
    )
    n_samples: int = knob(
        6000,
        "Size of the training set.",
        label="Samples",
        advanced=True,
        scale="log",
        ge=200,
        le=100_000,
        unit="observations",
    )
    inner_steps: int = knob(
        3,
        "Steps of the adversary for one of the encoder.",
        label="Inner steps",
        advanced=True,
        ge=1,
        le=20,
        unit="steps",
    )
    encoder_rate: float = knob(
        2e-3,
        "Adam's rate for the encoder and what reads its code.",
        label="Encoder rate",
        advanced=True,
        scale="log",
        ge=1e-5,
        le=0.1,
        unit="rate",
    )
    adversary_rate: float = knob(
        5e-3,
        "Adam's rate for the adversary.",
        label="Adversary rate",
        advanced=True,
        scale="log",
        ge=1e-5,
        le=0.1,
        unit="rate",
    )
    initialisation: Literal["identity", "standard"] = knob(
        "identity",
        "identity: the encoder starts near a linear map of x, the same for every body. standard: "
        "random; the bodies' maps may then be twisted against each other.",
        label="Start",
        advanced=True,
        unit="of the encoder's weights",
    )
    width: int = WIDTH
    batch: int = batch_knob(256, "Observations a step.", "observations", ge=32)

    def inactive(self) -> frozenset[str]:
        """What the method does not use."""
        unused: set[str] = set()
        if self.method not in (*REVERSED, "irm"):
            unused |= {"lam"}
        if self.method not in REVERSED:
            unused |= {"inner_steps", "adversary_rate"}
        if self.method != "two-stage":
            unused |= {"dynamics", "kl"}
        if not self.trains:
            unused |= {"steps", "encoder_rate", "initialisation", "width", "batch"}
        return frozenset(unused)

    def unsaid(self) -> dict[str, Value]:
        """As in `Params`; for LEACE no dimension means none is learnt."""
        return {} if self.method == "leace" else {"d_z": CONTENT}

    @property
    def trains(self) -> bool:
        """Whether there is anything to train: not where x itself is erased."""
        return self.method != "leace" or self.d_z is not None

    @property
    def reverses(self) -> bool:
        """Whether an adversary plays."""
        return self.method in REVERSED

    @property
    def code(self) -> int:
        """Dimension of the code."""
        return (self.d_z or CONTENT) if self.trains else OBSERVED

    @property
    def turns(self) -> int:
        """Recorded steps."""
        return self.steps if self.trains else 1


def _without_gradient(params: Invariance) -> str:
    if params.method == "two-stage":
        return (
            "An action of two dimensions has no room for the nuisance: the second stage finds "
            "little to remove, with its gradient or without."
        )
    return "Without its gradient, nothing hides from the adversary."


ASSUMPTIONS = (  # of the argument that the best code against the best adversary is invariant
    Assumption("method", "an adversary (a method with reversal)", lambda p: p.reverses),
    Assumption("lam", "a λ above 0", lambda p: not p.reverses or p.lam > 0, _without_gradient),
)


def notices(params: Invariance) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    found = []
    if params.rho > 0:
        found.append(
            Notice(
                "rho",
                "Content and nuisance go together, so a code that hides one loses part of the "
                "other: the pooled content falls, the content by class need not.",
            )
        )
    found += lacking(ASSUMPTIONS, params)
    if params.method in ("content", "content-grl", "irm") and params.code == CONTENT:
        found.append(
            Notice(
                "d_z",
                f"A content head with a code of {CONTENT} dimensions is invariant by itself: there "
                "is no room for the nuisance. Try 8.",
            )
        )
    if params.code < CONTENT:
        found.append(Notice("d_z", "A code narrower than the content loses some of it."))
    if params.method == "irm":
        found.append(
            Notice(
                "method",
                "The penalty makes the risks of all bodies equal, not their codes. It squares a "
                f"slope that is estimated on about {params.batch // params.n_classes} observations "
                "a body, so on average it is not 0 even at the truth, unless that leaves no error: "
                "the slope's variance stays.",
            )
        )
    if params.method == "leace":
        found.append(
            Notice(
                "method",
                "Erasure makes the classes' means equal. A linear probe then loses as much as a "
                "constant guess, and its accuracy is a draw among near ties; a probe with a hidden "
                "layer still reads the nuisance.",
            )
        )
    if params.method == "two-stage" and params.dynamics == "free":
        found.append(
            Notice(
                "dynamics",
                "Free dynamics know the state, so the action may depend on it: a perfect "
                "prediction, an invariant code, and part of the content gone."
                if params.kl == 0
                else "Free dynamics know the state; the bottleneck makes it dear to repeat it in "
                "the action.",
            )
        )
    return tuple(found)


OVERHEAD = 4e6  # operations that a pass through two small networks costs whatever its size
SCORING, PER_DIMENSION = 30e9, 3e9  # of probes and read-outs, for one member


def work(params: Invariance) -> float:
    """Floating-point operations of one run, the overhead of small steps counted as such."""
    scoring = SCORING + PER_DIMENSION * params.code
    if not params.trains:
        return scoring
    against = 1 + 1.5 * params.inner_steps if params.reverses else 0.0
    passes = 2 + (against / 2 if params.method == "two-stage" else against)
    size = params.width * (params.width + OBSERVED + params.code)
    return params.steps * passes * (3.0 * params.batch * size + OVERHEAD) + scoring


def promise(params: Invariance) -> Promise:
    """What the method promises of the code."""
    if params.method == "leace":
        return Promise(
            up_to="invariance",
            score="probe_accuracy_linear",
            promised=("probe_accuracy_linear",),
            statement="Once the classes' means are equal, no linear classifier has a lower loss "
            "than one that knows nothing. Of other classifiers nothing is promised, and of "
            "accuracies neither.",
            source="Belrose et al. 2023",
            bound=None,
            at_most=True,
        )
    return Promise(
        up_to="invariance",
        score="probe_accuracy_mlp",
        promised=("probe_accuracy_mlp", "probe_accuracy_linear"),
        statement="The best code against the best adversary has the same law for every value of "
        "the nuisance: no probe does better than chance.",
        source="Ganin et al. 2016, and the post's section 6",
        bound=1 / params.n_classes + ALLOWED,
        at_most=True,
        missing=tuple(each.words for each in missing(ASSUMPTIONS, params)),
    )


SCENARIO = Scenario(
    name="invariance",
    title="Invariance in a nonlinear world",
    Params=Invariance,
    version=2,
    scored=2,
    promise=promise,
    scores=(
        "probe_accuracy_mlp",
        "probe_accuracy_linear",
        "content_r2",
        "content_r2_per_class",
        "transfer_r2",
        "adversary_loss",
    ),
    notices=notices,
    work=work,
)
