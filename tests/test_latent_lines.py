"""Coordinate lines that move over points of a plane, beside bars: the flat picture of decoders."""

import dataclasses
import json

import numpy as np
import pytest
from browsers import VIEW
from test_latent_view import make_view, served, showing, unpack

from core.colours import ROLE
from ui.player.view import Chart, Lines, Panel, Series, pack, plain_figure

K = 12
TURNS = np.linspace(0, np.pi / 4, K)


def over_a_plane(**changes):
    """Two families of parallel lines that turn, and one bar that grows."""
    ends = np.linspace(-1, 1, 5)
    grid = np.stack(np.meshgrid(ends, ends, indexing="ij"), -1)
    c, s = np.cos(TURNS), np.sin(TURNS)
    turn = np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2)
    one, other = (np.einsum("kij,cpj->kcpi", turn, lines) for lines in (grid, grid[..., ::-1]))
    tops = np.linspace(1, 2, K)
    box = Series("", ROLE["w"], "area", np.array([-0.4, -0.4, 0.4, 0.4]),
                 np.stack([0 * tops, tops, tops, 0 * tops], 1))  # fmt: skip
    names = ("core", "H_x")
    panel = Panel("", "", "nats", (-0.5, 1.5), (0, 2.2), [box], x_names=names)
    view = make_view(d=2, k=K, c=0)
    fields = {
        "z_hat": np.zeros((K, 0, 2)), "net_hat": np.zeros((K, 0, 0, 2)), "chart": Chart([panel]),
        "lines": [Lines("z", one), Lines("z_hat", 3 * other)],
        "curved": False,
        "moments": [f"turned by {t:.2f}" for t in TURNS],
    }  # fmt: skip
    return dataclasses.replace(view, **(fields | changes))


def test_lines_and_names_travel_and_points_stay_where_they_are():
    view = over_a_plane()
    message = pack(view, "key", 440)
    arrays, header = unpack(message), json.loads(json.dumps(message["header"], allow_nan=False))
    assert header["lines"] == [ROLE["z"], ROLE["z_hat"]]
    for i, lines in enumerate(view.lines):
        np.testing.assert_array_equal(arrays[f"lines{i}"], lines.curves.astype("f4"))
    np.testing.assert_array_equal(arrays["z"], view.z.astype("f4"))  # not spread, as on a circle
    assert header["reach"] == [1.0] * K  # however far a line goes
    assert header["chart"][0]["x_names"] == ["core", "H<sub>x</sub>"]
    assert header["chart"][0]["series"][0]["kind"] == "area"
    assert "lines" not in pack(make_view(), "key", 440)["header"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (Lines("z", np.zeros((K - 1, 2, 5, 2))), r"lines\[0\].curves has shape \(11, 2, 5, 2\)"),
        (Lines("z", np.zeros((K, 2, 5, 3))), r"expected \(12, c, p, 2\) at d = 2"),
        (Lines("blue", np.zeros((K, 2, 5, 2))), r"lines\[0\].role is 'blue', expected one of z, "),
    ],
)
def test_lines_that_cannot_be_drawn_are_refused(lines, words):
    with pytest.raises(ValueError, match=words):
        over_a_plane(lines=[lines])


def test_lines_are_of_a_plane():
    with pytest.raises(ValueError, match="at d = 2"):
        dataclasses.replace(
            make_view(d=3, k=K), curved=False, lines=[Lines("z", np.zeros((K, 2, 5, 3)))]
        )


def test_the_plain_figure_shows_the_last_lines_in_their_colours():
    plotly = pytest.importorskip("plotly.graph_objects")
    view = over_a_plane()
    spec = plain_figure(view)
    plotly.Figure(spec)
    for lines in view.lines:
        look = {"color": ROLE[lines.role], "width": 1.6}
        (drawn,) = [t for t in spec["data"] if t.get("line") == look]
        x = np.array([np.nan if v is None else v for v in drawn["x"]]).reshape(5, 6)
        np.testing.assert_allclose(x[:, :5], lines.curves[-1, ..., 0], atol=1e-4)
        assert np.isnan(x[:, 5]).all()
    assert spec["layout"]["xaxis3"]["ticktext"] == ["core", "H_x"]


APP = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from test_latent_lines import over_a_plane
from ui.player.view import latent_view

latent_view(over_a_plane(run="a run", alt="lines over points"), key="view")
"""
LINE = """(colour) => { const { data } = document.querySelector('.lv-plot');
  const { x, y } = data.find((t) => t.xaxis === 'x' && t.line?.color === colour);
  return [Array.from(x).slice(0, 5), Array.from(y).slice(0, 5)]; }"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(tmp_path_factory.mktemp("app"), APP) as url:
        yield url


@pytest.mark.browser
def test_lines_and_bars_follow_the_player(browser, address):
    view = over_a_plane()
    with showing(browser, address) as page:
        layout = "document.querySelector('.lv-plot').layout"
        assert page.evaluate(f"{layout}.shapes.length") == 0  # no circle
        assert page.evaluate(f"{layout}.xaxis3.ticktext") == ["core", "H<sub>x</sub>"]
        for step, frame in (("110", -1), ("0", 0)):
            page.wait_for_selector(f"{VIEW}[data-step='{step}']")
            for lines in view.lines:
                first = lines.curves[frame, 0].T
                np.testing.assert_allclose(page.evaluate(LINE, ROLE[lines.role]), first, atol=1e-5)
            page.get_by_label("Frame", exact=True).press("Home")
        box = page.evaluate("() => Array.from(document.querySelector('.lv-plot').data"
                            ".find((t) => t.xaxis === 'x3').y)")  # fmt: skip
        np.testing.assert_allclose(box, [0, 1, 1, 0], atol=1e-6)
        assert [words for words in page.complaints if "404" not in words] == []
