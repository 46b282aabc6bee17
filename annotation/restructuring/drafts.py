"""A restructuring in progress: who may open it, storing its operations, handing it in.

A draft is the log of its operations, so its version is their number. Operations based on an old version are refused,
with what has happened meanwhile; operations sent twice are stored once.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext as _

from annotation.models import Operation, Restructuring
from annotation.restructuring.proposals import check_proposal, shown_log
from annotation.restructuring.wording import refusal
from dialogues.audit import AuditVerb
from dialogues.editing import Accept, EditError, History, kept_share, operation_from_json, replay, transcript_of
from dialogues.models import AuditEvent

# No person makes so many operations; the limit bounds the cost of replaying a draft.
MOST_OPERATIONS = 20_000
# The greatest age of an operation that a browser sends after it was offline.
OLDEST = timedelta(days=2)
REVIEW = "annotation.change_restructuring"
State = Restructuring.State


class DraftError(Exception):
    """A draft or operation that cannot be stored; the text tells the person why and what to do."""


class StaleError(DraftError):
    """The draft has changed since the version on which this is based, perhaps in another tab."""

    def __init__(self, restructuring: Restructuring, since: int) -> None:
        super().__init__(_("Another tab or person has changed this dialogue meanwhile."))
        self.version = restructuring.version
        self.messages = restructuring.messages
        rows = restructuring.operations.filter(number__gt=since)
        self.operations = shown_log(rows.values_list("body", flat=True))


@dataclass(frozen=True, slots=True)
class Sent:
    """One operation as a browser sends it, with its own id and its age."""

    id: uuid.UUID
    body: Any
    age: timedelta = timedelta(0)


def own_restructuring(user: User, token: str, *, lock: bool = False) -> Restructuring:
    """The person's own restructuring, or one that waits for their review; Http404 for everybody else.

    `lock` needs a transaction.
    """
    mine = Q(annotator_id=user.pk)
    if user.has_perm(REVIEW):
        mine |= Q(state=State.SUBMITTED)
    rows = Restructuring.objects.kept().filter(mine, token=token).numbered()
    if lock:
        rows = rows.select_for_update(no_key=True, of=("self",))
    found = rows.select_related("original__corpus", "annotator", "reviewer").first()
    if found is None:
        raise Http404("There is no such dialogue to restructure for you.")
    return found


def may_edit(restructuring: Restructuring, user: User) -> bool:
    """The annotator may edit until it is handed in and after it is sent back; a reviewer while it waits for review."""
    if restructuring.annotator_id == user.pk:
        return restructuring.is_editable
    return restructuring.state == State.SUBMITTED and user.has_perm(REVIEW)


def history_of(restructuring: Restructuring) -> History:
    """The draft with its whole history."""
    bodies = restructuring.operations.values_list("body", flat=True)
    return replay(restructuring.original.transcript, bodies)


@transaction.atomic
def save_operations(
    user: User, token: str, *, version: int, operations: Sequence[Sent], now: datetime
) -> Restructuring:
    """Store operations based on `version`, all or none.

    Operations that were stored before (a repeat after a lost response) are skipped. Raises StaleError if the draft has
    changed since that version, DraftError if an operation is impossible.
    """
    draft = own_restructuring(user, token, lock=True)
    _must_be_editable(draft, user)
    fresh = _not_yet_kept(draft, version, operations)
    if not fresh:
        return draft
    if draft.version + len(fresh) > MOST_OPERATIONS:
        raise DraftError(
            _("A log of %(most)s operations is as long as one gets. Hand the dialogue in.")
            % {"most": f"{MOST_OPERATIONS:,}"}
        )
    history = history_of(draft)
    for sent in fresh:
        _do(draft, history, sent, user)
    Operation.objects.bulk_create(
        Operation(
            restructuring=draft,
            number=number,
            client_id=sent.id,
            body=sent.body,
            person_id=user.pk,
            at=now - min(max(sent.age, timedelta(0)), OLDEST),
        )
        for number, sent in enumerate(fresh, draft.version + 1)
    )
    draft.version += len(fresh)
    draft.messages = transcript_of(history.draft).to_json()
    draft.kept = kept_share(draft.original.transcript, history.draft)
    draft.changed_at = now
    draft.save(update_fields=["version", "messages", "kept", "changed_at"])
    return draft


def _not_yet_kept(draft: Restructuring, version: int, operations: Sequence[Sent]) -> Sequence[Sent]:
    """The operations that are not stored yet; raises StaleError if the log continues with others."""
    if version > draft.version:
        raise DraftError(_("This page is ahead of the server. Copy what you need and reload it."))
    since = draft.operations.filter(number__gt=version)
    kept = list(since.values_list("client_id", flat=True))
    if kept != [sent.id for sent in operations[: len(kept)]]:
        raise StaleError(draft, version)
    return operations[len(kept) :]


def _do(draft: Restructuring, history: History, sent: Sent, user: User) -> None:
    try:
        operation = operation_from_json(sent.body)
        if isinstance(operation, Accept):
            check_proposal(draft.original, history.draft, operation, user)
        history.apply(operation)
    except EditError as error:
        raise DraftError(refusal(error)) from error


@transaction.atomic
def submit(user: User, token: str, *, version: int, now: datetime) -> Restructuring:
    """Hand the draft in for review as of `version`; a repeat is harmless. Raises StaleError and DraftError."""
    draft = own_restructuring(user, token, lock=True)
    if draft.state == State.SUBMITTED and draft.version == version:
        return draft
    _must_be_the_annotators(draft, user)
    _must_be_editable(draft, user)
    if draft.version != version:
        raise StaleError(draft, version)
    if draft.messages == draft.original.messages:
        raise DraftError(_("Nothing has been changed yet, so there is nothing to review."))
    draft.state, draft.submitted_at = State.SUBMITTED, now
    draft.save(update_fields=["state", "submitted_at"])
    AuditEvent.record(user, AuditVerb.RESTRUCTURING_SUBMITTED, draft, version=version)
    return draft


@transaction.atomic
def reopen(user: User, token: str) -> Restructuring:
    """Take the draft back before it is reviewed; a repeat is harmless."""
    draft = own_restructuring(user, token, lock=True)
    _must_be_the_annotators(draft, user)
    if draft.is_editable:
        return draft
    if draft.state != State.SUBMITTED:
        raise DraftError(_("It has been reviewed; what was approved does not change."))
    draft.state = State.RETURNED if draft.review else State.OPEN
    draft.save(update_fields=["state"])
    AuditEvent.record(user, AuditVerb.RESTRUCTURING_REOPENED, draft)
    return draft


def _must_be_the_annotators(draft: Restructuring, user: User) -> None:
    if draft.annotator_id != user.pk:
        raise DraftError(_("Only the person who was asked to restructure it can do that."))


def _must_be_editable(draft: Restructuring, user: User) -> None:
    if not may_edit(draft, user):
        raise DraftError(_("It has been handed in and is not open for changes any more."))
