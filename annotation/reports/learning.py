"""Whether raters change while they rate: scores and time by quarter of a rater's own ratings. Pure and exploratory.

Each rater's ratings, in the order in which they were submitted, fall into four parts of as nearly equal size as can be.
Where every rater has an order of their own, quarters hold the same kinds of dialogues, so what differs between them is
the raters and chance. Intervals take the raters as given: backgrounds are the observations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.reports.bootstrap import Floats, Ints
from core.intervals import Estimate, clustered_mean
from dialogues.rubric import Scale

QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Submitted:
    """One entry a counted rating, in the order of submission: its rater's number, background, and seconds (NaN if
    unknown)."""

    rater: Ints
    background: Ints
    seconds: Floats


@dataclass(frozen=True, slots=True)
class Quarter:
    """One quarter of all raters: `seconds` is the geometric mean of the time from opening to submitting a rating.

    `means` is by metric key; n counts ratings everywhere.
    """

    ratings: int
    seconds: Estimate | None
    means: Mapping[str, Estimate | None]


@dataclass(frozen=True, slots=True)
class Learning:
    """`by_rater` has by metric key each rater's own mean in every quarter, None where they gave no score."""

    quarters: tuple[Quarter, ...]
    raters: int
    by_rater: Mapping[str, tuple[tuple[float | None, ...], ...]]


def learning(submitted: Submitted, scores: Mapping[str, Floats], scale: Scale) -> Learning | None:
    """`scores` (ratings,) by metric key, NaN where there is none; None where no rater has a rating in each quarter."""
    quarter = quarters(submitted.rater)
    known = quarter >= 0
    if not known.any():
        return None
    raters, row = np.unique(submitted.rater[known], return_inverse=True)
    return Learning(
        quarters=tuple(_quarter(submitted, scores, scale, quarter == number) for number in range(QUARTERS)),
        raters=len(raters),
        by_rater={key: _by_rater(values[known], row, quarter[known], len(raters)) for key, values in scores.items()},
    )


def quarters(rater: Ints) -> Ints:
    """(ratings,) the quarter, 0 to 3, of its rater's ratings; −1 for raters with fewer than four."""
    order = np.argsort(rater, kind="stable")
    _, number, counts = np.unique(rater, return_inverse=True, return_counts=True)
    starts = np.cumsum(counts) - counts
    rank = np.empty(len(rater), dtype=np.int64)
    rank[order] = np.arange(len(rater)) - starts[number[order]]
    total = counts[number]
    return np.where(total >= QUARTERS, QUARTERS * rank // np.maximum(total, 1), -1)


def _quarter(submitted: Submitted, scores: Mapping[str, Floats], scale: Scale, chosen: np.ndarray) -> Quarter:
    background = submitted.background[chosen]
    return Quarter(
        ratings=int(chosen.sum()),
        seconds=_geometric_mean(submitted.seconds[chosen], background),
        means={key: _mean(values[chosen], background, scale) for key, values in scores.items()},
    )


def _mean(values: Floats, background: Ints, scale: Scale) -> Estimate | None:
    known = ~np.isnan(values)
    found = clustered_mean(values[known], background[known])
    return found and found.within(scale.low, scale.high)


def _geometric_mean(seconds: Floats, background: Ints) -> Estimate | None:
    """Of the positive ones: a few long breaks weigh less than in a mean."""
    known = seconds > 0
    found = clustered_mean(np.log(seconds[known]), background[known])
    if found is None:
        return None
    low, high = (None if end is None else float(np.exp(end)) for end in (found.low, found.high))
    return found._replace(value=float(np.exp(found.value)), low=low, high=high)


def _by_rater(values: Floats, row: Ints, quarter: Ints, raters: int) -> tuple[tuple[float | None, ...], ...]:
    known = ~np.isnan(values)
    cell = QUARTERS * row[known] + quarter[known]
    size = QUARTERS * raters
    sums, counts = np.bincount(cell, values[known], size), np.bincount(cell, minlength=size)
    cells: Sequence[float | None] = [
        total / count if count else None for total, count in zip(sums.tolist(), counts.tolist(), strict=True)
    ]
    return tuple(tuple(cells[start : start + QUARTERS]) for start in range(0, size, QUARTERS))
