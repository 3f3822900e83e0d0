"""What the second and third part of the page on gradient reversal set up: the nonlinear world."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import invariance
from core.scenarios.scenario import FURTHER, Preset, Sweep, Value

WIDE: Mapping[str, Value] = {"method": "content-grl", "d_z": 8}
METHODS: Mapping[str, Mapping[str, Value]] = {  # as they are called in the table and the picture
    "autoencoder": {"method": "ae"},
    "autoencoder, reversal": {},
    "LEACE on x": {"method": "leace"},
    "content head": {"method": "content"},
    "head of 8": {"method": "content", "d_z": 8},
    "head of 8, LEACE": {"method": "leace", "d_z": 8},
    "head of 8, reversal": WIDE,
    "head of 8, IRM": {"method": "irm", "d_z": 8},
}
STAGES: Mapping[str, Mapping[str, Value]] = {
    "additive, no reversal": {"method": "two-stage", "lam": 0.0},
    "additive": {"method": "two-stage"},
    "free": {"method": "two-stage", "dynamics": "free"},
    "free, β = 0.01": {"method": "two-stage", "dynamics": "free", "kl": 0.01},
    "free, β = 0.05": {"method": "two-stage", "dynamics": "free", "kl": 0.05},
}

TWISTED: Mapping[str, Value] = {"n_classes": 2}
EIGHT = tuple(range(8))
STARTED: Mapping[str, Value] = {"initialisation": "standard"}

PRESETS = (
    Preset("reverse", "Reversal", "An autoencoder whose decoder is told the body, and an adversary "
           "on its code: no probe reads the body, and the content stays.", {}),
    Preset("plain", "No reversal", "The same without the adversary: it has no reason to forget the "
           "body.", {"method": "ae"}),
    Preset("erase", "LEACE on x", "Linear erasure: in loss no linear probe beats a constant guess; "
           "an MLP reads on.",
           {"method": "leace"}),
    Preset("head", "Content head", "Two dimensions for two of content: no room for the body.",
           {"method": "content"}),
    Preset("wide", "Head of 8", "A content head with room to spare keeps the body as well.",
           {"method": "content", "d_z": 8}),
    Preset("own", "Blind in its own eyes", "The same head against an adversary: that one gives up, "
           "and a fresh probe with more data reads the body.", WIDE),
    Preset("shifted", "Content shifted", "Where bodies differ in content, hiding the body costs "
           "content.", {"rho": 1.0}),
    Preset("stages", "Two stages", "First actions from pairs of observations, then reversal.",
           {"method": "two-stage"}),
    Preset("free", "Free dynamics", "A forward model that knows the state lets the action depend "
           "on it: the prediction is good, and part of the content gone.",
           {"method": "two-stage", "dynamics": "free"}),
    Preset("twisted", "Two bodies", "With two bodies a seed may end with maps twisted against each "
           "other: blind, and no read-out for both.", TWISTED, EIGHT,
           drawn=2),
)  # fmt: skip

RHO = (0.0, 0.25, 0.5, 1.0, 2.0)
SWEEPS = (
    Sweep("lam", (0.0, 0.1, 0.3, 1.0, 3.0), {}, further=FURTHER),
    Sweep("rho", RHO, {}, by=("method", ("ae-grl", "content")), further=FURTHER),
    *(
        Sweep("steps", (1000,), setting, further=FURTHER)
        for setting in (*METHODS.values(), *STAGES.values(), STARTED)
    ),
)

LESSON = replace(
    invariance.SCENARIO,
    presets=PRESETS,
    sweeps=SWEEPS,
    front=("method", "lam", "rho", "d_z", "dynamics", "kl"),
    frames=12,
)
