"""The plan of a study's analysis: written before the launch, and frozen with the design. Pure.

A pair of versions is (first, second), by slug, and stands for the difference second − first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from annotation.design.plan_values import KINDS
from core.json_documents import DocumentError

Pair = tuple[str, str]
Status = Literal["confirmatory", "exploratory"]
Family = Literal["all", "primary"]
Stop = Literal["planned", "date", "words"]
Population = Literal["like", "these"]
FAMILIES: Mapping[Family, str] = {
    "all": "all pairs of versions × the metrics asked of both",
    "primary": "the primary pairs × the primary metrics",
}
STOPS: Mapping[Stop, str] = {
    "planned": "when every planned rating has been given",
    "date": "at the end of a day",
    "words": "by a rule in words",
}
CLAIMS_ABOUT: Mapping[Population, str] = {"like": "raters like these", "these": "these raters"}
POPULATIONS: Mapping[Population, str] = {
    "like": "raters like these: would other raters of the same kind find it, too?",
    "these": "these raters: would the same people find it on other dialogues?",
}


@dataclass(frozen=True, slots=True)
class PlannedPower:
    """How often a study of the planned size finds a difference: `power` is a share of `studies` simulated ones.

    `difference` and the standard deviations are in points of the scale. `item` is of a version on a background, over
    what the background does to both; `rater_version` is how far a rater leans towards a version. `population` is whom
    the tests speak of; plans of before it was kept have None.
    """

    raters: int
    backgrounds: int
    difference: float
    power: float
    background: float
    item: float
    rater: float
    rater_version: float
    residual: float
    studies: int
    seed: int
    population: Population | None = None

    def as_json(self) -> dict[str, Any]:
        """Without a population that was not kept, because a launched plan must keep its hash."""
        return {name: value for name, value in asdict(self).items() if name != "population" or value is not None}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a study asks: the keys of its metrics, and for each pair that it compares those asked of both versions.

    `compares` is true where raters compare two versions side by side, so that there are no scores.
    """

    metrics: tuple[str, ...]
    pairs: Mapping[Pair, tuple[str, ...]]
    compares: bool = False

    def of_both(self, pair: Pair) -> tuple[str, ...]:
        """The metrics asked of both versions, whichever is named first."""
        return self.pairs.get(pair) or self.pairs.get(pair[::-1], ())


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """What will be tested, on whom, and when the study ends; everything else in its report is exploratory.

    `raters` is how many score each dialogue, `margin` is in points of the scale: a pair of `not_worse` claims that
    second − first lies above −margin. `exclusion` adds words to what the study's own settings exclude. `family` and
    `population` are None in a study of pairs, whose report tests nothing and speaks of these raters; elsewhere None is
    the usual value, all and like.
    """

    question: str = ""
    metrics: tuple[str, ...] = ()
    contrasts: tuple[Pair, ...] = ()
    family: Family | None = "all"
    population: Population | None = "like"
    raters: int | None = None
    backgrounds: int | None = None
    margin: float | None = None
    not_worse: tuple[Pair, ...] = ()
    exclusion: str = ""
    stopping: Stop = "planned"
    # ISO 8601, such as 2026-05-31; the last day on which ratings are given.
    stopping_date: str = ""
    stopping_words: str = ""
    power: PlannedPower | None = None

    def as_json(self) -> dict[str, Any]:
        row = asdict(self)
        pairs = {name: [list(pair) for pair in row[name]] for name in ("contrasts", "not_worse")}
        power = self.power.as_json() if self.power else None
        return {**row, **pairs, "metrics": list(self.metrics), "power": power}

    @staticmethod
    def of(stored: Mapping[str, Any]) -> "AnalysisPlan | None":
        """The plan that is stored, None for {}; raises DocumentError with every fault."""
        problems: list[str] = []
        found = read_plan(stored, problems)
        if problems:
            raise DocumentError(problems)
        return found

    @property
    def is_blank(self) -> bool:
        """Whether nobody has written anything yet: numbers and choices alone, which have usual values, are no plan."""
        written = (self.question, self.metrics, self.contrasts, self.not_worse, self.exclusion, self.stopping_words)
        return not any(written) and self.margin is None

    def is_confirmatory(self, metric: str, pair: Pair) -> bool:
        """Whether it is a primary metric and a primary pair, whichever version is named first."""
        return metric in self.metrics and _holds(self.contrasts, pair)

    def family_of(self, asked: Asked) -> tuple[tuple[str, Pair], ...]:
        """The (metric, pair) of every test that is corrected together, among what the study asks."""
        tests = [(metric, pair) for pair, metrics in asked.pairs.items() for metric in metrics]
        return tuple(test for test in tests if self.family != "primary" or self.is_confirmatory(*test))

    def renamed(self, names: Mapping[str, str]) -> Self:
        """With other names for the versions, where they have one."""

        def pairs(given: Iterable[Pair]) -> tuple[Pair, ...]:
            return tuple((names.get(first, first), names.get(second, second)) for first, second in given)

        return replace(self, contrasts=pairs(self.contrasts), not_worse=pairs(self.not_worse))

    def has_size_of(self, power: PlannedPower) -> bool:
        """Whether the power is that of a study of the planned size."""
        return (power.raters, power.backgrounds) == (self.raters, self.backgrounds)

    def problems(self) -> list[str]:
        """What is wrong or missing within the plan itself, in sentences."""
        wrong = {
            "Choose at least one primary metric.": not self.metrics,
            "Say how many raters score each dialogue.": self.raters is None,
            "Say how many backgrounds are rated.": self.backgrounds is None,
            "A margin needs the pairs that it is for, and such pairs need a margin.": (
                (self.margin is None) != (not self.not_worse)
            ),
            "Name the last day of ratings.": self.stopping == "date" and not self.stopping_date,
            "Say in words when the study ends.": self.stopping == "words" and not self.stopping_words.strip(),
            "The power was computed for other numbers of raters and backgrounds. Compute it again.": (
                self.power is not None and not self.has_size_of(self.power)
            ),
            "The power is of a claim about other raters than the plan's intervals. Compute it again.": (
                self.power is not None and self.power.population not in (None, self.population or "like")
            ),
        }
        return [sentence for sentence, is_wrong in wrong.items() if is_wrong]

    def misfits(self, asked: Asked) -> list[str]:
        """What the plan names that the study does not ask or compare, in sentences."""
        pairs = (*self.contrasts, *self.not_worse)
        found = [
            f"The plan names the metric {key}, which is not asked." for key in self.metrics if key not in asked.metrics
        ]
        found += [
            f"The plan compares {one} with {other}, which the study does not."
            for one, other in dict.fromkeys(
                pair for pair in pairs if pair not in asked.pairs and pair[::-1] not in asked.pairs
            )
        ]
        found += [
            f"No primary metric is asked of both {one} and {other}."
            for one, other in dict.fromkeys(
                pair for pair in pairs if asked.of_both(pair) and not set(asked.of_both(pair)) & set(self.metrics)
            )
        ]
        if asked.pairs and not self.contrasts:
            found.append("Choose at least one primary pair of versions.")
        if asked.compares and not (self.margin is None and self.power is None):
            found.append("A study of pairs has no points, so its plan has neither a margin nor a power.")
        return found

    def miscounts(self, raters: int | None, backgrounds: int | None) -> list[str]:
        """Where the design asks for other numbers than the plan, in sentences; None: the design leaves it open."""
        designed = {"raters of each dialogue": (self.raters, raters), "backgrounds": (self.backgrounds, backgrounds)}
        return [
            f"The plan says {planned:,} {what}, and the design {given:,}. Change one of them."
            for what, (planned, given) in designed.items()
            if planned is not None and given is not None and planned != given
        ]


def status(plan: AnalysisPlan | None, metric: str, first: str, second: str) -> Status:
    """What the report calls a comparison of two versions by a metric."""
    planned = plan is not None and plan.is_confirmatory(metric, (first, second))
    return "confirmatory" if planned else "exploratory"


def read_plan(given: Any, problems: list[str]) -> AnalysisPlan | None:
    """The plan in a document, None where there is none; adds to `problems` what does not fit its kind."""
    if given is None or given == {}:
        return None
    if not isinstance(given, Mapping):
        problems.append("analysis_plan must be an object, or null for no plan.")
        return None
    found = [f"analysis_plan: there is no part called {str(name)[:40]!r}." for name in given if name not in KINDS]
    for name, kind in KINDS.items():
        if name in given and not kind.fits(given[name]):
            found.append(f"analysis_plan: {name} must be {kind.says}.")
    if found:
        problems += found
        return None
    values = {name: KINDS[name].made(value) for name, value in given.items() if name != "power"}
    power = given.get("power")
    return AnalysisPlan(**values, power=None if power is None else _power(power))


def _power(given: Mapping[str, Any]) -> PlannedPower:
    as_given = ("raters", "backgrounds", "studies", "seed", "population")
    values: dict[str, Any] = {name: value if name in as_given else float(value) for name, value in given.items()}
    return PlannedPower(**values)


def _holds(pairs: Iterable[Pair], pair: Pair) -> bool:
    return any(set(known) == set(pair) for known in pairs)
