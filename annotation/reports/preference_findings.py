"""What the report of a study of pairs shows, computed once from its decisions."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from annotation.models import Item, Rating, Study
from annotation.reports.agreement import Agreement, summary
from annotation.reports.caching import key_of
from annotation.reports.comparisons import DRAWS
from annotation.reports.models.davidson import Preference, preference
from annotation.reports.models.intervals import Unfit
from annotation.reports.preferences import Bools, Decisions, Rate, WinRate, left_rates, win_rates
from annotation.reports.scores import counted_members, rated
from core.intervals import Estimate
from core.results import Result, Size
from core.steps import Steps
from dialogues.rubric import Metric

# Of a metric; and reading, win rates and sides.
STEPS_A_METRIC, FURTHER_STEPS = 2, 3
# Seconds, as measured by `tests.benchmarks.study_report`.
A_SCORE = 2e-5


@dataclass(frozen=True, slots=True)
class PairLine:
    """One question and pair of versions; `rate` is None if nobody has compared them.

    `modelled` is Davidson's chance of the second one, None where there is no model.
    """

    metric: str
    first: str
    second: str
    rate: WinRate | None
    modelled: Estimate | None


@dataclass(frozen=True, slots=True)
class Preferences:
    """Everything that the report of a study of pairs shows; `pairs` are symbols of versions, the earlier one first.

    `models` has Davidson's model of each metric, by the places of `versions`, which are symbols in their order.
    `unasked` are the indices in `rates` of questions that were not asked about a pair.
    """

    metrics: tuple[Metric, ...]
    versions: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    rates: tuple[WinRate | None, ...]
    models: tuple[Preference | Unfit, ...]
    left: tuple[Rate, ...]
    agreement: tuple[Agreement, ...]
    ratings: int
    raters: int
    items: int
    backgrounds: int
    rated_items: int
    demo: tuple[str, ...]
    unasked: frozenset[int] = frozenset()
    # How many raters were screened out, whether their ratings count or not.
    screened_out: int = 0

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
            PairLine(metric.name, *pair, self.rate(number, place), self.modelled(number, pair[1], pair[0]))
            for number, metric in enumerate(self.metrics)
            for place, pair in enumerate(self.pairs)
            if number * width + place not in self.unasked
        ]


@dataclass(frozen=True, slots=True)
class _Pairs:
    """By item: its background's and pair's numbers, and whether its dialogues are in the pair's order."""

    items: dict[int, tuple[int, int, bool]]
    pairs: tuple[tuple[str, str], ...]
    slugs: tuple[tuple[str, str], ...]
    versions: tuple[str, ...]
    demo: tuple[str, ...]


def preferences_of(study: Study, steps: Steps | None = None) -> Preferences:
    """The study's preferences, kept per set of counted ratings; computed now if there are none."""
    return preferences_result(study).here(steps)


def preferences_result(study: Study) -> Result[Preferences]:
    return Result(
        key=lambda: key_of("preferences", study),
        compute=lambda step: _compute(study, step),
        size=lambda: _size(study),
        task="annotation.compute_preferences",
        arguments={"study": study.pk},
    )


def _size(study: Study) -> Size:
    metrics = len(study.rubric.metric_list())
    scores = Rating.objects.counted().for_study(study).count() * metrics
    return Size(scores * A_SCORE, STEPS_A_METRIC * metrics + FURTHER_STEPS)


def _compute(study: Study, step: Steps) -> Preferences:
    step("Reading ratings")
    metrics = study.rubric.metric_list()
    known, members = _pairs(study), counted_members(study)
    keys = {metric.key: number for number, metric in enumerate(metrics)}
    ratings = rated(study, members, ("assignment__membership_id", "assignment__is_flipped"), ("metric", "value"))
    rows = [
        (item, member, metric, value, is_flipped, rating)
        for (item, rating, member, is_flipped), given in ratings
        for *_, metric, value in given
        if metric in keys and item in known.items
    ]
    item = [known.items[row[0]] for row in rows]
    metric = np.array([keys[row[2]] for row in rows], dtype=np.int64)
    value = np.array([row[3] for row in rows], dtype=np.int64)
    flipped = np.array([row[4] for row in rows], dtype=np.bool_)
    ordered = np.array([one[2] for one in item], dtype=np.bool_)
    width = len(known.pairs)
    decisions = Decisions(
        background=np.array([one[0] for one in item], dtype=np.int64),
        cell=metric * width + np.array([one[1] for one in item], dtype=np.int64),
        # −1 prefers the item's own dialogue, which is the pair's first version unless the item is not ordered.
        value=np.where(ordered, value, -value),
        left=np.where(flipped, value, -value),
        # An item's other dialogue stands left where it is flipped; it is the pair's second version where it is ordered.
        second_left=flipped == ordered,
        cells=len(metrics) * width,
    )
    groups = [metric == number for number in range(len(metrics))]
    step("Win rates")
    rates = tuple(win_rates(decisions, study.seed))
    narrow = [not one.is_asked_for(*pair) for one in metrics for pair in known.slugs]
    numbers = np.array([[known.versions.index(symbol) for symbol in pair] for pair in known.pairs], dtype=np.int64)
    models, agreed = [], []
    for asked, group in zip(metrics, groups, strict=True):
        step(f"{asked.name}: Davidson’s model")
        models.append(preference(decisions.comparisons(group, numbers, len(known.versions)), seed=study.seed))
        step(f"{asked.name}: agreement")
        agreed.append(_agreement(study, rows, decisions, group))
    step("Sides")
    return Preferences(
        metrics=metrics,
        versions=known.versions,
        pairs=known.pairs,
        rates=rates,
        models=tuple(models),
        left=tuple(left_rates(decisions, [*groups, np.ones(len(rows), dtype=np.bool_)], study.seed)),
        agreement=tuple(agreed),
        ratings=len({row[5] for row in rows}),
        raters=len({row[1] for row in rows}),
        items=len(known.items),
        backgrounds=len({one[0] for one in known.items.values()}),
        rated_items=len({row[0] for row in rows}),
        demo=known.demo,
        screened_out=study.memberships.screened_out().count(),
        unasked=frozenset(cell for cell, is_narrow in enumerate(narrow) if is_narrow and rates[cell] is None),
    )


def _agreement(
    study: Study,
    rows: list[tuple[int, int, str, int, bool, int]],
    decisions: Decisions,
    group: Bools,
) -> Agreement:
    """α over the (raters, items) decisions on one metric, in the order of each pair."""
    items, column = np.unique(np.array([row[0] for row in rows], dtype=np.int64)[group], return_inverse=True)
    raters, line = np.unique(np.array([row[1] for row in rows], dtype=np.int64)[group], return_inverse=True)
    table = np.full((max(len(raters), 1), len(items)), np.nan)
    table[line, column] = decisions.value[group]
    clusters = np.zeros(len(items), dtype=np.int64)
    clusters[column] = decisions.background[group]
    return summary(table, ("alpha_ordinal",), draws=DRAWS, seed=study.seed, clusters=clusters)


def _pairs(study: Study) -> _Pairs:
    versions = list(study.versions.order_by("position", "slug"))
    symbols = {version.slug: version.symbol for version in versions}
    order = {version.slug: number for number, version in enumerate(versions)}
    rows = (
        Item.objects.filter(study=study, purpose=Item.Purpose.RATED, other__isnull=False)
        .order_by("pk")
        .values_list(
            *("pk", "background_id", "dialogue__version_id", "other__version_id"),
            *("dialogue__is_demo", "other__is_demo"),
        )
    )
    backgrounds = {pk: number for number, pk in enumerate(dict.fromkeys(row[1] for row in rows))}
    used = {tuple(sorted((row[2], row[3]), key=order.__getitem__)) for row in rows}
    pairs = [pair for pair in combinations(order, 2) if pair in used]
    place = {pair: number for number, pair in enumerate(pairs)}
    items = {}
    for pk, background, first, second, *_ in rows:
        is_ordered = order[first] <= order[second]
        pair = (first, second) if is_ordered else (second, first)
        items[pk] = (backgrounds[background], place[pair], is_ordered)
    demo = {slug for row in rows for slug, is_demo in ((row[2], row[4]), (row[3], row[5])) if is_demo}
    return _Pairs(
        items,
        tuple((symbols[first], symbols[second]) for first, second in pairs),
        tuple(pairs),
        tuple(symbols[slug] for slug in order if any(slug in pair for pair in pairs)),
        tuple(symbols[slug] for slug in order if slug in demo),
    )
