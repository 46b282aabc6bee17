"""Intraclass correlations from variance components, for tables with missing scores.

The model is two-way and random: score = mean + unit + rater + error. Its variances are estimated by restricted maximum
likelihood (REML; Patterson & Thompson 1971), which agrees with the analysis of variance if every rater scored every
unit and no variance estimate is negative. ICC(A,1), ICC(A,k) and ICC(C,1) follow as McGraw & Wong (1996) define them,
with k the mean number of scores per unit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from annotation.reports.bootstrap import Floats, Ints, Statistic, group_sums, grouped
from annotation.reports.patterns import Patterns

# Deviations of units and raters relative to the error's: starting points, and the step for numerical derivatives.
STARTS = np.array(list(product((0.1, 0.4, 1.2), (0.05, 0.4, 1.2))))
APART = 1e-3
STENCIL = APART * np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1)])
# Newton steps for the scores themselves, and for a resample, which starts at their result.
SEARCH_STEPS, RESAMPLE_STEPS = 40, 2
# Newton's error after a step this short is beyond the precision of numerical derivatives.
SETTLED = 1e-6
# Zero is a stationary point for both deviations, so resamples do not start there.
LEAST_START = 0.1
# The least sum of squares for the error, as a share of all squares.
LEAST_ERROR = 1e-9


@dataclass(frozen=True, slots=True)
class Moments:
    """The sums over scores that the likelihood needs, for (draws,) resamples.

    A score's row is (1, an indicator per rater, its value). `scores` (draws, columns, columns) sums the products of
    these rows; `units` (draws, sizes, columns, columns) sums the products of the units' row sums, separately for each
    number of scores in a unit, which `sizes` lists.
    """

    sizes: Floats
    scores: Floats
    units: Floats

    @property
    def units_of_size(self) -> Floats:
        """(draws, sizes)"""
        found: Floats = self.units[:, :, 0, 0] / self.sizes**2
        return found

    @property
    def vary(self) -> NDArray[np.bool_]:
        """(draws,) whether not all scores are the same."""
        count, total, squares = self.scores[:, 0, 0], self.scores[:, 0, -1], self.scores[:, -1, -1]
        found: NDArray[np.bool_] = count * squares - total**2 > LEAST_ERROR * count * squares
        return found

    @property
    def scores_a_unit(self) -> Floats:
        """(draws,); 1 where a draw has none."""
        found: Floats = np.maximum(self.scores[:, 0, 0], 1) / np.maximum(self.units_of_size.sum(axis=1), 1)
        return found


def icc_statistic(patterns: Patterns, form: str) -> Statistic:
    """The coefficient of weighted patterns; form "2,1" is ICC(A,1), "2,k" ICC(A,k), "3,1" ICC(C,1), "1,1" one-way."""
    fit = _fit(patterns, is_two_way=form[0] != "1")

    def value(weights: Floats) -> Floats:
        moments, at = fit.found(weights)
        unit, rater = at[:, 0] ** 2, at[:, 1] ** 2 * (form[0] == "2")
        found = unit / (unit + (rater + 1) / (1 if form[2] == "1" else moments.scores_a_unit))
        # Where all scores drawn are the same, nothing is defined.
        return np.where(moments.vary, found, np.nan)

    return value


class _Fit:
    """The model of one set of patterns, found once for all its coefficients and once for each set of resamples."""

    def __init__(self, patterns: Patterns, free: Ints) -> None:
        self.free, self.own, self.gather = free, patterns.weights, gatherer(patterns)
        self.point = _searched(self.gather(self.own), free)
        self.last: tuple[Floats, Moments, Floats] | None = None

    def found(self, weights: Floats) -> tuple[Moments, Floats]:
        """The moments of these weights, and (draws, 2) deviations."""
        last = self.last
        if last is None or last[0] is not weights:
            self.last = last = weights, *self._found(weights)
        return last[1:]

    def _found(self, weights: Floats) -> tuple[Moments, Floats]:
        moments = self.gather(weights)
        at = np.repeat(self.point, len(weights), axis=0)
        if np.array_equal(weights, self.own):
            return moments, at
        return moments, _newton(moments, np.maximum(at, LEAST_START) * self.free, RESAMPLE_STEPS, self.free)


@lru_cache(maxsize=1)
def _fit(patterns: Patterns, *, is_two_way: bool) -> _Fit:
    """Kept for the next coefficient of the same patterns: the search takes most of the time."""
    return _Fit(patterns, np.array([1, is_two_way]))


def variances(patterns: Patterns) -> tuple[float, float, float]:
    """The variances of units, raters and error."""
    moments, at = _fit(patterns, is_two_way=True).found(patterns.weights)
    error = float(np.exp(_factored(moments, at)[1][0])) / (moments.scores[0, 0, 0] - 1)
    return float(at[0, 0] ** 2 * error), float(at[0, 1] ** 2 * error), error


def pairs_within(mask: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """All pairs of columns set in a row: (pairs,) arrays of row, first column and second column (≥ first)."""
    row, column = np.nonzero(mask)
    ends = np.cumsum(mask.sum(axis=1))[row]
    place = np.arange(len(row))
    later = ends - place
    first = np.repeat(place, later)
    second = first + np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
    return row[first], column[first], column[second]


def gatherer(patterns: Patterns) -> Callable[[Floats], Moments]:
    """A function from (draws, patterns) weights to their `Moments`."""
    scored = patterns.present.any(axis=1)
    present = patterns.present[np.ix_(scored, patterns.present.any(axis=0))].astype(np.float64)
    values = patterns.values()[np.ix_(scored, patterns.present.any(axis=0))]
    count = present.sum(axis=1)
    sizes, size = np.unique(count, return_inverse=True)
    rows = np.column_stack([count, present, values.sum(axis=1)])
    width = rows.shape[1]
    pattern, first, second = pairs_within(np.column_stack([count > 0, present > 0, count > 0]))
    order, starts, cells = grouped((size[pattern] * width + first) * width + second)
    products = (rows[pattern, first] * rows[pattern, second])[order]
    pattern = pattern[order]
    features = np.column_stack([count, values.sum(axis=1), (values**2).sum(axis=1), present, values])

    def gather(weights: Floats) -> Moments:
        drawn = weights[:, scored]
        upper = np.zeros((len(drawn), len(sizes) * width**2))
        upper[:, cells] = group_sums(drawn, pattern, products, starts)
        upper = upper.reshape(len(drawn), len(sizes), width, width)
        units = upper + np.triu(upper, 1).swapaxes(2, 3)
        return Moments(sizes, _score_products(drawn @ features, width), units)

    return gather


def _score_products(sums: Floats, width: int) -> Floats:
    """(draws, width, width) from the sums of 1, value and value², then of 1 and of value by rater."""
    raters = np.arange(1, width - 1)
    found = np.zeros((len(sums), width, width))
    found[:, 0, 0], found[:, 0, -1], found[:, -1, -1] = sums[:, 0], sums[:, 1], sums[:, 2]
    found[:, 0, 1:-1] = found[:, raters, raters] = sums[:, 3 : width + 1]
    found[:, 1:-1, -1] = sums[:, width + 1 :]
    return np.asarray(found + np.triu(found, 1).swapaxes(1, 2))


def _criterion(moments: Moments, at: Floats) -> Floats:
    """(draws,) −2 log restricted likelihood, without constants, at (draws, 2) deviations relative to the error's.

    The units' effects are eliminated analytically, the raters' and the mean by the factorisation.
    """
    determinant, residual = _factored(moments, at)
    units = moments.units_of_size * np.log1p(moments.sizes * at[:, :1] ** 2)
    found: Floats = (moments.scores[:, 0, 0] - 1) * residual + determinant + units.sum(axis=1)
    return found


def _factored(moments: Moments, at: Floats) -> tuple[Floats, Floats]:
    """Logarithms of the determinant of the equations for mean and raters, and of the residual sum of squares."""
    share = at[:, :1] ** 2 / (1 + moments.sizes * at[:, :1] ** 2)
    width = moments.scores.shape[1]
    scale = np.ones((len(at), width))
    scale[:, 1:-1] = at[:, 1:]
    draws, sizes = share.shape
    eliminated = share[:, None, :] @ moments.units.reshape(draws, sizes, width**2)
    system = moments.scores - eliminated.reshape(draws, width, width)
    system *= scale[:, :, None] * scale[:, None, :]
    inner, last = np.arange(1, width - 1), width - 1
    system[:, inner, inner] += 1
    # Never nothing: a draw may hold no score, or only scores that are the mean.
    system[:, 0, 0] += moments.scores[:, 0, 0] == 0
    squares = moments.scores[:, last, last]
    system[:, last, last] += np.where(squares == 0, 1, LEAST_ERROR * squares)
    logs = 2 * np.log(np.diagonal(np.linalg.cholesky(system), axis1=1, axis2=2))
    return logs[:, :-1].sum(axis=1), logs[:, -1]


def _searched(moments: Moments, free: Ints) -> Floats:
    """(1, 2) minimum of one draw's criterion, from the best of a few starts; deviations that are not `free` stay 0."""
    at: Floats = min((start[None, :] * free for start in STARTS), key=lambda start: _criterion(moments, start)[0])
    for _ in range(SEARCH_STEPS):
        after = _newton(moments, at, 1, free)
        if np.abs(after - at).max() < SETTLED:
            return after
        at = after if _criterion(moments, after)[0] <= _criterion(moments, at)[0] else (at + after) / 2
    return at


def _newton(moments: Moments, at: Floats, steps: int, free: Ints) -> Floats:
    """(draws, 2) after Newton steps towards the minimum; the criterion is even in both, so signs do not matter."""
    for _ in range(steps):
        at = np.abs(at + _step(moments, at) * free)
    return at


def _step(moments: Moments, at: Floats) -> Floats:
    """A Newton step, or a downhill step where the criterion is not convex, limited in length."""
    middle, right, left, above, below, corner = (_criterion(moments, at + apart) for apart in STENCIL)
    slope = np.stack([right - left, above - below], axis=1) / (2 * APART)
    bend = np.stack([right - 2 * middle + left, above - 2 * middle + below], axis=1) / APART**2
    twist = (corner - right - above + middle) / APART**2
    area = bend[:, 0] * bend[:, 1] - twist**2
    convex = (bend > 0).all(axis=1) & (area > 0)
    newton = (slope * bend[:, ::-1] - slope[:, ::-1] * twist[:, None]) / np.where(convex, area, 1)[:, None]
    downhill = slope / np.maximum(np.abs(bend), 1)
    most = 0.5 * np.abs(at) + 0.1
    return -np.clip(np.where(convex[:, None], newton, downhill), -most, most)
