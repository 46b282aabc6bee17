"""Any JSON or Parquet file whose objects hold a list of messages with speaker and text, under keys that are known.

So it reads ESConv, Topical-Chat, Blended Skill Talk, MSC, DailyDialog, Label Studio's paragraphs and many more. A
person may name the keys instead. The tally counts the keys that are not read. `sides` says who is speaker 1; where
neither messages nor a list beside them name anybody, the two take turns, and the tally counts `speakers_by_turn_order`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dialogues.formats import described
from dialogues.formats.chat_keys import at, identifier, texts_of
from dialogues.formats.chat_layout import Layout, is_pair, layout_of, named_layout
from dialogues.formats.containers import Item, head_of, objects_of
from dialogues.formats.head import Head
from dialogues.formats.message_text import text_of
from dialogues.formats.people import with_people
from dialogues.formats.reading import FileLines, UnreadableFileError, quoted
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record, RecordError
from dialogues.formats.sides import Chat, seated
from dialogues.times import iso_time

# Lists and texts beside the messages that are no part of the dialogue.
_SET_ASIDE = {
    "previous_dialogs": "previous_dialogs_set_aside",
    "annotations": "annotations_set_aside",
    "predictions": "annotations_set_aside",
    "free_turker_utterance": "seed_utterances_set_aside",
    "guided_turker_utterance": "seed_utterances_set_aside",
}
_PICTURES = ("img_url", "image", "images", "image_url")
_NUMBER = re.compile(r"\d{1,6}$")


def fits(head: Head) -> str:
    layout = layout_of(head.objects)
    return f"{described.seen(head)}; {layout.words()}" if layout else ""


def parse(file: FileLines, choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record an object, keyed by its id, its name or its place (`00001`); raises UnreadableFileError if no key
    of messages is known or the one that was named is not there."""
    head = head_of(file)
    columns = choices.columns
    layout = named_layout(columns, head.objects) if "messages" in columns else layout_of(head.objects)
    if layout is None:
        raise UnreadableFileError(described.unknown(head))
    return seated(lambda: with_people(_chats(file, layout), choices.people))


def _chats(file: FileLines, layout: Layout) -> Iterator[Chat | BadRecord]:
    for place, item in enumerate(objects_of(file), 1):
        yield item if isinstance(item, BadRecord) else _chat(item, place, layout)


def _chat(item: Item, place: int, layout: Layout) -> Chat | BadRecord:
    chat = Chat(item.row, identifier(at(item.value, layout.dialogue_id)) or item.name or f"{place:05}")
    try:
        _fill(chat, at(item.value, layout.messages), layout, at(item.value, layout.speakers))
    except RecordError as error:
        return BadRecord(item.row, str(error), chat.key)
    if isinstance(theme := at(item.value, layout.theme), str):
        chat.theme = theme.strip()
    chat.traits = dict(_traits(item.value, layout, chat))
    _count_beside(chat, item.value, layout)
    return chat


def _fill(chat: Chat, messages: object, layout: Layout, speakers: object) -> None:
    if not isinstance(messages, list):
        raise RecordError(f"{layout.messages} must be a list of messages")
    names = _names(speakers, len(messages), layout.speakers)
    for number, message in enumerate(messages, 1):
        try:
            name, content, beside = _read(message, number, layout)
            if names:
                name = names[number - 1]
            text = text_of(content, chat.tally)
            if text is None or not name:
                raise RecordError("no text" if name else "no speaker")
        except RecordError as error:
            raise RecordError(f"message {number}: {error}") from None
        _add_message(chat, name, text, beside, layout)
    if messages and not layout.speaker and not names and not is_pair(messages[0]):
        chat.tally["speakers_by_turn_order"] += 1


def _names(speakers: object, messages: int, key: str) -> list[str]:
    """Who said each of the messages, from a list beside theirs; empty where there is none."""
    if speakers is None:
        return []
    if not isinstance(speakers, list) or len(speakers) != messages:
        found = f"{len(speakers):,}" if isinstance(speakers, list) else "no list"
        raise RecordError(f"{key} must be a list of {messages:,} speakers, one for each message, not {found}")
    return [identifier(name) for name in speakers]


def _read(message: object, number: int, layout: Layout) -> tuple[str, object, Mapping[str, Any]]:
    """The speaker, the content and the whole of a message; speakers who are not named are 1 and 2 in turn."""
    if isinstance(message, str) and not layout.text:
        return str(2 - number % 2), message, {}
    if is_pair(message) and not layout.text:
        return identifier(message[0]), message[1], {}  # type: ignore[index]
    if not isinstance(message, dict) or not layout.text:
        raise RecordError(f"expected {'an object' if layout.text else 'a text or [speaker, text]'}")
    name = identifier(at(message, layout.speaker)) if layout.speaker else str(2 - number % 2)
    return name, at(message, layout.text), message


def _add_message(chat: Chat, name: str, text: str, beside: Mapping[str, Any], layout: Layout) -> None:
    read = (layout.speaker, layout.text, layout.time)
    for key, part in beside.items():
        if part and key not in read:
            chat.tally["images_set_aside" if key in _PICTURES else f"ignored_key {quoted(str(key))}"] += 1
    written = at(beside, layout.time)
    time = iso_time(written)
    if written is not None and time is None:
        chat.tally["times_not_read"] += 1
    if text:
        chat.said.append((name, text, time))
    else:
        chat.tally["empty_messages_set_aside"] += 1


def _traits(value: Mapping[str, Any], layout: Layout, chat: Chat) -> Iterator[tuple[str, tuple[str, ...]]]:
    found = at(value, layout.traits)
    if isinstance(found, dict):
        yield from ((name, texts) for name in found if (texts := texts_of(found[name])))
        return
    lists = [at(value, layout.traits_1), at(value, layout.traits_2)]
    if isinstance(found, list) and len(found) == 2 and all(isinstance(part, list) for part in found):
        lists = found
    elif found:
        chat.tally["traits_set_aside"] += 1
    for name, one in zip(_in_order(chat.speakers(), 2 if layout.text else 1), lists, strict=True):
        if texts := texts_of(one):
            yield name, texts


def _in_order(speakers: list[str], second: int) -> list[str]:
    """Two speakers: by the numbers in their names, else in the order in which they speak; "" is one who is silent.

    `second` is the number of the second speaker, to tell who is silent.
    """
    numbers = [int(found.group()) for name in speakers if (found := _NUMBER.search(name))]
    if len(speakers) == 2 == len(numbers):
        return [name for _, name in sorted(zip(numbers, speakers, strict=True))]
    is_second_alone = len(speakers) == 1 and numbers == [second]
    return ["", *speakers] if is_second_alone else [*speakers, "", ""][:2]


def _count_beside(chat: Chat, value: Mapping[str, Any], layout: Layout) -> None:
    used = layout.used()
    for key, part in value.items():
        if key in used or part in (None, "", [], {}):
            continue
        kind = _SET_ASIDE.get(key)
        if kind:
            chat.tally[kind] += len(part) if isinstance(part, list) else 1
        else:
            chat.tally[f"ignored_key {quoted(str(key))}"] += 1
