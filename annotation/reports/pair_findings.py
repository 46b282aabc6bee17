"""What a study of pairs found, computed from its decisions as columns. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import numpy as np

from annotation.reports.agreement import Agreement
from annotation.reports.bootstrap import Ints
from annotation.reports.columns import StudyScores
from annotation.reports.models.davidson import Preference, preference
from annotation.reports.models.intervals import Unfit
from annotation.reports.own_agreement import OwnAgreement
from annotation.reports.preferences import Decisions, Rate, WinRate, left_rates, win_rates
from annotation.reports.study_agreement import AgreementOf, PairsOfRaters
from core.intervals import Estimate
from core.steps import Steps
from dialogues.rubric import Metric
from dialogues.statistics.figures import CorpusFigures

STEPS_A_METRIC, FURTHER_STEPS = 2, 2
# The coefficients of agreement that need an order of decisions, but no distances; of two raters, too.
AGREED = ("alpha_ordinal", "kappa", "exact")


@dataclass(frozen=True, slots=True)
class PreferenceAgreement:
    """`over_all` is by metric key, `by_versions` by metric key and slugs of a pair, `by_raters` of two raters each."""

    over_all: Mapping[str, Agreement]
    by_versions: Mapping[tuple[str, str, str], Agreement]
    by_raters: PairsOfRaters


@dataclass(frozen=True, slots=True)
class PairLine:
    """One question, by key and name, and pair of versions; `rate` is None if nobody has compared them.

    `key` has the key of the question and the slugs of `first` and `second`, which are symbols; `metric` is a name.
    `modelled` is Davidson's chance of the second one, None where there is no model.
    """

    key: tuple[str, str, str]
    metric: str
    first: str
    second: str
    rate: WinRate | None
    modelled: Estimate | None


@dataclass(frozen=True, slots=True)
class Preferences:
    """Everything that the report of a study of pairs shows; `pairs` are symbols of versions, the earlier one first.

    `slugs` are the same pairs as slugs. `models` has Davidson's model of each metric, by the places of `versions`,
    which are symbols in their order.
    `unasked` are the indices in `rates` of questions that were not asked about a pair.
    """

    metrics: tuple[Metric, ...]
    versions: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    slugs: tuple[tuple[str, str], ...]
    rates: tuple[WinRate | None, ...]
    models: tuple[Preference | Unfit, ...]
    left: tuple[Rate, ...]
    agreement: PreferenceAgreement
    ratings: int
    raters: int
    items: int
    backgrounds: int
    # Those on which somebody compared anything.
    compared_backgrounds: int
    rated_items: int
    demo: tuple[str, ...]
    unasked: frozenset[int] = frozenset()
    # How many raters were screened out, whether their ratings count or not.
    screened_out: int = 0
    # By metric key, where the study has hidden repeats.
    own_agreement: Mapping[str, OwnAgreement] = field(default_factory=dict)
    # The figures of the dialogues that were compared.
    texts: CorpusFigures | None = None

    def rate(self, metric: int, pair: int) -> WinRate | None:
        return self.rates[metric * len(self.pairs) + pair]

    def modelled(self, metric: int, version: str, other: str) -> Estimate | None:
        """Davidson's chance that `version` is preferred to `other`; None where there is no model."""
        model = self.models[metric]
        if isinstance(model, Unfit):
            return None
        return model.rates.get((self.versions.index(version), self.versions.index(other)))

    @property
    def lines(self) -> list[PairLine]:
        """The rates metric by metric, with all pairs about which the metric was asked."""
        width = len(self.pairs)
        return [
            PairLine(
                (metric.key, *slugs),
                metric.name,
                *pair,
                self.rate(number, place),
                self.modelled(number, pair[1], pair[0]),
            )
            for number, metric in enumerate(self.metrics)
            for place, (pair, slugs) in enumerate(zip(self.pairs, self.slugs, strict=True))
            if number * width + place not in self.unasked
        ]


class PairItem(NamedTuple):
    """An item's background's number, its pair's number, and whether its own dialogue has the pair's first version."""

    background: int
    pair: int
    is_ordered: bool


@dataclass(frozen=True, slots=True)
class PairItems:
    """By any key of the items. `pairs` are symbols of versions, the earlier one first, `slugs` the same as slugs;
    `versions` are the symbols of all that are compared, in their order, `demo` those with demo texts."""

    items: Mapping[int, PairItem]
    pairs: tuple[tuple[str, str], ...]
    slugs: tuple[tuple[str, str], ...]
    versions: tuple[str, ...]
    demo: tuple[str, ...]


class PairRow(NamedTuple):
    """An item as it is stored: `key` and `background` are any keys, `first` and `second` the slugs of its own dialogue
    and of the other, followed by whether the demo wrote them."""

    key: int
    background: int
    first: str
    second: str
    first_demo: bool
    second_demo: bool


def placed_pairs(versions: Mapping[str, str], rows: Sequence[PairRow]) -> PairItems:
    """The items by key; `versions` are all symbols by slug, in their order."""
    order = {slug: number for number, slug in enumerate(versions)}
    backgrounds = {key: number for number, key in enumerate(dict.fromkeys(row.background for row in rows))}
    used = {tuple(sorted((row.first, row.second), key=order.__getitem__)) for row in rows}
    pairs = [pair for pair in combinations(order, 2) if pair in used]
    place = {pair: number for number, pair in enumerate(pairs)}
    items = {}
    for row in rows:
        is_ordered = order[row.first] <= order[row.second]
        pair = (row.first, row.second) if is_ordered else (row.second, row.first)
        items[row.key] = PairItem(backgrounds[row.background], place[pair], is_ordered)
    demo = {
        slug
        for row in rows
        for slug, is_demo in ((row.first, row.first_demo), (row.second, row.second_demo))
        if is_demo
    }
    return PairItems(
        items,
        tuple((versions[first], versions[second]) for first, second in pairs),
        tuple(pairs),
        tuple(symbol for slug, symbol in versions.items() if any(slug in pair for pair in pairs)),
        tuple(symbol for slug, symbol in versions.items() if slug in demo),
    )


class Decision(NamedTuple):
    """One rater's value on one metric: −1 for the item's own dialogue, 1 for the other, 0 for neither.

    `is_flipped` says whether the other dialogue stood left. `item` and `metric` are keys, `rater` and `rating` numbers.
    """

    item: int
    rater: int
    metric: str
    value: int
    is_flipped: bool
    rating: int


def pair_findings(
    known: PairItems,
    metrics: tuple[Metric, ...],
    given: Collection[Decision],
    seed: int,
    names: Mapping[int, str],
    screened_out: int,
    steps: Steps | None = None,
) -> Preferences:
    """All that follows from the decisions, in STEPS_A_METRIC `steps` a metric and FURTHER_STEPS more; those on other
    items or metrics are left out. `names` are the raters' pseudonyms by number."""
    step = steps or Steps()
    keys = {metric.key: number for number, metric in enumerate(metrics)}
    rows = [row for row in given if row.metric in keys and row.item in known.items]
    metric = np.array([keys[row.metric] for row in rows], dtype=np.int64)
    decisions = _decisions(known, rows, metric, len(metrics))
    groups = [metric == number for number in range(len(metrics))]
    step("Win rates and sides")
    rates = tuple(win_rates(decisions, seed))
    left = tuple(left_rates(decisions, [*groups, np.ones(len(rows), dtype=np.bool_)], seed))
    narrow = [not one.is_asked_for(*pair) for one in metrics for pair in known.slugs]
    numbers = np.array([[known.versions.index(symbol) for symbol in pair] for pair in known.pairs], dtype=np.int64)
    models = []
    for asked, group in zip(metrics, groups, strict=True):
        step(f"{asked.name}: Davidson’s model")
        models.append(preference(decisions.comparisons(group, numbers, len(known.versions)), seed=seed))
    of = _agreement_of(known, rows, metric, decisions.value, names, seed)
    return Preferences(
        metrics=metrics,
        versions=known.versions,
        pairs=known.pairs,
        slugs=known.slugs,
        rates=rates,
        models=tuple(models),
        left=left,
        agreement=_agreement(of, known, metrics, step),
        ratings=len({row.rating for row in rows}),
        raters=len({row.rater for row in rows}),
        items=len(known.items),
        backgrounds=len({one.background for one in known.items.values()}),
        compared_backgrounds=len(np.unique(decisions.background)),
        rated_items=len({row.item for row in rows}),
        demo=known.demo,
        screened_out=screened_out,
        unasked=frozenset(cell for cell, is_narrow in enumerate(narrow) if is_narrow and rates[cell] is None),
    )


def _decisions(known: PairItems, rows: Sequence[Decision], metric: Ints, metrics: int) -> Decisions:
    """The decisions as columns; `metric` has the number of each one's."""
    item, width = [known.items[row.item] for row in rows], len(known.pairs)
    value = np.array([row.value for row in rows], dtype=np.int64)
    flipped = np.array([row.is_flipped for row in rows], dtype=np.bool_)
    ordered = np.array([one.is_ordered for one in item], dtype=np.bool_)
    return Decisions(
        background=np.array([one.background for one in item], dtype=np.int64),
        cell=metric * width + np.array([one.pair for one in item], dtype=np.int64),
        # −1 prefers the item's own dialogue, which is the pair's first version unless the item is not ordered.
        value=np.where(ordered, value, -value),
        left=np.where(flipped, value, -value),
        # An item's other dialogue stands left where it is flipped; it is the pair's second version where it is ordered.
        second_left=flipped == ordered,
        cells=metrics * width,
    )


def _agreement(of: AgreementOf, known: PairItems, metrics: Sequence[Metric], step: Steps) -> PreferenceAgreement:
    pair = np.array([one.pair for one in known.items.values()], dtype=np.int64)
    over_all, by_versions = {}, {}
    for number, metric in enumerate(metrics):
        step(f"{metric.name}: agreement")
        over_all[metric.key] = of.over_all(number)
        for slugs, one in zip(known.slugs, of.by_group(number, pair, len(known.pairs)), strict=True):
            by_versions[metric.key, *slugs] = one
    step("Agreement by pair of raters")
    by_raters = of.between_pairs({number: metric.key for number, metric in enumerate(metrics)})
    return PreferenceAgreement(over_all, by_versions, by_raters)


def _agreement_of(
    known: PairItems, rows: Sequence[Decision], metric: Ints, value: Ints, names: Mapping[int, str], seed: int
) -> AgreementOf:
    """Of decisions as `value` in the order of each pair."""
    place = {key: number for number, key in enumerate(known.items)}
    raters, rater = np.unique(np.array([row.rater for row in rows], dtype=np.int64), return_inverse=True)
    scores = StudyScores(
        item=np.array([place[row.item] for row in rows], dtype=np.int64),
        rater=rater,
        metric=metric,
        value=value.astype(np.float64),
        raters=tuple(names[number] for number in raters.tolist()),
        set_aside=0,
        screened_out=0,
    )
    background = np.array([one.background for one in known.items.values()], dtype=np.int64)
    return AgreementOf(scores, background, seed, AGREED, AGREED)
