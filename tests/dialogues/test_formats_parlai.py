"""ParlAI text: who speaks, whose traits, and what is wrong with a line."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats import parlai
from dialogues.formats.reading import text_lines
from dialogues.formats.records import BadRecord, Record

ONE = "1 your persona: i bake .\n2 partner's persona: i swim .\n3 hello\thi\n4 fine\tgood\n"
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda word: word != parlai.SILENCE and word.strip() == word and "\\n" not in word
)


def read(text: str) -> list[Record | BadRecord]:
    return list(parlai.parse(text.splitlines(keepends=True)))


def only(text: str) -> Record:
    (record,) = read(text)
    assert isinstance(record, Record)
    return record


def reason(text: str) -> str:
    (bad,) = read(text)
    assert isinstance(bad, BadRecord)
    return f"{bad.row}: {bad.reason}"


def test_the_partner_is_speaker_1_and_you_are_speaker_2() -> None:
    assert only(ONE).transcript.to_json() == [[1, "hello"], [2, "hi"], [1, "fine"], [2, "good"]]


def test_your_persona_belongs_to_speaker_2() -> None:
    assert (only(ONE).traits_1, only(ONE).traits_2) == (("i swim .",), ("i bake .",))


def test_line_number_1_starts_a_dialogue_without_any_blank_line() -> None:
    assert [(item.row, item.key) for item in read(ONE * 3)] == [(1, "00001"), (5, "00002"), (9, "00003")]


def test_candidates_are_not_part_of_the_dialogue() -> None:
    assert only("1 hello\thi\t\tno|never|hi\n").transcript.to_json() == [[1, "hello"], [2, "hi"]]


def test_an_absent_partner_message_is_left_out_and_counted() -> None:
    record = only("1 __SILENCE__\thello\n2 hi\tfine\n")
    assert record.transcript.to_json() == [[2, "hello"], [1, "hi"], [2, "fine"]]
    assert record.tally == {"exchanges": 2, "silences": 1}


def test_a_last_line_without_a_reply_is_a_message() -> None:
    assert only("1 hello\thi\n2 bye\n").transcript.to_json()[-1] == [1, "bye"]


@pytest.mark.parametrize("prefix", ["your", "Your", "YOUR"])
def test_your_persona_is_yours_in_capitals_or_not(prefix: str) -> None:
    assert only(f"1 {prefix} persona: i bake .\n2 a\tb\n").traits_2 == ("i bake .",)


@pytest.mark.parametrize("prefix", ["partner", "partner's", "partner’s", "Partner's", "partners", "their", "Their"])
def test_the_partners_persona_has_many_names(prefix: str) -> None:
    record = only(f"1 {prefix} persona: i swim .\n2 a\tb\n")
    assert (record.traits_1, len(record.transcript)) == (("i swim .",), 2)


@pytest.mark.parametrize("prefix", ["my persona:", "bot's persona:", "persona:"])
def test_a_persona_of_nobody_known_is_bad_and_no_message(prefix: str) -> None:
    assert reason(f"1 {prefix} i swim .\n2 a\tb\n").startswith(f"1: “{prefix} i swim .” begins neither")


def test_words_of_a_persona_in_an_exchange_are_a_message() -> None:
    record = only("1 your persona: i bake .\n2 a\tb\n3 your persona: odd words\tpartner's persona: too\n")
    assert record.transcript.to_json()[2:] == [[1, "your persona: odd words"], [2, "partner's persona: too"]]
    assert (record.traits_1, record.traits_2) == ((), ("i bake .",))


def test_an_escaped_line_break_is_a_line_break() -> None:
    record = only("1 a\\nb\tc\\nd\n2 your persona: x\\nstays\te\n")
    assert record.transcript.to_json() == [[1, "a\nb"], [2, "c\nd"], [1, "your persona: x\nstays"], [2, "e"]]


@pytest.mark.parametrize("reply", ["", "\tgood"])
def test_persona_lines_may_share_the_column_of_the_first_message(reply: str) -> None:
    record = only(f"1 your persona: i bake .\\npartner's persona: i swim .\\nhello\\nyou{reply}\n")
    assert (record.traits_1, record.traits_2) == (("i swim .",), ("i bake .",))
    assert record.transcript.to_json()[0] == [1, "hello\nyou"]


def test_persona_lines_alone_in_the_first_column_leave_the_partner_silent() -> None:
    record = only("1 your persona: i bake .\\nyour persona: i cook .\thello\n")
    assert (record.traits_2, record.transcript.to_json()) == (("i bake .", "i cook ."), [[2, "hello"]])
    assert record.tally["silences"] == 1


def test_a_carriage_return_ends_a_line() -> None:
    items = list(parlai.parse(text_lines(io.BytesIO(b"1 a\tb\r2 c\td\r1 e\tf\r"))))
    assert [len(item.transcript) for item in items if isinstance(item, Record)] == [4, 2]


@pytest.mark.parametrize("inside", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_nothing_but_line_ends_ends_a_line(inside: str) -> None:
    (record,) = parlai.parse(text_lines(io.BytesIO(f"1 a{inside}1 b\tc\n".encode())))
    assert isinstance(record, Record)
    assert record.transcript.to_json() == [[1, f"a{inside}1 b"], [2, "c"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 \n", "1: the partner column is empty"),
        ("1 a\tb\n3 c\td\n", "2: line number 3 where 2 was expected"),
        ("2 a\tb\n", "1: line number 2 where 1 was expected"),
        ("1 a\tb\nno number\n", "2: the line does not begin with a number and a space"),
        ("1 a\t\n", "1: the reply column is empty"),
        ("1 \tb\n", "1: the partner column is empty"),
        ("1 a\tb\t\tc\td\n", "1: 5 tab-separated columns; an exchange has at most 4"),
        ("1 your persona: \n2 a\tb\n", "1: a persona line without text"),
        ("1 your persona: i bake .\n", "1: a dialogue needs at least one message"),
        ("1 a\tb\x00\n", "1: message 2: text contains a NUL character"),
    ],
)
def test_a_bad_line_makes_its_dialogue_bad_and_names_the_row(text: str, expected: str) -> None:
    assert reason(text) == expected


def test_only_the_dialogue_of_a_bad_line_is_lost() -> None:
    kinds = [type(item) for item in read(ONE + "1 a\t\n2 c\td\n" + ONE)]
    assert kinds == [Record, BadRecord, Record]


@settings(max_examples=60)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6), st.lists(WORDS, max_size=3))
def test_what_is_written_is_read(exchanges: list[tuple[str, str]], traits: list[str]) -> None:
    lines = [f"your persona: {trait}" for trait in traits] + ["\t".join(pair) for pair in exchanges]
    record = only("\n".join(f"{number} {text}" for number, text in enumerate(lines, 1)))
    assert record.traits_2 == tuple(traits)
    assert [message.text for message in record.transcript] == [text for pair in exchanges for text in pair]


@pytest.mark.parametrize(
    ("name", "traits"),
    [
        ("test_none_original", (0, 0)),
        ("train_both_original", (4, 4)),
        ("train_self_original", (0, 4)),
        ("valid_both_revised", (5, 4)),
    ],
)
def test_every_real_form_gives_five_exchanges(shared_data: Path, name: str, traits: tuple[int, int]) -> None:
    with (shared_data / "personachat" / f"{name}.sample.txt").open("rb") as stream:
        (record,) = parlai.parse(text_lines(stream))
    assert isinstance(record, Record)
    assert record.tally["exchanges"] == 5
    assert (len(record.traits_1), len(record.traits_2)) == traits
    assert len(record.transcript) == 10
