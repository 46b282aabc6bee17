"""The same intervals for thousands of complete studies at once, each from sums of squares.

`mixed.fit` searches for the likelihood's maximum; for complete tables it is known. With mean squares of backgrounds,
raters, raters × versions and error, the likelihood's variances are those mean squares, as long as error ≤ backgrounds
and error ≤ raters × versions ≤ raters; where they are not in order, neighbours are pooled (Thompson 1962). Each cell
holds some of its studies against the product's functions (`measuring.hold_against_product`).
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from annotation.reports.bootstrap import Floats
from annotation.reports.models.crossed import Crossed, crossed_of
from tests.coverage.studies import VERSIONS

PAIRS = list(combinations(range(VERSIONS), 2))


class Block(NamedTuple):
    squares: float
    df: float

    @property
    def mean(self) -> float:
        return self.squares / self.df

    def with_(self, other: "Block") -> "Block":
        return Block(self.squares + other.squares, self.df + other.df)


def fixed(tables: Floats) -> Crossed:
    """The t interval over backgrounds of (studies, raters, backgrounds) tables."""
    means = tables.mean(axis=1)
    count = means.shape[1]
    return Crossed(means.mean(axis=1), means.std(axis=1, ddof=1) / np.sqrt(count), np.full(len(means), count - 1.0))


def mixed_contrasts(scores: Floats) -> tuple[Floats, Floats, Floats]:
    """(studies, pairs) differences, (studies, 1) standard errors and (studies, pairs) degrees of freedom."""
    _, raters, backgrounds, _ = scores.shape
    means = scores.mean(axis=(1, 2))
    differences = np.stack([means[:, second] - means[:, first] for first, second in PAIRS], axis=1)
    ceilings = np.stack([crossed_of(scores[..., b] - scores[..., a]).df for a, b in PAIRS], axis=1)
    lean, df = np.array([_lean(blocks) for blocks in _blocks(scores)]).T
    errors = np.sqrt(2 * lean / (raters * backgrounds))[:, None]
    return differences, errors, np.where(np.isnan(df)[:, None], ceilings, df[:, None])


def _blocks(scores: Floats) -> list[list[Block]]:
    """Of each study: error, backgrounds, raters × versions, raters."""
    _, raters, backgrounds, versions = scores.shape
    grand = scores.mean(axis=(1, 2, 3))
    by_background, by_rater, by_version = (scores.mean(axis=axes) for axes in ((1, 3), (2, 3), (1, 2)))
    cells = scores.mean(axis=2)
    of_background = raters * versions * ((by_background - grand[:, None]) ** 2).sum(axis=1)
    of_rater = backgrounds * versions * ((by_rater - grand[:, None]) ** 2).sum(axis=1)
    of_version = raters * backgrounds * ((by_version - grand[:, None]) ** 2).sum(axis=1)
    of_cells = backgrounds * ((cells - grand[:, None, None]) ** 2).sum(axis=(1, 2))
    of_lean = of_cells - of_rater - of_version
    total = ((scores - grand[:, None, None, None]) ** 2).sum(axis=(1, 2, 3))
    df = (backgrounds - 1, (raters - 1) * (versions - 1), raters - 1)
    rest = raters * backgrounds * versions - versions - sum(df)
    squares = np.stack([total - of_cells - of_background, of_background, of_lean, of_rater], axis=1)
    return [[Block(float(one), freedom) for one, freedom in zip(row, (rest, *df), strict=True)] for row in squares]


def _lean(blocks: list[Block]) -> tuple[float, float]:
    """The mean square that a contrast stands on and its degrees of freedom, NaN if it is pooled with the error's."""
    error, background, lean, rater = blocks
    above = [rater]
    if rater.mean < lean.mean:
        lean, above = lean.with_(rater), []
    waiting = {"background": [background], "lean": [lean, *above]}
    pooled_lean = False
    while waiting:
        name = min(waiting, key=lambda one: waiting[one][0].mean)
        if waiting[name][0].mean >= error.mean:
            break
        error = error.with_(waiting[name].pop(0))
        pooled_lean |= name == "lean"
        if not waiting[name]:
            del waiting[name]
    return (error.mean, np.nan) if pooled_lean else (lean.mean, lean.df)
