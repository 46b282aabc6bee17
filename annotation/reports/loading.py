"""A study's findings, computed from its ratings and, in a study of chats, from its chats."""

from dataclasses import replace

from annotation.models import Study
from annotation.reports.caching import once
from annotation.reports.chat_gathering import chat_findings
from annotation.reports.findings import Findings, findings
from annotation.reports.scores import study_items, study_scores


def findings_of(study: Study) -> Findings:
    """The study's findings, cached per set of counted ratings; bootstraps take a second or two for 10,000 items."""

    def compute() -> Findings:
        items, metrics = study_items(study), study.rubric.metric_list()
        scores = study_scores(study, items, [metric.key for metric in metrics])
        return findings(items, scores, metrics, study.rubric.scale, study.seed)

    found = once("findings", study, compute)
    if not study.has_chats:
        return found
    return replace(found, chats=chat_findings(study, [version.slug for version in found.versions]))
