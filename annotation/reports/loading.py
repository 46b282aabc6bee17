"""A study's findings, kept until its ratings change."""

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache
from django.db.models import Count, Max, Sum

from annotation.models import Rating, Study
from annotation.reports.findings import Findings, findings
from annotation.reports.scores import study_items, study_scores

# Raise when Findings or its arithmetic changes, so that nothing old is shown.
FORM = 5
DAY = 24 * 3600

Found = TypeVar("Found")


def findings_of(study: Study) -> Findings:
    """Computed once for each set of counted ratings; bootstraps take a second or two on 10,000 items."""

    def compute() -> Findings:
        items, metrics = study_items(study), study.rubric.metric_list()
        return findings(items, study_scores(study, items, [metric.key for metric in metrics]), metrics, study.seed)

    return once("findings", study, compute)


def once(name: str, study: Study, compute: Callable[[], Found]) -> Found:
    """What `compute` gives, kept under `name` as long as the same ratings of the study count."""
    found: Found | None = cache.get(key := _content_key(name, study))
    if found is None:
        found = compute()
        cache.set(key, found, DAY)
    return found


def _content_key(name: str, study: Study) -> str:
    """Ratings are only ever added or superseded, so which of them count says what they hold.

    When the study was made tells it from another of the same number, in a restored or neighbouring database.
    """
    ratings = Rating.objects.counted().for_study(study).filter(assignment__membership__excluded_at__isnull=True)
    content = ratings.aggregate(count=Count("pk"), last=Max("pk"), total=Sum("pk"))
    made = study.created_at.timestamp()
    return ":".join(map(str, (name, FORM, study.pk, made, study.state, *content.values())))
