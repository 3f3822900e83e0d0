"""What the page on gradient reversal sets up in the linear world: presets and sweeps."""

from collections.abc import Mapping
from dataclasses import replace

from core.scenarios import reversal
from core.scenarios.scenario import FURTHER, Preset, Sweep, Value

EIGHT: Mapping[str, Value] = {"d": 8, "rank": 3, "n_classes": 4}
POPULAR: Mapping[str, Value] = {
    "optimiser": "adam", "beta1": 0.9, "encoder_rate": 0.01, "adversary_rate": 0.01,
}  # fmt: skip
# two time scales: an adversary that answers before the encoder has moved
COMPETING: Mapping[str, Value] = {
    "reconstruction": 1.0, "encoder_rate": 0.005, "adversary_rate": 3.0, "inner_steps": 3,
    "steps": 3000,
}  # fmt: skip
COLLAPSE: Mapping[str, Value] = {"encoder": "free", "encoder_weight_decay": 0.1, "lam": 0.3}
STEPPED: Mapping[str, Value] = {
    "moves": "aaaae" * 18, "encoder_rate": 1.0, "adversary_rate": 3.0,
}  # fmt: skip

UNEQUAL: Mapping[str, Value] = {**EIGHT, "offset": 0.0}
ANSWERED: Mapping[str, Value] = {"adversary": "mlp", "inner_steps": 5, "encoder_rate": 0.03}

PRESETS = (
    Preset(
        "reverse",
        "Anti-align",
        "The encoder climbs its classifier's loss and comes to rest at the pole: outside V, where "
        "the three histograms are one.",
        {},
    ),
    Preset(
        "align",
        "Align",
        "The same loss, the other sign: the code lies in V, and the classes come apart.",
        {"lam": -1.0},
    ),
    Preset(
        "orbit",
        "Momentum",
        "With momentum 0.8 the encoder outruns its classifier and circles in V to the end.",
        {"beta1": 0.8},
    ),
    Preset(
        "popular",
        "Adam as it comes",
        "Adam, β₁ = 0.9, equal rates, one step each: the popular choice fails.",
        POPULAR,
    ),
    Preset(
        "stepped",
        "Step by step",
        "Four moves of the adversary, one of the encoder, at quick rates: play it slowly, or add "
        "moves of your own.",
        STEPPED,
        drawn=2,
    ),
    Preset(
        "unequal",
        "Unequal κ",
        "At the pole the histograms now differ in width: chance for a linear probe, not for an "
        "MLP.",
        {"kappa_spread": 8.0},
    ),
    Preset(
        "collapse",
        "Collapse",
        "A free encoder with weight decay fades out. Its own adversary knows nothing of the "
        "nuisance, and a fresh probe reads on.",
        COLLAPSE,
    ),
    Preset(
        "compete",
        "A competing loss",
        "Reconstruction wants V. At λ = 0.4 a start in V stays there; a start outside stays "
        "outside.",
        {**COMPETING, "lam": 0.4, "start": "v"},
    ),
    Preset(
        "line",
        "Two classes",
        "Two classes span a line, so V⊥ is a plane and the code has two dimensions. The arrow is "
        "its leakiest direction.",
        {"rank": 1, "n_classes": 2},
    ),
    Preset(
        "wide",
        "One dimension too many",
        "d = 8, and a code of six dimensions where only five lie outside V: one of them must leak.",
        {**EIGHT, "d_z": 6},
    ),
    Preset("eight", "d = 8", "Four classes in eight dimensions: V has three of them.", EIGHT),
)

SIGNS = (-1.0, -0.3, -0.1, -0.02, 0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
SWEEPS = (
    Sweep("lam", SIGNS, {}, by=("steps", (300, 1200, 5000)), further=FURTHER),
    Sweep("beta1", (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95), {},
          by=("encoder", ("grassmann", "free", "whitened")), further=FURTHER),
    Sweep("lam", (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0), COMPETING,
          by=("start", ("v", "v_perp")), further=FURTHER),
    Sweep("d_z", (1, 2, 3, 4, 5, 6, 7), EIGHT, further=FURTHER),
    Sweep("kappa_spread", (1.0, 2.0, 4.0, 8.0, 16.0), UNEQUAL, further=FURTHER),
    Sweep("kappa_spread", (1.0, 8.0), {**UNEQUAL, **ANSWERED}, further=FURTHER),
    Sweep("n_samples", (300, 1000, 4000, 16_000, None), EIGHT, further=FURTHER),
    Sweep("rank", (2, 3, 5, 7), {"d": 8, "n_classes": 8}, further=FURTHER),
    Sweep("kappa", (1.0, 3.0, 10.0, 20.0, 30.0, 100.0), {}, by=("inner_steps", (1, 5)),
          further=FURTHER),
    Sweep("offset", (0.0, 0.3, 0.6, 0.9), {}),
    Sweep("adversary_rate", (0.01, 0.03, 0.1, 0.3, 1.0, 3.0), {}),
    Sweep("inner_steps", (1, 2, 5, 10), POPULAR),
    Sweep("encoder_weight_decay", (0.0, 0.01, 0.03, 0.1), {"encoder": "free", "lam": 0.3}),
    Sweep("encoder_weight_decay", (0.0, 0.1), {"encoder": "free"}, further=FURTHER),
    # aligned with more dimensions than V has: some rows are spare
    Sweep("lam", (-1.0, 1.0), EIGHT, further=FURTHER),
)  # fmt: skip

LESSON = replace(
    reversal.SCENARIO,
    presets=PRESETS,
    sweeps=SWEEPS,
    front=("lam", "beta1", "kappa", "d", "rank", "n_classes"),
    frames=91,
)
