"""Every word of the shared figures can be read: none is cut, none lies on another or on a mark."""

import json

import pytest

pytest.importorskip("playwright.sync_api")
from browsers import PARTS, ROOT, serving, window
from visits import opened

from core.claimed import CLAIMS
from ui import sheet
from ui.claims import PAGE

pytestmark = pytest.mark.browser

# The app's theme and font, one figure under the other, in as wide a column as the link says.
WALL = """
import json
from pathlib import Path
import streamlit as st
st.set_page_config(layout="wide")
with st.container(width=int(st.query_params["width"])):
    for at, spec in enumerate(json.loads(Path(__file__).with_name("specs.json").read_text())):
        wide = "content" if isinstance(spec.get("width"), int) else "stretch"
        st.vega_lite_chart(spec=spec, key=f"c{at}", width=wide)
"""
# Of every figure, which words are cut, on another, or on a line or a dot of the data. A word's box
# is taken without the room above and below its letters. A heatmap of thousands of cells is a canvas
# without words to measure; one of fewer latents is made by the same code.
FAULTS = """() => [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].map((chart) => {
  const svg = chart.querySelector('svg');
  if (!svg) return { words: 0, labels: 0, faults: [], canvas: true };
  const faults = [], hidden = (node) => {
    for (let n = node; n && n !== svg; n = n.parentNode)
      if (n.getAttribute('opacity') === '0' || n.getAttribute('display') === 'none') return true;
    return false;
  };
  const shown = (what) => [...svg.querySelectorAll(what)].filter((node) => !hidden(node));
  const frame = svg.getBoundingClientRect();
  const texts = shown('text').filter((node) => node.textContent.trim()).map((node) => {
    const { left, right, top, bottom } = node.getBoundingClientRect(), room = (bottom - top) / 5;
    const { a, b } = node.getScreenCTM();
    return { said: node.textContent, aslant: Math.abs(a * b) > 0.01,
      mark: Boolean(node.closest('.mark-text.role-mark')),
      left: left + 1, right: right - 1, top: top + room, bottom: bottom - room };
  });
  const holds = (t, x, y) => x > t.left && x < t.right && y > t.top && y < t.bottom;
  for (const t of texts)
    if (Math.max(frame.left - t.left, t.right - frame.right, frame.top - t.top,
      t.bottom - frame.bottom) > 0) faults.push(`cut: ${t.said}`);
  texts.forEach((one, i) => texts.slice(i + 1).forEach((other) => {
    const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    if (wide > 1 && high > 1 && !(one.aslant && other.aslant))
      faults.push(`over each other: ${one.said}, ${other.said}`);
  }));
  const within = texts.filter((t) => t.mark);
  for (const line of shown('.mark-line.role-mark path, .mark-rule.role-mark line')) {
    const matrix = line.getScreenCTM(), long = line.getTotalLength(), under = new Map();
    for (let s = 0; s <= long; s += 1.5) {
      const { x, y } = line.getPointAtLength(s).matrixTransform(matrix);
      for (const t of within) if (holds(t, x, y)) under.set(t.said, (under.get(t.said) ?? 0) + 1.5);
    }
    for (const [said, px] of under) if (px > 3) faults.push(`on a line: ${said}`);
  }
  for (const dot of shown('.mark-symbol.role-mark path')) {
    const { left, right, top, bottom } = dot.getBoundingClientRect();
    for (const t of within)
      if (holds(t, (left + right) / 2, (top + bottom) / 2)) faults.push(`on a dot: ${t.said}`);
  }
  return { words: within.length, labels: texts.length, faults, canvas: false };
})"""


@pytest.fixture(scope="module")
def figures():
    """Specifications by where they stand: of every part, and of claims with more than dots."""
    found, chart = {}, sheet._chart
    where = ""

    def keep(each, on_select=None):
        found.setdefault(json.dumps(each.spec), f"{where}: {each.key}")
        chart(each, on_select)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet, "_chart", keep)
        for page, parts in PARTS.items():
            for part in parts if page != "home" else ():
                where = f"{page}, {part}"
                opened(f"pages/{page}.py", part=part)
        for claim in CLAIMS.values():
            if claim.shows.picture not in ("dots", "table"):
                where = claim.name
                opened(f"pages/{PAGE.get(claim.page, claim.page)}.py", part="claims", claim=where)
    return {where: json.loads(spec) for spec, where in found.items()}


@pytest.fixture(scope="module")
def wall(tmp_path_factory, figures):
    folder = tmp_path_factory.mktemp("wall")
    (folder / "app.py").write_text(WALL)
    (folder / "specs.json").write_text(json.dumps(list(figures.values())))
    (folder / ".streamlit").symlink_to(ROOT / ".streamlit")
    with serving(folder) as url:
        yield url


@pytest.mark.parametrize("width", [340, 760])
def test_no_word_of_a_figure_is_cut_or_lies_on_anything(wall, browser, figures, width):
    with window(browser, flat=True) as page:
        page.goto(f"{wall}/?width={width}")
        page.wait_for_function(
            "(n) => document.querySelectorAll('[data-testid=stVegaLiteChart] :is(svg, canvas)')"
            ".length == n",
            arg=len(figures),
        )
        page.wait_for_timeout(1500)
        measured = page.evaluate(FAULTS)
    assert len(figures) > 60
    drawn = [where for where, each in zip(figures, measured, strict=True) if each["canvas"]]
    assert drawn == ["manifold_entropy, digits: digits_pairs"]
    assert sum(each["words"] for each in measured) > 100 < sum(e["labels"] for e in measured) / 5
    faults = {w: each["faults"] for w, each in zip(figures, measured, strict=True)}
    assert {where: each for where, each in faults.items() if each} == {}


def bad(*texts):
    """A line from corner to corner, with texts (words, dx, dy) about its middle."""
    at = {axis: {"field": axis, "type": "quantitative", "title": None} for axis in "xy"}
    middle = [{"filter": "datum.x == 1"}]
    marks = [
        {"mark": {"type": "text", "text": said, "dx": dx, "dy": dy}, "transform": middle}
        for said, dx, dy in texts
    ]
    return {
        "data": {"values": [{"x": x, "y": x} for x in (0, 1, 2)]}, "encoding": at, "height": 300,
        "layer": [{"mark": {"type": "line", "point": True}}, *marks],
    }  # fmt: skip


def test_faults_put_in_on_purpose_are_seen(tmp_path, browser):
    put_in = [
        bad(("alone", -60, -20)),
        bad(("on the line", 0, 0)),
        bad(("one", -60, -20), ("other", -55, -20)),
        bad(("far to the left of everything that there is", -260, -20)),
    ]
    (tmp_path / "app.py").write_text(WALL)
    (tmp_path / "specs.json").write_text(json.dumps(put_in))
    with serving(tmp_path) as url, window(browser, flat=True) as page:
        page.goto(f"{url}/?width=340")
        page.wait_for_function(
            "() => document.querySelectorAll('[data-testid=stVegaLiteChart] svg').length == 4"
        )
        page.wait_for_timeout(1000)
        none, line, over, cut = (each["faults"] for each in page.evaluate(FAULTS))
    assert none == []
    assert set(line) == {"on a line: on the line", "on a dot: on the line"}
    assert over == ["over each other: one, other"]
    assert "cut: far to the left of everything that there is" in cut
