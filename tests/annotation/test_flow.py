"""The flow of raters and ratings, as a figure and a table."""

import csv
import io
import zipfile

import pytest
from django.test import Client
from django.urls import reverse

from annotation.design.flow import flow_of
from annotation.models import Study
from annotation.rating import membership_changes
from annotation.rating.answers import Answer
from annotation.reports.flow_figure import flow_spec, steps
from annotation.roles import Role
from dialogues.charts import THEMES
from tests.annotation.rated_study import pair_study
from tests.annotation.setting import TWO, corpus, draft, member, rate, rate_all, rubric, study
from tests.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def one() -> Study:
    made = study(of=corpus(2, TWO), versions=TWO, rubric=rubric("natural"), name="Pilot <b>")
    ann, bob, cem = (member(made, name) for name in ("ann", "bob", "cem"))
    rate_all(ann, Answer({"natural": 4}))
    rate(bob, Answer({"natural": 3}))
    rate(cem, Answer({"natural": 2}))
    membership_changes.exclude(membership=bob, reason="guessed", by=None)
    membership_changes.withdraw(membership=cem, by=None)
    return made


def test_the_boxes_say_who_left_and_what_counts(one: Study) -> None:
    raters, ratings = steps(one, flow_of(one))
    assert raters[-1].remark == "1 withdrew, 1 finished"
    assert [(step.label, step.number, step.side) for step in raters] == [
        ("Raters who joined", 3, False),
        ("Excluded by a researcher", 1, True),
        ("Withdrew", 1, True),
        ("With ratings that count", 2, False),
    ]
    assert [(step.label, step.number) for step in ratings] == [
        ("Ratings submitted", 6),
        ("By excluded raters", 1),
        ("Ratings that count", 5),
    ]


def test_the_table_has_the_same_numbers_as_a_file(one: Study) -> None:
    sent = logged_in(Role.RESEARCHER).get(reverse("study_flow", args=[one.pk, "csv"]))
    rows = list(csv.reader(io.StringIO(sent.content.decode())))
    assert ["Raters", "joined", "3", "2"] in rows
    assert ["Ratings", "by excluded raters", "1", "0"] in rows
    assert ["Items", "to be rated", "4", "4"] in rows


@pytest.mark.parametrize("form", ["svg", "pdf", "png"])
def test_the_figure_comes_in_every_form(one: Study, form: str) -> None:
    reader = logged_in(Role.RESEARCHER)
    sent = reader.get(reverse("study_flow", args=[one.pk, form]), {"download": ""})
    assert sent["Content-Disposition"].endswith(f'flow.{form}"')
    assert len(sent.content) > 1000
    assert reader.get(reverse("study_flow", args=[one.pk, "exe"])).status_code == 404


def test_the_figure_fits_a_phone_in_both_themes(one: Study) -> None:
    for theme in THEMES.values():
        spec = flow_spec(one, flow_of(one), theme)
        assert spec["width"] <= 340
        assert theme.ink in str(spec)


def test_a_blind_study_shows_it_and_stays_blind(one: Study) -> None:
    reader = logged_in(Role.RESEARCHER)
    assert reader.get(reverse("study_flow", args=[one.pk, "svg"])).status_code == 200
    assert "would unblind" in reader.get(reverse("study_report", args=[one.pk])).text


def test_the_report_and_its_archive_have_it() -> None:
    reader = logged_in(Role.RESEARCHER)
    pairs = pair_study()
    page = reader.get(reverse("study_report", args=[pairs.pk])).text
    assert "Flow of raters and ratings" in page
    assert reverse("study_checklists", args=[pairs.pk]) in page
    sent = reader.get(reverse("study_report_zip", args=[pairs.pk]))
    names = zipfile.ZipFile(io.BytesIO(b"".join(sent.streaming_content))).namelist()  # type: ignore[attr-defined]
    inside = {name.partition("/")[2] for name in names}
    assert inside >= {"figures/flow.pdf", "tables/flow.md", "methods.txt"}
    assert {name for name in inside if name.startswith("checklists/")} == {
        "checklists/checklists.md", "checklists/checklists.json", "checklists/heds.json",
    }  # fmt: skip


def test_a_draft_has_no_flow_and_its_archive_is_no_error(client: Client) -> None:
    of_draft = draft(of=corpus(2, TWO), versions=TWO)
    reader = logged_in(Role.RESEARCHER)
    assert "Flow of raters" not in reader.get(reverse("study_report", args=[of_draft.pk])).text
    sent = reader.get(reverse("study_report_zip", args=[of_draft.pk]))
    assert b"".join(sent.streaming_content)  # type: ignore[attr-defined]
