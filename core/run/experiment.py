"""Parameters x sweep x seeds -> members -> groups of equal shape; and what a finished member is."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from core.scenarios import SCENARIOS
from core.scenarios.scenario import Params, Value, knobs_of

EVALUATED = 8192  # latents behind a score: the first half fits, the second is scored
LARGEST_GROUP = 24  # on a CPU, where more take as long each
MOST_MEMBERS = 120


@dataclass(frozen=True)
class Member:
    """One training run: a scenario, its parameters and a seed."""

    scenario: str
    params: Params
    seed: int

    def __post_init__(self) -> None:
        _belong(self.params, self.scenario)

    @classmethod
    def of(cls, scenario: str, params: Mapping[str, Value], seed: int) -> "Member":
        """From plain values, which are validated (KeyError, ValidationError)."""
        return cls(scenario, SCENARIOS[scenario].Params.model_validate(dict(params)), seed)

    @property
    def scored(self) -> int:
        """By which version of its scenario's scores this run would be scored now."""
        return SCENARIOS[self.scenario].scored

    @property
    def supervised_twin(self) -> "Member | None":
        """The same world and encoder told the latents themselves, where its scenario has that."""
        told = self.params.supervised_twin
        return None if told is None else Member(self.scenario, told, self.seed)

    @cached_property
    def key(self) -> str:
        """SHA-256 of what determines the run: scenario, version, seed, chosen fields."""
        identity = {
            "scenario": self.scenario,
            "version": SCENARIOS[self.scenario].version,
            "seed": self.seed,
            "params": self.params.chosen(),
        }
        return _digest(identity)


@dataclass(frozen=True)
class Experiment:
    """What a visitor asks for: one setting, fields to vary (their product), and seeds.

    Raises ValueError for an unknown scenario or field, another scenario's parameters, empty seeds
    or values, or too many members, and pydantic's ValidationError for a value out of range.
    """

    params: Params
    scenario: str
    seeds: tuple[int, ...]
    vary: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _belong(self.params, self.scenario)
        if not self.seeds:
            raise ValueError("seeds: give at least one")
        if any(not isinstance(seed, int) or seed < 0 for seed in self.seeds):
            raise ValueError("seeds: must be whole numbers, 0 or larger")
        for name, values in self.vary.items():
            if name not in type(self.params).model_fields:
                raise ValueError(f"vary: {self.scenario} has no parameter {name!r}")
            if not values:
                raise ValueError(f"vary: give {name} at least one value")
        if len(self.members) > MOST_MEMBERS:
            raise ValueError(
                f"{len(self.members)} runs are more than the {MOST_MEMBERS} one request may hold: "
                "use fewer values or seeds"
            )

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """Every run, in the order of the sweep's values and then of the seeds, without repeats."""
        settings = [
            self.params.but(**dict(zip(self.vary, values, strict=True)))
            for values in product(*self.vary.values())
        ]
        members = [Member(self.scenario, p, s) for p in settings for s in self.seeds]
        return tuple({member.key: member for member in members}.values())

    @cached_property
    def key(self) -> str:
        """Digest of the members' keys: equal requests are one request."""
        return _digest([member.key for member in self.members])


def _belong(params: Params, scenario: str) -> None:
    """Refuse parameters of another scenario: two runs could have one key."""
    if scenario not in SCENARIOS:
        raise ValueError(f"scenario: {scenario!r} is not one of {', '.join(SCENARIOS)}")
    if not isinstance(params, SCENARIOS[scenario].Params):
        owner = next((n for n, s in SCENARIOS.items() if type(params) is s.Params), "no scenario")
        raise ValueError(f"params: these are parameters of {owner}, not of {scenario}")


def shape(member: Member) -> str:
    """A digest of what members that train together agree in: every field that is not batched."""
    fixed = {
        name: getattr(member.params, name)
        for name, knob in knobs_of(type(member.params)).items()
        if not knob.batched
    }
    return _digest([member.scenario, fixed])


def groups(members: Iterable[Member], largest: int = LARGEST_GROUP) -> list[tuple[Member, ...]]:
    """Members that agree in every field that is not batched, at most `largest` together."""
    alike: dict[str, list[Member]] = {}
    for member in members:
        alike.setdefault(shape(member), []).append(member)
    return [
        tuple(same[start : start + largest])
        for same in alike.values()
        for start in range(0, len(same), largest)
    ]


def work(members: Iterable[Member]) -> float:
    """Floating-point operations that training these members takes."""
    return sum(SCENARIOS[member.scenario].work(member.params) for member in members)


BY_NAME = ("history", "world", "moving")  # the fields of a Result that hold arrays by name
CURVE = 40  # values of a score over training that a shipped run keeps at least
Scores = dict[str, float | None]


@dataclass(frozen=True)
class Progress:
    """A group's training as it stands: what a worker reports and a page draws. m members."""

    step: int
    steps: int
    loss: np.ndarray  # (m,) of the latest step
    scores: dict[str, np.ndarray] | None  # each (m,); None between two observations
    z: np.ndarray  # (m, n, d) the drawn points' true latents
    z_hat: np.ndarray  # (m, n, d_hat) as recovered so far
    net: np.ndarray  # (m, c, p, d) curves on the true sphere (c = 0 where none are drawn)
    net_hat: np.ndarray  # (m, c, p, d_hat) the same curves under h
    world: dict[str, np.ndarray] = field(default_factory=dict)  # as in Result, each (m, ...)
    moving: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """What is known of a finished member without its arrays: scores, and where they come from."""

    member: Member
    scores: Scores
    diverged: bool
    provenance: dict[str, str | float]  # device, torch, cpu_seconds, seconds, date, scored
    steps: int
    playable: bool  # whether its trajectory is stored, and not just the end


@dataclass(frozen=True, eq=False)
class Result:
    """A finished member. n drawn points, k frames, c curves of p points; NumPy only."""

    member: Member
    scores: Scores
    diverged: bool
    loss_step: np.ndarray  # (t,)
    loss: np.ndarray  # (t,)
    history_step: np.ndarray  # (s,)
    history: dict[str, np.ndarray]  # scores while training, each (s,)
    frame_step: np.ndarray  # (k,)
    z: np.ndarray  # (n, d)
    z_hat: np.ndarray  # (k, n, d_hat)
    net: np.ndarray  # (c, p, d)
    net_hat: np.ndarray  # (k, c, p, d_hat)
    world: dict[str, np.ndarray]  # further facts a figure needs, by the scenario's names
    provenance: dict[str, str | float]  # device, torch, cpu_seconds, seconds, date
    # what else moves while training, by the scenario's names, each (k, ...)
    moving: dict[str, np.ndarray] = field(default_factory=dict)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by name, those that are held by name as `history.<name>` and so on."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        named = {f"{g}.{name}": a for g in BY_NAME for name, a in plain[g].items()}
        return {n: a for n, a in plain.items() if isinstance(a, np.ndarray)} | named

    @classmethod
    def of(cls, record: Record, arrays: Mapping[str, np.ndarray]) -> "Result":
        """A run from its record and its arrays, named as `arrays` does (TypeError: one lacks)."""
        parts = [(name.partition("."), array) for name, array in arrays.items()]
        plain: dict[str, Any] = {name: array for (name, _, rest), array in parts if not rest}
        for group in BY_NAME:
            plain[group] = {rest: array for (name, _, rest), array in parts if name == group}
        return cls(
            record.member, dict(record.scores), record.diverged,
            provenance=dict(record.provenance), **plain,
        )  # fmt: skip

    @property
    def record(self) -> Record:
        """What is known of it without the arrays."""
        return Record(
            self.member, self.scores, self.diverged, self.provenance, self.steps, self.playable
        )

    @property
    def steps(self) -> int:
        """How many steps it was trained."""
        return int(self.loss_step[-1]) if len(self.loss_step) else 0

    @property
    def playable(self) -> bool:
        """Whether it holds its trajectory, and not just the end (as the gallery's sweeps do)."""
        return len(self.frame_step) > 1

    @property
    def sound(self) -> int:
        """How many frames can be drawn: all, or of a run that diverged those before it did."""
        lost = self.loss_step[~np.isfinite(self.loss)]  # the loss after a step less than its number
        fine = self.frame_step < lost[0] if len(lost) else np.full(len(self.frame_step), True)
        for array in (self.z_hat, self.net_hat, *self.moving.values()):
            fine &= np.isfinite(array.reshape(len(array), -1)).all(1)
        return int(np.logical_and.accumulate(fine).sum())

    def thinned(self, frames: int, points: int) -> "Result":
        """At most `frames` frames (the last among them) of `points` points: for the gallery.

        Of a run that diverged the last is the last that can be drawn.

        Arrays of `world` that follow the points (first axis n) are cut with them, curves keep every
        second point, the loss a quarter of its values, scores as many as there are frames or
        enough for a curve, and points three digits.
        """
        k, n = self.sound or 1, self.z_hat.shape[1]
        kept, seen = _evenly(k, frames), _evenly(len(self.history_step), max(frames, CURVE))
        at_frames = np.flatnonzero(np.isin(self.history_step, self.frame_step[kept]))
        seen = np.union1d(seen, at_frames)  # a frame keeps its scores
        few = slice(0, min(points, n))
        return replace(
            self,
            frame_step=self.frame_step[kept],
            history_step=self.history_step[seen],
            history={name: values[seen] for name, values in self.history.items()},
            z=compact(self.z[few]),
            z_hat=self.z_hat[kept][:, few],
            loss_step=self.loss_step[-1::-4][::-1],
            loss=self.loss[-1::-4][::-1],
            net=compact(self.net[:, ::2]),
            net_hat=self.net_hat[kept][:, :, ::2],
            world={name: compact(a[few] if len(a) == n else a) for name, a in self.world.items()},
            moving={name: a[kept] for name, a in self.moving.items()},
        )


def compact(array: np.ndarray) -> np.ndarray:
    """The array with three digits where its largest number allows that in float16, else float32.

    Whole numbers stay as they are: float16 holds them only to 2,048.
    """
    if not np.issubdtype(array.dtype, np.floating):
        return array
    largest = np.abs(array[np.isfinite(array)]).max(initial=0)
    half = np.finfo(np.float16)
    fits = largest == 0 or half.smallest_normal <= largest <= half.max
    return array.astype(np.float16 if fits else np.float32)


def _evenly(count: int, most: int) -> np.ndarray:
    """At most so many of the indices below `count`, evenly, the last among them."""
    return np.unique(np.linspace(count - 1, 0, min(most, count)).round().astype(int))


TOLD = ("linear_r2", "mcc")  # scores of the supervised twin that stand beside a run's own


def beside(scores: Scores, twin: Scores) -> Scores:
    """A run's scores with those of its supervised twin as the baseline `supervised_*`."""
    told = {f"supervised_{name}": twin.get(name) for name in TOLD}
    return {**scores, **{name: value for name, value in told.items() if value is not None}}


def summary(result: Record | Result, cached: bool) -> dict[str, object]:
    """A member's line of the shell's JSON (`null` where a score is not defined)."""
    return {
        "scenario": result.member.scenario,
        "params": result.member.params.model_dump(),
        "seed": result.member.seed,
        "scores": result.scores,
        "steps": result.steps,
        "cached": cached,
    }


def _digest(identity: object) -> str:
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Stopped(Exception):
    """Training ended early because nobody waits for it any more."""
