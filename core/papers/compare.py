"""What a row's runs give beside what is printed: means, deviations, the difference, in percent."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.claims.measures import MEASURES, measured
from core.command import command, link, spelt
from core.papers.table import Column, Printed, Row, Table
from core.run.experiment import Experiment, Member, Record, Result
from core.scenarios.scenario import MOST_SEEDS, Params, Value

APART = 1.0  # percentage points from which on two scores disagree, or one is missed
Budget = Mapping[str, Value]
Run = Record | Result
Read = Callable[[Member], Run | None]


@dataclass(frozen=True)
class Cell:
    """One score of one row: as printed, and of every run here (None where a run has none)."""

    table: Table
    row: Row
    column: Column
    experiment: Experiment
    printed: Printed | None
    values: tuple[float | None, ...]  # in percent, of the runs that are stored
    runs: tuple[Run, ...]  # those
    missing: tuple[Member, ...]

    @property
    def known(self) -> tuple[float, ...]:
        """The values that there are."""
        return tuple(value for value in self.values if value is not None)

    @property
    def mean(self) -> float | None:
        """Of the runs here; None without any."""
        return statistics.fmean(self.known) if self.known else None

    @property
    def sd(self) -> float | None:
        """Of the runs here, as of a sample; None for fewer than two."""
        return statistics.stdev(self.known) if len(self.known) > 1 else None

    @property
    def difference(self) -> float | None:
        """Our mean less the printed one, in percentage points."""
        return None if self.mean is None or self.printed is None else self.mean - self.printed.mean

    @property
    def apart(self) -> bool:
        """Whether they disagree: by more than the printed deviation and `APART` on top."""
        if self.difference is None or self.printed is None:
            return False
        return abs(self.difference) > APART + self.printed.sd

    @property
    def missed(self) -> bool:
        """Whether ours is the worse by more than `APART`."""
        if self.difference is None or self.column.name.startswith("raw_"):
            return False  # x is not ours to improve
        return self.difference * (1 if self.column.best else -1) < -APART

    @property
    def cpu_seconds(self) -> float | None:
        """Of one run, in mean."""
        spent = [float(run.provenance["cpu_seconds"]) for run in self.runs]
        return statistics.fmean(spent) if spent else None

    @property
    def device(self) -> str | None:
        """What trained them."""
        found = sorted({str(run.provenance["device"]) for run in self.runs})
        return ", ".join(found) or None

    @property
    def recipe(self) -> str:
        """The shell's command that trains the same runs."""
        return command(self.experiment)

    @property
    def link(self) -> str:
        """The address of the page that opens them, where this machine serves it."""
        return link(self.row.lesson, **query(self.row, self.experiment))


def query(row: Row, experiment: Experiment) -> dict[str, str]:
    """The link's keys that open these runs on their page: what differs from how it opens.

    A page draws the seeds from 0 up to a few; of others a link can open the setting alone.
    """
    params, start = experiment.params, row.scenario.at_start()
    changed = {
        name: spelt(getattr(params, name))
        for name in type(params).model_fields
        if getattr(params, name) != getattr(start, name)
    }
    count = max(experiment.seeds) + 1
    return {**changed, **({"seeds": str(count)} if count <= MOST_SEEDS else {})}


def cells(
    tables: Iterable[Table],
    get: Read,
    whole: Read,
    seeds: tuple[int, ...] | None = None,
    budget: bool = False,
    rows: Sequence[str] = (),
) -> list[Cell]:
    """Every score of some tables (of the `rows` named, if any), from what is stored.

    `get` gives a run's record, `whole` the run where a measure reads its latents. `budget` asks for
    the runs of the published budget, `seeds` for others than the rows' own.
    """
    found, read = [], _Once(get, whole)
    for table in tables:
        for row in table.rows:
            if not rows or row.name in rows:
                changes = table.budget(row) if budget else None
                found += [_cell(table, row, c, seeds, changes, read) for c in table.of(row)]
    return found


class _Once:
    """Runs, each read once however many columns and rows share it."""

    def __init__(self, get: Read, whole: Read) -> None:
        self.get, self.whole = get, whole
        self.seen: dict[tuple[str, bool], Run | None] = {}

    def __call__(self, member: Member, latents: bool) -> Run | None:
        key = member.key, latents
        if key not in self.seen:
            self.seen[key] = (self.whole if latents else self.get)(member)
        return self.seen[key]


def _cell(
    table: Table,
    row: Row,
    column: Column,
    seeds: tuple[int, ...] | None,
    budget: Budget | None,
    read: _Once,
) -> Cell:
    experiment = row.experiment(column, seeds, budget)
    latents = column.score in MEASURES and MEASURES[column.score].latents
    runs, missing = [], []
    for member in experiment.members:
        run = read(member, latents)
        if run is None:
            missing.append(member)
        else:
            runs.append(run)
    text = row.cells.get(column.name)
    return Cell(
        table, row, column, experiment, None if text is None else column.read(text),
        tuple(_percent(column, experiment.params, run) for run in runs), tuple(runs),
        tuple(missing),
    )  # fmt: skip


def _percent(column: Column, params: Params, run: Run) -> float | None:
    value = measured(column.score, run)
    return None if value is None else value * column.scale(params)


def document(cell: Cell) -> dict[str, object]:
    """A cell as the shell's JSON has it; numbers in percent, seconds of one run."""
    printed, mean = cell.printed, cell.mean
    return {
        "table": cell.table.name,
        "row": cell.row.name,
        "score": cell.column.name,
        "published": None
        if printed is None
        else {"mean": printed.mean, "sd": printed.sd, "printed": printed.text},
        "measured": None if mean is None else {"mean": mean, "sd": cell.sd, "n": len(cell.known)},
        "difference": cell.difference,
        "cpu_seconds": cell.cpu_seconds,
        "device": cell.device,
        "recipe": cell.recipe,
        "link": cell.link,
    }
