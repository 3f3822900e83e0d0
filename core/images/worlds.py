"""The worlds of pictures by name: factors with their ranges, and whose spirit they are in.

Positions are in half sides of the image from its middle, x to the right and y up; angles are in
radians, counterclockwise.
"""

from math import log, pi

from core.images.world import Factor, World, categories


def _circle(name: str, title: str, rest: float = 0.0) -> Factor:
    return Factor(name, title, "circular", -pi, pi, "radians", rest)


def _line(name: str, title: str, low: float, high: float, unit: str, rest: float = 0.0) -> Factor:
    return Factor(name, title, "ordinal", low, high, unit, rest)


SPRITES = World(
    name="sprites",
    title="Sprites",
    source="dSprites (Matthey et al. 2017)",
    every=(
        categories("shape", "Shape", "square", "ellipse", "heart"),
        _line("scale", "Scale", 0.5, 1.0, "of the largest", rest=0.8),
        _circle("rotation", "Rotation"),
        _line("x", "Position x", -0.55, 0.55, "half sides"),
        _line("y", "Position y", -0.55, 0.55, "half sides"),
    ),
    varied=("shape", "scale", "rotation", "x", "y"),
    channels=1,
)
GRID = (3, 6, 40, 32, 32)  # values of each factor of dSprites: 737,280 images

SCENE = World(
    name="scene",
    title="A lit teapot",
    source="3DIdent (Zimmermann et al. 2021)",
    every=(  # in 3DIdent's order
        _line("x", "Position x", -0.4, 0.4, "half sides"),
        _line("y", "Position y", -0.4, 0.4, "half sides"),
        _line("depth", "Depth", -1.0, 1.0, "shrinkings by 1.4"),
        _circle("turn", "Rotation about the upright axis", rest=-0.5),
        _circle("pitch", "Rotation towards the viewer"),
        _circle("roll", "Rotation in the image's plane"),
        _circle("spot_angle", "Angle of the spotlight", rest=0.8),
        _circle("object_hue", "Hue of the object"),
        _circle("spot_hue", "Hue of the spotlight", rest=0.9),
        _circle("backdrop_hue", "Hue of the backdrop", rest=-2.4),
    ),
    varied=("x", "y", "depth", "turn", "pitch", "roll",
            "spot_angle", "object_hue", "spot_hue", "backdrop_hue"),
    channels=3,
)  # fmt: skip
FIVE = ("x", "y", "depth", "object_hue", "backdrop_hue")  # of the scene, the easy ones
SEVEN = ("x", "y", "depth", "spot_angle", "object_hue", "spot_hue", "backdrop_hue")

MASKS = World(
    name="masks",
    title="Walkers' masks",
    source="KITTI Masks (Klindt et al. 2021)",
    every=(
        _line("x", "Position x", -0.7, 0.7, "half sides"),
        _line("y", "Position y", -0.4, 0.4, "half sides"),
        _line("size", "Log height", log(0.3), log(0.6), "log sides", rest=log(0.45)),
        _line("stride", "Stride", 0.0, 1.0, "of the widest", rest=0.5),
    ),
    varied=("x", "y", "size"),
    channels=1,
)

WORLDS = {world.name: world for world in (SPRITES, SCENE, MASKS)}
