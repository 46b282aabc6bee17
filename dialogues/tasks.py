"""Celery tasks that import large files, and compute what a page would have to wait for.

The registered task names must not change: workers read messages that an earlier version queued.
"""

from celery import shared_task
from django.utils import timezone

from core import computations
from dialogues import import_jobs, importing
from dialogues.corpus_figures import Counted, figures_result
from dialogues.models import Corpus

# The largest file that a page takes needs minutes; nothing else may end a job that still moves.
LONGEST = 6 * 3600


@shared_task(name="dialogues.import_upload", time_limit=LONGEST, soft_time_limit=LONGEST - 60)
def import_upload(pk: int) -> None:
    """Import the file of one job."""
    import_jobs.work(pk)


@shared_task(name="dialogues.compute_figures", time_limit=LONGEST, soft_time_limit=LONGEST - 60)
def compute_figures(pk: int) -> None:
    """The statistics of one corpus."""
    computations.compute(
        pk,
        lambda corpus, tokenizer, counted: figures_result(
            Corpus.objects.get(pk=corpus), tokenizer, Counted.of_json(counted)
        ),
    )


@shared_task(name="dialogues.sweep_imports")
def sweep_imports() -> None:
    """Begin anew what dead workers left, and remove what no job will finish."""
    for pk in import_jobs.silent_jobs():
        import_upload.delay(pk)
    importing.remove_abandoned(timezone.now())


def wake(pk: int) -> None:
    """Tell a worker about a job; a later sweep does if the message is lost."""
    import_upload.delay(pk)
