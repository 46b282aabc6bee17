"""A rater's current block and all that they have been shown.

It is stored with the rater's membership (`Membership.course`), so no row that several raters write to is ever locked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import connection

from annotation.allocation.williams import Row, Tally
from annotation.models import Membership
from core.database.statements import set_clause

# How long a silent rater keeps their slot, and counts as still working on their block.
LEASE = timedelta(hours=1)


class OvertakenError(Exception):
    """Another tab of the same rater was faster: read the membership again."""


@dataclass(slots=True)
class BlockState:
    """One rater's block: its number, the versions `left` in it, the place of the next one in the row and the version
    `before` it; `tally` counts all that they have been shown, `at` is when they last were (seconds since 1970)."""

    versions: int
    tally: Tally
    left: list[int]
    place: int
    before: int | None
    block: int
    at: float

    @classmethod
    def of(cls, membership: Membership) -> Self:
        return cls.read(membership.course, len(membership.study.selection.get("conditions", ())))

    @classmethod
    def read(cls, stored: dict[str, Any], versions: int) -> Self:
        return cls(
            versions,
            Tally.read(stored.get("shown"), versions),
            list(stored.get("left", [])),
            stored.get("place", 0),
            stored.get("before"),
            stored.get("block", -1),
            stored.get("at", 0.0),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "shown": self.tally.to_json(),
            "left": self.left,
            "place": self.place,
            "before": self.before,
            "block": self.block,
            "at": self.at,
        }

    def begin(self, row: Row, block: int) -> None:
        self.left, self.place, self.before, self.block = list(row), 0, None, block

    def show(self, version: int, now: datetime) -> None:
        """Count an item. A version that is not left in the block replaces the one whose turn it was."""
        if not self.left:
            return
        self.tally.add(version, self.place, self.before)
        self.left.remove(version if version in self.left else self.left[0])
        self.place, self.before = self.place + 1, version
        self.at = now.timestamp()

    def write(self, membership: Membership) -> None:
        """Store the state; raises OvertakenError if another tab has changed it since it was read."""
        written: dict[str, Any] = {"turn": membership.turn + 1, "course": self.to_json()}
        names, params = set_clause(Membership, written)
        # Only names of our own columns are filled in.
        sql = f'UPDATE "annotation_membership" SET {names} WHERE "id" = %s AND "turn" = %s'  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(sql, [*params, membership.pk, membership.turn])
            if not cursor.rowcount:
                raise OvertakenError
        membership.turn, membership.course = written["turn"], written["course"]
