"""Distinct-N: unique n-grams over all n-grams (paper §4.4, Figure 3), for millions of words at once.

N-grams never cross a message boundary. Words become numbers, an n-gram becomes one 64-bit number, and sorting those
counts the unique ones: about a fifth of the time and the memory that sets of tuples take.

The 64-bit number is a tabulation hash: the XOR of one random word per (position, token). Two different n-grams share
it with probability 2⁻⁶⁴, so among 5 million different n-grams the chance of a single false repeat is 7 · 10⁻⁷. The
random words are drawn from a fixed seed, so a result never changes.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, pairwise, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.intervals import Estimate, mean_of
from dialogues.statistics.words_and_turns import Tokenizer, is_word

SIZES = (2, 3, 4, 5, 6)
SEED = 20240704


class Distinct(NamedTuple):
    """Distinct-N of one condition.

    `pooled` is unique over total for the whole condition, None where it holds no n-gram. `mean` is the mean of the
    dialogues' own values; a dialogue too short for one n-gram is left out, and `mean.n` says how many counted.
    """

    unique: int
    total: int
    mean: Estimate | None

    @property
    def pooled(self) -> float | None:
        return self.unique / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Encoded:
    """A condition's text as numbers, 4 bytes a token; the text itself is not kept.

    `ids` holds the tokens of all messages end to end; `lengths` the tokens of each message; `owners` the dialogue
    (0 … dialogues - 1) of each message. All int32. Ids are below `vocabulary`.
    """

    ids: NDArray[np.int32]
    lengths: NDArray[np.int32]
    owners: NDArray[np.int32]
    dialogues: int
    vocabulary: int

    def sample(self, budget: int, seed: int = SEED) -> "Encoded":
        """Whole dialogues in a seeded random order up to `budget` tokens, the last one cut off there."""
        if budget >= len(self.ids):
            return self
        rank = np.random.default_rng(seed).permutation(self.dialogues)
        order = np.argsort(rank[self.owners], kind="stable")
        ends = np.cumsum(self.lengths[order], dtype=np.int64)
        order = order[: int(np.searchsorted(ends, budget)) + 1]
        lengths = self.lengths[order]
        lengths[-1] -= ends[len(order) - 1] - budget
        starts = (np.cumsum(self.lengths, dtype=np.int64) - self.lengths)[order]
        places = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(budget)
        return Encoded(self.ids[places], lengths, self.owners[order], self.dialogues, self.vocabulary)


def encode(dialogues: Iterable[Iterable[str]], tokenizer: Tokenizer) -> Encoded:
    """Read dialogues (each the texts of its messages) once, in order."""
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    number = numbers.__getitem__
    lengths, owners = array("i"), array("i")
    parts = [np.zeros(0, np.int32)]
    for owner, texts in enumerate(dialogues):
        messages = list(map(str.split, texts))
        lengths.extend(map(len, messages))
        owners.extend(repeat(owner, len(messages)))
        parts.append(np.fromiter(map(number, chain.from_iterable(messages)), np.int32))
    encoded = Encoded(np.concatenate(parts), as_int32(lengths), as_int32(owners), len(parts) - 1, len(numbers))
    if tokenizer == "whitespace":
        return encoded
    return only(encoded, np.fromiter(map(is_word, numbers), np.bool_, len(numbers)))


def as_int32(numbers: "array[int]") -> NDArray[np.int32]:
    return np.frombuffer(numbers, np.int32) if numbers else np.zeros(0, np.int32)


def only(encoded: Encoded, wanted: NDArray[np.bool_]) -> Encoded:
    """The same without the tokens that are not `wanted` (a boolean for each id)."""
    kept = wanted[encoded.ids]
    before = np.concatenate(([0], np.cumsum(kept, dtype=np.int64)))
    ends = np.cumsum(encoded.lengths, dtype=np.int64)
    lengths = (before[ends] - before[ends - encoded.lengths]).astype(np.int32)
    return Encoded(encoded.ids[kept], lengths, encoded.owners, encoded.dialogues, encoded.vocabulary)


def distinct(encoded: Encoded, sizes: Iterable[int] = SIZES) -> dict[int, Distinct]:
    """Distinct-N for each N of `sizes`: linear in tokens, about 40 bytes a token at the peak."""
    return {size: measured(hashes, owners) for size, hashes, owners in ngrams(encoded, frozenset(sizes))}


def pooled(encoded: Encoded, sizes: Iterable[int] = SIZES) -> dict[int, float | None]:
    """Only the pooled values, in half the time: for a length-matched sample."""
    return {
        size: count_unique(hashes) / len(hashes) if len(hashes) else None
        for size, hashes, _ in ngrams(encoded, frozenset(sizes))
    }


def ngrams(encoded: Encoded, sizes: frozenset[int]) -> Iterator[tuple[int, NDArray[np.uint64], NDArray[np.int32]]]:
    """For each size: the hash of every n-gram, and the dialogue that it belongs to."""
    random = np.random.default_rng(SEED)
    ids = encoded.ids
    # Tokens left in the message, this one included: an n-gram can start wherever at least n are left.
    left = np.repeat(np.cumsum(encoded.lengths, dtype=np.int32), encoded.lengths)
    left -= np.arange(len(ids), dtype=np.int32)
    owners = np.repeat(encoded.owners, encoded.lengths)
    hashes = np.zeros(len(ids), np.uint64)
    for position in range(max(sizes, default=0)):
        table = random.integers(0, 2**64, size=encoded.vocabulary, dtype=np.uint64)
        hashes[: max(0, len(ids) - position)] ^= table[ids[position:]]
        if position + 1 in sizes:
            starts = left > position
            yield position + 1, hashes[starts], owners[starts]


def measured(hashes: NDArray[np.uint64], owners: NDArray[np.int32]) -> Distinct:
    """Count unique hashes, over all and for each dialogue; sorts `hashes` in place."""
    total = len(hashes)
    if not total:
        return Distinct(0, 0, None)
    changes = owners[1:] != owners[:-1]
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
    # A dialogue's few hundred hashes sort within the processor's cache: faster than one sort of the whole.
    for start, end in pairwise((*starts.tolist(), total)):
        hashes[start:end].sort()
    first = np.ones(total, np.bool_)
    np.not_equal(hashes[1:], hashes[:-1], out=first[1:])
    first[1:] |= changes
    ratios = np.add.reduceat(first, starts, dtype=np.int64) / np.diff(starts, append=total)
    mean = mean_of(ratios)
    return Distinct(count_unique(hashes[first]), total, mean and mean.within(0, 1))


def count_unique(values: NDArray[np.uint64]) -> int:
    """The number of different values; sorts in place, where np.unique would sort a copy."""
    values.sort()
    return int(np.count_nonzero(values[1:] != values[:-1])) + bool(len(values))
