"""Win rates of one version over another, compared side by side. Pure.

A decision is 1 if the second version of its pair was preferred, −1 if the first was, 0 for a tie. Two rates answer two
questions:

- the *decided* rate, wins / (wins + losses), with Wilson's (1927) 95 % score interval, as if decisions were
  independent; it says how clear the preference is among those who had one;
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
    """A share of `n` with its 95 % interval, or why there is none; the value is None if n is 0."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    no_interval: str = ""


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
    """One entry per decision.

    `background` and `cell` (a metric and pair) are numbers; `value` is −1, 0 or 1; `left` is 1 if the left dialogue was
    preferred, −1 for the right one, 0 for neither.
    """

    background: Ints
    cell: Ints
    value: Ints
    left: Ints
    cells: int


def win_rates(found: Decisions, seed: int) -> list[WinRate | None]:
    """One rate per cell; None without decisions."""
    counts = {value: np.bincount(found.cell[found.value == value], minlength=found.cells) for value in (-1, 0, 1)}
    halves = _shares(found.background, found.cell, (found.value + 1) / 2, found.cells, seed)
    rates: list[WinRate | None] = []
    for cell in range(found.cells):
        losses, ties, wins = (int(counts[value][cell]) for value in (-1, 0, 1))
        mean = halves[cell]
        if mean is None:
            rates.append(None)
            continue
        rates.append(WinRate(wins, ties, losses, wilson(wins, wins + losses), _rate(mean), mean.backgrounds))
    return rates


def left_rates(
    found: Decisions, groups: Sequence[np.ndarray[tuple[int], np.dtype[np.bool_]]], seed: int = 0
) -> list[Rate]:
    """For each group of decisions, the share of decided ones that chose the left dialogue; 0.5 is no bias.

    Whole backgrounds are resampled, because the decisions of several raters on one background, and of one rater on
    several metrics, are not independent.
    """
    decided = [group & (found.left != 0) for group in groups]
    number = np.repeat(np.arange(len(groups)), [int(group.sum()) for group in decided])
    place = np.concatenate([np.flatnonzero(group) for group in decided]) if groups else number
    shares = _shares(found.background[place], number, (found.left[place] + 1) / 2, len(groups), seed)
    return [Rate(None, 0) if mean is None else _rate(mean) for mean in shares]


def _rate(mean: Mean) -> Rate:
    return Rate(mean.value, mean.n, mean.low, mean.high, mean.no_interval)


def wilson(hits: int, n: int) -> Rate:
    """The share with Wilson's score interval, which stays within 0 and 1 and works for few trials too."""
    if n == 0:
        return Rate(None, 0)
    share = hits / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return Rate(share, n, max(0.0, middle - reach), min(1.0, middle + reach))


def _shares(background: Ints, cell: Ints, points: Floats, cells: int, seed: int) -> list[Mean | None]:
    """Means by cell, over backgrounds, of points from 0 to 1."""
    if not len(points):
        return [None] * cells
    backgrounds = int(background.max()) + 1
    place = background * cells + cell
    shape, size = (backgrounds, cells), backgrounds * cells
    sums = np.bincount(place, weights=points, minlength=size).astype(np.float64).reshape(shape)
    counts = np.bincount(place, minlength=size).astype(np.float64).reshape(shape)
    return means(sums, counts, seed=seed)
