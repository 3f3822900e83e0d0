"""Build and check the shipped gallery: every preset with its trajectories, every sweep's scores."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from core.experiment import Experiment, Member, Result, groups, work
from core.lessons import LESSONS
from core.scenarios.scenario import Preset, Published, Scenario, Sweep
from core.store import GALLERY, Damaged, read, write

SIZE_LIMIT = 30_000_000
PRESET_POINTS = 300
SWEEP_FRAMES, SWEEP_POINTS = 1, 200


def shipped() -> dict[str, tuple[Member, int, int]]:
    """Member key -> member, frames and points: what presets, sweeps and tables of papers name."""
    members: dict[str, tuple[Member, int, int]] = {}
    for scenario in LESSONS.values():
        named: list[Sweep | Published | Preset] = [
            *scenario.sweeps, *scenario.published, *scenario.presets
        ]  # fmt: skip
        for each in named:
            for member in _members(scenario, each):
                members[member.key] = (member, SWEEP_FRAMES, SWEEP_POINTS)
    for scenario in LESSONS.values():
        for preset in scenario.presets:
            params = scenario.Params.model_validate(preset.params)
            for member in Experiment(params, scenario.name, preset.seeds).members:
                members[member.key] = (member, scenario.frames, PRESET_POINTS)
    return members


def _members(scenario: Scenario, each: Sweep | Published | Preset) -> Iterator[Member]:
    """Every run that a sweep, a preset or a row names, its further seeds among them."""
    params = scenario.Params.model_validate(each.params)
    vary = each.vary if isinstance(each, Sweep) else {}
    further = () if isinstance(each, Published) else each.further
    for seeds in (each.seeds, further):
        if seeds:
            yield from Experiment(params, scenario.name, seeds, vary).members


def build(folder: Path = GALLERY) -> list[str]:
    """Train what is missing or damaged, remove what no preset or sweep names; list problems.

    Groups train side by side, each in a process of one thread; the longest begin first.
    """
    wanted = shipped()
    for path in folder.glob("*.npz"):
        if path.stem not in wanted:
            path.unlink()
    missing = [wanted[key] for key in _unreadable(folder, wanted)]
    sizes = {member.key: (frames, points) for member, frames, points in missing}
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes, before they load NumPy
    spawn = multiprocessing.get_context("spawn")  # forked threads and torch do not go together
    with ProcessPoolExecutor(os.cpu_count(), spawn) as pool:
        alike = sorted(groups(member for member, _, _ in missing), key=work, reverse=True)
        trained = {
            pool.submit(_train, group, {m.key: sizes[m.key] for m in group}): group
            for group in alike
        }
        for future in as_completed(trained):
            for result in future.result():
                write(folder / f"{result.member.key}.npz", result, small=True)
            group = trained[future]
            print(f"{group[0].scenario}: {len(group)} members, {group[0].params.chosen()}",
                  flush=True)  # fmt: skip
    return check(folder)


def _train(group: tuple[Member, ...], sizes: dict[str, tuple[int, int]]) -> list[Result]:
    """Train a group in a process of the pool; as many frames and points as are shipped."""
    from core.worker import keep_memory, train_group  # torch: not needed to check

    keep_memory()
    return [result.thinned(*sizes[result.member.key]) for result in train_group(group)]


def check(folder: Path = GALLERY) -> list[str]:
    """Sentences about files that are missing, unreadable or too many bytes; empty when sound."""
    wanted = shipped()
    problems = _unreadable(folder, wanted)
    sentences = [
        f"{wanted[key][0].params.chosen()} seed {wanted[key][0].seed}: {why}"
        for key, why in problems.items()
    ]
    size = sum(path.stat().st_size for path in folder.glob("*.npz"))
    if size > SIZE_LIMIT:
        sentences.append(f"the gallery has {size:,} bytes, more than {SIZE_LIMIT:,}")
    return sentences


def _unreadable(folder: Path, wanted: dict[str, tuple[Member, int, int]]) -> dict[str, str]:
    """Key -> why, for members whose file cannot serve."""
    problems = {}
    for key, (member, frames, _) in wanted.items():
        path = folder / f"{key}.npz"
        if not path.exists():
            problems[key] = "missing"
            continue
        try:
            result = read(path, member)
        except Damaged as reason:
            problems[key] = str(reason)
            continue
        if len(result.frame_step) < min(frames, 2):
            problems[key] = "has no trajectory"
    return problems
