"""Agreement of raters with themselves, from pairs of scores that one rater gave one item. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.reports.agreement import Agreement, summary

COEFFICIENTS = ("alpha_ordinal", "alpha_interval", "icc_2,1", "kappa", "exact", "within_1")


@dataclass(frozen=True, slots=True)
class ScoredTwice:
    """Two scores that a rater, by membership, gave one item for one metric."""

    member: int
    item: int
    background: int
    metric: str
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class OwnAgreement:
    """Agreement of raters with themselves on one metric: over `pairs` of scores by `raters`, on `backgrounds`."""

    raters: int
    pairs: int
    backgrounds: int
    agreement: Agreement


def measured(found: Sequence[ScoredTwice], metrics: Sequence[str], *, seed: int) -> Mapping[str, OwnAgreement]:
    """Agreement by metric. Every pair is a unit, with the first and the second score in the place of two raters'.

    So chance is what two scores of different items or raters would agree by. Resamples draw whole backgrounds.
    """
    by_metric: dict[str, list[ScoredTwice]] = {metric: [] for metric in metrics}
    for one in found:
        by_metric[one.metric].append(one)
    return {metric: _measured(mine, seed) for metric, mine in by_metric.items()}


def _measured(found: Sequence[ScoredTwice], seed: int) -> OwnAgreement:
    table = np.array([[one.first for one in found], [one.second for one in found]], dtype=np.float64)
    backgrounds = np.array([one.background for one in found], dtype=np.int64)
    agreement = summary(table, COEFFICIENTS, seed=seed, clusters=backgrounds)
    raters = len({one.member for one in found})
    return OwnAgreement(raters, len(found), len({one.background for one in found}), agreement)
