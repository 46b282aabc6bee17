"""Endless dialogues, traits and messages: a limit that the error names, and no more kept of them than that."""

import csv
import io
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from dialogues.exporting import record_of
from dialogues.formats import chat_log, csv_plain, jsonl, parlai, spc, whatsapp
from dialogues.formats.reading import MAX_LINE, UnreadableFileError, text_lines
from dialogues.formats.records import (
    LONGEST_MESSAGE,
    MOST_CHARACTERS,
    MOST_MESSAGES,
    MOST_TRAITS,
    BadRecord,
    Parser,
    Record,
)
from dialogues.models import Dialogue
from dialogues.transcript import Transcript
from tests.dialogues.files import bring_in, line

HEADER = "dialogue_id,speaker,text\n"
TOO_MANY = "the dialogue has more than 5,000 messages, the most that one may have"
TOO_LONG = "message 2 has 100,001 characters; a message has at most 100,000"


def in_jsonl(texts: list[str]) -> Iterable[str]:
    return [line("d", messages=[[1, text] for text in texts])]


def in_parlai(texts: list[str]) -> Iterable[str]:
    return [f"{number} {text}\t__SILENCE__\n" for number, text in enumerate(texts, 1)]


def in_csv(texts: list[str]) -> Iterable[str]:
    return [HEADER, *(f"d,A,{text}\n" for text in texts)]


def in_spc(texts: list[str]) -> Iterable[str]:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([spc.COLUMNS, ("I bake.", "I swim.", "\n".join(f"User 1: {text}" for text in texts))])
    return io.StringIO(out.getvalue(), newline="")


FORMS = {
    "jsonl": (jsonl.parse, in_jsonl),
    "parlai": (parlai.parse, in_parlai),
    "csv": (csv_plain.parse, in_csv),
    "spc": (spc.parse, in_spc),
}


def read(form: str, texts: list[str]) -> Record | BadRecord:
    parse, written = FORMS[form]
    (item,) = parse(written(texts))
    return item


@pytest.mark.parametrize("form", FORMS)
def test_a_dialogue_has_at_most_5000_messages(form: str) -> None:
    most = read(form, ["x"] * MOST_MESSAGES)
    assert isinstance(most, Record)
    assert len(most.transcript) == MOST_MESSAGES
    more = read(form, ["x"] * (MOST_MESSAGES + 1))
    assert isinstance(more, BadRecord)
    assert more.reason == TOO_MANY


@pytest.mark.parametrize("form", FORMS)
def test_a_message_has_at_most_100000_characters(form: str) -> None:
    assert isinstance(read(form, ["x", "é" * LONGEST_MESSAGE]), Record)
    more = read(form, ["x", "y" * (LONGEST_MESSAGE + 1)])
    assert isinstance(more, BadRecord)
    assert more.reason == TOO_LONG


@pytest.mark.parametrize("form", FORMS)
def test_a_dialogue_has_at_most_two_million_characters(form: str) -> None:
    """So that the line that an export writes of it is never too long to be read again."""
    texts = ["x" * LONGEST_MESSAGE] * (MOST_CHARACTERS // LONGEST_MESSAGE)
    assert isinstance(read(form, texts[1:]), Record)
    more = read(form, [*texts, "x"])
    assert isinstance(more, BadRecord)
    assert more.reason == "the dialogue has more than 2,000,000 characters, the most that one may have"


def test_a_speaker_has_at_most_500_traits() -> None:
    lines = [f"{number} your persona: x\n" for number in range(1, MOST_TRAITS + 2)]
    for item in (*parlai.parse(lines), *jsonl.parse([line("d", traits_1=["x"] * (MOST_TRAITS + 1))])):
        assert isinstance(item, BadRecord)
        assert item.reason == "one speaker has more than 500 traits, the most that one may have"


@pytest.mark.parametrize(
    ("parse", "head", "row"),
    [
        (csv_plain.parse, HEADER, "d,A,{number}\n"),
        (parlai.parse, "1 a\tb\n", "{number} c\td\n"),
        (parlai.parse, "1 a\tb\n", "{number} your persona: c\n"),
    ],
)
def test_of_an_endless_dialogue_no_more_is_kept_than_may_be(parse: Parser, head: str, row: str) -> None:
    peak = {}
    for rows in (10_000, 40_000):
        tracemalloc.start()
        (bad,) = parse(_Written(head, row, rows))
        peak[rows] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert isinstance(bad, BadRecord)
        assert "the most that one may have" in bad.reason
    assert peak[40_000] < 1.2 * peak[10_000]


class _Written:
    """A file whose lines exist only while they are read."""

    def __init__(self, head: str, row: str, rows: int) -> None:
        self.head, self.row, self.rows = head, row, rows

    def __iter__(self) -> Iterator[str]:
        yield self.head
        for number in range(2, self.rows):
            yield self.row.format(number=number)


def test_the_largest_dialogue_that_comes_in_goes_out_on_a_line_that_can_be_read() -> None:
    """Quotation marks and line breaks take two characters each in JSON."""
    count = MOST_CHARACTERS // LONGEST_MESSAGE - 1
    texts = ['"' * (LONGEST_MESSAGE - 1) + "."] * count + ["\n."] * (MOST_MESSAGES - count)
    (record,) = jsonl.parse([line("d", messages=[[1, text] for text in texts])])
    assert isinstance(record, Record)
    assert len(jsonl.dump(record)) < MAX_LINE


def test_a_line_too_long_to_be_read_names_the_limits() -> None:
    with pytest.raises(UnreadableFileError) as refused:
        list(text_lines(io.BytesIO(b"x" * (MAX_LINE + 1))))
    assert "at most 5,000 messages" in str(refused.value)
    assert "at most 100,000 characters" in str(refused.value)


@pytest.mark.django_db
def test_a_dialogue_beyond_a_limit_can_be_skipped(tmp_path: Path) -> None:
    content = line("a") + line("b", messages=[[1, "x"]] * 300_000) + line("c", messages=[[1, "x" * 4_000_000]])
    report = bring_in(tmp_path, content, skip_bad=True).report
    assert (report.dialogues, [bad.reason[:40] for bad in report.bad]) == (
        1,
        [TOO_MANY[:40], "message 1 has 4,000,000 characters; a me"],
    )


@pytest.mark.django_db
def test_an_older_dialogue_beyond_the_limits_is_still_exported() -> None:
    row = Dialogue.from_transcript(Transcript.of([(1, "x")] * (MOST_MESSAGES + 1)))
    row.key, row.version_id = "d", "alpha"
    assert len(record_of(row).transcript) == MOST_MESSAGES + 1


def test_a_theme_in_every_row_counts_once_and_long_labels_count_too() -> None:
    header = "dialogue_id,speaker,text,theme,order\n"
    theme = "y" * 1000
    (record,) = csv_plain.parse([header, *(f"d,A,x,{theme},{number}\n" for number in range(4000))])
    assert isinstance(record, Record)
    assert record.theme == theme
    (bad,) = csv_plain.parse([header, *(f"d,{'A' * 1000},x,,{number}\n" for number in range(3000))])
    assert isinstance(bad, BadRecord)
    assert bad.reason == "the dialogue has more than 2,000,000 characters, the most that one may have"


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("", "31/12/20, 14:05 - Mary: {number}\n"),
        ("31/12/20, 14:05 - Mary: a\n", "and more of it, again and again {number}\n"),
        ("31/12/20, 14:05 - Mary: a\n", "31/12/20, 14:05 - Person{number}: hi\n"),
    ],
)
def test_of_an_endless_chat_no_more_is_kept_than_may_be(head: str, row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_log, "MOST_PEOPLE", 100)
    peak = {}
    for rows in (6_000, 18_000):
        tracemalloc.start()
        (bad,) = whatsapp.parse(_Written(head or row, row, rows))
        peak[rows] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert isinstance(bad, BadRecord)
    assert peak[18_000] < 1.2 * peak[6_000]


def test_of_a_large_group_the_fifty_who_write_most_are_handed_over_by_names_that_can_be_chosen() -> None:
    people = (("x" * 201, 9), ("two\nlines", 9), ("broken \ud800", 9), ("", 9), *((str(n), n) for n in range(100)))
    assert BadRecord(1, "a group", people=people).people == tuple((str(n), n) for n in range(99, 49, -1))
