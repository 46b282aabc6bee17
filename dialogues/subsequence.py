"""The longest common subsequence of two sequences of words: its length, and which words are in it.

Bit-parallel (Crochemore et al. 2001; Hyyrö 2004): one step over a big integer for each item of `right`, so dialogues of
thousands of words take milliseconds. Memory grows with the longer text only.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import accumulate

Items = Sequence[Hashable]
Places = list[tuple[int, int]]

# Rows kept for backtracking, in bits (4 MB); longer texts are halved until they fit (Hirschberg 1975).
MOST_KEPT = 32_000_000
# Beyond so many pairs of words (two texts of 40,000 words) only common beginnings and ends are compared.
MOST_COMPARED = 2_000_000_000
# The places of the most common items are precomputed as numbers; those of other items are computed when needed.
KEPT_PLACES = 256


def common_length(left: Items, right: Items) -> int:
    """Length of the longest common subsequence."""
    head, tail = _shared_ends(left, right)
    inner_left, inner_right = left[head : len(left) - tail], right[head : len(right) - tail]
    if not _is_comparable(inner_left, inner_right):
        return head + tail
    return head + tail + len(inner_left) - _last_row(inner_left, inner_right).bit_count()


def matched(left: Items, right: Items) -> Places:
    """Places of a longest common subsequence in both, in order."""
    if len(left) * len(right) <= MOST_KEPT:
        return _matched_by_rows(left, right)
    head, tail = _shared_ends(left, right)
    ends = len(left) - tail, len(right) - tail
    inner = _halved(left[head : ends[0]], right[head : ends[1]])
    return [
        *((place, place) for place in range(head)),
        *((head + one, head + other) for one, other in inner),
        *((ends[0] + place, ends[1] + place) for place in range(tail)),
    ]


def _is_comparable(left: Items, right: Items) -> bool:
    return len(left) * len(right) <= MOST_COMPARED


def _shared_ends(left: Items, right: Items) -> tuple[int, int]:
    """Length of the common beginning, and of the common end of the rest."""
    most = min(len(left), len(right))
    head = next((place for place in range(most) if left[place] != right[place]), most)
    tail = next((place for place in range(most - head) if left[-1 - place] != right[-1 - place]), most - head)
    return head, tail


def _halved(left: Items, right: Items) -> Places:
    """Cut `right` in the middle, and `left` where the halves have most in common, and match the halves."""
    if not _is_comparable(left, right):
        return []
    if len(left) * len(right) <= MOST_KEPT or len(right) < 2:
        return _matched_by_rows(left, right)
    middle = len(right) // 2
    above = _lengths(_last_row(left, right[:middle]), len(left))
    below = _lengths(_last_row(left[::-1], right[: middle - 1 : -1]), len(left))
    cut = max(range(len(left) + 1), key=lambda place: above[place] + below[len(left) - place])
    later = _halved(left[cut:], right[middle:])
    return _halved(left[:cut], right[:middle]) + [(cut + one, middle + other) for one, other in later]


def _matched_by_rows(left: Items, right: Items) -> Places:
    """Backtrack through all rows.

    Item i of `left` adds to the longest common subsequence of left[: i + 1] and right[:j] exactly where bit i of row j
    is 0.
    """
    rows = list(_rows(left, right))
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


def _last_row(left: Items, right: Items) -> int:
    row = 0
    for row in _rows(left, right):  # noqa: B007 - only the last is wanted
        pass
    return row


def _rows(left: Items, right: Items) -> Iterator[int]:
    """One before any item of `right`, then one after each."""
    places_of = _places(left, right)
    everything = (1 << len(left)) - 1
    row = everything
    yield row
    for item in right:
        matches = row & places_of(item)
        row = ((row + matches) | (row - matches)) & everything
        yield row


def _lengths(row: int, size: int) -> list[int]:
    """How long the common subsequence is with the first 0, 1, … `size` items: one more wherever a bit is 0."""
    bits = f"{row:0{size}b}"[::-1] if size else ""
    return list(accumulate((bit == "0" for bit in bits), initial=0))


def _places(left: Items, right: Items) -> Callable[[Hashable], int]:
    """A function from an item to the number with a bit set at each of its places in `left`."""
    wanted = set(right)
    places: dict[Hashable, list[int]] = {}
    for index, item in enumerate(left):
        if item in wanted:
            places.setdefault(item, []).append(index)

    def number(item: Hashable) -> int:
        found = bytearray(len(left) // 8 + 1)
        for index in places.get(item, ()):
            found[index >> 3] |= 1 << (index & 7)
        return int.from_bytes(found, "little")

    common = Counter({item: len(found) for item, found in places.items()}).most_common(KEPT_PLACES)
    kept = {item: number(item) for item, _ in common}
    return lambda item: kept[item] if item in kept else number(item) if item in places else 0
