"""Build and check the shipped gallery: every preset with its trajectories, every sweep's scores."""

from pathlib import Path

from core.experiment import Experiment, Member, groups
from core.scenarios import SCENARIOS
from core.store import GALLERY, Damaged, read, write

SIZE_LIMIT = 25_000_000
PRESET_FRAMES, PRESET_POINTS = 30, 300
SWEEP_FRAMES, SWEEP_POINTS = 1, 200


def shipped() -> dict[str, tuple[Member, int, int]]:
    """Member key -> member, frames and points, for every preset and sweep of every scenario."""
    members: dict[str, tuple[Member, int, int]] = {}
    for scenario in SCENARIOS.values():
        for sweep in scenario.sweeps:
            params = scenario.Params.model_validate(sweep.params)
            varied = {sweep.field: sweep.values}
            for member in Experiment(params, scenario.name, sweep.seeds, varied).members:
                members[member.key] = (member, SWEEP_FRAMES, SWEEP_POINTS)
        for preset in scenario.presets:
            params = scenario.Params.model_validate(preset.params)
            for member in Experiment(params, scenario.name, preset.seeds).members:
                members[member.key] = (member, PRESET_FRAMES, PRESET_POINTS)
    return members


def build(folder: Path = GALLERY) -> list[str]:
    """Train what is missing or damaged, remove what no preset or sweep names; list problems."""
    from core.worker import keep_memory, train_group  # torch: not needed to check

    keep_memory()
    wanted = shipped()
    for path in folder.glob("*.npz"):
        if path.stem not in wanted:
            path.unlink()
    missing = [wanted[key][0] for key in _unreadable(folder, wanted)]
    for group in groups(missing):
        for result in train_group(group):
            _, frames, points = wanted[result.member.key]
            write(folder / f"{result.member.key}.npz", result.thinned(frames, points))
        print(f"{group[0].scenario}: {len(group)} members, {group[0].params.chosen()}", flush=True)
    return check(folder)


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
