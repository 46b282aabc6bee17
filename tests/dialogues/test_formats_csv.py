"""A plain CSV: labels, separators, broken rows."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats import csv_plain
from dialogues.formats.reading import FileLines, UnreadableFileError
from dialogues.formats.records import BadRecord, Record

HEADER = "dialogue_id,speaker,text\n"
CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=12)


def lines(text: str) -> FileLines:
    return FileLines(io.BytesIO(text.encode()))


def read(text: str) -> list[Record | BadRecord]:
    return list(csv_plain.parse(lines(text)))


def sides(item: Record | BadRecord) -> list[int]:
    assert isinstance(item, Record)
    return [speaker for speaker, _ in item.transcript]


def messages(text: str) -> list[list[int | str]]:
    (record,) = read(text)
    assert isinstance(record, Record)
    return record.transcript.to_json()


def test_the_first_label_is_speaker_1() -> None:
    assert messages(HEADER + "d,Zoe,Hi\nd,Adam,Hello\nd,Zoe,Bye\n") == [[1, "Hi"], [2, "Hello"], [1, "Bye"]]


def test_labels_1_and_2_are_the_speakers_themselves() -> None:
    assert messages(HEADER + "d,2,Hi\nd,1,Hello\n") == [[2, "Hi"], [1, "Hello"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_commas_semicolons_and_tabs_separate(delimiter: str) -> None:
    text = "dialogue_id,speaker,text\nd,A,Hi\n".replace(",", delimiter)
    assert messages(text) == [[1, "Hi"]]


def test_columns_may_stand_in_any_order_beside_others() -> None:
    assert messages("Text,when,Speaker,Dialogue_ID\nHi,noon,A,d\n") == [[1, "Hi"]]


def test_two_labels_of_a_file_keep_their_side_in_every_dialogue() -> None:
    first, second, third = read(HEADER + "a,Human,x\na,Bot,y\nb,Bot,y\nb,Human,x\nc,Bot,y\n")
    assert [sides(item) for item in (first, second, third)] == [[1, 2], [2, 1], [2]]
    assert not any(item.tally for item in (first, second, third) if isinstance(item, Record))


def test_with_more_labels_whoever_speaks_first_is_speaker_1_and_the_tally_says_so() -> None:
    items = read(HEADER + "a,Ann,x\na,Bob,y\nb,Bob,y\nb,Ann,x\nc,Cem,z\n")
    assert [sides(item) for item in items] == [[1, 2], [1, 2], [1]]
    assert [item.tally for item in items if isinstance(item, Record)] == [{"sides_by_who_speaks_first": 1}] * 3


def test_rows_that_stand_apart_refuse_the_whole_file() -> None:
    with pytest.raises(
        UnreadableFileError, match=r"Rows of the dialogue “a” stand apart: row 4 .* Sort the file by dialo"
    ):
        read(HEADER + "a,A,x\nb,A,y\na,B,z\n")


def test_a_broken_row_inside_a_dialogue_does_not_part_its_rows() -> None:
    items = read(HEADER + "a,A,x\nbroken\na,B,y\nb,A,z\n")
    assert [(type(item), item.key) for item in items] == [(BadRecord, "a"), (Record, "b")]


def test_columns_may_be_called_otherwise() -> None:
    columns = csv_plain.columns_from(" dialogue_id = conv , text=Said")
    (record,) = csv_plain.parse(lines("Said;speaker;conv\nHi;A;d\n"), columns)
    assert isinstance(record, Record)
    assert (record.key, record.transcript.to_json()) == ("d", [[1, "Hi"]])


@pytest.mark.parametrize("text", ["x=y", "speaker", "speaker=", "=who", "speaker=a,speaker=b"])
def test_columns_that_say_nothing_are_refused_with_how_to_write_them(text: str) -> None:
    with pytest.raises(ValueError, match="dialogue_id=NAME,speaker=NAME,text=NAME"):
        csv_plain.columns_from(text)


def test_a_header_without_the_columns_is_told_what_it_has_and_what_to_do() -> None:
    with pytest.raises(UnreadableFileError) as refused:
        read("conv;who;said\nd;A;x\n")
    assert "dialogue_id, speaker, text; it names conv, who, said." in str(refused.value)
    assert "--columns dialogue_id=…,speaker=…,text=…" in str(refused.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_ends_a_row_and_stays_inside_quotes(end: str) -> None:
    text = end.join(["dialogue_id,speaker,text", 'd,A,"one', 'two"', "d,B,three", ""])
    assert messages(text) == [[1, f"one{end}two"], [2, "three"]]


@pytest.mark.parametrize("inside", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_nothing_else_ends_a_row(inside: str) -> None:
    assert messages(HEADER + f"d,A,x{inside}d\n") == [[1, f"x{inside}d"]]


def test_a_third_speaker_is_named() -> None:
    (bad,) = read(HEADER + "d,A,x\nd,B,y\nd,C,z\n")
    assert bad == BadRecord(4, "a third speaker, “C”; a dialogue has two", "d")


@pytest.mark.parametrize(
    ("row", "expected"),
    [("d,A,\n", "text is empty"), ("d,,x\n", "speaker is empty"), (",A,x\n", "the dialogue has no id")],
)
def test_an_empty_cell_is_a_reason(row: str, expected: str) -> None:
    (bad,) = read(HEADER + row)
    assert isinstance(bad, BadRecord)
    assert (bad.row, bad.reason) == (2, expected)


def test_a_broken_row_spoils_the_dialogues_on_both_sides_of_it() -> None:
    """It has no id of its own: importing either without it might drop a message in silence."""
    items = read(HEADER + "a,A,x\nbroken\nb,A,y\nc,A,z\n")
    assert [(type(item), item.key) for item in items] == [(BadRecord, "a"), (BadRecord, "b"), (Record, "c")]


def test_a_quote_that_never_closes_is_reported() -> None:
    (bad,) = read(HEADER + 'd,A,"x\n')
    assert isinstance(bad, BadRecord)
    assert bad.reason.startswith("broken CSV near line 2")


@pytest.mark.parametrize("header", ["", "a,b,c\n", '"dialogue_id,speaker,text"\n', '"dialogue_id,speaker,text\n'])
def test_a_file_without_the_header_is_refused(header: str) -> None:
    with pytest.raises(UnreadableFileError, match="dialogue_id, speaker, text"):
        read(header + "d,A,x\n")


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("AB"), CELL), min_size=1, max_size=8))
def test_what_a_csv_writer_wrote_is_read(pairs: list[tuple[str, str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("dialogue_id", "speaker", "text"), *(("d", *pair) for pair in pairs)])
    assert [text for _, text in messages(out.getvalue())] == [text for _, text in pairs]
