"""Judges' scores → means by writer, version and metric, differences from a base version, spread over repeats. Pure.

A dialogue's score is the mean of its repeats. Dialogues of one background share theme and characters, so the
background is the independent observation: scores are averaged within it first, intervals are Student's t over
backgrounds. A dialogue that was not judged is missing; no value is imputed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np

from core.intervals import Estimate, mean_of
from dialogues.rubric import JUDGE_SCALE

# The "writer" of imported dialogues; they are shown beside every writer's own.
ORIGINAL = ""


class Judged(NamedTuple):
    """One dialogue on one metric by one judge: how often, the sum of the scores and of their squares."""

    background: int
    dialogue: int
    writer: str
    version: str
    metric: str
    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.n

    @property
    def deviation(self) -> float:
        """Standard deviation over the repeats (n - 1); 0 for a single one."""
        if self.n < 2:
            return 0.0
        return sqrt(max(0.0, self.squares - self.total**2 / self.n) / (self.n - 1))


class Place(NamedTuple):
    """A column: one version by one writer."""

    writer: str
    version: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Second minus first within a background; `effect` is d_z, the mean over the standard deviation (n − 1); `higher`
    is the share of backgrounds where the second scored more."""

    mean: Estimate
    effect: float | None
    higher: float


# {(place, metric): {background: score}}
Scores = Mapping[tuple[Place, str], Mapping[int, float]]


def scores_by_place(rows: Sequence[Judged]) -> Scores:
    """Each background's mean score in every column.

    Originals stand beside every writer who wrote on their background; without writers, in columns of their own.
    """
    writers = _writers_by_background(rows)
    found: dict[tuple[Place, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        beside = writers.get(row.background, ()) if row.writer == ORIGINAL else (row.writer,)
        for writer in beside or (ORIGINAL,):
            found[Place(writer, row.version), row.metric][row.background].append(row.mean)
    return {
        key: {background: sum(values) / len(values) for background, values in by_background.items()}
        for key, by_background in found.items()
        if key[0].writer != ORIGINAL or not any(writers.values())
    }


def means(scores: Scores) -> dict[tuple[Place, str], Estimate]:
    """The mean over backgrounds in every column and metric that has any."""
    found = {}
    for key, by_background in scores.items():
        estimate = mean_of(np.array(list(by_background.values())))
        if estimate is not None:
            found[key] = estimate.within(JUDGE_SCALE.low, JUDGE_SCALE.high)
    return found


def differences(scores: Scores, base: str) -> dict[tuple[Place, str], Difference]:
    """Every other version minus the writer's `base` version, over the backgrounds that have both."""
    found = {}
    for (place, metric), second in scores.items():
        first = scores.get((Place(place.writer, base), metric), {})
        gaps = np.array([score - first[background] for background, score in second.items() if background in first])
        mean = mean_of(gaps) if place.version != base else None
        if mean is not None:
            effect = None if mean.no_interval else mean.value / float(gaps.std(ddof=1))
            higher = float(np.mean(gaps > 0) + np.mean(gaps == 0) / 2)
            found[place, metric] = Difference(mean.within(-JUDGE_SCALE.reach, JUDGE_SCALE.reach), effect, higher)
    return found


def spread(rows: Iterable[Judged]) -> dict[str, Estimate]:
    """By metric, the mean standard deviation within a dialogue, over the dialogues judged more than once."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.n > 1:
            found[row.metric].append(row.deviation)
    estimates = {metric: mean_of(np.array(values)) for metric, values in found.items()}
    return {
        metric: estimate.within(0, JUDGE_SCALE.reach) for metric, estimate in estimates.items() if estimate is not None
    }


def correlation(first: Iterable[Judged], second: Iterable[Judged]) -> dict[str, tuple[float | None, int]]:
    """By metric, Pearson's r of two judges over the dialogues that both scored (None if undefined), and how many."""
    other = {(row.dialogue, row.metric): row.mean for row in second}
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in first:
        if (row.dialogue, row.metric) in other:
            pairs[row.metric].append((row.mean, other[row.dialogue, row.metric]))
    return {metric: (_pearson(values), len(values)) for metric, values in pairs.items()}


def places(scores: Scores, order: Sequence[str]) -> list[Place]:
    """The columns by writer, versions in the given order; a version that a writer lacks stays an empty column."""
    writers = sorted({place.writer for place, _ in scores})
    versions = {place.version for place, _ in scores}
    return [Place(writer, version) for writer in writers for version in order if version in versions]


def _writers_by_background(rows: Iterable[Judged]) -> Mapping[int, Collection[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.writer != ORIGINAL:
            found[row.background].add(row.writer)
    return found


def _pearson(values: Sequence[tuple[float, float]]) -> float | None:
    columns = np.array(values).T
    if len(values) < 2 or not all(column.std() > 0 for column in columns):
        return None
    return float(np.corrcoef(columns)[0, 1])
