"""The served app in headless Chromium: gallery, training, player, camera, links, no outside."""

import json
import re
import time
import urllib.request
from itertools import pairwise
from urllib.parse import urlparse

import pytest

pytest.importorskip("playwright.sync_api")
from browsers import (
    PATIENCE,
    VIEW,
    choose_page,
    drawn,
    facts,
    number,
    press_preset,
    settled,
    until,
    window,
)  # fmt: skip
from playwright.sync_api import Page

from core.colours import PAGE, READABLE, contrast

pytestmark = pytest.mark.browser

STAMP = """(() => {
  const look = () => document.querySelector('[data-testid=stMetricValue]')
    ? (window.numbersAt = performance.now()) : requestAnimationFrame(look);
  requestAnimationFrame(look);
})()"""  # when the numbers were first there at a painted frame, in ms since the page was asked for


def drag_the_globe(page: Page) -> None:
    box = page.locator(f"{VIEW} .gl-container canvas").first.bounding_box()
    x, y = box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + 12 * step, y + 4 * step)
        page.wait_for_timeout(60)
    page.mouse.up()
    page.wait_for_timeout(500)


def test_a_cold_link_to_a_page_shows_the_gallery_under_our_navigation(server, page):
    page.add_init_script(STAMP)
    start = time.monotonic()
    drawn(page, f"{server}/infonce_sphere")  # the first visitor of a fresh server
    print(f"\ncold: 3-D after {time.monotonic() - start:.2f} s, ", end="")
    page.wait_for_function("window.numbersAt")
    print(f"numbers after {page.evaluate('window.numbersAt') / 1000:.2f} s")
    assert float(number(page, "Linear R²")) >= 0.99
    assert int(facts(page)["frames"]) > 10
    menu = page.locator("[data-testid=stHeader]").inner_text()
    assert all(group in menu for group in ("Start", "Contrastive", "Cross-entropy", "Invariance"))
    assert not page.get_by_text("Page not found").count()


def test_a_page_of_the_gallery_asks_nothing_of_the_outside_and_raises_no_error(server, page):
    page.add_init_script(STAMP)
    for kind in ("warm server", "warm browser too"):
        start = time.monotonic()
        drawn(page, f"{server}/infonce_sphere")
        print(f"\n{kind}: 3-D after {time.monotonic() - start:.2f} s, ", end="")
        page.wait_for_function("window.numbersAt")  # where busy, after the picture
        print(f"numbers after {page.evaluate('window.numbersAt') / 1000:.2f} s")
    page.wait_for_timeout(1500)
    hosts = {urlparse(url).hostname for url in page.requested if not url.startswith("data:")}
    assert hosts <= {"localhost", None}, hosts
    # Streamlit asks for two of its own endpoints below the page's path before it finds its base.
    assert [c for c in page.complaints if "404" not in c] == []
    assert len([c for c in page.complaints if "404" in c]) <= 4  # two a visit


def test_the_trajectory_plays_without_the_server(server, page):
    frames = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: frames.append(data)))
    drawn(page, f"{server}/infonce_sphere")
    settled(page)
    last, received = int(facts(page)["step"]), len(frames)
    assert last == 400
    page.get_by_role("button", name=re.compile("back", re.I)).first.click()
    until(page, f"+v.step < {last}")
    slider = page.locator(f"{VIEW} input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    until(page, "+v.step == 0")
    page.get_by_role("button", name=re.compile("^play", re.I)).first.click()
    until(page, "+v.step > 0")
    assert len(frames) == received


def numbers_change(page: Page, before: str) -> None:
    page.wait_for_function(
        "was => { const m = [...document.querySelectorAll('[data-testid=stMetric]')]"
        ".find(m => m.innerText.startsWith('MCC')); return m && !m.innerText.includes(was) }",
        arg=before,
    )


def test_a_preset_shows_its_stored_numbers_and_keeps_the_picture_mounted(server, page):
    drawn(page, f"{server}/infonce_sphere")
    settled(page)
    before, draws = number(page, "MCC"), int(facts(page)["draws"])
    start = time.monotonic()
    page.get_by_text("Too warm", exact=True).click()
    numbers_change(page, before)
    print(f"\nstored numbers after a click: {time.monotonic() - start:.2f} s")
    page.wait_for_function("() => location.search.includes('tau=1')")
    until(page, f"+v.draws > {draws}")  # a view built anew would count from 1 again


def test_a_knob_moves_the_numbers_and_keeps_camera_and_link(server, page):
    drawn(page, f"{server}/infonce_sphere")
    before, run = number(page, "MCC"), facts(page)["run"]
    straight = facts(page)["camera"]
    drag_the_globe(page)
    turned = facts(page)["camera"]
    assert turned != straight
    page.get_by_role("slider", name=re.compile("Model temperature")).focus()
    for _ in range(12):  # auto, 0.005, ... to 0.3: in the gallery, with its last frame only
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('tau=0.3')")
    until(page, f"v.run != {json.dumps(run)} && +v.step == 400")
    numbers_change(page, before)
    assert facts(page)["camera"] == turned
    until(page, "+v.frames > 10 && +v.step == 400")  # trained again without a word, to play
    assert facts(page)["camera"] == turned


def test_a_click_on_a_sweeps_dot_opens_that_run_above(server, page):
    drawn(page, f"{server}/infonce_sphere")
    run = facts(page)["run"]
    dot = "path[aria-roledescription=circle][aria-label*=': 0.01'][aria-label*='Seed: 1']"
    page.locator(f"[class*=st-key-sweep_tau_linear_r2] {dot}").click(force=True)
    page.wait_for_function("() => location.search.includes('tau=0.01')")
    until(page, f"v.run != {json.dumps(run)}")
    assert "show=1" in page.url
    assert float(number(page, "Linear R²")) < 0.8


def test_a_click_on_a_dot_of_a_two_way_sweep_opens_that_run(server, page):
    link = "steps=20&seeds=1&vary=initialisation&by=negatives"
    drawn(page, f"{server}/infonce_sphere?{link}")
    dot = (
        "path[aria-roledescription=circle][aria-label*='Initialisation: standard']"
        "[aria-label*='Negatives: anchors']"
    )
    chart = page.locator("[class*=st-key-sweep_initialisation_negatives_linear_r2]")
    chart.locator(dot).wait_for()  # runs this quick train by themselves
    run = facts(page)["run"]
    chart.locator(dot).click(force=True)
    page.wait_for_function("() => location.search.includes('negatives=anchors')")
    assert "initialisation=standard" in page.url
    until(page, f"v.run != {json.dumps(run)}")


def test_an_embedded_page_has_no_menu_and_keeps_its_setting(server, page):
    menu = page.locator("[data-testid=stTopNavLink], [data-testid=stTopNavSection]")
    drawn(page, f"{server}/infonce_sphere?d=4")
    assert menu.count()
    drawn(page, f"{server}/infonce_sphere?d=4&embed=true")
    assert not menu.count() and "embed=true" in page.url and "d=4" in page.url


def test_clusters_are_drawn_with_their_vectors_and_the_family_of_solutions_plays(server, page):
    drawn(page, f"{server}/vmf_clusters")
    assert float(number(page, "Linear R²")) >= 0.99
    assert page.get_by_text("green: cluster vectors v").is_visible()
    drawn(page, f"{server}/vmf_clusters?claim=minimisers-that-are-no-rotations")
    family = page.locator(VIEW).first
    family.locator("[data-part=step]", has_text="posterior exact to").wait_for()
    slider = family.locator("[data-part=slider]")
    slider.fill("0")
    family.locator("[data-part=step]", has_text="axes 1.00 : 1").wait_for()
    assert not [c for c in page.complaints if "404" not in c]


def test_a_game_is_drawn_with_its_chart_and_extended_move_by_move(server, page):
    drawn(page, f"{server}/gradient_reversal?seeds=1")
    settled(page)
    assert float(number(page, "Angle to V⊥").rstrip("°")) <= 2
    assert page.get_by_text("grey: the closed-form answer").is_visible()
    run = facts(page)["run"]
    page.get_by_role("button", name="Adversary", exact=True).click()
    page.locator("[data-part=step]", has_text="move 1 of 1: adversary moved").wait_for(
        timeout=PATIENCE
    )
    until(page, f"v.run != {json.dumps(run)} && !v.run.includes('previous')")
    page.get_by_role("button", name="Encoder", exact=True).click()
    page.locator("[data-part=step]", has_text="move 2 of 2: encoder moved").wait_for(
        timeout=PATIENCE
    )
    assert "moves=ae" in page.url
    page.locator(f"{VIEW} [data-part=back]").first.click()
    page.locator("[data-part=step]", has_text="move 1 of 2: adversary moved").wait_for()
    assert not [c for c in page.complaints if "404" not in c]


def test_another_seed_moves_the_picture_and_its_numbers_and_the_proof(server, page):
    above = page.locator("[data-testid=stMetric]", has_text="above the floor")
    page.goto(f"{server}/infonce_sphere?part=why")
    first = above.inner_text()
    drawn(page, f"{server}/infonce_sphere")
    before, run = number(page, "MCC"), facts(page)["run"]
    page.get_by_text("seed 2", exact=True).click()
    until(page, f"v.run != {json.dumps(run)}")
    numbers_change(page, before)
    assert "show=2" in page.url
    page.get_by_text("Why it works").click()
    above.wait_for()
    assert above.inner_text() != first
    page.wait_for_function("() => location.search.includes('part=why')")
    assert page.locator(VIEW).count() == 0


@pytest.mark.flat
def test_a_links_text_is_never_read_as_markdown(server, page):
    page.goto(f"{server}/infonce_sphere?kappa=![x](http://example.com/p.png)&seeds=" + "9" * 5000)
    page.get_by_text("World concentration in the link").wait_for()
    page.get_by_text("Seeds in the link").wait_for()
    page.wait_for_timeout(500)
    hosts = {urlparse(url).hostname for url in page.requested if not url.startswith("data:")}
    assert hosts <= {"localhost", None}, hosts


@pytest.mark.flat
def test_pages_change_quickly(server, page):
    drawn(page, f"{server}/infonce_sphere")
    settled(page)
    for group, link, heading in (
        ("Start", "Identifiability Explorer", "When does"),
        ("Contrastive", "InfoNCE on a sphere", "Contrastive"),
    ):
        start = time.monotonic()
        choose_page(page, group, link)
        page.locator("h1", has_text=heading).wait_for()
        print(f"\nto {link}: {time.monotonic() - start:.2f} s")


def test_a_run_trains_before_the_eyes_and_can_be_replayed(server, page):
    page.goto(f"{server}/infonce_sphere?steps=3000&seeds=1")
    until(page, "+v.draws > 0")  # the shipped run, marked as the one before
    drag_the_globe(page)
    turned = facts(page)["camera"]
    page.get_by_role("button", name=re.compile("Train 1 run")).click()
    start = time.monotonic()
    until(page, "+v.frames == 1 && +v.step < 3000")
    print(f"\nfirst streamed frame: {time.monotonic() - start:.2f} s")
    seen = int(facts(page)["step"])
    until(page, f"+v.frames == 1 && +v.step > {seen} && +v.step < 3000")
    until(page, "+v.frames > 10 && +v.step == 3000")
    assert facts(page)["camera"] == turned
    assert float(number(page, "Linear R²")) >= 0.99
    page.get_by_role("button", name=re.compile("back", re.I)).first.click()
    until(page, "+v.step < 3000")


@pytest.mark.flat
def test_a_run_can_be_cancelled_and_the_server_still_answers(server, page):
    page.goto(f"{server}/infonce_sphere?steps=20000&seeds=1")
    page.get_by_role("button", name=re.compile("^.*Train 1 run")).click()
    page.wait_for_selector("text=/Training, step/")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name=re.compile("Train 1 run")).wait_for()
    assert urllib.request.urlopen(f"{server}/_stcore/health").read() == b"ok"


@pytest.mark.flat
def test_a_bad_link_says_so_in_one_sentence(server, page):
    page.goto(f"{server}/infonce_sphere?kappa=abc")
    page.wait_for_selector("text=/World concentration in the link should be a number/")
    page.wait_for_selector("[data-testid=stMetricValue]")


@pytest.mark.parametrize("width", [390, 1024])
def test_nothing_is_wider_than_the_window(server, browser, width):
    with window(browser, True, viewport={"width": width, "height": 800}) as page:
        drawn(page, f"{server}/infonce_sphere")
        page.wait_for_timeout(1000)
        inner = page.evaluate(
            "() => { const m = document.querySelector('[data-testid=stMain]');"
            " return [m.scrollWidth, m.clientWidth] }"
        )
        assert inner[0] <= inner[1]


PARTED = ("infonce_sphere", "infonce_box", "vmf_clusters", "laplace_violation", "gradient_reversal",
          "manifold_entropy", "pixels", "auxiliary", "lejepa")  # fmt: skip
WORDS_OF_CHARTS = """() => [...document.querySelectorAll('.vega-embed svg text')]
  .filter(text => text.textContent.trim() && !text.closest('[opacity="0"]'))
  .map(text => ({said: text.textContent, ink: text.getAttribute('fill')}))"""
LABELS_OF_X = """() => [...document.querySelectorAll('.vega-embed svg .role-axis-label')]
  .map(axis => [...axis.querySelectorAll('text')]
    .filter(text => text.textContent.trim() && text.getAttribute('opacity') !== '0')
    .map(text => text.getBoundingClientRect())
    .map(box => [box.left, box.right, box.top]))
  .filter(boxes => boxes.length > 1 && boxes.every(box => Math.abs(box[2] - boxes[0][2]) < 2))"""


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_words_of_charts_can_be_read_and_lie_on_no_other(server, browser, scheme, width):
    tall = {"width": width, "height": 3000}
    with window(browser, True, viewport=tall, scheme=scheme) as page:
        said, axes = [], []
        for part, charts in (("explore", 4), ("why", 3)):
            page.goto(f"{server}/infonce_sphere?part={part}")
            page.wait_for_function(
                f"() => document.querySelectorAll('.vega-embed svg').length >= {charts}"
            )
            said += page.evaluate(WORDS_OF_CHARTS)
            axes += page.evaluate(LABELS_OF_X)
        assert {"untrained", "Bayes floor", "identity"} <= {each["said"] for each in said}
        for each in said:
            if not re.fullmatch(r"−?\d\.\d\d", each["said"]):  # of the matrix, on shaded cells
                assert contrast(each["ink"], PAGE[scheme]) >= READABLE, each
        assert len(axes) >= 5
        for axis in axes:
            boxes = sorted(axis)
            assert all(left[1] < right[0] for left, right in pairwise(boxes)), axis
            assert boxes[0][0] >= 0 and boxes[-1][1] <= width


def in_sight(page, locator):
    box = locator.bounding_box()
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 722


def test_a_first_visitor_finds_a_claim_plays_it_turns_a_knob_and_sees_the_sweep(server, browser):
    with window(browser, viewport={"width": 1280, "height": 720}) as page:
        page.goto(server)
        settled(page)
        claim = page.get_by_role("link", name=re.compile("standard start folds"))
        assert in_sight(page, claim)
        claim.click()  # one
        until(page, "+v.draws > 0")
        settled(page)
        play = page.get_by_role("button", name="Play the training run")
        assert in_sight(page, play) and in_sight(page, page.locator(f"{VIEW} .lv-plot"))
        play.click()  # two
        until(page, "+v.step < 800")
        until(page, "+v.step == 800")
        knob = page.get_by_role("slider", name=re.compile("Marginal concentration"))
        assert in_sight(page, knob)
        knob.press("ArrowRight")  # three
        page.wait_for_function("() => location.search.includes('marginal_kappa')")
        settled(page)
        page.get_by_role("link", name=re.compile("How the scores change")).click()  # four
        chart = page.locator("[data-testid=stVegaLiteChart] svg.marks").last
        page.wait_for_function("() => location.hash === '#sweep'")
        for _ in range(50):
            if in_sight(page, chart):
                break
            page.wait_for_timeout(200)
        assert in_sight(page, chart)


def test_a_plain_wheel_over_a_globe_scrolls_the_page(server, page):
    drawn(page, f"{server}/infonce_sphere")
    settled(page)
    box = page.locator(f"{VIEW} .lv-plot").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    camera = facts(page)["camera"]
    page.mouse.wheel(0, 200)
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollTop > 100")
    assert facts(page)["camera"] == camera


@pytest.mark.flat
def test_further_presets_are_put_away_once_one_is_chosen(server, page):
    drawn(page, f"{server}/infonce_sphere")
    settled(page)
    press_preset(page, "d = 5")
    settled(page)
    page.wait_for_function("() => !document.querySelector('[data-testid=stPopoverBody]')")
    assert "d=5" in page.url


@pytest.mark.flat
def test_escape_leaves_the_presentation(server, page):
    drawn(page, f"{server}/infonce_sphere?present=1&tau=1")
    settled(page)
    assert page.locator("[class*=st-key-slides]").count() == 1
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.search.includes('present')")
    settled(page)
    assert page.locator("[class*=st-key-slides]").count() == 0 and "tau=1" in page.url


@pytest.mark.flat
def test_the_picture_stays_where_it_is_from_setting_to_setting(server, page):
    tops = {}
    fold = "?initialisation=standard&steps=800&seeds=8"
    for link in ("", fold, "?tau=0.01", "?conditional=laplace&spread=0.2", "?steps=5000&seeds=1"):
        drawn(page, f"{server}/infonce_sphere{link}")
        page.locator(".st-key-curve_loss-table").wait_for()
        page.wait_for_timeout(500)
        tops[link] = page.locator(VIEW).first.bounding_box()["y"]
    # a stored run; many seeds; a lesson of two lines; notes; a run that waits for its button
    assert max(tops.values()) - min(tops.values()) <= 2, tops
    page.get_by_role("button", name=re.compile("Train 1 run")).click()
    page.wait_for_selector("text=/Training, step/")
    assert abs(page.locator(VIEW).first.bounding_box()["y"] - tops[""]) <= 2
    page.get_by_role("button", name="Cancel").click()


@pytest.mark.parametrize(
    ("page_name", "present"), [(name, present) for name in PARTED for present in (False, True)]
)
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1024, 768)])
def test_the_first_screen_holds_picture_player_number_and_seeds(
    server, browser, page_name, present, width, height
):
    with window(browser, viewport={"width": width, "height": height}) as page:
        drawn(page, f"{server}/{page_name}{'?present=1' if present else ''}")
        settled(page)
        dots = "[class*=-lead] svg.marks"
        page.locator(dots).first.wait_for()
        for seen in ("h1", f"{VIEW} .lv-plot", f"{VIEW} [data-part=play]",
                     "[data-testid=stMetricValue]", dots):  # fmt: skip
            box = page.locator(seen).first.bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= height + 2, (seen, box)


def test_on_a_phone_the_picture_comes_before_the_knobs(server, browser):
    with window(browser, True, viewport={"width": 390, "height": 844}) as page:
        drawn(page, f"{server}/infonce_sphere")
        knob = page.get_by_text("World concentration").first
        assert page.locator(VIEW).bounding_box()["y"] < knob.bounding_box()["y"]
        page.locator(".st-key-drawer summary").first.click()
        page.wait_for_function(
            "() => !document.querySelector('.st-key-drawer details').hasAttribute('open')"
        )


@pytest.mark.flat
def test_beside_the_picture_the_knobs_are_open_and_so_can_be_the_advanced_ones(server, page):
    drawn(page, f"{server}/infonce_sphere")
    drawer = page.locator(".st-key-drawer summary")
    assert not drawer.filter(has_text="Knobs").is_visible()
    drawer.filter(has_text="Advanced").click()
    page.get_by_text("Encoder width").wait_for()
