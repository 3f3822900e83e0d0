"""Normalizing flows of small images of digits, read by manifold entropic metrics.

Galperin and Köthe, "Analyzing Generative Models by Manifold Entropic Metrics", AISTATS 2025
(arXiv 2410.19426), compare architectures on 28 x 28 images by what their latents share. Here the
images are scikit-learn's of 8 x 8, the flows small multilayer ones of equal size. The objective of
the plane's flows that penalises the total correlation is left out: it takes as many reverse passes
a step as there are latents, 64 here.
"""

from typing import Literal

from core.scenarios.knobs import batch_knob, rate_knob, steps_knob
from core.scenarios.scenario import (
    Notice,
    Params,
    Promise,
    Scenario,
    knob,
)

SIDE = 8  # pixels of an image
SIZE = SIDE * SIDE  # dimensions of the data, and latents
CLASSES = 10
LEVELS = (4, 12, 48)  # Haar coefficients of a scale, the coarsest first
SHOWN = 8  # latents of largest entropy, of which pictures are kept
MOVES = (-3, -2, -1, 0, 1, 2, 3)  # of each in turn, in standard deviations of the prior
FACTORED = ("wavelet", "factorisation-only")  # architectures that go from coarse to fine


class Digits(Params):
    """Images of digits, and a normalizing flow of affine coupling blocks that is fitted to them."""

    architecture: Literal["coupling", "wavelet", "basis-only", "factorisation-only", "gin"] = knob(
        "coupling",
        "coupling: blocks over all pixels. wavelet: Haar coefficients, each scale given the "
        "coarser ones. basis-only: blocks over all Haar coefficients. factorisation-only: the "
        "wavelet flow in a random basis. gin: blocks that keep volume, then a scale for each "
        "latent and class.",
        label="Architecture",
        unit="kind of flow",
    )
    objective: Literal["ml", "ml-rec"] = knob(
        "ml",
        "ml: likelihood. ml-rec: and the error of what the core latents alone reconstruct.",
        label="Objective",
        unit="what is minimised",
    )
    recon_weight: float = knob(
        30.0,
        "Weight of the squared error of x decoded from the core latents, the others at 0.",
        label="Weight of the reconstruction",
        symbol=r"\lambda",
        batched=True,
        ge=0,
        le=1000,
        scale="log",
        unit="nats a squared unit",
    )
    core_dim: int = knob(
        10,
        "Latents that are to carry most: the first ones where reconstruction is trained, else "
        "those of largest manifold entropy.",
        label="Core latents",
        ge=1,
        le=SIZE - 1,
        unit="latents",
    )
    by_class: bool = knob(
        True,
        "Whether the flow is told which digit it sees.",
        label="Told the digit",
        unit="on or off",
    )
    noise: float = knob(
        0.1,
        "Standard deviation of the normal noise that is added to every pixel, of a grey scale from "
        "0 to 1.",
        label="Noise on the pixels",
        symbol=r"\sigma",
        batched=True,
        advanced=True,
        ge=0.01,
        le=0.5,
        scale="log",
        unit="grey levels",
    )
    transforms: int = knob(
        12,
        "Coupling blocks over all pixels; where the flow has scales, each has half as many, which "
        "are wider.",
        label="Blocks",
        advanced=True,
        ge=2,
        le=24,
        unit="blocks",
    )
    width: int = knob(
        96,
        "Units of each of a block's two hidden layers; where the flow has scales, as many as give "
        "it the same number of weights.",
        label="Width",
        advanced=True,
        ge=16,
        le=512,
        scale="doubling",
        unit="units",
    )
    batch: int = batch_knob(256, "Images a step, each with fresh noise.", "images", ge=16, le=1024)
    steps: int = steps_knob(400, le=10_000)
    learning_rate: float = rate_knob(4e-3, le=0.1)

    def inactive(self) -> frozenset[str]:
        """The weight of the reconstruction acts where that is trained."""
        return frozenset() if self.objective == "ml-rec" else frozenset({"recon_weight"})

    @property
    def levels(self) -> tuple[int, ...]:
        """Latents of each factor of the density, the first without a condition but the digit."""
        return LEVELS if self.architecture in FACTORED else (SIZE,)

    @property
    def blocks(self) -> int:
        """Coupling blocks of each factor."""
        return self.transforms // 2 if self.architecture in FACTORED else self.transforms

    @property
    def told(self) -> int:
        """Numbers that say which digit it is."""
        return CLASSES if self.by_class else 0

    @property
    def widths(self) -> tuple[int, ...]:
        """Hidden units of each factor's blocks: what `width` gives the flow that has one factor.

        A half and a quarter as many for the coarser scales, so that their number of weights is the
        largest not above that flow's.
        """
        if self.levels == (SIZE,):
            return (self.width,)
        allowed = self.transforms * self._weights((SIZE,), (self.width,))
        fitting = [
            widths
            for finest in range(4, 4 * self.width)
            if self.blocks * self._weights(LEVELS, widths := (finest // 4, finest // 2, finest))
            <= allowed
        ]
        return fitting[-1]

    @property
    def weights(self) -> int:
        """Weights and biases of all blocks."""
        return self.blocks * self._weights(self.levels, self.widths)

    def _weights(self, levels: tuple[int, ...], widths: tuple[int, ...]) -> int:
        """Those of one block of each factor."""
        found, coarser = 0, self.told
        for size, width in zip(levels, widths, strict=True):
            kept = size // 2
            changed = 2 * (size - kept)  # a shift and a scale of each
            found += (kept + coarser + 1) * width + (width + 1) * (width + changed)
            coarser += size
        return found


def notices(params: Digits) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    found = []
    if params.architecture in ("basis-only", "factorisation-only"):
        found.append(
            Notice(
                "architecture",
                "A control: it has one of the wavelet flow's two ingredients and not the other.",
            )
        )
    if params.objective == "ml-rec" and params.architecture in FACTORED:
        found.append(
            Notice(
                "core_dim",
                "The core is the first latents: of a flow with scales, the coarsest ones.",
            )
        )
    if not params.by_class:
        found.append(
            Notice(
                "by_class",
                "The ruler is then one Gaussian of all digits, which fits worse than one for each.",
            )
        )
    return tuple(found)


def promise(params: Digits) -> Promise:
    """No theorem: what the scores come to is measured."""
    return Promise(
        up_to="permutation",
        score="mtc_nats",
        promised=("mtc_nats",),
        statement="No theorem promises latents at right angles.",
        source="Galperin and Köthe 2025",
        bound=None,
        at_most=True,
        missing=("more than a likelihood and an architecture",),
    )


def work(params: Digits) -> float:
    """Floating-point operations of one run, and what each of its many small ones costs."""
    passes = 2.0 if params.objective == "ml-rec" else 1.0
    small = 1e8 * params.blocks * len(params.levels)
    return params.steps * passes * (6.0 * params.batch * params.weights + small)


SCENARIO = Scenario(
    name="digits",
    title="Flows of digits",
    Params=Digits,
    version=1,
    scored=2,
    promise=promise,
    scores=("mtc_nats", "nll", "pairwise_mi_nats", "core_entropy_nats", "detail_entropy_nats"),
    notices=notices,
    work=work,
)
