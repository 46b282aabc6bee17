"""Lengths of dialogues: words a message, messages a turn, and turns by their number of messages."""

from dataclasses import dataclass
from math import inf

from annotation.reports.bootstrap import Ints
from core.intervals import Estimate, PairSums, ratio_of
from dialogues.counts import COUNT_FIELDS


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of one version's dialogues; `runs` counts turns with one, …, five, and six or more messages."""

    dialogues: int
    messages: int
    turns: int
    words_whitespace: Estimate | None
    words_only: Estimate | None
    acmc: Estimate | None
    runs: tuple[int, ...]


def lengths(counts: Ints) -> Lengths:
    """One version's figures for Tables 4 and 5, from its dialogues' stored counts (dialogues, COUNT_FIELDS)."""
    column = dict(zip(COUNT_FIELDS, counts.T, strict=True))
    runs = tuple(int(column[name].sum()) for name in COUNT_FIELDS if name.startswith("turns_of_"))
    messages, turns = column["message_count"], column["turn_count"]
    return Lengths(
        dialogues=len(counts),
        messages=int(messages.sum()),
        turns=int(turns.sum()),
        words_whitespace=_ratio(column["whitespace_tokens"], messages, least=0),
        words_only=_ratio(column["word_tokens"], messages, least=0),
        acmc=_ratio(messages, turns, least=1),
        runs=runs,
    )


def _ratio(x: Ints, y: Ints, *, least: float) -> Estimate | None:
    """Σx/Σy over dialogues with its interval, cut off below what it can be at `least`."""
    sums = (float((a * b).sum()) for a, b in ((x, x), (x, y), (y, y)))
    found = ratio_of(PairSums(len(x), float(x.sum()), float(y.sum()), *sums))
    return found and found.within(least, inf)
