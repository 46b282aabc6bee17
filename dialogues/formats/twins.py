"""Leave out dialogues that a file shows a second time, from the other side.

ConvAI2's training file repeats its dialogues after the last one: roles exchanged, an absent first message, and
so the last reply missing. Contractions may differ between the two (`i am`, `i'm`). Two dialogues are twins
when their messages agree in letters and digits, contractions written out, apart from at most one message at
either end. The first of the two is kept.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from dialogues.formats.records import BadRecord, Parsed, Record, Twin

# Below this many shared messages, agreement is too likely by chance (“hi”, “hi , how are you ?”).
LEAST_SHARED = 4

_CONTRACTIONS = (
    (re.compile(r"\bcan ?n[o']t\b|\bcan't\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'s\b"), " is"),
)
_NOT_WORD = re.compile(r"[\W_]+")


def without_twins(parsed: Iterable[Record | BadRecord]) -> Iterator[Parsed]:
    """The same stream with each repeated dialogue replaced by a Twin; memory holds a few numbers for each dialogue.

    A dialogue written from another one in the file is a version of it, never a twin.
    """
    wholes: set[int] = set()
    windows: set[int] = set()
    for item in parsed:
        if isinstance(item, BadRecord) or item.origin:
            yield item
            continue
        whole, inner = _fingerprints([canonical(message.text) for message in item.transcript])
        if whole in wholes or whole in windows or not wholes.isdisjoint(inner):
            yield Twin(item.row, item.key)
            continue
        wholes.add(whole)
        windows.update(inner)
        yield item


def canonical(text: str) -> str:
    """Letters and digits only, contractions written out."""
    text = text.casefold().replace("’", "'")
    if "'" in text or "can" in text:
        for pattern, words in _CONTRACTIONS:
            text = pattern.sub(words, text)
    return _NOT_WORD.sub("", text)


def _fingerprints(texts: list[str]) -> tuple[int, list[int]]:
    """Fingerprints of all messages, and of the messages without the first, the last, or both."""
    inner = [texts[1:], texts[:-1], texts[1:-1]]
    return _fingerprint(texts), [_fingerprint(window) for window in inner if len(window) >= LEAST_SHARED]


def _fingerprint(texts: list[str]) -> int:
    return int.from_bytes(blake2b("\x1f".join(texts).encode("utf-8", "replace"), digest_size=8).digest(), "big")
