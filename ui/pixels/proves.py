"""What a probe proves: asterisks of trained and untrained codes, and of noise."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import streamlit as st

from core.lessons import LESSONS
from core.lessons.probes import FEATURES
from core.metrics.significance import ALPHA, LEVELS
from core.scenarios.probes import TESTS
from ui import article, knobs, numbers, recovery, runner, seeds, sheet
from ui.window import address, turns

PREFIX = "probes"
SEED, SETS = f"{PREFIX}_draw", f"{PREFIX}_null"  # keys of the link
KINDS = {"fixed": "one balanced set", "redrawn": "a rare factor"}
SCORED = ("classifier_accuracy", "asterisks_published", "asterisks_corrected", "asterisks_fresh")
MOST_DRAWS = 20  # of the live null
scenario = LESSONS["probes"]
PAPER = "https://arxiv.org/abs/2410.21869"
BONFERRONI = "[Bonferroni’s correction](https://doi.org/10.1080/01621459.1961.10482090)"
CORRECTED = "[Nadeau and Bengio 2003](https://doi.org/10.1023/A:1024068626366)"
HOW = f"""
- Up and down are the factors, each as a question with two answers: is the digit’s ink above its
  median? Along is how often a probe is right on images that it was not fitted to; dashed, a coin.
- A colour is a code. The large dot is the first seed, and its bar holds 95 % of what other splits
  of the images give; small dots are the other seeds. Asterisks are the first seed’s.
- ✱: ten splits of the images into those that fit and those that test are right more often than a
  coin, by a t-test with p below {ALPHA:g} / {TESTS}: {TESTS} probes share the {ALPHA:.0%} that one
  alone may be wrong ({BONFERRONI}).
- ✱✱: they are so, too, when the test counts that the ten splits share their images, which makes
  their accuracies vary less than fresh images would ({CORRECTED}).
"""
ORIGIN = {"fixed": "the same ones, split ten times", "redrawn": "most are drawn anew every time"}


def part() -> article.Part:
    """The part of the page."""
    return article.Part("proves", "What a probe proves", article.alone(show), settings())


def settings() -> tuple[address.Settings, ...]:
    """The keys of the page's link for this scenario."""
    return (
        knobs.settings(scenario, PREFIX),
        *recovery.settings(sides=False, prefix=PREFIX),
        address.choice(SETS, KINDS, "Which images", "fixed", KINDS.get),
        address.choice(SEED, range(MOST_DRAWS), "The draw", 0),
    )


def show() -> None:
    """The figure of all codes, the live null, and a setting of the visitor's own."""
    st.markdown(
        f"A **probe** is a small classifier that is fitted to a code: if it tells a factor, the "
        f"code has it. [Figure 3 of Reizinger et al. 2025]({PAPER}) probes the codes of large "
        "networks for the factors of ImageNet-X, and gives a factor an **asterisk** ✱ where its "
        "probe is better than chance. Here the images are scikit-learn’s real digits, with ten "
        "factors measured on them, and beside the trained encoder stand codes that the figure "
        "lacks, and a test that holds its level."
    )
    st.caption(HOW)
    sheet.show(side_by_side())
    st.subheader("Noise, and what a test makes of it", anchor="null")
    null()
    st.subheader("A setting of your own", anchor="probes")
    article.second(scenario, PREFIX, draw)


def null() -> None:
    """The live null: how often each test takes noise for a factor."""
    left, right = st.columns([1, 2.4], gap="medium")
    with left:
        kind = st.radio("Images", list(KINDS), list(KINDS).index(address.get(SETS)),
                        format_func=KINDS.get, key=address.widget(SETS),
                        captions=list(ORIGIN.values()))  # fmt: skip
        drawn = int(address.get(SEED))
        st.button("Draw again", icon=":material/casino:", key=address.owned("draw"),
                  on_click=partial(address.put, SEED, (drawn + 1) % MOST_DRAWS))  # fmt: skip
        with turns.lent():
            p = on_noise(kind, drawn)
        rate = {name: float((values < LEVELS[0]).mean()) for name, values in p.items()}
        st.caption(
            f"{len(p['published'])} codes of pure noise have nothing to tell, so that every factor "
            f"found in one is an error. At the level {LEVELS[0]:g} (one in {1 / LEVELS[0]:.0f}) "
            f"the published test finds a factor in {rate['published']:.0%} of them, with its "
            f"variance corrected ({CORRECTED}) in {rate['corrected']:.0%}, an exact test of one "
            f"split in {rate['once']:.0%}. On the dashed line a test is wrong as often as it says; "
            "above it, more often. Bands: 95 % intervals of the shares."
        )
    with right:
        from core import figures

        sheet.figure("null", "Share of noise that a test takes for a factor, against its level.",
                     lambda: figures.wrongly(p), of=(kind, drawn), numbers="null")  # fmt: skip


@st.cache_data(show_spinner=False, max_entries=2 * MOST_DRAWS)
def on_noise(kind: str, draw: int) -> Mapping[str, np.ndarray]:
    """The p values of a draw."""
    from core.metrics import significance

    return significance.on_noise("fixed" if kind == "fixed" else "redrawn", seed=draw)


def draw(shown: runner.Shown, seed: int) -> None:
    """The numbers of one run, and the probes of every seed's code."""
    from core import figures

    run = recovery.Run.of(shown, shown.seed(seed))
    if run is None:
        st.caption("Not started yet.")
        return
    params = shown.experiment.params
    numbers.show(run, scenario.promise(params), only=SCORED, key=PREFIX)
    results = list(shown.results.values())
    if results and not shown.stale:
        code = str(getattr(params, "features", ""))
        sheet.figure("own_probes", "Accuracy of every factor's probe, with its asterisks.",
                     lambda: figures.probes({code: [r.scores for r in results]}),
                     of=(run.name, len(results)), numbers="own_probes")  # fmt: skip


@st.cache_data(show_spinner=False)
def side_by_side() -> list[sheet.Part]:
    """Every code's probes in one figure."""
    from core import figures

    found = {}
    for code, setting in FEATURES.items():
        stored = seeds.stored(scenario, setting)
        if not stored:
            return [sheet.NOT_STORED]
        found[code] = [record.scores for record in stored]
    drawn = figures.probes(found)
    return [sheet.drawing(drawn, "probes", "Accuracy of every factor's probe on five codes.")]


def counted() -> list[sheet.Part]:
    """The null of the first draw, as a claim shows it."""
    from core import figures

    drawn = figures.wrongly(on_noise("fixed", 0))
    return [sheet.drawing(drawn, "null", "Share of noise that a test takes for a factor.")]


FIGURES = {
    "probes": lambda: sheet.show(side_by_side()),
    "null": lambda: sheet.show(counted()),
}
