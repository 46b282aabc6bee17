"""The primary differences with and without the raters left out: the same analysis of other ratings."""

import pytest
from django.utils import timezone

from annotation.models import Membership, Rating, Study
from annotation.reports.loading import findings_of
from annotation.reports.tables import study_tables
from core.tables import Table
from tests.annotation.rated_study import rated_study

pytestmark = pytest.mark.django_db


def tables_of(study: Study) -> dict[str, Table]:
    return study_tables(study, findings_of(study))


def last_rater(study: Study) -> Membership:
    return Membership.objects.filter(study=study).order_by("-pk")[0]


def differences(table: Table, place: int) -> dict[object, object]:
    return {row[:2]: row[place] for row in table.rows if str(row[1]).startswith("Stephanie")}


def test_without_anybody_left_out_there_is_no_table() -> None:
    assert "exclusions" not in tables_of(rated_study(backgrounds=2))


def test_with_an_excluded_rater_the_differences_are_those_before_the_exclusion() -> None:
    study = rated_study(backgrounds=4)
    before = differences(tables_of(study)["comparisons"], 2)
    member = last_rater(study)
    # Whoever is excluded loses the slots of what they rated.
    Membership.objects.filter(pk=member.pk).update(excluded_at=timezone.now())
    member.assignments.update(slot=None)
    tables = tables_of(study)
    found = tables["exclusions"]
    assert [column.label for column in found.columns] == ["Metric", "Versions", "As reported", "Nobody left out"]
    assert differences(found, 3) == before
    assert differences(found, 2) == differences(tables["comparisons"], 2)
    assert differences(found, 2) != before
    told = " ".join(found.notes)
    assert "As reported: 32 ratings by 2 raters. For comparison: 48 ratings by 3 raters" in told


def test_whoever_withdrew_with_their_ratings_is_in_neither() -> None:
    study = rated_study(backgrounds=2)
    Study.objects.filter(pk=study.pk).update(withdrawal=Study.Withdrawal.REMOVE)
    now = timezone.now()
    member = last_rater(study)
    Membership.objects.filter(pk=member.pk).update(excluded_at=now)
    study.refresh_from_db()
    assert "exclusions" in tables_of(study)
    Membership.objects.filter(pk=member.pk).update(withdrawn_at=now)
    assert "exclusions" not in tables_of(study)


def test_screened_out_raters_who_count_are_left_out_beside() -> None:
    study = rated_study(backgrounds=2)
    Study.objects.filter(pk=study.pk).update(counts_screened_out=True)
    Membership.objects.filter(pk=last_rater(study).pk).update(screened_out_at=timezone.now())
    study.refresh_from_db()
    found = tables_of(study)["exclusions"]
    assert found.columns[-1].label == "Without screened-out raters"
    assert "16 ratings by 2 raters" in " ".join(found.notes)


def test_what_an_excluded_rater_takes_back_leaves_the_differences_before_the_exclusion() -> None:
    study = rated_study(backgrounds=2)
    member = last_rater(study)
    Membership.objects.filter(pk=member.pk).update(excluded_at=timezone.now())
    before = findings_of(study)
    Rating.objects.filter(assignment__membership=member, assignment__item__position=0).update(is_current=False)
    after = findings_of(study)
    assert after.ratings == before.ratings
    assert after.other_raters != before.other_raters
