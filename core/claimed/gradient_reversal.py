"""Claims of the page on gradient reversal: what the game does, in the linear world."""

from core.claims.claim import Claim, Opens, Runs, Shows, preset
from core.claims.relations import by_seed, every, mean
from core.lessons.gradient_reversal import COMPETING, POPULAR

PAGE = "gradient_reversal"
DERIVED = "the post, with the conditions derived in this project"

reverse, align = preset(PAGE, "reverse"), preset(PAGE, "align")
TELLS = "information_nats"


def strong(lam: float, steps: int) -> Runs:
    """A strength of the reversal, and how long it is played."""
    return Runs(PAGE, {"lam": lam, "steps": steps})


def momentum(beta1: float, encoder: str = "grassmann") -> Runs:
    """The game with momentum, for a kind of encoder."""
    return Runs(PAGE, {"beta1": beta1, "encoder": encoder})


def competing(lam: float, start: str) -> Runs:
    """Reconstruction against reversal, from a start in V or outside."""
    return Runs(PAGE, {**COMPETING, "lam": lam, "start": start})


SIGNS = (
    Claim(
        "reversal-goes-blind",
        PAGE,
        "**One sign turns the same loss against a nuisance**: reversed (λ = {angle.lam}), the code "
        "ends {angle.span} from V⊥ and tells {information.high} nats at most.",
        "The law of a linear code is the same for all classes exactly where it has no part in V.",
        {"angle": reverse, "information": reverse.read(TELLS)},
        "angle_to_v_perp_deg",
        (every("angle") <= 3) & (every("information") <= 0.01),
        ("angle", align),
        Opens(PAGE, "reverse"),
        kind="theorem",
        source=DERIVED,
    ),
    Claim(
        "alignment-turns-to-the-nuisance",
        PAGE,
        "**The other sign turns the code towards the nuisance**: minimised (λ = {angle.lam}), it "
        "ends {angle.span} from V and tells {information.span} nats.",
        "The best code of a classifier is where the classes differ.",
        {"angle": align, "information": align.read(TELLS)},
        "angle_to_v_deg",
        (every("angle") <= 4) & (every("information") > 0.5),
        ("angle", reverse),
        Opens(PAGE, "align"),
        kind="theorem",
        source="the post's alignment, Reizinger et al. 2025, Theorem 2C",
    ),
    Claim(
        "the-sign-decides",
        PAGE,
        "**λ is a switch, not a dial.** The sign decides; the size only sets the pace: at λ = "
        "{short.lam} the mean angle is {short.mean} after {short.steps} steps, {middle.mean} after "
        "{middle.steps} and {long.mean} after {long.steps}.",
        "The ramp from 0 on is training that has not finished.",
        {
            "short": strong(0.05, 300),
            "middle": strong(0.05, 1200),
            "long": strong(0.05, 5000),
            "small, played out": strong(0.2, 5000),
            "large, played out": strong(1.0, 5000),
        },
        "angle_to_v_perp_deg",
        (mean("short") > mean("middle"))
        & (mean("middle") > mean("long"))
        & (every("small, played out") <= 5)
        & (every("large, played out") <= 5),
        ("long", strong(-0.02, 5000)),
        Opens.of(strong(0.05, 5000)),
        kind="measured here",
        shows=Shows("sweep", "lam", "steps"),
        typed=("from 0 on",),
    ),
    Claim(
        "too-strong-outruns",
        PAGE,
        "**Beyond about 1 the encoder outruns its adversary**: in {strong.steps} steps the mean "
        "angle is {strong.mean} at λ = {strong.lam}, {matched.mean} at λ = {matched.lam}.",
        "A large λ is a faster encoder, with the same classifier behind it.",
        {"strong": strong(2.0, 300), "matched": strong(0.5, 300)},
        "angle_to_v_perp_deg",
        mean("strong") > mean("matched"),
        ("strong", strong(0.5, 1200)),
        Opens(PAGE, params={"lam": 2.0, "steps": 300}),
        shows=Shows("sweep", "lam", "steps"),
        typed=("about 1",),
    ),
    Claim(
        "without-a-gradient-nothing-moves",
        PAGE,
        "**At λ = {short.lam} the code stays where it began**: after {long.steps} steps every seed "
        "has the angle that it had after {short.steps} ({short.span}).",
        "No gradient reaches the encoder.",
        {"short": strong(0.0, 300), "long": strong(0.0, 5000)},
        "angle_to_v_perp_deg",
        abs(by_seed("short") - by_seed("long")) < 0.01,
        ("long", strong(1.0, 5000)),
        Opens.of(strong(0.0, 5000)),
        kind="theorem",
    ),
    Claim(
        "momentum-circles",
        PAGE,
        "**With momentum {orbit.beta1} the same game circles and never arrives**: it ends "
        "{orbit.span} from V⊥.",
        "The encoder outruns its classifier, which answers where the code has been.",
        {"orbit": preset(PAGE, "orbit")},
        "angle_to_v_perp_deg",
        every("orbit") >= 60,
        ("orbit", reverse),
        Opens(PAGE, "orbit"),
    ),
    Claim(
        "the-orbit-begins-with-momentum",
        PAGE,
        "**A single sign change is not enough.** With orthonormal rows the orbit begins between "
        "momentum {calm.beta1} and {orbit.beta1}: mean angles {calm.mean} and {orbit.mean}, and "
        "{between.mean} at {between.beta1}. A free or whitened M puts up with more: {free.mean} "
        "and {whitened.mean} at {free.beta1}.",
        "A likely reason: a free M grows, and so turns more slowly.",
        {
            "calm": momentum(0.2),
            "between": momentum(0.4),
            "orbit": momentum(0.6),
            "free": momentum(0.6, "free"),
            "whitened": momentum(0.6, "whitened"),
        },
        "angle_to_v_perp_deg",
        (every("calm") <= 5)
        & (every("orbit") >= 45)
        & (mean("free") < mean("orbit"))
        & (mean("whitened") < mean("orbit")),
        ("orbit", momentum(0.2)),
        Opens.of(momentum(0.6)),
        shows=Shows("sweep", "beta1", "encoder"),
    ),
    Claim(
        "adam-as-it-comes-fails",
        PAGE,
        "**The popular choice fails**: Adam, β₁ = {popular.beta1}, equal rates, one step each: the "
        "code ends {popular.span} from V⊥.",
        "An adversary that is no faster than the encoder is always behind.",
        {"popular": Runs(PAGE, POPULAR)},
        "angle_to_v_perp_deg",
        mean("popular") >= 45,
        ("popular", reverse),
        Opens(PAGE, "popular"),
        shows=Shows("sweep", "inner_steps", params=POPULAR),
    ),
    Claim(
        "the-adversary-must-be-faster",
        PAGE,
        "**The classifier has to be the faster player**: at {fast.adversary_rate}, ten times the "
        "encoder's rate, the mean angle is {fast.mean}; at the encoder's own, {equal.mean}.",
        "Its answer is what turns the code, and a late one turns it to where it was.",
        {
            "equal": Runs(PAGE, {"adversary_rate": 0.1}, (0, 1, 2)),
            "fast": reverse,
        },
        "angle_to_v_perp_deg",
        (mean("equal") > 5) & (every("fast") <= 3),
        ("equal", reverse),
        Opens(PAGE, params={"adversary_rate": 0.1}),
        shows=Shows("sweep", "adversary_rate"),
    ),
    Claim(
        "a-competing-loss-makes-it-jump",
        PAGE,
        "**A competing loss makes it jump.** The exact minimum of reconstruction + λ I leaves V at "
        "λ = {jump.span}. Trained from V, the code is still {from V.span} from V⊥ at λ = "
        "{from V.lam}; from outside it stays within {from outside.high} at λ = "
        "{from outside.lam}.",
        "The sum of the two losses has its minimum at the pole or at the equator and nowhere "
        "between, and training stays where it started.",
        {
            "jump": competing(1.0, "v").read("jump"),
            "from V": competing(1.0, "v"),
            "from outside": competing(0.4, "v_perp"),
        },
        "angle_to_v_perp_deg",
        (every("jump") < 0.9) & (every("from V") > 45) & (every("from outside") < 5),
        ("from V", competing(2.0, "v")),
        Opens.of(competing(1.0, "v")),
        shows=Shows("figure", "hysteresis"),
    ),
)
CLAIMS = SIGNS
