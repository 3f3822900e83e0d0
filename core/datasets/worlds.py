"""Published data sets as worlds of pictures, with what is known of them without their files.

Sets whose factors depend on the file (Cars3D, KITTI Masks) or that have none (ImageNet-X) are not
among them.
"""

import numpy as np

from core.datasets import dsprites, ident, mpi3d, shapes3d, smallnorb
from core.images.world import Factor, World


def _painted(world: World, z: np.ndarray, side: int) -> np.ndarray:
    from core.datasets.subset import subset  # the loaders: only where a picture is asked for

    return subset(world).painted(z, side)


def _world(
    name: str, title: str, source: str, every: tuple[Factor, ...], varied: str, channels: int
) -> World:
    """A world whose factors vary in this order, those of many values first."""
    return World(name, title, source, every, tuple(varied.split()), channels, painter=_painted)


_MPI3D = mpi3d.factors_of(mpi3d.SIZES)
_ARM = (
    "horizontal_axis vertical_axis camera_height object_size object_color object_shape "
    "background_color"
)
_GONDAL = "Gondal et al. 2019"
# where a factor rests, if not at its middle: an ellipse looks the same after half a turn
RESTING = {("dsprites", "shape"): 2.0}
FOUND = {  # by the name of their source, see `core.datasets.registry`
    world.name: world
    for world in (
        _world("dsprites", "dSprites", "Matthey et al. 2017", dsprites.FACTORS,
               "x y scale rotation shape", 1),
        _world("shapes3d", "3D Shapes", "Burgess and Kim 2018", shapes3d.FACTORS,
               "orientation scale floor_hue wall_hue object_hue shape", 3),
        _world("mpi3d_toy", "MPI3D, simple renderings", _GONDAL, _MPI3D, _ARM, 3),
        _world("mpi3d_realistic", "MPI3D, realistic renderings", _GONDAL, _MPI3D, _ARM, 3),
        _world("mpi3d_real", "MPI3D, photographs", _GONDAL, _MPI3D, _ARM, 3),
        _world("smallnorb", "smallNORB", "LeCun et al. 2004", smallnorb.FACTORS,
               "elevation azimuth lighting category instance", 1),
        _world("3dident_train", "3DIdent", "Zimmermann et al. 2021", ident.FACTORS,
               "x y depth object_hue backdrop_hue spot_angle spot_hue turn pitch roll", 3),
    )
}  # fmt: skip
