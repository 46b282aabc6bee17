"""Bootstrap over units or clusters of units, by weights instead of copies of the data.

Identical units form one *pattern*. A resample is a row of weights: how often each pattern was drawn. Every statistic
here is a function of weighted sums over patterns, so a thousand resamples take a few matrix products.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.intervals import NO_SPREAD, student_t_975

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# (draws, patterns) weights → (draws,) values, NaN where the resample leaves the value undefined.
Statistic = Callable[[Floats], Floats]

CONFIDENCE = 0.95
DRAWS = 1000
NORMAL = NormalDist()
# Values this close, relative to the largest, count as equal: they differ only by rounding.
TIE = 1e-9
# With four clusters, intervals of agreement hold about 80 %, with eight 90 to 95 %: see docs/method/coverage.md.
ENOUGH_CLUSTERS = 12
TOO_FEW_DEFINED = "undefined in most resamples"
ONE_SIDED = "resamples lie on one side of the value"
# Drawing one count directly costs about as much as drawing and counting this many units.
FEW = 8
# Resamples in memory at once.
CHUNK = 100
# Weights in memory at once when they are expanded to pairs of raters: 32 MB.
MOST_CELLS = 4_000_000


class Ends(NamedTuple):
    """The ends of a 95 % interval; if there is none both are None and `no_interval` says why."""

    low: float | None
    high: float | None
    no_interval: str = ""


def resamples(pattern_of_unit: Ints, draws: int, seed: int) -> Iterator[Floats]:
    """Draw the units with replacement; yields (≤ CHUNK, patterns) weights until there are `draws` rows."""
    rng = np.random.default_rng(seed)
    frequency = np.bincount(pattern_of_unit)
    units, patterns = len(pattern_of_unit), len(frequency)
    for start in range(0, draws, CHUNK):
        rows = min(CHUNK, draws - start)
        if FEW * patterns < units:
            yield rng.multinomial(units, frequency / units, size=rows).astype(np.float64)
            continue
        picks = pattern_of_unit[rng.integers(units, size=(rows, units))]
        picks += patterns * np.arange(rows)[:, None]
        yield np.bincount(picks.ravel(), minlength=rows * patterns).reshape(rows, patterns).astype(np.float64)


def cluster_resamples(pattern_of_unit: Ints, cluster_of_unit: Ints, draws: int, seed: int) -> Iterator[Floats]:
    """Like `resamples`, but draws whole clusters with replacement, as many as there are."""
    rng = np.random.default_rng(seed)
    clusters = np.unique(cluster_of_unit, return_inverse=True)[1]
    count, patterns = int(clusters.max()) + 1, int(pattern_of_unit.max()) + 1
    for start in range(0, draws, CHUNK):
        rows = min(CHUNK, draws - start)
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=rows)[:, clusters]
        cells = pattern_of_unit + patterns * np.arange(rows)[:, None]
        weights = np.bincount(cells.ravel(), weights=drawn.ravel(), minlength=rows * patterns)
        yield weights.reshape(rows, patterns).astype(np.float64)


def distributions(statistics: Mapping[str, Statistic], samples: Iterable[Floats]) -> dict[str, Floats]:
    """The values of each statistic over the same resamples, each of shape (draws,) or (draws, cells)."""
    parts: dict[str, list[Floats]] = {name: [] for name in statistics}
    for weights in samples:
        for name, statistic in statistics.items():
            parts[name].append(statistic(weights))
    return {name: np.concatenate(values) if values else np.empty(0) for name, values in parts.items()}


def interval(values: Floats, point: float, clusters: int) -> tuple[float, float] | None:
    """Bias-corrected percentile interval (Efron 1981) around `point`; None if `why_none` gives a reason.

    Resamples of n clusters spread less than studies do, by √((n − 1)/n), and their spread is itself an estimate. So the
    percentiles reach as far as Student's t with n − 1 degrees of freedom does (Hesterberg 2015, expanded percentiles).
    """
    if why_none(values, point):
        return None
    defined = values[~np.isnan(values)]
    shift = 2 * NORMAL.inv_cdf(_share_below(defined, point))
    reach = student_t_975(clusters - 1) * sqrt(clusters / (clusters - 1))
    low, high = np.quantile(defined, [NORMAL.cdf(shift - reach), NORMAL.cdf(shift + reach)])
    return float(low), float(high)


def why_none(values: Floats, point: float) -> str:
    """Why the resampled `values` give no interval around `point`; empty if they give one."""
    defined = values[~np.isnan(values)]
    if len(defined) == 0 or 2 * len(defined) < len(values):
        return TOO_FEW_DEFINED
    if np.ptp(defined) <= _tie(defined):
        return NO_SPREAD
    return "" if 0 < _share_below(defined, point) < 1 else ONE_SIDED


def ends(values: Floats, point: float, clusters: int, cluster: str) -> Ends:
    """The interval, or why there is none; `clusters` is the number of resampled clusters, `cluster` their name."""
    reason = only_one(cluster) if clusters < 2 else why_none(values, point)
    return Ends(None, None, reason) if reason else Ends(*(interval(values, point, clusters) or (None, None)))


def only_one(cluster: str) -> str:
    return f"only one {cluster}"


def _share_below(defined: Floats, point: float) -> float:
    tie = _tie(defined)
    return float(np.mean(defined < point - tie) + np.mean(np.abs(defined - point) <= tie) / 2)


def _tie(values: Floats) -> float:
    return TIE * float(np.abs(values).max())


def grouped(keys: Ints) -> tuple[Ints, Ints, Ints]:
    """The order that sorts the keys, where each distinct key starts in it, and the distinct keys."""
    order = np.argsort(keys, kind="stable")
    different, starts = np.unique(keys[order], return_index=True)
    return order, starts, different


def group_sums(weights: Floats, patterns: Ints, factor: Floats, starts: Ints) -> Floats:
    """(draws, groups): the weights of `patterns` times `factor`, summed from each start to the next."""
    at_once = max(1, MOST_CELLS // max(1, len(patterns)))
    parts = [
        np.add.reduceat(weights[begin : begin + at_once, patterns] * factor, starts, axis=1)
        for begin in range(0, len(weights), at_once)
    ]
    return np.concatenate(parts)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Element-wise quotient, NaN where the denominator is not positive."""
    quotient: Floats = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient
