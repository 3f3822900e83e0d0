"""What theory asks of runs on pictures and promises, what there is to say, what they cost."""

from itertools import pairwise

from core.datasets.worlds import FOUND
from core.scenarios.pixels.params import Pixels
from core.scenarios.scenario import Assumption, Notice, Promise, lacking, missing

PICTURED = {  # ms to draw one, in small batches, or to find it once its set has been read
    **dict.fromkeys(FOUND, 0.02), "masks": 0.018, "scene": 0.2, "sprites": 0.03,
}  # fmt: skip
SHAPES = {"sprites": 4, "dsprites": 5}  # so many factors bring a square, or an ellipse, that turns
SECOND = 3e9  # operations that take as long as a second of drawing

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
FILLED = Assumption(
    "world", "latents that fill their body", lambda p: not p.found,
    lambda p: f"The pictures are those of {p.seen.title}: a pair's second one is the nearest to a "
    "step from the first, at times the first itself, and factors that do not vary rest where they "
    "lie on a grid. Half of up to 16,384 pictures train, the others score.",
)  # fmt: skip
TURNED = Assumption(
    "n_factors", "pictures that differ wherever factors do",
    lambda p: p.task != "pairs" or "rotation" not in p.seen.varied or p.k < SHAPES[p.world],
    lambda p: "A square looks the same after a quarter turn, an ellipse after half a turn: their "
    "rotation cannot be told in full.",
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
ASSUMPTIONS = (PAIRS, METHOD, FILLED, TURNED, BOX, SAME_NORM, AXES, SIZE)


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
    if asked and asked < params.k:
        few = f"{params.k} factors vary: of fewer this data set has too few pictures."
        found.append(Notice("n_factors", few))
    if params.method != "contrastive":
        return (*found, *lacking((METHOD, FILLED, TURNED, SIZE), params))
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
