"""Everything a person chooses for a training set, as one value that is stored as JSON and never changes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from dialogues.transcript import Speaker
from generation.training import delimiter as delimiters
from generation.training.rendering import DEFAULT_SYSTEM, Form, template_problem

Kind = Literal["dialogues", "preferences"]
# How a preference set knows which of two dialogues on one background is better.
PreferredBy = Literal["version", "judge", "human"]
_PREFERRED_BY = ("version", "judge", "human")
MOST_HELD_OUT = 0.9


class RecipeError(ValueError):
    """A choice that cannot be carried out; `field` names it, and the text says what to do."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.field = name


@dataclass(frozen=True, slots=True)
class Recipe:
    """What goes in, and how it is written.

    A set of *dialogues* takes every chosen version. A set of *preferences* takes `better` over `worse`; preferred by
    judges or people, it takes of the chosen versions of each background the one that scored highest on `metric` over
    the one that scored lowest, if they are `margin` points apart.

    `sources` and `filters` are as `dialogues.sources` and `generation.training.filters` read them: keys by facet, and
    values by filter.
    """

    corpus: int
    kind: Kind = "dialogues"
    versions: tuple[str, ...] = ("stephanie",)
    preferred_by: PreferredBy = "version"
    better: str = "stephanie"
    worse: str = "beta"
    metric: str = ""
    margin: float = 1.0
    shared_words_only: bool = False
    sides: tuple[Speaker, ...] = (1, 2)
    delimiter: str = delimiters.DEFAULT
    system: str = DEFAULT_SYSTEM
    opener: str = ""
    validation: float = 0.05
    test: float = 0.05
    seed: int = 0
    sources: Mapping[str, list[int | str]] = field(default_factory=dict)
    filters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def form(self) -> Form:
        return Form(self.delimiter, self.system, self.opener)

    @property
    def wanted_versions(self) -> tuple[str, ...]:
        """The versions whose dialogues it looks at."""
        is_by_version = self.kind == "preferences" and self.preferred_by == "version"
        return (self.better, self.worse) if is_by_version else self.versions

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """From JSON; raises RecipeError for an unknown key or a value that cannot be used."""
        known = {one.name for one in fields(cls)}
        if unknown := sorted(set(stored) - known):
            raise RecipeError(unknown[0], f"A training set has no choice {unknown[0]!r}.")
        given = dict(stored)
        for name in ("versions", "sides"):
            if name in given:
                given[name] = tuple(given[name])
        return cls(**given).checked()

    def checked(self) -> Self:
        """Itself; raises RecipeError."""
        if why := delimiters.problem(self.delimiter):
            raise RecipeError("delimiter", why)
        if why := template_problem(self.system):
            raise RecipeError("system", why)
        if not self.sides or not set(self.sides) <= {1, 2}:
            raise RecipeError("sides", "Choose the speaker that the model plays: 1, 2 or both.")
        self._check_versions()
        self._check_shares()
        return self

    def _check_versions(self) -> None:
        if self.kind == "dialogues" and not self.versions:
            raise RecipeError("versions", "Choose at least one version.")
        if self.kind != "preferences":
            return
        if self.preferred_by not in _PREFERRED_BY:
            raise RecipeError("preferred_by", f"Choose what decides: {', '.join(_PREFERRED_BY)}.")
        if self.preferred_by == "version" and self.better == self.worse:
            raise RecipeError("worse", "Choose two different versions.")
        if self.preferred_by != "version" and not self.metric:
            raise RecipeError("metric", "Choose the metric that decides which dialogue is better.")

    def _check_shares(self) -> None:
        for name in ("validation", "test"):
            if not 0 <= getattr(self, name) < 1:
                raise RecipeError(name, "A share is a number from 0 up to, but not including, 1.")
        if self.validation + self.test > MOST_HELD_OUT:
            raise RecipeError("test", f"Hold out at most {MOST_HELD_OUT:.0%} of the backgrounds in all.")
