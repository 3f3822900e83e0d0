"""How many each theorem asks for, live, over what was measured with so many."""

import streamlit as st

from core.colours import ROLE
from core.family.counting import (
    CONDITIONS,
    CURVES,
    LEAST,
    MOST,
    MOST_STATISTICS,
    Condition,
    Curve,
    Runs,
    suffices_from,
    verdict,
)
from core.lessons import LESSONS
from core.scenarios.scenario import Sweep, in_words
from ui import seeds, sheet
from ui.window import address

N, K = "n", "k"
INK = {"z_hat": "orange", "v": "green", "z": "blue"}  # Streamlit's nearest to a role's colour
SETTINGS = (
    address.choice(N, range(LEAST, MOST + 1), "The number of latents", 3),
    address.choice(K, range(1, MOST_STATISTICS + 1), "Statistics a latent", 2),
)


def show() -> None:
    """The knobs, the counts, and the curves of this many latents."""
    side, main = st.columns([1, 3.6], gap="medium")
    with side:
        st.markdown(
            "Theorems ask for enough values of what is observed beside $x$: segments, labels, "
            "clusters. How many, depends on how many latents there are. Does it take so many?"
        )
        st.slider("Latents $n$", LEAST, MOST, address.get(N), key=address.widget(N),
                  help="How many there are, and as many codes.")  # fmt: skip
        st.slider("Statistics a latent $k$", 1, MOST_STATISTICS, address.get(K),
                  key=address.widget(K),
                  help="Of its law given u: 1 where only a scale varies, 2 where a mean does "
                  "as well.")  # fmt: skip
    n, k = address.get(N), address.get(K)
    with main:
        _drawn(n, k)


def _drawn(n: int, k: int) -> None:
    """Every theorem's count on one axis, over the curves that are shipped at this n."""
    from core import figures

    theorems = [
        figures.Asked(_named(each), each.count(n, k), each.identifies, each.source, each.measured,
                      ROLE[CURVES[each.measured].role if each.measured else "theory"])
        for each in CONDITIONS
    ]  # fmt: skip
    found = {name: runs for name, curve in CURVES.items() if (runs := measured(curve, n))}
    sheet.figure(
        "asked", "A line a theorem: how many it asks for.", lambda: figures.asked(theorems),
        of=(n, k), numbers="counts",
    )  # fmt: skip
    if not found:
        st.caption(f"Measured here at n = {in_words([str(d) for d in at()])}: no runs of {n} "
                   "latents are shipped.")  # fmt: skip
        return
    curves = [
        figures.Measured(name, CURVES[name].title, ROLE[CURVES[name].role], runs)
        for name, runs in found.items()
    ]
    for name, runs in found.items():
        st.markdown(_said(name, runs, n, k))
    sheet.figure(
        "measured", "Scores against how many there are, every seed a dot, counts asked dashed.",
        lambda: figures.against_count(curves, theorems), of=(n, k), numbers="measured",
    )  # fmt: skip
    st.caption(
        "Dashed: the counts that theorems on these curves ask for. Every seed is a dot; one far "
        "below the others of its count got stuck: then training fails, and not the count. A "
        "theorem speaks of minimisers, these runs have a budget: with few labels they may need "
        "more steps."
    )


def _said(name: str, runs: Runs, n: int, k: int) -> str:
    """From how many on every run has its latents, and what that says of what theorems ask for."""
    curve = CURVES[name]
    asking = [each for each in CONDITIONS if each.measured == name]
    least = suffices_from(runs, curve.bound)
    from_on = "at none of these counts" if least is None else f"from {least} on"
    verdicts = [
        f"{each.formula} = {count}: {verdict(runs, count, curve.bound)}"
        for each in asking
        for count in (each.count(n, k),)
    ]
    return (
        f":{INK[curve.role]}[**{curve.title[:1].upper() + curve.title[1:]}**] is at least "
        f"{curve.bound:g} in every run {from_on} ({asking[0].counts} measured: "
        f"{in_words([str(count) for count in sorted(runs)])}). {'; '.join(verdicts)}."
    )


def measured(curve: Curve, n: int) -> dict[int, list[float]]:
    """The curve's score of shipped runs of n latents, every seed's, by how many were counted."""
    lesson = LESSONS[curve.lesson]
    found: dict[int, list[float]] = {}
    for sweep in lesson.sweeps:
        if _belongs(sweep, curve):
            for member, record in seeds.runs_of(lesson, sweep):
                score = record.scores.get(curve.score)
                if member.params.d == n and score is not None:
                    found.setdefault(getattr(member.params, curve.counts), []).append(score)
    return found


def at() -> list[int]:
    """The numbers of latents with shipped runs."""
    return [n for n in range(LEAST, MOST + 1) if any(measured(c, n) for c in CURVES.values())]


def _belongs(sweep: Sweep, curve: Curve) -> bool:
    """Whether a sweep counts what the curve counts, and varies nothing else but the latents."""
    by = sweep.by[0] if sweep.by else "d"
    rest = {name: value for name, value in sweep.params.items() if name != "d"}
    return sweep.field == curve.counts and by == "d" and rest == dict(curve.params)


def _named(each: Condition) -> str:
    """A theorem's line: how many of what, and whose it is."""
    own = "" if each.short == each.counts else f" ({each.short})"
    return f"{each.formula} {each.counts}{own}"
