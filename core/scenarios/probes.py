"""Codes of digits, and what a linear probe of a factor proves about them.

Reizinger et al. (ICLR 2025, arXiv 2410.21869), Figure 3, probe classifiers of ImageNet for the
factors of ImageNet-X: an asterisk is an accuracy above chance, by a t-test over ten splits of the
same images. Here the images are scikit-learn's digits, the factors ten formulas of their pixels,
and beside the code that was trained on the labels stand four that were not.
"""

from collections.abc import Mapping
from typing import Literal

from core.scenarios.knobs import WIDTH, rate_knob, steps_knob
from core.scenarios.scenario import Notice, Params, Promise, Scenario, knob

SIZE = 64  # pixels of an image
CLASSES = 10
SAMPLES = 1797
TRAINED, PROBED = 997, 400  # images: for the encoder, for the probes; the others are fresh
DRAWN, SHOWN = 300, 3  # of the probed images those that are drawn, along so many axes
FACTORS: Mapping[str, str] = {  # of `core.images.digits`, in its order, each in a word or two
    "class": "Digit",
    "ink": "Ink",
    "thickness": "Thickness",
    "slant": "Slant",
    "left_right": "Left or right",
    "top_bottom": "Top or bottom",
    "contrast": "Contrast",
    "hole": "Hole",
    "aspect": "Aspect",
    "symmetry": "Symmetry",
}
CODES: Mapping[str, str] = {  # what is probed, as figures call it
    "trained": "trained on the digits",
    "shuffled": "trained on shuffled labels",
    "untrained": "not trained",
    "pixels": "pixels",
    "noise": "noise",
}
TESTS = len(FACTORS) * len(CODES)  # that share a level, as 85 do in the paper
PROCEDURES: Mapping[str, str] = {
    "published": "as published: ten re-splits taken as independent",
    "corrected": "variance corrected for re-splitting",
    "fresh": "one exact test on fresh images",
}


class Probes(Params):
    """A code of digits, and a probe of each factor on it."""

    features: Literal["trained", "shuffled", "untrained", "pixels", "noise"] = knob(
        "trained",
        "trained: an encoder that classifies digits. shuffled: the same, told wrong labels. "
        "untrained: the same at its start. pixels: the image itself. noise: no image at all.",
        label="What is probed",
        unit="kind of code",
    )
    d_hat: int = knob(
        64,
        "Dimensions of the code; pixels have 64.",
        label="Code dimension",
        symbol=r"\hat d",
        ge=SHOWN,
        le=256,
        scale="doubling",
        unit="dimensions",
    )
    weight_decay: float = knob(
        0.0,
        "Weight of half the squared length of all weights, beside the cross-entropy.",
        label="Weight decay",
        batched=True,
        ge=0,
        le=0.1,
        unit="nats a squared unit",
    )
    width: int = WIDTH
    depth: int = knob(
        2,
        "Hidden layers of the encoder.",
        label="Encoder depth",
        advanced=True,
        ge=1,
        le=6,
        unit="layers",
    )
    batch: int = knob(
        128,
        "Images a step.",
        label="Batch",
        advanced=True,
        ge=8,
        le=1024,
        scale="doubling",
        unit="images",
    )
    steps: int = steps_knob(400, le=10_000)
    learning_rate: float = rate_knob(1e-2, le=0.1)

    @property
    def trains(self) -> bool:
        """Whether an encoder is trained."""
        return self.features in ("trained", "shuffled")

    def inactive(self) -> frozenset[str]:
        """Pixels have no settings, noise has a dimension, and an untrained encoder its sizes."""
        if self.trains:
            return frozenset()
        acts = {"pixels": set[str](), "noise": {"d_hat"}, "untrained": {"d_hat", "width", "depth"}}
        return frozenset(type(self).model_fields) - {"features"} - acts[self.features]


def notices(params: Probes) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    said = {
        "shuffled": "The labels are those of other images: nothing of a digit is to be learnt.",
        "untrained": "Nothing is trained: whatever a probe reads, the weights’ random start has.",
        "pixels": "Nothing is trained, and no encoder is asked.",
        "noise": "The code never saw an image: every asterisk is a mistake of the test.",
    }
    text = said.get(params.features)
    return (Notice("features", text),) if text else ()


def promise(params: Probes) -> Promise:
    """No theorem: what a probe reads is measured."""
    return Promise(
        up_to="linear",
        score="accuracy_class",
        promised=("accuracy_class",),
        statement="No theorem speaks of factors that are measured on images.",
        source="Reizinger et al. 2025, Theorem 1C",
        bound=None,
        missing=("latents that the labels were drawn from", "a generator that is known"),
    )


def work(params: Probes) -> float:
    """Floating-point operations of one run: its updates, and the probes at the end."""
    widths = SIZE if params.features == "pixels" else params.d_hat
    probing = 2e4 * PROBED * widths**2
    if not params.trains:
        return probing
    weights = params.width * (SIZE + params.d_hat + (params.depth - 1) * params.width)
    return probing + params.steps * (6.0 * params.batch * weights + 2e7)


SCENARIO = Scenario(
    name="probes",
    title="Probes of digits",
    Params=Probes,
    version=1,
    promise=promise,
    scores=("classifier_accuracy",),
    notices=notices,
    work=work,
)
