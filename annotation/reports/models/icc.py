"""Intervals of intraclass correlations for raters like these. Pure.

ICC(A,1) is a score's correlation with another rater's score of the same unit, raters being drawn anew; ICC(A,k) the
same of the means of k raters. Their intervals compare the mean square of units with that of raters and error, as F
with Satterthwaite's degrees of freedom (McGraw & Wong 1996, table 7, case 2A). If scores are missing, the mean squares
are those that a table with as many scores a unit and a rater would have with the variances that REML finds. Units are
taken as independent.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from annotation.reports import components
from annotation.reports.agreement import icc
from annotation.reports.bootstrap import CONFIDENCE, Floats
from annotation.reports.models.intervals import TOO_FEW_RATINGS, Interval, Target
from annotation.reports.patterns import Patterns
from core.intervals import DUST, NO_SPREAD

LIKE_THESE = Target.RATERS_LIKE_THESE


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """Of units, raters and error; `each` is the number of scores a unit, `of_rater` a rater, on average."""

    units: int
    raters: int
    each: float
    of_rater: float
    of_units: float
    of_raters: float
    of_error: float

    @property
    def freedom(self) -> float:
        """The error's degrees of freedom."""
        return self.units * self.each - self.units - self.raters + 1


def icc_intervals(scores: ArrayLike) -> dict[str, Interval]:
    """ICC(A,1) as "2,1" and ICC(A,k) as "2,k", of (raters, units) scores with NaN where one is missing.

    k is the mean number of scores per unit. Where the correlation is undefined, `value` is None and `no_interval` says
    why.
    """
    table = np.asarray(scores, dtype=np.float64)
    points = {"2,1": icc(table, "2,1"), "2,k": icc(table, "2,k")}
    if why := next((point.undefined for point in points.values() if point.undefined), None):
        return {form: Interval.none(point.value, LIKE_THESE, why.value) for form, point in points.items()}
    squares = mean_squares(table)
    why_none = _why_none(squares)
    single = None if why_none else _ends(squares)
    return {
        form: _interval(point.value or 0.0, single, squares.each if form == "2,k" else 1, why_none)
        for form, point in points.items()
    }


def mean_squares(table: Floats) -> MeanSquares:
    """Of (raters, units) scores, each rater and unit having one."""
    present = ~np.isnan(table)
    table = table[np.ix_(present.any(axis=1), present.any(axis=0))]
    raters, units = table.shape
    count = int(present.sum())
    each, of_rater = count / units, count / raters
    if count == table.size:
        by_rater, by_unit = table.mean(axis=1), table.mean(axis=0)
        rest = table - by_rater[:, None] - by_unit + table.mean()
        error = float((rest**2).sum()) / ((raters - 1) * (units - 1))
        found = (raters * float(by_unit.var(ddof=1)), units * float(by_rater.var(ddof=1)), error)
        return MeanSquares(units, raters, each, of_rater, *found)
    unit, rater, error = components.variances(Patterns.of(table))
    return MeanSquares(units, raters, each, of_rater, each * unit + error, of_rater * rater + error, error)


def _why_none(squares: MeanSquares) -> str:
    if squares.freedom < 1:
        return TOO_FEW_RATINGS
    return NO_SPREAD if squares.of_error <= DUST * (squares.of_units + squares.of_raters) else ""


def _interval(value: float, single: tuple[float, float] | None, k: float, why_none: str) -> Interval:
    if single is None:
        return Interval.none(value, LIKE_THESE, why_none)
    low, high = (k * end / (1 + (k - 1) * end) for end in single)
    return Interval(value, low, high, None, None, LIKE_THESE)


def _ends(squares: MeanSquares) -> tuple[float, float]:
    """Of ICC(A,1)."""
    share = squares.each / squares.of_rater
    rest = share * (squares.of_raters + (squares.of_rater - 1) * squares.of_error)
    odds = max(0.0, (squares.of_units - squares.of_error) / rest)
    of_raters = share * odds * squares.of_raters
    of_error = (1 + share * odds * (squares.of_rater - 1)) * squares.of_error
    df = (of_raters + of_error) ** 2 / (of_raters**2 / (squares.raters - 1) + of_error**2 / squares.freedom)
    tail = (1 + CONFIDENCE) / 2
    below = float(special.fdtri(squares.units - 1, df, tail))
    above = float(special.fdtri(df, squares.units - 1, tail))
    return _from_odds((squares.of_units / below - squares.of_error) / rest), _from_odds(
        (squares.of_units * above - squares.of_error) / rest
    )


def _from_odds(odds: float) -> float:
    return odds / (1 + odds)
