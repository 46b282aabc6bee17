"""Hidden repeats: a rater meets a few of their own items a second time, unannounced, to be compared with themselves.

When a rater joins, their seed spreads the study's number of repeats over their queue (`Membership.repeats_due`). Which
item is repeated is drawn only when one is due, from those that they have rated by then: that fits every order of items,
and somebody who leaves early has fewer.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from annotation.allocation.block_state import OvertakenError
from annotation.allocation.orders import BETWEEN
from annotation.allocation.williams import seeded
from annotation.models import Assignment, Membership, Study

# A rater gets at most one repeat for so many rated items, and no fewer items, this one included, lie before it.
ITEMS_A_REPEAT = 5


def repeats_among(study: Study, rated: int) -> int:
    """How many repeats a rater of so many items gets."""
    return min(study.hidden_repeats, rated // ITEMS_A_REPEAT)


def is_due(membership: Membership, *, at_end: bool = False) -> bool:
    """Whether a repeat is due now, or left at the end of the rater's queue; there may still be no item to repeat."""
    left: list[int] = membership.repeats_due or []
    return bool(left) and (at_end or left[0] <= membership.turn)


def begin(membership: Membership, now: datetime, *, at_end: bool = False) -> Assignment | None:
    """Give the rater the repeat that `is_due`, if there is an item to repeat; needs a transaction.

    Raises OvertakenError if another tab of theirs was faster.
    """
    if not is_due(membership, at_end=at_end) or not _locked(membership):
        return None
    shown = _shown(membership)
    repeated = set(membership.assignments.filter(is_repeat=True).values_list("item_id", flat=True))
    if len(repeated) >= repeats_among(membership.study, len(shown)):
        return None
    far = _far_enough(membership.study, shown, repeated, at_end=at_end)
    if not far:
        return None
    first = _apart(membership, far, shown[0].background, number=len(repeated))
    membership.repeats_due = (membership.repeats_due or [])[1:]
    membership.save(update_fields=["repeats_due"])
    return Assignment.objects.create(
        study=membership.study,
        item_id=first.item_id,
        membership=membership,
        is_repeat=True,
        position=first.position,
        is_flipped=first.is_flipped,
        opened_at=now,
    )


def _locked(membership: Membership) -> bool:
    """Lock the rater's row, so that their tabs take turns; False if they have withdrawn meanwhile."""
    rows = Membership.objects.present().filter(pk=membership.pk).select_for_update(no_key=True)
    stored = rows.values("repeats_due").first()
    if stored is not None and stored["repeats_due"] != membership.repeats_due:
        raise OvertakenError
    return stored is not None


def _shown(membership: Membership) -> list[Any]:
    """The rated items that the rater has seen, the latest first."""
    rows = membership.assignments.filter(condition__gt=0, opened_at__isnull=False).order_by("-opened_at", "-pk")
    fields = ("item_id", "position", "slot", "is_flipped", "state")
    return list(rows.annotate(background=F("item__background_id")).values_list(*fields, "background", named=True))


def _far_enough(study: Study, shown: Sequence[Any], repeated: set[int], *, at_end: bool) -> list[Any]:
    """Items that count and have enough others behind them; at the end, if there are none, the one shown longest ago."""
    behind = [
        (number, row)
        for number, row in enumerate(shown)
        if row.state == Assignment.State.SUBMITTED
        and row.item_id not in repeated
        and (study.raters_per_item is None or row.slot is not None)
    ]
    far = [row for number, row in behind if number >= BETWEEN]
    if far or not at_end:
        return far
    return [row for number, row in behind if number >= ITEMS_A_REPEAT - 1][-1:]


def _apart(membership: Membership, far: Sequence[Any], last: int, *, number: int) -> Any:
    """One of them, by the rater's seed and the repeat's `number`.

    Of a background that stands neither before nor behind it, if there is one.
    """
    ahead = membership.assignments.opened().filter(condition__gt=0, opened_at__isnull=True).order_by("position")
    # The next block may still be put into another order.
    block = len(membership.study.selection.get("conditions", ()))
    coming = set(ahead.values_list("item__background_id", flat=True)[:block])

    def nearness(row: Any) -> tuple[bool, bool]:
        return row.background == last, row.background in coming

    least = min(map(nearness, far))
    return seeded(membership.seed, "repeat", number).choice([row for row in far if nearness(row) == least])
