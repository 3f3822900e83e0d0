"""The picture in a browser: numbers and curves follow it, fingers, lost contexts, nothing cut."""

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api")
import test_latent_view
from browsers import VIEW, drawn, facts, settled, until, window
from test_latent_view import served

from core.legend import SCORES
from core.lessons import LESSONS
from ui import seeds

pytestmark = pytest.mark.browser

# What the row of numbers shows: by title, the text that is seen, and whether it is of the end.
SEEN = """(key) => Object.fromEntries(
  [key, `${key}-more`].flatMap((k) => [...document.querySelectorAll(
    `.st-key-${k} [data-testid=stMetric]`)]).map((metric) => {
    const value = metric.querySelector('[data-testid=stMetricValue]');
    const over = getComputedStyle(value, '::before').content, hidden = getComputedStyle(
      value.firstElementChild).visibility === 'hidden';
    return [metric.querySelector('[data-testid=stMetricLabel] p').textContent,
      [hidden ? JSON.parse(over) : value.innerText.trim(), value.dataset.lvEnd ?? '']]; }))"""
# Where each curve's mark stands, as a share of the way from the axis's first step to its last.
MARKS = """() => [...document.querySelectorAll('.st-key-curves [data-testid=stVegaLiteChart]')]
  .map((chart) => {
    const mark = chart.closest('[data-testid=stElementContainer]').querySelector('.lv-mark');
    const box = chart.querySelector('svg .root > g > path.background')?.getBoundingClientRect();
    if (!mark || !box) return null;
    const { left, top, height } = mark.getBoundingClientRect();
    return [(left - box.left) / box.width, (top - box.top) / box.height, height / box.height];
  })"""
CURVES = ".st-key-curves svg .root > g > path.background"


def shipped(lesson, **changes):
    (result,) = seeds.runs(LESSONS[lesson], {**LESSONS[lesson].presets[0].params, **changes}, (0,))
    return result


def written(result, name, frame):
    step = result.frame_step[frame]
    return SCORES[name].written(float(result.history[name][result.history_step == step][0]))


def go_to(view, frame):
    slider = view.locator("[data-part=slider]")
    slider.evaluate("(s, f) => { s.value = f; s.dispatchEvent(new Event('input')); }", frame)


def test_numbers_and_curves_follow_the_player_without_the_server(server, page):
    received = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(data)))
    result, view = shipped("infonce_sphere"), page.locator(VIEW).first
    drawn(page, f"{server}/infonce_sphere")
    page.wait_for_function(f"() => document.querySelectorAll('{CURVES}').length >= 2")
    settled(page)
    end, heard = page.evaluate(SEEN, "numbers"), len(received)
    assert end["Linear R²"] == [SCORES["linear_r2"].written(result.scores["linear_r2"]), ""]
    assert page.evaluate(MARKS) == [None, None]

    frame = 9
    go_to(view, frame)
    until(page, f"+v.step == {result.frame_step[frame]}")
    now = page.evaluate(SEEN, "numbers")
    for name in ("linear_r2", "orthogonal_r2", "mcc", "degree"):
        assert now[SCORES[name].title] == [written(result, name, frame), ""]
    assert now["Linear R²"] != end["Linear R²"]
    assert now["Loss, nats"] == [end["Loss, nats"][0], "at the end"]
    share = result.frame_step[frame] / result.frame_step[-1]
    for mark in page.evaluate(MARKS):
        np.testing.assert_allclose(mark, [share, 0, 1], atol=0.015)
    page.wait_for_function("() => document.querySelector('.lv-said').textContent")
    said = page.locator(".lv-said").first
    assert said.get_attribute("aria-live") == "polite"
    words = (
        f"step {result.frame_step[frame]} of 400, Linear R² {written(result, 'linear_r2', frame)}"
    )
    assert said.inner_text().startswith(words)
    assert f"Shown now: step {result.frame_step[frame]} of 400." in view.locator(
        ".lv-plot").get_attribute("aria-label")  # fmt: skip

    page.set_viewport_size({"width": 900, "height": 900})  # the charts are drawn anew
    page.wait_for_function(
        f"(share) => ({MARKS})().every((mark) => mark && Math.abs(mark[0] - share) < 0.015)",
        arg=share,
    )
    view.get_by_role("button", name="Play the training run").click()
    until(page, "+v.step == 400")
    assert page.evaluate(SEEN, "numbers") == end
    assert page.evaluate(MARKS) == [None, None]
    assert len(received) == heard


def test_what_is_of_the_end_alone_says_so_while_a_game_plays(server, page):
    drawn(page, f"{server}/gradient_reversal")
    result = shipped("gradient_reversal")
    page.locator(".st-key-gauges_of_the_end svg.marks").wait_for()
    go_to(page.locator(VIEW).first, 20)
    until(page, f"+v.step == {result.frame_step[20]}")
    now = page.evaluate(SEEN, "numbers")
    assert now["Angle to V⊥"] == [written(result, "angle_to_v_perp_deg", 20), ""]
    assert now["MLP probe"][1] == "at the end"
    gauges = page.locator(".st-key-gauges_of_the_end")
    assert gauges.get_attribute("data-lv-end") == "at the end"
    go_to(page.locator(VIEW).first, 64)
    until(page, "+v.step == 1200")
    assert gauges.get_attribute("data-lv-end") is None


def test_each_of_two_pictures_has_numbers_of_its_own(server, page):
    drawn(page, f"{server}/vmf_clusters?beside=true")
    page.locator(f"{VIEW}[data-draws]").nth(1).wait_for()
    for row in ("numbers-run", "numbers-twin"):  # which come after the picture
        page.locator(f".st-key-{row} [data-testid=stMetric]").nth(2).wait_for()
    other = page.evaluate(SEEN, "numbers-twin")
    before = page.evaluate(SEEN, "numbers-run")
    go_to(page.locator(VIEW).first, 9)
    page.wait_for_function(f"(was) => JSON.stringify(({SEEN})('numbers-run')) !== was",
                           arg=page.evaluate("(x) => JSON.stringify(x)", before))  # fmt: skip
    now = page.evaluate(SEEN, "numbers-run")
    assert now["Linear R²"] == [written(shipped("vmf_clusters"), "linear_r2", 9), ""]
    assert now["Loss, nats"][1] == "at the end"
    assert page.evaluate(SEEN, "numbers-twin") == other


def test_the_curves_of_a_run_in_training_have_their_mark(server, page):
    page.goto(f"{server}/infonce_sphere?steps=7000&seeds=1")
    page.get_by_role("button", name="Train 1 run").click()
    page.locator(f"{VIEW}.live").wait_for()
    page.wait_for_function(f"""() => {{ const {{ step }} = document.querySelector('{VIEW}').dataset;
      const near = (mark) => mark && Math.abs(mark[0] - step / 7000) < 0.1;
      return +step > 0 && ({MARKS})().some(near); }}""")
    page.get_by_role("button", name="Cancel").click()


# ---- the view alone


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(tmp_path_factory.mktemp("app"), test_latent_view.APP) as url:
        yield url


LOSE = """() => { const { scene, scene2 } = document.querySelector('.lv-plot')._fullLayout;
  for (const { _scene } of [scene, scene2])
    _scene.glplot.gl.getExtension('WEBGL_lose_context').loseContext(); }"""
BRIGHT = """() => {
  const { glplot } = document.querySelector('.lv-plot')._fullLayout.scene._scene;
  const { width, height } = glplot.canvas;
  const pen = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
  glplot.redraw();
  pen.drawImage(glplot.canvas, 0, 0);
  return pen.getImageData(0, 0, width, height).data.filter((v, i) => i % 4 === 3 && v).length; }"""


@pytest.fixture
def alone(browser, address):
    with window(browser, viewport={"width": 1024, "height": 768}) as page:
        drawn(page, address)
        yield page


def test_a_globe_is_drawn_again_after_its_context_was_lost(alone):
    test_latent_view.drag(alone)
    turned, seen = test_latent_view.cameras(alone), alone.evaluate(BRIGHT)
    assert seen > 1000
    for _ in range(2):
        draws = int(facts(alone)["draws"])
        alone.evaluate(LOSE)
        until(alone, f"+v.draws > {draws}")
        assert facts(alone)["flat"] == "false"
        assert alone.evaluate(BRIGHT) == pytest.approx(seen, rel=0.05)
        np.testing.assert_allclose(test_latent_view.cameras(alone), turned, atol=1e-6)
    alone.get_by_label("Step back").click()
    until(alone, "+v.step == 100")


def test_where_no_new_context_is_to_be_had_the_picture_is_flat(alone):
    alone.evaluate("""() => { const get = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return /webgl/.test(kind) ? null : get.call(this, kind, ...rest); }; }""")
    alone.evaluate(LOSE)
    until(alone, "v.flat == 'true'")
    alone.get_by_text("no WebGL in this browser").wait_for()
    alone.get_by_label("Step back").click()
    until(alone, "+v.step == 100")


# ---- fingers


@pytest.fixture
def phone(browser, address):
    small = {"width": 390, "height": 700}
    with window(browser, viewport=small, has_touch=True, is_mobile=True) as page:
        drawn(page, address)
        page.evaluate("""() => { const tall = document.createElement('div');
          tall.style.height = '2000px';
          document.querySelector('.lv').parentElement.append(tall); }""")
        page.touch = page.context.new_cdp_session(page)
        yield page


def fingers(page, *paths):
    """Fingers that move along paths of points at once, and are lifted."""
    send = page.touch.send
    for i, points in enumerate(zip(*paths, strict=True)):
        kind = "touchMove" if i else "touchStart"
        touches = [{"x": x, "y": y, "id": f} for f, (x, y) in enumerate(points)]
        send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
        page.wait_for_timeout(40)
    send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(400)


def middle_of_the_left_globe(page):
    page.locator(".lv-plot").evaluate("(e) => e.scrollIntoView({ block: 'center' })")
    box = page.locator(".lv-plot").bounding_box()
    return box["x"] + 0.25 * box["width"], box["y"] + 0.55 * box["height"]


SCROLLED = "() => document.querySelector('[data-testid=stMain]').scrollTop"
SIZE = "() => document.querySelector('.lv-plot')._fullLayout.scene.aspectratio.x"


def test_a_finger_turns_both_globes_sideways_and_a_swipe_up_scrolls_the_page(phone):
    x, y = middle_of_the_left_globe(phone)
    start, scrolled = test_latent_view.cameras(phone), phone.evaluate(SCROLLED)
    fingers(phone, [(x - 40 + 12 * i, y + i) for i in range(8)])
    turned = test_latent_view.cameras(phone)
    assert np.abs(turned - start).max() > 0.3
    assert phone.evaluate(SCROLLED) == scrolled
    fingers(phone, [(x, y - 20 * i) for i in range(8)])
    assert phone.evaluate(SCROLLED) > scrolled + 50
    np.testing.assert_allclose(test_latent_view.cameras(phone), turned, atol=0.05)


def test_two_fingers_zoom(phone):
    x, y = middle_of_the_left_globe(phone)
    before = phone.evaluate(SIZE)
    apart = [5 * i for i in range(8)]
    fingers(phone, [(x - 15 - a, y) for a in apart], [(x + 15 + a, y) for a in apart])
    assert phone.evaluate(SIZE) > 1.8 * before
    test_latent_view.cameras(phone)  # linked
    fingers(phone, [(x - 50 + a, y) for a in apart], [(x + 50 - a, y) for a in apart])
    assert phone.evaluate(SIZE) < 1.5 * before


# ---- nothing is cut


@pytest.mark.parametrize("width", [390, 1280])
def test_the_name_of_the_complement_is_inside_its_cell(server, browser, width):
    with window(browser, viewport={"width": width, "height": 900}) as page:
        drawn(page, f"{server}/gradient_reversal")
        above = page.evaluate("""() => { const plot = document.querySelector('.lv-plot');
          const name = plot.data.find((t) => t.mode === 'text' && t.text[0].startsWith('V<sup>'));
          const scene = plot._fullLayout.scene._scene, { glplot, container } = scene;
          const place = ['x', 'y', 'z'].map((axis, i) => name[axis][0] * scene.dataScale[i]);
          const row = (m, v, r) =>
            m[r] * v[0] + m[4 + r] * v[1] + m[8 + r] * v[2] + m[12 + r] * v[3];
          const { model, view, projection } = glplot.cameraParams;
          const [, y, , w] = [model, view, projection].reduce(
            (v, m) => [0, 1, 2, 3].map((r) => row(m, v, r)), [...place, 1]);
          return (1 - y / w) / 2 * container.clientHeight; }""")
        assert 18 < above < 60  # px from the cell's upper edge to the place that the name stands on


def test_clouds_on_their_way_are_drawn_whole(server, page):
    drawn(page, f"{server}/laplace_violation")
    view = page.locator(VIEW).first
    for frame in (0, 8, 13, 14, 20):
        go_to(view, frame)
        step = shipped("laplace_violation").frame_step[frame]
        until(page, f"+v.step == {step}")
        # half of the cell is one unit, and the box's side is `aspectratio.x` of two
        inside = page.evaluate("""() => { const plot = document.querySelector('.lv-plot');
          const { xaxis, aspectratio } = plot._fullLayout.scene2, [, top] = xaxis.range;
          const cloud = plot.data.find((t) => t.scene === 'scene2' && t.mode === 'markers');
          const far = cloud.x.map((x, i) => Math.hypot(x, cloud.y[i], cloud.z[i]));
          return [Math.max(...far) / top, (Math.max(...far) / top) * aspectratio.x / 2]; }""")
        assert inside[0] <= 1 and inside[1] <= 1, frame
