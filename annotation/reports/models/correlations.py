"""How alike two columns of scores order their items: Pearson's r, Spearman's ρ and Kendall's τ-b. Pure.

Spearman's ρ is Pearson's r of the mid-ranks. Kendall's (1945) τ-b is (concordant − discordant pairs of items) over
√((pairs that differ in the first column) · (pairs that differ in the second)). Intervals resample whole clusters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.reports.bootstrap import (
    DRAWS,
    Floats,
    Ints,
    Statistic,
    cluster_resamples,
    distributions,
    ends,
    group_sums,
    grouped,
    ratio,
)
from core.intervals import DUST, Estimate

PEARSON, SPEARMAN, KENDALL = "pearson", "spearman", "kendall"
ALL = (PEARSON, SPEARMAN, KENDALL)


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The distinct pairs of scores: (patterns,) values, and the places of both among the sorted distinct values."""

    first: Floats
    second: Floats
    first_place: Ints
    second_place: Ints


def correlations(
    first: Floats, second: Floats, clusters: Ints, *, seed: int, draws: int = DRAWS, names: Sequence[str] = ALL
) -> Mapping[str, Estimate | None]:
    """The named coefficients of (items,) scores without gaps; None where a column never varies. n counts items.

    `clusters` (items,) numbers the backgrounds, which are drawn with replacement for the 95 % intervals.
    """
    statistics = dict.fromkeys(names)
    if len(first) < 2 or _never_varies(first) or _never_varies(second):
        return statistics
    pairs, pattern = np.unique(np.stack([first, second], axis=1), axis=0, return_inverse=True)
    pattern = pattern.reshape(-1)
    places = [np.unique(column, return_inverse=True)[1].reshape(-1) for column in pairs.T]
    known = _statistics(_Patterns(pairs[:, 0], pairs[:, 1], *places))
    named = {name: known[name] for name in names}
    once = np.bincount(pattern)[None].astype(np.float64)
    values = distributions(named, cluster_resamples(pattern, clusters, draws, seed))
    number = len(np.unique(clusters))
    found: dict[str, Estimate | None] = {}
    for name, statistic in named.items():
        point = float(np.clip(statistic(once)[0], -1, 1))
        found[name] = Estimate(point, len(first), *ends(values[name], point, number, "background"))
    return found


def coefficients(first: Floats, second: Floats) -> Mapping[str, float | None]:
    """All three without intervals, None where a column never varies."""
    found = correlations(first, second, np.arange(len(first)), seed=0, draws=0)
    return {name: None if one is None else one.value for name, one in found.items()}


def _never_varies(values: Floats) -> bool:
    return bool(np.ptp(values) <= DUST * np.abs(values).max())


def _statistics(patterns: _Patterns) -> dict[str, Statistic]:
    one, other = patterns.first_place, patterns.second_place
    return {
        PEARSON: lambda weights: _pearson(weights, patterns.first, patterns.second),
        SPEARMAN: lambda weights: _pearson(weights, _mid_ranks(weights, one), _mid_ranks(weights, other)),
        KENDALL: lambda weights: _kendall(weights, one, other),
    }


def _pearson(weights: Floats, first: Floats, second: Floats) -> Floats:
    """(draws,) correlations of (patterns,) or (draws, patterns) values, weighted by (draws, patterns)."""
    one, other = _centred(weights, first), _centred(weights, second)
    spreads = (weights * one**2).sum(axis=1) * (weights * other**2).sum(axis=1)
    return ratio((weights * one * other).sum(axis=1), np.sqrt(spreads))


def _centred(weights: Floats, values: Floats) -> Floats:
    """(draws, patterns) values minus their weighted means, without what rounding leaves of equal ones."""
    mean = (weights * values).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
    centred = values - mean
    return np.where(np.abs(centred) <= DUST * np.abs(values).max(), 0, centred)


def _mid_ranks(weights: Floats, places: Ints) -> Floats:
    """(draws, patterns): the weight of all smaller values and half of the equal ones."""
    sums = _by_place(weights, places)
    return np.asarray((np.cumsum(sums, axis=1) - sums / 2)[:, places])


def _by_place(weights: Floats, places: Ints) -> Floats:
    order, starts, _ = grouped(places)
    return group_sums(weights, order, np.ones(len(order)), starts)


def _kendall(weights: Floats, first: Ints, second: Ints) -> Floats:
    """τ-b; items drawn twice are tied with themselves."""
    n = weights.sum(axis=1)
    apart = [n**2 - (_by_place(weights, places) ** 2).sum(axis=1) for places in (first, second)]
    few, many = (first, second) if first.max() <= second.max() else (second, first)
    # `apart` counts each pair twice, as (i, j) and (j, i).
    return ratio(2 * _concordance(weights, few, many), np.sqrt(apart[0] * apart[1]))


def _concordance(weights: Floats, few: Ints, many: Ints) -> Floats:
    """(draws,) concordant minus discordant pairs, one of the `few` values after the other in rising order."""
    seen = np.zeros((len(weights), int(many.max()) + 1))
    total = np.zeros(len(weights))
    for value in range(int(few.max()) + 1):
        here = np.flatnonzero(few == value)
        up_to = np.cumsum(seen, axis=1)
        below_less_above = 2 * up_to - seen - up_to[:, -1:]
        total += (weights[:, here] * below_less_above[:, many[here]]).sum(axis=1)
        # A pair of values is one pattern, so no place occurs twice here.
        seen[:, many[here]] += weights[:, here]
    return total
