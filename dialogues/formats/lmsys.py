"""Chats with named models: LMSYS-Chat-1M (one model a row) and Chatbot Arena (two models answer one prompt).

The two answers to one prompt are two versions: `first-answer`, and `second-answer` with the first as its origin. A file
has them in one row (model_a, model_b), or in two rows of one conversation_id that begin with the same message.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dialogues.formats import described
from dialogues.formats.chat_keys import first_item, identifier
from dialogues.formats.containers import Item, objects_of
from dialogues.formats.head import Head
from dialogues.formats.reading import FileLines, quoted
from dialogues.formats.records import AS_IT_COMES, ORIGINAL, BadRecord, Choices, Record, RecordError
from dialogues.formats.role_chats import OPENAI, fill, list_of
from dialogues.formats.roles import SIDES
from dialogues.formats.sides import Chat, record_of

FIRST, SECOND = "first-answer", "second-answer"
_BATTLE = ("conversation_a", "conversation_b")
_IDS = ("conversation_id", "question_id", "id")
_USED = frozenset((*_IDS[:2], "model", "conversation", "model_a", "model_b", *_BATTLE))


def fits(head: Head) -> str:
    return described.seen(head) if any(_is_battle(found) or _is_chat(found) for found in head.objects) else ""


def parse(file: FileLines, choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """The file is read twice: only its end shows which prompts were answered twice."""
    pairs = _answered_twice(item.value for item in objects_of(file) if isinstance(item, Item))
    # The key of the first answer, once it was read.
    firsts: dict[int, str] = {}
    for place, item in enumerate(objects_of(file), 1):
        if isinstance(item, BadRecord):
            yield item
        elif _is_battle(item.value):
            yield from _battle(item, place)
        else:
            chat = _chat(item, _key(item, place), item.value.get("model"))
            prompt = _prompt(item.value)
            if prompt in firsts:
                chat.version, chat.origin, chat.key = SECOND, firsts[prompt], f"{chat.key}/{SECOND}"
            elif prompt in pairs:
                chat.version, firsts[prompt] = FIRST, chat.key
            yield _record(item, chat, item.value.get("conversation"))


def _answered_twice(values: Iterable[Mapping[str, Any]]) -> set[int]:
    """Prompts with exactly two rows; numbers stand for them, as there may be a million."""
    once, twice, often = set[int](), set[int](), set[int]()
    for value in values:
        prompt = _prompt(value)
        if prompt:
            (often if prompt in twice else twice if prompt in once else once).add(prompt)
    return twice - often


def _battle(item: Item, place: int) -> Iterator[Record | BadRecord]:
    """Both answers, or what is wrong with either: one alone would be stored without what it was compared with."""
    key = _key(item, place)
    first = _chat(item, f"{key}/{FIRST}", item.value.get("model_a"), FIRST)
    second = _chat(item, f"{key}/{SECOND}", item.value.get("model_b"), SECOND)
    second.origin = first.key
    second.tally.clear()
    records = [_record(item, chat, item.value.get(name)) for chat, name in zip((first, second), _BATTLE, strict=True)]
    bad = [record for record in records if isinstance(record, BadRecord)]
    yield from bad[:1] or records


def _chat(item: Item, key: str, model: object, version: str = ORIGINAL) -> Chat:
    chat = Chat(item.row, key, written_by=identifier(model), version=version)
    chat.tally.update(f"ignored_key {quoted(str(name))}" for name in item.value if name not in _USED)
    return chat


def _record(item: Item, chat: Chat, messages: object) -> Record | BadRecord:
    try:
        fill(chat, messages)
    except RecordError as error:
        return BadRecord(item.row, str(error), chat.key)
    return record_of(chat, SIDES)


def _key(item: Item, place: int) -> str:
    return next(filter(None, (identifier(item.value.get(name)) for name in _IDS)), item.name or f"{place:05}")


def _prompt(value: Mapping[str, Any]) -> int:
    """A number for the id and the first message, or 0 without an id."""
    name = identifier(value.get("conversation_id"))
    return hash((name, str(first_item(value.get("conversation"))))) if name else 0


def _is_chat(value: Mapping[str, Any]) -> bool:
    return {"conversation_id", "model"} <= value.keys() and list_of(value, OPENAI) == "conversation"


def _is_battle(value: Mapping[str, Any]) -> bool:
    return {"model_a", "model_b", *_BATTLE} <= value.keys()
