"""What a scenario is: parameters, promise, presets, and what to say when an assumption breaks.

Nothing here trains or draws, so importing it is cheap (no torch).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Value = bool | int | float | str | None


class Params(BaseModel):
    """The parameters of one run; subclasses declare one `knob` per field.

    A field's single declaration gives the widget, its range, the link key, the shell flag, the
    validation with its message, and its part of the store key.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )

    def inactive(self) -> frozenset[str]:
        """Names of the fields that have no effect given the others (greyed out, not in the key)."""
        return frozenset()

    def instead(self) -> Mapping[str, Value]:
        """By inactive field the value that holds in its place, where one does."""
        return {}

    @classmethod
    def offered(cls, name: str) -> tuple[str, ...]:
        """Of a field's choices those that can be had on this machine."""
        return knob_of(cls, name).choices

    def absent(self) -> str:
        """What a run needs that this machine has not, a sentence without its stop; else nothing."""
        return ""

    @property
    def whole(self) -> bool:
        """Whether the latents cover their space, so that the degree of the map says something."""
        return True

    @property
    def free_rotation(self) -> int:
        """In how many dimensions codes have the same loss turned by any rotation; 0 where not so.

        Then MCC is luck: that of a rotation at random, of uncorrelated latents of one variance.
        """
        return 0

    @property
    def supervised_twin(self) -> "Params | None":
        """The same encoder and training, told the latents themselves: a baseline.

        (At a short budget no ceiling: it has the latents' own axes to find as well.) None for that
        itself, and where a scenario has no `OBJECTIVE`.
        """
        if getattr(self, "objective", None) != "contrastive":
            return None
        told = self.but(objective="supervised")
        return self.model_validate(told.chosen())  # without what has no effect there

    def chosen(self) -> dict[str, Value]:
        """The active fields that differ from their default: what makes this setting itself."""
        fields, inactive, unsaid = type(self).model_fields, self.inactive(), self.unsaid()
        return {
            name: value
            for name in sorted(fields)
            if name not in inactive
            and (value := getattr(self, name)) != fields[name].default
            and (name not in unsaid or value != unsaid[name])
        }

    def unsaid(self) -> Mapping[str, Value]:
        """By field the value that only spells out what its default means, so is no choice."""
        return {}

    def but(self, **changes: Value) -> Self:
        """The same parameters with some changed, validated again (raises `ValidationError`)."""
        return type(self).model_validate({**self.model_dump(), **changes})


def knob(
    default: Value,
    help: str,
    *,
    label: str,
    symbol: str = "",
    unit: str = "",
    batched: bool = False,
    advanced: bool = False,
    scale: Literal["linear", "log", "doubling"] = "linear",
    none: str = "",
    ge: float | None = None,
    le: float | None = None,
) -> Any:
    """Declare a field of a `Params` model.

    `label` is its name in words, `symbol` its LaTeX, `unit` its unit or meaning, `help` one line.
    `batched` fields may differ between members trained together. `scale` is how its values
    are spaced on a slider or an axis, `none` says what leaving an optional field empty means.
    """
    about: dict[str, Any] = {
        "label": label,
        "symbol": symbol,
        "unit": unit,
        "batched": batched,
        "advanced": advanced,
        "scale": scale,
        "none": none,
    }
    return Field(default, description=help, ge=ge, le=le, json_schema_extra=about)


@dataclass(frozen=True)
class Knob:
    """One field of a `Params` model as a control: everything a widget, a flag or an axis needs."""

    name: str
    kind: type  # int, float, bool or str
    default: Value
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    optional: bool
    help: str
    label: str
    symbol: str
    unit: str
    batched: bool
    advanced: bool
    scale: Literal["linear", "log", "doubling"]
    none: str


def knob_of(params: type[Params], name: str) -> Knob:
    """Read the declaration of field `name` (KeyError when there is none)."""
    field = params.model_fields[name]
    inner, optional = _without_none(field.annotation)
    is_choice = get_origin(inner) is Literal
    kind = str if is_choice else inner
    low = next((kind(m.ge) for m in field.metadata if isinstance(m, Ge)), None)
    high = next((kind(m.le) for m in field.metadata if isinstance(m, Le)), None)
    about = field.json_schema_extra
    assert isinstance(about, dict), f"{name} is not declared with knob()"
    return Knob(
        name=name,
        kind=kind,
        default=field.default,
        low=low,
        high=high,
        choices=get_args(inner) if is_choice else (),
        optional=optional,
        help=field.description or "",
        **about,  # type: ignore[arg-type]
    )


def knobs_of(params: type[Params]) -> dict[str, Knob]:
    """Every field's declaration, in the order they are written."""
    return {name: knob_of(params, name) for name in params.model_fields}


PLAIN = {  # pydantic's word for what is wrong -> ours, where its sentence speaks to programmers
    "extra_forbidden": "is not a parameter",
    "float_parsing": "should be a number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
}


def explain(error: ValidationError, quote: Callable[[str], str] = repr) -> tuple[str, str]:
    """The first field that pydantic rejects, and why, in words for a visitor.

    `quote` sets off what was given, which may be anybody's text.
    """
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    reason = PLAIN.get(first["type"], reason)
    return field, f"{reason} (not {quote(str(first['input'])[:40])})"


def _without_none(annotation: Any) -> tuple[type, bool]:
    if get_origin(annotation) in (Union, UnionType):
        rest = [a for a in get_args(annotation) if a is not NoneType]
        assert len(rest) == 1, f"a knob has one type, not {annotation}"
        return rest[0], True
    return annotation, False


@dataclass(frozen=True)
class Notice:
    """A sentence about a setting that runs but breaks an assumption or cannot show something."""

    field: str
    text: str


@dataclass(frozen=True)
class Assumption:
    """What a theorem asks of a setting: whether that has it, and what is asked for, in words.

    `otherwise` says more of a setting that lacks it, as a notice about `field`.
    """

    field: str
    words: str
    holds: Callable[[Any], bool]
    otherwise: Callable[[Any], str] | None = None


def missing(assumptions: Iterable[Assumption], params: Params) -> tuple[Assumption, ...]:
    """The assumptions that a setting lacks."""
    return tuple(each for each in assumptions if not each.holds(params))


def lacking(assumptions: Iterable[Assumption], params: Params) -> list[Notice]:
    """What there is to say of the assumptions that a setting lacks."""
    return [
        Notice(each.field, text)
        for each in missing(assumptions, params)
        if each.otherwise and (text := each.otherwise(params))
    ]


@dataclass(frozen=True)
class Promise:
    """What a theorem promises of a setting: the ambiguity left, its score, its source.

    Nothing where the setting lacks an assumption: then `missing` says which, in words. `promised`
    names every score that the theorem speaks of, `score` the one that stands for them: a run keeps
    the promise when that is at least `bound`, or at most where `at_most`; without a bound no score
    decides. Scores in `silent` say nothing in this setting, each for the reason given.
    """

    up_to: Literal["orthogonal", "linear", "permutation", "invariance"]
    score: str
    promised: tuple[str, ...]
    statement: str
    source: str
    bound: float | None = 0.99
    at_most: bool = False
    missing: tuple[str, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)

    @property
    def judges(self) -> bool:
        """Whether something is promised that a score can keep or break."""
        return not self.missing and self.bound is not None

    @property
    def said(self) -> str:
        """The promise in a sentence, or why there is none."""
        if not self.missing:
            return f"Promised: {self.statement} ({self.source})"
        return f"Nothing is promised here: that takes {in_words(self.missing)} ({self.source})."

    def kept(self, value: float | None) -> bool:
        """Whether a run of this score keeps the promise."""
        if value is None or self.bound is None or self.missing:
            return False
        return value <= self.bound if self.at_most else value >= self.bound


def in_words(items: Sequence[str]) -> str:
    """A list as a sentence has it: "a, b and c"."""
    return " and ".join([*([", ".join(items[:-1])] if len(items) > 1 else []), items[-1]])


MOST_SEEDS = 8  # that a page draws, from 0 up
OPENED = (0, 1, 2)  # the seeds that a page opens with
FURTHER = (3, 4)  # those that a range printed in a text rests on beside them


@dataclass(frozen=True)
class Preset:
    """A named setting with the lesson it teaches; shipped in the gallery with its trajectories.

    Of its `further` seeds only scores and last frames are shipped, for the ranges that texts print.
    `drawn` is the seed that its picture shows at first, the first of `seeds` if not said; what is
    `compared` is drawn beside the setting that its page has to compare it with.
    """

    name: str
    title: str
    lesson: str
    params: Mapping[str, Value]
    seeds: tuple[int, ...] = OPENED
    drawn: int | None = None
    compared: bool = False
    further: tuple[int, ...] = FURTHER

    @property
    def every_seed(self) -> tuple[int, ...]:
        """Those that it is drawn with, and those behind the ranges of texts."""
        return tuple(dict.fromkeys((*self.seeds, *self.further)))


@dataclass(frozen=True)
class Sweep:
    """One parameter varied, the others fixed; shipped with scores and last frames.

    `by` is a second parameter and its values: every combination of the two is trained. `further`
    are seeds beside those that a page opens with, where a text rests on the sweep.
    """

    field: str
    values: tuple[Value, ...]
    params: Mapping[str, Value]
    seeds: tuple[int, ...] = OPENED
    by: tuple[str, tuple[Value, ...]] | None = None
    further: tuple[int, ...] = ()

    @property
    def vary(self) -> dict[str, tuple[Value, ...]]:
        """Every varied field and its values, as an experiment takes them."""
        return {self.field: self.values, **(dict([self.by]) if self.by else {})}


@dataclass(frozen=True)
class Setup:
    """What a page sets up: parameters as knobs, and named settings of them.

    `notices` says what there is to know of a setting, `start` has the parameters the page opens
    with, `front` the knobs it puts in front.
    """

    name: str
    title: str
    Params: type[Params]
    notices: Callable[[Any], tuple[Notice, ...]]
    presets: tuple[Preset, ...] = ()
    start: Mapping[str, Value] = field(default_factory=dict)
    front: tuple[str, ...] = ()
    trained: ClassVar[bool] = False  # whether its settings are trained, with several seeds

    def at_start(self) -> Any:
        """The parameters a page opens with: the defaults but for `start`."""
        return self.Params.model_validate(dict(self.start))

    def presets_of(self, params: Any) -> list[Preset]:
        """The presets whose parameters these are, spelt out or not."""
        chosen, model = params.chosen(), self.Params
        return [p for p in self.presets if model.model_validate(dict(p.params)).chosen() == chosen]

    def controls(self) -> dict[str, Knob]:
        """The page's knobs: those of `front` first and the others behind, each at its start."""
        knobs, start = knobs_of(self.Params), self.at_start()
        first = self.front or tuple(name for name, knob in knobs.items() if not knob.advanced)
        return {
            name: replace(knobs[name], default=getattr(start, name), advanced=name not in first)
            for name in (*first, *(name for name in knobs if name not in first))
        }


@dataclass(frozen=True, kw_only=True)
class Scenario(Setup):
    """One way to generate latents, observe them and train an encoder; a value in `SCENARIOS`.

    `version` is raised when what is trained changes, `scored` when a score or a baseline does: runs
    scored by an older version are shown until they are trained again. `promise` is what the
    theorem promises for given parameters. `scores` are those that its curves and sweeps offer, the
    first at first.
    `work` gives the floating-point operations of one member's training, from which a run's
    duration is foretold. `marks` names the values of a swept field at which theory says that
    something changes. `sweeps` and `frames` belong to a page: how many of a preset's run are
    shipped.
    """

    version: int
    promise: Callable[[Any], Promise]
    scores: tuple[str, ...]
    work: Callable[[Any], float]
    sweeps: tuple[Sweep, ...] = ()
    frames: int = 30
    scored: int = 1
    marks: Callable[[Any, str], Mapping[str, float]] = lambda params, field: {}
    trained: ClassVar[bool] = True
