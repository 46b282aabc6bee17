"""What a plan's texts promise is what the report does, for each kind of study, population and family."""

import random
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from annotation.design.plan import CLAIMS_ABOUT, Family, Population
from annotation.design.plan_record import plan_document
from annotation.design.plan_text import INTERVALS, INTERVALS_OF_PAIRS, in_words, texts
from annotation.models import Study
from annotation.reports.notes import CONFIRMATORY, EXPLORATORY, NO_PLAN, UNKNOWN_PLAN
from annotation.reports.whole import found_of, tables_of
from core.tables import Table
from tests.annotation import imported_files
from tests.annotation.chat_studies import chat_study, chatted
from tests.annotation.planned_study import with_plan
from tests.annotation.rated_study import join, pair_study, rated_study

pytestmark = pytest.mark.django_db
STATUS_NOTES = {*CONFIRMATORY.values(), EXPLORATORY, NO_PLAN, UNKNOWN_PLAN}
POPULATIONS: tuple[Population, ...] = ("like", "these")
FAMILIES: tuple[Family, ...] = ("all", "primary")


def chats() -> Study:
    """Three testers chatted with both systems on four backgrounds."""
    study, rng = chat_study(backgrounds=4, k=3), random.Random(3)
    members = [join(study, number) for number in range(3)]
    for member, background, system in product(members, range(4), ("Tuned", "Plain")):
        chatted(member, system, background, values=[rng.randint(1, 5) for _ in range(4)])
    return study


def report_of(study: Study) -> dict[str, Table]:
    return tables_of(study, found_of(study))


def said_of(table: Table) -> str:
    return " ".join((table.caption, *table.notes))


def column(table: Table, label: str) -> list[Any]:
    place = [one.label for one in table.columns].index(label)
    return [row[place] for row in table.rows]


@pytest.mark.parametrize("kind", ["scores", "chats"])
@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_plan_of_scores_promises_the_analysis_of_the_table_of_differences(
    kind: str, population: Population, family: Family
) -> None:
    study = with_plan(
        rated_study(versions=("alpha", "beta", "gamma")) if kind == "scores" else chats(),
        population=population,
        family=family,
    )
    table = report_of(study)["comparisons"]
    report, plan = said_of(table), plan_document(study)
    for text in (*(texts(plan)[form] for form in ("osf", "aspredicted")), " ".join(said for _, said in in_words(plan))):
        assert ("linear mixed model" in text) == ("linear mixed model" in report) == (population == "like")
        assert ("Student's t over backgrounds" in text) == ("Student's t over backgrounds" in report)
        assert CLAIMS_ABOUT[population] in table.caption
        assert [INTERVALS[one] in text for one in POPULATIONS] == [one == population for one in POPULATIONS]
        tests = re.search(r"([\d,]+) tests? in all", text)
        assert tests is not None
        adjusted = re.search(r"Holm-adjusted for ([\d,]+) tests", report)
        assert tests[1] == (adjusted[1] if adjusted else "1")
        assert ("corrected together by Holm" in text) == (adjusted is not None)
        unadjusted = [p for p, other in zip(column(table, "p"), column(table, "p, adjusted"), strict=True)
                      if p is not None and other is None]  # fmt: skip
        assert ("Other p values are not adjusted." in text) == bool(unadjusted)


def test_a_plan_of_pairs_promises_no_test_and_intervals_for_these_raters() -> None:
    bare = pair_study()
    for fields in ({"family": None, "population": None}, {"family": "primary", "population": "like"}):
        study = with_plan(bare, **fields)
        tables, plan = report_of(study), plan_document(study)
        assert not [
            one for table in tables.values() for one in table.columns if one.label == "p" or one.label.startswith("p,")
        ]
        for text in (texts(plan)["osf"], texts(plan)["aspredicted"], " ".join(said for _, said in in_words(plan))):
            assert "No tests: the report has no p values" in text
            assert INTERVALS_OF_PAIRS in text
            assert "Davidson" in text
            for wrong in ("Holm", "Two-sided", "Satterthwaite", "raters like these", "Student"):
                assert wrong not in text
        assert "They say how these raters" in said_of(tables["win-rates"])
    assert plan_document(with_plan(bare, family=None, population=None))["tests"] is None
    # The hash of a plan that was launched with a family covers the number of its tests.
    assert plan_document(with_plan(bare))["tests"] == 6


def test_the_table_of_preferences_says_which_rows_the_plan_named() -> None:
    study = with_plan(pair_study(), family=None, population=None)
    table = report_of(study)["win-rates"]
    assert "Every other number in the report is exploratory" in texts(plan_document(study))["osf"]
    first = study.rubric.metric_list()[0].name
    assert column(table, "Status") == ["confirmatory" if row[0] == first else "exploratory" for row in table.rows]
    assert column(table, "Status").count("confirmatory") == 1


@pytest.mark.parametrize("made", [rated_study, chats, pair_study])
def test_every_table_says_once_which_of_its_numbers_are_confirmatory(made: Any) -> None:
    bare = made()
    for table in report_of(bare).values():
        assert [note for note in table.notes if note in STATUS_NOTES] == [NO_PLAN], table.slug
        assert "Status" not in [one.label for one in table.columns]
    study = with_plan(bare)
    for slug, table in report_of(study).items():
        (note,) = [note for note in table.notes if note in STATUS_NOTES]
        assert note == CONFIRMATORY.get(slug, EXPLORATORY)
        assert ("Status" in [one.label for one in table.columns]) == (slug in ("comparisons", "win-rates"))


def test_claims_of_no_worse_are_confirmatory_and_their_equivalence_is_not() -> None:
    study = with_plan(rated_study(backgrounds=3), margin=0.5, not_worse=(("alpha", "beta"),))
    (note,) = [note for note in report_of(study)["no-worse"].notes if note in STATUS_NOTES]
    assert note.startswith("Confirmatory: whether a version is no worse")
    assert "and the claims of no worse" in texts(plan_document(study))["osf"]


def test_imported_ratings_have_no_plan_that_anybody_knows(tmp_path: Path) -> None:
    rows = [(f"r{rater}", f"d{item}", "natural", 1 + (rater + item) % 5) for rater in range(3) for item in range(4)]
    study = imported_files.imported(imported_files.csv_file(tmp_path, rows)).study
    for table in report_of(study).values():
        assert [note for note in table.notes if note in STATUS_NOTES] == [UNKNOWN_PLAN], table.slug
