"""Win rates of one version over another, compared side by side. Pure.

A decision is 1 if the second version of its pair was preferred, −1 if the first was, 0 for a tie. Two rates answer two
questions: the *decided* one, wins / (wins + losses), says how clear the preference is among those who had one; the
other, with *ties counting half*, is (wins + ties / 2) / n. Decisions on one background are not independent, whoever
made them and on whatever metric, so intervals resample whole backgrounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.reports.bootstrap import Floats, Ints
from annotation.reports.comparisons import Mean, means
from annotation.reports.models.davidson import Comparisons

Bools = NDArray[np.bool_]


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
    preferred, −1 for the right one, 0 for neither; `second_left` says whether the pair's second version stood left.
    """

    background: Ints
    cell: Ints
    value: Ints
    left: Ints
    second_left: Bools
    cells: int

    def comparisons(self, chosen: Bools, pairs: Ints, versions: int) -> Comparisons:
        """The chosen decisions of one metric, by the (pairs, 2) numbers of the versions in each pair."""
        of_pair = pairs[self.cell[chosen] % len(pairs)]
        second_left = self.second_left[chosen]
        return Comparisons(
            self.background[chosen],
            np.where(second_left, of_pair[:, 1], of_pair[:, 0]),
            np.where(second_left, of_pair[:, 0], of_pair[:, 1]),
            self.left[chosen],
            versions,
        )


def win_rates(found: Decisions, seed: int) -> list[WinRate | None]:
    """One rate per cell; None without decisions."""
    counts = {value: np.bincount(found.cell[found.value == value], minlength=found.cells) for value in (-1, 0, 1)}
    points = (found.value + 1) / 2
    halves = _shares(found.background, found.cell, points, found.cells, seed)
    one = found.value != 0
    decided = _shares(found.background[one], found.cell[one], points[one], found.cells, seed)
    rates: list[WinRate | None] = []
    for cell, (mean, clear) in enumerate(zip(halves, decided, strict=True)):
        losses, ties, wins = (int(counts[value][cell]) for value in (-1, 0, 1))
        rates.append(WinRate(wins, ties, losses, _rate(clear), _rate(mean), mean.backgrounds) if mean else None)
    return rates


def left_rates(found: Decisions, groups: Sequence[Bools], seed: int = 0) -> list[Rate]:
    """For each group of decisions, the share of decided ones that chose the left dialogue; 0.5 is no bias.

    Whole backgrounds are resampled, because the decisions of several raters on one background, and of one rater on
    several metrics, are not independent.
    """
    decided = [group & (found.left != 0) for group in groups]
    number = np.repeat(np.arange(len(groups)), [int(group.sum()) for group in decided])
    place = np.concatenate([np.flatnonzero(group) for group in decided]) if groups else number
    shares = _shares(found.background[place], number, (found.left[place] + 1) / 2, len(groups), seed)
    return [_rate(mean) for mean in shares]


def _rate(mean: Mean | None) -> Rate:
    return Rate(mean.value, mean.n, mean.low, mean.high, mean.no_interval) if mean else Rate(None, 0)


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
