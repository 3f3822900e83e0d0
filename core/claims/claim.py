"""A claim: a statement made from runs, as a value that can be measured, worded and refuted."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from typing import Literal

from core.claims.drawn import Drawn
from core.claims.measures import MEASURES, Scored, described, measured
from core.claims.relations import Relation, Summary, Term
from core.legend import Score
from core.lessons import LESSONS, SETUPS
from core.run.experiment import Experiment, Member, Result
from core.scenarios.scenario import FURTHER, OPENED, Params, Value

RESTS = (*OPENED, *FURTHER)  # the seeds that a statement rests on
Kind = Literal["theorem", "published", "measured here", "conjecture"]
FIELD = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, eq=False)
class Runs:
    """A group of runs: a setting of a lesson, the values of what varies in it, and seeds.

    `score` is what is read of them where that is not the claim's own. The seeds of an `example` are
    part of the statement ("it can happen"), so that no others stand for them.
    """

    lesson: str
    params: Mapping[str, Value] = field(default_factory=dict)
    seeds: tuple[int, ...] = RESTS
    vary: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    score: str = ""
    example: bool = False

    @cached_property
    def setting(self) -> Params:
        """Its parameters, validated."""
        return LESSONS[self.lesson].Params.model_validate(dict(self.params))

    def members(self, seeds: Sequence[int] | None = None) -> tuple[Member, ...]:
        """Its runs, by setting and then by seed; from other seeds where these are given."""
        of = self.seeds if seeds is None or self.example else tuple(seeds)
        return Experiment(self.setting, LESSONS[self.lesson].name, of, self.vary).members

    def read(self, score: str) -> "Runs":
        """The same runs, and another score of them."""
        return replace(self, score=score)


@dataclass(frozen=True, eq=False)
class Exact:
    """Values that theory gives, without a run: no seed changes them."""

    compute: Callable[[], Sequence[float]]
    title: str
    format: str = ".3f"

    def members(self, seeds: Sequence[int] | None = None) -> tuple[Member, ...]:
        """None."""
        return ()

    def values(self, seeds: Sequence[int] | None = None) -> Sequence[float]:
        """What theory gives, whatever the seeds."""
        return self.compute()


Exhibit = Runs | Drawn | Exact


@dataclass(frozen=True)
class Opens:
    """What a click loads: a preset of a lesson, or a setting of it."""

    lesson: str
    preset: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def of(cls, group: "Runs | Drawn") -> "Opens":
        """The setting of the first of some runs, or of what is drawn."""
        if isinstance(group, Drawn):
            return cls("scores", params=group.setting.chosen())
        return cls(group.lesson, params=group.members()[0].params.chosen())

    @property
    def setting(self) -> Params:
        """The parameters, validated (StopIteration for a preset that there is not)."""
        lesson = SETUPS[self.lesson]
        chosen = self.params
        if self.preset:
            chosen = next(p for p in lesson.presets if p.name == self.preset).params
        return lesson.Params.model_validate(dict(chosen))


@dataclass(frozen=True)
class Shows:
    """Which picture shows a claim: seeds as dots, a score over training, a sweep of a field (and
    a second one), a table, or a figure of its page by name."""

    picture: Literal["dots", "curves", "sweep", "table", "figure"] = "dots"
    name: str = ""  # of the figure, or the field that a sweep varies
    by: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)  # which the sweep holds fixed
    scores: tuple[str, ...] = ()  # the claim's own where none is named


@dataclass(frozen=True, eq=False)
class Claim:
    """A statement made from runs.

    `name` is unique over the explorer and fit for a link; `page` is the lesson it stands on.
    `words` and `because` take every measured number from the evidence: `{label.low}`,
    `{label.high}`, `{label.mean}`, `{label.span}`, `{label.runs}`, a parameter of its runs
    (`{label.kappa}`), or a term of `numbers` (`{folded}`). `typed` lists the texts with digits that
    stand there by hand: a number that a paper prints, a formula. `holds` is a relation on the
    evidence; `counter` names a label and the runs that, put in its place, make it fail.
    """

    name: str
    page: str
    words: str
    because: str
    evidence: Mapping[str, Exhibit]
    score: str
    holds: Relation
    counter: tuple[str, Exhibit]
    opens: Opens
    kind: Kind = "measured here"
    source: str = "this project"
    shows: Shows = Shows()
    numbers: Mapping[str, Term] = field(default_factory=dict)
    typed: tuple[str, ...] = ()

    def members(self, seeds: Sequence[int] | None = None) -> tuple[Member, ...]:
        """Every run behind it, the counter's among them, each once; from other seeds if given."""
        groups = (*self.evidence.values(), self.counter[1])
        found = {m.key: m for group in groups for m in group.members(seeds)}
        return tuple(found.values())

    def written_by(self, group: Exhibit) -> Score:
        """How the values of one of its groups are called and written."""
        if isinstance(group, Exact):
            return Score(group.title, group.title, format=group.format)
        return described(group.score or self.score)

    @property
    def against(self) -> dict[str, Exhibit]:
        """The evidence with the counter's runs in place of the group that they stand for."""
        return {**self.evidence, self.counter[0]: self.counter[1]}


@dataclass(frozen=True)
class Found:
    """What a claim's evidence comes to: a value a run by label, None where a run has none.

    `runs` are those behind the values, `missing` those that were not there.
    """

    claim: Claim
    values: Mapping[str, tuple[float | None, ...]]
    missing: tuple[Member, ...] = ()

    @property
    def verdict(self) -> bool | None:
        """Whether the relation holds; None while a run of the evidence is missing."""
        return None if self.missing else self.claim.holds.holds(self.values)

    @property
    def words(self) -> str:
        """The claim's words with their numbers."""
        return self.filled(self.claim.words)

    @property
    def because(self) -> str:
        """Its reason with its numbers."""
        return self.filled(self.claim.because)

    def filled(self, text: str) -> str:
        """A text with every field in it as the evidence has it (KeyError for one that is none)."""
        return FIELD.sub(lambda match: self.field(match[1]), text)

    def field(self, name: str) -> str:
        """One field: a named number, or a label and what is asked of it."""
        if name in self.claim.numbers:
            return self._number(self.claim.numbers[name])
        label, _, asked = name.rpartition(".")
        group = self.claim.evidence[label]
        if not isinstance(group, Exact) and asked in type(group.setting).model_fields:
            setting = getattr(group.setting, asked)
            return f"{setting:g}".replace("-", "−") if isinstance(setting, float) else str(setting)
        return STATISTICS[asked](self.values[label], self.claim.written_by(group))

    def _number(self, term: Term) -> str:
        """A named number as it is written: a count whole, a share in percent."""
        number = term.number(self.values)
        if not isfinite(number):
            return "–"
        if isinstance(term, Summary) and term.condition is not None:
            return f"{number:.0%}" if term.kind == "share" else f"{number:.0f}"
        labels = term.labels()
        group = self.claim.evidence[labels[0]] if labels else None
        return self.claim.written_by(group).written(number) if group else f"{number:g}"


def _span(values: Sequence[float | None], score: Score) -> str:
    """The least and the largest, "0.998 to 0.999"; what it would mix up where a run has none."""
    known = [v for v in values if v is not None]
    low, high = (_at(end)(values, score) for end in (min, max))
    said = low if low == high else f"{low} to {high}"
    lost = len(values) - len(known)
    return f"{said} ({lost} of {len(values)} without a score)" if lost and known else said


def _at(
    of: Callable[[list[float]], float],
) -> Callable[[Sequence[float | None], Score], str]:
    def written(values: Sequence[float | None], score: Score) -> str:
        known = [v for v in values if v is not None]
        return score.written(of(known)) if known else "–"

    return written


STATISTICS: dict[str, Callable[[Sequence[float | None], Score], str]] = {
    "low": _at(min),
    "high": _at(max),
    "mean": _at(lambda known: sum(known) / len(known)),
    "span": _span,
    "runs": lambda values, score: str(len(values)),
}


def gathered(
    claim: Claim,
    get: Callable[[Member], Scored | None],
    whole: Callable[[Member], Result | None] | None = None,
    counter: bool = False,
    seeds: Sequence[int] | None = None,
) -> Found:
    """Read a claim's evidence, or with `counter` the same with the counter's runs in place.

    `get` gives a stored run, or a record without its latents; where a measure reads those, `whole`
    is asked instead (by default `get`). `seeds` are asked for in place of the claim's own.
    """
    values: dict[str, tuple[float | None, ...]] = {}
    missing: list[Member] = []
    for label, group in (claim.against if counter else claim.evidence).items():
        if not isinstance(group, Runs):
            values[label] = tuple(float(v) for v in group.values(seeds))
            continue
        name = group.score or claim.score
        latents = name in MEASURES and MEASURES[name].latents
        read = whole if latents and whole is not None else get
        found: list[float | None] = []
        for member in group.members(seeds):
            run = read(member)
            if run is None:
                missing.append(member)
            else:
                found.append(measured(name, run))
        values[label] = tuple(found)
    return Found(claim, values, tuple(missing))


def swept(
    lesson: str,
    field: str,
    values: Sequence[Value],
    params: Mapping[str, Value] | None = None,
    symbol: str = "",
    score: str = "",
    seeds: tuple[int, ...] = RESTS,
) -> dict[str, Runs]:
    """A group for each value of a field, labelled "symbol = value"."""
    return {
        f"{symbol or field} = {value:g}" if isinstance(value, float) else
        f"{symbol or field} = {value}": Runs(lesson, {**(params or {}), field: value}, seeds,
                                             score=score)
        for value in values
    }  # fmt: skip


def preset(lesson: str, name: str, score: str = "") -> Runs:
    """The runs of a lesson's preset, its further seeds among them."""
    chosen = next(p for p in LESSONS[lesson].presets if p.name == name)
    return Runs(lesson, chosen.params, chosen.every_seed, score=score)
