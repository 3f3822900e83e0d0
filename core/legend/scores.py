"""How scores and their baselines are called, written and judged, everywhere the same."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.datasets.worlds import FOUND
from core.images.worlds import WORLDS
from core.scenarios.lejepa import DEGREES, SHARES
from core.scenarios.probes import FACTORS, PROCEDURES


@dataclass(frozen=True)
class Score:
    """How a score is called, written and judged."""

    title: str
    meaning: str
    ideal: str = ""
    format: str = ".3f"
    none: str = ""  # why it has no value, where that is no accident
    unit: str = ""  # written after the number
    shared: str = ""  # the quantity that it is, where other scores are the same one of other things

    @property
    def quantity(self) -> str:
        """What an axis measures that it shares with other scores."""
        return self.shared or ("R²" if "R²" in self.title else self.axis)

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
    worlds = (*FOUND.values(), *WORLDS.values())  # of two factors of a name that of a drawn world
    named = {factor.name: factor for world in worlds for factor in world.every}
    how = {
        "ordinal": "held-out R² of this factor, read from the code by an affine map",
        "circular": "held-out R² of this factor, or of its sine and cosine where it goes full "
        "circle, read from the code by an affine map",
        "categorical": "held-out accuracy of a read-out of the code by least squares",
    }
    correlation = "Correlation of a factor with its linear read-out"
    return {
        "label_accuracy": Score("Accuracy of the class", "of the classifier that was trained, on "
                                "pictures it never saw"),
        **{f"factor_{name}": Score(factor.title, how[factor.kind],
                                   shared="Accuracy" if factor.kind == "categorical" else "R²")
           for name, factor in named.items()},
        **{f"r_{name}": Score(f"Correlation, {factor.title.lower()}", "of the factor with its "
                              "linear read-out, held out", shared=correlation)
           for name, factor in named.items()},
        **{f"r_bare_{name}": Score(f"The same without an intercept, {factor.title.lower()}",
                                   "as published: the read-out goes through the origin",
                                   shared=correlation)
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


def _of_views() -> dict[str, Score]:
    """Scores of codes of two views: what degrees they are made of, and how far from a rotation."""
    return {
        **{name: Score(f"Share of degree {k}", f"of the code's variance: what polynomials of z of "
                       f"degree {k} explain beyond lower ones", "of 1" if k == 1 else "best 0")
           for k, name in zip(DEGREES, SHARES, strict=True)},
        "gain": Score("Size of codes", "mean singular value of the best affine map z → ẑ: below 1 "
                      "where codes are shrunk"),
        "delta": Score("Excess alignment δ", "alignment cost beyond the least of codes of this "
                       "covariance", "best 0"),
        "epsilon": Score("Distance from white ε", "Frobenius distance of the codes' covariance "
                         "from the identity", "best 0"),
        "procrustes_bound": Score("Bound on the error", "what δ and ε allow the error to be for "
                                  "Gaussian latents", "best 0"),
        "procrustes_error": Score("Procrustes error", "mean squared distance of centred codes from "
                                  "the nearest rotation or reflection of z", "best 0"),
    }  # fmt: skip


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
        "is left open it is luck: a random rotation says how much, and the second decimal depends "
        "on the machine (R² agrees to 0.001)",
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
    **_of_views(),
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
