"""How far a study and each of its raters are."""

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
from annotation.reports.loading import once
from annotation.reports.scores import study_items, study_scores

# Resamples behind the study page's interval: its ends are a little coarse, and each new rating asks for them again.
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
    """`ordinal` has an interval where there is one; `n` counts the items that two raters or more have scored."""

    name: str
    ordinal: Estimate
    interval: Estimate
    n: int


def wanted(study: Study) -> int:
    """How many ratings that count the whole study asks for.

    Where everyone scores everything: all of those at work, and what the others who count have given.
    """
    items = int(study.selection.get("items", 0))
    if study.raters_per_item is not None:
        return items * study.raters_per_item
    active = study.memberships.active()
    given = Rating.objects.counted().for_study(study).exclude(assignment__membership__in=active)
    return items * active.count() + given.count()


def rated_assignments(state: str) -> Count:
    """A membership's rated items in this state; training and checks are not progress.

    A corrected item has two ratings: distinct, or a join to them counts it twice.
    """
    wanted = Q(assignments__state=state, assignments__item__purpose=Item.Purpose.RATED)
    return Count("assignments", filter=wanted, distinct=True)


def rater_table(study: Study) -> list[RaterProgress]:
    """One row a rater, in the order they joined."""
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
    timed = Rating.objects.for_study(study).filter(seconds__isnull=False)
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
    """Krippendorff's α per metric over the current ratings: ordinal with a 95 % interval, and interval.

    The page asks every few seconds, so it is computed once for each set of ratings, and with `LIVE_DRAWS` resamples
    of whole backgrounds, not with as many as the report's.
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
                metric.name, ordinal.estimates["alpha_ordinal"], alpha(table, "interval"), ordinal.paired_units
            )
        )
    return found
