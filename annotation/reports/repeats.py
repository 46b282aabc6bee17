"""Raters' agreement with themselves: their two scores of the items that they met again by a hidden repeat."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Exists, OuterRef

from annotation.models import Assignment, Rating, Score, Study
from annotation.models.ratings import RatingQuerySet
from annotation.reports.agreement import Agreement, summary
from annotation.reports.caching import once
from annotation.reports.scores import counted_members

COEFFICIENTS = ("alpha_ordinal", "kappa", "exact", "within_1")


@dataclass(frozen=True, slots=True)
class ScoredTwice:
    """Two scores that a rater, by membership, gave one item for one metric."""

    member: int
    item: int
    background: int
    metric: str
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class OwnAgreement:
    """Agreement of raters with themselves on one metric: over `pairs` of scores by `raters`, on `backgrounds`."""

    raters: int
    pairs: int
    backgrounds: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class OwnDifference:
    """How far a rater's two scores lie apart on average, over so many pairs of `scores` of so many `items`."""

    mean: float
    scores: int
    items: int


def own_agreement(study: Study) -> dict[str, OwnAgreement]:
    """By metric key, over repeats of counted ratings; empty where the study has no hidden repeats."""
    if not study.hidden_repeats:
        return {}
    seconds = Rating.objects.repeats().for_study(study).filter(assignment__membership__in=counted_members(study))
    read = list(seconds.order_by("pk").values_list("pk", flat=True))
    return once("repeats", study, lambda: _by_metric(study, seconds), also=read)


def own_differences(study: Study) -> dict[int, OwnDifference]:
    """By membership, of raters who have scored repeats, whether their ratings count or not."""
    if not study.hidden_repeats:
        return {}
    firsts = Rating.objects.first_showings()
    by_member: dict[int, list[ScoredTwice]] = defaultdict(list)
    for one in scored_twice(firsts, Rating.objects.repeats(firsts).for_study(study)):
        by_member[one.member].append(one)
    return {
        member: OwnDifference(
            float(np.mean([abs(one.second - one.first) for one in mine])), len(mine), len({one.item for one in mine})
        )
        for member, mine in by_member.items()
    }


def scored_twice(firsts: RatingQuerySet, seconds: RatingQuerySet) -> list[ScoredTwice]:
    """The pairs of scores in the ratings `seconds`, of hidden repeats, and `firsts`, of the same items and raters."""
    asked = ("rating__assignment__membership", "rating__assignment__item", "metric")
    rows = Score.objects.filter(rating__in=seconds).order_by("pk")
    later = list(rows.values_list(*asked, "rating__assignment__item__background", "value"))
    again = Assignment.objects.filter(
        is_repeat=True, item=OuterRef("assignment__item"), membership=OuterRef("assignment__membership")
    )
    members = {member for member, *_ in later}
    repeated = firsts.filter(Exists(again), assignment__membership__in=members)
    earlier = {
        (member, item, metric): value
        for member, item, metric, value in Score.objects.filter(rating__in=repeated).values_list(*asked, "value")
    }
    return [
        ScoredTwice(member, item, background, metric, earlier[member, item, metric], value)
        for member, item, metric, background, value in later
        if (member, item, metric) in earlier
    ]


def _by_metric(study: Study, seconds: RatingQuerySet) -> dict[str, OwnAgreement]:
    found = scored_twice(Rating.objects.counted(), seconds)
    keys = [metric.key for metric in study.rubric.metric_list()]
    return measured(found, keys, seed=study.seed)


def measured(found: Sequence[ScoredTwice], metrics: Sequence[str], *, seed: int) -> dict[str, OwnAgreement]:
    """Agreement by metric. Every pair is a unit, with the first and the second score in the place of two raters'.

    So chance is what two scores of different items or raters would agree by. Resamples draw whole backgrounds.
    """
    by_metric: dict[str, list[ScoredTwice]] = {metric: [] for metric in metrics}
    for one in found:
        by_metric[one.metric].append(one)
    return {metric: _measured(mine, seed) for metric, mine in by_metric.items()}


def _measured(found: Sequence[ScoredTwice], seed: int) -> OwnAgreement:
    table = np.array([[one.first for one in found], [one.second for one in found]], dtype=np.float64)
    backgrounds = np.array([one.background for one in found], dtype=np.int64)
    agreement = summary(table, COEFFICIENTS, seed=seed, clusters=backgrounds)
    raters = len({one.member for one in found})
    return OwnAgreement(raters, len(found), len({one.background for one in found}), agreement)
