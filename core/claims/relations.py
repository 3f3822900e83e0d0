"""Relations between groups of measured values: written once in code, evaluated, said in words.

`every("matched") >= 0.99`, `mean("a") < mean("b") - 0.05`, `share("fold", value == 0) > 0.5`,
`by_seed("C1") < by_seed("C3")`, joined by `&`. They are evaluated on {label: [value of each run]}.
A run without a value (None) supports nothing: a relation on its group is false, but for `share` and
`count`, which count it among those that do not satisfy.
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from math import isfinite, nan
from typing import Any, Literal

Values = Mapping[str, Sequence[float | None]]
Quantity = tuple[float, ...]  # one number, or one of each run where runs are compared one by one
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "≥": operator.ge,
    "≤": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "−": operator.sub,
    "·": operator.mul,
    "/": operator.truediv,
}


class Relation(ABC):
    """Something that holds of values or does not."""

    @abstractmethod
    def holds(self, values: Values) -> bool:
        """Whether it is true of these values (KeyError for a label that is not among them)."""

    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """The groups that it speaks of, each once."""

    def __and__(self, other: "Relation") -> "Relation":
        return Both(self, other)


@dataclass(frozen=True)
class Both(Relation):
    """A conjunction."""

    one: Relation
    other: Relation

    def holds(self, values: Values) -> bool:
        """Whether both hold."""
        return self.one.holds(values) and self.other.holds(values)

    def labels(self) -> tuple[str, ...]:
        """Those of both."""
        return tuple(dict.fromkeys((*self.one.labels(), *self.other.labels())))

    def __str__(self) -> str:
        return f"{self.one}, and {self.other}"


class Term(ABC):
    """A number that follows from the values; comparing two terms makes a relation."""

    @abstractmethod
    def of(self, values: Values) -> Quantity:
        """Its numbers: a single one, or one of each run; nan where a run has no value."""

    def labels(self) -> tuple[str, ...]:
        """The groups that it speaks of."""
        return ()

    def number(self, values: Values) -> float:
        """Its number, nan where it has none (ValueError where it has one of each run)."""
        (found,) = self.of(values)
        return found

    def __ge__(self, other: "Term | float") -> Relation:
        return Comparison(self, "≥", term(other))

    def __le__(self, other: "Term | float") -> Relation:
        return Comparison(self, "≤", term(other))

    def __gt__(self, other: "Term | float") -> Relation:
        return Comparison(self, ">", term(other))

    def __lt__(self, other: "Term | float") -> Relation:
        return Comparison(self, "<", term(other))

    def __eq__(self, other: object) -> Relation:  # type: ignore[override]
        assert isinstance(other, Term | int | float), f"{other!r} is no number"
        return Comparison(self, "=", term(other))

    __hash__ = object.__hash__

    def __add__(self, other: "Term | float") -> "Term":
        return Arithmetic(self, "+", term(other))

    def __sub__(self, other: "Term | float") -> "Term":
        return Arithmetic(self, "−", term(other))

    def __mul__(self, other: "Term | float") -> "Term":
        return Arithmetic(self, "·", term(other))

    def __truediv__(self, other: "Term | float") -> "Term":
        return Arithmetic(self, "/", term(other))

    def __abs__(self) -> "Term":
        return Absolute(self)


@dataclass(frozen=True, eq=False)
class Comparison(Relation):
    """Two terms and how they compare; where a side has a number a run, in each of them."""

    left: Term
    sign: str
    right: Term

    def holds(self, values: Values) -> bool:
        """Whether it is so of finite numbers; of others it is not."""
        pairs = _aligned(self.left.of(values), self.right.of(values))
        told = (isfinite(a) and isfinite(b) and OPERATORS[self.sign](a, b) for a, b in pairs)
        return bool(pairs) and all(told)

    def labels(self) -> tuple[str, ...]:
        """Those of both sides."""
        return tuple(dict.fromkeys((*self.left.labels(), *self.right.labels())))

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


@dataclass(frozen=True, eq=False)
class Arithmetic(Term):
    """A sum, difference, product or ratio."""

    left: Term
    sign: str
    right: Term

    def of(self, values: Values) -> Quantity:
        """By the run where a side has a number a run."""
        pairs = _aligned(self.left.of(values), self.right.of(values))
        return tuple(_calculated(self.sign, a, b) for a, b in pairs)

    def labels(self) -> tuple[str, ...]:
        """Those of both sides."""
        return (*self.left.labels(), *self.right.labels())

    def __str__(self) -> str:
        return f"{_within(self.left)} {self.sign} {_within(self.right)}"


@dataclass(frozen=True, eq=False)
class Absolute(Term):
    """A term without its sign."""

    inner: Term

    def of(self, values: Values) -> Quantity:
        """Each number's size."""
        return tuple(abs(number) for number in self.inner.of(values))

    def labels(self) -> tuple[str, ...]:
        """Those of what is inside."""
        return self.inner.labels()

    def __str__(self) -> str:
        return f"|{self.inner}|"


@dataclass(frozen=True, eq=False)
class Fixed(Term):
    """A number that is set, such as a threshold."""

    value: float

    def of(self, values: Values) -> Quantity:
        """Itself."""
        return (self.value,)

    def __str__(self) -> str:
        return f"{self.value:g}".replace("-", "−")


Kind = Literal["every", "by seed", "mean", "lowest", "highest", "count", "share"]


@dataclass(frozen=True, eq=False)
class Summary(Term):
    """What a group's values come to: each of them, their mean, least, largest, or how many."""

    kind: Kind
    label: str
    condition: Relation | None = None

    def of(self, values: Values) -> Quantity:
        """The group's values, or the one number that they come to."""
        found = values[self.label]
        if not found:
            return (nan,)
        if self.condition is not None:
            met = sum(v is not None and self.condition.holds({THE_VALUE: [v]}) for v in found)
            return (met / len(found) if self.kind == "share" else float(met),)
        numbers = tuple(nan if v is None else float(v) for v in found)
        if self.kind in ("every", "by seed"):
            return numbers
        if not all(isfinite(n) for n in numbers):
            return (nan,)
        if self.kind == "mean":
            return (sum(numbers) / len(numbers),)
        return (min(numbers) if self.kind == "lowest" else max(numbers),)

    def labels(self) -> tuple[str, ...]:
        """Its group."""
        return (self.label,)

    def __str__(self) -> str:
        if self.condition is not None:
            how = "the share" if self.kind == "share" else "the number"
            said = str(self.condition).replace(f"{Summary('every', THE_VALUE)} ", "")
            return f"{how} of “{self.label}” that is {said}"
        if self.kind == "every":
            return f"every run of “{self.label}”" if self.label != THE_VALUE else "the value"
        if self.kind == "by seed":
            return f"“{self.label}” (seed by seed)"
        return f"the {self.kind} of “{self.label}”"


THE_VALUE = ""  # the label of the value that a condition inside `share` and `count` speaks of
value: Term = Summary("every", THE_VALUE)


def term(number: Term | float) -> Term:
    """A number as a term."""
    return number if isinstance(number, Term) else Fixed(float(number))


def every(label: str) -> Term:
    """Each run's value: a comparison holds when it does for all of them."""
    return Summary("every", label)


def by_seed(label: str) -> Term:
    """Each run's value, to be compared with the same seed's in another group."""
    return Summary("by seed", label)


def mean(label: str) -> Term:
    """The mean of a group's values."""
    return Summary("mean", label)


def low(label: str) -> Term:
    """The least of a group's values."""
    return Summary("lowest", label)


def high(label: str) -> Term:
    """The largest of a group's values."""
    return Summary("highest", label)


def share(label: str, condition: Relation) -> Term:
    """The part of a group's runs whose `value` meets a condition, of all of its runs."""
    return Summary("share", label, condition)


def count(label: str, condition: Relation) -> Term:
    """How many of a group's runs have a `value` that meets a condition."""
    return Summary("count", label, condition)


def together(relations: Sequence[Relation]) -> Relation:
    """All of several relations, at least one."""
    return reduce(lambda one, other: one & other, relations)


def falling(labels: Sequence[str], of: Callable[[str], Term] = mean) -> Relation:
    """From one group to the next a summary falls."""
    return together([of(a) > of(b) for a, b in pairwise(labels)])


def _aligned(left: Quantity, right: Quantity) -> list[tuple[float, float]]:
    """Both sides run by run; a single number stands beside each of the other side."""
    if len(left) != len(right) and 1 not in (len(left), len(right)):
        raise ValueError(f"{len(left)} runs cannot be compared one by one with {len(right)}")
    size = max(len(left), len(right))
    wide = (side * size if len(side) == 1 else side for side in (left, right))
    return list(zip(*wide, strict=True))


def _calculated(sign: str, a: float, b: float) -> float:
    return nan if sign == "/" and b == 0 else ARITHMETIC[sign](a, b)


def _within(part: Term) -> str:
    """A part of a sum as it is said, in brackets where it is one itself."""
    return f"({part})" if isinstance(part, Arithmetic) else str(part)
