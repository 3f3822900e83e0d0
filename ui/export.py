"""Take it home: the numbers behind a picture, and a run's data, scores and command."""

import io
import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.experiment import Result, summary
from core.scenarios.scenario import Params


def table(frame: pd.DataFrame, name: str, key: str) -> None:
    """The numbers behind a picture, one click away, with a download."""
    with st.popover("Numbers", type="tertiary", icon=":material/table_rows:", key=key):
        st.dataframe(frame, hide_index=True, height=260)
        st.download_button(
            "CSV", lambda: frame.to_csv(index=False), f"{name}.csv", "text/csv",
            key=f"{key}.csv", on_click="ignore",
        )  # fmt: skip


def take_home(results: Sequence[Result], params: Params, scenario: str) -> None:
    """Scores as JSON, latents as NPZ, and the shell command that gives the same numbers."""
    seeds = " ".join(str(result.member.seed) for result in results)
    flags = " ".join(
        f"--{name.replace('_', '-')} {value}" for name, value in params.chosen().items()
    )
    st.code(f"python -m core run {scenario} {flags} --seeds {seeds}".replace("  ", " "), "bash")
    with st.container(horizontal=True):
        st.download_button(
            "Scores (JSON)", lambda: scores_json(results), f"{scenario}.json", "application/json",
            on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            "Latents (NPZ)", lambda: latents_npz(results), f"{scenario}.npz",
            "application/octet-stream", on_click="ignore", icon=":material/download:",
        )  # fmt: skip


def scores_json(results: Sequence[Result]) -> str:
    """Every member's parameters, seed, scores and provenance."""
    rows = [{**summary(result, True), "provenance": result.provenance} for result in results]
    return json.dumps({"members": rows}, indent=1, allow_nan=False)


def latents_npz(results: Sequence[Result]) -> bytes:
    """True and recovered latents of every seed: z_<seed> (n, d), z_hat_<seed> (k, n, d_hat)."""
    arrays = {}
    for result in results:
        seed = result.member.seed
        arrays[f"z_{seed}"] = result.z
        arrays[f"z_hat_{seed}"] = result.z_hat
        arrays[f"steps_{seed}"] = result.frame_step
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()
