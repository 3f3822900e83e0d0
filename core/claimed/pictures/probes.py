"""Claims of the page on pictures: what a probe proves, and what it does not."""

from core.claims.claim import Claim, Exact, Opens, Runs, Shows, preset
from core.claims.relations import by_seed, count, every, mean, together, value
from core.metrics.significance import ALPHA
from core.scenarios.probes import FACTORS

PAGE = "probes"
PAPER = "Reizinger et al. 2025, Figure 3, on other images, repeated here"
STARRED, CAREFUL, FRESH = (f"asterisks_{name}" for name in ("published", "corrected", "fresh"))
CODES = {name: preset(PAGE, name) for name in ("trained", "shuffled", "untrained", "pixels")}
NOISE = preset(PAGE, "noise")
LUCK = ALPHA * len(FACTORS)  # tests of ten that a sound procedure rejects of noise
HELPED = ("class", "hole")
SPENT = ("ink", "thickness", "slant", "left_right", "top_bottom", "contrast", "aspect")
SIDE_BY_SIDE = Shows("figure", "probes")


def accuracies(code: str, *factors: str) -> dict[str, Runs]:
    """A group for the probe of each factor, such as "trained ink"."""
    return {f"{code} {name}": CODES[code].read(f"accuracy_{name}") for name in factors}


CLAIMS = (
    Claim(
        "asterisks-come-without-training",
        PAGE,
        "**An asterisk does not show that training put a factor there**: of ten factors "
        "{own.span} get one with a trained encoder, {untrained.span} with one that never was "
        "trained, {shuffled.span} with one trained on shuffled labels, and {pixels.span} with the "
        "pixels alone.",
        "Above chance is all that it says, and a factor of the image can be read of nearly any "
        "code of it. With a test that holds its level the encoder that never was trained still "
        "gets {careful.span}, on fresh images {fresh.span}.",
        {
            "own": CODES["trained"].read(STARRED),
            "untrained": CODES["untrained"].read(STARRED),
            "shuffled": CODES["shuffled"].read(STARRED),
            "pixels": CODES["pixels"].read(STARRED),
            "careful": CODES["untrained"].read(CAREFUL),
            "fresh": CODES["untrained"].read(FRESH),
        },
        STARRED,
        together([every(name) >= 9 for name in ("untrained", "shuffled", "pixels", "careful",
                                                "fresh")])
        & (mean("untrained") >= mean("own")),
        ("untrained", NOISE),
        Opens(PAGE, "untrained"),
        source=PAPER,
        shows=SIDE_BY_SIDE,
    ),
    Claim(
        "training-helps-few-factors",
        PAGE,
        "**Training helps the digit and what tells digits apart, and pixels win most others**: "
        "whether a digit is five or more is told from the trained code in {trained class.mean} of "
        "the cases and from pixels in {pixels class.mean}, a hole in {trained hole.mean} and "
        "{pixels hole.mean}; but ink in {trained ink.mean} and {pixels ink.mean}, slant in "
        "{trained slant.mean} and {pixels slant.mean}.",
        "The encoder saw labels alone, which a hole helps to tell and ink does not. Pixels win "
        "thickness, place, contrast and aspect as well.",
        {
            **accuracies("trained", *HELPED, *SPENT),
            **accuracies("pixels", *HELPED, *SPENT),
        },
        "accuracy_class",
        together([mean(f"trained {name}") > mean(f"pixels {name}") for name in HELPED])
        & together([mean(f"trained {name}") < mean(f"pixels {name}") for name in SPENT]),
        ("trained class", CODES["shuffled"].read("accuracy_class")),
        Opens(PAGE, "trained"),
        shows=SIDE_BY_SIDE,
    ),
    Claim(
        "training-takes-factors-away",
        PAGE,
        "**Training takes factors away that no label asks for**: ink is read of the code before "
        "training in {untrained ink.span} of the cases, after it in {trained ink.span}; contrast "
        "in {untrained contrast.mean} and {trained contrast.mean}. Whether the digit is five or "
        "more goes from {untrained class.mean} to {trained class.mean}.",
        "Both get their asterisks: whether a factor is above chance does not say whether it came "
        "or went.",
        {
            **accuracies("untrained", "ink", "contrast", "class"),
            **accuracies("trained", "ink", "contrast", "class"),
        },
        "accuracy_ink",
        (by_seed("trained ink") < by_seed("untrained ink"))
        & (mean("trained contrast") < mean("untrained contrast"))
        & (by_seed("trained class") > by_seed("untrained class")),
        ("trained ink", CODES["pixels"].read("accuracy_ink")),
        Opens(PAGE, "trained"),
        shows=SIDE_BY_SIDE,
    ),
    Claim(
        "resplits-find-factors-in-noise",
        PAGE,
        "**Ten re-splits of the same images find factors in noise**: of codes that never saw an "
        "image the published test takes {published.mean} of ten factors in the mean for real at "
        "the level of one in twenty, which should be {luck.mean}. With its variance corrected "
        "it takes {corrected.mean}, an exact test of fresh images {fresh.mean}.",
        "The splits share their images, so ten accuracies are no ten draws: a lucky set stays "
        "lucky. In {wrong} of {published.runs} draws at least one factor was found, and in "
        "{starred} at the level that fifty tests share.",
        {
            "published": NOISE.read("rejected_published"),
            "corrected": NOISE.read("rejected_corrected"),
            "fresh": NOISE.read("rejected_fresh"),
            "shared": NOISE.read(STARRED),
            "luck": Exact(lambda: [LUCK], "Rejected by luck", ".1f"),
        },
        "rejected_published",
        (mean("published") > mean("luck") * 2) & (mean("corrected") < mean("published") / 2)
        & (mean("fresh") < mean("published") / 2),
        ("published", NOISE.read("rejected_corrected")),
        Opens(PAGE, "noise"),
        source=PAPER,
        shows=Shows("figure", "null"),
        numbers={"wrong": count("published", value >= 1), "starred": count("shared", value >= 1)},
    ),
)  # fmt: skip
