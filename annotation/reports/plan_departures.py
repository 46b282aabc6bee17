"""Where a study departed from its analysis plan, in sentences that follow from its records."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.utils import timezone

from annotation.design.plan import AnalysisPlan
from annotation.design.plan_record import asked_of, is_as_launched, plan_of
from annotation.design.study_events import events_of, on_day, unblinded_by
from annotation.models import Rating, Study
from annotation.reports.notes import NO_PLAN, UNKNOWN_PLAN
from core.dates import day_in_words
from core.numbers import count_in_words
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

CHANGED = "The analysis plan that is stored does not give the hash that was recorded at the launch."


def departures(study: Study) -> list[str]:
    """One sentence for each departure; empty for a draft, and where everything went as planned."""
    if study.is_draft:
        return []
    plan = plan_of(study)
    if plan is None:
        return [UNKNOWN_PLAN if study.is_imported else NO_PLAN]
    return [
        *([] if is_as_launched(study) else [CHANGED]),
        *(f"The plan does not fit what was asked: {sentence}" for sentence in plan.misfits(asked_of(study))),
        *_size(study, plan),
        *_looks(study),
        *_exclusions(study, plan),
        *_end(study, plan),
    ]


def planned_ratings(study: Study, plan: AnalysisPlan) -> int:
    """How many counted ratings a study of the planned size has."""
    per_background = len(asked_of(study).pairs) if study.compares else study.versions.count()
    return (plan.raters or 0) * (plan.backgrounds or 0) * per_background


def _size(study: Study, plan: AnalysisPlan) -> Iterator[str]:
    for event in events_of(study, AuditVerb.STUDY_EXTENDED):
        detail: Mapping[str, Any] = event.detail
        yield f"Raters per dialogue increased from {detail['before']:,} to {detail['after']:,} on {_on(event)}."
    for event in events_of(study, AuditVerb.ITEMS_ADDED):
        added = count_in_words(event.detail["backgrounds"], "background")
        yield f"On {_on(event)} {added} {'was' if event.detail['backgrounds'] == 1 else 'were'} added."
    if study.raters_per_item is None and plan.raters is not None:
        rated = Rating.objects.counted().for_study(study).values("assignment__membership").distinct().count()
        if rated > plan.raters:
            yield f"{count_in_words(rated, 'rater')} scored dialogues, and {plan.raters:,} were planned."


def _looks(study: Study) -> Iterator[str]:
    seen = unblinded_by(study)
    if seen is not None and (study.closed_at is None or seen.at < study.closed_at):
        yield f"The study was unblinded on {_on(seen)}, while it could still be rated."


def _exclusions(study: Study, plan: AnalysisPlan) -> Iterator[str]:
    seen = unblinded_by(study)
    changes = events_of(study, AuditVerb.RATER_EXCLUDED, AuditVerb.RATER_REINSTATED)
    for event in changes.filter(pk__gt=seen.pk) if seen is not None else changes.none():
        was = "excluded" if event.verb == AuditVerb.RATER_EXCLUDED else "reinstated"
        yield f"A rater was {was} on {_on(event)}, after the study was unblinded{_why(event)}"
    excluded = study.memberships.filter(excluded_at__isnull=False).count()
    if excluded and not plan.exclusion:
        were = "was" if excluded == 1 else "were"
        yield f"{count_in_words(excluded, 'rater')} {were} excluded by hand, for which the plan has no rule."


def _why(event: AuditEvent) -> str:
    """The end of the sentence: the reason for an exclusion, as it was given."""
    if event.verb != AuditVerb.RATER_EXCLUDED:
        return "."
    return f" (“{event.detail['reason']}”)."


def _end(study: Study, plan: AnalysisPlan) -> Iterator[str]:
    if plan.stopping == "planned":
        yield from _end_by_number(study, plan)
    elif plan.stopping == "date":
        yield from _end_by_date(study, date.fromisoformat(plan.stopping_date))


def _end_by_number(study: Study, plan: AnalysisPlan) -> Iterator[str]:
    planned, there = planned_ratings(study, plan), Rating.objects.counted().for_study(study).count()
    if study.state == Study.State.CLOSED and there < planned:
        yield f"The study was closed with {there:,} of the {planned:,} planned ratings."


def _end_by_date(study: Study, planned: date) -> Iterator[str]:
    if study.closed_at is None:
        if timezone.localdate() > planned:
            yield f"The study is still open after {day_in_words(planned)}, its planned last day."
        return
    closed = timezone.localdate(study.closed_at)
    if closed != planned:
        when = "before" if closed < planned else "after"
        yield f"The study was closed on {day_in_words(closed)}, {when} {day_in_words(planned)}, its planned last day."


def _on(event: AuditEvent) -> str:
    return on_day(event.at)
