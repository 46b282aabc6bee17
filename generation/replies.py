"""The JSON inside a model's reply: found, repaired after common slips, and never trusted.

Models think aloud before they answer, wrap JSON in fences and prose, leave trailing commas, type curly quotes, and name
keys and speakers their own way. This module undoes those; what the JSON must hold is decided in `generation.parsing`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from core.lines import BYTE_ORDER_MARK
from dialogues.transcript import Speaker

REPLY_LIMIT = 1_000_000
# Each false start costs one scan of the reply at worst; a reply with more of them is no answer in JSON.
STARTS_TRIED = 200
VALUES_TRIED = 2_000
REFUSES_WITHIN = 80  # letters from the start of an answer

_DECODER = json.JSONDecoder(strict=False)
_START = re.compile(r"[{\[]")
# Where reasoning begins or ends, in the spellings of models and their servers. Every repeat is bounded.
_MARK = re.compile(
    r"<(?P<end1>/)?(?:seed:)?(?:think(?:ing)?|thoughts?|reasoning|analysis|reflection|scratchpad)(?:\s[^<>]{0,80})?(?<!/)>"
    r"|\[(?P<end2>/)?think(?:ing)?\]|◁(?P<end3>/)?think(?:ing)?▷"
    r"|<\|(?:begin|(?P<end4>end))_of_thought\|>|<\|(?:start|(?P<end5>end))_thinking\|>",
    re.IGNORECASE,
)
# The head of a channel: its name, perhaps whom it speaks to and in which form.
_CHANNEL = re.compile(r"<\|channel\|>\s{0,9}(?P<name>\w{1,20})[^<]{0,200}(?:<\|constrain\|>[^<]{0,80})?<\|message\|>")
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
_FENCE = re.compile(r"\A```\w{0,9}\s|```\Z")
# How a model says no.
_REFUSAL = re.compile(
    r"\b(?:I\s{1,3}(?:can(?:no|['’])t|am\s{1,3}(?:unable|not\s{1,3}able|sorry)|won['’]t|will\s{1,3}not|must\s{1,3}decline)"
    r"|I['’]m\s{1,3}(?:unable|not\s{1,3}able|(?:very\s|so\s|really\s)?sorry)|unable\s{1,3}to\s{1,3}(?:help|assist|comply))\b",
    re.IGNORECASE,
)
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


def json_readings(reply: str) -> Iterator[Iterator[dict[str, Any] | list[Any]]]:
    """Every top-level JSON object or array in the answer of a reply, in order, in each reading of it.

    A list of one object is given once more as that object. The answer is read as it is, then without trailing commas,
    then with straight quotes. Yields nothing for a reply over a million characters.
    """
    if len(reply) > REPLY_LIMIT:
        return
    text = answer_in(reply)
    seen: set[str] = set()
    # Each reading is tried only if those before it found nothing usable, which is rare.
    for mended in (str, _without_trailing_commas, _with_straight_quotes):
        reading = mended(text)
        if reading not in seen:
            seen.add(reading)
            yield _values_in(reading)


def answer_in(reply: str) -> str:
    """The part of a reply after its last reasoning, even if no tag opened it; reasoning that never ends is no answer.

    Of a reply in channels, the final channel, else the last that is no analysis. A reply that is JSON from end to end
    is the answer as a whole, whatever its texts say.
    """
    text = reply.strip(f"{BYTE_ORDER_MARK} \t\r\n")
    marks, channels = list(_MARK.finditer(text)), list(_CHANNEL.finditer(text))
    if not (marks or channels) or _is_json(text):
        return text
    if channels:
        return _last_channel(text, channels)
    ends = [mark.end() for mark in marks if mark.lastgroup]
    begins = ends[-1] if ends else 0
    opened = next((mark.start() for mark in marks if mark.start() >= begins), len(text))
    return text[begins:opened].strip()


def declines(answer: str) -> bool:
    """Whether an answer without JSON begins by saying no."""
    match = _REFUSAL.search(answer[:REFUSES_WITHIN])
    return match is not None and not _START.search(answer) and ":" not in answer[: match.start()]


def _last_channel(text: str, channels: list[re.Match[str]]) -> str:
    final = [channel for channel in channels if channel["name"] == "final"]
    spoken = final or [channel for channel in channels if channel["name"] != "analysis"]
    if not spoken:
        return ""
    said = text[spoken[-1].end() :]
    end = _CHANNEL_END.search(said)
    return (said[: end.start()] if end else said).strip()


def _is_json(text: str) -> bool:
    inner = _FENCE.sub("", text).strip()
    try:
        return inner[:1] in ("{", "[") and _DECODER.raw_decode(inner)[1] == len(inner)
    except (ValueError, RecursionError):
        return False


def _values_in(text: str) -> Iterator[dict[str, Any] | list[Any]]:
    position = wrong = found = 0
    while wrong < STARTS_TRIED and found < VALUES_TRIED and (start := _START.search(text, position)):
        position = start.start()
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            position, wrong = position + 1, wrong + 1
            continue
        found += 1
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
    """(speaker label, text or list of texts) of one entry; the text is None if the form is unknown."""
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
