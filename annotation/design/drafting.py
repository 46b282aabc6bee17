"""Create a study, and change its design while it is a draft."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypedDict, Unpack

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from annotation.design.texts import DEFAULT_GUIDELINES
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
    """Create a draft; `name`, `corpus`, `rubric` and `seed` are required. Raises NameTakenError."""
    with named_once(fields["name"]):
        study = Study.objects.create(created_by=by, **{"guidelines": DEFAULT_GUIDELINES, **fields})
    study.versions.set(versions)
    AuditEvent.record(by, AuditVerb.STUDY_CREATED, study, seed=study.seed)
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
    """Change parts of a draft's design; raises DesignError once it is launched.

    `seen` is the fingerprint of these parts as the page showed them. Raises StaleError if somebody has changed them
    since, unless to the same values.
    """
    draft = locked_in(Study.State.DRAFT, study, FROZEN)
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
    AuditEvent.record(
        by, AuditVerb.STUDY_CHANGED, draft, changed=[name for name in names if before[name] != wanted[name]]
    )


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
