"""What the audit trail says of a study."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from annotation.models import Study
from core.dates import day_in_words
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent


def events_of(study: Study, *verbs: AuditVerb) -> QuerySet[AuditEvent]:
    """The study's events of these kinds, the oldest first."""
    return AuditEvent.objects.filter(subject=f"study:{study.pk}", verb__in=verbs).order_by("pk")


def unblinded_by(study: Study) -> AuditEvent | None:
    """The event that unblinded the study; None while it is blind."""
    return events_of(study, AuditVerb.STUDY_UNBLINDED).select_related("actor").first()


def is_ever_blind(study: Study) -> bool:
    """Whether its scores are hidden by version until somebody unblinds it; simulated and imported ones are not."""
    return not (study.is_simulated or study.is_imported)


def on_day(at: datetime) -> str:
    """The day in words, in the server's time zone."""
    return day_in_words(timezone.localdate(at))
