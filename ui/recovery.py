"""One run as a visitor reads it: truth beside recovered latents, and the scores beside them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.experiment import Result
from core.job import Live
from core.legend import BASELINES, SCORES, direction_colours
from core.scenarios.scenario import Claim
from ui import knobs
from ui.latent_view import Arrow, LatentView, latent_view, plain_figure
from ui.runner import Shown
from ui.story import FOCUS

if TYPE_CHECKING:
    import pandas as pd

VIEWS = ("aligned", "learnt")
PICTURE_SECONDS = 1.0
PAIRS = 40
FIRST_AXES = (0, 1, 2)
ON_THE_SPHERE = 0.02  # how far a mean length may be from 1
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
    world: Mapping[str, np.ndarray]
    moving: Mapping[str, np.ndarray]  # each (k, ...)
    live: bool
    diverged: bool = False

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
            result.z.astype(np.float32),
            result.z_hat.astype(np.float32),
            result.net.astype(np.float32),
            result.net_hat.astype(np.float32),
            result.frame_step,
            int(result.frame_step[-1]),
            result.scores,
            {name: array.astype(np.float32) for name, array in result.world.items()},
            {name: array.astype(np.float32) for name, array in result.moving.items()},
            live=False,
            diverged=result.diverged,
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
            live.world,
            {name: array[None] for name, array in live.moving.items()},
            live=True,
        )


def chosen(shown: Shown, choice: "Choice") -> "tuple[int, Run | None]":
    """The seed that is drawn, and its run; says so where that has not started."""
    seed = shown.seed(choice.seed)
    run = Run.of(shown, seed)
    if run is None:
        st.caption(f"Seed {seed} has not started yet.")
    return seed, run


@dataclass(frozen=True)
class Choice:
    """What a visitor wants to see of a setting: a seed, aligned or as learnt, three coordinates."""

    seed: int
    aligned: bool
    axes: tuple[int, ...]


def choose(seeds: Sequence[int], d: int, sides: bool = True) -> Choice:
    """Take from the link, and offer, which seed is drawn, how, and which of d coordinates.

    Only the seed where the picture has no recovered side.
    """
    knobs.choice("show", seeds, "Seed drawn", lambda seed: f"seed {seed}")
    if st.session_state.get("show") not in (None, *seeds):
        del st.session_state["show"]
    seed = st.segmented_control(
        "Seed drawn", seeds, default=seeds[0], required=True, key="show", bind="query-params",
        format_func=lambda seed: f"seed {seed}", label_visibility="collapsed",
    )  # fmt: skip
    if not sides:
        return Choice(seed, False, FIRST_AXES)
    knobs.choice("view", VIEWS, "Recovered side")
    view = st.segmented_control(
        "Recovered side", VIEWS, default="aligned", required=True, key="view",
        bind="query-params", label_visibility="collapsed",
        help="aligned: turned by the best rotation or reflection, fitted at the last step.",
    )  # fmt: skip
    axes = FIRST_AXES
    if d > 3:
        names = [str(i + 1) for i in range(d)]
        chosen = st.multiselect(
            "Coordinates", names, names[:3], max_selections=3, key="axes", width=220,
            bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
        axes = tuple(int(name) - 1 for name in chosen) if len(chosen) == 3 else axes
    return Choice(seed, view == "aligned", axes)


def picture_first(key: str) -> None:
    """Hold back what comes after the picture, once, when a visitor first sees it.

    The browser draws the picture and all charts on one thread, in the order of their libraries'
    arrival: without this pause the charts below the fold come first.
    """
    if not st.session_state.get(f"{key}.seen"):
        st.session_state[f"{key}.seen"] = True
        time.sleep(PICTURE_SECONDS)


def picture(view: LatentView, key: str, height: int) -> None:
    """Draw a view in our component, or in Streamlit's own chart where the link says `plain=1`."""
    if st.query_params.get("plain") == "1":
        st.plotly_chart(plain_figure(view), key=f"{key}.plain", alt=view.alt)
    else:
        latent_view(view, key=key, height=height, focus=st.session_state.get(FOCUS, 0))


def view_of(
    run: Run,
    choice: Choice,
    stale: bool = False,
    arrows: Sequence[Arrow] = (),
    moments: Sequence[str] | None = None,
    radius: float | None = None,
) -> LatentView:
    """Recovered latents as learnt, or aligned by the best orthogonal map at the last frame.

    They are drawn in units of `radius`, where theory puts the sphere, else of their mean length.

    `arrows` are turned with them: truth (.., d), recovered (k, d_hat), as long as they are given.
    `moments` names the frames where they are not steps of a training.
    """
    d, d_hat = run.z.shape[1], run.z_hat.shape[2]
    drawn = choice.axes if d > 3 and max(choice.axes) < d else tuple(range(min(d, 3)))
    turn, mean = _onto_truth(run, choice.aligned)
    size = np.float32(radius) if radius else mean

    def seen(array: np.ndarray) -> np.ndarray:
        return _columns(array @ turn, drawn)

    net = np.zeros((0, 0, len(drawn)), np.float32)
    net_hat = np.zeros((len(run.z_hat), 0, 0, len(drawn)), np.float32)
    r2 = run.scores.get("linear_r2")
    said = "not finite" if r2 is None else f"{r2:.3f}"
    return LatentView(
        run=run.name,
        d=len(drawn),
        z=run.z[:, drawn],
        z_hat=seen(run.z_hat) / size,
        steps=run.steps,
        total=run.total,
        colours=direction_colours(run.z[:, drawn]),
        net=run.net[..., drawn] if run.net.size else net,
        net_hat=seen(run.net_hat) / size if run.net_hat.size else net_hat,
        net_bold=(EQUATOR, PRIME_MERIDIAN) if len(run.net) > EQUATOR else (),
        titles=("True latents z", f"Recovered ẑ, {'aligned' if choice.aligned else 'as learnt'}"),
        alt=f"True latents beside recovered ones at {_when(run, moments)}; linear R² {said}.",
        note="; ".join(_remarks(d, d_hat, drawn, choice.aligned, float(size), bool(radius))),
        arrows=[
            replace(
                arrow,
                truth=None if arrow.truth is None else arrow.truth[..., list(drawn)],
                recovered=None if arrow.recovered is None else seen(arrow.recovered),
            )
            for arrow in arrows
        ],
        pairs=_pairs(run, drawn),
        whiskers=False if choice.aligned and d_hat == d else None,
        live=run.live,
        stale=stale,
        moments=moments,
    )


def _onto_truth(run: Run, aligned: bool) -> tuple[np.ndarray, np.float32]:
    """The map (d_hat, .) that turns recovered latents, and the length they are divided by.

    Both from the last frame. Encoders that put their output on the sphere keep their length.
    """
    last, d_hat = run.z_hat[-1], run.z_hat.shape[2]
    turn, size = np.eye(d_hat, dtype=np.float32), np.float32(1)
    if not np.isfinite(last).all():
        return turn, size
    if aligned:
        from core import metrics  # scipy takes a while to import, and the numbers come first

        turn = metrics.procrustes(run.z, last)[0].astype(np.float32)
    mean = np.linalg.norm(last, axis=1).mean()
    return turn, np.float32(mean) if mean > 0 and abs(mean - 1) > ON_THE_SPHERE else size


def _remarks(
    d: int, d_hat: int, drawn: Sequence[int], aligned: bool, size: float, theory: bool
) -> list[str]:
    """What the picture does not show as it is."""
    remarks = []
    if d > 3:
        names = ", ".join(str(axis + 1) for axis in drawn)
        remarks.append(f"coordinates {names} of {d}{', after alignment' if aligned else ''}")
    if d_hat != d:
        what = "projected onto the latents' space" if aligned else "its first coordinates"
        remarks.append(f"the encoder has {d_hat} dimensions: {what}")
    if size != 1:
        what = "where theory puts the sphere" if theory else "the mean of |f(x)|"
        remarks.append(f"recovered lengths are divided by {size:.3g}, {what}")
    return remarks


def _when(run: Run, moments: Sequence[str] | None) -> str:
    return moments[-1] if moments else f"step {run.steps[-1]}"


def numbers(
    run: Run,
    claim: Claim,
    floor: str = "floor",
    ideals: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    key: str = "numbers",
) -> None:
    """The promised scores first, each with its baselines and what perfect would be.

    `floor` names the loss at the truth, which only some objectives cannot pass. `ideals` says what
    perfect is where that depends on the setting. Scores named in `without` are left out.
    """
    rest = (name for name in SCORES if name not in (*claim.promised, *without))
    order = [*claim.promised, *rest]
    with st.container(horizontal=True, gap="small", key=key):
        for name in order:
            score, beside = SCORES[name], _beside(name, run, floor, ideals or {})
            if name in claim.silent:
                beside = claim.silent[name]
            known = run.scores.get(name) is not None
            if name not in run.scores or not (known or beside or name in claim.promised):
                continue
            st.metric(
                f"**{score.title}**" if name in claim.promised else score.title,
                score.written(None if name in claim.silent else run.scores[name]),
                beside,
                delta_color="off",
                delta_arrow="off",
                help=score.meaning,
                width="content",
            )


def _beside(name: str, run: Run, floor: str, ideals: Mapping[str, str]) -> str:
    """A score's baselines and its ceiling, or why it has no value: the small line under it."""
    known = [
        f"{word} {_briefly(name, value)}"
        for word, kind in ((word, f"{kind}_{name}") for kind, word in BASELINES.items())
        if (value := run.scores.get(kind)) is not None
    ]
    at_truth = run.scores.get(f"{name}_floor")
    known += [f"{floor} {at_truth:.2f}"] if at_truth is not None else []
    if run.scores.get(name) is None:
        why = "diverged" if run.diverged else SCORES[name].none
        return " · ".join([*known, *([why] if why else [])])
    ideal = ideals.get(name, SCORES[name].ideal)
    return " · ".join([*known, *([ideal] if ideal else [])])


def _briefly(name: str, value: float) -> str:
    """A baseline to two decimals, or to as many as its score needs."""
    score = SCORES[name]
    return f"{value:.2f}" if score.format == ".3f" else score.written(value)


def points(run: Run) -> "pd.DataFrame":
    """The table behind the picture: true and recovered latents, as learnt, at the last frame."""
    import pandas as pd  # takes a while to import, and the numbers come first

    z, z_hat = run.z, run.z_hat[-1]
    columns = {f"z{i + 1}": z[:, i] for i in range(z.shape[1])}
    columns |= {f"z_hat{i + 1}": z_hat[:, i] for i in range(z_hat.shape[1])}
    return pd.DataFrame(columns)


def _columns(array: np.ndarray, drawn: Sequence[int]) -> np.ndarray:
    """Chosen last-axis columns; zeros where the encoder has fewer dimensions."""
    missing = max(drawn) + 1 - array.shape[-1]
    if missing > 0:
        array = np.concatenate([array, np.zeros((*array.shape[:-1], missing), array.dtype)], -1)
    return array[..., list(drawn)]


def _pairs(run: Run, drawn: Sequence[int]) -> tuple[np.ndarray, np.ndarray] | None:
    """A few positive pairs, to show how close they lie; on the whole sphere only."""
    z_pos = run.world.get("z_pos")
    if z_pos is None or len(drawn) < run.z.shape[1]:
        return None
    few = np.arange(min(PAIRS, len(z_pos)))
    return z_pos[few], few
