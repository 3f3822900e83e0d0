"""Gradient reversal in a linear world: the cross-entropy of a nuisance, with its sign on a slider.

After the post "Anti-Diversity is All You Need to Get a Unified Latent Space" and DANN (Ganin et
al. 2016). Minimised, the code lands in V, the span of the differences of the nuisance's cluster
vectors; reversed, in its complement.
"""

from typing import Literal

from pydantic import ValidationInfo, field_validator

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

MOVES = 200
TIGHT, ANSWERS, STRONG = 15.0, 5, 1.5  # beyond which the default game begins to fail
NEAR, FAR = 2.0, 5.0  # degrees that a finite data set may leave, at d = 3 and above


class Reversal(Params):
    """Latents around the cluster vectors of a nuisance, a linear code M, and its adversary."""

    lam: float = knob(
        1.0,
        "Sign and strength of the encoder's gradient. Below 0 it helps the classifier (align), "
        "above 0 it reverses (anti-align).",
        label="Reversal",
        symbol=r"\lambda",
        batched=True,
        ge=-1,
        le=4,
        unit="times the classifier's gradient",
    )
    d: int = knob(
        3,
        "Dimension of the space the sphere sits in.",
        label="Latent dimension",
        symbol="d",
        ge=3,
        le=12,
        unit="dimensions",
    )
    n_classes: int = knob(
        3,
        "Values of the nuisance.",
        label="Classes",
        symbol="k",
        ge=2,
        le=16,
        unit="classes",
    )
    rank: int = knob(
        2,
        "Dimension of V, the span of the differences of the cluster vectors.",
        label="Rank of V",
        symbol="r",
        ge=1,
        le=11,
        unit="dimensions",
    )
    d_z: int | None = knob(
        None,
        "Dimension of the code. A wrong guess keeps a leak, or loses content.",
        label="Code dimension",
        symbol="d_z",
        none="d - r, that of the complement of V",
        ge=1,
        le=11,
        unit="dimensions",
    )
    kappa: float = knob(
        10.0,
        "How tightly latents sit around their class's cluster vector.",
        label="World concentration",
        symbol=r"\kappa",
        batched=True,
        scale="log",
        ge=0.5,
        le=100,
        unit="concentration of the vMF conditional",
    )
    kappa_spread: float = knob(
        1.0,
        "Ratio of the largest to the smallest concentration of a class. 1 is shared, as the "
        "argument needs.",
        label="Unequal concentrations",
        advanced=True,
        batched=True,
        scale="log",
        ge=1,
        le=16,
        unit="ratio",
    )
    offset: float = knob(
        0.3,
        "Height of the cluster vectors over V: what they have in common.",
        label="Offset",
        symbol="h",
        advanced=True,
        batched=True,
        ge=0,
        le=0.9,
        unit="of the unit length",
    )
    n_samples: int | None = knob(
        4000,
        "Size of the training set. The angle that is left comes from it.",
        label="Samples",
        advanced=True,
        scale="log",
        none="fresh draws every step",
        ge=100,
        le=100_000,
        unit="latents",
    )
    encoder: Literal["grassmann", "free", "whitened"] = knob(
        "grassmann",
        "grassmann: M has orthonormal rows. free: any M. whitened: a free M, and the code is "
        "whitened before the classifier sees it.",
        label="Encoder",
        advanced=True,
        unit="kind of M",
    )
    encoder_weight_decay: float = knob(
        0.0,
        "Pull of M towards 0. With a free encoder the code collapses, and the adversary is blind.",
        label="Encoder weight decay",
        advanced=True,
        batched=True,
        ge=0,
        le=0.1,
        unit="per step and rate",
    )
    adversary: Literal["linear", "mlp"] = knob(
        "linear",
        "The classifier that foretells the nuisance from the code.",
        label="Adversary",
        advanced=True,
        unit="kind of classifier",
    )
    inner_steps: int = knob(
        1,
        "Steps of the classifier for one of the encoder.",
        label="Inner steps",
        advanced=True,
        ge=1,
        le=20,
        unit="steps",
    )
    encoder_rate: float = knob(
        0.1,
        "Learning rate of the encoder.",
        label="Encoder rate",
        advanced=True,
        batched=True,
        scale="log",
        ge=1e-4,
        le=1,
        unit="rate",
    )
    adversary_rate: float = knob(
        1.0,
        "Learning rate of the classifier, which has to be the faster player.",
        label="Adversary rate",
        advanced=True,
        batched=True,
        scale="log",
        ge=1e-4,
        le=10,
        unit="rate",
    )
    optimiser: Literal["sgd", "adam"] = knob(
        "sgd",
        "The update of both players.",
        label="Optimiser",
        advanced=True,
        unit="kind of update",
    )
    beta1: float = knob(
        0.0,
        "Momentum of SGD, or Adam's beta1. With enough of it the code orbits and never arrives.",
        label="Momentum",
        symbol=r"\beta_1",
        batched=True,
        ge=0,
        le=0.95,
        unit="share of the last step",
    )
    reconstruction: float = knob(
        0.0,
        "Weight of a competing loss: linear reconstruction of the latents, which prefers V.",
        label="Reconstruction",
        advanced=True,
        batched=True,
        ge=0,
        le=4,
        unit="weight",
    )
    start: Literal["random", "v", "v_perp"] = knob(
        "random",
        "Where the code begins: anywhere, in V, or in its complement.",
        label="Start",
        advanced=True,
        unit="first rows of M",
    )
    moves: str = knob(
        "",
        "Who moves, step by step: e the encoder, a the adversary. Empty is both, `steps` times.",
        label="Moves",
        advanced=True,
        unit="letters e and a",
    )
    batch: int = knob(
        512,
        "Latents a step.",
        label="Batch",
        advanced=True,
        scale="doubling",
        ge=32,
        le=4096,
        unit="latents",
    )
    steps: int = knob(
        1200,
        "Steps of the encoder.",
        label="Steps",
        advanced=True,
        scale="log",
        ge=1,
        le=20_000,
        unit="steps",
    )

    @field_validator("rank")
    @classmethod
    def _fits_the_world(cls, rank: int, info: ValidationInfo) -> int:
        if rank >= info.data.get("d", 12):
            raise ValueError("must be below d, or nothing lies outside V")
        if rank >= info.data.get("n_classes", 16):
            raise ValueError("must be below the number of classes, whose differences span V")
        return rank

    @field_validator("d_z")
    @classmethod
    def _is_a_projection(cls, d_z: int | None, info: ValidationInfo) -> int | None:
        if d_z is not None and d_z >= info.data.get("d", 12):
            raise ValueError("must be below d: a code of all dimensions hides nothing")
        return d_z

    @field_validator("moves")
    @classmethod
    def _names_the_players(cls, moves: str) -> str:
        if set(moves) - set("ea") or len(moves) > MOVES:
            raise ValueError(f"must be at most {MOVES} letters e and a")
        return moves

    def inactive(self) -> frozenset[str]:
        """Moves replace the number of steps; orthonormal rows have no length to decay."""
        unused = {"steps", "inner_steps"} if self.moves else set()
        if self.encoder == "grassmann":
            unused |= {"encoder_weight_decay"}
        return frozenset(unused)

    def unsaid(self) -> dict[str, Value]:
        """As in `Params`."""
        return {"d_z": self.d - self.rank}

    @property
    def code(self) -> int:
        """Dimension of the code."""
        return self.d_z or self.d - self.rank

    @property
    def turns(self) -> int:
        """Recorded steps: encoder updates, or single moves."""
        return len(self.moves) or self.steps


def _even(params: Reversal) -> bool:
    """Whether the most telling direction lies in V, so that a narrow code has a reason to.

    As many classes as make a regular simplex, or centres without an offset. (Computed: with evenly
    spread centres it leaves V only for an offset near .9.)
    """
    return params.offset == 0 or (params.n_classes == params.rank + 1 and params.offset <= 0.8)


SHARED = Assumption(
    "kappa_spread",
    "one concentration for all classes",
    lambda p: p.kappa_spread == 1,
    lambda p: (
        "The concentrations differ, so the classes differ in width outside V as well: a "
        "linear probe can be at chance where another is not."
    ),
)
ALONE = Assumption("reconstruction", "no competing loss", lambda p: p.reconstruction == 0)
LONG = Assumption(
    "encoder_weight_decay",
    "no pull of M towards 0",
    lambda p: p.encoder == "grassmann" or p.encoder_weight_decay == 0,
    lambda p: (
        "M may shrink until its own adversary sees nothing. The exact information does not "
        "depend on the scale."
    ),
)
REVERSED = (  # of the argument for λ > 0
    Assumption("lam", "a λ above 0", lambda p: p.lam > 0),
    SHARED,
    Assumption(
        "d_z",
        "a code of at most d − r dimensions",
        lambda p: p.code <= p.d - p.rank,
        lambda p: (
            f"A code of {p.code} dimensions cannot avoid V: only {p.d - p.rank} lie outside it."
        ),
    ),
    ALONE,
    LONG,
)
ALIGNED = (  # for λ < 0
    SHARED,
    Assumption(
        "d_z",
        "a code of r dimensions or more, or evenly spread centres",
        lambda p: p.code >= p.rank or _even(p),
        lambda p: (
            f"With fewer than r = {p.rank} rows the most telling direction may lean out of "
            "V (see Where the argument needs care)."
        ),
    ),
    ALONE,
    LONG,
)


def assumptions(params: Reversal) -> tuple[Assumption, ...]:
    """What the argument asks for, by the sign of lambda."""
    return ALIGNED if params.lam < 0 else REVERSED


def notices(params: Reversal) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    found = []
    complement = params.d - params.rank
    if params.rank == 1 and params.n_classes > 2:
        found.append(
            Notice(
                "n_classes",
                "A line meets the sphere twice, so classes share the two cluster vectors.",
            )
        )
    found += lacking(assumptions(params), params)
    if params.code < complement:
        found.append(
            Notice(
                "d_z",
                f"A code of {params.code} dimensions leaves out content: {complement} dimensions "
                "are free of the nuisance.",
            )
        )
    if params.kappa > TIGHT and params.lam > 0 and params.inner_steps < ANSWERS:
        found.append(
            Notice(
                "kappa",
                "The clusters are tight: the adversary needs more inner steps to follow, or the "
                "code stays in V. The closed form does not care.",
            )
        )
    if params.lam > STRONG and not params.reconstruction:
        found.append(Notice("lam", "A large λ is a faster encoder: it may outrun its adversary."))
    return tuple(found)


SCORING, OVERHEAD = 10e9, 8e6  # operations: of probes and baselines, and of a small step


def work(params: Reversal) -> float:
    """Floating-point operations of one run, the overhead of small steps counted as such."""
    hidden = 64 * (params.code + params.n_classes + 64) if params.adversary == "mlp" else 0
    size = params.d * params.code + params.code * params.n_classes + hidden
    inner = 1 if params.moves else params.inner_steps
    return SCORING + params.turns * inner * (12.0 * params.batch * size + OVERHEAD)


def promise(params: Reversal) -> Promise:
    """What the sign of the gradient asks for."""
    bound = NEAR if params.d == 3 else FAR
    lacks = tuple(each.words for each in missing(assumptions(params), params))
    if params.lam < 0:
        return Promise(
            up_to="linear",
            score="angle_to_v_deg",
            promised=("angle_to_v_deg",),
            statement="Minimising the cross-entropy of the nuisance puts V into the code's rows.",
            source="the post's alignment, Reizinger et al. 2025, Theorem 2C",
            bound=bound,
            at_most=True,
            missing=lacks,
        )
    # an angle tells little where the code must leak all the same
    leaks = params.code > params.d - params.rank or params.kappa_spread > 1
    return Promise(
        up_to="invariance",
        score="information_nats" if leaks else "angle_to_v_perp_deg",
        promised=("angle_to_v_perp_deg", "information_nats"),
        statement="The best code against the best classifier lies outside V and tells nothing of "
        "the nuisance.",
        source="the post, with the conditions derived in this project",
        bound=bound,
        at_most=True,
        missing=lacks,
    )


SCENARIO = Scenario(
    name="reversal",
    title="Gradient reversal",
    Params=Reversal,
    version=4,
    scored=2,
    promise=promise,
    scores=("angle_to_v_perp_deg", "information_nats", "content_r2", "adversary_loss"),
    notices=notices,
    work=work,
)
