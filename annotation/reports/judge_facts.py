"""What a judge's scores of a study's dialogues say beside its raters' scores, from both as columns. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotation.reports.bootstrap import Floats, Ints, ratio
from annotation.reports.columns import StudyItems, StudyScores
from annotation.reports.comparisons import version_pairs
from annotation.reports.findings import Key
from annotation.reports.judge_measures import (
    Beside,
    JudgedScores,
    JudgeFacts,
    Powered,
    beside,
    powered,
    powered_gap,
)
from dialogues.counts import COUNT_FIELDS
from dialogues.rubric import JUDGE_SCALE, Metric, Scale, asks_the_same
from generation.judgements.score_tables import JudgeMeans, Writers
from generation.judgements.scores import Judged

WORDS = "word_tokens"  # tokens with a letter or a digit


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge as it stands in a report, the questions that it was asked, and its scores of the corpus's dialogues in
    the versions that the study has; it scored `judged` dialogues in all, at `dollars` each.

    `name` is its model, `label` tells it from other judges with the same model. `demo_writers` are those of the
    corpus's writers that are the demo's rules."""

    label: str
    name: str
    is_demo: bool
    about: tuple[str, ...]
    metrics: tuple[Metric, ...]
    rows: Sequence[Judged]
    dollars: float
    judged: int
    demo_writers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rated:
    """The study's side: its items, the numbers (items,) that `Judged` gives their dialogues, and its scores."""

    items: StudyItems
    dialogues: Ints
    scores: StudyScores
    metrics: tuple[Metric, ...]
    scale: Scale

    @property
    def slugs(self) -> list[str]:
        return [version.slug for version in self.items.versions]


def judge_facts(rated: Rated, judge: Judge, seed: int) -> JudgeFacts | None:
    """None where the judge scored no rated dialogue on a metric that raters were asked in the same words."""
    asked = {metric.key: metric for metric in judge.metrics}
    known = set(rated.dialogues.tolist())
    here = [row for row in judge.rows if row.dialogue in known]
    reworded: list[str] = []
    by_metric: dict[str, Beside] = {}
    means: dict[tuple[str, str], Powered] = {}
    gaps: dict[Key, Powered] = {}
    for number, metric in enumerate(rated.metrics):
        if not here or metric.key not in asked:
            continue
        if not asks_the_same(metric, asked[metric.key]):
            reworded.append(metric.name)
            continue
        scores = _scores(rated, number, [row for row in judge.rows if row.metric == metric.key])
        if (both := beside(scores, len(rated.slugs), seed)) is None:
            continue
        by_metric[metric.key] = replace(both, bias=both.bias.within(rated.scale.reach))
        means |= _means(scores, metric.key, rated)
        gaps |= _gaps(scores, metric.key, rated)
    if not by_metric:
        return None
    return JudgeFacts(
        label=judge.label,
        is_demo=judge.is_demo,
        about=judge.about,
        reworded=tuple(reworded),
        beside=by_metric,
        powered=means,
        gaps=gaps,
        scores=_own_means(rated, judge, here),
        dollars=judge.dollars,
        judged=judge.judged,
    )


def _own_means(rated: Rated, judge: Judge, here: Sequence[Judged]) -> JudgeMeans:
    symbols = {version.slug: version.symbol for version in rated.items.versions}
    return JudgeMeans.of(
        here,
        Writers(symbols, judge.demo_writers),
        judge.metrics,
        label=judge.label,
        name=judge.name,
        is_demo=judge.is_demo,
    )


def _means(scores: JudgedScores, metric: str, rated: Rated) -> dict[tuple[str, str], Powered]:
    scale = rated.scale
    return {
        (metric, slug): mean.within(scale.low, scale.high)
        for place, slug in enumerate(rated.slugs)
        if (mean := powered(scores, place))
    }


def _gaps(scores: JudgedScores, metric: str, rated: Rated) -> dict[Key, Powered]:
    slugs, reach = rated.slugs, rated.scale.reach
    return {
        (metric, slugs[first], slugs[second]): gap.within(-reach, reach)
        for first, second in version_pairs(range(len(slugs)))
        if (gap := powered_gap(scores, first, second))
    }


def _scores(rated: Rated, metric: int, rows: Sequence[Judged]) -> JudgedScores:
    dialogues = _ints(row.dialogue for row in rows)
    item = _place_of(dialogues, rated.dialogues)
    table = _by_rater(rated, metric)
    counts = (~np.isnan(table)).sum(axis=0).astype(np.float64)
    people = np.where(item >= 0, ratio(np.nansum(table, axis=0), counts)[item], np.nan)
    slugs = {slug: number for number, slug in enumerate(rated.slugs)}
    writers = {name: number for number, name in enumerate(dict.fromkeys(row.writer for row in rows))}
    low, high = rated.scale.low, rated.scale.high
    share = (np.array([row.mean for row in rows]) - JUDGE_SCALE.low) / JUDGE_SCALE.reach
    return JudgedScores(
        background=_ints(row.background for row in rows),
        version=_ints(slugs[row.version] for row in rows),
        writer=_ints(writers[row.writer] for row in rows),
        words=np.where(item >= 0, _words(rated)[item], np.nan),
        judge=low + (high - low) * share,
        people=people,
        raters=table[:, item[~np.isnan(people)]],
    )


def _words(rated: Rated) -> Floats:
    """(items,) words of each item's dialogue, NaN where a file of ratings had no text."""
    return np.where(rated.items.has_text, rated.items.counts[:, COUNT_FIELDS.index(WORDS)], np.nan)


def _by_rater(rated: Rated, metric: int) -> Floats:
    """(raters who scored the metric, items) scores, NaN for gaps."""
    chosen = rated.scores.metric == metric
    raters, row = np.unique(rated.scores.rater[chosen], return_inverse=True)
    table = np.full((len(raters), len(rated.items.pks)), np.nan)
    table[row, rated.scores.item[chosen]] = rated.scores.value[chosen]
    return table


def _place_of(wanted: Ints, among: Ints) -> Ints:
    """(wanted,) places of these values among others, −1 for one that is not there."""
    order = np.argsort(among)
    place = order[np.minimum(np.searchsorted(among[order], wanted), len(among) - 1)]
    return np.asarray(np.where(among[place] == wanted, place, -1))


def _ints(values: Iterable[Any]) -> Ints:
    return np.fromiter(values, dtype=np.int64)
