"""What a report must say about a plan that was not kept, each from the record of somebody doing it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation.design import launch
from annotation.design.plan import AnalysisPlan
from annotation.models import Membership, Study
from annotation.monitoring import states
from annotation.rating import membership_changes
from annotation.reports import unblinding
from annotation.reports.notes import NO_PLAN, UNKNOWN_PLAN
from annotation.reports.plan_departures import CHANGED, departures, planned_ratings
from annotation.triggers import TRIGGERS
from tests.annotation.setting import corpus, draft, member, rate_all, study

pytestmark = pytest.mark.django_db
PLAN = AnalysisPlan(
    metrics=("natural",), contrasts=(("alpha", "beta"),), raters=1, backgrounds=1, exclusion="Who reads nothing."
)


def planned(k: int | None = 1, **changes: Any) -> Study:
    """A launched study of α and β on one of two backgrounds."""
    plan = replace(PLAN, **changes)
    of = corpus(2, ("alpha", "beta"))
    one = draft(k, of=of, versions=("alpha", "beta"), background_count=1, analysis_plan=plan.as_json())
    return launch.launch(study=one, by=None)


def rated(one: Study, name: str = "ann") -> Membership:
    person = member(one, name)
    rate_all(person)
    return person


def of(one: Study) -> list[str]:
    return departures(Study.objects.get(pk=one.pk))


def today() -> str:
    day = timezone.localdate()
    return f"{day.day} {day:%B %Y}"


def test_a_study_that_went_as_planned_has_no_departure() -> None:
    one = planned()
    rated(one)
    assert planned_ratings(one, PLAN) == 2
    states.close(study=one, by=None)
    unblinding.unblind(study=one, by=None, how="read the report")
    assert of(one) == []


def test_a_study_without_a_plan_says_only_that() -> None:
    one = study(1, of=corpus(1))
    unblinding.unblind(study=one, by=None, how="looked")
    assert of(one) == [NO_PLAN]
    Study.objects.filter(pk=one.pk).update(state=Study.State.CLOSED, is_imported=True)
    assert of(one) == [UNKNOWN_PLAN]
    assert of(draft(of=one.corpus)) == []


def test_more_raters_and_more_backgrounds_are_named() -> None:
    one = planned()
    launch.extend(study=one, raters_per_item=3, by=None)
    launch.add_items(study=one, backgrounds=1, by=None)
    assert of(one) == [
        f"Raters per dialogue increased from 1 to 3 on {today()}.",
        f"On {today()} 1 background was added.",
    ]


def test_more_people_than_planned_are_named_where_everybody_scores_everything() -> None:
    one = planned(None)
    rated(one, "ann")
    assert of(one) == []
    rated(one, "bob")
    assert of(one) == ["2 raters scored dialogues, and 1 were planned."]


def test_a_study_that_was_closed_early_says_what_was_missing() -> None:
    one = planned()
    states.close(study=one, by=None)
    assert of(one) == ["The study was closed with 0 of the 2 planned ratings."]


@pytest.mark.parametrize(("days", "when"), [(-3, "after"), (3, "before")])
def test_a_study_that_was_not_closed_on_its_day_says_when_it_was(days: int, when: str) -> None:
    planned_day = timezone.localdate() + timedelta(days=days)
    one = planned(stopping="date", stopping_date=planned_day.isoformat())
    named = f"{planned_day.day} {planned_day:%B %Y}, its planned last day."
    assert of(one) == ([f"The study is still open after {named}"] if days < 0 else [])
    states.close(study=one, by=None)
    assert of(one) == [f"The study was closed on {today()}, {when} {named}"]


def test_looking_early_and_excluding_afterwards_are_named_with_the_reason() -> None:
    one = planned()
    ann = rated(one)
    membership_changes.exclude(membership=ann, reason="Too fast", by=None)
    assert of(one) == []
    membership_changes.reinstate(membership=ann, by=None)
    unblinding.unblind(study=one, by=None, how="looked")
    membership_changes.exclude(membership=ann, reason="Disagrees", by=None)
    assert of(one) == [
        f"The study was unblinded on {today()}, while it could still be rated.",
        f"A rater was excluded on {today()}, after the study was unblinded (“Disagrees”).",
    ]
    membership_changes.reinstate(membership=ann, by=None)
    assert of(one)[-1] == f"A rater was reinstated on {today()}, after the study was unblinded."


def test_an_exclusion_by_hand_that_the_plan_has_no_rule_for_is_named() -> None:
    one = planned(exclusion="")
    membership_changes.exclude(membership=rated(one), reason="Too fast", by=None)
    assert of(one) == ["1 rater was excluded by hand, for which the plan has no rule."]


def test_a_plan_that_was_swapped_or_is_of_other_questions_is_named() -> None:
    one = planned()
    with TRIGGERS.lifted():
        Study.objects.filter(pk=one.pk).update(analysis_plan=replace(PLAN, metrics=("warm",)).as_json())
    assert of(one)[:2] == [
        CHANGED,
        "The plan does not fit what was asked: The plan names the metric warm, which is not asked.",
    ]
