"""MPI3D: a robot's arm holds an object before a camera, in every combination of seven factors.

Gondal et al., "On the Transfer of Inductive Bias from Simulation to the Real World: a New
Disentanglement Dataset" (2019), whose pages name the values.
"""

from math import prod
from pathlib import Path

import numpy as np

from core.datasets.loaded import Loaded, Misread, grid, inside, line
from core.datasets.members import member
from core.images.world import Factor, categories

SIZES = (6, 6, 2, 3, 3, 40, 40)  # toy, realistic and real: 1,036,800 images
FEWER = (4, 4, 2, 3, 3, 40, 40)  # real, complex shapes: 460,800
COLOURS = ("white", "green", "red", "blue", "brown", "olive")
SHAPES = ("cone", "cube", "cylinder", "hexagonal prism", "pyramid", "sphere")
GROUNDS = ("purple", "sea green", "salmon")


def load(folder: Path, name: str, sizes: tuple[tuple[int, ...], ...] = (SIZES, FEWER)) -> Loaded:
    """The .npz of a folder, with `images` alone: pictures (64, 64, 3), k = 7.

    Its rows are all combinations, the last factor fastest: their number says which of the sizes
    (products of seven) it has, and another number is a `Misread`, as is another form.
    """
    path = inside(folder, name)
    images = member(path, "images", (None, 64, 64, 3), "u1")
    n = images.shape[0]
    here = next((each for each in sizes if prod(each) == n), None)
    if here is None:
        wanted = " or ".join(f"{prod(each):,}" for each in sizes)
        raise Misread(f"{path.name} has {n:,} images, not {wanted}.")
    return Loaded(
        name.removesuffix(".npz"), factors_of(here), n, (64, 64, 3), np.dtype("u1"),
        images.rows, lambda rows: grid(here, rows),
    )  # fmt: skip


def factors_of(sizes: tuple[int, ...]) -> tuple[Factor, ...]:
    """Its seven factors; names of classes where there are as many as published, else numbers."""

    def classes(name: str, title: str, count: int, names: tuple[str, ...]) -> Factor:
        numbers = tuple(str(i) for i in range(count))
        return categories(name, title, *(names if len(names) == count else numbers))

    colour, shape, size, height, ground, horizontal, vertical = sizes
    return (
        classes("object_color", "Colour of the object", colour, COLOURS),
        classes("object_shape", "Shape of the object", shape, SHAPES),
        line("object_size", "Size of the object", 0, size - 1, "step"),
        line("camera_height", "Camera, from the top down", 0, height - 1, "step"),
        classes("background_color", "Colour of the backdrop", ground, GROUNDS),
        line("horizontal_axis", "Horizontal axis of the arm", 0, horizontal - 1, "step"),
        line("vertical_axis", "Vertical axis of the arm", 0, vertical - 1, "step"),
    )
