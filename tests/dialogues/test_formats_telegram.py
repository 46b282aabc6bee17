"""Telegram's JSON: one chat or all of an account, people told apart by id, what is set aside."""

import io
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats import telegram
from dialogues.formats.reading import FileLines, UnreadableFileError
from dialogues.formats.records import AS_IT_COMES, MOST_MESSAGES, BadRecord, Choices, Record
from dialogues.formats.registry import recognised
from tests.examples import many


def message(person: str, text: object, minute: int = 0, **fields: Any) -> dict[str, Any]:
    sent = f"2024-05-01T10:{minute:02}:00"
    names = {"user1": "Mary", "user2": "Tom", "user3": "Tom"}
    return {"type": "message", "date": sent, "from": names[person], "from_id": person, "text": text, **fields}


def chat(*messages: dict[str, Any], key: object = 77, kind: str = "personal_chat") -> dict[str, Any]:
    return {"name": "Tom", "type": kind, "id": key, "messages": list(messages)}


def whole(*chats: dict[str, Any]) -> dict[str, Any]:
    about = {"about": "All data.", "contacts": {"list": [{"first_name": "Tom"}]}}
    return {**about, "chats": {"about": "Chats.", "list": list(chats)}, "left_chats": {"list": []}}


def file(value: object, indent: int | None = 1) -> FileLines:
    return FileLines(io.BytesIO(json.dumps(value, indent=indent).encode()))


def read(value: object, choices: Choices = AS_IT_COMES) -> list[Record | BadRecord]:
    return list(telegram.parse(file(value), choices))


def one(value: object, choices: Choices = AS_IT_COMES) -> Record:
    (record,) = read(value, choices)
    assert isinstance(record, Record), record
    return record


TWO = chat(message("user1", "hi"), message("user2", "hello", 1), message("user2", "you?", 2))


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("value", [TWO, whole(TWO)])
def test_one_chat_and_a_whole_account_are_told_and_private(value: object, indent: int | None) -> None:
    found = recognised(file(value, indent))
    assert (found.form.name, found.form.is_private) == ("telegram", True)


def test_a_chat_is_a_dialogue_with_its_times_and_names() -> None:
    record = one(TWO)
    assert record.transcript.to_json() == [[1, "hi"], [2, "hello"], [2, "you?"]]
    assert (record.key, record.names, record.times[1]) == ("77", ("Mary", "Tom"), "2024-05-01T10:01:00")


def test_a_text_in_parts_is_one_message() -> None:
    parts = ["see ", {"type": "link", "text": "example.org"}, " and ", {"type": "bold", "text": "read"}]
    assert one(chat(message("user1", parts))).transcript.to_json() == [[1, "see example.org and read"]]


def test_media_and_service_messages_are_set_aside_by_kind_and_captions_stay() -> None:
    record = one(
        chat(
            {"type": "service", "actor": "Tom", "action": "phone_call", "text": ""},
            message("user1", "hi"),
            message("user2", "", photo="photos/1.jpg"),
            message("user2", "my cat", photo="photos/2.jpg"),
            message("user2", "", file="s.webp", media_type="sticker"),
            message("user2", "", file="a.ogg", media_type="voice_message"),
            message("user2", "", file="a.pdf"),
            message("user2", ""),
            message("user2", "so they said", forwarded_from="Ann"),
        )
    )
    assert record.transcript.to_json() == [[1, "hi"], [2, "my cat"], [2, "so they said"]]
    assert record.tally == {
        "notices_set_aside": 1,
        "images_set_aside": 2,
        "stickers_set_aside": 1,
        "audio_messages_set_aside": 1,
        "documents_set_aside": 1,
        "empty_messages_set_aside": 1,
        "forwarded_messages_among_them": 1,
    }


def test_people_of_one_name_are_two_people_and_one_of_two_names_is_one() -> None:
    record = one(chat(message("user3", "a"), message("user2", "b"), {**message("user3", "c"), "from": "Thomas"}))
    assert record.transcript.to_json() == [[1, "a"], [2, "b"], [1, "c"]]
    assert record.names == ("Tom (user3)", "Tom (user2)")


def test_a_deleted_account_is_known_by_its_id() -> None:
    assert one(chat({**message("user2", "x"), "from": None})).names == ("user2", "")


def test_in_a_whole_account_one_person_keeps_one_side_and_a_group_is_bad() -> None:
    other = chat(message("user3", "a"), message("user1", "b"), key=78)
    group = chat(*(message(f"user{number}", "x") for number in (1, 2, 3)), key=79, kind="private_group")
    first, second, third = read(whole(TWO, other, group))
    assert isinstance(second, Record)
    assert (second.key, second.transcript.to_json()) == ("78", [[2, "a"], [1, "b"]])
    assert isinstance(first, Record)
    assert isinstance(third, BadRecord)
    assert third.reason.startswith("this chat has 3 people: “Mary” (1), “Tom (user2)” (1), “Tom (user3)” (1)")
    assert (third.row, third.key) == (3, "79")
    assert third.people == (("Mary", 1), ("Tom (user2)", 1), ("Tom (user3)", 1))


def test_the_two_people_of_a_group_are_chosen_by_name_or_by_id() -> None:
    group = chat(*(message(f"user{number}", "x") for number in (1, 2, 3)))
    record = one(group, Choices(people=("Mary", "user3")))
    assert (record.names, record.tally) == (("Mary", "Tom (user3)"), {"messages_of_others_set_aside": 1})


def test_silences_split_a_chat() -> None:
    later = {**message("user1", "next day"), "date": "2024-05-02T09:00:00"}
    items = read(chat(*TWO["messages"], later), Choices(silence_hours=6))
    lengths = {item.key: len(item.transcript) for item in items if isinstance(item, Record)}
    assert lengths == {"77/001": 3, "77/002": 1}


def test_a_chat_larger_than_one_value_may_be_is_read_message_by_message() -> None:
    """More than a dialogue may have; so the limit is named, and advice given."""
    (bad,) = read(chat(*(message("user1", "x" * 2000) for _ in range(MOST_MESSAGES + 1))))
    assert isinstance(bad, BadRecord)
    assert "--silence 8" in bad.reason


def test_what_is_no_message_makes_its_chat_bad() -> None:
    (bad,) = read(chat(message("user1", "x"), 5))  # type: ignore[arg-type]
    assert bad == BadRecord(2, "message 2 is not a JSON object", "77")


def test_a_file_without_chats_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="holds no chat"):
        read({"about": "x", "chats": {"list": []}})


@settings(max_examples=many(500))
@given(st.data(), st.sampled_from([TWO, whole(TWO, TWO)]))
def test_an_export_that_is_cut_off_is_refused(data: st.DataObject, value: dict[str, Any]) -> None:
    text = json.dumps(value)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(UnreadableFileError):
        list(telegram.parse(FileLines(io.BytesIO(cut.encode()))))


SIMPLE = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
JSON = st.recursive(SIMPLE, lambda inner: st.lists(inner, max_size=3))
FIELD = st.sampled_from(["type", "text", "date", "from", "from_id", "photo", "media_type"])


@settings(max_examples=many(500))
@given(st.lists(st.dictionaries(FIELD, JSON, max_size=5), max_size=4), JSON)
def test_any_messages_are_read_or_refused_with_a_reason(messages: list[dict[str, Any]], key: object) -> None:
    with suppress(UnreadableFileError):
        items = read(chat(*messages, message("user1", "hi"), key=key), Choices(silence_hours=1))
        assert all(isinstance(item, Record) or item.reason for item in items)
