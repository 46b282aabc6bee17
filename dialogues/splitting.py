"""The punctuation-split baseline: a single-step dialogue cut after every sentence, without a model (paper §1)."""

import re
from collections.abc import Iterator

from dialogues.transcript import Message, Transcript

# A run of . ! ? … with closing marks, or of their full-width equivalents, which need no blank after them.
_MARKS = re.compile(r"""(?P<stop>[.!?…]+)[)\]"'’”»]*|[。！？]+[）」』”’]*""")
_ABBREVIATION = re.compile(r"(?<!\w)(?:mr|mrs|ms|dr|prof|st|vs|approx|e\.g|i\.e)\.\Z", re.IGNORECASE)
# The longest abbreviation with its stop; looking further back would take quadratic time on a long text.
_LOOK_BACK = 7


def split_by_punctuation(transcript: Transcript) -> Transcript:
    """Every sentence becomes a message of its own; nothing but blanks between sentences is lost."""
    return Transcript(
        tuple(Message(message.speaker, text) for message in transcript for text in sentences(message.text))
    )


def sentences(text: str) -> list[str]:
    """The sentences of a text, stripped; a text without a sentence end is one sentence."""
    parts = []
    start = 0
    for end in _sentence_ends(text):
        if not _ABBREVIATION.search(text, max(start, end - _LOOK_BACK), end):
            parts.append(text[start:end].strip())
            start = end
    return [part for part in [*parts, text[start:].strip()] if part]


def _sentence_ends(text: str) -> Iterator[int]:
    """Where marks precede a blank; marks separated only by blanks (in tokenised text) are one end.

    One pass: no run of marks is read twice.
    """
    last: re.Match[str] | None = None
    for found in _MARKS.finditer(text):
        if found["stop"] and not text[found.end() : found.end() + 1].isspace():
            continue
        if last and not _goes_on(text, last, found):
            yield last.end()
        last = found
    if last:
        yield last.end()


def _goes_on(text: str, last: re.Match[str], found: re.Match[str]) -> bool:
    """Whether the marks found continue the last ones: nothing but blanks between, and no closing mark."""
    is_open = last["stop"] and found["stop"] and last.end() == last.end("stop")
    return bool(is_open) and not text[last.end() : found.start()].strip(" \t")
