"""A study's findings, computed from its ratings, from judges' scores and, in a study of chats, from its chats."""

from collections.abc import Collection
from dataclasses import replace
from typing import TypedDict

from annotation.design.plan_record import asked_of, plan_of
from annotation.models import Study
from annotation.reports.caching import once
from annotation.reports.chat_gathering import chats_found
from annotation.reports.exploring import explored
from annotation.reports.exploring_gathering import explorable
from annotation.reports.findings import Findings, Key, findings
from annotation.reports.judges import judges_beside, rater_minutes
from annotation.reports.models.intervals import Target
from annotation.reports.repeats import own_agreement
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
        found = findings(items, scores, metrics, study.rubric.scale, study.seed, **as_planned(study))
        return explored(study, found, items, scores, explorable(study, items), seed=study.seed)

    found = once("findings", study, compute, also=study.analysis_plan)
    if study.hidden_repeats:
        found = replace(found, own_agreement=own_agreement(study))
    if not study.has_chats:
        judges = judges_beside(study) if found.ratings else ()
        return replace(found, judges=judges, minutes=rater_minutes(study)) if judges else found
    return replace(found, chats=chats_found(study, [version.slug for version in found.versions]))


def as_planned(study: Study) -> Planned:
    """Whom the primary analysis speaks of and which tests are adjusted together; {} without a plan."""
    plan = plan_of(study)
    if plan is None:
        return {}
    target = Target.RATERS_LIKE_THESE if plan.population == "like" else Target.THESE_RATERS
    return {"target": target, "family": {(metric, *pair) for metric, pair in plan.family_of(asked_of(study))}}
