"""Williams squares: rows of versions in which each is equally often at each place and after each other version.

Pure: randomness comes from the seed alone. Versions are numbered from 1, places from 0.
Source: Williams (1949), Experimental designs balanced for the estimation of residual effects of treatments.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

Row = tuple[int, ...]


def williams_rows(versions: int) -> tuple[Row, ...]:
    """V rows for an even number of versions V; 2V for an odd one, since one square cannot balance the order then."""
    # 0, 1, V - 1, 2, V - 2, …: each difference between neighbours occurs once.
    first = [(step + 1) // 2 if step % 2 else -(step // 2) for step in range(versions)]
    square = [tuple((place + shift) % versions + 1 for place in first) for shift in range(versions)]
    mirrored = [row[::-1] for row in square] if versions % 2 and versions > 1 else []
    return tuple(square + mirrored)


@dataclass(slots=True)
class Tally:
    """Counts of what was shown: `placed[version - 1][place]`, and `carried[before - 1][version - 1]` within blocks."""

    placed: list[list[int]]
    carried: list[list[int]]

    @classmethod
    def empty(cls, versions: int) -> Self:
        return cls([[0] * versions for _ in range(versions)], [[0] * versions for _ in range(versions)])

    @classmethod
    def read(cls, stored: Sequence[Any] | None, versions: int) -> Self:
        """Read the form of `to_json`; empty if nothing is stored or the number of versions differs."""
        if not stored or len(stored[0]) != versions:
            return cls.empty(versions)
        return cls([list(row) for row in stored[0]], [list(row) for row in stored[1]])

    def to_json(self) -> list[list[list[int]]]:
        return [[list(row) for row in table] for table in (self.placed, self.carried)]

    def add(self, version: int, place: int, before: int | None) -> None:
        """Count one item; `before` is the version shown before it in the same block."""
        self.placed[version - 1][place] += 1
        if before:
            self.carried[before - 1][version - 1] += 1

    def add_row(self, row: Sequence[int], start: int = 0) -> None:
        """Count a row's items from the place `start` on."""
        for place in range(start, len(row)):
            self.add(row[place], place, row[place - 1] if place else None)

    def add_all(self, other: "Tally") -> None:
        for mine, theirs in ((self.placed, other.placed), (self.carried, other.carried)):
            for row, added in zip(mine, theirs, strict=True):
                row[:] = [a + b for a, b in zip(row, added, strict=True)]

    def cost(self, row: Sequence[int], start: int = 0) -> int:
        """How much the row would repeat what has been shown most.

        Places weigh twice as much as order: with an odd number of versions the two conflict until both squares are
        complete, and this weight keeps every place count within one of its ideal.
        """
        total = 0
        for place in range(start, len(row)):
            total += 2 * self.placed[row[place] - 1][place]
            if place:
                total += self.carried[row[place - 1] - 1][row[place] - 1]
        return total


def mending_row(
    rows: Sequence[Row], tally: Tally, turn: int, firsts: Iterable[int] = (), own: Tally | None = None
) -> Row:
    """The row that best evens out `tally`; among equals the rater's `own` tally decides, then the order from `turn` on.

    `firsts` are versions that must not come first, because the rater just saw their background.
    """
    barred = set(firsts)
    turned = [rows[(turn + number) % len(rows)] for number in range(len(rows))]
    allowed = [row for row in turned if row[0] not in barred] or turned
    return min(allowed, key=lambda row: (tally.cost(row), own.cost(row) if own else 0))


def seeded(*parts: object) -> random.Random:
    """A random generator that anyone can repeat from these parts."""
    return random.Random(":".join(map(str, parts)))  # noqa: S311 - repeatable on purpose, not a secret
