"""The map: an acyclic family whose every box and arrow says what is true here, and how many."""

import graphlib
import re
from urllib.parse import parse_qsl

import pytest
from visits import HOME, MAP, opened

from core.claimed import CLAIMS
from core.family.counting import (
    CONDITIONS,
    CURVES,
    LEAST,
    MOST,
    MOST_STATISTICS,
    suffices_from,
    verdict,
)
from core.family.nodes import ARROWS, MEANING, NODES, node
from core.lessons import LESSONS
from ui import story
from ui.map import counting, graph

LINKS = re.findall(r'URL="([^"]+)"', graph.dot())


def test_the_family_has_no_circle_and_every_arrow_its_ends():
    names = [each.name for each in NODES]
    assert len(set(names)) == len(names)
    order = graphlib.TopologicalSorter({each.name: set() for each in NODES})
    for arrow in ARROWS:
        assert {arrow.general, arrow.special} <= set(names)
        order.add(arrow.special, arrow.general)
    order.prepare()  # CycleError where there is one
    roots = set(names) - {arrow.special for arrow in ARROWS}
    assert roots == {"ica", "labels"}


@pytest.mark.parametrize("each", NODES, ids=lambda each: each.name)
def test_a_box_says_what_its_setting_promises_or_why_it_does_not_run(each):
    assert each.identified in MEANING and each.source
    assert bool(each.unrun) != each.runs
    if not each.runs:
        return
    lesson = LESSONS[each.lesson]
    preset = next(preset for preset in lesson.presets if preset.name == each.preset)
    promise = lesson.promise(lesson.Params.model_validate(dict(preset.params)))
    if each.identified == "nothing":
        assert promise.missing
    else:
        assert promise.up_to == each.identified


@pytest.mark.parametrize("arrow", ARROWS, ids=lambda arrow: f"{arrow.general}-{arrow.special}")
def test_an_arrow_to_what_runs_is_shown_by_claims_that_hold_and_can_fail(arrow):
    assert len(arrow.restricts) < len(arrow.words)
    assert bool(arrow.claims) == node(arrow.special).runs
    pages = {node(arrow.special).lesson, node(arrow.general).lesson}
    for name in arrow.claims:
        claim = CLAIMS[name]  # whose evidence and counter tests/test_claims.py holds
        assert claim.counter
        if node(arrow.special).name != "diet" or arrow.general != "labels":
            assert claim.page in pages


def test_the_graph_has_every_box_and_arrow_and_links_what_runs():
    drawn = graph.dot()
    assert drawn.count(" -> ") == len(ARROWS)
    assert len(LINKS) == sum(each.runs for each in NODES)
    assert all(f"\n{each.name} [" in drawn for each in NODES)
    assert drawn.count("dashed") == sum(not each.runs for each in NODES)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link[:60])
def test_every_link_of_the_map_opens_its_setting(link):
    page, _, query = link.partition("?")
    assert page in story.TITLES  # an address that is none would open the first page
    at = opened(f"pages/{page}.py", **dict(parse_qsl(query)))
    assert not at.exception and not at.warning and not at.error
    assert at.title[0].value != opened(HOME).title[0].value


def test_the_same_in_words_names_every_box_and_arrow():
    at = opened(MAP, part="words")
    assert not at.exception
    said = " ".join(each.value for each in at.markdown)
    for each in NODES:
        assert each.title in said and each.found in said and each.source in said
        assert each.unrun in said
    for arrow in ARROWS:
        assert arrow.words in said
    links = [each for each in at.main if each.type == "page_link"]
    assert len(links) == sum(each.runs for each in NODES)


@pytest.mark.parametrize("page", [HOME, MAP])
def test_the_map_is_on_its_page_and_on_the_first(page):
    at = opened(page)
    assert not at.exception
    (drawn,) = [each.proto for each in at.main if each.type == "graphviz_chart"]
    assert drawn.spec == graph.dot() and drawn.alt


def test_counts_are_those_of_the_theorems():
    at_three = {each.name: each.count(3, 2) for each in CONDITIONS}
    assert at_three == {"interventions": 3, "tcl": 4, "labels": 4, "clusters": 4, "ivae": 7,
                        "rotation": 6, "gcl": 7, "quadrics": 9}  # fmt: skip
    for n in range(LEAST, MOST + 1):
        for k in range(1, MOST_STATISTICS + 1):
            counts = {each.name: each.count(n, k) for each in CONDITIONS}
            assert counts["gcl"] == n * 2 + 1 and counts["ivae"] == n * k + 1
            assert counts["quadrics"] >= counts["rotation"] + (n > 2) - (n == 2)
            assert max(counts.values()) <= 110  # what the axis holds


def test_what_runs_say_of_a_count():
    runs = {2: [0.5, 0.6], 4: [0.9, 0.97], 8: [0.96, 0.99], 16: [0.99, 1.0]}
    assert suffices_from(runs, 0.95) == 8
    assert suffices_from({2: [0.99], 4: [0.1]}, 0.95) is None
    assert verdict(runs, 4, 0.95) == "too few here"
    assert verdict(runs, 8, 0.95) == "it bites: fewer do not"
    assert verdict(runs, 16, 0.95) == "slack: fewer do here"
    assert verdict(runs, 5, 0.95) == "not measured at that count"
    assert verdict({8: [0.99]}, 8, 0.95) == "enough"


@pytest.mark.parametrize("name", CURVES)
def test_every_curve_has_shipped_runs_on_both_sides_of_its_bound(name):
    curve = CURVES[name]
    found = {n: runs for n in range(LEAST, MOST + 1) if (runs := counting.measured(curve, n))}
    assert len(found) >= 2
    scores = [score for runs in found.values() for each in runs.values() for score in each]
    assert min(scores) < curve.bound < max(scores)
    assert all(len(each) >= 3 for runs in found.values() for each in runs.values())


@pytest.mark.parametrize("n", [2, 3, 5, 7])
def test_the_counts_are_drawn_for_every_number_of_latents(n):
    at = opened(MAP, part="counting", n=str(n))
    assert not at.exception and not at.warning
    said = " ".join(each.value for each in (*at.markdown, *at.caption))
    assert ("at least 0.95" in said) == (n in counting.at())
    assert ("no runs of 7 latents are shipped" in said) == (n == 7)


def test_a_count_that_is_not_offered_is_refused_in_words():
    at = opened(MAP, part="counting", n="1000000")
    assert not at.exception and any("latents" in each.value for each in at.warning)
