"""A study's items and scores from the database as columns, with few queries and no loop over ratings."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from django.db.models import QuerySet

from annotation.imported.placing import NO_TEXT
from annotation.models import Chat, Item, Membership, Rating, Score, Study
from annotation.reports.bootstrap import Ints
from annotation.reports.columns import StudyItems, StudyScores, Submissions, version_items
from dialogues.counts import COUNT_FIELDS
from dialogues.models import Dialogue, DialogueQuerySet, Version

ROWS_AT_ONCE = 5000

Row = tuple[Any, ...]
NO_SCORES: tuple[Row, Iterator[Row]] = ((), iter(()))


def study_items(study: Study) -> StudyItems:
    rows = Item.objects.filter(study=study, purpose=Item.Purpose.RATED).order_by("pk")
    columns = _columns(
        rows.values_list(
            "pk",
            "background_id",
            "dialogue__version_id",
            "dialogue__written_by",
            "dialogue__is_demo",
            *(f"dialogue__{name}" for name in COUNT_FIELDS),
        ),
        5 + len(COUNT_FIELDS),
    )
    pks, backgrounds, slugs, writers, demo, *counts = columns
    ordered = [version for version in in_order(study) if version.slug in set(slugs)]
    place = {version.slug: number for number, version in enumerate(ordered)}
    measured = np.array(counts, dtype=np.int64).T.reshape(-1, len(COUNT_FIELDS))
    without_text = _without_text(study, rows)
    if study.has_chats:
        measured, without_text = _of_chats(study, pks)
    return StudyItems(
        pks=np.array(pks, dtype=np.int64),
        background=np.unique(np.array(backgrounds, dtype=np.int64), return_inverse=True)[1],
        version=np.array([place[slug] for slug in slugs], dtype=np.int64),
        counts=measured,
        has_text=~np.isin(pks, without_text),
        versions=version_items(ordered, list(zip(slugs, writers, demo, strict=True))),
    )


def in_order(study: Study) -> list[Version]:
    """The study's versions in the order of all versions; systems to chat with in the order of the design."""
    if study.has_chats:
        return [system.version for system in study.systems.select_related("version")]
    return list(study.versions.order_by("position", "slug"))


def _without_text(study: Study, items: QuerySet[Item]) -> list[int]:
    """The items whose dialogue is a placeholder; the import counted them, and no other study has any."""
    if not study.selection.get("without_text"):
        return []
    return list(items.filter(dialogue__message_count=1, dialogue__messages=[[1, NO_TEXT]]).values_list("pk", flat=True))


def _of_chats(study: Study, items: Sequence[int]) -> tuple[Ints, list[int]]:
    """(items, COUNT_FIELDS) sums over the dialogues that the items' counted chats became, and the items without any."""
    place = {pk: number for number, pk in enumerate(items)}
    sums = np.zeros((len(items), len(COUNT_FIELDS)), dtype=np.int64)
    rows = chat_dialogues(study, counted_members(study))
    for item, *counts in rows.values_list("chat__assignment__item_id", *COUNT_FIELDS):
        sums[place[item]] += counts
    return sums, [pk for pk, of_item in zip(items, sums, strict=True) if not of_item.any()]


def chat_dialogues(study: Study, members: Collection[int]) -> DialogueQuerySet:
    """What the chats with counted scores by these members became; a chat in which one side said nothing became none."""
    rated = counted_ratings(study, members).order_by().values("assignment")
    return Dialogue.objects.filter(chat__in=Chat.objects.in_study(study).held().filter(assignment__in=rated))


def counted_members(study: Study) -> dict[int, str]:
    """Counted members' pseudonyms by membership: people's in a study of people, the simulator's in a simulated one."""
    return _named(study, study.memberships.counted())


def _named(study: Study, members: QuerySet[Membership]) -> dict[int, str]:
    rows = members.order_by("pk").values_list("pk", "rater__profile__pseudonym", "rater__profile__is_simulated")
    return {pk: name or f"member-{pk}" for pk, name, simulated in rows if bool(simulated) == study.is_simulated}


def counted_ratings(study: Study, members: Collection[int]) -> QuerySet[Rating]:
    """These members' counted ratings."""
    ratings = Rating.objects.counted().for_study(study)
    return ratings.filter(assignment__item__purpose=Item.Purpose.RATED, assignment__membership__in=members)


def rated(
    study: Study,
    members: Collection[int],
    of_rating: Sequence[Any],
    of_score: Sequence[Any],
    *,
    of: QuerySet[Rating] | None = None,
) -> Iterator[tuple[Row, Iterator[Row]]]:
    """Each counted rating (item, key, *of_rating) with its scores (item, key, *of_score), sorted by item.

    `of` are other ratings of the study instead.

    They come from two streams in the same order, so memory use is constant. A join would send each rating once for each
    of its scores, and without statistics PostgreSQL might compare every item with every rating.
    """
    read = counted_ratings(study, members) if of is None else of
    ratings = read.order_by("assignment__item_id", "pk")
    scores = Score.objects.filter(rating__assignment__study=study)
    rows = scores.order_by("rating__assignment__item_id", "rating_id", "pk")
    streamed = rows.values_list("rating__assignment__item_id", "rating_id", *of_score).iterator(ROWS_AT_ONCE)
    groups = groupby(streamed, key=itemgetter(0, 1))
    place, given = next(groups, NO_SCORES)
    for rating in ratings.values_list("assignment__item_id", "pk", *of_rating).iterator(ROWS_AT_ONCE):
        # Skip scores of other ratings.
        while place and place < rating[:2]:
            place, given = next(groups, NO_SCORES)
        if place == rating[:2]:
            yield rating, given


def study_scores(study: Study, items: StudyItems, metrics: Sequence[str]) -> StudyScores:
    """The counted scores, from two queries; see `rated` for why they are not joined."""
    members = counted_members(study)
    return _scores(study, items, metrics, members, counted_ratings(study, members))


def scores_before_exclusions(study: Study, items: StudyItems, metrics: Sequence[str]) -> StudyScores:
    """The same with the scores of raters who were excluded or screened out."""
    members = _named(study, study.memberships.who_stayed())
    ratings = Rating.objects.before_exclusions().for_study(study).filter(assignment__membership__in=members)
    return _scores(study, items, metrics, members, ratings)


def submitted_ratings(study: Study, items: StudyItems) -> Submissions:
    """The counted ratings; a corrected one stands where it was corrected."""
    members = counted_members(study)
    rows = counted_ratings(study, members).order_by("pk")
    item, member, seconds = _columns(rows.values_list("assignment__item_id", "assignment__membership_id", "seconds"), 3)
    return Submissions(
        np.searchsorted(items.pks, np.array(item, dtype=np.int64)),
        np.searchsorted(np.array(list(members), dtype=np.int64), np.array(member, dtype=np.int64)),
        np.array(seconds, dtype=np.float64),
    )


def _scores(
    study: Study, items: StudyItems, metrics: Sequence[str], members: dict[int, str], chosen: QuerySet[Rating]
) -> StudyScores:
    ratings = chosen.order_by("pk")
    rating_pks, item_pks, member_pks = _columns(
        ratings.values_list("pk", "assignment__item_id", "assignment__membership_id"), 3
    )
    rows = Score.objects.filter(rating__assignment__study=study, metric__in=metrics)
    of_rating, names, values = _columns(rows.values_list("rating_id", "metric", "value"), 3)
    counted, rating = np.array(rating_pks, dtype=np.int64), np.array(of_rating, dtype=np.int64)
    counts = np.isin(rating, counted)
    place = np.searchsorted(counted, rating[counts])
    keys = np.array(sorted(metrics))
    # From a key's alphabetical index to its index in the rubric.
    in_rubric = np.array([metrics.index(key) for key in keys], dtype=np.int64)
    others = Membership.objects.filter(study=study, rater__profile__is_simulated=not study.is_simulated)
    return StudyScores(
        item=np.searchsorted(items.pks, np.array(item_pks, dtype=np.int64)[place]),
        rater=np.searchsorted(np.array(list(members), dtype=np.int64), np.array(member_pks, dtype=np.int64)[place]),
        metric=in_rubric[np.searchsorted(keys, np.array(names, dtype=keys.dtype)[counts])],
        value=np.array(values, dtype=np.float64)[counts],
        raters=tuple(members.values()),
        set_aside=Rating.objects.counted().for_study(study).filter(assignment__membership__in=others).count(),
        screened_out=study.memberships.screened_out_by_checks().count(),
    )


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
