"""What a report adds to its findings without a plan: raters' learning, ACMC against naturalness, other choices of
raters, and the lexical diversity of a study's texts. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotation.reports.bootstrap import Floats, Ints, ratio
from annotation.reports.columns import StudyItems, StudyScores, Submissions
from annotation.reports.exclusions import WITH_ALL, WITHOUT_SCREENED_OUT, OtherRaters, with_other_raters
from annotation.reports.findings import Findings
from annotation.reports.learning import Learning, Submitted, learning
from annotation.reports.naturalness import NATURAL, Naturalness, naturalness
from annotation.reports.reported import Reported
from dialogues.counts import COUNT_FIELDS
from dialogues.rubric import Metric, Scale
from dialogues.statistics.figures import CorpusFigures

MESSAGES, TURNS = COUNT_FIELDS.index("message_count"), COUNT_FIELDS.index("turn_count")


@dataclass(frozen=True, slots=True)
class Explorable:
    """What is explored besides a study's items and the scores that count.

    `submitted` is None where nobody knows when ratings were given. `everyone` are all scores of the items, with those
    of raters who were excluded or screened out; `screened_out` the numbers of the raters who were, and count. `texts`
    are the figures of the items' dialogues, None where they have none of their own.
    """

    submitted: Submissions | None
    everyone: StudyScores
    screened_out: Sequence[int]
    texts: CorpusFigures | None


def explored(
    study: Reported, found: Findings, items: StudyItems, scores: StudyScores, more: Explorable, *, seed: int
) -> Findings:
    """The findings with what is exploratory."""
    scale = study.rubric.scale
    return replace(
        found,
        learning=_learning(more.submitted, items, scores, found.metrics, scale) if more.submitted else None,
        naturalness=_naturalness(items, scores, found.metrics, seed),
        other_raters=tuple(_other_raters(study, found, items, scores, more)),
        texts=more.texts if found.has_lengths else None,
    )


def _learning(
    submitted: Submissions, items: StudyItems, scores: StudyScores, metrics: Sequence[Metric], scale: Scale
) -> Learning | None:
    if not len(scores.value):
        return None
    item, rater, seconds = submitted
    place = _places(item * len(scores.raters) + rater, scores.item * len(scores.raters) + scores.rater)
    table = np.full((len(metrics), len(item)), np.nan)
    table[scores.metric, place] = scores.value
    # A rating without a score says nothing of learning.
    has_score = ~np.isnan(table).all(axis=0)
    by_metric = {metric.key: row[has_score] for metric, row in zip(metrics, table, strict=True)}
    rated = Submitted(rater[has_score], items.background[item[has_score]], seconds[has_score])
    return learning(rated, by_metric, scale)


def _places(known: Ints, wanted: Ints) -> Ints:
    """(wanted,) where each stands among the known ones, all of which differ."""
    order = np.argsort(known)
    return order[np.searchsorted(known[order], wanted)]


def _naturalness(items: StudyItems, scores: StudyScores, metrics: Sequence[Metric], seed: int) -> Naturalness | None:
    number = next((place for place, metric in enumerate(metrics) if metric.key == NATURAL), None)
    if number is None:
        return None
    chosen = scores.metric == number
    item, size = scores.item[chosen], len(items.pks)
    counts = np.bincount(item, minlength=size).astype(np.float64)
    mean: Floats = ratio(np.bincount(item, scores.value[chosen], size).astype(np.float64), counts)
    messages, turns = (items.counts[:, field].astype(np.float64) for field in (MESSAGES, TURNS))
    acmc = np.where(items.has_text, ratio(messages, turns), np.nan)
    return naturalness(metrics[number].name, acmc, mean, items.version, items.background, seed=seed)


def _other_raters(
    study: Reported, found: Findings, items: StudyItems, scores: StudyScores, more: Explorable
) -> Iterator[OtherRaters]:
    """Every choice of raters that would give other ratings than those that count."""
    metrics, scale = len(found.metrics), study.rubric.scale
    if len(more.everyone.value) != len(scores.value):
        yield with_other_raters(WITH_ALL, items, more.everyone, metrics, scale, found.target)
    if study.counts_screened_out and (kept := _without(scores, more.screened_out)) is not None:
        yield with_other_raters(WITHOUT_SCREENED_OUT, items, kept, metrics, scale, found.target)


def _without(scores: StudyScores, raters: Sequence[int]) -> StudyScores | None:
    """None where that changes nothing or leaves no score."""
    kept = ~np.isin(scores.rater, raters)
    if kept.all() or not kept.any():
        return None
    return scores.only(kept)
