"""The supervised twin of a run: its scores stand beside the run's own, wherever it is stored."""

import json

import pytest
from visits import opened

from core import figures
from core.legend import BASELINES
from core.lessons import LESSONS
from core.run.experiment import Experiment, Member, beside
from core.scenarios import SCENARIOS
from ui import numbers, runner, sheet

SPHERE = "pages/infonce_sphere.py"
LESSON = LESSONS["infonce_sphere"]
TOLD = "supervised_linear_r2"
# shipped, and its twin is not
ALONE = {"conditional": "laplace", "mixing_layers": 0, "steps": 1200, "batch": 512, "spread": 0.5}


def members(**params):
    return Experiment(LESSON.Params(**params), "infonce", (0, 1, 2)).members


def metric(at, label):
    (found,) = (m for m in at.metric if m.label.strip("*") == label)
    return found


@pytest.fixture
def strips(monkeypatch):
    """The baselines of every figure of dots that is drawn from here on."""
    drawn, draw = [], figures.strip

    def spy(values, baselines, *rest, **more):
        drawn.append(baselines)
        return draw(values, baselines, *rest, **more)

    monkeypatch.setattr(figures, "strip", spy)
    sheet.forget()
    return drawn


def test_only_its_scores_of_the_latents_are_a_baseline_and_only_where_they_are_known():
    own = {"linear_r2": 0.9, "degree": 1}
    twin = {"linear_r2": 0.99, "mcc": None, "degree": -1, "raw_linear_r2": 0.8}
    assert beside(own, twin) == {**own, TOLD: 0.99}
    assert own == {"linear_r2": 0.9, "degree": 1}
    assert set(beside({}, {"linear_r2": 1.0, "mcc": 0.9})) == {TOLD, "supervised_mcc"}
    assert "supervised" in BASELINES


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_has_a_twin_where_it_declares_what_is_minimised(scenario):
    params = SCENARIOS[scenario].Params()
    told = Member(scenario, params, 3).supervised_twin
    declared = {"pixels": "method"}.get(scenario, "objective")
    if getattr(params, declared, None) != "contrastive":
        assert told is None
        return
    assert told.seed == 3 and getattr(told.params, declared) == "supervised"
    assert told.supervised_twin is None
    assert not told.params.inactive() & told.params.chosen().keys()


def test_every_preset_has_its_twin_of_the_same_seed():
    for preset in LESSON.presets:
        for member in members(**preset.params):
            own = runner.store().record(member)
            (shown,) = runner.records((member,)).values()
            told = runner.store().record(member.supervised_twin)
            assert shown.scores == {**own.scores, TOLD: told.scores["linear_r2"],
                                    "supervised_mcc": told.scores["mcc"]}  # fmt: skip
            assert told.member.seed == member.seed and TOLD not in own.scores


def test_reading_it_reads_no_arrays():
    runs = members()
    before = runner.store().reads
    assert all(TOLD in record.scores for record in runner.records(runs).values())
    assert runner.store().reads == before


def test_a_run_without_it_is_as_it_was():
    runs = members(**ALONE)
    assert len(runner.records(runs)) == 3
    for member, record in zip(runs, runner.records(runs).values(), strict=True):
        assert runner.store().record(member.supervised_twin) is None
        assert record == runner.store().record(member)


def test_a_page_draws_it_beside_the_number_and_the_dots(strips):
    at = opened(SPHERE)
    assert not at.exception
    told = f"supervised {runner.records(members())[members()[0].key].scores[TOLD]:.3f}"
    assert told in metric(at, "Linear R²").delta
    assert strips[-1].keys() == {"mean raw x", "mean untrained", "mean supervised"}
    assert "supervised" in metric(at, "MCC").delta
    alone = opened(SPHERE, **{name: str(value) for name, value in ALONE.items()})
    assert not alone.exception
    assert "supervised" not in metric(alone, "Linear R²").delta
    assert strips[-1].keys() == {"mean raw x", "mean untrained"}


def test_a_run_that_is_told_shows_no_nats_no_floor_and_promises_nothing():
    at = opened(SPHERE, objective="supervised")
    assert not at.exception and not [m for m in at.metric if m.label == "Loss, nats"]
    assert any("Nothing is promised here" in c.value and "not told" in c.value for c in at.caption)
    text = " ".join(json.dumps(json.loads(c.proto.spec)) for c in at.get("vega_lite_chart"))
    assert "Training loss, squared error" in text and "Bayes floor" not in text
    why = opened(SPHERE, objective="supervised", part="why")
    assert not why.exception and any("told the latents" in info.value for info in why.info)
    assert not why.get("vega_lite_chart")


def test_a_baseline_near_1_keeps_the_digit_that_tells_it_from_1():
    written = [numbers._briefly("linear_r2", value) for value in (0.81, 0.9955, 0.9999, 1.0)]
    assert written == ["0.81", "0.996", "1.00", "1.00"]
