"""Chats whose messages name roles or models: OpenAI, ShareGPT, LMSYS, arena battles; and ConvAI2's volunteers."""

import json
from typing import Any

import pytest

from dialogues.formats.records import BadRecord, Choices, Record
from tests.dialogues.reading import bad, good, messages, one, parquet, read

IMAGE = {"type": "image_url", "image_url": {"url": "data:x"}}
ASKED = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def openai(*said: Any, **beside: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in said], **beside}


def test_openai_messages_have_the_user_first_and_the_system_message_as_theme() -> None:
    record = one(
        openai(("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("assistant", "You?")), form="openai"
    )
    assert messages(record) == [[1, "Hi"], [2, "Hello"], [2, "You?"]]
    assert (record.theme, record.key, record.names) == ("Be brief.", "00001", ("user", "assistant"))
    assert not record.tally


def test_times_of_messages_are_kept_and_those_that_cannot_be_read_are_counted() -> None:
    said = [
        {"role": "user", "content": "Hi", "timestamp": None},
        {"role": "assistant", "content": "Hello", "timestamp": "2023-04-09T00:00:03", "toxic": False},
        {"role": "user", "content": "You?", "timestamp": "just now"},
    ]
    record = one([{"conversation_hash": "h", "model": "some", "conversation": said}], form="openai")
    assert record.times == (None, "2023-04-09T00:00:03", None)
    assert record.tally["times_not_read"] == 1
    assert "ignored_key timestamp" not in record.tally


def test_times_of_an_answer_to_a_named_model_are_kept() -> None:
    said = [{**message, "created_at": 1_700_000_000 + place} for place, message in enumerate(ASKED)]
    record = one([{"conversation_id": "c", "model": "some", "conversation": said}], form="lmsys")
    assert record.times == ("2023-11-14T22:13:20+00:00", "2023-11-14T22:13:21+00:00")


@pytest.mark.parametrize("nothing", [[], None, "", {}])
def test_a_first_chat_without_messages_does_not_hide_what_the_others_are(nothing: object) -> None:
    empty, filled = read(
        json.dumps({"id": "a", "messages": nothing}) + "\n" + json.dumps({"id": "b", "messages": ASKED})
    )
    assert isinstance(empty, BadRecord)
    assert isinstance(filled, Record)


def test_an_id_that_is_empty_gives_way_to_the_next_one() -> None:
    assert one([{"dialogue_id": None, "id": "b", "messages": ASKED}], form="openai").key == "b"


def test_whoever_begins_the_sides_are_those_of_the_roles() -> None:
    record = one(openai(("assistant", "May I help?"), ("user", "No.")), form="openai")
    assert messages(record) == [[2, "May I help?"], [1, "No."]]


def test_what_is_no_text_is_set_aside_and_counted_by_kind() -> None:
    said = [
        {"role": "developer", "content": "Never swear."},
        {"role": "system", "content": "Be kind."},
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is "}, IMAGE, {"type": "text", "text": "this?"}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}, {"id": "2"}]},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
        {"role": "assistant", "content": " A cat.\n", "function_call": {"name": "look"}, "weight": 1},
    ]
    record = one(json.dumps({"id": 7, "messages": said, "model": "some"}), form="openai")
    assert messages(record) == [[1, "What is this?"], [2, "A cat."]]
    assert (record.key, record.theme) == ("7", "Be kind.")
    assert record.tally == {
        "developer_messages_set_aside": 1,
        "system_messages_set_aside": 1,
        "images_set_aside": 1,
        "audio_set_aside": 1,
        "tool_calls_set_aside": 3,
        "tool_messages_set_aside": 1,
        "empty_messages_set_aside": 2,
        "ignored_key tool_call_id": 1,
        "ignored_key weight": 1,
        "ignored_key model": 1,
    }


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([*ASKED, {"role": "narrator", "content": "x"}], "message 3: unknown role “narrator”"),
        ([*ASKED, "x"], "message 3: expected an object with role and content"),
        ([*ASKED, {"role": "user", "content": 5}], "message 3: content must be a text or a list of parts"),
        ([{"role": "user", "content": " \n"}], "a dialogue needs at least one message"),
        ([{"role": "user", "content": "\0"}], "message 1: text contains a NUL character"),
        ([{"role": "user", "content": "\ud83d"}], "message 1: text contains half of a surrogate pair"),
        ([{"role": "user", "content": "x" * 100_001}], "message 1 has 100,001 characters"),
        ([{"role": "user", "content": "x"}] * 5_001, "the dialogue has more than 5,000 messages"),
    ],
)
def test_a_chat_that_cannot_be_read_whole_is_bad_with_the_place(said: list[Any], reason: str) -> None:
    _, found = read([{"messages": ASKED}, {"messages": said}], form="openai")
    assert isinstance(found, BadRecord)
    assert found.reason.startswith(reason)
    assert (found.row, found.key) == (2, "00002")


def test_a_row_without_messages_says_which_keys_it_has() -> None:
    _, found = read([{"messages": ASKED}, {"text": "x", "id": "b"}], form="openai")
    assert isinstance(found, BadRecord)
    assert (found.row, found.key, found.reason) == (2, "b", "no list of messages: the keys found are text, id")


@pytest.mark.parametrize("wrap", [lambda one: [one], lambda one: {"data": [one]}, lambda one: one])
def test_sharegpt_conversations_are_read_from_any_container(wrap: Any) -> None:
    said = [("system", "Be kind."), ("human", "Hi"), ("gpt", "Hello"), ("function_call", "f()"), ("chatgpt", "Done.")]
    chat = {"id": "a", "conversations": [{"from": who, "value": text} for who, text in said]}
    for content in (json.dumps(wrap(chat)), json.dumps(wrap(chat), indent=2)):
        record = one(content, form="sharegpt")
        assert (record.key, record.theme, messages(record)) == (
            "a",
            "Be kind.",
            [[1, "Hi"], [2, "Hello"], [2, "Done."]],
        )
        assert record.tally == {"function_call_messages_set_aside": 1}


def test_parquet_with_a_column_of_messages_is_read() -> None:
    rows = [{"prompt_id": "p1", "messages": ASKED}, {"prompt_id": "p2", "messages": ASKED[:1]}]
    first, second = good(parquet(rows), form="openai")
    assert (messages(first), messages(second)) == ([[1, "Hi"], [2, "Hello"]], [[1, "Hi"]])
    assert (first.row, second.row, second.key) == (1, 2, "00002")
    assert second.tally == {"ignored_key prompt_id": 1}


def lmsys(key: str, model: str, answer: str, prompt: str = "Hi") -> dict[str, Any]:
    said = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return {"conversation_id": key, "model": model, "conversation": said, "language": "English"}


def test_a_chat_with_a_named_model_is_written_by_it() -> None:
    record = one([lmsys("c1", "okapi-7b", "Hello")], form="lmsys")
    assert (record.key, record.written_by, record.version, record.origin) == ("c1", "okapi-7b", "alpha", "")
    assert record.tally == {"ignored_key language": 1}


def test_two_answers_to_one_prompt_are_two_versions_wherever_they_stand() -> None:
    rows = [lmsys("c1", "a", "One."), lmsys("c2", "a", "Alone."), lmsys("c1", "b", "Two.")]
    found = [(record.key, record.version, record.origin, record.written_by) for record in good(rows, form="lmsys")]
    assert found == [
        ("c1", "first-answer", "", "a"),
        ("c2", "alpha", "", "a"),
        ("c1/second-answer", "second-answer", "c1", "b"),
    ]


@pytest.mark.parametrize("rows", [[("x", "Hi"), ("y", "Bye")], [("x", "Hi"), ("y", "Hi"), ("z", "Hi")]])
def test_other_rows_of_one_id_are_no_two_answers(rows: list[tuple[str, str]]) -> None:
    records = good([lmsys("c1", model, "Answer.", prompt) for model, prompt in rows], form="lmsys")
    assert {record.version for record in records} == {"alpha"}
    assert {record.key for record in records} == {"c1"}


def battle(**changed: Any) -> dict[str, Any]:
    first, second = lmsys("q", "a", "One."), lmsys("q", "b", "Two.")
    sides = {"conversation_a": first["conversation"], "conversation_b": second["conversation"]}
    return {"question_id": "q", "model_a": "a", "model_b": "b", "winner": "model_a", **sides, **changed}


def test_a_battle_gives_both_answers_and_counts_the_verdict_once() -> None:
    first, second = good([battle()], form="lmsys")
    assert (first.key, first.version, first.origin, first.written_by) == ("q/first-answer", "first-answer", "", "a")
    assert (second.key, second.version, second.written_by) == ("q/second-answer", "second-answer", "b")
    assert second.origin == first.key
    assert (messages(first)[1], messages(second)[1]) == ([2, "One."], [2, "Two."])
    assert (first.tally, second.tally) == ({"ignored_key winner": 1}, {})


def test_a_battle_with_one_bad_answer_is_bad_as_a_whole() -> None:
    found = bad([battle(conversation_b=None)], form="lmsys")
    assert (found.row, found.reason) == (1, "its messages are no list")


def said(*messages: tuple[str, str, str], **changed: Any) -> dict[str, Any]:
    dialog = [
        {"id": number, "sender": sender, "sender_class": called, "text": text, "evaluation_score": None}
        for number, (sender, called, text) in enumerate(messages)
    ]
    profiles = {"bot_profile": ["i bake."], "user_profile": ["i swim.", "i run."]}
    return {"dialog_id": "0x1", "dialog": dialog, **profiles, **changed}


def volunteers(*messages: tuple[str, str, str], **changed: Any) -> Record:
    return one(json.dumps([said(*messages, **changed)], indent=1, ensure_ascii=False), form="convai2")


def test_a_human_is_speaker_1_and_has_the_users_profile_whoever_begins() -> None:
    record = volunteers(("p1", "Bot", "hello"), ("p2", "Human", "hi"), ("p2", "Human", "ты тут? 😀\nI am"))
    assert messages(record) == [[2, "hello"], [1, "hi"], [1, "ты тут? 😀\nI am"]]
    assert (record.traits_1, record.traits_2) == (("i swim.", "i run."), ("i bake.",))
    assert (record.key, record.names) == ("0x1", ("Human", "Bot"))


@pytest.mark.parametrize(("called", "side"), [("Human", 1), ("Bot", 2)])
def test_where_only_one_speaks_both_keep_their_profiles(called: str, side: int) -> None:
    record = volunteers(("p1", called, "anybody there?"))
    assert messages(record) == [[side, "anybody there?"]]
    assert (record.traits_1, record.traits_2) == (("i swim.", "i run."), ("i bake.",))


@pytest.mark.parametrize("called", ["Human", "", None])
def test_profiles_of_two_humans_belong_to_nobody_who_is_known(called: Any) -> None:
    record = volunteers(("p2", called, "hi"), ("p1", called, "hello"))
    assert messages(record) == [[1, "hi"], [2, "hello"]]
    assert (record.traits_1, record.traits_2) == ((), ())
    assert record.tally == {"profiles_set_aside": 2, "sides_by_who_speaks_first": 1}


def test_scores_and_empty_messages_of_volunteers_are_counted() -> None:
    value = said(("p1", "Human", "hi"), ("p2", "Bot", " "), ("p2", "Bot", "ho"), profile_match=1)
    value["dialog"][2]["evaluation_score"] = 5
    del value["dialog"][0]["evaluation_score"]
    value["bot_profile"] = None
    record = one([value], form="convai2")
    assert messages(record) == [[1, "hi"], [2, "ho"]]
    assert (record.traits_1, record.traits_2) == (("i swim.", "i run."), ())
    assert record.tally == {
        "scores_of_messages_set_aside": 1,
        "empty_messages_set_aside": 1,
        "ignored_key profile_match": 1,
    }


def test_of_three_in_a_chat_two_are_kept_if_they_are_chosen() -> None:
    value = [said(*((name, "Human", "hi") for name in ("p1", "p2", "p3")))]
    assert bad(value, form="convai2").people == (("p1", 1), ("p2", 1), ("p3", 1))
    record = one(value, form="convai2", choices=Choices(people=("p1", "p3")))
    assert (record.names, record.tally["messages_of_others_set_aside"]) == (("p1", "p3"), 1)


def test_the_older_form_says_of_users_whether_they_are_bots() -> None:
    value = {
        "dialogId": 12,
        "context": "A passage.",
        "users": [{"id": "Ann", "userType": "Human"}, {"id": "Bob", "userType": "net.example.rest.Bot"}],
        "evaluation": [{"userId": "Ann", "quality": 3}],
        "thread": [
            {"text": "hello", "userId": "Bob", "evaluation": 1, "time": 1_500_000_000},
            {"text": "hi", "userId": "Ann", "evaluation": 2},
        ],
    }
    record = one([value], form="convai2")
    assert (record.key, record.theme, messages(record)) == ("12", "A passage.", [[2, "hello"], [1, "hi"]])
    assert record.times == ("2017-07-14T02:40:00+00:00", None)
    assert record.tally == {"scores_of_messages_set_aside": 2, "ignored_key evaluation": 1}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"dialog": []}, "a dialogue needs at least one message"),
        ({"dialog": None}, "dialog must be a list of messages; the keys found are dialog_id, dialog, bot_profile"),
        ({"dialog": [{"text": "hi"}]}, "message 1: no sender"),
        ({"dialog": [{"sender": "p1", "text": ["x"], "sender_class": 3}, 4]}, "message 2: expected an object"),
        ({"dialog": [{"sender": "p1", "text": 4}]}, "message 1: text must be a text"),
        ({"dialog": [{"sender": name, "text": "x"} for name in "abc"]}, "message 3: a third speaker, “c”"),
    ],
)
def test_a_chat_of_volunteers_that_cannot_be_read_says_why(changed: dict[str, Any], reason: str) -> None:
    _, found = read([said(("p1", "Human", "hi")), said(("p1", "Human", "hi"), **changed)], form="convai2")
    assert isinstance(found, BadRecord)
    assert found.reason.startswith(reason)
    assert (found.row, found.key) == (2, "0x1")
