"""A run to take home: its whole evaluation set and all that it learnt, in one .npz."""

import json
from pathlib import Path

import numpy as np

from core.command import command
from core.run.experiment import EVALUATED, Experiment, groups

CONTENTS = (
    f"Of every seed s: z_s the {EVALUATED:,} latents of the evaluation set, z_hat_s what was "
    "recovered of them, and where there are any x_s observations, y_s labels, v_s the vectors of "
    "clusters or classes, w_s the head's rows, m_s the matrix M; all weights under their names. "
    "Scores are of these arrays: the first half fits, the second is scored."
)


def save(experiment: Experiment, path: Path, device: str = "auto") -> None:
    """Train every member anew and write it to `path`.

    Nothing stored will do, as a stored run holds the drawn points alone. `device` is as
    `core.run.worker.train_group` has it.
    """
    from core.run.worker import keep_memory, train_whole  # torch: not needed to say what is inside

    keep_memory()
    arrays: dict[str, np.ndarray] = {}
    scores, provenance = {}, {}
    for group in groups(experiment.members):
        for result, found in train_whole(group, device):
            seed = result.member.seed
            arrays |= {f"{name}_{seed}": array for name, array in found.items()}
            scores[seed], provenance[seed] = result.scores, result.provenance
    about = {
        "contents": CONTENTS,
        "command": command(experiment, "export", f"--out {path.name}"),
        "parameters": experiment.params.model_dump(),
        "scores": scores,
        "provenance": provenance,
    }
    with path.open("wb") as file:  # np.savez would add a suffix to a name without one
        np.savez_compressed(file, about=json.dumps(about, allow_nan=False), **arrays)  # type: ignore[arg-type]


def about(path: Path) -> dict:
    """What a file says of itself."""
    with np.load(path, allow_pickle=False) as file:
        return json.loads(str(file["about"]))
