"""Change one example, or a set's name and note; a change made on an old page is refused, never merged or lost."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.curation.adding import refuse_twins
from generation.curation.content import Content
from generation.curation.drafts import StaleError, locked_draft
from generation.models import Example, ExampleSet


@transaction.atomic
def change_example(*, example: Example, seen: int, content: Content, by: Any) -> Example:
    """Store the content where the example still has the revision `seen`, or has this very content already.

    Raises StaleError, FrozenError, ContentError, Example.DoesNotExist.
    """
    draft = locked_draft(example.example_set)
    now = Example.objects.get(pk=example.pk, example_set=draft)
    content.check_kind(draft.kind)
    fields = content.as_fields()
    changed = [name for name, value in fields.items() if getattr(now, name) != value]
    if not changed:
        return now
    if now.revision != seen:
        raise StaleError
    refuse_twins(draft, content, now.dialogue, but=now.pk)
    for name in changed:
        setattr(now, name, fields[name])
    now.revision += 1
    now.save(update_fields=[*changed, "revision"])
    AuditEvent.record(by, AuditVerb.EXAMPLE_CHANGED, draft, example=now.pk, fields=changed, revision=now.revision)
    return now


@transaction.atomic
def remove_example(*, example: Example, by: Any) -> None:
    """Take it out and close the gap; one that is gone already is no error. Raises FrozenError."""
    draft = locked_draft(example.example_set)
    now = draft.examples.filter(pk=example.pk).first()
    if now is None:
        return
    now.delete()
    # One row after the other, because a single update may meet a place that is not free yet.
    for later in draft.examples.filter(position__gt=now.position).order_by("position"):
        later.position -= 1
        later.save(update_fields=["position"])
    _bump(draft)
    AuditEvent.record(
        by, AuditVerb.EXAMPLE_REMOVED, draft, example=example.pk, position=now.position, source=now.source
    )


@transaction.atomic
def change_set(*, example_set: ExampleSet, seen: int, name: str, note: str, by: Any) -> ExampleSet:
    """Reword a draft's note or rename it, as the next version of that name. Raises StaleError, FrozenError."""
    draft = locked_draft(example_set)
    if (draft.name, draft.note) == (name, note):
        return draft
    if draft.revision != seen:
        raise StaleError
    if draft.name != name:
        draft.version = next_version(name, draft.kind)
    draft.name, draft.note = name, note
    draft.revision += 1
    try:
        with transaction.atomic():
            draft.save(update_fields=["name", "note", "version", "revision"])
    except IntegrityError as error:
        # Somebody made a set of the new name at this very moment.
        raise StaleError from error
    AuditEvent.record(by, AuditVerb.EXAMPLE_SET_CHANGED, draft, name=name, version=draft.version)
    return draft


def next_version(name: str, kind: str) -> int:
    """The number that a new version of this name gets; snapshots count, so that no number is used twice."""
    rows = ExampleSet.objects.filter(name=name, kind=kind)
    newest: int = rows.aggregate(newest=Max("version", default=0))["newest"]
    return newest + 1


def _bump(draft: ExampleSet) -> None:
    draft.revision += 1
    draft.save(update_fields=["revision"])
