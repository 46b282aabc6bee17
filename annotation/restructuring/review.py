"""Review by a second person: remarks, sending back, approval, and an approved text as an example for models.

A request to restructure can also be taken back.
"""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotation.models import Remark, Restructuring
from annotation.models.people import profile_of
from dialogues.audit import AuditVerb
from dialogues.models import HAND, AuditEvent, Dialogue
from dialogues.transcript import Transcript
from generation.curation.content import ContentError
from generation.curation.editing import add_example
from generation.models import Example, ExampleKind, ExampleSet

LONGEST_KEY = 180  # leaves room for the number in a key of 200
State = Restructuring.State


class ReviewError(ValueError):
    """Something that cannot be done with a restructuring now; the text says why and what to do."""


class ChangedError(ReviewError):
    """The text has changed since the reviewer read it."""


def why_not_review(restructuring: Restructuring, by: User) -> str:
    """Why this person cannot review it, as a sentence; empty if they can."""
    if restructuring.annotator_id == by.pk:
        return "You restructured this dialogue yourself: a second person reviews it."
    if restructuring.state == State.APPROVED:
        return "It has been approved already."
    if restructuring.state == State.WITHDRAWN:
        return "It was taken back: give it back first."
    if restructuring.state != State.SUBMITTED:
        return "It is still being worked on: it can be reviewed once its annotator has handed it in."
    return ""


def why_not_remark(restructuring: Restructuring, by: User) -> str:
    if restructuring.annotator_id == by.pk:
        return "You restructured this dialogue yourself: remarks are the reviewer’s."
    if restructuring.state in (State.APPROVED, State.WITHDRAWN):
        return "Nobody is working on it any longer, so nobody would see a remark."
    return ""


def why_not_take_back(restructuring: Restructuring) -> str:
    if restructuring.state == State.APPROVED:
        return "It has been approved: its dialogue stays."
    return "It was taken back already." if restructuring.state == State.WITHDRAWN else ""


@transaction.atomic
def approve(*, restructuring: Restructuring, version: int, by: User) -> Dialogue:
    """Make a dialogue of the text that the reviewer saw; raises ReviewError.

    Approving again returns the same dialogue.
    """
    row = _locked(restructuring)
    if row.result is not None and row.reviewer_id == by.pk:
        return row.result
    _refuse(why_not_review(row, by))
    _refuse_changed(row, version)
    made = _dialogue_of(row)
    row.state, row.result, row.reviewer, row.reviewed_at = State.APPROVED, made, by, timezone.now()
    row.save(update_fields=["state", "result", "reviewer", "reviewed_at"])
    AuditEvent.record(by, AuditVerb.RESTRUCTURING_APPROVED, row, dialogue=made.pk, version=row.version)
    return made


@transaction.atomic
def send_back(*, restructuring: Restructuring, version: int, words: str, by: User) -> None:
    """Send it back to the annotator with a comment; raises ReviewError."""
    row = _locked(restructuring)
    if row.state == State.RETURNED and (row.reviewer_id, row.review) == (by.pk, words):
        return
    _refuse(why_not_review(row, by))
    _refuse_changed(row, version)
    if not words.strip():
        raise ReviewError("Say what should be different.")
    row.state, row.review, row.reviewer, row.reviewed_at = State.RETURNED, words, by, timezone.now()
    row.save(update_fields=["state", "review", "reviewer", "reviewed_at"])
    AuditEvent.record(by, AuditVerb.RESTRUCTURING_SENT_BACK, row, version=row.version)


@transaction.atomic
def take_back(*, restructuring: Restructuring, by: User) -> None:
    """Withdraw the request; the text and its operations stay. Raises ReviewError."""
    row = _locked(restructuring)
    _refuse(why_not_take_back(row))
    before, row.state = row.state, State.WITHDRAWN
    row.save(update_fields=["state"])
    AuditEvent.record(by, AuditVerb.RESTRUCTURING_TAKEN_BACK, row, state=before)


@transaction.atomic
def give_back(*, restructuring: Restructuring, by: User) -> None:
    """Renew a withdrawn request: its annotator continues where they were. Raises ReviewError."""
    row = _locked(restructuring)
    if row.state != State.WITHDRAWN:
        raise ReviewError("It was not taken back.")
    again = Restructuring.objects.kept().filter(original=row.original_id, annotator=row.annotator_id)
    if again.exists():
        raise ReviewError("This person has been asked for the same dialogue again: one copy is enough.")
    row.state = State.RETURNED if row.review else State.OPEN
    row.save(update_fields=["state"])
    AuditEvent.record(by, AuditVerb.RESTRUCTURING_GIVEN_BACK, row, state=row.state)


@transaction.atomic
def add_remark(*, restructuring: Restructuring, version: int, place: int, text: str, by: User) -> Remark:
    """Add a remark on one message of the text that the reviewer read; raises ReviewError."""
    row = _locked(restructuring)
    _refuse(why_not_remark(row, by))
    _refuse_changed(row, version)
    if not 0 <= place < len(row.messages):
        raise ReviewError("There is no such message.")
    quote = row.messages[place][1]
    remark, is_new = Remark.objects.get_or_create(
        restructuring=row, author=by, place=place, version=version, text=text, defaults={"quote": quote}
    )
    if is_new:
        AuditEvent.record(by, AuditVerb.REMARK_ADDED, row, remark=remark.pk)
    return remark


@transaction.atomic
def settle(*, restructuring: Restructuring, remark: Remark, by: User) -> None:
    """Mark a remark as settled; doing it twice changes nothing."""
    row = _locked(restructuring)
    _refuse(why_not_remark(row, by))
    now = timezone.now()
    if Remark.objects.filter(pk=remark.pk, restructuring=row, settled_at__isnull=True).update(settled_at=now):
        AuditEvent.record(by, AuditVerb.REMARK_SETTLED, row, remark=remark.pk)


def _locked(restructuring: Restructuring) -> Restructuring:
    """Lock the row; rows that it refers to are read after that, so that they are current too."""
    rows = Restructuring.objects.select_for_update(no_key=True)
    return rows.get(pk=restructuring.pk)


def _refuse(why: str) -> None:
    if why:
        raise ReviewError(why)


def _refuse_changed(row: Restructuring, version: int) -> None:
    if row.version != version:
        raise ChangedError("The text has changed since you opened it. Read it again, then decide.")


def _dialogue_of(row: Restructuring) -> Dialogue:
    """The finished text as a new dialogue in the original's corpus. A rewrite of demo text stays demo text."""
    original = row.original
    # Lock the original, so that simultaneous approvals of its rewrites get different numbers.
    Dialogue.objects.select_for_update(no_key=True).get(pk=original.pk)
    made = Dialogue.from_transcript(
        Transcript.of(row.messages),
        corpus_id=original.corpus_id,
        key=_free_key(original),
        version_id=HAND,
        origin_id=original.origin_id or original.pk,
        parent=original,
        traits_1=original.traits_1,
        traits_2=original.traits_2,
        theme=original.theme,
        written_by=profile_of(row.annotator).pseudonym,
        is_demo=original.is_demo,
    )
    made.save()
    return made


def _free_key(original: Dialogue) -> str:
    stem = f"{original.key[:LONGEST_KEY]}.hand."
    taken = set(Dialogue.objects.filter(corpus=original.corpus_id, key__startswith=stem).values_list("key", flat=True))
    return next(key for number in range(1, len(taken) + 2) if (key := f"{stem}{number}") not in taken)


def add_to_examples(example_set: ExampleSet, *, restructuring: Restructuring, note: str, by: User) -> Example:
    """Add both texts with the operations to a further-split set, or the new text to another; raises ReviewError."""
    original, result = restructuring.original, restructuring.result
    if result is None:
        raise ReviewError("Only an approved restructuring can become an example.")
    shown: dict[str, Any] = {
        "theme": result.theme,
        "traits_1": result.traits_1,
        "traits_2": result.traits_2,
        "note": note,
        "source": Example.Source.RESTRUCTURING,
    }
    if example_set.kind == ExampleKind.FURTHER_SPLIT:
        shown |= {
            "messages": original.messages,
            "messages_after": result.messages,
            "dialogue": original,
            "dialogue_after": result,
            "operations": log_of(restructuring),
        }
    else:
        shown |= {"messages": result.messages, "dialogue": result}
    try:
        return add_example(example_set=example_set, by=by, **shown)
    except (ContentError, ValidationError) as error:
        words = " ".join(error.messages) if isinstance(error, ValidationError) else f"{error}."
        raise ReviewError(f"Not added: {words}") from error


def log_of(restructuring: Restructuring) -> list[dict[str, Any]]:
    """Every operation with its number, its person's pseudonym, and its time; `operation` can be replayed."""
    rows = list(restructuring.operations.select_related("person__profile").order_by("number"))
    people = {row.person_id: row.person for row in rows}
    names = {pk: profile_of(person).pseudonym for pk, person in people.items()}
    return [
        {"number": row.number, "by": names[row.person_id], "time": row.at.isoformat(), "operation": row.body}
        for row in rows
    ]
