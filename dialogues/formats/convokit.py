"""ConvoKit's utterances: an object a message, which names its conversation and the message it replies to.

Messages of a conversation may stand anywhere in the file. They come in order of time, each after what it replies to;
where a conversation branches, the tally counts replies to an earlier message. A conversation of more than two speakers
is a bad record, unless two people are chosen.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dialogues.formats.branches import word
from dialogues.formats.columns import number_of
from dialogues.formats.containers import Item, objects_of
from dialogues.formats.head import Head
from dialogues.formats.message_rows import Beside, Manner, Row, parsed
from dialogues.formats.reading import FileLines, listed
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record
from dialogues.times import iso_time

_CONVERSATION = ("conversation_id", "root")
_SPEAKER = ("speaker", "user")
_REPLY = ("reply-to", "reply_to")


def fits(head: Head) -> str:
    first = head.objects[0] if head.objects else {}
    named = [next((key for key in keys if key in first), "") for keys in (_CONVERSATION, _SPEAKER, _REPLY, ("text",))]
    return f"{head.container} with the keys {', '.join(named)}" if all(named) else ""


def parse(file: FileLines, choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record for each conversation, keyed by its id; messages without text are set aside and counted."""
    return parsed(lambda: map(_row, objects_of(file)), choices, Manner(may_be_empty=True, follows_replies=True))


def _row(item: Item | BadRecord) -> Row | BadRecord:
    if isinstance(item, BadRecord):
        return item
    value = item.value
    conversation, speaker, reply_to = (_first(value, keys) for keys in (_CONVERSATION, _SPEAKER, _REPLY))
    if isinstance(speaker, dict):
        speaker = speaker.get("id")
    key, name, text = word(conversation), word(speaker), value.get("text")
    if not key or not name or not isinstance(text, str | None):
        wanted = "an utterance has a conversation_id (or root), a speaker (or user) and a text"
        return BadRecord(item.row, f"{wanted}; the keys found are {listed(value)}")
    sent = value.get("timestamp")
    order = "" if number_of(sent) is None else str(sent)
    beside = Beside(order, iso_time(sent) or "", id=word(value.get("id")), reply_to=word(reply_to))
    return Row(item.row, key, name, (text or "").strip(), beside)


def _first(value: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((value[key] for key in keys if value.get(key) is not None), None)
