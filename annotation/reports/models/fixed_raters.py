"""Intervals of means and differences for these raters: their backgrounds could have been others. Pure.

Each rater counts alike. A mean is the mean over raters of their means; a difference is the mean over raters of the
differences of their means, so that who rated how much moves nothing, and raters who always give the same give 0. Its
variance is the sum of the squared shares that backgrounds have in it, linearised (Binder 1983), a rater's ratings being
stretched by √(n / (n − 1)) for the mean that was taken from them. With B backgrounds Student's t has B − 1 degrees of
freedom. If every rater scored everything, this is the t interval of the backgrounds' means or paired differences.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from annotation.reports.bootstrap import Floats, ratio
from annotation.reports.models.intervals import (
    NO_RATINGS,
    NOT_BOTH,
    ONE_BACKGROUND,
    TOO_FEW_RATINGS,
    Interval,
    Target,
)
from annotation.reports.models.ratings import Ratings
from annotation.reports.models.selections import summed
from core.intervals import DUST, NO_SPREAD

THESE = Target.THESE_RATERS


def interval(ratings: Ratings, weights: Mapping[int, float]) -> Interval:
    """Of Σ weight · mean over the versions named, from the raters who scored each of them, if possible twice."""
    by_version = np.zeros(ratings.versions)
    by_version[list(weights)] = list(weights.values())
    cell = ratings.version * ratings.raters + ratings.rater
    shape = (ratings.versions, ratings.raters)
    counts = summed(cell, shape[0] * shape[1]).reshape(shape)
    fewest = counts[list(weights)].min(axis=0) if ratings.raters else np.zeros(0)
    counted = fewest >= min(2, fewest.max(initial=0))
    if not fewest.any():
        return Interval.none(None, THESE, NOT_BOTH if counts[list(weights)].any(axis=1).all() else NO_RATINGS)
    means = ratio(summed(cell, counts.size, ratings.value).reshape(shape), counts)
    value = sum(weight * float(means[version, counted].mean()) for version, weight in weights.items())
    shares = _shares(ratings, by_version, counts, means, counted)
    if len(shares) < 2:
        return Interval.none(value, THESE, ONE_BACKGROUND)
    if fewest[counted].min() < 2:
        return Interval.none(value, THESE, TOO_FEW_RATINGS)
    if np.abs(shares).max() <= DUST * np.abs(ratings.value).max():
        return Interval.none(value, THESE, NO_SPREAD)
    return Interval.of(value, float(shares @ shares), len(shares) - 1, THESE)


def _shares(ratings: Ratings, by_version: Floats, counts: Floats, means: Floats, counted: NDArray[np.bool_]) -> Floats:
    """(backgrounds with a rating that counts,) how far each moves the value."""
    used = (by_version[ratings.version] != 0) & counted[ratings.rater]
    version, rater = ratings.version[used], ratings.rater[used]
    n = counts[version, rater]
    stretch = np.sqrt(n / np.maximum(n - 1, 1)) / n / counted.sum()
    moved = by_version[version] * stretch * (ratings.value[used] - means[version, rater])
    present = np.unique(ratings.background[used], return_inverse=True)[1]
    return summed(present, int(present.max(initial=-1)) + 1, moved)
