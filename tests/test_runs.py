"""Runs on a page: begun by themselves or asked for, left and found again, and blown up."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from visits import (
    CLUSTERS,
    ENTROPY,
    PAGES,
    REVERSAL,
    SPHERE,
    metric,
    opened,
    own,
    pictures,
    said,
    wait_for,
)

from core.lessons import LESSONS
from core.run.bounds import Refused
from core.run.experiment import Experiment, Member, Result
from core.run.job import Group, Job, Snapshot
from core.run.worker import train_group
from ui import recovery, runner, wording
from ui.reversal import game

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: Path(page).stem)


pytestmark = pytest.mark.usefixtures("pages_engine")


def test_an_unstored_quick_setting_trains_by_itself_and_ends_in_numbers():
    at = opened(SPHERE, steps="37", seeds="1")
    wait_for(at, "of 1 seeds reach")
    assert not at.exception
    assert said(at, "of 1 seeds reach")
    assert 0 < float(metric(at, "Linear R²")) <= 1


def test_what_begins_by_itself_is_refused_in_silence_and_offered(monkeypatch):
    def refuse(*args, **more):
        raise Refused("200 requests are waiting for a worker already")

    monkeypatch.setattr(runner.engine(), "submit", refuse)
    at = opened(SPHERE, steps="36", seeds="1")
    assert not at.exception and not at.error
    assert any("200 requests are waiting" in caption.value for caption in at.caption)
    next(b for b in at.button if b.key == own(at, "run.train")).click().run()
    assert [each.value for each in at.error] == ["200 requests are waiting for a worker already"]


def test_who_waits_behind_others_is_looked_at_seldom_until_it_is_their_turn(monkeypatch):
    ahead, paces, snapshot, fragment = [2], [], Job.snapshot, runner._fragment
    monkeypatch.setattr(
        Job, "snapshot",
        lambda job, viewer: replace(snapshot(job, viewer), status="queued", position=ahead[0],
                                    members={}, results={}),
    )  # fmt: skip
    monkeypatch.setattr(
        runner, "_fragment", lambda key, every: paces.append(every) or fragment(key, every)
    )
    at = opened(SPHERE, steps="39", seeds="1")
    assert not at.exception
    assert runner.QUEUE_SECONDS in paces and runner.POLL_SECONDS not in paces
    ahead[0], paces[:] = 0, []
    at = opened(SPHERE, steps="33", seeds="1")  # another, lest the first has ended meanwhile
    assert not at.exception
    assert runner.QUEUE_SECONDS not in paces and runner.POLL_SECONDS in paces


@pytest.mark.parametrize(("queued", "ahead", "begins"), [(True, 0, True), (True, 1, False),
                                                         (False, 0, False)])  # fmt: skip
def test_a_page_takes_up_the_faster_pace_when_its_turn_comes(monkeypatch, queued, ahead, begins):
    experiment = Experiment(LESSONS["infonce_sphere"].Params(steps=38), "infonce", (0,))
    groups = [Group("one", experiment.members)]
    job = Job(experiment, {}, groups, lambda job: (ahead, None), lambda job: None, lambda: "ready")
    meanwhile = runner.Shown(experiment, {}, {})
    again, drawn = [], []
    monkeypatch.setattr(runner.st, "rerun", lambda: again.append(True))
    monkeypatch.setattr(runner, "_still", lambda shown, draw: drawn.append(shown))
    runner._watch(job, experiment, drawn.append, "run", False, meanwhile, runner.stored, queued)
    assert bool(again) == begins and drawn


def test_a_slow_setting_waits_for_the_button_and_says_its_price():
    at = opened(SPHERE, steps="20000", d="5")
    button = next(b for b in at.button if b.key == own(at, "run.train"))
    assert button.label.startswith("Train 3 runs, about")


def test_what_trains_by_itself_depends_on_the_setting_and_not_on_a_busy_minute(monkeypatch):
    cheap = Experiment(LESSONS["infonce_sphere"].Params(steps=41), "infonce", (0,)).members
    dear = Experiment(LESSONS["infonce_sphere"].Params(steps=20_000), "infonce", (0,)).members
    here = runner.engine()
    for measured in (here.pace.shipped / 1000, 1000 * here.pace.shipped):
        monkeypatch.setattr(here.pace, "here", measured)
        assert runner._quick(cheap) and not runner._quick(dear)
        assert here.estimate(cheap) == pytest.approx(
            here.usual(cheap) * here.pace.shipped / measured
        )


def test_a_server_that_trains_nothing_says_so_where_a_run_would_start(monkeypatch):
    monkeypatch.setenv("EXPLORER_TRAIN", "off")
    monkeypatch.setattr(runner, "engine", lambda: pytest.fail("the engine is asked for"))
    runner.bounds.clear()
    try:
        runner.warm_up()
        for setting in ({"steps": "38"}, {"steps": "20000", "d": "5"}, {"vary": "kappa", "d": "7"}):
            at = opened(SPHERE, seeds="1", **setting)
            assert not at.exception and not [b for b in at.button if "Train" in b.label]
            assert any("This server shows what is stored and trains nothing." in c.value
                       for c in at.caption)  # fmt: skip
            assert any(code.value.startswith("python -m core ") for code in at.code)
        shipped = opened(SPHERE)
        assert not shipped.exception and said(shipped, "of 3 seeds reach")
        assert not any("trains nothing" in c.value for c in shipped.caption)
    finally:
        runner.bounds.clear()


@each_page
def test_no_page_asks_a_server_that_trains_nothing_for_its_engine(page, monkeypatch):
    monkeypatch.setenv("EXPLORER_TRAIN", "off")
    monkeypatch.setattr(runner, "engine", lambda: pytest.fail("the engine is asked for"))
    runner.bounds.clear()
    try:
        at = opened(page, steps="777", **({"data": "arc"} if page == ENTROPY else {}))
        assert not at.exception and not at.error
        assert any("trains nothing" in caption.value for caption in at.caption)
    finally:
        runner.bounds.clear()


def test_a_dot_of_a_sweep_is_trained_again_without_a_word_and_then_plays():
    sweep = next(s for s in LESSONS["infonce_sphere"].sweeps if s.field == "kappa" and not s.by)
    presets = [p.params for p in LESSONS["infonce_sphere"].presets]
    kappa = next(v for v in sweep.values if {"kappa": v} not in presets and v != 10)
    member = Member("infonce", LESSONS["infonce_sphere"].Params(kappa=kappa), 0)
    assert not runner.store().get(member).playable  # the gallery holds its last frame
    at = opened(SPHERE, kappa=f"{kappa:g}", seeds="1")
    assert not at.exception and said(at, "of 1 seeds reach")  # the stored frame is there
    assert not {own(at, "run.train"), own(at, "run.cancel")} & {
        b.key for b in at.button
    }  # not a word
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not runner.store().get(member).playable:
        time.sleep(0.2)
        at.run()
    assert runner.store().get(member).playable
    at.run()
    assert not at.exception and own(at, "run.job") not in at.session_state


def test_a_costly_dot_keeps_its_button():
    setting = next(
        params for sweep in LESSONS["vmf_clusters"].sweeps
        for member in Experiment(
            LESSONS["vmf_clusters"].Params.model_validate(dict(sweep.params)), "clusters",
            (0, 1, 2), sweep.vary,
        ).members
        if (kept := runner.store().get(member)) is not None and not kept.playable
        and not runner._quick([member] * 3) for params in [member.params]
    )  # fmt: skip
    at = opened(CLUSTERS, **{name: str(value) for name, value in setting.chosen().items()})
    assert not at.exception
    assert next(b for b in at.button if b.key == own(at, "run.train")).label == "Train to play it"


def test_single_moves_extend_the_game_and_are_taken_back():
    at = opened(REVERSAL, moves="ae", seeds="1")
    wait_for(at, "of 1 seeds")
    at.button(key="move.a1").click().run()
    assert "".join(at.query_params["moves"]) == "aea" and not at.exception
    at.button(key="move.back").click().run()
    assert "".join(at.query_params["moves"]) == "ae" and not at.exception
    at.button(key="move.end").click().run()
    assert "moves" not in at.query_params and at.button(key="move.back").disabled


def test_a_sweep_that_is_not_stored_says_what_it_trains_and_what_is_drawn_instead():
    at = opened(SPHERE, d="7", seeds="2", vary="kappa")
    assert not at.exception
    line = next(c.value for c in at.caption if c.value.startswith("Not stored yet: World conc"))
    assert " values, 2 seeds each. Drawn instead: " in line and line.endswith(
        "varied at the defaults."
    )
    assert any(b.key == own(at, "sweep.train") for b in at.button)
    assert any("These curves belong to another setting" in c.value for c in at.caption)


SNAPSHOT = Snapshot("running", None, "ready", 0, None, "training", 120, 400, 0.3, 1.0, {}, {})


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({}, "Training, step 120 of 400; 0 of 21 runs done"),
        ({"doing": "making worlds", "step": 0, "steps": 0}, "Making the worlds; 0 of 21 runs done"),
        ({"doing": "scoring", "step": 400}, "Scoring the last step; 0 of 21 runs done"),
        ({"doing": "waiting", "trainers": "starting"}, "The trainers are still starting"),
        (
            {"doing": "waiting", "trainers": "away"},
            "The cluster that trains does not answer: this run waits until it does",
        ),
        ({"doing": "waiting", "position": 2}, "Waiting: 2 ahead in the queue"),
        (
            {"doing": "waiting", "position": 2, "wait": 42.0},
            "Waiting: 2 ahead in the queue, about 40 s",
        ),
        ({"doing": "waiting"}, "Waiting for a free trainer"),
    ],
)
def test_the_status_says_what_is_going_on(now, words):
    assert wording.progress(replace(SNAPSHOT, **now), 21) == words
    assert "runs done" not in wording.progress(replace(SNAPSHOT, **now), 1)


def test_coming_back_to_a_run_says_what_became_of_it(monkeypatch):
    monkeypatch.setattr("core.run.engine.ASKED_SECONDS", 1.0)
    monkeypatch.setattr("core.run.engine.TICK_SECONDS", 0.1)
    at = opened(SPHERE, steps="19999", seeds="1")
    next(b for b in at.button if b.key == own(at, "run.train")).click().run()
    job = at.session_state[own(at, "run.job")]
    assert job.asked and job.ended.wait(90) and job.status == "cancelled"
    at.run()  # the visitor is back
    assert any(c.value.endswith("because nobody was looking.") for c in at.caption)
    assert any(b.key == own(at, "run.train") for b in at.button)
    elsewhere = opened(SPHERE, steps="19999", seeds="1")  # and so is one with a new session
    assert any("Its last run: stopped " in c.value for c in elsewhere.caption)


def test_a_run_that_finished_unseen_says_so(monkeypatch):
    monkeypatch.setattr("core.run.job.AWAY_SECONDS", 0.0)
    monkeypatch.setattr("core.run.engine.VIEWER_SECONDS", 90)  # no browser looks here
    at = opened(SPHERE, steps="43", seeds="1")
    job = at.session_state[own(at, "run.job")]
    assert job.ended.wait(90) and job.status == "done"
    at.run()
    assert any("finished while you were away" in c.value for c in at.caption)
    assert metric(at, "Linear R²") != "–" and not at.exception


def test_a_run_of_another_setting_goes_on_while_it_was_asked_for():
    at = opened(SPHERE, steps="19998", seeds="1")
    next(b for b in at.button if b.key == own(at, "run.train")).click().run()
    job = at.session_state[own(at, "run.job")]
    at.select_slider(key=own(at, "kappa")).set_value(1.0).run()
    assert not job.ended.is_set()
    at.select_slider(key=own(at, "kappa")).set_value(10.0).run()
    assert at.session_state[own(at, "run.job")] is job
    at.button(key=own(at, "run.cancel")).click().run()
    assert job.status == "cancelled" and job.error is None


def test_a_cache_folder_that_cannot_be_written_is_said_and_loses_nothing(tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("in the way")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "taken"))
    runner.engine().close()
    runner.engine.clear()
    runner.store.clear()
    try:
        at = opened(SPHERE)
        assert not at.exception and float(metric(at, "Linear R²")) >= 0.99  # the gallery's
        at = opened(SPHERE, steps="47", seeds="1")
        wait_for(at, "of 1 seeds reach")
        at.run()
        assert not at.exception and 0 < float(metric(at, "Linear R²")) <= 1
        unsaved = [c.value for c in at.caption if "Not saved" in c.value]
        assert len(unsaved) == 1 and "taken cannot be written (" in unsaved[0]
    finally:
        runner.engine().close()
        runner.engine.clear()
        runner.store.clear()


def blown_up(page: str, **setting) -> Result:
    """A run of this page's scenario that was lost half-way, put in the store."""
    lesson = LESSONS[Path(page).stem]
    params = lesson.at_start().but(steps=40, batch=64, **setting)
    (result,) = train_group(Experiment(params, lesson.name, (0,)).members, device="cpu")
    lost = result.frame_step >= 20
    z_hat, net_hat = result.z_hat.copy(), result.net_hat.copy()
    z_hat[lost] = net_hat[lost] = np.nan
    moving = {name: np.where(lost.reshape(-1, *[1] * (a.ndim - 1)), np.nan, a)
              for name, a in result.moving.items()}  # fmt: skip
    before = ("raw_", "untrained_", "closed_", "chance", "loss_floor")
    result = replace(
        result, diverged=True, z_hat=z_hat, net_hat=net_hat, moving=moving,
        loss=np.where(result.loss_step > 20, np.nan, result.loss),
        scores={name: value if name.startswith(before) else None
                for name, value in result.scores.items()},
    )  # fmt: skip
    runner.store().put(result)
    return result


@each_page
def test_a_run_that_diverges_is_drawn_up_to_where_it_went(page):
    few = {CLUSTERS: {"n_clusters": 3}, ENTROPY: {"data": "arc"}}.get(page, {})
    result = blown_up(page, **few)
    at = opened(page, steps="40", batch="64", seeds="1", **{k: str(v) for k, v in few.items()})
    assert not at.exception, at.exception
    assert said(at, "1 diverged") and pictures(at)
    promised = {REVERSAL: "Angle to V⊥", ENTROPY: "Total correlation, nats"}.get(page, "Linear R²")
    shown = {m.label.strip("*"): m for m in at.metric}
    assert shown[promised].value == "–" and "diverged" in shown[promised].delta
    run = recovery.Run.finished(result)
    assert run.end == f"diverged: drawn up to step {run.steps[-1]} of 40" and run.steps[-1] < 20
    assert all(np.isfinite(a).all() for a in (run.z_hat, run.net_hat, *run.moving.values()))


@pytest.mark.parametrize("setting", [{"lam": 4.0, "encoder_rate": 1.0}, {"adversary_rate": 10.0}])
def test_a_game_that_blows_up_is_drawn_and_shows_no_number_that_is_none(setting):
    link = {"encoder": "free", **setting}
    params = LESSONS["gradient_reversal"].Params(**link)
    (result,) = train_group((Member("reversal", params, 0),), device="cpu")
    runner.store().put(result)
    view = game.of(recovery.Run.finished(result), params, stale=False)
    assert view.note.startswith(f"diverged: drawn up to step {view.steps[-1]} of {params.turns}; ")
    assert all(np.isfinite(arrow.truth).all() for arrow in view.arrows)
    at = opened(REVERSAL, seeds="1", **{name: str(value) for name, value in link.items()})
    assert not at.exception, at.exception
    values = [m.value for m in at.metric]
    assert values and not any(len(value) > 9 for value in values), values
    assert metric(at, "Angle to V⊥") == metric(at, "Exact information, nats") == "–"
