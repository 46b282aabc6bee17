"""The JSON inside a model's reply: found, mended where the slip is a common one, and never trusted.

Models wrap JSON in fences and prose, leave trailing commas, type curly quotes, and name keys and speakers their own
way. This module undoes those; what the JSON must hold is decided in `generation.parsing`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from dialogues.transcript import Speaker

REPLY_LIMIT = 1_000_000
# Each start costs one scan of the reply at worst; a reply with more is not an answer in JSON.
STARTS_TRIED = 200

_DECODER = json.JSONDecoder(strict=False)
_THINKING = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
# A string is taken whole, closed or not, so that no reply makes the search start again inside it.
_STRING_OR_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.?)*+"?)|,(?=\s*[\]}])', re.DOTALL)
_SPEAKER_KEYS = ("speaker", "role", "person", "from", "name", "user")
_TEXT_KEYS = ("text", "message", "messages", "content", "value", "utterance", "texts")
_LABEL = re.compile(
    r"[\W_]*(?:the\s+)?(?:user|role|person|speaker|character|participant|persona|friend|p)?[\W_]*(1|2|one|two|a|b)[\W_]*",
    re.IGNORECASE,
)
_NUMBERS: dict[str, Speaker] = {"1": 1, "one": 1, "a": 1, "2": 2, "two": 2, "b": 2}
_CURLY_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"'})


def json_values(reply: str) -> Iterator[dict[str, Any] | list[Any]]:
    """Every top-level JSON object or array in a reply, outermost first in each reading of it.

    A list of one object is given once more as that object. The reply is read as it is, then without trailing commas,
    then with straight quotes. Yields nothing for a reply over a million characters.
    """
    if len(reply) > REPLY_LIMIT:
        return
    text = _THINKING.sub("", reply)
    seen: set[str] = set()
    # Each reading is made only once the ones before it brought nothing usable, which is seldom.
    for mended in (str, _without_trailing_commas, _with_straight_quotes):
        reading = mended(text)
        if reading not in seen:
            seen.add(reading)
            yield from _values_in(reading)


def _values_in(text: str) -> Iterator[dict[str, Any] | list[Any]]:
    position = 0
    for _ in range(STARTS_TRIED):
        starts = [start for start in (text.find("{", position), text.find("[", position)) if start >= 0]
        if not starts:
            return
        position = min(starts)
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            position += 1
            continue
        yield value
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            yield value[0]


def _without_trailing_commas(text: str) -> str:
    return _STRING_OR_TRAILING_COMMA.sub(lambda match: match[1] or "", text)


def _with_straight_quotes(text: str) -> str:
    return _without_trailing_commas(text.translate(_CURLY_QUOTES))


def field(value: dict[str, Any], name: str) -> Any:
    """The value under a key, however its words are joined ("single_step", "Single-step dialogue", "singleStep")."""
    wanted = _plain(name)
    for key, item in value.items():
        if _plain(key).removesuffix("dialogue").removesuffix("dialog") == wanted:
            return item
    return None


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def entry_of(entry: Any) -> tuple[Any, Any]:
    """(speaker label, text or list of texts) of one entry; the text is None where the form is not known."""
    if isinstance(entry, dict):
        return _object_entry(entry)
    if isinstance(entry, list):
        return (entry[0], entry[1]) if len(entry) == 2 else (None, None)
    label, colon, text = entry.partition(":") if isinstance(entry, str) else ("", "", "")
    return (label, text.lstrip()) if colon else (None, None)


def _object_entry(entry: dict[str, Any]) -> tuple[Any, Any]:
    if len(entry) == 1:
        return next(iter(entry.items()))
    label = next((entry[key] for key in _SPEAKER_KEYS if key in entry), None)
    return label, next((entry[key] for key in _TEXT_KEYS if key in entry), None)


def speaker_of(label: object) -> Speaker | None:
    """1 or 2 for 1, "2", "User 1", "Role 2", "Person A", "**speaker_b**"; None for anything else."""
    if isinstance(label, bool):
        return None
    if isinstance(label, int):
        return 1 if label == 1 else 2 if label == 2 else None
    match = _LABEL.fullmatch(label) if isinstance(label, str) and len(label) <= 40 else None
    return _NUMBERS[match[1].lower()] if match else None
