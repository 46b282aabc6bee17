"""Means with 95 % intervals; the dialogues are the independent observations."""

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Z_975 = 1.959963984540054
# Student's t, 97.5th percentile, for 1 … 30 degrees of freedom.
T_975 = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)


# Reasons for a missing interval: an interval of zero width would claim a certainty that nobody has.
NO_SPREAD = "no spread"
ONE_OBSERVATION = "only one observation"
# Rounding error: a spread below this share of the values it was computed from counts as none.
DUST = 1e-12


class Estimate(NamedTuple):
    """A mean, its number of observations `n`, and the ends of its 95 % interval.

    If there is no interval, both ends are None and `no_interval` says why.
    """

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    no_interval: str = ""

    def times(self, factor: float) -> "Estimate":
        """In another unit: `factor` 100 gives percent."""
        low, high = (None if end is None else factor * end for end in (self.low, self.high))
        return Estimate(factor * self.value, self.n, low, high, self.no_interval)

    def within(self, lowest: float, highest: float) -> "Estimate":
        """Cut off where no mean can lie: Student's t knows no end of a scale."""
        if self.low is None or self.high is None:
            return self
        return self._replace(low=max(lowest, self.low), high=min(highest, self.high))


class PairSums(NamedTuple):
    """Input for a ratio of sums Σx/Σy and its interval: `n` pairs and the sums of x, y, x², xy and y²."""

    n: int
    x: float
    y: float
    xx: float
    xy: float
    yy: float


def student_t_975(degrees: int) -> float:
    """97.5th percentile of Student's t: exact to four digits (table, then a Cornish-Fisher expansion)."""
    if degrees < 1:
        raise ValueError("Student's t needs at least one degree of freedom")
    if degrees <= len(T_975):
        return T_975[degrees - 1]
    z = Z_975
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + (z**3 + z) / (4 * degrees) + second / degrees**2 + third / degrees**3


def mean_of(values: NDArray[np.float64]) -> Estimate | None:
    """The mean with Student's t interval; None for no values. A single value, or equal values, give no interval."""
    n = len(values)
    if n == 0:
        return None
    mean = float(values.mean())
    if n == 1:
        return Estimate(mean, n, no_interval=ONE_OBSERVATION)
    if float(np.ptp(values)) <= DUST * float(np.abs(values).max()):
        return Estimate(mean, n, no_interval=NO_SPREAD)
    half = student_t_975(n - 1) * float(values.std(ddof=1)) / sqrt(n)
    return Estimate(mean, n, mean - half, mean + half)


def clustered_mean(values: NDArray[np.float64], cluster: NDArray[np.int64]) -> Estimate | None:
    """The mean of values that come in clusters, such as backgrounds; None for no values. n counts values."""
    return clustered_ratio(values, np.ones(len(values)), cluster)


def clustered_ratio(x: NDArray[np.float64], y: NDArray[np.float64], cluster: NDArray[np.int64]) -> Estimate | None:
    """Σx/Σy over (values,) that come in clusters; None where Σy is 0. n counts values.

    Its interval is that of the ratio of the clusters' sums (`ratio_of`): clusters are the observations. With y = 1 that
    is a mean; with products and squares of centred values, a slope with the errors of Liang and Zeger (1986).
    """
    number = np.unique(cluster, return_inverse=True)[1]
    above, below = (np.bincount(number, weights=values) for values in (x, y))
    squares = [float((one * other).sum()) for one, other in ((above, above), (above, below), (below, below))]
    found = ratio_of(PairSums(len(above), float(above.sum()), float(below.sum()), *squares))
    return found._replace(n=len(x)) if found else None


def ratio_of(sums: PairSums) -> Estimate | None:
    """Σx/Σy over n dialogues, with the linearised (delta-method) interval of a ratio and Student's t.

    The messages of one dialogue resemble each other, so the dialogue, not the message, is the observation:
    Var(Σx/Σy) ≈ Σ(x − ry)² / (n (n − 1) ȳ²), ȳ being the mean of y (Cochran, Sampling Techniques, 1977, §6.4).
    A single dialogue, or dialogues with equal ratios, give no interval.
    """
    if sums.y == 0:
        return None
    ratio = sums.x / sums.y
    if sums.n < 2:
        return Estimate(ratio, sums.n, no_interval=ONE_OBSERVATION)
    squares = sums.xx - 2 * ratio * sums.xy + ratio**2 * sums.yy
    if squares <= DUST * sums.xx:
        return Estimate(ratio, sums.n, no_interval=NO_SPREAD)
    half = student_t_975(sums.n - 1) * sqrt(squares * sums.n / (sums.n - 1)) / sums.y
    return Estimate(ratio, sums.n, ratio - half, ratio + half)
