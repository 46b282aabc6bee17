"""Intervals of intraclass correlations for raters like these. Pure.

ICC(A,1) is a score's correlation with another rater's score of the same unit, raters being drawn anew; ICC(A,k) the
same of the means of k raters. Their intervals compare the mean square of units with that of raters and error, as F
with Satterthwaite's degrees of freedom (McGraw & Wong 1996, table 7, case 2A). ICC(C,1) leaves out how severe raters
are, and its interval compares the mean square of units with that of error alone, as F (case 2). If scores are missing,
the mean squares are those that a table with as many scores a unit and a rater would have with the variances that REML
finds. Units are taken as independent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from annotation.reports import components
from annotation.reports.agreement import Agreement, Estimate, IccForm, icc_of
from annotation.reports.bootstrap import CONFIDENCE, Floats
from annotation.reports.models.intervals import TOO_FEW_RATINGS, Interval, Target
from annotation.reports.patterns import Patterns
from core.intervals import DUST, NO_SPREAD

LIKE_THESE = Target.RATERS_LIKE_THESE
ABSOLUTE: tuple[IccForm, ...] = ("2,1", "2,k")
CONSISTENT: IccForm = "3,1"


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


def icc_intervals(
    scores: ArrayLike, known: Mapping[str, Estimate] | None = None, patterns: Patterns | None = None
) -> dict[str, Interval]:
    """ICC(A,1) as "2,1", ICC(A,k) as "2,k" and ICC(C,1) as "3,1", of (raters, units) scores with NaN where one is
    missing.

    k is the mean number of scores per unit. Where the correlation is undefined, `value` is None and `no_interval` says
    why. `known` are coefficients that have been computed, of which alone intervals are wanted then, and `patterns`
    those of the scores.
    """
    patterns = patterns or Patterns.of(scores)
    points = known or {form: icc_of(patterns, form) for form in (*ABSOLUTE, CONSISTENT)}
    whys = {form: _why_undefined(points, form) for form in points}
    squares = None if all(whys.values()) else mean_squares(np.asarray(scores, dtype=np.float64), patterns)
    why_none = _why_none(squares) if squares else ""
    ends = _ends_by_form(squares) if squares and not why_none else {}
    return {form: _interval(point.value, ends.get(form), whys[form] or why_none) for form, point in points.items()}


def for_raters_like_these(found: Agreement, scores: ArrayLike, patterns: Patterns) -> Agreement:
    """With such intervals of the intraclass correlations; those for these raters move to `these_raters`.

    `patterns` are those of the scores. One cluster alone gives neither interval.
    """
    points = {name.removeprefix("icc_"): one for name, one in found.estimates.items() if name.startswith("icc_")}
    if found.clusters < 2 or not points:
        return found
    intervals = icc_intervals(scores, points, patterns)
    replaced = {
        f"icc_{form}": replace(points[form], low=one.low, high=one.high, no_interval=one.no_interval)
        for form, one in intervals.items()
        if points[form].value is not None
    }
    these_raters = {name: found.estimates[name] for name in replaced}
    return replace(found, estimates={**found.estimates, **replaced}, these_raters=these_raters)


def _why_undefined(points: Mapping[str, Estimate], form: str) -> str:
    """The mean's denominator can be nought where the single score's is not; then neither has an interval."""
    forms = [one for one in points if one in ABSOLUTE] if form in ABSOLUTE else [form]
    return next((why.value for one in forms if (why := points[one].undefined)), "")


def mean_squares(table: Floats, patterns: Patterns | None = None) -> MeanSquares:
    """Of (raters, units) scores, two or more units having two; `patterns` are theirs, if they are known."""
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
    unit, rater, error = components.variances(patterns or Patterns.of(table))
    return MeanSquares(units, raters, each, of_rater, each * unit + error, of_rater * rater + error, error)


def _why_none(squares: MeanSquares) -> str:
    if squares.freedom < 1:
        return TOO_FEW_RATINGS
    return NO_SPREAD if squares.of_error <= DUST * (squares.of_units + squares.of_raters) else ""


def _interval(value: float | None, ends: tuple[float, float] | None, why_none: str) -> Interval:
    if ends is None or why_none:
        return Interval.none(value, LIKE_THESE, why_none)
    return Interval(value, *ends, None, None, LIKE_THESE)


def _ends_by_form(squares: MeanSquares) -> dict[str, tuple[float, float]]:
    k, single = squares.each, _ends(squares)
    low, high = (k * end / (1 + (k - 1) * end) for end in single)
    return {"2,1": single, "2,k": (low, high), CONSISTENT: _consistent_ends(squares)}


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


def _consistent_ends(squares: MeanSquares) -> tuple[float, float]:
    """Of ICC(C,1)."""
    tail = (1 + CONFIDENCE) / 2
    quotient = squares.of_units / squares.of_error
    below = quotient / float(special.fdtri(squares.units - 1, squares.freedom, tail))
    above = quotient * float(special.fdtri(squares.freedom, squares.units - 1, tail))
    return (below - 1) / (below + squares.each - 1), (above - 1) / (above + squares.each - 1)


def _from_odds(odds: float) -> float:
    return odds / (1 + odds)
