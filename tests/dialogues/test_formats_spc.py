"""Synthetic-Persona-Chat: which lines of a cell are messages."""

import csv
import io
from pathlib import Path

import pytest

from dialogues.formats import spc
from dialogues.formats.reading import UnreadableFileError, text_lines
from dialogues.formats.records import BadRecord, Record

HEADER = ["user 1 personas", "user 2 personas", "Best Generated Conversation"]


def read(*conversations: str, traits: str = "I bake.\nI swim.") -> list[Record | BadRecord]:
    """Through a file as the real one is: CRLF ends a record, LF runs inside cells."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([HEADER, *([traits, "I run.", text] for text in conversations)])
    return list(spc.parse(text_lines(io.BytesIO(out.getvalue().encode()))))


def only(conversation: str) -> Record:
    (record,) = read(conversation)
    assert isinstance(record, Record)
    return record


def said(conversation: str) -> list[list[int | str]]:
    return only(conversation).transcript.to_json()


def test_labels_make_messages_and_cells_make_traits() -> None:
    record = only("User 1: Hi!\nUser 2: Hello!")
    assert record.transcript.to_json() == [[1, "Hi!"], [2, "Hello!"]]
    assert (record.traits_1, record.traits_2) == (("I bake.", "I swim."), ("I run.",))
    assert record.key == "00001"
    assert record.row == 2


def test_a_dialogue_may_start_with_user_2_and_one_speaker_may_go_on() -> None:
    assert said("User 2: Hi!\nUser 2: You there?\nUser 1: Yes.") == [[2, "Hi!"], [2, "You there?"], [1, "Yes."]]


@pytest.mark.parametrize(
    "label",
    [
        "*User 1:* Hi!",
        "**User 1:** Hi!",
        "**User 1:**Hi!",
        "* User 1: Hi! *",
        "* User 1: Hi!",
        "* * User 1: * * Hi!",
        "* * User 1: Hi! * *",
        "**User 1**: Hi!",
        "*** USER 1 : *** Hi!",
    ],
)
def test_a_decorated_label_is_a_label(label: str) -> None:
    assert said(label) == [[1, "Hi!"]]


@pytest.mark.parametrize(
    "line", ["User 1: *waves* Hi!", "**User 1**:*waves* Hi!", "* User 1: *waves* Hi! *", "* * User 1: * * *waves* Hi!"]
)
def test_asterisks_of_the_message_are_not_the_labels(line: str) -> None:
    assert said(line) == [[1, "*waves* Hi!"]]


@pytest.mark.parametrize("inside", ["\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029"])
def test_what_is_no_line_end_stays_inside_a_message_and_a_trait(inside: str) -> None:
    text = f"a{inside} User 1: b"
    (record,) = read(f"User 2: {text}", traits=text)
    assert isinstance(record, Record)
    assert (record.transcript.to_json(), record.traits_1) == ([[2, text]], (text,))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_parts_messages(end: str) -> None:
    assert said(f"User 1: Hi!{end}User 2: Ho!") == [[1, "Hi!"], [2, "Ho!"]]


@pytest.mark.parametrize(
    "line",
    [
        "* " * 50_000,
        "*" * 99_999,
        "* User 1:" + " *" * 50_000 + "x",
        "* User 1: a" + " " * 99_000 + "b",
        "*" * 50_000 + "User 1: a" + "*" * 50_000,
        "(" * 99_999,
    ],
)
def test_a_line_of_a_hundred_thousand_marks_is_read_in_one_go(line: str) -> None:
    """A pattern that looked at each mark from each other one would not be done before the test's time is up."""
    (speaker, text), *_ = spc.messages(f"User 2: Hi!\n{line}")[0]
    assert (speaker, text[:3]) == (2, "Hi!")


def test_blank_lines_are_nothing() -> None:
    assert said("\n\nUser 1: Hi!\n \n\nUser 2: Hello!\n") == [[1, "Hi!"], [2, "Hello!"]]


@pytest.mark.parametrize("direction", ["(The next day)", "[They walk.]", "*At the bar*", "* * *"])
def test_a_stage_direction_is_nobodys_message(direction: str) -> None:
    record = only(f"User 1: Hi!\n{direction}\nUser 2: Hello!")
    assert record.transcript.to_json() == [[1, "Hi!"], [2, "Hello!"]]
    assert record.tally["stage_directions"] == 1


def test_a_line_without_a_label_continues_the_message_before_it() -> None:
    assert said("User 1: You need:\n1 egg\n2 cups of milk\nUser 2: Thanks!")[0] == [
        1,
        "You need:\n1 egg\n2 cups of milk",
    ]


def test_lines_before_the_first_label_have_no_speaker() -> None:
    record = only("Hi there!\nUser 2: Hello!")
    assert record.transcript.to_json() == [[2, "Hello!"]]
    assert record.tally["unspoken_lines"] == 1


def test_a_conversation_without_labels_or_without_text_is_bad() -> None:
    good, no_labels, empty = read("User 1: Hi!", "Hi!\nHello!", "  \n")
    assert isinstance(good, Record)
    assert isinstance(no_labels, BadRecord)
    assert isinstance(empty, BadRecord)
    assert (no_labels.row, "no line" in no_labels.reason) == (3, True)
    assert (empty.row, empty.reason) == (4, "the conversation is empty")


def test_another_header_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="user 1 personas"):
        list(spc.parse(["a,b,c\r\n", "1,2,3\r\n"]))


def test_the_real_file_gives_its_published_counts(shared_data: Path) -> None:
    """1,000 rows and 27,704 messages under plain labels; three rows decorate theirs, with 73 more."""
    path = shared_data / "synthetic-persona-chat" / "Synthetic-Persona-Chat_valid.csv"
    with path.open("rb") as stream:
        records = [record for record in spc.parse(text_lines(stream)) if isinstance(record, Record)]
    assert len(records) == 1000
    assert sum(record.tally["plain_labels"] for record in records) == 27_704
    decorated = {record.row: count for record in records if (count := record.tally["decorated_labels"])}
    assert decorated == {155: 14, 271: 43, 486: 16}
    assert sum(len(record.transcript) for record in records) == 27_704 + 73


def test_an_empty_row_is_nothing() -> None:
    header = ",".join(HEADER)
    rows = [f"{header}\r\n", "I bake.,I swim.,User 1: Hi!\r\n", "\r\n", "I bake.,I swim.,User 2: Ho!\r\n", "\r\n"]
    assert [type(record) for record in spc.parse(rows)] == [Record, Record]
