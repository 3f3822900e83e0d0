"""Laws of a latent around a mean, as values: a family and its parameters. No draws, no torch.

What a law is asked for: its concentration, whether it is isotropic, the space that it lives on.
Its density is in `core.laws.densities`, its sampler in `core.laws.samplers`.
"""

from dataclasses import dataclass
from math import inf, sqrt

from core.laws.spaces import Box, Euclidean, Space, Sphere

# the parameters that each family reads, of those that a law has
READS: dict[str, frozenset[str]] = {
    "vmf": frozenset({"kappa"}),
    "laplace": frozenset({"spread", "project"}),
    "normal": frozenset({"spread", "project"}),
    "gennorm": frozenset({"shape", "spread", "truncation", "project"}),
    "isotropic-gennorm": frozenset({"shape", "spread", "project"}),
    "student-t": frozenset({"shape", "spread", "project"}),
}
WALLED = ("laplace", "normal", "gennorm")  # families of independent coordinates


@dataclass(frozen=True)
class Law:
    """How latents lie around a mean v: that of a cluster, or the other view of a pair.

    vmf: density exp(kappa <v, z>). gennorm: independent e_i of density exp(-(|e_i|/spread)^shape),
    where `truncation` T confines v_i + e_i to [-T, T] before any projection. laplace: the same of
    shape 1. normal: e_i of standard deviation `spread`. isotropic-gennorm: noise of the same radius
    law in a uniform direction. student-t: spread times the multivariate standard t of `shape`
    degrees of freedom. All but vmf are `project`ed to the sphere or live in R^d. `walls` (low,
    high) confine every coordinate of laplace, normal or gennorm noise that is not projected: its
    law is then the truncated one, around a mean between them. Raises ValueError for a family or a
    parameter that there is not.
    """

    family: str
    kappa: float = 10.0
    shape: float = 1.0
    spread: float = 1.0
    truncation: float | None = None
    project: bool = True
    walls: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.family not in READS:
            raise ValueError(f"no family {self.family!r}; there are {', '.join(READS)}")
        reads = READS[self.family]
        if "spread" in reads and not self.spread > 0:
            raise ValueError(f"spread = {self.spread:g} is not positive")
        least = 0.5 if self.family == "student-t" else 1.0
        if "shape" in reads and not self.shape >= least:
            raise ValueError(f"shape = {self.shape:g} of {self.family} is below {least:g}")
        if self.walls is not None:
            self._check_walls(*self.walls)
        if self.family == "vmf" or self.truncation is None:
            return
        if "truncation" not in reads:
            raise ValueError(f"{self.family} noise is not truncated")
        if not self.truncation > 0:
            raise ValueError(f"truncation = {self.truncation:g} is not positive")

    def _check_walls(self, low: float, high: float) -> None:
        if self.projected or self.family not in WALLED:
            raise ValueError(f"{self.family} noise is not confined by walls")
        if not low < high:
            raise ValueError(f"walls at {low:g} and {high:g} leave no room")

    @property
    def concentration(self) -> float | None:
        """kappa where log p(z|v) is kappa <v, z> and a constant, as both theorems ask."""
        return self.kappa if self.family == "vmf" else None

    @property
    def normal(self) -> bool:
        """Whether the noise is Gaussian: log ratios are linear in z before a projection."""
        gaussian = self.family == "gennorm" and self.shape == 2 and self.truncation is None
        return self.walls is None and (gaussian or self.family == "normal")

    @property
    def isotropic(self) -> bool:
        """Whether p(z|v) is a function of <v, z> and |z|: no direction is another than the rest."""
        return self.normal or self.family in ("vmf", "isotropic-gennorm", "student-t")

    @property
    def width(self) -> float:
        """How far from v latents lie, in latent units."""
        return self.spread if self.concentration is None else 1 / sqrt(max(self.kappa, 0.1))

    @property
    def variance_is_finite(self) -> bool:
        """Whether R² of the latents has a variance to explain."""
        return self.projected or self.family != "student-t" or self.shape > 2

    @property
    def projected(self) -> bool:
        """Whether its latents are directions."""
        return self.project or self.family == "vmf"

    @property
    def generalised(self) -> tuple[float, float]:
        """(shape, spread) of the noise as a generalised normal."""
        known = {"laplace": (1.0, self.spread), "normal": (2.0, sqrt(2) * self.spread)}
        return known.get(self.family, (self.shape, self.spread))

    @property
    def bound(self) -> float:
        """Largest size of a coordinate before a projection."""
        truncated = self.family == "gennorm" and self.truncation is not None
        return float(self.truncation) if truncated else inf  # type: ignore[arg-type]

    def space(self, d: int) -> Space:
        """Where its latents live, in d coordinates."""
        if self.walls is not None:
            return Box(d, *self.walls)
        return Sphere(d) if self.projected else Euclidean(d)

    @staticmethod
    def unread(family: str) -> frozenset[str]:
        """Names of the parameters that have no effect in a family."""
        return frozenset().union(*READS.values()) - READS[family]
