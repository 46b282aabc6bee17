"""A rater's next item: a slot that they claim, or the next in their own order when everyone scores everything."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from annotation.allocation.block_balance import MemberLine, next_row
from annotation.allocation.block_state import LEASE, BlockState, OvertakenError
from annotation.allocation.orders import claim_pivot
from annotation.allocation.slots import BATCH, rows_of, stands_flipped
from annotation.models import NO_LEASE, Assignment, AssignmentQuerySet, Membership, Rating, Study, opaque_token
from core.database.prepared import Prepared

# The `skip_reason` of an item that its rater had rated and taken back when they lost its slot.
LEFT = "left"
MOST_HELD = 20


def due(membership: Membership) -> Assignment | None:
    """The rater's open item, if any: training and checks that are due first, then what they hold. Locks the row."""
    mine = Assignment.objects.opened().filter(membership=membership)
    if membership.study.raters_per_item is None:
        return mine.order_by("position", "condition", "pk").first()
    held = mine.filter(is_due(membership.turn)).order_by("position", "pk").select_for_update(no_key=True)
    return min(held[:MOST_HELD], key=_earliest, default=None)


def is_due(turn: int | OuterRef) -> Q:
    """Matches, of a rater's open rows in a study with slots: a slot they hold, a repeat, or a check that is due."""
    return Q(slot__isnull=False) | Q(is_repeat=True) | Q(position__lte=turn)


def _earliest(held: Assignment) -> tuple[bool, int, float]:
    has_slot = held.slot is not None
    return has_slot, 0 if has_slot else held.position, held.opened_at.timestamp() if held.opened_at else 0.0


def claim(membership: Membership, now: datetime, lines: Sequence[MemberLine] | None = None) -> Assignment | None:
    """Give the rater a free slot: of the version whose turn it is, and not of the background they just saw.

    Near the end, when that version has no slot left for them, another version replaces it; as a last resort one of the
    background just seen. `lines` are passed to `next_row`. Raises OvertakenError if another tab of theirs was faster.
    """
    turn, stored = membership.turn, membership.course
    state = BlockState.of(membership)
    if not state.left:
        state.begin(next_row(membership, state, now, lines=lines), state.block + 1)
    begun, wanted = state.to_json(), state.left[0]
    # The rater's own row first: its lock makes their tabs take turns.
    state.show(wanted, now)
    state.write(membership)
    taken = _take(membership, wanted, state, turn, now)
    if taken is None:
        _rewrite(membership, turn, stored)
    elif taken.condition != wanted:
        instead = BlockState.read(begun, state.versions)
        instead.show(taken.condition, now)
        _rewrite(membership, membership.turn, instead.to_json())
    return taken


def _rewrite(membership: Membership, turn: int, state: dict[str, Any]) -> None:
    """Store what was really given; `write` has locked the rater's row."""
    membership.turn, membership.course = turn, state
    membership.save(update_fields=["turn", "course"])


def _take(membership: Membership, wanted: int, state: BlockState, turn: int, now: datetime) -> Assignment | None:
    study = membership.study
    families = study.selection["families"]
    pivot = claim_pivot(membership.seed, wanted, state.block, backgrounds=families, versions=state.versions)
    values: dict[str, Any] = {
        "membership_id": membership.pk,
        "token": opaque_token(),
        "submission_id": uuid.uuid4(),
        "draft": {},
        "draft_version": 0,
        "is_flipped": stands_flipped(membership, wanted, state.block),
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
    found = found or _stand_in(membership, state, now, values)
    if found is not None:
        found.study, found.membership = study, membership
    return found


def _stand_in(membership: Membership, state: BlockState, now: datetime, values: dict[str, Any]) -> Assignment | None:
    """A free slot of another version; then one whose holder's lease has run out, since they may still come back."""
    free = _free(membership.study_id, membership.pk, now)
    apart = _apart(free, membership.pk)
    if found := _in_order(apart.filter(membership__isnull=True), state.left).take_first(**values):
        return found
    vacate_lapsed(membership.study, now)
    found = _in_order(apart, state.left).take_first(**values)
    return found or _in_order(free, state.left).take_first(**values)


def _free(study: int, membership: int, now: datetime) -> AssignmentQuerySet:
    """Slots to give of items that this rater has no row for.

    A CASE makes PostgreSQL look each row up in the index of (item, membership) and expect half of them to match. With
    NOT EXISTS it joins, and reads all of the rater's rows, or the whole table, for each claim. With a subquery that IS
    NULL it expects so few matches that it reads and sorts all slots to find the first.
    """
    mine = Assignment.objects.filter(membership=membership, item=OuterRef("item")).order_by()
    is_new = Case(When(Exists(mine), then=Value(False)), default=Value(True))
    return Assignment.objects.slots_to_give(study, now).filter(is_new)


def _apart(free: AssignmentQuerySet, membership: int) -> AssignmentQuerySet:
    return free.exclude(position=_just_seen(membership))


def _in_turn(study: int, membership: int, now: datetime, wanted: int) -> AssignmentQuerySet:
    """Untouched slots of the version whose turn it is, of another background than the one just seen."""
    untouched = _apart(_free(study, membership, now), membership).filter(membership__isnull=True)
    return untouched.filter(condition=wanted).order_by("position")


def _just_seen(membership: int) -> Coalesce:
    """The number of the background that the rater saw last; -1 before the first."""
    latest = Assignment.objects.filter(membership=membership, opened_at__isnull=False)
    latest = latest.filter(Q(condition__gt=0) | Q(is_repeat=True))
    return Coalesce(Subquery(latest.order_by("-opened_at").values("position")[:1]), Value(-1))


ASKED: dict[str, type] = {"study": int, "membership": int, "now": datetime, "wanted": int, "pivot": int}
FROM_PIVOT = Prepared(lambda pivot, **asked: _in_turn(**asked).filter(position__gte=pivot).first_unlocked(), **ASKED)
BELOW_PIVOT = Prepared(lambda pivot, **asked: _in_turn(**asked).filter(position__lt=pivot).first_unlocked(), **ASKED)


def _in_order(free: AssignmentQuerySet, left: Sequence[int]) -> AssignmentQuerySet:
    """Sort the versions left in the block first, in their order."""
    wishes = [When(Q(condition=version), then=Value(number)) for number, version in enumerate(left)]
    return free.order_by(*([Case(*wishes, default=Value(len(wishes)))] if wishes else []), "position")


def vacate_lapsed(study: Study, now: datetime) -> None:
    """Free slots of ratings that were taken back and whose raters have been silent for longer than the lease."""
    rated = Rating.objects.filter(assignment=OuterRef("pk"))
    lapsed = Assignment.objects.slots_to_give(study, now).filter(Exists(rated), membership__isnull=False)
    if found := list(lapsed.select_for_update(skip_locked=True, of=("self",))):
        vacate(found)


def vacate(rows: Sequence[Assignment]) -> None:
    """Free these slots; the caller has locked the rows. Ratings stay with their rater."""
    rated = set(Rating.objects.filter(assignment__in=rows).values_list("assignment_id", flat=True))
    kept = Assignment.objects.filter(pk__in=rated)
    kept.filter(state=Assignment.State.OPEN).update(state=Assignment.State.SKIPPED, skip_reason=LEFT)
    kept.update(slot=None)
    Assignment.objects.filter(pk__in=[row.pk for row in rows if row.pk not in rated]).delete()
    open_slots(rows)


def open_slots(rows: Iterable[Assignment]) -> None:
    """Make a free slot for each of these rows, which no longer hold theirs."""
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
    """Order the rater's next block by the row that balances all raters best; when everyone scores everything.

    `first` is the block's first item so far. Returns the one that is first now, counted as shown.
    """
    state = BlockState.of(membership)
    number = first.position // state.versions
    start = number * state.versions
    near = Assignment.objects.filter(membership=membership, condition__gt=0)
    near = near.filter(position__gte=start - 1, position__lt=start + state.versions)
    found = list(near.select_related("item").order_by("position"))
    rows = [one for one in found if one.position >= start]
    seen = {one.item.background_id for one in found if one.position < start}
    row = next_row(membership, state, now, [one.condition for one in rows if one.item.background_id in seen])
    held = {one.condition: one for one in rows}
    # A block without some version is shorter.
    ordered = [held[version] for version in row if version in held]
    state.begin(tuple(one.condition for one in ordered), number)
    state.show(ordered[0].condition, now)
    state.write(membership)
    for position, one in enumerate(ordered, start=start):
        one.position = one.turn = position
    ordered[0].opened_at = now
    Assignment.objects.bulk_update(ordered, ["position", "turn", "opened_at"])
    ordered[0].study, ordered[0].membership = membership.study, membership
    return ordered[0]


def starts_block(membership: Membership, first: Assignment) -> bool:
    """Whether this is the first item of a block that has not been ordered by a row yet."""
    if first.slot is not None or not first.condition or first.opened_at is not None:
        return False
    versions = len(membership.study.selection.get("conditions", ()))
    if versions < 2:
        return False
    is_new = first.position // versions != BlockState.of(membership).block
    return is_new and first.position % versions == 0 and bool(rows_of(membership.study))


def note_shown(assignment: Assignment, membership: Membership, now: datetime) -> None:
    """Add an item of the rater's own order to the tally of what they have been shown."""
    for _ in range(3):
        state = BlockState.of(membership)
        state.show(assignment.condition, now)
        try:
            return state.write(membership)
        except OvertakenError:
            membership.refresh_from_db(fields=["turn", "course"])
    return None
