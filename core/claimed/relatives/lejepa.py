"""Claims of the page on LeJEPA: which latents come back, and what the weight of a loss costs."""

from core import theory
from core.claims.claim import Claim, Exact, Opens, Runs, Shows, preset, swept
from core.claims.relations import (
    Relation,
    Term,
    by_seed,
    every,
    falling,
    high,
    low,
    mean,
    together,
)
from core.lessons.lejepa import DRIFT, LAPLACE, SHAPES, SHOWN, STRONG, WHITE

PAGE = "lejepa"
PAPER = "Klindt, LeCun and Balestriero 2026"
LIGHTER = tuple(f"α = {shape:g}" for shape in SHAPES if shape >= 2)  # tails, from the Gaussian on
HEAVIER = tuple(f"α = {shape:g}" for shape in reversed(SHAPES) if shape <= 2)

spiral, whitening, infonce, banana, weak, laplace, even, diffusion = (
    preset(PAGE, name)
    for name in ("spiral", "whitening", "infonce", "banana", "weak", "laplace", "even", "diffusion")
)
FREE = {**STRONG, **LAPLACE}
white, drifting, told_apart, normal = (
    swept(PAGE, "shape", SHAPES, {**FREE, **more}, symbol="α")
    for more in (WHITE, {**WHITE, **DRIFT}, {"objective": "infonce"}, {"objective": "sigreg"})
)
strong = Runs(PAGE, {**SHOWN, "reg_weight": 0.1})


def slowest(shape: float, transition: str) -> Exact:
    """R2 of z on the function of a coordinate that two views agree on best."""
    return Exact(lambda: [theory.slowest_functions(shape, 0.95, transition)[0][1]],
                 "R² of the slowest function")  # fmt: skip


def spread(label: str) -> Term:
    """How far the seeds of a group lie apart."""
    return high(label) - low(label)


def peaked() -> Relation:
    """At the Gaussian lies the peak, above both neighbours by more than its seeds lie apart."""
    near = together([low("α = 2") - high(each) > spread("α = 2") for each in ("α = 1.5", "α = 3")])
    return near & falling(LIGHTER) & falling(HEAVIER)


LAWS = (
    Claim(
        "gaussian-latents-come-back-and-no-others",
        PAGE,
        "**Only Gaussian latents are what changes least**: kept white, codes have R² {α = 2.span} "
        "with them (α = 2). For a shape of {α = 1.5.shape} it is {α = 1.5.span}, of {α = 3.shape} "
        "{α = 3.span}, for Laplace latents {α = 1.span} and for nearly uniform ones "
        "{α = 8.span}.",
        "Nothing is hidden in these runs, and the encoder starts beside a linear map: what it "
        "loses, the loss asked for. The function of a coordinate that two views agree on best has "
        "R² {law α = 3.mean} with it for α = 3 and "
        "{law α = 8.mean} for α = 8; for long tails an encoder of this size does not reach it "
        "({law α = 1.mean} for α = 1).",
        {**white, **{f"law α = {a:g}": slowest(a, "channel") for a in (1.0, 3.0, 8.0)}},
        "linear_r2",
        peaked() & (low("α = 2") - high("α = 3") > spread("α = 3")),
        ("α = 2", white["α = 3"]),
        Opens.of(white["α = 2"]),
        source=f"this project, after {PAPER}",
        shows=Shows("figure", "shapes"),
        typed=("α = 2", "α = 3", "α = 8", "α = 1"),
    ),
    Claim(
        "sigreg-peaks-at-the-gaussian-where-it-is-strong",
        PAGE,
        "**Kept Gaussian firmly, codes single out Gaussian latents as well**: with SIGReg at a "
        "weight of {α = 2.reg_weight} R² is {α = 2.span} with them, {α = 3.span} for a shape of "
        "{α = 3.shape}, {α = 1.5.span} for {α = 1.5.shape} and {α = 8.span} for nearly uniform "
        "ones.",
        "White codes have less, {white α = 3.span} for α = 3: there SIGReg asks for longer tails "
        "than the latents have, and alignment for shorter ones.",
        {**normal, "white α = 3": white["α = 3"]},
        "linear_r2",
        peaked() & (low("α = 2") - high("α = 3") > spread("α = 3"))
        & (low("α = 3") > high("white α = 3")),
        ("α = 2", normal["α = 3"]),
        Opens.of(normal["α = 2"]),
        source=f"this project, after {PAPER}",
        shows=Shows("sweep", "shape", "objective", params=FREE),
        typed=("α = 3",),
    ),
    Claim(
        "the-channel-is-not-stationary-and-that-is-not-why",
        PAGE,
        "**The channel of the paper’s code changes the law, and that is not the reason**: ρ z "
        "plus noise of the same law has an excess kurtosis of {view.mean} where Laplace latents "
        "have {law.mean}. With a diffusion that keeps the law R² is {α = 2.span} for Gaussian "
        "latents again, and at most {α = 3.high} for α = 3 and {α = 8.high} for α = 8.",
        "A theorem about stationary views does not speak of that channel unless latents are "
        "Gaussian. The diffusion follows the law’s score, and Metropolis’ rule keeps it exact.",
        {**drifting, "law": Exact(lambda: [theory.excess_kurtosis(1.0)], "Kurtosis", ".2f"),
         "view": Exact(lambda: [theory.excess_kurtosis(1.0, 0.95)], "Kurtosis", ".2f")},
        "linear_r2",
        peaked() & (mean("view") < mean("law")),
        ("α = 2", drifting["α = 3"]),
        Opens.of(drifting["α = 8"]),
        source="this project; the channel is that of the code of " + PAPER,
        shows=Shows("sweep", "shape", params={**FREE, **WHITE, **DRIFT}),
        typed=("α = 3", "α = 8"),
    ),
    Claim(
        "infonce-has-no-peak-at-the-gaussian",
        PAGE,
        "**InfoNCE does not single out the Gaussian**: told apart from other pairs, nearly uniform "
        "latents have R² {α = 8.span}, Gaussian ones {α = 2.span}, and Laplace ones "
        "{α = 1.span}.",
        "Its minimiser is a density ratio and no slowest function: close pairs look alike under "
        "any smooth law. Nothing is hidden here and the encoder starts beside a linear map, which "
        "this loss hardly bends. Only long tails cost it.",
        {**told_apart},
        "linear_r2",
        (low("α = 8") > high("α = 2") - 0.001) & (high("α = 1") < low("α = 2")),
        ("α = 8", white["α = 8"]),
        Opens.of(told_apart["α = 8"]),
        shows=Shows("figure", "shapes"),
    ),
)  # fmt: skip
LOSSES = (
    Claim(
        "whitening-is-enough-for-gaussian-latents",
        PAGE,
        "**For Gaussian latents a white code is enough**: with covariance alone kept the spiral "
        "has R² {white.span}; with SIGReg {normal.span}, and x itself {raw.span}. Of nearly "
        "uniform latents behind a milder bend the white code has {even.span}.",
        "The slowest functions of a Gaussian channel are the linear ones. That codes be Gaussian "
        "is asked for where one does not know the latents’ law.",
        {"white": whitening, "normal": spiral, "raw": spiral.read("raw_linear_r2"), "even": even},
        "linear_r2",
        (mean("white") >= 0.99) & (every("even") < 0.99) & (low("white") > high("raw")),
        ("white", even),
        Opens(PAGE, "whitening"),
        kind="theorem",
        source="this project, after " + PAPER,
    ),
    Claim(
        "a-weak-regulariser-shrinks-what-r2-does-not-see",
        PAGE,
        "**Alignment shrinks the code, and R² hardly sees it**: at a weight of {size.reg_weight} "
        "codes have {size.span} of the latents’ size, at {full.reg_weight} {full.span}, while R² "
        "is {r2.span}. The squared distance from a rotation of z is {error.mean} and "
        "{full error.mean}.",
        "Smaller codes are closer to each other. R² fits its own scale, and so does orthogonal "
        "R².",
        {"size": weak, "full": strong, "r2": weak.read("linear_r2"),
         "error": weak.read("procrustes_error"), "full error": strong.read("procrustes_error")},
        "gain",
        (every("size") < 0.9) & (low("full") > 0.95) & (every("r2") > 0.98)
        & (by_seed("error") > by_seed("full error")),
        ("size", strong),
        Opens(PAGE, "weak"),
        shows=Shows("sweep", "reg_weight", params=SHOWN, scores=("gain", "linear_r2")),
    ),
    Claim(
        "the-weight-bends-even-what-is-shown",
        PAGE,
        "**A finite weight bends codes even of what is not hidden**: for x = z and Gaussian "
        "latents R² is {weak.span} at a weight of {weak.reg_weight}, and {strong.span} at "
        "{strong.reg_weight}.",
        "The theorem is about the least alignment of codes that are Gaussian. The sum of both "
        "terms is least elsewhere: large latents are rare, SIGReg sees little of them, and "
        "alignment draws them in.",
        {"weak": weak, "strong": strong},
        "linear_r2",
        (high("weak") < 0.995) & (low("strong") > 0.999),
        ("strong", weak),
        Opens(PAGE, "weak"),
        shows=Shows("sweep", "reg_weight", params=SHOWN),
    ),
    Claim(
        "the-bound-holds-for-gaussian-latents",
        PAGE,
        "**The error stays under its bound for Gaussian latents, and not for others**: on the "
        "spiral it is {error.span} under {bound.span}; of nearly uniform latents {even error.span} "
        "over {even bound.span}.",
        "The bound takes what alignment costs beyond its least for what bends, which is so only "
        "where the linear functions change least.",
        {"error": spiral, "bound": spiral.read("procrustes_bound"),
         "even error": even, "even bound": even.read("procrustes_bound")},
        "procrustes_error",
        (by_seed("error") < by_seed("bound")) & (by_seed("even error") > by_seed("even bound")),
        ("bound", even.read("procrustes_bound")),
        Opens(PAGE, "spiral"),
        source=PAPER + "; that it fails for other laws is measured here",
        shows=Shows("figure", "bound"),
    ),
)  # fmt: skip
CLAIMS = (*LAWS, *LOSSES)
