"""The genealogy: settings as nodes, and arrows that say what one assumes in another's place.

After the lines that Hyvarinen, Sasaki and Turner 2019, Khemakhem et al. 2020, Zimmermann et al.
2021 and Reizinger et al. 2025 draw between their assumptions; further arrows are this project's
reading, and say by what claim they are seen to matter here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Ambiguity = Literal["permutation", "orthogonal", "linear", "invariance", "nothing"]
MEANING: Mapping[Ambiguity, str] = {
    "permutation": "each latent, up to order and a map of its own",
    "orthogonal": "latents up to a rotation or reflection",
    "linear": "latents up to a linear map",
    "invariance": "what a label cannot tell: its directions are left out",
    "nothing": "not the latents: many other codes fit as well",
}
POST = "the post “Anti-Diversity is All You Need”"
Half = Literal["signal", "nuisance"]  # whether the label says what to keep or what to lose


@dataclass(frozen=True)
class Node:
    """One setting: what is identified there, by which theorem, and where it runs here.

    `lesson` and `preset` name the run; without them `unrun` says in a sentence why not. `finds`
    says what is identified where `MEANING` is not the whole of it.
    """

    name: str
    title: str
    identified: Ambiguity
    source: str
    lesson: str = ""
    preset: str = ""
    unrun: str = ""
    half: Half = "signal"
    finds: str = ""

    @property
    def found(self) -> str:
        """What is identified, in words."""
        return self.finds or MEANING[self.identified]

    @property
    def runs(self) -> bool:
        """Whether it can be opened here."""
        return bool(self.lesson)


@dataclass(frozen=True)
class Arrow:
    """From a setting to one that narrows or trades its assumptions: how, and what shows it.

    `restricts` is short enough for an arrow, `words` says the same in a sentence. Without claims
    the special case does not run here.
    """

    general: str
    special: str
    restricts: str
    words: str
    claims: tuple[str, ...] = ()


def _node(name: str, title: str, identified: Ambiguity, source: str, at: str = "",
          **more: str) -> Node:  # fmt: skip
    lesson, _, preset = at.partition("/")
    return Node(name, title, identified, source, lesson, preset, **more)  # type: ignore[arg-type]


NODES: tuple[Node, ...] = (
    _node("ica", "Nonlinear ICA, one view", "nothing", "Hyvärinen and Pajunen 1999",
          "manifold_entropy/turned"),
    _node("columns", "Decoders with columns at right angles", "nothing",
          "Gresele et al. 2021; Galperin and Köthe 2025", "manifold_entropy/moons-mtc"),
    _node("interventions", "Interventions on latents", "permutation",
          "Squires et al. 2023; von Kügelgen et al. 2023",
          finds="each latent, and which causes which",
          unrun="No page here intervenes on latents: a causal graph between them is another "
          "subject."),
    _node("auxiliary", "Auxiliary variables (GCL)", "permutation",
          "Hyvärinen, Sasaki and Turner 2019", "auxiliary/pairs"),
    _node("tcl", "Time-contrastive learning", "permutation", "Hyvärinen and Morioka 2016",
          "auxiliary/segments"),
    _node("ivae", "iVAE", "permutation", "Khemakhem et al. 2020",
          unrun="It was tried on the sources of the page on auxiliary variables: better than x and "
          "than the same model without u, and short of the sources, which contrastive methods find "
          "in less time. So nothing is shown of it."),
    _node("slowvae", "SlowVAE", "permutation", "Klindt et al. 2021", "pixels/slow"),
    _node("sphere", "InfoNCE on a sphere", "orthogonal", "Zimmermann et al. 2021",
          "infonce_sphere/matched"),
    _node("box", "InfoNCE in a box", "permutation", "Zimmermann et al. 2021",
          "infonce_box/matched"),
    _node("pixels", "Pairs of pictures", "permutation", "Zimmermann et al. 2021",
          "pixels/laplace-walls"),
    _node("lejepa", "LeJEPA", "orthogonal", "Klindt, LeCun and Balestriero 2026",
          "lejepa/spiral"),
    _node("labels", "Labels by inner products", "linear", "Roeder, Metz and Kingma 2021",
          finds="two encoders’ codes agree up to a linear map",
          unrun="It compares two trained encoders with each other, and asks for no latents: DIET "
          "adds the world to it, and runs."),
    _node("diet", "Instances (DIET)", "linear", "Reizinger et al. 2025", "vmf_clusters/diet"),
    _node("supervised", "Classes", "linear", "Reizinger et al. 2025", "vmf_clusters/free"),
    _node("rotation", "Classes, unit weights", "orthogonal", "Reizinger et al. 2025, case C3",
          "vmf_clusters/unit_weights"),
    _node("align", "Alignment to a label", "linear", f"{POST}; Ganin et al. 2016",
          "gradient_reversal/align"),
    _node("reverse", "Gradient reversal", "invariance", f"{POST}; Ganin et al. 2016",
          "gradient_reversal/reverse", half="nuisance"),
    _node("bodies", "Reversal across bodies", "invariance", POST,
          "nonlinear/reverse", half="nuisance"),
)  # fmt: skip

ARROWS: tuple[Arrow, ...] = (
    Arrow("ica", "columns", "columns at right angles",
          "the columns of the decoder’s Jacobian stand at right angles, which rules some codes "
          "out, such as most turned ones, and leaves others",
          ("one-density-many-total-correlations", "right-angles-are-not-the-truth")),
    Arrow("ica", "interventions", "one intervention a latent",
          "latents need not be independent: they cause each other, and are intervened on, about "
          "one at a time"),
    Arrow("ica", "auxiliary", "independent given u, which varies",
          "a variable u is observed, such as time, a class or a second view; given u latents are "
          "independent, and their laws vary enough with it",
          ("pairs-with-the-segment-do-as-well", "equal-segments-tell-nothing")),
    Arrow("auxiliary", "tcl", "u is a segment; scales vary",
          "u is a segment of time, which is classified; latents are of an exponential family whose "
          "parameters, such as scales, vary between segments",
          ("segments-tell-sources-apart", "one-segment-more-than-sources")),
    Arrow("auxiliary", "ivae", "a prior given u; a likelihood",
          "the law of latents given u is a learnt prior of an exponential family, the loss a bound "
          "on the likelihood"),
    Arrow("auxiliary", "slowvae", "u is the view before; sparse steps",
          "u is the view before, steps from one to the next are sparse, the loss a bound on the "
          "likelihood",
          ("slowvae-takes-longer",)),
    Arrow("auxiliary", "sphere", "a second view; vMF on a sphere",
          "u is a second view whose latents are vMF around the first’s, which are uniform on a "
          "sphere: given u coordinates are not independent, so that a rotation is left",
          ("contrastive-learning-recovers", "caps-come-back-worse")),
    Arrow("auxiliary", "box", "a second view; p ≠ 2 in a box",
          "u is a second view at a distance of a norm p ≠ 2, in a convex body such as a box",
          ("boxes-give-their-axes", "no-walls-and-p-2-leave-a-rotation")),
    Arrow("auxiliary", "diet", "u is the instance; vMF clusters",
          "u is the number of an instance, each of a vMF cluster on a sphere: an exponential "
          "family of order one, so that a linear map is left",
          ("telling-instances-apart-recovers",)),
    Arrow("sphere", "lejepa", "Gaussian; a target law for negatives",
          "latents are Gaussian, and codes are held to a law of their own in the place of "
          "negatives",
          ("gaussian-latents-come-back-and-no-others", "whitening-is-enough-for-gaussian-latents",
           "infonce-has-no-peak-at-the-gaussian")),
    Arrow("box", "pixels", "g draws a picture", "the same, where g draws a picture of the latents",
          ("pictures-are-found-up-to-a-rotation",)),
    Arrow("labels", "diet", "a world: vMF clusters",
          "a world is assumed, of vMF clusters, so that codes can be compared with its latents",
          ("laplace-clusters-cost-latents",)),
    Arrow("diet", "supervised", "instances share labels",
          "all instances of a class share one label",
          ("classifying-clusters-recovers", "too-few-clusters-give-their-span")),
    Arrow("supervised", "rotation", "weights of unit length",
          "the weights of every class have unit length",
          ("unit-weights-leave-a-rotation", "the-count-of-clusters-for-a-rotation")),
    Arrow("supervised", "align", "a linear encoder, few directions",
          "the encoder is linear and small, and the label tells few directions, V: the code turns "
          "towards them",
          ("alignment-turns-to-the-nuisance",)),
    Arrow("align", "reverse", "the sign",
          "the sign of the same loss: the encoder now climbs what its adversary descends, and the "
          "code turns away from V",
          ("reversal-goes-blind", "the-sign-decides")),
    Arrow("align", "bodies", "the sign; a network, a body a label",
          "the sign again, where the encoder is a network and each label a body that shows the "
          "same content otherwise",
          ("reversal-hides-the-body",)),
)  # fmt: skip


def node(name: str) -> Node:
    """The node of this name (KeyError if there is none)."""
    return {each.name: each for each in NODES}[name]
