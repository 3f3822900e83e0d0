"""Knobs that several scenarios declare: of g, of the encoder and its training, of pairs."""

from typing import Any

from core.scenarios.scenario import knob

# of every scenario that hides latents behind g and trains a multilayer encoder
MIXING_LAYERS: Any = knob(
    3,
    "Layers of the invertible network g that hides the latents. 0 shows them: x = z.",
    label="Mixing layers",
    advanced=True,
    ge=0,
    le=5,
    unit="layers",
)


def width_knob(default: int) -> Any:
    """The knob for how wide a multilayer encoder is."""
    return knob(
        default,
        "Hidden width of the encoder.",
        label="Encoder width",
        advanced=True,
        ge=8,
        le=512,
        scale="doubling",
        unit="units",
    )


WIDTH: Any = width_knob(64)


def depth_knob(default: int) -> Any:
    """The knob for how deep a multilayer encoder is."""
    return knob(
        default,
        "Hidden layers of the encoder.",
        label="Encoder depth",
        advanced=True,
        ge=1,
        le=6,
        unit="layers",
    )


DEPTH: Any = depth_knob(3)


# of scenarios that learn from pairs
OBJECTIVE: Any = knob(
    "contrastive",
    "contrastive: InfoNCE on pairs. supervised: the same encoder and budget, told z itself by "
    "squared error.",
    label="Objective",
    advanced=True,
    unit="what is minimised",
)


def whiten_knob(default: bool) -> Any:
    """The knob for what an encoder is fed."""
    return knob(
        default,
        "Whether observations are whitened (mean and covariance of a first batch) before f.",
        label="Whitened observations",
        advanced=True,
        unit="on or off",
    )


def batch_knob(default: int, help: str, unit: str, ge: int = 8, le: int = 4096) -> Any:
    """The knob for how many of what a step sees."""
    return knob(default, help, label="Batch", advanced=True, ge=ge, le=le, scale="doubling",
                unit=unit)  # fmt: skip


def steps_knob(default: int, le: int) -> Any:
    """The knob for how long training is."""
    return knob(default, "Optimiser steps.", label="Steps", advanced=True, ge=1, le=le,
                scale="log", unit="steps")  # fmt: skip


def rate_knob(default: float, le: float) -> Any:
    """The knob for the rate of a learner that descends by `core.run.updates.descent.Descent`."""
    return knob(default, "Peak of the one-cycle schedule of Adam.", label="Learning rate",
                advanced=True, ge=1e-5, le=le, scale="log", unit="peak rate")  # fmt: skip


def negatives_knob(default: str) -> Any:
    """The knob for what a code is to be told from."""
    return knob(
        default,
        "views: the other pairs' second members (textbook). "
        "anchors: the anchors themselves, self included (the paper's code).",
        label="Negatives",
        advanced=True,
        unit="which points repel",
    )


def norm_knob(le: int) -> Any:
    """The knob for which distance between codes a model of pairs knows."""
    return knob(
        1,
        "The model's similarity is −|u − v|ₚᵖ / τ. 1 is a Laplace model, 2 a normal one, which "
        "knows no axes.",
        label="Model norm",
        symbol="p",
        ge=1,
        le=le,
        unit="exponent",
    )


PAIRS: Any = batch_knob(256, "Positive pairs a step; also the number of negatives.", "pairs",
                        le=8192)  # fmt: skip
