"""Intervals of means and differences for raters like these and for these raters, where both cross backgrounds. Pure.

*Raters like these* lets raters and backgrounds vary. A complete table of raters × backgrounds (of differences: within
one rater and background, so that whatever both versions share cancels) gives mean squares of raters, backgrounds and
residual, MSR, MSB and MSE; the variance of its mean is (MSR + MSB − MSE) / (raters · backgrounds), never below MSE
over the same, with Satterthwaite's (1946) degrees of freedom. Tables with gaps are left to `with_items`.

*These raters* lets backgrounds vary only; `fixed_raters` has it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from annotation.reports.bootstrap import Floats
from annotation.reports.models import fixed_raters
from annotation.reports.models.intervals import NO_RATINGS, Interval, Pair, Target
from annotation.reports.models.ratings import Ratings
from annotation.reports.models.selections import of_versions, table_of, varies
from annotation.reports.models.with_items import ItemModel, why_none

LIKE_THESE = Target.RATERS_LIKE_THESE
# A complete table of differences is used if it holds this share of both versions' ratings.
LEAST_PAIRED = 0.8

Both = tuple[Interval, Interval]


class Crossed(NamedTuple):
    """Of (studies,) tables: mean, standard error and degrees of freedom (NaN where a table has no spread)."""

    mean: Floats
    se: Floats
    df: Floats


class MeanSquares(NamedTuple):
    """(studies,) of raters, backgrounds and residual of complete tables."""

    raters: Floats
    backgrounds: Floats
    residual: Floats


def crossed_of(tables: Floats) -> Crossed:
    """The means of complete (studies, raters, backgrounds) tables, as claims about raters like these.

    Raises ValueError for fewer than two raters or backgrounds.
    """
    _, raters, backgrounds = tables.shape
    _refuse_single(raters, backgrounds)
    mean = tables.mean(axis=(1, 2))
    by_rater, by_background = tables.mean(axis=2), tables.mean(axis=1)
    rest = tables - by_rater[:, :, None] - by_background[:, None, :] + mean[:, None, None]
    squares = MeanSquares(
        backgrounds * by_rater.var(axis=1, ddof=1),
        raters * by_background.var(axis=1, ddof=1),
        (rest**2).sum(axis=(1, 2)) / ((raters - 1) * (backgrounds - 1)),
    )
    return of_mean_squares(mean, squares, raters, backgrounds)


def of_mean_squares(mean: Floats, squares: MeanSquares, raters: int, backgrounds: int) -> Crossed:
    """The same from the (studies,) means and mean squares of complete tables of this size."""
    _refuse_single(raters, backgrounds)
    of_raters, of_backgrounds, of_rest = squares
    total = np.maximum(of_raters + of_backgrounds - of_rest, of_rest)
    freedom = (raters - 1) * (backgrounds - 1)
    spread = of_raters**2 / (raters - 1) + of_backgrounds**2 / (backgrounds - 1) + of_rest**2 / freedom
    df = np.full(len(mean), np.nan)
    np.divide(total**2, spread, out=df, where=spread > 0)
    return Crossed(mean, np.sqrt(total / (raters * backgrounds)), df)


def _refuse_single(raters: int, backgrounds: int) -> None:
    if min(raters, backgrounds) < 2:
        raise ValueError("give tables of at least two raters and two backgrounds")


def mean_intervals(ratings: Ratings) -> dict[int, Both]:
    """By version: its mean for raters like these, and for these raters."""
    versions = range(ratings.versions)
    return {version: (_mean(ratings, version), fixed_raters.interval(ratings, {version: 1})) for version in versions}


def difference_intervals(ratings: Ratings, pairs: Sequence[Pair]) -> dict[Pair, Both]:
    """By pair (first, second): second minus first for raters like these, and for these raters."""
    with_gaps = ItemModel(ratings)
    found = {}
    for first, second in pairs:
        weights = {first: -1.0, second: 1.0}
        like_these = _difference(ratings, first, second) or with_gaps.interval(weights)
        found[first, second] = (like_these, fixed_raters.interval(ratings, weights))
    return found


def _mean(ratings: Ratings, version: int) -> Interval:
    own = of_versions(ratings, (version,))
    if not len(own.value):
        return Interval.none(None, LIKE_THESE, NO_RATINGS)
    table = table_of(own, 0)
    return ItemModel(own).interval({0: 1}) if np.isnan(table).any() else _of_table(table)


def _difference(ratings: Ratings, first: int, second: int) -> Interval | None:
    """From the complete table of differences; None if there is none that holds most ratings."""
    own = of_versions(ratings, (first, second))
    gaps = table_of(own, 1) - table_of(own, 0)
    known = ~np.isnan(gaps)
    gaps = gaps[np.ix_(known.any(axis=1), known.any(axis=0))]
    if gaps.size == 0 or np.isnan(gaps).any() or 2 * gaps.size < LEAST_PAIRED * len(own.value):
        return None
    return _of_table(gaps)


def _of_table(table: Floats) -> Interval:
    """Of a complete table (raters, backgrounds)."""
    mean, (raters, backgrounds) = float(table.mean()), table.shape
    if why := why_none(raters, backgrounds, not varies(table)):
        return Interval.none(mean, LIKE_THESE, why)
    found = crossed_of(table[None])
    return Interval.of(mean, float(found.se[0]) ** 2, float(found.df[0]), LIKE_THESE)
