"""What the page on broken conditionals sets up, on the scenario of vMF clusters."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.lessons.vmf_clusters import FIVE, THOUSAND
from core.scenarios import clusters
from core.scenarios.scenario import FURTHER, Preset, Published, Sweep, Value

SHOWN: Mapping[str, Value] = {"mixing_layers": 0}  # x = z: only the objective can lose the latents
LAPLACE: Mapping[str, Value] = {**SHOWN, "conditional": "gennorm"}  # shape 1, spread 1
ROUND: Mapping[str, Value] = {**SHOWN, "conditional": "isotropic-gennorm"}
STUDENT: Mapping[str, Value] = {**SHOWN, "conditional": "student-t"}
FREE: Mapping[str, Value] = {**LAPLACE, "project": False}
SHAPES = (1.0, 1.25, 1.5, 2.0, 3.0, 8.0)
BOUNDS = (1.0, 1.5, 2.0, 3.0, 10.0)


@dataclass(frozen=True)
class Claimed:
    """A numbered claim: its sentence, the settings whose runs show it, and a preset to open."""

    number: str
    words: str
    groups: Mapping[str, Mapping[str, Value]]
    score: str
    preset: str
    reading: str = ""


PRESETS = (
    Preset(
        "laplace",
        "Laplace",
        "Laplace noise around every cluster vector. x shows z as it is, and training loses it.",
        LAPLACE,
    ),
    Preset(
        "between",
        "β = 1.5",
        "Half way from Laplace to normal, most of z is back.",
        {**LAPLACE, "shape": 1.5},
    ),
    Preset(
        "normal",
        "Normal",
        "β = 2: independent coordinates and rotational symmetry at once, and z comes back.",
        {**LAPLACE, "shape": 2.0},
    ),
    Preset(
        "light",
        "Light tails",
        "β = 8 has hardly any tail, and loses latents again: on the sphere it is not the tails.",
        {**LAPLACE, "shape": 8.0},
    ),
    Preset(
        "round",
        "Isotropised",
        "The radii of Laplace noise in random directions: the tails stay, and z comes back.",
        ROUND,
    ),
    Preset(
        "student",
        "Student's t",
        "One degree of freedom, tails without a mean, but the same in every direction.",
        STUDENT,
    ),
    Preset(
        "truncated",
        "Truncated",
        "Not projected, every coordinate within ±1: little lies beyond the outermost centre.",
        {**FREE, "spread": 0.5, "truncation": 1.0},
    ),
    Preset(
        "untruncated",
        "Not truncated",
        "The same without a bound: beyond the outermost centre labels tell nothing.",
        {**FREE, "spread": 0.5},
    ),
    Preset(
        "vmf",
        "vMF",
        "The theorem's own conditional, for comparison.",
        SHOWN,
    ),
    Preset(
        "standard",
        "Other start",
        "A standard start comes from below to the value that the identity-like one falls to.",
        {**LAPLACE, "initialisation": "standard"},
    ),
    Preset(
        "hidden",
        "Behind g",
        "Laplace clusters hidden by a network g: about as much is lost, for the same reason.",
        {"conditional": "gennorm"},
    ),
)

FIVE_LAPLACE: Mapping[str, Value] = {**LAPLACE, **FIVE}
STARTS: Mapping[str, Mapping[str, Value]] = {  # 4000 steps, so that both have time to settle
    "identity-like start": {"steps": 4000},
    "standard start": {"steps": 4000, "initialisation": "standard"},
}


def _both_starts(laws: Mapping[str, Mapping[str, Value]]) -> dict[str, Mapping[str, Value]]:
    return {
        f"{name}, {start}": {**law, **FIVE, **changes}
        for name, law in laws.items()
        for start, changes in STARTS.items()
    }


TRUNCATED = {
    f"T = {t:g}": {**FREE, **FIVE, "spread": 0.5, "truncation": t} for t in BOUNDS
}  # fmt: skip
CLAIMS = (  # d = 5, a hundred clusters, x = z
    Claimed(
        "1a",
        "**Laplace clusters cost R² of z.**",
        {"Laplace": FIVE_LAPLACE, "normal": {**FIVE_LAPLACE, "shape": 2.0}},
        "linear_r2",
        "laplace",
    ),
    Claimed(
        "1b",
        "…**but not of the cluster vectors v.**",
        {"Laplace": FIVE_LAPLACE, "normal": {**FIVE_LAPLACE, "shape": 2.0}},
        "v_r2",
        "laplace",
        "A centre is an average over its cloud, and the clouds are symmetric about it.",
    ),
    Claimed(
        "2",
        "**The cost falls smoothly** as β goes from Laplace (1) to normal (2).",
        {f"β = {b:g}": {**FIVE_LAPLACE, "shape": b} for b in (1.0, 1.25, 1.5, 2.0)},
        "linear_r2",
        "between",
    ),
    Claimed(
        "3",
        "**It is misspecification, not optimisation.** Nothing hides z, and a start at R² 1 and "
        "one far below come to nearly the same loss.",
        _both_starts({"Laplace": LAPLACE, "β = 8": {**LAPLACE, "shape": 8.0}}),
        "linear_r2",
        "standard",
        "Near its optimum the loss is flat, so that the two starts may settle a little apart.",
    ),
    Claimed(
        "4",
        "**“Fat tails” is not the cause on the sphere.** The same radii in random directions, and "
        "even tails without a mean, recover from either start; light tails along the axes, in (3), "
        "do not. What is lost follows the broken rotational symmetry.",
        _both_starts({"isotropised Laplace": ROUND, "Student's t, ν = 1": STUDENT, "vMF": SHOWN}),
        "linear_r2",
        "round",
        "The theorem promises nothing for the isotropic laws: this is measured.",
    ),
    Claimed(
        "5a",
        "**Truncated Laplace, not projected:** a wider bound lowers R² of z…",
        TRUNCATED,
        "linear_r2",
        "untruncated",
        "Off the sphere it is the tails: beyond the outermost cluster vector every ratio of "
        "Laplace densities is constant, and those values carry no label information.",
    ),
    Claimed(
        "5b",
        "…while **R² of z clipped to the range of the cluster vectors** hardly moves.",
        TRUNCATED,
        "clipped_r2",
        "truncated",
    ),
    Claimed(
        "6",
        "**Spread is not concentration.** The paper's α multiplies the noise, so large is loose: "
        "at β = 1 the loose clusters lose more.",
        {f"spread {a:g}": {**FIVE_LAPLACE, "spread": a} for a in (0.5, 1.0)},
        "linear_r2",
        "laplace",
        "The paper's Appendix D says once that more concentrated conditionals degrade recovery as "
        "α increases, and once that the norm grows with the scale. Its code draws v + α·e, so the "
        "first should read “more spread”. With lighter tails small spreads lose too (see the "
        "sweep): tight clusters are hard to optimise, as at κ = 50.",
    ),
)

SWEEPS = (
    Sweep("spread", (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0), LAPLACE,
          by=("shape", (1.0, 1.5, 2.0, 8.0)), further=FURTHER),
    Sweep("shape", SHAPES, LAPLACE),
    Sweep("shape", SHAPES, FIVE_LAPLACE, by=("spread", (0.5, 1.0)), further=FURTHER),
    Sweep("shape", (1.0, 2.0, 8.0), {**FIVE_LAPLACE, "initialisation": "standard"}),
    Sweep("truncation", BOUNDS, {**FREE, **FIVE}, by=("spread", (0.3, 0.5, 1.0)),
          further=FURTHER),
    *(
        Sweep("shape", (setting["shape"] if "shape" in setting else 1.0,), setting,
              further=FURTHER)
        for claimed in CLAIMS
        if claimed.number in ("3", "4")
        for setting in claimed.groups.values()
    ),
)  # fmt: skip

# Reizinger et al. 2025, Tables 2 and 3: conditionals that violate the assumptions, C4
PUBLISHED = (
    Published("DIET, Laplace b = 1", {"linear_r2": "85.4 ± 0.00", "v_r2": "99.5 ± 0.00"},
              {**FIVE, **THOUSAND, "conditional": "gennorm"}),
    Published("DIET, normal σ² = 1 (α = √2)", {"linear_r2": "98.6 ± 0.00", "v_r2": "99.6 ± 0.00"},
              {**FIVE, **THOUSAND, "conditional": "gennorm", "shape": 2.0, "spread": 2**0.5}),
    Published("classes, Laplace b = 1", {"linear_r2": "85.4 ± 0.01"},
              {**FIVE, "conditional": "gennorm"}),
    Published("classes, normal σ² = 1 (α = √2)", {"linear_r2": "99.6 ± 0.00"},
              {**FIVE, "conditional": "gennorm", "shape": 2.0, "spread": 2**0.5}),
)  # fmt: skip

# Table 2, unit weights (C3), scored there by a linear map without intercept
PUBLISHED_C3 = (
    Published("DIET, Laplace b = 1",
              {"orthogonal_r2": "85.2 ± 0.01", "v_orthogonal_r2": "99.7 ± 0.01"},
              {**FIVE, **THOUSAND, "conditional": "gennorm", "case": "C3"}),
    Published("DIET, normal σ² = 1",
              {"orthogonal_r2": "98.7 ± 0.00", "v_orthogonal_r2": "99.8 ± 0.00"},
              {**FIVE, **THOUSAND, "conditional": "gennorm", "case": "C3", "shape": 2.0,
               "spread": 2**0.5}),
)  # fmt: skip

LESSON = replace(
    clusters.SCENARIO,
    title="Laplace violation",
    presets=PRESETS,
    sweeps=SWEEPS,
    published=(*PUBLISHED, *PUBLISHED_C3),
    scores=("linear_r2", "v_r2", "feature_norm", "orthogonal_r2", "clipped_r2"),
    start=LAPLACE,
    front=("conditional", "shape", "spread", "truncation", "project", "d"),
    frames=24,
)
