"""What a study's raters were shown in all, and the next row of one of them, which mends what the others left.

Each process keeps the courses it has read: with hundreds of raters, reading all of them at the end of every block would
take longer than the rest of a submit. A member's turn says whether their course is still the one that was read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from annotation.allocation.block_state import LEASE, Course
from annotation.allocation.williams import Row, Tally, mending_row, williams_rows
from annotation.models import Membership, Study
from annotation.models.memberships import ACTIVE

# A member's key, token and turn, and whether they are at work.
MemberLine = tuple[int, str, int, bool]
# Courses a process keeps: some hundred bytes each.
MOST_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class _Read:
    """A member's course as it was at a turn; `shown` is their tally's two tables."""

    turn: int
    course: Course
    shown: np.ndarray


# By token: nothing that comes after has the same, not even where a key is used again.
_kept: dict[str, _Read] = {}


def next_row(
    membership: Membership,
    course: Course,
    now: datetime,
    firsts: Iterable[int] = (),
    lines: Sequence[MemberLine] | None = None,
) -> Row:
    """The row for a rater's next block: from one short line a member, read here unless they are there; locks none."""
    found = members_lines(membership.study) if lines is None else lines
    number = sum(pk < membership.pk for pk, *_ in found)
    everyone = _shown([line for line in found if line[0] != membership.pk], course.versions, now)
    everyone.add_all(course.tally)
    # Where nobody has begun yet, raters who arrive together still get rows of their own.
    return mending_row(williams_rows(course.versions), everyone, number + course.block + 1, firsts, course.tally)


def _shown(others: Sequence[MemberLine], versions: int, now: datetime) -> Tally:
    """What these raters were shown, and what is left of the blocks they are in."""
    read = _courses(others, versions)
    if not read:
        return Tally.empty(versions)
    everyone = Tally.read(np.sum([one.shown for one, _ in read], axis=0).tolist(), versions)
    for one, is_here in read:
        if is_here and one.course.left:
            _add_left(everyone, one.course, now)
    return everyone


def _courses(lines: Sequence[MemberLine], versions: int) -> list[tuple[_Read, bool]]:
    """The course of each, read anew where it is not the one that is kept."""
    known = {token: _kept.get(token) for _, token, _, _ in lines}
    stale = [pk for pk, token, turn, _ in lines if (kept := known[token]) is None or kept.turn != turn]
    if stale:
        if len(_kept) > MOST_KEPT:
            _kept.clear()
        rows = Membership.objects.filter(pk__in=stale).order_by().values_list("token", "turn", "course")
        for token, turn, stored in rows:
            course = Course.read(stored, versions)
            known[token] = _kept[token] = _Read(turn, course, np.asarray(course.tally.to_json()))
    # Whoever withdrew between the two queries has another token by now.
    return [(read, is_here) for _, token, _, is_here in lines if (read := known[token]) is not None]


def _add_left(everyone: Tally, course: Course, now: datetime) -> None:
    """What is left of another rater's block, if they seem to be at it."""
    if course.at > (now - LEASE).timestamp():
        before = course.before
        for place, version in enumerate(course.left, start=course.place):
            everyone.add(version, place, before)
            before = version


def members_lines(study: Study) -> list[MemberLine]:
    """Of every member whose ratings count."""
    return list(members_who_count().filter(study=study).order_by("pk").values_list("pk", "token", "turn", "is_here"))


def members_who_count() -> Any:
    """Members whose ratings count, each with whether they are at work (`is_here`)."""
    return Membership.objects.counted().annotate(is_here=ACTIVE)
