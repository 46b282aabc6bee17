"""Celery tasks: what is done once a day, and results that take longer than a page may.

The registered task names must not change: workers read messages that an earlier version queued.
"""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from annotation.bundles.loading import material_result
from annotation.models import Study
from annotation.people import password_tries
from annotation.reports.loading import findings_result
from annotation.reports.preference_findings import preferences_result
from core import computations

# The largest study needs minutes; nothing but its person may end a computation that still moves.
LONGEST = 3600


@shared_task(name="annotation.clear_sessions")
def clear_sessions() -> None:
    """Delete expired sessions, and counts of password tries that are over."""
    SessionStore.clear_expired()
    password_tries.clear_expired(timezone.now())


@shared_task(name="annotation.compute_report", time_limit=LONGEST, soft_time_limit=LONGEST - 60)
def compute_report(pk: int) -> None:
    """The findings of one study."""
    computations.compute(pk, lambda study: findings_result(_study(study)))


@shared_task(name="annotation.compute_preferences", time_limit=LONGEST, soft_time_limit=LONGEST - 60)
def compute_preferences(pk: int) -> None:
    """The findings of one study of pairs."""
    computations.compute(pk, lambda study: preferences_result(_study(study)))


@shared_task(name="annotation.compute_bundle", time_limit=LONGEST, soft_time_limit=LONGEST - 60)
def compute_bundle(pk: int) -> None:
    """What the bundle of one study holds of its ratings."""
    computations.compute(pk, lambda study: material_result(_study(study)))


def _study(pk: int) -> Study:
    return Study.objects.select_related("rubric", "corpus").get(pk=pk)
