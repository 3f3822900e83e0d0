"""What a visitor, a request and the whole queue may ask of the workers: a server's settings."""

import os
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.run.crew import cuda_usable
from core.run.experiment import MOST_MEMBERS

PREFIX = "EXPLORER_"


class Refused(ValueError):
    """A request over a bound; its message is a sentence for the visitor."""


class Bounds(BaseModel):
    """Each bound, by the variable of the environment that sets it, `EXPLORER_` before its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: bool = Field(
        default=True, description="off: what is shipped and stored is shown, none trained"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
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
