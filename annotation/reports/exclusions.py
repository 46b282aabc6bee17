"""The differences between versions had other raters counted: with those left out, without those screened out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotation.reports.analysis import pair_intervals, shown
from annotation.reports.columns import StudyItems, StudyScores
from annotation.reports.comparisons import version_pairs
from annotation.reports.models.intervals import Pair, Target
from annotation.reports.models.ratings import Ratings
from core.tables import Estimate
from dialogues.rubric import Scale

WITH_ALL = "Nobody left out"
WITHOUT_SCREENED_OUT = "Without screened-out raters"


@dataclass(frozen=True, slots=True)
class OtherRaters:
    """`differences` by metric's place and pair of versions' places, second minus first; n counts backgrounds with
    both."""

    label: str
    raters: int
    ratings: int
    differences: Mapping[tuple[int, Pair], Estimate]


def with_other_raters(
    label: str, items: StudyItems, scores: StudyScores, metrics: int, scale: Scale, target: Target
) -> OtherRaters:
    """All differences from these scores, by the primary analysis."""
    found: dict[tuple[int, Pair], Estimate] = {}
    for metric in range(metrics):
        chosen = scores.metric == metric
        item = scores.item[chosen]
        columns = (items.version[item], items.background[item], scores.rater[chosen])
        ratings = Ratings.numbered(scores.value[chosen], *columns, len(items.versions))
        intervals = pair_intervals(ratings, version_pairs(range(len(items.versions))), scale)
        for pair, (like_these, these) in intervals.items():
            interval = like_these if target == Target.RATERS_LIKE_THESE else these
            if interval.value is not None:
                found[metric, pair] = shown(interval, _backgrounds(ratings, pair))
    pairs = np.unique(np.stack([scores.item, scores.rater]), axis=1)
    return OtherRaters(label, len(np.unique(scores.rater)), pairs.shape[1], found)


def _backgrounds(ratings: Ratings, pair: Pair) -> int:
    """How many backgrounds have ratings of both versions."""
    first, second = (np.unique(ratings.background[ratings.version == version]) for version in pair)
    return len(np.intersect1d(first, second))
