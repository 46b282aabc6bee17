"""Telegram Desktop's export in JSON: one chat, or all chats of an account in `chats.list`, each a dialogue.

People are told apart by `from_id`, because names change and two people may have one name. Service messages, media,
stickers and the like are set aside and counted by kind; a caption is a message.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dialogues.formats.chat_log import Aside, Entry, Log, Said, count, dialogues_of, two_of
from dialogues.formats.head import Head
from dialogues.formats.json_text import JsonText
from dialogues.formats.reading import FileLines, UnreadableFileError
from dialogues.formats.records import AS_IT_COMES, KEY_LENGTH, BadRecord, Choices, GroupError, Record
from dialogues.formats.sides import sides_of
from dialogues.formats.strict_json import RefusedError
from dialogues.times import iso_time

_CHATS = ("chats", "left_chats")
_TYPES = (
    "personal_chat|bot_chat|saved_messages|replies|verification_codes|(?:private|public)_(?:group|supergroup|channel)"
)
_TYPE = re.compile(rf'"type"\s{{0,2}}:\s{{0,2}}"(?:{_TYPES})"')
_MEDIA_TYPES = {
    "sticker": "stickers_set_aside",
    "voice_message": "audio_messages_set_aside",
    "audio_file": "audio_messages_set_aside",
    "video_message": "videos_set_aside",
    "video_file": "videos_set_aside",
    "animation": "gifs_set_aside",
}
_MEDIA_KEYS = {
    "photo": "images_set_aside",
    "file": "documents_set_aside",
    "contact_information": "contacts_set_aside",
    "location_information": "locations_set_aside",
    "poll": "polls_set_aside",
}


@dataclass(slots=True)
class _Chat:
    """A chat while its messages are read; `said` counts them by person, in the order in which they first speak."""

    key: str
    messages: Iterator[Any]
    said: Counter[str] = field(default_factory=Counter)


def fits(head: Head) -> str:
    """Looks at the text: a chat with many messages may be one object that is longer than the beginning of the file."""
    text = head.text
    is_chat = text.lstrip().startswith("{") and '"messages"' in text and '"from_id"' in text and _TYPE.search(text)
    return "chats with the keys type, messages and from_id" if is_chat else ""


def parse(file: FileLines, choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """A record for each chat, keyed by its id; where silences split it, `id/001`, …

    A chat of more people is one bad record, unless two are chosen. The file is read twice. Raises UnreadableFileError
    if it is no JSON, is cut off, or holds no chat.
    """
    names, people = _looked_over(file, choices)
    sides = sides_of([found for found in people if isinstance(found, tuple)])
    place = 0
    for place, (chat, found) in enumerate(zip(_chats(file), people, strict=True), 1):
        if isinstance(found, GroupError):
            yield BadRecord(place, str(found), chat.key, found.people)
            continue
        seats = sides or {name: side for side, name in enumerate(found, 1)}
        yield from dialogues_of(Log(chat.key, _entries(chat, names), found), seats, choices)
    if not place:
        raise UnreadableFileError("This file holds no chat with messages. Export a chat from Telegram as JSON.")


def _looked_over(file: FileLines, choices: Choices) -> tuple[dict[str, str], list[tuple[str, ...] | GroupError]]:
    """What each person is called, and of each chat the people to keep or why there are none."""
    first_names: dict[str, str] = {}
    chats = []
    for chat in _chats(file):
        for message in chat.messages:
            if isinstance(message, dict) and _text(message):
                person = _person(message)
                count(chat.said, person)
                if person in chat.said:
                    first_names.setdefault(person, _name(message))
        chats.append(chat.said)
    names = _told_apart(first_names)
    return names, [_people(said, names, choices) for said in chats]


def _told_apart(first_names: Mapping[str, str]) -> dict[str, str]:
    """A name for each person; where two have one name, with what tells them apart."""
    often = Counter(first_names.values())
    return {person: name if often[name] == 1 else f"{name} ({person})" for person, name in first_names.items()}


def _people(said: Mapping[str, int], names: Mapping[str, str], choices: Choices) -> tuple[str, ...] | GroupError:
    chosen = tuple(names.get(name, name) for name in choices.people)
    try:
        return two_of({names[person]: count for person, count in said.items()}, chosen)
    except GroupError as error:
        return error


def _chats(file: FileLines) -> Iterator[_Chat]:
    """Every chat of the file; what the caller leaves of its messages is passed over."""
    text = JsonText(file.pieces())
    header: dict[str, Any] = {}
    for key in text.members():
        if key == "messages" and text.peek() == "[":
            yield from _chat_at(text, header, 1)
        elif key in _CHATS and text.peek() == "{":
            yield from _listed(text)
        else:
            header[key] = _short(text)
    text.end()


def _listed(text: JsonText) -> Iterator[_Chat]:
    for key in text.members():
        if key != "list" or text.peek() != "[":
            _short(text)
            continue
        for place in text.elements():
            if text.peek() != "{":
                text.value()
                continue
            header: dict[str, Any] = {}
            for part in text.members():
                if part == "messages" and text.peek() == "[":
                    yield from _chat_at(text, header, place)
                else:
                    header[part] = _short(text)


def _chat_at(text: JsonText, header: Mapping[str, Any], place: int) -> Iterator[_Chat]:
    found = header.get("id")
    chat = _Chat(str(found) if isinstance(found, str | int) else f"{place:05}", (text.value() for _ in text.elements()))
    yield chat
    for _ in chat.messages:
        pass


def _short(text: JsonText, depth: int = 4) -> Any:
    """The value at the cursor if it is no list or object; lists and objects, which may be long, are passed over."""
    opener = text.peek()
    if opener not in ("[", "{") or not depth:
        return text.value()
    for _ in text.elements() if opener == "[" else text.members():
        _short(text, depth - 1)
    return None


def _entries(chat: _Chat, names: Mapping[str, str]) -> Iterator[Entry]:
    for row, message in enumerate(chat.messages, 1):
        if isinstance(message, RefusedError):
            yield BadRecord(row, str(message))
        elif not isinstance(message, dict):
            yield BadRecord(row, f"message {row} is not a JSON object")
        elif message.get("type", "message") != "message":
            yield Aside("notices_set_aside")
        else:
            yield from _of_message(row, message, names)


def _of_message(row: int, message: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Entry]:
    text, kind = _text(message), _media(message)
    if kind:
        yield Aside(kind)
    elif not text:
        yield Aside("empty_messages_set_aside")
    if text and message.get("forwarded_from"):
        yield Aside("forwarded_messages_among_them")
    if text:
        yield Said(row, names.get(person := _person(message), person), text, iso_time(message.get("date")))


def _media(message: Mapping[str, Any]) -> str:
    by_type = _MEDIA_TYPES.get(str(message.get("media_type")), "")
    return by_type or next((kind for key, kind in _MEDIA_KEYS.items() if message.get(key)), "")


def _person(message: Mapping[str, Any]) -> str:
    return str(message.get("from_id") or message.get("from") or "unknown")[:KEY_LENGTH]


def _name(message: Mapping[str, Any]) -> str:
    return str(message.get("from") or "").strip()[:KEY_LENGTH] or _person(message)


def _text(message: Mapping[str, Any]) -> str:
    """The text, which stands in parts where some of it is a link or in bold; service messages have none."""
    if message.get("type", "message") != "message":
        return ""
    text = message.get("text")
    parts = text if isinstance(text, list) else [text]
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return "".join(part for part in texts if isinstance(part, str)).strip()
