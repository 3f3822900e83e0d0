"""Sweeps over one parameter and over two: what they train and draw, and which dot is which run."""

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest
from test_store import result
from visits import listed

from core import curate, figures
from core.colours import ROLE, ramp
from core.legend import SCORES, setting
from core.lessons import LESSONS
from core.run.archive import Gallery
from core.run.experiment import Experiment, Member
from core.scenarios.scenario import Sweep, knobs_of
from ui import sweep

SPHERE = LESSONS["infonce_sphere"]
KNOBS = knobs_of(SPHERE.Params)
TAUS, DIMENSIONS = (0.1, 0.3, 1.0), (2, 3, 5)
TWO_WAY = Sweep("tau", TAUS, {"batch": 64}, by=("d", DIMENSIONS))


def two_way(score=lambda tau, d, seed: 1 - 0.001 * d, raw=lambda d: 0.8):
    """Runs of a two-way sweep with made-up scores."""
    params = SPHERE.Params.model_validate(TWO_WAY.params)
    members = Experiment(params, "infonce", (0, 1), TWO_WAY.vary).members
    return [
        (m, replace(result(), member=m, scores={
            "linear_r2": score(m.params.tau, m.params.d, m.seed),
            "raw_linear_r2": raw(m.params.d), "untrained_linear_r2": 0.7}))
        for m in members
    ]  # fmt: skip


def drawn(runs, knob="tau", by="d"):
    baselines = ("raw_linear_r2", "untrained_linear_r2")
    second = KNOBS[by] if by else None
    chart, table = figures.sweep(runs, KNOBS[knob], "linear_r2", baselines, second)
    return chart.to_dict(), table


def dots(spec):
    """The rows that the points are drawn from: what a selection can carry."""
    (layer,) = [each for each in spec["layer"] if each["mark"]["type"] == "circle"]
    return spec["datasets"][layer.get("data", spec.get("data"))["name"]]


def fields_of(layer):
    return {c["field"] for c in layer.get("encoding", {}).values()
            if isinstance(c, dict) and "field" in c}  # fmt: skip


@pytest.mark.parametrize("by", ["d", None])
def test_a_sweep_is_drawn_from_columns_its_tables_have(by):
    runs = two_way() if by else [run for run in two_way() if run[0].params.d == 3]
    spec, table = drawn(runs, by=by)
    assert ("by" in dots(spec)[0]) == (by is not None)
    assert len(table) == len(dots(spec)) == len(runs)
    for layer in spec["layer"]:
        rows = spec["datasets"][layer.get("data", spec.get("data"))["name"]]
        assert rows and fields_of(layer) <= set(rows[0]), layer


@pytest.mark.parametrize(("by", "fields"), [("d", ["value", "by", "seed"]),
                                            (None, ["value", "seed"])])  # fmt: skip
def test_a_dot_says_of_which_run_it_is(by, fields):
    spec, _ = drawn(two_way(), by=by)
    (selection,) = [p for p in spec["params"] if p["name"] == "run"]
    assert selection["select"]["fields"] == fields


def test_every_dot_of_a_two_way_sweep_opens_its_own_run():
    runs = two_way()
    spec, _ = drawn(runs)
    members = [member for member, _ in runs]
    found = [sweep.member_at(members, ("tau", "d"), dot) for dot in dots(spec)]
    assert found == members and len({m.key for m in found}) == 18
    assert sweep.member_at(members, ("tau", "d"), {"value": "0.1", "seed": 0}) is None


def labels(spec):
    """The lines' names with the height they are written at."""
    layers = [each for each in spec["layer"] if each["encoding"].get("y", {}).get("field") == "at"]
    return {row["name"]: row["at"] for row in spec["datasets"][layers[0]["data"]["name"]]}


def test_lines_that_end_together_are_named_in_their_order():
    heights = labels(drawn(two_way())[0])
    order = sorted(heights, key=heights.get, reverse=True)
    assert order == ["d = 2", "d = 3", "d = 5", "raw x", "untrained"]


def test_a_line_is_named_where_it_ends_not_where_it_has_no_score():
    def scores(tau, d, seed):
        return None if d == 5 and tau == 1.0 else tau if d == 5 else 2 + d

    heights = labels(drawn(two_way(scores, raw=lambda d: 1.5))[0])
    assert heights["d = 5"] == pytest.approx(0.3)


@pytest.mark.parametrize(("raw", "one"), [(lambda d: 0.8, True), (lambda d: 0.9 - 0.1 * d, False)])
def test_a_baseline_is_one_line_unless_the_second_parameter_changes_it(raw, one):
    spec, _ = drawn(two_way(raw=raw))
    (line,) = [each for each in spec["layer"]
               if each["encoding"].get("y", {}).get("field") == "raw_linear_r2"
               and each["mark"]["type"] == "line"]  # fmt: skip
    assert line["encoding"]["color"] == (
        {"value": ROLE["baseline"]} if one else
        {"field": "by", "type": "nominal", "legend": None,
         "scale": {"domain": ["2", "3", "5"], "range": ramp(3)}}
    )  # fmt: skip


def luminance(colour):
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_the_ramp_rises_in_lightness_between_white_and_black(count):
    light = [luminance(colour) for colour in ramp(count)]
    assert len(light) == count and (np.diff(light) > 8).all()
    assert 60 < min(light) and max(light) < 200


@pytest.mark.parametrize(
    ("name", "words"),
    [("kappa", "κ = 10"), ("marginal_kappa", "κₘ = 0"), ("d", "d = 3"), ("batch", "batch 256"),
     ("d_hat", "d̂ = auto"), ("d_x", "dₓ = auto"),
     ("conditional", "vMF")],
)  # fmt: skip
def test_a_setting_is_written_in_letters_that_a_figure_has(name, words):
    knob = KNOBS[name]
    assert setting(knob, knob.default) == words


# ---- which runs a sweep asks for

SHIPPED = [(scenario, each) for scenario in LESSONS.values() for each in scenario.sweeps
           if len(each.values) > 1]  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "shipped"), SHIPPED, ids=[f"{s.name} {each.field}" for s, each in SHIPPED]
)
def test_a_shipped_sweep_is_found_stored_from_its_parameters(scenario, shipped):
    params = scenario.Params.model_validate(dict(shipped.params))
    by = shipped.by[0] if shipped.by else sweep.NOTHING
    varied = sweep.varied(scenario, params, shipped.field, by)
    wanted = Experiment(params, scenario.name, shipped.seeds, varied).members
    assert {member.key for member in wanted} <= set(curate.shipped())


def test_a_two_way_sweep_is_found_from_any_setting_on_it_and_not_from_elsewhere():
    scenario = replace(SPHERE, sweeps=(Sweep("tau", (0.5, 2.0), {}), TWO_WAY))
    on_it = scenario.Params(batch=64, d=5, tau=0.7)
    assert sweep.shipped_sweep(scenario, on_it, "tau") == TWO_WAY
    assert sweep.varied(scenario, on_it, "tau", "d") == TWO_WAY.vary
    assert sweep.varied(scenario, on_it, "tau") == {"tau": TAUS}
    elsewhere = scenario.Params(batch=64, d=7)
    assert sweep.varied(scenario, elsewhere, "tau")["tau"] == (0.5, 2.0)
    assert sweep.varied(scenario, scenario.Params(), "tau")["tau"] == (0.5, 2.0)


def test_a_second_parameter_that_is_not_shipped_takes_a_few_values_with_the_one_in_force():
    params = SPHERE.Params(kappa=7.5)
    values = sweep.varied(SPHERE, params, "tau", "kappa")["kappa"]
    assert 7.5 in values and 3 <= len(values) <= 4 and list(values) == sorted(values)


def test_any_two_parameters_can_be_varied_together():
    for settings in ({}, {"d_x": 64}, {"conditional": "normal"}):
        params = SPHERE.Params.model_validate(settings)
        for vary in KNOBS:
            for by in KNOBS:
                if vary == by:
                    continue
                varied = sweep.varied(SPHERE, params, vary, by)
                assert list(varied) == [vary, by] and all(varied.values())
                for value in varied[vary]:
                    for second in varied[by]:
                        params.but(**{vary: value, by: second})


def test_the_gallery_ships_every_combination_of_a_two_way_sweep(monkeypatch):
    alone = {"infonce": replace(SPHERE, sweeps=(TWO_WAY,), presets=())}
    monkeypatch.setattr(curate, "LESSONS", alone)
    monkeypatch.setattr(curate, "TABLES", {})
    runs = curate.shipped.__wrapped__().values()  # not those that are remembered
    settings = {(run.member.params.tau, run.member.params.d) for run in runs}
    assert settings == {(tau, d) for tau in TAUS for d in DIMENSIONS}
    assert len(runs) == len(settings) * len(TWO_WAY.seeds)


# ---- what scenarios declare


@pytest.mark.parametrize("scenario", LESSONS.values(), ids=LESSONS)
def test_a_scenario_speaks_of_scores_that_have_a_name(scenario):
    for preset in scenario.presets:
        promise = scenario.promise(scenario.Params.model_validate(dict(preset.params)))
        assert promise.score in promise.promised
        assert set(promise.promised) <= set(SCORES)
        assert preset.drawn is None or preset.drawn in preset.seeds
    assert scenario.scores and set(scenario.scores) <= set(SCORES)


def test_the_gallery_is_built_side_by_side_and_thinned(tmp_path, monkeypatch, capsys):
    quick = {"steps": 6, "batch": 16, "width": 8}
    members = [Member("infonce", SPHERE.Params(**quick, d=d), 0) for d in (2, 3)]
    wanted = {m.key: curate.Wanted("page", m, 4, 20) for m in members}
    monkeypatch.setattr(curate, "shipped", lambda: wanted)
    # pages under test leave a script behind that the pool's processes would run as their own
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    folder, loose = tmp_path / "gallery", tmp_path / "loose"
    folder.mkdir()
    (folder / "gone.frames").write_bytes(b"what no page names")
    assert curate.build(folder, loose) == []
    assert {path.name for path in folder.iterdir()} == {"records.parquet", "page.frames"}
    for member in members:
        stored = Gallery(folder).read(member)
        assert stored.z_hat.shape == (4, 20, member.params.d)
        assert stored.provenance["scored"] == member.scored
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "0 of 2 runs are shipped, 0 trained before; 2 to train.",
        *(f"infonce: 1 members, {member.params.chosen()}" for member in members),
    ]
    assert curate.build(folder, loose) == []
    said = "2 of 2 runs are shipped, 0 trained before; 0 to train."
    assert capsys.readouterr().out.strip() == said


# ---- the choices


def page_of_choices():
    from dataclasses import replace

    import streamlit as st

    from core.lessons import LESSONS
    from core.scenarios.scenario import Sweep
    from ui import knobs, sweep
    from ui.window import address

    sweeps = (Sweep("tau", (0.1, 0.3), {}, by=("kappa", (1.0, 10.0))), Sweep("d", (2, 3), {}))
    scenario = replace(LESSONS["infonce_sphere"], sweeps=sweeps)
    address.declare(knobs.settings(scenario), *sweep.settings(scenario))
    params, _ = knobs.read(scenario)
    sweep.settle(scenario, params)
    knobs.draw(scenario, params)
    st.button("five", on_click=lambda: address.put("d", 5))
    st.text(" ".join(sweep.choose(scenario, params)))
    st.text("".join(address.refusals()))


def test_the_second_parameter_is_the_shipped_one_until_another_is_chosen():
    at = AppTest.from_function(page_of_choices).run()
    assert at.text[0].value == "tau kappa linear_r2"
    listed(at, "For each").set_value("nothing").run()
    assert at.text[0].value == "tau nothing linear_r2"
    listed(at, "Vary").set_value("batch").run()
    listed(at, "For each").set_value("steps").run()
    assert at.text[0].value == "batch steps linear_r2"
    listed(at, "Vary").set_value("tau").run()  # what was chosen belonged to the other one
    assert at.text[0].value == "tau kappa linear_r2"
    assert not at.exception and at.text[1].value == ""


def test_a_browser_that_has_not_heard_of_a_new_list_chooses_nothing_by_it():
    at = AppTest.from_function(page_of_choices).run()
    late = at._tree.get_widget_states()
    at.button[0].click().run()
    assert at.text[0].value == "tau nothing linear_r2"  # the list was set to this by the page
    lists = [w for w in late.widgets if w.string_value == "World concentration"]
    assert len(lists) == 1
    at._run(WidgetStates(widgets=lists))
    assert not at.exception and at.text[0].value == "tau nothing linear_r2"
    at.button[0].click().run()
    assert at.text[0].value == "tau nothing linear_r2"


def test_off_the_shipped_sweep_only_a_visitors_own_choice_stays():
    at = AppTest.from_function(page_of_choices).run()
    at.select_slider(key="d").set_value(5).run()
    assert at.text[0].value == "tau nothing linear_r2"
    listed(at, "For each").set_value("kappa").run()
    at.select_slider(key="d").set_value(4).run()
    assert at.text[0].value == "tau kappa linear_r2"
    elsewhere = AppTest.from_function(page_of_choices)
    elsewhere.query_params["d"] = "5"
    assert elsewhere.run().text[0].value == "tau nothing linear_r2"
