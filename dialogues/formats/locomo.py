"""LoCoMo: two people who talk in many sessions; each session is a dialogue (`conv-26/session_1`).

`speaker_a` is speaker 1. The time of a session is that of its first message. Pictures and what was asked about the
conversation are set aside and counted.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dialogues.formats import described
from dialogues.formats.chat_keys import identifier
from dialogues.formats.containers import Item, objects_of
from dialogues.formats.head import Head
from dialogues.formats.message_text import text_of
from dialogues.formats.reading import FileLines, quoted
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record, RecordError
from dialogues.formats.sides import Chat, record_of
from dialogues.times import session_time

_PEOPLE = ("speaker_a", "speaker_b")
_SESSION = re.compile(r"session_\d{1,6}")


def fits(head: Head) -> str:
    return described.seen(head) if any(_conversation(found) for found in head.objects) else ""


def parse(file: FileLines, choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    for place, item in enumerate(objects_of(file), 1):
        if isinstance(item, BadRecord):
            yield item
        else:
            yield from _sessions(item, identifier(item.value.get("sample_id")) or item.name or f"{place:05}")


def _sessions(item: Item, key: str) -> Iterator[Record | BadRecord]:
    conversation = _conversation(item.value)
    sessions = [name for name in conversation if _SESSION.fullmatch(name)]
    if not sessions:
        found = described.keys(item.value)
        yield BadRecord(item.row, f"no conversation with speaker_a, speaker_b and session_1; the keys are {found}", key)
    for number, name in enumerate(sessions):
        chat = Chat(item.row, f"{key}/{name}")
        if not number:
            chat.tally.update(f"ignored_key {quoted(str(one))}" for one in item.value if one not in _USED)
        yield _record(item, chat, conversation, name)


_USED = frozenset({"sample_id", "conversation"})


def _record(item: Item, chat: Chat, conversation: Mapping[str, Any], name: str) -> Record | BadRecord:
    people = [identifier(conversation[person]) for person in _PEOPLE]
    time = session_time(str(conversation.get(f"{name}_date_time", "")))
    try:
        if not isinstance(messages := conversation[name], list):
            raise RecordError(f"{name} must be a list of messages")
        for number, message in enumerate(messages, 1):
            _add_message(chat, number, message, people)
    except RecordError as error:
        return BadRecord(item.row, str(error), chat.key)
    if time and chat.said:
        chat.said[0] = (*chat.said[0][:2], time)
    return record_of(chat, {people[0]: 1, people[1]: 2})


def _add_message(chat: Chat, number: int, message: object, people: list[str]) -> None:
    speaker = identifier(message.get("speaker")) if isinstance(message, dict) else ""
    if not isinstance(message, dict) or speaker not in people:
        raise RecordError(f"message {number}: its speaker is neither {quoted(people[0])} nor {quoted(people[1])}")
    text = text_of(message.get("text"), chat.tally)
    if text is None:
        raise RecordError(f"message {number}: text must be a text")
    if pictures := message.get("img_url"):
        chat.tally["images_set_aside"] += len(pictures) if isinstance(pictures, list) else 1
    if text:
        chat.said.append((speaker, text, None))
    else:
        chat.tally["empty_messages_set_aside"] += 1


def _conversation(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What names both speakers: the object under `conversation`, or the object itself; else nothing."""
    for found in (value.get("conversation"), value):
        if isinstance(found, dict) and all(identifier(found.get(person)) for person in _PEOPLE):
            return found
    return {}
