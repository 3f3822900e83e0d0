"""What the page on boxes sets up: presets and sweeps."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import infonce_box
from core.scenarios.scenario import FURTHER, Preset, Sweep, Value

MANY = (3, 4, 5, 6, 7)  # seeds beside those that are drawn: eight for what this project found
EIGHT = (0, 1, 2, *MANY)
THREE: Mapping[str, Value] = {"d": 3}
NORMAL: Mapping[str, Value] = {"conditional": "normal", "p": 2}
OPEN: Mapping[str, Value] = {"model_space": "unbounded"}
WRONG: Mapping[str, Value] = {**THREE, "p": 2, "steps": 800}  # Laplace noise, a normal model
STUCK: Mapping[str, Value] = {**THREE, "initialisation": "standard"}

PRESETS = (
    Preset(
        "matched",
        "Matched",
        "Laplace noise and a Laplace model, both in boxes: each axis lands on an axis.",
        {},
        further=MANY,
    ),
    Preset(
        "turned",
        "Turned",
        "Normal noise and a normal model without walls: the box comes back whole, and turned. "
        "Distances with p = 2 know no axes.",
        {**NORMAL, **OPEN},
        further=MANY,
    ),
    Preset(
        "cube",
        "Cube",
        "Three latents: the wire cube's edges land on edges.",
        THREE,
        further=MANY,
    ),
    Preset(
        "cube-turned",
        "Cube, turned",
        "The same with normal noise and no walls: R² near 1, and no code is a latent.",
        {**THREE, **NORMAL, **OPEN},
        further=MANY,
    ),
    Preset(
        "pressed",
        "Pressed",
        "Laplace noise and the wrong norm, p = 2, but in a box that starts at a tenth of its "
        "size: codes press against the walls, and a box has only its axes.",
        {**WRONG, "bound_start": 0.1},
        further=MANY,
    ),
    Preset(
        "roomy",
        "Roomy",
        "The same wrong norm in a box that starts at its full size: the walls are hardly felt, and "
        "a rotation stays.",
        WRONG,
        further=MANY,
    ),
    Preset(
        "cubic",
        "p = 3",
        "Noise of shape 3 and the model to match, pressed: this norm knows the axes as well.",
        {**THREE, "conditional": "gennorm", "p": 3, "bound_start": 0.1, "steps": 800},
        further=MANY,
    ),
    Preset(
        "open",
        "No walls",
        "Laplace noise and model, codes anywhere: the norm alone finds the axes.",
        {**THREE, **OPEN},
        further=MANY,
    ),
    Preset(
        "stuck",
        "Standard start",
        "PyTorch's start on observations that are not whitened: some runs get stuck.",
        {**STUCK, "whiten": False},
        further=MANY,
    ),
)

# ten dimensions, as in the paper's tables, and how long to train there
IN_TEN: Mapping[str, Value] = {
    "d": 10, "width": 128, "depth": 3, "batch": 1024, "steps": 1500, "learning_rate": 1e-2,
    "initialisation": "standard",
}  # fmt: skip
TEN_TURNED: Mapping[str, Value] = {
    **IN_TEN, "conditional": "normal", "model_space": "unbounded", "p": 2,
}  # fmt: skip
PATIENCE = (1500, 4500)

SWEEPS = (
    Sweep("bound_start", (0.05, 0.1, 0.25, 0.5, 1.0), WRONG, EIGHT),
    Sweep("p", (1, 2, 3), THREE),
    Sweep("p", (1, 2, 3), {**THREE, **OPEN}),
    Sweep("spread", (0.02, 0.05, 0.1, 0.2, 0.5), {}, further=FURTHER),
    Sweep("d", (2, 3, 4, 5, 6), {}),
    Sweep("steps", (50, 100, 200, 400, 800), {}),
    Sweep("steps", PATIENCE, TEN_TURNED),
    Sweep("batch", (32, 64, 128, 256, 512), {}),
    Sweep("whiten", (False, True), STUCK, EIGHT),
    Sweep("tau", (0.005, 0.02, 0.05, 0.2, 1.0), {}),
)

# their supervised twins, which stand beside them as a baseline
TWINS = (
    *(Sweep("objective", ("supervised",), preset.params, preset.seeds, further=preset.further)
      for preset in PRESETS),
    *(replace(sweep, params={**sweep.params, "objective": "supervised"})
      for sweep in SWEEPS
      if sweep.field in ("d", "steps", "batch") and sweep.params is not TEN_TURNED),
)  # fmt: skip

LESSON = replace(
    infonce_box.SCENARIO,
    presets=PRESETS,
    sweeps=(*SWEEPS, *TWINS),
    frames=24,
)
