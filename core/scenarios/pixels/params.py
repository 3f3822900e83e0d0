"""Parameters of runs on pictures: worlds, pairs or classes, models and encoders."""

from math import pi, sqrt
from typing import Literal

from core.datasets.worlds import FOUND
from core.images.world import World
from core.images.worlds import WORLDS
from core.laws.law import Law
from core.laws.spaces import Box
from core.scenarios.knobs import DEPTH, batch_knob, norm_knob, rate_knob, steps_knob, width_knob
from core.scenarios.scenario import Params, Value, knob

LOW, HIGH = -1.0, 1.0  # between which every factor's latent lies
ORDER = {  # of each world's factors: those that come first are easiest to see
    "masks": ("x", "y", "size", "stride"),
    "scene": ("x", "y", "depth", "object_hue", "backdrop_hue", "spot_angle", "spot_hue",
              "turn", "pitch", "roll"),
    "sprites": ("x", "y", "scale", "rotation", "shape"),
    **{name: world.varied for name, world in FOUND.items()},
}  # fmt: skip
USUAL = {  # factors that vary
    **dict.fromkeys(FOUND, 3), "masks": 3, "scene": 5, "sprites": 3,
    "shapes3d": 5, "smallnorb": 5, "3dident_train": 5,
}  # fmt: skip
STEP = {  # scale of the transition: where pictures lie apart, far enough for another to be nearest
    **dict.fromkeys(FOUND, 0.2), "masks": 0.1, "scene": 0.15, "sprites": 0.1,
}  # fmt: skip
LEAST = {"shapes3d": 3, "smallnorb": 4}  # that vary: of fewer there are too few pictures
CODES = 8  # dimensions of a classifier's code
ARC = 0.5  # of the circle that a circular factor travels, as 3DIdent's do: low and high differ
POOLED = 16  # pixels a side that a multilayer encoder is fed
STORED = 8192  # pairs of the scene, drawn once: its pictures take their time
PARTITION = 48  # classes of a partition at random
PAIRED = ("world", "n_factors", "transition", "spread", "method", "space", "p", "tau", "pairs")
CELLS = {  # of the factors that make a class, into how many parts each is cut
    "shape": {"shape": 3},
    "shape-scale": {"shape": 3, "scale": 4},
    "position": {"x": 4, "y": 4},
    "all": {"shape": 3, "scale": 2, "x": 3, "y": 3},
    "random": {"shape": 3, "scale": 6, "rotation": 8, "x": 8, "y": 8},
}


def absent(name: str) -> str:
    """That a data set is not found, a sentence without its stop; nothing where it is."""
    from core.datasets.registry import SOURCES, data_folder  # SciPy: not needed to draw

    return SOURCES[name].absent(data_folder())


class Pixels(Params):
    """Latents in [-1, 1]^k drawn as pictures; an encoder that sees pairs of them, or classes."""

    task: Literal["pairs", "classify"] = knob(
        "pairs",
        "pairs: two pictures whose factors are close. classify: sprites, each with its class.",
        label="Task",
        unit="what f learns from",
    )
    world: Literal[
        "masks", "scene", "sprites", "dsprites", "shapes3d", "mpi3d_toy", "mpi3d_realistic",
        "mpi3d_real", "smallnorb", "3dident_train",
    ] = knob(
        "masks",
        "masks: a walker's silhouette. scene: a lit teapot. sprites: a flat shape. Classes are "
        "of sprites alone. Others are published data sets, where their files are found.",
        label="World",
        unit="what is drawn",
    )  # fmt: skip
    n_factors: int | None = knob(
        None,
        "How many of the world's factors vary, the easiest to see first.",
        label="Factors",
        symbol="k",
        none="3, of the scene 5; of a data set 3 or 5",
        ge=2,
        le=10,
        unit="factors",
    )
    transition: Literal["laplace", "normal"] = knob(
        "laplace",
        "The law of the second picture's factors around the first's, cut off at the walls.",
        label="Transition",
        symbol=r"p(\tilde z \mid z)",
        unit="family",
    )
    method: Literal["contrastive", "slowvae", "supervised"] = knob(
        "contrastive",
        "contrastive: InfoNCE. slowvae: a variational autoencoder with a Laplace prior on how "
        "codes move. supervised: told the factors.",
        label="Method",
        unit="what is minimised",
    )
    space: Literal["unbounded", "box", "sphere"] = knob(
        "unbounded",
        "Where codes live. box: between walls as far apart as the latents'. unbounded: anywhere. "
        "sphere: of unit length.",
        label="Model's space",
        unit="of the codes",
    )
    p: int = norm_knob(2)
    label: Literal["shape", "shape-scale", "position", "all", "random"] = knob(
        "shape",
        "What makes a class: cells of these factors; of all but the rotation; or fine cells of all "
        "that are dealt to classes at random.",
        label="Class",
        symbol="y",
        unit="of a sprite",
    )
    d_hat: int | None = knob(
        None,
        "Dimensions of the code.",
        label="Code dimension",
        symbol=r"\hat d",
        none="as many as factors; 8 where classes are learnt",
        ge=2,
        le=512,
        unit="dimensions",
    )
    spread: float | None = knob(
        None,
        "Scale of the step between the two pictures; of a normal its standard deviation.",
        label="Step",
        symbol=r"\lambda",
        none="0.1, of the scene 0.15, of a data set 0.2",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.01,
        le=2,
        unit="in latent units",
    )
    tau: float | None = knob(
        None,
        "The model's temperature.",
        label="Model temperature",
        symbol=r"\tau",
        advanced=True,
        batched=True,
        scale="log",
        none="what matches the step's size",
        ge=1e-4,
        le=100,
        unit="temperature",
    )
    warm: float = knob(
        1.0,
        "The temperature falls from so many times its value to it over the first half.",
        label="Warm start",
        advanced=True,
        batched=True,
        scale="log",
        ge=1,
        le=1000,
        unit="times τ",
    )
    gamma: float = knob(
        10.0,
        "SlowVAE's weight of how codes move.",
        label="Weight of slowness",
        symbol=r"\gamma",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.1,
        le=1000,
        unit="weight",
    )
    rate: float = knob(
        6.0,
        "Rate of SlowVAE's Laplace prior: the inverse of the step that it expects.",
        label="Rate of slowness",
        symbol=r"\alpha",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.1,
        le=100,
        unit="a latent unit",
    )
    encoder: Literal["mlp", "conv"] = knob(
        "mlp",
        "mlp: layers over the pixels, pooled to 16 × 16. conv: convolutions over all of 32 × 32.",
        label="Encoder",
        advanced=True,
        unit="kind of f",
    )
    pairs: int | None = knob(
        None,
        "Pairs that are drawn once and seen again and again.",
        label="Pairs",
        advanced=True,
        none="fresh ones; of the scene and of data sets 8192",
        scale="doubling",
        ge=256,
        le=16_384,
        unit="pairs",
    )
    width: int = width_knob(128)
    depth: int = DEPTH
    batch: int = batch_knob(128, "Pairs, or pictures, a step.", "pictures", le=1024)
    steps: int = steps_knob(450, le=20_000)
    learning_rate: float = rate_knob(8e-3, le=0.3)

    @classmethod
    def offered(cls, name: str) -> tuple[str, ...]:
        """Of the data sets those whose files are found."""
        choices = super().offered(name)
        if name != "world":
            return choices
        return tuple(each for each in choices if each not in FOUND or not absent(each))

    def absent(self) -> str:
        """Whether a data set's files are not found."""
        return absent(self.world) if self.found else ""

    def inactive(self) -> frozenset[str]:
        """Classes know no pairs; a told encoder no similarity; SlowVAE has a space of its own."""
        if self.task == "classify":
            off = {*PAIRED, "warm", "gamma", "rate"}
            return frozenset(off | {"depth"} if self.encoder == "conv" else off)
        off = {"label"}
        if self.encoder == "conv" and self.method != "slowvae":  # whose decoder has layers as well
            off.add("depth")
        if self.method != "slowvae":
            off |= {"gamma", "rate"}
        if self.method != "contrastive":
            off |= {"space", "p", "tau", "warm"}
        if self.method == "supervised":  # of which the second picture is never drawn
            off |= {"d_hat", "transition", "spread"}
        return frozenset(off)

    def instead(self) -> dict[str, Value]:
        """Classes are of sprites."""
        return {"world": "sprites"} if self.task == "classify" else {}

    def unsaid(self) -> dict[str, Value]:
        """As in `Params`: what each of them stands for where it is left out."""
        return {"n_factors": USUAL[self.world], "spread": STEP[self.world],
                "d_hat": CODES if self.task == "classify" else self.k, "tau": self.matched_tau,
                "pairs": STORED if self.costly else None}  # fmt: skip

    @property
    def supervised_twin(self) -> "Pixels | None":
        """The same encoder told the factors."""
        if self.task == "classify" or self.method == "supervised":
            return None
        return self.model_validate(self.but(method="supervised").chosen())

    @property
    def unsupervised(self) -> bool:
        """Whether pairs are all there is to learn from."""
        return self.task == "pairs" and self.method != "supervised"

    @property
    def whole(self) -> bool:
        """No map of a box has a degree."""
        return False

    @property
    def free_rotation(self) -> int:
        """With p = 2 and no walls codes know no axes."""
        free = self.task == "pairs" and self.method == "contrastive" and self.encoded == self.k
        return self.k if free and self.p == 2 and self.space == "unbounded" else 0

    @property
    def k(self) -> int:
        """How many factors vary."""
        if self.task == "classify":
            return len(ORDER["sprites"])
        asked = self.n_factors or USUAL[self.world]
        return max(LEAST.get(self.world, 2), min(asked, len(ORDER[self.world])))

    @property
    def d(self) -> int:
        """Latent dimensions."""
        return self.k

    @property
    def seen(self) -> World:
        """The world of pictures, with the factors that vary."""
        if self.task == "classify":
            return WORLDS["sprites"].only(*ORDER["sprites"])
        world = FOUND.get(self.world) or WORLDS[self.world]
        return world.only(*ORDER[self.world][: self.k]).opened(ARC)

    @property
    def encoded(self) -> int:
        """Dimensions of the code."""
        if self.task == "pairs" and self.method == "supervised":
            return self.k
        return self.d_hat or (CODES if self.task == "classify" else self.k)

    @property
    def step_size(self) -> float:
        """Scale of the transition."""
        return self.spread or STEP[self.world]

    @property
    def stored(self) -> int | None:
        """Pairs that are drawn once, None where every batch is new."""
        return self.pairs or (STORED if self.costly else None)

    @property
    def costly(self) -> bool:
        """Whether pictures take their time, or are few."""
        return self.found or self.world == "scene"

    @property
    def found(self) -> bool:
        """Whether pictures are a data set's, and not drawn."""
        return self.task == "pairs" and self.world in FOUND

    @property
    def negatives(self) -> str:
        """What codes are told from, as in the paper's code."""
        return "anchors"

    @property
    def flat(self) -> Box:
        """Where latents live."""
        return Box(self.k, LOW, HIGH)

    @property
    def law(self) -> Law:
        """How the second picture's factors lie around the first's."""
        return Law(self.transition, spread=self.step_size, project=False, walls=(LOW, HIGH))

    @property
    def marginal_law(self) -> None:
        """The latents' own law: the uniform one."""
        return None

    @property
    def model_tau(self) -> float:
        """The temperature in force."""
        return self.matched_tau if self.tau is None else self.tau

    @property
    def matched_tau(self) -> float:
        """The temperature at which the model's noise has the step's size.

        Of p = 1 the mean of |e|, of p = 2 twice its variance.
        """
        step, normal = self.step_size, self.transition == "normal"
        if self.p == 1:
            return step * sqrt(2 / pi) if normal else step
        return 2 * step**2 if normal else 4 * step**2

    @property
    def classes(self) -> int:
        """How many there are."""
        if self.label == "random":
            return PARTITION
        count = 1
        for parts in CELLS[self.label].values():
            count *= parts
        return count

    @property
    def input_size(self) -> int:
        """Numbers that the encoder is fed."""
        side = self.seen.side if self.encoder == "conv" else POOLED
        return side * side * self.seen.channels
