"""Evidence that is made on the spot: factors and codes of the page on scores, a draw a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core.run.experiment import Member
from core.scenarios.scenario import FURTHER, OPENED, Value
from core.scores import glance
from core.scores.worlds import Setting

NULL = "null_"


@dataclass(frozen=True, eq=False)
class Drawn:
    """A score of a setting for some seeds; `null_<score>` is that of shuffled codes."""

    score: str
    params: Mapping[str, Value] = field(default_factory=dict)
    seeds: tuple[int, ...] = (*OPENED, *FURTHER)

    @cached_property
    def setting(self) -> Setting:
        """Its parameters, validated."""
        return Setting.model_validate(dict(self.params))

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Its setting, a seed each."""
        return self._at(self.seeds)

    def _at(self, seeds: Sequence[int]) -> tuple[Setting, ...]:
        # not validated again: more seeds can be asked for than a slider offers
        return tuple(self.setting.model_copy(update={"seed": seed}) for seed in seeds)

    def members(self, seeds: Sequence[int] | None = None) -> tuple[Member, ...]:
        """No runs."""
        return ()

    def values(self, seeds: Sequence[int] | None = None) -> tuple[float, ...]:
        """The score of every seed, its own or others."""
        of, name = glance.score, self.score
        if name.startswith(NULL):
            of, name = glance.by_chance, name.removeprefix(NULL)
        return tuple(of(setting, name) for setting in self._at(seeds or self.seeds))
