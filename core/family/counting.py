"""How many values of an auxiliary variable, labels or clusters each theorem asks for.

Counts as functions of the number n of latents (and k, sufficient statistics a latent). They are
sufficient conditions, of different things: `identifies` says what each buys.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from core.scenarios.scenario import Value

LEAST, MOST = 2, 12  # latents
MOST_STATISTICS = 3


@dataclass(frozen=True)
class Condition:
    """What a theorem counts, how many of it, and what it then promises.

    `count` takes n and k, `formula` is it in words, `short` says whose it is. `measured` names the
    curve of this project that shows it, in `CURVES`, if one does.
    """

    name: str
    counts: str
    formula: str
    count: Callable[[int, int], int]
    identifies: str
    source: str
    short: str
    measured: str = ""


CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "interventions", "interventions", "n", lambda n, k: n,
        "each latent, with one intervention on each, of a linear mixing; without that theorems ask "
        "for pairs of them (von Kügelgen et al. 2023)",
        "Squires et al. 2023", "interventions",
    ),
    Condition(
        "tcl", "segments", "n + 1", lambda n, k: n + 1,
        "the latents’ statistics up to a linear map, if the segments’ modulations are linearly "
        "independent",
        "Hyvärinen and Morioka 2016", "TCL", "tcl",
    ),
    Condition(
        "labels", "labels", "n + 1", lambda n, k: n + 1,
        "codes of n dimensions up to a linear map between two encoders",
        "Roeder, Metz and Kingma 2021", "Roeder",
    ),
    Condition(
        "clusters", "clusters", "n + 1", lambda n, k: n + 1,
        "latents up to a linear map, if the clusters’ vectors are affine generators",
        "Reizinger et al. 2025, Theorem 1C", "DIET", "clusters",
    ),
    Condition(
        "ivae", "values of u", "nk + 1", lambda n, k: n * k + 1,
        "k statistics of each latent up to a linear map",
        "Khemakhem et al. 2020, Theorem 1", "iVAE",
    ),
    Condition(
        "rotation", "clusters", "2n", lambda n, k: 2 * n,
        "with unit weights a rotation, as published",
        "Reizinger et al. 2025, Theorem 1C, case C3", "C3", "rotation",
    ),
    Condition(
        "gcl", "values of u", "2n + 1", lambda n, k: 2 * n + 1,
        "each latent up to its own monotone map, whatever its conditional law",
        "Hyvärinen, Sasaki and Turner 2019, Theorem 1", "GCL",
    ),
    Condition(
        "quadrics", "clusters", "n(n + 3)/2", lambda n, k: n * (n + 3) // 2,
        "with unit weights a rotation: no other quadric passes through the clusters’ vectors",
        "derived in this project", "C3, ours", "rotation",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """Shipped runs in which something is counted: a lesson's sweeps of `counts`, by latents `d`.

    Of the lesson's sweeps those count that leave every other parameter as in `params`. A run finds
    its latents where `score` is at least `bound`. `role` is whose colour it has in pictures.
    """

    title: str
    role: Literal["z", "z_hat", "v"]
    lesson: str
    counts: str
    score: str
    bound: float
    params: Mapping[str, Value] = field(default_factory=dict)


CURVES: Mapping[str, Curve] = {
    "clusters": Curve("linear R², classes", "v", "vmf_clusters", "n_clusters", "linear_r2", 0.95),
    "tcl": Curve("linear R² of the statistics, TCL", "z_hat", "auxiliary", "n_segments",
                 "linear_r2", 0.95),
    "rotation": Curve("orthogonal R², classes with unit weights", "z", "vmf_clusters", "n_clusters",
                      "orthogonal_r2", 0.95, {"case": "C3", "steps": 3000}),
}  # fmt: skip


Runs = Mapping[int, Sequence[float]]  # scores, every seed's, by how many were counted


def suffices_from(runs: Runs, bound: float) -> int | None:
    """The least count from which on every run is at the bound or above it, None if none is."""
    found = None
    for count in sorted(runs, reverse=True):
        if min(runs[count]) < bound:
            break
        found = count
    return found


def verdict(runs: Runs, asked: int, bound: float) -> str:
    """What runs say of a theorem's count: whether it bites, is slack, or is not enough here."""
    least = suffices_from(runs, bound)
    if least is not None and least < asked:
        return "slack: fewer do here"
    if asked not in runs:
        return "not measured at that count"
    if min(runs[asked]) < bound:
        return "too few here"
    return "it bites: fewer do not" if min(runs) < asked else "enough"
