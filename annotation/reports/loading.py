"""A study's findings, computed from its ratings and, in a study of chats, from its chats."""

from collections.abc import Collection
from dataclasses import replace
from typing import TypedDict

from annotation.design.plan_record import asked_of, plan_of
from annotation.models import Study
from annotation.reports.caching import once
from annotation.reports.chat_gathering import chat_findings
from annotation.reports.exploring import explored
from annotation.reports.findings import Findings, Key, findings
from annotation.reports.models.intervals import Target
from annotation.reports.scores import study_items, study_scores


class Planned(TypedDict, total=False):
    """What a study's plan says of its primary analysis."""

    target: Target
    family: Collection[Key]


def findings_of(study: Study) -> Findings:
    """The study's findings, cached per set of counted ratings; bootstraps take a second or two for 10,000 items."""

    def compute() -> Findings:
        items, metrics = study_items(study), study.rubric.metric_list()
        scores = study_scores(study, items, [metric.key for metric in metrics])
        found = findings(items, scores, metrics, study.rubric.scale, study.seed, **_as_planned(study))
        return explored(study, found, items, scores)

    found = once("findings", study, compute, also=study.analysis_plan)
    if not study.has_chats:
        return found
    return replace(found, chats=chat_findings(study, [version.slug for version in found.versions]))


def _as_planned(study: Study) -> Planned:
    plan = plan_of(study)
    if plan is None:
        return {}
    target = Target.RATERS_LIKE_THESE if plan.population == "like" else Target.THESE_RATERS
    return {"target": target, "family": {(metric, *pair) for metric, pair in plan.family_of(asked_of(study))}}
