"""What colours and words stand for, everywhere the same: roles, directions, scores, values."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Score:
    """How a score is called, written and judged."""

    title: str
    meaning: str
    ideal: str = ""
    format: str = ".3f"
    none: str = ""  # why it has no value, where that is no accident
    unit: str = ""  # written after the number

    def written(self, value: float | None) -> str:
        """Its value as a page shows it."""
        if value is None:
            return "–"
        if "+" in self.format:
            return f"{value:{self.format}}".replace("-", "−") if value else "0"
        return f"{value:{self.format}}".replace("-", "−") + self.unit


FEW_CLUSTERS = "for more than d + 1 clusters"
SCORES = {  # in the order in which a page shows them
    "linear_r2": Score("Linear R²", "held-out R² of the best affine map ẑ → z", "of 1"),
    "orthogonal_r2": Score(
        "Orthogonal R²", "the same for a scaled rotation or reflection, without intercept", "of 1"
    ),
    "v_r2": Score(
        "Cluster-vector R²",
        "each cluster's vector foretold from the other clusters' weights by an affine map",
        "of 1",
        none=FEW_CLUSTERS,
    ),
    "v_orthogonal_r2": Score(
        "Cluster-vector orthogonal R²",
        "the same by a scaled rotation or reflection, without intercept",
        "of 1",
        none=FEW_CLUSTERS,
    ),
    "clipped_r2": Score(
        "R² of clipped z",
        "linear R² of z clipped to the range of the cluster vectors, by coordinate",
        "of 1",
    ),
    "span_r2": Score(
        "R² inside the span", "R² of the latents' part in the span of all vₐ − v_b", "of 1"
    ),
    "complement_r2": Score("R² outside the span", "R² of the latents' part at right angles to it"),
    "mcc": Score(
        "MCC",
        "mean correlation after matching coordinates; a rotation lowers it, and where the rotation "
        "is left open its second decimal depends on the machine (R² agrees to 0.001)",
        "",
    ),
    "singular_value_mae": Score(
        "Singular-value error", "0 when the fitted map is orthogonal, of theory's scale", "best 0"
    ),
    "degree": Score(
        "Degree of the map", "±1: a whole globe; 0: a folded one", "whole ±1", "+.0f",
        none="for d = 2 and 3",
    ),
    "feature_norm": Score("Feature norm", "mean length of f(x)", format=".2f"),
    "angle_to_v_perp_deg": Score(
        "Angle to V⊥", "largest principal angle between the rows of M and V⊥",
        format=".1f",
        unit="°",
    ),
    "angle_to_v_deg": Score(
        "Angle to V", "largest principal angle between the rows of M and V",
        format=".1f",
        unit="°",
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
        "Content R² by class", "the same with a read-out for each value of the nuisance, averaged",
        "of 1",
    ),
    "transfer_r2": Score(
        "Transfer R²", "the same with a read-out fitted on one value of the nuisance and scored on "
        "the others, averaged",
        "of 1",
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
    "loss": Score("Loss, nats", "once trained, on data it never saw", format=".2f"),
}  # fmt: skip
BASELINES = {"raw": "raw x", "untrained": "untrained", "closed": "closed form"}


# Told apart by the colour-blind, and legible on a white wall as on a dark page.
ROLE = {
    "z": "#3f8fd2",
    "z_hat": "#e0703a",
    "v": "#1fa37a",
    "w": "#b877b5",
    "theory": "#8a8f98",
    "baseline": "#8a8f98",
}


def direction_colours(z: np.ndarray) -> list[str]:
    """A hex colour per point (n, d): hue from longitude, lightness from latitude (OKLCh).

    Perceptually even, so that order seen on the recovered side is order recovered. Uses the first
    three coordinates; at d = 2 the hue alone.
    """
    unit = z[:, :3] / np.linalg.norm(z[:, :3], axis=1, keepdims=True).clip(1e-12)
    hue = np.arctan2(unit[:, 1], unit[:, 0])
    up = unit[:, 2] if unit.shape[1] == 3 else np.zeros(len(unit))
    return _oklch_to_hex(0.66 + 0.17 * up, np.full(len(z), 0.135), hue)


def class_colours(count: int) -> list[str]:
    """Colours of classes, which have no order: hues apart, and neighbours apart in lightness."""
    i = np.arange(count)
    return _oklch_to_hex(
        0.62 + 0.13 * (i % 3 - 1), np.full(count, 0.14), 0.4 + 2 * np.pi * i / count
    )


def ramp(count: int) -> list[str]:
    """Colours for values in order, from plum over the colour of z_hat to amber.

    Told apart by lightness (so by the colour-blind as well), all of it between a white page's and
    a dark one's.
    """
    along = np.linspace(0, 1, count) if count != 1 else np.array([0.5])
    return _oklch_to_hex(0.51 + 0.28 * along, np.full(count, 0.15), -0.3 + 1.75 * along)


def _oklch_to_hex(lightness: np.ndarray, chroma: np.ndarray, hue: np.ndarray) -> list[str]:
    """OKLCh -> sRGB (Ottosson 2020), clipped to the gamut."""
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], -1)
    to_lms = np.array(
        [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728],
         [1, -0.0894841775, -1.2914855480]]
    )  # fmt: skip
    to_rgb = np.array(
        [[4.0767416621, -3.3077115913, 0.2309699292], [-1.2684380046, 2.6097574011, -0.3413193965],
         [-0.0041960863, -0.7034186147, 1.7076147010]]
    )  # fmt: skip
    linear = ((lab @ to_lms.T) ** 3 @ to_rgb.T).clip(0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return ["#" + "".join(f"{round(255 * c):02x}" for c in row) for row in srgb]


def spoken(value: object) -> str:
    """A parameter's value as axes, sliders and links write it."""
    return "auto" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


LETTERS = {
    r"\alpha": "α", r"\beta": "β", r"\kappa": "κ", r"\lambda": "λ", r"\sigma": "σ", r"\tau": "τ",
    "_m": "ₘ", "_x": "ₓ",
}  # fmt: skip


def setting(label: str, symbol: str, value: object) -> str:
    """Such as "d = 5", for a figure: it knows no LaTeX, so some symbols give way to the label."""
    for latex, letter in LETTERS.items():
        symbol = symbol.replace(latex, letter)
    plain = symbol and not set(symbol) & set("\\_^{} ")
    return f"{symbol} = {spoken(value)}" if plain else f"{label.lower()} {spoken(value)}"
