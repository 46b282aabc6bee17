"""Create a study, and change its design while it is a draft."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypedDict, Unpack

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from annotation.design.chat_systems import SystemChoice, set_systems, stored_systems, systems_of
from annotation.design.texts import usual_guidelines
from annotation.models import Study
from annotation.models.studies import FROZEN
from core.fingerprint import StaleError, fingerprint, plain, stored
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Rubric, Version


class DesignError(ValueError):
    """The design cannot be launched or changed; the text says what to do."""


class NameTakenError(DesignError):
    """Two studies cannot have one name."""


class StudyFields(TypedDict, total=False):
    name: str
    public_name: str
    kind: str
    corpus: Corpus
    rubric: Rubric
    pairs: list[list[str]]
    chat_plan: dict[str, Any]
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
    least_passed: int | None
    most_lapses: int | None
    counts_screened_out: bool
    hidden_repeats: int
    tidy_display: bool
    is_simulated: bool
    analysis_plan: dict[str, Any]


@transaction.atomic
def create_study(
    *,
    by: User | None,
    versions: Iterable[Version] = (),
    systems: Sequence[SystemChoice] = (),
    **fields: Unpack[StudyFields],
) -> Study:
    """Create a draft; `name`, `corpus`, `rubric` and `seed` are required. Raises NameTakenError.

    A study of chats has `systems`, and its versions follow from them.
    """
    guidelines = usual_guidelines(has_chats=fields.get("kind") == Study.Kind.CHATS)
    with named_once(fields["name"]):
        study = Study.objects.create(created_by=by, **{"guidelines": guidelines, **fields})
    study.versions.set(versions)
    if systems:
        set_systems(study, systems)
    AuditEvent.record(by, AuditVerb.STUDY_CREATED, study, seed=study.seed)
    return study


@transaction.atomic
def change_study(
    *,
    study: Study,
    by: User | None,
    versions: Iterable[Version] | None = None,
    systems: Sequence[SystemChoice] | None = None,
    seen: str | None = None,
    **fields: Unpack[StudyFields],
) -> None:
    """Change parts of a draft's design; raises DesignError once it is launched.

    `systems` replace those of a study of chats, and its versions follow.

    `seen` is the fingerprint of these parts as the page showed them. Raises StaleError if somebody has changed them
    since, unless to the same values.
    """
    draft = locked_in(Study.State.DRAFT, study, FROZEN)
    wanted = {name: plain(value) for name, value in fields.items()}
    if versions is not None:
        wanted["versions"] = sorted(version.pk for version in versions)
    if systems is not None:
        wanted["systems"] = stored_systems(systems)
    before = {name: stored_part(draft, name) for name in wanted}
    if before == wanted:
        return
    if seen is not None and seen != fingerprint(before):
        raise StaleError
    _refuse_checks_with_chats(draft, fields.get("kind"))
    for name, value in fields.items():
        setattr(draft, name, value)
    with named_once(draft.name):
        draft.save(update_fields=list(fields))
    if versions is not None:
        draft.versions.set(Version.objects.filter(pk__in=wanted["versions"]))
    if systems is not None:
        set_systems(draft, systems)
    AuditEvent.record(
        by, AuditVerb.STUDY_CHANGED, draft, changed=[name for name in wanted if before[name] != wanted[name]]
    )


def stored_part(study: Study, name: str) -> Any:
    """A part of the design as JSON, as `change_study` compares it."""
    return stored_systems(systems_of(study)) if name == "systems" else stored(study, name)


def _refuse_checks_with_chats(draft: Study, kind: str | None) -> None:
    """Checks, a pass mark and hidden repeats are of written dialogues, which nobody reads in a study of chats."""
    if kind != Study.Kind.CHATS:
        return
    if draft.items.exists():
        raise DesignError("Remove the training, gold and attention items first: testers of chats read no dialogues.")
    if draft.least_passed is not None:
        raise DesignError("Empty the pass mark of the training first: the practice chat is not marked.")
    if draft.hidden_repeats:
        raise DesignError("Set the hidden repeats to 0 first: no chat can be shown a second time.")


@contextmanager
def named_once(name: str) -> Iterator[None]:
    """Turn the database's refusal of a second study with this name into NameTakenError."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if Study.objects.filter(name=name).exists():
            raise NameTakenError(f"A study named “{name}” already exists. Choose another name.") from error
        raise


def locked_in(state: str, study: Study, otherwise: str) -> Study:
    """Lock the study's row; raises DesignError with the text `otherwise` if it is in another state."""
    locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if locked.state != state:
        raise DesignError(otherwise)
    return locked
