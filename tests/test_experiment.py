"""Members, their keys, their groups, and what a finished member keeps."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from core.lessons import LESSONS
from core.run.experiment import (
    LARGEST_GROUP,
    MOST_MEMBERS,
    Experiment,
    Member,
    Result,
    compact,
    groups,
    summary,
    work,
)
from core.scenarios import SCENARIOS, infonce
from core.scenarios.scenario import knobs_of

SCENARIO = SCENARIOS["infonce"]
Params = SCENARIO.Params
OTHERS = SCENARIOS["clusters"].Params


def key(seed=0, **params):
    return Member("infonce", Params(**params), seed).key


def ask(seeds=(0,), vary=None, **params):
    return Experiment(Params(**params), "infonce", tuple(seeds), vary or {})


# --- keys -------------------------------------------------------------------------------------

OTHER = {
    "d": 4, "kappa": 3.0, "tau": 0.2, "marginal_kappa": 1.0, "conditional": "laplace",
    "marginal": "normal", "objective": "supervised", "whiten": True,
    "initialisation": "standard", "negatives": "anchors", "anneal": 0.5, "mixing_layers": 2,
    "d_x": 5, "d_hat": 4, "n_train": 100, "width": 32, "depth": 2, "batch": 64, "steps": 10,
    "learning_rate": 1e-3,
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER)
def test_an_active_field_changes_the_key(name):
    assert key(**{name: OTHER[name]}) != key()


def test_every_field_is_covered_by_these_tests():
    assert set(OTHER) | {"spread", "marginal_spread"} == set(Params.model_fields)


def test_every_change_gives_its_own_key():
    keys = {key(), key(1), *(key(**{name: value}) for name, value in OTHER.items())}
    assert len(keys) == len(OTHER) + 2


@pytest.mark.parametrize("task", ["pairs", "classify"])
def test_what_is_chosen_where_a_default_stands_for_something_changes_the_key(task):
    """Two values of an optional field are two settings, and not both what its default means."""
    model = SCENARIOS["pixels"].Params
    for field, knob in knobs_of(model).items():
        if not knob.optional or field in model(task=task).inactive():
            continue
        ends = [model.model_validate({"task": task, field: end}) for end in (knob.low, knob.high)]
        assert len({Member("pixels", end, 0).key for end in ends}) == 2, field


def test_a_default_spelt_out_keeps_the_key():
    assert key(kappa=10, d=3, tau=None) == key()


def test_an_inactive_field_keeps_the_key():
    assert key(spread=0.3) == key()
    assert key(conditional="laplace", kappa=50) == key(conditional="laplace")
    assert key(conditional="laplace", spread=0.3) != key(conditional="laplace")


def test_an_integer_given_for_a_float_keeps_the_key():
    assert key(kappa=3) == key(kappa=3.0)


def test_a_raised_version_changes_every_key(monkeypatch):
    before = key(), key(kappa=3)
    monkeypatch.setitem(SCENARIOS, "infonce", replace(SCENARIO, version=SCENARIO.version + 1))
    assert not set(before) & {key(), key(kappa=3)}


def test_a_new_field_with_its_default_keeps_every_key(monkeypatch):
    before = key(), key(2, kappa=3)

    class Wider(Params):
        novelty: float = 0.5

    monkeypatch.setitem(SCENARIOS, "infonce", replace(SCENARIO, Params=Wider))
    after = Member("infonce", Wider(), 0), Member("infonce", Wider(kappa=3), 2)
    assert tuple(m.key for m in after) == before
    assert Member("infonce", Wider(novelty=0.6), 0).key != before[0]


def test_keys_are_hex_digests():
    assert len(key()) == 64 and set(key()) <= set("0123456789abcdef")


def test_equal_requests_are_one_request():
    assert ask((0, 1), kappa=10).key == ask((0, 1)).key
    assert ask((0, 1), {"kappa": (1.0, 10.0)}).key != ask((0, 1)).key


# --- members ----------------------------------------------------------------------------------


def test_members_are_the_product_of_values_and_seeds_in_order():
    members = ask((3, 1), {"kappa": (1.0, 5.0), "anneal": (0.0, 0.5)}).members
    found = [(m.params.kappa, m.params.anneal, m.seed) for m in members]
    assert found == [(k, a, s) for k in (1.0, 5.0) for a in (0.0, 0.5) for s in (3, 1)]


def test_repeats_are_trained_once():
    assert len(ask((0, 0, 1), {"kappa": (10.0, 10.0)}).members) == 2
    # values of a field that has no effect are repeats too
    assert len(ask((0,), {"spread": (0.1, 0.2)}).members) == 1


def test_varied_field_takes_the_place_of_the_set_one():
    assert [m.params.kappa for m in ask((0,), {"kappa": (2.0,)}, kappa=7).members] == [2.0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Experiment(Params(), "nonsense", (0,)), "'nonsense' is not one of infonce"),
        (lambda: Experiment(OTHERS(), "infonce", (0,)), "parameters of clusters, not of infonce"),
        (lambda: Member("infonce", OTHERS(), 0), "parameters of clusters, not of infonce"),
        (lambda: ask(()), "seeds: give at least one"),
        (lambda: ask((0, -1)), "seeds: must be whole numbers"),
        (lambda: ask((0,), {"kapa": (1.0,)}), "no parameter 'kapa'"),
        (lambda: ask((0,), {"kappa": ()}), "give kappa at least one value"),
        (lambda: ask(range(MOST_MEMBERS + 1)), str(MOST_MEMBERS)),
        (lambda: ask((0,), {"kappa": (1.0, 1e9)}), "kappa"),
        (lambda: ask((0,), {"conditional": ("cauchy",)}), "conditional"),
        (lambda: Params(kappa=0), "kappa"),
        (lambda: Params(kappa=float("nan")), "kappa"),
        (lambda: Params(tau=float("inf")), "tau"),
        (lambda: Params(d=21), "d\n"),
        (lambda: Params(d=2.5), "d\n"),
        (lambda: Params(unheard_of=1), "unheard_of"),
        (lambda: Params(d=5, d_x=4), "d_x"),
        (lambda: Params(d_x=5).but(d=6), "d_x"),
    ],
    ids=[
        "scenario", "another's parameters", "another's parameters in a member",
        "no seeds", "negative seed", "unknown field", "no values", "too many runs",
        "varied value out of range", "varied choice unknown", "below the least", "nan", "infinite",
        "above the most", "not an integer", "extra field", "fewer observations than latents",
        "fewer observations after a change",
    ],
)  # fmt: skip
def test_bad_requests_are_refused_with_the_fields_name(wrong, message):
    with pytest.raises(ValueError, match="(?s).*" + message):  # pydantic's error is a ValueError
        wrong()


def test_the_largest_request_is_allowed():
    assert len(ask(range(MOST_MEMBERS)).members) == MOST_MEMBERS


def test_params_are_frozen():
    with pytest.raises(ValidationError):
        Params().kappa = 3


# --- groups -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OTHER)
def test_members_train_together_exactly_when_they_differ_in_batched_fields(name):
    members = ask((0,)).members + ask((0,), **{name: OTHER[name]}).members
    batched = knobs_of(Params)[name].batched
    assert len(groups(members)) == (1 if batched else 2)


def test_groups_hold_every_member_once_in_order_and_none_too_large():
    members = ask(range(20), {"kappa": (1.0, 5.0), "width": (16, 32)}).members
    found = groups(members, largest=7)
    assert all(len(group) <= 7 for group in found)
    assert sorted(m.key for group in found for m in group) == sorted(m.key for m in members)
    assert [len(group) for group in found] == [7, 7, 7, 7, 7, 5] * 2
    for group in found:
        assert len({m.params.width for m in group}) == 1
        assert [members.index(m) for m in group] == sorted(members.index(m) for m in group)


def test_groups_are_bounded_unless_told():
    assert max(map(len, groups(ask(range(60)).members))) == LARGEST_GROUP


def test_no_members_make_no_groups():
    assert groups([]) == []


def test_work_adds_up_and_grows_with_what_costs():
    one = work(ask().members)
    assert work(ask((0, 1, 2)).members) == pytest.approx(3 * one)
    assert work(ask(steps=800).members) == pytest.approx(2 * one)
    for larger in ({"width": 128}, {"batch": 512}, {"depth": 4}, {"d": 5}, {"d_x": 6}):
        assert work(ask(**larger).members) > one


# --- results ----------------------------------------------------------------------------------


def result(frames=9, points=20, **params):
    rng = np.random.default_rng(0)
    return Result(
        member=Member("infonce", Params(**params), 1),
        scores={"linear_r2": 0.9, "degree": None},
        diverged=False,
        loss_step=np.arange(1, 6, dtype=np.int32),
        loss=rng.normal(size=5).astype(np.float32),
        history_step=np.arange(frames, dtype=np.int32),
        history={"linear_r2": rng.normal(size=frames).astype(np.float32)},
        frame_step=10 * np.arange(frames, dtype=np.int32),
        z=rng.normal(size=(points, 3)).astype(np.float32),
        z_hat=rng.normal(size=(frames, points, 3)).astype(np.float16),
        net=rng.normal(size=(4, 5, 3)).astype(np.float32),
        net_hat=rng.normal(size=(frames, 4, 5, 3)).astype(np.float16),
        world={"z_pos": rng.normal(size=(points, 3)), "v": rng.normal(size=(7, 3))},
        provenance={"device": "cpu"},
        moving={"w": rng.normal(size=(frames, 7, 3)).astype(np.float16)},
    )


@pytest.mark.parametrize("frames", (1, 2, 5, 9, 100))
@pytest.mark.parametrize("points", (1, 20, 500))
def test_thinning_keeps_the_last_frame_and_the_first_points(frames, points):
    full = result()
    thin = full.thinned(frames, points)
    k, n = min(frames, 9), min(points, 20)
    assert thin.z_hat.shape == (k, n, 3) and thin.net_hat.shape == (k, 4, 3, 3)
    assert len(thin.frame_step) == k and thin.frame_step[-1] == full.frame_step[-1]
    np.testing.assert_array_equal(thin.z_hat[-1], full.z_hat[-1, :n])
    # curves keep both ends
    np.testing.assert_array_equal(thin.net_hat[-1], full.net_hat[-1][:, [0, 2, 4]])
    np.testing.assert_allclose(thin.net, full.net[:, [0, 2, 4]], rtol=1e-3)
    assert len(thin.moving["w"]) == k
    np.testing.assert_array_equal(thin.moving["w"][-1], full.moving["w"][-1])
    np.testing.assert_allclose(thin.z, full.z[:n], rtol=1e-3)
    # every frame that is kept is the one its step says
    for step, frame in zip(thin.frame_step, thin.z_hat, strict=True):
        np.testing.assert_array_equal(frame, full.z_hat[step // 10, :n])
    if frames > 1:
        assert thin.frame_step[0] == 0


def test_thinning_cuts_the_worlds_points_but_not_its_other_facts_or_the_history():
    full = result()
    thin = full.thinned(3, 7)
    np.testing.assert_allclose(thin.world["z_pos"], full.world["z_pos"][:7], rtol=1e-3)
    np.testing.assert_allclose(thin.world["v"], full.world["v"], rtol=1e-3)
    np.testing.assert_array_equal(thin.history["linear_r2"], full.history["linear_r2"])
    np.testing.assert_array_equal(thin.loss, full.loss[[0, 4]])
    np.testing.assert_array_equal(thin.loss_step, full.loss_step[[0, 4]])
    assert thin.scores == full.scores and thin.member == full.member


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        ([0.0, 1.0, -3e4], np.float16),
        ([0.0, 65_504.0], np.float16),
        ([0.0, 65_600.0], np.float32),
        ([np.nan, np.inf, 1.0], np.float16),
        ([1e-7, 3e-6], np.float32),  # float16 has two digits or none there
        ([0.0, 0.0], np.float16),
        ([], np.float16),
        ([0, 2049], np.int64),
    ],
)
def test_an_array_is_kept_in_half_precision_where_that_keeps_three_digits(array, dtype):
    given = np.array(array)
    given = given if len(given) == 0 or given.dtype == int else given.astype(np.float32)
    kept = compact(given)
    assert kept.dtype == dtype
    np.testing.assert_allclose(kept, given, rtol=1e-3)


def test_summary_is_json_and_comes_back():
    line = summary(result(kappa=3), cached=True)
    text = json.dumps(line, allow_nan=False)
    assert json.loads(text) == line
    assert set(line) == {"scenario", "params", "seed", "scores", "steps", "cached"}
    assert line["scores"]["degree"] is None and line["steps"] == 5 and line["seed"] == 1
    again = Member(line["scenario"], Params(**line["params"]), line["seed"])
    assert again.key == result(kappa=3).member.key


# --- the scenarios themselves -----------------------------------------------------------------


@pytest.mark.parametrize("scenario", LESSONS.values(), ids=LESSONS)
def test_presets_and_sweeps_of_a_lesson_are_valid_requests(scenario):
    assert SCENARIOS[scenario.name].Params is scenario.Params and scenario.presets
    for shown in scenario.presets:
        assert Experiment(scenario.Params(**shown.params), scenario.name, shown.seeds).members
    for sweep in scenario.sweeps:
        params = scenario.Params(**sweep.params)
        members = Experiment(params, scenario.name, sweep.seeds, sweep.vary).members
        assert len(members) == np.prod([len(v) for v in (*sweep.vary.values(), sweep.seeds)])
    assert len({preset.name for preset in scenario.presets}) == len(scenario.presets)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_field_declares_a_label_a_help_and_a_default_within_its_bounds(name):
    for knob in knobs_of(SCENARIOS[name].Params).values():
        assert knob.label and knob.help and knob.unit, knob.name
        if knob.optional:
            assert knob.none, knob.name
        if knob.kind in (int, float):
            assert type(knob.low) is knob.kind and type(knob.high) is knob.kind, knob.name
            if knob.default is not None:
                assert knob.low <= knob.default <= knob.high, knob.name
        if knob.choices:
            assert knob.default in knob.choices, knob.name


def test_notices_name_the_assumption_that_breaks_and_only_then():
    broken = {
        "marginal_kappa": {"marginal_kappa": 5}, "conditional": {"conditional": "normal"},
        "tau": {"tau": 1.0}, "d_hat": {"d_hat": 5}, "n_train": {"n_train": 64},
        "initialisation": {"initialisation": "standard"}, "kappa": {"kappa": 0.2},
    }  # fmt: skip
    assert SCENARIO.notices(Params()) == ()
    for field, setting in broken.items():
        assert field in {notice.field for notice in SCENARIO.notices(Params(**setting))}


@pytest.mark.parametrize(
    ("setting", "broken"),
    [
        ({}, 0),
        ({"tau": 0.1}, 0),
        ({"kappa": 5}, 0),
        ({"d_hat": 4}, 0),  # a spare dimension can stay empty
        ({"tau": 0.2}, 1),
        ({"marginal_kappa": 1}, 1),
        ({"d_hat": 2}, 1),
        ({"conditional": "laplace"}, 1),  # kappa, which tau is held against, is gone with it
    ],
    ids=str,
)
def test_what_keeps_the_distances_from_being_kept_is_named(setting, broken):
    assert len(infonce.broken(Params(**setting))) == broken


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"marginal_kappa": 20.0}, "a uniform marginal"),
        ({"conditional": "laplace"}, "a vMF conditional"),
        ({"tau": 1.0}, "τκ = 1"),
        ({"d_hat": 2}, "an encoder with as many dimensions"),
        ({"n_train": 512}, "fresh pairs"),
    ],
)
def test_a_promise_names_the_assumption_that_is_missing(setting, words):
    promise = SCENARIO.promise(Params(**setting))
    assert not promise.judges and not promise.kept(1.0)
    assert promise.said.startswith("Nothing is promised here") and words in promise.said
    assert SCENARIO.promise(Params(kappa=3)).judges and SCENARIO.promise(Params(kappa=3)).kept(0.99)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"d_hat": 2}, "for an encoder of 3 dimensions, not 2"),
        ({"d": 5}, "for d = 2 and 3"),
        ({"marginal_kappa": 20.0}, "does not apply: the latents leave part of the sphere bare"),
    ],
)
def test_the_degree_says_truly_why_it_is_missing(setting, words):
    assert SCENARIO.promise(Params(**setting)).silent == {"degree": words}
    assert SCENARIO.promise(Params(d=2)).silent == {}


def test_more_negatives_than_pairs_are_said_to_repeat_the_positive():
    def said(**setting):
        notices = SCENARIO.notices(Params(batch=256, **setting))
        return [n.text for n in notices if "with repeats" in n.text]

    (text,) = said(n_train=64)
    assert "about 4.0 times" in text
    assert not said(n_train=256) and not said()


def test_spelling_out_what_none_means_is_the_same_run():
    (plain,) = ask((0,)).members
    for spelt in ({"tau": 0.1}, {"d_x": 3}, {"d_hat": 3}):
        assert ask((0,), **spelt).members[0].key == plain.key
    assert ask((0,), tau=0.2).members[0].key != plain.key


def test_a_spare_dimension_can_absorb_too_high_a_concentration():
    assert "tau" in {notice.field for notice in SCENARIO.notices(Params(tau=0.05))}
    assert "tau" not in {notice.field for notice in SCENARIO.notices(Params(tau=0.05, d_hat=4))}
    assert "tau" in {notice.field for notice in SCENARIO.notices(Params(tau=0.2, d_hat=4))}


def test_model_temperature_is_the_theorems_unless_it_is_given():
    assert Params(kappa=20).model_tau == pytest.approx(1 / 20)
    assert Params(kappa=20, tau=0.3).model_tau == 0.3
    assert Params(conditional="laplace").model_tau == 1
