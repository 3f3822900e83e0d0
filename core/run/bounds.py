"""What a visitor, a request and the whole queue may ask of the workers, and how long it takes.

The bounds are a server's settings; what a request costs is foretold by the pace of runs before.
"""

import os
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.run.crew import cuda_usable
from core.run.experiment import MOST_MEMBERS, Member, Record, Result, work

PREFIX = "EXPLORER_"
Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[str, ...] = get_args(Device)


class Refused(ValueError):
    """A request over a bound, or for what is not there; its message is for the visitor."""


class Bounds(BaseModel):
    """Each bound, by the variable of the environment that sets it, `EXPLORER_` before its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: bool = Field(
        default=True, description="off: what is shipped and stored is shown, none trained"
    )
    device: Device = Field(
        default="auto", description="what trains; auto: a GPU where there is one"
    )
    most_queued: int = Field(
        default=200, ge=1, description="requests that wait for a worker, of everybody"
    )
    most_waiting: int = Field(
        default=4, ge=1, description="of them of one visitor (a browser's tab)"
    )
    most_runs: int = Field(
        default=MOST_MEMBERS, ge=1, le=MOST_MEMBERS, description="runs of one request"
    )
    most_seconds: float = Field(
        default=600, gt=0, description="that one request may take, foretold or measured"
    )

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> "Bounds":
        """As the environment says (ValueError: a sentence that names the variable)."""
        names = {name: f"{PREFIX}{name.upper()}" for name in cls.model_fields}
        given = {name: environment[v] for name, v in names.items() if environment.get(v)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0])
            raise ValueError(f"{names[field]}={given[field]!r}: {first['msg']}") from None

    @classmethod
    def asked(cls, device: str | None, here: bool = True) -> "Bounds":
        """The environment's, with the device that a flag names instead; must it train `here`?

        ValueError: a sentence, also where this machine lacks what the device needs.
        """
        bounds = cls.of_environment()
        bounds = bounds if device is None else bounds.model_copy(update={"device": device})
        if (lacking := bounds.lacking(here)) is not None:
            raise ValueError(f"--device: {lacking}" if device else lacking)
        return bounds

    def lacking(self, here: bool = False) -> str | None:
        """What the device needs that this machine lacks, if it trains, or must: `here`."""
        trains = here or (self.train and not os.environ.get("EXPLORER_SCHEDULER"))
        if self.device == "cuda" and trains and not cuda_usable():
            return "there is no GPU here, or the torch that is installed uses none"
        return None

    def check(self, runs: int, seconds: float, queued: int, waiting: int) -> None:
        """Refuse a request of so many runs, whose longest part takes `seconds` by an estimate.

        `queued` requests of anybody and `waiting` ones of this visitor wait already.
        """
        if runs > self.most_runs:
            raise Refused(
                f"{runs} runs are more than the {self.most_runs} that one request may have here: "
                "use fewer values or seeds"
            )
        if seconds > self.most_seconds:
            raise Refused(
                f"This would train for about {seconds / 60:.0f} minutes; one request may take "
                f"{self.most_seconds / 60:g}: use fewer steps, or a machine of your own, whose "
                f"{PREFIX}MOST_SECONDS may say more"
            )
        if queued >= self.most_queued:
            raise Refused(
                f"{queued} requests are waiting for a worker already: try again in a minute"
            )
        if waiting >= self.most_waiting:
            raise Refused(
                f"{waiting} requests of yours are waiting for a worker already: cancel one, or "
                "wait until it is done"
            )


def absent(members: Iterable[Member]) -> str:
    """What some of the members need and this machine has not (`Params.absent`), else nothing."""
    return next(filter(None, (member.params.absent() for member in members)), "")


def available(members: Iterable[Member]) -> None:
    """Refuse members that need what this machine has not."""
    if reason := absent(members):
        raise Refused(reason)


class Pace:
    """How fast members train, in work a CPU-second: as was shipped, then as they do here.

    `sample` gives some shipped runs, made on another machine, when first asked for.
    """

    def __init__(self, sample: Callable[[], Sequence[Record]]) -> None:
        self._sample = sample
        self.here: float | None = None  # of the runs of this engine, the last counting most

    @cached_property
    def shipped(self) -> float | None:
        """Of the shipped runs, if there are any."""
        rates = [rate for run in self._sample() if (rate := _rate([run]))]
        return statistics.median(rates) if rates else None

    @property
    def rate(self) -> float | None:
        """What is known: of here, or else of what is shipped."""
        return self.here or self.shipped

    def learn(self, runs: Sequence[Record | Result]) -> None:
        """Runs of one group have been trained here."""
        if rate := _rate(runs):
            self.here = 0.7 * (self.rate or rate) + 0.3 * rate

    def seconds(self, members: Iterable[Member], shipped: bool = False) -> float | None:
        """CPU-seconds of these, None where nothing is known; as was `shipped`, if asked for."""
        wanted, rate = work(members), self.shipped if shipped else self.rate
        return wanted / rate if rate else None if wanted else 0.0


def _rate(runs: Sequence[Record | Result]) -> float | None:
    seconds = sum(float(run.provenance["cpu_seconds"]) for run in runs)
    return work([run.member for run in runs]) / seconds if seconds > 0 else None
