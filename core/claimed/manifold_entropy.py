"""Claims on what a decoder's columns say of its latents."""

from core.claimed.exact import twins
from core.claims.claim import Claim, Exact, Opens, Runs, Shows, preset
from core.claims.relations import Term, count, every, high, low, mean, value
from core.flows import known
from core.lessons.manifold_entropy import MTC as PENALISED
from core.lessons.manifold_entropy import REC
from core.scenarios.scenario import OPENED

PAGE = "manifold_entropy"
PAPER = "Galperin and Köthe 2025"
APART = "core_above_detail"
MTC = "Total correlation, nats"

turned = Runs(PAGE, {"data": "turned"}, OPENED)
hardly = Runs(PAGE, {"data": "turned", "turn": 1}, OPENED)
moons, moons_mtc, moons_rec = (preset(PAGE, f"moons{end}") for end in ("", "-mtc", "-rec"))
arc, arc_mtc, arc_rec = (preset(PAGE, f"arc{end}") for end in ("", "-mtc", "-rec"))
weak = preset(PAGE, "weak")


def of_start(score: str, *seeds: int) -> Runs:
    """Runs of the arc under the penalty from PyTorch's own start, which seeds are told apart."""
    return Runs(PAGE, preset(PAGE, "arc-start").params, seeds, score=score, example=True)


def _two(label: str, other: str) -> Term:
    return abs(every(label) - every(other))


def _of_twin(kind: str, what: str, title: str) -> Exact:
    return Exact(lambda: [getattr(twins.twin(kind), what)], title)


def _twins(what: str, title: str, *kinds: str) -> dict[str, Exact]:
    return {f"{title} {kind}": _of_twin(kind, what, title) for kind in kinds}


def _unmixed(name: str, at: int, title: str) -> Exact:
    return Exact(lambda: [twins.unmixed()[name][at]], title)


DENSITY = (
    Claim(
        "one-density-many-total-correlations",
        PAGE,
        "**The same density has decoders of very different total correlation**: a normal’s own "
        "latents {start.span} nats after a turn by {start.turn} degree, {turned.span} after one by "
        "{turned.turn}; the likelihood is the same.",
        "A turn of a normal z is a normal z: no likelihood sees it. The columns of the decoder "
        "turn from the axes of the ellipse to slanted ones.",
        {
            "start": hardly,
            "turned": turned,
            "nll": turned.read("nll"),
            "nll before": hardly.read("nll"),
            "closed form": Exact(lambda: [known.turned(45)], MTC),
        },
        "mtc_nats",
        (every("turned") > every("start") + 0.7)
        & (_two("nll", "nll before") < 1e-4)
        & (_two("turned", "closed form") < 1e-5),
        ("turned", hardly),
        Opens(PAGE, "turned"),
        kind="theorem",
        source=PAPER,
        shows=Shows("sweep", "turn", params={"data": "turned"}),
    ),
    Claim(
        "likelihood-leaves-the-lines-slanted",
        PAGE,
        "**Likelihood alone leaves the coordinate lines of the moons slanted**: total correlation "
        "{likelihood.span} nats. A penalty on it leaves {penalised.span}, at {nll penalised.mean} "
        "in place of {nll.mean} nats of negative log-likelihood.",
        "The density asks only for the area of the cell that the columns span.",
        {
            "likelihood": moons,
            "penalised": moons_mtc,
            "nll": moons.read("nll"),
            "nll penalised": moons_mtc.read("nll"),
        },
        "mtc_nats",
        (every("likelihood") >= 0.4)
        & (every("penalised") <= 0.1)
        & (abs(mean("nll penalised") - mean("nll")) < 0.2),
        ("penalised", moons),
        Opens(PAGE, "moons"),
        source=f"{PAPER}, repeated here",
    ),
    Claim(
        "a-weak-penalty-costs-no-likelihood",
        PAGE,
        "**A weak penalty takes most of the slant away at no cost in likelihood**: at weight "
        "{weak.alpha} total correlation is {weak.span} nats ({none.span} without), the negative "
        "log-likelihood {nll weak.mean} ({nll.mean} without). At weight {strong.alpha} they are "
        "{strong.span} and {nll strong.mean}.",
        "Many nets fit as well, and some of them are much straighter; the straightest does not "
        "fit. In {aligned} of {weak.runs} runs with the weak penalty one latent follows the moons, "
        "with core entropy more than a nat and a half above detail.",
        {
            "weak": weak,
            "none": moons,
            "apart": weak.read(APART),
            "nll weak": weak.read("nll"),
            "nll": moons.read("nll"),
            "strong": moons_mtc,
            "nll strong": moons_mtc.read("nll"),
        },
        "mtc_nats",
        (high("weak") < low("none") * 0.5)
        & (high("strong") < low("weak"))
        & (abs(mean("nll weak") - mean("nll")) < 0.03)
        & (low("nll strong") > high("nll weak")),
        ("weak", moons),
        Opens(PAGE, "weak"),
        shows=Shows("sweep", "alpha", params=PENALISED, scores=("mtc_nats", "nll")),
        numbers={"aligned": count("apart", value > 1.5)},
    ),
    Claim(
        "reconstruction-aligns",
        PAGE,
        "**Reconstruction from one latent straightens the lines and makes that latent the one that "
        "matters**: total correlation {reconstructed.span} nats, and core entropy {apart.span} "
        "nats above detail. The penalty alone leaves them {apart penalised.span} apart.",
        "What is decoded from the core alone lies nearest to the data where the other lines meet "
        "it at right angles, and where the core runs along the moons.",
        {
            "reconstructed": moons_rec,
            "apart": moons_rec.read(APART),
            "apart penalised": moons_mtc.read(APART),
        },
        "mtc_nats",
        (every("reconstructed") <= 0.2)
        & (every("apart") >= 2)
        & (high("apart penalised") < low("apart")),
        ("apart", moons_mtc.read(APART)),
        Opens(PAGE, "moons-rec"),
        source=f"{PAPER}, repeated here",
    ),
    Claim(
        "pulled-too-hard-the-moons-lose-their-density",
        PAGE,
        "**Pulled too hard to reconstruct, the moons lose their density**: at weight "
        "{strong.recon_weight} and rate {strong.learning_rate} the negative log-likelihood is "
        "{strong.span} nats, at {gentle.recon_weight} and {gentle.learning_rate} it is "
        "{gentle.span}.",
        "The two terms pull at one map. Weight and rate were changed together: which of them does "
        "it is not told apart here. (The arc bears the stronger pull.)",
        {
            "strong": Runs(PAGE, REC, OPENED, score="nll"),
            "gentle": moons_rec.read("nll"),
        },
        "nll",
        (mean("strong") > mean("gentle") + 0.1) & (high("strong") > high("gentle") + 0.3),
        ("strong", moons_rec.read("nll")),
        Opens(PAGE, params=REC),
    ),
)
TRUTH = (
    Claim(
        "right-angles-are-not-the-truth",
        PAGE,
        "**Right angles are not the truth**: on the arc the penalty leaves a total correlation of "
        "{penalised.span} nats, and an MCC of {mcc penalised.span}. With reconstruction it is "
        "{reconstructed.span} nats, and an MCC of {mcc.span}.",
        "There are many nets of lines at right angles. The penalty asks for any of them, and "
        "reconstruction for the one that runs along the strip.",
        {
            "penalised": arc_mtc,
            "mcc penalised": arc_mtc.read("mcc"),
            "reconstructed": arc_rec,
            "mcc": arc_rec.read("mcc"),
        },
        "mtc_nats",
        (every("penalised") <= 0.02)
        & (every("mcc penalised") <= 0.5)
        & (every("reconstructed") <= 0.02)
        & (every("mcc") >= 0.99),
        ("mcc", arc_mtc.read("mcc")),
        Opens(PAGE, "arc-mtc"),
    ),
    Claim(
        "the-spectrum-tells-them-apart",
        PAGE,
        "**The spectrum tells the two nets apart where total correlation does not**: core above "
        "detail by {reconstructed.span} nats, as the arc’s own latents {truth.span}; under the "
        "penalty by {penalised.span}.",
        "Alignment and right angles are two things, and neither follows from the other.",
        {
            "reconstructed": arc_rec.read(APART),
            "penalised": arc_mtc.read(APART),
            "truth": Exact(lambda: [known.arc_apart()], "Core above detail, nats"),
        },
        APART,
        (_two("reconstructed", "truth") < 0.1) & (every("penalised") < 1),
        ("reconstructed", arc_mtc.read(APART)),
        Opens(PAGE, "arc-rec"),
    ),
    Claim(
        "one-loss-has-nets-of-both-kinds",
        PAGE,
        "**One loss has nets of both kinds, and a start may find the arc’s own**: of the starts as "
        "PyTorch draws them one ends at the arc’s latents (MCC {found.low}), the {others.runs} "
        "others do not ({others.span}), and none from an identity does ({identity.span}). The run "
        "that found them has the least loss: {loss found.low} nats, the others at least "
        "{loss others.low}.",
        "What training ends at is not what the loss would like best. That a start helps on the arc "
        "does not say that it helps elsewhere.",
        {
            "found": of_start("mcc", 0),
            "others": of_start("mcc", 1, 2, 3, 4),
            "identity": arc_mtc.read("mcc"),
            "loss found": of_start("loss", 0),
            "loss others": of_start("loss", 1, 2, 3, 4),
            "loss identity": arc_mtc.read("loss"),
        },
        "mcc",
        (every("found") > 0.9)
        & (every("others") < 0.5)
        & (every("identity") < 0.5)
        & (high("loss found") < low("loss others"))
        & (high("loss found") < low("loss identity")),
        ("found", of_start("mcc", 1)),
        Opens(PAGE, "arc-start"),
    ),
    Claim(
        "principal-axes-are-not-the-sources",
        PAGE,
        "**Principal axes are at right angles, and are not the sources**: under a slanted mixing, "
        "of total correlation {truth.low} nats, PCA has {PCA.low} and an MCC of {MCC of PCA.low}; "
        "FastICA has {FastICA.low} and {MCC of FastICA.low}.",
        "Total correlation is to be compared with that of the truth, and not with zero.",
        {
            "truth": _unmixed("truth", 0, MTC),
            "PCA": _unmixed("PCA", 0, MTC),
            "FastICA": _unmixed("FastICA", 0, MTC),
            "MCC of PCA": _unmixed("PCA", 1, "MCC"),
            "MCC of FastICA": _unmixed("FastICA", 1, "MCC"),
        },
        "mtc_nats",
        (every("PCA") < 1e-9)
        & (every("MCC of PCA") < 0.8)
        & (_two("FastICA", "truth") < 0.02)
        & (every("MCC of FastICA") > 0.999),
        ("MCC of PCA", _unmixed("FastICA", 1, "MCC")),
        Opens(PAGE, "arc-mtc"),
    ),
)
TWINS = (
    Claim(
        "an-encoder-has-a-decoder-to-read",
        PAGE,
        "**An encoder can be read without a decoder being trained**: latents of a box that come "
        "back in another order, each bent on its own, have the truth’s total correlation "
        "({MTC recovered.low} nats) and an MCC of {MCC recovered.low}; after a rotation linear R² "
        "is {R² rotated.low}, MCC {MCC rotated.low}, and total correlation {MTC rotated.low}.",
        "With as many observations as latents the Jacobian of the decoder is that of the encoder, "
        "inverted. Total correlation forgives what is left open in a box (order, and a bend of "
        "each latent), and not the rotation, which R² forgives.",
        {
            **_twins("total_correlation", "MTC", "truth", "recovered", "rotated"),
            **_twins("mcc", "MCC", "recovered", "rotated"),
            **_twins("linear_r2", "R²", "rotated"),
        },
        "mtc_nats",
        (_two("MTC recovered", "MTC truth") < 1e-9)
        & (_two("MTC rotated", "MTC truth") > 0.05)
        & (every("MCC rotated") < 0.8)
        & (every("R² rotated") > 0.999),
        ("MTC recovered", _of_twin("rotated", "total_correlation", "MTC")),
        Opens(PAGE, "arc-rec"),
        shows=Shows("figure", "twins"),
    ),
    Claim(
        "units-come-first",
        PAGE,
        "**Units come first**: with one of its two pixels in another unit, by a factor of four, "
        "the normal along its own axes has a total correlation of {other unit.low} nats, and "
        "{same unit.low} without.",
        "Lengths and angles are of x as it is measured. Rescaling single pixels, or whitening "
        "them, changes both; turning all of x together changes neither.",
        {
            "same unit": Exact(lambda: [known.rescaled(1)], MTC),
            "other unit": Exact(lambda: [known.rescaled(4)], MTC),
        },
        "mtc_nats",
        (every("same unit") < 1e-9) & (every("other unit") > 0.5),
        ("other unit", Exact(lambda: [known.rescaled(1)], MTC)),
        Opens(PAGE, "turned"),
        shows=Shows("figure", "units"),
    ),
)
CLAIMS = (*DENSITY, *TRUTH, *TWINS)
