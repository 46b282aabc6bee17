"""The project's own form: what is written is read back, and every refusal says why."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats import jsonl
from dialogues.formats.records import BadRecord, Record
from dialogues.transcript import Transcript
from tests.dialogues.files import line

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
SAID = TEXT.filter(str.strip)
RECORDS = st.builds(
    Record,
    row=st.just(1),
    key=SAID,
    transcript=st.lists(st.tuples(st.sampled_from([1, 2]), SAID), min_size=1, max_size=8).map(Transcript.of),
    traits_1=st.lists(SAID, max_size=3).map(tuple),
    traits_2=st.lists(SAID, max_size=3).map(tuple),
    theme=TEXT,
    version=st.sampled_from(["alpha", "gamma", "stephanie"]),
    origin=TEXT,
    parent=TEXT,
    written_by=TEXT,
    is_demo=st.booleans(),
)


def reason(text: str) -> str:
    (bad,) = jsonl.parse([text])
    assert isinstance(bad, BadRecord)
    return bad.reason


@settings(max_examples=100)
@given(RECORDS)
def test_a_dumped_record_is_read_back_equal(record: Record) -> None:
    assert list(jsonl.parse([jsonl.dump(record) + "\n"])) == [record]


def test_a_dumped_record_is_one_line() -> None:
    record = Record(row=1, key="a", transcript=Transcript.of([(1, "two\nlines"), (2, "привет 👋")]))
    assert "\n" not in jsonl.dump(record)
    assert "привет 👋" in jsonl.dump(record)


def test_a_whole_number_may_be_an_id() -> None:
    (record,) = jsonl.parse([line(17)])
    assert isinstance(record, Record)
    assert record.key == "17"


def test_a_key_the_form_does_not_know_is_counted_and_ignored() -> None:
    (record,) = jsonl.parse([line(score=None, split="train")])
    assert isinstance(record, Record)
    assert record.tally == {"ignored_key score": 1, "ignored_key split": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes at character 2"),
        ("[1, 2]", "expected one JSON object per line"),
        ("{}", "no id and no messages: the keys wanted are id and messages, those found none"),
        ('{"id": 1, "turns": []}', "no messages: the keys wanted are id and messages, those found id, turns"),
        (line(True), "id must be a text or a whole number"),
        (line(""), "the dialogue has no id"),
        (line("x" * 201), "the id is longer than 200 characters"),
        (line(messages=None), "messages must be a list of [speaker, text]"),
        (line(messages=[]), "a dialogue needs at least one message"),
        (line(messages=[[1, "a"], [3, "b"]]), "message 2: speaker must be 1 or 2, not 3"),
        (line(messages=[[1.0, "a"]]), "message 1: speaker must be 1 or 2, not 1.0"),
        (line(messages=[[True, "a"]]), "message 1: speaker must be 1 or 2, not True"),
        (line(messages=[[1, None]]), "message 1: text must be a string, not NoneType"),
        (line(messages=[[1, " "]]), "message 1: text is empty"),
        (line(messages=["a"]), "message 1: expected [speaker, text]"),
        (line(messages=[[1, "a\x00"]]), "message 1: text contains a NUL character"),
        (line(messages=[[1, "\ud800"]]), "message 1: text contains half of a surrogate pair (broken Unicode)"),
        (line(traits_1="I bake."), "traits_1 must be a list of texts"),
        (line(theme=5), "theme must be a text"),
        (line(times="noon"), "times must be a list with a text or null for each message"),
        (line(times=[None]), "1 times for 3 messages; each message has one, or none has"),
        (line(times=[None, "noon", None]), "time 2 is not ISO 8601, such as 2024-05-31T18:30:00"),
        (line(times=[None, "2024-13-01T10:00", None]), "time 2 is not ISO 8601, such as 2024-05-31T18:30:00"),
        (line(theme="a\x00"), "theme: text contains a NUL character"),
        (line(demo="yes"), "demo must be true or false"),
        ('{"id": NaN, "messages": []}', "NaN is not JSON"),
        ('{"id": "a", "id": "b"}', "a key appears twice in one object"),
        (line(messages=[[["a"], "b"]]), "message 1: speaker must be 1 or 2, not list"),
    ],
)
def test_a_line_that_is_no_dialogue_says_why(text: str, expected: str) -> None:
    assert reason(text) == expected


def test_deep_nesting_is_refused_in_words() -> None:
    assert reason("[" * 100_000) == "the JSON is nested too deeply"


@pytest.mark.parametrize("depth", range(900, 1000, 7))
def test_nesting_just_short_of_too_deep_is_refused_in_words(depth: int) -> None:
    assert reason('{"id": "a", "messages": [[' + "[" * depth + "]" * depth + ', "x"]]}')


def test_a_number_of_many_digits_is_refused() -> None:
    assert reason('{"id": ' + "9" * 5000 + "}").startswith("not JSON: Exceeds the limit")


def test_a_line_parses_as_json_for_anybody_else() -> None:
    record = Record(row=1, key="a", transcript=Transcript.of([(1, "x")]), version="beta", is_demo=True)
    assert json.loads(jsonl.dump(record)) == {"id": "a", "version": "beta", "demo": True, "messages": [[1, "x"]]}


def test_times_come_back_as_they_were() -> None:
    times = ("2024-05-31T18:30:00", None)
    record = Record(row=1, key="a", transcript=Transcript.of([(1, "x"), (2, "y")]), times=times)
    assert json.loads(jsonl.dump(record))["times"] == list(times)
    assert list(jsonl.parse([jsonl.dump(record)])) == [record]
