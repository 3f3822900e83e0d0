"""Colours of pictures and words: by role, by direction, by class; readable on light and dark."""

import numpy as np

# Told apart by the colour-blind, and visible on a white wall as on a dark page; words in these
# colours take them by `readable`.
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
    return [_hex(row) for row in srgb]


# ---- colours of words, which need more contrast than lines do

PAGE = {"light": "#fdfdfb", "dark": "#12151c"}  # as in .streamlit/config.toml
READABLE = 4.5  # WCAG 2.2, AA: contrast of text with what lies behind it


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two hex colours, from 1 to 21."""
    low, high = sorted(_luminance(_channels(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def readable(colour: str) -> tuple[str, str]:
    """A colour as text takes it on the light page and on the dark one.

    No colour can be read on both, so it is mixed with black or white as far as it must be.
    """
    return _mixed(colour, 0.0, PAGE["light"]), _mixed(colour, 1.0, PAGE["dark"])


def on_shade(colour: str, strength: float) -> tuple[str, str]:
    """Black or white, whichever is read best on a colour of this opacity, on either page."""
    found = []
    for page in PAGE.values():
        behind = _hex(strength * _channels(colour) + (1 - strength) * _channels(page))
        found.append("#000000" if contrast("#000000", behind) > READABLE else "#ffffff")
    return found[0], found[1]


def _mixed(colour: str, with_: float, page: str) -> str:
    for share in np.linspace(0, 1, 51):
        mixed = _hex((1 - share) * _channels(colour) + share * with_)
        if contrast(mixed, page) >= READABLE:
            break
    return mixed


def _channels(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def _hex(channels: np.ndarray) -> str:
    return "#" + "".join(f"{round(255 * float(c)):02x}" for c in channels)


def _luminance(channels: np.ndarray) -> float:
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
