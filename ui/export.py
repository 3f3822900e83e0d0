"""Take it home: the numbers behind a picture, and a run's data, scores and commands."""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

import core
from core.command import command
from core.legend import BASELINES, SCORES, spoken
from core.run.experiment import EVALUATED, Experiment, Result, summary
from core.scenarios.scenario import Params, Scenario
from core.whole import CONTENTS
from ui.wording import duration

SHORT = 60.0  # seconds of training that a download may take; the browser gives up after 180
GIVES_UP = 170.0
LOADING = 3.0  # that a new process takes to load torch
LONGEST_NAME = 80
ONE_AT_A_TIME = threading.Lock()  # trainings for downloads, however many visitors ask
FOR_DRAWING = frozenset({"x", "colour", "end", "share"})  # columns that a chart needs, not a reader
WORDS = {"by": "for each", "value": "value", "c": "content"}


def table(frame: pd.DataFrame, name: str, key: str, said: str = "") -> None:
    """The numbers behind a picture, one click away, with a download; `said` tells what they are."""
    place = st.popover(":material/table_rows:", type="tertiary", key=key, on_change="rerun",
                       help="The numbers of this picture")  # fmt: skip
    if not place.open:
        return
    read = worded(frame)
    with place:
        if said:
            st.caption(said)
        st.dataframe(read, hide_index=True, height=260, width="content")
        st.download_button(
            "CSV", lambda: read.to_csv(index=False), f"{name}.csv", "text/csv",
            key=f"{key}.csv", on_click="ignore",
        )  # fmt: skip


def worded(frame: pd.DataFrame) -> pd.DataFrame:
    """A chart's table for a reader: columns under their names in words, without those of the ink.

    A frame may say what its columns are called, in its `attrs`.
    """
    unread = FOR_DRAWING - ({"x"} if "value" not in frame else set())
    kept = frame.drop(columns=[c for c in frame if c in unread])
    own = frame.attrs.get("names", {})
    return kept.rename(columns=lambda c: own.get(c) or column(str(c)))


def column(name: str) -> str:
    """A column's heading: a score's title, a baseline's, a coordinate's letter, or itself."""
    if name in SCORES:
        return SCORES[name].title
    kind, _, rest = name.partition("_")
    if kind in BASELINES and rest in SCORES:
        return f"{SCORES[rest].title}, {BASELINES[kind]}"
    if coordinate := re.fullmatch(r"(z|z_hat)(\d+)", name):
        return f"{'ẑ' if 'hat' in coordinate[1] else 'z'}{_subscript(coordinate[2])}"
    return WORDS.get(name, name.replace("_", " "))


def _subscript(digits: str) -> str:
    return digits.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def take_home(results: Sequence[Result], params: Params, scenario: Scenario) -> None:
    """Scores, drawn points, everything; and the shell commands that give the same."""
    seeds = tuple(result.member.seed for result in results)
    experiment, name = Experiment(params, scenario.name, seeds), file_name(scenario, params)
    st.code(command(experiment), "bash")
    drawn = min(len(result.z) for result in results)
    st.caption(
        f"Scores are of all {EVALUATED:,} points of the evaluation set: the first half fits, the "
        f"second is scored. The pictures show {drawn} points of the second half, rounded, so "
        "scores of those differ a little."
    )
    seconds = LOADING + sum(float(result.provenance["cpu_seconds"]) for result in results)
    with st.container(horizontal=True):
        st.download_button(
            "Scores (JSON)", lambda: scores_json(results), f"{name}.scores.json",
            "application/json", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            f"The {drawn} points drawn (NPZ)", lambda: latents_npz(results), f"{name}.drawn.npz",
            "application/octet-stream", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        if seconds <= SHORT:
            st.download_button(
                f"Everything (NPZ), trained anew in {duration(seconds)}",
                lambda: everything_npz(experiment), f"{name}.npz", "application/octet-stream",
                on_click="ignore", icon=":material/model_training:", help=CONTENTS,
            )  # fmt: skip
    if seconds > SHORT:
        st.caption(
            f"Everything, by training anew ({duration(seconds)}): too long for a download, so from "
            "a shell."
        )
    st.code(command(experiment, "export", f"--out {name}.npz"), "bash")


def file_name(scenario: Scenario, params: Params) -> str:
    """After the page and the setting, such as `vmf-clusters_case-C3_kappa-50`."""
    parts = [scenario.title, *(f"{n}-{spoken(v)}" for n, v in params.chosen().items())]
    plain = (re.sub(r"[^\w.-]+", "-", part).strip("-") for part in parts)
    return "_".join([next(plain).lower(), *plain])[:LONGEST_NAME]


def scores_json(results: Sequence[Result]) -> str:
    """Every member's parameters, seed, scores and provenance."""
    rows = [{**summary(result, True), "provenance": result.provenance} for result in results]
    said = f"scores on {EVALUATED} points of the evaluation set, the first half fits"
    return json.dumps({"about": said, "members": rows}, indent=1, allow_nan=False)


def latents_npz(results: Sequence[Result]) -> bytes:
    """The drawn points of every seed: z_<seed> (n, d), z_hat_<seed> (k, n, d_hat); what they are.

    What else the pictures show goes along, under the scenario's names: x, y, v, w, m.
    """
    arrays: dict[str, np.ndarray] = {}
    for result in results:
        own = {"z": result.z, "z_hat": result.z_hat, "steps": result.frame_step,
               **result.world, **result.moving}  # fmt: skip
        arrays |= {f"{name}_{result.member.seed}": array for name, array in own.items()}
    few = min(len(result.z) for result in results)
    about = {
        "contents": f"The first {few} points of the second half of the evaluation set, as drawn "
        "(in half precision) at each of `steps`, as learnt and not aligned. The scores are of all "
        f"{EVALUATED} points.",
        "scores": {result.member.seed: result.scores for result in results},
    }
    file = io.BytesIO()
    np.savez(file, about=json.dumps(about, allow_nan=False), **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def everything_npz(experiment: Experiment) -> bytes:
    """The whole evaluation set and all weights, by the command that the page shows.

    In a process of its own: the server never loads torch, and a page goes on meanwhile.
    """
    with ONE_AT_A_TIME, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.npz"
        words = command(experiment, "export").split()[1:]
        subprocess.run(
            [sys.executable, *words, "--out", str(path)],
            cwd=Path(core.__file__).parents[1], env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=True, capture_output=True, timeout=GIVES_UP,
        )  # fmt: skip
        return path.read_bytes()
