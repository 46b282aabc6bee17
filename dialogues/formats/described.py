"""What a JSON or Parquet file holds, in words: for a person to see what its form was told by, or why it was not."""

import re
from collections.abc import Mapping
from typing import Any

from dialogues.formats.chat_keys import first_item
from dialogues.formats.columns import REQUIRED, advice, guess_columns
from dialogues.formats.containers import PARQUET
from dialogues.formats.head import Head
from dialogues.formats.json_rows import first_rows
from dialogues.formats.reading import first_of, listed, quoted

_EMPTY_LIST = re.compile(r"\s*\[\s*\]\s*")


def seen(head: Head) -> str:
    """`one JSON list, with the keys id, conversations (from, value)`."""
    return f"{head.container}, with the keys {keys(head.objects[0])}" if head.objects else head.container


def keys(value: Mapping[str, Any]) -> str:
    """Its keys, and for a list of objects the keys of the first: `id, conversations (from, value)`."""
    items = ((quoted(str(key)), first_item(part)) for key, part in value.items())
    return first_of([f"{key} ({listed(item)})" if isinstance(item, dict) else key for key, item in items])


def nothing_in(head: Head, wanted: str = "dialogues") -> str:
    """Why a JSON or Parquet file holds nothing, whatever its keys are called; "" if it may hold what is wanted."""
    if why := _why_nothing(head):
        return f"The file holds no {wanted}: {why}. Choose another file, or export this one again."
    return ""


def _why_nothing(head: Head) -> str:
    if not head.objects:
        if head.container == PARQUET:
            return "its table has no rows"
        return "its list is empty" if _EMPTY_LIST.fullmatch(head.text) else ""
    if not any(head.objects):
        return "its object has no keys" if len(head.objects) == 1 else "its objects have no keys"
    first = head.objects[0]
    if len(head.objects) == 1 and all(value in ([], {}) for value in first.values()):
        return f"{first_of([quoted(str(key)) for key in first])} {'is' if len(first) == 1 else 'are'} empty"
    return ""


def unknown(head: Head) -> str:
    """Why no form reads the file, and what to do."""
    if nothing := nothing_in(head):
        return nothing
    guess = guess_columns(*first_rows(head))
    if guess.keys() >= set(REQUIRED):
        return f"This file holds {seen(head)}. It seems to have a message an object. {advice(guess)}"
    return (
        f"This file holds {seen(head)}. None of them is known as a dialogue's list of messages with speaker and text. "
        "Say which keys these are: under Columns on the import page, or by --columns messages=…,speaker=…,text=…; "
        "for rows of a message each, by --columns dialogue_id=…,speaker=…,text=… (docs/formats.md lists the forms that "
        "are read)."
    )
