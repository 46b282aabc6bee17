"""The order of a set's examples: positions 1 … n, none twice."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.curation.drafts import StaleError, locked_draft
from generation.models import Example, ExampleSet


@transaction.atomic
def reorder(*, example_set: ExampleSet, order: Sequence[int], seen: int, by: Any) -> bool:
    """Put the examples (primary keys) into this order; returns whether anything moved.

    Raises FrozenError; StaleError where the order was changed since revision `seen`, or the keys are not exactly
    those of the set. An order that the set has already is no error, whatever was seen: a second click changes nothing.
    """
    draft = locked_draft(example_set)
    now = list(draft.examples.order_by("position").values_list("pk", flat=True))
    if now == list(order):
        return False
    if draft.revision != seen or sorted(now) != sorted(order):
        raise StaleError
    # Aside first, then to their places: no two share a position at any moment.
    aside: int = draft.examples.aggregate(last=Max("position", default=0))["last"]
    for start in (aside, 0):
        for place, pk in enumerate(order, 1):
            Example.objects.filter(pk=pk).update(position=start + place)
    draft.revision += 1
    draft.save(update_fields=["revision"])
    AuditEvent.record(by, AuditVerb.EXAMPLES_ORDERED, draft, before=now, after=list(order))
    return True


def moved(order: Sequence[int], pk: int, to: int) -> list[int]:
    """The order with one of its keys at place `to` (1 … n; beyond the ends means the end)."""
    rest = [key for key in order if key != pk]
    place = min(max(to, 1), len(rest) + 1) - 1
    return [*rest[:place], pk, *rest[place:]]
