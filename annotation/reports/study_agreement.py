"""Agreement between a study's raters on one metric: over all items, within groups of them, and of two raters each.

Pure. The groups are versions or, where two dialogues are compared, pairs of versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotation.reports.agreement import COEFFICIENTS, Agreement
from annotation.reports.bootstrap import Ints
from annotation.reports.columns import Chosen, StudyScores
from annotation.reports.group_agreement import RaterPair, Resampling, agreement_of, pairs_by_shared, scored_by_both

# Five raters make ten pairs.
MOST_PAIRS = 10
OF_PAIRS = ("alpha_ordinal", "kappa", "exact", "within_1")
# The coefficients with intervals from resamples where there are many groups: within versions and between two raters.
RESAMPLED = ("alpha_ordinal",)


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Agreement of two raters, by pseudonym, by key of the metrics on which both scored an item."""

    raters: tuple[str, str]
    by_metric: Mapping[str, Agreement]


@dataclass(frozen=True, slots=True)
class PairsOfRaters:
    """The pairs who share most items, and how many pairs who share any are left out."""

    shown: tuple[PairAgreement, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class AgreementOf:
    """What scores are measured with; a metric is its number, `background` (items,) the number of each item's.

    `coefficients` are those over all items and within groups, `of_pairs` those of two raters.
    """

    scores: StudyScores
    background: Ints
    seed: int
    coefficients: tuple[str, ...] = COEFFICIENTS
    of_pairs: tuple[str, ...] = OF_PAIRS

    def over_all(self, metric: int) -> Agreement:
        return self._where(self.scores.metric == metric, self.coefficients, Resampling(self.seed))

    def by_group(self, metric: int, group: Ints, groups: int) -> list[Agreement]:
        """Within each of so many groups, `group` (items,) being the number of each item's."""
        of_metric, number = self.scores.metric == metric, group[self.scores.item]
        resampling = Resampling(self.seed, of=RESAMPLED)
        return [self._where(of_metric & (number == place), self.coefficients, resampling) for place in range(groups)]

    def pairs(self) -> list[RaterPair]:
        """Raters who share a rated item, those who share most first."""
        has_scored = np.zeros((len(self.scores.raters), len(self.background)), dtype=np.bool_)
        has_scored[self.scores.rater, self.scores.item] = True
        return pairs_by_shared(has_scored)

    def of_pair(self, metric: int, pair: RaterPair) -> Agreement | None:
        """None if no item was scored by both on this metric."""
        chosen = scored_by_both(
            self.scores.metric == metric, self.scores.item, self.scores.rater, (pair.first, pair.second)
        )
        return self._where(chosen, self.of_pairs, Resampling(self.seed, of=RESAMPLED)) if chosen.any() else None

    def between_pairs(self, metrics: Mapping[int, str]) -> PairsOfRaters:
        """Of those who share most, by number and key of the metrics."""
        known, names = self.pairs(), self.scores.raters
        shown = []
        for pair in known[:MOST_PAIRS]:
            measured = {key: self.of_pair(metric, pair) for metric, key in metrics.items()}
            by_metric = {key: found for key, found in measured.items() if found}
            shown.append(PairAgreement((names[pair.first], names[pair.second]), by_metric))
        return PairsOfRaters(tuple(shown), len(known) - len(shown))

    def _where(self, chosen: Chosen, coefficients: tuple[str, ...], resampling: Resampling) -> Agreement:
        """Of the chosen scores; dialogues of one background share their theme, so whole backgrounds are resampled."""
        backgrounds = self.background[np.unique(self.scores.item[chosen])]
        return agreement_of(self.scores.where(chosen), backgrounds, coefficients, resampling)
