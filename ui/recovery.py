"""One run as a visitor reads it: truth beside recovered latents, and the scores beside them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.experiment import Result
from core.job import Live
from core.legend import BASELINES, direction_colours
from core.scenarios.scenario import Claim, Scenario
from ui.latent_view import LatentView, latent_view, plain_figure
from ui.runner import Shown

if TYPE_CHECKING:
    import pandas as pd

SEQUENCE = (
    ("linear_r2", "Linear R²", "held-out R² of the best affine map ẑ → z"),
    ("orthogonal_r2", "Orthogonal R²", "the same for a scaled rotation or reflection"),
    ("mcc", "MCC", "mean correlation after matching; not promised here: a rotation lowers it"),
    ("singular_value_mae", "Singular-value error", "0 when the fitted map is orthogonal"),
    ("degree", "Degree", "±1: a whole globe; 0: a folded one"),
    ("loss", "InfoNCE loss", "nats; once trained, on pairs it never saw"),
)
PICTURE_SECONDS = 1.0
PAIRS = 40
EQUATOR, PRIME_MERIDIAN = 14, 0  # among the graticule's curves


@dataclass(frozen=True, eq=False)
class Run:
    """A member's drawn points and scores, whether it is finished or in training."""

    name: str
    z: np.ndarray  # (n, d)
    z_hat: np.ndarray  # (k, n, d_hat)
    net: np.ndarray  # (c, p, d)
    net_hat: np.ndarray  # (k, c, p, d_hat)
    steps: np.ndarray  # (k,)
    total: int
    scores: Mapping[str, float | None]
    z_pos: np.ndarray | None
    live: bool

    @classmethod
    def of(cls, shown: Shown, seed: int) -> "Run | None":
        """The run of one seed, None while it has nothing to draw."""
        result, live = shown.result(seed), shown.in_training(seed)
        if result is not None:
            return cls.finished(result)
        return None if live is None else cls.training(live, shown.key(seed), shown)

    @classmethod
    def finished(cls, result: Result) -> "Run":
        """All frames of a Result."""
        return cls(
            result.member.key,
            result.z,
            result.z_hat.astype(np.float32),
            result.net,
            result.net_hat.astype(np.float32),
            result.frame_step,
            int(result.frame_step[-1]),
            result.scores,
            result.world.get("z_pos"),
            live=False,
        )

    @classmethod
    def training(cls, live: Live, name: str, shown: Shown) -> "Run":
        """The newest frame of a member in training, and its last scores."""
        scores = {
            name: next((value for value in reversed(values) if np.isfinite(value)), None)
            for name, values in live.scores.items()
        }
        scores["loss"] = live.loss[-1] if live.loss and np.isfinite(live.loss[-1]) else None
        return cls(
            name,
            live.z,
            live.z_hat[None],
            live.net,
            live.net_hat[None],
            np.array([shown.step]),
            shown.steps,
            scores,
            None,
            live=True,
        )


def picture_first(key: str) -> None:
    """Hold back what comes after the picture, once, when a visitor first sees it.

    The browser draws the picture and all charts on one thread, in the order of their libraries'
    arrival: without this pause the charts below the fold come first.
    """
    if not st.session_state.get(f"{key}.seen"):
        st.session_state[f"{key}.seen"] = True
        time.sleep(PICTURE_SECONDS)


def picture(
    run: Run, aligned: bool, axes: Sequence[int], key: str, stale: bool, plain: bool, height: int
) -> None:
    """Truth beside recovered; `axes` are the coordinates drawn when there are more than three."""
    view = view_of(run, aligned, axes, stale)
    if plain:
        st.plotly_chart(plain_figure(view), key=f"{key}.plain", alt=view.alt)
    else:
        latent_view(view, key=key, height=height)


def view_of(run: Run, aligned: bool, axes: Sequence[int], stale: bool = False) -> LatentView:
    """Recovered latents as learnt, or aligned by the best orthogonal map at the last frame."""
    from core import metrics  # scipy takes a while to import, and the numbers come first

    d, d_hat = run.z.shape[1], run.z_hat.shape[2]
    drawn = tuple(axes) if d > 3 else tuple(range(d))
    z_hat, net_hat = run.z_hat, run.net_hat
    if aligned and np.isfinite(z_hat[-1]).all():
        rotation, _ = metrics.procrustes(run.z, z_hat[-1])
        z_hat, net_hat = z_hat @ rotation.astype(np.float32), net_hat @ rotation.astype(np.float32)
    notes = []
    if d > 3:
        names = ", ".join(str(axis + 1) for axis in drawn)
        notes.append(f"coordinates {names} of {d}{', after alignment' if aligned else ''}")
    if d_hat != d:
        what = "projected onto the latents' space" if aligned else "its first coordinates"
        notes.append(f"the encoder has {d_hat} dimensions: {what}")
    r2 = run.scores.get("linear_r2")
    said = "not finite" if r2 is None else f"{r2:.3f}"
    return LatentView(
        run=run.name,
        d=len(drawn),
        z=run.z[:, drawn],
        z_hat=_columns(z_hat, drawn),
        steps=run.steps,
        total=run.total,
        colours=direction_colours(run.z[:, drawn]),
        net=run.net[..., drawn] if run.net.size else np.zeros((0, 0, len(drawn)), np.float32),
        net_hat=_columns(net_hat, drawn) if net_hat.size else _no_net(len(z_hat), len(drawn)),
        net_bold=(EQUATOR, PRIME_MERIDIAN) if len(run.net) > EQUATOR else (),
        titles=("True latents z", f"Recovered ẑ, {'aligned' if aligned else 'as learnt'}"),
        alt=f"True latents beside recovered ones at step {run.steps[-1]}; linear R² {said}.",
        note="; ".join(notes),
        pairs=_pairs(run, drawn),
        whiskers=False if aligned and d_hat == d else None,
        live=run.live,
        stale=stale,
    )


def numbers(run: Run, claim: Claim, floor: str = "floor") -> None:
    """The promised scores first, each with its baselines and what perfect would be.

    `floor` names the loss at the truth, which only some objectives cannot pass.
    """
    with st.container(horizontal=True, gap="small", key="numbers"):
        for name, title, meaning in SEQUENCE:
            if name not in run.scores:
                continue
            st.metric(
                f"**{title}**" if name in (claim.score, "orthogonal_r2") else title,
                _number(name, run.scores[name]),
                _beside(name, run.scores, floor),
                delta_color="off",
                delta_arrow="off",
                help=meaning,
                width="content",
            )


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name == "degree":
        return f"{value:+.0f}" if value else "0"
    return f"{value:.2f}" if name == "loss" else f"{value:.3f}"


def _beside(name: str, scores: Mapping[str, float | None], floor: str) -> str:
    """The baselines and the ceiling of a score, in the small line under it."""
    parts = [
        f"{word} {scores[f'{kind}_{name}']:.2f}"
        for kind, word in BASELINES.items()
        if scores.get(f"{kind}_{name}") is not None
    ]
    at_truth = scores.get(f"{name}_floor")
    parts += [f"{floor} {at_truth:.2f}"] if at_truth is not None else []
    ideal = {"linear_r2": "of 1", "orthogonal_r2": "of 1", "singular_value_mae": "best 0",
             "degree": "whole ±1"}  # fmt: skip
    if name == "degree" and scores[name] is None:
        return "for d = 2 and 3"
    return " · ".join([*parts, *([ideal[name]] if name in ideal else [])])


def points(run: Run) -> "pd.DataFrame":
    """The table behind the picture: true and recovered latents, as learnt, at the last frame."""
    import pandas as pd  # takes a while to import, and the numbers come first

    z, z_hat = run.z, run.z_hat[-1]
    columns = {f"z{i + 1}": z[:, i] for i in range(z.shape[1])}
    columns |= {f"z_hat{i + 1}": z_hat[:, i] for i in range(z_hat.shape[1])}
    return pd.DataFrame(columns)


def history(shown: Shown, score: str) -> dict[str, tuple[Sequence[float], Sequence[float]]]:
    """A score or the loss over training, for every seed, by the seed's name."""
    series: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
    for member in shown.experiment.members:
        result, live = shown.results.get(member.key), shown.live.get(member.key)
        name = f"seed {member.seed}"
        if result is not None:
            series[name] = (
                (result.loss_step, result.loss)
                if score == "loss"
                else (result.history_step, result.history[score])
            )
        elif live is not None:
            series[name] = (
                (live.loss_step, live.loss)
                if score == "loss"
                else (live.score_step, live.scores.get(score, []))
            )
    return series


def tally(scenario: Scenario, results: Sequence[Result], whole: bool) -> str:
    """How many seeds reached the promise, in a sentence.

    `whole` says whether the data cover the sphere, of which the degree speaks.
    """
    values = [r.scores[scenario.claim.score] for r in results]
    good = sum(value is not None and value >= 0.99 for value in values)
    lost = sum(r.diverged for r in results)
    sentence = f"{good} of {len(values)} seeds reach 0.99"
    folded = sum(r.scores.get("degree") == 0 for r in results) if whole else 0
    if folded:
        sentence += f"; {folded} {'has' if folded == 1 else 'have'} degree 0, a folded globe"
    return sentence + (f"; {lost} diverged" if lost else "") + "."


def spread(results: Sequence[Result], whole: bool = True) -> str:
    """The spread of scores over seeds against raw x, and how many maps are whole."""
    pairs = [(r.scores["linear_r2"], r.scores["raw_linear_r2"]) for r in results]
    known = [(r2, raw) for r2, raw in pairs if r2 is not None and raw is not None]
    if not known:
        return "not measured here."
    r2s, raws = zip(*known, strict=True)
    words = f"linear R² {_range(r2s)} (raw x {_range(raws)}"
    better = sum(raw > r2 for r2, raw in known)
    words += f", better for {better} of {len(known)})" if better else ")"
    if not whole:
        return words + "."
    count = sum(r.scores.get("degree") in (1, -1) for r in results)
    return f"{words}, {count} of {len(results)} maps whole."


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.3f}", f"{max(values):.3f}"
    return low if low == high else f"{low} to {high}"


def _columns(array: np.ndarray, drawn: Sequence[int]) -> np.ndarray:
    """Chosen last-axis columns; zeros where the encoder has fewer dimensions."""
    missing = max(drawn) + 1 - array.shape[-1]
    if missing > 0:
        array = np.concatenate([array, np.zeros((*array.shape[:-1], missing), array.dtype)], -1)
    return array[..., list(drawn)]


def _pairs(run: Run, drawn: Sequence[int]) -> tuple[np.ndarray, np.ndarray] | None:
    """A few positive pairs, to show how close they lie; on the whole sphere only."""
    if run.z_pos is None or len(drawn) < run.z.shape[1]:
        return None
    few = np.arange(min(PAIRS, len(run.z_pos)))
    return run.z_pos[few], few


def _no_net(k: int, d: int) -> np.ndarray:
    return np.zeros((k, 0, 0, d), np.float32)
