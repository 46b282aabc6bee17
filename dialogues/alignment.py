"""Match the words of a rewrite to the words of its original, and so each message to the one it came from."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from dialogues.fidelity import SpokenWord, spoken_words
from dialogues.subsequence import matched
from dialogues.transcript import Transcript

Link = tuple[int, int]


class Segment(NamedTuple):
    """Messages of the original (from 0) and the rewrite's messages in their place; either may be empty."""

    before: range
    after: range


class Words(NamedTuple):
    """A dialogue's words end to end, and the message (from 0) that each stands in."""

    words: list[SpokenWord]
    owners: list[int]


def words_of(transcript: Transcript) -> Words:
    """As `fidelity` counts them; a message without a word (emoji only) counts as one word, its text."""
    words: list[SpokenWord] = []
    owners: list[int] = []
    for place, message in enumerate(transcript):
        found = spoken_words(Transcript((message,))) or [(message.speaker, message.text.strip())]
        words += found
        owners += [place] * len(found)
    return Words(words, owners)


def matched_words(original: Words, rewrite: Words) -> list[tuple[int, int]]:
    """The word of the original that each kept word of the rewrite matches; words of different speakers never match."""
    return matched(original.words, rewrite.words)


def sources(original: Transcript, rewrite: Transcript) -> list[int]:
    """For each message of the rewrite, the place (from 0) of the original message that most of its kept words are from.

    A tie goes to the earlier message. A message without a kept word takes the source of the message before it, or at
    the start that of the first message. Places never descend, because words match in order.
    """
    before, after = words_of(original), words_of(rewrite)
    votes: list[Counter[int]] = [Counter() for _ in rewrite]
    for left, right in matched_words(before, after):
        votes[after.owners[right]][before.owners[left]] += 1
    found = []
    source = 0
    for vote in votes:
        source = max(vote, key=lambda place: (vote[place], -place)) if vote else source
        found.append(source)
    return found


def links(original: Transcript, rewrite: Transcript) -> list[Link]:
    """Which messages belong together: for each of either text, the one of the other that shares most words with it."""
    before, after = words_of(original), words_of(rewrite)
    shared = Counter((before.owners[left], after.owners[right]) for left, right in matched_words(before, after))
    ranked = sorted(shared, key=lambda pair: (-shared[pair], pair))
    of_left = {left: (left, right) for left, right in reversed(ranked)}
    of_right = {right: (left, right) for left, right in reversed(ranked)}
    return sorted({*of_left.values(), *of_right.values()})


def segments(before: int, after: int, linked: Iterable[Link]) -> list[Segment]:
    """Both texts, of `before` and `after` messages, cut into as many pairs of neighbours as no link crosses.

    An unlinked message of the rewrite joins the pair above it; an unlinked message of the original stands alone.
    """
    # For each message of the original: the furthest end of a link from above it, the nearest start of one from it on.
    reach, nearest = [0] * (before + 1), [after] * (before + 1)
    for left, right in linked:
        reach[left + 1] = max(reach[left + 1], right + 1)
        nearest[left] = min(nearest[left], right)
    for place in range(before):
        reach[place + 1] = max(reach[place + 1], reach[place])
    for place in range(before - 1, -1, -1):
        nearest[place] = min(nearest[place], nearest[place + 1])
    cuts = [(place, nearest[place] if place else 0) for place in range(before) if reach[place] <= nearest[place]]
    return [
        Segment(range(left, left_end), range(right, right_end))
        for (left, right), (left_end, right_end) in pairwise([*cuts, (before, after)])
    ]
