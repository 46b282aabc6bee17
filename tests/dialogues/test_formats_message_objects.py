"""A message an object: JSON and Parquet under any keys, ConvoKit, and the guess that is offered."""

import io
import json
from contextlib import suppress
from random import Random
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from dialogues.formats import convokit, json_rows
from dialogues.formats.branches import replies_back
from dialogues.formats.columns import columns_from, guess_columns
from dialogues.formats.containers import head_of
from dialogues.formats.reading import FileLines, UnreadableFileError
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record
from dialogues.formats.registry import recognised
from tests.examples import many

ROWS = [
    {"conv": 7, "meta": {"who": "Ann", "topic": "cakes"}, "body": "hi", "sent": 1_700_000_000},
    {"conv": 7, "meta": {"who": "Bob", "topic": "cakes"}, "body": "hello", "sent": 1_700_000_060_000},
]
COLUMNS = columns_from("dialogue_id=conv,speaker=meta.who,text=body,time=sent,theme=meta.topic")


def as_lines(rows: list[dict[str, Any]]) -> FileLines:
    return FileLines(io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode()))


def as_list(rows: list[dict[str, Any]]) -> FileLines:
    return FileLines(io.BytesIO(json.dumps(rows, indent=1).encode()))


def as_parquet(rows: list[dict[str, Any]]) -> FileLines:
    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), out)
    return FileLines(out)


@pytest.mark.parametrize("written", [as_lines, as_list, as_parquet])
def test_rows_under_any_keys_are_read_from_every_container(written: Any) -> None:
    file, choices = written(ROWS), Choices(columns=COLUMNS)
    assert recognised(file, choices=choices).form.name == "rows"
    (record,) = json_rows.parse(file, choices)
    assert isinstance(record, Record)
    assert (record.key, record.theme, record.names) == ("7", "cakes", ("Ann", "Bob"))
    assert record.transcript.to_json() == [[1, "hi"], [2, "hello"]]
    assert record.times == ("2023-11-14T22:13:20+00:00", "2023-11-14T22:14:20+00:00")


@pytest.mark.parametrize("written", [as_lines, as_list, as_parquet])
def test_the_three_keys_of_our_own_need_no_naming(written: Any) -> None:
    rows = [{"dialogue_id": "d", "speaker": "1", "text": "hi", "traits_1": ["I bake."]}]
    assert recognised(written(rows)).form.name == "rows"
    (record,) = json_rows.parse(written(rows))
    assert isinstance(record, Record)
    assert (record.transcript.to_json(), record.traits_1) == ([[1, "hi"]], ("I bake.",))


@pytest.mark.parametrize("written", [as_lines, as_list, as_parquet])
def test_keys_that_are_guessed_are_offered_and_not_taken(written: Any) -> None:
    rows = [{"conv_id": "a", "speaker_name": name, "body": text} for name, text in [("A", "x"), ("B", "y")]]
    with pytest.raises(UnreadableFileError) as refused:
        recognised(written(rows))
    assert str(refused.value).endswith(
        "--columns dialogue_id=conv_id,speaker=speaker_name,text=body, if this guess is right."
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"speaker": "A", "text": "x"}, "no dialogue_id; the keys found are speaker, text"),
        ({"dialogue_id": "d", "speaker": "A", "text": ["x"]}, "text must be a text or a number, not list"),
        ({"dialogue_id": "d", "speaker": True, "text": "x"}, "speaker must be a text or a number, not bool"),
        ({"dialogue_id": "d", "speaker": "A", "text": "x", "traits_1": [1]}, "traits_1 must be a list of texts"),
        ({"dialogue_id": "d", "speaker": None, "text": "x"}, "speaker is empty"),
    ],
)
def test_a_row_that_is_no_message_says_why(row: dict[str, Any], reason: str) -> None:
    (bad,) = json_rows.parse(as_lines([row]))
    assert isinstance(bad, BadRecord)
    assert bad.reason == reason


@pytest.mark.parametrize(
    "broken", [{"dialogue_id": "\ud800"}, {"speaker": "\ud800"}, {"text": "\ud800"}, {"theme": "\x00"}]
)
def test_broken_unicode_is_a_reason_and_is_not_handed_on(broken: dict[str, str]) -> None:
    (bad,) = json_rows.parse(as_lines([{"dialogue_id": "d", "speaker": "A", "text": "x"} | broken]))
    assert isinstance(bad, BadRecord)
    assert (bad.reason + bad.key).isprintable()


def test_the_first_objects_are_shown_with_their_inner_keys() -> None:
    names, rows = json_rows.first_rows(head_of(as_lines(ROWS)))
    assert names == ["conv", "meta.who", "meta.topic", "body", "sent"]
    assert guess_columns(names, rows) == COLUMNS


def test_a_guess_needs_values_that_fit() -> None:
    names = ["id", "thread", "user", "message", "turn", "date"]
    rows = [[number, "t", "ab"[number % 2], f"text {number}", number, "2024-05-01 10:00"] for number in range(6)]
    assert guess_columns(names, rows) == {
        "dialogue_id": "thread",
        "speaker": "user",
        "text": "message",
        "order": "turn",
        "time": "date",
    }
    assert guess_columns(["id", "user", "text"], [[1, "a", "1"], [2, "b", "2"], [3, "c", "3"]]) == {}
    assert guess_columns([], []) == {}


def utterance(key: str, speaker: object, text: object, reply: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": key, "conversation_id": "c", "speaker": speaker, "text": text, "reply-to": reply, **fields}


def talk(*rows: dict[str, Any], choices: Choices = AS_IT_COMES) -> list[Record | BadRecord]:
    return list(convokit.parse(as_lines(list(rows)), choices))


def texts(item: Record | BadRecord) -> list[str]:
    assert isinstance(item, Record), item
    return [text for _, text in item.transcript]


def test_utterances_come_after_what_they_reply_to_and_then_by_time() -> None:
    (record,) = talk(
        utterance("3", "a", "third", "2", timestamp=5),
        utterance("2", "b", "second", "1", timestamp=9),
        utterance("1", "a", "first", timestamp=1),
        utterance("4", "b", "fourth", "1", timestamp=10),
    )
    assert texts(record) == ["first", "second", "third", "fourth"]


def test_older_names_of_keys_and_speakers_as_objects_are_read() -> None:
    rows = [
        {"id": "1", "root": "r", "user": {"id": "a"}, "text": "hi", "reply_to": None, "timestamp": 1_700_000_000},
        {"id": "2", "root": "r", "user": {"id": "b"}, "text": "ho", "reply_to": "1", "timestamp": 1_700_000_001},
    ]
    assert recognised(as_list(rows)).form.name == "convokit"
    (record,) = convokit.parse(as_list(rows))
    assert isinstance(record, Record)
    assert (record.key, record.names, record.times[0]) == ("r", ("a", "b"), "2023-11-14T22:13:20+00:00")


def test_more_speakers_are_bad_unless_two_are_chosen() -> None:
    rows = [utterance(str(number), name, "x") for number, name in enumerate("abc")]
    (bad,) = talk(*rows)
    assert isinstance(bad, BadRecord)
    assert bad.reason == "message 3: a third speaker, “c”; a dialogue has two, this one 3"
    (record,) = talk(*rows, choices=Choices(people=("a", "c")))
    assert isinstance(record, Record)
    assert (len(record.transcript), record.tally) == (2, {"messages_of_others_set_aside": 1})
    (neither,) = talk(*rows, choices=Choices(people=("x", "y")))
    assert isinstance(neither, BadRecord)
    assert neither.reason.startswith("none of the people chosen speaks in it")


def test_utterances_without_text_are_set_aside_and_a_reply_to_one_stays() -> None:
    (record,) = talk(utterance("2", "b", "yes", "1"), utterance("1", "a", " "), utterance("3", "a", None))
    assert texts(record) == ["yes"]
    assert isinstance(record, Record)
    assert record.tally == {"empty_messages_set_aside": 2}


def test_a_conversation_that_branches_says_how_many_replies_go_further_back() -> None:
    (record,) = talk(
        utterance("1", "a", "root", timestamp=1),
        utterance("2", "b", "first", "1", timestamp=2),
        utterance("3", "b", "second", "1", timestamp=3),
        utterance("4", "a", "to first", "2", timestamp=4),
    )
    assert texts(record) == ["root", "first", "second", "to first"]
    assert isinstance(record, Record)
    assert record.tally == {"replies_to_an_earlier_message": 2}


def test_a_conversation_that_does_not_branch_counts_no_replies() -> None:
    (record,) = talk(*(utterance(str(n), "ab"[n % 2], "x", str(n - 1) if n else None) for n in range(5)))
    assert isinstance(record, Record)
    assert record.tally == {}


def test_only_replies_that_are_kept_make_a_branch() -> None:
    rows = [
        utterance("1", "a", "x", timestamp=1),
        utterance("2", "c", "y", "1", timestamp=2),
        utterance("3", "b", "z", "1", timestamp=3),
        utterance("4", "b", " ", "1", timestamp=4),
    ]
    (record,) = talk(*rows, choices=Choices(people=("a", "b")))
    assert isinstance(record, Record)
    assert record.tally == {"messages_of_others_set_aside": 1, "empty_messages_set_aside": 1}


TREE = [
    {"message_id": "m1", "parent_id": None, "text": "question", "role": "prompter", "message_tree_id": "t"},
    {"message_id": "m2", "parent_id": "m1", "text": "one", "role": "assistant", "message_tree_id": "t"},
    {"message_id": "m3", "parent_id": "m1", "text": "two", "role": "assistant", "message_tree_id": "t"},
]
TREE_COLUMNS = columns_from("dialogue_id=message_tree_id,speaker=role,text=text")


@pytest.mark.parametrize("written", [as_lines, as_list, as_parquet])
def test_a_tree_of_messages_under_any_keys_counts_its_branches(written: Any) -> None:
    choices = Choices(columns=TREE_COLUMNS)
    (record,) = json_rows.parse(written(TREE), choices)
    assert texts(record) == ["question", "one", "two"]
    assert isinstance(record, Record)
    assert record.tally == {"replies_to_an_earlier_message": 1}
    (chain,) = json_rows.parse(written([*TREE[:2], TREE[2] | {"parent_id": "m2"}]), choices)
    assert isinstance(chain, Record)
    assert chain.tally == {}


def test_a_parent_that_was_chosen_as_something_else_is_no_reply() -> None:
    rows = [row | {"parent_id": "t"} for row in TREE]
    (record,) = json_rows.parse(
        as_lines(rows), Choices(columns=columns_from("dialogue_id=parent_id,speaker=role,text=text"))
    )
    assert isinstance(record, Record)
    assert record.tally == {}


def test_the_columns_of_a_tree_are_guessed() -> None:
    names, rows = json_rows.first_rows(head_of(as_lines(TREE)))
    assert guess_columns(names, rows) == TREE_COLUMNS


@given(st.lists(st.integers(0, 20), max_size=20))
def test_replies_back_are_those_whose_message_is_not_the_one_before(steps: list[int]) -> None:
    """A tree in which message n replies to n - 1 - step, which is never before message 0."""
    parents = [max(0, number - step) for number, step in enumerate(steps)]
    replies = [("0", ""), *((str(number), str(parent)) for number, parent in enumerate(parents, 1))]
    assert replies_back(replies) == sum(parent != number - 1 for number, parent in enumerate(parents, 1))


def test_replies_in_a_circle_and_missing_keys_are_reasons() -> None:
    (circle,) = talk(utterance("1", "a", "x", "2"), utterance("2", "b", "y", "1"))
    assert circle == BadRecord(1, "messages reply to each other in a circle", "c")
    (missing,) = talk({"id": "1", "text": "x"})
    assert isinstance(missing, BadRecord)
    assert missing.reason.startswith("an utterance has a conversation_id (or root)")


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=6)


@settings(max_examples=many(300))
@given(
    st.dictionaries(CELL, st.lists(CELL, min_size=1, max_size=6), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_conversations_in_any_order_of_utterances_are_read_back_equal(
    corpus: dict[str, list[str]], random: Random
) -> None:
    rows = [
        {
            "id": f"{key} {number}",
            "conversation_id": key,
            "speaker": "ab"[number % 2],
            "text": text,
            "reply-to": f"{key} {number - 1}" if number else None,
        }
        for key, said in corpus.items()
        for number, text in enumerate(said)
    ]
    random.shuffle(rows)
    assert {item.key: texts(item) for item in talk(*rows)} == corpus


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "a"]), inner, max_size=2),
)
KEYS = ["dialogue_id", "speaker", "text", "order", "time", "traits_1", "conversation_id", "id", "reply-to", "timestamp"]


@settings(max_examples=many(500))
@given(st.lists(st.dictionaries(st.sampled_from(KEYS), JSON), max_size=6))
def test_any_objects_are_read_or_refused_with_a_reason(rows: list[dict[str, Any]]) -> None:
    for parse in (json_rows.parse, convokit.parse):
        with suppress(UnreadableFileError):
            assert all(isinstance(item, Record) or item.reason for item in parse(as_lines(rows)))
