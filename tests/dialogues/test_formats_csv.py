"""A plain CSV: labels, separators, broken rows."""

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats import csv_plain
from dialogues.formats.columns import columns_from
from dialogues.formats.reading import FileLines, UnreadableFileError
from dialogues.formats.records import BadRecord, Choices, Record
from tests.examples import many

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


def test_people_keep_their_side_in_a_file_of_many_pairs() -> None:
    items = read(HEADER + "a,Ann,x\na,Bob,y\nb,Bob,y\nb,Ann,x\nc,Cem,z\nc,Bob,z\n")
    assert [sides(item) for item in items] == [[1, 2], [2, 1], [1, 2]]


def test_if_somebody_cannot_keep_a_side_whoever_speaks_first_is_speaker_1_and_the_tally_says_so() -> None:
    items = read(HEADER + "a,Ann,x\na,Bob,y\nb,Bob,y\nb,Cem,x\nc,Cem,z\nc,Ann,z\n")
    assert [sides(item) for item in items] == [[1, 2], [1, 2], [1, 2]]
    assert [item.tally for item in items if isinstance(item, Record)] == [{"sides_by_who_speaks_first": 1}] * 3


def test_rows_of_a_dialogue_that_stand_apart_come_together_and_are_counted() -> None:
    first, second = read(HEADER + "a,A,x\nb,A,y\na,B,z\n")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.key, first.row, first.transcript.to_json()) == ("a", 2, [[1, "x"], [2, "z"]])
    assert (second.key, second.transcript.to_json()) == ("b", [[1, "y"]])
    assert (first.tally, second.tally) == ({"dialogues_whose_rows_stood_apart": 1}, {})


def test_a_broken_row_refuses_a_file_whose_rows_stand_apart() -> None:
    """It may be a message of any of the dialogues."""
    with pytest.raises(UnreadableFileError, match=r"Row 3: 1 cells where the header has 3\. .* may belong to any"):
        read(HEADER + "a,A,x\nbroken\nb,A,y\na,B,z\n")


def test_order_counts_as_a_number_before_time_and_time_before_the_place_in_the_file() -> None:
    header = "dialogue_id,speaker,text,order,time\n"
    assert [text for _, text in messages(header + "d,A,ten,10,\nd,B,nine,9,\nd,A,one,1.5,\n")] == ["one", "nine", "ten"]
    rows = "d,A,late,,2024-01-02 10:00\nd,B,early,,2024-01-02T09:00:00\n"
    (record,) = read(header + rows)
    assert isinstance(record, Record)
    assert record.transcript.to_json() == [[1, "early"], [2, "late"]]
    assert record.times == ("2024-01-02T09:00:00", "2024-01-02T10:00:00")


def test_a_time_that_cannot_be_read_is_counted_and_moves_nothing() -> None:
    (record,) = read("dialogue_id,speaker,text,time\nd,A,x,noon\nd,B,y,2024-01-02 10:00\n")
    assert isinstance(record, Record)
    assert record.times == (None, "2024-01-02T10:00:00")
    assert record.tally == {"times_not_read": 1}


def test_an_order_that_only_some_rows_have_is_a_reason() -> None:
    (bad,) = read("dialogue_id,speaker,text,order\nd,A,x,1\nd,B,y,\n")
    assert isinstance(bad, BadRecord)
    assert bad.reason.startswith("order is empty in some rows")


def test_traits_and_theme_stand_in_any_row_of_a_dialogue_and_agree() -> None:
    header = "dialogue_id,speaker,text,theme,traits_1,traits_2\n"
    (record,) = read(header + 'd,1,x,cakes,I bake.| I swim.,\nd,2,y,,,"I read.\nI run."\nd,1,z,cakes,,\n')
    assert isinstance(record, Record)
    assert (record.theme, record.traits_1, record.traits_2) == (
        "cakes",
        ("I bake.", "I swim."),
        ("I read.", "I run."),
    )
    (bad,) = read(header + "d,1,x,cakes,,\nd,2,y,boats,,\n")
    assert isinstance(bad, BadRecord)
    assert bad.reason.startswith("theme differs between the rows")


def test_a_broken_row_inside_a_dialogue_does_not_part_its_rows() -> None:
    items = read(HEADER + "a,A,x\nbroken\na,B,y\nb,A,z\n")
    assert [(type(item), item.key) for item in items] == [(BadRecord, "a"), (Record, "b")]


def test_columns_may_be_called_otherwise() -> None:
    columns = columns_from(" dialogue_id = conv , text=Said")
    (record,) = csv_plain.parse(lines("Said;speaker;conv\nHi;A;d\n"), Choices(columns=columns))
    assert isinstance(record, Record)
    assert (record.key, record.transcript.to_json()) == ("d", [[1, "Hi"]])


@pytest.mark.parametrize("text", ["x=y", "speaker", "speaker=", "=who", "speaker=a,speaker=b"])
def test_columns_that_say_nothing_are_refused_with_how_to_write_them(text: str) -> None:
    with pytest.raises(ValueError, match="dialogue_id=NAME,speaker=NAME,text=NAME"):
        columns_from(text)


def test_a_header_without_the_columns_is_told_what_it_has_and_what_to_do() -> None:
    with pytest.raises(UnreadableFileError) as refused:
        read("conv;who;said\nd;A;x\n")
    assert "dialogue_id, speaker, text; it names conv, who, said." in str(refused.value)
    assert "--columns dialogue_id=conv,speaker=who,text=said, if this guess is right." in str(refused.value)


def test_columns_that_are_guessed_are_offered_and_never_taken() -> None:
    text = "conv_id,utterance_idx,speaker_idx,utterance\nc1,1,0,hi\nc1,2,1,hello\n"
    with pytest.raises(UnreadableFileError) as refused:
        read(text)
    option = "dialogue_id=conv_id,speaker=speaker_idx,text=utterance,order=utterance_idx"
    assert str(refused.value).endswith(f"--columns {option}, if this guess is right.")
    (record,) = csv_plain.parse(lines(text), Choices(columns=columns_from(option)))
    assert isinstance(record, Record)
    assert len(record.transcript) == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_ends_a_row_and_stays_inside_quotes(end: str) -> None:
    text = end.join(["dialogue_id,speaker,text", 'd,A,"one', 'two"', "d,B,three", ""])
    assert messages(text) == [[1, f"one{end}two"], [2, "three"]]


@pytest.mark.parametrize("inside", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_nothing_else_ends_a_row(inside: str) -> None:
    assert messages(HEADER + f"d,A,x{inside}d\n") == [[1, f"x{inside}d"]]


def test_a_third_speaker_is_named() -> None:
    (bad,) = read(HEADER + "d,A,x\nd,B,y\nd,C,z\n")
    reason = "message 3: a third speaker, “C”; a dialogue has two, this one 3"
    assert bad == BadRecord(2, reason, "d", (("A", 1), ("B", 1), ("C", 1)))


def test_of_a_group_the_two_people_chosen_are_kept_and_the_rest_counted() -> None:
    (record,) = csv_plain.parse(lines(HEADER + "d,A,x\nd,B,y\nd,C,z\n"), Choices(people=("C", "A")))
    assert isinstance(record, Record)
    assert (record.transcript.to_json(), record.names) == ([[1, "x"], [2, "z"]], ("A", "C"))
    assert record.tally == {"messages_of_others_set_aside": 1}


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
    text = written(["dialogue_id", "speaker", "text"], [("d", *pair) for pair in pairs])
    assert [text for _, text in messages(text)] == [text for _, text in pairs]


TRAIT = CELL.filter(lambda text: "|" not in text)
DIALOGUES = st.dictionaries(
    CELL,
    st.tuples(
        st.lists(st.tuples(st.sampled_from("12"), CELL), min_size=1, max_size=6), CELL, st.lists(TRAIT, max_size=3)
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=many(300))
@given(DIALOGUES, st.randoms(use_true_random=False), st.sampled_from(csv_plain.DELIMITERS))
def test_a_corpus_written_in_any_order_of_rows_is_read_back_equal(
    corpus: dict[str, tuple[list[tuple[str, str]], str, list[str]]], random: Random, delimiter: str
) -> None:
    rows = [
        (key, speaker, text, str(number), theme, "|".join(traits))
        for key, (said, theme, traits) in corpus.items()
        for number, (speaker, text) in enumerate(said)
    ]
    random.shuffle(rows)
    header = ["dialogue_id", "speaker", "text", "order", "theme", "traits_2"]
    items = read(written(header, rows, delimiter))
    assert {
        item.key: ([(str(speaker), text) for speaker, text in item.transcript], item.theme, list(item.traits_2))
        for item in items
        if isinstance(item, Record)
    } == corpus


@settings(max_examples=many(500))
@given(st.text(alphabet='ab,;\t"\r\n|1\x00\ud800', max_size=60), st.booleans())
def test_anything_behind_a_header_is_read_or_refused_with_a_reason(text: str, with_order: bool) -> None:
    header = HEADER if not with_order else "dialogue_id,speaker,text,order\n"
    content = (header + text).encode("utf-8", "surrogatepass")
    with suppress(UnreadableFileError):
        items = list(csv_plain.parse(FileLines(io.BytesIO(content))))
        assert all(isinstance(item, Record) or item.reason for item in items)


def written(header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    return out.getvalue()


def test_a_named_column_is_the_one_that_is_written_so() -> None:
    choices = Choices(columns={"text": "Text"})
    (record,) = csv_plain.parse(lines("dialogue_id,speaker,text,Text\na,x,no,yes\n"), choices)
    assert isinstance(record, Record)
    assert [text for _, text in record.transcript] == ["yes"]


@pytest.mark.parametrize("header", ["dialogue_id,speaker,text,text", "dialogue_id,speaker,TEXT,Text"])
def test_two_columns_of_one_name_are_refused(header: str) -> None:
    with pytest.raises(UnreadableFileError, match=r"2 columns are called “text”"):
        list(csv_plain.parse(lines(f"{header}\na,x,1,2\n")))


def test_a_broken_row_of_a_tsv_names_the_tab_in_words() -> None:
    (bad,) = read('dialogue_id\tspeaker\ttext\nd\tA\t"Hi" you\n')
    assert isinstance(bad, BadRecord)
    assert bad.reason == "broken CSV near line 2: a tab expected after '\"'"


@pytest.mark.parametrize("parent", ["parent_id", "Reply-To", "parent"])
def test_rows_that_reply_to_an_earlier_message_are_counted(parent: str) -> None:
    header = f"dialogue_id,speaker,text,message_id,{parent}"
    rows = ["d,A,question,m1,", "d,B,one,m2,m1", "d,B,two,m3,m1", "d,A,thanks,m4,m2"]
    (record,) = read("\n".join([header, *rows]) + "\n")
    assert isinstance(record, Record)
    assert [text for _, text in record.transcript] == ["question", "one", "two", "thanks"]
    assert record.tally["replies_to_an_earlier_message"] == 2


def test_rows_that_stand_apart_count_their_branches_too() -> None:
    rows = ["d,A,question,m1,", "e,A,alone,n1,", "d,B,one,m2,m1", "d,B,two,m3,m1"]
    records = list(read("\n".join(["dialogue_id,speaker,text,message_id,parent_id", *rows]) + "\n"))
    tallies = [record.tally.get("replies_to_an_earlier_message") for record in records if isinstance(record, Record)]
    assert tallies == [1, None]
