"""Claims of the page on gradient reversal, in the nonlinear world and on two stages."""

from math import log

import numpy as np

from core import theory
from core.claims.claim import Claim, Exact, Opens, Runs, Shows
from core.claims.relations import count, every, falling, high, low, mean, value
from core.lessons.nonlinear import EIGHT, METHODS, STAGES, STARTED, TWISTED

PAGE = "nonlinear"
POST = "the post's section 6"
ABOVE, CONTENT, BY_CLASS = "above_chance", "content_r2", "content_r2_per_class"

OF = {name: Runs(PAGE, setting, score=ABOVE) for name, setting in METHODS.items()}
REVERSAL, PLAIN, HEAD = OF["autoencoder, reversal"], OF["autoencoder"], OF["content head"]
ROOM, OWN = OF["head of 8"], OF["head of 8, reversal"]
STAGE = {name: Runs(PAGE, setting, score=CONTENT) for name, setting in STAGES.items()}
BODIES, TURN = 4, 45.0  # of the exact turn


def shifted(rho: float, method: str = "ae-grl", score: str = CONTENT) -> Runs:
    """Bodies that differ in what they do by so much."""
    return Runs(PAGE, {"rho": rho, "method": method}, score=score)


def turned(degrees: float) -> tuple[float, float]:
    """R2 of one linear read-out for all bodies, and of one body's on the others."""
    pooled, across = theory.turned_bodies(np.array([degrees]), BODIES)
    return float(pooled[0]), float(across[0])


METHOD = (
    Claim(
        "reversal-hides-the-body",
        PAGE,
        "**An adversary hides the body and keeps the content**: an MLP probe stays within "
        "{blind.high} of chance, and content R² is {content.span}. Without one it reads "
        "{plain.span} more than chance.",
        "The best code against the best adversary has the same law for every body.",
        {"blind": REVERSAL, "content": REVERSAL.read(CONTENT), "plain": PLAIN},
        ABOVE,
        (every("blind") < 0.08) & (every("content") > 0.9) & (mean("plain") > 0.12),
        ("blind", PLAIN),
        Opens(PAGE, "reverse"),
        kind="theorem",
        source=f"Ganin et al. 2016, and {POST}",
        shows=Shows("figure", "trade"),
    ),
    Claim(
        "linear-erasure-is-read-by-an-mlp",
        PAGE,
        "**Linear erasers do not fool a probe with hidden layers**: after LEACE on x a linear "
        "probe is {linear.span} above chance, an MLP {mlp.span}: how much it reads depends on the "
        "seed, that it reads more does not.",
        "LEACE promises that no linear probe beats a constant guess in loss; accuracy is a draw "
        "among near ties.",
        {"linear": OF["LEACE on x"].read("linear_above_chance"), "mlp": OF["LEACE on x"]},
        ABOVE,
        (mean("linear") < 0.1) & (low("mlp") > high("linear") + 0.1),
        ("mlp", REVERSAL),
        Opens(PAGE, "erase"),
        shows=Shows("figure", "trade"),
    ),
    Claim(
        "a-narrow-head-has-no-room",
        PAGE,
        "**A content head of two dimensions has no room for the body**: an MLP probe is at most "
        "{blind.high} above chance, with content R² {content.span} and no adversary at all.",
        "It hides the effect that reversal is meant for.",
        {"blind": HEAD, "content": HEAD.read(CONTENT)},
        ABOVE,
        (every("blind") < 0.05) & (every("content") > 0.98),
        ("blind", ROOM),
        Opens(PAGE, "head"),
    ),
    Claim(
        "a-wide-head-keeps-the-body",
        PAGE,
        "**With room to spare** ({wide.d_z} dimensions) **a head keeps the body as well**: an MLP "
        "probe reads it with accuracy {wide.span}, after linear erasure {erased.span}.",
        "Nothing in the loss asks a head to forget.",
        {
            "wide": ROOM.read("probe_accuracy_mlp"),
            "erased": OF["head of 8, LEACE"].read("probe_accuracy_mlp"),
        },
        "probe_accuracy_mlp",
        (every("wide") > 0.95) & (every("erased") > 0.7),
        ("wide", HEAD.read("probe_accuracy_mlp")),
        Opens(PAGE, "wide"),
    ),
    Claim(
        "blind-in-its-own-eyes",
        PAGE,
        "**Reversal can blind its own adversary and nobody else**: on a head of {loss.d_z} its "
        "loss is {loss.span}, where a guess has {guess.mean}, and a fresh probe with more data "
        "reads the body with accuracy {probe.span}.",
        "As Elazar and Goldberg saw: the adversary in training is no witness.",
        {
            "loss": OWN.read("adversary_loss"),
            "guess": Exact(lambda: [log(BODIES)], "Blind loss, nats"),
            "probe": OWN.read("probe_accuracy_mlp"),
        },
        "adversary_loss",
        (every("loss") > 1.3) & (every("probe") > 0.45),
        ("probe", REVERSAL.read("probe_accuracy_mlp")),
        Opens(PAGE, "own"),
        kind="published",
        source="Elazar and Goldberg 2018; measured here",
    ),
    Claim(
        "irm-is-another-goal",
        PAGE,
        "**IRM makes risks equal, not codes**: a probe reads the body with accuracy {irm.span}, "
        "with content R² {content.span}.",
        "Another goal, not a worse reversal (Rosenfeld et al. 2020).",
        {
            "irm": OF["head of 8, IRM"].read("probe_accuracy_mlp"),
            "content": OF["head of 8, IRM"].read(CONTENT),
        },
        "probe_accuracy_mlp",
        (every("irm") > 0.9) & (every("content") > 0.95),
        ("irm", HEAD.read("probe_accuracy_mlp")),
        Opens(PAGE, params=METHODS["head of 8, IRM"]),
        typed=("Rosenfeld et al. 2020",),
    ),
    Claim(
        "any-reversal-will-do",
        PAGE,
        "**The size of λ hardly matters, from the smallest drawn on**: at λ = {least.lam} the code "
        "is blind (an MLP probe at most {least.high} above chance) as at {most.lam} "
        "({most.high}), and it keeps more of the content than without reversal: {content.span} "
        "against {without.span}.",
        "λ ramps up over the first steps, as in Ganin et al. 2016.",
        {
            "least": Runs(PAGE, {"lam": 0.1}),
            "most": Runs(PAGE, {"lam": 3.0}),
            "content": Runs(PAGE, {"lam": 0.1}, score=CONTENT),
            "without": Runs(PAGE, {"lam": 0.0}, score=CONTENT),
        },
        ABOVE,
        (every("least") < 0.08) & (every("most") < 0.1) & (mean("content") > mean("without")),
        ("least", Runs(PAGE, {"lam": 0.0})),
        Opens(PAGE, params={"lam": 0.1}),
        shows=Shows("sweep", "lam", scores=("probe_accuracy_mlp", CONTENT)),
        typed=("Ganin et al. 2016",),
    ),
    Claim(
        "hiding-a-shifted-body-costs-alignment",
        PAGE,
        "**If the bodies differ in what they do, a code that hides the body cannot keep all of the "
        "content**: at ρ = {one.rho} one read-out for all bodies reads {one.span}, where at ρ = "
        "{none.rho} it reads {none.span}; a read-out for each still reads {each.span}.",
        "Content is kept per body; what is paid is the alignment across them.",
        {
            "none": shifted(0.0),
            "half": shifted(0.5),
            "one": shifted(1.0),
            "two": shifted(2.0),
            "each": shifted(1.0, score=BY_CLASS),
        },
        CONTENT,
        falling(["none", "half", "one", "two"]) & (every("each") > 0.9),
        ("each", shifted(1.0)),
        Opens(PAGE, "shifted"),
        shows=Shows("sweep", "rho", "method", scores=(CONTENT, BY_CLASS)),
    ),
    Claim(
        "a-trained-head-keeps-both-and-tells",
        PAGE,
        "**A head that is trained on the content keeps both, and tells the body**: at ρ = "
        "{content.rho} content R² {content.span}, and a probe {above.span} above chance.",
        "It has no reason to hide what goes along with the content.",
        {"content": shifted(2.0, "content"), "above": shifted(2.0, "content", ABOVE)},
        CONTENT,
        (every("content") > 0.98) & (every("above") > 0.4),
        ("above", shifted(0.0, "content", ABOVE)),
        Opens(PAGE, params={"rho": 2.0, "method": "content"}),
        shows=Shows("sweep", "rho", "method", scores=(CONTENT, BY_CLASS)),
    ),
)
STAGED = (
    Claim(
        "additive-dynamics-leave-nothing-to-do",
        PAGE,
        "**Stage one with additive dynamics leaves stage two nothing to do**: without reversal "
        "(λ = {blind.lam}) a probe is at most {blind.high} above chance, and content R² is "
        "{content.span}.",
        "An action of as many dimensions as the content has no room for the body.",
        {
            "blind": STAGE["additive, no reversal"].read(ABOVE),
            "content": STAGE["additive, no reversal"],
        },
        CONTENT,
        (every("blind") < 0.05) & (every("content") > 0.95),
        ("blind", ROOM),
        Opens.of(STAGE["additive, no reversal"]),
    ),
    Claim(
        "free-dynamics-lose-content",
        PAGE,
        "**Free dynamics leave a code that is as invariant as any** (a probe at most {blind.high} "
        "above chance) **and lose content**: R² {free.span}, where additive ones keep "
        "{additive.span}. The score of invariance does not tell.",
        "A forward model that sees the state allows any relabelling of actions that depends on "
        "the state, and no prediction error tells.",
        {
            "free": STAGE["free"],
            "additive": STAGE["additive"],
            "blind": STAGE["free"].read(ABOVE),
        },
        CONTENT,
        (every("blind") < 0.08) & (high("free") < low("additive") - 0.1),
        ("free", STAGE["additive"]),
        Opens(PAGE, "free"),
    ),
    Claim(
        "the-bottleneck-brings-content-back",
        PAGE,
        "**The divergence to a standard normal law brings the content back**: its R² averages "
        "{β = 0.mean}, {β = 0.01.mean} and {β = 0.05.mean} at weights {β = 0.kl}, {β = 0.01.kl} "
        "and {β = 0.05.kl}.",
        "SCAR adds it to stage one. It looks load-bearing, not cosmetic (our reading): it makes "
        "the state dear to repeat in the action.",
        {
            "β = 0": STAGE["free"],
            "β = 0.01": STAGE["free, β = 0.01"],
            "β = 0.05": STAGE["free, β = 0.05"],
        },
        CONTENT,
        falling(["β = 0.05", "β = 0.01", "β = 0"]),
        ("β = 0.05", STAGE["free"]),
        Opens(PAGE, params=STAGES["free, β = 0.05"]),
        kind="conjecture",
    ),
    Claim(
        "blind-maps-may-be-twisted",
        PAGE,
        "**Transfer between bodies is not free**: with two bodies {lost} of {transfer.runs} seeds "
        "end blind to the body (a probe at most {blind.high} above chance) with maps twisted "
        "against each other: a read-out of one body has R² {transfer.low} on the other.",
        "The game fixes the law of the code, the same for every body. It does not fix the maps.",
        {
            "transfer": Runs(PAGE, TWISTED, EIGHT, score="transfer_r2", example=True),
            "blind": Runs(PAGE, TWISTED, EIGHT, example=True),
        },
        ABOVE,
        (low("transfer") < 0) & (every("blind") < 0.08),
        ("transfer", REVERSAL.read("transfer_r2")),
        Opens(PAGE, "twisted"),
        shows=Shows("figure", "maps"),
        numbers={"lost": count("transfer", value < 0.5)},
    ),
    Claim(
        "an-identity-like-start-holds-the-maps-together",
        PAGE,
        "**What holds the maps together is the start, and luck**: with four bodies transfer R² is "
        "{identity.span} from an identity-like start, and from a standard one {standard.span}.",
        "It is not the objective, which does not see them.",
        {
            "identity": REVERSAL.read("transfer_r2"),
            "standard": Runs(PAGE, STARTED, score="transfer_r2", example=True),
        },
        "transfer_r2",
        (every("identity") > 0.8) & (low("standard") < 0.8),
        ("identity", PLAIN.read("transfer_r2")),
        Opens(PAGE, params=STARTED),
        shows=Shows("table", "transfer"),
    ),
    Claim(
        "a-turn-between-bodies-is-not-seen",
        PAGE,
        "**No law of the code tells that bodies are turned against each other**: by an eighth of a "
        "circle from one to the next, with round content, every law stays, while one read-out for "
        "all has R² {all.mean} and one body's, on the others, {others.mean}.",
        "Exact: four bodies, content standard normal, linear read-outs.",
        {
            "all": Exact(lambda: turned(TURN)[:1], "R² of one read-out for all"),
            "others": Exact(lambda: turned(TURN)[1:], "R² on the others"),
        },
        "transfer_r2",
        (every("all") < 0.7) & (every("others") < 0),
        ("others", Exact(lambda: turned(0.0)[1:], "R² on the others")),
        Opens(PAGE, "twisted"),
        kind="theorem",
        source="derived in this project",
        shows=Shows("figure", "twist"),
    ),
)
CLAIMS = (*METHOD, *STAGED)
