"""The row of versions a rater is in, and how the next one is chosen so that it mends what the others left.

What a rater was shown is kept with their membership, so that nothing that many raters write to is ever locked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
from django.db import connection
from django.db.models import Q

from annotation.models import Membership, Study
from annotation.studies.williams import Row, Tally, mending_row, williams_rows
from dialogues.statements import assignments

# How long a rater may say nothing and still be expected to finish their block, and to hold their place.
LEASE = timedelta(hours=1)


class OvertakenError(Exception):
    """The same rater's other tab was first: read the membership again."""


@dataclass(slots=True)
class Course:
    """Where one rater is: the versions left in their block, the one just shown in it, and all they were shown."""

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
        """Count an item; one that is not left in the block stands in for the one whose turn it was."""
        if not self.left:
            return
        self.tally.add(version, self.place, self.before)
        self.left.remove(version if version in self.left else self.left[0])
        self.place, self.before = self.place + 1, version
        self.at = now.timestamp()

    def write(self, membership: Membership) -> None:
        """Keep it, unless another tab changed it since it was read; raises OvertakenError."""
        written: dict[str, Any] = {"turn": membership.turn + 1, "course": self.to_json()}
        names, params = assignments(Membership, written)
        # Names of our own columns.
        sql = f'UPDATE "annotation_membership" SET {names} WHERE "id" = %s AND "turn" = %s'  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(sql, [*params, membership.pk, membership.turn])
            if not cursor.rowcount:
                raise OvertakenError
        membership.turn, membership.course = written["turn"], written["course"]


# A member's key, their course as it is stored, and whether they still rate.
Line = tuple[int, dict[str, Any], bool]


def next_row(
    membership: Membership,
    course: Course,
    now: datetime,
    firsts: Iterable[int] = (),
    lines: Sequence[Line] | None = None,
) -> Row:
    """The row for a rater's next block: from one short line a member, read here unless they are there; locks none."""
    found = members_lines(membership.study) if lines is None else lines
    number = sum(pk < membership.pk for pk, _, _ in found)
    others = [(stored, is_here) for pk, stored, is_here in found if pk != membership.pk]
    everyone = _shown([stored for stored, _ in others], course.versions)
    everyone.add_all(course.tally)
    for stored, is_here in others:
        if is_here and stored.get("left"):
            _add_left(everyone, Course.read(stored, course.versions), now)
    # Where nobody has begun yet, raters who arrive together still get rows of their own.
    return mending_row(williams_rows(course.versions), everyone, number + course.block + 1, firsts, course.tally)


def _shown(courses: Sequence[Mapping[str, Any]], versions: int) -> Tally:
    """What raters were shown in all; with a hundred of them, adding their tables one by one takes longest of all."""
    shown = [course["shown"] for course in courses if course.get("shown") and len(course["shown"][0]) == versions]
    return Tally.read(np.asarray(shown).sum(axis=0).tolist() if shown else None, versions)


def _add_left(everyone: Tally, course: Course, now: datetime) -> None:
    """What is left of another rater's block, if they seem to be at it."""
    if course.at > (now - LEASE).timestamp():
        before = course.before
        for place, version in enumerate(course.left, start=course.place):
            everyone.add(version, place, before)
            before = version


def members_lines(study: Study) -> list[Line]:
    """Of every member whose ratings count."""
    return list(counted_members().filter(study=study).order_by("pk").values_list("pk", "course", "is_here"))


def counted_members() -> Any:
    """Members whose ratings count, each with whether they still rate (`is_here`)."""
    stays = Q(withdrawn_at__isnull=True) | ~Q(study__withdrawal=Study.Withdrawal.REMOVE)
    here = Q(withdrawn_at__isnull=True, screened_out_at__isnull=True)
    return Membership.objects.filter(stays, excluded_at__isnull=True).annotate(is_here=here)
