"""Claims of the page on gradient reversal: what a blind code keeps, and what data allow."""

from math import log

from core.claimed.gradient_reversal import DERIVED, PAGE, TELLS, align, reverse
from core.claims.claim import Claim, Exact, Opens, Runs, Shows, preset
from core.claims.relations import Term, every, falling, high, low, mean
from core.laws import leaning
from core.lessons.gradient_reversal import ANSWERED, EIGHT, UNEQUAL

KAPPA = 10.0  # of the exact leans below, the page's own
UNEVEN = (0.0, 80.0, 200.0)  # degrees of three centres in V that are no regular triangle
EVEN = (0.0, 120.0, 240.0)

eight, wide = preset(PAGE, "eight"), preset(PAGE, "wide")
ALIGNED_EIGHT = Runs(PAGE, {**EIGHT, "lam": -1.0})
PROBE = "probe_accuracy_mlp"


def ranked(rank: int, score: str = "") -> Runs:
    """Eight classes in eight dimensions, their differences spanning so many."""
    return Runs(PAGE, {"d": 8, "n_classes": 8, "rank": rank}, score=score)


CODES = (
    Claim(
        "one-dimension-too-many-leaks",
        PAGE,
        "**The code's dimension is assumed known.** At d = {five.d}, r = {five.rank} five "
        "dimensions are free of the nuisance. With six the code tells {six.span} nats, with five "
        "{five.high} at most; with two it keeps {two, content.mean} of the content.",
        "With fewer the code loses content, with more it must leak, and no error message says so.",
        {
            "five": eight,
            "six": wide,
            "two, content": Runs(PAGE, {**EIGHT, "d_z": 2}, score="content_r2"),
            "five, content": eight.read("content_r2"),
        },
        TELLS,
        (every("five") <= 0.05)
        & (every("six") >= 0.3)
        & (every("two, content") < 0.6)
        & (every("five, content") > 0.95),
        ("six", eight),
        Opens(PAGE, "wide"),
        kind="theorem",
        source=DERIVED,
        shows=Shows("sweep", "d_z", params=EIGHT, scores=(TELLS, "content_r2")),
    ),
    Claim(
        "unequal-widths-cannot-be-hidden",
        PAGE,
        "**Classes of unequal width cannot be hidden by any code** (ratio {linear.kappa_spread}): "
        "{linear.span} nats are left against a linear adversary, {mlp.span} against an MLP with "
        "{mlp.inner_steps} inner steps, which sees widths and cannot remove them either.",
        "If the κ differ, the classes differ in width outside V as well, and no code but M = 0 is "
        "invariant.",
        {
            "linear": Runs(PAGE, {**UNEQUAL, "kappa_spread": 8.0}),
            "mlp": Runs(PAGE, {**UNEQUAL, **ANSWERED, "kappa_spread": 8.0}),
        },
        TELLS,
        (every("linear") > 0.2) & (every("mlp") > 0.2),
        ("linear", Runs(PAGE, {**UNEQUAL, "kappa_spread": 1.0})),
        Opens.of(Runs(PAGE, {**UNEQUAL, "kappa_spread": 8.0})),
        kind="theorem",
        source=DERIVED,
        shows=Shows("sweep", "kappa_spread", params=UNEQUAL, scores=(TELLS,)),
        typed=("M = 0",),
    ),
    Claim(
        "a-linear-probe-is-no-witness",
        PAGE,
        "**Where widths differ a linear probe is no witness**: it stays near chance ({linear.span} "
        "above it), and one with a hidden layer does not ({mlp.span} above).",
        "With a shared κ it is one, since then the mean of a code determines its law.",
        {
            "linear": Runs(PAGE, {**UNEQUAL, "kappa_spread": 8.0}, score="linear_above_chance"),
            "mlp": Runs(PAGE, {**UNEQUAL, "kappa_spread": 8.0}, score="above_chance"),
        },
        "above_chance",
        (mean("linear") < 0.05) & (every("mlp") > 0.1),
        ("mlp", Runs(PAGE, {**UNEQUAL, "kappa_spread": 1.0})),
        Opens.of(Runs(PAGE, {**UNEQUAL, "kappa_spread": 8.0})),
        shows=Shows(
            "sweep",
            "kappa_spread",
            params=UNEQUAL,
            scores=("probe_accuracy_linear", PROBE),
        ),
    ),
    Claim(
        "unequal-widths-show-to-an-mlp",
        PAGE,
        "**An MLP reads classes of unequal width at the pole** (d = {mlp.d}), where their "
        "histograms differ in width: chance for a linear probe on average ({linear.mean} above "
        "it), and {mlp.span} above it for an MLP.",
        "A linear probe sees means alone.",
        {
            "mlp": preset(PAGE, "unequal", "above_chance"),
            "linear": preset(PAGE, "unequal", "linear_above_chance"),
        },
        "above_chance",
        (every("mlp") > 0.1) & (mean("linear") < 0.1),
        ("mlp", preset(PAGE, "reverse", "above_chance")),
        Opens(PAGE, "unequal"),
    ),
    Claim(
        "erasing-the-centres-erases-too-much",
        PAGE,
        "**V is spanned by differences.** Erasing the span of the v_e themselves keeps only "
        "{offset.mean} of V⊥ as soon as the centres have something in common (h = "
        "{offset.offset}).",
        "What all centres share tells nothing of the class, and is one good dimension.",
        {"offset": eight.read("kept_outside")},
        "kept_outside",
        every("offset") < 0.9,
        ("offset", Runs(PAGE, {**UNEQUAL, "kappa_spread": 1.0})),
        Opens(PAGE, "eight"),
        kind="theorem",
        source=DERIVED,
        shows=Shows("table", "spans"),
    ),
    Claim(
        "spare-rows-stay-outside",
        PAGE,
        "**The encoder lands inside V only if it has no spare rows.** Aligned (λ = {rows.lam}) "
        "with five dimensions and r = {rows.rank}, its rows contain V up to {rows.span}, and the "
        "spare ones stay in V⊥: content R² {content.span}.",
        "Two of the five dimensions outside V are kept, which nothing asks for.",
        {"rows": ALIGNED_EIGHT.read("angle_to_v_deg"), "content": ALIGNED_EIGHT},
        "content_r2",
        (every("rows") < 10) & (every("content") > 0.3) & (every("content") < 0.5),
        ("content", eight),
        Opens(PAGE, params={**EIGHT, "lam": -1.0}),
        shows=Shows("table", "spare"),
    ),
    Claim(
        "uneven-centres-lean",
        PAGE,
        "**With fewer rows than V has, a code lands not quite inside.** If the centres share an "
        "offset and are not evenly spread, the most telling direction leans out of V, by "
        "{uneven.mean} degrees; evenly spread ones do not ({even.mean}).",
        "Exact, by quadrature over all directions: three centres, one code dimension, half of the "
        "unit length in common.",
        {
            "even": Exact(lambda: [leaning.most_telling(EVEN, 0.5, KAPPA)], "Lean, degrees", ".2f"),
            "uneven": Exact(
                lambda: [leaning.most_telling(UNEVEN, 0.5, KAPPA)], "Lean, degrees", ".2f"
            ),
        },
        "angle_to_v_deg",
        (every("even") < 0.2) & (every("uneven") > 0.5),
        (
            "uneven",
            Exact(lambda: [leaning.most_telling(UNEVEN, 0.0, KAPPA)], "Lean, degrees", ".2f"),
        ),
        Opens(PAGE, "align"),
        kind="theorem",
        source="this project's finding",
        shows=Shows("figure", "tilt"),
    ),
    Claim(
        "a-short-code-blinds-its-own-adversary",
        PAGE,
        "**M = 0 is invariant too.** A free M under weight decay "
        "({collapsed.encoder_weight_decay}) fades to a length of {length.high} at most; its own "
        "adversary then knows nothing (loss {collapsed.span}, a guess has {blind.span}), and a "
        "fresh probe on the standardised code reads {probe.span}.",
        "Nothing else drives M to 0: what a code tells does not depend on its scale.",
        {
            "collapsed": preset(PAGE, "collapse"),
            "blind": Exact(lambda: [log(3)], "Blind loss, nats"),
            "probe": preset(PAGE, "collapse", PROBE),
            "length": preset(PAGE, "collapse", "code_norm"),
        },
        "adversary_loss",
        (every("collapsed") > 1.05) & (every("probe") > 0.5) & (every("length") < 0.1),
        ("probe", reverse.read(PROBE)),
        Opens(PAGE, "collapse"),
        shows=Shows("table", "collapse"),
        typed=("M = 0", "M to 0"),
    ),
    Claim(
        "content-inside-v-is-gone",
        PAGE,
        "**“Not losing anything else” is meant modulo V**: of the part outside V the blind code "
        "keeps {outside.span} (R²), of that inside {inside.span}; aligned it is the reverse, "
        "{aligned, outside.span} and {aligned, inside.span}.",
        "Content inside V goes along with the nuisance. This is the trade-off of Zhao et al. 2019.",
        {
            "outside": reverse.read("outside_r2"),
            "inside": reverse.read("inside_r2"),
            "aligned, outside": align.read("outside_r2"),
            "aligned, inside": align.read("inside_r2"),
        },
        "content_r2",
        (every("outside") > 0.95) & (every("inside") < 0.1) & (every("aligned, outside") < 0.1),
        ("outside", align.read("outside_r2")),
        Opens(PAGE, "reverse"),
        shows=Shows("table", "content"),
        typed=("Zhao et al. 2019",),
    ),
)
SIZES = (2, 3, 5, 7)
SAMPLES = (300, 1000, 4000, 16_000, None)
CLOSED = "closed_angle_to_v_perp_deg"
DATA = {
    f"{kind}, n = {n or 'fresh'}": Runs(PAGE, {**EIGHT, "n_samples": n}, score=score)
    for n in SAMPLES
    for kind, score in (("game", ""), ("closed", CLOSED))
}


def average(kind: str) -> Term:
    """The mean angle over all sizes of the data."""
    first, *rest = (mean(label) for label in DATA if label.startswith(kind))
    return sum(rest, first) / len(SAMPLES)


LIMITS = (
    Claim(
        "the-angle-of-the-closed-form-grows-with-the-rank",
        PAGE,
        "**There must be something outside V.** Short of that a finite data set leaves an angle "
        "(d = {closed, r = 2.d}, eight classes): that of the closed form grows from "
        "{closed, r = 2.mean} at r = 2 to {closed, r = 7.mean} at r = 7, while the game's own "
        "does not follow: {game, r = 2.span} and {game, r = 7.span}.",
        "If the differences of the centres span all dimensions, only M = 0 is invariant.",
        {
            f"{kind}, r = {r}": ranked(r, score)
            for r in SIZES
            for kind, score in (("game", ""), ("closed", CLOSED))
        },
        "angle_to_v_perp_deg",
        (mean("closed, r = 7") > mean("closed, r = 2"))
        & (
            mean("game, r = 7") - mean("game, r = 2")
            < mean("closed, r = 7") - mean("closed, r = 2")
        ),
        ("closed, r = 7", ranked(2, CLOSED)),
        Opens(PAGE, params={"d": 8, "n_classes": 8, "rank": 7}),
        shows=Shows("sweep", "rank", params={"d": 8, "n_classes": 8}),
        typed=("r = 2", "r = 7", "M = 0"),
    ),
    Claim(
        "mirror-images-share-a-code",
        PAGE,
        "**Recovering all of a sphere is too much to ask.** A latent and its mirror image in V⊥ "
        "lie {latents.span} apart, and their codes {codes.span}.",
        "No continuous map from the whole sphere to fewer dimensions is one to one (Borsuk-Ulam). "
        "What is left is the angle of a finite data set.",
        {"latents": reverse.read("mirrored"), "codes": reverse.read("mirrored_codes")},
        "mirrored",
        (every("latents") > 0.3) & (every("codes") < 0.1),
        ("codes", align.read("mirrored_codes")),
        Opens(PAGE, "reverse"),
        kind="theorem",
        source="Borsuk-Ulam",
        shows=Shows("table", "mirrored"),
    ),
    Claim(
        "tight-clusters-ask-for-more-answers",
        PAGE,
        "**Tight clusters ask for more answers.** At κ = {one.kappa} one step each ends "
        "{one.mean} from V⊥ on average, {five.inner_steps} inner steps {five.mean}; the closed "
        "form, within {closed.high}, does not care.",
        "The classifier's weights have to grow with κ, and the encoder is gone before.",
        {
            "one": Runs(PAGE, {"kappa": 30.0}),
            "five": Runs(PAGE, {"kappa": 30.0, "inner_steps": 5}),
            "closed": Runs(PAGE, {"kappa": 30.0}, score=CLOSED),
        },
        "angle_to_v_perp_deg",
        (mean("one") > mean("five")) & (mean("one") > 15) & (every("closed") < 2),
        ("one", reverse),
        Opens(PAGE, params={"kappa": 30.0}),
        shows=Shows("sweep", "kappa", "inner_steps"),
    ),
    Claim(
        "the-closed-form-is-at-least-as-good",
        PAGE,
        "**Finite data leave an angle.** The closed form is at least as good on average: over five "
        "sizes of the data {closed} against {game}; from {game, n = 4000.n_samples} latents (d = "
        "{game, n = 4000.d}) {closed, n = 4000.mean} against {game, n = 4000.mean}.",
        "It is the null space of the differences of class means, LEACE's row space. The game "
        "earns its keep in the nonlinear world.",
        DATA,
        "angle_to_v_perp_deg",
        (average("closed") <= average("game")),
        ("closed, n = 4000", eight.read("angle_to_v_deg")),
        Opens(PAGE, "eight"),
        shows=Shows("sweep", "n_samples", params=EIGHT, scores=("angle_to_v_perp_deg",)),
        numbers={"closed": average("closed"), "game": average("game")},
    ),
    Claim(
        "more-data-leave-less-of-an-angle",
        PAGE,
        "**The angle of the closed form shrinks with the data**: it averages "
        "{closed, n = 300.mean}, {closed, n = 1000.mean} and {closed, n = 4000.mean} at "
        "{closed, n = 300.n_samples}, {closed, n = 1000.n_samples} and "
        "{closed, n = 4000.n_samples} latents.",
        "It comes from the error of the class means.",
        {label: runs for label, runs in DATA.items() if label.startswith("closed")},
        "angle_to_v_perp_deg",
        falling([f"closed, n = {n}" for n in (300, 1000, 4000)]),
        ("closed, n = 4000", DATA["closed, n = 300"]),
        Opens(PAGE, "eight"),
        shows=Shows("sweep", "n_samples", params=EIGHT, scores=("angle_to_v_perp_deg",)),
    ),
    Claim(
        "the-closed-form-takes-a-moment",
        PAGE,
        "**The closed form takes a moment**: {closed.high} s at most, where a game takes "
        "{game.low} CPU-s or more, its scoring included (d = {game.d}, {game.n_samples} latents).",
        "One singular value decomposition of a small matrix, against a thousand steps of two "
        "players.",
        {"closed": eight.read("closed_seconds"), "game": eight.read("cpu_seconds")},
        "cpu_seconds",
        high("closed") < low("game") * 0.1,
        ("closed", eight.read("cpu_seconds")),
        Opens(PAGE, "eight"),
    ),
    Claim(
        "two-classes-leave-a-plane",
        PAGE,
        "**Two classes span a line**, so V⊥ is a plane and the code has two dimensions, blind: it "
        "tells {information.high} nats at most and keeps {content.low} of the content outside V.",
        "The post's recovery needs this case, and a cap.",
        {"information": preset(PAGE, "line"), "content": preset(PAGE, "line", "content_r2")},
        TELLS,
        (every("information") <= 0.01) & (every("content") > 0.95),
        ("information", align),
        Opens(PAGE, "line"),
        kind="theorem",
        source=DERIVED,
    ),
)
CLAIMS = (*CODES, *LIMITS)
