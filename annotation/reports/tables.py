"""Every table of a study's report."""

from annotation.models import Study
from annotation.reports.findings import Findings
from annotation.reports.judges import judges_beside
from annotation.reports.score_tables import score_tables
from core.tables import Table


def study_tables(study: Study, found: Findings, *, dashes: bool = True) -> dict[str, Table]:
    """By slug, in page order; `dashes` hides what the rubric hides (α's On-topic)."""
    return score_tables(study, found, judges_beside(study) if found.ratings else (), dashes=dashes)
