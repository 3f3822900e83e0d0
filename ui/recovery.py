"""One run as a visitor reads it: truth beside recovered latents, and the scores beside them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.colours import direction_colours
from core.legend import SCORES
from core.run.experiment import Result
from core.run.job import Live
from core.scenarios import SCENARIOS
from core.scenarios.scenario import MOST_SEEDS
from ui import knobs
from ui.player.view import Arrow, Follow, LatentView, latent_view, plain_figure
from ui.runner import Shown
from ui.story import FOCUS
from ui.window import address, turns

if TYPE_CHECKING:
    import pandas as pd

VIEWS = ("aligned", "learnt")
FEW_SEEDS = 4  # that have room to be called so
NUMBERS, CURVES = "numbers", "curves"  # containers of what follows the picture's player
PICTURE_SECONDS = 1.0
PAIRS = 40
FIRST_AXES = (0, 1, 2)
DIGITS = 4  # of a coordinate in a link
VIEW, AXES = "view", "axes"
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
    aligned: bool = False
    """Whether recovered latents are shown turned onto the true ones."""
    on_the_way: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Scores at each frame (k,); nan where a score has no value, or was not measured."""

    @classmethod
    def of(cls, shown: Shown, seed: int) -> "Run | None":
        """The run of one seed, None while it has nothing to draw."""
        result, live = shown.result(seed), shown.in_training(seed)
        if result is not None:
            return cls.finished(result) if result.sound else None
        return None if live is None else cls.training(live, shown.key(seed), shown)

    @classmethod
    def finished(cls, result: Result) -> "Run":
        """All frames of a Result that can be drawn."""
        frames = slice(result.sound)
        return cls(
            result.member.key,
            result.z.astype(np.float32),
            result.z_hat[frames].astype(np.float32),
            result.net.astype(np.float32),
            result.net_hat[frames].astype(np.float32),
            result.frame_step[frames],
            int(result.loss_step[-1]),
            result.scores,
            {name: array.astype(np.float32) for name, array in result.world.items()},
            {name: array[frames].astype(np.float32) for name, array in result.moving.items()},
            live=False,
            diverged=result.diverged,
            on_the_way=_on_the_way(result, result.frame_step[frames]),
        )

    @classmethod
    def training(cls, live: Live, name: str, shown: Shown) -> "Run":
        """The newest frame of a member in training, and its last scores."""
        diverged = live.loss_step[-1] > 0 and not np.isfinite(live.loss[-1])
        scores = {
            name: next(
                (v for v in reversed(values[-1:] if diverged else values) if np.isfinite(v)), None
            )
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
            diverged=diverged,
        )

    @property
    def end(self) -> str:
        """Of a run that diverged, how far it is drawn."""
        if not self.diverged:
            return ""
        step = f"step {self.steps[-1]} of {self.total}"
        return "diverged" if self.live else f"diverged: drawn up to {step}"


def _on_the_way(result: Result, steps: np.ndarray) -> dict[str, np.ndarray]:
    """Each score over training at the `steps` of the frames, which need not be those of all scores.

    Scores that were not measured at every frame are left out: between two there is no number. So
    are those that say nothing of the setting.
    """
    silent = SCENARIOS[result.member.scenario].promise(result.member.params).silent
    at = {int(step): i for i, step in enumerate(result.history_step)}
    if any(int(step) not in at for step in steps):
        return {}
    seen = [at[int(step)] for step in steps]
    return {name: values[seen] for name, values in result.history.items() if name not in silent}


def run_drawn(shown: Shown, choice: "Choice") -> "tuple[int, Run | None]":
    """The seed that is drawn, and its run; says so where that has not started."""
    seed = shown.seed(choice.seed)
    run = Run.of(shown, seed)
    if run is None and shown.result(seed) is not None:
        st.caption(f"Seed {seed} diverged before anything that could be drawn was stored.")
    elif run is None:
        st.caption(f"Seed {seed} has not started yet.")
        return seed, None
    return seed, replace(run, aligned=choice.aligned)


@dataclass(frozen=True)
class Choice:
    """What a visitor wants to see of a setting: a seed, aligned or as learnt, three coordinates."""

    seed: int
    aligned: bool
    axes: tuple[int, ...]
    row: st.delta_generator.DeltaGenerator | None = None  # beside which there is room for a line


def settings(sides: bool = True, prefix: str = "") -> tuple[address.Settings, ...]:
    """The keys of a page's link that `choose` offers."""
    every = range(MOST_SEEDS)
    show = knobs.key_of(knobs.SHOW, prefix)
    seed = address.choice(show, every, "Seed drawn", 0, lambda seed: f"seed {seed}")
    view = address.choice(VIEW, VIEWS, "Recovered side", VIEWS[0])
    return (seed, view, _axes()) if sides else (seed,)


def _axes() -> address.Settings:
    """Which three coordinates are drawn, in a link such as "1-2-4"."""

    def take(link: Mapping[str, str]) -> address.Taken:
        for text in link.values():
            names = text.split("-")
            axes = [int(name) - 1 for name in names if name.isdecimal() and len(name) <= DIGITS]
            if len(set(axes)) == len(names) <= 3 and min(axes) >= 0:
                return {AXES: axes}, []
            return {}, [f"Coordinates in the link are three, such as 1-2-3 (not "
                        f"{address.quoted(text)}); the first three are drawn."]  # fmt: skip
        return {}, []

    return address.Settings(
        {AXES: list(FIRST_AXES)}, take, lambda key, axes: "-".join(str(axis + 1) for axis in axes)
    )


def seed_drawn(seeds: Sequence[int], prefix: str = "") -> int:
    """Offer which seed is drawn."""
    key = knobs.key_of(knobs.SHOW, prefix)
    wanted = address.get(key)
    if wanted not in seeds:
        if address.arrived():
            address.note(f"Seed {wanted} is not among the {len(seeds)} of the link; seed "
                         f"{seeds[0]} is drawn.")  # fmt: skip
        address.put(key, seeds[0])
    return st.segmented_control(
        "Seed drawn", seeds, default=address.get(key), required=True, key=address.widget(key),
        format_func=lambda seed: f"seed {seed}" if len(seeds) <= FEW_SEEDS else str(seed),
        label_visibility="collapsed",
    )  # fmt: skip


def choose(seeds: Sequence[int], d: int, sides: bool = True) -> Choice:
    """Offer which seed is drawn, how, and which of d coordinates.

    Only the seed where the picture has no recovered side.
    """
    seed = seed_drawn(seeds)
    if not sides:
        return Choice(seed, False, FIRST_AXES)
    view = st.segmented_control(
        "Recovered side", VIEWS, default=address.get(VIEW), required=True, key=address.widget(VIEW),
        label_visibility="collapsed",
        help="aligned: turned by the best rotation or reflection, fitted at the last step.",
    )  # fmt: skip
    axes = FIRST_AXES
    if d > 3:
        if any(axis not in range(d) for axis in address.get(AXES)):  # or text of an older list
            if address.arrived():
                address.note(f"There are {d} coordinates; the first three are drawn.")
            address.put(AXES, list(FIRST_AXES))
        chosen = st.multiselect(
            "Coordinates", range(d), address.get(AXES), max_selections=3, width=220,
            key=address.widget(AXES), format_func=lambda axis: str(axis + 1),
            label_visibility="collapsed",
        )  # fmt: skip
        axes = tuple(chosen) if len(chosen) == 3 else axes
    return Choice(seed, view == "aligned", axes)


def picture_first(key: str) -> None:
    """Hold back what comes after the picture, once, when a visitor first sees it.

    The browser draws the picture and all charts on one thread, in the order of their libraries'
    arrival: without this pause the charts below the fold come first.
    """
    seen = address.owned(f"{key}.seen")
    if not st.session_state.get(seen):
        st.session_state[seen] = True
        with turns.lent():
            time.sleep(PICTURE_SECONDS)


def picture(view: LatentView, key: str, height: int) -> None:
    """Draw a view in our component, or in Streamlit's own chart where the link says `plain=1`."""
    if address.get(address.PLAIN):
        st.plotly_chart(plain_figure(view), key=address.owned(f"{key}.plain"), alt=view.alt)
    else:
        # a room sees all of it: nothing is to be scrolled
        focus = 0 if address.presenting() else st.session_state.get(address.owned(FOCUS), 0)
        latent_view(view, key=address.owned(key), height=height, focus=focus)


def view_of(
    run: Run,
    choice: Choice,
    stale: bool = False,
    arrows: Sequence[Arrow] = (),
    moments: Sequence[str] | None = None,
    radius: float | None = None,
) -> LatentView:
    """Recovered latents as learnt, or aligned by the best orthogonal map at the last frame.

    They are drawn in units of `radius`, where theory puts the sphere, else of each frame's mean
    length: a free encoder starts near 0 and shoots far beyond its end.

    `arrows` are turned with them: truth (.., d), recovered (k, d_hat), as long as they are given.
    `moments` names the frames where they are not steps of a training.
    """
    d, d_hat = run.z.shape[1], run.z_hat.shape[2]
    drawn = choice.axes if d > 3 and max(choice.axes) < d else tuple(range(min(d, 3)))
    turn, means = _onto_truth(run, choice.aligned)
    size = np.full_like(means, radius) if radius else means

    def seen(array: np.ndarray) -> np.ndarray:
        return _columns(array @ turn, drawn)

    def in_units(array: np.ndarray) -> np.ndarray:
        return seen(array) / size.reshape(-1, *[1] * (array.ndim - 1))

    net = np.zeros((0, 0, len(drawn)), np.float32)
    net_hat = np.zeros((len(run.z_hat), 0, 0, len(drawn)), np.float32)
    r2 = run.scores.get("linear_r2")
    said = "not finite" if r2 is None else f"{r2:.3f}"
    return LatentView(
        run=run.name,
        d=len(drawn),
        z=run.z[:, drawn],
        z_hat=in_units(run.z_hat),
        steps=run.steps,
        total=run.total,
        colours=direction_colours(run.z[:, drawn]),
        net=run.net[..., drawn] if run.net.size else net,
        net_hat=in_units(run.net_hat) if run.net_hat.size else net_hat,
        net_bold=(EQUATOR, PRIME_MERIDIAN) if len(run.net) > EQUATOR else (),
        titles=("True latents z", f"Recovered ẑ, {'aligned' if choice.aligned else 'as learnt'}"),
        alt=f"True latents beside recovered ones at {_when(run, moments)}; linear R² {said}.",
        note="; ".join(
            [
                *([run.end] if run.end else []),
                *_remarks(d, d_hat, drawn, choice.aligned, float(size[-1]), bool(radius)),
            ]
        ),
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
        follow=follow(run),
    )


def follow(
    run: Run, numbers: str = NUMBERS, curves: str = CURVES, ends: Sequence[str] = ()
) -> Follow:
    """The numbers of a run, its curves, and what is of its end, where they have these keys."""
    scores = {
        SCORES[name].title: [
            SCORES[name].written(float(value) if np.isfinite(value) else None) for value in values
        ]
        for name, values in run.on_the_way.items()
    }
    return Follow(numbers, scores, curves, ends)


def _onto_truth(run: Run, aligned: bool) -> tuple[np.ndarray, np.ndarray]:
    """The map (d_hat, .) that turns recovered latents, from the last frame, and mean lengths (k,).

    Encoders that put their output on the sphere keep their length: it counts as 1.
    """
    last, d_hat = run.z_hat[-1], run.z_hat.shape[2]
    turn, ones = np.eye(d_hat, dtype=np.float32), np.ones(len(run.z_hat), np.float32)
    if not np.isfinite(last).all():
        return turn, ones
    if aligned:
        from core import metrics  # scipy takes a while to import, and the numbers come first

        turn = metrics.procrustes(run.z, last)[0].astype(np.float32)
    means = np.linalg.norm(run.z_hat.astype(float), axis=2).mean(1)
    if abs(means[-1] - 1) <= ON_THE_SPHERE:
        return turn, ones
    return turn, np.where(np.isfinite(means) & (means > 0), means, ones)


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
        where, units = f"{size:.3g}, where theory puts the sphere", f"{size:.3g} at the end"
        units = where if theory else f"the mean of |f(x)| at each frame, {units}"
        remarks.append(f"recovered lengths are divided by {units}")
    return remarks


def _when(run: Run, moments: Sequence[str] | None) -> str:
    return moments[-1] if moments else f"step {run.steps[-1]}"


def points(run: Run) -> "pd.DataFrame":
    """The table behind the picture: true latents, and recovered ones as it shows them at the end.

    In full length and all coordinates, also where the picture has room for three.
    """
    import pandas as pd  # takes a while to import, and the numbers come first

    z, z_hat = run.z, run.z_hat[-1] @ _onto_truth(run, run.aligned)[0]
    columns = {f"z {i + 1}": z[:, i] for i in range(z.shape[1])}
    how = "aligned" if run.aligned else "as learnt"
    columns |= {f"ẑ {i + 1} {how}": z_hat[:, i] for i in range(z_hat.shape[1])}
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
