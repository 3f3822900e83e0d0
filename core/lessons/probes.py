"""What the part on probes of the page on pictures sets up: codes of digits."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import probes
from core.scenarios.scenario import Preset, Value

FEATURES: Mapping[str, Mapping[str, Value]] = {  # as the figure and claims call them
    "trained": {},
    "shuffled": {"features": "shuffled"},
    "untrained": {"features": "untrained"},
    "pixels": {"features": "pixels"},
    "noise": {"features": "noise"},
}
MANY = tuple(range(3, 20))  # further seeds of noise: how often a test is wrong takes many to see

PRESETS = (
    Preset("trained", "Trained", "An encoder that classifies digits: every factor can be read of "
           "its code, and some less well than before it was trained.", FEATURES["trained"]),
    Preset("shuffled", "Shuffled labels", "The same, told the digits of other images: it learns "
           "nothing of digits, and gets the same asterisks.", FEATURES["shuffled"]),
    Preset("untrained", "Not trained", "The encoder at its random start: the asterisks are there "
           "before any training.", FEATURES["untrained"]),
    Preset("pixels", "Pixels", "No encoder: most factors are read best where nothing was done.",
           FEATURES["pixels"]),
    Preset("noise", "Noise", "No image: whatever a test finds here, it would find anywhere.",
           FEATURES["noise"], further=MANY),
)  # fmt: skip

LESSON = replace(
    probes.SCENARIO,
    presets=PRESETS,
    front=("features", "d_hat", "weight_decay"),
    frames=12,
)
