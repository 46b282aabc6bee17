"""ConvAI2's chats of volunteers with bots, and the older form of the 2017 challenge (`thread` and `users`).

A human is speaker 1 and a bot speaker 2, and each has its own profile. Where both are human, or the file does not say,
the first to speak is speaker 1; then it is unknown whose profile is whose, so profiles are set aside and counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dialogues.formats import described
from dialogues.formats.chat_keys import first_item, identifier, texts_of
from dialogues.formats.containers import Item, objects_of
from dialogues.formats.head import Head
from dialogues.formats.message_text import text_of
from dialogues.formats.people import with_people
from dialogues.formats.reading import FileLines, quoted
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record, RecordError
from dialogues.formats.sides import Chat, record_of
from dialogues.times import iso_time

HUMAN, BOT = "Human", "Bot"
_SIDES = {HUMAN: 1, BOT: 2}
_PROFILES = {"user_profile": HUMAN, "bot_profile": BOT}
_IDS = ("dialog_id", "dialogId")
_USED = frozenset((*_IDS, *_PROFILES, "dialog", "thread", "users", "context"))
_SCORES = ("evaluation_score", "evaluation")


def fits(head: Head) -> str:
    return described.seen(head) if any(map(_is_ours, head.objects)) else ""


def parse(file: FileLines, choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record an object, keyed by its dialog_id or else its place (`00001`)."""
    for place, item in enumerate(objects_of(file), 1):
        yield item if isinstance(item, BadRecord) else _record(item, place, choices.people)


def _record(item: Item, place: int, people: Sequence[str]) -> Record | BadRecord:
    key = next(filter(None, (identifier(item.value.get(name)) for name in _IDS)), item.name or f"{place:05}")
    chat = Chat(item.row, key)
    try:
        classes = _fill(chat, item.value)
    except RecordError as error:
        return BadRecord(item.row, str(error), key)
    if isinstance(context := item.value.get("context"), str):
        chat.theme = context.strip()
    chat.tally.update(f"ignored_key {quoted(str(name))}" for name in item.value if name not in _USED)
    if sorted(classes.values()) == [BOT, HUMAN] or (len(classes) == 1 and set(classes.values()) <= _SIDES.keys()):
        chat.said = [(classes[name], text, time) for name, text, time in chat.said]
        chat.traits = {side: texts_of(item.value.get(name)) for name, side in _PROFILES.items()}
        return record_of(chat, _SIDES)
    chat.tally["profiles_set_aside"] += sum(1 for name in _PROFILES if texts_of(item.value.get(name)))
    (kept,) = with_people([chat], people)
    return record_of(kept, None) if isinstance(kept, Chat) else kept


def _fill(chat: Chat, value: Mapping[str, Any]) -> Mapping[str, str]:
    """Add what was said; the class of each sender, "" where it is unknown."""
    messages = value.get("dialog", value.get("thread"))
    if not isinstance(messages, list):
        raise RecordError(f"dialog must be a list of messages; the keys found are {described.keys(value)}")
    classes = dict(_of_users(value.get("users")))
    for number, message in enumerate(messages, 1):
        if not isinstance(message, dict):
            raise RecordError(f"message {number}: expected an object with sender and text")
        name = identifier(message.get("sender", message.get("userId")))
        if not name:
            raise RecordError(f"message {number}: no sender")
        if not classes.get(name):
            classes[name] = _class_of(message.get("sender_class"))
        _add_message(chat, number, name, message)
    speakers = chat.speakers()
    return {name: called for name, called in classes.items() if name in speakers}


def _add_message(chat: Chat, number: int, name: str, message: Mapping[str, Any]) -> None:
    text = text_of(message.get("text"), chat.tally)
    if text is None:
        raise RecordError(f"message {number}: text must be a text")
    if any(message.get(key) is not None for key in _SCORES):
        chat.tally["scores_of_messages_set_aside"] += 1
    if text:
        chat.said.append((name, text, iso_time(message.get("time"))))
    else:
        chat.tally["empty_messages_set_aside"] += 1


def _of_users(users: object) -> Iterator[tuple[str, str]]:
    for user in users if isinstance(users, list) else ():
        if isinstance(user, dict):
            yield identifier(user.get("id")), _class_of(user.get("userType"))


def _class_of(called: object) -> str:
    """`Human`, `Bot` or ""; the 2017 files name classes of their program, of which bots end with Bot."""
    if not isinstance(called, str) or not called:
        return ""
    last = called.rpartition(".")[2].lower()
    return BOT if last.endswith("bot") else HUMAN if last in ("human", "user", "telegramchat") or "." in called else ""


def _is_ours(value: Mapping[str, Any]) -> bool:
    new, old = first_item(value.get("dialog")), first_item(value.get("thread"))
    if isinstance(new, dict):
        return {"sender", "text"} <= new.keys() and bool(value.keys() & {"dialog_id", *_PROFILES})
    return isinstance(old, dict) and {"userId", "text"} <= old.keys()
