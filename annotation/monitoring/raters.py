"""A study's raters with all figures of their work, in a fixed number of queries."""

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Coalesce

from annotation.allocation.slots import share
from annotation.models import Assignment, Item, Membership, Rating, Score, Study
from annotation.monitoring.chat_quality import ChatQuality
from annotation.monitoring.chats import quality_of_testers
from annotation.monitoring.quality import Quality, Ratings, quality
from annotation.rating.arithmetic import missed
from annotation.rating.practice import Practice, practice_results
from annotation.reports.caching import once
from annotation.reports.repeats import OwnDifference, own_differences


@dataclass(frozen=True, slots=True)
class Remarks:
    """How many comments and flags a rater gave."""

    comments: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Checks:
    """How many gold items a rater has scored and passed, and how many attention checks they have scored and failed."""

    gold_passed: int = 0
    gold: int = 0
    lapses: int = 0
    attention: int = 0


@dataclass(frozen=True, slots=True)
class RaterRow:
    """One rater of a study; `total` is how many items they have to score, `chats` what theirs are like, if any."""

    membership: Membership
    done: int
    skipped: int
    total: int
    seen: datetime | None
    quality: Quality
    remarks: Remarks
    checks: Checks
    chats: ChatQuality | None = None
    repeats: OwnDifference | None = None
    # In a study with training items.
    practice: Practice | None = None

    @property
    def minutes_left(self) -> int | None:
        if self.quality.median_seconds is None or self.done >= self.total or not self.membership.is_active:
            return None
        return math.ceil(self.quality.median_seconds * (self.total - self.done) / 60)

    @property
    def training_rate(self) -> float | None:
        return self.practice.passed / self.practice.items if self.practice and self.practice.scored else None

    @property
    def gold_rate(self) -> float | None:
        return self.checks.gold_passed / self.checks.gold if self.checks.gold else None


NO_RATINGS = Quality(0, None, None, None, 0, None, 0, None)


def rater_rows(study: Study, only: Membership | None = None) -> list[RaterRow]:
    """One row for each rater in the order of joining, or for `only` one, still compared with all others."""
    members, work = _members(study), _work(study)
    found, remarks = _quality(study, members)
    shown = [member for member in members if only is None or member.pk == only.pk]
    checks, total, repeated = _checks(study, shown), share(study), own_differences(study)
    chats = quality_of_testers(study) if study.has_chats else {}
    practised = {} if study.has_chats else practice_results(study, shown)
    rows = []
    for member in shown:
        own, chatted = work.get(member.pk, _Work()), chats.get(member.pk)
        quality = found.get(member.pk, NO_RATINGS)
        rows.append(
            RaterRow(
                membership=member,
                done=own.done,
                skipped=own.skipped,
                total=max(own.done, total),
                seen=max(filter(None, (member.joined_at, own.opened, own.rated)), default=None),
                # A chat has no text to read before it is scored: how fast it went says more.
                quality=replace(quality, fast=chatted.fast if chatted else None) if study.has_chats else quality,
                remarks=remarks.get(member.pk, Remarks()),
                checks=checks.get(member.pk, Checks()),
                chats=chatted,
                repeats=repeated.get(member.pk),
                practice=practised.get(member.pk),
            )
        )
    return rows


@dataclass(frozen=True, slots=True)
class _Work:
    """How far a rater is, and when they last opened and rated an item."""

    done: int = 0
    skipped: int = 0
    opened: datetime | None = None
    rated: datetime | None = None


def _members(study: Study) -> list[Membership]:
    rows = study.memberships.select_related("rater__profile", "study", "excluded_by")
    return list(rows.order_by("pk"))


def _work(study: Study) -> dict[int, _Work]:
    """Uses two queries, because a join of ratings with assignments would count assignments more than once."""

    def of(state: str) -> Count:
        return Count("pk", filter=Q(state=state, item__purpose=Item.Purpose.RATED, is_repeat=False))

    held = Assignment.objects.filter(study=study, membership__isnull=False).order_by().values_list("membership_id")
    ratings = Rating.objects.for_study(study).order_by().values_list("assignment__membership_id")
    rated = dict(ratings.annotate(last=Max("created_at")))
    rows = held.annotate(
        done=of(Assignment.State.SUBMITTED), skipped=of(Assignment.State.SKIPPED), opened=Max("opened_at")
    )
    return {pk: _Work(done, skipped, opened, rated.get(pk)) for pk, done, skipped, opened in rows}


def _quality(study: Study, members: list[Membership]) -> tuple[dict[int, Quality], dict[int, Remarks]]:
    """Cached per set of current ratings, counted or not, and per set of counted raters."""
    counted = {member.pk: member.is_counted for member in members}
    ratings = Rating.objects.for_study(study).first_showings().filter(assignment__membership__in=members)
    return once("quality", study, lambda: _measure(study, ratings, counted), ratings=ratings, also=counted)


def _measure(
    study: Study, given: QuerySet[Rating], counted: dict[int, bool]
) -> tuple[dict[int, Quality], dict[int, Remarks]]:
    """`counted` says for each member whether their ratings count."""
    rows = list(
        given.order_by("created_at", "pk")
        .annotate(took=Coalesce("seconds", "supersedes__seconds"))
        .values_list(
            *("pk", "assignment__membership_id", "assignment__item_id", "took", "comment", "flag"),
            "assignment__item__dialogue__whitespace_tokens",
            "assignment__item__other__whitespace_tokens",
        )
    )
    pks = list(counted)
    place = {pk: number for number, pk in enumerate(pks)}
    ratings = Ratings(
        rater=np.array([place[row[1]] for row in rows], dtype=np.int64),
        item=np.unique(np.array([row[2] for row in rows], dtype=np.int64), return_inverse=True)[1],
        scores=_scores(study, [row[0] for row in rows]),
        seconds=np.array([np.nan if row[3] is None else row[3] for row in rows], dtype=np.float64),
        words=np.array([row[6] + (row[7] or 0) for row in rows], dtype=np.float64),
        raters=len(pks),
    )
    found = quality(ratings, np.array(list(counted.values()), dtype=np.bool_))
    comments: dict[int, int] = defaultdict(int)
    flags: dict[int, int] = defaultdict(int)
    for _, member, _, _, comment, flag, _, _ in rows:
        comments[member] += bool(comment)
        flags[member] += bool(flag)
    remarks = {pk: Remarks(comments[pk], flags[pk]) for pk in pks}
    return dict(zip(pks, found, strict=True)), remarks


def _scores(study: Study, ratings: list[int]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(ratings, metrics), NaN for a gap."""
    keys = {metric.key: number for number, metric in enumerate(study.rubric.metric_list())}
    place = {pk: number for number, pk in enumerate(ratings)}
    table = np.full((len(ratings), len(keys)), np.nan)
    rows = Score.objects.filter(
        rating__assignment__study=study,
        rating__is_current=True,
        rating__assignment__item__purpose=Item.Purpose.RATED,
        metric__in=keys,
    ).values_list("rating_id", "metric", "value")
    for rating, metric, value in rows.iterator(5000):
        if rating in place:
            table[place[rating], keys[metric]] = value
    return table


def _checks(study: Study, members: list[Membership]) -> dict[int, Checks]:
    """By member, the results on gold and attention items."""
    kinds = (Item.Purpose.GOLD, Item.Purpose.ATTENTION)
    rows = Score.objects.filter(
        rating__assignment__membership__in=members,
        rating__assignment__study=study,
        rating__is_current=True,
        rating__assignment__item__purpose__in=kinds,
    ).values_list("rating__assignment__membership_id", "rating__assignment__item_id", "metric", "value")
    scores: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for member, item, metric, value in rows:
        scores[member, item][metric] = value
    shown = Item.objects.filter(study=study, purpose__in=kinds).select_related("dialogue", "other")
    items = shown.defer("dialogue__messages", "other__messages").in_bulk() if scores else {}
    tallies: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (member, pk), given in scores.items():
        check = items[pk]
        right = not missed(given, check.expects(study.rubric), check.tolerance)
        first = 0 if check.purpose == Item.Purpose.GOLD else 2
        tallies[member][first] += right if first == 0 else not right
        tallies[member][first + 1] += 1
    return {member: Checks(*counts) for member, counts in tallies.items()}
