"""The order of versions in a rater's next block: the Williams row that evens out what all raters have been shown.

Each process keeps the block states it has read: with hundreds of raters, reading all of them at the end of every block
would take longer than the rest of a submit. A member's `turn` tells whether the state that was read is still current.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from annotation.allocation.block_state import LEASE, BlockState
from annotation.allocation.williams import Row, Tally, mending_row, williams_rows
from annotation.models import Membership, Study
from annotation.models.memberships import ACTIVE

# A member's key, token and turn, and whether they are active.
MemberLine = tuple[int, str, int, bool]
# States that a process keeps, each of some hundred bytes.
MOST_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class _Read:
    """A member's state as of `turn`; `shown` holds the two tables of their tally."""

    turn: int
    state: BlockState
    shown: np.ndarray


# By token, which is never used twice; a primary key may be.
_kept: dict[str, _Read] = {}


def next_row(
    membership: Membership,
    state: BlockState,
    now: datetime,
    firsts: Iterable[int] = (),
    lines: Sequence[MemberLine] | None = None,
) -> Row:
    """The row for a rater's next block. Takes no lock.

    `lines` describe the study's members; they are read here unless the caller has them.
    """
    found = members_lines(membership.study) if lines is None else lines
    number = sum(pk < membership.pk for pk, *_ in found)
    shown = _shown([line for line in found if line[0] != membership.pk], state.versions, now)
    shown.add_all(state.tally)
    # While nobody has been shown anything, raters who start together still get different rows.
    return mending_row(williams_rows(state.versions), shown, number + state.block + 1, firsts, state.tally)


def _shown(others: Sequence[MemberLine], versions: int, now: datetime) -> Tally:
    """What these raters have been shown, and the rest of the blocks that they are working on."""
    read = _states(others, versions)
    if not read:
        return Tally.empty(versions)
    shown = Tally.read(np.sum([one.shown for one, _ in read], axis=0).tolist(), versions)
    for one, is_here in read:
        if is_here and one.state.left:
            _add_left(shown, one.state, now)
    return shown


def _states(lines: Sequence[MemberLine], versions: int) -> list[tuple[_Read, bool]]:
    """The state of each member and whether they are active; read from the database if the kept one is out of date."""
    known = {token: _kept.get(token) for _, token, _, _ in lines}
    stale = [pk for pk, token, turn, _ in lines if (kept := known[token]) is None or kept.turn != turn]
    if stale:
        if len(_kept) > MOST_KEPT:
            _kept.clear()
        rows = Membership.objects.filter(pk__in=stale).order_by().values_list("token", "turn", "course")
        for token, turn, stored in rows:
            state = BlockState.read(stored, versions)
            known[token] = _kept[token] = _Read(turn, state, np.asarray(state.tally.to_json()))
    # Somebody who withdrew between the two queries has another token now.
    return [(read, is_here) for _, token, _, is_here in lines if (read := known[token]) is not None]


def _add_left(shown: Tally, state: BlockState, now: datetime) -> None:
    """Add the rest of another rater's block, if they were seen within the lease."""
    if state.at > (now - LEASE).timestamp():
        before = state.before
        for place, version in enumerate(state.left, start=state.place):
            shown.add(version, place, before)
            before = version


def members_lines(study: Study) -> list[MemberLine]:
    """One line for every member whose ratings count."""
    return list(members_who_count().filter(study=study).order_by("pk").values_list("pk", "token", "turn", "is_here"))


def members_who_count() -> Any:
    """Members whose ratings count, annotated with whether they are active (`is_here`)."""
    return Membership.objects.counted().annotate(is_here=ACTIVE)
