"""How parameters and their values are called: words, symbols in plain letters, links."""

from core.datasets.worlds import FOUND
from core.scenarios.scenario import Knob


def spoken(value: object) -> str:
    """A parameter's value as links and the shell write it."""
    return "auto" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


CHOICES = {  # the value of a choice -> its name in words, where it is one of several
    # which norms are fixed, in vMF clusters
    "C1": "C1: both unit",
    "C2": "C2: unit features",
    "C3": "C3: unit weights",
    "C4": "C4: both free",
    # labels, and the points that repel
    "class": "class",
    "instance": "instance",
    "views": "views",
    "anchors": "anchors",
    # what an encoder is told
    "contrastive": "contrastive",
    "supervised": "supervised",
    # laws of latents and of cluster vectors
    "vmf": "vMF",
    "laplace": "Laplace",
    "normal": "normal",
    "gennorm": "generalised normal",
    "isotropic-gennorm": "isotropic generalised normal",
    "student-t": "Student’s t",
    "uniform": "uniform",
    "subspace": "in a subspace",
    # where latents and codes live
    "box": "box",
    "unbounded": "unbounded",
    "sphere": "sphere",
    # how an auxiliary variable modulates sources
    "tcl": "time-contrastive",
    "gcl": "generalised contrastive",
    "gauss": "normal",
    "shared": "shared",
    "equal": "equal",
    "scale": "scale",
    "location": "location",
    "even": "even",
    # a second view, what hides the latents, the encoder's bends, what keeps codes apart
    "channel": "channel",
    "diffusion": "diffusion",
    "spiral": "spiral",
    "sinusoid": "sinusoid",
    "network": "network",
    "silu": "SiLU",
    "leaky": "leaky ReLU",
    "skip": "beside a linear path",
    "sigreg": "SIGReg",
    "infonce": "InfoNCE",
    "whiten": "whitening",
    # how an encoder starts
    "identity": "identity",
    "standard": "standard",
    # the linear game: M, the classifier, the update, the start
    "grassmann": "orthonormal rows",
    "free": "free",
    "whitened": "whitened",
    "linear": "linear",
    "mlp": "MLP",
    "sgd": "SGD",
    "adam": "Adam",
    "random": "random",
    "v": "in V",
    "v_perp": "in V⊥",
    # the nonlinear world
    "ae": "autoencoder",
    "ae-grl": "autoencoder, reversal",
    "content": "content head",
    "content-grl": "content head, reversal",
    "irm": "IRM",
    "leace": "LEACE",
    "two-stage": "two stages",
    "additive": "additive",
    # flows: their data, their architecture, and what is minimised
    "turned": "Gaussian, turned by hand",
    "moons": "two moons",
    "banana": "banana",
    "arc": "arc",
    "torus": "torus",
    "gaussian": "Gaussian",
    "coupling": "plain coupling",
    "wavelet": "wavelet",
    "basis-only": "basis only",
    "factorisation-only": "factorisation only",
    "gin": "volume kept",
    "ml": "likelihood",
    "ml-mtc": "likelihood, total correlation",
    "ml-rec": "likelihood, reconstruction",
    # pictures: the task, the world, the method, the encoder, what makes a class
    "pairs": "pairs",
    "classify": "classes",
    "masks": "walkers’ masks",
    "scene": "lit scene",
    "sprites": "sprites",
    **{name: world.title for name, world in FOUND.items()},
    "slowvae": "SlowVAE",
    "conv": "convolutions",
    "shape": "shape",
    "shape-scale": "shape and scale",
    "position": "position",
    "all": "all but rotation",
    # probed codes
    "trained": "trained on labels",
    "shuffled": "shuffled labels",
    "untrained": "not trained",
    "pixels": "pixels",
    "noise": "noise",
    # made codes
    "uniform-noise": "uniform noise",
}


def wording(value: object) -> str:
    """A parameter's value in words, as pages and figures show it; links write `spoken`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return CHOICES.get(value, value)
    return spoken(value).replace("-", "−")


def named(knob: Knob, value: object) -> str:
    """A parameter's value in words; where it is left empty, what that means, if it is short."""
    if value is None and knob.none and len(knob.none) <= SHORT:
        return knob.none
    return wording(value)


SHORT = 22
LETTERS = {
    r"\alpha": "α", r"\beta": "β", r"\kappa": "κ", r"\lambda": "λ", r"\rho": "ρ",
    r"\sigma": "σ", r"\tau": "τ", r"\tilde z": "z̃", r"\hat d": "d̂", r"\mid": "|",
    "_m": "ₘ", "_x": "ₓ", "_1": "₁",
}  # fmt: skip


def letters(symbol: str) -> str:
    """A LaTeX symbol in plain letters; nothing where there are none for it, as for a subscript z.

    (It would be another symbol without its subscript.)
    """
    for latex, letter in LETTERS.items():
        symbol = symbol.replace(latex, letter)
    return "" if set(symbol) & set("\\_^{}") else symbol


def label_of(knob: Knob) -> str:
    """A parameter's name with its symbol in plain letters, such as "World concentration κ".

    For axes, which know no LaTeX, and for what is read aloud.
    """
    return f"{knob.label} {letters(knob.symbol)}".strip()


def setting(knob: Knob, value: object) -> str:
    """Such as "d = 5" or, without a symbol, "batch 256"; a choice by its name alone."""
    if knob.choices or (value is None and knob.none.startswith("no ")):
        return named(knob, value)
    symbol = letters(knob.symbol)
    return f"{symbol} = {wording(value)}" if symbol else f"{knob.label.lower()} {wording(value)}"
