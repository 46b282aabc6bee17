"""Win rates of one version over another where raters saw both side by side. Pure.

A decision is 1 where the second version of its pair was preferred, −1 where the first was, 0 for a tie. Two rates are
given, because they answer two questions:

- the *decided* rate, wins / (wins + losses), with Wilson's (1927) 95 % score interval, as if decisions were
  independent; it says how clear the preference is where there is one;
- the rate with *ties counting half*, (wins + ties / 2) / n, with a bias-corrected bootstrap interval over backgrounds,
  which are resampled whole because decisions on one background are not independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from annotation.reports.bootstrap import CONFIDENCE, Floats, Ints
from annotation.reports.comparisons import Mean, means

Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of `n`, with its 95 % interval; value None where n is 0."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class WinRate:
    """How often a pair's second version was preferred to its first."""

    wins: int
    ties: int
    losses: int
    decided: Rate
    halves: Rate
    backgrounds: int

    @property
    def n(self) -> int:
        return self.wins + self.ties + self.losses


@dataclass(frozen=True, slots=True)
class Decisions:
    """One entry a decision: numbers of its background and its cell (a metric and a pair), `value` −1, 0 or 1, and
    `left` 1 where the left dialogue was preferred, −1 the right one, 0 neither."""

    background: Ints
    cell: Ints
    value: Ints
    left: Ints
    cells: int


def win_rates(found: Decisions, seed: int) -> list[WinRate | None]:
    """One a cell; None where nobody decided anything."""
    counts = {value: np.bincount(found.cell[found.value == value], minlength=found.cells) for value in (-1, 0, 1)}
    halves = _halves(found, seed)
    rates: list[WinRate | None] = []
    for cell in range(found.cells):
        losses, ties, wins = (int(counts[value][cell]) for value in (-1, 0, 1))
        mean = halves[cell]
        if mean is None:
            rates.append(None)
            continue
        rate = Rate(mean.value, mean.n, mean.low, mean.high)
        rates.append(WinRate(wins, ties, losses, wilson(wins, wins + losses), rate, mean.backgrounds))
    return rates


def left_rates(found: Decisions, groups: Sequence[np.ndarray[tuple[int], np.dtype[np.bool_]]]) -> list[Rate]:
    """For each group of decisions the share of decided ones that chose the left dialogue; 0.5 is no bias."""
    rates = []
    for group in groups:
        left = int((found.left[group] == 1).sum())
        rates.append(wilson(left, left + int((found.left[group] == -1).sum())))
    return rates


def wilson(hits: int, n: int) -> Rate:
    """The share with Wilson's score interval, which stays within 0 and 1 and holds for few trials too."""
    if n == 0:
        return Rate(None, 0)
    share = hits / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return Rate(share, n, max(0.0, middle - reach), min(1.0, middle + reach))


def _halves(found: Decisions, seed: int) -> list[Mean | None]:
    """Means of 1, ½ and 0 by cell over backgrounds."""
    if not len(found.value):
        return [None] * found.cells
    backgrounds = int(found.background.max()) + 1
    place = found.background * found.cells + found.cell
    shape, size = (backgrounds, found.cells), backgrounds * found.cells
    points: Floats = (found.value + 1) / 2
    sums = np.bincount(place, weights=points, minlength=size).astype(np.float64).reshape(shape)
    counts = np.bincount(place, minlength=size).astype(np.float64).reshape(shape)
    return means(sums, counts, seed=seed)
