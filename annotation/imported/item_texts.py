"""The messages of a rated item, from the keys that rating files have for them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from annotation.imported.rating_rows import Message, RatingError
from core.lines import lines_of
from dialogues.formats.records import LONGEST_MESSAGE, RecordError, check_size
from dialogues.transcript import text_problem

_TEXTS = ("text", "dialogue", "dialog", "conversation", "transcript", "chat", "messages")
_SPEAKERS = ("author", "speaker", "role", "from", "sender")
_SAID = ("text", "content", "value", "utterance", "message")
# Marks at the beginning of a line of context, and who it is.
_MARKS = {"user": 1, "human": 1, "system": 2, "bot": 2, "assistant": 2}


def context_and_answer(context: object, answer: object) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """(context, context and answer): a line of the context is a message, and the answer comes from the other side.

    Lines that begin with “User:” or “System:” say who speaks; otherwise the two take turns, line by line.
    """
    before = tuple(_lines(context))
    said = answer.strip() if isinstance(answer, str) else ""
    side = _other(before[-1][0]) if before else 1
    return before, (*before, *_checked([(side, said)] if said else []))


def item_messages(data: Mapping[str, Any]) -> tuple[Message, ...]:
    """What the data of one item show of a text: a list of messages, a text, or context and response; () for none."""
    for key in _TEXTS:
        found = data.get(key)
        if isinstance(found, str) and found.strip():
            return tuple(_checked([(1, found.strip())]))
        if isinstance(found, list) and (messages := _spoken(found)):
            return tuple(_checked(messages))
    return context_and_answer(data.get("context"), data.get("response"))[1]


def _lines(context: object) -> Iterable[Message]:
    lines = context if isinstance(context, list) else lines_of(context) if isinstance(context, str) else []
    texts = [line.strip() for line in lines if isinstance(line, str) and line.strip()]
    side = 2
    messages = []
    for text in texts:
        mark, _, rest = text.partition(":")
        known = _MARKS.get(mark.strip().lower())
        side = known or _other(side)
        messages.append((side, rest.strip() or text if known else text))
    return _checked(messages)


def _spoken(rows: Sequence[object]) -> list[Message]:
    """Messages of two people; of more, or of other things, none: a rated item needs no text."""
    people: list[str] = []
    messages = []
    for row in rows:
        said = row if isinstance(row, Mapping) else {}
        text = next((said[key] for key in _SAID if isinstance(said.get(key), str)), "")
        who = str(next((said[key] for key in _SPEAKERS if key in said), ""))
        if who not in people:
            people.append(who)
        if len(people) > 2:
            return []
        if text.strip():
            messages.append((people.index(who) + 1, text.strip()))
    return messages


def _checked(messages: Sequence[Message]) -> Sequence[Message]:
    """The messages; raises RatingError if they cannot be stored as a dialogue."""
    for _, text in messages:
        if len(text) > LONGEST_MESSAGE:
            raise RatingError(f"a message has {len(text):,} characters; it has at most {LONGEST_MESSAGE:,}")
        if problem := text_problem(text):
            raise RatingError(problem)
    try:
        check_size(len(messages), sum(len(text) for _, text in messages))
    except RecordError as error:
        raise RatingError(str(error)) from error
    return messages


def _other(side: int) -> int:
    return 3 - side
