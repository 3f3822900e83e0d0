"""What words stand for, everywhere the same: scores, baselines, values, letters."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.images.worlds import WORLDS
from core.scenarios.lejepa import SAID
from core.scenarios.probes import FACTORS, PROCEDURES
from core.scenarios.scenario import Knob


@dataclass(frozen=True)
class Score:
    """How a score is called, written and judged."""

    title: str
    meaning: str
    ideal: str = ""
    format: str = ".3f"
    none: str = ""  # why it has no value, where that is no accident
    unit: str = ""  # written after the number

    @property
    def axis(self) -> str:
        """Its title as an axis or a column has it, with its unit."""
        return f"{self.title}, degrees" if self.unit == "°" else self.title

    def written(self, value: float | None) -> str:
        """Its value as a page shows it."""
        if value is None:
            return "–"
        if "+" in self.format:
            return f"{value:{self.format}}".replace("-", "−") if value else "0"
        digits = f"{value:{self.format}}"
        digits = digits if digits.strip("-0.") else digits.lstrip("-")  # no "-0.000"
        return digits.replace("-", "−") + self.unit


def _of_pictures() -> dict[str, Score]:
    """Scores of pictures: of the classifier, and of every factor."""
    named = {factor.name: factor for world in WORLDS.values() for factor in world.every}
    how = {
        "ordinal": "held-out R² of this factor, read from the code by an affine map",
        "circular": "held-out R² of its sine and cosine, read from the code by an affine map",
        "categorical": "held-out accuracy of a linear read-out of the code",
    }
    return {
        "label_accuracy": Score("Accuracy of the class", "of the classifier that was trained, on "
                                "pictures it never saw"),
        **{f"factor_{name}": Score(factor.title, how[factor.kind])
           for name, factor in named.items()},
        **{f"r_{name}": Score(f"Correlation, {factor.title.lower()}", "of the factor with its "
                              "linear read-out, held out")
           for name, factor in named.items()},
        **{f"r_bare_{name}": Score(f"The same without an intercept, {factor.title.lower()}",
                                   "as published: the read-out goes through the origin")
           for name, factor in named.items()},
    }  # fmt: skip


def _of_probes() -> dict[str, Score]:
    """Scores of probes of digits: how many factors get an asterisk, and each factor's own."""
    found = {
        "classifier_accuracy": Score(
            "Digits told right", "accuracy of the classifier itself on images it never saw", "of 1",
            none="where no classifier is trained",
        ),
    }  # fmt: skip
    for name, words in PROCEDURES.items():
        found[f"asterisks_{name}"] = Score(
            f"Asterisks, {name}",
            f"factors with p below 0.05 over all tests, {words}",
            "of 10",
            format=".0f",
        )
        found[f"rejected_{name}"] = Score(
            f"Below 0.05, {name}", f"factors with p below 0.05 itself, {words}", format=".1f"
        )
    for factor, title in FACTORS.items():
        found[f"accuracy_{factor}"] = Score(
            f"Probe: {title.lower()}", "mean accuracy of ten re-splits; chance is 0.5", "of 1"
        )
        found[f"fresh_accuracy_{factor}"] = Score(
            f"Fresh images: {title.lower()}", "accuracy of one probe on images kept for it", "of 1"
        )
        for name, words in PROCEDURES.items():
            found[f"{name}_p_{factor}"] = Score(
                f"{title}: −log₁₀ p, {name}", f"how sure the test is, {words}", format=".1f",
                none="where all re-splits give a half",
            )  # fmt: skip
    return found


FEW_CLUSTERS = "for more than d + 1 clusters"
SCORES = {  # in the order in which a page shows them
    "linear_r2": Score("Linear R²", "held-out R² of the best affine map ẑ → z", "of 1"),
    "orthogonal_r2": Score("Orthogonal R²", "the same for a scaled rotation or reflection, without "
                           "intercept", "of 1"),
    "v_r2": Score(
        "Cluster-vector R²", "each cluster's vector foretold from the other clusters' weights by "
        "an affine map", "of 1", none=FEW_CLUSTERS,
    ),
    "v_orthogonal_r2": Score(
        "Cluster-vector orthogonal R²", "the same by a scaled rotation or reflection, without "
        "intercept", "of 1", none=FEW_CLUSTERS,
    ),
    "clipped_r2": Score(
        "R² of clipped z", "linear R² of z clipped to the range of the cluster vectors, by "
        "coordinate", "of 1",
    ),
    "span_r2": Score(
        "R² inside the span", "R² of the latents' part in the span of all vₐ − v_b; of segments, "
        "of all λ(u) − λ(u₀)", "of 1"),
    "complement_r2": Score("R² outside the span", "R² of the latents' part at right angles to it"),
    "mcc": Score(
        "MCC",
        "mean correlation after matching coordinates; a rotation lowers it, and where the rotation "
        "is left open its second decimal depends on the machine (R² agrees to 0.001)",
        "",
    ),
    "mcc_spearman": Score(
        "MCC, Spearman", "the same of ranks: a distortion that only rises, or falls, is "
        "forgiven", "of 1",
    ),
    "mig": Score(
        "MIG", "mutual-information gap: what the best code tells of a latent more than the next"
    ),
    "dci_lasso": Score(
        "DCI-D, lasso", "disentanglement by DCI: how far each code serves one latent, by a lasso"
    ),
    "dci_forest": Score("DCI-D, forest", "the same by a random forest"),
    "linear_r2_in_sample": Score(
        "Linear R², in sample", "R² of the points that fit the map: it rises with every code"
    ),
    "singular_value_mae": Score(
        "Singular-value error", "0 when the fitted map is orthogonal, of theory's scale", "best 0"
    ),
    "degree": Score(
        "Degree of the map", "±1: a whole globe; 0: a folded one", "whole ±1", "+.0f",
        none="unclear: two triangulations disagree",
    ),
    "feature_norm": Score("Feature norm", "mean length of f(x)", format=".2f"),
    "angle_to_v_perp_deg": Score(
        "Angle to V⊥", "largest principal angle between the rows of M and V⊥",
        format=".1f", unit="°",
    ),
    "angle_to_v_deg": Score(
        "Angle to V", "largest principal angle between the rows of M and V",
        format=".1f", unit="°",
    ),
    "information_nats": Score(
        "Exact information, nats",
        "what the code tells of the nuisance, from the closed-form density of a linear image of a "
        "vMF: no probe is needed",
        format=".4f",
    ),
    "probe_accuracy_linear": Score(
        "Linear probe", "held-out accuracy of a fresh linear classifier of the nuisance, on the "
        "standardised code",
    ),
    "probe_accuracy_mlp": Score(
        "MLP probe", "held-out accuracy of a fresh classifier with a hidden layer, on the "
        "standardised code",
    ),
    "content_r2": Score(
        "Content R²", "held-out R² of the content read from the code: by a linear map in the "
        "linear world, by a small network in the nonlinear one",
        "of 1",
    ),
    "content_r2_per_class": Score(
        "Content R² by class", "the same with a read-out for each value of the nuisance, "
        "averaged", "of 1",
    ),
    "transfer_r2": Score(
        "Transfer R²", "the same with a read-out fitted on one value of the nuisance and scored "
        "on the others, averaged", "of 1",
    ),
    "adversary_loss": Score(
        "Adversary's own loss, nats", "cross-entropy of the classifier in training: it is high "
        "where the nuisance is hidden, and where the classifier is merely bad",
        format=".3f",
    ),
    "action_r2": Score(
        "Action R²", "held-out R² of the content read from the first stage's action, by a small "
        "network", "of 1",
        none="for two stages",
    ),
    "state_r2": Score(
        "State R²", "the same for the state: what the action repeats of it", "best 0",
        none="for two stages",
    ),
    "mtc_nats": Score(
        "Total correlation, nats", "how far the decoder's columns are from right angles, in mean: "
        "the manifold total correlation of the latents; to be held against the truth’s, not 0",
    ),
    "mtc_per_dim": Score("Total correlation a latent", "the same over the number of latents"),
    "pairwise_mi_nats": Score(
        "Pairwise information, nats", "sum over pairs of latents of what they share",
    ),
    "entropy_nats": Score(
        "Entropy, nats", "of the flow's own distribution, at latents from its prior", format=".2f",
    ),
    "core_entropy_nats": Score(
        "Core entropy, nats", "sum of the manifold entropies of the core latents", format=".2f",
    ),
    "detail_entropy_nats": Score(
        "Detail entropy, nats", "the same of the other latents", format=".2f",
    ),
    "nll": Score(
        "Negative log-likelihood, nats", "of points that the flow never saw", format=".2f",
    ),
    "modulation_rank": Score(
        "Rank of the modulation", "directions that differences of segments span: theory asks for "
        "as many as sources", "as many as sources", format=".0f",
    ),
    "modulation_condition": Score(
        "Its condition", "largest over smallest singular value of the modulation: how evenly "
        "segments tell those directions", "best 1", format=".2f", none="without full rank",
    ),
    "loss": Score("Loss, nats", "once trained, on data it never saw", format=".2f"),
    **{name: Score(*said) for name, said in SAID.items()},
    **_of_probes(),
    **_of_pictures(),
}  # fmt: skip
BASELINES = {
    "raw": "raw x",
    "untrained": "untrained",
    "supervised": "supervised",
    "closed": "closed form",
    "true": "true generator",
    "pca": "PCA",
    "haar": "Cholesky by scale",
    "cholesky": "Cholesky by pixel",
    "rotated": "random rotation",
    "gaussian": "a Gaussian",
    "null": "shuffled rows",
}
NEGLIGIBLE = 0.05  # what shuffled rows get by luck, below which no line is drawn for it


def baselines(score: str, scores: Mapping[str, float | None]) -> dict[str, str]:
    """By name the baselines of a score that a run has, each in a word or two.

    What shuffled rows get is left out where it is negligible, as it is with thousands of samples,
    or below zero, as a score that is held out on few clusters: nobody gains that by luck.
    """
    found = {}
    for kind, word in BASELINES.items():
        value = scores.get(name := f"{kind}_{score}")
        if value is not None and (kind != "null" or value >= NEGLIGIBLE):
            found[name] = word
    return found


# ---- words for parameters and their values


def spoken(value: object) -> str:
    """A parameter's value as links and the shell write it."""
    return "auto" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


CHOICES = {  # the value of a choice -> its name in words, where it is one of several
    # which norms are fixed, in vMF clusters
    "C1": "C1: both unit",
    "C2": "C2: unit features",
    "C3": "C3: unit weights",
    "C4": "C4: both free",
    # labels, and the points that repel
    "class": "class",
    "instance": "instance",
    "views": "views",
    "anchors": "anchors",
    # what an encoder is told
    "contrastive": "contrastive",
    "supervised": "supervised",
    # laws of latents and of cluster vectors
    "vmf": "vMF",
    "laplace": "Laplace",
    "normal": "normal",
    "gennorm": "generalised normal",
    "isotropic-gennorm": "isotropic generalised normal",
    "student-t": "Student’s t",
    "uniform": "uniform",
    "subspace": "in a subspace",
    # where latents and codes live
    "box": "box",
    "unbounded": "unbounded",
    "sphere": "sphere",
    # how an auxiliary variable modulates sources
    "tcl": "time-contrastive",
    "gcl": "generalised contrastive",
    "gauss": "normal",
    "shared": "shared",
    "equal": "equal",
    "scale": "scale",
    "location": "location",
    "even": "even",
    # a second view, what hides the latents, the encoder's bends
    "channel": "channel",
    "diffusion": "diffusion",
    "spiral": "spiral",
    "sinusoid": "sinusoid",
    "network": "network",
    "silu": "SiLU",
    "leaky": "leaky ReLU",
    "skip": "beside a linear path",
    # how an encoder starts
    "identity": "identity",
    "standard": "standard",
    # the linear game: M, the classifier, the update, the start
    "grassmann": "orthonormal rows",
    "free": "free",
    "whitened": "whitened",
    "linear": "linear",
    "mlp": "MLP",
    "sgd": "SGD",
    "adam": "Adam",
    "random": "random",
    "v": "in V",
    "v_perp": "in V⊥",
    # the nonlinear world
    "ae": "autoencoder",
    "ae-grl": "autoencoder, reversal",
    "content": "content head",
    "content-grl": "content head, reversal",
    "irm": "IRM",
    "leace": "LEACE",
    "two-stage": "two stages",
    "additive": "additive",
    # flows: their data, their architecture, and what is minimised
    "turned": "Gaussian, turned by hand",
    "moons": "two moons",
    "banana": "banana",
    "arc": "arc",
    "torus": "torus",
    "gaussian": "Gaussian",
    "coupling": "plain coupling",
    "wavelet": "wavelet",
    "basis-only": "basis only",
    "factorisation-only": "factorisation only",
    "gin": "volume kept",
    "ml": "likelihood",
    "ml-mtc": "likelihood, total correlation",
    "ml-rec": "likelihood, reconstruction",
    # pictures: the task, the world, the method, the encoder, what makes a class
    "pairs": "pairs",
    "classify": "classes",
    "masks": "walkers’ masks",
    "scene": "lit scene",
    "sprites": "sprites",
    "slowvae": "SlowVAE",
    "conv": "convolutions",
    "shape": "shape",
    "shape-scale": "shape and scale",
    "position": "position",
    "all": "all but rotation",
    # probed codes
    "trained": "trained on labels",
    "shuffled": "shuffled labels",
    "untrained": "not trained",
    "pixels": "pixels",
    "noise": "noise",
    "sigreg": "SIGReg",
    "infonce": "InfoNCE",
    "whiten": "whitening",
    # made codes
    "uniform-noise": "uniform noise",
}


def wording(value: object) -> str:
    """A parameter's value in words, as pages and figures show it; links write `spoken`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return CHOICES.get(value, value)
    return spoken(value).replace("-", "−")


def named(knob: Knob, value: object) -> str:
    """A parameter's value in words; where it is left empty, what that means, if it is short."""
    if value is None and knob.none and len(knob.none) <= SHORT:
        return knob.none
    return wording(value)


SHORT = 22
LETTERS = {
    r"\alpha": "α", r"\beta": "β", r"\kappa": "κ", r"\lambda": "λ", r"\rho": "ρ",
    r"\sigma": "σ", r"\tau": "τ", r"\tilde z": "z̃", r"\hat d": "d̂", r"\mid": "|",
    "_m": "ₘ", "_x": "ₓ", "_1": "₁",
}  # fmt: skip


def letters(symbol: str) -> str:
    """A LaTeX symbol in plain letters; nothing where there are none for it, as for a subscript z.

    (It would be another symbol without its subscript.)
    """
    for latex, letter in LETTERS.items():
        symbol = symbol.replace(latex, letter)
    return "" if set(symbol) & set("\\_^{}") else symbol


def label_of(knob: Knob) -> str:
    """A parameter's name with its symbol in plain letters, such as "World concentration κ".

    For axes, which know no LaTeX, and for what is read aloud.
    """
    return f"{knob.label} {letters(knob.symbol)}".strip()


def setting(knob: Knob, value: object) -> str:
    """Such as "d = 5" or, without a symbol, "batch 256"; a choice by its name alone."""
    if knob.choices or (value is None and knob.none.startswith("no ")):
        return named(knob, value)
    symbol = letters(knob.symbol)
    return f"{symbol} = {wording(value)}" if symbol else f"{knob.label.lower()} {wording(value)}"
