"""The flat drawing that a visitor sees before the drawing library has come, or in its place."""

import io

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api")
from browsers import VIEW, drawn, settled, window
from PIL import Image

pytestmark = pytest.mark.browser

LIBRARY = "**/plotly.min.js"
BLOCK = 12  # px: what is compared is where the colours are, not the shape of a point
# Whether there was ever a picture's place with nothing in it, by the browser's own frames.
EMPTY = """window.seen = { empty: 0, flat: 0 };
  const look = () => { const view = document.querySelector('[data-testid=latent-view]');
    if (view && !(+view.dataset.draws > 0))
      seen[view.dataset.sketched === undefined ? 'empty' : 'flat'] += 1;
    requestAnimationFrame(look); };
  look();"""
INK = """() => { const canvas = document.querySelector('.lv-sketch');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((sum, v, i) => sum + (i % 4 < 3 ? v * (i % 97) : 0), 0); }"""


def colours(page):
    """What is not grey of each block of the picture (rows, columns, 3)."""
    png = page.locator(f"{VIEW} .lv-plot").first.screenshot()
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(float)
    pixels -= pixels.mean(2, keepdims=True)
    rows, columns = (size // BLOCK for size in pixels.shape[:2])
    kept = pixels[: rows * BLOCK, : columns * BLOCK]
    return kept.reshape(rows, BLOCK, columns, BLOCK, 3).mean((1, 3))


def alike(one, other):
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


@pytest.mark.parametrize("page_of", ["infonce_sphere", "vmf_clusters", "gradient_reversal"])
def test_the_flat_drawing_shows_what_will_be_seen_where_it_will_be_seen(server, browser, page_of):
    with window(browser, own=True) as page:
        page.route(LIBRARY, lambda route: route.abort())
        page.goto(f"{server}/{page_of}")
        page.wait_for_function(f"() => document.querySelector('{VIEW}')?.dataset.sketched")
        settled(page)
        sketched = colours(page)
    with window(browser, own=True) as page:
        page.add_init_script(EMPTY)
        drawn(page, f"{server}/{page_of}")
        settled(page)
        seen = page.evaluate("() => window.seen")
        assert seen["empty"] == 0 and seen["flat"] > 0
        assert not page.locator(".lv-sketch").first.is_visible()
        live = colours(page)
    flipped = sketched[:, ::-1], sketched[::-1]
    assert alike(live, sketched) > 0.75
    assert all(alike(live, each) < 0.5 for each in flipped)


def test_without_the_drawing_library_the_picture_is_flat_and_still_plays(server, browser):
    with window(browser, own=True) as page:
        page.route(LIBRARY, lambda route: route.abort())
        page.goto(f"{server}/infonce_sphere")
        page.get_by_text("the picture is drawn flat, from one side").wait_for()
        settled(page)
        end = page.evaluate(INK)
        page.get_by_label("Step back").click()
        assert page.evaluate(INK) != end
        page.get_by_role("button", name="Play the training run").click()  # the last frame
        page.wait_for_function(f"() => document.querySelector('{VIEW}').dataset.sketched == 400")
        assert page.evaluate(INK) == end
