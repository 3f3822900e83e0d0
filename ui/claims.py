"""The claims of a page: numbered on the left, one open on the right with its picture.

The open one is in the link (`claim=NAME`). Presenter mode walks the same claims.
"""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite

import streamlit as st

from core.claimed import CLAIMS
from core.claims.claim import Claim, Exact, Exhibit, Found, Runs, gathered
from core.claims.drawn import Drawn
from core.command import spelt
from core.legend import baselines
from core.lessons import LESSONS, SETUPS
from core.scenarios.scenario import Params, Setup, Sweep, knobs_of
from ui import knobs, runner, seeds, sheet, story
from ui.window import address

CLAIM = "claim"
KINDS = {"theorem": "green", "published": "blue", "measured here": "orange", "conjecture": "violet"}
# of lessons that are not the first of their page: that page, its part with their knobs, and what
# their keys of the link begin with
PAGE = {"nonlinear": "gradient_reversal", "digits": "manifold_entropy", "probes": "pixels"}
PART = {"nonlinear": "nonlinear", "digits": "digits", "probes": "proves"}
PREFIX = {"nonlinear": "invariance", "digits": "digits", "probes": "probes"}
HEIGHT = 540  # pixels of the list
Figures = Mapping[str, Callable[[], None]]


def of(*lessons: str) -> list[Claim]:
    """The claims of some lessons, in their order."""
    return [claim for claim in CLAIMS.values() if claim.page in lessons]


def settings(*lessons: str) -> address.Settings:
    """The key of a page's link for the claim that is open."""
    return address.choice(CLAIM, [claim.name for claim in of(*lessons)], "The claim", None)


@st.cache_resource(show_spinner=False)
def _known() -> dict[str, Found]:
    return {}


def found(claim: Claim) -> Found:
    """What a claim's evidence comes to; computed once, when all of it is there."""
    known = _known()
    if claim.name not in known:
        result = gathered(claim, runner.store().record, runner.store().get)
        if result.verdict is None:
            return result
        known[claim.name] = result
    return known[claim.name]


def title(claim: Claim) -> str:
    """The statement in short: what its words set in bold."""
    return " ".join(found(claim).words.split("**")[1::2]).rstrip(".:, ")


def browser(lessons: Sequence[str], figures: Figures) -> None:
    """The claims of some lessons, and the open one with its picture.

    `figures` are those of the page's own, by the name that a claim gives them.
    """
    claims = of(*lessons)
    names = [claim.name for claim in claims]
    open_one = address.get(CLAIM) or names[0]
    state = address.owned(f"{CLAIM}.list")
    st.session_state[state] = open_one
    left, right = st.columns([1, 1.7], gap="medium")
    with left:
        st.caption(f"{len(claims)} claims")
    with left, st.container(height=HEIGHT, border=False, key="claims_list"):
        st.radio(
            "Claims", names, names.index(open_one), key=state, label_visibility="collapsed",
            format_func=lambda name: f"{names.index(name) + 1}. {title(CLAIMS[name])}",
            on_change=lambda: address.put(CLAIM, st.session_state[state]),
        )  # fmt: skip
    with right, st.container(key="claim"):
        show(CLAIMS[open_one], figures)


def show(claim: Claim, figures: Figures) -> None:
    """One claim: its words with their numbers, its picture, what it asks, where it fails."""
    told = found(claim)
    st.markdown(f"#### {told.words}" if len(told.words) < 90 else told.words)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(claim.kind, color=KINDS[claim.kind])
        st.caption(claim.source, width="content")
        opener(claim)
    st.markdown(told.because)
    if told.missing:
        st.caption(f":material/info: {len(told.missing)} of its runs are not stored here.")
        return
    picture(claim, told, figures)
    verdict = "It holds" if told.verdict else "It does not hold"
    label, group = claim.counter
    st.caption(f"{verdict} if {claim.holds}. {_counter(claim, label, group)} it fails.")


def _counter(claim: Claim, label: str, group: Exhibit) -> str:
    """What refutes a claim, put in the place of one of its groups, in words."""
    score, place = claim.written_by(group), f"in the place of “{label}”"
    before = claim.evidence[label]
    if isinstance(group, Exact):
        return f"With {score.title} {place}"
    if not isinstance(before, Exact) and group.setting == before.setting:
        return f"With {score.title} {place}"
    if isinstance(group, Drawn):
        return f"With {score.title} of codes at {knobs.said(group.setting) or 'rest'} {place}"
    named = LESSONS[group.lesson].presets_of(group.setting)
    said = knobs.said(group.setting) or "the defaults"
    return f"With runs {f'of “{named[0].title}”' if named else f'at {said}'} {place}"


def opener(claim: Claim) -> None:
    """The way from a claim to the setting it speaks of."""
    opens, lesson = claim.opens, SETUPS[claim.opens.lesson]
    if PAGE.get(opens.lesson, opens.lesson) != PAGE.get(claim.page, claim.page):
        link(claim, "Open its setting")
        return
    st.button(
        "Open in Explore", key=address.owned(f"open.{claim.name}"), type="tertiary",
        icon=":material/arrow_upward:", on_click=follow, args=(claim, lesson),
    )  # fmt: skip


def link(claim: Claim, label: str) -> None:
    """A link to the setting that a claim speaks of, from any page."""
    page = PAGE.get(claim.opens.lesson, claim.opens.lesson)
    st.page_link(f"pages/{page}.py", label=label, icon=":material/arrow_forward:",
                 query_params=query(claim), width="content")  # fmt: skip


def follow(claim: Claim, lesson: Setup) -> None:
    """Set the page to what a claim speaks of (a callback)."""
    prefix = PREFIX.get(claim.opens.lesson, "")
    if claim.opens.preset:
        chosen = next(p for p in lesson.presets if p.name == claim.opens.preset)
        knobs.apply(lesson, chosen, prefix)
    else:
        knobs.turn_to(lesson, claim.opens.params, None, prefix)
    story.show_picture()
    address.put(story.PART, PART.get(claim.opens.lesson, story.EXPLORE))


def query(claim: Claim) -> dict[str, str]:
    """The setting of a claim as the query of a link to its page."""
    opens = claim.opens
    if opens.preset:
        return preset_query(opens.lesson, opens.preset)
    prefix = PREFIX.get(opens.lesson, "")
    chosen = {knobs.key_of(name, prefix): spelt(value) for name, value in opens.params.items()}
    return _in_its_part(opens.lesson, chosen)


def preset_query(name: str, preset: str) -> dict[str, str]:
    """A lesson's preset as the query of a link to its page, be it the first lesson there or not."""
    lesson = SETUPS[name]
    found = next(each for each in lesson.presets if each.name == preset)
    return _in_its_part(name, knobs.query(lesson, found, PREFIX.get(name, "")))


def _in_its_part(lesson: str, chosen: dict[str, str]) -> dict[str, str]:
    """A query with the part of its page that has the lesson's knobs, where that is not Explore."""
    return {story.PART: PART[lesson], **chosen} if lesson in PART else chosen


def picture(claim: Claim, told: Found, figures: Figures) -> None:
    """What a claim shows: a figure of the page's own, a sweep, or its seeds as dots."""
    shows = claim.shows
    if shows.name in figures:
        figures[shows.name]()
    elif shows.picture == "sweep":
        _sweep(claim)
    elif shows.picture == "curves":
        _curves(claim)
    else:
        _dots(claim, told)


def _dots(claim: Claim, told: Found) -> None:
    """Every group as a row of dots, one picture a quantity."""
    for number, (name, groups) in enumerate(by_quantity(claim, told).items()):
        if any(groups.values()):
            from core import figures

            values = [value for group in groups.values() for value in group]
            best = 1.0 if name == "R²" and min(values) >= 0.5 else None
            sheet.figure(
                f"claim_{number}", f"{name} of {', '.join(groups)}, every seed a dot.",
                lambda groups=groups, name=name, best=best: figures.compare(groups, name, best),
                of=(claim.name,), numbers=claim.name,
            )  # fmt: skip


def by_quantity(claim: Claim, told: Found) -> dict[str, dict[str, list[float]]]:
    """The known values of every group by its label, by the quantity that they are values of."""
    found: dict[str, dict[str, list[float]]] = {}
    for label, values in told.values.items():
        score = claim.written_by(claim.evidence[label])
        known = [v for v in values if v is not None and isfinite(v)]
        found.setdefault(score.quantity, {})[label] = known
    return found


def _sweep(claim: Claim) -> None:
    """The shipped sweep that a claim rests on, by each of its scores."""
    from core import figures

    lesson, shows = LESSONS[claim.page], claim.shows
    swept = next(each for each in lesson.sweeps if _is(each, claim))
    runs = seeds.runs_of(lesson, swept)
    fields = knobs_of(lesson.Params)
    scores = shows.scores or (_own_score(claim, runs),)
    for score in scores:
        known = list(baselines(score, runs[0][1].scores)) if runs else []
        if shows.by:  # whose lines would each need a level of their own
            known = [n for n in known if not n.startswith("closed")]
        by = fields[shows.by] if shows.by else None
        marks = lesson.marks(runs[0][0].params, shows.name) if runs and not by else {}
        sheet.figure(
            f"claim_{score}", f"{score} against {fields[shows.name].label}, every seed a dot.",
            lambda score=score, known=known, by=by, marks=marks: figures.sweep(
                runs, fields[shows.name], score, known, by, marks=marks),
            of=(claim.name,), numbers=claim.name,
        )  # fmt: skip


def _own_score(claim: Claim, runs: Sequence[tuple]) -> str:
    """The claim's score where a sweep can draw it, else the first that the lesson's curves have."""
    there = runs[0][1].scores if runs else {}
    return claim.score if claim.score in there else LESSONS[claim.page].scores[0]


def _is(sweep: Sweep, claim: Claim) -> bool:
    shows = claim.shows
    by = sweep.by[0] if sweep.by else ""
    return (sweep.field, by, dict(sweep.params)) == (shows.name, shows.by, dict(shows.params))


def _curves(claim: Claim) -> None:
    """The claim's score over training, a line a run of each group."""
    from core import figures

    lines = {}
    steps = 0
    for label, group in claim.evidence.items():
        if not isinstance(group, Runs) or group.score not in ("", claim.score):
            continue
        for result in runner.stored(group.members()).values():
            lines[f"{label}, seed {result.member.seed}"] = (
                result.history_step, result.history[claim.score],
            )  # fmt: skip
            steps = max(steps, result.steps)
    score = claim.written_by(next(iter(claim.evidence.values()))).title
    bold = next(iter(lines))
    sheet.figure("claim_curves", f"{score} over training.",
                 lambda: figures.curves(lines, steps, score, {}, bold), of=(claim.name,),
                 numbers=claim.name)  # fmt: skip


def slides(lessons: Sequence[str], params: Params) -> None:
    """Presenter mode's way through the claims of a page: ← and → on the keyboard."""
    order = [c for c in of(*lessons) if c.opens.lesson == lessons[0]]
    now = CLAIMS.get(address.get(CLAIM) or "")
    if now not in order or now.opens.setting.chosen() != params.chosen():
        now = next((c for c in order if c.opens.setting.chosen() == params.chosen()), None)

    def go(step: int) -> None:
        at = order.index(now) if now else min(-step, 0)  # from a setting of one's own: the ends
        claim = order[(at + step) % len(order)]
        follow(claim, SETUPS[claim.opens.lesson])
        address.put(CLAIM, claim.name)

    def leave() -> None:
        address.put(address.PRESENT, False)

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="slides"):
        st.button("Previous", shortcut="Left", on_click=go, args=(-1,))
        st.button("Next", shortcut="Right", on_click=go, args=(1,))
        st.button("", icon=":material/close:", type="tertiary", help="Leave the presentation",
                  key=address.owned("leave"), shortcut="Esc", on_click=leave)  # fmt: skip
        st.markdown(found(now).words if now else "Your own setting.")


def best(names: Sequence[str]) -> None:
    """A few claims as links to their settings, each with its numbers."""
    for name in names:
        claim = CLAIMS[name]
        link(claim, title(claim))
        st.caption(found(claim).words.split("**", 2)[2].lstrip(":., "))
