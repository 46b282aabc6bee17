"""Scores as patterns: identical units are counted, and every coefficient works on the counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.reports.bootstrap import Floats, Ints

MISSING = -1
# Whole numbers on a scale no longer than this are counted instead of sorted.
MOST_POINTS = 256
MOST_IN_A_NUMBER = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Distinct units: `codes` (patterns, raters) index `domain` or are MISSING; `of_unit` (units,) names patterns.

    Two of them are equal only if they are the same object.
    """

    codes: Ints
    of_unit: Ints
    domain: Floats

    @classmethod
    def of(cls, scores: ArrayLike) -> "Patterns":
        codes, domain = coded(scores)
        table = codes.T
        first, of_unit = _distinct_rows(table + 1, len(domain) + 1)
        return cls(table[first].astype(np.int64), of_unit, domain)

    @property
    def weights(self) -> Floats:
        """(1, patterns): how often each pattern occurs, which are the weights of the data themselves."""
        return np.bincount(self.of_unit, minlength=len(self.codes))[None, :].astype(np.float64)

    @property
    def present(self) -> NDArray[np.bool_]:
        """(patterns, raters): whether the rater scored."""
        scored: NDArray[np.bool_] = self.codes != MISSING
        return scored

    def value_counts(self) -> Ints:
        """(patterns, values): how many raters gave each value."""
        return value_counts(self.codes.T, len(self.domain))

    def values(self) -> Floats:
        """(patterns, raters) scores minus the middle value of the domain, 0 for missing scores."""
        centred = np.append(self.domain - self.domain[len(self.domain) // 2], 0.0) if len(self.domain) else np.zeros(1)
        found: Floats = centred[self.codes]
        return found

    def complete(self) -> tuple[Ints, Floats]:
        """The indices and (n, raters) `values` of the patterns without missing scores."""
        scored = self.present.any(axis=0)
        kept = np.flatnonzero(self.present[:, scored].all(axis=1))
        return kept, self.values()[np.ix_(kept, scored)]

    def is_complete(self) -> bool:
        """Whether every rater with a score has scored every unit with a score."""
        present = self.present[self.present.any(axis=1)]
        return bool(present[:, present.any(axis=0)].all())


def coded(scores: ArrayLike) -> tuple[NDArray[np.integer], Floats]:
    """(raters, units) indices of the scores in the domain, MISSING for NaN; and the domain, sorted distinct values."""
    table = np.asarray(scores, dtype=np.float64)
    if ends := _ends_of_a_short_scale(table):
        points = np.arange(ends[0], ends[1] + 1)
        codes = np.where(np.isnan(table), points[0] - 1, table).astype(np.int16) - np.int16(points[0])
        used = np.array([(codes == place).any() for place in range(len(points))])
        if not used.all():
            codes = np.append(np.cumsum(used, dtype=np.int16) - 1, np.int16(MISSING))[codes]
        return codes, points[used].astype(np.float64)
    present = ~np.isnan(table)
    domain = np.unique(table[present])
    return np.where(present, np.searchsorted(domain, np.where(present, table, 0)), MISSING), domain


def value_counts(codes: NDArray[np.integer], size: int) -> Ints:
    """(units, size): how often each of `size` values occurs among the (raters, units) codes."""
    counts = [np.add.reduce(codes == value, axis=0, dtype=np.int64) for value in range(size)]
    return np.stack(counts, axis=1) if size else np.zeros((codes.shape[1], 0), dtype=np.int64)


def _ends_of_a_short_scale(table: Floats) -> tuple[int, int] | None:
    """The lowest and highest score if all are whole numbers on a short scale, else None."""
    if not table.size or np.isnan(low := np.fmin.reduce(table, axis=None)):
        return None
    high = np.fmax.reduce(table, axis=None)
    if not (abs(low) < MOST_POINTS and high - low < MOST_POINTS):
        return None
    strange = (table != np.rint(table)) & ~np.isnan(table)
    return None if strange.any() else (int(low), int(high))


def _distinct_rows(table: NDArray[np.integer], size: int) -> tuple[Ints, Ints]:
    """The first index of each distinct row, and for each row which of them it is; all entries are below `size`.

    A row is encoded as one number in base `size`, renumbered whenever the next digit would overflow.
    """
    number, most = np.zeros(len(table), dtype=np.int64), 1
    for column in table.T:
        if most > MOST_IN_A_NUMBER // size:
            number = np.unique(number, return_inverse=True)[1].astype(np.int64)
            most = len(table)
        number, most = number * size + column, most * size
    _, first, which = np.unique(number, return_index=True, return_inverse=True)
    return first.astype(np.int64), which.reshape(-1).astype(np.int64)
