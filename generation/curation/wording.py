"""Compare two texts or two dialogues word by word."""

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from dialogues.transcript import Message, Transcript

Mark = Literal["same", "removed", "added"]
_PIECES = re.compile(r"\s+|\S+")
# With more words the comparison would take seconds: such texts count as rewritten.
MOST_PIECES = 4_000
# And beyond this many pairs of equal words or messages, one of either side.
MOST_MATCHES = 500_000


class Piece(NamedTuple):
    mark: Mark
    text: str


class DiffLine(NamedTuple):
    """One message of either side; a reworded one has pieces of both. `mark` says what happened to the whole message."""

    speaker: int
    mark: Literal["same", "removed", "added", "reworded"]
    pieces: tuple[Piece, ...]


def words_changed(before: str, after: str) -> tuple[Piece, ...]:
    """The text after, and what it lost, in reading order."""
    if before == after:
        return (Piece("same", after),) if after else ()
    old, new = _PIECES.findall(before), _PIECES.findall(after)
    if len(old) + len(new) > MOST_PIECES or _is_too_alike(old, new):
        return _pieces(("removed", before), ("added", after))
    found: list[tuple[Mark, str]] = []
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(("same", "".join(new[new_start:new_end])))
        else:
            found += [("removed", "".join(old[start:end])), ("added", "".join(new[new_start:new_end]))]
    return _pieces(*found)


def dialogue_changed(before: Transcript, after: Transcript) -> tuple[DiffLine, ...]:
    """Message by message; messages of one speaker in one changed place are compared word by word."""
    old, new = before.messages, after.messages
    if _is_too_alike(old, new):
        return tuple(_rewritten(old, new))
    lines: list[DiffLine] = []
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [DiffLine(speaker, "same", (Piece("same", text),)) for speaker, text in new[new_start:new_end]]
        else:
            lines += _rewritten(old[start:end], new[new_start:new_end])
    return tuple(lines)


def _is_too_alike(old: Sequence[Hashable], new: Sequence[Hashable]) -> bool:
    """Whether the same few items fill both sides, so that comparing each with each would take too long."""
    there = Counter(new)
    return sum(count * there[item] for item, count in Counter(old).items()) > MOST_MATCHES


def _rewritten(old: Sequence[Message], new: Sequence[Message]) -> Iterator[DiffLine]:
    for place in range(max(len(old), len(new))):
        was, now = old[place : place + 1], new[place : place + 1]
        if was and now and was[0].speaker == now[0].speaker:
            yield DiffLine(now[0].speaker, "reworded", words_changed(was[0].text, now[0].text))
            continue
        if was:
            yield DiffLine(was[0].speaker, "removed", (Piece("removed", was[0].text),))
        if now:
            yield DiffLine(now[0].speaker, "added", (Piece("added", now[0].text),))


def _pieces(*found: tuple[Mark, str]) -> tuple[Piece, ...]:
    return tuple(Piece(mark, text) for mark, text in found if text)
