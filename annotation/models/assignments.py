"""Who holds which slot of which item."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from django.db import connections, models
from django.db.models import Exists, OuterRef, Q

from annotation.models.studies import Item, Study
from annotation.models.tokens import opaque_token
from core.database.statements import set_clause

# The lease of a slot that nobody holds: expired on every clock.
NO_LEASE = datetime(2000, 1, 1, tzinfo=UTC)
# The fields that identify a slot: `take` reads them with the row.
SLOT = ("id", "study_id", "item_id", "slot", "condition", "position")
SLOT_COLUMNS = ", ".join(f'"{name}"' for name in SLOT)


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def opened(self) -> Self:
        """Waiting for scores, held by somebody or not."""
        return self.filter(state=Assignment.State.OPEN)

    def past_practice(self) -> Self:
        """Rated items and checks. Rows with a condition are rated items, so only the others look up their item.

        With a join PostgreSQL would start at the items, because it expects other purposes to be rare.
        """
        practice = Item.objects.filter(pk=OuterRef("item"), purpose=Item.Purpose.TRAINING)
        return self.filter(Q(condition__gt=0) | ~Exists(practice))

    def slots_to_give(self, study: Study | int, now: datetime) -> Self:
        """Slots of a study with k raters an item that nobody holds, or whose holder's lease has run out."""
        return self.opened().filter(study=study, slot__isnull=False, lease_until__lte=now)

    def first_unlocked(self) -> Any:
        """The first row that no other transaction has locked, for `take`.

        SQLite has one writer at a time, so no row is ever locked there.
        """
        return self.select_for_update(skip_locked=True, of=("self",)).values("pk")[:1]

    def take_first(self, **values: Any) -> "Assignment | None":
        """Write `values` into the first of these rows that no other transaction has locked; returns it, or None."""
        choose, params = self.first_unlocked().query.get_compiler(self.db).as_sql()
        return self.take(choose, params, **values)

    def take(self, choose: str, chosen_params: Sequence[Any], **values: Any) -> "Assignment | None":
        """Write `values` into the row whose key the SQL of `choose` finds; returns it, or None.

        The fields of `SLOT` are loaded; the others are deferred.
        """
        sql, params = self._update(choose, chosen_params, values)
        with connections[self.db].cursor() as cursor:
            cursor.execute(f"{sql} RETURNING {SLOT_COLUMNS}", params)
            row = cursor.fetchone()
        return None if row is None else _taken(self.model.from_db(self.db, SLOT, row), values)

    def write(self, choose: str, chosen_params: Sequence[Any], **values: Any) -> bool:
        """Like `take`, but returns only whether there was a row."""
        with connections[self.db].cursor() as cursor:
            cursor.execute(*self._update(choose, chosen_params, values))
            return bool(cursor.rowcount)

    def _update(self, choose: str, chosen_params: Sequence[Any], values: dict[str, Any]) -> tuple[str, list[Any]]:
        names, params = set_clause(self.model, values)
        # Only names of our own columns and a query compiled by the ORM are filled in.
        return f'UPDATE "annotation_assignment" SET {names} WHERE "id" = ({choose})', [*params, *chosen_params]  # noqa: S608


def _taken(row: "Assignment", values: Mapping[str, Any]) -> "Assignment":
    for name, value in values.items():
        setattr(row, name, value)
    return row


class Assignment(models.Model):
    """An item given to a rater, or one of its free slots, with the draft of the scores.

    If every item has k raters, launch makes k rows for it, numbered by `slot` and held by nobody. A claim writes the
    rater into one; when the lease runs out another rater can claim it. So an item always has exactly k slots. If
    everyone scores everything, each rater has a row for each item, without a slot. A hidden repeat is a second row of
    the same item and rater: it has no slot, and its scores count only in a rater's agreement with themselves.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SUBMITTED = "submitted", "Submitted"
        SKIPPED = "skipped", "Skipped"

    # Every rating writes each index twice, so the foreign keys have no index of their own: those below begin with them.
    # A copy of the item's study, so that one index finds the next slot.
    study = models.ForeignKey(Study, models.CASCADE, related_name="assignments", db_index=False)
    item = models.ForeignKey(Item, models.CASCADE, related_name="assignments", db_index=False)
    membership = models.ForeignKey(
        "Membership", models.CASCADE, null=True, blank=True, related_name="assignments", db_index=False
    )
    token = models.CharField(max_length=32, default=opaque_token)
    # Null if everyone scores everything, and on a row whose slot was given up; a new row has it then.
    slot = models.PositiveSmallIntegerField(null=True, blank=True)
    # Which of the study's versions (or pairs of versions) it shows, from 1, in the order of `selection`; 0 for a
    # training, gold or attention item and for a hidden repeat. Stored here so that one index finds the next version.
    condition = models.PositiveSmallIntegerField(default=0)
    # The place in this rater's order if everyone scores everything; for a slot, its background's number in the study's
    # shuffle; for a training, gold or attention item, after how many rated items it is due. A repeat has its first
    # showing's.
    position = models.PositiveIntegerField()
    # Which of the rater's rated items it is, from 0: with V versions the block is turn // V, the place in it turn % V.
    turn = models.PositiveIntegerField(null=True, blank=True)
    # Whether the rater meets the item for the second time, by a hidden repeat.
    is_repeat = models.BooleanField(default=False)
    # In a study of pairs: whether the item's second dialogue stands left.
    is_flipped = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until then nobody else is given this place.")
    draft = models.JSONField(default=dict, blank=True)
    draft_version = models.PositiveIntegerField(default=0)
    # The next submission's id: every tab with this item sends the same one, so that a repeat is recognised.
    submission_id = models.UUIDField(default=uuid.uuid4)
    skip_reason = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True, help_text="First shown to its rater.")
    created_at = models.DateTimeField(auto_now_add=True)

    # Set by `own_assignment`: how many items the rater has scored, the one they scored before this, and when.
    items_scored: int
    previous_token: str | None
    previous_rated_at: datetime | None
    # Set by `own_assignment(lock=True)`: the latest rating, whether the rater holds another item, and at the end of a
    # block one line for each member of the study.
    last_rating_id: int | None
    holds_more: bool
    members_lines: list[Any] | None

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ("position",)
        constraints = [
            # A constraint, because PostgreSQL gives a unique text field a second index, for LIKE.
            models.UniqueConstraint(fields=["token"], name="assignment_token_unique"),
            models.UniqueConstraint(
                fields=["item", "membership", "is_repeat"], name="assignment_once_and_repeated_once"
            ),
            models.UniqueConstraint(fields=["item", "slot"], name="assignment_slot_unique"),
            models.CheckConstraint(
                condition=Q(membership__isnull=False) | Q(state="open", slot__isnull=False),
                name="assignment_without_rater_is_a_free_place",
            ),
            models.CheckConstraint(
                condition=Q(slot__isnull=True) | Q(lease_until__isnull=False), name="assignment_place_has_lease"
            ),
            models.CheckConstraint(
                condition=Q(is_repeat=False) | Q(condition=0, membership__isnull=False, slot__isnull=True),
                name="assignment_repeat_is_no_place",
            ),
        ]
        indexes = [
            models.Index(fields=["membership", "state", "position"], name="assignment_queue"),
            models.Index(fields=["study", "state", "condition", "position"], name="assignment_places"),
            models.Index(fields=["membership", "opened_at"], name="assignment_history"),
        ]

    def __str__(self) -> str:
        return self.token
