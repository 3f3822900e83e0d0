"""A trainer that fabricates its results, for tests of the engine; it runs inside Dask's workers.

It does what the file `mode` in the folder `ENGINE_TEST_FOLDER` says, and leaves a note for every
run that it starts.
"""

import json
import os
import time
import uuid
from pathlib import Path

import numpy as np

from core.run.experiment import Progress, Result, Stopped

STEPS = 10


def obedient(members, report, should_stop, device="auto"):
    folder = Path(os.environ["ENGINE_TEST_FOLDER"])
    mode = (folder / "mode").read_text()
    note = {"pid": os.getpid(), "members": [m.key for m in members], "began": time.time(),
            "device": device}  # fmt: skip
    name = uuid.uuid4().hex
    for step in range(1, STEPS + 1):
        report(progress(members, step))
        if step == 1:
            write(folder / f"{name}.ran", note)
        time.sleep(0.01)
    while mode in ("hold", "deaf") and not (folder / "release").exists():
        if mode == "hold" and should_stop():
            write(folder / f"{name}.stopped", note)
            raise Stopped
        time.sleep(0.01)
    if mode == "raise":
        raise ValueError("the loss has no floor\nand a second line")
    write(folder / f"{name}.ended", note | {"ended": time.time()})
    return [result(member) for member in members]


def write(path, note):
    path.with_suffix(".part").write_text(json.dumps(note))
    path.with_suffix(".part").rename(path)


def progress(members, step):
    m = len(members)
    return Progress(
        step=step,
        steps=STEPS,
        loss=np.array([member.seed + 1 / step for member in members]),
        scores={"linear_r2": np.full(m, step / STEPS)} if step % 2 else None,
        z=np.stack([np.full((5, 3), member.seed, np.float32) for member in members]),
        z_hat=np.full((m, 5, 3), step, np.float32),
        net=np.zeros((m, 0, 4, 3), np.float32),
        net_hat=np.zeros((m, 0, 4, 3), np.float32),
    )


def result(member):
    return Result(
        member=member,
        scores={"linear_r2": 0.5},
        diverged=False,
        loss_step=np.arange(3),
        loss=np.full(3, member.seed, float),
        history_step=np.arange(2),
        history={"linear_r2": np.zeros(2)},
        frame_step=np.arange(2),
        z=np.zeros((5, 3), np.float32),
        z_hat=np.zeros((2, 5, 3), np.float32),
        net=np.zeros((0, 4, 3), np.float32),
        net_hat=np.zeros((2, 0, 4, 3), np.float32),
        world={},
        provenance={"device": "cpu", "torch": "none", "cpu_seconds": 2.0, "date": "2026-01-01"},
    )
