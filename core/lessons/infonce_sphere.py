"""What the page on contrastive learning sets up: presets and sweeps."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import infonce
from core.scenarios.scenario import FURTHER, Preset, Sweep, Value

PRESETS = (
    Preset(
        "matched",
        "Matched",
        "Every assumption holds: the globe comes back turned or mirrored, and whole.",
        {},
    ),
    Preset(
        "cold",
        "Too cold",
        "τ far below 1/κ: the model wants pairs tighter than the world makes them. The globe "
        "tears, and what is left is drawn together into a small cap of the sphere.",
        {"tau": 0.01},
    ),
    Preset(
        "warm",
        "Too warm",
        "τ far above 1/κ: the model cannot be the posterior, and still finds the globe.",
        {"tau": 1.0},
    ),
    Preset(
        "fold",
        "Fold",
        "A standard start has degree 0. A run that stays there is a folded globe: "
        "one direction is lost.",
        {"initialisation": "standard", "steps": 800},
        seeds=tuple(range(8)),
    ),
    Preset(
        "unfold",
        "Annealed",
        "The same standard start, but 1/τ rises slowly: the runs here all find degree +1 or −1.",
        {"initialisation": "standard", "steps": 800, "anneal": 0.5},
        seeds=tuple(range(8)),
    ),
    Preset(
        "cap",
        "Cap",
        "Latents crowd around a pole: recovery falls, and a linear read-out of x itself "
        "can be the better one.",
        {"marginal_kappa": 20.0},
    ),
    Preset(
        "weak",
        "κ = 1",
        "The paper's first row: a positive is hardly closer than a stranger, and it is enough.",
        {"kappa": 1.0, "batch": 512, "steps": 600},
    ),
    Preset(
        "five",
        "d = 5",
        "More latents ask for more pairs and more steps, and come back all the same.",
        {"d": 5, "width": 128, "batch": 512, "steps": 800},
    ),
    Preset(
        "circle",
        "Circle",
        "d = 2: the degree is the number of turns.",
        {"d": 2},
    ),
    Preset(
        "laplace",
        "Laplace",
        "Laplace noise of scale 0.2 projected to the sphere, the wrong conditional: recovery "
        "survives. Tighter noise takes a lower τ and more steps (see The paper).",
        {"conditional": "laplace", "spread": 0.2},
    ),
)

TEN: Mapping[str, Value] = {  # ten dimensions: what brings them back, as cheaply as was found here
    "d": 10, "whiten": True, "initialisation": "standard", "width": 128, "depth": 2, "batch": 512,
    "steps": 2500, "learning_rate": 0.01,
}  # fmt: skip
BESIDE_CLUSTERS: Mapping[str, Value] = {
    "conditional": "laplace", "mixing_layers": 0, "steps": 1200, "batch": 512,
}  # fmt: skip
# what tight Laplace noise takes: a lower temperature and more steps
ANSWERED: Mapping[str, Value] = {
    "conditional": "laplace", "spread": 0.05, "tau": 0.05, "steps": 1600,
}  # fmt: skip
CROWDED = (0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 200.0)
SWEEPS = (
    Sweep("tau", (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0), {}),
    Sweep("kappa", (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0), {}),
    Sweep("marginal_kappa", CROWDED, {}),
    Sweep("marginal_kappa", CROWDED, {"negatives": "anchors"}),
    Sweep("marginal_kappa", (0.0, 5.0, 10.0, 20.0, 50.0), TEN),
    Sweep("d", (2, 3, 4, 5, 6, 8), {}),
    Sweep("batch", (16, 32, 64, 128, 256, 512), {}),
    Sweep("steps", (25, 50, 100, 200, 400, 800), {}),
    Sweep("n_train", (64, 256, 1024, 4096), {}),
    Sweep("mixing_layers", (0, 1, 2, 3, 4, 5), {}),
    Sweep("initialisation", ("identity", "standard"), {}),
    Sweep("spread", (0.02, 0.05, 0.1, 0.2, 0.5, 1.0), {"conditional": "laplace"}),
    # beside cross-entropy on the page about broken conditionals: x = z, the same budget
    Sweep("spread", (0.2, 0.5, 1.0, 2.0), BESIDE_CLUSTERS, further=FURTHER),
    Sweep("tau", (ANSWERED["tau"],), {n: v for n, v in ANSWERED.items() if n != "tau"}),
    Sweep("anneal", (0.0, 0.25, 0.5, 0.75), {"initialisation": "standard", "steps": 800}),
    Sweep("initialisation", ("identity",), {"steps": 800}, seeds=tuple(range(8))),
)

# their supervised twins, which stand beside them as a baseline
SHARED = frozenset({"tau", "kappa"})  # fields that make no difference to a twin
TWINS = (
    *(Sweep("objective", ("supervised",), preset.params, preset.seeds, further=preset.further)
      for preset in PRESETS),
    *(replace(sweep, params={**sweep.params, "objective": "supervised"})
      for sweep in SWEEPS if sweep.params in ({}, TEN) and sweep.field not in SHARED),
)  # fmt: skip
LESSON = replace(infonce.SCENARIO, presets=PRESETS, sweeps=(*SWEEPS, *TWINS))
