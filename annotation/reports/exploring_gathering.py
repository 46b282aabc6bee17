"""What `exploring` reads of a study, from the database."""

from annotation.models import Study
from annotation.reports.columns import StudyItems
from annotation.reports.exploring import Explorable
from annotation.reports.scores import counted_members, scores_before_exclusions, submitted_ratings
from annotation.reports.texts import study_texts


def explorable(study: Study, items: StudyItems) -> Explorable:
    return Explorable(
        # Nobody knows when imported ratings were given.
        submitted=None if study.is_imported else submitted_ratings(study, items),
        everyone=scores_before_exclusions(study, items, [metric.key for metric in study.rubric.metric_list()]),
        screened_out=_screened_out(study) if study.counts_screened_out else [],
        texts=study_texts(study),
    )


def _screened_out(study: Study) -> list[int]:
    failed = set(study.memberships.screened_out().values_list("pk", flat=True))
    return [place for place, pk in enumerate(counted_members(study)) if pk in failed]
