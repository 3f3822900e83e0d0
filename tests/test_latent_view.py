import base64
import dataclasses
import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from browsers import VIEW, serving, window

from core.colours import ROLE
from ui.player import view as view_module
from ui.player.view import Arrow, Follow, LatentView, ensure_plotly_bundle, pack, plain_figure

ROOT = Path(__file__).parents[1]


def make_view(d=3, n=50, k=12, c=4, p=21, **changes):
    """A run whose points start folded and end at the truth."""
    rng = np.random.default_rng(changes.pop("seed", 0))
    z = rng.normal(size=(n, d))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    net = rng.normal(size=(c, p, d))
    net /= np.linalg.norm(net, axis=-1, keepdims=True)
    t = np.linspace(0, 1, k)
    z_hat = t[:, None, None] * z + (1 - t[:, None, None]) * np.abs(z)
    net_hat = t[:, None, None, None] * net + (1 - t[:, None, None, None]) * np.abs(net)
    steps = np.arange(k) * 10
    view = LatentView("run", d, z, z_hat, steps, ["#336699"] * n, net, net_hat)
    return dataclasses.replace(view, **changes)


def density(d=3, kappa=10, rows=25, columns=48):
    """A von Mises-Fisher density on the globe's grid or on the circle, of maximum 1."""
    lat = np.radians(np.linspace(-90, 90, rows) if d == 3 else [0.0])[:, None]
    lon = 2 * np.pi * np.arange(columns) / columns
    return np.exp(kappa * (np.cos(lat) * np.cos(lon) - 1))


def triangle(d=3):
    return np.eye(d)[[0, 1, 0]] * [[1], [1], [-1]]


def unpack(message):
    """What the browser does with a message."""
    floats = np.frombuffer(base64.b64decode(message["floats"]), "<f4")
    arrays, at = {}, 0
    for name, shape in message["header"]["arrays"]:
        size = int(np.prod(shape))
        arrays[name] = floats[at : at + size].reshape(shape)
        at += size
    assert at == len(floats)
    return arrays


def test_the_message_gives_the_arrays_back():
    view = make_view()
    arrays = unpack(pack(view, "key", 440))
    for name in ("z", "z_hat", "net", "net_hat"):
        np.testing.assert_array_equal(arrays[name], getattr(view, name).astype("f4"))


def test_half_precision_latents_travel_as_well():
    view = make_view()
    half = dataclasses.replace(view, z=view.z.astype("f2"), z_hat=view.z_hat.astype("f2"))
    np.testing.assert_array_equal(unpack(pack(half, "key", 440))["z_hat"], half.z_hat)


def test_the_header_is_json_and_small():
    view = make_view(n=500, k=60, net_bold=[0, np.int64(1)], note="coordinates 1, 2, 3 of 5")
    message = pack(view, "key", 440)
    header = json.loads(json.dumps(message["header"], allow_nan=False))
    assert len(json.dumps(header)) < 20_000
    assert (header["run"], header["d"], header["bold"]) == ("run", 3, [0, 1])
    assert header["steps"] == view.steps.tolist() and header["total"] == view.steps[-1]
    assert pack(dataclasses.replace(view, total=4000), "key", 440)["header"]["total"] == 4000


def test_frames_are_named_in_words_where_they_are_not_steps():
    words = [f"κ = {i}" for i in range(12)]
    header = pack(make_view(moments=words), "key", 440)["header"]
    assert header["moments"] == words
    assert pack(make_view(), "key", 440)["header"]["moments"] is None


def test_a_run_without_a_net_is_sent():
    view = make_view(c=0)
    assert set(unpack(pack(view, "key", 440))) == {"z", "z_hat"}


@pytest.mark.parametrize("shape", [(25, 48), (2, 3), (13, 24)])
def test_a_density_on_the_sphere_travels_as_it_is(shape):
    field = density(rows=shape[0], columns=shape[1])
    message = pack(make_view(density=field), "key", 440)
    np.testing.assert_array_equal(unpack(message)["density"], field.astype("f4"))
    assert message["header"]["densest"] == ROLE["z"]


def test_a_density_on_the_circle_becomes_a_band_as_high_as_it_is_dense():
    view = make_view(d=2, density=density(2, columns=90))
    arrays = unpack(pack(view, "key", 440))
    edge, foot = np.split(np.linalg.norm(arrays["band"], axis=1), 2)
    np.testing.assert_allclose(foot, foot[0], rtol=1e-6)
    height = (edge - foot) / (edge[0] - foot[0])
    np.testing.assert_allclose(height[:-1], view.density[0], atol=1e-6)
    x, y = arrays["band"][10]
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(40, abs=1e-4)  # its longitude is kept
    np.testing.assert_allclose(arrays["band"][90], arrays["band"][0], atol=1e-6)  # all around
    assert edge.max() < np.linalg.norm(arrays["z"], axis=1).min()  # inside the points


@pytest.mark.parametrize("d", [2, 3])
def test_level_lines_of_any_length_are_closed_and_lie_above_the_sphere(d):
    view = make_view(d=d, levels=(triangle(d), triangle(d)[:2]))
    lines = unpack(pack(view, "key", 440))["levels"]
    gaps = np.isnan(lines).all(axis=1)
    assert gaps.tolist() == [False] * 4 + [True] + [False] * 3 + [True]
    np.testing.assert_allclose(np.linalg.norm(lines[~gaps], axis=1), 1.005, rtol=1e-6)
    np.testing.assert_array_equal(lines[[0, 5]], lines[[3, 7]])


def test_the_message_of_a_view_without_a_density_knows_nothing_of_one():
    message = pack(make_view(), "key", 440)
    assert [name for name, _ in message["header"]["arrays"]] == ["z", "z_hat", "net", "net_hat"]
    assert "densest" not in message["header"]
    dense = pack(make_view(density=density(), levels=[triangle()]), "key", 440)
    assert dense["header"]["reach"] == message["header"]["reach"]
    drawn = unpack(dense)
    for name, array in unpack(message).items():
        np.testing.assert_array_equal(drawn[name], array)


def test_arrows_may_be_on_one_side_only():
    v, w = np.array([0.0, 0.0, 1.0]), np.zeros((12, 3))
    arrows = [Arrow("v1", "v", v, None), Arrow("w1", "w", None, w)]
    message = pack(make_view(arrows=arrows), "key", 440)
    arrays = unpack(message)
    np.testing.assert_array_equal(arrays["arrows"][0], v)
    assert np.isnan(arrays["arrows"][1]).all() and np.isnan(arrays["arrows_hat"][:, 0]).all()
    np.testing.assert_array_equal(arrays["arrows_hat"][:, 1], w)
    assert [a["label"] for a in message["header"]["arrows"]] == ["v1", "w1"]


@pytest.mark.parametrize("d", [2, 3])
def test_pairs_become_arcs_on_the_sphere_from_point_to_positive(d):
    view = make_view(d=d)
    index = np.array([3, 7])
    z_pos = np.roll(view.z[index], 1, axis=1)
    arcs = unpack(pack(dataclasses.replace(view, pairs=(z_pos, index)), "key", 440))["pairs"]
    np.testing.assert_allclose(np.linalg.norm(arcs, axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(arcs[:, 0], view.z[index], atol=1e-6)
    np.testing.assert_allclose(arcs[:, -1], z_pos, atol=1e-6)


def test_on_a_circle_only_the_radius_is_changed_and_alike_on_both_sides():
    view = make_view(d=2)
    arrays = unpack(pack(view, "key", 440))
    for name in ("z", "z_hat", "net", "net_hat"):
        drawn, true = arrays[name], getattr(view, name)
        norms = [np.linalg.norm(a, axis=-1, keepdims=True) for a in (drawn, true)]
        np.testing.assert_allclose(drawn / norms[0], true / norms[1], atol=1e-6)
    radius = np.linalg.norm(arrays["z"], axis=-1)
    assert 0.95 < radius.min() < radius.max() < 1.05
    np.testing.assert_allclose(np.linalg.norm(arrays["z_hat"][-1], axis=-1), radius, rtol=1e-6)


def test_far_and_diverged_points_leave_the_sphere_readable():
    view = make_view()
    far, lost = view.z_hat * 30, np.full_like(view.z_hat, np.nan)
    endless = np.full_like(view.z_hat, np.inf)
    assert pack(view, "key", 440)["header"]["reach"] == pytest.approx([1] * 12, abs=1e-3)
    for z_hat in (far, lost, endless):
        reach = pack(dataclasses.replace(view, z_hat=z_hat), "key", 440)["header"]["reach"]
        assert len(reach) == 12 and 1 <= min(reach) <= max(reach) <= 3
    view.z_hat[4, 7] *= 2.5 / np.linalg.norm(view.z_hat[4, 7])
    assert pack(view, "key", 440)["header"]["reach"] == pytest.approx([1] * 4 + [2.5] + [1] * 7)


@pytest.mark.parametrize("what", ["net_hat", "arrows"])
def test_what_is_carried_beyond_the_sphere_has_room_at_its_frame(what):
    far = make_view().net_hat
    far[3, 1, 5] *= 2 / np.linalg.norm(far[3, 1, 5])
    tip = np.zeros((12, 3))
    tip[3, 2] = 2
    changes = {"net_hat": far} if what == "net_hat" else {"arrows": [Arrow("", "w", None, tip)]}
    reach = pack(make_view(**changes), "key", 440)["header"]["reach"]
    assert reach == pytest.approx([1] * 3 + [2] + [1] * 8, abs=0.01)


def test_words_are_typeset_for_the_picture_and_plain_for_the_ear():
    tip = np.array([0.0, 0.0, 1.2])
    view = make_view(
        titles=("V⊥ & <v_c>", "w_c"), note="rows w_c of W", alt="V⊥ seen",
        arrows=[Arrow("v_c", "v", tip, None)],
    )  # fmt: skip
    header = pack(view, "key", 440)["header"]
    assert header["titles"] == ["V<sup>⊥</sup> &amp; &lt;v<sub>c</sub>>", "w<sub>c</sub>"]
    assert header["note"] == "rows w<sub>c</sub> of W" and header["alt"] == "V⊥ seen"
    assert header["arrows"][0]["label"] == "v<sub>c</sub>"
    assert header["named"] == pytest.approx(1.2)
    titles = [each["text"] for each in plain_figure(view)["layout"]["annotations"]]
    assert titles == header["titles"]


def test_a_curve_around_the_circle_is_drawn_closed():
    turn = np.linspace(0, 2 * np.pi, 29)
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)[None]
    view = make_view(d=2, c=0, net=circle, net_hat=np.repeat(circle[None], 12, axis=0))
    for drawn in (unpack(pack(view, "key", 440))[name] for name in ("net", "net_hat")):
        ends = drawn.reshape(-1, 29, 2)[:, [0, -1]]
        np.testing.assert_allclose(ends[:, 0], ends[:, 1], atol=1e-5)
        half = np.linalg.norm(drawn.reshape(-1, 29, 2), axis=-1)
        there, back = half[:, 7], half[:, 21]  # where a fold would lay one on the other
        assert (back - there > 0.03).all()


def test_numbers_that_follow_travel_by_title_and_fit_the_frames():
    scores = {"Linear R²": [f"0.{i:03}" for i in range(11)] + [None]}
    message = pack(make_view(follow=Follow("numbers", scores, "curves", ["end"])), "key", 440)
    header = json.loads(json.dumps(message["header"]))
    assert header["follow"] == {
        "numbers": "numbers", "scores": scores, "curves": "curves", "ends": ["end"]
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"follow.scores\['MCC'\] has 1 of 12 frames"):
        make_view(follow=Follow("numbers", {"MCC": ["0.9"]}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"z_hat": np.zeros((12, 49, 3))}, "z_hat has shape"),
        ({"z_hat": np.zeros((0, 50, 3)), "steps": np.zeros(0)}, "no frames"),
        ({"steps": np.arange(3)}, "steps has shape"),
        ({"colours": ["#000000"]}, "1 colours for 50 points"),
        ({"net_hat": np.zeros((12, 3, 21, 3))}, "net_hat has shape"),
        ({"d": 4}, "two or three"),
        ({"moments": ["one", "two"]}, "2 moments for 12 frames"),
        (
            {"density": np.zeros(48)},
            r"density has shape \(48,\), expected \(2 or more, 3 or more\)",
        ),
        ({"density": np.zeros((1, 48))}, "density has shape"),
        ({"density": np.zeros((25, 2))}, "density has shape"),
        ({"density": np.full((25, 48), np.nan)}, "density is not finite"),
        ({"density": np.full((25, 48), 1.5)}, "density goes from 1.5 to 1.5"),
        ({"density": np.full((25, 48), -0.5)}, "density goes from -0.5"),
        ({"levels": [np.eye(3), np.eye(2)]}, r"levels\[1\] has shape \(2, 2\), expected \(p, 3\)"),
        ({"levels": [np.zeros((0, 3))]}, r"levels\[0\] has shape"),
        ({"levels": [np.full((4, 3), np.inf)]}, r"levels\[0\] is not finite"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_arrays_that_do_not_fit_are_refused_by_name(change, words):
    with pytest.raises(ValueError, match=words):
        make_view(**change)


def test_a_circle_takes_one_row_of_density():
    with pytest.raises(ValueError, match=r"has shape \(25, 48\), expected \(1, 3 or more\)"):
        make_view(d=2, density=density())


@pytest.mark.parametrize("d", [2, 3])
def test_the_plain_figure_is_a_valid_plotly_figure_of_the_last_frame(d):
    plotly = pytest.importorskip("plotly.graph_objects")
    arrows = [Arrow("v1", "v", np.eye(d)[0], None)]
    view = make_view(d=d, arrows=arrows, net_bold=[0], titles=("true <z>", "recovered"))
    spec = plain_figure(view)
    json.dumps(spec, allow_nan=False)
    plotly.Figure(spec)
    clouds = [trace for trace in spec["data"] if trace.get("mode") == "markers"]
    drawn = np.stack([clouds[1][axis] for axis in "xyz"[:d]], axis=1)
    np.testing.assert_allclose(drawn, view.z_hat[-1], atol=1e-4)


@pytest.mark.parametrize("d", [2, 3])
def test_the_plain_figure_cuts_nothing_of_the_last_frame(d):
    view = make_view(d=d)
    view.z_hat[-1, 3] *= 1.6
    layout = plain_figure(view)["layout"]
    axes = layout["scene2"] if d == 3 else {"xaxis": layout["xaxis2"], "yaxis": layout["yaxis2"]}
    for axis in ("xaxis", "yaxis"):
        assert axes[axis]["range"][1] > 1.6


def test_the_plain_figure_shows_the_density_and_its_levels_on_the_true_side_only():
    plotly = pytest.importorskip("plotly.graph_objects")
    spec = plain_figure(make_view(c=0, density=density(rows=13, columns=24), levels=[triangle()]))
    json.dumps(spec, allow_nan=False)
    plotly.Figure(spec)
    true, recovered = [trace for trace in spec["data"] if trace["type"] == "surface"]
    shades = np.array(true["surfacecolor"])
    assert shades.shape == np.shape(true["x"]) == (13, 25) and "surfacecolor" not in recovered
    row, column = np.unravel_index(shades[:, :-1].argmax(), (13, 24))
    assert [true[axis][row][column] for axis in "xyz"] == [0.985, 0, 0]
    (lines,) = [trace for trace in spec["data"] if trace.get("mode") == "lines"]
    assert lines["scene"] == "scene" and lines["x"] == [1.005, 0, -1.005, 1.005, None]

    spec = plain_figure(make_view(d=2, c=0, density=density(2)))
    plotly.Figure(spec)
    assert [trace["xaxis"] for trace in spec["data"] if "fill" in trace] == ["x"]


@pytest.mark.parametrize("named", [True, False])
def test_the_plain_figure_draws_the_arrows_of_a_role_at_once(named):
    tips = np.eye(3)
    arrows = [Arrow(f"v{i}" if named else "", "v", tips[i], None) for i in range(3)]
    arrows += [Arrow("", "w", None, np.tile(-tips[i], (12, 1))) for i in range(3)]
    rays = [t for t in plain_figure(make_view(c=0, arrows=arrows))["data"] if "line" in t]
    assert [(t["scene"], t["mode"]) for t in rays] == [
        ("scene", "lines+text" if named else "lines"), ("scene2", "lines")
    ]  # fmt: skip
    assert rays[0]["x"] == [0, 1, None, 0, 0, None, 0, 0, None]
    assert rays[1]["z"] == [0, 0, None, 0, 0, None, 0, -1, None]
    assert rays[0].get("text") == (["", "v0", "", "", "v1", "", "", "v2", ""] if named else None)


def test_the_bundle_is_copied_once_and_again_when_it_differs(tmp_path):
    target = ensure_plotly_bundle(tmp_path)
    assert target == tmp_path / "static" / "plotly.min.js" and target.stat().st_size > 1_000_000
    stamp = target.stat().st_mtime_ns
    assert ensure_plotly_bundle(tmp_path).stat().st_mtime_ns == stamp
    target.write_text("an older version")
    assert ensure_plotly_bundle(tmp_path).stat().st_size > 1_000_000
    assert [file.name for file in target.parent.iterdir()] == ["plotly.min.js"]


def test_a_read_only_checkout_sends_the_library_as_text(tmp_path, monkeypatch, caplog):
    (tmp_path / "static").write_text("in the way")
    monkeypatch.setattr(view_module, "APP_FOLDER", tmp_path)
    with pytest.raises(OSError):
        ensure_plotly_bundle(tmp_path)
    sent = []
    monkeypatch.setattr(view_module, "_component", lambda key, data: sent.append(data))
    view_module.preload_plotly()
    view_module.latent_view(make_view(), "globes")
    preload, view = sent
    assert preload["preload"] and len(preload["library"]) > 1_000_000
    assert view["sent"] and "library" not in view
    assert caplog.text.count("sent as text") == 1
    (tmp_path / "static").unlink()
    view_module.preload_plotly()
    assert "library" not in sent[-1]


def test_nothing_of_plotly_or_torch_is_imported():
    code = (  # streamlit itself imports some of plotly
        "import sys, streamlit; before = set(sys.modules)\n"
        "import ui.player.view as v; v.ensure_plotly_bundle()\n"
        "heavy = {'plotly', '_plotly_utils', 'torch', 'pandas'}\n"
        "print([m for m in set(sys.modules) - before if m.partition('.')[0] in heavy])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


# ---- in a browser

APP = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
import numpy as np
import streamlit as st
from test_latent_view import density, make_view, triangle
from ui.player.view import Arrow, latent_view

st.session_state.runs = st.session_state.get("runs", 0) + 1
st.html(f"<i id='runs'>{{st.session_state.runs}}</i>")
seed = st.number_input("seed", 0, 9, 0)
changes = {{}}
if st.checkbox("words"):
    changes["moments"] = [f"<b>{{i}}</b> & more" for i in range(12)]
if many := st.number_input("arrows", 0, 100, 0):
    tips = np.random.default_rng(0).normal(size=(many, 12, 3))
    changes["arrows"] = [Arrow("w0" * (i == 0), "w", None, tip) for i, tip in enumerate(tips)]
if kappa := st.number_input("kappa", 0, 50, 0):
    changes |= {{"density": density(kappa=kappa), "levels": [triangle()]}}
changes["live"] = st.checkbox("live")
if st.checkbox("show", True):
    view = make_view(seed=seed, n=200, c=6, run=f"seed {{seed}}", alt="two globes", **changes)
    latent_view(view, key="view")
"""
PRELOAD = """
from pathlib import Path
from ui.player import view as module
module.APP_FOLDER = Path(__file__).parent
module.preload_plotly()
"""
CAMERAS = """() => { const f = document.querySelector('.lv-plot')._fullLayout;
  return [f.scene, f.scene2].map((s) => Object.values(s._scene.getCamera().eye)); }"""

# The densities' sums on both globes, and the mean colour of the true one's pixels.
MESHES = """() => document.querySelector('.lv-plot').data.filter((t) => t.type === 'mesh3d')
  .map((t) => t.intensity ? t.intensity.reduce((a, b) => a + b) : null)"""
COLOUR = """() => { const { glplot } = document.querySelector('.lv-plot')._fullLayout.scene._scene;
  const { width, height } = glplot.canvas, sum = [0, 0, 0];
  const pen = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
  glplot.redraw();
  pen.drawImage(glplot.canvas, 0, 0);
  const { data } = pen.getImageData(0, 0, width, height);
  for (let i = 0; i < data.length; i++) if (i % 4 < 3) sum[i % 4] += data[i];
  return sum.map((s) => (4 * s) / data.length); }"""

WATCH = """() => { window.drawn = []; const view = document.querySelector('.lv');
  new MutationObserver(() => window.drawn.push(view.dataset.step))
    .observe(view, { attributeFilter: ['data-draws'] }); }"""


@contextmanager
def served(folder, app):
    """The address of a server with one view on one page."""
    (folder / "app.py").write_text(app.format(root=str(ROOT), tests=str(ROOT / "tests")))
    if not (folder / "static").exists():
        ensure_plotly_bundle(folder)
    flags = ("address=localhost", "headless=true", "enableStaticServing=true",
             "fileWatcherType=none", "baseUrlPath=demo")  # fmt: skip
    flags = (*(f"--server.{flag}" for flag in flags), "--browser.gatherUsageStats=false")
    with serving(folder, "/demo", flags) as url:
        yield f"{url}/"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(tmp_path_factory.mktemp("app"), APP) as url:
        yield url


@contextmanager
def showing(browser, address):
    """The page once its first picture is drawn."""
    with window(browser, viewport={"width": 1024, "height": 768}) as page:
        page.goto(address)
        page.wait_for_selector(f"{VIEW}[data-draws]")
        yield page


@pytest.mark.browser
def test_the_globes_are_drawn_where_no_file_can_be_served(browser, tmp_path):
    (tmp_path / "static").write_text("in the way")
    app = APP.replace("st.session_state.runs =", PRELOAD + "st.session_state.runs =", 1)
    with served(tmp_path, app) as address, showing(browser, address) as page:
        assert page.complaints == []
        assert not page.evaluate("performance.getEntriesByType('resource')"
                                 ".some((e) => e.name.includes('plotly.min.js'))")  # fmt: skip


@pytest.fixture
def page(browser, address):
    with showing(browser, address) as page:
        yield page


def cameras(page):
    left, right = np.array(page.evaluate(CAMERAS))
    np.testing.assert_allclose(left, right, atol=1e-6)  # linked, always
    return left


def drag(page):
    box = page.locator(".lv-plot").bounding_box()
    x, y = box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(1, 6):
        page.mouse.move(x + 12 * i, y + 4 * i)
        page.wait_for_timeout(60)
    page.mouse.up()
    page.wait_for_timeout(150)


def set_seed(page, seed):
    page.get_by_label("seed").fill(str(seed))
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{VIEW}[data-run='seed {seed}']")


@pytest.mark.browser
def test_the_camera_survives_data_and_a_remount_and_playing_asks_nothing(page):
    start = cameras(page)
    page.evaluate("() => { document.querySelector('.lv-plot').kept = true; }")
    drag(page)
    turned = cameras(page)
    assert np.abs(turned - start).max() > 0.1

    set_seed(page, 1)
    np.testing.assert_allclose(cameras(page), turned, atol=1e-6)
    assert page.evaluate("() => document.querySelector('.lv-plot').kept")

    runs = page.inner_text("#runs")
    page.evaluate(WATCH)
    page.get_by_label("Play the training run").click()
    page.wait_for_function("() => window.drawn.length >= 12")
    assert page.evaluate("() => window.drawn") == [str(10 * i) for i in range(12)]
    page.get_by_label("Frame of the training run").press("ArrowLeft")
    page.wait_for_selector(f"{VIEW}[data-step='100']")
    assert page.inner_text(".lv-step") == "step 100 of 110"
    assert page.inner_text("#runs") == runs
    np.testing.assert_allclose(cameras(page), turned, atol=1e-6)

    page.get_by_text("show").click()
    page.wait_for_selector(VIEW, state="detached")
    page.get_by_text("show").click()
    page.wait_for_selector(f"{VIEW}[data-draws]")
    np.testing.assert_allclose(cameras(page), turned, atol=1e-6)


@pytest.mark.browser
def test_the_player_says_the_words_of_a_frame_as_they_are(page):
    page.get_by_text("words").click()
    page.wait_for_function("() => document.querySelector('.lv-step').textContent.includes('more')")
    assert page.inner_text(".lv-step") == "<b>11</b> & more"
    page.get_by_label("Frame", exact=True).press("Home")
    page.wait_for_selector(f"{VIEW}[data-step='0']")
    assert page.inner_text(".lv-step") == "<b>0</b> & more"
    assert page.get_by_label("Play the frames").count() == 1


@pytest.mark.browser
def test_of_many_arrows_only_the_named_are_written(page):
    before = int(page.get_attribute(VIEW, "data-draws"))
    page.get_by_label("arrows").fill("100")
    page.keyboard.press("Enter")
    page.wait_for_function(
        f"() => document.querySelector('{VIEW}').dataset.draws > {before} &&"
        " document.querySelector('.lv-plot').data.some((t) => t.mode === 'text')"
    )
    written = page.evaluate(
        "() => document.querySelector('.lv-plot').data.filter((t) => t.text).map((t) => t.text)"
    )
    assert written == [["w0"], ["w0"]]  # one a side; the true side's has no place and is not seen


@pytest.mark.browser
def test_a_density_may_change_under_a_run_in_training_and_the_camera_survives(page):
    def set_kappa(kappa):
        page.get_by_label("kappa").fill(str(kappa))
        page.keyboard.press("Enter")
        total = density(kappa=kappa).sum() if kappa else 0
        page.wait_for_function(f"(t) => Math.abs(({MESHES})()[0] - t) < 1e-3", arg=total)
        page.wait_for_timeout(300)
        assert page.evaluate(MESHES)[1] is None  # on the true side only
        assert page.evaluate("() => document.querySelector('.lv-plot').kept")
        np.testing.assert_allclose(cameras(page), turned, atol=1e-6)

    page.evaluate("() => { document.querySelector('.lv-plot').kept = true; }")
    drag(page)
    turned, bare = cameras(page), page.evaluate(COLOUR)
    assert page.evaluate(MESHES) == [None, None]
    set_kappa(5)
    assert np.abs(np.subtract(page.evaluate(COLOUR), bare)).max() > 2

    page.get_by_text("live").click()
    page.wait_for_selector(f"{VIEW}.live")
    set_kappa(20)
    set_kappa(0)
    np.testing.assert_allclose(page.evaluate(COLOUR), bare, atol=0.5)  # a ball as before


@pytest.mark.browser
def test_a_message_during_a_drag_waits_and_the_camera_is_kept(page):
    box = page.locator(".lv-plot").bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    page.get_by_label("seed").fill("2")
    page.mouse.down()  # takes the focus from the field, which sends the new seed
    for i in range(12):
        page.mouse.move(box["x"] + 0.25 * box["width"] + 8 * i, box["y"] + 0.5 * box["height"])
        page.wait_for_timeout(60)
    assert page.get_attribute(VIEW, "data-run") == "seed 0"
    turned = cameras(page)
    page.mouse.up()
    page.wait_for_selector(f"{VIEW}[data-run='seed 2']")
    np.testing.assert_allclose(cameras(page), turned, atol=0.02)
