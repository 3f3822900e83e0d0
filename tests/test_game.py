"""The picture and the figures of the signed game, against the run they are drawn from."""

from functools import cache
from math import log

import numpy as np
import pytest

from core import figures
from core.laws import leakage, leaning
from core.lessons import LESSONS
from core.run.experiment import Experiment
from core.scenarios.scenario import knobs_of
from ui import recovery, runner, seeds
from ui.reversal import game

scenario = LESSONS["gradient_reversal"]


@cache
def shipped(name):
    preset = next(p for p in scenario.presets if p.name == name)
    params = scenario.Params.model_validate(dict(preset.params))
    member = Experiment(params, scenario.name, (0,)).members[0]
    (result,) = runner.stored([member]).values()
    return params, result


def view(name):
    params, result = shipped(name)
    return params, result, game.of(recovery.Run.finished(result), params, False)


@pytest.mark.parametrize("name", [preset.name for preset in scenario.presets])
def test_every_preset_has_its_picture(name):
    params, result, drawn = view(name)
    code = drawn.arrows[-1]
    assert code.truth.shape == (len(result.frame_step), 3)
    length = np.linalg.norm(code.truth, axis=1) / game.PIN
    if params.d == 3:
        np.testing.assert_allclose(length, 1, atol=2e-3)
    assert (length <= 1 + 2e-3).all()
    assert (code.trail is None) == (params.code > 1)
    if code.trail is not None:
        np.testing.assert_allclose(code.trail[:, -1], code.truth, atol=1e-6)
    assert (drawn.density is not None) == (params.d == 3)
    assert len(drawn.chart.panels) == 1 + ("belief" in result.moving)


def test_the_arrow_ends_where_the_score_says():
    for name, angle in (("reverse", 0), ("align", 90)):
        _, result, drawn = view(name)
        tip = drawn.arrows[-1].truth[-1] / game.PIN
        # the complement of V stands upright
        found = np.rad2deg(np.arctan2(np.hypot(*tip[:2]), abs(tip[2])))
        assert found == pytest.approx(result.scores["angle_to_v_perp_deg"], abs=0.2)
        assert abs(found - angle) < 2
        closed = drawn.arrows[0].truth / game.PIN
        assert np.rad2deg(np.arccos(abs(closed[2]))) < 2


def test_the_colour_of_the_globe_is_exact_information():
    _, result, drawn = view("reverse")
    v, kappa = result.world["v"].astype(float), result.world["kappa"].astype(float)
    most = float(drawn.density_labels[1].split()[0])
    pole = leakage.information(result.world["outside"].astype(float), v, kappa)[0]
    assert drawn.density[0].max() * most == pytest.approx(pole, abs=2e-3)
    inside = result.world["inside"].astype(float)
    axes = game.section(inside, result.world["outside"].astype(float))
    rows, columns = drawn.density.shape
    assert rows == 2 * game.NORTH - 1  # latitudes from -90 to 90 degrees
    for row, column in ((rows // 2, 0), (4, 7), (rows - 3, 40), (2, 33)):
        lat = np.pi * (row / (rows - 1) - 0.5)
        lon = 2 * np.pi * column / columns
        u = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]) @ axes
        known = leakage.information(u[None], v, kappa)[0]
        assert drawn.density[row, column] * most == pytest.approx(known, abs=2e-3)


def test_histograms_and_densities_are_of_the_code_on_show():
    _, result, drawn = view("align")
    top, belief = drawn.chart.panels
    k = len(result.world["v"])
    bars, lines = top.series[:k], top.series[k:]
    width = np.diff(game.BINS)
    for e in range(k):
        np.testing.assert_allclose((bars[e].y * width).sum(1), 1, atol=1e-6)
        assert np.trapezoid(lines[e].y[-1], lines[e].x) == pytest.approx(1, abs=0.02)
        centres = (game.BINS[1:] + game.BINS[:-1]) / 2
        mean = (bars[e].y[-1] * width * centres).sum()
        exact = np.trapezoid(lines[e].y[-1] * lines[e].x, lines[e].x)
        assert mean == pytest.approx(exact, abs=0.06)
    shares = np.stack([s.y[-1] for s in belief.series if s.kind == "line"])
    np.testing.assert_allclose(shares.sum(0), 1, atol=5e-3)
    # at the end of a game that is won the adversary believes what is true
    truth = np.stack([s.y[-1] for s in belief.series if s.kind == "dashed"])
    at = [np.interp(0.3 * sign, belief.series[1].x, row) for row in shares for sign in (-1, 1)]
    ideal = [np.interp(0.3 * sign, game.FINE, row) for row in truth for sign in (-1, 1)]
    np.testing.assert_allclose(at, ideal, atol=0.25)


@pytest.mark.parametrize("name", [preset.name for preset in scenario.presets])
def test_no_density_leaves_its_axis_and_the_last_one_fills_it(name):
    _, result, drawn = view(name)
    top = drawn.chart.panels[0]
    peaks = np.max([s.y.max(1) for s in top.series], axis=0)
    assert top.y_range.shape == (len(result.frame_step), 2)
    assert (peaks < top.y_range[:, 1]).all()
    assert peaks[-1] > 0.9 * top.y_range[-1, 1]
    assert len(np.unique(top.y_range[:, 1])) <= 6  # it jumps seldom


def test_a_game_played_by_moves_names_each_of_them():
    params, result, drawn = view("stepped")
    assert len(drawn.moments) == len(result.frame_step) == len(params.moves) + 1
    assert drawn.moments[0] == "start" and "adversary moved" in drawn.moments[1]
    assert "encoder moved" in drawn.moments[params.moves.index("e") + 1]


def test_gauges_put_values_and_marks_on_their_scales():
    readings = [
        figures.Gauge("angle", 45.0, 0, 90, "45.0", {"V": 90.0}),
        figures.Gauge("none", None, 0, 1, "–"),
    ]
    chart, table = figures.gauges(readings)
    spec = chart.to_dict()
    bars = [row["share"] for row in spec["datasets"][spec["layer"][1]["data"]["name"]]]
    assert bars == [0.5, None] and len(spec["layer"]) == 5
    assert table["Value"].tolist()[0] == 45.0


def test_moment_generating_functions_coincide_for_the_code_alone():
    s, rng = np.linspace(-2, 2, 5), np.random.default_rng(0)
    exact = {"V": rng.normal(size=(3, 5)), "code": np.zeros((3, 5))}
    chart, table = figures.generating(s, exact, exact)
    assert len(table) == 30 and set(table["Code"]) == {"V", "code"} and chart.to_dict()


def test_information_along_a_meridian_rises_from_the_complement_to_v():
    _, result = shipped("reverse")
    v, kappa = result.world["v"].astype(float), result.world["kappa"].astype(float)
    angle, found = leaning.fan(
        v, kappa, result.world["inside"].astype(float), result.world["outside"].astype(float)
    )
    assert (np.diff(found.max(1)) > -1e-6).all() and abs(found[0]).max() < 1e-3
    assert found[-1].max() == pytest.approx(0.85, abs=0.01)
    chart, table = figures.meridian(angle, found, {"seed 0": (1.0, 0.001)})
    assert len(table) == len(angle) and chart.to_dict()


def test_the_adversarys_loss_stands_beside_the_best_response():
    _, result = shipped("orbit")
    best = log(3) - result.history["information_nats"]
    late = result.history_step > 400
    lag = (result.history["adversary_loss"] - best)[late]
    assert np.median(lag) > 0.2  # it circles because its adversary is behind
    _, won = shipped("reverse")
    settled = won.history_step > 1000
    end = won.history["adversary_loss"] - (log(3) - won.history["information_nats"])
    assert abs(np.median(end[settled])) < 0.02
    chart, table = figures.pursuit(
        result.history_step,
        result.history["adversary_loss"],
        result.history["information_nats"],
        log(3),
    )
    answered = table["Best response’s loss, nats"]
    assert chart.to_dict()
    np.testing.assert_allclose(answered, best)
    assert answered.max() <= log(3) + 1e-3  # no answer to a code is worse than none


def test_the_competing_losses_have_their_exact_minimum_at_an_end():
    _, result = shipped("compete")
    facts = (result.world[n].astype(float) for n in ("v", "kappa", "inside", "outside"))
    strengths, angles = leaning.exact_minimum(*facts)
    assert set(np.round(angles)) <= {0, 88, 90} and angles[0] > 85 and angles[-1] == 0
    assert (np.diff(angles) <= 0).all()
    runs = seeds.runs_of(scenario, next(s for s in scenario.sweeps if s.by and s.by[0] == "start"))
    knobs = knobs_of(scenario.Params)
    chart, _ = figures.bistable(runs, knobs["lam"], knobs["start"], (strengths, angles))
    assert chart.to_dict()
    ends = {
        (m.params.lam, m.params.start): r.scores["angle_to_v_perp_deg"]
        for m, r in runs if m.seed == 0
    }  # fmt: skip
    assert ends[0.6, "v"] > 80 and ends[0.6, "v_perp"] < 5  # two answers to one question


@pytest.mark.parametrize("kappas", [(10.0, 10.0, 10.0), (2.0, 10.0, 40.0)])
def test_the_second_moment_is_that_of_samples(kappas):
    from test_leakage import sample, world

    v, _, _, _ = world(5, 2, 3)
    a, y = sample(v, np.array(kappas), 60_000)
    weight = 1 / np.bincount(y)[y] / 3
    np.testing.assert_allclose(
        leakage.second_moment(v, np.array(kappas)), (a.T * weight) @ a, atol=0.01
    )


def test_no_shipped_probe_with_hidden_layers_is_weaker_than_the_linear_one():
    from ui import seeds
    from ui.reversal import nonlinear

    for setting in (*nonlinear.METHODS.values(), *nonlinear.STAGES.values()):
        for result in seeds.runs(nonlinear.scenario, setting):
            linear, mlp = (result.scores[f"probe_accuracy_{kind}"] for kind in ("linear", "mlp"))
            assert mlp > linear - 0.03, (setting, result.member.seed)


def test_methods_are_drawn_with_chance_and_nets_with_every_body():
    rows = [("one", 0, 0.3, 0.95), ("one", 1, 0.31, 0.96), ("two", 0, 0.9, 0.9)]
    chart, table = figures.trade(rows, 0.26)
    assert len(table) == 3 and chart.to_dict()
    grid = np.random.default_rng(0).normal(size=(10, 17, 2))
    chart, table = figures.nets(grid, np.stack([grid, 2 * grid]))
    assert set(table["Net"]) == {"truth", "body 1", "body 2"} and chart.to_dict()
    chart, table = figures.cloud(grid[0], ["#000000"] * 17, 3.0)
    assert len(table) == 17 and chart.to_dict()
