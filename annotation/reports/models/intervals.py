"""One estimate with its interval, which always names whom it speaks of. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import isnan, sqrt

from scipy import special

from annotation.reports.bootstrap import CONFIDENCE


class Target(StrEnum):
    """Whom an interval speaks of: others drawn like the study's raters, or only the study's raters themselves."""

    RATERS_LIKE_THESE = "raters like these"
    THESE_RATERS = "these raters"


# The numbers of two versions; a difference is the second's mean minus the first's.
Pair = tuple[int, int]

ONE_RATER = "only one rater"
ONE_BACKGROUND = "only one background"
NO_RATINGS = "no ratings"
TOO_FEW_RATINGS = "too few ratings"
NO_ERROR = "raters, versions and backgrounds explain every rating"
NOT_BOTH = "no rater scored both versions"
NOT_LINKED = "no raters link the two versions"


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a model cannot be had, in one sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean or a difference with its standard error, degrees of freedom and the ends of Student's t interval.

    `value` is None where nothing can be estimated. Without an interval, `low`, `high`, `se` and `df` are None and
    `no_interval` says why, as a sentence's second half.
    """

    value: float | None
    low: float | None
    high: float | None
    se: float | None
    df: float | None
    target: Target
    no_interval: str = ""

    @classmethod
    def of(cls, value: float, variance: float, df: float, target: Target) -> "Interval":
        """The 95 % interval of a value whose variance (of the estimate) has `df` degrees of freedom."""
        se = sqrt(variance)
        half = float(special.stdtrit(df, (1 + CONFIDENCE) / 2)) * se
        return cls(value, value - half, value + half, se, df, target)

    @classmethod
    def none(cls, value: float | None, target: Target, why: str) -> "Interval":
        return cls(value, None, None, None, None, target, why)

    def within(self, lowest: float, highest: float) -> "Interval":
        """Set to an end of the scale where no value can lie: a mean stays on it, whatever the model says."""
        value, low, high = (
            None if one is None else min(highest, max(lowest, one)) for one in (self.value, self.low, self.high)
        )
        return replace(self, value=value, low=low, high=high)

    @property
    def t(self) -> float | None:
        """The value over its standard error."""
        return None if self.value is None or self.se is None else self.value / self.se

    @property
    def p(self) -> float | None:
        """Two-sided, against nought; None without a standard error."""
        if self.t is None or self.df is None:
            return None
        found = 2 * float(special.stdtr(self.df, -abs(self.t)))
        return None if isnan(found) else found
