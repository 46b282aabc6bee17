"""What narrows the dialogues of a training set, in a fixed order that every page and command shows.

This module knows what models wrote and judged. Apps above that know more (people's ratings, rewrites by hand) add to
`FILTERS` and `SCORES` when they are ready.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, OuterRef, Q, QuerySet, Subquery

from dialogues.models import Corpus, DialogueQuerySet
from dialogues.sources import once_each
from generation.families import RUN, in_families
from generation.models import Judgement, Run
from generation.plans.choosing import shown_backgrounds
from generation.training.filter_values import FilterValue, Flag, Scores, Share, WholeNumber
from generation.training.recipe import RecipeError

Narrow = Callable[[DialogueQuerySet, Any, Corpus], DialogueQuerySet]


@dataclass(frozen=True, slots=True)
class TrainingFilter:
    """One condition; `narrow` gives the dialogues that meet it, and raises for no value that `value` reads.

    `place` orders the filters. `usual` is what a new set begins with; None leaves the filter out.
    """

    name: str
    label: str
    help: str
    value: FilterValue
    narrow: Narrow
    place: int
    usual: Any = None

    def words(self, value: Any) -> str:
        return " ".join(filter(None, (self.label, self.value.words(value))))


@dataclass(frozen=True, slots=True)
class ScoreSource:
    """Who scores dialogues. `means` gives rows of `dialogue` and `mean` for a metric of a corpus.

    `metrics` names the metrics on which the corpus has scores. `simulated` says whether a simulator gave any of them.
    """

    name: str
    label: str
    scale: str
    means: Callable[[Corpus, str], QuerySet[Any, Any]]
    metrics: Callable[[Corpus], list[str]]
    simulated: Callable[[Corpus, str], bool]

    def narrow(self, rows: DialogueQuerySet, value: Mapping[str, Any], corpus: Corpus) -> DialogueQuerySet:
        ends = {"mean__gte": value.get("at_least"), "mean__lte": value.get("at_most")}
        means = self.means(corpus, value["metric"]).filter(**{end: at for end, at in ends.items() if at is not None})
        return rows.filter(pk__in=means.values("dialogue"))

    def filter(self, place: int) -> TrainingFilter:
        words = f"{self.scale} Dialogues without a score are left out."
        return TrainingFilter(self.name, self.label, words, Scores(), self.narrow, place)

    def check(self, corpus: Corpus, metric: str) -> None:
        """Raise RecipeError for a metric on which the corpus has no score."""
        known = self.metrics(corpus)
        if metric not in known:
            there = f"Scored are: {', '.join(known)}." if known else "No dialogue has such a score yet."
            raise RecipeError("metric", f"{self.label}: there is no score for {metric!r}. {there}")


def _judged_means(corpus: Corpus, metric: str) -> QuerySet[Any, Any]:
    """The mean over judges of what each said last."""
    same = Judgement.objects.filter(
        dialogue=OuterRef("dialogue"), metric=metric, call__run_stage__model=OuterRef("call__run_stage__model")
    )
    latest = Subquery(same.order_by("-call", "-pk").values("pk")[:1])
    rows = Judgement.objects.filter(dialogue__corpus=corpus, metric=metric, pk=latest)
    return rows.order_by().values("dialogue").annotate(mean=Avg("score"))


def _judged_metrics(corpus: Corpus) -> list[str]:
    rows = Judgement.objects.filter(dialogue__corpus=corpus).order_by("metric")
    return list(rows.values_list("metric", flat=True).distinct())


JUDGE = ScoreSource(
    "judge",
    "Score by judges",
    "From 0 to 100: the mean over the judges of what each said last.",
    _judged_means,
    _judged_metrics,
    lambda corpus, metric: False,
)


def _by_count(field: str, lookup: str) -> Narrow:
    return lambda rows, value, corpus: rows.filter(**{f"{field}__{lookup}": value})


def _words_kept(rows: DialogueQuerySet, value: float, corpus: Corpus) -> DialogueQuerySet:
    return rows.filter(Q(output__kept__isnull=True) | Q(output__kept__gte=value))


def _not_shown(rows: DialogueQuerySet, value: bool, corpus: Corpus) -> DialogueQuerySet:
    """Without the dialogues whose background the run that wrote them had shown as an example."""
    keys = rows.order_by().annotate(by_run=RUN).exclude(by_run=None).values_list("by_run", flat=True).distinct()
    shown = Q()
    for run in Run.objects.with_stages().filter(pk__in=list(keys)):
        backgrounds = shown_backgrounds(corpus, run.sets_used)
        shown |= Q(by_run=run.pk) & in_families(backgrounds) if backgrounds else Q()
    return rows.annotate(by_run=RUN).exclude(pk__in=_matching(rows, shown)) if shown else rows


def _matching(rows: DialogueQuerySet, condition: Q) -> QuerySet[Any, Any]:
    return rows.order_by().annotate(by_run=RUN).filter(condition).values("pk")


# By name. Places leave room for what apps above add between them.
FILTERS: dict[str, TrainingFilter] = {}
SCORES: dict[str, ScoreSource] = {}


def offer(*offered: TrainingFilter | ScoreSource, place: int = 0) -> None:
    """Add filters; a source of scores becomes one at `place`, and may decide which of two dialogues is better."""
    for one in offered:
        if isinstance(one, ScoreSource):
            SCORES[one.name] = one
            one = one.filter(place)
        FILTERS[one.name] = one


offer(
    TrainingFilter(
        "fewest_messages", "Fewest messages", "In a dialogue.", WholeNumber(), _by_count("message_count", "gte"), 10
    ),
    TrainingFilter("most_messages", "Most messages", "", WholeNumber(), _by_count("message_count", "lte"), 11),
    TrainingFilter(
        "fewest_turns",
        "Fewest turns",
        "A turn is a run of messages by one speaker.",
        WholeNumber(),
        _by_count("turn_count", "gte"),
        12,
    ),
    TrainingFilter("most_turns", "Most turns", "", WholeNumber(), _by_count("turn_count", "lte"), 13),
    TrainingFilter(
        "kept",
        "Words kept, at least",
        "The share of γ’s words that a further-split keeps in order. Other dialogues stay.",
        Share(),
        _words_kept,
        20,
    ),
    TrainingFilter(
        "shown",
        "Leave out backgrounds that were shown as examples",
        "Those that the run that wrote the dialogue showed its model as examples.",
        Flag(),
        _not_shown,
        70,
    ),
    TrainingFilter(
        "once",
        "One dialogue of each version and background",
        "The latest run’s first writer, of those that all the filters before leave.",
        Flag(),
        lambda rows, value, corpus: once_each(rows),
        90,
        usual=True,
    ),
)
offer(JUDGE, place=30)


def in_order() -> list[TrainingFilter]:
    return sorted(FILTERS.values(), key=lambda one: (one.place, one.name))


def usual_values() -> dict[str, Any]:
    """What a new set begins with."""
    return {one.name: one.usual for one in in_order() if one.usual is not None}


def checked(given: Mapping[str, Any], corpus: Corpus) -> dict[str, Any]:
    """The values by filter, without those that are off; raises RecipeError."""
    found = {}
    for name, value in given.items():
        one = named(name)
        try:
            read = one.value.read(value)
        except ValueError as error:
            raise RecipeError("filters", f"{one.label}: {error}.") from None
        if read is not None:
            found[name] = read
    for source in SCORES.values():
        if source.name in found:
            source.check(corpus, found[source.name]["metric"])
    return found


def named(name: str) -> TrainingFilter:
    """The filter of this name; raises RecipeError."""
    if name not in FILTERS:
        known = ", ".join(one.name for one in in_order())
        raise RecipeError("filters", f"There is no filter {name!r}. Known are: {known}.")
    return FILTERS[name]


def chosen(values: Mapping[str, Any]) -> Iterator[tuple[TrainingFilter, Any]]:
    """The filters that are on, in their order, each with its value."""
    return ((one, values[one.name]) for one in in_order() if values.get(one.name) is not None)
