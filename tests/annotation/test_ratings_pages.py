"""Ratings from elsewhere, in the browser and by the command, and what an imported study offers."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from annotation.design.drafting import DesignError
from annotation.design.record_views import next_version
from annotation.models import Study
from annotation.people.members import IMPORTED, people
from annotation.roles import Role
from dialogues import uploads
from dialogues.models import Corpus
from tests.annotation.imported_files import csv_file, imported, json_file
from tests.annotation.test_exports import exported
from tests.people import logged_in

pytestmark = pytest.mark.django_db
GOOD = "rater,item,version,metric,value,text\nr,a,Bot,Fun,3,Hello.\ns,a,Bot,Fun,4,\nr,b,Bot,Fun,,\n"
DOUBLED = f"{GOOD}r,a,Bot,Fun,5,\n"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def client() -> Client:
    return logged_in(Role.RESEARCHER)


def upload(client: Client, content: str, name: str = "my ratings.csv", **fields: Any) -> Any:
    return client.post(reverse("ratings_import"), {"file": SimpleUploadedFile(name, content.encode()), **fields})


def study_of(tmp_path: Path) -> Study:
    header = ("rater", "item", "version", "metric", "value", "seconds")
    rows = [
        (rater, item, version, "Fun", 3 + (rater == "r"), 4) for rater in "rst" for item in "ab" for version in "xy"
    ]
    return imported(csv_file(tmp_path, rows, header)).study


def test_an_upload_shows_what_was_read_and_keeps_nothing_yet(client: Client) -> None:
    page = client.get(upload(client, GOOD).url)
    assert page.context["form"]["name"].value() == "my ratings"
    for shown in ("2 scores to import", "CSV or TSV, a score a row", "Hello.", "Not rated", "3 to 4", "Bot"):
        assert shown in page.text
    assert not Study.objects.exists()


def test_confirming_makes_the_study_and_a_second_click_finds_it(client: Client) -> None:
    where = upload(client, GOOD).url
    answers = [client.post(where, {"name": "From elsewhere"}) for _ in range(2)]
    study = Study.objects.get()
    assert {answer.url for answer in answers} == {study.get_absolute_url()}
    assert study.created_by is not None
    assert study.created_by.username == "the-researcher"
    assert list(uploads.folder().glob("*.upload")) == []


def test_bad_rows_are_listed_and_left_out_only_on_request(client: Client) -> None:
    where = upload(client, DOUBLED).url
    assert "in row 2 already" in client.get(where).text
    refused = client.post(where, {"name": "Mine"})
    assert refused.status_code == 422
    assert refused.context["form"].errors.keys() == {"skip_bad"}
    assert "1 bad row was left out" in client.post(where, {"name": "Mine", "skip_bad": "on"}, follow=True).text


def test_an_unreadable_file_is_refused_on_the_first_page(client: Client) -> None:
    page = upload(client, "name,age\nx,3\n")
    assert page.status_code == 422
    assert "must name the columns rater, item, metric, value" in page.text
    assert list(uploads.folder().glob("*.upload")) == []


def test_columns_and_labels_are_taken_from_the_form(client: Client) -> None:
    content = GOOD.replace("rater,", "worker,")
    assert upload(client, content, columns="rater=worker").status_code == 302
    task = {"id": 1, "data": {}, "annotations": [{"completed_by": 1, "result": [
        {"type": "choices", "from_name": "Fun", "value": {"choices": ["good"]}}
    ]}]}  # fmt: skip
    page = client.get(upload(client, json.dumps([task]), "tasks.json", labels="bad, good").url)
    assert "1 score to import" in page.text
    assert "does not say which column" in upload(client, GOOD, columns="x=y").text
    assert "at least two labels" in upload(client, GOOD, labels="good").text


def test_the_rated_dialogues_can_be_a_corpus_that_is_here(client: Client) -> None:
    corpus = Corpus.objects.create(name="Chats")
    where = upload(client, GOOD).url
    assert "Chats" in client.get(where).text
    assert "has no dialogue a. The" in client.post(where, {"name": "Mine", "corpus": corpus.pk}).text
    assert not Study.objects.exists()


def test_an_upload_belongs_to_its_owner_and_ends(client: Client) -> None:
    where = upload(client, GOOD).url
    assert logged_in(Role.ADMIN).get(where).status_code == 404
    uploads.forget(where.rstrip("/").rpartition("/")[2])
    assert "waited for a day" in client.get(where, follow=True).text


def test_a_name_that_is_taken_is_refused_on_the_page(client: Client, tmp_path: Path) -> None:
    study_of(tmp_path)
    where = upload(client, GOOD).url
    assert "already exists" in client.post(where, {"name": "Elsewhere"}).text


def test_an_imported_study_says_so_on_every_page(client: Client, tmp_path: Path) -> None:
    study = study_of(tmp_path)
    member = study.memberships.first()
    assert member is not None
    pages = [reverse("studies"), reverse("home"), reverse("study_rater", args=[study.pk, member.pk])]
    names = ("study", "study_report", "study_design", "study_raters", "study_disagreement", "study_balance")
    for url in [*pages, *(reverse(name, args=[study.pk]) for name in names)]:
        assert "imported ratings" in client.get(url).text
    assert "imported ratings" in client.get(reverse("study_disputed_item", args=[study.pk, 1])).text
    assert "Imported ratings: collected elsewhere" in client.get(reverse("study_report", args=[study.pk])).text
    assert "collected elsewhere" in client.get(reverse("study_methods", args=[study.pk])).text


def test_an_imported_study_offers_nothing_that_needs_raters(client: Client, tmp_path: Path) -> None:
    study = study_of(tmp_path)
    page = client.get(study.get_absolute_url())
    assert page.context["actions"] == []
    for offered in ("Add raters", "Invite", "Open link", "Unblind", "Order and balance", "Blind:"):
        assert offered not in page.text
    assert "next version" not in client.get(reverse("study_design", args=[study.pk])).text.lower()
    with pytest.raises(DesignError, match="imported"):
        next_version(study=study, by=None)
    assert study.name not in client.get(reverse("invite")).text


def test_exports_of_an_imported_study_say_so_and_when_is_not_known(client: Client, tmp_path: Path) -> None:
    study = study_of(tmp_path)
    rows = exported(client, study)
    assert {(row["imported"], row["submitted_at"], row["simulated"]) for row in rows} == {("True", "", "False")}
    assert {row["rater"] for row in rows} == {f"imported-{study.pk}-{number}" for number in (1, 2, 3)}
    table = client.get(reverse("study_table_csv", args=[study.pk, "table-3"]))
    assert "imported" in table["Content-Disposition"]
    assert "imported" in table.getvalue().decode()


def test_imported_raters_are_listed_only_when_asked_for(tmp_path: Path) -> None:
    study_of(tmp_path)
    assert not people().exists()
    assert people(shown=IMPORTED).count() == 3


def test_a_scale_of_sixty_thousand_points_fits_on_every_page(client: Client, tmp_path: Path) -> None:
    rows = [("r", "a", "Cost", -32_000), ("s", "a", "Cost", 32_000), ("r", "b", "Cost", 5), ("s", "b", "Cost", 7)]
    study = imported(csv_file(tmp_path, rows)).study
    member = study.memberships.first()
    assert member is not None
    for url in (
        *(reverse(name, args=[study.pk]) for name in ("study", "study_report", "study_raters", "study_design")),
        reverse("study_rater", args=[study.pk, member.pk]),
        reverse("study_disputed_item", args=[study.pk, 1]),
    ):
        page = client.get(url)
        assert page.status_code == 200
        assert len(page.content) < 200_000
    settled = {"metric": "cost", "seen": 0, "value": 100, "reason": "The middle."}
    assert client.post(reverse("study_disputed_item", args=[study.pk, 1]), settled).status_code == 302


def test_the_command_imports_and_prints_json(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [("r", "a", "Fun", 3), ("s", "a", "Fun", 4)], ("worker", "item", "metric", "value"))
    out = StringIO()
    call_command(
        "study", "import-ratings", str(path), "--name", "Mine", "--columns", "rater=worker", "--json", stdout=out
    )
    answer = json.loads(out.getvalue())
    assert (answer["study"], answer["scores"], answer["raters"], answer["imported"]) == ("Mine", 2, 2, True)
    call_command("study", "import-ratings", str(path), "--name", "Again", "--columns", "rater=worker", stdout=out)
    assert "2 scores of 1 item by 2 raters" in out.getvalue()


def test_the_command_names_what_is_bad(tmp_path: Path) -> None:
    path, out, err = csv_file(tmp_path, [("r", "a", "Fun", 3.5), ("s", "a", "Fun", 4)]), StringIO(), StringIO()
    with pytest.raises(CommandError, match="One row is bad") as error:
        call_command("import_ratings", str(path), "--name", "Mine", "--json", stdout=out, stderr=err)
    assert error.value.returncode == 1
    assert "row 2: the score “3.5” is a decimal" in err.getvalue()
    assert json.loads(out.getvalue())["bad"][0]["row"] == 2
    call_command("import_ratings", str(path), "--name", "Mine", "--skip-bad", stdout=out, stderr=err)
    assert Study.objects.get().is_imported
    with pytest.raises(CommandError, match="There is no file"):
        call_command("import_ratings", str(tmp_path / "none"), "--name", "X")


def test_the_command_takes_labels_and_refuses_wrong_ones(tmp_path: Path) -> None:
    choice = {"type": "choices", "from_name": "Fun", "value": {"choices": ["fair"]}}
    path = json_file(tmp_path, [{"id": 1, "data": {}, "annotations": [{"completed_by": 1, "result": [choice]}]}])
    out = StringIO()
    call_command("import_ratings", str(path), "--name", "Mine", "--choices", "bad,fair,good", "--json", stdout=out)
    assert json.loads(out.getvalue())["scores"] == 1
    for wrong in (("--choices", "bad,bad"), ("--columns", "coffee=x")):
        with pytest.raises(CommandError, match=r"named twice|does not say which column"):
            call_command("import_ratings", str(path), "--name", "Other", *wrong)
