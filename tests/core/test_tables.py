"""A report's table leaves as page, CSV and LaTeX without its text becoming a command."""

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string

from core.latex import to_latex
from core.spreadsheets import EXCEL
from core.tables import Column, Estimate, Label, PValue, Table, to_csv, to_text

TABLE = Table(
    slug="words",
    caption="Words & turns",
    columns=(Column("Version", numeric=False), Column("Dialogues"), Column("Words", group="Mean"), Column("ACMC")),
    rows=(
        ("α", 1000, Estimate(11.7116, 1000, 11.65, 11.77), 1.0),
        ("=cmd|' /C calc'!A0", 1234567, None, -0.5),
    ),
    notes=("Shares are in % of turns.",),
    row_versions=("alpha", ""),
)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_csv_keeps_every_digit_and_spreads_an_estimate_over_four_columns() -> None:
    head, first, second = read(to_csv(TABLE))
    assert head == ["Version", "Dialogues", "Mean Words", "Mean Words n", "Mean Words low", "Mean Words high", "ACMC"]
    assert first == ["α", "1000", "11.7116", "1000", "11.65", "11.77", "1.0"]
    assert second == ["'=cmd|' /C calc'!A0", "1234567", "", "", "", "", "-0.5"]


def test_a_missing_interval_says_why_in_every_form() -> None:
    lone = Table("t", "T", (Column("Version", numeric=False), Column("Words")), (
        ("α", Estimate(2.5, 1, no_interval="only one observation")), ("β", Estimate(3.0, 9, 2.0, 4.0)),
    ))  # fmt: skip
    assert read(to_csv(lone)) == [
        ["Version", "Words", "Words n", "Words low", "Words high", "Words no interval"],
        ["α", "2.5", "1", "", "", "only one observation"],
        ["β", "3.0", "9", "2.0", "4.0", ""],
    ]
    assert "a: no interval: only one observation." in to_latex(lone)
    assert "2.50 no interval: only one observation, n = 1" in to_text(lone)
    assert next(lone.shown_rows)[1].detail == "no interval: only one observation"


def test_a_p_value_is_never_shown_as_nought_and_keeps_its_digits_in_csv() -> None:
    table = Table("t", "T", (Column("p", 4),), ((PValue(3e-12),), (PValue(0.0001),), (PValue(0.25),)))
    assert [row[0].text for row in table.shown_rows] == ["< 0.0001", "0.0001", "0.2500"]
    assert r"\textless{} 0.0001" in to_latex(table)
    assert [float(row[0]) for row in read(to_csv(table))[1:]] == [3e-12, 0.0001, 0.25]


def test_a_page_says_n_once_where_it_can() -> None:
    columns = (Column("V", numeric=False), Column("a"), Column("b"))

    def page(*counts: tuple[int, int]) -> Table:
        return Table("t", "T", columns, tuple(("x", Estimate(1, n), Estimate(2, m)) for n, m in counts))

    everywhere, by_column, by_row, beside = (
        page((4, 4), (4, 4)), page((4, 5), (4, 5)), page((4, 4), (5, 5)), page((4, 5), (6, 7)),
    )  # fmt: skip
    assert everywhere.page_notes == ("n = 4 throughout.",)
    assert [head.n for head in by_column.page_heads] == ["", "n = 4", "n = 5"]
    assert [head.text for head in by_row.page_heads] == ["V", "a", "b", "n"]
    assert [[cell.text for cell in row] for row in by_row.page_rows][1] == ["x", "1", "2", "5"]
    assert [cell.n for cell in next(iter(beside.page_rows))] == ["", "n = 4", "n = 5"]
    grouped = (Column("V", numeric=False), Column("a", group="G"), Column("b", group="G"))
    for table, width in ((replace(by_row, columns=grouped), 4), (replace(everywhere, columns=grouped), 3)):
        assert sum(head.span for head in table.page_group_heads) == width == len(table.page_heads)
    assert by_row.page_group_heads == []
    assert all(not cell.n for table in (everywhere, by_column, by_row) for row in table.page_rows for cell in row)


def test_a_page_shows_a_name_once_for_the_rows_that_share_it_and_keeps_it_for_those_who_hear_it() -> None:
    columns = (Column("Version", numeric=False), Column("Source", numeric=False), Column("n"))
    rows = (("α", "here", 1), ("α", "paper", 2), ("β", "here", 2))
    table = Table("t", "T", columns, rows, row_versions=("alpha", "alpha", "beta"))
    assert [row[0].again for row in table.page_rows] == [False, True, False]
    page = render_to_string("_table.html", {"table": table})
    assert page.count('badge badge--alpha">α</span>') == 1
    assert page.count('<span class="visually-hidden">α') == 1
    # Equal numbers are no names.
    numbers = Table("t", "T", (Column("a"),), ((1,), (1,)))
    assert not any(row[0].again for row in numbers.page_rows)


def test_csv_for_excel_begins_with_a_byte_order_mark_and_keeps_to_one_countrys_marks() -> None:
    comma, semicolon = to_csv(TABLE, EXCEL["comma"]), to_csv(TABLE, EXCEL["semicolon"])
    assert comma == "\ufeff" + to_csv(TABLE)
    head, first, second = csv.reader(io.StringIO(semicolon.removeprefix("\ufeff")), delimiter=";")
    assert semicolon.startswith("\ufeffVersion;Dialogues;")
    assert head[2:6] == ["Mean Words", "Mean Words n", "Mean Words low", "Mean Words high"]
    assert first == ["α", "1000", "11,7116", "1000", "11,65", "11,77", "1,0"]
    assert second == ["'=cmd|' /C calc'!A0", "1234567", "", "", "", "", "-0,5"]


def test_the_page_shows_badge_interval_gap_and_downloads_and_escapes_text() -> None:
    hostile = Table("x", "<b>cap</b>", (Column("V", numeric=False), Column("W")), (("<script>", None),))
    page = render_to_string("_table.html", {"table": hostile, "files": {"csv": "/x.csv", "tex": "/x.tex"}})
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert ">—</td>" in page
    assert 'href="/x.csv"' in page
    assert 'href="/x.tex?fit=column"' in page
    assert 'href="/x.tex?fit=page"' in page
    page = render_to_string("_table.html", {"table": TABLE})
    assert '<span class="badge badge--alpha">α</span>' in page
    assert '<span class="meta interval">[11.65, 11.77]</span></td>' in page
    assert "<li>n = 1,000 throughout.</li>" in page
    assert "download" not in page
    HTMLParser().feed(page)


def test_a_remark_stands_beside_its_label_in_every_form() -> None:
    table = Table(
        "t", "Caption", (Column("V", numeric=False), Column("W", group="Mean")), ((Label("β", "(demo)"), 1.5),)
    )
    assert read(to_csv(table))[1] == ["β (demo)", "1.5"]
    assert r"$\beta$ (demo) & 1.50" in to_latex(table)
    assert to_text(table).splitlines() == ["Caption", "          Mean:", "V            W", "β (demo)  1.50"]
    page = render_to_string("_table.html", {"table": table})
    assert '<span class="meta interval">(demo)</span>' in page


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells under 2 columns"):
        Table("t", "", (Column("a"), Column("b")), (("x",),))
    with pytest.raises(ValueError, match="2 versions for 1 rows"):
        Table("t", "", (Column("a"),), (("x",),), row_versions=("alpha", "beta"))
