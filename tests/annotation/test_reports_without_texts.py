"""Reports of imported ratings whose file has no texts, or texts of some items only: lengths are of texts alone."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotation.models import Rating, Study
from annotation.reports.loading import findings_of
from annotation.reports.tables import study_tables
from annotation.roles import Role
from tests.annotation.imported_files import csv_file, imported, json_file
from tests.people import logged_in

pytestmark = pytest.mark.django_db

LENGTH_TABLES = {"table-4", "table-5"}
HEADER = ("rater", "item", "metric", "value", "version", "text")


def rated(folder: Path, texts: dict[str, str], version: str = "a") -> Study:
    rows = [(rater, item, "Fun", 3, version, text) for rater in ("r1", "r2") for item, text in texts.items()]
    return imported(csv_file(folder, rows, HEADER)).study


def test_without_any_text_there_are_no_tables_of_lengths(tmp_path: Path) -> None:
    study = rated(tmp_path, {"i1": "", "i2": ""})
    found = findings_of(study)
    assert (found.items, found.without_text, found.has_lengths) == (2, 2, False)
    tables = study_tables(study, found)
    assert not LENGTH_TABLES & tables.keys()
    why = "The imported file has no texts of these dialogues, so there are no Tables 4 and 5."
    assert all(why in table.notes for table in tables.values())


def test_without_any_text_neither_page_nor_files_nor_command_show_lengths(tmp_path: Path) -> None:
    study = rated(tmp_path, {"i1": "", "i2": ""})
    client = logged_in(Role.RESEARCHER)
    html = client.get(reverse("study_report", args=[study.pk])).content.decode()
    assert "so there are no Tables 4 and 5." in html
    for slug in LENGTH_TABLES:
        assert slug not in html
        for view in ("study_table_csv", "study_table_tex"):
            assert client.get(reverse(view, args=[study.pk, slug])).status_code == 404
    said = printed(study)
    assert "so there are no Tables 4 and 5." in said
    assert "ACMC" not in said
    version = json.loads(printed(study, "--json"))["versions"]["a"]
    assert (version["items"], version["dialogues"], version["messages"], version["acmc"]) == (2, 0, 0, None)


def test_without_any_text_a_report_without_ratings_opens(tmp_path: Path) -> None:
    study = rated(tmp_path, {"i1": "", "i2": ""})
    Rating.objects.update(is_current=False)
    html = logged_in(Role.RESEARCHER).get(reverse("study_report", args=[study.pk]))
    assert html.status_code == 200
    assert "table-4" not in html.content.decode()


def test_where_some_items_have_a_text_lengths_are_of_those_and_say_so(tmp_path: Path) -> None:
    study = rated(tmp_path, {"i1": "One two three.", "i2": "", "i3": "Four five six seven eight."})
    found = findings_of(study)
    assert (found.items, found.without_text) == (3, 1)
    lengths = found.lengths["a"]
    assert (lengths.dialogues, lengths.messages, lengths.words_whitespace and lengths.words_whitespace.value) == (
        2,
        2,
        4,
    )
    note = "Over the 2 of 3 dialogues of this study that have a text in the imported file; 1 without one is left out."
    tables = study_tables(study, found)
    for slug in LENGTH_TABLES:
        assert any(one.startswith(note) for one in tables[slug].notes)
    why = "1 of these 3 dialogues has no text in the imported file, so Tables 4 and 5 leave it out."
    assert why in tables["table-3"].notes
    assert note in printed(study)
    path = reverse("study_table_csv", args=[study.pk, "table-4"])
    rows = list(csv.DictReader(StringIO(logged_in(Role.RESEARCHER).get(path).content.decode("utf-8-sig"))))
    assert {value for name, value in rows[0].items() if name.startswith("a") and name.endswith("n")} == {"2"}


def test_a_version_without_texts_beside_one_with_them_has_empty_cells(tmp_path: Path) -> None:
    rows = [("r1", "i1", "Fun", 3, "a", "Hello there."), ("r1", "i2", "Fun", 4, "b", "")]
    study = imported(csv_file(tmp_path, rows, HEADER)).study
    found = findings_of(study)
    assert (found.lengths["a"].dialogues, found.lengths["b"].dialogues) == (1, 0)
    shares = [row for row in study_tables(study, found)["table-5"].rows if row[0] == "b"]
    assert shares[0][1:] == (*[None] * 6, 0)


def test_other_forms_without_texts_have_no_tables_of_lengths_either(tmp_path: Path) -> None:
    result: dict[str, Any] = {"from_name": "fun", "type": "rating", "value": {"rating": 3}}
    tasks = [{"id": 1, "data": {"image": "x"}, "annotations": [{"completed_by": 1, "result": [result]}]}]
    study = imported(json_file(tmp_path, tasks)).study
    assert not findings_of(study).has_lengths


def printed(study: Study, *options: str) -> str:
    out = StringIO()
    call_command("study_report", study.name, *options, stdout=out)
    return out.getvalue()
