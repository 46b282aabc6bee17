"""The general reader of chats in JSON, on the shapes that corpora come in; LoCoMo; keys that a person names."""

import json
from typing import Any

import pytest

from dialogues.formats.reading import UnreadableFileError
from dialogues.formats.records import BadRecord, Choices, Record
from tests.dialogues.reading import bad, good, messages, one, parquet, read

SPEECH = [("ann", "Hi"), ("bob", "Hello"), ("bob", "You?")]
TOLD = [[1, "Hi"], [2, "Hello"], [2, "You?"]]
FORM = "chat-json"


def chat(speaker: str = "speaker", text: str = "text", **beside: Any) -> list[dict[str, Any]]:
    return [{speaker: name, text: said, **beside} for name, said in SPEECH]


@pytest.mark.parametrize(
    "key",
    [
        "messages",
        "conversation",
        "conversations",
        "dialog",
        "dialogue",
        "content",
        "turns",
        "utterances",
        "chat",
        "log",
    ],
)
@pytest.mark.parametrize(
    ("speaker", "text"),
    [
        ("speaker", "text"),
        ("sender", "body"),
        ("author", "message"),
        ("name", "utterance"),
        ("id", "text"),
        ("from", "value"),
    ],
)
def test_messages_speakers_and_texts_are_known_by_many_names(key: str, speaker: str, text: str) -> None:
    record = one([{key: chat(speaker, text)}], form=FORM)
    assert messages(record) == TOLD
    assert record.names == ("ann", "bob")


def test_a_list_of_speakers_beside_texts_says_who_says_what() -> None:
    value = {"dialogue": ["Hi", "You there?", "Yes"], "speakers": ["Ann", "Ann", "Bob"], "narrative": "They meet."}
    record = one([value], form=FORM)
    assert messages(record) == [[1, "Hi"], [1, "You there?"], [2, "Yes"]]
    assert record.names == ("Ann", "Bob")
    assert record.tally == {"ignored_key narrative": 1}


def test_a_list_of_the_two_who_take_part_does_not_say_who_says_what() -> None:
    record = one([{"dialogue": ["Hi", "Hello", "You?"], "speakers": ["Ann", "Bob"]}], form=FORM)
    assert record.tally == {"speakers_by_turn_order": 1, "ignored_key speakers": 1}


def test_texts_in_a_list_called_data_are_messages_in_turn() -> None:
    record = one('{"id": "7", "data": ["Hi", "Hello", "You?"]}', form=FORM)
    assert messages(record) == [[1, "Hi"], [2, "Hello"], [1, "You?"]]
    assert (record.key, record.tally) == ("7", {"speakers_by_turn_order": 1})


@pytest.mark.parametrize("names", [["tom", "user2"], ["user2", "tom"], ["0", "x 1"], ["tom", "user2", "ann"]])
def test_names_that_end_with_a_number_by_chance_are_names(names: list[str]) -> None:
    value = {"dialog": [{"speaker": name, "text": "Hi"} for name in names], "personas": [["I bake."], ["I swim."]]}
    (record,) = read([value], form=FORM)
    if len(names) > 2:
        assert isinstance(record, BadRecord)
    else:
        assert isinstance(record, Record)
        assert (record.names, record.traits_1, record.traits_2) == (tuple(names), ("I bake.",), ("I swim.",))


ASKED = [["Who?", "Ann."], ["When?", "Today."], ["Why?", "Because."], ["Where?", "Here."]]


@pytest.mark.parametrize(
    "value", [{"turns": ASKED}, {"history": ASKED[:1], "instruction": "How?"}, {"history": ASKED, "output": "So."}]
)
def test_a_question_and_its_answer_are_no_speaker_and_text(value: dict[str, Any]) -> None:
    with pytest.raises(UnreadableFileError, match="None of them is known"):
        read([value])


def test_pairs_of_a_speaker_and_a_text_are_told_by_speakers_who_come_back() -> None:
    assert messages(one([{"turns": [list(pair) for pair in SPEECH]}], form=FORM)) == TOLD


def test_three_speakers_beside_texts_are_refused() -> None:
    value = {"dialogue": ["Hi", "Hello", "Hey"], "speakers": ["Ann", "Bob", "Cy"]}
    assert "a third speaker, “Cy”" in bad([value], form=FORM).reason


@pytest.mark.parametrize("speakers", [["Ann"], ["Ann", "Bob", "Ann"], "Ann", ["Ann", None]])
def test_a_list_of_speakers_that_does_not_fit_its_texts_makes_the_dialogue_bad(speakers: object) -> None:
    whole = {"dialogue": ["Hi", "Hello"], "speakers": ["Ann", "Bob"]}
    *_, found = read([whole, whole, {**whole, "speakers": speakers}], form=FORM)
    assert isinstance(found, BadRecord)
    assert "speaker" in found.reason


def test_lists_of_texts_and_speakers_can_be_named_wherever_they_stand() -> None:
    value = {"turns": {"utterance": ["Hi", "Hello", "You?"], "who": [0, 1, 1]}}
    columns = {"messages": "turns.utterance", "speaker": "turns.who"}
    assert messages(one([value], form=FORM, choices=Choices(columns=columns))) == TOLD


def test_emotional_support_has_its_situation_as_theme() -> None:
    said = [
        {"speaker": "seeker", "annotation": {}, "content": "I lost my keys.\n"},
        {"speaker": "supporter", "annotation": {"strategy": "Question"}, "content": "Where?\n"},
        {"speaker": "supporter", "annotation": {"strategy": "Others"}, "content": "\n"},
    ]
    value = {"emotion_type": "anger", "situation": "Locked out.\n", "survey_score": {"seeker": {}}, "dialog": said}
    record = one([value], form=FORM)
    assert messages(record) == [[1, "I lost my keys."], [2, "Where?"]]
    assert (record.theme, record.key) == ("Locked out.", "00001")
    assert record.tally == {
        "empty_messages_set_aside": 1,
        "ignored_key annotation": 2,
        "ignored_key emotion_type": 1,
        "ignored_key survey_score": 1,
    }


def test_topical_chat_names_its_dialogues_and_agents_keep_their_sides() -> None:
    def said(*agents: str) -> dict[str, Any]:
        one = [
            {"message": f"It is {agent}.", "agent": agent, "sentiment": "Happy", "turn_rating": ""} for agent in agents
        ]
        return {"article_url": "x", "config": "C", "content": one, "conversation_rating": {"agent_1": "Good"}}

    first, second = good({"t_1": said("agent_1", "agent_2"), "t_2": said("agent_2", "agent_1")}, form=FORM)
    assert (first.key, second.key) == ("t_1", "t_2")
    assert [speaker for speaker, _ in messages(second)] == [2, 1]
    assert second.names == ("agent_1", "agent_2")


def test_blended_talk_is_of_pairs_and_the_seeds_are_no_part_of_it() -> None:
    value = {
        "personas": [["i bake.", "i swim."], ["i run."]],
        "context_dataset": "x",
        "free_turker_utterance": "Do you bake?",
        "guided_turker_utterance": "I do.",
        "additional_context": "",
        "dialog": [[0, "hi"], [1, "ho"], [0, ""]],
        "suggestions": {"a": ["x"]},
    }
    record = one([value], form=FORM)
    assert messages(record) == [[1, "hi"], [2, "ho"]]
    assert (record.traits_1, record.traits_2) == (("i bake.", "i swim."), ("i run.",))
    assert record.tally["seed_utterances_set_aside"] == 2
    assert record.tally["empty_messages_set_aside"] == 1


def test_traits_follow_the_number_in_a_speakers_name_not_who_begins() -> None:
    def session(*names: str) -> dict[str, Any]:
        said = [{"text": f"I am {name}.", "id": name} for name in names]
        return {"personas": [["one"], ["two"]], "dialog": said, "previous_dialogs": [{"dialog": []}, {"dialog": []}]}

    records = good(
        [session("Speaker 2", "Speaker 1"), session("Speaker 1", "Speaker 2"), session("Speaker 2")], form=FORM
    )
    assert [(messages(record)[0][0], record.traits_1, record.traits_2) for record in records] == [
        (1, ("two",), ("one",)),
        (2, ("two",), ("one",)),
        (1, ("two",), ("one",)),
    ]
    assert records[0].tally["previous_dialogs_set_aside"] == 2
    assert records[2].names == ("Speaker 2", "")


def test_traits_that_belong_to_nobody_who_is_known_are_counted() -> None:
    assert one([{"dialog": chat(), "personas": ["i bake."]}]).tally == {"traits_set_aside": 1}
    assert one([{"dialog": chat(), "personas": {"bob": ["i bake."]}}]).traits_2 == ("i bake.",)
    assert one([{"dialog": chat(), "persona_1": "i bake.\ni swim."}]).traits_1 == ("i bake.", "i swim.")


def test_plain_texts_are_said_in_turn() -> None:
    rows = [{"dialog": ["Hi", "Hello", "You?"], "act": [1, 2, 1]}, {"dialog": ["Oh"], "act": [0]}]
    for content in (parquet(rows), json.dumps(rows), json.dumps([row["dialog"] for row in rows])):
        first, second = good(content, form=FORM)
        assert messages(first) == [[1, "Hi"], [2, "Hello"], [1, "You?"]]
        assert messages(second) == [[1, "Oh"]]
        assert first.tally["speakers_by_turn_order"] == 1


def test_label_studios_paragraphs_are_found_under_whatever_key_a_task_has() -> None:
    task = {
        "id": 5,
        "data": {"text": "x", "anything": [{"author": name, "text": text} for name, text in SPEECH]},
        "annotations": [{"id": 1}, {"id": 2}],
        "predictions": [],
    }
    record = one([task], form=FORM)
    assert (record.key, messages(record)) == ("5", TOLD)
    assert record.tally == {"annotations_set_aside": 2}


@pytest.mark.parametrize(
    ("time", "told"),
    [
        (1_714_557_600, "2024-05-01T10:00:00+00:00"),
        (1_714_557_600_000, "2024-05-01T10:00:00+00:00"),
        ("1714557600", "2024-05-01T10:00:00+00:00"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00+00:00"),
        ("2024-05-01 10:00:00", "2024-05-01T10:00:00"),
    ],
)
def test_times_are_kept_in_one_way(time: object, told: str) -> None:
    record = one([{"messages": chat("sender", created_at=time)}], form=FORM)
    assert record.times == (told,) * 3


@pytest.mark.parametrize("time", ["yesterday", 5, 1e300, [1], {"a": 1}, True])
def test_a_time_that_cannot_be_read_is_counted(time: object) -> None:
    record = one([{"messages": chat("sender", created_at=time)}], form=FORM)
    assert (record.times, record.tally) == ((), {"times_not_read": 3})


def test_pictures_of_messages_are_counted() -> None:
    assert one([{"messages": chat("sender", img_url=["x", "y"])}]).tally == {"images_set_aside": 3}


def test_traits_go_by_order_where_one_name_of_two_has_a_number() -> None:
    said = [{"speaker": name, "text": "x"} for name in ("ann", "bot2")]
    (record,) = good([{"dialog": said, "personas": [["I bake."], ["I swim."]]}])
    assert (record.traits_1, record.traits_2) == (("I bake.",), ("I swim.",))
    said = [{"id": name, "text": "x"} for name in ("bot1", "ann")]
    (record,) = good([{"dialog": said, "personas": [["I bake."], ["I swim."]]}])
    assert (record.traits_1, record.traits_2) == (("I bake.",), ("I swim.",))


def test_two_people_of_a_group_are_kept_if_they_are_chosen() -> None:
    said = [{"speaker": name, "text": "x"} for name in ("ann", "bob", "ann", "carl")]
    refused = bad([{"dialog": said}])
    assert refused.people == (("ann", 2), ("bob", 1), ("carl", 1))
    record = one([{"dialog": said}], choices=Choices(people=("carl", "ann")))
    assert (record.names, record.tally["messages_of_others_set_aside"]) == (("ann", "carl"), 1)


def test_people_keep_one_side_in_the_whole_file_if_they_can() -> None:
    records = good([{"dialog": chat()}, {"dialog": chat()[::-1]}, {"dialog": chat()[1:]}])
    assert [record.names for record in records] == [("ann", "bob"), ("ann", "bob"), ("", "bob")]
    circle = [[("a", "x"), ("b", "y")], [("b", "x"), ("c", "y")], [("c", "x"), ("a", "y")]]
    records = good([{"dialog": [{"speaker": name, "text": said} for name, said in pair]} for pair in circle])
    assert [record.tally["sides_by_who_speaks_first"] for record in records] == [1, 1, 1]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"dialog": None}, "dialog must be a list of messages"),
        ({"dialog": []}, "a dialogue needs at least one message"),
        ({"dialog": [{"speaker": "ann"}, {"text": "x"}]}, "message 2: no speaker"),
        ({"dialog": [{"speaker": "ann", "text": 5}]}, "message 1: no text"),
        ({"dialog": ["x"]}, "message 1: expected an object"),
        ({"dialog": [["ann", "x"]]}, "message 1: expected an object"),
        ({"dialog": [{"speaker": name, "text": "x"} for name in "abc"]}, "message 3: a third speaker, “c”"),
        ({"dialog": [{"speaker": "ann", "text": "\0"}]}, "message 1: text contains a NUL"),
    ],
)
def test_a_dialogue_that_cannot_be_read_whole_is_bad(changed: dict[str, Any], reason: str) -> None:
    found = read([{"id": "a", "dialog": chat()}, {"id": "b", **changed}], form=FORM)[1]
    assert isinstance(found, BadRecord)
    assert found.reason.startswith(reason)
    assert (found.row, found.key) == (2, "b")


def test_the_preview_says_what_was_read_as_what() -> None:
    from dialogues.formats.registry import recognised
    from tests.dialogues.reading import in_memory

    value = [{"meta": {}, "uid": 4, "dialog": chat("sender"), "situation": "x"}]
    assert recognised(in_memory(json.dumps(value))).seen == (
        "one JSON list, with the keys meta, uid, dialog (sender, text), situation; "
        "read as messages = dialog, speaker = sender, text = text, theme = situation"
    )


NESTED = [
    {
        "meta": {"key": "x1", "topic": "sea"},
        "parts": {"said": [{"who": {"name": name}, "words": text} for name, text in SPEECH]},
    }
]
COLUMNS = {
    "messages": "parts.said",
    "speaker": "who.name",
    "text": "words",
    "dialogue_id": "meta.key",
    "theme": "meta.topic",
}


def test_unknown_keys_can_be_named_with_paths() -> None:
    for content in (json.dumps(NESTED), parquet(NESTED), "\n".join(map(json.dumps, NESTED))):
        record = one(content, choices=Choices(COLUMNS), form=FORM)
        assert (record.key, record.theme, messages(record)) == ("x1", "sea", TOLD)


def test_what_is_not_named_is_told_by_the_file() -> None:
    value = {"id": "a", "said": chat("sender", "words", time="2024-05-01T10:00:00"), "likes": ["tea"]}
    record = one([value], choices=Choices({"messages": "said", "text": "words", "traits_1": "likes"}))
    assert (record.key, record.traits_1, messages(record)) == ("a", ("tea",), [[1, "Hi"], [2, "Hello"], [2, "You?"]])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({**COLUMNS, "messages": "parts.all"}, "No list of messages is at “parts.all”; the keys found are meta, parts"),
        ({**COLUMNS, "text": "said"}, "No message has the key “said”, named as text; those found are who, words"),
        ({**COLUMNS, "speaker": "by.name"}, "No message has the key “by.name”, named as speaker"),
    ],
)
def test_names_that_the_file_does_not_have_are_refused_with_those_it_has(columns: dict[str, str], words: str) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        read(NESTED, choices=Choices(columns))
    assert words in str(refused.value)


@pytest.mark.parametrize(("named", "words"), [("openai", "not for OpenAI"), ("auto", "in JSON and Parquet only")])
def test_a_list_of_messages_cannot_be_named_elsewhere(named: str, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        read("a,b\nc,d\n", choices=Choices(COLUMNS), named=named)


@pytest.mark.parametrize("content", [[{"name": "a", "points": [1]}], {"t": [{"x": 1}]}, [{"dialog": [{"x": 1}]}]])
def test_unknown_json_is_refused_with_its_keys_and_how_to_name_them(content: object) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        read(content)
    said = str(refused.value)
    assert said.startswith("This file holds ")
    assert "with the keys " in said
    assert "under Columns on the import page, or by --columns messages=…,speaker=…,text=…" in said


def locomo(**sessions: Any) -> dict[str, Any]:
    return {
        "sample_id": "conv-26",
        "qa": [{"question": "x"}],
        "conversation": {"speaker_a": "Ann", "speaker_b": "Bob", **sessions},
    }


def turns(*said: tuple[str, str], **beside: Any) -> list[dict[str, Any]]:
    return [{"speaker": name, "dia_id": "D1:1", "text": text, **beside} for name, text in said]


def test_each_session_of_a_long_conversation_is_a_dialogue() -> None:
    value = locomo(
        session_1_date_time="1:56 pm on 8 May, 2023",
        session_1=turns(("Bob", "Hi Ann"), ("Ann", "Hi"), img_url=["x"]),
        session_2_date_time="soon",
        session_2=turns(("Ann", "Back!")),
        session_3_date_time="2:00 am on 9 May, 2023",
    )
    first, second = good([value], form="locomo")
    assert (first.key, messages(first)) == ("conv-26/session_1", [[2, "Hi Ann"], [1, "Hi"]])
    assert (first.times, second.times) == (("2023-05-08T13:56:00", None), ())
    assert first.names == ("Ann", "Bob")
    assert first.tally == {"images_set_aside": 2, "ignored_key qa": 1}
    assert (second.key, second.tally) == ("conv-26/session_2", {})


@pytest.mark.parametrize(
    ("sessions", "reason"),
    [
        ({}, "no conversation with speaker_a, speaker_b and session_1"),
        ({"session_1": None}, "session_1 must be a list"),
        ({"session_1": turns(("Eve", "Hi"))}, "message 1: its speaker is neither Ann nor Bob"),
        ({"session_1": []}, "a dialogue needs at least one message"),
    ],
)
def test_a_session_that_cannot_be_read_says_why(sessions: dict[str, Any], reason: str) -> None:
    assert bad([locomo(**sessions)], form="locomo").reason.startswith(reason)


def test_own_dialogues_are_read_from_a_list_and_over_many_lines_as_strictly_as_from_lines() -> None:
    own = [{"id": "a", "messages": TOLD, "theme": "x"}, {"id": "b", "messages": [[3, "x"]]}]
    texts = (json.dumps(own), json.dumps({"data": own}), "\n".join(json.dumps(one, indent=1) for one in own))
    for content in (*texts, "\n".join(map(json.dumps, own))):
        first, second = read(content, form="jsonl")
        assert isinstance(first, Record)
        assert (first.theme, messages(first)) == ("x", TOLD)
        assert isinstance(second, BadRecord)
        assert (second.row, second.reason) == (2, "message 1: speaker must be 1 or 2, not 3")
