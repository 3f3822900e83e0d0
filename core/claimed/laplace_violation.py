"""Claims of the page on broken conditionals: d = 5, a hundred clusters and x = z, if not said."""

from collections.abc import Mapping
from dataclasses import replace

from core.claims.claim import Claim, Opens, Runs, Shows, preset, swept
from core.claims.relations import every, falling, high, low, mean, share, together, value
from core.lessons.infonce_sphere import BESIDE_CLUSTERS
from core.lessons.laplace_violation import (
    FIVE_LAPLACE,
    LAPLACE,
    ROUND,
    SHAPES,
    SHOWN,
    STARTS,
    STUDENT,
    TRUNCATED,
)
from core.lessons.vmf_clusters import FIVE
from core.papers import TABLES
from core.scenarios.scenario import Value

PAGE = "laplace_violation"
PAPER = "Reizinger et al. 2025"
HIDDEN = {name: TABLES["clusters-3"].row(name) for name in ("laplace", "normal")}  # behind g
PRINTED = {name: row.cells["linear_r2"].split()[0] for name, row in HIDDEN.items()}

LOST = Runs(PAGE, FIVE_LAPLACE)
NORMAL = Runs(PAGE, {**FIVE_LAPLACE, "shape": 2.0})
FALL = swept(PAGE, "shape", (1.0, 1.25, 1.5, 2.0), FIVE_LAPLACE, "β")
BOUNDED = {name: Runs(PAGE, setting) for name, setting in TRUNCATED.items()}
SPREADS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
round_, vmf, three = preset(PAGE, "round"), preset(PAGE, "vmf"), preset(PAGE, "laplace")


def starts(law: Mapping[str, Value], name: str, score: str = "") -> dict[str, Runs]:
    """A law from either start of the encoder, with enough steps for both to settle."""
    return {
        f"{name}, {start.split()[0]}": Runs(PAGE, {**law, **FIVE, **changes}, score=score)
        for start, changes in STARTS.items()
    }


LIGHT: Mapping[str, Value] = {**LAPLACE, "shape": 8.0}
SETTLED = {**starts(LAPLACE, "Laplace"), **starts(LIGHT, "β = 8")}
LOSSES = {f"loss of {name}": runs.read("above_floor") for name, runs in SETTLED.items()}
ISOTROPIC = {
    **starts(ROUND, "isotropised"),
    **starts(STUDENT, "Student's t"),
    **starts(SHOWN, "vMF"),
}
CLOSE = 0.005  # nats between the mean losses of two starts that count as nearly the same

STORY = (
    Claim(
        "laplace-clusters-cost-latents",
        PAGE,
        "**Laplace clusters cost R² of z**, with nothing hidden: {Laplace.mean} on average "
        "({Laplace.span}), against {normal.mean} for normal noise.",
        "Independent coordinates: log p(z|v) is no function of ⟨v, z⟩, and no linear head on d "
        "features can represent it.",
        {"Laplace": LOST, "normal": NORMAL},
        "linear_r2",
        high("Laplace") < low("normal") - 0.05,
        ("Laplace", NORMAL),
        Opens.of(LOST),
    ),
    Claim(
        "laplace-clusters-keep-their-vectors",
        PAGE,
        "**Laplace clusters keep the cluster vectors v**: R² {Laplace.span}, against {normal.span} "
        "for normal noise.",
        "A centre is an average over its cloud, and the clouds are symmetric about it.",
        {"Laplace": LOST, "normal": NORMAL},
        "v_r2",
        (every("Laplace") > 0.98) & (every("normal") > 0.98),
        ("Laplace", LOST.read("linear_r2")),
        Opens.of(LOST),
    ),
    Claim(
        "the-cost-falls-smoothly",
        PAGE,
        "**The cost of Laplace noise falls smoothly** as β goes from Laplace to normal: mean R² of "
        "z {β = 1.mean}, {β = 1.25.mean}, {β = 1.5.mean} and {β = 2.mean} at β = {β = 1.shape}, "
        "{β = 1.25.shape}, {β = 1.5.shape} and {β = 2.shape}.",
        "The normal law alone has independent coordinates and rotational symmetry at once.",
        FALL,
        "linear_r2",
        falling([f"β = {b:g}" for b in (2.0, 1.5, 1.25, 1.0)]),
        ("β = 1", NORMAL),
        Opens.of(FALL["β = 1.5"]),
        shows=Shows("sweep", "shape", "spread", FIVE_LAPLACE),
    ),
    Claim(
        "misspecification-not-optimisation",
        PAGE,
        "**What costs latents is misspecification, not optimisation.** A start at R² 1 and "
        "one far below come to nearly the same loss: {loss of Laplace, identity-like.mean} and "
        "{loss of Laplace, standard.mean} nats above the floor, with R² "
        "{Laplace, identity-like.mean} and {Laplace, standard.mean}; at β = 8 R² "
        "{β = 8, identity-like.mean} and {β = 8, standard.mean}.",
        "Near its optimum the loss is flat, so that the two starts may settle a little apart.",
        {**SETTLED, **LOSSES},
        "linear_r2",
        together(
            [
                abs(mean(f"loss of {law}, identity-like") - mean(f"loss of {law}, standard"))
                < CLOSE
                for law in ("Laplace", "β = 8")
            ]
        )
        & (high("Laplace, identity-like") < 0.9)
        & (high("Laplace, standard") < 0.9),
        ("Laplace, standard", replace(ISOTROPIC["vMF, standard"], score="linear_r2")),
        Opens.of(SETTLED["Laplace, standard"]),
        typed=("R² 1", "β = 8"),
    ),
    Claim(
        "not-the-tails",
        PAGE,
        "**“Fat tails” is not the cause on the sphere.** The same radii in random directions "
        "recover from either start (at least {isotropised, identity-like.low} and "
        "{isotropised, standard.low}), and so do even tails without a mean "
        "({Student's t, identity-like.low} and {Student's t, standard.low}); light tails along the "
        "axes do not ({light.high} at most).",
        "What is lost follows the broken rotational symmetry. The theorem promises nothing for the "
        "isotropic laws: this is measured.",
        {**ISOTROPIC, "light": SETTLED["β = 8, identity-like"]},
        "linear_r2",
        together([every(label) >= 0.97 for label in ISOTROPIC]) & (high("light") < 0.97),
        ("isotropised, identity-like", SETTLED["Laplace, identity-like"]),
        Opens.of(ISOTROPIC["isotropised, standard"]),
    ),
    Claim(
        "a-wider-bound-lowers-z",
        PAGE,
        "**Truncated and not projected, a wider bound lowers R² of z**, from {T = 1.mean} at "
        "T = {T = 1.truncation} to {T = 10.mean} at T = {T = 10.truncation}.",
        "Off the sphere it is the tails: beyond the outermost cluster vector every ratio of "
        "Laplace densities is constant, and those values carry no label information.",
        BOUNDED,
        "linear_r2",
        falling(list(BOUNDED)),
        ("T = 10", BOUNDED["T = 1"]),
        Opens.of(BOUNDED["T = 10"]),
        shows=Shows("sweep", "truncation", "spread", {**FIVE_LAPLACE, "project": False}),
    ),
    Claim(
        "clipped-latents-hardly-move",
        PAGE,
        "**Clipped to the range of the cluster vectors, R² of z hardly moves with the bound**: "
        "{T = 1.mean} and {T = 10.mean}.",
        "What a label can tell of a coordinate ends at the outermost centre.",
        BOUNDED,
        "clipped_r2",
        abs(mean("T = 1") - mean("T = 10")) < 0.03,
        ("T = 10", BOUNDED["T = 10"].read("linear_r2")),
        Opens.of(BOUNDED["T = 1"]),
    ),
    Claim(
        "spread-is-not-concentration",
        PAGE,
        "**Spread is not concentration.** The paper's α multiplies the noise, so large is loose: "
        "at β = {spread 1.shape} the loose clusters lose more, {spread 1.mean} against "
        "{spread 0.5.mean}.",
        "The paper's Appendix D says once that more concentrated conditionals degrade recovery as "
        "α increases, and once that the norm grows with the scale. Its code draws v + α·e, so the "
        "first should read “more spread”.",
        {f"spread {a:g}": Runs(PAGE, {**FIVE_LAPLACE, "spread": a}) for a in (0.5, 1.0)},
        "linear_r2",
        mean("spread 1") < mean("spread 0.5") - 0.03,
        ("spread 1", NORMAL),
        Opens.of(Runs(PAGE, {**FIVE_LAPLACE, "spread": 1.0})),
    ),
)
FINDINGS = (
    Claim(
        "small-spreads-are-hard-too",
        PAGE,
        "**Small spreads lose latents too**: at β = {tight.shape}, d = {tight.d}, R² of z averages "
        "{tight.mean} at a spread of {tight.spread} and {loose.mean} at {loose.spread}.",
        "Tight clusters are hard to optimise, as at a large κ.",
        {
            "tight": Runs(PAGE, {**LAPLACE, "shape": 2.0, "spread": 0.1}),
            "loose": Runs(PAGE, {**LAPLACE, "shape": 2.0, "spread": 0.5}),
        },
        "linear_r2",
        mean("tight") < mean("loose") - 0.03,
        ("tight", Runs(PAGE, {**LAPLACE, "shape": 2.0, "spread": 0.7})),
        Opens(PAGE, params={**LAPLACE, "shape": 2.0, "spread": 0.1}),
        shows=Shows("sweep", "spread", "shape", LAPLACE),
    ),
    Claim(
        "cluster-vectors-are-mostly-easier",
        PAGE,
        "**Cluster vectors are easier to recover than latents**, as the paper says, in {easier_1} "
        "of runs with Laplace noise; in {easier_15} at β = {β = 1.5.shape}, {easier_2} at β = "
        "{β = 2.shape} and {easier_8} at β = {β = 8.shape}.",
        "Each vector is foretold here from the others' weights, which is stricter than a fit.",
        {
            f"β = {b:g}": Runs(
                PAGE, {**LAPLACE, "shape": b}, vary={"spread": SPREADS}, score="v_minus_z"
            )
            for b in (1.0, 1.5, 2.0, 8.0)
        },
        "v_minus_z",
        share("β = 1", value > 0) > 0.7,
        ("β = 1", Runs(PAGE, {**LAPLACE, "shape": 2.0}, vary={"spread": SPREADS})),
        Opens(PAGE, "laplace"),
        kind="published",
        source=f"{PAPER}, Appendix D",
        numbers={
            f"easier_{name}": share(f"β = {b:g}", value > 0)
            for name, b in (("1", 1.0), ("15", 1.5), ("2", 2.0), ("8", 8.0))
        },
    ),
    Claim(
        "feature-norms-go-against-the-noise",
        PAGE,
        "**The norm of the noise grows with its scale; that of the trained features does the "
        "reverse**: {spread = 0.1.mean} at a spread of {spread = 0.1.spread}, {spread = 2.mean} at "
        "{spread = 2.spread}.",
        "Loose clusters ask for small logits. The paper's average norm increases with the scale, "
        "as the noise's does by construction.",
        swept(PAGE, "spread", SPREADS, LAPLACE),
        "feature_norm",
        falling([f"spread = {a:g}" for a in SPREADS]),
        ("spread = 2", Runs(PAGE, {**LAPLACE, "spread": 0.1})),
        Opens(PAGE, "laplace"),
        source=f"this project; the norm: {PAPER}, Appendix D",
        shows=Shows("sweep", "spread", "shape", LAPLACE, ("feature_norm",)),
    ),
    Claim(
        "feature-norms-grow-with-the-shape",
        PAGE,
        "**The norm of trained features grows with the shape**, where that of the noise falls: "
        "{β = 1.mean} for Laplace, {β = 8.mean} at β = {β = 8.shape}.",
        "Lighter tails let the labels be told apart more surely, which asks for larger logits.",
        swept(PAGE, "shape", SHAPES, FIVE_LAPLACE, "β"),
        "feature_norm",
        falling([f"β = {b:g}" for b in reversed(SHAPES)]),
        ("β = 8", LOST),
        Opens.of(swept(PAGE, "shape", SHAPES, FIVE_LAPLACE, "β")["β = 8"]),
        shows=Shows("sweep", "shape", "spread", FIVE_LAPLACE, ("feature_norm",)),
    ),
    Claim(
        "random-directions-cost-next-to-nothing",
        PAGE,
        "**The same noise in random directions costs next to nothing** (d = {round.d}): R² of z "
        "{round.span}, against {Laplace.span} along the axes.",
        "The radii are those of Laplace noise; only the rotational symmetry is restored.",
        {"round": round_, "Laplace": three},
        "linear_r2",
        (every("round") > 0.98) & (high("Laplace") < low("round")),
        ("round", three),
        Opens(PAGE, "round"),
    ),
    Claim(
        "light-tails-lose-again",
        PAGE,
        "**Hardly any tail, and latents are lost again** (β = {light.shape}, d = {light.d}): "
        "{light.span}, where normal noise gives {normal.span}.",
        "On the sphere it is not the tails, it is the coordinates.",
        {"light": preset(PAGE, "light"), "normal": preset(PAGE, "normal")},
        "linear_r2",
        high("light") < low("normal"),
        ("light", round_),
        Opens(PAGE, "light"),
        shows=Shows("sweep", "shape", params=LAPLACE),
    ),
    Claim(
        "hidden-loses-about-as-much",
        PAGE,
        "**Behind a network g about as much is lost, for the same reason**: {hidden.span}, where "
        "shown latents give {shown.span}.",
        "The objective's optimum is what loses them, and g does not move it.",
        {"hidden": preset(PAGE, "hidden"), "shown": three},
        "linear_r2",
        (abs(mean("hidden") - mean("shown")) < 0.02) & (high("hidden") < 0.97),
        ("hidden", vmf),
        Opens(PAGE, "hidden"),
    ),
    Claim(
        "another-start-comes-from-below",
        PAGE,
        "**A standard start comes from below** (R² {first.span} at first) **to the value that the "
        "identity-like one falls to**: {standard.span} and {identity.span}.",
        "Where both arrive is the optimum of the objective.",
        {
            "first": preset(PAGE, "standard", "linear_r2_at_first"),
            "standard": preset(PAGE, "standard"),
            "identity": three,
        },
        "linear_r2",
        (abs(mean("standard") - mean("identity")) < 0.02) & (high("first") < low("standard")),
        ("standard", vmf),
        Opens(PAGE, "standard"),
        shows=Shows("curves"),
    ),
)
BETWEEN = tuple(
    (f"{what}, {a:g}", a, what) for a in (0.5, 1.0, 2.0) for what in ("z", "pairs", "v")
)
OTHERS = (
    Claim(
        "infonce-lies-between",
        PAGE,
        "**InfoNCE forgives Laplace noise, cross-entropy less** (x = z): from a spread of "
        "{z, 0.5.spread} on its score lies between the two of cross-entropy. At "
        "{z, 2.spread} they are {z, 2.mean} for z, {pairs, 2.mean} for InfoNCE, {v, 2.mean} for v.",
        "Cross-entropy has two maps: it bends f and leaves the rows for the centres straight. "
        "InfoNCE has one for anchor and partner, so the bend that one side asks for is held by the "
        "other. That this is the reason is this project's reading of the order, not a theorem.",
        {
            label: Runs("infonce_sphere", {**BESIDE_CLUSTERS, "spread": a})
            if what == "pairs"
            else Runs(PAGE, {**LAPLACE, "spread": a}, score="v_r2" if what == "v" else "linear_r2")
            for label, a, what in BETWEEN
        },
        "linear_r2",
        together(
            [
                (mean(f"z, {a:g}") < mean(f"pairs, {a:g}"))
                & (mean(f"pairs, {a:g}") < mean(f"v, {a:g}"))
                for a in (0.5, 1.0, 2.0)
            ]
        ),
        ("pairs, 2", Runs(PAGE, {**LAPLACE, "spread": 2.0}, score="v_r2")),
        Opens(PAGE, params={**LAPLACE, "spread": 2.0}),
        kind="conjecture",
        shows=Shows("figure", "contrast"),
    ),
    Claim(
        "above-the-published-rows-for-laplace",
        PAGE,
        "**Behind g, with far fewer steps, runs here come out above the published row for Laplace "
        f"noise** ({PRINTED['laplace']} percent) **and below that for normal noise** "
        f"({PRINTED['normal']} percent): {{Laplace.span}} and {{normal.span}}.",
        "Steps, batches and held-out points differ; which of them does it is not told apart here.",
        {
            "Laplace": Runs(PAGE, HIDDEN["laplace"].params, (0, 1, 2)),
            "normal": Runs(PAGE, HIDDEN["normal"].params, (0, 1, 2)),
        },
        "linear_r2",
        (mean("Laplace") > float(PRINTED["laplace"]) / 100)
        & (mean("normal") < float(PRINTED["normal"]) / 100),
        ("normal", NORMAL),
        Opens(PAGE, params=HIDDEN["laplace"].params),
        kind="published",
        source=f"{PAPER}, Table 3",
        shows=Shows("table", "published"),
        typed=tuple(f"{printed} percent" for printed in PRINTED.values()),
    ),
)
CLAIMS = (*STORY, *FINDINGS, *OTHERS)
