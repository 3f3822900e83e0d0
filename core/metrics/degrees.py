"""Topological degree of a map between spheres."""

import numpy as np
from scipy.spatial import ConvexHull

Array = np.ndarray


class Degree:
    """Topological degree of h: S^(d-1) -> S^(d-1), d = 2 or 3, from the images of fixed points.

    At d = 2 the winding number, at d = 3 the signed area of the triangulation's image over 4 pi.
    +1 or -1 for a homeomorphism (every orthogonal map is one), 0 for a folded sphere.
    """

    def __init__(self, z: Array) -> None:
        """z (n, d) spread over the whole sphere, in no particular order; 2000 points are plenty."""
        self.resolutions = [(every, _oriented_simplices(z[::every])) for every in (1, 4)]

    def __call__(self, z_hat: Array) -> int | None:
        """Degree from unit images z_hat (n, d); None when all points and every fourth disagree.

        (The sum of areas is an integer even when the points are too sparse for it to be right.)
        """
        if not np.isfinite(z_hat).all():
            return None
        counts = {_covering_number(z_hat[::every], s) for every, s in self.resolutions}
        return counts.pop() if len(counts) == 1 else None


def degree(z: Array, z_hat: Array) -> int | None:
    """`Degree` of one map; None also where it is not defined (d_hat != d, or d > 3)."""
    if z.shape[1] != z_hat.shape[1] or z.shape[1] not in (2, 3):
        return None
    return Degree(z)(z_hat)


def _oriented_simplices(z: Array) -> Array:
    """The sphere's triangles (t, 3), or the circle's arcs (t, 2), all oriented alike."""
    if z.shape[1] == 2:
        around = np.argsort(np.arctan2(z[:, 1], z[:, 0]))
        return np.column_stack([around, np.roll(around, -1)])
    triangles = ConvexHull(z).simplices
    inward = np.linalg.det(z[triangles].astype(float)) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    return triangles


def _covering_number(z_hat: Array, simplices: Array) -> int:
    corners = z_hat[simplices].astype(float)
    if z_hat.shape[1] == 2:
        start, end = (corners[:, i] @ np.array([1, 1j]) for i in (0, 1))
        return round(float(np.angle(end / start).sum() / (2 * np.pi)))
    # signed solid angle of a spherical triangle (van Oosterom and Strackee 1983)
    a, b, c = corners[:, 0].T, corners[:, 1].T, corners[:, 2].T
    volume = (a * np.cross(b, c, axis=0)).sum(0)
    cosines = (a * b + b * c + c * a).sum(0)
    return round(float(2 * np.arctan2(volume, 1 + cosines).sum() / (4 * np.pi)))
