"""Every change of a draft set: its examples, their order, its name and note.

A change made on an old page is refused, never merged or lost.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from generation.curation.content import FIELDS, MOST_EXAMPLES, Content, ContentError, TwinError
from generation.curation.provenance import content_of
from generation.models import Example, ExampleSet


class StaleError(Exception):
    """The draft changed since the page was opened; nothing of this change was written."""


def locked_draft(example_set: ExampleSet) -> ExampleSet:
    """The draft as it is now, locked until the transaction ends; raises FrozenError, ExampleSet.DoesNotExist."""
    locked = ExampleSet.objects.select_for_update(no_key=True).get(pk=example_set.pk)
    locked.refuse_if_frozen()
    return locked


@transaction.atomic
def add_example(  # noqa: PLR0913 - the columns of one row, each by its name
    *,
    example_set: ExampleSet,
    by: Any,
    messages: Iterable[Sequence[Any]],
    messages_after: Iterable[Sequence[Any]] | None = None,
    topic: str = "",
    theme: str = "",
    traits_1: Iterable[str] = (),
    traits_2: Iterable[str] = (),
    note: str = "",
    source: str,
    dialogue: Dialogue | None = None,
    dialogue_after: Dialogue | None = None,
    operations: Iterable[Any] = (),
) -> Example:
    """Add an example at the end of a draft and record who did; `by=None` is the command line.

    Raises FrozenError if a run has used the set meanwhile, and ContentError if the set cannot hold the
    example: a broken text, a pair without its second half, or a dialogue that is in it already.
    """
    draft = locked_draft(example_set)
    content = Content.of(
        draft.kind, messages=messages, messages_after=messages_after, topic=topic, theme=theme,
        traits_1=traits_1, traits_2=traits_2, note=note,
    )  # fmt: skip
    refuse_twins(draft, content, dialogue)
    last = draft.examples.aggregate(last=Max("position", default=0))["last"]
    example = Example.objects.create(
        example_set=draft, position=last + 1, source=Example.Source(source), dialogue=dialogue,
        dialogue_after=dialogue_after, operations=list(operations), **content.as_fields(),
    )  # fmt: skip
    AuditEvent.record(
        by, AuditVerb.EXAMPLE_ADDED, draft, example=example.pk, position=example.position, source=str(source)
    )
    return example


@transaction.atomic
def change_example(*, example: Example, seen: int, content: Content, by: Any) -> Example:
    """Store the content if the example still has the revision `seen`, or has this very content already.

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
    """Remove an example and close the gap; one that is gone already is no error. Raises FrozenError."""
    draft = locked_draft(example.example_set)
    now = draft.examples.filter(pk=example.pk).first()
    if now is None:
        return
    now.delete()
    # One row after the other, because a single update may hit a position that is still taken.
    for later in draft.examples.filter(position__gt=now.position).order_by("position"):
        later.position -= 1
        later.save(update_fields=["position"])
    _bump(draft)
    AuditEvent.record(
        by, AuditVerb.EXAMPLE_REMOVED, draft, example=example.pk, position=now.position, source=now.source
    )


@transaction.atomic
def reorder(*, example_set: ExampleSet, order: Sequence[int], seen: int, by: Any) -> bool:
    """Put the examples (primary keys) into this order; returns whether anything moved.

    Raises FrozenError, and StaleError if the order was changed since revision `seen` or the keys are not exactly
    those of the set. An order that the set has already is never an error: a second click changes nothing.
    """
    draft = locked_draft(example_set)
    now = list(draft.examples.order_by("position").values_list("pk", flat=True))
    if now == list(order):
        return False
    if draft.revision != seen or sorted(now) != sorted(order):
        raise StaleError
    # Move them behind the end first, then to their places, so that no two ever share a position.
    aside: int = draft.examples.aggregate(last=Max("position", default=0))["last"]
    for start in (aside, 0):
        for place, pk in enumerate(order, 1):
            Example.objects.filter(pk=pk).update(position=start + place)
    draft.revision += 1
    draft.save(update_fields=["revision"])
    AuditEvent.record(by, AuditVerb.EXAMPLES_ORDERED, draft, before=now, after=list(order))
    return True


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
        # Somebody made a set of the new name at the same moment.
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


def refuse_twins(draft: ExampleSet, content: Content, dialogue: Dialogue | None, but: int | None = None) -> None:
    """Raise TwinError if the set has this already, ContentError if it is full; `but` is the example being changed."""
    others = draft.examples.exclude(pk=but) if but else draft.examples.all()
    rows = list(others.only("position", "dialogue", *FIELDS))
    for row in rows:
        row.example_set = draft
        there = content_of(row)
        if dialogue is not None and row.dialogue_id == dialogue.pk:
            reason = f"{dialogue.key} is in this set already, as example {row.position}"
        elif (there.messages, there.messages_after) == (content.messages, content.messages_after):
            reason = f"example {row.position} of this set has the same text"
        else:
            continue
        raise TwinError(reason, row.position, there)
    if len(rows) >= MOST_EXAMPLES:
        raise ContentError(f"a set has at most {MOST_EXAMPLES} examples; take one out first")


def moved(order: Sequence[int], pk: int, to: int) -> list[int]:
    """The order with one of its keys at place `to` (1 … n; beyond the ends means the end)."""
    rest = [key for key in order if key != pk]
    place = min(max(to, 1), len(rest) + 1) - 1
    return [*rest[:place], pk, *rest[place:]]
