"""Sets as wholes: make, clone, freeze, delete."""

from typing import Any

from django.db import IntegrityError, transaction

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.curation.editing import locked_draft, next_version
from generation.models import Example, ExampleSet, Run

COPIED = (
    "position", "topic", "theme", "traits_1", "traits_2", "messages", "messages_after", "note", "source", "dialogue_id",
    "dialogue_after_id", "operations",
)  # fmt: skip


class InUseError(Exception):
    """The set cannot be deleted; the text says who uses it."""


class EmptySetError(Exception):
    """The set has no example, so there is nothing to freeze."""


@transaction.atomic
def make_set(*, name: str, kind: str, note: str = "", by: Any, once: str = "") -> ExampleSet:
    """An empty draft; the next version if the name exists already.

    `once` names one form as it was filled in: sent again by a second click, it finds what the first click made.
    """
    made, is_new = _created_once(once, name=name, kind=kind, note=note, by=by)
    if is_new:
        AuditEvent.record(by, AuditVerb.EXAMPLE_SET_CREATED, made, name=name, version=made.version, once=once)
    return made


@transaction.atomic
def clone(*, example_set: ExampleSet, name: str, by: Any, once: str = "") -> ExampleSet:
    """A draft with the same examples and where they came from: the next version of its name, or another name's."""
    source = ExampleSet.objects.get(pk=example_set.pk)
    # The copy that a trial was made with is a snapshot of its draft, not a version.
    parent = source.snapshot_of or source
    made, is_new = _created_once(once, name=name, kind=source.kind, note=source.note, parent=parent, by=by)
    if not is_new:
        return made
    Example.objects.bulk_create(
        Example(example_set=made, **{field: getattr(row, field) for field in COPIED}) for row in source.examples.all()
    )
    AuditEvent.record(by, AuditVerb.EXAMPLE_SET_CLONED, made, source=source.pk, name=name, once=once)
    return made


@transaction.atomic
def freeze(*, example_set: ExampleSet, by: Any) -> bool:
    """Allow no more changes; returns whether it was a draft. Raises EmptySetError."""
    locked = ExampleSet.objects.select_for_update(no_key=True).get(pk=example_set.pk)
    if locked.frozen_at is not None:
        return False
    if not locked.examples.exists():
        raise EmptySetError(f"{locked} has no example yet, so there is nothing to freeze.")
    locked.freeze()
    AuditEvent.record(by, AuditVerb.EXAMPLE_SET_FROZEN, locked, examples=locked.examples.count())
    return True


@transaction.atomic
def delete_set(*, example_set: ExampleSet, by: Any) -> None:
    """Delete a draft that nothing uses. Raises FrozenError, InUseError."""
    draft = locked_draft(example_set)
    if reasons := in_the_way(draft):
        raise InUseError(f"{draft} cannot be deleted: {' and '.join(reasons)}.")
    size = draft.examples.count()
    AuditEvent.record(by, AuditVerb.EXAMPLE_SET_DELETED, draft, name=draft.name, version=draft.version, examples=size)
    draft.delete()


def in_the_way(draft: ExampleSet) -> list[str]:
    """What keeps a draft from being deleted, in words."""
    runs = Run.objects.filter(run_stages__example_sets=draft).distinct()
    reasons = [f"the run “{run.name}” is planned with it" for run in runs[:5]]
    if draft.snapshots.exists():
        reasons.append("trials were made with it")
    return reasons


def runs_with(example_set: ExampleSet) -> list[Run]:
    """The runs that show this version to a model, newest first."""
    return list(Run.objects.filter(run_stages__example_sets=example_set).distinct().order_by("-pk"))


def _created_once(once: str, *, name: str, kind: str, by: Any, **fields: Any) -> tuple[ExampleSet, bool]:
    """The next version of a name, and whether it is new; two people at the same moment get one each."""
    for _ in range(3):
        if once and (made := _made_before(once, name=name, kind=kind, created_by=by)):
            return made, False
        try:
            with transaction.atomic():
                version = next_version(name, kind)
                return ExampleSet.objects.create(name=name, kind=kind, version=version, created_by=by, **fields), True
        except IntegrityError:
            continue
    raise IntegrityError(f"no free version of {name}")


def _made_before(once: str, **of: Any) -> ExampleSet | None:
    made = {f"exampleset:{row.pk}": row for row in ExampleSet.objects.filter(**of).order_by("-pk")[:10]}
    event = AuditEvent.objects.filter(subject__in=made, detail__once=once).first()
    return made[event.subject] if event else None
