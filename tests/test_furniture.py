"""What pages share: presets with switches, the numbers, every seed's words, the view of a run."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from test_store import result

from core.legend import SCORES
from core.lessons import LESSONS
from core.scenarios import SCENARIOS
from core.scenarios.scenario import Preset, Promise
from ui import knobs, recovery, runner, seeds
from ui.auxiliary import sources
from ui.clusters import heads
from ui.entropic import waterfall
from ui.lejepa import picture as unwound
from ui.pairs import picture as boxed
from ui.player.view import Arrow, pack
from ui.reversal import game

SPHERE = LESSONS["infonce_sphere"]
PROMISE = Promise("linear", "linear_r2", ("linear_r2",), "A promise.", "its source")


def page_with_a_switch():
    """A page whose presets set a toggle besides their knobs."""
    from dataclasses import replace

    import streamlit as st

    from core.lessons import LESSONS
    from core.scenarios.scenario import Preset
    from ui import knobs, story
    from ui.window import address

    presets = (
        Preset("plain", "Plain", "One of them.", {}),
        Preset("both", "Both", "Side by side.", {"kappa": 3.0}, compared=True),
        Preset("warm", "Warm", "Same knobs as no other.", {"tau": 1.0}),
    )
    scenario = replace(LESSONS["infonce_sphere"], presets=presets)
    address.declare(knobs.settings(scenario), address.switch("beside", "Side by side"))
    params, _ = knobs.read(scenario)
    story.presets(scenario, params)
    st.toggle("Side by side", key=address.widget("beside"))
    now = story.active(scenario, params)
    st.text(now.name if now else "own")


def test_a_preset_sets_its_switches_and_others_put_them_to_rest():
    at = AppTest.from_function(page_with_a_switch).run()
    assert at.text[0].value == "plain" and not at.toggle(key="beside").value
    at.button(key="infonce.preset.both").click().run()
    assert at.toggle(key="beside").value and at.text[0].value == "both"
    at.button(key="infonce.preset.warm").click().run()
    assert not at.toggle(key="beside").value and at.text[0].value == "warm"
    assert not at.exception


def test_a_preset_with_another_switch_is_not_that_preset():
    at = AppTest.from_function(page_with_a_switch).run()
    at.button(key="infonce.preset.both").click().run()
    at.toggle(key="beside").set_value(False).run()
    assert at.text[0].value == "own"
    at.button(key="infonce.preset.plain").click().run()
    at.toggle(key="beside").set_value(True).run()
    assert at.text[0].value == "own"


def test_a_link_to_a_preset_opens_it():
    preset = Preset("both", "", "", {"kappa": 3.0, "tau": None}, (0,), compared=True)
    assert knobs.query(SPHERE, preset) == {"kappa": "3", "beside": "true", "seeds": "1"}
    at = AppTest.from_function(page_with_a_switch)
    at.query_params.update({"kappa": "3", "beside": "True"})
    at.run()
    assert at.toggle(key="beside").value and at.text[0].value == "both"


# ---- the numbers


def numbers_of(scores, promised, diverged=False, ideals=None, silent=None):
    """(label, value, small line) of every number shown."""

    def page(run, promise, ideals):
        from ui import numbers

        numbers.show(run, promise, "floor", ideals)

    finished = replace(result(), scores=scores, diverged=diverged)
    promise = Promise("linear", promised[0], promised, "", "", silent=silent or {})
    kwargs = {"run": recovery.Run.finished(finished), "promise": promise, "ideals": ideals}
    at = AppTest.from_function(page, kwargs=kwargs).run()
    assert not at.exception
    return [(m.label, m.value, m.delta) for m in at.metric]


def test_what_is_promised_comes_first_and_bold():
    scores = {"linear_r2": 0.5, "raw_linear_r2": 0.25, "mcc": 0.5, "v_r2": 0.996, "loss": 1.234,
              "loss_floor": 1.2, "feature_norm": 9.87}  # fmt: skip
    shown = numbers_of(scores, ("v_r2", "linear_r2"), ideals={"feature_norm": "κ = 10"})
    assert shown == [
        ("**Cluster-vector R²**", "0.996", "of 1"),
        ("**Linear R²**", "0.500", "raw x 0.25 · of 1"),
        ("MCC", "0.500", ""),
        ("Feature norm", "9.87", "κ = 10"),
        ("Loss, nats", "1.23", "floor 1.20"),
    ]


def test_a_score_without_a_value_says_why_or_is_left_out():
    scores = {"linear_r2": None, "raw_linear_r2": 0.8, "v_r2": None, "complement_r2": None}
    assert numbers_of(scores, ("linear_r2",)) == [
        ("**Linear R²**", "–", "raw x 0.80"),
        ("Cluster-vector R²", "–", "for more than d + 1 clusters"),
    ]
    assert numbers_of(scores, ("linear_r2",), diverged=True)[0][2] == "raw x 0.80 · diverged"


def test_a_score_that_says_nothing_of_a_setting_is_no_number_but_its_reason():
    scores, why = {"linear_r2": 0.92, "degree": 0.0}, "does not apply: part of the sphere is bare"
    name = "Degree of the map"
    assert (name, "0", "whole ±1") in numbers_of(scores, ("linear_r2",))
    assert (name, "–", why) in numbers_of(scores, ("linear_r2",), silent={"degree": why})
    unclear = numbers_of({**scores, "degree": None}, ("linear_r2",))
    assert (name, "–", "unclear: two triangulations disagree") in unclear


# ---- every seed in words


def runs(scores, **params):
    return [replace(result(**params), scores=s, diverged=False) for s in scores]


def test_seeds_are_counted_with_and_without_a_degree():
    values = [{"linear_r2": 0.995}, {"linear_r2": 0.7}, {"linear_r2": None}]
    assert seeds.tally(runs(values), PROMISE) == "1 of 3 seeds reach 0.99."
    with_degree = [{**v, "degree": d} for v, d in zip(values, (1, 0, None), strict=True)]
    said = "1 of 3 seeds reach 0.99; 1 has degree 0, a folded globe."
    assert seeds.tally(runs(with_degree), PROMISE) == said
    on_a_cap = runs(with_degree, marginal_kappa=20.0)
    assert seeds.tally(on_a_cap, PROMISE) == "1 of 3 seeds reach 0.99."


def test_a_promise_may_be_to_stay_below_a_bound():
    angle = replace(PROMISE, score="angle_to_v_perp_deg", bound=2.0, at_most=True)
    values = [{"angle_to_v_perp_deg": v} for v in (0.5, 2.0, 80.0, None)]
    assert seeds.tally(runs(values), angle) == "2 of 4 seeds: Angle to V⊥ at most 2°."


def test_the_spread_tells_of_the_baseline_and_of_whole_maps_where_they_are_measured():
    values = [{"linear_r2": 0.9, "raw_linear_r2": 0.95}, {"linear_r2": 0.99, "raw_linear_r2": 0.8}]
    words = "linear R² 0.900 to 0.990, 2 seeds (raw x 0.800 to 0.950, better for 1 of 2)"
    assert seeds.summed_up(runs(values)) == f"{words}."
    with_degree = runs([{**v, "degree": d} for v, d in zip(values, (-1, 0), strict=True)])
    assert seeds.summed_up(with_degree) == f"{words}, 1 of 2 maps whole."
    assert seeds.summed_up(runs([{"v_r2": 0.5}]), "v_r2") == "cluster-vector R² 0.500, one seed."
    assert seeds.summed_up(runs([{"mcc": 0.5}]), "mcc") == "MCC 0.500, one seed."
    said = seeds.summed_up(runs([{"mtc_nats": 0.5}]), "mtc_nats")
    assert said == "total correlation 0.500 nats, one seed."
    assert seeds.summed_up(runs([{"linear_r2": None}])) == "not measured here."
    shown = runs([{"linear_r2": 0.9, "raw_linear_r2": 1.0}], mixing_layers=0)
    assert seeds.summed_up(shown) == "linear R² 0.900, one seed (x = z: 1.000)."


def test_where_nothing_is_promised_no_bound_is_counted_against():
    values = [{"linear_r2": 0.5, "degree": 0}, {"linear_r2": 0.995, "degree": 1}]
    nothing = replace(PROMISE, missing=("a uniform marginal", "τκ = 1"))
    said = seeds.tally(runs(values, tau=1.0), nothing)
    assert said == "Measured: linear R² 0.500 to 0.995, 2 seeds, 1 of 2 maps whole."
    assert (
        nothing.said == f"Nothing is promised here: that takes a uniform marginal and τκ = 1 "
        f"({PROMISE.source})."
    )
    assert "of 2 seeds reach" in seeds.tally(runs(values), PROMISE)


# ---- the view of a run


def turned(d, length=1.0, seed=0):
    """A run whose recovered latents are the true ones, turned and `length` times as long."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(40, d)).astype(np.float32)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0].astype(np.float32)
    z_hat = np.stack([0.1 * z @ turn, length * z @ turn])
    net = np.zeros((0, 0, d), np.float32)
    net_hat = np.zeros((2, 0, 0, d), np.float32)
    run = recovery.Run("run", z, z_hat, net, net_hat, np.array([0, 10]), 10, {}, {}, {}, False)
    return run, turn


@pytest.mark.parametrize(("d", "axes"), [(2, (0, 1, 2)), (3, (0, 1, 2)), (5, (4, 0, 2))])
def test_recovered_latents_and_their_arrows_are_turned_alike(d, axes):
    run, turn = turned(d, length=9.5)
    v = run.z[:2]
    w = np.stack([0.3 * v @ turn, v @ turn])  # (k, 2, d)
    arrows = [Arrow("", "v", v[0], None), Arrow("", "w", None, w[:, 1])]
    view = recovery.view_of(run, recovery.Choice(0, True, axes), arrows=arrows)
    shown = list(axes) if d > 3 else list(range(d))
    np.testing.assert_allclose(view.z_hat[-1], run.z[:, shown], atol=1e-5)
    np.testing.assert_allclose(view.arrows[0].truth, v[0, shown], atol=1e-6)
    np.testing.assert_allclose(view.arrows[1].recovered[-1], v[1, shown], atol=1e-5)
    assert "recovered lengths are divided by the mean of |f(x)| at each frame" in view.note
    assert "9.5 at the end" in view.note
    learnt = recovery.view_of(run, recovery.Choice(0, False, axes), arrows=arrows)
    np.testing.assert_allclose(learnt.arrows[1].recovered, w[:, 1][:, shown], atol=1e-6)


def test_a_free_encoder_is_drawn_in_units_of_each_frame():
    run, _ = turned(3, length=9.5)
    run = replace(run, z_hat=run.z_hat * np.linspace(0.01, 1, len(run.z_hat))[:, None, None])
    view = recovery.view_of(run, recovery.Choice(0, True, (0, 1, 2)))
    np.testing.assert_allclose(np.linalg.norm(view.z_hat, axis=2).mean(1), 1, rtol=1e-4)


def test_the_table_holds_what_the_picture_shows():
    run, _ = turned(3)
    learnt, aligned = recovery.points(run), recovery.points(replace(run, aligned=True))
    true = [f"z {i}" for i in (1, 2, 3)]
    assert list(learnt) == [*true, *(f"ẑ {i} as learnt" for i in (1, 2, 3))]
    assert list(aligned) == [*true, *(f"ẑ {i} aligned" for i in (1, 2, 3))]
    np.testing.assert_allclose(learnt.iloc[:, 3:], run.z_hat[-1], atol=1e-6)
    view = recovery.view_of(run, recovery.Choice(0, True, (0, 1, 2)))
    np.testing.assert_allclose(aligned.iloc[:, 3:], view.z_hat[-1], atol=1e-5)
    np.testing.assert_allclose(aligned.iloc[:, 3:], run.z, atol=1e-5)
    assert np.abs(learnt.iloc[:, 3:].to_numpy() - run.z).max() > 0.1


def shipped(name, seed=0):
    lesson = LESSONS[name]
    (result,) = seeds.runs(lesson, lesson.presets[0].params, (seed,))
    return recovery.Run.finished(result), result


@pytest.mark.parametrize("name", ["infonce_sphere", "vmf_clusters", "gradient_reversal"])
def test_numbers_follow_the_player_where_they_were_measured(name):
    run, result = shipped(name)
    follow = recovery.follow(run)
    assert set(follow.scores) == {SCORES[score].title for score in result.history}
    for score, values in result.history.items():
        written = follow.scores[SCORES[score].title]
        assert len(written) == len(result.frame_step)
        for step, value in zip(result.frame_step, written, strict=True):
            there = float(values[result.history_step == step][0])
            assert value == SCORES[score].written(there if np.isfinite(there) else None)
    view = recovery.view_of(run, recovery.Choice(0, True, (0, 1, 2)))
    assert view.follow.scores == follow.scores


def words_of(header):
    """All that is said in a message to the browser, but for colours and names of arrays."""
    for name, value in header.items() if isinstance(header, dict) else enumerate(header):
        if isinstance(value, dict | list | tuple):
            yield from () if name in ("arrays", "colours", "follow") else words_of(value)
        elif isinstance(value, str) and name not in ("key", "run"):
            yield value


@pytest.mark.parametrize(
    ("lesson", "preset"),
    [(name, p) for name in ("infonce_sphere", "infonce_box", "vmf_clusters", "laplace_violation",
                            "gradient_reversal", "manifold_entropy", "pixels", "auxiliary",
                            "lejepa")
     for p in LESSONS[name].presets],
    ids=lambda value: getattr(value, "name", value),
)  # fmt: skip
def test_no_view_says_anything_in_latex_or_code(lesson, preset):
    (result,) = seeds.runs(LESSONS[lesson], preset.params, preset.seeds[:1])
    run, choice = recovery.Run.finished(result), recovery.Choice(0, True, (0, 1, 2))
    params = result.member.params
    if lesson == "gradient_reversal":
        view = game.of(run, params, False)
    elif lesson == "infonce_sphere":
        view = recovery.view_of(run, choice)
    elif lesson in ("infonce_box", "pixels"):
        view = boxed.view_of(run, params, choice)
    elif lesson == "auxiliary":
        view = sources.view_of(run, params, choice)
    elif lesson == "lejepa":
        view = unwound.view_of(run, params, choice)
    elif lesson == "manifold_entropy":
        view = waterfall.view_of(run, params)
    else:
        dense = params if lesson == "laplace_violation" else None
        view = heads.of(run, params, choice, False, density=dense)
    said = list(words_of(pack(view, "key", 400)["header"]))
    assert len(said) >= 4
    for words in said:
        assert not set(words) & set("$\\_^{}"), words


def test_between_two_measurements_there_is_no_number():
    _, result = shipped("infonce_sphere")
    some = {name: values[::2] for name, values in result.history.items()}
    halved = replace(result, history_step=result.history_step[::2], history=some)
    assert recovery.follow(recovery.Run.finished(halved)).scores == {}


def test_a_score_that_says_nothing_of_a_setting_does_not_follow_either():
    titles = {SCORES[name].title for name in ("linear_r2", "degree")}
    assert set(recovery.follow(recovery.Run.finished(result())).scores) == titles
    cap = recovery.Run.finished(result(marginal_kappa=20.0))  # leaves part of the sphere bare
    assert set(recovery.follow(cap).scores) == {SCORES["linear_r2"].title}


def test_a_number_that_rounds_to_nothing_has_no_sign():
    assert SCORES["linear_r2"].written(-0.0004) == "0.000"
    assert SCORES["linear_r2"].written(-0.0006) == "−0.001"
    assert len({score.title for score in SCORES.values()}) == len(SCORES)  # found by their title


def test_a_sphere_keeps_its_length_and_a_lost_run_is_drawn_as_it_is():
    run, _ = turned(3, length=1.001)
    assert recovery.view_of(run, recovery.Choice(0, True, (0, 1, 2))).note == ""
    lost = replace(run, z_hat=np.full_like(run.z_hat, np.nan))
    assert np.isnan(recovery.view_of(lost, recovery.Choice(0, True, (0, 1, 2))).z_hat).all()


def test_the_frames_of_a_view_can_have_names():
    run, _ = turned(3)
    choice = recovery.Choice(0, True, (0, 1, 2))
    view = recovery.view_of(run, choice, moments=["κ = 1", "κ = 10"])
    assert view.moments == ["κ = 1", "κ = 10"] and "at κ = 10;" in view.alt
    assert "at step 10;" in recovery.view_of(run, choice).alt


def test_the_run_before_may_have_had_fewer_seeds():
    from core.run.experiment import Experiment

    shown = runner.Shown(Experiment(SPHERE.Params(), "infonce", (0, 1)), {}, {})
    assert (shown.seed(1), shown.seed(7)) == (1, 0)


# ---- cluster vectors and the rows that stand for them


def run_of_rows(case, rows, v):
    """A finished run with unit latents and these rows of W (k, C, 3)."""
    z = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    net, steps = np.zeros((0, 0, 3), np.float32), np.arange(len(rows))
    frames = np.stack([z] * len(rows))
    run = recovery.Run("run", z, frames, net, np.zeros((len(rows), 0, 0, 3), np.float32), steps,
                       int(steps[-1]), {}, {"v": v}, {"w": rows}, False)  # fmt: skip
    return run, SCENARIOS["clusters"].Params(case=case, n_clusters=len(v))


@pytest.mark.parametrize("case", ["C1", "C2", "C3", "C4"])
def test_rows_are_drawn_without_the_offset_that_a_softmax_does_not_see(case):
    rng = np.random.default_rng(1)
    v = rng.normal(size=(12, 3))
    v = (v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32)
    psi = np.array([3.0, -2.0, 1.0], np.float32)
    free = case in ("C2", "C4")
    run, params = run_of_rows(case, np.stack([0.1 * v, 5 * v + psi if free else v]), v)
    drawn = heads.arrows(run, params)
    truth = np.stack([a.truth for a in drawn if a.role == "v"])
    rows = np.stack([a.recovered[-1] for a in drawn if a.role == "w"])
    np.testing.assert_allclose(np.sort(truth, axis=0), np.sort(v, axis=0), atol=1e-6)
    np.testing.assert_allclose(rows, v, atol=1e-4)  # at mean length 1, and psi gone
    view = heads.of(run, params, recovery.Choice(0, False, (0, 1, 2)), stale=False)
    assert ("without the offset" in view.note) == free
    assert ("divided by 5" in view.note) == free


def test_case_c3_is_drawn_in_units_of_where_theory_puts_the_sphere():
    v = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]
    run, params = run_of_rows("C3", v[None], v)
    view = heads.of(run, params, recovery.Choice(0, False, (0, 1, 2)), stale=False)
    np.testing.assert_allclose(view.z_hat, run.z_hat / params.kappa, atol=1e-6)
    assert "divided by 10, where theory puts the sphere" in view.note
