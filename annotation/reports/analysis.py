"""What a report computes of one metric's ratings: means, differences between versions, raters' severity. Pure.

The primary analysis of differences is the mixed model with backgrounds, items (a background's version), raters and
raters × versions, so that its intervals and p values speak of *raters like these*; the same for *these raters* stands
beside, and so do the mixed model without items and the ordinal model, which takes nothing of the scale but its order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.reports.bootstrap import TIE, Floats, ratio
from annotation.reports.models import crossed, fixed_raters, mixed, ordinal
from annotation.reports.models.intervals import Interval, Pair, Target, Unfit
from annotation.reports.models.mixed import MixedFit
from annotation.reports.models.ordinal import OddsContrast, OrdinalFit
from annotation.reports.models.ratings import Ratings
from annotation.reports.models.with_items import ItemModel
from core.tables import Estimate
from dialogues.rubric import Scale

# 30,000 ratings take the ordinal model one to three seconds a metric, and a worker should not need minutes.
MOST_ORDINAL = 60_000
TOO_MANY = f"There are more than {MOST_ORDINAL:,} ratings, for which it would take minutes."


@dataclass(frozen=True, slots=True)
class Mean:
    """A version's mean score: `plain` is that of its `n` scores as they are, with their standard deviation (n − 1).

    The intervals' own values allow for who scored what; in a complete table they are the plain mean.
    """

    plain: float
    deviation: float | None
    n: int
    backgrounds: int
    raters: int
    like_these: Interval
    these: Interval

    def interval(self, target: Target) -> Interval:
        return self.like_these if target == Target.RATERS_LIKE_THESE else self.these

    def estimate(self, target: Target) -> Estimate:
        """As a table's cell; n counts scores."""
        return shown(self.interval(target), self.n, self.plain)


@dataclass(frozen=True, slots=True)
class Difference:
    """Second version minus first.

    `like_these` is the primary analysis. `effect` is d_z over the `backgrounds` that have both, the mean difference
    over the standard deviation (n − 1) of the backgrounds' differences; `higher` the share of them in which the second
    scored higher, ties counting half. `without_one` is the lowest and highest mean of the raters' own differences when
    one rater is left out.
    """

    like_these: Interval
    these: Interval
    mixed: Interval | None
    odds: OddsContrast | None
    effect: float | None
    higher: float
    backgrounds: int
    without_one: tuple[float, float] | None

    def interval(self, target: Target) -> Interval:
        return self.like_these if target == Target.RATERS_LIKE_THESE else self.these


@dataclass(frozen=True, slots=True)
class Analysis:
    """Of one metric. `by_rater` (raters, versions) are raters' own means, None where one scored nothing.

    `no_ordinal` says why there is no ordinal model, empty if there is one. `numbers` are the raters' numbers in the
    study's columns, in the order of the rows of `by_rater` and of the mixed model's severities; `scores_by_rater` how
    many scores each gave. `distribution` has for each version the scores given, each with how often.
    """

    means: Mapping[int, Mean | None]
    differences: Mapping[Pair, Difference | None]
    mixed: MixedFit | Unfit
    no_ordinal: str
    by_rater: tuple[tuple[float | None, ...], ...]
    numbers: tuple[int, ...]
    scores_by_rater: tuple[int, ...]
    distribution: tuple[tuple[tuple[float, int], ...], ...]


def analyse(ratings: Ratings, pairs: Sequence[Pair], numbers: Sequence[int], scale: Scale) -> Analysis:
    """The analysis of one metric; `numbers` are what the caller calls the raters 0, 1, … of the ratings."""
    intervals = {
        version: _cut(both, scale.low, scale.high) for version, both in crossed.mean_intervals(ratings).items()
    }
    gaps = pair_intervals(ratings, pairs, scale)
    linear = mixed.fit(ratings)
    graded = ordinal.fit(ratings) if len(ratings.value) <= MOST_ORDINAL else Unfit(TOO_MANY)
    by_rater = _table(ratings.rater, ratings, ratings.raters)
    by_background = _table(ratings.background, ratings, ratings.backgrounds)
    return Analysis(
        means={version: _mean(ratings, version, *both) for version, both in intervals.items()},
        differences={
            pair: _difference(pair, both, _contrast(linear, pair, scale), graded, by_background, by_rater)
            for pair, both in gaps.items()
        },
        mixed=linear,
        no_ordinal=graded.reason if isinstance(graded, Unfit) else "",
        by_rater=tuple(tuple(None if np.isnan(mean) else mean for mean in row) for row in by_rater.tolist()),
        numbers=tuple(numbers),
        scores_by_rater=tuple(np.bincount(ratings.rater, minlength=ratings.raters).tolist()),
        distribution=tuple(_counted(ratings.value[ratings.version == one]) for one in range(ratings.versions)),
    )


def pair_intervals(ratings: Ratings, pairs: Sequence[Pair], scale: Scale) -> dict[Pair, crossed.Both]:
    """By pair (first, second): second minus first for raters like these by the primary analysis, and for these raters.

    Either stays within the scale's reach."""
    model = ItemModel(ratings)
    return {pair: _cut(_both(ratings, model, pair), -scale.reach, scale.reach) for pair in pairs}


def _contrast(linear: MixedFit | Unfit, pair: Pair, scale: Scale) -> Interval | None:
    """The pair's difference by the mixed model without items."""
    if isinstance(linear, Unfit) or pair not in linear.contrasts:
        return None
    return linear.contrasts[pair].within(-scale.reach, scale.reach)


def shown(interval: Interval, n: int, otherwise: float | None = None) -> Estimate:
    """An interval as a table's cell; `otherwise` is its value where no model gives one."""
    value = interval.value if interval.value is not None else otherwise
    return Estimate(float("nan") if value is None else value, n, interval.low, interval.high, interval.no_interval)


def _counted(values: Floats) -> tuple[tuple[float, int], ...]:
    given, counts = np.unique(values, return_counts=True)
    return tuple(zip(given.tolist(), counts.tolist(), strict=True))


def _both(ratings: Ratings, model: ItemModel, pair: Pair) -> crossed.Both:
    """Of second minus first: for raters like these, and for these raters."""
    weights = {pair[0]: -1.0, pair[1]: 1.0}
    return model.interval(weights), fixed_raters.interval(ratings, weights)


def _cut(both: crossed.Both, lowest: float, highest: float) -> crossed.Both:
    like_these, these = both
    return like_these.within(lowest, highest), these.within(lowest, highest)


def _table(of: np.ndarray[tuple[int], np.dtype[np.int64]], ratings: Ratings, size: int) -> Floats:
    """(size, versions) mean ratings by these numbers and version, NaN for none."""
    cell, cells = of * ratings.versions + ratings.version, size * ratings.versions
    sums = np.bincount(cell, weights=ratings.value, minlength=cells).astype(np.float64)
    counts = np.bincount(cell, minlength=cells).astype(np.float64)
    return ratio(sums, counts).reshape(size, ratings.versions)


def _mean(ratings: Ratings, version: int, like_these: Interval, these: Interval) -> Mean | None:
    chosen = ratings.version == version
    values = ratings.value[chosen]
    if not len(values):
        return None
    return Mean(
        plain=float(values.mean()),
        deviation=float(values.std(ddof=1)) if len(values) > 1 else None,
        n=len(values),
        backgrounds=len(np.unique(ratings.background[chosen])),
        raters=len(np.unique(ratings.rater[chosen])),
        like_these=like_these,
        these=these,
    )


def _difference(
    pair: Pair,
    both: tuple[Interval, Interval],
    linear: Interval | None,
    graded: OrdinalFit | Unfit,
    by_background: Floats,
    by_rater: Floats,
) -> Difference | None:
    first, second = pair
    gaps = by_background[:, second] - by_background[:, first]
    gaps = gaps[~np.isnan(gaps)]
    if not len(gaps):
        return None
    return Difference(
        *both,
        mixed=linear,
        odds=None if isinstance(graded, Unfit) else graded.contrast(second, first),
        effect=_standardised(gaps),
        higher=float(np.mean(gaps > 0) + np.mean(gaps == 0) / 2),
        backgrounds=len(gaps),
        without_one=_without_one(by_rater[:, second] - by_rater[:, first]),
    )


def _standardised(gaps: Floats) -> float | None:
    if len(gaps) < 2 or np.ptp(gaps) <= TIE * np.abs(gaps).max():
        return None
    return float(gaps.mean() / gaps.std(ddof=1))


def _without_one(own: Floats) -> tuple[float, float] | None:
    """The ends of the mean of raters' own differences (raters,), NaN for none, with each rater left out in turn."""
    own = own[~np.isnan(own)]
    if len(own) < 2:
        return None
    left = (own.sum() - own) / (len(own) - 1)
    return float(left.min()), float(left.max())
