"""Chats of a person with a program, whose messages name roles: OpenAI's `messages` and ShareGPT's `conversations`.

People are speaker 1, programs speaker 2. The first system message becomes the theme. Further ones, messages of other
roles (developer, tool, function), tool calls and parts that are no text are set aside and counted; so are messages that
have no text left. Times of messages are kept.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from dialogues.formats import described
from dialogues.formats.chat_keys import ID, TIME, first_key, identifier
from dialogues.formats.containers import Item, objects_of
from dialogues.formats.head import Head
from dialogues.formats.message_text import text_of
from dialogues.formats.reading import FileLines, quoted
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record, RecordError
from dialogues.formats.roles import SIDES, SYSTEM, role_of
from dialogues.formats.sides import Chat, record_of
from dialogues.times import iso_time

LISTS = ("messages", "conversations", "conversation", "dialogue", "dialog", "chat", "turns")
# The keys of who speaks and of what is said.
OPENAI, SHAREGPT = ("role", "content"), ("from", "value")


def fits(head: Head, keys: tuple[str, str] = OPENAI) -> str:
    return described.seen(head) if any(list_of(found, keys) for found in head.objects) else ""


def parse(
    file: FileLines, choices: Choices = AS_IT_COMES, keys: tuple[str, str] = OPENAI
) -> Iterator[Record | BadRecord]:
    """One record an object, keyed by its id or else its place (`00001`)."""
    for place, item in enumerate(objects_of(file), 1):
        yield item if isinstance(item, BadRecord) else _record(item, place, keys)


fits_sharegpt = partial(fits, keys=SHAREGPT)
parse_sharegpt = partial(parse, keys=SHAREGPT)


def list_of(value: Mapping[str, Any], keys: tuple[str, str] = OPENAI) -> str:
    """The key of a list of messages whose roles are known, or ""."""
    return next((name for name in LISTS if _is_chat(value.get(name), keys)), "")


def fill(chat: Chat, messages: object, keys: tuple[str, str] = OPENAI) -> None:
    """Add what the two said, and count the rest; raises RecordError where a message is none."""
    if not isinstance(messages, list):
        raise RecordError("its messages are no list")
    for number, message in enumerate(messages, 1):
        try:
            _add_message(chat, message, keys)
        except RecordError as error:
            raise RecordError(f"message {number}: {error}") from None


def _record(item: Item, place: int, keys: tuple[str, str]) -> Record | BadRecord:
    name = list_of(item.value, keys) or first_key(LISTS, item.value)
    known = next((key for key in ID if identifier(item.value.get(key))), "")
    chat = Chat(item.row, item.name or identifier(item.value.get(known)) or f"{place:05}")
    chat.tally.update(f"ignored_key {quoted(key)}" for key in item.value if key not in (name, known))
    try:
        if not name:
            raise RecordError(f"no list of messages: the keys found are {described.keys(item.value)}")
        fill(chat, item.value[name], keys)
    except RecordError as error:
        return BadRecord(item.row, str(error), chat.key)
    return record_of(chat, SIDES)


def _is_chat(messages: object, keys: tuple[str, str]) -> bool:
    if not isinstance(messages, list) or not messages:
        return False
    return all(isinstance(message, dict) and bool(role_of(message.get(keys[0]))) for message in messages[:5])


def _add_message(chat: Chat, message: object, keys: tuple[str, str]) -> None:
    if not isinstance(message, dict):
        raise RecordError(f"expected an object with {keys[0]} and {keys[1]}")
    role = role_of(message.get(keys[0]))
    if not role:
        raise RecordError(f"unknown {keys[0]} “{quoted(str(message.get(keys[0])))}”; user and assistant are known")
    text = text_of(message.get(keys[1]), chat.tally)
    if text is None:
        raise RecordError(f"{keys[1]} must be a text or a list of parts")
    time_key = first_key(TIME, message)
    time = iso_time(message.get(time_key))
    if time is None and message.get(time_key) is not None:
        chat.tally["times_not_read"] += 1
    _count_beside(chat.tally, message, (*keys, time_key))
    if role in SIDES and text:
        chat.said.append((role, text, time))
    elif role == SYSTEM and not chat.theme:
        chat.theme = text
    else:
        chat.tally["empty_messages_set_aside" if role in SIDES else f"{role}_messages_set_aside"] += 1


def _count_beside(tally: Counter[str], message: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for name, value in message.items():
        if name in keys or value in (None, [], "", {}):
            continue
        calls = len(value) if isinstance(value, list) else 1
        tally["tool_calls_set_aside" if name in ("tool_calls", "function_call") else f"ignored_key {quoted(name)}"] += (
            calls
        )
