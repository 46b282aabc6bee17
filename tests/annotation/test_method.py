"""The page that says how the paper is read."""

import pytest

from annotation.people.method_page import acmc_rows
from annotation.roles import Role
from tests.people import client_of, make_user


def test_the_papers_table_5_gives_the_acmc_of_its_table_4_to_within_a_hundredth() -> None:
    rows = acmc_rows()
    assert [row.version for row in rows] == ["α", "β", "γ", "Stephanie"]
    assert [round(row.follows or 0, 2) for row in rows] == [1.07, 1.09, 2.00, 2.51]
    assert [row.printed for row in rows] == [1.07, 1.08, 1.99, 2.51]


def test_turns_of_six_or_more_would_give_more_than_the_printed_acmc() -> None:
    at_least = {row.version: row.at_least for row in acmc_rows()}
    assert (at_least["α"], at_least["β"]) == (None, None)
    # 2.5093 of the five printed shares, and six messages in each of the 1.43 % of turns that are missing.
    assert at_least["Stephanie"] == pytest.approx(2.5951)
    assert at_least["γ"] == pytest.approx(2.0064)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.RESEARCHER, Role.ADMIN])
def test_those_who_read_reports_can_read_what_their_figures_mean(role: Role) -> None:
    client = client_of(make_user(role))
    page = client.get("/method/").content.decode()
    for words in (
        "divided by the number of <em>turns</em>",
        "98.57",
        "11.71",
        "six or more",
        "would be at least 2.595",
        "≥ 2.595",
        "Raters like these",
        "divides by n − 1",
        "only beside its own questions",
        "demo rules",
        "nothing tells the judge which version it is",
        "simulated",
    ):
        assert words in page


@pytest.mark.django_db
def test_a_rater_may_not_read_what_a_study_compares_and_is_told_why() -> None:
    client = client_of(make_user(Role.RATER))
    response = client.get("/method/")
    assert response.status_code == 403
    assert "would tell a rater what a study compares" in response.content.decode()
