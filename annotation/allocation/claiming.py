"""The next item of a rater: in their own order where everyone scores everything, else a free place they claim."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from annotation.allocation.block_balance import MemberLine, next_row
from annotation.allocation.block_state import LEASE, Course, OvertakenError
from annotation.allocation.orders import claim_pivot
from annotation.allocation.slots import BATCH, rows_of, stands_flipped
from annotation.models import NO_LEASE, Assignment, AssignmentQuerySet, Membership, Rating, Study, opaque_token
from core.database.prepared import Prepared

# Why a place is no longer its rater's although they neither rated nor skipped it.
LEFT = "left"
MOST_HELD = 20


def due(membership: Membership) -> Assignment | None:
    """What the rater holds, training and checks that are due first; locked, so that nobody else is given it."""
    mine = Assignment.objects.opened().filter(membership=membership)
    if membership.study.raters_per_item is None:
        return mine.order_by("position", "condition", "pk").first()
    held = mine.filter(is_due(membership.turn)).order_by("position", "pk").select_for_update(no_key=True)
    return min(held[:MOST_HELD], key=_earliest, default=None)


def is_due(turn: int) -> Q:
    """Among a rater's open rows in a study with places: a place they hold, or a check whose time has come."""
    return Q(slot__isnull=False) | Q(position__lte=turn)


def _earliest(held: Assignment) -> tuple[bool, int, float]:
    is_place = held.slot is not None
    return is_place, 0 if is_place else held.position, held.opened_at.timestamp() if held.opened_at else 0.0


def claim(membership: Membership, now: datetime, lines: Sequence[MemberLine] | None = None) -> Assignment | None:
    """Write the rater into one free place: the version whose turn it is, of a background they did not just see.

    Raises OvertakenError where another tab of theirs was first. Near the end, when that version has no place left
    for them, another version stands in; last of all one of the background just seen. `lines` are for `next_row`.
    """
    turn, stored = membership.turn, membership.course
    course = Course.of(membership)
    if not course.left:
        course.begin(next_row(membership, course, now, lines=lines), course.block + 1)
    begun, wanted = course.to_json(), course.left[0]
    # First their own row: it is the lock that makes tabs take turns.
    course.show(wanted, now)
    course.write(membership)
    place = _take(membership, wanted, course, turn, now)
    if place is None:
        _rewrite(membership, turn, stored)
    elif place.condition != wanted:
        instead = Course.read(begun, course.versions)
        instead.show(place.condition, now)
        _rewrite(membership, membership.turn, instead.to_json())
    return place


def _rewrite(membership: Membership, turn: int, course: dict[str, Any]) -> None:
    """What was really given; the rater's row is ours since `write`."""
    membership.turn, membership.course = turn, course
    membership.save(update_fields=["turn", "course"])


def _take(membership: Membership, wanted: int, course: Course, turn: int, now: datetime) -> Assignment | None:
    study = membership.study
    families = study.selection["families"]
    pivot = claim_pivot(membership.seed, wanted, course.block, backgrounds=families, versions=course.versions)
    values: dict[str, Any] = {
        "membership_id": membership.pk,
        "token": opaque_token(),
        "submission_id": uuid.uuid4(),
        "draft": {},
        "draft_version": 0,
        "is_flipped": stands_flipped(membership, wanted, course.block),
        "opened_at": now,
        "lease_until": now + LEASE,
        "turn": turn,
    }
    asked: dict[str, Any] = {
        "study": study.pk,
        "membership": membership.pk,
        "now": now,
        "wanted": wanted,
        "pivot": pivot,
    }
    found = Assignment.objects.take(*FROM_PIVOT.sql(**asked), **values)
    found = found or Assignment.objects.take(*BELOW_PIVOT.sql(**asked), **values)
    found = found or _stand_in(membership, course, now, values)
    if found is not None:
        found.study, found.membership = study, membership
    return found


def _stand_in(membership: Membership, course: Course, now: datetime, values: dict[str, Any]) -> Assignment | None:
    """Another version of the block; then what others left lying, as they may still come back to it."""
    free = _free(membership.study_id, membership.pk, now)
    apart = _apart(free, membership.pk)
    if found := _in_order(apart.filter(membership__isnull=True), course.left).take_first(**values):
        return found
    vacate_lapsed(membership.study, now)
    found = _in_order(apart, course.left).take_first(**values)
    return found or _in_order(free, course.left).take_first(**values)


def _free(study: int, membership: int, now: datetime) -> AssignmentQuerySet:
    """Places of items that this rater has no row of.

    A CASE, because it is looked up row by row in the index of (item, membership), and PostgreSQL takes it for true of
    half the rows. As NOT EXISTS it is joined instead, and all of the rater's rows are read for each claim, or the whole
    table's; a subquery that IS NULL is thought so rare that all places are read and sorted for the first one.
    """
    mine = Assignment.objects.filter(membership=membership, item=OuterRef("item")).order_by()
    is_new = Case(When(Exists(mine), then=Value(False)), default=Value(True))
    return Assignment.objects.places_to_give(study, now).filter(is_new)


def _apart(free: AssignmentQuerySet, membership: int) -> AssignmentQuerySet:
    return free.exclude(position=_just_seen(membership))


def _in_turn(study: int, membership: int, now: datetime, wanted: int) -> AssignmentQuerySet:
    """Places of the version whose turn it is, held by nobody, of another background than the one just seen."""
    untouched = _apart(_free(study, membership, now), membership).filter(membership__isnull=True)
    return untouched.filter(condition=wanted).order_by("position")


def _just_seen(membership: int) -> Coalesce:
    """The background's number of the rater's latest place; -1 before the first."""
    latest = Assignment.objects.filter(membership=membership, opened_at__isnull=False, condition__gt=0)
    return Coalesce(Subquery(latest.order_by("-opened_at").values("position")[:1]), Value(-1))


ASKED: dict[str, type] = {"study": int, "membership": int, "now": datetime, "wanted": int, "pivot": int}
FROM_PIVOT = Prepared(lambda pivot, **asked: _in_turn(**asked).filter(position__gte=pivot).first_unlocked(), **ASKED)
BELOW_PIVOT = Prepared(lambda pivot, **asked: _in_turn(**asked).filter(position__lt=pivot).first_unlocked(), **ASKED)


def _in_order(free: AssignmentQuerySet, left: Sequence[int]) -> AssignmentQuerySet:
    """The versions left in the block first."""
    wishes = [When(Q(condition=version), then=Value(number)) for number, version in enumerate(left)]
    return free.order_by(*([Case(*wishes, default=Value(len(wishes)))] if wishes else []), "position")


def vacate_lapsed(study: Study, now: datetime) -> None:
    """Free the places of rated and taken-back items whose raters have been silent past the lease."""
    rated = Rating.objects.filter(assignment=OuterRef("pk"))
    lapsed = Assignment.objects.places_to_give(study, now).filter(Exists(rated), membership__isnull=False)
    if found := list(lapsed.select_for_update(skip_locked=True, of=("self",))):
        vacate(found)


def vacate(rows: Sequence[Assignment]) -> None:
    """Give up these places, locked by the caller: what was rated stays with its rater, the places are free again."""
    rated = set(Rating.objects.filter(assignment__in=rows).values_list("assignment_id", flat=True))
    kept = Assignment.objects.filter(pk__in=rated)
    kept.filter(state=Assignment.State.OPEN).update(state=Assignment.State.SKIPPED, skip_reason=LEFT)
    kept.update(slot=None)
    Assignment.objects.filter(pk__in=[row.pk for row in rows if row.pk not in rated]).delete()
    open_places(rows)


def open_places(rows: Iterable[Assignment]) -> None:
    """A free place for each of these rows, which no longer hold their slots."""
    Assignment.objects.bulk_create(
        (
            Assignment(
                study_id=row.study_id,
                item_id=row.item_id,
                slot=row.slot,
                position=row.position,
                condition=row.condition,
                lease_until=NO_LEASE,
            )
            for row in rows
        ),
        batch_size=BATCH,
    )


def begin_block(membership: Membership, first: Assignment, now: datetime) -> Assignment:
    """Where everyone scores everything: put the rater's next block in the row that mends what others left.

    Gives the item that is first now, as shown; `first` is what was first before.
    """
    course = Course.of(membership)
    number = first.position // course.versions
    start = number * course.versions
    near = Assignment.objects.filter(membership=membership, condition__gt=0)
    near = near.filter(position__gte=start - 1, position__lt=start + course.versions)
    found = list(near.select_related("item").order_by("position"))
    rows = [one for one in found if one.position >= start]
    seen = {one.item.background_id for one in found if one.position < start}
    row = next_row(membership, course, now, [one.condition for one in rows if one.item.background_id in seen])
    held = {one.condition: one for one in rows}
    # A background may lack a version; its block is a shorter one then.
    ordered = [held[version] for version in row if version in held]
    course.begin(tuple(one.condition for one in ordered), number)
    course.show(ordered[0].condition, now)
    course.write(membership)
    for position, one in enumerate(ordered, start=start):
        one.position = one.turn = position
    ordered[0].opened_at = now
    Assignment.objects.bulk_update(ordered, ["position", "turn", "opened_at"])
    ordered[0].study, ordered[0].membership = membership.study, membership
    return ordered[0]


def starts_block(membership: Membership, first: Assignment) -> bool:
    """Whether this is the first item of a block whose row is still to be chosen."""
    if first.slot is not None or not first.condition or first.opened_at is not None:
        return False
    versions = len(membership.study.selection.get("conditions", ()))
    if versions < 2:
        return False
    is_new = first.position // versions != Course.of(membership).block
    return is_new and first.position % versions == 0 and bool(rows_of(membership.study))


def note_shown(assignment: Assignment, membership: Membership, now: datetime) -> None:
    """Count an item of the rater's own order in what they were shown."""
    for _ in range(3):
        course = Course.of(membership)
        course.show(assignment.condition, now)
        try:
            return course.write(membership)
        except OvertakenError:
            membership.refresh_from_db(fields=["turn", "course"])
    return None
