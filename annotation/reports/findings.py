"""The results of a study's scores: means, differences, agreement, raters and lengths. Arithmetic on columns."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from annotation.reports import agreement
from annotation.reports.agreement import Agreement
from annotation.reports.analysis import Analysis, Difference, Mean, analyse
from annotation.reports.bootstrap import Floats, Ints, ratio
from annotation.reports.chat_findings import ChatFindings
from annotation.reports.columns import StudyItems, StudyScores, VersionItems
from annotation.reports.comparisons import holm, version_pairs
from annotation.reports.exclusions import OtherRaters
from annotation.reports.judge_measures import JudgeFacts, Minutes
from annotation.reports.learning import Learning
from annotation.reports.lengths import Lengths, lengths
from annotation.reports.models.icc import icc_intervals
from annotation.reports.models.intervals import Interval, Target
from annotation.reports.models.ratings import Ratings
from annotation.reports.naturalness import Naturalness
from annotation.reports.own_agreement import OwnAgreement
from core.steps import Steps
from dialogues.rubric import Metric, Scale
from dialogues.statistics.figures import CorpusFigures

STEPS_A_METRIC = 3
# A metric's key and the slugs of two versions; a difference is the second's minus the first's.
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan says of the primary analysis; `family` are the differences whose p values are adjusted together,
    None: all of them."""

    target: Target = Target.RATERS_LIKE_THESE
    family: Collection[Key] | None = None


@dataclass(frozen=True, slots=True)
class RaterFacts:
    """`near` is the share of pairs, this rater's score and another's of the same item and metric, at most one apart."""

    pseudonym: str
    items: int
    mean: float
    deviation: float
    near: float | None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a report shows, by metric key and version slug; `lengths` are of the items that have a text.

    `target` is whom the primary analysis speaks of. `adjusted` are its p values of differences after Holm, None outside
    the family of tests: all pairs of versions on every metric asked about both, unless the study's plan says otherwise.
    `names` are the raters' pseudonyms by the numbers that analyses use. `chats` only in a study of chats; `judges`, and
    the raters' `minutes` beside them, where any scored rated dialogues; `own_agreement` by metric key where the study
    has hidden repeats. `learning`, `naturalness`, `other_raters` and `texts` are exploratory, and only there once
    `exploring.explored` added them.
    """

    metrics: tuple[Metric, ...]
    versions: tuple[VersionItems, ...]
    backgrounds: int
    items: int
    without_text: int
    rated_items: int
    ratings: int
    set_aside: int
    screened_out: int
    means: Mapping[tuple[str, str], Mean | None]
    differences: Mapping[Key, Difference | None]
    adjusted: Mapping[Key, float | None]
    target: Target
    analyses: Mapping[str, Analysis]
    names: tuple[str, ...]
    agreement: Mapping[str, Agreement]
    agreement_by_version: Mapping[tuple[str, str], Agreement]
    raters: tuple[RaterFacts, ...]
    lengths: Mapping[str, Lengths]
    chats: ChatFindings | None = None
    judges: tuple[JudgeFacts, ...] = ()
    minutes: Minutes | None = None
    own_agreement: Mapping[str, OwnAgreement] = field(default_factory=dict)
    learning: Learning | None = None
    naturalness: Naturalness | None = None
    other_raters: tuple[OtherRaters, ...] = ()
    texts: CorpusFigures | None = None

    def primary(self, of: Mean | Difference) -> Interval:
        """The interval of the primary analysis."""
        return of.interval(self.target)

    @property
    def has_lengths(self) -> bool:
        """Whether there are texts to measure: ratings can be imported without any."""
        return not self.items or self.without_text < self.items


def findings(
    items: StudyItems,
    scores: StudyScores,
    metrics: tuple[Metric, ...],
    scale: Scale,
    seed: int,
    planned: Planned | None = None,
    steps: Steps | None = None,
) -> Findings:
    """Compute all results in STEPS_A_METRIC `steps` a metric; the same scores and seed give the same intervals."""
    primary, step = planned or Planned(), steps or Steps()
    slugs = [version.slug for version in items.versions]
    cells = list(product((metric.key for metric in metrics), slugs))
    analyses: dict[str, Analysis] = {}
    agreed: dict[str, Agreement] = {}
    by_version: dict[tuple[str, str], Agreement] = {}
    for m, metric in enumerate(metrics):
        step(f"{metric.name}: means and models")
        analyses[metric.key] = _analysis(items, scores, m, scale)
        step(f"{metric.name}: agreement")
        agreed[metric.key] = _agreement(items, scores, m, seed)
        step(f"{metric.name}: agreement by version")
        by_version |= {(metric.key, slug): of for slug, of in _agreement_by_version(items, scores, m, seed).items()}
    differences = _differences(analyses, slugs)
    return Findings(
        metrics=metrics,
        versions=items.versions,
        backgrounds=items.backgrounds,
        items=len(items.pks),
        without_text=int((~items.has_text).sum()),
        rated_items=len(np.unique(scores.item)),
        ratings=len(np.unique(scores.item * max(1, len(scores.raters)) + scores.rater)),
        set_aside=scores.set_aside,
        screened_out=scores.screened_out,
        means={(key, slug): analyses[key].means[slugs.index(slug)] for key, slug in cells},
        differences=differences,
        adjusted=_adjusted(differences, primary),
        target=primary.target,
        analyses=analyses,
        names=scores.raters,
        agreement=agreed,
        agreement_by_version=by_version,
        raters=_rater_facts(scores),
        lengths={slug: lengths(items.counts[(items.version == v) & items.has_text]) for v, slug in enumerate(slugs)},
    )


def _analysis(items: StudyItems, scores: StudyScores, metric: int, scale: Scale) -> Analysis:
    chosen = scores.metric == metric
    item, rater = scores.item[chosen], scores.rater[chosen]
    ratings = Ratings.numbered(
        scores.value[chosen], items.version[item], items.background[item], rater, len(items.versions)
    )
    numbers = range(len(items.versions))
    return analyse(ratings, version_pairs(numbers), np.unique(rater).tolist(), scale)


def _sums(groups: Ints, values: Floats, size: int) -> Floats:
    """(size,): the sum of each group's values."""
    return np.bincount(groups, weights=values, minlength=size).astype(np.float64)


def _differences(analyses: Mapping[str, Analysis], slugs: list[str]) -> dict[Key, Difference | None]:
    return {
        (metric, slugs[first], slugs[second]): difference
        for metric, analysis in analyses.items()
        for (first, second), difference in analysis.differences.items()
    }


def _adjusted(differences: Mapping[Key, Difference | None], primary: Planned) -> dict[Key, float | None]:
    family = differences if primary.family is None else primary.family
    chances = [
        found.interval(primary.target).p if found and (key in family or (key[0], key[2], key[1]) in family) else None
        for key, found in differences.items()
    ]
    return dict(zip(differences, holm(chances), strict=True))


def _agreement(items: StudyItems, scores: StudyScores, metric: int, seed: int) -> Agreement:
    """Agreement over all versions; those of one background share their theme, so whole backgrounds are resampled."""
    chosen = scores.metric == metric
    backgrounds = items.background[np.unique(scores.item[chosen])]
    table = scores.where(chosen)
    return _for_raters_like_these(agreement.summary(table, seed=seed, clusters=backgrounds), table)


def _for_raters_like_these(found: Agreement, table: Floats) -> Agreement:
    """With such intervals of the intraclass correlations, where resampled backgrounds give one at all.

    Without one for raters like these there is none, so that a table's intraclass correlations all speak of them.
    """
    estimates = dict(found.estimates)
    for form, interval in icc_intervals(table).items():
        known = estimates[f"icc_{form}"]
        if known.low is not None:
            why = interval.no_interval
            estimates[f"icc_{form}"] = replace(known, low=interval.low, high=interval.high, no_interval=why)
    return replace(found, estimates=estimates)


def _agreement_by_version(items: StudyItems, scores: StudyScores, metric: int, seed: int) -> dict[str, Agreement]:
    of_metric, version = scores.metric == metric, items.version[scores.item]
    return {
        known.slug: agreement.summary(scores.where(of_metric & (version == v)), ("alpha_ordinal",), seed=seed)
        for v, known in enumerate(items.versions)
    }


def _rater_facts(scores: StudyScores) -> tuple[RaterFacts, ...]:
    if not len(scores.value):
        return ()
    domain, code = np.unique(scores.value, return_inverse=True)
    unit = np.unique(scores.item * (scores.metric.max() + 1) + scores.metric, return_inverse=True)[1]
    given = np.bincount(unit * len(domain) + code, minlength=(unit.max() + 1) * len(domain)).reshape(-1, len(domain))
    near = given @ (np.abs(domain[:, None] - domain) <= 1)
    size = len(scores.raters)

    def by_rater(values: Floats) -> Floats:
        return _sums(scores.rater, values, size)

    total = by_rater(np.ones_like(scores.value))
    mean, square = ratio(by_rater(scores.value), total), ratio(by_rater(np.square(scores.value)), total)
    # Subtract the score itself from the scores near it.
    close, others = (
        by_rater(near[unit, code].astype(np.float64) - 1),
        by_rater(given.sum(axis=1)[unit].astype(np.float64) - 1),
    )
    share = ratio(close, others)
    return tuple(
        RaterFacts(
            name,
            len(np.unique(scores.item[scores.rater == rater])),
            float(mean[rater]),
            float(np.sqrt(max(0.0, square[rater] - mean[rater] ** 2))),
            None if np.isnan(share[rater]) else float(share[rater]),
        )
        for rater, name in enumerate(scores.raters)
        if total[rater]
    )


def shown_pairs(found: Findings, *, dashes: bool) -> list[Key]:
    """The differences' keys, without those whose scores are printed as a dash."""
    hidden = {(metric.key, slug) for metric in found.metrics for slug in metric.dash_for} if dashes else set()
    return [key for key in found.differences if not {(key[0], key[1]), (key[0], key[2])} & hidden]
