"""Researchers are blind too until somebody unblinds the study, which is an audit event with a person and a time."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction

from annotation.design.study_events import is_ever_blind
from annotation.design.study_events import unblinded_by as unblinded_by
from annotation.models import Study
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent


def shows_versions(study: Study) -> bool:
    """Whether pages about single items name their versions; simulated and imported scores need nobody to be blind."""
    return not is_ever_blind(study) or unblinded_by(study) is not None


def must_ask(study: Study) -> bool:
    """Whether the report must ask before it unblinds: the study is still being rated, and blind."""
    return (study.is_open or study.is_paused) and not shows_versions(study)


@transaction.atomic
def unblind(*, study: Study, by: AbstractBaseUser | AnonymousUser | None, how: str) -> AuditEvent | None:
    """Record who saw, or asked to see, which version is which. The first time counts; later ones change nothing."""
    locked = Study.objects.select_for_update().get(pk=study.pk)
    if locked.is_draft or not is_ever_blind(locked):
        return None
    return unblinded_by(locked) or AuditEvent.record(by, AuditVerb.STUDY_UNBLINDED, locked, how=how)


def export(
    *,
    study: Study,
    by: AbstractBaseUser | AnonymousUser | None,
    how: str,
    verb: AuditVerb = AuditVerb.RATINGS_EXPORTED,
    part: str = "",
) -> None:
    """Record who takes data along that name versions: that unblinds the study, too. `part` says which, if not all."""
    unblind(study=study, by=by, how=how)
    AuditEvent.record(by, verb, study, **({"part": part} if part else {}))
