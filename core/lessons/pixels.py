"""What the page on pictures sets up: presets and sweeps."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import pixels
from core.scenarios.scenario import FURTHER, Preset, Sweep, Value

NORMAL: Mapping[str, Value] = {"transition": "normal", "p": 2}
LONG: Mapping[str, Value] = {  # axes come later than factors; in a narrow step one may be missed
    **NORMAL, "spread": 0.4, "steps": 800, "learning_rate": 0.005,
}  # fmt: skip
WALLED: Mapping[str, Value] = {"space": "box", "spread": 0.2}  # at 0.1 a run may lose a factor
SCENE: Mapping[str, Value] = {
    **NORMAL, "world": "scene", "spread": 0.25, "batch": 256, "steps": 500,
    "learning_rate": 0.005,
}  # fmt: skip
SEVEN: Mapping[str, Value] = {  # pairs further apart than five's, and more: fewer lose a factor
    **SCENE, "space": "box", "n_factors": 7, "spread": 0.35, "pairs": 16_384, "steps": 1000,
}  # fmt: skip
OPEN: Mapping[str, Value] = {**SEVEN, "space": "unbounded"}
SLOW: Mapping[str, Value] = {
    "method": "slowvae", "d_hat": 10, "steps": 1200, "learning_rate": 0.01,
}  # fmt: skip
TEN: Mapping[str, Value] = {"d_hat": 10}  # codes for three factors
CLASSES: Mapping[str, Value] = {"task": "classify", "learning_rate": 0.005, "steps": 1500}
WIDE: Mapping[str, Value] = {  # codes as wide as the paper's, for as long as they keep place
    **CLASSES, "label": "shape", "d_hat": 512, "width": 512, "learning_rate": 0.001, "steps": 600,
}  # fmt: skip
CONVOLVED: Mapping[str, Value] = {**WIDE, "encoder": "conv", "steps": 1000}

PRESETS = (
    Preset("walkers", "Walkers", "Two frames of a walker, a Laplace step apart: a Laplace model "
           "finds place and size one by one, with no walls.", {}),
    Preset("turned", "Turned", "The step is normal, and so is the model: it tells all three "
           "factors, and turns them. Distances with p = 2 know no axes.", LONG),
    Preset("walls", "Walls", "The same normal model with codes in a box: walls break the rotation.",
           {**LONG, "space": "box"}),
    Preset("scene", "Scene", "A lit teapot: place, depth and two hues, found one by one with codes "
           "in a box.", {**SCENE, "space": "box"}),
    Preset("shape", "Shape", "Sprites classified by shape through a bottleneck of eight: the code "
           "keeps shape and size, and loses where the sprite was.", {**CLASSES, "label": "shape"}),
    Preset("position", "Position", "The same sprites classified by where they are: now the code "
           "keeps that, and loses the size.", {**CLASSES, "label": "position"}),
    Preset("scene-turned", "Scene, no walls", "The same without walls: R² stays, MCC falls.",
           SCENE),
    Preset("random", "Dealt at random", "Classes dealt at random to fine cells: there is nothing "
           "to keep.", {**CLASSES, "label": "random"}),
    Preset("laplace-walls", "Laplace, walls", "Laplace step and model in a box: both find axes.",
           WALLED),
    Preset("slow", "SlowVAE", "A variational autoencoder whose prior expects Laplace steps, with "
           "ten codes: it has pictures to draw as well, and takes longer.", SLOW),
    Preset("ten-codes", "Ten codes", "Ten codes for three factors, contrastive: what SlowVAE is "
           "to be held against.", TEN),
    Preset("scene-seven", "Seven factors", "The angle and hue of a spotlight vary as well: found "
           "where the step between pictures is wide enough.", SEVEN),
)  # fmt: skip

SWEEPS = (
    Sweep("p", (1, 2), {}),
    Sweep("warm", (1.0, 10.0, 100.0), {}),
    Sweep("spread", (0.03, 0.1, 0.3), {}),
    Sweep("spread", (0.1, 0.25, 0.35), SEVEN),
    Sweep("pairs", (1024, 4096, 16_384), SEVEN),
    *(
        Sweep("space", ("unbounded", "box"), each, further=FURTHER)
        for each in ({}, LONG, SCENE, SEVEN)
    ),
    Sweep("d_hat", (3, 5, 10), NORMAL),
    Sweep("steps", (100, 200, 400, 800), {}),
    Sweep("steps", (600, 1200, 2400), SLOW),
    Sweep("label", ("shape", "shape-scale", "position", "all", "random"), CLASSES),
    Sweep("d_hat", (4, 8, 32, 128), {**CLASSES, "label": "shape"}),
)

AS_WIDE = (Sweep("encoder", ("mlp",), WIDE), Sweep("encoder", ("conv",), CONVOLVED))

OF_PAIRS = (*NORMAL, "space")  # which nobody asks of who is told the factors
TOLD = (  # the same encoders told the factors: a baseline
    Sweep("method", ("supervised",), {}, further=FURTHER),
    *(Sweep("method", ("supervised",), {k: v for k, v in each.items() if k not in OF_PAIRS},
            further=FURTHER) for each in (LONG, SCENE, SEVEN)),
)  # fmt: skip

LESSON = replace(
    pixels.SCENARIO,
    presets=PRESETS,
    sweeps=(*SWEEPS, *AS_WIDE, *TOLD),
    front=("task", "world", "transition", "space", "p", "label"),
    frames=16,
)
