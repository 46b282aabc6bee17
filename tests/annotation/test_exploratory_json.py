"""`study report --json` says of learning, naturalness and left-out raters what the tables of the page say."""

import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from annotation.models import Membership, Study
from annotation.reports.loading import findings_of
from annotation.reports.tables import study_tables
from core.tables import Table
from tests.annotation.rated_study import rated_study

pytestmark = pytest.mark.django_db


def told(study: Study, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, object], dict[str, Table]]:
    """The command's JSON, and the tables of the same findings."""
    call_command("study_report", study.name, "--json")
    return json.loads(capsys.readouterr().out), study_tables(study, findings_of(study))


def test_quarters_and_correlations_are_those_of_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    found, tables = told(rated_study(backgrounds=3), capsys)
    learning: dict = found["learning"]  # type: ignore[type-arg, assignment]
    assert learning["raters"] == 3
    natural = [column.label for column in tables["learning"].columns].index("Natural")
    for quarter, row in zip(learning["quarters"], tables["learning"].rows, strict=True):
        assert quarter["ratings"] == row[1]
        assert quarter["means"]["natural"]["value"] == row[natural].value  # type: ignore[union-attr]
    correlated: dict = found["naturalness"]  # type: ignore[type-arg, assignment]
    assert (correlated["metric"], correlated["over_all"]["dialogues"]) == ("Natural", 12)
    assert correlated["versions"].keys() == {"alpha", "beta", "gamma", "stephanie"}
    over_all = tables["naturalness"].rows[0]
    assert (
        [one["value"] for one in correlated["over_all"]["coefficients"].values()]
        == [
            cell.value  # type: ignore[union-attr]
            for cell in over_all[1:3]
        ]
    )
    assert "other_raters" not in found


def test_the_differences_had_excluded_raters_counted_are_those_of_the_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = rated_study(backgrounds=4)
    member = Membership.objects.filter(study=study).latest("pk")
    Membership.objects.filter(pk=member.pk).update(excluded_at=timezone.now())
    member.assignments.update(slot=None)
    found, tables = told(study, capsys)
    (others,) = found["other_raters"]  # type: ignore[misc]
    assert (others["label"], others["raters"], others["ratings"]) == ("Nobody left out", 3, 48)
    (line,) = (
        one
        for one in others["differences"]
        if (one["metric"], one["first"], one["second"]) == ("natural", "beta", "stephanie")
    )
    (row,) = (row for row in tables["exclusions"].rows if row[:2] == ("Natural", "Stephanie − β"))
    assert line["value"] == row[3].value  # type: ignore[union-attr]
    assert (line["low"], line["high"]) == (row[3].low, row[3].high)  # type: ignore[union-attr]
