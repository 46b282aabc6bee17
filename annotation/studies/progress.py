"""How far a study and each of its raters are."""

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import Count, Max, Q

from annotation.models import Assignment, Item, Membership, Rating, Study
from annotation.reports.agreement import Estimate, alpha
from annotation.reports.loading import once
from annotation.reports.scores import study_items, study_scores

# How many of a rater's latest ratings their pace is measured by.
RECENT = 50
# Fewer say little: one long break would pass for a pace.
ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """A rater's own progress; `minutes_left` is None until there is a pace to go by."""

    done: int
    total: int
    minutes_left: int | None

    @property
    def number(self) -> int:
        """Of the item in front of the rater."""
        return min(self.done + 1, self.total)


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
    name: str
    ordinal: Estimate
    interval: Estimate


def pace(membership: Membership) -> Pace:
    """What they practise before is not counted; checks are, so that nothing tells them from other items."""
    training = Item.Purpose.TRAINING
    submitted = Assignment.objects.filter(membership=membership, state=Assignment.State.SUBMITTED)
    done = submitted.exclude(item__purpose=training).count()
    checks = membership.study.items.exclude(purpose=Item.Purpose.RATED).exclude(purpose=training).count()
    total = max(done, share(membership.study) + checks)
    timed = Rating.objects.filter(assignment__membership=membership, seconds__isnull=False).order_by("-pk")
    timed = timed.exclude(assignment__item__purpose=training)
    seconds = [value for value in timed.values_list("seconds", flat=True)[:RECENT] if value is not None]
    minutes = math.ceil(median(seconds) * (total - done) / 60) if len(seconds) >= ENOUGH else None
    return Pace(done, total, minutes)


def share(study: Study) -> int:
    """How many items one rater has to score: all, or an even part of the places where items have k raters."""
    items = int(study.selection.get("items", 0))
    if study.raters_per_item is None:
        return items
    members = study.memberships.filter(withdrawn_at__isnull=True).count()
    return min(items, math.ceil(items * study.raters_per_item / max(members, 1)))


def wanted(study: Study) -> int:
    """How many ratings the whole study asks for."""
    items = int(study.selection.get("items", 0))
    return items * (study.raters_per_item or study.memberships.filter(withdrawn_at__isnull=True).count())


def rater_table(study: Study) -> list[RaterProgress]:
    """One row a rater, in the order they joined."""
    # A corrected item has two ratings: distinct, or the join to them counts it twice.
    of_state = {
        state: Count("assignments", filter=Q(assignments__state=state), distinct=True)
        for state in Assignment.State.values
    }
    members = (
        study.memberships.select_related("rater__profile")
        .annotate(
            done=of_state["submitted"], skips=of_state["skipped"], last_at=Max("assignments__ratings__created_at")
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
    """Krippendorff's α per metric over the current ratings, ordinal and interval; without the report's bootstraps.

    The page asks every few seconds, so it is computed once for each set of ratings.
    """
    return once("live-agreement", study, lambda: _agreement(study))


def _agreement(study: Study) -> list[MetricAgreement]:
    metrics = study.rubric.metric_list()
    items = study_items(study)
    scores = study_scores(study, items, [metric.key for metric in metrics])
    found = []
    for number, metric in enumerate(metrics):
        table = scores.where(scores.metric == number)
        found.append(MetricAgreement(metric.name, alpha(table, "ordinal"), alpha(table, "interval")))
    return found
