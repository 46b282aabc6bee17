"""Design a study, launch it, close it. Launch freezes: items and places are made once, in one transaction."""

from collections.abc import Iterable, Sequence
from typing import TypedDict, Unpack

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotation.models import Item, Study
from annotation.studies.assignment import rater_order
from annotation.studies.dealing import deal_all, make_places, number_items
from annotation.studies.selection import Choice, background_of, select
from dialogues.models import AuditEvent, Corpus, Dialogue, Rubric, Version

DEFAULT_GUIDELINES = """\
You will read short chats between two people, one at a time, and score each on a few questions.

Read the whole chat first, then the theme and the two characters beside it. Score every question on its own: a chat \
may be natural and say little, or be rich in content and sound stiff.

Use the full scale. The words at both ends say what the lowest and the highest point mean; the points between are \
even steps. There are no right answers, and nobody else sees your scores while you work.

Judge what the two people say and how they say it to each other, not your liking for the subject. Spelling, capitals \
and spacing do not count.

Take breaks. Everything you choose is saved at once, and you can come back on any device and go on where you left. \
If a chat cannot be read or upsets you, flag it or skip it.
"""
BATCH = 1000


class DesignError(ValueError):
    """A design that cannot be launched or changed; the text says what to do."""


class StudyFields(TypedDict, total=False):
    name: str
    public_name: str
    corpus: Corpus
    rubric: Rubric
    raters_per_item: int | None
    background_count: int | None
    writer: str
    seed: int
    guidelines: str
    tidy_display: bool
    is_simulated: bool


@transaction.atomic
def create_study(*, by: User | None, versions: Iterable[Version], **fields: Unpack[StudyFields]) -> Study:
    """A draft; `name`, `corpus`, `rubric` and `seed` are needed, the rest has defaults."""
    study = Study.objects.create(created_by=by, **{"guidelines": DEFAULT_GUIDELINES, **fields})
    study.versions.set(versions)
    AuditEvent.record(by, "create study", study, seed=study.seed)
    return study


@transaction.atomic
def change_study(*, study: Study, by: User | None, versions: Iterable[Version], **fields: Unpack[StudyFields]) -> None:
    """Rewrite a draft's design; raises DesignError once it is launched."""
    draft = _locked(study, Study.State.DRAFT, "The design was frozen at launch and cannot be changed.")
    for name, value in fields.items():
        setattr(draft, name, value)
    draft.save(update_fields=list(fields))
    draft.versions.set(versions)
    AuditEvent.record(by, "change study", draft)


@transaction.atomic
def launch(*, study: Study, by: User | None) -> Study:
    """Freeze the design and make its items and places; raises DesignError where there is nothing to rate."""
    frozen = _locked(study, Study.State.DRAFT, "This study has been launched already.")
    selection = select(frozen)
    if not selection.choices:
        raise DesignError(
            "No background has every chosen version. Choose fewer versions, or generate the missing ones."
        )
    make_items(frozen, selection.choices)
    frozen.selection = selection.counts() | {"demo": frozen.items.filter(dialogue__is_demo=True).count()}
    frozen.state = Study.State.OPEN
    frozen.launched_at = timezone.now()
    frozen.save(update_fields=["selection", "state", "launched_at"])
    numbered = number_items(frozen)
    make_places(frozen, range(1, (frozen.raters_per_item or 0) + 1), numbered)
    deal_all(frozen, numbered)
    AuditEvent.record(by, "launch study", frozen, **frozen.selection)
    return frozen


@transaction.atomic
def close(*, study: Study, by: User | None) -> Study:
    """End rating: nothing can be added or corrected after it. What was rated stays."""
    closed = _locked(study, Study.State.OPEN, "Only an open study can be closed.")
    closed.state = Study.State.CLOSED
    closed.closed_at = timezone.now()
    closed.save(update_fields=["state", "closed_at"])
    AuditEvent.record(by, "close study", closed)
    return closed


def _locked(study: Study, state: str, otherwise: str) -> Study:
    locked = Study.objects.select_for_update().get(pk=study.pk)
    if locked.state != state:
        raise DesignError(otherwise)
    return locked


def make_items(study: Study, choices: Sequence[Choice]) -> list[Item]:
    """Items of these backgrounds, in the study's shuffle after those it has."""
    pairs = [(choice, pk) for choice in choices for pk in choice.dialogues.values()]
    needed = {pk for choice in choices for pk in (choice.background, choice.donor) if pk}
    shown = Dialogue.objects.defer("messages").in_bulk(list(needed))
    order = rater_order([choice.background for choice, _ in pairs], study.seed)
    highest = study.items.aggregate(highest=Max("position"))["highest"]
    items = []
    for position, index in enumerate(order, start=0 if highest is None else highest + 1):
        choice, pk = pairs[index]
        own = shown[choice.background]
        theme, traits_1, traits_2 = background_of(own, shown.get(choice.donor, own))
        items.append(
            Item(
                study=study,
                dialogue_id=pk,
                background=own,
                theme=theme,
                traits_1=traits_1,
                traits_2=traits_2,
                position=position,
            )
        )
    return Item.objects.bulk_create(items, batch_size=BATCH)
