"""What a report says first is on its page, in the command's text and JSON, and in its files; CSV says of whom."""

import csv
import html
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from annotation.bundles.report_files import report_files
from annotation.models import Study
from annotation.reports.loading import findings_of
from annotation.reports.plan_departures import NO_PLAN, departures
from annotation.reports.tables import study_tables
from annotation.reports.whole import found_of, lead_of, tables_of, whole_report
from annotation.triggers import TRIGGERS
from core.tables import Estimate, Table, to_csv
from tests.annotation.claims.preference_lead import check_preference_lead
from tests.annotation.rated_study import pair_study, rated_study
from tests.annotation.setting import user
from tests.people import client_of

pytestmark = pytest.mark.django_db
PLAN = {
    "metrics": ["natural", "engaging"],
    "contrasts": [["stephanie", "gamma"]],
    "family": "primary",
    "population": "these",
    "raters": 3,
    "backgrounds": 6,
    "margin": 0.5,
    "not_worse": [["gamma", "stephanie"]],
}
PAIRS = {"metrics": ["natural", "engaging"], "contrasts": [["gamma", "beta"]], "raters": 2, "backgrounds": 4}


def planned(study: Study, plan: dict[str, Any]) -> Study:
    """As if the plan had been there at the launch, but for its hash."""
    with TRIGGERS.lifted():
        Study.objects.filter(pk=study.pk).update(analysis_plan=plan)
    return Study.objects.get(pk=study.pk)


def told(study: Study, capsys: pytest.CaptureFixture[str]) -> Any:
    call_command("study_report", study.name, "--json")
    return json.loads(capsys.readouterr().out)


def test_the_json_says_what_was_found_and_which_of_it_the_plan_named(capsys: pytest.CaptureFixture[str]) -> None:
    study = planned(rated_study(), PLAN)
    found = told(study, capsys)
    page = client_of(user("rey", "researcher")).get(reverse("study_report", args=[study.pk]))
    assert found["lead"] == page.context["lead"]
    assert any("2 primary metrics" in sentence for sentence in found["lead"])
    assert found["departures"] == departures(study) != []
    assert found["primary_analysis"] | {"family_in_words": ""} == {
        "target": "these raters", "family": "primary", "family_in_words": "", "tests": 2,
    }  # fmt: skip
    named = {
        (row["metric"], row["first"], row["second"]) for row in found["comparisons"] if row["status"] == "confirmatory"
    }
    assert named == {("natural", "gamma", "stephanie"), ("engaging", "gamma", "stephanie")}
    assert {row["status"] for row in found["comparisons"]} == {"confirmatory", "exploratory"}
    adjusted = {
        (row["metric"], row["first"], row["second"]) for row in found["comparisons"] if row["p_adjusted"] is not None
    }
    assert adjusted == named


def test_the_json_has_the_claims_of_the_plan_and_the_severity_of_raters(capsys: pytest.CaptureFixture[str]) -> None:
    study = planned(rated_study(), PLAN)
    found, tables = told(study, capsys), study_tables(study, findings_of(study))
    assert (found["no_worse"]["margin"], found["no_worse"]["confidence"]) == (0.5, 0.9)
    for claim, row in zip(found["no_worse"]["claims"], tables["no-worse"].rows, strict=True):
        assert (claim["first"], claim["second"], claim["verdict"]) == ("gamma", "stephanie", row[-1])
        assert (claim["no_worse_p"], claim["p"]) == row[3:5]
        assert (claim["difference"], claim["n"], claim["low"], claim["high"]) == row[2][:4]  # type: ignore[index]
    labels = [column.label for column in tables["severity"].columns]
    for name, *cells in tables["severity"].rows:
        cell = cells[labels.index("Natural") - 1]
        assert isinstance(cell, Estimate)
        one = found["severity"]["natural"][name]
        assert (one["value"], one["n"], one["low"], one["high"]) == cell[:4]


def test_every_coefficient_of_agreement_says_whom_its_interval_speaks_of(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(rated_study(), capsys)
    for agreed in found["agreement"].values():
        for name, one in agreed["estimates"].items():
            who = "raters like these" if name.startswith("icc") else "these raters"
            assert one["target"] == (who if one["low"] is not None else None)
    assert {one["target"] for one in found["agreement"]["natural"]["estimates"].values()} == {
        "raters like these", "these raters",
    }  # fmt: skip
    assert found["primary_analysis"]["target"] == "raters like these"
    assert "no_worse" not in found


def test_an_icc_without_an_interval_for_raters_like_these_has_none() -> None:
    """Raters differ by a constant, which leaves no error: resampled backgrounds would still give ends."""
    study = rated_study(score=lambda rater, background, version, _: 1 + (background + len(version)) % 3 + rater % 2)
    for agreed in findings_of(study).agreement.values():
        one = agreed.estimates["icc_2,1"]
        assert one.value is not None
        assert (one.low, one.high, one.no_interval) == (None, None, "no spread")


@pytest.mark.parametrize("made", [rated_study, pair_study])
def test_the_command_prints_what_was_found_and_the_departures_before_any_table(
    made: Callable[[], Study], capsys: pytest.CaptureFixture[str]
) -> None:
    study = made()
    call_command("study_report", study.name)
    text = capsys.readouterr().out
    assert text.startswith("What was found\n")
    head = text[: text.index("Plan and departures")]
    for sentence in lead_of(study, found_of(study), dashes=True):
        assert sentence in head
    first = next(iter(tables_of(study, found_of(study)).values()))
    assert text.index(NO_PLAN) < text.index(first.caption)


@pytest.mark.parametrize("plan", [{}, PLAN], ids=["no plan", "a plan"])
def test_each_row_of_a_csv_table_says_whom_its_intervals_speak_of(plan: dict[str, Any]) -> None:
    study = planned(rated_study(), plan)
    check_csv(whole_report(study, found_of(study)).tables)


def test_each_row_of_a_csv_table_of_pairs_speaks_of_these_raters() -> None:
    study = pair_study()
    check_csv(whole_report(study, found_of(study)).tables)


def check_csv(tables: tuple[tuple[Table, Table], ...]) -> None:
    """What the notes say of raters, the column says, too."""
    for table, marked in tables:
        said = {row["intervals_speak_of"] for row in csv.DictReader(io.StringIO(to_csv(marked)))}
        assert len(said) <= 1
        notes = " ".join(table.notes)
        for who in ("raters like these", "these raters"):
            if f"interval for {who}" in notes or f"are for {who}" in notes:
                assert all(who in one for one in said), table.slug


def test_the_lead_of_pairs_is_on_the_page_in_the_zip_and_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    study = planned(pair_study(), PAIRS)
    sentences = check_preference_lead(study)
    assert sentences[1].startswith(
        "Ties counting half, γ won more than half of its comparisons with β on 2 of 2 primary metrics (75.0 %); "
    )
    page = html.unescape(
        client_of(user("rey", "researcher")).get(reverse("study_report", args=[study.pk])).content.decode()
    )
    assert "What was found" in page
    report = whole_report(study, found_of(study))
    readme = "".join(dict(report_files(study, "r", report, with_ratings=False, figure_forms=()))["r/README.md"])  # type: ignore[arg-type]
    found = told(study, capsys)
    assert found["lead"] == sentences
    for sentence in sentences:
        assert sentence in page
        assert sentence in readme
    statuses = {row["metric"]: row["status"] for row in found["win_rates"]}
    assert {metric for metric, status in statuses.items() if status == "confirmatory"} == {"natural", "engaging"}
    for metric, model in found["davidson"].items():
        assert {rate["status"] for rate in model["rates"]} == {statuses[metric]}
    assert found["agreement"]["natural"]["estimates"]["alpha_ordinal"]["target"] is None
    assert found["primary_analysis"]["target"] == "these raters"


def test_the_lead_of_pairs_holds_with_ties_a_side_and_no_interval() -> None:
    """Where nothing is decided, where one side always wins, and where every rater prefers one version."""
    study = pair_study()
    before = check_preference_lead(study)
    rewrite(study, "0")
    assert "48 of 48 decisions (100.0 %) were ties." in check_preference_lead(study)
    rewrite(study, "CASE WHEN a.is_flipped THEN 1 ELSE -1 END")
    (sides,) = (sentence for sentence in check_preference_lead(study) if " decisions " in sentence)
    assert sides.startswith("0 of 48 decisions (0.0 %) were ties, and 100.0 % of the others chose the left dialogue")
    assert sides not in before


def rewrite(study: Study, value: str) -> None:
    """Give every score the value of an SQL expression over its assignment `a`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE annotation_score SET value = (
                  SELECT {value} FROM annotation_rating r JOIN annotation_assignment a ON a.id = r.assignment_id
                   WHERE r.id = annotation_score.rating_id)"""
        )
    caches["results"].clear()
