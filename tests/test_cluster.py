"""A cluster by its address: a scheduler and workers of Dask's own commands, lost and found."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import dask
import numpy as np
import psutil
import pytest
from benches import PATIENCE, ROOT, TRAINER, Bench, apart, asked, until
from browsers import free_port
from distributed import Security
from distributed.comm import connect

from core.run.bounds import Bounds
from core.run.crew import KEYS
from core.run.engine import Engine
from core.run.experiment import Experiment
from core.run.link import GPU, Places
from core.run.store import Store
from core.run.worker import train_group
from core.scenarios.infonce import InfoNCE


class Cluster:
    """`dask scheduler` and `dask worker` on loopback, as processes that a test may kill."""

    def __init__(self, folder, protocol="tcp", options=()):
        self.folder, self.options, self.protocol = folder, options, protocol
        self.port = free_port()
        self.address = f"{protocol}://127.0.0.1:{self.port}"
        self.processes = []

    def run(self, program, *words):
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = os.environ | {
            "PYTHONPATH": path, "ENGINE_TEST_FOLDER": str(self.folder), "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        with open(self.folder / f"{program}.log", "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", *map(str, words),
                 "--no-dashboard", *self.options],
                env=environment, cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def start_scheduler(self):
        protocol = ["--protocol", self.protocol]
        self.scheduler = self.run(
            "dask_scheduler", "--host", "127.0.0.1", "--port", self.port, *protocol
        )

    def start_worker(self, *more):
        return self.run("dask_worker", self.address, "--nthreads", 1, "--host", "127.0.0.1",
                        "--nworkers", 1, "--local-directory", self.folder, *more)  # fmt: skip

    def close(self):
        for process in self.processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            process.kill()
            process.wait()


def answers(address, security):
    """Whether a scheduler speaks to who has this secret, or none."""

    async def ask():
        arguments = {} if security is None else security.get_connection_args("client")
        line = await connect(address, timeout=2, **arguments)
        try:
            await line.write({"op": "identity", "reply": True})
            return (await asyncio.wait_for(line.read(), 2))["type"] == "Scheduler"
        finally:
            line.abort()

    try:
        return apart(ask)
    except (OSError, TypeError):  # TypeError: TLS without a certificate
        return False


class Server(Bench):
    """An app server's engine: its own store, its trainers on a cluster."""

    def __init__(self, cluster, name, trainer=TRAINER, bounds=None):
        self.folder = cluster.folder
        self.engine = Engine(Store(cluster.folder / name, gallery=None), cluster.address,
                             trainer=trainer, bounds=bounds)  # fmt: skip


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    made.start_scheduler()
    workers = [made.start_worker() for _ in range(2)]
    yield made, workers
    made.close()


@pytest.fixture
def servers(cluster):
    made, _ = cluster
    both = [Server(made, name) for name in ("one", "two")]
    both[0].tell("quick")
    for server in both:
        until(lambda server=server: server.engine._capacity == 2, "two workers are there")
    yield both
    both[0].release()
    for server in both:
        server.engine.close()


def test_two_servers_share_a_run_and_one_may_leave_it(servers):
    one, two = servers
    one.tell("hold")
    jobs = [server.engine.submit(asked(1, 2), "a") for server in servers]
    one.started(asked(1, 2))
    until(lambda: all(job.snapshot("x").members for job in jobs), "both hear of its progress")
    jobs[0].cancel("a")
    jobs[0].cancel("x")
    assert jobs[0].wait(PATIENCE) and jobs[0].status == "cancelled"
    two.release()
    assert jobs[1].wait(PATIENCE) and jobs[1].status == "done", jobs[1].error
    assert len(one.notes("ran", asked(1, 2))) == 1  # trained once, for both
    assert two.engine._crew is None and two.engine.store.has(asked(1).members[0])


def test_a_killed_worker_loses_no_run(servers, cluster):
    one, _ = servers
    one.tell("hold")
    job = one.engine.submit(asked(3), "anna", asked=True)
    one.started(asked(3))
    psutil.Process(one.notes("ran", asked(3))[0]["pid"]).kill()
    one.started(asked(3), 2)
    one.release()
    assert job.wait(PATIENCE) and job.status == "done", job.error


def test_a_scheduler_that_dies_is_said_and_found_again(servers, cluster):
    made, workers = cluster
    one, _ = servers
    one.tell("hold")
    job = one.engine.submit(asked(4), "anna", asked=True)
    one.started(asked(4))
    made.scheduler.kill()
    until(lambda: one.engine.trainers == "away", "the loss is noticed")
    later = one.engine.submit(asked(6), "anna", asked=True)
    until(lambda: job.snapshot("anna").doing == "waiting", "the run is to be made again")
    for each in (job, later):
        assert each.snapshot("anna").trainers == "away"
    one.release()
    for worker in workers:  # what a cluster's own supervisor would do
        worker.kill()
    made.start_scheduler()
    made.start_worker()
    for each in (job, later):
        assert each.wait(2 * PATIENCE) and each.status == "done", each.error
    until(lambda: one.engine.trainers == "ready", "the engine knows of the worker")
    assert len(one.notes("ran", asked(4))) == 2


def test_runs_go_to_the_workers_that_declare_a_gpu_unless_the_cpu_is_to_train(cluster):
    made, _ = cluster
    made.start_worker("--resources", "GPU=1")
    by = {}
    for device in ("auto", "cuda", "cpu"):
        server = Server(made, f"on {device}", bounds=Bounds(device=device))
        server.tell("quick")
        places = Places(3, {}) if device == "cpu" else Places(1, {GPU: 1})
        try:
            until(lambda server=server, places=places: server.engine._places == places,
                  "the workers are known")  # fmt: skip
            seeds = range(10, 16)
            jobs = [server.engine.submit(asked(s), f"v{s}", asked=True) for s in seeds]
            for job in jobs:
                assert job.wait(PATIENCE) and job.status == "done", job.error
            notes = [n for s in seeds for n in server.notes("ran", asked(s))
                     if n["device"] == device]  # fmt: skip
        finally:
            server.engine.close()
        assert len(notes) == len(jobs)
        by[device] = {note["pid"] for note in notes}
    assert len(by["auto"]) == 1 and by["auto"] == by["cuda"]
    assert len(by["cpu"]) > 1


def test_a_run_whose_gpus_have_all_gone_begins_again_without_one(cluster):
    made, _ = cluster
    declares = made.start_worker("--resources", "GPU=1")
    server = Server(made, "store")
    server.tell("hold")
    try:
        until(lambda: server.engine._places == Places(1, {GPU: 1}), "the GPU is known")
        jobs = [server.engine.submit(asked(seed), "anna", asked=True) for seed in (20, 21)]
        server.started(asked(20))
        for process in (declares, *psutil.Process(declares.pid).children(recursive=True)):
            process.kill()
        server.started(asked(20), 2)
        server.release()
        for job in jobs:
            assert job.wait(PATIENCE) and job.status == "done", job.error
        assert server.engine.trainers == "ready"
    finally:
        server.engine.close()


def test_a_server_that_wants_a_gpu_says_that_none_is_there(cluster):
    server = Server(cluster[0], "store", bounds=Bounds(device="cuda"))
    server.tell("quick")
    try:
        job = server.engine.submit(asked(22), "anna", asked=True)
        until(lambda: server.engine._places == Places(0, {GPU: 1}), "the workers are known")
        now = job.snapshot("anna")
        assert now.doing == "waiting" and now.trainers == "without a GPU"
        cluster[0].start_worker("--resources", "GPU=1")
        assert job.wait(PATIENCE) and job.status == "done", job.error
    finally:
        server.engine.close()


def test_a_server_starts_where_no_scheduler_answers_and_finds_it_later(tmp_path):
    made = Cluster(tmp_path)
    server = Server(made, "store")
    server.tell("quick")
    try:
        job = server.engine.submit(asked(7), "anna", asked=True)
        assert job.snapshot("anna").trainers == "away"
        made.start_scheduler()
        made.start_worker()
        assert job.wait(2 * PATIENCE) and job.status == "done", job.error
    finally:
        server.engine.close()
        made.close()


def test_a_cluster_gives_the_same_results_to_the_bit(cluster):
    made, _ = cluster
    server = Server(made, "real", "core.run.worker:train_group")
    try:
        experiment = Experiment(InfoNCE(steps=20, batch=32, width=16), "infonce", (0, 1))
        job = server.engine.submit(experiment, "anna", asked=True)
        assert job.wait(3 * PATIENCE) and job.status == "done", job.error
        for theirs, ours in zip(job.results(), train_group(experiment.members), strict=True):
            assert theirs.scores == ours.scores
            for name, array in ours.arrays().items():
                np.testing.assert_array_equal(theirs.arrays()[name], array, err_msg=name)
    finally:
        server.engine.close()


def test_with_certificates_strangers_are_turned_away(tmp_path):
    secret = Security.temporary()
    files = {}
    for option, name in KEYS.items():
        path = tmp_path / f"{name}.pem"
        path.write_text(secret.get_tls_config_for_role("scheduler")[name])
        files[name] = (option, str(path))
    made = Cluster(tmp_path, "tls", [word for pair in files.values() for word in pair])
    made.start_scheduler()
    made.start_worker()
    certificate = {"cert": files["cert"][1], "key": files["key"][1]}
    settings = {"distributed.comm.tls.ca-file": files["ca_file"][1],
                "distributed.comm.tls.client": certificate}  # fmt: skip
    try:
        with dask.config.set(settings):  # as the variables of the environment that are documented
            server = Server(made, "store")
        with contextlib.closing(server.engine):
            server.tell("quick")
            job = server.engine.submit(asked(8), "anna", asked=True)
            assert job.wait(2 * PATIENCE) and job.status == "done", job.error
            assert answers(made.address, secret)
            for stranger in (None, Security.temporary()):
                assert not answers(made.address, stranger)
    finally:
        made.close()


def test_our_own_scheduler_turns_strangers_away_and_keeps_its_key_private(tmp_path):
    engine = Engine(Store(tmp_path / "store", gallery=None), workers=1, trainer=TRAINER)
    try:
        address = engine._cluster.scheduler_address
        assert address.startswith("tls://127.0.0.1:")
        for stranger in (None, Security.temporary()):
            assert not answers(address, stranger)
        assert not answers(address.replace("tls", "tcp"), None)
        folder = Path(engine._crew.folder.name)
        assert folder.stat().st_mode & 0o077 == 0 and (folder / "key.pem").exists()
        deadline = time.monotonic() + 2 * PATIENCE
        while engine.trainers != "ready" and time.monotonic() < deadline:
            time.sleep(0.1)
        assert engine.trainers == "ready"  # its own worker has the key
    finally:
        engine.close()
