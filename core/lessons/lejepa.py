"""What the page on LeJEPA sets up: presets and sweeps."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import lejepa
from core.scenarios.scenario import FURTHER, Preset, Sweep, Value

EASY: Mapping[str, Value] = {"mixing": "banana", "steps": 800}
# nothing is hidden, so that what is lost is not the search's fault
SHOWN: Mapping[str, Value] = {"mixing": "network", "mixing_layers": 0, "depth": 3, "steps": 600}
STRONG: Mapping[str, Value] = {**SHOWN, "reg_weight": 0.1}
WEAK: Mapping[str, Value] = {**SHOWN, "reg_weight": 0.001}
WHITE: Mapping[str, Value] = {"objective": "whiten"}
LAPLACE: Mapping[str, Value] = {"law": "gennorm"}
EVEN: Mapping[str, Value] = {"law": "gennorm", "shape": 8.0}
DRIFT: Mapping[str, Value] = {"transition": "diffusion"}
SHAPES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 8.0)
OBJECTIVES = ("sigreg", "whiten", "infonce")

PRESETS = (
    Preset("spiral", "Spiral", "Gaussian latents turned by π |z|: aligned while kept Gaussian, the "
           "arms unwind, and codes are the latents, turned.", {}),
    Preset("whitening", "Whitening", "The same spiral with covariance alone kept: for Gaussian "
           "latents that is enough.", WHITE),
    Preset("infonce", "InfoNCE", "Told apart from other pairs instead: it unwinds as well, to a "
           "code of its own scale.", {"objective": "infonce", "batch": 256}),
    Preset("banana", "Banana", "A milder bend, which takes fewer steps.", EASY),
    Preset("weak", "Weak", "Nothing is hidden, x = z, and the regulariser is weak: codes shrink, "
           "and bend where latents are large.", WEAK),
    Preset("laplace", "Laplace", "Latents with long tails: what changes least is not the latents, "
           "and seeds end in different places.",
           {**EASY, **WHITE, **LAPLACE}),
    Preset("even", "Nearly uniform", "Latents with hardly any tails: codes bend the other way, "
           "towards a sine.", {**EASY, **WHITE, **EVEN}),
    Preset("diffusion", "Diffusion", "The same law with views that keep it: that the channel does "
           "not is not the reason.", {**EASY, **WHITE, **EVEN, **DRIFT}),
)  # fmt: skip

SWEEPS = (
    Sweep("shape", SHAPES, {**STRONG, **LAPLACE}, by=("objective", OBJECTIVES), further=FURTHER),
    Sweep("shape", SHAPES, {**STRONG, **LAPLACE, **WHITE, **DRIFT}, further=FURTHER),
    Sweep("reg_weight", (0.0005, 0.001, 0.005, 0.02, 0.1), SHOWN, further=FURTHER),
    Sweep("reg_weight", (0.002, 0.005, 0.02, 0.1), {}),
)

LESSON = replace(
    lejepa.SCENARIO,
    presets=PRESETS,
    sweeps=SWEEPS,
    front=("law", "shape", "transition", "mixing", "objective", "reg_weight"),
    frames=24,
)
