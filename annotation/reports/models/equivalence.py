"""Equivalence and "no worse than" by two one-sided tests. Pure.

Schuirmann (1987): a difference lies within ±margin if it is significantly above −margin and significantly below margin,
each by a one-sided t test. The margin belongs to the study's plan, written down before the ratings are seen. The
difference, its standard error and its degrees of freedom may come from any model.
"""

from dataclasses import dataclass
from math import isfinite

from scipy import special

from annotation.reports.models.intervals import Unfit
from core.intervals import NO_SPREAD

NO_MARGIN = "Name a margin above 0, in points of the scale."
# Each of the two tests has this level, so that the interval which goes with them covers 90 %.
LEVEL = 0.05
CONFIDENCE = 1 - 2 * LEVEL


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Tests of a difference, the version claimed no worse minus the other, against a margin in the same unit.

    `no_worse_p` tests that it is not below −margin, `no_better_p` that it is not above the margin, and `p`, the larger,
    that it is within both. `low` and `high` end the 90 % interval: within the margins exactly where p is below .05.
    """

    difference: float
    margin: float
    no_worse_p: float
    no_better_p: float
    low: float
    high: float

    @property
    def p(self) -> float:
        return max(self.no_worse_p, self.no_better_p)

    @property
    def is_no_worse(self) -> bool:
        return self.no_worse_p < LEVEL

    @property
    def is_equivalent(self) -> bool:
        return self.p < LEVEL


def two_one_sided_tests(difference: float, se: float, df: float, margin: float) -> Equivalence | Unfit:
    """The tests of a difference with standard error `se` on `df` degrees of freedom, or why there are none."""
    if not margin > 0:
        return Unfit(NO_MARGIN)
    if not (isfinite(difference) and se > 0 and df > 0):
        return Unfit(f"There is no standard error of the difference to test with: {NO_SPREAD}.")
    reach = float(special.stdtrit(df, 1 - LEVEL)) * se
    return Equivalence(
        difference=difference,
        margin=margin,
        no_worse_p=float(special.stdtr(df, -(difference + margin) / se)),
        no_better_p=float(special.stdtr(df, (difference - margin) / se)),
        low=difference - reach,
        high=difference + reach,
    )
