"""Filters of training sets that only people's work knows: ratings, flags, rewrites by hand, and what a study rates.

Ratings of a study that people still rate, and that nobody has unblinded, decide nothing: what a filter leaves over
would say which version is which.
"""

from typing import Any

from django.db.models import Avg, F, Q, QuerySet

from annotation.models import Item, Rating, Restructuring, Score, Study
from annotation.reports.unblinding import must_ask
from dialogues.models import Corpus, DialogueQuerySet
from generation.families import in_families
from generation.training.filter_values import Flag
from generation.training.filters import ScoreSource, TrainingFilter, offer


def _scores(corpus: Corpus, metric: str = "") -> QuerySet[Score]:
    """The scores that count, of studies whose versions may be told apart; a pair's say nothing about one dialogue."""
    studies = Study.objects.filter(corpus=corpus, kind=Study.Kind.SCORES)
    readable = [study.pk for study in studies if not must_ask(study)]
    rows = Score.objects.filter(rating__in=Rating.objects.counted().filter(assignment__study__in=readable))
    return rows.filter(metric=metric) if metric else rows


def _means(corpus: Corpus, metric: str) -> QuerySet[Any, Any]:
    rows = _scores(corpus, metric).order_by().values(dialogue=F("rating__assignment__item__dialogue"))
    return rows.annotate(mean=Avg("value"))


def _metrics(corpus: Corpus) -> list[str]:
    return list(_scores(corpus).order_by("metric").values_list("metric", flat=True).distinct())


def _simulated(corpus: Corpus, metric: str) -> bool:
    return _scores(corpus, metric).filter(rating__assignment__study__is_simulated=True).exists()


def _not_flagged(rows: DialogueQuerySet, value: bool, corpus: Corpus) -> DialogueQuerySet:
    flagged = Rating.objects.filter(is_current=True).exclude(flag="")
    items = Item.objects.filter(assignments__ratings__in=flagged)
    return rows.exclude(Q(pk__in=items.values("dialogue")) | Q(pk__in=items.exclude(other=None).values("other")))


def _approved(rows: DialogueQuerySet, value: bool, corpus: Corpus) -> DialogueQuerySet:
    return rows.filter(restructured_as__state=Restructuring.State.APPROVED)


def _not_rated(rows: DialogueQuerySet, value: bool, corpus: Corpus) -> DialogueQuerySet:
    rated = Item.objects.filter(background__corpus=corpus, purpose=Item.Purpose.RATED)
    return rows.exclude(in_families(rated.values("background")))


PEOPLE = ScoreSource(
    "human",
    "Score by people",
    "On the scale of its study: the mean of the ratings that count, of studies that are no longer blind.",
    _means,
    _metrics,
    _simulated,
)
FLAGGED = TrainingFilter(
    "flagged", "Leave out what raters flagged", "As offensive, broken or the like.", Flag(), _not_flagged, 50
)
APPROVED = TrainingFilter(
    "approved", "Only rewrites by hand", "Those that a second person approved.", Flag(), _approved, 60
)
UNRATED = TrainingFilter(
    "unrated",
    "Leave out every background that a study rates",
    "So that people never rate a model on what it was trained on.",
    Flag(),
    _not_rated,
    80,
    usual=True,
)


def offer_filters() -> None:
    """Add them to those of `generation.training.filters`, each at its place among them."""
    offer(PEOPLE, place=40)
    offer(FLAGGED, APPROVED, UNRATED)
