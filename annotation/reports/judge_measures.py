"""A judge beside a study's raters on one metric: agreement, bias, alternative annotator test, powered means. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from annotation.reports.bootstrap import DRAWS, Floats, Ints, ratio
from annotation.reports.models.alternative_annotator import AlternativeAnnotator, alternative_annotator
from annotation.reports.models.correlations import coefficients, correlations
from annotation.reports.models.intervals import Unfit
from annotation.reports.models.prediction_powered import (
    PoweredMean,
    background_means,
    powered_difference,
    powered_mean,
)
from core.intervals import Estimate, clustered_mean, clustered_ratio, mean_of
from generation.judgements.score_tables import JudgeMeans

# Above so many items resamples hardly scatter, and a thousand of them would keep a page waiting.
MANY_ITEMS, FEWER_DRAWS = 2000, 200
# Of fewer, even the same order of all means would not be unlikely by chance.
ENOUGH_VERSIONS = 4
TOO_FEW_VERSIONS = (
    f"There is no coefficient of version means with fewer than {ENOUGH_VERSIONS} versions that raters and judge both "
    "scored: of two it is always 1 or −1, and three come in the same order by chance once in 6."
)
# Means of the same scores differ by no more than this, however they are summed.
SAME_MEAN_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class JudgedScores:
    """One judge on one metric, one entry a judged dialogue: numbers of its `background`, `version` and `writer`.

    `judge` is the mean of the judge's repeats and `people` the mean of the raters' scores, NaN where nobody rated the
    dialogue, both in points of the study's scale. `raters` (raters, rated dialogues) are the raters' own scores of
    those that `people` has, in the same order, NaN for gaps. `words` are those of the dialogue, NaN where nobody rated
    it or its text is not known.
    """

    background: Ints
    version: Ints
    writer: Ints
    words: Floats
    judge: Floats
    people: Floats
    raters: Floats

    @property
    def both(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return ~np.isnan(self.people)


@dataclass(frozen=True, slots=True)
class Bias:
    """Judge − raters on the items that both scored, in points of the study's scale; n counts items.

    `by_version` has None for a version without such items. `per_100_words` is how much it rises with 100 words more
    among dialogues of one version. `points` (items, 3) are words, number of the version and difference of each item.
    """

    mean: Estimate | None
    by_version: Sequence[Estimate | None]
    per_100_words: Estimate | None
    points: Floats = field(compare=False)

    def within(self, reach: float) -> Self:
        """Cut off where no difference of two scores can lie; a slope knows no such end."""
        cut = [one and one.within(-reach, reach) for one in (self.mean, *self.by_version)]
        return replace(self, mean=cut[0], by_version=tuple(cut[1:]))


@dataclass(frozen=True, slots=True)
class VersionLevel:
    """Raters and judge by the means of `versions` versions, each over the items that both scored.

    `correlations` are by the names of `models/correlations.py`, None where the means of either are all equal. They have
    no intervals: means of resampled backgrounds hold the error of the means twice, so that they agree less than the
    means do, and intervals from them leave out the truth far too often.
    """

    versions: int
    correlations: Mapping[str, float | None] | Unfit


@dataclass(frozen=True, slots=True)
class Beside:
    """Judge and raters on the items that both scored; n counts items.

    `correlations` are by the names of `models/correlations.py`.
    """

    items: int
    backgrounds: int
    correlations: Mapping[str, Estimate | None]
    by_version: VersionLevel
    bias: Bias
    alternative: AlternativeAnnotator | Unfit


@dataclass(frozen=True, slots=True)
class Powered:
    """A mean over backgrounds, or that of two versions' differences: of `people` where they rated, and with the judge's
    help over all."""

    people: Estimate | None
    mean: PoweredMean | Unfit

    def within(self, lowest: float, highest: float) -> Self:
        """Value and interval set to an end of the scale where they lie beyond it, as a powered mean can."""
        mean = self.mean
        if not isinstance(mean, Unfit):
            value, low, high = np.clip([mean.value, mean.low, mean.high], lowest, highest).tolist()
            mean = replace(mean, value=value, low=low, high=high)
        return replace(self, people=self.people and self.people.within(lowest, highest), mean=mean)


@dataclass(frozen=True, slots=True)
class JudgeFacts:
    """A judge beside a study's raters. `beside` is by metric key, `powered` by metric key and version slug,
    `gaps` by metric key and the slugs of two versions, second minus first.

    `about` are sentences: which model, prompt and parameters it is, and what to know of its scores. `reworded` are the
    names of the study's metrics that the judge was asked in other words, which are not compared. `scores` are its own
    means over the study's dialogues, as in the paper's Table 1. `dollars` is the cost of one of the `judged` dialogues
    of the corpus.
    """

    label: str
    is_demo: bool
    about: tuple[str, ...]
    reworded: tuple[str, ...]
    beside: Mapping[str, Beside]
    powered: Mapping[tuple[str, str], Powered]
    gaps: Mapping[tuple[str, str, str], Powered]
    scores: JudgeMeans
    dollars: float
    judged: int


@dataclass(frozen=True, slots=True)
class Minutes:
    """What raters took for an item: median and quartiles over `n` timed ratings."""

    n: int
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, seconds: Floats) -> Self | None:
        """None for no (ratings,) at all."""
        if not len(seconds):
            return None
        low, median, high = (float(value) / 60 for value in np.quantile(seconds, (0.25, 0.5, 0.75)))
        return cls(len(seconds), median, low, high)


def beside(scores: JudgedScores, versions: int, seed: int) -> Beside | None:
    """None where no item was both judged and rated; `versions` is how many the study has."""
    both = scores.both
    if not both.any():
        return None
    people, judge, background = scores.people[both], scores.judge[both], scores.background[both]
    draws = DRAWS if len(people) <= MANY_ITEMS else FEWER_DRAWS
    return Beside(
        items=len(people),
        backgrounds=len(np.unique(background)),
        correlations=correlations(people, judge, background, seed=seed, draws=draws),
        by_version=version_level(people, judge, scores.version[both], versions),
        bias=_bias(scores, versions),
        alternative=alternative_annotator(scores.raters, judge, clusters=background),
    )


def version_level(people: Floats, judge: Floats, version: Ints, versions: int) -> VersionLevel:
    """Of (items,) scores of raters and judge, and the items' versions out of so many."""
    items = np.bincount(version, minlength=versions).astype(np.float64)
    known = int(np.count_nonzero(items))
    if known < ENOUGH_VERSIONS:
        return VersionLevel(known, Unfit(TOO_FEW_VERSIONS))
    return VersionLevel(known, coefficients(_means(people, version, items), _means(judge, version, items)))


def _means(scores: Floats, version: Ints, items: Floats) -> Floats:
    """(known versions,) mean scores of versions that have so many `items`, without those that have none."""
    sums = np.bincount(version, weights=scores, minlength=len(items)).astype(np.float64)
    return np.asarray(np.round(ratio(sums, items), SAME_MEAN_DECIMALS)[items > 0], dtype=np.float64)


def powered(scores: JudgedScores, version: int) -> Powered | None:
    """The version's mean; None where none of its dialogues was both judged and rated."""
    if (columns := _background_columns(scores, version)) is None:
        return None
    people, judge = columns
    return Powered(mean_of(people[~np.isnan(people)]), powered_mean(people, judge))


def powered_gap(scores: JudgedScores, first: int, second: int) -> Powered | None:
    """The second version minus the first, paired by background; None where no background has both rated and judged."""
    columns = [_background_columns(scores, version) for version in (second, first)]
    if columns[0] is None or columns[1] is None:
        return None
    people, judge = (np.stack(pair) for pair in zip(*columns, strict=True))
    gaps = people[0] - people[1]
    if np.isnan(gaps).all():
        return None
    return Powered(mean_of(gaps[~np.isnan(gaps)]), powered_difference(people, judge))


def _background_columns(scores: JudgedScores, version: int) -> tuple[Floats, Floats] | None:
    """The raters' and the judge's (backgrounds,) means of a version, NaN for gaps.

    They are over the judged dialogues of the writers whose dialogues people rated. On a background that people rated
    only the rated dialogues count, so that both means of it are of the same ones.
    """
    of_version = scores.version == version
    both = of_version & scores.both
    if not both.any():
        return None
    elsewhere = ~np.isin(scores.background, scores.background[both]) & np.isin(scores.writer, scores.writer[both])
    used = both | (of_version & elsewhere)
    number = np.unique(scores.background, return_inverse=True)[1]
    size = int(number.max()) + 1
    people = background_means(scores.people[both], number[both], size)
    judge = background_means(scores.judge[used], number[used], size)
    return people, judge


def _bias(scores: JudgedScores, versions: int) -> Bias:
    both = scores.both
    gaps, background, version = (scores.judge - scores.people)[both], scores.background[both], scores.version[both]
    words = scores.words[both]
    by_version = [version == number for number in range(versions)]
    return Bias(
        mean=clustered_mean(gaps, background),
        by_version=tuple(clustered_mean(gaps[of], background[of]) for of in by_version),
        per_100_words=_slope(words / 100, gaps, version, background),
        points=np.stack([words, version.astype(np.float64), gaps], axis=1),
    )


def _slope(x: Floats, y: Floats, group: Ints, background: Ints) -> Estimate | None:
    """Least squares of (items,) y on x with an intercept for each group; None where x does not vary within any."""
    known = ~np.isnan(x)
    x, y, group, background = x[known], y[known], group[known], background[known]
    if not len(x):
        return None
    within = _centred(x, group)
    return clustered_ratio(within * _centred(y, group), within**2, background) if within.any() else None


def _centred(values: Floats, group: Ints) -> Floats:
    """Values minus the mean of their group; exactly 0 in a group of equal values."""
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    above = values - values[first][number]
    return np.asarray(above - (np.bincount(number, weights=above) / np.bincount(number))[number])
