"""Claims of the page on auxiliary variables."""

from core.claims.claim import Claim, Opens, Runs, Shows, preset, swept
from core.claims.relations import by_seed, count, every, high, low, mean, value
from core.lessons.auxiliary import EVEN, FEW, PAIRS, THREE

PAGE = "auxiliary"
TCL = "Hyvärinen and Morioka 2016, Theorem 1"
GCL = "Hyvärinen, Sasaki and Turner 2019, Theorem 3"

segments, enough, few = (preset(PAGE, name) for name in ("segments", "enough", "few"))
shared, equal = preset(PAGE, "shared"), preset(PAGE, "equal")
gauss, moved, pairs = (preset(PAGE, name) for name in ("gauss", "moved", "pairs"))
blind = Runs(PAGE, {**PAIRS, "modulation": "equal"})
even = Runs(PAGE, {**FEW, "code": "even"})
heads = swept(PAGE, "head_scale", (0.0, 1.0), params=EVEN, symbol="head")

COUNTED = (
    Claim(
        "segments-tell-sources-apart",
        PAGE,
        "**To tell segments apart is to find the sources**, up to their signs: MCC "
        "{segments.span} over {segments.n_segments} segments, where |x| has {raw.span} and, if "
        "all segments are equal, the code has {equal.span}.",
        "The best classifier’s logits are linear in |s|, and so is a code on which a linear "
        "classifier stands. Linear ICA of variances that change with the segment does the rest.",
        {"segments": segments, "raw": segments.read("raw_mcc"), "equal": equal},
        "mcc",
        (every("segments") >= 0.97) & (low("segments") > high("raw"))
        & (low("segments") > high("equal")),
        ("segments", equal),
        Opens(PAGE, "segments"),
        kind="theorem",
        source=f"{TCL} and Corollary 1",
    ),
    Claim(
        "one-segment-more-than-sources",
        PAGE,
        "**It takes one segment more than sources**: with {enough.d} sources the MCC of ranks is "
        "{enough.span} over {enough.n_segments} segments and {few.span} over {few.n_segments} (MCC "
        "{enough mcc.span} and {few mcc.span}).",
        "Differences of segments must span as many directions as there are sources. Where they "
        "do not, the part of the statistics in the directions that they span is found, with "
        "R² {inside.span}, and the part outside with {outside.span}.",
        {"enough": enough, "few": few, "enough mcc": enough.read("mcc"),
         "few mcc": few.read("mcc"), "inside": few.read("span_r2"),
         "outside": few.read("complement_r2")},
        "mcc_spearman",
        (every("enough") >= 0.95) & (every("few") < 0.9) & (every("enough mcc") >= 0.97)
        & (every("inside") >= 0.95) & (by_seed("outside") < by_seed("inside")),
        ("enough", few),
        Opens(PAGE, "few"),
        kind="theorem",
        source=TCL,
        shows=Shows("sweep", "n_segments", params=THREE, scores=("mcc_spearman",)),
    ),
    Claim(
        "a-shared-modulation-tells-the-sum",
        PAGE,
        "**One modulation for all sources tells the sum of their statistics alone**: that is found "
        "with R² {inside.span}, what is at right angles to it with {outside.span}, and MCC is "
        "{shared.span}. A modulation of its own for each gives {free.span}.",
        "All segments’ differences lie on one line, however many segments there are.",
        {"inside": shared.read("span_r2"), "outside": shared.read("complement_r2"),
         "shared": shared, "free": segments},
        "mcc",
        (every("inside") >= 0.97) & (every("outside") < 0.8)
        & (low("free") > high("shared") + 0.02),
        ("shared", segments),
        Opens(PAGE, "shared"),
        kind="theorem",
        source=TCL,
    ),
    Claim(
        "equal-segments-tell-nothing",
        PAGE,
        "**Equal segments tell nothing**: MCC is {equal.mean} in the mean and that of |x| "
        "{raw.mean}; the loss ends at {loss.span} nats, the entropy of the segment itself.",
        "The world is the same mixture of the same sources throughout. Without a variable that "
        "moves them nonlinear ICA has too many solutions.",
        {"equal": equal, "raw": equal.read("raw_mcc"), "loss": equal.read("loss"),
         "floor": equal.read("loss_floor")},
        "mcc",
        (mean("equal") < mean("raw")) & (every("equal") < 0.8)
        & (abs(mean("loss") - mean("floor")) < 0.01),
        ("equal", segments),
        Opens(PAGE, "equal"),
        kind="theorem",
        source=TCL,
    ),
)  # fmt: skip
LAWS = (
    Claim(
        "scales-tell-normal-sources-and-moves-do-not",
        PAGE,
        "**Normal sources are told by their scales, and only up to a linear map by where they "
        "lie**: MCC {gauss.span} of s² where scales change; where sources move, linear R² of s is "
        "{r2.span} and MCC {moved.mean} in the mean ({moved.span}).",
        "Moved normal sources have one covariance in all segments: any rotation of the whitened "
        "code is as good. Changing scales make every segment’s covariance another.",
        {"gauss": gauss, "moved": moved, "r2": moved.read("linear_r2")},
        "mcc",
        (every("gauss") >= 0.97) & (every("r2") >= 0.98) & (mean("moved") < 0.9),
        ("gauss", moved),
        Opens(PAGE, "moved"),
        kind="theorem",
        source=f"{TCL}; the rotation: this project",
        typed=("s²",),
    ),
    Claim(
        "pairs-with-the-segment-do-as-well",
        PAGE,
        "**Telling real pairs of x and u from shuffled ones does as well**: MCC {pairs.span}, "
        "where |x| has {raw.span} and, with segments that are all equal, the code has "
        "{blind.span}.",
        "The best logits are log p(u | x) less log p(u), and those are linear in |s| up to what "
        "has no u in it, for which there is a network of its own.",
        {"pairs": pairs, "raw": pairs.read("raw_mcc"), "blind": blind},
        "mcc",
        (every("pairs") >= 0.97) & (low("pairs") > high("raw")) & (low("pairs") > high("blind")),
        ("pairs", blind),
        Opens(PAGE, "pairs"),
        kind="theorem",
        source=GCL,
    ),
)  # fmt: skip
CODES = (
    Claim(
        "even-codes-find-more-than-theory-counts",
        PAGE,
        "**An even code finds sources with a segment too few**: three sources over three segments "
        "have an MCC of ranks of {even.mean} in the mean ({even.span}) where the code is an "
        "absolute value, and {few.mean} ({few.span}) where it is free.",
        "Two sums of |s| are all that segments tell, but each bends where a source vanishes. A "
        "network whose codes can bend there alone has few other ways to make them. The theorem "
        "knows nothing of the network.",
        {"even": even, "few": few},
        "mcc_spearman",
        (mean("even") > mean("few") + 0.05) & (high("even") > high("few")),
        ("even", few),
        Opens(PAGE, params={**FEW, "code": "even"}),
        shows=Shows("sweep", "code", params=FEW, scores=("mcc_spearman", "mcc")),
    ),
    Claim(
        "a-classifier-at-random-bends-even-codes",
        PAGE,
        "**A classifier that starts at random can turn an even code upside down**: MCC "
        "{head = 0.span} from a classifier that starts at 0 and {head = 1.span} from a random "
        "one: {bent} of {head = 1.runs} of those miss the promised bound.",
        "An absolute value is at least 0. A code that falls as its source grows meets that wall "
        "and is flat beyond it: ranks hardly change, and large sources are lost.",
        {**heads},
        "mcc",
        (every("head = 0") >= 0.98) & (count("head = 1", value < 0.97) >= 1),
        ("head = 0", Runs(PAGE, {**EVEN, "head_scale": 1.0})),
        Opens(PAGE, params={**EVEN, "head_scale": 1.0}),
        shows=Shows("sweep", "head_scale", params=EVEN),
        numbers={"bent": count("head = 1", value < 0.97)},
        typed=("starts at 0", "at least 0"),
    ),
)  # fmt: skip
CLAIMS = (*COUNTED, *LAWS, *CODES)
