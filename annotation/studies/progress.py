"""How far a study and each of its raters are."""

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

import numpy as np
from django.core.cache import caches
from django.db.models import Count, Max, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from annotation.models import Assignment, Item, Membership, Rating, Study
from annotation.reports.agreement import Estimate, alpha, summary
from annotation.reports.loading import once
from annotation.reports.scores import study_items, study_scores
from dialogues.prepared import Prepared

# How many of a rater's latest ratings their pace is measured by.
RECENT = 50
# Fewer say little: one long break would pass for a pace.
ENOUGH = 3
# Recompute a rater's pace and share every so many items.
PACE_STEP = 10
# Resamples behind the study page's interval: its ends are a little coarse, and each new rating asks for them again.
LIVE_DRAWS = 300


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
    """`ordinal` has an interval where there is one; `n` counts the items that two raters or more have scored."""

    name: str
    ordinal: Estimate
    interval: Estimate
    n: int


def pace(membership: Membership, done: int | None = None) -> Pace:
    """What a rater has done; what they practise before is not counted.

    `done` where it is known: then the rest is looked at anew only every few items, as it stands on every rating page.
    """
    if done is None:
        submitted = Assignment.objects.filter(membership=membership, state=Assignment.State.SUBMITTED)
        done = submitted.past_practice().count()
        mine, seconds = _share_and_seconds(membership)
    else:
        study = membership.study
        key = f"pace:{membership.token}:{study.raters_per_item}:{study.selection.get('items')}:{_stage(done)}"
        kept: Any = caches["process"].get_or_set(key, lambda: _share_and_seconds(membership))
        mine, seconds = kept
    total = max(done, mine)
    minutes = math.ceil(seconds * (total - done) / 60) if seconds is not None else None
    return Pace(done, total, minutes)


def _stage(done: int) -> int:
    """The same until the pace is looked at anew: once there is one, then every few items."""
    return ENOUGH if ENOUGH <= done < PACE_STEP else done - done % PACE_STEP


def _share_and_seconds(membership: Membership) -> tuple[int, float | None]:
    """How many items are this rater's, checks among them so that nothing tells them apart, and their pace."""
    counts: Any = COUNTS.first(study=membership.study_id)
    seconds = [rating.seconds for rating in TIMED.rows(membership=membership.pk) if rating.seconds is not None]
    mine = _share(membership.study, counts.members) + counts.checks
    return mine, median(seconds) if len(seconds) >= ENOUGH else None


def _counts(study: int) -> QuerySet[Study]:
    uncounted = (Item.Purpose.RATED, Item.Purpose.TRAINING)
    checks = Item.objects.filter(study=study).exclude(purpose__in=uncounted)
    found: Any = Study.objects.filter(pk=study).order_by().only("pk")
    annotated: QuerySet[Study] = found.annotate(
        members=_count(Membership.objects.active().filter(study=study), "study"), checks=_count(checks, "study")
    )
    return annotated


def _timed(membership: int) -> QuerySet[Rating]:
    timed = Rating.objects.filter(assignment__membership=membership, seconds__isnull=False).past_practice()
    return timed.only("seconds").order_by("-pk")[:RECENT]


COUNTS = Prepared(_counts, study=int)
TIMED = Prepared(_timed, membership=int)


def share(study: Study) -> int:
    """How many items one rater has to score: all, or an even part of the places where items have k raters."""
    return _share(study, 1 if study.raters_per_item is None else study.memberships.active().count())


def _share(study: Study, members: int) -> int:
    items = int(study.selection.get("items", 0))
    if study.raters_per_item is None:
        return items
    return min(items, math.ceil(items * study.raters_per_item / max(members, 1)))


def _count(rows: QuerySet[Any], group: str) -> Coalesce:
    """How many rows there are, as a part of another query; `group` is the same for all of them."""
    return Coalesce(Subquery(rows.order_by().values(group).annotate(n=Count("pk")).values("n")), 0)


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
