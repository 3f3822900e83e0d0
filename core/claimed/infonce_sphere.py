"""Claims of the page on contrastive learning."""

from core.claims.claim import Claim, Opens, Runs, Shows, preset, swept
from core.claims.relations import count, every, falling, high, low, share, value
from core.lessons.infonce_sphere import ANSWERED

PAGE = "infonce_sphere"
PAPER = "Zimmermann et al. 2021, Theorem 2"
EIGHT = tuple(range(8))

matched = preset(PAGE, "matched")
cold = preset(PAGE, "cold")
fold = preset(PAGE, "fold")
annealed = preset(PAGE, "unfold")
identity = Runs(PAGE, {"steps": 800}, EIGHT)
tight = Runs(PAGE, {"conditional": "laplace", "spread": 0.05}, (0, 1, 2))
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
CLAIMS = (*RECOVERY, *DEGREE, *ASSUMPTIONS)
