"""What the picture of latents shows: points, arrows, planes and densities, and their geometry."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.colours import ROLE
from ui.player.chart import Chart

BAND = (0.55, 0.92)  # radii between which the density on a circle stands, inside the points
RETURN = 0.8  # of its length, after which a spiralling curve comes back
ABOVE = 1.005  # radius of level lines, which would sink into the sphere's facets otherwise
CONSTANTS = Path(__file__).with_name("constants.json")  # what the browser's side needs as well
_shared = json.loads(CONSTANTS.read_text("utf-8"))
EYE = np.array(_shared["eye"])  # where the globe is seen from at first
RING, RIM = _shared["ring"], _shared["rim"]  # radii between which a plane is drawn
FARTHEST = 3.0  # radii; a point farther out is cut off, or the sphere would be too small to read
ROOM = 0.1  # radii beyond the end of an axis or a long arrow, for its name


@dataclass(frozen=True, eq=False)
class Arrow:
    """A vector drawn from the origin, such as a cluster vector and the weight that stands for it.

    `truth` is (d,), or (k, d) where it moves with the player; `recovered` is (k, d). Either may be
    None, and the arrow is then on one side. On a globe with a density, which is opaque, only what
    is longer than 1 is seen.
    """

    label: str
    role: str
    truth: np.ndarray | None
    recovered: np.ndarray | None
    trail: np.ndarray | None = None
    """The way (k, s, d) of the true side's tip since the frame before: drawn as far as shown."""
    both: bool = False
    """It has no sign: a line through the origin, thinner towards the other end."""


@dataclass(frozen=True, eq=False)
class Plane:
    """A subspace on the true side, drawn outside the globe so that an opaque one does not hide it.

    Of two dimensions at d = 3, a flat ring around the globe, as Saturn's; of one, an axis that
    sticks out at both ends.
    """

    label: str
    role: str
    basis: np.ndarray
    """Orthonormal rows (1 or 2, d)."""


@dataclass(frozen=True, eq=False)
class Lines:
    """A family of curves that move over the true side: (k, c, p, d), in the colour of a role."""

    role: str
    curves: np.ndarray


@dataclass(frozen=True, eq=False)
class Follow:
    """What stands elsewhere on the page and follows the player, found by its container's key."""

    numbers: str
    """The container of some st.metric, which at the last frame show what they were given."""
    scores: Mapping[str, Sequence[str | None]]
    """By a metric's title what it shows at each frame (k,); None, and a title that is not here, is
    known at the end alone, and said to be so."""
    curves: str = ""
    """The container of charts over training, from step 0 to `total`, that get a mark."""
    ends: Sequence[str] = ()
    """Containers of what is drawn of the last frame alone, which is dimmed at the others."""


@dataclass(frozen=True, eq=False)
class LatentView:
    """What the picture shows: a run of k frames with n points in d = 2 or 3 drawn dimensions."""

    run: str
    """Names the run; when it changes, the player goes to the last frame."""
    d: int
    z: np.ndarray
    """True points (n, d)."""
    z_hat: np.ndarray
    """Recovered points (k, n, d); (k, 0, d) beside a chart."""
    steps: np.ndarray
    """Training step of each frame (k,)."""
    colours: list[str]
    """One hex colour a point, from its true latent."""
    net: np.ndarray
    """Graticule on the true sphere: c curves of p points (c, p, d); c may be 0."""
    net_hat: np.ndarray
    """The same curves carried along (k, c, p, d); empty beside a chart."""
    net_bold: tuple[int, ...] | list[int] = ()
    """Curves drawn bolder (the equator and the prime meridian)."""
    titles: tuple[str, str] = ("True latents z", "Recovered ẑ")
    alt: str = ""
    """What the picture shows, in words."""
    note: str = ""
    """A small line under the picture."""
    arrows: tuple[Arrow, ...] | list[Arrow] = ()
    planes: Sequence[Plane] = ()
    """Subspaces on the true side."""
    curved: bool = True
    """Whether latents lie on the sphere, or are seen against it. Else they fill the plane or space:
    no globe is drawn, points stand where they are, and 1 is the distance to the nearer edge."""
    lines: Sequence[Lines] = ()
    """Coordinate lines over points of a plane (d = 2), which is not curved."""
    chart: Chart | None = None
    """Panels that follow the player, in the place of the recovered side: beside the globe, or under
    it where there is no room."""
    pairs: tuple[np.ndarray, np.ndarray] | None = None
    """(z_pos (q, d), index (q,)): arcs on the true side from point index[i] to its positive."""
    density: np.ndarray | None = None
    """A density on the true sphere, of maximum 1, drawn as its colour (d = 3) or as the height of
    a band inside the circle (d = 2): (rows, columns), latitudes from -90 to 90 degrees by
    longitudes from 0 to below 360. At d = 2 there is one row. About (25, 48) is smooth."""
    density_role: str = "z"
    """Whose colour the density has where it is 1."""
    density_labels: tuple[str, str] | None = None
    """Words for 0 and 1 of the density: a small scale of its colours is drawn (d = 3)."""
    levels: Sequence[np.ndarray] = ()
    """Closed curves (p_i, d) on the true sphere, such as the level lines of the density."""
    whiskers: bool | None = None
    """Lines from each recovered point to its truth: drawn at first or not; None offers none,
    since they mean nothing when the two sides are not aligned."""
    total: int | None = None
    """The step training ends at; the last frame's when None."""
    moments: tuple[str, ...] | list[str] | None = None
    """Words for each frame, in place of its step, where the frames are not of one training."""
    follow: Follow | None = None
    slow: bool = False
    """Offers a button that plays about two frames a second, one to be looked at after the other."""
    live: bool = False
    """Training is going on: no player, the newest frame."""
    stale: bool = False
    """Another run is queued: the picture is dimmed and says that it is the previous one."""

    def __post_init__(self) -> None:
        n, d, k = len(self.z), self.d, len(self.z_hat)
        c, p = self.net.shape[:2] if self.net.size else (0, 0)
        carried = c and not self.chart
        expected = {
            "z": (self.z, (n, d)),
            "z_hat": (self.z_hat, (k, 0 if self.chart else n, d)),
            "steps": (self.steps, (k,)),
            "net": (self.net, (c, p, d) if c else self.net.shape),
            "net_hat": (self.net_hat, (k, c, p, d) if carried else self.net_hat.shape),
        }
        if d not in (2, 3):
            raise ValueError(f"d is {d}: two or three dimensions can be drawn")
        if k == 0:
            raise ValueError("z_hat has no frames")
        for name, (array, shape) in expected.items():
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
        if self.moments is not None and len(self.moments) != k:
            raise ValueError(f"{len(self.moments)} moments for {k} frames")
        for title, written in self.follow.scores.items() if self.follow else ():
            if len(written) != k:
                raise ValueError(f"follow.scores[{title!r}] has {len(written)} of {k} frames")
        if carried and not self.net_hat.size:
            raise ValueError("net_hat is empty but net is not")
        if len(self.colours) != n:
            raise ValueError(f"{len(self.colours)} colours for {n} points")
        if self.density is not None:
            self._check_density(self.density)
        if self.density_labels is not None and (self.density is None or d == 2):
            raise ValueError("density_labels need a density at d = 3, whose colours they name")
        if self.density_role not in ROLE:
            raise ValueError(
                f"density_role is {self.density_role!r}, expected one of {', '.join(ROLE)}"
            )
        for i, level in enumerate(self.levels):
            if level.ndim != 2 or level.shape[1] != d or not len(level):
                raise ValueError(f"levels[{i}] has shape {level.shape}, expected (p, {d})")
            if not np.isfinite(level).all():
                raise ValueError(f"levels[{i}] is not finite")
        for i, arrow in enumerate(self.arrows):
            self._check_arrow(arrow, f"arrows[{i}]", k)
        for i, plane in enumerate(self.planes):
            self._check_plane(plane, f"planes[{i}]")
        if self.lines and self.curved:
            raise ValueError("lines need a plane: curved is True")
        for i, lines in enumerate(self.lines):
            self._check_lines(lines, f"lines[{i}]", k)
        if self.chart is not None:
            self._check_chart(self.chart, k)

    def _check_arrow(self, arrow: Arrow, where: str, k: int) -> None:
        truth, recovered, d = arrow.truth, arrow.recovered, self.d
        if truth is not None and truth.shape not in ((d,), (k, d)):
            raise ValueError(
                f"{where}.truth has shape {truth.shape}, expected ({d},) or ({k}, {d})"
            )
        if recovered is not None and recovered.shape != (k, d):
            raise ValueError(f"{where}.recovered has shape {recovered.shape}, expected ({k}, {d})")
        if arrow.trail is None:
            return
        if truth is None or truth.ndim == 1:
            raise ValueError(f"{where} has a trail, but its truth does not move")
        s = arrow.trail.shape[1] if arrow.trail.ndim == 3 else 1
        if arrow.trail.shape != (k, s, d) or not s:
            raise ValueError(f"{where}.trail has shape {arrow.trail.shape}, expected ({k}, s, {d})")

    def _check_plane(self, plane: Plane, where: str) -> None:
        basis, d = plane.basis, self.d
        if d == 2 and basis.shape == (2, 2):
            raise ValueError(f"{where} is the whole plane: at d = 2 there is no room for a ring")
        if basis.shape not in ((1, d), (2, d)):
            raise ValueError(f"{where}.basis has shape {basis.shape}, expected (1 or 2, {d})")
        if not np.allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-3):
            raise ValueError(f"{where}.basis has rows that are not orthonormal")
        if plane.role not in ROLE:
            raise ValueError(f"{where}.role is {plane.role!r}, expected one of {', '.join(ROLE)}")

    def _check_lines(self, lines: Lines, where: str, k: int) -> None:
        shape = lines.curves.shape
        if self.d != 2 or len(shape) != 4 or (shape[0], shape[3]) != (k, 2):
            raise ValueError(f"{where}.curves has shape {shape}, expected ({k}, c, p, 2) at d = 2")
        if lines.role not in ROLE:
            raise ValueError(f"{where}.role is {lines.role!r}, expected one of {', '.join(ROLE)}")

    def _check_chart(self, chart: Chart, k: int) -> None:
        chart.check(k)
        if self.net_hat.size:
            raise ValueError("net_hat is not empty, but a chart has the place of its side")
        if self.whiskers is not None:
            raise ValueError("whiskers need the recovered side, whose place a chart has")
        for i, arrow in enumerate(self.arrows):
            if arrow.recovered is not None:
                raise ValueError(f"arrows[{i}] has a recovered side, whose place a chart has")

    def _check_density(self, density: np.ndarray) -> None:
        rows = "1" if self.d == 2 else "2 or more"
        fits = density.ndim == 2 and density.shape[1] >= 3
        if not fits or (density.shape[0] != 1 if self.d == 2 else density.shape[0] < 2):
            raise ValueError(f"density has shape {density.shape}, expected ({rows}, 3 or more)")
        if not np.isfinite(density).all():
            raise ValueError("density is not finite")
        if density.min() < 0 or density.max() > 1 + 1e-6:
            raise ValueError(
                f"density goes from {density.min():.3g} to {density.max():.3g}, not in 0 to 1"
            )


def apart(points: np.ndarray, d: int) -> np.ndarray:
    """On a circle points hide each other: pull them apart in radius, each point always alike."""
    if d == 3:
        return points
    jitter = np.arange(points.shape[-2]) * 0.618034 % 1 - 0.5
    return points * (1 + 0.08 * jitter)[:, None]


def spiral(curves: np.ndarray, d: int) -> np.ndarray:
    """On a circle a curve that folds back hides itself: let it spiral outwards along its length.

    Over its last part it comes back, so that a closed curve is drawn closed.
    """
    if d == 3:
        return curves
    along = np.linspace(0, 1, curves.shape[-2])
    out = np.minimum(along / RETURN, (1 - along) / (1 - RETURN))
    return curves * (1.08 + 0.09 * out)[:, None]


def arcs(z: np.ndarray, z_pos: np.ndarray, index: np.ndarray, points: int = 7) -> np.ndarray:
    """Arcs (q, points, d) from z[index] to z_pos: great circles, lengths interpolated."""
    t = np.linspace(0, 1, points)[:, None]
    start, end = z[index][:, None], np.asarray(z_pos)[:, None]
    chord = start + t * (end - start)
    far = [np.linalg.norm(a, axis=-1, keepdims=True) for a in (start, end, chord)]
    return chord * (far[0] + t * (far[1] - far[0])) / np.maximum(far[2], 1e-9)


def band(density: np.ndarray) -> np.ndarray:
    """A density (1, columns) on the circle as the outline (2 * columns + 2, 2) of a band.

    First its edge, whose radius grows with the density, then the circle it stands on, backwards.
    """
    angle = np.linspace(0, 2 * np.pi, density.shape[1] + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    inner, outer = BAND
    edge = circle * (inner + (outer - inner) * np.append(density[0], density[0, 0]))[:, None]
    return np.concatenate([edge, inner * circle[::-1]])


def level_lines(levels: Sequence[np.ndarray]) -> np.ndarray:
    """Curves (p_i, d) closed, a little above the sphere, as one polyline with a gap after each."""
    return np.concatenate([broken(np.r_[level, level[:1]][None]) for level in levels]) * ABOVE


def broken(curves: np.ndarray) -> np.ndarray:
    """(c, p, d) curves as one polyline (c * (p + 1), d) with a gap after each."""
    gap = np.full((len(curves), 1, curves.shape[2]), np.nan)
    return np.concatenate([curves, gap], axis=1).reshape(-1, curves.shape[2])


def outside(view: LatentView) -> float:
    """How far planes and long arrows of the true side reach, with room for their names."""
    tips = [np.linalg.norm(a.truth, axis=-1).max() for a in view.arrows if a.truth is not None]
    longest = float(np.fmax.reduce(tips, initial=1))
    return max(longest + (ROOM if longest > 1.01 else 0), RIM + ROOM if view.planes else 1)


def reach(view: LatentView, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """How far the picture reaches at each frame (k,), in radii, but no farther than is legible.

    A free encoder may shoot far beyond the sphere on its way: the globes are drawn smaller there.
    """
    still, frames = outside(view), len(view.steps)
    square = view.d == 2 and not view.curved
    if view.lines:  # which may end far outside
        return np.ones(frames)
    for name in ("z", "net"):
        still = max(still, _farthest(arrays[name][None], square)[0] if name in arrays else 1)
    far = np.full(frames, still)
    for name in ("z_hat", "net_hat", "arrows_hat"):
        if name in arrays:
            far = np.maximum(far, _farthest(arrays[name], square))
    return far.clip(1, FARTHEST)


def _farthest(points: np.ndarray, square: bool = False) -> np.ndarray:
    """The largest length of each frame's points (k, ..., d); what is not finite counts not.

    In a square it is the largest coordinate.
    """
    each = points.reshape(len(points), -1, points.shape[-1])
    length = np.linalg.norm(each, np.inf if square else 2, axis=-1)
    return np.max(length, axis=1, initial=1, where=np.isfinite(length))


def named(view: LatentView) -> float:
    """How far out a name stands on the true side, in radii; 0 for none."""
    tips = [a.truth for a in view.arrows if a.label and a.truth is not None]
    far = [float(_farthest(tip.reshape(1, -1, view.d))[0]) for tip in tips]
    return max([0.0, *far, *(RIM + ROOM / 2 for plane in view.planes if plane.label)])


def annulus(basis: np.ndarray, points: int = 61) -> np.ndarray:
    """The rims (2, points, d) of the ring that stands for a plane with these rows, outer first."""
    turn = np.linspace(0, 2 * np.pi, points)
    circle = np.stack([np.cos(turn), np.sin(turn)], 1) @ basis
    return np.stack([RIM * circle, RING * circle])
