"""The engine against real workers, with a trainer that fabricates its results (no torch)."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from benches import PATIENCE, ROOT, TRAINER, Bench, asked, until
from distributed.comm import CommClosedError
from shell import logged

import core.run.engine
import core.run.job
import core.run.task
from core.run import archive
from core.run.bounds import Bounds, Pace, Refused
from core.run.crew import MOST_STARTS, default_workers
from core.run.engine import GALLERY_SAMPLE, Engine
from core.run.experiment import Member, groups, work
from core.run.job import Group
from core.run.link import ALLOWED_FAILURES
from core.run.store import Store
from core.scenarios.reversal import Reversal
from tests.engine_trainers import STEPS, result


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE  # which only waits for its new parent
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        bench = Bench(tmp_path_factory.mktemp("engine"), monkeypatch)
        yield bench
        bench.engine.close()


@pytest.fixture
def bench(shared):
    """The shared engine, idle, its two workers ready, and in the mode "quick"."""
    shared.tell("quick")
    until(lambda: shared.engine._link.places("cpu").tasks == 2, "both workers are there")
    yield shared
    shared.release()
    until(lambda: not shared.engine._jobs and not shared.engine._tasks, "the engine is idle")


def test_a_run_ends_with_its_results_in_order_and_stored(bench):
    experiment = asked(3, 1, 2)
    job = bench.engine.submit(experiment, "anna")
    assert job.wait(PATIENCE) and job.status == "done", job.error
    assert [r.member for r in job.results()] == list(experiment.members)
    assert [bench.engine.store.get(m).loss[0] for m in experiment.members] == [3, 1, 2]
    state = job.snapshot("anna")
    assert state.fraction == 1 and state.step == state.steps == STEPS
    assert set(state.results) == {m.key for m in experiment.members}


def test_what_trains_is_said_and_so_is_a_cluster_that_goes_while_it_is_asked(bench, monkeypatch):
    assert bench.engine.device() == "2 × nothing"

    def gone(*asked, **more):
        raise CommClosedError("stream is closed")

    monkeypatch.setattr(bench.engine._link.client, "run", gone)
    assert bench.engine.device() == "a cluster that does not answer"


def test_stored_members_are_not_trained_again(bench):
    assert bench.engine.submit(asked(10, 11), "anna").wait(PATIENCE)
    more = asked(10, 11, 12)
    job = bench.engine.submit(more, "anna")
    assert len(job.snapshot("anna").results) == 2  # shown before the third is trained
    assert job.wait(PATIENCE) and [r.member.seed for r in job.results()] == [10, 11, 12]
    trained = [key for note in bench.notes("ran", more) for key in note["members"]]
    assert sorted(trained) == sorted(m.key for m in more.members)


def test_a_stored_experiment_is_done_at_once_without_the_cluster(bench, monkeypatch):
    for member in asked(15, 16).members:
        bench.engine.store.put(result(member))
    monkeypatch.setattr(bench.engine, "_link", None)
    job = bench.engine.submit(asked(15, 16), "anna")
    state = job.snapshot("anna")
    assert (job.status, state.fraction, state.position) == ("done", 1, 0)
    assert [r.member.seed for r in job.results()] == [15, 16]


def test_equal_requests_from_many_threads_run_once(bench):
    experiment, jobs = asked(20, 21), []
    together = threading.Barrier(20)

    def visit(viewer):
        together.wait()
        jobs.append(bench.engine.submit(asked(20, 21), viewer))

    threads = [threading.Thread(target=visit, args=(f"viewer {i}",)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(job.wait(PATIENCE) and job.status == "done" for job in jobs)
    assert len(bench.notes("ran", experiment)) == 1


def test_a_run_can_be_found_but_finding_starts_nothing(bench):
    bench.tell("hold")
    experiment = asked(30)
    assert bench.engine.find(experiment, "anna") is None
    job = bench.engine.submit(experiment, "anna")
    assert bench.engine.find(asked(30), "bert") is job
    job.cancel("anna")
    assert job.status != "cancelled"  # bert still looks
    bench.release()
    assert job.wait(PATIENCE) and job.status == "done"
    assert bench.engine.find(experiment, "anna") is None


def test_the_last_viewers_cancel_stops_the_training(bench):
    bench.tell("hold")
    experiment = asked(40)
    job = bench.engine.submit(experiment, "anna")
    assert bench.engine.submit(experiment, "bert") is job
    bench.started(experiment)
    job.cancel("anna")
    job.snapshot("anna")  # a last look does not count her again
    time.sleep(0.5)
    assert job.status == "running" and not bench.notes("stopped", experiment)
    job.cancel("bert")
    assert job.wait(PATIENCE) and job.status == "cancelled"
    until(lambda: bench.notes("stopped", experiment), "the trainer is told to stop")
    assert not bench.engine.store.has(experiment.members[0])
    with pytest.raises(RuntimeError, match="cancelled"):
        job.results()


def test_a_run_goes_on_while_looked_at_and_stops_when_all_have_gone(bench, monkeypatch):
    monkeypatch.setattr(core.run.engine, "VIEWER_SECONDS", 1.5)
    monkeypatch.setattr(core.run.engine, "TICK_SECONDS", 0.1)
    bench.tell("hold")
    experiment = asked(50)
    job = bench.engine.submit(experiment, "anna")
    for _ in range(40):
        job.snapshot("anna")
        time.sleep(0.1)
    assert job.status == "running"
    until(lambda: bench.notes("stopped", experiment), "the trainer is told to stop")
    assert job.status == "cancelled"


def test_a_run_that_somebody_asked_for_waits_longer_for_its_viewer(bench, monkeypatch):
    monkeypatch.setattr(core.run.engine, "VIEWER_SECONDS", 0.5)
    monkeypatch.setattr(core.run.engine, "TICK_SECONDS", 0.05)
    assert core.run.engine.ASKED_SECONDS >= 300
    bench.tell("hold")
    by_itself, wanted, both = asked(51), asked(52), asked(51)
    jobs = [bench.engine.submit(by_itself, "anna"), bench.engine.submit(wanted, "bert", asked=True)]
    for experiment in (by_itself, wanted):
        bench.started(experiment)
    until(lambda: jobs[0].snapshot("anna").step == STEPS, "it reports its steps")
    until(lambda: jobs[0].ended.is_set(), "the one nobody asked for is stopped")
    assert jobs[0].status == "cancelled" and jobs[0].missed("anna") is False  # not for long enough
    assert bench.engine.fate(both) == "stopped at step 10 of 10, because nobody was looking"
    time.sleep(0.5)
    assert jobs[1].status == "running"
    # who presses the button for a run under way makes it one that was asked for
    again = bench.engine.submit(by_itself, "anna")
    bench.engine.submit(by_itself, "carl", asked=True)
    assert bench.engine.fate(both) is None and again.asked
    monkeypatch.setattr(core.run.engine, "ASKED_SECONDS", 0.5)
    until(lambda: again.ended.is_set() and jobs[1].ended.is_set(), "both are stopped")


def test_a_run_that_waits_for_a_worker_is_not_dropped_for_its_viewer(bench, monkeypatch):
    monkeypatch.setattr(core.run.engine, "VIEWER_SECONDS", 0.3)
    monkeypatch.setattr(core.run.engine, "TICK_SECONDS", 0.05)
    bench.tell("hold")
    for seed in (55, 56):  # two workers
        bench.engine.submit(asked(seed), "anna", asked=True)
        bench.started(asked(seed))
    waiting = bench.engine.submit(asked(57), "bert")
    time.sleep(1)
    assert waiting.status == "queued"
    monkeypatch.setattr(core.run.engine, "ASKED_SECONDS", 0.3)
    until(lambda: waiting.ended.is_set(), "it is dropped when nobody comes for long")


def test_a_viewers_own_cancel_needs_no_explanation(bench):
    bench.tell("hold")
    job = bench.engine.submit(asked(53), "anna", asked=True)
    job.cancel("anna")
    assert job.status == "cancelled" and bench.engine.fate(asked(53)) is None


def test_who_was_away_when_a_run_ended_can_be_told(bench, monkeypatch):
    monkeypatch.setattr(core.run.job, "AWAY_SECONDS", 0.3)
    bench.tell("hold")
    job = bench.engine.submit(asked(54), "anna", asked=True)
    job.join("bert")
    bench.started(asked(54))
    for _ in range(5):
        time.sleep(0.1)
        job.snapshot("bert")
    assert not job.missed("anna")  # it has not ended
    bench.release()
    assert job.wait(PATIENCE, "bert") and job.missed("anna") and not job.missed("bert")
    job.snapshot("anna")  # coming back changes nothing about that
    assert job.missed("anna") and not job.missed("nobody")


def test_what_a_run_is_doing_is_known_from_its_messages():
    group = Group("task", asked(0).members)
    report = {"run": "a", "steps": 5, "loss": [1.0], "scores": None, "arrays": {}}
    seen = [group.doing]
    for message in (
        {"run": "a"},
        {**report, "step": 0},
        {**report, "step": 4},
        report | {"step": 5},
    ):
        group.take(message)
        seen.append(group.doing)
    assert seen == ["waiting", "making worlds", "training", "training", "scoring"]


def test_a_member_in_training_stays_where_it_last_was_finite():
    group = Group("task", asked(0, 1).members)
    report = {"run": "a", "steps": 5, "loss": [1.0, 1.0], "scores": None}
    group.take({"run": "a"})
    for step, value in ((1, 1.0), (2, np.nan), (3, np.inf)):
        z_hat = np.array([[[value]], [[step]]], np.float32)  # member 0 diverges, member 1 goes on
        packed = (z_hat.dtype.str, z_hat.shape, z_hat.tobytes())
        group.take({**report, "step": step, "arrays": {"z_hat": packed}})
    assert group.arrays["z_hat"].ravel().tolist() == [1.0, 3.0]


def test_a_run_can_be_asked_for_again_right_after_its_cancel(bench):
    experiment = asked(60)
    for attempt in range(1, 6):
        bench.tell("hold")
        job = bench.engine.submit(experiment, "anna")
        bench.started(experiment, attempt)
        job.cancel("anna")
        again = bench.engine.submit(experiment, "anna")
        assert again is not job
        bench.started(experiment, attempt + 1) if attempt == 5 else again.cancel("anna")
    bench.release()
    assert again.wait(PATIENCE) and again.status == "done", again.error


def test_a_trainer_that_ignores_its_cancel_loses_its_process(bench):
    bench.tell("deaf")
    experiment = asked(70)
    job = bench.engine.submit(experiment, "anna")
    bench.started(experiment)
    pid = bench.notes("ran", experiment)[0]["pid"]
    job.cancel("anna")
    until(lambda: not psutil.pid_exists(pid), "the deaf process ends")
    bench.tell("quick")
    assert bench.engine.submit(experiment, "anna").wait(PATIENCE)


def test_a_killed_worker_is_replaced_and_its_run_finishes(bench):
    bench.tell("hold")
    experiment = asked(80)
    job = bench.engine.submit(experiment, "anna")
    bench.started(experiment)
    os.kill(bench.notes("ran", experiment)[0]["pid"], signal.SIGKILL)
    bench.started(experiment, 2)
    bench.release()
    assert job.wait(PATIENCE, "anna") and job.status == "done", job.error


def test_a_run_that_kills_its_workers_fails_with_a_sentence(bench):
    bench.tell("hold")
    experiment = asked(81)
    job = bench.engine.submit(experiment, "anna")
    for time_ in (1, 2):
        bench.started(experiment, time_)
        os.kill(bench.notes("ran", experiment)[-1]["pid"], signal.SIGKILL)
    assert job.wait(PATIENCE, "anna") and job.status == "failed"
    assert "died" in job.error


def test_workers_whose_nannies_died_are_started_again(bench):
    before = bench.engine._crew.process.pid
    children = bench.children()
    os.kill(before, signal.SIGKILL)
    psutil.wait_procs(children, PATIENCE)
    assert bench.engine.submit(asked(85), "anna").wait(PATIENCE, "anna")
    assert bench.engine._crew.process.pid != before


def hindered(folder, monkeypatch, code):
    """An engine whose workers run this code before anything else."""
    (folder / "path").mkdir()
    (folder / "path" / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder / "path"))
    return Bench(folder, monkeypatch, workers=1)


@pytest.mark.slow
def test_a_worker_that_needs_long_to_start_is_waited_for(tmp_path, monkeypatch, caplog):
    slow = "import sys, time\nif 'spawn_main' in ' '.join(sys.orig_argv): time.sleep(12)"
    bench = hindered(tmp_path, monkeypatch, slow)
    try:
        job = bench.engine.submit(asked(0), "anna")
        assert job.snapshot("anna").trainers == "starting"  # which the page says
        assert job.wait(2 * PATIENCE, "anna") and job.status == "done", job.error
        assert bench.engine.trainers == "ready" and not logged(caplog)
    finally:
        bench.engine.close()


def test_workers_that_cannot_start_are_given_up_until_the_next_request(
    tmp_path, monkeypatch, caplog, capfd
):
    monkeypatch.setattr(core.run.engine, "TICK_SECONDS", 0.05)
    said = "".join(f"line {i}\\n" for i in range(300)) + "no room on the disk"
    broken = (
        f"import os\nif 'dask_worker' in os.sys.orig_argv[2]: os.write(2, b'{said}'); os._exit(3)"
    )
    bench = hindered(tmp_path, monkeypatch, broken)
    try:
        job = bench.engine.submit(asked(0), "anna")
        assert job.wait(PATIENCE, "anna") and job.status == "failed"
        assert job.error == "no trainer could be started, 3 times in a row: no room on the disk"
        assert bench.engine.fate(asked(0)) == job.error
        assert len(logged(caplog)) == MOST_STARTS and "line 7" not in capfd.readouterr().err
        again = bench.engine.submit(asked(0), "anna")
        assert again.wait(PATIENCE, "anna") and again.error == job.error
        (tmp_path / "path" / "sitecustomize.py").unlink()
        last = bench.engine.submit(asked(0), "anna")
        assert last.wait(PATIENCE, "anna") and last.status == "done", last.error
        assert bench.engine.fate(asked(0)) is None
    finally:
        bench.engine.close()


def test_a_trainer_that_raises_fails_its_run_and_a_later_request_tries_again(bench):
    bench.tell("raise")
    experiment = asked(90)
    job = bench.engine.submit(experiment, "anna")
    assert job.wait(PATIENCE) and job.status == "failed"
    assert job.error == job.snapshot("anna").error == "ValueError: the loss has no floor"
    bench.tell("quick")
    again = bench.engine.submit(experiment, "anna")
    assert again.wait(PATIENCE) and again.status == "done", again.error


def test_a_finished_run_is_not_lost_where_the_disk_is_full(bench, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("core.run.store.os.replace", full)
    experiment = asked(91)
    job = bench.engine.submit(experiment, "anna")
    assert job.wait(PATIENCE) and job.status == "done", job.error
    assert [r.member.seed for r in job.results()] == [91]
    assert "No space left" in bench.engine.store.unsaved(experiment.members)
    again = bench.engine.submit(experiment, "bert")  # later readers find it as well
    assert again.status == "done" and len(bench.notes("ran", experiment)) == 1


def test_progress_arrives_complete_and_in_order(bench):
    bench.tell("hold")
    experiment = asked(100, 101)
    job = bench.engine.submit(experiment, "anna")
    until(lambda: job.snapshot("anna").step == STEPS, "all reports arrive")
    state = job.snapshot("anna")
    assert state.status == "running" and state.position == 0 and state.elapsed > 0
    assert state.fraction == 1 and not state.results
    for member in experiment.members:
        live = state.members[member.key]
        assert live.loss_step == list(range(1, STEPS + 1))
        np.testing.assert_allclose(live.loss, [member.seed + 1 / t for t in live.loss_step])
        assert live.score_step == [1, 3, 5, 7, 9]
        np.testing.assert_allclose(live.scores["linear_r2"], np.array([1, 3, 5, 7, 9]) / STEPS)
        assert (live.z == member.seed).all() and live.z.shape == (5, 3)
        assert (live.z_hat == STEPS).all() and live.net.shape == (0, 4, 3)
    live.loss.append(0.0)  # a snapshot is its viewer's own
    assert len(job.snapshot("anna").members[member.key].loss) == STEPS


def test_messages_of_an_old_attempt_are_ignored(bench):
    bench.tell("hold")
    experiment = asked(110)
    heard = []
    hear = bench.engine._on_message
    bench.engine._link.client.subscribe_topic(
        core.run.task.TOPIC, lambda e: (heard.append(e), hear(e))
    )
    job = bench.engine.submit(experiment, "anna")
    until(lambda: job.snapshot("anna").step == STEPS, "all reports arrive")
    job.cancel("anna")
    old = heard[-1][1]
    again = bench.engine.submit(experiment, "anna")
    until(lambda: again.snapshot("anna").step == STEPS, "all reports arrive again")
    new = heard[-1][1]
    late = {**old, "step": 99}
    restarted = {"task": old["task"], "run": old["run"]}
    stray = {**new, "run": "another", "step": 98}
    for message in (late, restarted, late, stray):
        hear((0.0, message))
    assert again.snapshot("anna").step == STEPS
    hear((0.0, {**new, "step": 97}))  # the same of this run is taken
    assert again.snapshot("anna").step == 97


def test_a_run_that_starts_again_forgets_what_it_reported():
    group = Group("task", asked(0).members)
    report = {"steps": 5, "loss": [1.0], "scores": None, "arrays": {}}
    for message in ({"run": "a"}, {"run": "a", "step": 4, **report}, {"run": "b"}):
        group.take(message)
    assert group.step == 0 and not group.loss_step
    group.take({"run": "a", "step": 5, **report})
    group.take({"run": "b", "step": 1, **report})
    assert group.loss_step == [1] and group.loss == [[1.0]]


def test_a_long_run_is_stopped(bench, monkeypatch):
    monkeypatch.setattr(bench.engine, "bounds", Bounds(most_seconds=0.3))
    monkeypatch.setattr(core.run.engine, "TICK_SECONDS", 0.1)
    monkeypatch.setattr(bench.engine.pace, "here", None)  # or it is foretold, and refused
    bench.tell("hold")
    experiment = asked(120)
    job = bench.engine.submit(experiment, "anna")
    assert job.wait(PATIENCE) and job.status == "failed" and "0.3 seconds" in job.error
    until(lambda: bench.notes("stopped", experiment), "the trainer is told to stop")


def test_one_visitor_cannot_fill_the_queue(bench, monkeypatch):
    monkeypatch.setattr(bench.engine, "bounds", Bounds(most_waiting=2))
    bench.tell("hold")
    jobs = [bench.engine.submit(asked(seed), "anna") for seed in (135, 136)]
    until(lambda: {job.status for job in jobs} == {"running"}, "both workers train")
    waiting = [bench.engine.submit(asked(seed), "anna") for seed in (137, 138)]
    with pytest.raises(Refused, match="2 requests of yours"):
        bench.engine.submit(asked(139), "anna")
    theirs = bench.engine.submit(asked(139), "bert")
    assert theirs.status == "queued"
    assert bench.engine.submit(asked(139), "anna") is theirs  # joining is not refused
    for job in (*jobs, *waiting, theirs):
        job.cancel("anna"), job.cancel("bert")


def test_a_request_for_too_much_is_refused_before_it_trains(bench, monkeypatch):
    monkeypatch.setattr(bench.engine, "bounds", Bounds(most_runs=2, most_seconds=90))
    with pytest.raises(Refused, match="3 runs are more than the 2"):
        bench.engine.submit(asked(501, 502, 503), "anna")
    monkeypatch.setattr(bench.engine, "estimate", lambda members: 600.0)
    with pytest.raises(Refused, match=r"about 10 minutes; one request may take 1\.5"):
        bench.engine.submit(asked(501), "anna")
    assert not bench.engine._jobs


def test_bounds_are_the_environments_and_a_bad_one_is_named():
    assert Bounds.of_environment({}) == Bounds()
    given = {"EXPLORER_TRAIN": "off", "EXPLORER_MOST_QUEUED": "7", "EXPLORER_MOST_RUNS": ""}
    assert Bounds.of_environment(given) == Bounds(train=False, most_queued=7)
    bad = {"MOST_QUEUED": "0", "MOST_SECONDS": "nan", "TRAIN": "maybe", "MOST_RUNS": "1e9",
           "MOST_WAITING": "-1", "DEVICE": "tpu"}  # fmt: skip
    for name, value in bad.items():
        with pytest.raises(ValueError, match=f"EXPLORER_{name}='{value}'"):
            Bounds.of_environment({f"EXPLORER_{name}": value})


def test_the_queue_is_first_come_first_served_and_bounded(bench, monkeypatch):
    monkeypatch.setattr(bench.engine, "bounds", Bounds(most_queued=2, most_waiting=9))
    bench.tell("hold")
    jobs = []
    for seed in (130, 131, 132, 133):
        jobs.append(bench.engine.submit(asked(seed), "anna"))
        if seed < 132:  # two workers
            bench.started(asked(seed))
            until(lambda: jobs[-1].status == "running", "it runs")
    assert [job.snapshot("anna").position for job in jobs] == [0, 0, 2, 3]
    monkeypatch.setattr(bench.engine.pace, "here", jobs[2].left)  # a second for each
    until(  # two at a time, of which the first two have begun
        lambda: (
            [job.snapshot("anna").wait for job in jobs]
            == pytest.approx([0, 0, begun := 1 - jobs[0].snapshot("anna").fraction, begun + 0.5])
        ),
        "the wait is that of the work ahead",
    )
    assert jobs[2].snapshot("anna").status == "queued"
    with pytest.raises(Refused, match="2 requests are waiting"):
        bench.engine.submit(asked(134), "anna")
    assert bench.engine.find(asked(134), "anna") is None
    assert bench.engine.submit(asked(133), "bert") is jobs[3]  # joining is not refused
    jobs[2].cancel("anna")
    assert jobs[2].status == "cancelled" and jobs[3].snapshot("anna").position == 2
    jobs.append(bench.engine.submit(asked(134), "anna"))
    jobs[0].cancel("anna")
    until(lambda: "running" in (jobs[3].status, jobs[4].status), "the next one starts")
    assert [job.status for job in jobs[1:]] == ["running", "cancelled", "running", "queued"]
    bench.release()
    assert all(job.wait(PATIENCE) for job in jobs)
    assert [job.status for job in jobs[1:]] == ["done", "cancelled", "done", "done"]
    assert not bench.notes("ran", asked(132))


def test_groups_run_side_by_side_and_show_as_they_finish(bench):
    bench.tell("hold")
    shapes = asked(140, d=(3, 4, 5))
    assert len(groups(shapes.members)) == 3
    job = bench.engine.submit(shapes, "anna")
    bench.started(shapes, 2)
    until(lambda: len(job.snapshot("anna").members) == 2, "two of them report")
    assert len({note["pid"] for note in bench.notes("ran", shapes)}) == 2
    weights = [work(group) for group in groups(shapes.members)]
    until(
        lambda: job.snapshot("anna").fraction == pytest.approx(sum(weights[:2]) / sum(weights)),
        "the fraction is that of the work",
    )
    bench.release()
    assert job.wait(PATIENCE) and len(job.results()) == 3


def test_a_batch_is_split_over_idle_workers_but_not_too_finely(bench):
    many = asked(*range(150, 164))
    assert bench.engine.submit(many, "anna").wait(PATIENCE)
    assert [len(note["members"]) for note in bench.notes("ran", many)] == [7, 7]
    few = asked(*range(170, 177))
    assert bench.engine.submit(few, "anna").wait(PATIENCE)
    assert sorted(len(note["members"]) for note in bench.notes("ran", few)) == [1, 6]


def test_a_gpu_trains_a_whole_sweep_together(bench, monkeypatch):
    many = list(asked(*range(100)).members)
    monkeypatch.setattr(bench.engine, "workers", 1)
    assert [len(g.members) for g in bench.engine._split(many)] == [24, 24, 24, 24, 4]
    monkeypatch.setattr(core.run.engine, "on_gpu", lambda device: device == "auto")
    assert [len(g.members) for g in bench.engine._split(many)] == [100]


@pytest.fixture
def elsewhere(bench, tmp_path):
    """A cluster that is not ours: one worker of two threads, with an engine as its guest."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        assert cluster.scheduler.allowed_failures > 1
        guest = Engine(Store(tmp_path / "s", gallery=None), cluster.scheduler_address,
                       trainer=TRAINER)  # fmt: skip
        yield guest, cluster
        bench.release()
        guest.close()


def test_a_deaf_process_is_ended_once_nobody_else_trains_in_it(bench, elsewhere, monkeypatch):
    guest, _ = elsewhere
    monkeypatch.setattr(core.run.engine, "STOP_SECONDS", 0.2)
    deaf, neighbour = asked(190), asked(191)
    bench.tell("deaf")
    job = guest.submit(deaf, "anna")
    bench.started(deaf)
    bench.tell("hold")
    beside = guest.submit(neighbour, "bert")
    bench.started(neighbour)
    (pid,) = {bench.notes("ran", each)[0]["pid"] for each in (deaf, neighbour)}
    job.cancel("anna")
    asked_to_end = []
    end = guest._end_processes
    monkeypatch.setattr(guest, "_end_processes", lambda due: (asked_to_end.append(due), end(due)))
    until(lambda: len(asked_to_end) >= 2, "its process is to end, and to end later")
    assert psutil.pid_exists(pid) and beside.snapshot("bert").status == "running"
    beside.cancel("bert")  # who listens
    until(lambda: bench.notes("stopped", neighbour), "the neighbour stops")
    until(lambda: not psutil.pid_exists(pid), "then the deaf process ends")


def test_a_cluster_is_told_what_our_own_workers_are(elsewhere):
    _, cluster = elsewhere
    assert cluster.scheduler.allowed_failures == ALLOWED_FAILURES
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        from core.run import worker

        patch.setattr(worker, "keep_memory", lambda: kept.append(True))
        core.run.task._get_ready("core.run.worker:train_group")
    assert kept == [True]


def test_workers_of_another_version_refuse_in_a_sentence(bench, elsewhere, monkeypatch):
    guest, _ = elsewhere
    monkeypatch.setattr(guest, "_source", "of last year")
    job = guest.submit(asked(192), "anna")
    assert job.wait(PATIENCE, "anna") and job.status == "failed"
    assert "another version of the explorer" in job.error
    assert bench.notes("ran", asked(192)) == []
    monkeypatch.setattr(guest, "_source", core.run.task.source())
    job = guest.submit(asked(192), "anna")
    assert job.wait(PATIENCE, "anna") and job.status == "done", job.error


def test_the_version_is_of_all_of_the_source(tmp_path, monkeypatch):
    package = tmp_path / "core"
    (package / "learners").mkdir(parents=True)
    (package / "run").mkdir()
    monkeypatch.setattr(core.run.task, "__file__", str(package / "run" / "task.py"))
    versions = []
    for path, text in (("a.py", "1"), ("learners/b.py", "1"), ("learners/b.py", "2")):
        (package / path).write_text(text)
        versions.append(core.run.task.source.__wrapped__())
    assert len(set(versions)) == 3 and versions[-1] == core.run.task.source.__wrapped__()


def test_durations_are_foretold_from_the_gallery_and_then_from_here(tmp_path):
    nothing = Pace(lambda: [])
    assert nothing.seconds(asked(1).members) is None is nothing.seconds(asked(1).members, True)
    gallery = tmp_path / "gallery"
    gallery.mkdir()
    made = asked(0, 1).members  # in 2 seconds each, says the trainer
    archive.write(gallery, {m.key: ("page", m) for m in made}, {m.key: result(m) for m in made})
    pace = Pace(lambda: Store(tmp_path / "store", gallery).gallery.sample(GALLERY_SAMPLE))
    assert pace.seconds(()) == pace.seconds((), shipped=True) == 0
    assert pace.seconds(asked(2, 3, 4).members) == pytest.approx(6)
    fast = result(*asked(2).members)
    pace.learn([replace(fast, provenance=fast.provenance | {"cpu_seconds": 1.0})])
    assert 2 / 2 < pace.seconds(asked(4).members) < 2  # now twice as fast, but slowly believed
    assert pace.seconds(asked(2, 3, 4).members, shipped=True) == pytest.approx(6)  # which stays


@pytest.mark.parametrize(("chosen", "workers"), [("3", 3), ("0", 1), (None, None)])
def test_the_number_of_workers(monkeypatch, chosen, workers):
    monkeypatch.setenv("EXPLORER_WORKERS", chosen or "")
    expected = workers or max(1, min(4, os.cpu_count() - 1))
    assert default_workers("cpu") == expected
    monkeypatch.setattr(core.run.crew, "cuda_usable", lambda: True)
    assert default_workers() == default_workers("cuda") == (workers or 1)  # which owns the GPU
    assert default_workers("cpu") == expected


def test_a_gpu_is_found_as_torch_finds_it():
    import torch

    assert core.run.crew.cuda_usable() == torch.cuda.is_available()


def test_everything_listens_on_loopback_only_and_serves_no_page(bench):
    processes = [
        psutil.Process(),
        psutil.Process(bench.engine._crew.process.pid),
        *bench.children(),
    ]
    listening = [c for p in processes for c in p.net_connections() if c.status == "LISTEN"]
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}
    ports = bench.engine._link.client.run(lambda dask_worker: dask_worker.http_server.port)
    for port in (bench.engine._cluster.scheduler.http_server.port, *ports.values()):
        for page in ("status", "health", "metrics", "info/main/workers.html", "json/identity.json"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}")


def test_the_workers_environment(bench):
    environment = bench.engine._link.client.run(lambda: dict(os.environ))
    assert len(environment) == 2
    for values in environment.values():
        assert values["OMP_NUM_THREADS"] == values["MKL_NUM_THREADS"] == "1"
        assert values["MALLOC_TRIM_THRESHOLD_"] == "268435456"
        assert values["MALLOC_MMAP_THRESHOLD_"] == "33554432"


def test_closing_cancels_and_leaves_no_process_and_no_file(tmp_path, monkeypatch):
    bench = Bench(tmp_path, monkeypatch)
    bench.tell("hold")
    jobs = [bench.engine.submit(asked(seed), "anna") for seed in (1, 2, 3)]
    bench.started(asked(1, 2), 2)
    children = [psutil.Process(bench.engine._crew.process.pid), *bench.children()]
    # Python's own resource tracker ends by itself a moment after the process it serves
    children = [child for child in children if "resource_tracker" not in str(child.cmdline())]
    assert len(children) == 3
    scratch = Path(bench.engine._crew.folder.name)
    assert scratch.exists() and ROOT not in scratch.parents
    bench.engine.close()
    bench.engine.close()
    assert not [child for child in children if alive(child)]
    assert not scratch.exists()
    assert {job.status for job in jobs} == {"cancelled"}


SERVER = """
import sys, time
from pathlib import Path
import psutil
from core.run.engine import Engine
from core.run.experiment import Experiment
from core.scenarios.infonce import InfoNCE
from core.run import archive
from core.run.store import Store

engine = Engine(Store(Path(sys.argv[1]), gallery=None), None, 2, "tests.engine_trainers:obedient")
job = engine.submit(Experiment(InfoNCE(), "infonce", (0,)), "anna")
while job.snapshot("anna").step < 10 or engine._link.places("cpu").tasks < 2:
    time.sleep(0.01)
print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)
if sys.argv[2] == "wait":
    time.sleep(60)
"""


@pytest.mark.parametrize("how", ["killed", "exits"])
def test_a_server_that_ends_while_training_leaves_no_workers(tmp_path, how):
    (tmp_path / "mode").write_text("hold")
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, tmp_path / "store", "wait" if how == "killed" else ""],
        cwd=ROOT,
        env=os.environ | {"ENGINE_TEST_FOLDER": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    workers = [psutil.Process(int(pid)) for pid in server.stdout.readline().split()]
    assert len(workers) >= 3
    if how == "killed":
        server.kill()
    _, complaints = server.communicate(timeout=PATIENCE)
    if how == "exits":
        assert "Traceback" not in complaints
    until(lambda: not any(alive(worker) for worker in workers), "the workers end")


def test_the_engine_does_not_import_torch_or_the_trainer():
    code = "import sys, core.run.engine; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "distributed" in loaded
    assert not {"torch", "streamlit", "core.run.worker", "core.run.training"} & set(loaded)


def test_members_survive_the_way_to_a_worker():
    import pickle

    member = asked(7).members[0]
    copy = pickle.loads(pickle.dumps(member))
    assert isinstance(copy, Member) and copy == member and copy.key == member.key


def test_a_result_reaches_the_server_without_torch():
    """The server would import it while everybody waits for seconds."""
    import pickle

    from core.run.worker import train_group

    sent = pickle.dumps(train_group((Member("reversal", Reversal(moves="a"), 0),), device="cpu"))
    code = "import pickle, sys; pickle.load(sys.stdin.buffer); print(*sys.modules)"
    loaded = (
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, input=sent, capture_output=True, check=True
        )
        .stdout.decode()
        .split()
    )
    assert "core.run.experiment" in loaded
    assert not {"torch", "sklearn", "distributed"} & set(loaded)
