"""The two people of a group chat whose messages are kept."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dialogues.formats.reading import first_of, quoted
from dialogues.formats.records import BadRecord
from dialogues.formats.sides import Chat


def with_people(chats: Iterable[Chat | BadRecord], people: Sequence[str]) -> Iterator[Chat | BadRecord]:
    """Dialogues of more than two speakers with the messages of the chosen people only; the tally counts the others'."""
    for chat in chats:
        is_group = bool(people) and isinstance(chat, Chat) and len(chat.speakers()) > 2
        yield _narrowed(chat, people) if is_group and isinstance(chat, Chat) else chat


def _narrowed(chat: Chat, people: Sequence[str]) -> Chat | BadRecord:
    if not any(name in people for name, _, _ in chat.said):
        names = first_of([f"“{quoted(name)}”" for name in chat.speakers()])
        reason = f"none of the people chosen speaks in it; its speakers are {names}"
        return BadRecord(chat.row, reason, chat.key, tuple(Counter(name for name, _, _ in chat.said).items()))
    chat.tally["messages_of_others_set_aside"] += chat.keep(lambda name, _: name in people)
    return chat


def said_by(messages: Mapping[str, int]) -> str:
    """`“Mary” (12), “Tom” (7)`, who wrote most first."""
    return first_of([f"“{quoted(name)}” ({count:,})" for name, count in Counter(messages).most_common()])
