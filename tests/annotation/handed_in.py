"""Restructurings for tests, on their way as far as a test needs them."""

from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from annotation.models import Operation, Restructuring
from annotation.restructuring import review
from dialogues.editing import kept_share, replay, transcript_of
from dialogues.models import Dialogue

# Of `setting.dialogue`: “hello , words …” in two, and the second speaker's two messages as one.
SPLIT = {"op": "split", "at": 0, "offset": 8}
MERGE = {"op": "merge", "at": 3}


def asked(original: Dialogue, annotator: User, **fields: Any) -> Restructuring:
    return Restructuring.objects.create(
        original=original, annotator=annotator, **{"messages": original.messages, **fields}
    )


def operate(row: Restructuring, *bodies: dict[str, Any], by: User | None = None) -> Restructuring:
    """Do these operations and keep them in the log."""
    history = replay(row.original.transcript, [*row.operations.values_list("body", flat=True), *bodies])
    now = timezone.now()
    for number, body in enumerate(bodies, row.version + 1):
        Operation.objects.create(restructuring=row, number=number, body=body, person=by or row.annotator, at=now)
    row.messages = transcript_of(history.draft).to_json()
    row.kept = kept_share(row.original.transcript, history.draft)
    row.version, row.changed_at = history.version, now
    row.save(update_fields=["messages", "kept", "version", "changed_at"])
    return row


def submitted(original: Dialogue, annotator: User, *bodies: dict[str, Any]) -> Restructuring:
    row = operate(asked(original, annotator), *(bodies or (SPLIT,)))
    row.state, row.submitted_at = Restructuring.State.SUBMITTED, timezone.now()
    row.save(update_fields=["state", "submitted_at"])
    return row


def approved(original: Dialogue, annotator: User, reviewer: User, *bodies: dict[str, Any]) -> Restructuring:
    row = submitted(original, annotator, *bodies)
    review.approve(restructuring=row, version=row.version, by=reviewer)
    row.refresh_from_db()
    return row
