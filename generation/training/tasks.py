"""Celery tasks that build large training sets and prepare their downloads.

The registered task names must not change: workers read messages that an earlier version queued.
"""

from celery import shared_task
from django.utils import timezone

from generation.training import build_jobs, export_jobs

# 100,000 dialogues need minutes.
LONGEST_BUILD = 3600
# Nothing but its person may end an export that still moves.
LONGEST_EXPORT = 6 * 3600


@shared_task(name="generation.build_training_set", time_limit=LONGEST_BUILD, soft_time_limit=LONGEST_BUILD - 60)
def build_training_set(pk: int) -> None:
    """Build one set."""
    build_jobs.work(pk)


@shared_task(name="generation.export_training_set", time_limit=LONGEST_EXPORT, soft_time_limit=LONGEST_EXPORT - 60)
def export_training_set(pk: int) -> None:
    """Write the file of one export."""
    export_jobs.work(pk)


@shared_task(name="generation.sweep_training")
def sweep_training() -> None:
    """Begin anew what dead workers left, and remove files that have been there for a day."""
    for pk in build_jobs.silent_sets():
        build_training_set.delay(pk)
    for pk in export_jobs.silent_jobs():
        export_training_set.delay(pk)
    export_jobs.remove_old(timezone.now())


def wake_builder(pk: int) -> None:
    """Tell a worker about a set; a later sweep does if the message is lost."""
    build_training_set.delay(pk)


def wake_exporter(pk: int) -> None:
    """Tell a worker about an export; a later sweep does if the message is lost."""
    export_training_set.delay(pk)
