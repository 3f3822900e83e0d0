"""What the page on broken conditionals sets up, on the scenario of vMF clusters."""

from collections.abc import Mapping
from dataclasses import replace

from core.lessons.vmf_clusters import FIVE
from core.scenarios import clusters
from core.scenarios.scenario import FURTHER, Preset, Sweep, Value

SHOWN: Mapping[str, Value] = {"mixing_layers": 0}  # x = z: only the objective can lose the latents
LAPLACE: Mapping[str, Value] = {**SHOWN, "conditional": "gennorm"}  # shape 1, spread 1
ROUND: Mapping[str, Value] = {**SHOWN, "conditional": "isotropic-gennorm"}
STUDENT: Mapping[str, Value] = {**SHOWN, "conditional": "student-t"}
FREE: Mapping[str, Value] = {**LAPLACE, "project": False}
SHAPES = (1.0, 1.25, 1.5, 2.0, 3.0, 8.0)
BOUNDS = (1.0, 1.5, 2.0, 3.0, 10.0)


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
BOTH_STARTS = {  # where a claim is about what is lost, and not about how training began
    **_both_starts({"β = 1": LAPLACE, "β = 8": {**LAPLACE, "shape": 8.0}}),
    **_both_starts({"isotropised Laplace": ROUND, "Student's t, ν = 1": STUDENT, "vMF": SHOWN}),
}

SWEEPS = (
    Sweep("spread", (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0), LAPLACE,
          by=("shape", (1.0, 1.5, 2.0, 8.0)), further=FURTHER),
    Sweep("shape", SHAPES, LAPLACE),
    Sweep("shape", SHAPES, FIVE_LAPLACE, by=("spread", (0.5, 1.0)), further=FURTHER),
    Sweep("shape", (1.0, 2.0, 8.0), {**FIVE_LAPLACE, "initialisation": "standard"}),
    Sweep("truncation", BOUNDS, {**FREE, **FIVE}, by=("spread", (0.3, 0.5, 1.0)),
          further=FURTHER),
    *(Sweep("shape", (setting.get("shape", 1.0),), setting, further=FURTHER)
      for setting in BOTH_STARTS.values()),
)  # fmt: skip

LESSON = replace(
    clusters.SCENARIO,
    title="Laplace violation",
    presets=PRESETS,
    sweeps=SWEEPS,
    scores=("linear_r2", "v_r2", "feature_norm", "orthogonal_r2", "clipped_r2"),
    start=LAPLACE,
    front=("conditional", "shape", "spread", "truncation", "project", "d"),
    frames=24,
)
