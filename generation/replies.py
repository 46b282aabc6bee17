"""The JSON inside a model's reply: found, mended where the slip is a common one, and never trusted.

Models wrap JSON in fences and prose, leave trailing commas and type curly quotes. This module undoes those; what
the JSON must hold is decided in `generation.parsing`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

REPLY_LIMIT = 1_000_000
# Each start costs one scan of the reply at worst; a reply with more is not an answer in JSON.
STARTS_TRIED = 200

_DECODER = json.JSONDecoder(strict=False)
_THINKING = re.compile(r"\A\s*<think(?:ing)?>.*</think(?:ing)?>", re.DOTALL)
# A string is taken whole, closed or not, so that no reply makes the search start again inside it.
_STRING_OR_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.?)*+"?)|,(?=\s*[\]}])', re.DOTALL)
_CURLY_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"'})


def json_values(reply: str) -> Iterator[dict[str, Any] | list[Any]]:
    """Every top-level JSON object or array in a reply, outermost first in each reading of it.

    The reply is read as it is, then without trailing commas, then with straight quotes. Yields nothing for a
    reply over a million characters.
    """
    if len(reply) > REPLY_LIMIT:
        return
    text = _THINKING.sub("", reply)
    for reading in dict.fromkeys((text, _without_trailing_commas(text), _with_straight_quotes(text))):
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


def _without_trailing_commas(text: str) -> str:
    return _STRING_OR_TRAILING_COMMA.sub(lambda match: match[1] or "", text)


def _with_straight_quotes(text: str) -> str:
    return _without_trailing_commas(text.translate(_CURLY_QUOTES))
