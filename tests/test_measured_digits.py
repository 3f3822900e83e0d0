"""Each factor measured on digits has its known value on images drawn by hand."""

import numpy as np
import pytest

from core.images import digits


def drawn(*rows):
    """An image (1, 8, 8) from rows of characters, # ink and + half of it, the rest empty."""
    image = np.zeros((1, 8, 8))
    for i, row in enumerate(rows):
        for j, mark in enumerate(row):
            image[0, i, j] = {"#": 1.0, "+": 0.5}.get(mark, 0.0)
    return image


EMPTY = drawn()
FULL = drawn(*["########"] * 8)
BAR = drawn(*["  ##    "] * 8)
RING = drawn("", " #### ", " #  # ", " #  # ", " #### ")
OPEN = drawn("", " #### ", " #  # ", " #    ", " #### ")
LEAN = drawn(*[" " * (7 - i) + "#" for i in range(8)])
POINT = drawn("", "", "#")
KNOWN = [
    ("ink", EMPTY, 0), ("ink", FULL, 1), ("ink", BAR, 16 / 64), ("ink", drawn("+"), 0.5 / 64),
    ("thickness", EMPTY, 0), ("thickness", BAR, 2 * 16 / 20), ("thickness", FULL, 4),
    ("thickness", BAR / 2, 2 * 16 / 20), ("thickness", drawn("########"), 16 / 18),
    ("slant", EMPTY, 0), ("slant", BAR, 0), ("slant", LEAN, np.pi / 4),
    ("slant", LEAN[:, :, ::-1], -np.pi / 4), ("slant", drawn("########"), 0),
    ("left_right", EMPTY, 0), ("left_right", FULL, 0), ("left_right", POINT, -1),
    ("left_right", POINT[:, :, ::-1], 1), ("left_right", BAR, -1 / 3.5),
    ("top_bottom", EMPTY, 0), ("top_bottom", BAR, 0), ("top_bottom", POINT, 1.5 / 3.5),
    ("top_bottom", drawn("########"), 1), ("top_bottom", drawn(*[""] * 7, "#"), -1),
    ("contrast", EMPTY, 0), ("contrast", FULL, 0), ("contrast", drawn(*["####"] * 8), 1),
    ("contrast", drawn(*["++++"] * 8), 0.5),
    ("hole", EMPTY, 0), ("hole", FULL, 0), ("hole", RING, 4), ("hole", OPEN, 0),
    ("hole", RING / 5, 0), ("hole", drawn("###", "# #", "###"), 1),
    ("hole", drawn(" # ", "# #", " # "), 1),  # corners close it
    ("aspect", EMPTY, 0), ("aspect", POINT, 1), ("aspect", FULL, 1),
    ("aspect", drawn("########"), 8), ("aspect", drawn(*["#"] * 8), 1 / 8),
    ("symmetry", EMPTY, 0), ("symmetry", FULL, 1), ("symmetry", BAR, 0),
    ("symmetry", drawn("#      +"), 2 / 3), ("symmetry", drawn("  ####  "), 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "image", "value"), KNOWN,
                         ids=[f"{name} {i}" for i, (name, _, _) in enumerate(KNOWN)])  # fmt: skip
def test_a_measure_of_a_drawn_image_is_the_known_one(name, image, value):
    measure = {factor.name: f for factor, f in digits.MEASURES.items()}[name]
    together = measure(np.concatenate([FULL, image, RING]))
    assert together.shape == (3,)
    assert measure(image)[0] == pytest.approx(value, abs=1e-9)
    assert together[1] == measure(image)[0]


def test_the_digits_come_with_their_ten_factors():
    table = digits.read()
    assert table.images.shape == (1797, 8, 8) and table.images.dtype == np.float32
    assert table.values.shape == (1797, 10) == (len(table.images), len(table.factors))
    assert (table.images.min(), table.images.max()) == (0, 1)
    for factor, column in zip(table.factors, table.values.T, strict=True):
        assert factor.low <= column.min() < column.max() <= factor.high, factor.name
        assert column.std() > 0.01 * (factor.high - factor.low), factor.name
    kind, hole = table.values[:, 0], table.values[:, 7] > 0
    assert table.factors[7].name == "hole"
    assert hole[kind == 0].mean() > 0.9 and hole[kind == 1].mean() < 0.1
    assert table.values[kind == 1, 1].mean() > 0  # ink
    assert [f.name for f in table.factors] == [
        "class", "ink", "thickness", "slant", "left_right", "top_bottom", "contrast", "hole",
        "aspect", "symmetry",
    ]  # fmt: skip


@pytest.mark.parametrize("measure", digits.MEASURES.values(), ids=lambda f: f.__name__)
def test_what_is_no_image_of_a_digit_is_refused_by_a_sentence(measure):
    for wrong in (np.zeros((2, 8, 7)), np.zeros((8, 8)), np.full((1, 8, 8), 16.0)):
        with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
            measure(wrong)
