"""vMF clusters: cross-entropy inverts the data generating process.

Reizinger, Bizeul, Juhos, Vogt, Balestriero, Brendel, Klindt, ICLR 2025 (arXiv 2410.21869),
Theorems 1C and 2C.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Literal

from core.laws.law import Law
from core.laws.spaces import Space
from core.scenarios.knobs import (
    DEPTH,
    MIXING_LAYERS,
    WIDTH,
    batch_knob,
    rate_knob,
    steps_knob,
    whiten_knob,
)
from core.scenarios.scenario import (
    Assumption,
    Notice,
    Params,
    Promise,
    Scenario,
    knob,
    lacking,
    missing,
)

MOST_JUDGED = 8192
TIGHT = 30.0  # concentration from which on clusters hardly overlap


class Clusters(Params):
    """Latents in vMF clusters on S^(d-1), labels of class or instance, an encoder and a head."""

    case: Literal["C1", "C2", "C3", "C4"] = knob(
        "C4",
        "What has unit length. C1: features f(x) and weights w. C2: features. C3: weights. "
        "C4: neither.",
        label="Case",
        unit="of Theorem 1C",
    )
    supervision: Literal["class", "instance"] = knob(
        "class",
        "class: the label is the cluster (supervised). instance: it is one of N instances, many "
        "to a cluster (DIET).",
        label="Labels",
        unit="what the head foretells",
    )
    d: int = knob(
        3,
        "Dimension of the space the sphere sits in.",
        label="Latent dimension",
        symbol="d",
        ge=2,
        le=20,
        unit="dimensions",
    )
    n_clusters: int = knob(
        30,
        "Number of cluster vectors. The theorem asks for d + 1 that are affinely independent.",
        label="Clusters",
        symbol="C",
        scale="log",
        ge=2,
        le=10_000,
        unit="clusters",
    )
    kappa: float = knob(
        10.0,
        "How tightly the latents sit around their cluster vector. Large is tight.",
        label="World concentration",
        symbol=r"\kappa",
        batched=True,
        scale="log",
        ge=0.1,
        le=500,
        unit="concentration of the vMF conditional",
    )
    conditional: Literal["vmf", "gennorm", "isotropic-gennorm", "student-t"] = knob(
        "vmf",
        "The law around a cluster vector. The theorem assumes von Mises-Fisher. gennorm: noise "
        "with independent coordinates; the two others have rotational symmetry.",
        label="Conditional",
        symbol="p(z|v_c)",
        advanced=True,
        unit="family",
    )
    shape: float = knob(
        1.0,
        "Exponent of the generalised normal: 1 is Laplace, 2 normal, 8 nearly uniform. For "
        "Student's t its degrees of freedom.",
        label="Shape",
        symbol=r"\beta",
        advanced=True,
        batched=True,
        scale="log",
        ge=1,
        le=30,
        unit="exponent, or degrees of freedom",
    )
    spread: float = knob(
        1.0,
        "Scale a of the noise: its density is exp(-(|e|/a)^shape). Large is loose.",
        label="Spread",
        symbol=r"\alpha",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.02,
        le=5,
        unit="scale in latent units",
    )
    truncation: float | None = knob(
        None,
        "Every coordinate of z is confined to [-T, T], before it is projected.",
        label="Truncation",
        symbol="T",
        advanced=True,
        batched=True,
        scale="log",
        none="no bound",
        ge=1,
        le=10,
        unit="bound in latent units",
    )
    project: bool = knob(
        True,
        "Whether v + noise is projected to the sphere. Off, as in the authors' code for the "
        "truncated Laplace, latents fill the space.",
        label="Project to the sphere",
        advanced=True,
        unit="on or off",
    )
    n_instances: int = knob(
        300,
        "Number of instance labels, spread evenly over the clusters.",
        label="Instances",
        symbol="N",
        scale="log",
        ge=2,
        le=100_000,
        unit="labels",
    )
    label_noise: float = knob(
        0.0,
        "Share of labels that are replaced by one drawn uniformly.",
        label="Label noise",
        symbol=r"\rho",
        advanced=True,
        batched=True,
        ge=0,
        le=1,
        unit="fraction of the labels",
    )
    cluster_law: Literal["uniform", "laplace", "normal", "subspace"] = knob(
        "uniform",
        "Where cluster vectors lie. laplace, normal: noise around a pole, projected. "
        "subspace: all on one great circle (or sphere), so they span too little.",
        label="Cluster vectors",
        symbol="v_c",
        advanced=True,
        unit="law on the sphere",
    )
    initialisation: Literal["identity", "standard"] = knob(
        "identity",
        "identity: a linear skip path and zero biases, so f starts unfolded. "
        "standard: PyTorch's default, which starts folded.",
        label="Initialisation",
        advanced=True,
        unit="how f starts",
    )
    head_scale: float = knob(
        0.1,
        "Length of the head's first rows, in units of PyTorch's default. From longer ones more "
        "runs get stuck.",
        label="Head start",
        advanced=True,
        batched=True,
        scale="log",
        ge=0.001,
        le=10,
        unit="of the default length",
    )
    whiten: bool = whiten_knob(False)
    mixing_layers: int = MIXING_LAYERS
    width: int = WIDTH
    depth: int = DEPTH
    batch: int = batch_knob(512, "Labelled observations a step, drawn afresh.", "observations")
    candidates: int | None = knob(
        None,
        "Labels that each softmax runs over beside the true one, drawn anew at every step. Where "
        "labels are many, all of them are most of the cost; the true posterior is best either way.",
        label="Candidates",
        advanced=True,
        scale="doubling",
        none="all labels",
        ge=8,
        le=4096,
        unit="labels",
    )
    steps: int = steps_knob(1200, le=50_000)
    learning_rate: float = rate_knob(0.03, le=0.3)

    @property
    def whole(self) -> bool:
        """Whether the clusters cover the sphere, so that the degree speaks of seen latents."""
        kappa = self.law.concentration
        tight = self.spread < 0.2 if kappa is None else kappa >= TIGHT
        spread_out = self.n_seen >= 4 * self.d and self.cluster_law == "uniform" and not tight
        return spread_out and self.space.curved

    def inactive(self) -> frozenset[str]:
        """Class labels have no instances, and every conditional its own parameters."""
        unread = Law.unread(self.conditional)
        return unread | {"n_instances"} if self.supervision == "class" else unread

    @property
    def n_labels(self) -> int:
        """Number of labels, rows of the head."""
        return self.n_clusters if self.supervision == "class" else self.n_instances

    @property
    def n_seen(self) -> int:
        """Clusters that have a label: fewer than there are when instances are too few."""
        return min(self.n_clusters, self.n_labels)

    @property
    def law(self) -> Law:
        """How latents lie around a cluster vector."""
        unread = Law.unread(self.conditional)
        return Law(
            self.conditional,
            kappa=self.kappa,
            shape=self.shape,
            spread=self.spread,
            truncation=None if "truncation" in unread else self.truncation,
            project=self.project,
        )

    @property
    def space(self) -> Space:
        """Where latents live."""
        return self.law.space(self.d)

    @property
    def unit_features(self) -> bool:
        """Whether f(x) is projected to the unit sphere."""
        return self.case in ("C1", "C2")

    @property
    def unit_weights(self) -> bool:
        """Whether the head's rows are."""
        return self.case in ("C1", "C3")


def quadric_count(d: int) -> int:
    """Clusters from which on the sphere is generically the only quadric through all v_c."""
    return d * (d + 3) // 2


def _too_few(params: Clusters) -> str:
    d, seen = params.d, params.n_seen
    return (
        f"{seen} clusters span only {seen - 1} of {d} directions by their differences "
        f"(d + 1 = {d + 1} are needed). Nothing in the labels tells the rest: see the split below."
    )


def _noisy(params: Clusters) -> str:
    words = f"{params.label_noise:.0%} of the labels are drawn anew, and the floor says so."
    if params.label_noise < 1 and params.n_seen > params.d + 1:
        words += " No linear head on d features is that posterior exactly."
    return words


def _not_vmf(params: Clusters) -> str:
    silent, law = "The conditional is not von Mises-Fisher: the theorem is silent.", params.law
    if not law.variance_is_finite:
        return f"{silent} With so few degrees of freedom latents have no variance to explain."
    if law.normal and not law.projected:
        return f"{silent} But normal log ratios are linear in z: a linear head can be exact."
    if law.isotropic:
        known = "⟨v, z⟩" if law.projected else "⟨v, z⟩ and |z|"
        return (
            f"{silent} But it has rotational symmetry, log p(z|v) is a function of {known}; what "
            "comes back is measured, not promised."
        )
    return (
        f"{silent} Its coordinates are independent, so log p(z|v) is not a function of ⟨v, z⟩, and "
        "no linear head can represent it."
    )


def _too_few_for_c3(params: Clusters) -> str:
    d, seen, needed = params.d, params.n_seen, quadric_count(params.d)
    if seen < 2 * d:
        return (
            f"Case C3 asks for 2d = {2 * d} clusters in the paper, and for d(d+3)/2 = {needed} by "
            f"this project's count; {seen} leave more solutions than rotations."
        )
    return (
        f"{seen} clusters meet the paper's condition for case C3 (2d = {2 * d}), but not the "
        f"generic count d(d+3)/2 = {needed}: minimisers that are not rotations exist "
        "(see When it breaks)."
    )


ASSUMPTIONS = (  # of Theorem 1C, whatever the case
    Assumption(
        "conditional",
        "a von Mises-Fisher conditional",
        lambda p: p.law.concentration is not None,
        _not_vmf,
    ),
    Assumption(
        "n_clusters",
        "d + 1 clusters with affinely independent vectors",
        lambda p: p.n_seen >= p.d + 1,
        _too_few,
    ),
    Assumption(
        "cluster_law",
        "cluster vectors whose differences span the space",
        lambda p: p.n_seen < p.d + 1 or p.cluster_law != "subspace",  # few are said above
        lambda p: (
            f"All cluster vectors lie in {p.d - 1} of {p.d} dimensions, so their differences "
            "do not span the space, however many there are."
        ),
    ),
    Assumption("label_noise", "labels without noise", lambda p: p.label_noise == 0, _noisy),
)
# from which on case C3 leaves a rotation alone, by this project's count
ROTATION = Assumption(
    "n_clusters",
    "d(d+3)/2 clusters",
    lambda p: p.case != "C3" or p.n_seen >= quadric_count(p.d),
    _too_few_for_c3,
)


def notices(params: Clusters) -> tuple[Notice, ...]:
    """What the visitor should know about a setting before reading its scores."""
    d, seen = params.d, params.n_seen
    found = []
    if seen < params.n_clusters:
        found.append(
            Notice(
                "n_instances",
                f"{params.n_instances} instances cannot cover {params.n_clusters} clusters: the "
                f"last {params.n_clusters - seen} never occur.",
            )
        )
    lost = lacking(ASSUMPTIONS, params)
    found += lost
    if not {"n_clusters", "cluster_law"} & {notice.field for notice in lost}:
        found += lacking((ROTATION,), params)
    if d + 1 < seen <= 2 * d:
        found.append(
            Notice(
                "n_clusters",
                f"With {seen} clusters the cluster-vector R² foretells each from the {seen - 1} "
                f"others by a fit of {d + 1} numbers a coordinate: read it with caution.",
            )
        )
    if params.law.concentration is not None and params.law.concentration >= TIGHT:
        found.append(
            Notice(
                "kappa",
                "Tight clusters hardly overlap, so few points tell where one lies to another. "
                "The theorem still holds; the optimiser has the trouble. Compare with raw x.",
            )
        )
    if params.mixing_layers == 0:
        found.append(
            Notice(
                "mixing_layers",
                "x = z: the raw observation scores 1 by construction. The question is where the "
                "objective's optimum lies.",
            )
        )
    return tuple(found)


def work(params: Clusters) -> float:
    """Floating-point operations of one run: the encoder forward and backward, and the logits."""
    sizes = [params.d, *[params.width] * params.depth, params.d]
    layers = sum(a * b for a, b in pairwise(sizes))
    logits = (params.candidates or params.n_labels) * (params.d + 4)
    rays = params.law.projected and not params.law.isotropic  # quadratures, for the floor
    floor = 1500.0 * judged(params) * params.n_seen * params.d if rays else 0.0
    return params.steps * 6.0 * params.batch * (layers + logits) + floor


def judged(params: Clusters) -> int:
    """Latents behind the loss and its floor: fewer where clusters or quadratures are many."""
    if params.law.concentration is not None:
        return min(MOST_JUDGED, MOST_JUDGED * 1000 // params.n_seen)
    return int(min(MOST_JUDGED, max(1024, 8_000_000 // (params.n_seen * params.d))))


def silent(params: Clusters) -> dict[str, str]:
    """Scores that say nothing of a setting, each with the reason."""
    if params.d not in (2, 3):
        return {"degree": "for d = 2 and 3"}
    if not params.space.curved:
        return {"degree": "does not apply: the latents fill the space"}
    if not params.whole:
        return {"degree": "does not apply: the clusters leave part of the sphere bare"}
    return {}


def promise(params: Clusters) -> Promise:
    """What Theorem 1C promises in this case; class labels are its case of one instance each.

    (Theorem 2C, on class labels, states only that h is linear.)
    """
    source = f"Reizinger et al. 2025, Theorem 1C, case {params.case}"
    if params.supervision == "class":
        source += ", with one instance a class"
    linear = Promise(
        up_to="linear",
        score="linear_r2",
        promised=("linear_r2", "v_r2"),
        statement="A minimiser of cross-entropy recovers the latents and the cluster vectors "
        "up to a linear map.",
        source=source,
        missing=tuple(each.words for each in missing(ASSUMPTIONS, params)),
        silent=silent(params),
    )
    if params.case == "C4":
        return linear
    if not ROTATION.holds(params):
        statement = linear.statement.removesuffix(".")
        more = f"{statement}; up to a rotation from {ROTATION.words} on, by this project's count."
        return replace(linear, statement=more)
    rows = () if params.case == "C2" else ("v_orthogonal_r2",)  # C2 leaves an offset
    return replace(
        linear,
        up_to="orthogonal",
        promised=("linear_r2", "orthogonal_r2", "v_r2", *rows),
        statement="A minimiser of cross-entropy recovers the latents and the cluster vectors up to "
        "a rotation or reflection and a scale.",
    )


SCENARIO = Scenario(
    name="clusters",
    title="vMF clusters",
    Params=Clusters,
    version=1,
    scored=2,
    promise=promise,
    notices=notices,
    work=work,
    scores=("linear_r2", "v_r2", "orthogonal_r2", "v_orthogonal_r2", "feature_norm", "degree"),
)
