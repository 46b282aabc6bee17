"""Checklists: prefilled from the record, gaps marked, and never markup or a claim that the record does not have."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.checklists.documents import as_heds_form, as_json, as_markdown, checklists
from annotation.checklists.heds_questions import LAST, OF_EACH_CRITERION, ONCE
from annotation.models import Study
from annotation.rating import membership_changes
from annotation.rating.answers import Answer
from annotation.roles import Role
from dialogues.models import Rubric
from tests.annotation.chat_designs import chat_study
from tests.annotation.imported_files import csv_file, imported
from tests.annotation.setting import TWO, corpus, draft, member, rate_all, rubric, study
from tests.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
HOSTILE = "<script>alert(1)</script> | *x* \n# Heading\n- list"


def few() -> Rubric:
    return Rubric.objects.filter(slug="few").first() or rubric("natural")


def rated(**fields: Any) -> Study:
    one = study(of=corpus(2, TWO, name="Rated"), versions=TWO, rubric=few(), name="Pilot", **fields)
    for name, value in (("ann", 4), ("bob", 2)):
        rate_all(member(one, name), Answer({"natural": value}))
    return one


def answers(one: Study, slug: str) -> dict[tuple[str, str], dict[str, Any]]:
    parts = json.loads(as_json(one))["checklists"][slug]["parts"]
    return {(row["number"], row.get("criterion", "")): row for part in parts for row in part["entries"]}


def test_every_question_has_an_answer_or_says_what_to_write() -> None:
    bare, full = rated(), chat_study(2, of=corpus(3, name="Other"), consent_text="I agree.")
    for one in (bare, full):
        for checklist in checklists(one):
            for entry in checklist.entries:
                assert any(entry.answer), entry.question
    numbers = [question.number for questions in (*ONCE.values(), *LAST.values()) for question in questions]
    numbers += [question.number for question in OF_EACH_CRITERION]
    assert len(set(numbers)) == len(numbers)


def test_answers_come_from_the_record() -> None:
    one = rated(pay_note="12 an hour", recruitment="By a notice", approval_number="Board 7", consent_text="I agree.")
    membership_changes.exclude(membership=one.memberships.first(), reason="guessed", by=None)  # type: ignore[arg-type]
    heds, acl = answers(one, "heds"), answers(one, "responsible-nlp")
    assert heds["3.2.1", ""]["answer"] == "1"
    assert heds["3.2.3", ""]["answer"] == "By a notice"
    assert (heds["3.2.2.2", ""]["answer"], bool(heds["3.2.2.2", ""]["to_write"])) == ("12 an hour", True)
    assert "1 was excluded by a researcher" in heds["3.3.3.2", ""]["answer"]
    assert heds["4.3.4", "natural"]["answer"] == "1, 2, 3, 4, 5"
    assert heds["3.2.5", ""] == {**heds["3.2.5", ""], "answer": ""}
    assert heds["3.2.5", ""]["to_write"]
    assert acl["D4", ""]["answer"] == "Board 7"
    assert "Recruitment: By a notice. Pay: 12 an hour." in acl["D2", ""]["answer"]
    assert "Consent text: I agree." in acl["D1", ""]["answer"]


def test_agreement_is_given_once_two_have_rated_the_same() -> None:
    one = study(of=corpus(2, TWO), versions=TWO, rubric=few())
    assert answers(one, "heds")["4.3.11.2", "natural"]["to_write"]
    two = chat_study(1, of=corpus(3, name="Chats 2"))
    assert answers(two, "heds")["4.3.11.2", "Natural"]["answer"] == "InterAA not assessed"
    three = rated()
    found = answers(three, "heds")["4.3.11.2", "natural"]["answer"]
    assert re.search(r"α -?\d\.\d\d.*, over 4 items with two ratings or more\.", found)


def test_the_file_for_the_datasheets_form_has_its_fields() -> None:
    one = rated()
    form = json.loads(as_heds_form(one))
    assert form["heds-criteria-criterion"]["control"] == {"natural": True}
    assert form["heds-sample_evaluators_design-evaluators-number_of_evaluators"] == {
        "data": {"": "2"},
        "control": {},
        "number": "3.2.1",
    }
    ticked = form["heds-criteria-criterion-evaluation_mode-absolute_or_relative-1"]
    assert ticked["data"] == {"natural": True}
    assert ticked["text"] == {"natural": "1. Absolute"}
    assert "heds-sample_evaluators_design-sample-system_output_selection-6" in form
    assert form["heds-sample_evaluators_design-sample-system_output_selection-other_text"]["data"][""]
    assert "heds-paper_and_resources-names_and_affiliations-contact_author-name" not in form


def test_what_people_wrote_is_text(client: Client) -> None:
    one = rated(recruitment=HOSTILE, guidelines=HOSTILE)
    written = as_markdown(one)
    assert "<script>" not in written
    assert "\n# Heading" not in written
    assert "\n- list" not in written
    page = logged_in(Role.RESEARCHER).get(reverse("study_checklists", args=[one.pk])).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_page_and_its_files(client: Client) -> None:
    one = rated()
    reader = logged_in(Role.RESEARCHER)
    page = reader.get(reverse("study_checklists", args=[one.pk]))
    assert "To write:" in page.text
    assert "Flow of raters and ratings" in page.text
    for form, text in (("markdown", as_markdown(one)), ("json", as_json(one)), ("heds-form", as_heds_form(one))):
        sent = reader.get(reverse("study_checklists_file", args=[one.pk, form]))
        assert sent.content.decode() == text
    assert reader.get(reverse("study_checklists_file", args=[one.pk, "exe"])).status_code == 404
    of_draft = draft(of=one.corpus, versions=TWO)
    for name, more in (("study_checklists", ()), ("study_checklists_file", ("json",))):
        told = reader.get(reverse(name, args=[of_draft.pk, *more]), follow=True)
        assert "Launch the study first" in told.text


def test_imported_and_simulated_ratings_are_called_so(tmp_path: Path) -> None:
    rows = [(rater, f"d{item}", "natural", 1 + item % 3) for rater in ("a", "b") for item in range(3)]
    one = imported(csv_file(tmp_path, rows)).study
    assert "Imported ratings" in as_markdown(one)
    assert answers(one, "heds")["3.2.4", ""]["answer"] == ""
    assert answers(one, "responsible-nlp")["D3", ""]["answer"] == ""
    two = study(of=corpus(2, TWO), versions=TWO, is_simulated=True)
    assert "Simulated ratings" in as_markdown(two)
    assert answers(two, "responsible-nlp")["D", ""]["answer"] == "No. The ratings are simulated."


def test_the_command_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    one = rated()
    call_command("study", "checklists", "Pilot")
    assert capsys.readouterr().out == as_markdown(one)
    call_command("study", "checklists", "Pilot", "--json")
    assert json.loads(capsys.readouterr().out)["study"] == "Pilot"
    call_command("study", "checklists", "Pilot", "--heds-form")
    assert "heds-criteria-criterion" in json.loads(capsys.readouterr().out)
    of_draft = draft(of=one.corpus, versions=TWO, name="Later")
    with pytest.raises(CommandError, match="draft"):
        call_command("study", "checklists", of_draft.name)
