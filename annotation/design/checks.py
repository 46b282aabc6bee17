"""Training, gold and attention items: made while a study is a draft, and given to every rater."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from annotation.models import Item, Study
from annotation.models.studies import FROZEN, FrozenDesignError
from core.fingerprint import StaleError, fingerprint, stored
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from generation.background import study_background, theme_donor

CHANGEABLE = ("expected", "tolerance", "note")


class CheckError(ValueError):
    """A training, gold or attention item that cannot be saved; the text says what to do."""


@transaction.atomic
def add_check(  # noqa: PLR0913 - an item is made whole or not at all
    *,
    study: Study,
    purpose: str,
    dialogue: Dialogue,
    expected: dict[str, int],
    by: User | None,
    other: Dialogue | None = None,
    tolerance: int = 1,
    note: str = "",
) -> Item:
    """Use a dialogue (or two of one background) for training, gold or attention; its background is then not rated.

    Adding the same item again returns the existing one. Raises CheckError and FrozenDesignError.
    """
    locked = _locked_draft(study)
    background = dialogue.origin or dialogue
    _refuse_unfit(locked, dialogue, other)
    known = locked.items.filter(dialogue=dialogue, other=other).first()
    if known is not None:
        if known.purpose == purpose and known.expected == expected and known.note == note:
            return known
        raise CheckError(f"This dialogue is already used: {known.get_purpose_display().lower()}. Change that one.")
    last = locked.items.aggregate(last=Max("position"))["last"]
    theme, traits_1, traits_2 = study_background(background, theme_donor(dialogue, other))
    item = Item.objects.create(
        study=locked,
        purpose=purpose,
        dialogue=dialogue,
        other=other,
        background=background,
        theme=theme,
        traits_1=traits_1,
        traits_2=traits_2,
        expected=expected,
        tolerance=tolerance,
        note=note,
        position=0 if last is None else last + 1,
    )
    AuditEvent.record(by, AuditVerb.CHECK_ADDED, locked, purpose=purpose, dialogue=dialogue.pk)
    return item


@transaction.atomic
def change_check(*, item: Item, seen: str, by: User | None, **fields: Any) -> None:
    """Change an item's expected scores, tolerance or note; `seen` is the fingerprint of what the page showed."""
    study = _locked_draft(item.study)
    now = study.items.exclude(purpose=Item.Purpose.RATED).filter(pk=item.pk).first()
    if now is None:
        raise StaleError
    if all(getattr(now, name) == value for name, value in fields.items()):
        return
    if seen != shown(now):
        raise StaleError
    for name, value in fields.items():
        setattr(now, name, value)
    now.save(update_fields=list(fields))
    AuditEvent.record(by, AuditVerb.CHECK_CHANGED, study, item=now.pk)


@transaction.atomic
def remove_check(*, item: Item, by: User | None) -> None:
    """Remove the item from a draft; it is no error if it is gone already."""
    study = _locked_draft(item.study)
    gone, _ = study.items.exclude(purpose=Item.Purpose.RATED).filter(pk=item.pk).delete()
    if gone:
        AuditEvent.record(by, AuditVerb.CHECK_REMOVED, study, purpose=item.purpose, dialogue=item.dialogue_id)


def shown(item: Item) -> str:
    """The fingerprint of what the item's form shows."""
    return fingerprint({name: stored(item, name) for name in CHANGEABLE})


def _refuse_unfit(study: Study, dialogue: Dialogue, other: Dialogue | None) -> None:
    if study.compares != (other is not None):
        raise CheckError("A study of pairs asks for two dialogues, every other study for one.")
    if {row.corpus_id for row in (dialogue, other) if row} != {study.corpus_id}:
        raise CheckError("Take it from the study's own corpus.")
    if other is not None and (other == dialogue or (other.origin or other) != (dialogue.origin or dialogue)):
        raise CheckError("Both dialogues of a pair are versions of one background.")


def _locked_draft(study: Study) -> Study:
    locked = Study.objects.select_for_update().get(pk=study.pk)
    if not locked.is_draft:
        raise FrozenDesignError(FROZEN)
    return locked
