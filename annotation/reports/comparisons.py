"""Which versions are compared, Holm's adjustment, and means with intervals for these raters over backgrounds.

Decisions on one background are not independent (the same theme, the same raters), so whole backgrounds are resampled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from annotation.reports.bootstrap import DRAWS, Floats, distributions, ends, ratio, resamples
from core.tables import Estimate

CLUSTER = "background"

Name = TypeVar("Name")


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


def means(sums: Floats, counts: Floats, draws: int = DRAWS, seed: int = 0) -> list[Mean | None]:
    """One mean per column of (backgrounds, cells) sums and numbers of scores; None without scores.

    The interval is the bootstrap's, over backgrounds.
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


def _resampled_ratios(sums: Floats, counts: Floats, draws: int, seed: int) -> Floats:
    """(draws, cells): each cell's mean over the resampled backgrounds."""
    backgrounds = len(sums)
    if backgrounds == 0:
        return np.empty((0, sums.shape[1]))
    samples = resamples(np.arange(backgrounds), draws, seed)
    return distributions({"mean": lambda weights: ratio(weights @ sums, weights @ counts)}, samples)["mean"]


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """Holm's (1979) adjustment for as many tests as there are p values; None is kept."""
    places = sorted((p, place) for place, p in enumerate(chances) if p is not None)
    adjusted: list[float | None] = [None] * len(chances)
    worst = 0.0
    for rank, (p, place) in enumerate(places):
        worst = max(worst, min(1.0, (len(places) - rank) * p))
        adjusted[place] = worst
    return adjusted


def version_pairs(versions: Sequence[Name]) -> list[tuple[Name, Name]]:
    """All pairs: first each version with the one before it, then with the one before that, and so on."""
    return [
        (versions[place], versions[place + apart])
        for apart in range(1, len(versions))
        for place in range(len(versions) - apart)
    ]
