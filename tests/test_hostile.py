"""Anybody's text in links and flags: always a sentence, never a traceback or a run nobody meant."""

import asyncio
import os
import string
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from benches import apart
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from visitors import TRAINED, Session, gone, most_of
from visits import HOME, MAP, PAGES, PAPERS, opened, own

import core.__main__ as shell
from core.run.experiment import MOST_MEMBERS, Experiment
from core.scenarios import SCENARIOS
from core.scenarios.scenario import knobs_of
from ui import runner

EXAMPLES = int(os.environ.get("EXPLORER_FUZZ", "200"))  # `make load` asks for 10,000
SCORES = "pages/scores.py"
EVERY = (HOME, SCORES, PAPERS, MAP, *PAGES)
fuzzed = settings(max_examples=EXAMPLES, deadline=None, database=None,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
NASTY = (
    "", " ", "nan", "-nan", "inf", "-inf", "1e999", "-1e999", "1e-999", "9" * 400, "9" * 5000,
    "-1", "0", "0x10",
    "1_000", "٣", "½", "None", "null", "true", "True", "[]", "{}", "../../etc/passwd", "/dev/zero",
    "C:\\con", "a\x00b", "\n", "\u202e", "🙂" * 50, "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "';--", "{{7*7}}", "%s%n", "`x`", "$\\input{x}$", "1,2,,3",
    ",", "--seeds", "-h", "=", "1e3", "+5", "5.0", "1e2000000", "x" * 10_000,
)  # fmt: skip
texts = some.one_of(
    some.sampled_from(NASTY), some.text(max_size=60), some.integers().map(str),
    some.floats().map(repr), some.text(string.digits + ".,-+e", max_size=12),
)  # fmt: skip


@cache
def links(page):
    """The settings that a page declares, each group once, as after a first visit."""
    at = opened(page)
    assert not at.exception
    groups = at.session_state["_pages"][at.session_state["_page"]].declared.values()
    return list({id(group): group for group in groups}.values())


@pytest.mark.usefixtures("nothing_trains")
@pytest.mark.parametrize("page", EVERY)
def test_whatever_a_link_says_is_taken_or_refused_in_a_sentence(page):
    groups = links(page)
    keys = [key for group in groups for key in group.rest]
    assert keys

    for key in keys:
        for text in NASTY:
            _followed(groups, {key: text})

    @fuzzed
    @given(some.dictionaries(some.sampled_from(keys), texts, max_size=len(keys)))
    def follow(link):
        _followed(groups, link)

    follow()


def _followed(groups, link):
    for group in groups:
        asked = {key: text for key, text in link.items() if key in group.rest}
        taken, sentences = group.take(asked)
        assert taken.keys() <= group.rest.keys()
        for key, value in taken.items():
            assert not isinstance(value, float) or abs(value) < 1e300  # nor is it not a number
            again, none = group.take({key: group.write(key, value)})
            assert again.get(key, group.rest[key]) == value or none or sentences
        for sentence in sentences:
            assert 0 < len(sentence) < 600 and "\n" not in sentence


@pytest.mark.usefixtures("nothing_trains")
@pytest.mark.parametrize("page", EVERY)
def test_a_page_stands_whatever_its_link_says(page):
    keys = [key for group in links(page) for key in group.rest]
    for i, shift in enumerate((0, 11, 23)):
        link = {key: NASTY[(j + shift) % len(NASTY)] for j, key in enumerate(keys)}
        at = opened(page, **link, **{f"unknown{i}": "<b>x</b>"})
        assert not at.exception and not at.error  # nor a word of ui/window/door.py
        for text in (*at.markdown, *at.caption, *at.warning, *at.error, *at.info):
            assert "<script" not in text.value or not getattr(text.proto, "allow_html", False)


@pytest.mark.usefixtures("nothing_trains")
@pytest.mark.parametrize("page", PAGES)
def test_a_link_for_the_most_of_everything_starts_nothing_that_is_long(page):
    at = opened(page, **dict(parse_qsl(most_of(Path(page).stem))))
    assert not at.exception and not at.error
    begun = [job.experiment.members for job in runner.engine()._jobs.values()]
    assert all(runner._quick(members) for members in begun)  # what was refused is at rest
    assert begun or any(button.key == own(at, "run.train") for button in at.button)


def test_links_for_the_most_of_everything_all_at_once_are_drawn_and_begin_nothing_long(server):
    """One a page; sixty by `make load`."""
    sessions = [Session(server, page, most_of(page)) for page in TRAINED]

    async def visit():
        with gone(sessions):
            await asyncio.gather(*(session.open() for session in sessions))

    apart(visit)
    for session in sessions:
        assert session.pictured and not session.faults, session.page
        assert session.button or session.polls, session.page  # offered, or begun as it is short
    assert sum(bool(session.button) for session in sessions) >= len(TRAINED) - 1


@fuzzed
@given(some.sampled_from(list(SCENARIOS)), some.data())
def test_whatever_a_flag_says_is_taken_or_refused_in_a_line(name, data):
    flags = [shell.flag(each) for each in knobs_of(SCENARIOS[name].Params)]
    chosen = data.draw(some.lists(some.tuples(some.sampled_from(flags), texts), max_size=4))
    seeds = data.draw(some.lists(texts, max_size=3))
    words = [name, *(word for pair in chosen for word in pair)]
    words += ["--seeds", *seeds] if seeds else []
    verb = data.draw(some.sampled_from(["run", "sweep"]))
    if verb == "sweep":
        words += ["--vary", *data.draw(some.lists(texts | some.just("steps=1,2"), max_size=2))]
    try:
        experiment = shell.asked(verb, words)[1]
    except SystemExit as ended:
        assert ended.code in (0, 2)
    else:
        assert isinstance(experiment, Experiment) and 0 < len(experiment.members) <= MOST_MEMBERS


@fuzzed
@given(some.lists(texts, max_size=4))
def test_whatever_a_verb_is_there_is_a_line(words):
    if words and words[0] in ("list", "bench", "gallery", "claims", "measure", "papers", "score"):
        return
    try:
        assert shell.main(words) == 0
    except SystemExit as ended:
        assert ended.code in (0, 2)
