"""What the page on vMF clusters sets up: presets and sweeps."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import clusters
from core.scenarios.scenario import FURTHER, Preset, Sweep, Value

CASES = ("C1", "C2", "C3", "C4")
EIGHT = tuple(range(8))
FIVE: Mapping[str, Value] = {"d": 5, "n_clusters": 100}
LARGE: Mapping[str, Value] = {"width": 128, "steps": 4000}
DIET: Mapping[str, Value] = {"supervision": "instance"}

PRESETS = (
    Preset(
        "free",
        "C4: both free",
        "Nothing is normalised, so theory leaves any linear map. Training ends near a rotation.",
        {},
    ),
    Preset(
        "unit_weights",
        "C3: unit weights",
        "Unit weights leave the features only a rotation: a round sphere, of radius κ.",
        {"case": "C3"},
    ),
    Preset(
        "unit_features",
        "C2: unit features",
        "Features on the sphere: a rotation. The weights keep a common offset ψ.",
        {"case": "C2"},
    ),
    Preset(
        "unit_both",
        "C1: both unit",
        "Everything on the sphere, and the learnt β comes close to the world's κ.",
        {"case": "C1"},
    ),
    Preset(
        "diet",
        "DIET",
        "No classes: every instance is its own label. On the same world it finds the same sphere.",
        DIET,
        compared=True,
    ),
    Preset(
        "few",
        "Too few clusters",
        "Three clusters in three dimensions: only the plane of their differences comes back.",
        {"n_clusters": 3},
    ),
    Preset(
        "subspace",
        "On a great circle",
        "Thirty clusters, all on one circle: enough in number, not in directions.",
        {"cluster_law": "subspace"},
    ),
    Preset(
        "tight",
        "κ = 50",
        "Tight clusters: the theorem holds, and the optimiser stays above the floor.",
        {**FIVE, "kappa": 50.0},
    ),
    Preset(
        "noise",
        "Noisy labels",
        "Four labels in five are drawn at random, and most of the sphere still comes back.",
        {"label_noise": 0.8},
    ),
    Preset(
        "stuck",
        "Stuck",
        "A long head at the start, three times PyTorch's: some seeds end far above the floor.",
        {"case": "C3", "head_scale": 3.0},
        seeds=EIGHT,
        drawn=2,
    ),
    Preset("five", "d = 5", "A hundred clusters in five dimensions.", FIVE),
    Preset(
        "ten",
        "d = 10",
        "Two hundred clusters in ten dimensions ask for a wider encoder and more steps.",
        {"d": 10, "n_clusters": 200, **LARGE},
        further=(),  # a run takes twelve CPU-seconds
    ),
)

SWEEPS = (
    Sweep("n_clusters", (2, 3, 4, 6, 9, 15, 30, 100), {}, by=("d", (2, 3, 5, 10))),
    Sweep("batch", (64, 128, 256, 512, 1024, 2048), {}, by=("kappa", (5.0, 10.0, 20.0, 50.0))),
    Sweep("kappa", (1.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0), {}, further=FURTHER),
    Sweep("label_noise", (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0), {}),
    Sweep("n_instances", (30, 60, 100, 300, 1000, 3000), DIET),
    Sweep("label_noise", (0.0, 0.4, 0.8, 1.0), DIET),
    Sweep("d", (2, 3, 4, 5, 6, 8), {}),
    Sweep("steps", (30, 100, 300, 700, 1200, 3000), {}),
    *(Sweep("head_scale", (0.1, 1.0, 3.0), {"case": case}, EIGHT,
            by=("initialisation", ("identity", "standard"))) for case in CASES),
    Sweep("cluster_law", ("uniform", "laplace", "normal", "subspace"), {}),
    Sweep("mixing_layers", (0, 1, 2, 3, 4, 5), {}, further=FURTHER),
    # case C3 at, below and above the count of section "When it breaks"
    Sweep("n_clusters", (3, 4, 5, 8), {"case": "C3", "d": 2, "steps": 3000}, further=FURTHER),
    Sweep("n_clusters", (4, 6, 9, 12, 30), {"case": "C3", "steps": 3000}, further=FURTHER),
    Sweep("n_clusters", (6, 10, 20, 40), {"case": "C3", "d": 5, "steps": 3000}, further=FURTHER),
    Sweep("case", CASES, {**FIVE, "kappa": 50.0}, further=FURTHER),
)  # fmt: skip

LESSON = replace(
    clusters.SCENARIO,
    presets=PRESETS,
    sweeps=SWEEPS,
    frames=16,
)
