"""The way between pages in a browser: number, knob, command and address are one thing."""

import re
from dataclasses import dataclass
from itertools import permutations
from urllib.parse import parse_qsl, urlparse

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect
from test_browser import PATIENCE, browser, number, page, pytestmark, server

from core.experiment import Member
from core.legend import SCORES
from core.lessons import LESSONS
from core.store import GALLERY, Store

__all__ = ["browser", "page", "pytestmark", "server"]  # fixtures and marks


@dataclass(frozen=True)
class Stop:
    """A page on the tour, a preset that moves a knob which other pages have too, and that knob."""

    menu: str
    preset: str
    field: str
    score: str


STOPS = {
    "infonce_sphere": Stop("InfoNCE on a sphere", "five", "d", "linear_r2"),
    "vmf_clusters": Stop("vMF clusters", "tight", "kappa", "linear_r2"),
    "gradient_reversal": Stop("Gradient reversal", "eight", "d", "angle_to_v_perp_deg"),
    "laplace_violation": Stop("Laplace violation", "between", "shape", "linear_r2"),
}
HOME = "Identifiability Explorer"


def settled(page: Page) -> None:
    """Until the page has been drawn to its end, without a traceback and with no word of failure."""
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')"
        "?.dataset.testScriptState === 'notRunning' && document.querySelector('h1')"
    )
    page.wait_for_timeout(250)
    expect(page.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENCE
    )
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.get_by_text("could not be drawn").count() == 0


def preset_of(name: str):
    lesson = LESSONS[name]
    return next(p for p in lesson.presets if p.name == STOPS[name].preset)


def link_of(page: Page) -> tuple[str, dict[str, str]]:
    address = urlparse(page.url)
    return address.path.strip("/"), dict(parse_qsl(address.query, keep_blank_values=True))


def expect_setting(page: Page, name: str, preset: bool) -> None:
    """The four places that say what is set: the address, a knob, the command and the number."""
    settled(page)
    stop, lesson = STOPS[name], LESSONS[name]
    chosen = dict(preset_of(name).params) if preset else dict(lesson.start)
    params = lesson.Params.model_validate(chosen)
    at_start = lesson.at_start()
    wanted = {
        field: f"{getattr(params, field):g}"
        if isinstance(getattr(params, field), float)
        else str(getattr(params, field)).lower()
        for field in lesson.Params.model_fields
        if getattr(params, field) != getattr(at_start, field)
    }
    assert link_of(page) == (name, wanted)
    label = lesson.controls()[stop.field].label
    knob = page.get_by_role("slider", name=re.compile(re.escape(label))).first
    assert float(knob.get_attribute("aria-valuetext")) == getattr(params, stop.field)
    command = page.locator("[data-testid=stCode]").last.inner_text()
    assert f"run {lesson.name}" in command
    for field, value in params.chosen().items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            assert re.search(rf"--{field.replace('_', '-')} {value:g}\b", command), command
    flags = {flag.replace("-", "_") for flag in re.findall(r"--([a-z-]+)", command)}
    assert flags - {"seeds"} <= {*params.chosen(), *(f"no_{f}" for f in params.chosen())}
    result = Store(gallery=GALLERY).get(Member(lesson.name, params, 0))
    assert result is not None
    title = SCORES[stop.score].title
    assert number(page, title) == SCORES[stop.score].written(result.scores[stop.score])
    lit = page.locator("button[kind=primary]").first.inner_text()
    assert not preset or lit == preset_of(name).title


def menu(page: Page, words: str) -> None:
    page.locator("[data-testid=stTopNavLink]", has_text=words).click()


def steps(page: Page) -> int:
    return page.evaluate("history.length")


def click_preset(page: Page, name: str) -> None:
    page.get_by_role("button", name=preset_of(name).title, exact=True).first.click()
    page.wait_for_function("() => location.search.length > 1")


@pytest.mark.parametrize(("here", "there"), permutations(STOPS, 2))
def test_each_page_keeps_its_own_setting_on_the_way_to_another_and_back(server, page, here, there):
    page.goto(f"{server}/{here}")
    settled(page)
    click_preset(page, here)
    expect_setting(page, here, preset=True)
    before = steps(page)
    menu(page, STOPS[there].menu)
    page.wait_for_function("name => location.pathname.endsWith(name)", arg=there)
    expect_setting(page, there, preset=False)
    assert steps(page) == before + 1
    page.go_back()
    page.wait_for_function("name => location.pathname.endsWith(name)", arg=here)
    expect_setting(page, here, preset=True)
    menu(page, STOPS[there].menu)
    page.wait_for_function("name => location.pathname.endsWith(name)", arg=there)
    settled(page)
    menu(page, STOPS[here].menu)  # finds the page as it was left, and the address says so
    page.wait_for_function("name => location.pathname.endsWith(name)", arg=here)
    page.wait_for_function("() => location.search.length > 1")
    expect_setting(page, here, preset=True)


@pytest.mark.parametrize("name", STOPS)
def test_a_link_means_the_same_after_a_reload_and_in_another_browser(server, browser, page, name):
    page.goto(f"{server}/{name}")
    settled(page)
    before = steps(page)
    click_preset(page, name)
    expect_setting(page, name, preset=True)
    assert steps(page) == before + 1  # one click, one step of history
    page.reload()
    expect_setting(page, name, preset=True)
    page.go_back()
    page.wait_for_function("() => location.search.length <= 1")
    expect_setting(page, name, preset=False)
    page.go_forward()
    page.wait_for_function("() => location.search.length > 1")
    expect_setting(page, name, preset=True)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    other = context.new_page()
    other.set_default_timeout(PATIENCE)
    other.goto(page.url)
    expect_setting(other, name, preset=True)
    context.close()


def test_back_and_forward_walk_through_the_knobs_one_step_a_time(server, page):
    page.goto(f"{server}/infonce_sphere")
    settled(page)
    seen = []
    for title in ("Too cold", "Too warm", "Circle"):
        page.get_by_role("button", name=title, exact=True).click()
        page.wait_for_function(
            "title => [...document.querySelectorAll('button[kind=primary]')]"
            ".some((b) => b.innerText === title)",
            arg=title,
        )
        settled(page)
        seen.append((page.url, number(page, "Linear R²")))
    for url, score in [*reversed(seen[:-1]), seen[1]]:
        if url == seen[1][0] and page.url == seen[0][0]:
            page.go_forward()
        else:
            page.go_back()
        page.wait_for_function("url => location.href === url", arg=url)
        settled(page)
        assert (page.url, number(page, "Linear R²")) == (url, score)


def test_a_tour_of_the_claims_at_home_opens_each_as_it_is_told(server, page):
    page.goto(server)
    settled(page)
    for name in STOPS:
        link = page.locator(f"a[data-testid=stPageLink-NavLink][href*={name}]").first
        before = steps(page)
        link.click()
        page.wait_for_function("name => location.pathname.endsWith(name)", arg=name)
        settled(page)
        assert steps(page) == before + 1
        assert page.locator("button[kind=primary]").count() >= 1  # a preset, as told
        page.go_back()
        page.locator("h1", has_text="When does").wait_for()
        settled(page)
        menu(page, STOPS[name].menu)
        page.wait_for_function("name => location.pathname.endsWith(name)", arg=name)
        settled(page)
        menu(page, HOME)
        page.locator("h1", has_text="When does").wait_for()
        settled(page)


def test_presenting_goes_along_from_page_to_page(server, page):
    page.goto(f"{server}/infonce_sphere?present=1")
    settled(page)
    menu(page, "vMF clusters")
    page.wait_for_function("() => location.pathname.endsWith('vmf_clusters')")
    page.get_by_role("button", name="Next").wait_for()
    settled(page)
    assert link_of(page) == ("vmf_clusters", {"present": "1"})
    page.go_back()
    page.wait_for_function("() => location.pathname.endsWith('infonce_sphere')")
    settled(page)
    assert link_of(page) == ("infonce_sphere", {"present": "1"})
