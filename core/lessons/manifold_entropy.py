"""What the page on manifold entropic metrics sets up, on flows in the plane."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import flows
from core.scenarios.scenario import Preset, Sweep, Value

MTC: Mapping[str, Value] = {"objective": "ml-mtc"}
REC: Mapping[str, Value] = {"objective": "ml-rec"}
GENTLE: Mapping[str, Value] = {**REC, "recon_weight": 5.0, "learning_rate": 5e-3}
ARC: Mapping[str, Value] = {"data": "arc"}
BANANA: Mapping[str, Value] = {"data": "banana"}
TORUS: Mapping[str, Value] = {"data": "torus", **REC, "core_dim": 2}
OTHER_START: Mapping[str, Value] = {"initialisation": "standard"}

PRESETS = (
    Preset(
        "turned",
        "Turned",
        "One Gaussian, and its latents turned by hand: play it. The density stays, point for "
        "point, and the coordinate lines do not.",
        {"data": "turned"},
    ),
    Preset(
        "moons",
        "Moons",
        "Likelihood alone: the flow finds the density, by lines that cross at slanted angles.",
        {},
    ),
    Preset(
        "moons-mtc",
        "Moons, right angles",
        "A penalty on the total correlation straightens the crossings, and the fit pays for it.",
        MTC,
    ),
    Preset(
        "moons-rec",
        "Moons, reconstructed",
        "What one latent alone must reconstruct becomes the core: it runs along the moons.",
        GENTLE,
    ),
    Preset(
        "arc",
        "Arc",
        "A bent strip whose angle and radius are known: likelihood alone does not find them.",
        ARC,
    ),
    Preset(
        "arc-mtc",
        "Arc, right angles",
        "Every crossing is at right angles, and these are not the arc’s angle and radius.",
        {**ARC, **MTC},
    ),
    Preset(
        "arc-rec",
        "Arc, reconstructed",
        "Right angles and one latent that carries most: the arc’s own angle and radius.",
        {**ARC, **REC},
    ),
    Preset(
        "arc-start",
        "Arc, other start",
        "The same loss as with right angles alone, from another start: a seed may find the arc’s "
        "own latents, and the others do not.",
        {**ARC, **MTC, **OTHER_START},
    ),
    Preset(
        "weak",
        "Moons, a weak penalty",
        "A little takes most of the slant away and costs no likelihood; in some runs one latent "
        "follows the moons.",
        {**MTC, "alpha": 0.1},
    ),
    Preset(
        "torus",
        "Torus",
        "Two such strips at right angles, rotated at random: four latents, of which the two angles "
        "are the core.",
        TORUS,
        further=(),
    ),
    Preset(
        "banana",
        "Banana",
        "A shear keeps every volume: its own latents are not at right angles.",
        BANANA,
    ),
)
OBJECTIVES = ("ml", "ml-mtc", "ml-rec")
SWEEPS = (
    Sweep("turn", (1, 15, 30, 45, 60, 75, 90), {"data": "turned"}),
    Sweep("objective", OBJECTIVES, {}),
    Sweep("objective", OBJECTIVES, ARC),
    Sweep("alpha", (0.1, 4.0), MTC),
    Sweep("recon_weight", (1.0, 20.0, 100.0), {**ARC, **REC}),
    Sweep("initialisation", ("identity", "standard"), {**ARC, **MTC}),
)

LESSON = replace(
    flows.SCENARIO,
    presets=PRESETS,
    sweeps=SWEEPS,
    start={"data": "turned"},
    front=("data", "objective", "alpha", "recon_weight", "initialisation"),
)
