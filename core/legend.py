"""What colours and words stand for, everywhere the same: roles, directions, scores, values."""

import numpy as np

SCORE_TITLES = {
    "linear_r2": "Linear R²",
    "orthogonal_r2": "Orthogonal R²",
    "mcc": "MCC",
    "singular_value_mae": "Singular-value error",
    "degree": "Degree of the map",
    "loss": "InfoNCE loss, nats",
}
BASELINES = {"raw": "raw x", "untrained": "untrained"}


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
