"""Claims about scores: where they say yes for nothing, and no for something."""

from collections.abc import Mapping

from core.claims.claim import Claim, Exact, Opens, Runs, Shows, preset
from core.claims.drawn import Drawn
from core.claims.relations import count, every, high, low, mean, value
from core.metrics import expected_largest
from core.scenarios.scenario import Value
from core.scores.glance import HIGH

Params = Mapping[str, Value]
PAGE = "scores"
TOGETHER: Params = {"factors": "correlated", "rho": 0.98, "code": "mixed", "kappa": 3.0}
APART: Params = {"code": "mixed", "kappa": 3.0}
LOOSELY: Params = {**TOGETHER, "rho": 0.3}
MANY_DRAWS = tuple(range(40))  # a mixture is a matter of chance
MIXED: Params = {"code": "mixed", "kappa": 1.0, "d": 5}
STRETCHED: Params = {"code": "distorted", "alpha": 1.0}
FEW: Params = {"code": "noise", "d": 5, "m_over_d": 1.0, "n": 50}
MANY: Params = {**FEW, "n": 10_000}
CLOSE: Params = {**FEW, "m_over_d": 9.6}
WIDE: Params = {"code": "overcomplete", "m_over_d": 6.0, "kappa": 1.0}
TURNED: Params = {"code": "rotated"}
COPIES: Params = {"code": "copies", "m_over_d": 2.0}
recovered = preset("infonce_sphere", "matched")
folded = Runs("infonce_sphere", {"initialisation": "standard", "steps": 800}, example=True)


def of(score: str, **params: Value) -> Drawn:
    """A score of a setting."""
    return Drawn(score, params)


def often(score: str, **params: Value) -> Drawn:
    """The same for many draws."""
    return Drawn(score, params, seeds=MANY_DRAWS)


def opens(name: str) -> Opens:
    """A preset of the page."""
    return Opens(PAGE, name)


CLAIMS = (
    Claim(
        "correlated-factors-fake-mcc",
        PAGE,
        "**Correlated factors fake MCC**: dense mixtures of factors of correlation "
        "{correlated.rho} get {correlated.mean} in the mean over draws, {sure} of "
        "{correlated.runs} at least nine tenths. The same mixtures of independent factors get "
        "{independent.mean}, {chance} of {independent.runs}.",
        "Whoever adds two factors that nearly agree gets something that nearly agrees with both; "
        "only their difference is something else.",
        {"correlated": often("mcc", **TOGETHER), "independent": often("mcc", **APART)},
        "mcc",
        (mean("correlated") > mean("independent") + 0.1)
        & (count("correlated", value >= HIGH) > count("independent", value >= HIGH)),
        ("correlated", often("mcc", **LOOSELY)),
        opens("faked"),
        numbers={"sure": count("correlated", value >= HIGH),
                 "chance": count("independent", value >= HIGH)},
    ),
    Claim(
        "r2-cannot-see-mixtures",
        PAGE,
        "**R² cannot see that codes are mixed**: linear R² is {r2.span} for dense mixtures of "
        "{mixed.d} factors, whose MCC is {mixed.span}.",
        "A linear map undoes any mixture. So R² is the right score where a theorem promises "
        "recovery up to a linear map, and says nothing of single codes.",
        {"mixed": of("mcc", **MIXED), "r2": of("linear_r2", **MIXED)},
        "mcc",
        (every("r2") > 0.999) & (every("mixed") < HIGH),
        ("mixed", of("mcc", code="permuted", d=5)),
        Opens.of(of("mcc", **MIXED)),
    ),
    Claim(
        "stretching-costs-pearson-not-spearman",
        PAGE,
        "**A stretched factor is lost to Pearson’s correlation and to R², not to Spearman’s**: "
        "MCC {pearson.span} and R² {r2.span}, MCC of ranks {spearman.span}.",
        "Ranks do not move under a map that only rises. Where a theorem promises factors up to "
        "such maps, MCC of values asks for more.",
        {"pearson": of("mcc", **STRETCHED), "spearman": of("mcc_spearman", **STRETCHED),
         "r2": of("linear_r2", **STRETCHED)},
        "mcc",
        (every("pearson") < HIGH) & (every("r2") < HIGH) & (every("spearman") > 0.999),
        ("pearson", of("mcc", code="distorted", alpha=0.0)),
        opens("stretched"),
    ),
    Claim(
        "noise-scores-when-samples-are-few",
        PAGE,
        "**Noise scores when samples are few**: codes that never saw the factors get MCC "
        "{few.span} from {few.n} samples and {many.span} from {many.n}.",
        "Each latent takes the best of the codes by luck: from {few.n} samples one latent and "
        "{few.d} codes expect {theory.low}. Shuffling the codes’ rows measures it: {null.mean} in "
        "the mean.",
        {"few": of("mcc", **FEW), "many": of("mcc", **MANY), "null": of("null_mcc", **FEW),
         "theory": Exact(lambda: (expected_largest(50, 5),), "MCC by chance")},
        "mcc",
        (low("few") > high("many") * 5) & (abs(mean("few") - mean("null")) < 0.05),
        ("few", of("mcc", **MANY)),
        opens("noise"),
    ),
    Claim(
        "r2-in-sample-reads-one-of-noise",
        PAGE,
        "**R² of the points that fit its map reads {inside.span} of noise**, with nearly as many "
        "codes as samples; held out it is {outside.high} at most.",
        "A map with as many numbers as points passes through all of them. Every R² of a trained "
        "run in this explorer is of points that did not fit.",
        {"inside": of("linear_r2_in_sample", **CLOSE), "outside": of("linear_r2", **CLOSE)},
        "linear_r2",
        (every("inside") > HIGH) & (every("outside") < 0),
        ("inside", of("linear_r2_in_sample", code="noise", d=5, m_over_d=9.6, n=2000)),
        opens("in-sample"),
    ),
    Claim(
        "mixtures-into-many-codes-fool-dci-and-mcc",
        PAGE,
        "**Many codes fool DCI and MCC**: twelve codes, each a mixture of both factors, get DCI "
        "{lasso.span} (lasso) and {forest.span} (forest), and MCC {mcc.span}.",
        "Among many mixtures some lie close to a factor. A regression uses those alone, and the "
        "weights of DCI leave the others out; MCC matches those alone as well.",
        {"lasso": of("dci_lasso", **WIDE), "forest": of("dci_forest", **WIDE),
         "mcc": of("mcc", **WIDE)},
        "dci_lasso",
        (every("lasso") >= HIGH) & (every("forest") >= HIGH) & (every("mcc") >= HIGH),
        ("forest", of("dci_forest", code="rotated")),
        opens("overcomplete"),
    ),
    Claim(
        "copies-cost-mig",
        PAGE,
        "**A second copy of each factor takes MIG to {mig.high} at most**, though each code is a "
        "factor: MCC {mcc.low}, DCI {forest.low} or more.",
        "MIG asks that one code tells more of a factor than every other; a copy tells as much.",
        {"mig": of("mig", **COPIES), "mcc": of("mcc", **COPIES),
         "forest": of("dci_forest", **COPIES)},
        "mig",
        (every("mig") < 0.01) & (every("mcc") > 0.999) & (every("forest") > HIGH),
        ("mig", of("mig", code="permuted")),
        opens("copies"),
    ),
    Claim(
        "a-turn-of-forty-five-degrees",
        PAGE,
        "**A turn by 45 degrees leaves R² at {r2.low} and takes MCC to {mcc.span}**, the cosine of "
        "45 degrees, and MIG to {mig.high} at most.",
        "Each code is half of one factor and half of the other. Where a theorem promises a "
        "rotation, MCC below 1 is no failure.",
        {"mcc": of("mcc", **TURNED), "r2": of("linear_r2", **TURNED),
         "mig": of("mig", **TURNED), "theory": Exact(lambda: (0.5**0.5,), "cos 45°")},
        "mcc",
        (abs(every("mcc") - mean("theory")) < 0.01) & (every("r2") > 0.999)
        & (every("mig") < 0.05),
        ("mcc", of("mcc", code="permuted")),
        opens("rotated"),
        shows=Shows("figure", "turned"),
        typed=("45 degrees", "MCC below 1"),
    ),
    Claim(
        "mcc-does-not-tell-a-folded-sphere",
        PAGE,
        "**MCC does not tell a folded sphere from a recovered one**: the best folded run gets "
        "{folded.high}, the worst that recovers {recovered.low}. Linear R² does: "
        "{folded r2.high} at best against {recovered r2.low} at worst.",
        "A sphere comes back up to a rotation, and how far that rotation is from a permutation is "
        "chance. What is promised says which score to read.",
        {"folded": folded.read("mcc"), "recovered": recovered.read("mcc"),
         "folded r2": folded.read("linear_r2"), "recovered r2": recovered.read("linear_r2"),
         "degree": folded.read("degree")},
        "mcc",
        (high("folded") > low("recovered")) & (high("folded r2") < low("recovered r2") - 0.1)
        & (every("degree") == 0),
        ("folded r2", recovered.read("linear_r2")),
        Opens("infonce_sphere", "fold"),
    ),
)  # fmt: skip
