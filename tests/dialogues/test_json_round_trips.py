"""Any corpus that is written in a form of others comes back equal, and no bytes are more than refused."""

import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats.reading import UnreadableFileError
from dialogues.formats.records import AS_IT_COMES, BadRecord, Record
from dialogues.formats.registry import FORMATS
from tests.dialogues.reading import good, in_memory, parquet, read
from tests.examples import many

ROLES = {1: "user", 2: "assistant"}
PEOPLE = {1: "human", 2: "gpt"}

texts = (
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1).map(str.strip).filter(bool)
)
dialogues = st.lists(st.tuples(st.sampled_from([1, 2]), texts), min_size=1, max_size=8)
corpora = st.lists(dialogues, min_size=1, max_size=6)
Said = list[tuple[int, str]]


def openai(said: Said, key: str) -> dict[str, Any]:
    return {"id": key, "messages": [{"role": ROLES[side], "content": text} for side, text in said]}


def sharegpt(said: Said, key: str) -> dict[str, Any]:
    return {"id": key, "conversations": [{"from": PEOPLE[side], "value": text} for side, text in said]}


def own(said: Said, key: str) -> dict[str, Any]:
    return {"id": key, "messages": [[side, text] for side, text in said]}


def general(said: Said, key: str) -> dict[str, Any]:
    return {"id": key, "turns": [{"speaker": str(side), "utterance": text} for side, text in said]}


def volunteers(said: Said, key: str) -> dict[str, Any]:
    classes = {1: "Human", 2: "Bot"}
    dialog = [{"sender": f"p{side}", "sender_class": classes[side], "text": text} for side, text in said]
    return {"dialog_id": key, "dialog": dialog}


def in_sessions(said: Said, key: str) -> dict[str, Any]:
    names = {1: "Ann", 2: "Bob"}
    session = [{"speaker": names[side], "text": text} for side, text in said]
    return {"sample_id": key, "conversation": {"speaker_a": "Ann", "speaker_b": "Bob", "session_1": session}}


def with_model(said: Said, key: str) -> dict[str, Any]:
    said_to = [{"role": ROLES[side], "content": text} for side, text in said]
    return {"conversation_id": key, "model": "okapi", "conversation": said_to}


WRITERS: dict[str, Callable[[Said, str], dict[str, Any]]] = {
    "openai": openai,
    "sharegpt": sharegpt,
    "jsonl": own,
    "chat-json": general,
    "convai2": volunteers,
    "locomo": in_sessions,
    "lmsys": with_model,
}
CONTAINERS: dict[str, Callable[[list[dict[str, Any]]], str | bytes]] = {
    "lines": lambda rows: "\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
    "a list": json.dumps,
    "a pretty list": lambda rows: json.dumps(rows, indent=2, ensure_ascii=False),
    "a wrapper": lambda rows: json.dumps({"version": 1, "data": rows}),
}
# A column of Parquet has one type, and an own message has two.
OF_ONE_TYPE = [form for form in WRITERS if form != "jsonl"]
# Each reading of Parquet starts a process.
FEW = settings(max_examples=5, deadline=None)


@pytest.mark.parametrize("form", WRITERS)
@given(corpus=corpora, container=st.sampled_from(sorted(CONTAINERS)))
@settings(max_examples=many(400), deadline=None)
def test_what_was_written_is_read_back(form: str, corpus: list[Said], container: str) -> None:
    assert_read_back(form, corpus, CONTAINERS[container])


@pytest.mark.parametrize("form", OF_ONE_TYPE)
@given(corpus=corpora)
@FEW
def test_what_was_written_as_parquet_is_read_back(form: str, corpus: list[Said]) -> None:
    assert_read_back(form, corpus, parquet)


def assert_read_back(form: str, corpus: list[Said], write: Callable[[list[dict[str, Any]]], str | bytes]) -> None:
    rows = [WRITERS[form](said, f"d{number}") for number, said in enumerate(corpus)]
    records = good(write(rows), form=form)
    assert [[tuple(message) for message in record.transcript] for record in records] == corpus
    assert [record.key.partition("/")[0] for record in records] == [f"d{number}" for number in range(len(corpus))]


@pytest.mark.parametrize("form", WRITERS)
@given(corpus=corpora, container=st.sampled_from(["a list", "a pretty list", "a wrapper"]), data=st.data())
@settings(max_examples=many(200), deadline=None)
def test_no_beginning_of_a_file_is_read_as_the_whole(
    form: str, corpus: list[Said], container: str, data: st.DataObject
) -> None:
    assert_beginning_is_refused(form, corpus, CONTAINERS[container], data)


@pytest.mark.parametrize("form", OF_ONE_TYPE)
@given(corpus=corpora, data=st.data())
@FEW
def test_no_beginning_of_a_parquet_file_is_read_as_the_whole(
    form: str, corpus: list[Said], data: st.DataObject
) -> None:
    assert_beginning_is_refused(form, corpus, parquet, data)


def assert_beginning_is_refused(
    form: str, corpus: list[Said], write: Callable[[list[dict[str, Any]]], str | bytes], data: st.DataObject
) -> None:
    content = write([WRITERS[form](said, f"d{number}") for number, said in enumerate(corpus)])
    whole = content if isinstance(content, bytes) else content.encode()
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with suppress(UnreadableFileError):
        assert any(isinstance(record, BadRecord) for record in read(part))


@pytest.mark.parametrize("form", [name for name in FORMATS if name in WRITERS])
@given(data=st.data())
@settings(max_examples=many(300), deadline=None)
def test_whatever_stands_in_the_place_of_a_part_is_no_fault(form: str, data: st.DataObject) -> None:
    """Values of other kinds in random places of a good object: a record, a bad record, or the file is refused."""
    junk = st.sampled_from(
        [None, True, 0, -1.5, 1e300, 10**30, "", "x", "\0", "\ud800", [], [[]], [None], {}, {"a": {}}]
    )
    value = WRITERS[form]([(1, "Hi"), (2, "Hello")], "d") | {"theme": "x", "personas": [["a"], ["b"]]}
    for _ in range(data.draw(st.integers(1, 3))):
        _damage(value, data, junk)
    content = in_memory(json.dumps([WRITERS[form]([(1, "Hi")], "c"), value]))
    with suppress(UnreadableFileError):
        for item in FORMATS[form].parse(content, AS_IT_COMES):
            assert isinstance(item, (Record, BadRecord))
    with suppress(UnreadableFileError):
        read(json.dumps([value]))


def _damage(value: Any, data: st.DataObject, junk: st.SearchStrategy[Any]) -> None:
    """Put junk into one place of the value, however deep."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(value[key], (dict, list)) and value[key] and data.draw(st.booleans())):
            value[key] = deepcopy(data.draw(junk))
            return
        value = value[key]


@pytest.mark.parametrize("form", [name for name in FORMATS if name in WRITERS])
@given(content=st.binary(max_size=200) | st.text(alphabet='[]{}":,\\u01abde \n', max_size=200).map(str.encode))
@settings(max_examples=many(200), deadline=None)
def test_no_bytes_are_a_fault_of_a_reader(form: str, content: bytes) -> None:
    for begins in (b"", b'[{"id": "a", ', b'{"messages": [[1, "x"], ', b"PAR1"):
        with suppress(UnreadableFileError):
            for item in FORMATS[form].parse(in_memory(begins + content), AS_IT_COMES):
                assert isinstance(item, (Record, BadRecord))


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("container", sorted(CONTAINERS))
def test_a_dialogue_beyond_the_limits_is_refused_by_the_limit(form: str, container: str) -> None:
    if container == "Parquet" and form == "jsonl":
        pytest.skip("A column of Parquet has one type, and an own message has two.")
    good, long = WRITERS[form]([(1, "Hi")], "a"), WRITERS[form]([(2, "x" * 4_000_000)], "b")
    many_messages = WRITERS[form]([(1, "x")] * 5_001, "c")
    first, second, third = read(CONTAINERS[container]([good, long, many_messages]), form=form)
    assert isinstance(first, Record)
    assert isinstance(second, BadRecord)
    assert "message 1 has 4,000,000 characters; a message has at most 100,000" in second.reason
    assert isinstance(third, BadRecord)
    assert "the dialogue has more than 5,000 messages" in third.reason


@pytest.mark.parametrize("container", ["lines", "a list", "a pretty list", "a wrapper"])
def test_a_dialogue_of_300000_messages_is_too_long_to_be_read(container: str) -> None:
    content = CONTAINERS[container]([openai([(1, "Hi")], "a"), openai([(1, "x")] * 300_000, "b")])
    with pytest.raises(UnreadableFileError, match=r"longer than 4 million characters.*at most 5,000 messages"):
        read(content, form="openai")
