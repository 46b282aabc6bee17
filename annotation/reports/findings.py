"""The results of a study's scores: means, differences, agreement, raters and lengths. Arithmetic on columns."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

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
from annotation.reports.models.intervals import Interval, Target
from annotation.reports.models.ratings import Ratings
from annotation.reports.naturalness import Naturalness
from annotation.reports.own_agreement import OwnAgreement
from annotation.reports.study_agreement import AgreementOf, PairsOfRaters
from core.steps import Steps
from dialogues.rubric import Metric, Scale
from dialogues.statistics.figures import CorpusFigures

# Beside these, one for pairs of raters.
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
    `names` are the raters' pseudonyms by the numbers that analyses use. `pairs` are of raters. `chats` only in a study
    of chats; `judges`, and the raters' `minutes` beside them, where any scored rated dialogues; `own_agreement` by
    metric key where the study has hidden repeats. `learning`, `naturalness`, `other_raters` and `texts` are
    exploratory, and only there once `exploring.explored` added them.
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
    pairs: PairsOfRaters
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
    """Compute all results in STEPS_A_METRIC `steps` a metric and one more.

    The same scores and seed give the same intervals.
    """
    primary, step = planned or Planned(), steps or Steps()
    slugs = [version.slug for version in items.versions]
    cells = list(product((metric.key for metric in metrics), slugs))
    analyses: dict[str, Analysis] = {}
    agreed: dict[str, Agreement] = {}
    by_version: dict[tuple[str, str], Agreement] = {}
    of = AgreementOf(scores, items.background, seed)
    for m, metric in enumerate(metrics):
        step(f"{metric.name}: means and models")
        analyses[metric.key] = _analysis(items, scores, m, scale)
        step(f"{metric.name}: agreement")
        agreed[metric.key] = of.over_all(m)
        step(f"{metric.name}: agreement by version")
        within = of.by_group(m, items.version, len(slugs))
        by_version |= {(metric.key, slug): one for slug, one in zip(slugs, within, strict=True)}
    step("Agreement by pair of raters")
    pairs = of.between_pairs({m: metric.key for m, metric in enumerate(metrics)})
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
        pairs=pairs,
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


def compared_pairs(found: Findings, *, dashes: bool) -> list[Key]:
    """Those of them of which somebody scored both versions."""
    return [key for key in shown_pairs(found, dashes=dashes) if found.differences[key]]


def main_pairs(found: Findings, keys: Sequence[Key], is_confirmatory: Callable[[Key], bool]) -> list[Key]:
    """Those of the keys that the plan names; if it names none, the last version with each other, the nearest first."""
    last = found.versions[-1].slug if found.versions else ""
    return [key for key in keys if is_confirmatory(key)] or [key for key in keys if key[2] == last]
