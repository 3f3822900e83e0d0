"""Claims of the page on pictures: which factors an encoder's code keeps."""

from functools import cache

import numpy as np

from core import metrics
from core.claims.claim import RESTS, Claim, Exact, Opens, Runs, Shows, preset, swept
from core.claims.relations import by_seed, count, every, falling, high, low, mean, together, value
from core.lessons.pixels import CONVOLVED, NORMAL, OPEN, SEVEN, SLOW, WIDE
from core.metrics.significance import ALPHA

PAGE = "pixels"
FOUND = 0.95  # an MCC from which on each factor has a code of its own
PAPER = "Zimmermann et al. 2021, Tables 3 and 4, on other pictures"

walkers, turned, walls = (preset(PAGE, name) for name in ("walkers", "turned", "walls"))
seven = preset(PAGE, "scene-seven")
narrow = Runs(PAGE, {**SEVEN, "spread": 0.1}, (0, 1, 2)).read("factor_spot_hue")
scene, open_scene = preset(PAGE, "scene"), preset(PAGE, "scene-turned")
shape, position, dealt = (preset(PAGE, name) for name in ("shape", "position", "random"))
slow, ten = preset(PAGE, "slow"), preset(PAGE, "ten-codes")
longer = Runs(PAGE, {**SLOW, "steps": 2400}, (0, 1, 2))
normal_ten = Runs(PAGE, {**NORMAL, "d_hat": 10}, (0, 1, 2))
warm = swept(PAGE, "warm", (1.0, 10.0, 100.0), symbol="warm", seeds=(0, 1, 2))
wide, convolved = (Runs(PAGE, each, (0, 1, 2)) for each in (WIDE, CONVOLVED))
pairs = swept(PAGE, "pairs", (1024, 4096, 16_384), SEVEN, score="linear_r2", seeds=(0, 1, 2))
open_seven = Runs(PAGE, OPEN)
BY_CLASS = Shows("figure", "kept")
COMPARED = {"three": turned, "five": open_scene, "seven": open_seven}  # numbers of factors


@cache
def by_luck(d: int) -> tuple[float, float]:
    """Two MCCs between which means over as many rotations of d factors lie as a claim has runs.

    So wide that those of `COMPARED` numbers of factors all lie there 19 times in 20 (Bonferroni).
    """
    means = metrics.mcc_of_rotations(d, 1000 * len(RESTS)).reshape(-1, len(RESTS)).mean(1)
    tail = ALPHA / 2 / len(COMPARED)
    below, above = np.quantile(means, [tail, 1 - tail])
    return float(below), float(above)


def rotations(d: int) -> Exact:
    """What `by_luck` gives, as evidence."""
    return Exact(lambda: by_luck(d), "Mean MCC of rotations at random")


PAIRS = (
    Claim(
        "pictures-are-found-up-to-a-rotation",
        PAGE,
        "**With p = 2 and no walls the factors of pictures come back turned**: of walkers linear "
        "R² is {r2.span}, and MCC {turned.mean} in the mean ({turned.span}). In a box MCC is "
        "{walls.span}; with a Laplace step and model, without walls, {laplace.span}.",
        "The theorem says nothing of what hides the latents, as long as it can be undone: pixels "
        "do as well as an invertible network.",
        {"turned": turned, "r2": turned.read("linear_r2"), "walls": walls, "laplace": walkers},
        "mcc",
        (every("r2") >= 0.98) & (count("turned", value < FOUND) > count("turned", value >= FOUND))
        & (every("walls") >= FOUND) & (every("laplace") >= 0.98),
        ("turned", walkers),
        Opens(PAGE, "turned"),
        kind="published",
        source=PAPER,
        typed=("p = 2",),
    ),
    Claim(
        "a-lit-scene-needs-walls-too",
        PAGE,
        "**The same of a lit scene with five factors**: MCC {scene.span} in a box and "
        "{open.mean} in the mean without ({open.span}), at a linear R² of {r2.mean}.",
        "Pixels alone are read linearly to an R² of {raw.mean}: R² would hardly tell an encoder "
        "from none, and MCC does.",
        {"scene": scene, "open": open_scene, "r2": open_scene.read("linear_r2"),
         "raw": scene.read("raw_linear_r2")},
        "mcc",
        (every("scene") >= 0.9) & (mean("open") < mean("scene") - 0.1) & (mean("r2") >= 0.9),
        ("open", scene),
        Opens(PAGE, "scene"),
        kind="published",
        source=PAPER,
    ),
    Claim(
        "without-walls-a-rotation-is-luck",
        PAGE,
        "**Without walls MCC is that of a rotation at random, and lower the more factors there "
        "are**: {three.mean} in the mean of walkers’ three, {five.mean} of a scene’s five, "
        "{seven.mean} of its seven. Means of {three.runs} rotations at random lie, nineteen times "
        "in twenty, at {three turned.span}, {five turned.span} and {seven turned.span}. In a box "
        "the seven have {walls.mean}.",
        "Nothing but luck says where training ends among rotations, so one run’s MCC without walls "
        "says little: of five factors it is anything from {five.low} to {five.high}. Linear R² "
        "sees no rotation; of the seven it is {r2.span}.",
        {**COMPARED, "walls": seven,
         "three turned": rotations(3), "five turned": rotations(5), "seven turned": rotations(7),
         "r2": open_seven.read("linear_r2")},
        "mcc",
        falling(list(COMPARED)) & together([
            (mean(name) >= low(f"{name} turned")) & (mean(name) <= high(f"{name} turned"))
            for name in COMPARED
        ]) & (mean("walls") > high("seven turned")),
        ("seven", seven),
        Opens.of(open_seven),
        shows=Shows("figure", "luck"),
        typed=tuple(COMPARED),
    ),
    Claim(
        "slowvae-takes-longer",
        PAGE,
        "**SlowVAE gets there later than contrastive learning**: with ten codes for three "
        "factors it has MCC {slow.mean} in the mean after {slow.steps} steps ({slow.span}) and "
        "{longer.mean} after {longer.steps}; the Laplace model has {ten.span} after {ten.steps}, "
        "and a normal one {normal.mean}.",
        "It has pictures to draw as well. As published it lies below the Laplace model, in the "
        "mean; above the normal one, as published too, it is once it has the time. Before, it is "
        "for the seed to say.",
        {"slow": slow, "longer": longer, "ten": ten, "normal": normal_ten},
        "mcc",
        (mean("ten") > mean("slow") + 0.05) & (mean("longer") > mean("slow") + 0.05)
        & (mean("longer") > mean("normal") + 0.05),
        ("slow", ten),
        Opens(PAGE, "slow"),
        kind="published",
        source=PAPER,
    ),
    Claim(
        "warm-starts-gain-nothing",
        PAGE,
        "**A warm start gains nothing where codes start apart**: MCC is {warm = 1.span} at one "
        "temperature, {warm = 10.span} from tenfold, {warm = 100.span} from a hundredfold.",
        "The encoder’s last layer is set from a first batch so that codes start uncorrelated. "
        "What a warm start does to codes that start alike is not measured here.",
        {**warm},
        "mcc",
        (mean("warm = 10") < mean("warm = 1") + 0.01)
        & (mean("warm = 100") < mean("warm = 1") + 0.01) & (every("warm = 1") > 0.9),
        ("warm = 1", turned),
        Opens(PAGE, "walkers"),
        shows=Shows("sweep", "warm"),
        typed=("hundredfold", "tenfold"),
    ),
)  # fmt: skip
SEVEN_FOUND = (
    Claim(
        "narrow-steps-leave-a-mixed-hue-out",
        PAGE,
        "**All seven factors of a lit scene are found where pairs are far enough apart**, in "
        "{found} of {seven.runs} runs: with a step of {seven.spread} MCC is {seven.span} and "
        "linear R² {r2.span}, where pixels have {raw.span}. The spotlight’s hue is told with R² "
        "{hue.mean}; with a step of {narrow.spread} with {narrow.mean}.",
        "The spotlight’s hue is seen mixed with the hues of what it meets. Where the second is "
        "close, the easier factors tell a pair from the others, and little asks for this one.",
        {"hue": seven.read("factor_spot_hue"), "narrow": narrow, "seven": seven,
         "r2": seven.read("linear_r2"), "raw": seven.read("raw_linear_r2")},
        "mcc",
        (count("hue", value > 0.8) > count("hue", value <= 0.8))
        & (count("seven", value > 0.9) > count("seven", value <= 0.9))
        & (mean("narrow") < mean("hue") - 0.1),
        ("hue", narrow),
        Opens(PAGE, "scene-seven"),
        numbers={"found": count("seven", value > 0.9)},
    ),
    Claim(
        "few-pairs-cost-factors",
        PAGE,
        "**Few pairs cost factors**: of {pairs = 1024.pairs} pairs of a lit scene its seven "
        "factors are read with a linear R² of {pairs = 1024.mean}, of {pairs = 4096.pairs} with "
        "{pairs = 4096.mean}, of {pairs = 16384.pairs} with {pairs = 16384.mean}. Pixels have "
        "{raw.mean}.",
        "The loss that is minimised is that of the pairs seen, and not that of the world: what "
        "tells few pictures apart may be anything that these few differ in.",
        {**pairs, "raw": seven.read("raw_linear_r2")},
        "linear_r2",
        falling(list(pairs)[::-1]) & (mean("pairs = 1024") < mean("raw")),
        ("pairs = 1024", pairs["pairs = 16384"]),
        Opens.of(pairs["pairs = 1024"]),
        shows=Shows("sweep", "pairs", params=SEVEN),
    ),
)  # fmt: skip
CLASSES_KEPT = (
    Claim(
        "classes-keep-what-they-vary",
        PAGE,
        "**A narrow code keeps what its classes vary, and drops the rest**: classified by shape, "
        "size is read with R² {shape size.mean} and place with {shape x.mean}; classified by "
        "place, {place size.mean} and {place x.mean}. Before training it was {start size.mean} "
        "and {start x.mean}.",
        "Published tables show the trained code alone. A class that does not depend on a factor "
        "is told as well without it.",
        {
            "shape size": shape.read("factor_scale"), "shape x": shape.read("factor_x"),
            "place size": position.read("factor_scale"), "place x": position.read("factor_x"),
            "start size": shape.read("untrained_factor_scale"),
            "start x": shape.read("untrained_factor_x"),
        },
        "factor_x",
        (by_seed("shape size") > by_seed("place size")) & (by_seed("place x") > by_seed("shape x"))
        & (mean("shape x") < mean("start x")) & (mean("shape size") > mean("start size")),
        ("shape x", position.read("factor_x")),
        Opens(PAGE, "shape"),
        source="Reizinger et al. 2025, Table 4, on other pictures, with the untrained code beside",
        shows=BY_CLASS,
    ),
    Claim(
        "classes-dealt-at-random-keep-nothing",
        PAGE,
        "**Classes dealt at random add nothing**: place is read with R² {dealt x.mean}, and "
        "{start x.mean} before training; size with {dealt size.mean} and {start size.mean}. By "
        "place and by shape it is {place x.mean} and {shape size.mean}.",
        "What such classes ask for is no factor but a table of cells, which the encoder cannot "
        "learn.",
        {
            "dealt x": dealt.read("factor_x"), "dealt size": dealt.read("factor_scale"),
            "start x": dealt.read("untrained_factor_x"),
            "start size": dealt.read("untrained_factor_scale"),
            "place x": position.read("factor_x"), "shape size": shape.read("factor_scale"),
        },
        "factor_x",
        (mean("dealt x") < mean("place x")) & (mean("dealt size") < mean("shape size")),
        ("dealt x", position.read("factor_x")),
        Opens(PAGE, "random"),
        shows=BY_CLASS,
    ),
    Claim(
        "width-shows-what-nobody-learnt",
        PAGE,
        "**A wide code tells factors that nobody taught it**: of {wide.d_hat} dimensions place is "
        "read with R² {start.mean} before any training, and with {wide.mean} after it was "
        "trained on shapes ({convolutions.mean} of convolutions); a code of eight has "
        "{narrow.mean}.",
        "Random features of pixels span much. Training for a class lowers what the class does not "
        "ask for, and more where there is little room. A table of trained wide codes alone cannot "
        "tell what training put there.",
        {"start": wide.read("untrained_factor_x"), "wide": wide, "convolutions": convolved,
         "narrow": shape.read("factor_x")},
        "factor_x",
        (by_seed("start") > by_seed("wide")) & (mean("wide") > mean("narrow") + 0.3)
        & (mean("convolutions") > mean("narrow") + 0.3),
        ("start", wide.read("factor_x")),
        Opens.of(wide),
        source="Reizinger et al. 2025, Table 4, on other pictures, with the untrained code beside",
        shows=Shows("figure", "wide"),
        typed=("eight",),
    ),
    Claim(
        "read-outs-through-the-origin-understate-pixels",
        PAGE,
        "**A read-out through the origin understates pixels**: size is told from them with a "
        "correlation of {pixels through 0.mean} so, and of {pixels.mean} with an intercept; from a "
        "trained code with {code through 0.mean} and {code.mean}.",
        "The published read-out has no intercept: factors are centred, and neither pixels nor "
        "codes are. What a code seems to gain over pixels, an intercept gives as well.",
        {"pixels through 0": shape.read("raw_r_bare_scale"),
         "pixels": shape.read("raw_r_scale"),
         "code through 0": shape.read("r_bare_scale"), "code": shape.read("r_scale")},
        "raw_r_scale",
        mean("pixels through 0") < mean("pixels") - 0.2,
        ("pixels through 0", shape.read("raw_r_scale")),
        Opens(PAGE, "shape"),
        source="Reizinger et al. 2025, Table 4, on other pictures",
    ),
)  # fmt: skip
CLAIMS = (*PAIRS, *SEVEN_FOUND, *CLASSES_KEPT)
