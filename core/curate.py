"""Build and check the shipped gallery: every preset with its trajectories, every sweep's scores."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.lessons import LESSONS
from core.papers import TABLES
from core.run import archive, store
from core.run.archive import GALLERY, Damaged, Gallery
from core.run.crew import on_gpu
from core.run.experiment import Experiment, Member, Result, groups, work
from core.scenarios.scenario import Preset, Scenario, Sweep

SIZE_LIMIT = 30_000_000  # bytes, in all
PAGE_LIMIT = 3_500_000  # of any one page's archive
PRESET_POINTS = 300
SWEEP_FRAMES, SWEEP_POINTS = 1, 150
PAPERS, PAPER_POINTS = "papers", 75  # the page of rows of papers, which have more dimensions
FLAT = 3  # dimensions; with more of them half the points are as many numbers


@dataclass(frozen=True)
class Wanted:
    """A run that is to be shipped: on whose page, and how much of it."""

    page: str
    member: Member
    frames: int
    points: int


@cache
def shipped() -> dict[str, Wanted]:
    """By member key: what presets, sweeps and tables of papers name."""
    runs: dict[str, Wanted] = {}
    for page, scenario in LESSONS.items():
        named: list[Sweep | Preset] = [*scenario.sweeps, *scenario.presets]
        for each in named:
            for member in _members(scenario, each):
                runs.setdefault(member.key, Wanted(page, member, SWEEP_FRAMES, SWEEP_POINTS))
    for member in _of_papers():
        runs.setdefault(member.key, Wanted(PAPERS, member, SWEEP_FRAMES, PAPER_POINTS))
    for page, scenario in LESSONS.items():
        for preset in scenario.presets:
            params = scenario.Params.model_validate(preset.params)
            for member in Experiment(params, scenario.name, preset.seeds).members:
                before = runs[member.key]
                if before.frames < scenario.frames:
                    flat = getattr(params, "d", FLAT) <= FLAT
                    points = PRESET_POINTS if flat else PRESET_POINTS // 2
                    runs[member.key] = Wanted(page, member, scenario.frames, points)
    return runs


def _of_papers() -> Iterator[Member]:
    """Every run behind a row of a paper's table."""
    for table in TABLES.values():
        for row in table.rows:
            for column in table.of(row):
                yield from row.experiment(column).members


def _members(scenario: Scenario, each: Sweep | Preset) -> Iterator[Member]:
    """Every run that a sweep or a preset names, its further seeds among them."""
    params = scenario.Params.model_validate(each.params)
    vary = each.vary if isinstance(each, Sweep) else {}
    for seeds in (each.seeds, each.further):
        if seeds:
            yield from Experiment(params, scenario.name, seeds, vary).members


def build(
    folder: Path = GALLERY, work_folder: Path | None = None, device: str = "auto"
) -> list[str]:
    """Train what is missing, damaged or scored by an older version; list what is still wrong.

    Groups train side by side, each in a process of one thread; the longest begin first. Finished
    runs are kept in `work_folder` (default: beside the visitor's own) until all are there, so that
    a build that was stopped goes on where it was. What nothing names any more is left out.
    """
    loose = work_folder or store.default_folder() / "gallery"
    loose.mkdir(parents=True, exist_ok=True)
    runs = shipped()
    faults = _faults(folder, runs)
    done = {key for key in faults if _finished(loose, runs[key].member)}
    alike = groups(runs[key].member for key in faults if key not in done)
    print(cost(folder, len(runs), len(done), alike), flush=True)
    for key in _trained(loose, runs, alike, device):
        done.add(key)
    fresh = {key: store.read(loose / f"{key}.npz", runs[key].member) for key in done}
    archive.write(folder, {key: (run.page, run.member) for key, run in runs.items()}, fresh)
    for key in done:
        (loose / f"{key}.npz").unlink()
    return check(folder)


def cost(folder: Path, all_runs: int, done: int, alike: list[tuple[Member, ...]]) -> str:
    """What is to be trained and, by the speed of the runs shipped, how long that takes."""
    missing = sum(map(len, alike))
    kept = f"{all_runs - missing - done} of {all_runs} runs are shipped, {done} trained before"
    known = [(work([r.member]), float(r.provenance["cpu_seconds"]))
             for r in Gallery(folder).sample(100)]  # fmt: skip
    if not known or not missing:
        return f"{kept}; {missing} to train."
    rate = sum(seconds for _, seconds in known) / sum(each for each, _ in known)
    minutes = sum(map(work, alike)) * rate / 60
    return f"{kept}; {missing} to train, about {minutes:.0f} CPU-minutes."


def _finished(loose: Path, member: Member) -> bool:
    """Whether a build that was stopped has trained this run, with the scores of now."""
    try:
        record = store.read_record(loose / f"{member.key}.npz", member)
    except (FileNotFoundError, Damaged):
        return False
    return record.provenance["scored"] == member.scored


def _trained(
    loose: Path, runs: dict[str, Wanted], alike: list[tuple[Member, ...]], device: str
) -> Iterator[str]:
    """Train groups and write each run as it will be shipped; the keys of those that are written."""
    for group, results in trained(alike, device):
        for result in results:
            run = runs[result.member.key]
            small = result.thinned(run.frames, run.points)
            store.write(loose / f"{result.member.key}.npz", small)
            yield result.member.key
        print(f"{group[0].scenario}: {len(group)} members, {group[0].params.chosen()}", flush=True)


def trained(
    alike: Sequence[tuple[Member, ...]], device: str = "auto"
) -> Iterator[tuple[tuple[Member, ...], list[Result]]]:
    """Groups and their runs as they are done, side by side, each in a process of one thread.

    The longest begin first. On a GPU there is one process, whose it is.
    """
    if not alike:
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes, before they load NumPy
    spawn = multiprocessing.get_context("spawn")  # forked threads and torch do not go together
    with ProcessPoolExecutor(1 if on_gpu(device) else os.cpu_count(), spawn) as pool:
        futures = {pool.submit(_train, g, device): g for g in sorted(alike, key=work, reverse=True)}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _train(group: tuple[Member, ...], device: str) -> list[Result]:
    """Train a group in a process of the pool."""
    from core.run.worker import keep_memory, train_group  # torch: not needed to check

    keep_memory()
    return train_group(group, device=device)


def bill(folder: Path = GALLERY) -> dict[str, int]:
    """Bytes of every file of the gallery, by name."""
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def check(folder: Path = GALLERY) -> list[str]:
    """Sentences about runs that are missing or unreadable and files that are too large."""
    runs = shipped()
    sentences = [
        f"{runs[key].page}: {runs[key].member.params.chosen()} seed {runs[key].member.seed}: {why}"
        for key, why in _faults(folder, runs).items()
    ]
    sizes = bill(folder)
    for name, size in sizes.items():
        if size > PAGE_LIMIT:
            sentences.append(f"{name}: {size / 1e6:.1f} MB, more than {PAGE_LIMIT / 1e6:g} MB")
    if (total := sum(sizes.values())) > SIZE_LIMIT:
        sentences.append(f"{total / 1e6:.1f} MB in all, more than {SIZE_LIMIT / 1e6:g} MB")
    return sentences


def _faults(folder: Path, runs: dict[str, Wanted]) -> dict[str, str]:
    """Key -> why, for runs that the gallery of a folder cannot serve as they should be."""
    gallery, faults = Gallery(folder), {}
    for key, run in runs.items():
        if key not in gallery:
            faults[key] = "missing"
            continue
        try:
            result = gallery.read(run.member)
        except Damaged as reason:
            faults[key] = str(reason)
            continue
        if len(result.frame_step) < min(run.frames, 2):
            faults[key] = "has no trajectory"
        elif result.provenance["scored"] != run.member.scored:
            faults[key] = f"has the scores of version {result.provenance['scored']}"
    return faults
