"""Raters' agreement with themselves: their two scores of the items that they met again by a hidden repeat."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.db.models import Exists, OuterRef

from annotation.models import Assignment, Rating, Score, Study
from annotation.models.ratings import RatingQuerySet
from annotation.reports.own_agreement import OwnAgreement, ScoredTwice, measured
from annotation.reports.scores import counted_members


@dataclass(frozen=True, slots=True)
class OwnDifference:
    """How far a rater's two scores lie apart on average, over so many pairs of `scores` of so many `items`."""

    mean: float
    scores: int
    items: int


def own_agreement(study: Study) -> Mapping[str, OwnAgreement]:
    """By metric key, over repeats of counted ratings; empty where the study has no hidden repeats."""
    if not study.hidden_repeats:
        return {}
    keys = [metric.key for metric in study.rubric.metric_list()]
    return measured(scored_twice(Rating.objects.counted(), _counted_repeats(study)), keys, seed=study.seed)


def repeats_read(study: Study) -> list[int]:
    """The keys of the repeats that `own_agreement` reads; they never change."""
    return list(_counted_repeats(study).values_list("pk", flat=True)) if study.hidden_repeats else []


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


def _counted_repeats(study: Study) -> RatingQuerySet:
    members = counted_members(study)
    return Rating.objects.repeats().for_study(study).filter(assignment__membership__in=members).order_by("pk")
