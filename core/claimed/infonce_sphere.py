"""Claims of the page on contrastive learning."""

from core.claims.claim import Claim, Exact, Opens, Runs, Shows, preset, swept
from core.claims.relations import count, every, falling, high, low, mean, share, value
from core.laws.vmf import total_variation
from core.lessons.infonce_sphere import ANSWERED, TEN

PAGE = "infonce_sphere"
PAPER = "Zimmermann et al. 2021, Theorem 2"
EIGHT = tuple(range(8))

matched = preset(PAGE, "matched")
cold = preset(PAGE, "cold")
fold = preset(PAGE, "fold")
annealed = preset(PAGE, "unfold")
identity = Runs(PAGE, {"steps": 800}, EIGHT)
tight = Runs(PAGE, {"conditional": "laplace", "spread": 0.05}, (0, 1, 2))
told = Runs(PAGE, {"objective": "supervised"})
answered = Runs(PAGE, ANSWERED, (0, 1, 2))

RECOVERY = (
    Claim(
        "contrastive-learning-recovers",
        PAGE,
        "**When the assumptions hold, the latents come back**: linear R² {matched.span}, where a "
        "read-out of x itself reaches {raw x.span} ({matched.runs} seeds).",
        "A minimiser of InfoNCE keeps every distance on the sphere, so it is a rotation or a "
        "reflection.",
        {"matched": matched, "raw x": matched.read("raw_linear_r2")},
        "linear_r2",
        (every("matched") >= 0.99) & (every("matched") > high("raw x")),
        ("matched", matched.read("untrained_linear_r2")),
        Opens(PAGE, "matched"),
        kind="theorem",
        source=PAPER,
    ),
    Claim(
        "a-weak-pull-is-enough",
        PAGE,
        "**The latents come back even when a positive is hardly closer than a stranger** (κ = "
        "{weak.kappa}): {weak.span}.",
        "The theorem asks for τκ to be one, and not for a large κ. It takes larger batches.",
        {"weak": preset(PAGE, "weak")},
        "linear_r2",
        every("weak") >= 0.99,
        ("weak", preset(PAGE, "weak", "untrained_linear_r2")),
        Opens(PAGE, "weak"),
        kind="theorem",
        source=PAPER,
    ),
    Claim(
        "five-dimensions-come-back",
        PAGE,
        "**More latents ask for more pairs and more steps** (d = {five.d}) and come back all the "
        "same: {five.span}; with the default budget they reach {default budget.span}.",
        "The theorem holds in every dimension; what grows is the work of finding a minimiser.",
        {"five": preset(PAGE, "five"), "default budget": Runs(PAGE, {"d": 5}, (0, 1, 2))},
        "linear_r2",
        (every("five") >= 0.99) & (high("default budget") < low("five")),
        ("five", Runs(PAGE, {"d": 5}, (0, 1, 2))),
        Opens(PAGE, "five"),
    ),
    Claim(
        "a-circle-comes-back",
        PAGE,
        "**A circle comes back, too** (d = {circle.d}): every run goes round once, and linear R² "
        "is {circle.span}.",
        "There the degree of the map is its number of turns.",
        {"circle": preset(PAGE, "circle"), "turns": preset(PAGE, "circle", "degree")},
        "linear_r2",
        (every("circle") >= 0.99) & (abs(every("turns")) == 1),
        ("circle", preset(PAGE, "circle", "untrained_linear_r2")),
        Opens(PAGE, "circle"),
    ),
    Claim(
        "a-warm-model-still-recovers",
        PAGE,
        "**Too warm a model still finds the globe** (τ = {warm.tau}), though it cannot be the "
        "posterior: {warm.span}. It ends {above its floor.span} nats above the floor.",
        "Nothing forces this; the theorem asks for τκ to be one.",
        {"warm": preset(PAGE, "warm"), "above its floor": preset(PAGE, "warm", "above_floor")},
        "linear_r2",
        (every("warm") >= 0.98) & (every("above its floor") > 0.1),
        ("warm", cold),
        Opens(PAGE, "warm"),
        shows=Shows("sweep", "tau"),
    ),
    Claim(
        "few-pairs-cost-latents",
        PAGE,
        "**A finite set of pairs costs latents**: linear R² averages {pairs = 64.mean} for "
        "{pairs = 64.n_train} pairs and {pairs = 4096.mean} for {pairs = 4096.n_train}.",
        "The loss that is minimised is that of the pairs seen, and not that of the world.",
        swept(PAGE, "n_train", (64, 256, 1024, 4096), symbol="pairs", seeds=(0, 1, 2)),
        "linear_r2",
        falling([f"pairs = {n}" for n in (4096, 1024, 256, 64)]),
        ("pairs = 64", matched),
        Opens(PAGE, params={"n_train": 64}),
        shows=Shows("sweep", "n_train"),
    ),
)
DEGREE = (
    Claim(
        "standard-starts-have-degree-0",
        PAGE,
        "**A standard start is folded**: all {standard.runs} have degree {standard.low}.",
        "A map of the sphere to itself wraps it a whole number of times. A rotation has degree "
        "+1, a reflection −1, a folded sphere 0.",
        {"standard": fold.read("degree_at_first")},
        "degree_at_first",
        every("standard") == 0,
        ("standard", identity),
        Opens(PAGE, "fold"),
        typed=("degree +1", "reflection −1", "sphere 0"),
    ),
    Claim(
        "standard-starts-stay-folded",
        PAGE,
        "**The same loss from a standard start folds the sphere, and it mostly stays folded**: "
        "{folded} of {standard.runs} runs end at degree 0.",
        "The degree changes only where the map tears. That all best maps are rotations does not "
        "mean that training finds one.",
        {"standard": fold},
        "degree",
        share("standard", value == 0) > 0.5,
        ("standard", annealed),
        Opens(PAGE, "fold"),
        numbers={"folded": count("standard", value == 0)},
        typed=("degree 0",),
    ),
    Claim(
        "a-folded-globe-loses-a-direction",
        PAGE,
        "**The degree tells the failures from the rest**: as many runs from a standard start end "
        "at degree 0 ({folded}) as fall short of a linear R² of nine tenths; the worst "
        "has {r2.low}.",
        "Two points of a folded globe share one image, so that one direction is lost.",
        {"degree": fold.read("degree"), "r2": fold},
        "linear_r2",
        (count("r2", value < 0.9) == count("degree", value == 0))
        & (count("degree", value == 0) > 0),
        ("degree", annealed.read("degree")),
        Opens(PAGE, "fold"),
        numbers={"folded": count("degree", value == 0)},
        typed=("degree 0",),
    ),
    Claim(
        "annealing-unfolds",
        PAGE,
        "**Raising the concentration slowly unfolds the sphere**: all {annealed.runs} standard "
        "starts find degree ±1, with linear R² {r2.span}.",
        "A likely reason: at a tenth of the concentration the loss is smooth, and tearing costs "
        "little.",
        {"annealed": annealed, "r2": annealed.read("linear_r2")},
        "degree",
        (abs(every("annealed")) == 1) & (every("r2") >= 0.99),
        ("annealed", fold),
        Opens(PAGE, "unfold"),
        kind="measured here",
        typed=("degree ±1",),
    ),
    Claim(
        "an-unfolded-start-keeps-its-degree",
        PAGE,
        "**An identity-like start is whole and stays whole**: each of {at first.runs} runs ends at "
        "the degree it began with, with linear R² {r2.span}.",
        "Training moves the map little by little, and nothing makes it tear.",
        {
            "at first": identity.read("degree_at_first"),
            "at the end": identity,
            "r2": identity.read("linear_r2"),
        },
        "degree",
        (abs(every("at first")) == 1)
        & (every("at first") == every("at the end"))
        & (every("r2") >= 0.99),
        ("at the end", fold),
        Opens(PAGE, params={"steps": 800}),
    ),
    Claim(
        "too-cold-tears",
        PAGE,
        "**Too low a temperature** (τ = {end.tau}) **tears a whole globe and draws it together "
        "into a small cap**: it begins at degree ±1, ends at 0, and its points have a mean of "
        "length {cap.span}.",
        "The model wants pairs tighter than the world makes them.",
        {
            "at first": cold.read("degree_at_first"),
            "end": cold,
            "cap": cold.read("concentration"),
        },
        "degree",
        (abs(every("at first")) == 1) & (every("end") == 0) & (every("cap") > 0.9),
        ("end", matched),
        Opens(PAGE, "cold"),
        typed=("degree ±1, ends at 0",),
    ),
)
ASSUMPTIONS = (
    Claim(
        "caps-come-back-worse",
        PAGE,
        "**Latents that crowd around a pole** (κₘ = {cap.marginal_kappa}) **come back worse**: "
        "{cap.span}, against {whole.span} on a whole sphere. A read-out of x itself gives "
        "{raw x.span}.",
        "The theorem assumes a uniform marginal. A cap is nearly flat, so that raw x is a rival.",
        {
            "cap": preset(PAGE, "cap"),
            "whole": matched,
            "raw x": preset(PAGE, "cap", "raw_linear_r2"),
        },
        "linear_r2",
        high("cap") < low("whole") - 0.05,
        ("cap", Runs(PAGE, {"marginal_kappa": 2.0}, (0, 1, 2))),
        Opens(PAGE, "cap"),
        shows=Shows("sweep", "marginal_kappa"),
    ),
    Claim(
        "laplace-positives-are-forgiven",
        PAGE,
        "**The wrong conditional, Laplace noise of scale {laplace.spread}, is forgiven**: "
        "{laplace.span}. Published: 99.91 ± 0.01 percent, at scale 0.05.",
        "No theorem promises it. One map stands for the anchor and for its noisy partner.",
        {"laplace": preset(PAGE, "laplace")},
        "linear_r2",
        every("laplace") >= 0.985,
        ("laplace", tight),
        Opens(PAGE, "laplace"),
        kind="published",
        source="Zimmermann et al. 2021, Table 1",
        shows=Shows("sweep", "spread", params={"conditional": "laplace"}),
        typed=("99.91 ± 0.01 percent", "scale 0.05"),
    ),
    Claim(
        "tight-laplace-takes-a-lower-temperature",
        PAGE,
        "**Tighter Laplace noise** (scale {answered.spread}) **takes a lower temperature and more "
        "steps**: {answered.span} with τ = {answered.tau} and {answered.steps} steps, "
        "{default.span} by default.",
        "Both were changed together: which of them does it is not told apart here.",
        {"answered": answered, "default": tight},
        "linear_r2",
        (every("answered") > 0.99) & (every("default") < 0.99),
        ("answered", tight),
        Opens(PAGE, params=ANSWERED),
    ),
)
three = {at: Runs(PAGE, {"marginal_kappa": float(at)}, (0, 1, 2)) for at in (0, 5, 10, 20, 50)}
ten = {at: Runs(PAGE, {**TEN, "marginal_kappa": float(at)}, (0, 1, 2)) for at in three}
anchors = {
    at: Runs(PAGE, {"negatives": "anchors", "marginal_kappa": float(at)}, (0, 1, 2)) for at in three
}
CROWDING = (
    Claim(
        "crowding-costs-before-the-positives-are-as-crowded",
        PAGE,
        "**Crowding costs latents long before they crowd as their positives do**: linear R² "
        "averages {uniform.mean} on the whole sphere, {half.mean} at κₘ = {half.marginal_kappa} "
        "and {equal.mean} at κₘ = {equal.marginal_kappa}, which is κ; in ten dimensions "
        "{uniform of ten.mean}, {half of ten.mean} and {equal of ten.mean}.",
        "The marginal is far from uniform by then: some region's share of the latents is "
        "{gap.high} above its share of the sphere.",
        {
            "uniform": three[0],
            "half": three[5],
            "equal": three[10],
            "uniform of ten": ten[0],
            "half of ten": ten[5],
            "equal of ten": ten[10],
            "gap": Exact(lambda: [total_variation(5.0, 3)], "Total variation at half", ".2f"),
        },
        "linear_r2",
        falling(["uniform", "half", "equal"])
        & falling(["uniform of ten", "half of ten", "equal of ten"]),
        ("half", three[20]),
        Opens(PAGE, params={"marginal_kappa": 5.0}),
        shows=Shows("figure", "uniformity"),
    ),
    Claim(
        "anchors-as-negatives-bring-the-steep-fall",
        PAGE,
        "**The steep fall of the paper's Figure 2 comes with the anchors as negatives**, as in its "
        "code: from κₘ = {anchors at κ.marginal_kappa}, which is κ, to "
        "{anchors beyond.marginal_kappa} linear R² averages {anchors at κ.mean} and "
        "{anchors beyond.mean}; with views as negatives {views at κ.mean} and "
        "{views beyond.mean}.",
        "Views are spread by the conditional, so that they reach beyond the crowd; anchors repel "
        "as if the crowd were all there is.",
        {
            "anchors at κ": anchors[10],
            "anchors beyond": anchors[20],
            "views at κ": three[10],
            "views beyond": three[20],
        },
        "linear_r2",
        (mean("anchors at κ") - mean("anchors beyond"))
        > (mean("views at κ") - mean("views beyond")) * 3.0,
        ("anchors beyond", three[20]),
        Opens(PAGE, params={"negatives": "anchors", "marginal_kappa": 20.0}),
        shows=Shows("figure", "uniformity"),
        typed=("Figure 2",),
    ),
    Claim(
        "ten-dimensions-forgive-more-crowding",
        PAGE,
        "**In ten dimensions more is forgiven**: at κₘ = {ten.marginal_kappa}, beyond κ = "
        "{ten.kappa}, linear R² is {ten.span}, and {three.span} in three. A read-out of x itself "
        "gives {raw x.span}.",
        "Its encoder is larger, its batches too, and it trains longer: what of it is the dimension "
        "is not told apart here.",
        {"ten": ten[50], "three": three[50], "raw x": ten[50].read("raw_linear_r2")},
        "linear_r2",
        (low("ten") > high("three")) & (low("ten") > high("raw x")),
        ("ten", anchors[50]),
        Opens(PAGE, params={**TEN, "marginal_kappa": 50.0}),
        shows=Shows("figure", "uniformity"),
    ),
)
TOLD = (
    Claim(
        "pairs-do-as-well-as-the-latents-themselves",
        PAGE,
        "**Pairs alone do as well as being told the latents**: linear R² {pairs.span} against "
        "{told.span}, the same encoder and steps (published, for ten latents: 99.86 ± 0.01 and "
        "99.71 ± 0.05 percent). Only the axes are not theirs: MCC {axes of pairs.span} against "
        "{axes of told.span}.",
        "InfoNCE asks for some rotation of the latents, squared error for one of them.",
        {
            "pairs": matched,
            "told": told,
            "axes of pairs": matched.read("mcc"),
            "axes of told": told.read("mcc"),
        },
        "linear_r2",
        (low("pairs") > low("told") - 0.01) & (low("axes of told") > high("axes of pairs")),
        ("pairs", preset(PAGE, "cap")),
        Opens(PAGE, "matched"),
        kind="published",
        source="Zimmermann et al. 2021, Table 1",
        typed=("99.86 ± 0.01", "99.71 ± 0.05 percent"),
    ),
)
CLAIMS = (*RECOVERY, *DEGREE, *ASSUMPTIONS, *CROWDING, *TOLD)
