"""Claims of the page on vMF clusters."""

from core.claims.claim import Claim, Opens, Runs, Shows, preset, swept
from core.claims.relations import every, high, low, mean
from core.lessons.vmf_clusters import CASES, FIVE

PAGE = "vmf_clusters"
PAPER = "Reizinger et al. 2025, Theorem 1C"

free = preset(PAGE, "free")
diet = preset(PAGE, "diet")
weights, features, both = (preset(PAGE, f"unit_{what}") for what in ("weights", "features", "both"))
few, circle = preset(PAGE, "few"), preset(PAGE, "subspace")
noisy, tight, five = preset(PAGE, "noise"), preset(PAGE, "tight"), preset(PAGE, "five")
ten = preset(PAGE, "ten")
AT_FIFTY = {case: Runs(PAGE, {**FIVE, "kappa": 50.0, "case": case}) for case in CASES}


RECOVERY = (
    Claim(
        "classifying-clusters-recovers",
        PAGE,
        "**Classifying clusters recovers the latents**, up to a linear map: {z.span}, where raw x "
        "gives {raw x.span}; and the cluster vectors: {v.span}.",
        "Where cross-entropy is least the logits are the world's, and both sides of them are "
        "linear.",
        {"z": free, "v": free.read("v_r2"), "raw x": free.read("raw_linear_r2")},
        "linear_r2",
        (every("z") >= 0.985) & (every("v") >= 0.985),
        ("z", free.read("untrained_linear_r2")),
        Opens(PAGE, "free"),
        kind="theorem",
        source=f"{PAPER}, case C4",
    ),
    Claim(
        "telling-instances-apart-recovers",
        PAGE,
        "**Telling every instance from every other recovers them, too** ({z.n_instances} labels, "
        "DIET): {z.span}, and {v.span} of the cluster vectors.",
        "Instances of one cluster share its law, so that their rows of the head agree.",
        {"z": diet, "v": diet.read("v_r2")},
        "linear_r2",
        (every("z") >= 0.98) & (every("v") >= 0.98),
        ("z", diet.read("untrained_linear_r2")),
        Opens(PAGE, "diet"),
        kind="theorem",
        source=PAPER,
    ),
    Claim(
        "free-weights-end-near-a-rotation",
        PAGE,
        "**With nothing normalised theory leaves any linear map; training ends near a rotation**: "
        "orthogonal R² {free.span}.",
        "A likely reason: an identity-like start is one, and nothing pulls it away.",
        {"free": free},
        "orthogonal_r2",
        every("free") >= 0.93,
        ("free", circle),
        Opens(PAGE, "free"),
    ),
    Claim(
        "unit-weights-leave-a-rotation",
        PAGE,
        "**Unit weights (C3) leave only a rotation**: orthogonal R² {turned.span}. The features "
        "lie on a sphere of radius {radius.mean}, near κ = {turned.kappa}.",
        "With enough clusters the rows can keep their length only if the map is orthogonal, up to "
        "the scale κ.",
        {"turned": weights, "radius": weights.read("feature_norm")},
        "orthogonal_r2",
        (every("turned") >= 0.98) & (abs(mean("radius") - 10) < 1),
        ("radius", free.read("feature_norm")),
        Opens(PAGE, "unit_weights"),
        kind="theorem",
        source=f"{PAPER}, case C3",
    ),
    Claim(
        "unit-features-leave-a-common-offset",
        PAGE,
        "**Unit features (C2) are a rotation of the latents** ({turned.span}), **and the weights "
        "keep an offset that they share**: an orthogonal map explains {rows, C2.span} of them, "
        "against {rows, C1.span} where they have unit length too (C1).",
        "A softmax cannot see what is added to all logits alike.",
        {
            "turned": features,
            "rows, C2": features.read("v_orthogonal_r2"),
            "rows, C1": both.read("v_orthogonal_r2"),
        },
        "orthogonal_r2",
        (every("turned") >= 0.98) & (high("rows, C2") < low("rows, C1")),
        ("rows, C2", both.read("v_orthogonal_r2")),
        Opens(PAGE, "unit_features"),
        kind="theorem",
        source=f"{PAPER}, cases C1 and C2",
    ),
    Claim(
        "the-learnt-scale-comes-close-to-kappa",
        PAGE,
        "**With everything on the sphere (C1) the learnt β comes close to the world's κ** = "
        "{beta.kappa}: {beta.span}.",
        "The logits are the world's, and their scale is the only freedom left.",
        {"beta": both.read("beta")},
        "beta",
        (every("beta") > 8) & (every("beta") < 12),
        ("beta", AT_FIFTY["C1"]),
        Opens(PAGE, "unit_both"),
        kind="theorem",
        source=f"{PAPER}, case C1",
    ),
    Claim(
        "ten-dimensions-come-back",
        PAGE,
        "**{ten.n_clusters} clusters in {ten.d} dimensions come back** with a wider encoder and "
        "more steps: {ten.span}, where raw x gives {raw x.span}.",
        "The theorem asks for d + 1 clusters; more make the work easier.",
        {"ten": ten, "raw x": ten.read("raw_linear_r2")},
        "linear_r2",
        every("ten") >= 0.95,
        ("ten", ten.read("raw_linear_r2")),
        Opens(PAGE, "ten"),
        kind="theorem",
        source=PAPER,
        typed=("d + 1",),
    ),
    Claim(
        "many-instances-cost-little",
        PAGE,
        "**A hundred times as many labels as clusters cost little**: {N = 3000.span} from "
        "{N = 3000.n_instances} instances, {N = 30.span} from one for each of "
        "{N = 30.n_clusters} clusters.",
        "The floor rises with the number of labels, and the minimisers stay the same.",
        swept(PAGE, "n_instances", (30, 3000), {"supervision": "instance"}, "N", seeds=(0, 1, 2)),
        "linear_r2",
        every("N = 3000") >= 0.98,
        ("N = 3000", diet.read("raw_linear_r2")),
        Opens(PAGE, params={"supervision": "instance", "n_instances": 3000}),
        shows=Shows("sweep", "n_instances", params={"supervision": "instance"}),
    ),
)
BREAKS = (
    Claim(
        "too-few-clusters-give-their-span",
        PAGE,
        "**With too few clusters only the span of their differences comes back** (C = "
        "{inside.n_clusters}, d = {inside.d}): R² {inside.span} inside it, {outside.span} "
        "outside.",
        "Labels tell differences of logits, and these see no other direction.",
        {"inside": few.read("span_r2"), "outside": few.read("complement_r2")},
        "span_r2",
        (every("inside") > 0.85) & (every("outside") < 0.6),
        ("outside", few.read("span_r2")),
        Opens(PAGE, "few"),
    ),
    Claim(
        "clusters-on-a-circle-give-a-plane",
        PAGE,
        "**Clusters on a great circle give back its plane alone**, and there are "
        "{inside.n_clusters} of them: R² {inside.span} in it, {outside.span} at right angles.",
        "Enough in number, not in directions: the theorem asks that differences span the space.",
        {"inside": circle.read("span_r2"), "outside": circle.read("complement_r2")},
        "span_r2",
        (every("inside") > 0.98) & (every("outside") < 0.1),
        ("outside", circle.read("span_r2")),
        Opens(PAGE, "subspace"),
    ),
    Claim(
        "tight-clusters-are-a-matter-of-optimisation",
        PAGE,
        "**Tight clusters (κ = {tight.kappa}) are a matter of optimisation, not of "
        "identifiability**: the loss ends {tight.span} nats above its floor, at κ = {loose.kappa} "
        "only {loose.span}. Linear R² is {r2.span}, that of raw x {raw x.span}.",
        "The theorem holds at every κ. Few points tell where one cluster lies to another.",
        {
            "tight": tight.read("above_floor"),
            "loose": five.read("above_floor"),
            "r2": tight,
            "raw x": tight.read("raw_linear_r2"),
        },
        "linear_r2",
        (low("tight") > high("loose")) & (mean("r2") > mean("raw x")),
        ("tight", five.read("above_floor")),
        Opens(PAGE, "tight"),
        shows=Shows("sweep", "kappa"),
    ),
    Claim(
        "unit-features-come-closest-to-the-floor",
        PAGE,
        "**At κ = {C1.kappa} no case reaches the floor that all four share, and unit features come "
        "closest**: on average {C1.mean} and {C2.mean} nats above it (C1, C2), against {C3.mean} "
        "and {C4.mean} (C3, C4).",
        "What is missing is optimisation: the same world, and the same least loss.",
        AT_FIFTY,
        "above_floor",
        (every("C1") > 0)
        & (every("C2") > 0)
        & (mean("C1") < mean("C3"))
        & (mean("C1") < mean("C4"))
        & (mean("C2") < mean("C3"))
        & (mean("C2") < mean("C4")),
        ("C1", AT_FIFTY["C3"]),
        Opens(PAGE, params={**FIVE, "kappa": 50.0, "case": "C1"}),
        shows=Shows("table", "tight"),
    ),
    Claim(
        "unit-features-recover-most-at-kappa-50",
        PAGE,
        "**Unit features recover most at κ = {C1.kappa}**: linear R² averages {C1.mean} and "
        "{C2.mean} (C1, C2), {C3.mean} and {C4.mean} (C3, C4).",
        "Closer to the floor is closer to a minimiser.",
        AT_FIFTY,
        "linear_r2",
        (mean("C1") > mean("C3"))
        & (mean("C1") > mean("C4"))
        & (mean("C2") > mean("C3"))
        & (mean("C2") > mean("C4")),
        ("C1", AT_FIFTY["C3"]),
        Opens(PAGE, params={**FIVE, "kappa": 50.0, "case": "C2"}),
        shows=Shows("table", "tight"),
    ),
    Claim(
        "noisy-labels-still-tell",
        PAGE,
        "**Most of the sphere comes back from noisy labels**, a share of {noisy.label_noise} drawn "
        "at random: {noisy.span}, against {clean.span} from clean ones and {raw x.span} from raw "
        "x. The paper reports minimal degradation, with 40 times the steps.",
        "Noise bends the posterior, so that no linear head on d features is it exactly.",
        {"noisy": noisy, "clean": free, "raw x": noisy.read("raw_linear_r2")},
        "linear_r2",
        (high("noisy") < low("clean")) & (mean("noisy") > mean("raw x") + 0.03),
        ("noisy", Runs(PAGE, {"label_noise": 1.0}, (0, 1, 2))),
        Opens(PAGE, "noise"),
        source="this project; the degradation: Reizinger et al. 2025",
        shows=Shows("sweep", "label_noise"),
        typed=("40 times",),
    ),
)
CLAIMS = (*RECOVERY, *BREAKS)
