"""The page on auxiliary variables: its picture, its steps, the counting mark, what is said."""

from dataclasses import replace

import numpy as np
import pytest
from visits import AUXILIARY, metric, opened, said

from core import figures
from core.colours import ROLE, class_colours
from core.figures.relatives.segments import directions
from core.legend import SCORES
from core.lessons import LESSONS
from core.run.experiment import Experiment
from core.run.worker import train_group
from core.scenarios import SCENARIOS
from core.scenarios.scenario import knobs_of
from ui import recovery
from ui.auxiliary import sources
from ui.player.view import pack

scenario = SCENARIOS["auxiliary"]
Params = scenario.Params
ALIGNED, LEARNT = (recovery.Choice(0, aligned, (0, 1, 2)) for aligned in (True, False))
KINDS = ({}, {"d": 3}, {"d": 4}, {"law": "gauss"}, {"law": "gauss", "modulated": "location"})


def result_of(seeds=(0,), **params):
    asked = Params(**{"steps": 4, "batch": 32, "width": 8, **params})
    return train_group(Experiment(asked, "auxiliary", tuple(seeds)).members, device="cpu")


@pytest.fixture(scope="module", params=KINDS, ids=lambda p: "-".join(map(str, p.values())) or "two")
def run(request):
    (result,) = result_of(**request.param)
    return recovery.Run.finished(result), result.member.params


def test_codes_that_are_the_statistics_in_another_order_look_like_the_truth(run):
    run, params = run
    map_ = np.fliplr(np.diag(np.r_[-2.0, np.full(run.z.shape[1] - 1, 0.5)]))
    codes, net = (np.repeat((x @ map_ + 3)[None], len(run.z_hat), 0).astype(np.float32)
                  for x in (run.z, run.net))  # fmt: skip
    same = replace(run, z_hat=codes, net_hat=net)
    view = sources.view_of(same, params, ALIGNED)
    np.testing.assert_allclose(view.z_hat[-1], view.z, atol=1e-2)
    as_learnt = sources.view_of(same, params, LEARNT)
    assert np.abs(as_learnt.z_hat[-1] - as_learnt.z).mean() > 0.1
    assert np.abs(view.z).max() <= 1 and pack(view, "key", 300)


def test_points_have_the_colour_of_their_segment_and_axes_keep_their_order(run):
    run, params = run
    view = sources.view_of(run, params, ALIGNED)
    shades = class_colours(params.n_segments)
    assert view.colours == [shades[int(u)] for u in run.world["u"]] and len(set(view.colours)) > 9
    for column in range(view.d):
        order = np.argsort(run.z[:, column])
        assert (np.diff(view.z[order, column]) >= 0).all()


def test_directions_that_no_segment_tells_stand_at_nothing():
    for values, needed, drawn in (([4.0, 2.0], 3, [1, 0.5, 0]), ([0.0, 0.0], 2, [0, 0])):
        chart, table = directions(np.array(values), needed)
        assert table["Singular value, of the largest"].tolist() == drawn
        assert chart.to_dict()["height"]


@pytest.mark.parametrize(("at", "shown"), [(3.0, True), (9.0, False)])
def test_a_sweep_marks_where_theory_counts_if_that_lies_on_it(at, shown):
    members = Experiment(Params(), "auxiliary", (0, 1), {"n_segments": (2, 4, 8)}).members
    (one,) = result_of()
    runs = [(m, replace(one, member=m, scores={"mcc": 0.5})) for m in members]
    knob = knobs_of(Params)["n_segments"]
    chart, _ = figures.sweep(runs, knob, "mcc", marks={"d + 1 segments": at})
    spec = chart.to_dict()
    rules = [each for each in spec["layer"] if each["mark"]["type"] == "rule"]
    assert len(rules) == shown
    if shown:
        (rule,) = rules
        rows = spec["datasets"][rule["data"]["name"]]
        assert rows == [{"x": at, "name": "d + 1 segments"}]
        assert rule["mark"]["color"] == ROLE["theory"] and rule["mark"]["strokeDash"]


@pytest.mark.parametrize("preset", LESSONS["auxiliary"].presets, ids=lambda preset: preset.name)
def test_every_preset_opens_with_its_number_and_its_steps(preset):
    link = {key: str(value) for key, value in preset.params.items()}
    at = opened(AUXILIARY, **link)
    assert not at.exception and not at.error
    promise = LESSONS["auxiliary"].promise(Params.model_validate(dict(preset.params)))
    assert 0 <= float(metric(at, SCORES[promise.score].title)) <= 1
    why = opened(AUXILIARY, part="why", **link)
    assert not why.exception and said(why, "1. The best classifier is linear in q")
    lacks = any("which this setting lacks" in each.value for each in why.caption)
    assert lacks == bool(promise.missing)


def test_the_steps_say_the_rank_and_what_ica_adds():
    for link, rank in (({"d": "3", "n_segments": "3"}, "Rank 2 for 3 sources"),
                       ({"modulation": "equal"}, "Rank 0 for 2 sources")):  # fmt: skip
        at = opened(AUXILIARY, part="why", **link)
        words = [each.value for each in at.caption]
        assert any(rank in text for text in words) and any("before ICA" in text for text in words)


def test_the_table_counts_segments_against_what_was_found():
    at = opened(AUXILIARY, part="paper")
    (table,) = (each.value for each in at.dataframe)
    assert not (table == "not measured here").any(axis=None)
    enough = table["segments"].astype(int) > table["sources"].astype(int)
    assert (table["enough"] == np.where(enough, "yes", "no")).all()
    known = table["rank"].astype(int) == np.minimum(
        table["sources"].astype(int), table["segments"].astype(int) - 1
    )
    assert known.all()


@pytest.mark.parametrize(
    ("params", "field"),
    [({"d": 3, "n_segments": 3}, "n_segments"), ({"modulation": "shared"}, "modulation"),
     ({"modulation": "equal"}, "modulation"), ({"modulated": "location"}, "law"),
     ({"modulated": "location", "law": "gauss"}, "modulated")],
)  # fmt: skip
def test_a_setting_that_lacks_an_assumption_is_told_so(params, field):
    p = Params(**params)
    assert field in {notice.field for notice in scenario.notices(p) if notice.text}
    kept = field == "modulated"  # the sources up to a linear map are promised all the same
    assert scenario.promise(p).judges == kept
    assert scenario.promise(p).score == ("linear_r2" if "modulated" in params else "mcc")
    assert scenario.notices(Params()) == () and scenario.promise(Params()).judges


def test_what_has_no_effect_is_in_no_key_and_the_count_is_marked():
    assert Params(modulation="equal", contrast=3.0).chosen() == {"modulation": "equal"}
    moved = {"law": "gauss", "modulated": "location"}
    assert Params(**moved, code="even").chosen() == moved
    assert scenario.marks(Params(d=3), "n_segments") == {"d + 1 segments": 4.0}
    assert scenario.marks(Params(d=3), "contrast") == {}
    assert knobs_of(Params)["contrast"].batched and not knobs_of(Params)["n_segments"].batched
