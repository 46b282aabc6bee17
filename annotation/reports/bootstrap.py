"""Bootstrap over units or clusters of units, by weights instead of copies of the data.

Units that look alike form one *pattern*. A resample is then a row of weights: how often each pattern was drawn. Every
statistic here is a function of weighted sums over patterns, so a thousand resamples are a few matrix products.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# (draws, patterns) weights → (draws,) values, NaN where the resample leaves the value undefined.
Statistic = Callable[[Floats], Floats]

CONFIDENCE = 0.95
NORMAL = NormalDist()
# Values this close are equal but for the order of their sums.
TIE = 1e-9
# One count drawn outright costs about as much as this many units drawn and counted.
FEW = 8
# Resamples in memory at once.
CHUNK = 100


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
    """As `resamples`, but drawing whole clusters with replacement: as many as there are, with all their units."""
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


def interval(values: Floats, point: float) -> tuple[float, float] | None:
    """Bias-corrected percentile interval (Efron 1981) around `point`.

    The mean of many small κ falls when units repeat; plain percentiles would then miss the value itself.
    None where fewer than half of the resamples define the statistic, or all of them lie on one side of `point`.
    """
    defined = values[~np.isnan(values)]
    if len(defined) == 0 or 2 * len(defined) < len(values):
        return None
    below = float(np.mean(defined < point - TIE) + np.mean(np.abs(defined - point) <= TIE) / 2)
    if not 0 < below < 1:
        return None
    shift, reach = 2 * NORMAL.inv_cdf(below), NORMAL.inv_cdf((1 + CONFIDENCE) / 2)
    low, high = np.quantile(defined, [NORMAL.cdf(shift - reach), NORMAL.cdf(shift + reach)])
    return float(low), float(high)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Element-wise quotient, NaN where the denominator is not positive."""
    quotient: Floats = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient
