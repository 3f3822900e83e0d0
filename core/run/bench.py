"""The speeds that the project promises, measured on the machine at hand."""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from core.run.engine import Engine
from core.run.experiment import Experiment, Member, Result
from core.run.store import Store
from core.run.worker import keep_memory, pick_device, train_group
from core.scenarios import SCENARIOS

REACHED = 0.99
SEEDS = (0, 1, 2)
KAPPAS = (3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0)
VIEWER = "bench"
DIET = {"supervision": "instance"}
FIVE = {"d": 5, "n_clusters": 100}
SETTINGS: dict[str, tuple[str, dict]] = {  # each with three seeds
    "infonce": ("infonce", {}),
    "infonce, kappa = 1": ("infonce", {"kappa": 1.0, "batch": 512, "steps": 600}),
    "infonce, d = 5": ("infonce", {"d": 5, "width": 128, "batch": 512, "steps": 800}),
    "clusters": ("clusters", {}),
    "clusters, C3": ("clusters", {"case": "C3"}),
    "clusters, d = 5": ("clusters", FIVE),
    "clusters, DIET": ("clusters", DIET),
    "clusters, DIET, d = 5": ("clusters", {**FIVE, **DIET, "n_instances": 1000}),
    "reversal": ("reversal", {}),
    "reversal, d = 8": ("reversal", {"d": 8, "rank": 3, "n_classes": 4}),
    "invariance": ("invariance", {}),
    "flows": ("flows", {}),
    "flows, total correlation": ("flows", {"data": "arc", "objective": "ml-mtc"}),
    "flows, reconstruction": ("flows", {"data": "arc", "objective": "ml-rec"}),
    "digits": ("digits", {}),
}
# the score of recovery, where it is not linear_r2
RECOVERY = {"reversal": "content_r2", "invariance": "content_r2"}

Figures = dict[str, float | str | None]


def measure() -> Figures:
    """Every figure by name; seconds are CPU-seconds of training unless the name says otherwise."""
    keep_memory()
    first = _train(_members({"steps": 2}, (0,)))  # imports and allocators warm up before the clock
    figures: Figures = {"device": pick_device("auto"), "torch": str(first[0].provenance["torch"])}
    for title, (scenario, changes) in SETTINGS.items():
        results = _train(_members(changes, SEEDS, scenario))
        figures |= _figures(title, results)
    figures |= _batching()
    with tempfile.TemporaryDirectory() as scratch:
        figures |= _store(Store(Path(scratch), gallery=None), results[0])
        figures |= _engine(Store(Path(scratch) / "engine", gallery=None))
    if pick_device("auto") == "cuda":
        figures |= _cuda()
    return figures


def _members(
    changes: dict, seeds: tuple[int, ...], scenario: str = "infonce", **vary: tuple
) -> tuple[Member, ...]:
    params = SCENARIOS[scenario].Params.model_validate(changes)
    return Experiment(params, scenario, seeds, vary).members


def _train(members: tuple[Member, ...], device: str = "cpu") -> list[Result]:
    return train_group(members, device=device)


def _cpu(results: list[Result]) -> float:
    return sum(float(result.provenance["cpu_seconds"]) for result in results)


def _figures(title: str, results: list[Result]) -> Figures:
    """What a group cost, the worst seed's score, and the share of it spent until 0.99."""
    total, score = _cpu(results), RECOVERY.get(results[0].member.scenario, "linear_r2")
    spent: Figures = {
        f"{title}: CPU-s": total,
        f"{title}: steps per CPU-s": int(results[0].loss_step[-1]) / total,
    }
    if score not in results[0].history:  # of flows, which are not trained to recover
        return spent
    until = [_first(result, score) for result in results]
    slowest = max((share for share in until if share is not None), default=0.0)
    return spent | {
        f"{title}: lowest {score}": min(r.scores[score] or 0.0 for r in results),
        f"{title}: CPU-s until all reach {REACHED}": None if None in until else total * slowest,
    }


def _first(result: Result, score: str) -> float | None:
    """Fraction of the budget when the score first reaches 0.99; None when it never does."""
    there = np.flatnonzero(result.history[score] >= REACHED)
    if not len(there):
        return None
    return float(result.history_step[there[0]] / result.history_step[-1])


def _batching() -> Figures:
    """24 members together against one alone, in turn, so that a busy machine slows both."""
    alone, together = [], []
    for _ in range(3):
        alone += [_cpu(_train(_members({}, (0,)))) for _ in range(2)]
        results = _train(_members({}, SEEDS, kappa=KAPPAS))
        together.append(_cpu(results))
    each = statistics.median(together) / len(results)
    return {
        "24 members: CPU-s": statistics.median(together),
        "24 members: lowest linear_r2": min(r.scores["linear_r2"] or 0.0 for r in results),
        "1 member: CPU-s": statistics.median(alone),
        "a member of 24 over a single run": each / statistics.median(alone),
    }


def _store(store: Store, result: Result) -> Figures:
    store.put(result)
    times = []
    for _ in range(20):
        store = Store(store.folder, gallery=None)  # which remembers nothing
        start = time.perf_counter()
        store.get(result.member)
        times.append(time.perf_counter() - start)
    return {"store read: wall ms": 1000 * statistics.median(times)}


def _engine(store: Store) -> Figures:
    """From a request to the first frame, with workers still starting and with warm ones."""
    params = SCENARIOS["infonce"].Params()
    engine = Engine(store)
    try:
        waits = []
        for seed in range(4):
            start = time.perf_counter()
            job = engine.submit(Experiment(params, "infonce", (seed,)), VIEWER)
            while not job.snapshot(VIEWER).members and not job.ended.is_set():
                time.sleep(0.002)
            waits.append(time.perf_counter() - start)
            job.wait(viewer=VIEWER)
    finally:
        engine.close()
    return {
        "first frame, workers starting: wall s": waits[0],
        "first frame, workers warm: wall s": statistics.median(waits[1:]),
    }


def _cuda() -> Figures:
    """Seconds of wall time on the GPU and on the CPU: the CPU waits for nothing but itself."""
    members = _members({}, SEEDS, kappa=KAPPAS)
    seconds = {}
    for device in ("cuda", "cpu"):
        results = _train(members, device)
        seconds[device] = sum(float(r.provenance["seconds"]) for r in results)
    lowest = min(r.scores["linear_r2"] or 0.0 for r in _train(members, "cuda"))
    return {
        "24 members on CUDA: wall s": seconds["cuda"],
        "24 members on CUDA: lowest linear_r2": lowest,
        "24 members: CPU time over CUDA time": seconds["cpu"] / seconds["cuda"],
    }
