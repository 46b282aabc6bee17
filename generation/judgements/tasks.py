"""The Celery task that computes a report of judges for a page.

The registered task names must not change: workers read messages that an earlier version queued.
"""

from celery import shared_task

from core import computations
from core.results import Result
from dialogues.models import Corpus
from generation.judgements.report import JudgeReport, judge_report
from generation.models import Run

LONGEST = 3600


@shared_task(name="generation.compute_judge_report", time_limit=LONGEST, soft_time_limit=LONGEST - 60)
def compute_judge_report(pk: int) -> None:
    """What judges said of one corpus."""
    computations.compute(pk, _report_of)


def _report_of(corpus: int, runs: list[int]) -> Result[JudgeReport]:
    return judge_report(Corpus.objects.get(pk=corpus), list(Run.objects.with_stages().filter(pk__in=runs)))
