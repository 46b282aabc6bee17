"""A rater's progress, and how long the rest will take at their pace."""

import math
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.core.cache import caches
from django.db.models import Count, QuerySet, Subquery
from django.db.models.functions import Coalesce

from annotation.allocation.repeats import repeats_among
from annotation.allocation.slots import share_of
from annotation.chats.plan import ChatPlan
from annotation.models import Assignment, Item, Membership, Rating, Study

# Pace is measured by this many of a rater's latest ratings.
RECENT = 50
# With fewer ratings one long break would distort the pace.
ENOUGH = 3
# Recompute a rater's pace and share every so many items.
PACE_STEP = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """A rater's own progress; `minutes_left` is None until there are enough ratings to estimate it."""

    done: int
    total: int
    minutes_left: int | None

    @property
    def number(self) -> int:
        """The number of the current item."""
        return min(self.done + 1, self.total)


def pace(membership: Membership, done: int | None = None) -> Pace:
    """A rater's progress, without practice items.

    With `done`, which rating pages know, the rest comes from a cache that is recomputed every `PACE_STEP` items.
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
    """A number that changes when the pace must be recomputed: at `ENOUGH` ratings, then every `PACE_STEP`."""
    return ENOUGH if ENOUGH <= done < PACE_STEP else done - done % PACE_STEP


def _share_and_seconds(membership: Membership) -> tuple[int, float | None]:
    """How many items this rater has to score, and seconds per item.

    Checks and repeats are among them, so that they do not stand out.
    """
    counts: Any = _counts(membership.study_id).get()
    seconds = list(_timed(membership.pk))
    study = membership.study
    rated = share_of(study, counts.members)
    mine = rated + repeats_among(study, rated) + counts.checks
    if study.has_chats:
        mine = min(mine, ChatPlan.of(study.chat_plan).chats_each or mine)
    return mine, median(seconds) if len(seconds) >= ENOUGH else None


def _counts(study: int) -> QuerySet[Study]:
    uncounted = (Item.Purpose.RATED, Item.Purpose.TRAINING)
    checks = Item.objects.filter(study=study).exclude(purpose__in=uncounted)
    found: Any = Study.objects.filter(pk=study).order_by().only("pk")
    annotated: QuerySet[Study] = found.annotate(
        members=_count(Membership.objects.active().filter(study=study), "study"), checks=_count(checks, "study")
    )
    return annotated


def _timed(membership: int) -> QuerySet[Any, Any]:
    timed = Rating.objects.filter(assignment__membership=membership, seconds__isnull=False).past_practice()
    return timed.order_by("-pk").values_list("seconds", flat=True)[:RECENT]


def _count(rows: QuerySet[Any], group: str) -> Coalesce:
    """How many rows there are, as a part of another query; `group` is the same for all of them."""
    return Coalesce(Subquery(rows.order_by().values(group).annotate(n=Count("pk")).values("n")), 0)
