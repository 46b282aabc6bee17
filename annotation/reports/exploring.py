"""What a report adds to its findings without a plan: raters' learning, ACMC against naturalness, other choices of
raters, and the lexical diversity of a study's texts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from annotation.models import Study
from annotation.models.memberships import SCREENED_OUT
from annotation.reports.bootstrap import Floats, Ints, ratio
from annotation.reports.exclusions import WITH_ALL, WITHOUT_SCREENED_OUT, OtherRaters, with_other_raters
from annotation.reports.findings import Findings
from annotation.reports.learning import Learning, Submitted, learning
from annotation.reports.naturalness import NATURAL, Naturalness, naturalness
from annotation.reports.scores import (
    StudyItems,
    StudyScores,
    counted_members,
    scores_before_exclusions,
    submitted_ratings,
)
from annotation.reports.texts import study_texts
from dialogues.models import COUNT_FIELDS
from dialogues.rubric import Metric

MESSAGES, TURNS = COUNT_FIELDS.index("message_count"), COUNT_FIELDS.index("turn_count")


def explored(study: Study, found: Findings, items: StudyItems, scores: StudyScores) -> Findings:
    """The findings with what is exploratory."""
    return replace(
        found,
        learning=_learning(study, items, scores, found.metrics),
        naturalness=_naturalness(study, items, scores, found.metrics),
        other_raters=tuple(_other_raters(study, found, items, scores)),
        texts=study_texts(study) if found.has_lengths else None,
    )


def _learning(study: Study, items: StudyItems, scores: StudyScores, metrics: Sequence[Metric]) -> Learning | None:
    """None for imported ratings, of which nobody knows when they were given."""
    if study.is_imported or not len(scores.value):
        return None
    item, rater, seconds = submitted_ratings(study, items)
    place = _places(item * len(scores.raters) + rater, scores.item * len(scores.raters) + scores.rater)
    by_metric = {metric.key: np.full(len(item), np.nan) for metric in metrics}
    for number, metric in enumerate(metrics):
        chosen = scores.metric == number
        by_metric[metric.key][place[chosen]] = scores.value[chosen]
    return learning(Submitted(rater, items.background[item], seconds), by_metric)


def _places(known: Ints, wanted: Ints) -> Ints:
    """(wanted,) where each stands among the known ones, all of which differ."""
    order = np.argsort(known)
    return order[np.searchsorted(known[order], wanted)]


def _naturalness(study: Study, items: StudyItems, scores: StudyScores, metrics: Sequence[Metric]) -> Naturalness | None:
    number = next((place for place, metric in enumerate(metrics) if metric.key == NATURAL), None)
    if number is None:
        return None
    chosen = scores.metric == number
    item, size = scores.item[chosen], len(items.pks)
    counts = np.bincount(item, minlength=size).astype(np.float64)
    mean: Floats = ratio(np.bincount(item, scores.value[chosen], size).astype(np.float64), counts)
    lengths = items.counts.astype(np.float64)
    acmc = np.where(items.has_text, ratio(lengths[:, MESSAGES], lengths[:, TURNS]), np.nan)
    return naturalness(metrics[number].name, acmc, mean, items.version, items.background, seed=study.seed)


def _other_raters(study: Study, found: Findings, items: StudyItems, scores: StudyScores) -> Iterator[OtherRaters]:
    """Every choice of raters that would give other ratings than those that count."""
    keys = [metric.key for metric in found.metrics]
    everyone = scores_before_exclusions(study, items, keys)
    if len(everyone.value) != len(scores.value):
        yield with_other_raters(WITH_ALL, items, everyone, len(keys), study.rubric.scale, found.target)
    if study.counts_screened_out and (kept := _without_screened_out(study, scores)) is not None:
        yield with_other_raters(WITHOUT_SCREENED_OUT, items, kept, len(keys), study.rubric.scale, found.target)


def _without_screened_out(study: Study, scores: StudyScores) -> StudyScores | None:
    """None where that changes nothing or leaves no score."""
    failed = set(study.memberships.filter(SCREENED_OUT).values_list("pk", flat=True))
    numbers = [place for place, pk in enumerate(counted_members(study)) if pk in failed]
    kept = ~np.isin(scores.rater, numbers)
    if kept.all() or not kept.any():
        return None
    return replace(
        scores,
        item=scores.item[kept],
        rater=scores.rater[kept],
        metric=scores.metric[kept],
        value=scores.value[kept],
    )
