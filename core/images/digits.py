"""Digits: scikit-learn's real images of 8 x 8 pixels, and ten factors measured on them.

Nobody drew these images from factors; each factor here is a formula of the pixels (but the class,
which is the label), a proxy for what one sees. Ink is what a pixel holds, 0 to 1; columns j = 0 to
7 run to the right, rows i = 0 to 7 downwards. An image without ink has 0 wherever a formula would
divide by nothing. NumPy only.

The images are of the optical recognition of handwritten digits (Alpaydin and Kaynak 1998).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.ndimage import binary_propagation
from sklearn.datasets import load_digits

from core.images.world import Factor, Table, categories

SIDE = 8
INKED = 0.25  # a pixel with more than that is part of the stroke
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=bool)[None]  # within an image

Images = np.ndarray  # (n, 8, 8), ink in [0, 1]
Values = np.ndarray  # (n,)


def ink(images: Images) -> Values:
    """How much is written: the mean of the pixels, 0 to 1."""
    _check(images)
    return images.mean((1, 2))


def thickness(images: Images) -> Values:
    """Twice the ink over its outline, in pixels: near w for a long bar of width w.

    The outline is the total variation, the sum of |differences| of neighbours across rows and
    columns, beyond the edge of the image too, where there is no ink. A full rectangle of w x l
    pixels has 2 w l / (2 w + 2 l).
    """
    _check(images)
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    outline = np.abs(np.diff(framed, axis=1)).sum((1, 2))
    outline += np.abs(np.diff(framed, axis=2)).sum((1, 2))
    return _ratio(2 * images.sum((1, 2)), outline)


def slant(images: Images) -> Values:
    """The angle of the writing to the upright, radians, positive to the right (as / leans).

    The arc tangent of the slope of x on height, - cov(j, i) / var(i), both weighted by ink: of the
    shear that would set the digit upright.
    """
    down, _, both = _spreads(images)
    return np.arctan(_ratio(-both, down))


def left_right(images: Images) -> Values:
    """Where the ink lies: all in the first column is -1, all in the last is 1."""
    _, j = _middle(images)
    return j / 3.5


def top_bottom(images: Images) -> Values:
    """Where the ink lies: all in the last row is -1, all in the first is 1."""
    i, _ = _middle(images)
    return -i / 3.5


def contrast(images: Images) -> Values:
    """The standard deviation of the pixels over the largest there can be, 1/2: 0 to 1."""
    _check(images)
    return 2 * images.std((1, 2))


def hole(images: Images) -> Values:
    """How many pixels the stroke encloses: those without ink from which no way leads out.

    Without ink means not above a quarter; ways go up, down, left and right, and beyond the image
    all is open. Most of 0, 6, 8 and 9 have a hole, 1 and 5 have none.
    """
    _check(images)
    ground = np.pad(images <= INKED, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    border = np.zeros_like(ground)
    border[:, [0, -1]] = border[:, :, [0, -1]] = True
    outside = binary_propagation(border, structure=CROSS, mask=ground)
    return (ground & ~outside).sum((1, 2)).astype(np.float64)


def aspect(images: Images) -> Values:
    """The width over the height: of the standard deviations of j and i, weighted by ink.

    A pixel's own breadth, 1/12, is part of either variance, so that a single pixel has 1.
    """
    down, across, _ = _spreads(images)
    return np.where(images.any((1, 2)), np.sqrt((across + 1 / 12) / (down + 1 / 12)), 0.0)


def symmetry(images: Images) -> Values:
    """The share of ink that its own mirror image, left for right, covers: 0 to 1.

    The sum of the smaller of a pixel and its mirror image, over the ink.
    """
    _check(images)
    return _ratio(np.minimum(images, images[:, :, ::-1]).sum((1, 2)), images.sum((1, 2)))


def _line(name: str, title: str, low: float, high: float, unit: str) -> Factor:
    return Factor(name, title, "ordinal", low, high, unit)


CLASS = categories("class", "Digit", *(str(c) for c in range(10)))
# each with the range that its formula allows; a hole of 36 fills a frame of one pixel
MEASURES: dict[Factor, Callable[[Images], Values]] = {
    _line("ink", "Ink", 0, 1, "of a full image"): ink,
    _line("thickness", "Thickness of the stroke", 0, 4, "pixels"): thickness,
    _line("slant", "Slant to the right", -np.pi / 2, np.pi / 2, "radians"): slant,
    _line("left_right", "Ink to the right", -1, 1, "half sides"): left_right,
    _line("top_bottom", "Ink at the top", -1, 1, "half sides"): top_bottom,
    _line("contrast", "Contrast", 0, 1, "of the largest"): contrast,
    _line("hole", "Enclosed ground", 0, 36, "pixels"): hole,
    _line("aspect", "Width over height", 0, 8, "ratio"): aspect,
    _line("symmetry", "Symmetry", 0, 1, "of the ink"): symmetry,
}
FACTORS = (CLASS, *MEASURES)


def read() -> Table:
    """The 1,797 images (1797, 8, 8) and their ten factors (1797, 10), in scikit-learn's order."""
    data: Any = load_digits()
    images = data.images / 16.0  # levels 0 to 16: exact in float32 as well
    values = [data.target.astype(np.float64), *(measure(images) for measure in MEASURES.values())]
    return Table(images.astype(np.float32), np.stack(values, -1), FACTORS)


def _check(images: Images) -> None:
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"Digits have the shape (n, {SIDE}, {SIDE}), not {images.shape}.")
    if not ((images >= 0) & (images <= 1)).all():
        raise ValueError("Ink is a number from 0 to 1.")


def _ratio(above: np.ndarray, below: np.ndarray) -> Values:
    """above / below, 0 where below is."""
    return np.divide(above, below, out=np.zeros(len(above)), where=below > 1e-9)


def _middle(images: Images) -> tuple[Values, Values]:
    """Where the ink's centre lies from the image's, in pixels: down and to the right."""
    _check(images)
    from_middle, total = np.arange(SIDE) - (SIDE - 1) / 2, images.sum((1, 2))
    return (_ratio((images * from_middle[:, None]).sum((1, 2)), total),
            _ratio((images * from_middle).sum((1, 2)), total))  # fmt: skip


def _spreads(images: Images) -> tuple[Values, Values, Values]:
    """Variances of i and of j and their covariance, weighted by ink."""
    middle_i, middle_j = _middle(images)
    steps, total = np.arange(SIDE) - (SIDE - 1) / 2, images.sum((1, 2))
    i = steps[None, :, None] - middle_i[:, None, None]
    j = steps[None, None, :] - middle_j[:, None, None]
    down, across, both = (
        _ratio((images * product).sum((1, 2)), total) for product in (i * i, j * j, i * j)
    )
    return down, across, both
