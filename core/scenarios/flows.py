"""Normalizing flows read by manifold entropic metrics: one likelihood, many coordinate nets.

Galperin and Köthe, "Analyzing Generative Models by Manifold Entropic Metrics", AISTATS 2025
(arXiv 2410.19426). No theorem promises that a flow's latents are the generator's: likelihood is
blind to the choice of coordinates, and so is a low total correlation.
"""

from typing import Literal

from pydantic import ValidationInfo, field_validator

from core.scenarios.knobs import batch_knob, rate_knob, steps_knob
from core.scenarios.scenario import (
    Notice,
    Params,
    Promise,
    Scenario,
    knob,
)

KNOWN = (
    "turned",
    "banana",
    "arc",
    "torus",
    "gaussian",
)  # data whose generator is known, with its latents
SIZE, CIRCLES = 2, 2  # dimensions of the data; of the torus, so many a circle


def dimensions(data: str) -> int:
    """Of data by their name."""
    return SIZE * CIRCLES if data == "torus" else SIZE


class Flows(Params):
    """Data in the plane, and a normalizing flow of coupling blocks that is fitted to it."""

    data: Literal["turned", "moons", "banana", "arc", "torus", "gaussian"] = knob(
        "moons",
        "What the flow is fitted to. arc: a bent strip whose radius and angle are the latents; "
        "torus: two such strips in four dimensions, rotated at random; banana: a sheared normal; "
        "gaussian: a normal of axes 2 and 1/2, turned by 30 degrees. "
        "turned: the same without a flow: its own latents, turned by hand.",
        label="Data",
        unit="distribution",
    )
    objective: Literal["ml", "ml-mtc", "ml-rec"] = knob(
        "ml",
        "ml: likelihood. ml-mtc: and the total correlation of the decoder's columns. ml-rec: and "
        "the error of what the core latents alone reconstruct.",
        label="Objective",
        unit="what is minimised",
    )
    turn: int = knob(
        45,
        "How far the latents of the normal are turned before its own decoder takes them.",
        label="Turn of the latents",
        ge=1,
        le=90,
        unit="degrees",
    )
    alpha: float = knob(
        4.0,
        "Weight of the total correlation.",
        label="Weight of the total correlation",
        symbol=r"\alpha",
        batched=True,
        ge=0,
        le=10,
        scale="log",
        unit="nats a nat",
    )
    recon_weight: float = knob(
        20.0,
        "Weight of the squared error of x decoded from the core latents, the others at 0.",
        label="Weight of the reconstruction",
        symbol=r"\lambda",
        batched=True,
        ge=0,
        le=100,
        scale="log",
        unit="nats a squared unit",
    )
    core_dim: int = knob(
        1,
        "Latents that are to carry most: the first ones where reconstruction is trained, else "
        "those of largest manifold entropy.",
        label="Core latents",
        ge=1,
        le=SIZE * CIRCLES,
        unit="latents",
    )
    initialisation: Literal["identity", "standard"] = knob(
        "identity",
        "identity: every block starts as z = x, its last layer at 0. standard: PyTorch's default, "
        "which starts bent.",
        label="Initialisation",
        advanced=True,
        unit="how the flow starts",
    )
    transforms: int = knob(
        4,
        "Coupling blocks of the flow.",
        label="Blocks",
        advanced=True,
        ge=1,
        le=8,
        unit="blocks",
    )
    width: int = knob(
        48,
        "Units of each of a block's two hidden layers.",
        label="Width",
        advanced=True,
        ge=8,
        le=256,
        scale="doubling",
        unit="units",
    )
    spline_bins: int = knob(
        4,
        "Pieces of the rational-quadratic splines that a block bends a latent by.",
        label="Spline pieces",
        advanced=True,
        ge=2,
        le=16,
        unit="pieces",
    )
    batch: int = batch_knob(512, "Points a step, drawn afresh.", "points", ge=16)
    steps: int = steps_knob(800, le=10_000)
    learning_rate: float = rate_knob(1e-2, le=0.1)

    @field_validator("core_dim")
    @classmethod
    def _leaves_something_out(cls, core_dim: int, info: ValidationInfo) -> int:
        size = dimensions(info.data.get("data", ""))
        trained = info.data.get("data") != "turned"
        if trained and info.data.get("objective") == "ml-rec" and core_dim >= size:
            raise ValueError(f"must be below {size}, or reconstruction asks for nothing")
        if core_dim > size:
            raise ValueError(f"must be at most {size}, as many as there are latents")
        return core_dim

    def inactive(self) -> frozenset[str]:
        """A weight acts where its term is trained; by hand, nothing is trained."""
        if self.data == "turned":
            return frozenset(type(self).model_fields) - {"data", "turn", "core_dim"}
        acts = {"ml": "", "ml-mtc": "alpha", "ml-rec": "recon_weight"}[self.objective]
        return frozenset({"turn", "alpha", "recon_weight"} - {acts})

    @property
    def size(self) -> int:
        """Dimensions of the data, and of the latents."""
        return dimensions(self.data)

    @property
    def ordered(self) -> bool:
        """Whether training says which latents are the core: the first."""
        return self.objective == "ml-rec" and self.data != "turned"

    @property
    def known(self) -> bool:
        """Whether the data's latents are known, so that recovery can be scored."""
        return self.data in KNOWN


def notices(params: Flows) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    if params.data == "turned":
        return (
            Notice(
                "turn",
                "Nothing is trained: each degree is another decoder of the same density, and a "
                "flow that maximises the likelihood may end at any of them.",
            ),
        )
    found = []
    if params.objective == "ml":
        found.append(
            Notice(
                "objective",
                "The likelihood is the same however the latents are turned, so the coordinate net "
                "is whatever the start and the architecture leave.",
            )
        )
    if params.objective == "ml-mtc":
        found.append(
            Notice(
                "objective",
                "Orthogonal coordinate lines are not unique: a total correlation of 0 does not say "
                "that the latents are the generator's.",
            )
        )
    if params.data == "gaussian":
        found.append(
            Notice(
                "data",
                "Of a normal every rotation of its whitened axes is as likely: no flow can tell "
                "which were the latents.",
            )
        )
    return tuple(found)


def silent(params: Flows) -> dict[str, str]:
    """Scores that say nothing of a setting, each with the reason."""
    if params.known:
        return {}
    return dict.fromkeys(("mcc", "linear_r2"), "does not apply: these data have no known latents")


def promise(params: Flows) -> Promise:
    """No theorem: what the scores come to is measured."""
    return Promise(
        up_to="permutation",
        score="mtc_nats",
        promised=("mtc_nats",),
        statement="No theorem promises the generator's latents.",
        source="Galperin and Köthe 2025",
        bound=None,
        at_most=True,
        missing=("more than a likelihood and orthogonal columns",),
        silent=silent(params),
    )


def work(params: Flows) -> float:
    """Floating-point operations of one run, and what each of its many small ones costs."""
    if params.data == "turned":
        return params.turn * 1e8
    conditioner = params.width * (params.size + params.width + 3 * params.spline_bins)
    passes = {"ml": 1.0, "ml-mtc": 1.0 + params.size, "ml-rec": 2.5}[params.objective]
    return params.steps * params.transforms * passes * (12.0 * params.batch * conditioner + 5e7)


SCENARIO = Scenario(
    name="flows",
    title="Normalizing flows",
    Params=Flows,
    version=2,
    scored=2,
    promise=promise,
    scores=("mtc_nats", "core_entropy_nats", "detail_entropy_nats", "nll", "mcc", "linear_r2"),
    notices=notices,
    work=work,
)
