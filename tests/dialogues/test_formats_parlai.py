"""ParlAI text: who speaks, whose traits, and what is wrong with a line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats import parlai
from dialogues.formats.reading import text_lines
from dialogues.formats.records import BadRecord, Record

ONE = "1 your persona: i bake .\n2 partner's persona: i swim .\n3 hello\thi\n4 fine\tgood\n"
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda word: word != parlai.SILENCE and word.strip() == word
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 a\tb\n3 c\td\n", "2: line number 3 where 2 was due"),
        ("2 a\tb\n", "1: line number 2 where 1 was due"),
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
