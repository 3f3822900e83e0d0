"""The way between pages in a browser: number, knob, command and address are one thing."""

import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlparse

import pytest

pytest.importorskip("playwright.sync_api")
from browsers import choose_page, number, press_preset, settled, window
from playwright.sync_api import Page

from core.command import spelt
from core.legend import SCORES
from core.lessons import LESSONS, SETUPS
from core.papers import TABLES
from core.run.archive import Gallery
from core.run.experiment import Member
from core.scores.worlds import Setting

pytestmark = [pytest.mark.browser, pytest.mark.flat]


@dataclass(frozen=True)
class Stop:
    """A page on the tour, a preset that moves a knob which other pages have too, and that knob."""

    menu: str
    preset: str
    field: str
    score: str


STOPS = {
    "infonce_sphere": Stop("InfoNCE on a sphere", "five", "d", "linear_r2"),
    "infonce_box": Stop("InfoNCE in a box", "cube", "d", "mcc"),
    "vmf_clusters": Stop("vMF clusters", "tight", "kappa", "linear_r2"),
    "gradient_reversal": Stop("Gradient reversal", "eight", "d", "angle_to_v_perp_deg"),
    "laplace_violation": Stop("Laplace violation", "between", "shape", "linear_r2"),
    "manifold_entropy": Stop("Manifold entropy", "weak", "alpha", "mtc_nats"),
    "auxiliary": Stop("Auxiliary variable", "enough", "d", "mcc"),
    "pixels": Stop("From pixels", "turned", "p", "mcc"),
    "lejepa": Stop("LeJEPA", "even", "shape", "linear_r2"),
}
HOME = "Identifiability Explorer"
SHIPPED = Gallery()
GROUPS = {
    "Contrastive": ["infonce_sphere", "infonce_box", "lejepa"],
    "Cross-entropy": ["vmf_clusters", "laplace_violation", "auxiliary"],
    "Invariance": ["gradient_reversal"],
    "Decoders": ["manifold_entropy"],
    "Pictures": ["pixels"],
}
MENU = {"": HOME, **{name: stop.menu for name, stop in STOPS.items()}}  # by the page's path


def preset_of(name: str):
    lesson = LESSONS[name]
    return next(p for p in lesson.presets if p.name == STOPS[name].preset)


def link_of(page: Page) -> tuple[str, dict[str, str]]:
    address = urlparse(page.url)
    return address.path.strip("/"), dict(parse_qsl(address.query, keep_blank_values=True))


def expect_setting(page: Page, name: str, set_: bool) -> None:
    """What is set, or else the page's first setting, stands wherever a setting is told.

    That is the address, a knob, the lit preset (or the button for more of them), and the number
    drawn.
    """
    settled(page)
    if name == "":
        assert link_of(page) == ("", {}) and not set_  # it has none
        return
    stop, lesson = STOPS[name], LESSONS[name]
    params = lesson.Params.model_validate(dict(preset_of(name).params if set_ else lesson.start))
    rest = lesson.at_start()
    fields = [f for f in lesson.Params.model_fields if getattr(params, f) != getattr(rest, f)]
    assert link_of(page) == (name, {field: spelt(getattr(params, field)) for field in fields})
    label = re.compile(re.escape(lesson.controls()[stop.field].label))
    knob = page.get_by_role("slider", name=label).first
    for _ in range(40):  # a browser that is busy moves it after the script has come to rest
        if float(knob.get_attribute("aria-valuetext")) == getattr(params, stop.field):
            break
        page.wait_for_timeout(250)
    assert float(knob.get_attribute("aria-valuetext")) == getattr(params, stop.field)
    if set_:
        lit = page.locator("[class*=-presets] button[kind=primary], [class*=-more] button").first
        assert lit.inner_text().split("\n")[0].removeprefix("More: ") == preset_of(name).title
    member = Member(lesson.name, params, 0)
    result = SHIPPED.record(member)
    assert result is not None
    title = SCORES[stop.score].title
    assert number(page, title) == SCORES[stop.score].written(result.scores[stop.score])


def menu(page: Page, name: str) -> None:
    group = next((g for g, names in GROUPS.items() if name in names), "Start")
    choose_page(page, group, MENU[name])
    arrived(page, name)


def arrived(page: Page, name: str) -> None:
    page.wait_for_function("name => location.pathname === '/' + name", arg=name)


def steps(page: Page) -> int:
    return page.evaluate("history.length")


def set_(page: Page, name: str) -> None:
    """One click, or key, that moves a page's setting."""
    press_preset(page, preset_of(name).title)
    page.wait_for_function("() => location.search.length > 1")


def others(here: str) -> list[str]:
    """Pages to be visited from one of the stops: home, the next one, one half a round away."""
    pages = list(STOPS)
    at, half = pages.index(here), len(pages) // 2
    return ["", *(pages[(at + step) % len(pages)] for step in (1, half))]


def test_every_page_is_visited_from_two_others_and_home_from_all():
    found = Counter(there for here in STOPS for there in others(here))
    assert found == {"": len(STOPS), **dict.fromkeys(STOPS, 2)}
    assert all(here not in others(here) for here in STOPS)


@pytest.mark.parametrize("here", STOPS)
def test_each_page_keeps_its_own_setting_on_the_way_to_others_and_back(server, browser, page, here):
    page.goto(f"{server}/{here}")
    expect_setting(page, here, False)
    before = steps(page)
    set_(page, here)
    expect_setting(page, here, True)
    assert steps(page) == before + 1  # one click, one step of history
    for there in others(here):
        menu(page, there)
        expect_setting(page, there, False)
        assert steps(page) == before + 2
        page.go_back()
        arrived(page, here)
        expect_setting(page, here, True)
    page.reload()
    expect_setting(page, here, True)
    with window(browser, flat=True) as other:
        other.goto(page.url)
        expect_setting(other, here, True)
    page.go_back()
    page.wait_for_function("() => location.search.length <= 1")
    expect_setting(page, here, False)
    page.go_forward()
    page.wait_for_function("() => location.search.length > 1")
    expect_setting(page, here, True)


def test_the_menu_finds_a_page_as_it_was_left(server, page):
    page.goto(f"{server}/infonce_sphere")
    settled(page)
    set_(page, "infonce_sphere")
    menu(page, "vmf_clusters")
    settled(page)
    set_(page, "vmf_clusters")
    before = steps(page)
    menu(page, "infonce_sphere")
    page.wait_for_function("() => location.search.length > 1")
    expect_setting(page, "infonce_sphere", True)
    assert steps(page) == before + 1
    page.go_back()
    arrived(page, "vmf_clusters")
    expect_setting(page, "vmf_clusters", True)


def test_back_and_forward_walk_through_the_knobs_one_step_a_time(server, page):
    page.goto(f"{server}/infonce_sphere")
    settled(page)
    seen = []
    for title in ("Too cold", "Too warm", "Cap"):
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
        arrived(page, name)
        settled(page)
        assert steps(page) == before + 1
        assert link_of(page)[1].get("part") is None  # in Explore, and a preset is lit, as told
        assert page.locator("button[kind=primary]").count() >= 1
        page.go_back()
        page.locator("h1", has_text="When does").wait_for()
        settled(page)
        menu(page, name)
        settled(page)
        menu(page, "")
        page.locator("h1", has_text="When does").wait_for()
        settled(page)


def test_presenting_goes_along_from_page_to_page(server, page):
    page.goto(f"{server}/infonce_sphere?present=1")
    settled(page)
    menu(page, "vmf_clusters")
    page.get_by_role("button", name="Next").wait_for()
    settled(page)
    assert link_of(page) == ("vmf_clusters", {"present": "1"})
    page.go_back()
    arrived(page, "infonce_sphere")
    settled(page)
    assert link_of(page) == ("infonce_sphere", {"present": "1"})


def test_a_number_of_a_published_table_opens_its_runs(server, page):
    page.goto(f"{server}/infonce_sphere")
    settled(page)
    choose_page(page, "Papers", "The papers' tables")
    arrived(page, "papers")
    page.get_by_role("radio", name="Clusters 3").or_(
        page.get_by_role("button", name="Clusters 3")
    ).first.click()
    page.wait_for_function("() => location.search === '?part=clusters-3'")
    settled(page)
    row = TABLES["clusters-3"].rows[0]
    link = page.locator("[data-testid=stMarkdownContainer] table a").first
    with page.context.expect_page() as opened:
        link.click()
    there = opened.value
    there.wait_for_selector("[data-testid=stMetric]")
    settled(there)
    name, query = link_of(there)
    wanted = {field: spelt(value) for field, value in row.params.items()}
    assert (name, query) == (row.lesson, wanted)
    run = SHIPPED.record(row.experiment(TABLES["clusters-3"].columns[0]).members[0])
    assert number(there, "Linear R²") == SCORES["linear_r2"].written(run.scores["linear_r2"])
    there.close()


def test_a_cell_of_a_phase_diagram_opens_its_setting_and_back_leads_to_it_again(server, page):
    page.goto(f"{server}/scores?part=phases")
    settled(page)
    marks = page.locator("[data-testid=stVegaLiteChart]").first.locator("canvas, svg").first
    box = marks.bounding_box()
    page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.3 * box["height"])
    page.get_by_role("button", name="Correlated factors", exact=True).wait_for()
    settled(page)
    name, query = link_of(page)
    assert query.pop("part") == "explore"
    opened = Setting.model_validate({**SETUPS["scores"].start, **query})
    assert name == "scores" and (opened.factors, opened.code) == ("correlated", "mixed")
    assert (opened.rho, opened.kappa) != (0.98, 3.0)  # which the page opens with
    page.locator("[data-testid=stVegaLiteChart]").last.wait_for()
    page.go_back()
    page.wait_for_function("() => location.search === '?part=phases'")


@pytest.mark.parametrize("way", ["pointer", "keyboard"])
@pytest.mark.parametrize("start", ["", "map"])
def test_a_box_of_the_map_opens_its_setting(server, page, start, way):
    page.goto(f"{server}/{start}")
    settled(page)
    box = page.locator(".stGraphVizChart a", has_text="Classes, unit")
    box.wait_for()
    if way == "pointer":
        box.click()
    else:
        box.focus()
        page.keyboard.press("Enter")
    arrived(page, "vmf_clusters")
    settled(page)
    assert link_of(page) == ("vmf_clusters", {"case": "C3"})
    (lit,) = page.locator("[class*=-presets] button[kind=primary]").all_inner_texts()
    assert lit.split("\n")[0] == "C3: unit weights"
