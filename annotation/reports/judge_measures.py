"""A judge beside a study's raters on one metric: agreement, bias, alternative annotator test, powered means. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotation.reports.bootstrap import Floats, Ints
from annotation.reports.comparisons import DRAWS
from annotation.reports.models.alternative_annotator import AlternativeAnnotator, alternative_annotator
from annotation.reports.models.correlations import correlations
from annotation.reports.models.intervals import Unfit
from annotation.reports.models.prediction_powered import (
    PoweredMean,
    background_means,
    powered_difference,
    powered_mean,
)
from core.intervals import Estimate, PairSums, mean_of, ratio_of

# Above so many items resamples hardly scatter, and a thousand of them would keep a page waiting.
MANY_ITEMS, FEWER_DRAWS = 2000, 200


@dataclass(frozen=True, slots=True)
class JudgedScores:
    """One judge on one metric, one entry a judged dialogue: numbers of its `background`, `version` and `writer`.

    `judge` is the mean of the judge's repeats and `people` the mean of the raters' scores, NaN where nobody rated the
    dialogue, both in points of the study's scale. `raters` (raters, rated dialogues) are the raters' own scores of
    those that `people` has, in the same order, NaN for gaps.
    """

    background: Ints
    version: Ints
    writer: Ints
    judge: Floats
    people: Floats
    raters: Floats

    @property
    def both(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return ~np.isnan(self.people)


@dataclass(frozen=True, slots=True)
class Beside:
    """Judge and raters on the items that both scored. `bias` is judge − raters in points of the study's scale.

    `correlations` are by the names of `models/correlations.py`; n counts items everywhere.
    """

    items: int
    backgrounds: int
    correlations: Mapping[str, Estimate | None]
    bias: Estimate | None
    alternative: AlternativeAnnotator | Unfit


@dataclass(frozen=True, slots=True)
class Powered:
    """A mean over backgrounds, or that of two versions' differences: of `people` where they rated, and with the judge's
    help over all."""

    people: Estimate | None
    mean: PoweredMean | Unfit


@dataclass(frozen=True, slots=True)
class JudgeFacts:
    """A judge beside a study's raters. `beside` is by metric key, `powered` by metric key and version slug,
    `gaps` by metric key and the slugs of two versions, second minus first.

    `about` are sentences: which model, prompt and parameters it is, and what to know of its scores. `reworded` are the
    names of the study's metrics that the judge was asked in other words, which are not compared.
    """

    label: str
    is_demo: bool
    about: tuple[str, ...]
    reworded: tuple[str, ...]
    beside: Mapping[str, Beside]
    powered: Mapping[tuple[str, str], Powered]
    gaps: Mapping[tuple[str, str, str], Powered]


def beside(scores: JudgedScores, seed: int) -> Beside | None:
    """None where no item was both judged and rated."""
    both = scores.both
    if not both.any():
        return None
    people, judge, background = scores.people[both], scores.judge[both], scores.background[both]
    draws = DRAWS if len(people) <= MANY_ITEMS else FEWER_DRAWS
    return Beside(
        items=len(people),
        backgrounds=len(np.unique(background)),
        correlations=correlations(people, judge, background, seed=seed, draws=draws),
        bias=_bias(judge - people, background),
        alternative=alternative_annotator(scores.raters, judge, clusters=background),
    )


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


def _bias(gaps: Floats, background: Ints) -> Estimate | None:
    """The mean of (items,) differences; its interval is Student's t over backgrounds, linearised as a ratio of sums."""
    number = np.unique(background, return_inverse=True)[1]
    sums, counts = np.bincount(number, weights=gaps), np.bincount(number).astype(np.float64)
    squares = [float((one * other).sum()) for one, other in ((sums, sums), (sums, counts), (counts, counts))]
    found = ratio_of(PairSums(len(sums), float(sums.sum()), float(counts.sum()), *squares))
    return found._replace(n=len(gaps)) if found else None
