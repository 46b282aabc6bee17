"""Which items raters disagree on most, as arithmetic on columns. Pure."""

from dataclasses import dataclass

import numpy as np

from annotation.reports.bootstrap import Floats, Ints, ratio


@dataclass(frozen=True, slots=True)
class Spread:
    """How far apart an item's scores are.

    `width` is the highest minus the lowest score of a metric (over several metrics: the largest), `deviation` the
    standard deviation of its scores (over several: the mean), `n` the number of raters.
    """

    item: int
    width: float
    deviation: float
    n: int


def spreads(item: Ints, rater: Ints, metric: Ints, value: Floats, chosen: int | None) -> list[Spread]:
    """Items with two or more raters, sorted by falling width, then falling deviation, then number.

    The arrays have one entry for each score: the numbers of its item, rater and metric, and its value. `chosen` limits
    it to one metric; None takes all.
    """
    if chosen is not None:
        kept = metric == chosen
        item, rater, metric, value = item[kept], rater[kept], metric[kept], value[kept]
    if not len(item):
        return []
    metrics = int(metric.max()) + 1
    units, unit = np.unique(item * metrics + metric, return_inverse=True)
    size = np.bincount(unit).astype(np.float64)
    mean = np.bincount(unit, weights=value) / size
    squares = np.bincount(unit, weights=(value - mean[unit]) ** 2).astype(np.float64)
    deviation = np.sqrt(np.nan_to_num(ratio(squares, size - 1)))
    high, low = np.full(len(units), -np.inf), np.full(len(units), np.inf)
    np.maximum.at(high, unit, value)
    np.minimum.at(low, unit, value)
    paired = size >= 2
    owners, owner = np.unique((units // metrics)[paired], return_inverse=True)
    width = np.zeros(len(owners))
    np.maximum.at(width, owner, (high - low)[paired])
    average = np.bincount(owner, weights=deviation[paired]) / np.maximum(np.bincount(owner), 1)
    heads = _raters(item, rater)
    found = [
        Spread(int(own), float(width[place]), float(average[place]), heads[int(own)])
        for place, own in enumerate(owners)
    ]
    return sorted(found, key=lambda one: (-one.width, -one.deviation, one.item))


def _raters(item: Ints, rater: Ints) -> dict[int, int]:
    """How many raters scored each item."""
    pairs = np.unique(np.stack([item, rater]), axis=1)
    items, counts = np.unique(pairs[0], return_counts=True)
    return dict(zip(items.tolist(), counts.tolist(), strict=True))
