"""The progress of a study and of each rater."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

import numpy as np
from django.db.models import Count, Max, Q

from annotation.allocation.slots import share
from annotation.models import Assignment, Item, Membership, Rating, Study
from annotation.reports.agreement import Estimate, alpha, summary
from annotation.reports.caching import once
from annotation.reports.scores import study_items, study_scores

# Resamples for the interval on the study page: few, because every new rating causes them to be drawn again.
LIVE_DRAWS = 300


@dataclass(frozen=True, slots=True)
class RaterProgress:
    membership: Membership
    done: int
    skipped: int
    total: int
    median_seconds: float | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class MetricAgreement:
    """`n` counts the items that two or more raters have scored.

    With `few_backgrounds` the interval rests on so few that it is too narrow.
    """

    name: str
    ordinal: Estimate
    interval: Estimate
    n: int
    few_backgrounds: bool


def wanted(study: Study) -> int:
    """How many counted ratings the whole study will have.

    If everyone scores everything: all items for each active rater, plus what other counted raters have given. To
    imported ratings nothing is added.
    """
    if study.is_imported:
        return Rating.objects.counted().for_study(study).count()
    items = int(study.selection.get("items", 0))
    if study.raters_per_item is not None:
        return items * study.raters_per_item
    active = study.memberships.active()
    given = Rating.objects.counted().for_study(study).exclude(assignment__membership__in=active)
    return items * active.count() + given.count()


def rated_assignments(state: str) -> Count:
    """Count a membership's rated items in this state; training, checks and repeats are not progress.

    Distinct, because a join with ratings has a corrected item twice.
    """
    wanted = Q(assignments__state=state, assignments__item__purpose=Item.Purpose.RATED, assignments__is_repeat=False)
    return Count("assignments", filter=wanted, distinct=True)


def rater_table(study: Study) -> list[RaterProgress]:
    """One row for each rater, in the order of joining."""
    members: Any = (
        study.memberships.select_related("rater__profile")
        .annotate(
            done=rated_assignments(Assignment.State.SUBMITTED),
            skips=rated_assignments(Assignment.State.SKIPPED),
            last_at=Max("assignments__ratings__created_at"),
        )
        .order_by("pk")
    )
    seconds: dict[int, list[float]] = defaultdict(list)
    timed = Rating.objects.first_showings().for_study(study).filter(seconds__isnull=False)
    for membership, value in timed.values_list("assignment__membership_id", "seconds"):
        seconds[membership].append(value or 0.0)
    total = share(study)
    return [
        RaterProgress(
            membership=member,
            done=member.done,
            skipped=member.skips,
            total=total,
            median_seconds=median(seconds[member.pk]) if seconds[member.pk] else None,
            last_at=member.last_at,
        )
        for member in members
    ]


def live_agreement(study: Study) -> list[MetricAgreement]:
    """Krippendorff's α per metric over the current ratings: ordinal with a 95 % interval, and interval-scaled.

    The page asks every few seconds, so the result is cached per set of ratings, and uses only `LIVE_DRAWS` resamples of
    whole backgrounds.
    """
    return once("live-agreement", study, lambda: _agreement(study))


def _agreement(study: Study) -> list[MetricAgreement]:
    metrics = study.rubric.metric_list()
    items = study_items(study)
    scores = study_scores(study, items, [metric.key for metric in metrics])
    found = []
    for number, metric in enumerate(metrics):
        chosen = scores.metric == number
        table = scores.where(chosen)
        backgrounds = items.background[np.unique(scores.item[chosen])]
        ordinal = summary(table, ("alpha_ordinal",), draws=LIVE_DRAWS, seed=study.seed, clusters=backgrounds)
        found.append(
            MetricAgreement(
                metric.name,
                ordinal.estimates["alpha_ordinal"],
                alpha(table, "interval"),
                ordinal.paired_units,
                ordinal.has_few_clusters,
            )
        )
    return found
