"""A globe beside a chart: its message, what is refused, the plain figure, and the browser."""

import dataclasses
import json

import numpy as np
import pytest
from browsers import VIEW
from PIL import Image
from test_latent_view import density, make_view, served, showing, unpack

from core.colours import ROLE
from ui.player.view import Arrow, Chart, Panel, Plane, Series, pack, plain_figure

K = 12


def make_chart(**changes):
    """Two panels over one axis, with every kind of series in one of them."""
    x = np.linspace(-1, 1, 21)
    y = np.linspace(0.1, 1, K)[:, None] * np.exp(-(x**2))
    cloud = np.linspace(-1, 1, K)[:, None] * np.ones(3)
    lines = [
        Series("", "#d1495b", "bars", np.linspace(-1, 1, 9), np.arange(8.0)),
        Series("code", "#d1495b", "line", x, y),
        Series("true", "", "dashed", x, y[-1]),
    ]
    points = [Series("members", "#2a9d8f", "points", cloud, cloud)]
    code = Panel("Code", "code b", "density", (-1, 1), (0, 8), lines, share=2)
    return Chart(
        [dataclasses.replace(code, **changes), Panel("", "code b", "p", (-1, 1), (0, 1), points)]
    )


def beside_a_chart(d=3, chart=None, **changes):
    view = make_view(d=d, k=K, c=0)
    tips = np.linspace(np.eye(d)[0], np.eye(d)[-1], K) * 1.25
    fields = {
        "z_hat": np.zeros((K, 0, d)),
        "net_hat": np.zeros((K, 0, 0, d)),
        "chart": chart or make_chart(),
        "arrows": [
            Arrow("w", "w", tips, None, trail=np.stack([tips, tips], 1), both=True),
            Arrow("closed form", "baseline", np.eye(d)[1], None),
        ],
        "planes": [Plane("V⊥", "v", np.eye(d)[-1:])],
        "slow": True,
    }
    if d == 3:
        fields["planes"].append(Plane("V", "v", np.eye(3)[:2]))
        fields |= {"density": density(), "density_role": "w", "density_labels": ("0", "0.8 nats")}
    return dataclasses.replace(view, **(fields | changes))


def test_every_series_travels_under_its_panels_number_and_its_own():
    view = beside_a_chart()
    message = pack(view, "key", 440)
    arrays = unpack(message)
    header = json.loads(json.dumps(message["header"], allow_nan=False))
    for i, panel in enumerate(view.chart.panels):
        assert header["chart"][i]["y_label"] == panel.y_label
        for j, series in enumerate(panel.series):
            assert header["chart"][i]["series"][j]["kind"] == series.kind
            np.testing.assert_array_equal(arrays[f"x{i}.{j}"], series.x.astype("f4"))
            np.testing.assert_array_equal(arrays[f"y{i}.{j}"], series.y.astype("f4"))
    assert [panel["share"] for panel in header["chart"]] == [2, 1]
    assert arrays["z_hat"].shape == (K, 0, 3) and "arrows_hat" not in arrays
    assert header["slow"] and header["scale"] == ["0", "0.8 nats"]
    assert header["densest"] == ROLE["w"]


def test_a_message_without_the_new_fields_does_not_know_of_them():
    header = pack(make_view(arrows=[Arrow("v", "v", np.eye(3)[0], None)]), "key", 440)["header"]
    assert not {"chart", "planes", "scale", "slow"} & set(header)
    assert header["arrows"] == [{"label": "v", "colour": ROLE["v"]}]
    assert header["reach"] == pytest.approx([1] * K, abs=1e-3)


def test_an_arrow_of_the_true_side_may_move_while_another_stands():
    message = pack(beside_a_chart(), "key", 440)
    tips = unpack(message)["arrows"]
    assert tips.shape == (K, 2, 3)
    np.testing.assert_allclose(tips[[0, -1], 0], np.eye(3)[[0, 2]] * 1.25, rtol=1e-6)
    assert (tips[:, 1] == np.eye(3)[1]).all()
    moving, still = message["header"]["arrows"]
    assert moving["trail"] and moving["both"] and still["still"] and "still" not in moving
    trail = unpack(message)["trail0"]
    assert trail.shape == (K, 2, 3) and "trail1" not in unpack(message)
    np.testing.assert_array_equal(trail[:, 1], tips[:, 0])
    both_sides = make_view(arrows=[Arrow("w", "w", tips[:, 0], tips[:, 0])])
    assert unpack(pack(both_sides, "key", 440))["arrows_hat"].shape == (K, 1, 3)


@pytest.mark.parametrize("changes", [{"planes": []}, {"arrows": []}], ids=["arrow", "plane"])
def test_the_view_reaches_beyond_what_sticks_out_of_the_globe(changes):
    header = pack(beside_a_chart(**changes), "key", 440)["header"]
    assert 1.3 < min(header["reach"]) and max(header["reach"]) < 1.4
    assert 1.2 < header["named"] < 1.3


def test_planes_travel_as_their_rows():
    message = pack(beside_a_chart(), "key", 440)
    arrays = unpack(message)
    assert [plane["label"] for plane in message["header"]["planes"]] == [
        "V<sup>⊥</sup>", "V"
    ]  # fmt: skip
    np.testing.assert_array_equal(arrays["plane0"], [[0, 0, 1]])
    np.testing.assert_array_equal(arrays["plane1"], np.eye(3)[:2])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"z_hat": np.zeros((K, 50, 3))}, r"z_hat has shape \(12, 50, 3\), expected \(12, 0, 3\)"),
        ({"net_hat": np.zeros((K, 1, 5, 3))}, "net_hat is not empty"),
        ({"whiskers": True}, "whiskers need the recovered side"),
        ({"arrows": [Arrow("w", "w", None, np.zeros((K, 3)))]}, r"arrows\[0\] has a recovered"),
        ({"arrows": [Arrow("w", "w", np.zeros((3, 3)), None)]}, r"arrows\[0\].truth has shape"),
        ({"arrows": [Arrow("w", "w", np.eye(3)[0], None, np.ones((K, 1, 3)))]}, "does not move"),
        ({"arrows": [Arrow("w", "w", np.ones((K, 3)), None, np.ones((K, 3)))]}, "trail has shape"),
        ({"planes": [Plane("V", "v", np.eye(3))]}, r"planes\[0\].basis has shape \(3, 3\)"),
        ({"planes": [Plane("V", "v", np.ones((2, 3)))]}, "not orthonormal"),
        ({"planes": [Plane("V", "green", np.eye(3)[:2])]}, "planes.0..role is 'green'"),
        ({"density_role": "blue"}, "density_role is 'blue', expected one of z, z_hat"),
        ({"density": None}, "density_labels need a density"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_view_beside_a_chart_refuses_what_has_no_place(change, words):
    with pytest.raises(ValueError, match=words):
        beside_a_chart(**change)


def test_a_flat_view_has_no_room_for_a_ring():
    with pytest.raises(ValueError, match="no room for a ring"):
        beside_a_chart(d=2, planes=[Plane("all", "v", np.eye(2))])


LINE = np.linspace(0, 1, 5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x_range": (1, 1)}, r"chart.panels\[0\].x_range is \(1, 1\), expected \(low, high\)"),
        ({"y_range": (0, np.nan)}, r"panels\[0\].y_range"),
        ({"y_range": np.array([[0, 1], [0, 2]])}, r"panels\[0\].y_range"),
        ({"y_range": np.array([[0, 1]] * (K - 1) + [[1, 1]])}, r"panels\[0\].y_range"),
        ({"share": 0}, "share is 0"),
        ({"series": [Series("", "", "wedge", LINE, LINE)]}, r"series\[0\].kind is 'wedge'"),
        ({"series": [Series("", "red", "line", LINE, LINE)]}, "colour is 'red', expected #rrggbb"),
        ({"series": [Series("", "", "bars", LINE, LINE)]}, r"y has shape \(5,\), expected \(4,\)"),
        ({"series": [Series("", "", "line", LINE, np.zeros((3, 5)))]}, r"or \(12, 5\)"),
        ({"series": [Series("", "", "line", np.zeros((K, 5)), LINE)]}, r"x has shape \(12, 5\)"),
        ({"series": [Series("", "", "points", np.zeros((3, 5)), LINE)]}, r"x has shape \(3, 5\)"),
        ({"series": [Series("", "", "line", LINE, LINE + np.inf)]}, r"series\[0\].y is not finite"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_chart_that_cannot_be_drawn_is_refused_by_the_place_of_the_fault(change, words):
    with pytest.raises(ValueError, match=words):
        beside_a_chart(chart=make_chart(**change))


def test_a_panels_axis_may_follow_the_player():
    tops = np.stack([np.zeros(K), np.linspace(8, 2, K)], axis=1)
    view = beside_a_chart(chart=make_chart(y_range=tops))
    header = pack(view, "key", 440)["header"]
    assert header["chart"][0]["y_range"][0] == [0, 8] and len(header["chart"][0]["y_range"]) == K
    assert plain_figure(view)["layout"]["yaxis3"]["range"] == [0, 2]


def test_a_chart_needs_a_panel():
    with pytest.raises(ValueError, match="no panels"):
        beside_a_chart(chart=Chart([]))


@pytest.mark.parametrize("d", [2, 3])
def test_the_plain_figure_shows_the_last_frame_of_all_of_it(d):
    plotly = pytest.importorskip("plotly.graph_objects")
    view = beside_a_chart(d=d)
    spec = plain_figure(view)
    json.dumps(spec, allow_nan=False)
    plotly.Figure(spec)
    traces = spec["data"]
    (line,) = [t for t in traces if t.get("line") == {"color": "#d1495b", "width": 2}]
    np.testing.assert_allclose(line["y"], view.chart.panels[0].series[1].y[-1], atol=1e-4)
    (bars,) = [t for t in traces if t.get("fill") == "toself" and t["xaxis"] == "x3"]
    assert bars["y"][:4] == [0, 0, 0, 1] and bars["y"][-1] == 0
    (members,) = [t for t in traces if t.get("mode") == "markers" and t.get("xaxis") == "x4"]
    assert members["x"] == [1, 1, 1]
    assert {"xaxis3", "yaxis4"} <= set(spec["layout"])
    assert not {"scene2", "xaxis2"} & set(spec["layout"])
    (w,) = [t for t in traces if t.get("text") == ["", "w", "", "", "", ""]]
    last = "xyz"[d - 1]
    assert w[last] == [0, 1.25, None, 0, -1.25, None]
    (trail,) = [t for t in traces if t.get("opacity") == 0.7]
    assert trail["x"][0] == 1.25 and trail[last][-1] == 1.25
    names = {name for t in traces if "text" in t for name in t["text"]}
    assert {"V<sup>⊥</sup>", "code", "true", "members"} <= names and ("V" in names) == (d == 3)
    rings = [t for t in traces if t["type"] == "mesh3d"]
    assert len(rings) == (d == 3)
    for ring in rings:
        far = np.hypot(np.array(ring["x"]), np.array(ring["y"]))
        assert 1.03 - 1e-3 < far.min() < far.max() < 1.24 + 1e-3 and not np.any(ring["z"])


# ---- in a browser

APP = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
import streamlit as st
from test_latent_chart import beside_a_chart
from ui.player.view import latent_view

run = f"seed {{st.number_input('seed', 0, 9, 0)}}"
latent_view(beside_a_chart(run=run, alt="a globe beside a chart"), key="view")
"""
TRACES = "document.querySelector('.lv-plot').data"
CURVE = f"""() => Array.from({TRACES}.find((t) => t.xaxis === 'x3' && t.mode === 'lines'
  && !t.fill && t.line.dash === undefined).y)"""
# when the third frame from the start is shown, in ms from now
SLOWLY = """() => {
  const view = document.querySelector('.lv'), begun = performance.now();
  window.third = new Promise((tell) => new MutationObserver(() => {
    if (+view.dataset.step >= 30) tell(performance.now() - begun);
  }).observe(view, { attributeFilter: ['data-step'] })); }"""
EYE = """() => Object.values(
  document.querySelector('.lv-plot')._fullLayout.scene._scene.getCamera().eye)"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(tmp_path_factory.mktemp("app"), APP) as url:
        yield url


@pytest.fixture
def page(browser, address):
    with showing(browser, address) as page:
        yield page


@pytest.mark.browser
def test_the_chart_follows_the_player_and_the_camera_survives(page):
    start = page.evaluate(EYE)
    page.locator(".lv-plot").press("ArrowUp")
    turned = page.evaluate(EYE)
    assert np.abs(np.subtract(turned, start)).max() > 0.05
    moving = make_chart().panels[0].series[1].y
    np.testing.assert_allclose(page.evaluate(CURVE), moving[-1], rtol=1e-6)
    page.get_by_label("Step back").click()
    page.wait_for_selector(f"{VIEW}[data-step='100']")
    np.testing.assert_allclose(page.evaluate(CURVE), moving[-2], rtol=1e-6)

    page.get_by_label("Frame of the training run").press("Home")
    page.wait_for_selector(f"{VIEW}[data-step='0']")
    slow = page.get_by_role("button", name="slow")
    slow.click()
    assert slow.get_attribute("aria-pressed") == "true"
    page.evaluate(SLOWLY)
    page.get_by_label("Play the training run").click()
    assert page.evaluate("() => window.third") >= 3 * 600  # ms, and not 3 * 85
    slow.click()
    page.wait_for_selector(f"{VIEW}[data-step='110']")

    page.get_by_label("seed").fill("1")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{VIEW}[data-run='seed 1']")
    np.testing.assert_allclose(page.evaluate(EYE), turned, atol=1e-6)
    assert page.get_attribute(".lv-plot", "aria-label") == "a globe beside a chart"
    assert [words for words in page.complaints if "404" not in words] == []


@pytest.mark.browser
def test_a_narrow_page_puts_the_chart_under_the_globe(page):
    places = """() => { const {scene, xaxis3} = document.querySelector('.lv-plot')._fullLayout;
      return [scene.domain.x, scene.domain.y, xaxis3.domain]; }"""
    (left, right), (low, _), chart = page.evaluate(places)
    assert (left, right, low) == (0, 0.5, 0) and chart[0] > 0.5
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function(f"({places})()[0][1] === 1")
    _, (low, _), chart = page.evaluate(places)
    assert low > 0.4 and chart[0] < 0.2


@pytest.mark.browser
def test_the_picture_that_is_saved_holds_globe_and_chart(page, tmp_path):
    page.locator(".lv-plot").hover()
    with page.expect_download() as download:
        page.locator(".modebar-btn[data-title='Download as PNG']").click()
    download.value.save_as(tmp_path / "saved.png")
    picture = np.asarray(Image.open(tmp_path / "saved.png").convert("RGB"))
    for half in np.array_split(picture, 2, axis=1):
        assert len(np.unique(half.reshape(-1, 3), axis=0)) > 100
