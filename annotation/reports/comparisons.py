"""Means with intervals, and differences between versions paired by background.

Scores of one background are not independent (the same theme, the same raters), so whole backgrounds are resampled and
flipped in sign. Columns are cells: a metric and version, or a metric and pair of versions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.reports.bootstrap import CHUNK, TIE, Floats, distributions, ends, ratio, resamples
from core.tables import AtMost, Estimate

DRAWS = 1000
FLIPS = 10_000
# With up to this many backgrounds all 2^n sign patterns are tried, and the p value is exact.
EXACT_UP_TO = 13
CLUSTER = "background"


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of `n` scores over `backgrounds` backgrounds; without an interval `no_interval` says why."""

    value: float
    n: int
    backgrounds: int
    low: float | None
    high: float | None
    no_interval: str = ""

    @property
    def estimate(self) -> Estimate:
        """As a table's cell; n counts scores."""
        return Estimate(self.value, self.n, self.low, self.high, self.no_interval)


@dataclass(frozen=True, slots=True)
class Difference:
    """Second minus first, over the `n` backgrounds that have both.

    `p` is two-sided, from sign flips, and `AtMost` if no drawn pattern of signs reached the data. `effect` is d_z, the
    mean difference over the differences' standard deviation (n − 1). `higher` is the share of backgrounds in which the
    second scored higher, ties counting half. Without an interval `no_interval` says why.
    """

    mean: float
    n: int
    low: float | None
    high: float | None
    p: float | None
    effect: float | None
    higher: float
    no_interval: str = ""


def means(sums: Floats, counts: Floats, draws: int = DRAWS, seed: int = 0) -> list[Mean | None]:
    """One mean per column of (backgrounds, cells) sums and numbers of scores; None without scores.

    The interval is a bias-corrected percentile bootstrap over backgrounds.
    """
    points = ratio(sums.sum(axis=0), counts.sum(axis=0))
    spread = _resampled_ratios(sums, counts, draws, seed)
    cells: list[Mean | None] = []
    for place, point in enumerate(points):
        backgrounds = int((counts[:, place] > 0).sum())
        n = int(counts[:, place].sum())
        found = ends(spread[:, place], float(point), backgrounds, CLUSTER)
        cells.append(Mean(float(point), n, backgrounds, *found) if n else None)
    return cells


def paired_differences(first: Floats, second: Floats, draws: int = DRAWS, seed: int = 0) -> list[Difference | None]:
    """One difference per column of (backgrounds, cells) mean scores, NaN where a background has no score.

    The interval is as in `means`; p comes from flipping the signs of whole backgrounds. None if no background has both.
    """
    gaps = second - first
    both = (~np.isnan(gaps)).astype(np.float64)
    filled = np.nan_to_num(gaps)
    points = ratio(filled.sum(axis=0), both.sum(axis=0))
    spread = _resampled_ratios(filled, both, draws, seed)
    chances = sign_flip_p(filled, seed)
    return [
        _difference(gaps[:, place], float(point), spread[:, place], _chance(float(chances[place]), len(gaps)))
        for place, point in enumerate(points)
    ]


def _difference(gaps: Floats, point: float, spread: Floats, chance: float) -> Difference | None:
    gaps = gaps[~np.isnan(gaps)]
    if len(gaps) == 0:
        return None
    higher = float(np.mean(gaps > 0) + np.mean(gaps == 0) / 2)
    low, high, no_interval = ends(spread, point, len(gaps), CLUSTER)
    if len(gaps) == 1:
        return Difference(point, 1, low, high, None, None, higher, no_interval)
    effect = None if np.ptp(gaps) <= TIE * np.abs(gaps).max() else point / float(gaps.std(ddof=1))
    return Difference(point, len(gaps), low, high, chance, effect, higher, no_interval)


def _resampled_ratios(sums: Floats, counts: Floats, draws: int, seed: int) -> Floats:
    """(draws, cells): each cell's mean over the resampled backgrounds."""
    backgrounds = len(sums)
    if backgrounds == 0:
        return np.empty((0, sums.shape[1]))
    samples = resamples(np.arange(backgrounds), draws, seed)
    return distributions({"mean": lambda weights: ratio(weights @ sums, weights @ counts)}, samples)["mean"]


def sign_flip_p(gaps: Floats, seed: int = 0) -> Floats:
    """Two-sided p of each column's mean under random signs of the rows; zero stands for a missing row.

    Exact for up to `EXACT_UP_TO` rows, otherwise from `FLIPS` seeded draws plus the data themselves.
    """
    # Allow for rounding: sums of the same numbers in another order differ slightly.
    observed = np.abs(gaps.sum(axis=0)) - TIE * np.abs(gaps).sum(axis=0)
    reached, tried = np.zeros(gaps.shape[1]), 0
    exact = len(gaps) <= EXACT_UP_TO
    for signs in _all_signs(len(gaps)) if exact else _drawn_signs(len(gaps), seed):
        reached += (np.abs(signs @ gaps) >= observed).sum(axis=0)
        tried += len(signs)
    return reached / tried if exact else (reached + 1) / (tried + 1)


def _chance(p: float, rows: int) -> float:
    """p, marked as `AtMost` if it is the smallest value that the drawn sign patterns can give."""
    return AtMost(p) if rows > EXACT_UP_TO and p <= 1 / (FLIPS + 1) else p


def _all_signs(rows: int) -> Iterator[Floats]:
    bits = np.arange(2**rows)[:, None] >> np.arange(rows)
    yield _as_signs(bits & 1)


def _drawn_signs(rows: int, seed: int) -> Iterator[Floats]:
    rng = np.random.default_rng(seed)
    for _ in range(FLIPS // CHUNK):
        yield _as_signs(rng.integers(2, size=(CHUNK, rows), dtype=np.int8))


def _as_signs(bits: NDArray[np.integer]) -> Floats:
    """0 becomes 1, and 1 becomes −1."""
    return 1 - 2 * bits.astype(np.float64)


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """Holm's (1979) adjustment for as many tests as there are p values; None and `AtMost` are kept."""
    places = sorted((p, place) for place, p in enumerate(chances) if p is not None)
    adjusted: list[float | None] = [None] * len(chances)
    worst = 0.0
    for rank, (p, place) in enumerate(places):
        worst = max(worst, min(1.0, (len(places) - rank) * p))
        adjusted[place] = AtMost(worst) if isinstance(p, AtMost) else worst
    return adjusted


def version_pairs(versions: Sequence[str]) -> list[tuple[str, str]]:
    """All pairs: first each version with the one before it, then with the one before that, and so on."""
    return [
        (versions[place], versions[place + apart])
        for apart in range(1, len(versions))
        for place in range(len(versions) - apart)
    ]
