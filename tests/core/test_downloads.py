"""Every file leaves the same way: a type, a name, and for CSV the form that its reader's program wants."""

import pytest
from django.http import Http404
from django.template.loader import render_to_string
from django.test import RequestFactory

from core.downloads import excel_links, streamed_file, table_file, whole_file
from core.tables import Column, Table

TABLE = Table("t", "Caption", (Column("A", numeric=False), Column("B")), (("x;=1", 0.5),))


@pytest.mark.parametrize(
    ("asked", "content"),
    [
        ("", "A,B\r\nx;'=1,0.5\r\n"),
        ("?excel=comma", "\ufeffA,B\r\nx;'=1,0.5\r\n"),
        ("?excel=semicolon", '\ufeffA;B\r\n"x;\'=1";0,5\r\n'),
        ("?excel=unknown", "A,B\r\nx;'=1,0.5\r\n"),
    ],
)
def test_a_table_leaves_as_the_csv_that_was_asked_for(rf: RequestFactory, asked: str, content: str) -> None:
    answer = table_file(rf.get(f"/t.csv{asked}"), TABLE, "csv", "corpus-t")
    assert answer.content.decode() == content
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="corpus-t.csv"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("asked", "environment"), [("", "table"), ("?fit=page", "table*"), ("?fit=unknown", "table")])
def test_a_table_leaves_as_wide_as_was_asked_for(rf: RequestFactory, asked: str, environment: str) -> None:
    text = table_file(rf.get(f"/t.tex{asked}"), TABLE, "tex", "t").content.decode()
    assert rf"\begin{{{environment}}}" in text


def test_a_table_that_is_not_there_or_in_no_such_form_is_not_found(rf: RequestFactory) -> None:
    for table, form in ((None, "csv"), (TABLE, "pdf")):
        with pytest.raises(Http404):
            table_file(rf.get("/"), table, form, "t")


def test_the_name_says_the_type() -> None:
    assert whole_file("{}", "a.json").headers["Content-Type"] == "application/json; charset=utf-8"
    assert streamed_file(iter(["{}\n"]), "a.jsonl").headers["Content-Type"] == "application/x-ndjson; charset=utf-8"


def test_an_address_that_has_a_query_keeps_it() -> None:
    assert [url for _, url in excel_links("/t.csv?dashes=0")] == [
        "/t.csv?dashes=0&excel=comma",
        "/t.csv?dashes=0&excel=semicolon",
    ]


def test_every_link_to_csv_offers_the_forms_for_excel() -> None:
    page = render_to_string("_table.html", {"table": TABLE, "files": {"csv": "/x.csv", "tex": "/x.tex"}})
    for address in ("/x.csv", "/x.csv?excel=comma", "/x.csv?excel=semicolon"):
        assert f'href="{address}"' in page
    assert "excel" not in render_to_string("_table.html", {"table": TABLE})
