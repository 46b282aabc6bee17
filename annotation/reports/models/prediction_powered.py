"""Prediction-powered means: few backgrounds rated by people, many scored by a judge. Pure.

PPI++ (Angelopoulos, Duchi & Zrnic 2023): people's mean, plus λ times what the judge's mean over all other backgrounds
differs from its mean over the rated ones. λ is tuned to the least variance, so that a judge who tells nothing changes
nothing. Backgrounds are the units, because dialogues on one background are not independent.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.stats import t as student

from annotation.reports.bootstrap import CONFIDENCE, Floats, Ints
from annotation.reports.models.intervals import Unfit
from core.intervals import DUST

TOO_FEW = "Fewer than two backgrounds are both rated by people and scored by the judge."
NOTHING_MORE = "The judge has scored no background beyond those that people rated, so it can add nothing."
NO_SPREAD = "People’s mean scores are equal on all backgrounds, so there is no interval."


@dataclass(frozen=True, slots=True)
class PoweredMean:
    """A mean with its 95 % interval, in points of the scale.

    `se` is the paper's standard error. The interval is Student's t on `rated` − 1 degrees of freedom, which with many
    backgrounds is the paper's normal one. `power` is λ, from 0 (the judge is ignored) to 1. `people` is the mean of
    people's scores alone, with its standard error `people_se`.
    """

    value: float
    se: float
    low: float
    high: float
    power: float
    rated: int
    judged: int
    people: float
    people_se: float


def powered_mean(people: Floats, judge: Floats) -> PoweredMean | Unfit:
    """The mean over backgrounds of what people would say; NaN where a background has no score.

    Both are (backgrounds,) mean scores of each background's dialogues. Those without the judge's score are left out.
    """
    both = ~np.isnan(people) & ~np.isnan(judge)
    rated, predicted = people[both], judge[both]
    others = judge[np.isnan(people) & ~np.isnan(judge)]
    if len(rated) < 2:
        return Unfit(TOO_FEW)
    if not len(others):
        return Unfit(NOTHING_MORE)
    if np.ptp(rated) <= DUST * np.abs(rated).max():
        return Unfit(NO_SPREAD)
    power = _power(rated, predicted, others)
    value = float(rated.mean() + power * (others.mean() - predicted.mean()))
    n = len(rated)
    se = sqrt(power**2 * others.var() / len(others) + (rated - power * predicted).var() / n)
    reach = float(student.ppf((1 + CONFIDENCE) / 2, n - 1)) * se * sqrt(n / (n - 1))
    people_se = float(rated.std(ddof=1)) / sqrt(n)
    return PoweredMean(value, se, value - reach, value + reach, power, n, len(others), float(rated.mean()), people_se)


def powered_difference(people: Floats, judge: Floats) -> PoweredMean | Unfit:
    """First version minus second, paired by background, from (2, backgrounds) mean scores with NaN for gaps.

    A background of which people rated one version only counts as scored by the judge alone.
    """
    return powered_mean(people[0] - people[1], judge[0] - judge[1])


def background_means(scores: Floats, background: Ints, backgrounds: int) -> Floats:
    """(backgrounds,) means of (n,) scores by the number of their background; NaN for a background without any."""
    counts = np.bincount(background, minlength=backgrounds)
    sums = np.bincount(background, weights=scores, minlength=backgrounds)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))


def _power(rated: Floats, predicted: Floats, others: Floats) -> float:
    """The λ of least variance, cov(people, judge) / ((1 + n/N) var(judge)), kept between 0 and 1."""
    covariance = float(((rated - rated.mean()) * (predicted - predicted.mean())).mean())
    spread = float(np.concatenate([predicted, others]).var(ddof=1))
    if spread == 0:
        return 0.0
    return float(np.clip(covariance / ((1 + len(rated) / len(others)) * spread), 0, 1))
