"""Judges' scores of a study's dialogues beside its raters' scores, by judge, metric and version."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db.models import Count, Max

from annotation.models import Item, Study
from annotation.reports.bootstrap import Floats, Ints, ratio
from annotation.reports.comparisons import version_pairs
from annotation.reports.findings import Key
from annotation.reports.judge_measures import Beside, JudgedScores, JudgeFacts, Powered, beside, powered, powered_gap
from annotation.reports.scores import StudyItems, StudyScores
from dialogues.rubric import JUDGE_SCALE, Metric, Scale, asks_the_same
from generation.judgements import notes
from generation.judgements.loading import Findings, Verdict, findings_of
from generation.judgements.scores import Judged
from generation.judgements.tables import judge_label
from generation.models import Judgement


@dataclass(frozen=True, slots=True)
class _Rated:
    """The study's side: its items, their dialogues' keys (items,) in rising order of `pks`, and its scores."""

    items: StudyItems
    dialogues: Ints
    scores: StudyScores
    metrics: tuple[Metric, ...]
    scale: Scale

    @property
    def slugs(self) -> list[str]:
        return [version.slug for version in self.items.versions]


def judgements_read(study: Study) -> dict[str, int | None]:
    """How many judgements there are, and the newest: they never change, and their numbers only grow, so both together
    name a set of them. There are none to read in a study of chats, where each rater scored a chat of their own."""
    if study.has_chats:
        return {"n": 0, "last": None}
    return Judgement.objects.filter(dialogue__corpus=study.corpus_id).aggregate(n=Count("pk"), last=Max("pk"))


def judges_beside(study: Study, items: StudyItems, scores: StudyScores) -> Iterator[JudgeFacts]:
    """Every judge that scored a rated dialogue."""
    metrics = study.rubric.metric_list()
    rows = Item.objects.filter(study=study, purpose=Item.Purpose.RATED).order_by("pk")
    dialogues = np.array(rows.values_list("dialogue_id", flat=True), dtype=np.int64)
    rated = _Rated(items, dialogues, scores, metrics, study.rubric.scale)
    found = findings_of(study.corpus)
    for verdict in found.judges:
        facts = _facts(rated, found, verdict, study.seed)
        if facts.beside:
            yield facts


def _facts(rated: _Rated, found: Findings, verdict: Verdict, seed: int) -> JudgeFacts:
    asked = {metric.key: metric for metric in verdict.metrics}
    known = set(rated.dialogues.tolist())
    shown = [row for row in verdict.rows if row.version in rated.slugs]
    here = [row for row in shown if row.dialogue in known]
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
        scores = _scores(rated, number, [row for row in shown if row.metric == metric.key])
        if (both := beside(scores, seed)) is None:
            continue
        by_metric[metric.key] = both
        means |= _means(scores, metric.key, rated.slugs)
        gaps |= _gaps(scores, metric.key, rated.slugs)
    label = judge_label(found, verdict)
    about = (*notes.identity(label, verdict), *notes.own_writing(replace(verdict, rows=here)))
    return JudgeFacts(label, verdict.is_demo, about, tuple(reworded), by_metric, means, gaps)


def _means(scores: JudgedScores, metric: str, slugs: Sequence[str]) -> dict[tuple[str, str], Powered]:
    return {(metric, slug): mean for place, slug in enumerate(slugs) if (mean := powered(scores, place))}


def _gaps(scores: JudgedScores, metric: str, slugs: Sequence[str]) -> dict[Key, Powered]:
    return {
        (metric, slugs[first], slugs[second]): gap
        for first, second in version_pairs(range(len(slugs)))
        if (gap := powered_gap(scores, first, second))
    }


def _scores(rated: _Rated, metric: int, rows: Sequence[Judged]) -> JudgedScores:
    dialogues = _ints(row.dialogue for row in rows)
    item = _place_of(dialogues, rated.dialogues)
    table = _by_rater(rated, metric)
    counts = (~np.isnan(table)).sum(axis=0).astype(np.float64)
    people = np.where(item >= 0, ratio(np.nansum(table, axis=0), counts)[item], np.nan)
    slugs = {slug: number for number, slug in enumerate(rated.slugs)}
    writers = {name: number for number, name in enumerate(dict.fromkeys(row.writer for row in rows))}
    low, high = rated.scale.low, rated.scale.high
    share = (np.array([row.mean for row in rows]) - JUDGE_SCALE.low) / (JUDGE_SCALE.high - JUDGE_SCALE.low)
    return JudgedScores(
        background=_ints(row.background for row in rows),
        version=_ints(slugs[row.version] for row in rows),
        writer=_ints(writers[row.writer] for row in rows),
        judge=low + (high - low) * share,
        people=people,
        raters=table[:, item[~np.isnan(people)]],
    )


def _by_rater(rated: _Rated, metric: int) -> Floats:
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
