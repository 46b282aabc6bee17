"""Which words of a rewrite are which words of its original, and so which message each message came from."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from dialogues.fidelity import SpokenWord, spoken_words
from dialogues.transcript import Transcript


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


def matched(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Places of a longest common subsequence in both, in order.

    Bit-parallel (Hyyrö 2004), each row kept for the way back: item i of `left` adds to the longest common
    subsequence of left[: i + 1] and right[:j] exactly where bit i of row j is 0.
    """
    places: dict[Hashable, int] = {}
    for index, item in enumerate(left):
        places[item] = places.get(item, 0) | (1 << index)
    everything = (1 << len(left)) - 1
    rows = [everything]
    for item in right:
        row = rows[-1]
        matches = row & places.get(item, 0)
        rows.append(((row + matches) | (row - matches)) & everything)
    found = []
    i, j = len(left), len(right)
    while i and j:
        if rows[j] >> (i - 1) & 1:
            i -= 1
        elif not rows[j - 1] >> (i - 1) & 1:
            j -= 1
        else:
            i, j = i - 1, j - 1
            found.append((i, j))
    return found[::-1]


def matched_words(original: Words, rewrite: Words) -> list[tuple[int, int]]:
    """Which word of the original each kept word of the rewrite is; a word said by the other person is another."""
    return matched(original.words, rewrite.words)


def sources(original: Transcript, rewrite: Transcript) -> list[int]:
    """For each message of the rewrite the place (from 0) of the original message that most of its kept words are from.

    A tie goes to the earlier one. A message without a kept word takes the source of the one before it, at the start
    that of the first message. Never descending, because words are matched in order.
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
