"""Design a study and launch it. Launch freezes: items and places are made once, in one transaction."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypedDict, Unpack

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from annotation.models import Item, Study
from annotation.models.studies import FROZEN
from annotation.studies.assignment import rater_order
from annotation.studies.checklist import musts
from annotation.studies.dealing import deal_all, make_places, number_items
from annotation.studies.fingerprint import StaleError, fingerprint, plain, stored
from annotation.studies.selection import Unit, background_of, select
from annotation.studies.texts import DEFAULT_GUIDELINES
from dialogues.models import AuditEvent, Corpus, Dialogue, Rubric, Version

BATCH = 1000
IS_DEMO = Q(dialogue__is_demo=True) | Q(other__is_demo=True)


class DesignError(ValueError):
    """A design that cannot be launched or changed; the text says what to do."""


class NameTakenError(DesignError):
    """Two studies cannot have one name."""


class StudyFields(TypedDict, total=False):
    name: str
    public_name: str
    kind: str
    corpus: Corpus
    rubric: Rubric
    pairs: list[list[str]]
    raters_per_item: int | None
    background_count: int | None
    writer: str
    sources: dict[str, list[int | str]]
    seed: int
    guidelines: str
    consent_text: str
    withdrawal: str
    approval_number: str
    retention: str
    recruitment: str
    pay_note: str
    minutes_estimate: int | None
    break_every: int | None
    most_lapses: int | None
    counts_screened_out: bool
    tidy_display: bool
    is_simulated: bool


@transaction.atomic
def create_study(*, by: User | None, versions: Iterable[Version], **fields: Unpack[StudyFields]) -> Study:
    """A draft; `name`, `corpus`, `rubric` and `seed` are needed, the rest has defaults. Raises NameTakenError."""
    with named_once(fields["name"]):
        study = Study.objects.create(created_by=by, **{"guidelines": DEFAULT_GUIDELINES, **fields})
    study.versions.set(versions)
    AuditEvent.record(by, "create study", study, seed=study.seed)
    return study


@transaction.atomic
def change_study(
    *,
    study: Study,
    by: User | None,
    versions: Iterable[Version] | None = None,
    seen: str | None = None,
    **fields: Unpack[StudyFields],
) -> None:
    """Rewrite parts of a draft's design; raises DesignError once it is launched.

    `seen` is the fingerprint of these parts as the page showed them: StaleError where somebody has changed them since
    to something else than what is now asked for.
    """
    draft = _locked(study, Study.State.DRAFT, FROZEN)
    chosen = None if versions is None else sorted(version.pk for version in versions)
    names = [*fields, *([] if chosen is None else ["versions"])]
    before = {name: stored(draft, name) for name in names}
    wanted = {name: plain(value) for name, value in fields.items()} | ({} if chosen is None else {"versions": chosen})
    if before == wanted:
        return
    if seen is not None and seen != fingerprint(before):
        raise StaleError
    for name, value in fields.items():
        setattr(draft, name, value)
    with named_once(draft.name):
        draft.save(update_fields=list(fields))
    if chosen is not None:
        draft.versions.set(Version.objects.filter(pk__in=chosen))
    AuditEvent.record(by, "change study", draft, changed=[name for name in names if before[name] != wanted[name]])


@transaction.atomic
def launch(*, study: Study, by: User | None) -> Study:
    """Freeze the design and make its items and places; raises DesignError where something must be mended first."""
    frozen = _locked(study, Study.State.DRAFT, "This study has been launched already.")
    # Held, so that nobody changes the questions while they are frozen.
    rubric = Rubric.objects.select_for_update(no_key=True).get(pk=frozen.rubric_id)
    selection = select(frozen)
    if problems := musts(frozen, selection):
        raise DesignError(" ".join(problem.text for problem in problems))
    _move_behind(frozen, selection.items)
    make_items(frozen, selection.units(), start=0)
    frozen.selection = selection.counts() | {"demo": frozen.items.filter(IS_DEMO).count()}
    frozen.state = Study.State.OPEN
    frozen.launched_at = timezone.now()
    frozen.save(update_fields=["selection", "state", "launched_at"])
    if rubric.frozen_at is None:
        rubric.frozen_at = frozen.launched_at
        rubric.save(update_fields=["frozen_at"])
    numbered = number_items(frozen)
    make_places(frozen, range(1, (frozen.raters_per_item or 0) + 1), numbered)
    deal_all(frozen, numbered)
    AuditEvent.record(by, "launch study", frozen, **frozen.selection)
    return frozen


@contextmanager
def named_once(name: str) -> Iterator[None]:
    """Turn the database's refusal of a second study of this name into NameTakenError."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if Study.objects.filter(name=name).exists():
            raise NameTakenError(f"There is a study with the name “{name}” already. Choose another.") from error
        raise


def _locked(study: Study, state: str, otherwise: str) -> Study:
    locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if locked.state != state:
        raise DesignError(otherwise)
    return locked


def make_items(study: Study, wanted: Iterable[Unit], *, start: int | None = None) -> list[Item]:
    """These dialogues or pairs as items, in the study's shuffle; from `start`, or after the items that it has."""
    units = list(wanted)
    needed = {pk for unit in units for pk in (unit.choice.background, unit.choice.donor) if pk}
    shown = Dialogue.objects.defer("messages").in_bulk(list(needed))
    if start is None:
        highest = study.items.aggregate(highest=Max("position"))["highest"]
        start = 0 if highest is None else highest + 1
    order = rater_order([unit.choice.background for unit in units], study.seed)
    items = []
    for position, index in enumerate(order, start):
        unit = units[index]
        own = shown[unit.choice.background]
        theme, traits_1, traits_2 = background_of(own, shown.get(unit.choice.donor, own))
        items.append(
            Item(
                study=study,
                dialogue_id=unit.dialogue,
                other_id=unit.other,
                background=own,
                theme=theme,
                traits_1=traits_1,
                traits_2=traits_2,
                position=position,
            )
        )
    return Item.objects.bulk_create(items, batch_size=BATCH)


def _move_behind(study: Study, rated: int) -> None:
    """Give what is not rated the positions after what is: the shuffle's own begin at 0."""
    kept = list(study.items.order_by("position"))
    if not kept:
        return
    # Out of the way first, so that no two ever share a position.
    away = kept[-1].position + rated + len(kept) + 1
    study.items.update(position=F("position") + away)
    for place, item in enumerate(kept, rated):
        item.position = place
        item.save(update_fields=["position"])
