"""The speeds that the project promises, measured on the machine at hand: its CPU, its GPU."""

import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from core.papers.contrastive import TABLES
from core.run.experiment import Experiment, Member, Result
from core.run.store import Store
from core.run.training import Learner
from core.run.updates.capture import Replayed, aside, updates
from core.run.worker import keep_memory, learner_of, pick_device, train_group
from core.scenarios import SCENARIOS

REACHED = 0.99
SEEDS = (0, 1, 2)
KAPPAS = (3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0)
VIEWER = "bench"
DIET = {"supervision": "instance"}
SPRITES = {"task": "classify", "label": "position", "learning_rate": 0.005}
FIVE = {"d": 5, "n_clusters": 100}
SETTINGS: dict[str, tuple[str, dict]] = {  # each with three seeds
    "infonce": ("infonce", {}),
    "infonce, kappa = 1": ("infonce", {"kappa": 1.0, "batch": 512, "steps": 600}),
    "infonce, d = 5": ("infonce", {"d": 5, "width": 128, "batch": 512, "steps": 800}),
    "infonce_box": ("infonce_box", {}),
    "clusters": ("clusters", {}),
    "clusters, C3": ("clusters", {"case": "C3"}),
    "clusters, d = 5": ("clusters", FIVE),
    "clusters, DIET": ("clusters", DIET),
    "clusters, DIET, d = 5": ("clusters", {**FIVE, **DIET, "n_instances": 1000}),
    "auxiliary": ("auxiliary", {}),
    "auxiliary, d = 5": ("auxiliary", {"d": 5, "n_segments": 48}),
    "reversal": ("reversal", {}),
    "reversal, d = 8": ("reversal", {"d": 8, "rank": 3, "n_classes": 4}),
    "invariance": ("invariance", {}),
    "flows": ("flows", {}),
    "flows, total correlation": ("flows", {"data": "arc", "objective": "ml-mtc"}),
    "flows, reconstruction": ("flows", {"data": "arc", "objective": "ml-rec"}),
    "digits": ("digits", {}),
    "pixels": ("pixels", {}),
    "pixels, classes": ("pixels", SPRITES),
    "probes": ("probes", {}),
    "lejepa": ("lejepa", {}),
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
    from core.run.engine import Engine  # distributed, which nothing else here needs

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


# --- on a GPU ----------------------------------------------------------------------------------

SIZES = (1, 24, 240)  # members together
COMPARED = 24  # at most so many on the CPU, where more take as long each
WARM, PACED, PATIENCE = 8, 200, 2.0  # updates before the clock, under it, and seconds of it at most
PROFILED = 20
ROW = TABLES[0].rows[0]  # whose published recipe is the largest here
TITLES = tuple(title for title in SETTINGS if "=" not in title)


class Pace(NamedTuple):
    """How a group of members is updated."""

    per_second: float  # updates of the whole group
    captured: str  # "yes", or why not
    mebibytes: float | None  # of a GPU's memory at most


def measure_cuda(titles: tuple[str, ...] = TITLES, sizes: tuple[int, ...] = SIZES) -> Figures:
    """Every setting's updates on the GPU, and the CPU's one thread beside them in the same run."""
    keep_memory()
    ready()
    figures: Figures = {"device": torch.cuda.get_device_name(), "torch": str(torch.__version__)}
    for title in titles:
        figures |= _setting(title, sizes)
    return figures | published()


def _setting(title: str, sizes: tuple[int, ...]) -> Figures:
    """One setting: its groups' updates, what a whole run of three seeds takes, the CPU's pace."""
    scenario, changes = SETTINGS[title]
    results = _train(_members(changes, SEEDS, scenario), "cuda")
    score = RECOVERY.get(scenario, "linear_r2")
    until = [_first(each, score) for each in results] if score in results[0].history else [None]
    steps = results[0].steps * max(share or 0.0 for share in until)
    found: Figures = {
        f"{title}: wall s of 3 members": sum(float(r.provenance["seconds"]) for r in results),
        f"{title}: lowest {score}": min(r.scores[score] or 0.0 for r in results),
    }
    for m in sizes:
        gpu, cpu = pace(several(title, m), "cuda"), pace(several(title, min(m, COMPARED)), "cpu")
        found |= {
            f"{title}, {m}: updates/s": gpu.per_second,
            f"{title}, {m}: s of updates to {REACHED}":
                None if None in until else steps / gpu.per_second,
            f"{title}, {m}: over the CPU":
                gpu.per_second * m / cpu.per_second / min(m, COMPARED),
            f"{title}, {m}: MiB": gpu.mebibytes,
            f"{title}, {m}: captured": gpu.captured,
        }  # fmt: skip
        seen = busy(several(title, m))
        found[f"{title}, {m}: share of an update in kernels"] = seen["kernels, us"] / seen["us"]
    return found


def several(title: str, m: int) -> tuple[Member, ...]:
    """m members of a setting, three seeds in turn, as a sweep has them."""
    scenario, changes = SETTINGS[title]
    params = SCENARIOS[scenario].Params.model_validate(changes)
    return tuple(Member(scenario, params, i % len(SEEDS)) for i in range(m))


def pace(members: tuple[Member, ...], device: str, replayed: bool = True) -> Pace:
    """Updates a second of a fresh learner, without observations."""
    ready()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with aside(device):
        learner = learner_of(members, device)
        update = updates(learner, device) if replayed else learner.step
        done, seconds = _timed(learner, update, device)
    graphs = update.graphs if isinstance(update, Replayed) else {}
    why = "its updates are not alike" if learner.program(0) is None else "not asked for"
    peak = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else None
    return Pace(done / seconds, "yes" if graphs else why, peak)


def _timed(learner: Learner, update: Callable[[int], Tensor], device: str) -> tuple[int, float]:
    """How many updates were timed, and their seconds by `clock_of`."""
    last = min(WARM + PACED, learner.steps)
    first = min(WARM, last // 2)
    for t in range(first):
        update(t)
    wait(device)
    clock = clock_of(device)
    start, done = clock(), 0
    for t in range(first, last):
        update(t)
        done += 1
        if device == "cpu" and clock() - start > PATIENCE:
            break
    wait(device)
    return done, clock() - start


def clock_of(device: str) -> Callable[[], float]:
    """Seconds on a GPU; on the CPU those of this process, which others do not lengthen."""
    return time.process_time if device == "cpu" else time.perf_counter


def busy(members: tuple[Member, ...], replayed: bool = True) -> dict[str, float]:
    """Of an update on the GPU: microseconds, those that kernels take, and how many they are."""
    ready()
    with aside("cuda"):
        learner = learner_of(members, "cuda")
        update = updates(learner, "cuda") if replayed else learner.step
        for t in range(WARM):
            update(t)
        wait("cuda")
        start = time.perf_counter()
        for t in range(WARM, WARM + PROFILED):
            update(t)
        wait("cuda")
        wall = (time.perf_counter() - start) / PROFILED
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as seen:
            for t in range(WARM + PROFILED, WARM + 2 * PROFILED):
                update(t)
            wait("cuda")
    events = [e for e in seen.events() if e.device_type == torch.autograd.DeviceType.CUDA]
    return {
        "us": wall * 1e6,
        "kernels, us": sum(each.time_range.elapsed_us() for each in events) / PROFILED,
        "kernels": len(events) / PROFILED,
    }


def published() -> Figures:
    """The first row's published recipe, ours and a plain loop: updates a second, one member."""
    params = {**ROW.params, **TABLES[0].budget(ROW)}
    member = Member("infonce", SCENARIOS["infonce"].Params.model_validate(params), 0)
    ready()
    with aside("cuda"):
        learner = learner_of((member,), "cuda")
        done, seconds = _timed(learner, updates(learner, "cuda"), "cuda")
        found: Figures = {"published: updates/s": done / seconds}
        for encoder, widths in _plain_widths(member).items():
            for name, tf32 in (("TF32", True), ("float32", False)):
                torch.backends.cuda.matmul.allow_tf32 = tf32
                for drawn in (True, False):
                    update = _plain(learner, member, widths, drawn)
                    done, seconds = _timed(learner, update, "cuda")
                    pairs = "drawn afresh" if drawn else "the same pairs"
                    found[f"published, plain, {encoder}, {name}, {pairs}: updates/s"] = (
                        done / seconds
                    )
    ready()
    return found


def _plain_widths(member: Member) -> dict[str, list[int]]:
    """Of the encoder that is trained here, and of the reference's, whose layers differ in width."""
    p = member.params
    d, width, depth = (getattr(p, name) for name in ("d", "width", "depth"))
    return {
        "our encoder": [d, *[width] * depth, d],
        "the reference's encoder": [d, 10 * d, *[50 * d] * 4, 10 * d, d],
    }


def _plain(source: Any, member: Member, widths: list[int], drawn: bool) -> Callable[[int], Tensor]:
    """An update written without any care for speed, of our pairs, `drawn` in every one or never.

    Zimmermann et al. 2021: anchors, their views, and the anchors in another order as negatives.
    """
    batch, tau = (getattr(member.params, name) for name in ("batch", "tau"))
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.LeakyReLU()]
    f = nn.Sequential(*layers[:-1]).cuda()
    adam = torch.optim.Adam(f.parameters(), lr=1e-4)

    def coded(z: Tensor) -> Tensor:
        code = f(source.g(z)[0])
        return code / code.norm(dim=-1, keepdim=True)

    def draw() -> tuple[Tensor, Tensor]:
        z = source.world.latents(batch, source.data)
        return z, source.world.positives(z, source.data)

    known = draw()

    def update(t: int) -> Tensor:
        anchors, views = map(coded, draw() if drawn else known)
        others = anchors[torch.randperm(batch, device="cuda")]
        negative = torch.einsum("ij,kj->ik", anchors, others)
        positive = torch.einsum("ij,ij->i", anchors, views)
        logits = torch.cat([negative, positive[:, None]], 1) / tau
        loss = (logits.logsumexp(1) - positive / tau).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss

    return update


def ready() -> None:
    """What a worker sets before it trains."""
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = True


def wait(device: str) -> None:
    """Until a GPU has done what it was asked for."""
    if device == "cuda":
        torch.cuda.synchronize()
