"""CSV is never run as a formula, whichever separator a spreadsheet takes it for, and says the same in every form."""

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.spreadsheets import EXCEL, PLAIN, PLAIN_NUMBER, CsvForm, csv_stream, csv_text, safe_cell
from tests.examples import many

FORMS = (PLAIN, *EXCEL.values())
# What matters to a spreadsheet, and little else, so that chance meets it.
TRICKY = st.text(alphabet=',;\t\r\n"=+-@ a1.)’', max_size=12)
# A sign before a closing bracket is no formula.
LIVE = tuple("=+-@＝＋－＠")


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "＝1", "-", "+cmd", "\t1"])
def test_a_formula_is_neutralised(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a\t@SUM(A1)", "a\t'@SUM(A1)"),
        ("a,+cmd|' /C calc'!A0", "a,'+cmd|' /C calc'!A0"),
        ("a\n=1", "a\n'=1"),
        ('a; "=1', "a; \"'=1"),
        ("\t=1", "'\t'=1"),
        (";;-1+1", ";;'-1+1"),
    ],
)
def test_a_formula_behind_another_programs_separator_is_neutralised(text: str, safe: str) -> None:
    assert safe_cell(text) == safe


@pytest.mark.parametrize(
    "cell", ["-1", "-1.5", "+2", "-.5", "-1e-9", "hello", "", "1=1", "ok ;-) a;b, c", -1.5, None, 7]
)
def test_numbers_smiles_and_plain_text_are_left_alone(cell: object) -> None:
    assert safe_cell(cell) == cell


@settings(max_examples=100)
@given(st.text())
def test_any_text_comes_back_and_is_safe_for_good(text: str) -> None:
    written = csv_text([["first", text]]).removeprefix("first,")
    parsed = next(csv.reader(io.StringIO("first," + written, newline="")))[1]
    assert parsed.replace("'", "") == text.replace("'", "")
    assert safe_cell(parsed) == parsed


@settings(max_examples=many(300))
@given(st.lists(TRICKY, min_size=1, max_size=4), st.sampled_from(FORMS), st.sampled_from(",;\t"))
def test_no_separator_finds_a_formula(texts: list[str], form: CsvForm, separator: str) -> None:
    written = csv_text([texts], form).removeprefix(form.start)
    for line in csv.reader(io.StringIO(written, newline=""), delimiter=separator):
        for cell in line:
            # A number is none, nor is what begins with one and goes on behind the file's own separator.
            is_number = PLAIN_NUMBER.fullmatch(re.split("[,;\t]", cell)[0])
            assert not cell.startswith(LIVE) or cell[1:2] == ")" or is_number


@pytest.mark.parametrize("form", FORMS)
def test_parts_put_together_are_the_line_that_is_written_at_once(form: CsvForm) -> None:
    first, second = ["=a", "b;c", 1.5], ["", "x\ny, z", None]
    assert form.line(form.part(first), form.part(second)) == form.text([[*first, *second]])


def test_a_stream_is_the_whole_file_in_pieces() -> None:
    lines = [["a", 1], ["b", 2]] * 700
    form = EXCEL["semicolon"]
    pieces = list(csv_stream(["n", "m"], (form.text([line]) for line in lines), form))
    assert "".join(pieces) == csv_text([["n", "m"], *lines], form)
    assert [piece.count("\r\n") for piece in pieces] == [1, 1000, 400]
