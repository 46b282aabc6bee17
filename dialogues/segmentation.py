"""How far two people agree on where messages end: Pk, WindowDiff and boundary similarity.

A restructuring of a dialogue is read as a segmentation of the original's words: between which words of a turn does a
message end? Nobody chooses the ends of the original's turns, so they are left out: windows do not cross them.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise

from dialogues.alignment import Words, matched_words, words_of
from dialogues.transcript import Transcript

# A near miss spans two places: the same boundary, one word off.
NEAR = 2


@dataclass(frozen=True, slots=True)
class Segmentation:
    """`lengths`: words of each turn; `boundaries`: the number of words before each boundary, in the whole dialogue."""

    lengths: tuple[int, ...]
    boundaries: frozenset[int]

    def __post_init__(self) -> None:
        if not self.boundaries <= set(self.gaps()):
            raise ValueError("a boundary stands between two words of one turn")

    def gaps(self) -> Iterator[int]:
        """Every place where a boundary may be."""
        for start, end in self.spans():
            yield from range(start + 1, end)

    def spans(self) -> list[tuple[int, int]]:
        """First word and end of each turn."""
        return list(pairwise(accumulate(self.lengths, initial=0)))

    @property
    def segments(self) -> int:
        return len(self.lengths) + len(self.boundaries)


def segmentation_of(original: Transcript, rewrite: Transcript) -> Segmentation:
    """Where the rewrite's messages end, in words of the original.

    A boundary stands after the last kept word before it. Where the words around it were reworded, it stands among the
    original's words that they replaced, at the same share of the way: other words do not shift it.
    """
    before, after = words_of(original), words_of(rewrite)
    kept = matched_words(before, after)
    lengths = turn_lengths(original, before)
    inner = set(Segmentation(lengths, frozenset()).gaps())
    ends = [place for place, (one, other) in enumerate(pairwise(after.owners), 1) if one != other]
    rights = [right for _, right in kept]
    found = set()
    for end in ends:
        place = bisect_right(rights, end - 1)
        last, last_right = kept[place - 1] if place else (-1, -1)
        first, first_right = kept[place] if place < len(kept) else (len(before.words), len(after.words))
        found.add(last + 1 + _share(first - last - 1, end - last_right - 1, first_right - end))
    return Segmentation(lengths, frozenset(found & inner))


def turn_lengths(transcript: Transcript, words: Words) -> tuple[int, ...]:
    """Words of each turn."""
    speakers = [transcript.messages[owner].speaker for owner in words.owners]
    return tuple(len(list(run)) for _, run in groupby(speakers))


def _share(replaced: int, left: int, right: int) -> int:
    """How many replaced original words go before a boundary with `left` new words before it and `right` after it.

    Words dropped without a replacement go after the boundary.
    """
    return round_half_up(replaced * left / (left + right)) if left + right else 0


def pk(one: Segmentation, other: Segmentation) -> float | None:
    """Pk of Beeferman, Berger & Lafferty (1999), the share of word pairs on whose togetherness the two differ.

    Pk = Σ_i [same₁(i, i+k) ≠ same₂(i, i+k)] / number of i, where same(i, j) says that no boundary lies between words i
    and j, and i runs over all words whose i+k is in the same turn. 0 (the same everywhere) to 1; lower is better.
    Neither person is the reference here, so k is half the mean segment length of both together (`window`), which makes
    it symmetric. None where no turn has two words; without any boundary in either it is 0.
    """
    return _windows(one, other, lambda first, second: (first > 0) != (second > 0))


def window_diff(one: Segmentation, other: Segmentation) -> float | None:
    """WindowDiff of Pevzner & Hearst (2002), the share of windows in which the two differ in number of boundaries.

    WD = Σ_i [b₁(i, i+k) ≠ b₂(i, i+k)] / number of i, where b counts the boundaries between words i and i+k. It is
    normalised as in the paper, by the number of windows (N − k a text, here a turn; nothing is padded at the ends). 0
    to 1, lower is better, never below Pk. k, symmetry and the undefined cases are those of `pk`.
    """
    return _windows(one, other, lambda first, second: first != second)


def boundary_similarity(one: Segmentation, other: Segmentation, near: int = NEAR) -> float:
    """Boundary similarity B of Fournier (2013), from the boundary edit distance.

    B = 1 − (|A| + Σ_T d/n_t) / (|A| + |T| + |M|): M are boundaries at the same place; T pairs of boundaries that are
    d = 1 … n_t − 1 words apart in one turn (near misses, `near` is n_t), as many as possible and then as close as
    possible; A those that only one person has. 0 (no boundary shared) to 1 (all), higher is better, symmetric. Without
    any boundary in either it is 1, as in the author's own implementation: they agree that there is none.
    """
    same = len(one.boundaries & other.boundaries)
    pairs, distance = 0, 0
    for start, end in _spans_of_both(one, other):
        left = sorted(place for place in one.boundaries - other.boundaries if start < place < end)
        right = sorted(place for place in other.boundaries - one.boundaries if start < place < end)
        found, apart = _near_misses(left, right, near)
        pairs, distance = pairs + found, distance + apart
    alone = len(one.boundaries ^ other.boundaries) - 2 * pairs
    whole = alone + pairs + same
    return 1 - (alone + distance / near) / whole if whole else 1.0


def window(one: Segmentation, other: Segmentation) -> int:
    """k: half the mean length of the segments of both, rounded half up, at least 1."""
    words = sum(one.lengths) + sum(other.lengths)
    return max(1, round_half_up(words / (one.segments + other.segments) / 2))


def round_half_up(value: float) -> int:
    return int(value + 0.5)


def _windows(one: Segmentation, other: Segmentation, differ: Callable[[int, int], bool]) -> float | None:
    """Share of windows of k words' distance, all within turns, in which the two differ."""
    spans = _spans_of_both(one, other)
    size = window(one, other)
    first, second = _boundaries_before(one), _boundaries_before(other)
    starts = [start for begin, end in spans for start in range(begin, end - size)]
    wrong = sum(differ(first[start + size] - first[start], second[start + size] - second[start]) for start in starts)
    return wrong / len(starts) if starts else None


def _boundaries_before(segmentation: Segmentation) -> list[int]:
    """For each word how many boundaries stand before it, from the start of the dialogue."""
    marks = (int(place in segmentation.boundaries) for place in range(sum(segmentation.lengths)))
    return list(accumulate(marks))


def _spans_of_both(one: Segmentation, other: Segmentation) -> list[tuple[int, int]]:
    if one.lengths != other.lengths:
        raise ValueError("only segmentations of one text can be compared")
    return one.spans()


def _near_misses(left: list[int], right: list[int], near: int) -> tuple[int, int]:
    """The largest number of pairs less than `near` apart, each boundary in one pair, and their least total distance.

    Pairs never need to cross, so a table over both sorted lists finds them.
    """
    # (pairs that are missing, distance): the least is the best.
    above = [(0, 0)] * (len(right) + 1)
    for place in left:
        row = [(0, 0)]
        for index, target in enumerate(right, 1):
            best = min(above[index], row[-1])
            apart = abs(place - target)
            if apart < near:
                missing, distance = above[index - 1]
                best = min(best, (missing - 1, distance + apart))
            row.append(best)
        above = row
    return -above[-1][0], above[-1][1]
