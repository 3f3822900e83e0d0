"""The picture of a decoder: its lines in two colours over the data, and bars that add up."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from shipped import results

from core.colours import ROLE
from core.flows import known
from core.lessons import LESSONS
from core.run.experiment import Experiment
from core.run.worker import train_group
from core.scenarios.flows import Flows
from ui import recovery
from ui.entropic import waterfall
from ui.player.view import pack

TINY = {"transforms": 2, "width": 8, "batch": 64, "steps": 6}


@cache
def run_of(**chosen):
    params = Flows(**TINY, **chosen)
    (result,) = train_group(Experiment(params, "flows", (0,)).members)
    return params, recovery.Run.finished(result), result


@pytest.mark.parametrize("chosen", [{}, {"data": "turned"}, {"data": "torus", "core_dim": 2}])
def test_bars_add_up_to_the_entropy_at_every_frame(chosen):
    params, run, result = run_of(**chosen)
    panel = waterfall.view_of(run, params).chart.panels[0]
    core, detail, shared, whole = (series.y for series in panel.series[:4])
    for bar in (core, detail, shared, whole):  # a rectangle, closed at its start
        assert bar.shape == (len(run.steps), 5)
        np.testing.assert_array_equal(bar[:, [0, 1]], bar[:, [3, 2]])
        np.testing.assert_array_equal(bar[:, 0], bar[:, 4])
    np.testing.assert_allclose(detail[:, 0], core[:, 1])
    np.testing.assert_allclose(shared[:, 0], detail[:, 1])
    np.testing.assert_allclose(whole[:, 1], shared[:, 1])
    at = [int(np.flatnonzero(result.history_step == step)[0]) for step in run.steps]
    entropies = result.history["entropy_nats"][at]
    entropies[-1] = result.scores["entropy_nats"]  # the bars end where the numbers do
    np.testing.assert_allclose(whole[:, 1], entropies, atol=1e-4)
    low, high = panel.y_range
    ends = np.concatenate([series.y for series in panel.series[:4]])
    assert low <= ends.min() and high >= ends.max()


def test_lines_have_the_colour_of_their_latents_part():
    params, run, _ = run_of(data="turned")
    detail, core = waterfall.view_of(run, params).lines
    assert (detail.role, core.role) == ("z_hat", "z")
    # unturned, core lines run along the longer axis of the ellipse
    lengths = [np.linalg.norm(np.diff(each.curves[0], axis=1), axis=-1).sum(1).mean()
               for each in (core, detail)]  # fmt: skip
    assert lengths[0] == pytest.approx(4 * lengths[1], rel=1e-2)
    view = waterfall.view_of(run, params)
    assert view.moments[0] == "turned by 0°" and view.moments[-1] == "turned by 45°"
    assert "turned by 45 degrees; total correlation 0.754 nats" in view.alt
    assert np.abs(view.z).max() <= waterfall.WIDE and np.abs(view.z[:, 1]).max() <= 1
    assert waterfall.NAMES == tuple(view.chart.panels[0].x_names)
    assert set(view.colours) == {ROLE["theory"]}


def test_the_shipped_turn_moves_its_bars():
    lesson = LESSONS["manifold_entropy"]
    for result in results(Experiment(lesson.at_start(), "flows", (0, 1, 2)).members):
        run = recovery.Run.finished(result)
        shared = waterfall.levels(run, "mtc_nats")
        closed = [known.turned(step) for step in run.steps]
        assert len(run.steps) >= 20
        np.testing.assert_allclose(shared, closed, atol=1e-4)


def test_training_says_which_latents_are_the_core_or_their_entropies_do():
    falling, rising = np.array([[2.0, 1.0]]), np.array([[1.0, 2.0]])
    told, read = Flows(objective="ml-rec"), Flows()
    assert list(waterfall.core_first(told, rising)) == [0, 1]
    assert list(waterfall.core_first(read, rising)) == [1, 0]
    assert waterfall.roles(read, falling) == ["z", "z_hat"]
    assert waterfall.roles(read, rising) == ["z_hat", "z"]
    assert waterfall.roles(Flows(core_dim=2), rising) == ["z", "z"]


@pytest.mark.parametrize("lost", [slice(2, 3), slice(-1)], ids=["a frame", "all but the last"])
def test_a_frame_that_cannot_be_read_has_no_bars_and_the_picture_stands(lost):
    params, run, _ = run_of()
    seen = {name: values.copy() for name, values in run.on_the_way.items()}
    for values in seen.values():
        values[lost] = np.nan
    view = waterfall.view_of(replace(run, on_the_way=seen), params)
    panel = view.chart.panels[0]
    assert np.isnan(panel.series[0].y[lost, 1]).all() and np.isfinite(panel.y_range).all()
    pack(view, "key", 300)


@pytest.mark.parametrize("preset", ["moons", "moons-mtc", "arc", "arc-mtc", "arc-rec", "arc-start"])
def test_core_lines_are_of_the_latents_whose_entropy_is_the_cores_bar(preset):
    lesson = LESSONS["manifold_entropy"]
    chosen = next(each for each in lesson.presets if each.name == preset)
    params = lesson.Params.model_validate(dict(chosen.params))
    for result in results(Experiment(params, "flows", chosen.seeds).members):
        spectrum = result.moving["spectrum"].astype(float)
        core = waterfall.core_first(params, spectrum)[0]
        at_end = result.history["core_entropy_nats"][-1]
        assert spectrum[-1, core] == pytest.approx(at_end, abs=2e-3)


def test_a_torus_is_drawn_in_the_plane_of_one_circle():
    params, run, result = run_of(data="torus", core_dim=2)
    view = waterfall.view_of(run, params)
    x = result.world["x"].astype(float) @ result.world["plane"].astype(float).T
    radius = np.linalg.norm(x, axis=1)
    assert np.median(radius) == pytest.approx(1, abs=0.05)  # a circle, seen from the front
    middle = (x.min(0) + x.max(0)) / 2
    unit = (x - middle)[5] / view.z[5]
    np.testing.assert_allclose(view.z, (x - middle) / unit, atol=1e-4)
    assert [len(lines.curves[0]) for lines in view.lines] == [14, 14]
    assert view.titles[0].startswith("The plane of one circle")
