"""Flows of digits: what architectures leave their latents to share, and what a latent draws."""

from functools import partial

import numpy as np
import streamlit as st

from core.flows.linear import deviations
from core.legend import BASELINES, SCORES
from core.lessons import LESSONS
from core.lessons.digits import ARCHITECTURES, PRESERVING, RECONSTRUCTED
from core.scenarios.digits import CLASSES, MOVES, SHOWN, Digits
from core.scenarios.scenario import Params
from ui import article, knobs, numbers, recovery, runner, seeds, sheet
from ui.window import address

PREFIX = "digits"
DIGIT, LATENT = f"{PREFIX}_digit", f"{PREFIX}_latent"  # keys of the link
LINEAR = ("pca", "haar", "cholesky", "rotated")  # decoders of one Gaussian
SCORED = ("mtc_nats", "pairwise_mi_nats", "nll")
scenario = LESSONS["digits"]


def part() -> article.Part:
    """The part of the page."""
    return article.Part("digits", "Images of digits", article.alone(show), settings())


def settings() -> tuple[address.Settings, ...]:
    """The keys of the page's link for this scenario."""
    return (
        knobs.settings(scenario, PREFIX),
        *recovery.settings(sides=False, prefix=PREFIX),
        address.choice(DIGIT, range(CLASSES), "The digit", 0),
        address.choice(LATENT, range(1, SHOWN + 1), "The latent", 1),
    )


def show() -> None:
    """A flow at the visitor's choice, then all architectures in one table."""
    st.markdown(
        "Images have 64 latents instead of two, and the question is the same: which do much, and "
        "what do they share? Flows of **one size** see scikit-learn's 8 × 8 digits with a little "
        "noise. Each is read by the Jacobian of its decoder at latents of its prior."
    )
    article.second(scenario, PREFIX, draw, choices)
    st.subheader("Architectures side by side", anchor="architectures")
    sheet.show(compare())


def choices(params: Params) -> None:
    """Which digit the images are of, where the flow is told, and which latent moves."""
    if getattr(params, "by_class", False):
        st.segmented_control(
            "Digit", range(CLASSES), default=address.get(DIGIT), required=True,
            key=address.widget(DIGIT), label_visibility="collapsed",
        )  # fmt: skip
    st.slider(
        "Latent that moves, by entropy", 1, SHOWN, address.get(LATENT), format="rank %d",
        key=address.widget(LATENT), label_visibility="collapsed", width=150,
    )  # fmt: skip


def draw(shown: runner.Shown, seed: int) -> None:
    """The numbers of one run, its spectrum and pairs, and what its latents draw."""
    run = recovery.Run.of(shown, shown.seed(seed))
    if run is None:
        st.caption("Not started yet.")
        return
    params = shown.experiment.params
    assert isinstance(params, Digits)
    numbers.show(run, scenario.promise(params), only=SCORED, key=PREFIX)
    now = {name: array[-1] for name, array in run.moving.items()}
    if not np.isfinite(now["entropies"]).all():
        st.caption("This flow cannot be read: its Jacobians are not finite, or flat.")
        return
    done = None if run.live else (run.name,)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        st.markdown("**Which latents do much**")
        spectrum(run, now, params, done)
    with right:
        st.markdown("**What pairs of latents share**")
        pairs(now, params, done)
    latent = address.get(LATENT) - 1
    digit = min(address.get(DIGIT), len(now["columns"]) - 1)
    left, right = st.columns(2, gap="medium")
    with left:
        columns(now, digit, done)
    with right:
        traversal(now, digit, latent, done)
    results = list(shown.results.values())
    if not shown.stale and len(results) == len(shown.experiment.members):
        st.markdown(seeds.tally(results, scenario.promise(params)))


def spectrum(
    run: recovery.Run, now: dict[str, np.ndarray], params: Digits, done: tuple | None
) -> None:
    """Sorted manifold entropies beside those of the principal axes; scales where there are any."""
    from core import figures

    ruler = run.world["pca_entropies"]
    sheet.figure(
        "digits_spectrum", "Manifold entropies, sorted, beside the linear ruler's.",
        lambda: figures.spectrum({"flow": (now["entropies"], None)}, ruler),
        of=done, numbers="digits_spectrum" if done else None,
    )  # fmt: skip
    if params.architecture == "gin":
        st.markdown("**What their scales tell of that**")
        sheet.figure(
            "digits_scales", "Manifold entropy of every latent against its standard deviation.",
            lambda: figures.scales(deviations(now["deviations"]), now["entropies"]),
            of=done, numbers="digits_scales" if done else None,
        )  # fmt: skip


def pairs(now: dict[str, np.ndarray], params: Digits, done: tuple | None) -> None:
    """The pairwise matrix in the order of the architecture."""
    from core import figures

    blocks = params.levels if len(params.levels) > 1 else ()
    sheet.figure(
        "digits_pairs", "What each pair of latents shares, in nats, in the architecture's order.",
        partial(figures.pairs, now["pairs"], blocks),
        of=done, numbers="digits_pairs" if done else None,
    )  # fmt: skip


def columns(now: dict[str, np.ndarray], digit: int, done: tuple | None) -> None:
    """Averaged columns of the Jacobian: what a latent adds to the image."""
    from core import figures

    st.markdown("**What a latent adds, on average** (latent: its entropy)")
    top = now["top"].astype(int).tolist()
    sheet.figure(
        "digits_columns", "Averaged columns of the Jacobian as images, of latents by entropy.",
        lambda: figures.columns(now["columns"][digit], top, now["entropies"][top]),
        of=done and (*done, digit), numbers="digits_columns" if done else None,
    )  # fmt: skip


def traversal(now: dict[str, np.ndarray], digit: int, latent: int, done: tuple | None) -> None:
    """Images from one latent's moves, the others at 0, and a few samples."""
    from core import figures

    st.markdown(f"**Latent {int(now['top'][latent])} from −3 to 3**, the others at 0")
    sheet.figure(
        "digits_traversal", "Images decoded from one latent's values, the others at 0.",
        lambda: figures.traversal(now["traversals"][digit, latent], MOVES),
        of=done and (*done, digit, latent), numbers="digits_traversal" if done else None,
    )  # fmt: skip
    st.markdown("**Samples**")
    few = now["samples"][digit]
    sheet.figure(
        "digits_samples", "Images decoded from latents of the prior.",
        partial(figures.samples, few),
        of=done and (*done, digit), numbers="digits_samples" if done else None,
    )  # fmt: skip


def own_figure(name: str) -> None:
    """A figure of a claim, by its name."""
    sheet.show({"architectures": compare, "cliff": cliff, "hidden": hidden}[name]())


ONE_SEED = sheet.Words("Drawn: seed 0. The numbers above are of all seeds.")
FIGURES = {name: partial(own_figure, name) for name in ("architectures", "cliff", "hidden")}


@st.cache_data(show_spinner=False)
def cliff() -> list[sheet.Part]:
    """Spectra of one seed with and without reconstruction, beside the linear ruler's."""
    from core import figures

    settings = {"likelihood": ARCHITECTURES["plain coupling"], "reconstruction": RECONSTRUCTED}
    runs = {words: seeds.runs(scenario, setting, (0,)) for words, setting in settings.items()}
    if not all(runs.values()):
        return [sheet.NOT_STORED]
    found = {words: (of[0].moving["entropies"][-1], None) for words, of in runs.items()}
    ruler = next(iter(runs.values()))[0].world["pca_entropies"]
    drawn = figures.spectrum(found, ruler)
    return [
        sheet.drawing(drawn, "cliff", "Sorted entropies with and without reconstruction."),
        ONE_SEED,
    ]


@st.cache_data(show_spinner=False)
def hidden() -> list[sheet.Part]:
    """Entropies against scales of one seed of the flow that keeps volume."""
    from core import figures

    drawings = [
        sheet.drawing(
            figures.scales(deviations(run.moving["deviations"][-1]), run.moving["entropies"][-1]),
            "hidden", "Manifold entropy of every latent against its standard deviation.",
        )
        for run in seeds.runs(scenario, PRESERVING, (0,))
    ]  # fmt: skip
    return [*drawings, ONE_SEED] if drawings else [sheet.NOT_STORED]


@st.cache_data(show_spinner=False)
def compare() -> list[sheet.Part]:
    """All architectures in one table, under the linear ruler."""
    names = ("mtc_nats", "pairwise_mi_nats", "nll")
    rows, rulers = [], []
    for words, setting in ARCHITECTURES.items():
        results = seeds.stored(scenario, setting)
        if not results:
            return [sheet.NOT_STORED]
        spans = {
            SCORES[name].title: seeds.span_of([r.scores[name] for r in results], name)
            for name in names
        }
        rows.append({"decoder": words, "seeds": str(len(results)), **spans})
        rulers += results if setting == {} else []
    likelihood = seeds.span_of([r.scores["gaussian_nll"] for r in rulers], "nll")
    for kind in LINEAR:
        correlated = seeds.span_of([r.scores[f"{kind}_mtc_nats"] for r in rulers], "mtc_nats")
        row = {"decoder": BASELINES[kind], "seeds": str(len(rulers))}
        rows.append({**row, SCORES["mtc_nats"].title: correlated, SCORES["nll"].title: likelihood})
    said = (
        "The last rows are a ruler: one Gaussian for each digit's deviations, and four linear "
        "decoders of it, with one likelihood and very different total correlations. Likelihoods "
        "are of images that no flow saw; each seed splits them anew."
    )
    return [sheet.frame(rows), sheet.Words(said)]
