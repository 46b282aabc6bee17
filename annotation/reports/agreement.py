"""Agreement between raters: Krippendorff's α, intraclass correlation, weighted κ and shares of near-equal scores.

Functions take scores as a (raters, units) array with NaN where a rater did not score a unit, and return an `Estimate`:
a value, or the reason why there is none.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike

from annotation.reports import components
from annotation.reports.bootstrap import (
    DRAWS,
    ENOUGH_CLUSTERS,
    Floats,
    Ints,
    Statistic,
    cluster_resamples,
    distributions,
    ends,
    group_sums,
    grouped,
    ratio,
    resamples,
)
from annotation.reports.patterns import Patterns, coded, value_counts
from core.intervals import DUST

Level = Literal["nominal", "ordinal", "interval", "ratio"]
IccForm = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]
ICC_FORMS: tuple[IccForm, ...] = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")


class Undefined(StrEnum):
    """Why a coefficient has no value, as a sentence's second half."""

    NO_PAIRS = "no item has scores from two raters"
    ALL_EQUAL = "all scores are equal"
    NOT_CROSSED = "fewer than two items have scores from two raters"
    TOO_FEW = "there are too few scores to tell items, raters and error apart"
    NO_ITEM_SPREAD = "the items' mean scores are all equal"
    ONE_ITEM = "there is no other item to estimate chance agreement from"
    NO_CHANCE = "scores of different items are all equal, so chance would leave no disagreement"
    OUTWEIGHED = "the raters' spread outweighs the items', which leaves a denominator that is not positive"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient with its bootstrap interval, or `no_interval` with the reason; or `undefined` with the reason."""

    value: float | None
    low: float | None = None
    high: float | None = None
    undefined: Undefined | None = None
    no_interval: str = ""

    @property
    def sentence(self) -> str:
        return f"Undefined: {self.undefined.value}." if self.undefined else ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """All coefficients for one set of scores.

    Intervals are for these raters, from resamples of clusters; `clusters` counts those that hold a unit with two scores
    or more, because no other bears on agreement. Where `estimates` has one for raters like these instead,
    `these_raters` has the other by the same name.
    """

    raters: int
    units: int
    # Units with two or more scores, on which α, κ and the shares are based.
    paired_units: int
    # Units not scored by every rater; if there are any, intraclass correlations come from variance components.
    incomplete_units: int
    clusters: int
    estimates: Mapping[str, Estimate]
    these_raters: Mapping[str, Estimate] = field(default_factory=dict)

    @property
    def has_few_clusters(self) -> bool:
        """Whether an interval is too narrow because it rests on resamples of few clusters."""
        resampled = {**self.estimates, **self.these_raters}
        return self.clusters < ENOUGH_CLUSTERS and any(one.low is not None for one in resampled.values())


def alpha(scores: ArrayLike, level: Level) -> Estimate:
    """Krippendorff's α (2011)."""
    codes, domain = coded(scores)
    counts = value_counts(codes, len(domain))
    if why := _unpaired(counts):
        return Estimate(None, undefined=why)
    return Estimate(float(_alpha_of(_coincidences(counts)[None], domain, level)[0]))


def icc(scores: ArrayLike, form: IccForm) -> Estimate:
    """Intraclass correlation after Shrout & Fleiss (1979); from variance components if scores are missing."""
    return icc_of(Patterns.of(scores), form)


def icc_of(patterns: Patterns, form: IccForm) -> Estimate:
    """The same of scores as patterns."""
    return _point(patterns, f"icc_{form}")


def weighted_kappa(scores: ArrayLike) -> Estimate:
    """Cohen's κ with quadratic weights (1968), pooled over all pairs of scores of a unit."""
    return _point(Patterns.of(scores), "kappa")


# "exact" and "within_1": the share of the pairs of scores of a unit that are equal, or differ by at most 1.
COEFFICIENTS = ("alpha_ordinal", "alpha_interval", "icc_2,1", "icc_2,k", "kappa", "exact", "within_1")


def summary(
    scores: ArrayLike,
    coefficients: tuple[str, ...] = COEFFICIENTS,
    draws: int = DRAWS,
    seed: int = 0,
    clusters: Ints | None = None,
    resampled: Collection[str] | None = None,
) -> Agreement:
    """The named coefficients with 95 % intervals from `draws` resamples of the units.

    `clusters` (units,) numbers each unit's cluster if units in a group are not independent; then whole clusters are
    drawn. Only those in `resampled` have an interval, or all if it is None.
    """
    return summary_of(Patterns.of(scores), coefficients, draws, seed, clusters, resampled)


def summary_of(
    patterns: Patterns,
    coefficients: tuple[str, ...],
    draws: int,
    seed: int,
    clusters: Ints | None = None,
    resampled: Collection[str] | None = None,
    cluster: str = "",
) -> Agreement:
    """The same of scores as patterns; `cluster` is what a cluster is called, a background if it is not said."""
    measured = {name: _measured(patterns, name) for name in coefficients}
    chosen = measured if resampled is None else resampled
    defined = {name: of for name, (_, of) in measured.items() if of and name in chosen}
    spread = distributions(defined, _samples(patterns.of_unit, clusters, draws, seed)) if defined else {}
    sizes = patterns.present.sum(axis=1)[patterns.of_unit]
    raters = patterns.codes.shape[1]
    paired = sizes >= 2
    drawn = int(paired.sum()) if clusters is None else len(np.unique(clusters[paired]))
    called = cluster or ("item" if clusters is None else "background")
    return Agreement(
        raters=raters,
        units=len(sizes),
        paired_units=int(paired.sum()),
        incomplete_units=int((sizes < raters).sum()),
        clusters=drawn,
        estimates={
            name: _with_interval(point, spread.get(name), drawn, called) for name, (point, _) in measured.items()
        },
    )


def _samples(of_unit: Ints, clusters: Ints | None, draws: int, seed: int) -> Iterator[Floats]:
    if clusters is None:
        return resamples(of_unit, draws, seed)
    return cluster_resamples(of_unit, clusters, draws, seed)


def statistic(patterns: Patterns, name: str) -> Statistic:
    """The coefficient `name` as a function of weights over the patterns."""
    family, _, rest = name.partition("_")
    if family == "alpha":
        return _alpha_statistic(patterns, cast(Level, rest))
    if family == "icc":
        return _icc_statistic(patterns, rest) if patterns.is_complete() else components.icc_statistic(patterns, rest)
    if family == "kappa":
        return _kappa_statistic(patterns)
    return _share_statistic(patterns, 0 if family == "exact" else float(rest))


def _point(patterns: Patterns, name: str) -> Estimate:
    return _measured(patterns, name)[0]


def _measured(patterns: Patterns, name: str) -> tuple[Estimate, Statistic | None]:
    """The coefficient's value, and the function that gave it; None where it is undefined."""
    family = name.partition("_")[0]
    why = _unpaired(patterns.value_counts(), equal_is_fine=family in ("exact", "within", "icc"))
    if family == "icc":
        why = why or _uncrossed(patterns)
    if why:
        return Estimate(None, undefined=why), None
    found = statistic(patterns, name)
    value = float(found(patterns.weights)[0])
    if np.isnan(value):
        return Estimate(None, undefined=_why_no_icc(patterns) if family == "icc" else _why_no_kappa(patterns)), None
    return Estimate(value), found


def _with_interval(point: Estimate, spread: Floats | None, clusters: int, cluster: str) -> Estimate:
    if spread is None or point.value is None:
        return point
    low, high, no_interval = ends(spread, point.value, clusters, cluster)
    return Estimate(point.value, low, high, no_interval=no_interval)


def _unpaired(counts: Ints, equal_is_fine: bool = False) -> Undefined | None:
    paired = counts[counts.sum(axis=1) >= 2]
    if len(paired) == 0:
        return Undefined.NO_PAIRS
    if not equal_is_fine and (paired.sum(axis=0) > 0).sum() == 1:
        return Undefined.ALL_EQUAL
    return None


def _uncrossed(patterns: Patterns) -> Undefined | None:
    """Why units, raters and error cannot be separated; None if they can."""
    weights, sizes = patterns.weights[0], patterns.present.sum(axis=1)
    if weights[sizes >= 2].sum() < 2:
        return Undefined.NOT_CROSSED
    if why := _unpaired(patterns.value_counts()):
        return why
    scored, raters = weights[sizes > 0].sum(), patterns.present.any(axis=0).sum()
    return Undefined.TOO_FEW if (weights * sizes).sum() < scored + raters else None


def _why_no_icc(patterns: Patterns) -> Undefined:
    """Why the analysis of variance of a complete table has no value."""
    _, values = patterns.complete()
    means = values.mean(axis=1)
    return Undefined.NO_ITEM_SPREAD if np.ptp(means) <= DUST * np.abs(values).max() else Undefined.OUTWEIGHED


def _why_no_kappa(patterns: Patterns) -> Undefined:
    """Why scores that are not all equal have no κ."""
    present = patterns.present.astype(np.float64)
    of_rater = patterns.weights[0] @ present
    shared = (present * patterns.weights[0][:, None]).T @ present
    compared = (shared > 0) & (of_rater[:, None] * of_rater > shared) & ~np.eye(len(of_rater), dtype=np.bool_)
    return Undefined.NO_CHANCE if compared.any() else Undefined.ONE_ITEM


# --- Krippendorff's α ---------------------------------------------------------------------------


def _alpha_statistic(patterns: Patterns, level: Level) -> Statistic:
    """α as a function of weights: a resample's coincidence matrix is a weighted sum over patterns."""
    counts, size = patterns.value_counts(), len(patterns.domain)
    each = counts * _shares(counts)[:, None]
    coincidences = (each[:, :, None] * counts[:, None, :] - each[:, :, None] * np.eye(size)).reshape(-1, size**2)

    def value(weights: Floats) -> Floats:
        return _alpha_of((weights @ coincidences).reshape(-1, size, size), patterns.domain, level)

    return value


def _coincidences(counts: Ints) -> Floats:
    """(values, values): how often each pair of values occurs in a unit; units weigh as much as they have scores."""
    shares = _shares(counts)
    found: Floats = (counts * shares[:, None]).T @ counts - np.diag(shares @ counts)
    return found


def _shares(counts: Ints) -> Floats:
    """(units,): what a pair of scores weighs, 0 in a unit without one."""
    sizes = counts.sum(axis=1)
    found: Floats = np.divide(1, sizes - 1, out=np.zeros(len(counts)), where=sizes >= 2)
    return found


def _alpha_of(observed: Floats, domain: Floats, level: Level) -> Floats:
    """(draws,) from (draws, values, values) coincidences."""
    margins = observed.sum(axis=1)
    distances = _distances(level, domain, margins)
    expected = margins[:, :, None] * margins[:, None, :] - margins[:, :, None] * np.eye(len(domain))
    disagreement = (observed * distances).sum(axis=(1, 2)) * (margins.sum(axis=1) - 1)
    return 1 - ratio(disagreement, (expected * distances).sum(axis=(1, 2)))


def _distances(level: Level, domain: Floats, margins: Floats) -> Floats:
    """Squared distances between values: (values, values), or one such matrix per resample for ordinal scores."""
    if level == "nominal":
        return 1 - np.eye(len(domain))
    # Ordinal distance: the difference of mid-ranks, which is half the margins of both ends and all between.
    places = np.cumsum(margins, axis=1) - margins / 2 if level == "ordinal" else domain[None, :]
    gaps: Floats = places[:, :, None] - places[:, None, :]
    if level == "ratio":
        sums = places[:, :, None] + places[:, None, :]
        gaps = np.divide(gaps, sums, out=np.zeros_like(gaps), where=sums != 0)
    return gaps**2


# --- intraclass correlation ---------------------------------------------------------------------


class SumsOfSquares(NamedTuple):
    """(draws,) each: between units, by raters, within units, and what is left of the last without the second."""

    between: Floats
    by_rater: Floats
    within: Floats
    error: Floats


def _icc_statistic(patterns: Patterns, form: str) -> Statistic:
    """The analysis of variance of a complete table, from weighted sums of centred scores."""
    kept, values = patterns.complete()
    raters = values.shape[1]
    row_sums = values.sum(axis=1, keepdims=True)
    features = np.hstack([np.ones_like(row_sums), row_sums**2, (values**2).sum(axis=1, keepdims=True), values])

    def value(weights: Floats) -> Floats:
        sums = weights[:, kept] @ features
        units, row_squares, squares, columns = sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3:]
        base = ratio(columns.sum(axis=1) ** 2, raters * units)
        between = row_squares / raters - base
        by_rater = ratio((columns**2).sum(axis=1), units) - base
        within = squares - base - between
        # Rounding errors of large sums can leave a small difference where it should be zero.
        parts = (between, by_rater, within, within - by_rater)
        clean = [np.where(np.abs(part) <= DUST * squares, 0, part) for part in parts]
        return _icc_from_squares(form, units, raters, SumsOfSquares(*clean))

    return value


def _icc_from_squares(form: str, n: Floats, k: int, squares: SumsOfSquares) -> Floats:
    """Combine mean squares (between targets, judges, within, error) as Shrout & Fleiss (1979) do."""
    bms, jms = ratio(squares.between, n - 1), squares.by_rater / (k - 1)
    wms, ems = ratio(squares.within, n * (k - 1)), ratio(squares.error, (n - 1) * (k - 1))
    model, mean = form[0], form[2] != "1"
    error = wms if model == "1" else ems
    judges = ratio(jms - ems, n) if model == "2" else np.zeros_like(n)
    return ratio(bms - error, bms + judges if mean else bms + (k - 1) * error + k * judges)


# --- pairs of raters ----------------------------------------------------------------------------


def _kappa_statistic(patterns: Patterns) -> Statistic:
    """1 − observed / expected squared differences, both summed over all pairs of scores of a unit.

    The expected difference of two raters' scores is that between one's score and the other's scores of other units. So
    a pair of raters weighs as much as the units that both scored, and no rater is compared with themselves.
    """
    pattern, first, second = components.pairs_within(patterns.present)
    # No score is paired with itself.
    others = first != second
    pattern, first, second = pattern[others], first[others], second[others]
    present, values = patterns.present.astype(np.float64), patterns.values()
    features = np.hstack([present, values, values**2])
    order, starts, pairs = grouped(first * present.shape[1] + second)
    one, other = np.divmod(pairs, present.shape[1])
    pattern = pattern[order]
    gaps = (values[pattern, first[order]] - values[pattern, second[order]]) ** 2

    def value(weights: Floats) -> Floats:
        shared = group_sums(weights, pattern, np.ones_like(gaps), starts)
        observed = group_sums(weights, pattern, gaps, starts)
        n, total, squares = np.split(weights @ features, 3, axis=1)
        both_squares = n[:, other] * squares[:, one] + n[:, one] * squares[:, other]
        crossed = both_squares - 2 * total[:, one] * total[:, other] - observed
        crossed[crossed <= DUST * both_squares] = 0
        # Two raters who scored only one and the same unit have no other units to compare with.
        apart = n[:, one] * n[:, other] - shared
        expected = shared * np.divide(crossed, apart, out=np.zeros_like(apart), where=apart > 0)
        return 1 - ratio(np.where(apart > 0, observed, 0).sum(axis=1), expected.sum(axis=1))

    return value


def _share_statistic(patterns: Patterns, distance: float) -> Statistic:
    """Share of all pairs of scores within units that are at most `distance` apart."""
    counts = patterns.value_counts().astype(np.float64)
    near = np.abs(patterns.domain[:, None] - patterns.domain[None, :]) <= distance
    sizes = counts.sum(axis=1)
    close = ((counts @ near) * counts).sum(axis=1) - sizes
    features = np.stack([close, sizes * (sizes - 1)], axis=1)

    def value(weights: Floats) -> Floats:
        sums = weights @ features
        return ratio(sums[:, 0], sums[:, 1])

    return value
