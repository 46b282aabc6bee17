"""Who holds which place of which item."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from django.db import connections, models
from django.db.models import Exists, OuterRef, Q

from annotation.models.items import Item
from annotation.models.studies import Study
from annotation.models.tokens import opaque_token
from core.database.statements import set_clause

# The lease of a place that nobody holds: over on every clock.
NO_LEASE = datetime(2000, 1, 1, tzinfo=UTC)
# What says which place a row is: read with the row that `take` takes.
SLOT = ("id", "study_id", "item_id", "slot", "condition", "position")
SLOT_COLUMNS = ", ".join(f'"{name}"' for name in SLOT)


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def opened(self) -> Self:
        """Waiting for scores, given to somebody or not."""
        return self.filter(state=Assignment.State.OPEN)

    def past_practice(self) -> Self:
        """Rated items and checks. Those with a condition are rated items, so the item is looked up for few others.

        A join of the items instead is read from the items' side: the planner takes other purposes for rare.
        """
        practice = Item.objects.filter(pk=OuterRef("item"), purpose=Item.Purpose.TRAINING)
        return self.filter(Q(condition__gt=0) | ~Exists(practice))

    def slots_to_give(self, study: Study | int, now: datetime) -> Self:
        """Places of a k-raters study that nobody holds, or whose holder has been silent past the lease."""
        return self.opened().filter(study=study, slot__isnull=False, lease_until__lte=now)

    def first_unlocked(self) -> Any:
        """The first row that no rival has locked, for `take`.

        On SQLite only one writer is at work at a time, so there is nothing to step over.
        """
        return self.select_for_update(skip_locked=True, of=("self",)).values("pk")[:1]

    def take_first(self, **values: Any) -> "Assignment | None":
        """Write `values` into the first of these rows that no rival has locked; gives it, or None."""
        choose, params = self.first_unlocked().query.get_compiler(self.db).as_sql()
        return self.take(choose, params, **values)

    def take(self, choose: str, chosen_params: Sequence[Any], **values: Any) -> "Assignment | None":
        """Write `values` into the row whose key the SQL of `choose` finds; gives it, or None.

        What says which place it is was read with it; its other fields are read when they are asked for.
        """
        sql, params = self._update(choose, chosen_params, values)
        with connections[self.db].cursor() as cursor:
            cursor.execute(f"{sql} RETURNING {SLOT_COLUMNS}", params)
            row = cursor.fetchone()
        return None if row is None else _taken(self.model.from_db(self.db, SLOT, row), values)

    def write(self, choose: str, chosen_params: Sequence[Any], **values: Any) -> bool:
        """The same without the row: whether there was one."""
        with connections[self.db].cursor() as cursor:
            cursor.execute(*self._update(choose, chosen_params, values))
            return bool(cursor.rowcount)

    def _update(self, choose: str, chosen_params: Sequence[Any], values: dict[str, Any]) -> tuple[str, list[Any]]:
        names, params = set_clause(self.model, values)
        # Names of our own tables and columns, and a query that the ORM has written.
        return f'UPDATE "annotation_assignment" SET {names} WHERE "id" = ({choose})', [*params, *chosen_params]  # noqa: S608


def _taken(place: "Assignment", values: Mapping[str, Any]) -> "Assignment":
    for name, value in values.items():
        setattr(place, name, value)
    return place


class Assignment(models.Model):
    """A place in an item's ratings, the rater who holds it, and the draft of their scores.

    Where every item has k raters, launch makes its k places, numbered by `slot` and held by nobody; a claim
    writes the rater into one, a lease that ran out lets another rater claim it. So an item has exactly k places
    whatever happens. Where everyone scores everything, each rater has a row for each item and no slot.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SUBMITTED = "submitted", "Submitted"
        SKIPPED = "skipped", "Skipped"

    # Each index is written twice a rating, so the three keys have none of their own: those below begin with them.
    # The item's study again, so that the next place is found by one index.
    study = models.ForeignKey(Study, models.CASCADE, related_name="assignments", db_index=False)
    item = models.ForeignKey(Item, models.CASCADE, related_name="assignments", db_index=False)
    membership = models.ForeignKey(
        "Membership", models.CASCADE, null=True, blank=True, related_name="assignments", db_index=False
    )
    token = models.CharField(max_length=32, default=opaque_token)
    # Null where everyone scores everything, and on a place that was given up, which a new row has replaced.
    slot = models.PositiveSmallIntegerField(null=True, blank=True)
    # Which of the study's versions (or pairs of versions) it shows, from 1, in the order of `selection`; 0: a
    # training, gold or attention item. Here, too, so that a rater's next version is found by one index.
    condition = models.PositiveSmallIntegerField(default=0)
    # Where everyone scores everything, in this rater's order; of a place, its background's number in the study's
    # shuffle; of a training, gold or attention item, after how many rated ones it is due.
    position = models.PositiveIntegerField()
    # Which of its rater's rated items it is, from 0: with V versions the block is turn // V, its place turn % V.
    turn = models.PositiveIntegerField(null=True, blank=True)
    # In a study of pairs: whether the item's second dialogue stands left.
    is_flipped = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until then nobody else is given this place.")
    draft = models.JSONField(default=dict, blank=True)
    draft_version = models.PositiveIntegerField(default=0)
    # The next submission's id: every tab that shows this item sends the same one, so a repeat is recognised.
    submission_id = models.UUIDField(default=uuid.uuid4)
    skip_reason = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True, help_text="First shown to its rater.")
    created_at = models.DateTimeField(auto_now_add=True)

    # Set by `own_assignment`: how many items its rater has scored, and the one before this one, with when that was.
    items_scored: int
    previous_token: str | None
    previous_rated_at: datetime | None
    # Set by `own_assignment(lock=True)`: the item's latest rating, whether its rater holds another item, and at the
    # end of their block a line of each member.
    last_rating_id: int | None
    holds_more: bool
    members_lines: list[Any] | None

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ("position",)
        constraints = [
            # As a constraint: a unique text field has a second index on PostgreSQL, for LIKE.
            models.UniqueConstraint(fields=["token"], name="assignment_token_unique"),
            models.UniqueConstraint(fields=["item", "membership"], name="assignment_once_a_rater"),
            models.UniqueConstraint(fields=["item", "slot"], name="assignment_slot_unique"),
            models.CheckConstraint(
                condition=Q(membership__isnull=False) | Q(state="open", slot__isnull=False),
                name="assignment_without_rater_is_a_free_place",
            ),
            models.CheckConstraint(
                condition=Q(slot__isnull=True) | Q(lease_until__isnull=False), name="assignment_place_has_lease"
            ),
        ]
        indexes = [
            models.Index(fields=["membership", "state", "position"], name="assignment_queue"),
            models.Index(fields=["study", "state", "condition", "position"], name="assignment_places"),
            models.Index(fields=["membership", "opened_at"], name="assignment_history"),
        ]

    def __str__(self) -> str:
        return self.token
