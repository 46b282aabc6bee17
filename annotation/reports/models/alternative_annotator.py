"""The alternative annotator test: may a judging model stand in for a rater? Pure.

Calderon, Reichart & Dror (2025): each rater in turn is left out, and the judge and that rater are compared by how near
they come to the others' scores of an item. The judge wins against a rater if its share of items on which it is as near
or nearer is less than ε below the rater's. A one-sided t test must show that, at a false discovery rate of 5 % over all
raters (Benjamini & Yekutieli 2001). If it wins against half of the raters or more, it may stand in for one.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from scipy.stats import false_discovery_control
from scipy.stats import t as student

from annotation.reports.bootstrap import Floats, Ints
from annotation.reports.models.intervals import Unfit

# The authors' values: for crowd workers, for trained people such as students, and for experts.
CROWD, TRAINED, EXPERT = 0.1, 0.15, 0.2
FALSE_DISCOVERIES = 0.05
ENOUGH_RATERS = 0.5
ENOUGH_ITEMS = 30
# Distances this close, in points of the scale, differ by rounding only.
SAME = 1e-9
# With no more raters than these, the few possible winning rates are named.
FEW_RATERS = 4
TOO_FEW_RATERS = "The test leaves one rater out and compares with the others, so it needs two raters or more."
TOO_FEW_ITEMS = "No rater shares two items or more with another rater and the judge."


@dataclass(frozen=True, slots=True)
class AgainstRater:
    """The judge against one rater, over the `items` that the rater shares with another rater and the judge.

    `judge` is the share of items on which the judge came as near to the others as the rater did, or nearer.
    `p` belongs to the hypothesis that the rater's share is larger by ε or more; `is_won` says whether it is rejected.
    """

    rater: int
    items: int
    judge: float
    p: float
    is_won: bool


@dataclass(frozen=True, slots=True)
class AlternativeAnnotator:
    """`winning_rate` is ω, the share of raters whom the judge won against, `advantage` ρ, its mean share of items."""

    epsilon: float
    against: tuple[AgainstRater, ...]

    @property
    def winning_rate(self) -> float:
        return sum(one.is_won for one in self.against) / len(self.against)

    @property
    def advantage(self) -> float:
        return sum(one.judge for one in self.against) / len(self.against)

    @property
    def limits(self) -> tuple[str, ...]:
        """What so few raters or items cannot show."""
        count, found = len(self.against), []
        if count <= FEW_RATERS:
            rates = [f"{place / count:.2g}" for place in range(count + 1)]
            listed = f"{', '.join(rates[:-1])} and {rates[-1]}"
            found.append(
                f"With {count} raters only the winning rates {listed} are possible, so one rater decides much."
            )
        if any(one.items < ENOUGH_ITEMS for one in self.against):
            found.append(
                f"A rater shares fewer than {ENOUGH_ITEMS} items with the judge, too few for a t test to rely on."
            )
        return tuple(found)


def alternative_annotator(
    scores: Floats, judge: Floats, *, epsilon: float = CROWD, clusters: Ints | None = None
) -> AlternativeAnnotator | Unfit:
    """The test of (raters, items) scores against the judge's (items,), NaN for gaps, or why there is none.

    Nearness is the root mean squared difference from the others' scores. `clusters` (items,) numbers what is not
    independent, such as the backgrounds: the t test is then on the clusters' means. Without them it is the paper's.
    """
    if len(scores) < 2:
        return Unfit(TOO_FEW_RATERS)
    numbers = np.arange(scores.shape[1]) if clusters is None else clusters
    tests = [_against(scores, judge, numbers, rater, epsilon) for rater in range(len(scores))]
    kept = [one for one in tests if one is not None]
    if not kept:
        return Unfit(TOO_FEW_ITEMS)
    adjusted = false_discovery_control([one.p for one in kept], method="by")
    return AlternativeAnnotator(
        epsilon,
        tuple(replace(one, is_won=bool(value <= FALSE_DISCOVERIES)) for one, value in zip(kept, adjusted, strict=True)),
    )


def _against(scores: Floats, judge: Floats, clusters: Ints, rater: int, epsilon: float) -> AgainstRater | None:
    """None if there are not two items, or not two clusters, to compare on."""
    others = np.delete(scores, rater, axis=0)
    shared = ~np.isnan(scores[rater]) & ~np.isnan(judge) & ~np.isnan(others).all(axis=0)
    if len(np.unique(clusters[shared])) < 2:
        return None
    own, theirs = _distance(scores[rater, shared], others[:, shared]), _distance(judge[shared], others[:, shared])
    judge_wins, rater_wins = theirs <= own + SAME, own <= theirs + SAME
    number = np.unique(clusters[shared], return_inverse=True)[1]
    behind = np.bincount(number, weights=rater_wins.astype(np.float64) - judge_wins) / np.bincount(number)
    return AgainstRater(rater, int(shared.sum()), float(judge_wins.mean()), _p_below(behind, epsilon), False)


def _distance(score: Floats, others: Floats) -> Floats:
    """(items,) root mean squared differences from the others' scores, whichever there are."""
    return np.asarray(np.sqrt(np.nanmean((others - score) ** 2, axis=0)))


def _p_below(values: Floats, bound: float) -> float:
    """One-sided p of the t test that the mean is below `bound`."""
    gap, deviation = float(values.mean()) - bound, float(values.std(ddof=1))
    if deviation == 0:
        return 0.0 if gap < 0 else 1.0
    return float(student.cdf(gap / (deviation / sqrt(len(values))), len(values) - 1))
