"""Agreement in one group of scores, and pairs of raters. Pure.

The report of a study and the measures of anybody's file are both made of it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotation.reports.agreement import Agreement, summary_of
from annotation.reports.bootstrap import DRAWS, Floats, Ints
from annotation.reports.models.icc import for_raters_like_these
from annotation.reports.patterns import Patterns

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Resampling:
    """Intervals for these raters come from `draws` resamples by `seed`: of all coefficients, or of those in `of`.

    `cluster` is what is drawn.
    """

    seed: int
    draws: int = DRAWS
    of: Collection[str] | None = None
    cluster: str = "background"


class RaterPair(NamedTuple):
    """The numbers of two raters and of the items that both scored."""

    first: int
    second: int
    shared: int


def agreement_of(table: Floats, clusters: Ints, coefficients: tuple[str, ...], resampling: Resampling) -> Agreement:
    """Of (raters, items) scores, NaN for a gap, whose items are in these `clusters`, such as backgrounds.

    Intraclass correlations have intervals for raters like these, the others for these raters. Whole clusters are drawn
    where one holds several items.
    """
    patterns = Patterns.of(table)
    drawn = None if len(np.unique(clusters)) == len(clusters) else clusters
    how = (resampling.draws, resampling.seed, drawn, resampling.of, resampling.cluster)
    found = summary_of(patterns, coefficients, *how)
    return for_raters_like_these(found, table, patterns)


def pairs_by_shared(present: Bools) -> list[RaterPair]:
    """Of (raters, items), whether the rater scored: the pairs who share an item, those who share most first."""
    counts = present.astype(np.int64)
    shared = counts @ counts.T
    pairs = [RaterPair(one, two, int(shared[one, two])) for one, two in combinations(range(len(present)), 2)]
    return sorted((pair for pair in pairs if pair.shared), key=lambda pair: -pair.shared)


def scored_by_both(chosen: Bools, item: Ints, rater: Ints, pair: tuple[int, int]) -> Bools:
    """Which of the chosen scores, one an item and rater, are by two raters and of items that both scored."""
    by_two = chosen & np.isin(rater, pair)
    scores = np.bincount(item[by_two], minlength=int(item.max(initial=0)) + 1)
    found: Bools = by_two & (scores[item] == 2)
    return found
