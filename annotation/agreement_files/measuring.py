"""Agreement in a file of scores: by metric, by version, and by pair of raters. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from annotation.imported.gathering import Gathered
from annotation.reports.agreement import Agreement, Estimate
from annotation.reports.bootstrap import ENOUGH_CLUSTERS, Floats, Ints
from annotation.reports.group_agreement import Bools, Resampling, agreement_of, pairs_by_shared, scored_by_both

COEFFICIENTS = ("alpha_ordinal", "alpha_interval", "icc_2,1", "icc_2,k", "icc_3,1", "kappa", "exact", "within_1")
SEED = 0


@dataclass(frozen=True, slots=True)
class Effort:
    """How many resamples an interval rests on, and how many groups are measured of each kind.

    With 0 draws there are no intervals from resamples, and `why` says why.
    """

    draws: int
    groups: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Scores by one metric, of one version or of all (""), by one pair of raters or by all (())."""

    metric: str
    version: str
    raters: tuple[str, ...]
    scores: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Measured:
    """What the file holds, and the agreement in it.

    An item is one that the file names, in one version. `cluster` says what resamples draw whole: "background", or
    "item" where no two items belong together. `left_out` counts groups beyond the most that were to be measured.
    """

    scores: int
    items: int
    cluster: str
    raters: int
    by_metric: tuple[Group, ...]
    by_version: tuple[Group, ...]
    by_pair: tuple[Group, ...]
    left_out: int
    draws: int


def measured(found: Gathered, effort: Effort) -> Measured:
    """Agreement by metric; by version where the file names several; by pair of raters where there are more than two."""
    scores = _Scores(found, effort)
    versions, pairs = list(scores.versions()), list(scores.pairs())
    return Measured(
        scores=len(found.value),
        items=len(found.items),
        cluster=scores.kind,
        raters=found.raters,
        by_metric=tuple(scores.group(metric) for metric in range(len(found.metrics))),
        by_version=tuple(scores.group(*one) for one in islice(versions, effort.groups)),
        by_pair=tuple(scores.pair(*one) for one in islice(pairs, effort.groups)),
        left_out=max(0, len(versions) - effort.groups) + max(0, len(pairs) - effort.groups),
        draws=effort.draws,
    )


class _Scores:
    """The columns of a file with each item's version and cluster."""

    def __init__(self, found: Gathered, effort: Effort) -> None:
        self.found, self.effort = found, effort
        self.names = found.versions()
        places = {name: place for place, name in enumerate(self.names)}
        self.version = np.array([places[item.version] for item in found.items], dtype=np.int64)
        # Without a background, versions of one item belong together.
        above = [item.background or item.item for item in found.items]
        numbers = {name: place for place, name in enumerate(dict.fromkeys(above))}
        self.cluster = np.array([numbers[name] for name in above], dtype=np.int64)
        self.clusters = len(numbers)
        self.kind = "background" if self.clusters < len(found.items) else "item"

    def versions(self) -> Iterator[tuple[int, int]]:
        """(metric, version) of which there are scores, where there are several versions."""
        if len(self.names) < 2:
            return
        version = self.version[self.found.item]
        for metric in range(len(self.found.metrics)):
            for place in np.unique(version[self.found.metric == metric]).tolist():
                yield metric, place

    def pairs(self) -> Iterator[tuple[int, int, int]]:
        """(metric, first rater, second rater) who scored an item both; those who share most come first."""
        if self.found.raters < 3:
            return
        for metric in range(len(self.found.metrics)):
            table, raters, _ = self._table(self.found.metric == metric)
            pairs = pairs_by_shared(~np.isnan(table))
            yield from ((metric, int(raters[one.first]), int(raters[one.second])) for one in pairs)

    def group(self, metric: int, version: int | None = None) -> Group:
        chosen = self.found.metric == metric
        if version is not None:
            chosen &= self.version[self.found.item] == version
        return self._group(metric, chosen, "" if version is None else self.names[version])

    def pair(self, metric: int, first: int, second: int) -> Group:
        """Over the items that both scored."""
        of_metric = self.found.metric == metric
        chosen = scored_by_both(of_metric, self.found.item, self.found.rater, (first, second))
        return self._group(metric, chosen, raters=(self.found.rater_names[first], self.found.rater_names[second]))

    def _group(self, metric: int, chosen: Bools, version: str = "", raters: tuple[str, ...] = ()) -> Group:
        table, _, items = self._table(chosen)
        name = self.found.metrics[metric]
        return Group(name, version, raters, int(chosen.sum()), self._agreement(table, items))

    def _table(self, chosen: Bools) -> tuple[Floats, Ints, Ints]:
        """The chosen scores as (raters, items), NaN for a gap, with the numbers of raters and items."""
        raters, row = np.unique(self.found.rater[chosen], return_inverse=True)
        items, column = np.unique(self.found.item[chosen], return_inverse=True)
        table = np.full((len(raters), len(items)), np.nan)
        table[row, column] = self.found.value[chosen]
        return table, raters, items

    def _agreement(self, table: Floats, items: Ints) -> Agreement:
        clusters = self.cluster[items]
        paired = (~np.isnan(table)).sum(axis=0) >= 2
        is_few = len(np.unique(clusters[paired])) < ENOUGH_CLUSTERS
        why = f"fewer than {ENOUGH_CLUSTERS} {self.kind}s" if is_few else self.effort.why
        resampling = Resampling(SEED, 0 if why else self.effort.draws, cluster=self.kind)
        found = agreement_of(table, clusters, COEFFICIENTS, resampling)
        return _without_resampled(found, why) if why else found


def _without_resampled(found: Agreement, why: str) -> Agreement:
    """With the reason in place of every interval from resamples."""

    def without(one: Estimate) -> Estimate:
        return one if one.value is None else replace(one, no_interval=why)

    return replace(
        found,
        estimates={name: one if name in found.these_raters else without(one) for name, one in found.estimates.items()},
        these_raters={name: without(one) for name, one in found.these_raters.items()},
    )
