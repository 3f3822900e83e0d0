"""Claims of the page on manifold entropies, of flows of digits."""

from core.claims.claim import Claim, Opens, Shows, preset
from core.claims.relations import by_seed, every, high, low, mean

PAGE = "digits"
PAPER = "Galperin and Köthe 2025 on larger images, repeated here"
SHARED, PAIRS, LIKELIHOOD = "mtc_nats", "pairwise_mi_nats", "nll"

PLAIN = preset(PAGE, "coupling", SHARED)
WAVELET = preset(PAGE, "wavelet", SHARED)
BASIS = preset(PAGE, "basis", SHARED)
FACTORS = preset(PAGE, "factorisation", SHARED)
CORE = preset(PAGE, "rec", SHARED)
VOLUME = preset(PAGE, "gin", "scale_span")
TABLE = Shows("figure", "architectures")

CLAIMS = (
    Claim(
        "wavelets-share-less",
        PAGE,
        "**A wavelet flow has at least a quarter less total correlation than a plain one of its "
        "size**: {wavelet.span} nats against {plain.span}, and its pairs share "
        "{wavelet pairs.mean} against {plain pairs.mean} in mean, at a negative log-likelihood "
        "of unseen images within a nat ({wavelet likelihood.mean} and {plain likelihood.mean}).",
        "A fine coefficient is drawn given the coarse ones and moves none of them, and given "
        "those, wavelets hardly depend on one another (our reading).",
        {
            "wavelet": WAVELET,
            "plain": PLAIN,
            "wavelet pairs": WAVELET.read(PAIRS),
            "plain pairs": PLAIN.read(PAIRS),
            "wavelet likelihood": WAVELET.read(LIKELIHOOD),
            "plain likelihood": PLAIN.read(LIKELIHOOD),
        },
        SHARED,
        (by_seed("wavelet") <= by_seed("plain") * 0.75)
        & (high("wavelet pairs") < low("plain pairs"))
        & (abs(mean("wavelet likelihood") - mean("plain likelihood")) < 1),
        ("wavelet", BASIS),
        Opens(PAGE, "wavelet"),
        source=PAPER,
        shows=TABLE,
    ),
    Claim(
        "a-wavelet-basis-alone-does-not-help",
        PAGE,
        "**A wavelet basis alone does not help**: blocks over all Haar coefficients at once have "
        "a total correlation of {basis.span} nats, over pixels of {plain.span}.",
        "The basis only names the coordinates that the blocks mix.",
        {"basis": BASIS, "plain": PLAIN},
        SHARED,
        mean("basis") > mean("plain") * 0.95,
        ("basis", WAVELET),
        Opens(PAGE, "basis"),
        shows=TABLE,
    ),
    Claim(
        "factors-alone-help-partly",
        PAGE,
        "**Factors from coarse to fine help only partly without wavelets**: in a random basis "
        "pairs share {factors pairs.span} nats, where those of the plain flow share "
        "{plain pairs.span}, but total correlation averages {factors.mean} nats, nearer to that "
        "flow's {plain.mean} than to the wavelet flow's {wavelet.mean}. The negative "
        "log-likelihood is worse ({factors likelihood.mean} against {wavelet likelihood.mean}).",
        "Each factor leaves the coarser coefficients alone in any basis; in a random one there is "
        "more to undo inside of each.",
        {
            "factors": FACTORS,
            "wavelet": WAVELET,
            "plain": PLAIN,
            "factors pairs": FACTORS.read(PAIRS),
            "plain pairs": PLAIN.read(PAIRS),
            "factors likelihood": FACTORS.read(LIKELIHOOD),
            "wavelet likelihood": WAVELET.read(LIKELIHOOD),
        },
        SHARED,
        (high("factors pairs") < low("plain pairs") * 0.8)
        & (mean("factors") - mean("wavelet") > mean("plain") - mean("factors"))
        & (mean("factors likelihood") > mean("wavelet likelihood")),
        ("factors", WAVELET),
        Opens(PAGE, "factorisation"),
        shows=TABLE,
    ),
    Claim(
        "no-flow-of-digits-has-its-columns-at-right-angles",
        PAGE,
        "**No flow of digits has its columns at right angles**: the least total correlation of a "
        "wavelet flow is {wavelet.low} nats, where the principal axes of one Gaussian have "
        "{axes.mean}, and even its coefficients one after the other, coarse to fine, {ruler.mean}.",
        "The Gaussian's negative log-likelihood is far worse ({gaussian.mean} against "
        "{likelihood.mean}): a ruler says what nats mean, not which decoder is better.",
        {
            "wavelet": WAVELET,
            "axes": WAVELET.read("pca_mtc_nats"),
            "ruler": WAVELET.read("haar_mtc_nats"),
            "gaussian": WAVELET.read("gaussian_nll"),
            "likelihood": WAVELET.read(LIKELIHOOD),
        },
        SHARED,
        (low("wavelet") > high("ruler"))
        & (high("axes") < 0.01)
        & (high("likelihood") < low("gaussian") - 5),
        ("wavelet", WAVELET.read("pca_mtc_nats")),
        Opens(PAGE, "wavelet"),
        shows=TABLE,
    ),
    Claim(
        "reconstruction-makes-a-core",
        PAGE,
        "**Asked to reconstruct from {core.core_dim} latents, a plain flow puts entropy into "
        "them**: {core entropy.span} nats, where the {core.core_dim} largest without that have "
        "{plain entropy.span}. Total correlation falls to {core.span} nats from {plain.span}, and "
        "the negative log-likelihood pays ({core likelihood.mean} against "
        "{plain likelihood.mean}).",
        "The spectrum drops behind the core: alignment, which no likelihood asks for.",
        {
            "core": CORE,
            "plain": PLAIN,
            "core entropy": CORE.read("core_entropy_nats"),
            "plain entropy": PLAIN.read("core_entropy_nats"),
            "core likelihood": CORE.read(LIKELIHOOD),
            "plain likelihood": PLAIN.read(LIKELIHOOD),
        },
        SHARED,
        (low("core entropy") > high("plain entropy") + 2)
        & (by_seed("core") < by_seed("plain") * 0.75)
        & (every("core likelihood") > low("plain likelihood")),
        ("core", PLAIN),
        Opens(PAGE, "rec"),
        source=PAPER,
        shows=Shows("figure", "cliff"),
    ),
    Claim(
        "scales-tell-less-than-entropies",
        PAGE,
        "**Where blocks keep volume, the scales of the latents tell less than their manifold "
        "entropies**: the largest scale is {scales.span} times the smallest, where the lengths "
        "that entropies stand for differ by {lengths.span} times. No latent is hidden here: the "
        "two rise together (correlation {together.span}).",
        "A block that keeps volume may still stretch one latent at the cost of others, which no "
        "scale shows. A hidden latent would have a tiny scale and a large entropy; a short "
        "training moves the scales little.",
        {
            "scales": VOLUME,
            "lengths": VOLUME.read("length_span"),
            "together": VOLUME.read("scale_correlation"),
        },
        "scale_span",
        (high("scales") * 1.6 < low("lengths")) & (low("together") > 0.5),
        ("lengths", VOLUME),
        Opens(PAGE, "gin"),
        source=PAPER,
        shows=Shows("figure", "hidden"),
    ),
)
