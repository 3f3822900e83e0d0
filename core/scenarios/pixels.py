"""Pixels: factors that are drawn as pictures, found from pairs of them or from their classes.

The worlds are this project's own, in the spirit of the papers' data sets (`core.images.worlds`):
walkers' masks and a lit scene for contrastive learning (Zimmermann et al. 2021, arXiv 2102.08850,
section 4) beside SlowVAE (Klindt et al. 2021, arXiv 2007.10930), sprites for classification
(Reizinger et al. 2025, arXiv 2410.21869, section 5).
"""

from itertools import pairwise
from math import pi, sqrt
from typing import Literal

from core.images.world import World
from core.images.worlds import WORLDS
from core.laws.law import Law
from core.laws.spaces import Box
from core.scenarios.knobs import DEPTH, batch_knob, norm_knob, rate_knob, steps_knob, width_knob
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

LOW, HIGH = -1.0, 1.0  # between which every factor's latent lies
ORDER = {  # of each world's factors: those that come first are easiest to see
    "masks": ("x", "y", "size", "stride"),
    "scene": ("x", "y", "depth", "object_hue", "backdrop_hue", "spot_angle", "spot_hue",
              "turn", "pitch", "roll"),
    "sprites": ("x", "y", "scale", "rotation", "shape"),
}  # fmt: skip
USUAL = {"masks": 3, "scene": 5, "sprites": 3}  # factors that vary
STEP = {"masks": 0.1, "scene": 0.15, "sprites": 0.1}  # scale of the transition
CODES = 8  # dimensions of a classifier's code
ARC = 0.5  # of the circle that a circular factor travels, as 3DIdent's do: low and high differ
POOLED = 16  # pixels a side that a multilayer encoder is fed
STORED = 8192  # pairs of the scene, drawn once: its pictures take their time
PARTITION = 48  # classes of a partition at random
PAIRED = ("world", "n_factors", "transition", "spread", "method", "space", "p", "tau", "pairs")
CELLS = {  # of the factors that make a class, into how many parts each is cut
    "shape": {"shape": 3},
    "shape-scale": {"shape": 3, "scale": 4},
    "position": {"x": 4, "y": 4},
    "all": {"shape": 3, "scale": 2, "x": 3, "y": 3},
    "random": {"shape": 3, "scale": 6, "rotation": 8, "x": 8, "y": 8},
}
PICTURED = {"masks": 0.018, "scene": 0.2, "sprites": 0.03}  # ms to draw one, in small batches
SECOND = 3e9  # operations that take as long as a second of drawing


class Pixels(Params):
    """Latents in [-1, 1]^k drawn as pictures; an encoder that sees pairs of them, or classes."""

    task: Literal["pairs", "classify"] = knob(
        "pairs",
        "pairs: two pictures whose factors are close. classify: sprites, each with its class.",
        label="Task",
        unit="what f learns from",
    )
    world: Literal["masks", "scene", "sprites"] = knob(
        "masks",
        "masks: a walker's silhouette. scene: a lit teapot. sprites: a flat shape. Classes are "
        "of sprites alone.",
        label="World",
        unit="what is drawn",
    )
    n_factors: int | None = knob(
        None,
        "How many of the world's factors vary, the easiest to see first.",
        label="Factors",
        symbol="k",
        none="3, of the scene 5",
        ge=2,
        le=10,
        unit="factors",
    )
    transition: Literal["laplace", "normal"] = knob(
        "laplace",
        "The law of the second picture's factors around the first's, cut off at the walls.",
        label="Transition",
        symbol=r"p(\tilde z \mid z)",
        unit="family",
    )
    method: Literal["contrastive", "slowvae", "supervised"] = knob(
        "contrastive",
        "contrastive: InfoNCE. slowvae: a variational autoencoder with a Laplace prior on how "
        "codes move. supervised: told the factors.",
        label="Method",
        unit="what is minimised",
    )
    space: Literal["unbounded", "box", "sphere"] = knob(
        "unbounded",
        "Where codes live. box: between walls as far apart as the latents'. unbounded: anywhere. "
        "sphere: of unit length.",
        label="Model's space",
        unit="of the codes",
    )
    p: int = norm_knob(2)
    label: Literal["shape", "shape-scale", "position", "all", "random"] = knob(
        "shape",
        "What makes a class: cells of these factors; of all but the rotation; or fine cells of all "
        "that are dealt to classes at random.",
        label="Class",
        symbol="y",
        unit="of a sprite",
    )
    d_hat: int | None = knob(
        None,
        "Dimensions of the code.",
        label="Code dimension",
        symbol=r"\hat d",
        none="as many as factors; 8 where classes are learnt",
        ge=2,
        le=512,
        unit="dimensions",
    )
    spread: float | None = knob(
        None,
        "Scale of the step between the two pictures; of a normal its standard deviation.",
        label="Step",
        symbol=r"\lambda",
        none="0.1, of the scene 0.15",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.01,
        le=2,
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
        none="what matches the step's size",
        ge=1e-4,
        le=100,
        unit="temperature",
    )
    warm: float = knob(
        1.0,
        "The temperature falls from so many times its value to it over the first half.",
        label="Warm start",
        advanced=True,
        batched=True,
        scale="log",
        ge=1,
        le=1000,
        unit="times τ",
    )
    gamma: float = knob(
        10.0,
        "SlowVAE's weight of how codes move.",
        label="Weight of slowness",
        symbol=r"\gamma",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.1,
        le=1000,
        unit="weight",
    )
    rate: float = knob(
        6.0,
        "Rate of SlowVAE's Laplace prior: the inverse of the step that it expects.",
        label="Rate of slowness",
        symbol=r"\alpha",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.1,
        le=100,
        unit="a latent unit",
    )
    encoder: Literal["mlp", "conv"] = knob(
        "mlp",
        "mlp: layers over the pixels, pooled to 16 × 16. conv: convolutions over all of 32 × 32.",
        label="Encoder",
        advanced=True,
        unit="kind of f",
    )
    pairs: int | None = knob(
        None,
        "Pairs that are drawn once and seen again and again.",
        label="Pairs",
        advanced=True,
        none="fresh ones; of the scene 8192",
        scale="doubling",
        ge=256,
        le=16_384,
        unit="pairs",
    )
    width: int = width_knob(128)
    depth: int = DEPTH
    batch: int = batch_knob(128, "Pairs, or pictures, a step.", "pictures", le=1024)
    steps: int = steps_knob(450, le=20_000)
    learning_rate: float = rate_knob(8e-3, le=0.3)

    def inactive(self) -> frozenset[str]:
        """Classes know no pairs; a told encoder no similarity; SlowVAE has a space of its own."""
        if self.task == "classify":
            off = {*PAIRED, "warm", "gamma", "rate"}
            return frozenset(off | {"depth"} if self.encoder == "conv" else off)
        off = {"label"}
        if self.encoder == "conv" and self.method != "slowvae":  # whose decoder has layers as well
            off.add("depth")
        if self.method != "slowvae":
            off |= {"gamma", "rate"}
        if self.method != "contrastive":
            off |= {"space", "p", "tau", "warm"}
        if self.method == "supervised":  # of which the second picture is never drawn
            off |= {"d_hat", "transition", "spread"}
        return frozenset(off)

    def instead(self) -> dict[str, Value]:
        """Classes are of sprites."""
        return {"world": "sprites"} if self.task == "classify" else {}

    def unsaid(self) -> dict[str, Value]:
        """As in `Params`: what each of them stands for where it is left out."""
        return {"n_factors": USUAL[self.world], "spread": STEP[self.world],
                "d_hat": CODES if self.task == "classify" else self.k, "tau": self.matched_tau,
                "pairs": STORED if self.world == "scene" else None}  # fmt: skip

    @property
    def supervised_twin(self) -> "Pixels | None":
        """The same encoder told the factors."""
        if self.task == "classify" or self.method == "supervised":
            return None
        return self.model_validate(self.but(method="supervised").chosen())

    @property
    def unsupervised(self) -> bool:
        """Whether pairs are all there is to learn from."""
        return self.task == "pairs" and self.method != "supervised"

    @property
    def whole(self) -> bool:
        """No map of a box has a degree."""
        return False

    @property
    def free_rotation(self) -> int:
        """With p = 2 and no walls codes know no axes."""
        free = self.task == "pairs" and self.method == "contrastive" and self.encoded == self.k
        return self.k if free and self.p == 2 and self.space == "unbounded" else 0

    @property
    def k(self) -> int:
        """How many factors vary."""
        if self.task == "classify":
            return len(ORDER["sprites"])
        asked = self.n_factors or USUAL[self.world]
        return min(asked, len(ORDER[self.world]))

    @property
    def d(self) -> int:
        """Latent dimensions."""
        return self.k

    @property
    def seen(self) -> World:
        """The world of pictures, with the factors that vary."""
        if self.task == "classify":
            return WORLDS["sprites"].only(*ORDER["sprites"])
        return WORLDS[self.world].only(*ORDER[self.world][: self.k]).opened(ARC)

    @property
    def encoded(self) -> int:
        """Dimensions of the code."""
        if self.task == "pairs" and self.method == "supervised":
            return self.k
        return self.d_hat or (CODES if self.task == "classify" else self.k)

    @property
    def step_size(self) -> float:
        """Scale of the transition."""
        return self.spread or STEP[self.world]

    @property
    def stored(self) -> int | None:
        """Pairs that are drawn once, None where every batch is new."""
        return self.pairs or (STORED if self.world == "scene" else None)

    @property
    def negatives(self) -> str:
        """What codes are told from, as in the paper's code."""
        return "anchors"

    @property
    def flat(self) -> Box:
        """Where latents live."""
        return Box(self.k, LOW, HIGH)

    @property
    def law(self) -> Law:
        """How the second picture's factors lie around the first's."""
        return Law(self.transition, spread=self.step_size, project=False, walls=(LOW, HIGH))

    @property
    def marginal_law(self) -> None:
        """The latents' own law: the uniform one."""
        return None

    @property
    def model_tau(self) -> float:
        """The temperature in force."""
        return self.matched_tau if self.tau is None else self.tau

    @property
    def matched_tau(self) -> float:
        """The temperature at which the model's noise has the step's size.

        Of p = 1 the mean of |e|, of p = 2 twice its variance.
        """
        step, normal = self.step_size, self.transition == "normal"
        if self.p == 1:
            return step * sqrt(2 / pi) if normal else step
        return 2 * step**2 if normal else 4 * step**2

    @property
    def classes(self) -> int:
        """How many there are."""
        if self.label == "random":
            return PARTITION
        count = 1
        for parts in CELLS[self.label].values():
            count *= parts
        return count

    @property
    def input_size(self) -> int:
        """Numbers that the encoder is fed."""
        side = self.seen.side if self.encoder == "conv" else POOLED
        return side * side * self.seen.channels


PAIRS = Assumption(
    "task", "pairs of pictures", lambda p: p.task == "pairs",
    lambda p: "What a classifier's code keeps of factors that make no class, no theorem says.",
)  # fmt: skip
METHOD = Assumption(
    "method", "contrastive learning", lambda p: p.task != "pairs" or p.method == "contrastive",
    lambda p: "The encoder is told the factors: a baseline, not a finding."
    if p.method == "supervised" else "SlowVAE's own theorem is about its likelihood, which is "
    "bounded here and not reached.",
)  # fmt: skip
BOX = Assumption(
    "space", "a convex body, such as the box, for codes as well",
    lambda p: p.space == "box",
    lambda p: "The theorem asks for a bounded convex body on both sides; the latents have one, "
    "the codes none.",
)  # fmt: skip
SAME_NORM = Assumption(
    "p", "the transition's own exponent in the model",
    lambda p: p.p == (1 if p.transition == "laplace" else 2),
    lambda p: f"The step is {'Laplace' if p.transition == 'laplace' else 'normal'}, the model's "
    f"distance p = {p.p}: the model cannot equal the true posterior.",
)  # fmt: skip
AXES = Assumption(
    "p", "a norm that knows the axes (p ≠ 2)", lambda p: p.p != 2,
    lambda p: "With p = 2 a turned code has the same distances: the theorem leaves a rotation.",
)  # fmt: skip
SIZE = Assumption(
    "d_hat", "as many codes as factors", lambda p: p.encoded == p.k,
    lambda p: f"{p.encoded} codes for {p.k} factors: codes to spare can split a factor."
    if p.encoded > p.k else f"{p.encoded} codes for {p.k} factors: not all can be told.",
)  # fmt: skip
ASSUMPTIONS = (PAIRS, METHOD, BOX, SAME_NORM, AXES, SIZE)


def broken(params: Pixels) -> list[str]:
    """What keeps distances from agreeing, in words; empty if nothing does."""
    confined = ["codes that are not confined to a sphere"] if params.space == "sphere" else []
    return [*(each.words for each in missing((SAME_NORM, SIZE), params)), *confined]


def notices(params: Pixels) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    if params.task == "classify":
        drawn = Notice("world", "Classes are of sprites, whatever the world is set to.")
        return (drawn, *lacking((PAIRS,), params))
    asked = params.n_factors or 0
    found = []
    if asked > params.k:
        found.append(Notice("n_factors", f"This world has {params.k} factors, and all vary."))
    if params.method != "contrastive":
        return (*found, *lacking((METHOD, SIZE), params))
    return (*found, *lacking(ASSUMPTIONS, params))


def work(params: Pixels) -> float:
    """Floating-point operations of one run, with what its pictures take as so many."""
    sizes = [params.input_size, *[params.width] * params.depth, params.encoded]
    if params.encoder == "conv":
        sizes[1:-1] = [params.width]
    layers = sum(a * b for a, b in pairwise(sizes))
    if params.encoder == "conv":
        layers += 700_000
    if params.task == "classify":
        pictures = params.steps * params.batch
        learnt = params.steps * 6.0 * params.batch * (layers + params.encoded * params.classes)
        return learnt + (pictures + 8192) * PICTURED["sprites"] * 1e-3 * SECOND
    each = 2 if params.unsupervised else 1
    pictures = each * (params.stored or params.steps * params.batch) + 8192
    distances = params.batch**2 * params.encoded * 3 if params.method == "contrastive" else 0
    twice = 2 if params.method == "slowvae" else 1
    learnt = params.steps * 6.0 * (each * twice * params.batch * layers + distances)
    return learnt + pictures * PICTURED[params.world] * 1e-3 * SECOND


def promise(params: Pixels) -> Promise:
    """What the theorem on convex bodies promises of pairs; of classes, nothing."""
    if params.task == "classify":
        return Promise(
            up_to="linear",
            score="label_accuracy",
            promised=("label_accuracy",),
            statement="No theorem says what a class keeps of factors that do not make it.",
            source="Reizinger et al. 2025",
            bound=None,
            missing=("classes that are clusters of the factors",),
        )
    return Promise(
        up_to="permutation",
        score="mcc",
        promised=("mcc",),
        statement="A minimiser finds the factors one by one, in some order, each scaled, shifted "
        "or mirrored.",
        source="Zimmermann et al. 2021, theorem on convex bodies",
        bound=0.95,
        missing=tuple(each.words for each in missing(ASSUMPTIONS, params)),
    )


SCENARIO = Scenario(
    name="pixels",
    title="Pixels",
    Params=Pixels,
    version=2,
    scored=3,
    promise=promise,
    scores=("mcc", "linear_r2"),
    notices=notices,
    work=work,
)
