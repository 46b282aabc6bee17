"""The sample corpus is readable by the product's own importer and has the shape of the corpora it stands in for."""

from collections import Counter
from pathlib import Path

import pytest

from dialogues.formats.reading import FileLines
from dialogues.formats.records import AS_IT_COMES, ORIGINAL, Record
from dialogues.formats.registry import recognised
from dialogues.statistics.words_and_turns import count_words

SAMPLES = Path(__file__).resolve().parents[2] / "dialogues" / "samples"
FILE = SAMPLES / "stephanie-sample.jsonl"


@pytest.fixture(scope="module")
def records() -> list[Record]:
    with FILE.open("rb") as stream:
        form = recognised(FileLines(stream)).form
        assert form.name == "jsonl"
        parsed = list(form.parse(FileLines(stream), AS_IT_COMES))
    refused = [record for record in parsed if not isinstance(record, Record)]
    assert refused == []
    return [record for record in parsed if isinstance(record, Record)]


def test_twenty_four_originals_with_their_own_ids(records: list[Record]) -> None:
    assert [record.key for record in records] == [f"sample-{number:03d}" for number in range(1, 25)]
    assert {record.version for record in records} == {ORIGINAL}
    assert not any(record.is_demo or record.tally for record in records)


def test_speakers_take_strict_turns_for_twelve_to_sixteen_messages(records: list[Record]) -> None:
    for record in records:
        assert record.transcript.run_lengths().keys() == {1}, record.key
        assert 12 <= len(record.transcript) <= 16, record.key


def test_both_characters_have_about_four_traits_of_their_own(records: list[Record]) -> None:
    for record in records:
        assert 3 <= len(record.traits_1) <= 5, record.key
        assert 3 <= len(record.traits_2) <= 5, record.key
        assert set(record.traits_1).isdisjoint(record.traits_2), record.key


def test_messages_are_about_as_long_as_in_the_real_corpus(records: list[Record]) -> None:
    texts = [message.text for record in records for message in record.transcript]
    assert 9 <= count_words(texts, "whitespace") / len(texts) <= 13


def test_no_sentence_is_used_twice(records: list[Record]) -> None:
    texts = Counter(message.text.casefold() for record in records for message in record.transcript)
    assert [text for text, times in texts.items() if times > 1 and len(text.split()) > 5] == []


def test_texts_are_tidy(records: list[Record]) -> None:
    for record in records:
        for text in (*record.traits_1, *record.traits_2, *(message.text for message in record.transcript)):
            assert text == " ".join(text.split())


def test_the_readme_states_the_licence_and_the_counts(records: list[Record]) -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    messages = sum(len(record.transcript) for record in records)
    assert "CC0-1.0" in readme
    assert f"{len(records)} dialogues,\n{messages} messages" in readme
