"""What the page on broken conditionals sets up, on the scenario of vMF clusters."""

from collections.abc import Mapping
from dataclasses import replace

from core.lessons.vmf_clusters import FIVE, THOUSAND
from core.scenarios import clusters
from core.scenarios.scenario import Preset, Published, Sweep, Value

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
        "Half way from Laplace to normal, most of the loss is gone.",
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
        "β = 8 has hardly any tail, and loses latents again: tails are not the cause.",
        {**LAPLACE, "shape": 8.0},
    ),
    Preset(
        "round",
        "Isotropised",
        "The radii of Laplace noise in random directions: the tails stay, the loss goes.",
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
        "Laplace clusters hidden by a network: the same loss, now for want of a better optimum.",
        {"conditional": "gennorm"},
    ),
)

SWEEPS = (
    Sweep("spread", (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0), LAPLACE,
          by=("shape", (1.0, 1.5, 2.0, 8.0))),
    Sweep("shape", SHAPES, LAPLACE),
    # the six claims: d = 5, a hundred clusters
    Sweep("shape", SHAPES, {**LAPLACE, **FIVE}, by=("spread", (0.5, 1.0))),
    Sweep("shape", (1.0, 2.0, 8.0), {**LAPLACE, **FIVE, "initialisation": "standard"}),
    Sweep("shape", (1.0, 8.0), {**ROUND, **FIVE}),
    Sweep("shape", (1.0, 2.0, 5.0), {**STUDENT, **FIVE}),
    Sweep("truncation", BOUNDS, {**FREE, **FIVE}, by=("spread", (0.3, 0.5, 1.0))),
    Sweep("kappa", (10.0,), {**SHOWN, **FIVE}),
)  # fmt: skip

# Reizinger et al. 2025, Tables 2 and 3: conditionals that violate the assumptions, C4
PUBLISHED = (
    Published("DIET, Laplace b = 1", {"linear_r2": "85.4 ± 0.00", "v_r2": "99.5 ± 0.00"},
              {**FIVE, **THOUSAND, "conditional": "gennorm"}),
    Published("DIET, normal σ² = 1", {"linear_r2": "98.6 ± 0.00", "v_r2": "99.6 ± 0.00"},
              {**FIVE, **THOUSAND, "conditional": "gennorm", "shape": 2.0, "spread": 2**0.5}),
    Published("classes, Laplace b = 1", {"linear_r2": "85.4 ± 0.01"},
              {**FIVE, "conditional": "gennorm"}),
    Published("classes, normal σ² = 1", {"linear_r2": "99.6 ± 0.00"},
              {**FIVE, "conditional": "gennorm", "shape": 2.0, "spread": 2**0.5}),
)  # fmt: skip

LESSON = replace(
    clusters.SCENARIO,
    title="Laplace violation",
    presets=PRESETS,
    sweeps=SWEEPS,
    published=PUBLISHED,
    scores=("linear_r2", "v_r2", "feature_norm", "orthogonal_r2", "clipped_r2"),
    start=LAPLACE,
    front=("conditional", "shape", "spread", "truncation", "project", "d"),
)
