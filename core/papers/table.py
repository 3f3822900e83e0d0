"""A published table as a value: its columns, its rows as printed, and the runs that stand for them.

Every number is in percent here, whatever the paper prints; `Column` says how to read it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import log10

from core.lessons import LESSONS
from core.run.experiment import Experiment
from core.scenarios.scenario import OPENED, Params, Scenario, Value

NUMBERS = re.compile(r"(-?\d+\.?\d*) ± (\d+\.?\d*)")


@dataclass(frozen=True)
class Printed:
    """A published mean over seeds and its deviation, both in percent.

    `text` is what is printed, `said` the same in percent with the digits that are printed.
    """

    text: str
    said: str
    mean: float
    sd: float


def percent(params: Params) -> float:
    """How many percent a score of 1 is."""
    return 100.0


@dataclass(frozen=True)
class Column:
    """A column of scores: what is read of a run here, and how the paper prints it.

    `name` is its score's in the shell's JSON. `score` is read of the runs of a row whose parameters
    `changes` alters; times `scale` it is in the paper's units, in percent. The printed mean times
    `mean`, and the deviation times `sd` (1 or 100), are in percent. `note` says where the two
    measures differ.
    """

    name: str
    title: str
    score: str
    changes: Mapping[str, Value] = field(default_factory=dict)
    mean: float = 1.0
    sd: float = 1.0
    scale: Callable[[Params], float] = percent
    best: float = 100.0
    note: str = ""

    def read(self, text: str) -> Printed:
        """A printed cell, such as "98.6 ± 0.01" (ValueError for a text that is none)."""
        match = NUMBERS.fullmatch(text)
        if match is None:
            raise ValueError(f"{self.name}: {text!r} is no mean with a deviation")
        mean, sd = (
            Decimal(digits).scaleb(round(log10(unit)))
            for digits, unit in zip(match.groups(), (self.mean, self.sd), strict=True)
        )
        return Printed(text, f"{mean:f} ± {sd:f}", float(mean), float(sd))


@dataclass(frozen=True)
class Row:
    """A row: the world and model that were published, what was printed, and our recipe.

    `published` gives the table's own words by heading, `cells` the printed text by column, none
    where only our own runs are shown. `params` are of the lesson whose page opens the row.
    `matched` is the paper's column M: whether its assumptions hold. `differs` says what else is
    not the same here, `repeats` names the row that the same runs stand for already.
    """

    name: str
    words: str
    lesson: str
    published: Mapping[str, str]
    matched: bool
    cells: Mapping[str, str]
    params: Mapping[str, Value]
    differs: str = ""
    repeats: str = ""
    seeds: tuple[int, ...] = OPENED

    @property
    def world(self) -> str:
        """What was published, by the table's headings: "N 10³, d 5, |C| 100"."""
        return ", ".join(f"{heading} {value}" for heading, value in self.published.items())

    @property
    def scenario(self) -> Scenario:
        """The lesson that its runs are of."""
        return LESSONS[self.lesson]

    def setting(self, column: Column, budget: Mapping[str, Value] | None = None) -> Params:
        """The parameters of its runs in a column, some changed by a budget (ValidationError)."""
        changed = {**self.params, **column.changes, **(budget or {})}
        return self.scenario.Params.model_validate(changed)

    def experiment(
        self,
        column: Column,
        seeds: tuple[int, ...] | None = None,
        budget: Mapping[str, Value] | None = None,
    ) -> Experiment:
        """Its runs in a column, from its own seeds where no others are given."""
        return Experiment(self.setting(column, budget), self.scenario.name, seeds or self.seeds)


@dataclass(frozen=True)
class Table:
    """A published table.

    `short` is its name in a row of them. `recipe` says how our runs differ from the published ones
    in general, `spread` what the printed deviation is over, `budget` changes a row's parameters to
    the published budget, `claims` has what the runs show where they disagree with it: a claim's
    name and the numbers that it speaks of, each "row/score". `words` explains the notation of its
    rows and columns, `drawn` names the page and its part that draw the same runs otherwise.
    """

    name: str
    short: str
    title: str
    source: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    recipe: str
    spread: str
    budget: Callable[[Row], Mapping[str, Value]]
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: str = ""
    drawn: tuple[str, str] | None = None

    def explained(self, name: str, row: Row, column: Column) -> bool:
        """Whether a claim, by name, speaks of a number."""
        return f"{row.name}/{column.name}" in self.claims[name]

    def of(self, row: Row) -> tuple[Column, ...]:
        """The columns that a row has; those of our own where nothing is printed."""
        printed = tuple(column for column in self.columns if column.name in row.cells)
        return printed or self.columns

    def row(self, name: str) -> Row:
        """A row by its name (StopIteration where there is none)."""
        return next(row for row in self.rows if row.name == name)
