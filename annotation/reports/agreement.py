"""How far raters agree: Krippendorff's α, intraclass correlation, weighted κ and shares of near-equal scores.

Every function takes scores as a (raters, units) array with NaN where a rater did not score a unit, and answers with an
`Estimate`: a value, or the reason why there is none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Literal, cast

import krippendorff
import numpy as np
from numpy.typing import ArrayLike

from annotation.reports.bootstrap import (
    Floats,
    Ints,
    Statistic,
    cluster_resamples,
    distributions,
    interval,
    ratio,
    resamples,
)

Level = Literal["nominal", "ordinal", "interval", "ratio"]
IccForm = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]
ICC_FORMS: tuple[IccForm, ...] = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")
MISSING = -1
DRAWS = 1000


class Undefined(StrEnum):
    """Why a coefficient has no value, as a sentence's second half."""

    NO_PAIRS = "no item has scores from two raters"
    ALL_EQUAL = "all scores are equal"
    NOT_CROSSED = "fewer than two items were scored by every rater"
    NO_ITEM_SPREAD = "the items' mean scores are all equal"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient with its bootstrap interval, or `undefined` with the reason."""

    value: float | None
    low: float | None = None
    high: float | None = None
    undefined: Undefined | None = None

    @property
    def sentence(self) -> str:
        return f"Undefined: {self.undefined.value}." if self.undefined else ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """All coefficients for one set of scores."""

    raters: int
    units: int
    # Units with two scores or more: what α, κ and the shares rest on.
    paired_units: int
    # Units that not every rater scored: left out of the intraclass correlations.
    incomplete_units: int
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Patterns:
    """Distinct units: `codes` (patterns, raters) index `domain` or are MISSING; `of_unit` (units,) names each's."""

    codes: Ints
    of_unit: Ints
    domain: Floats

    @classmethod
    def of(cls, scores: ArrayLike) -> "Patterns":
        table = np.asarray(scores, dtype=np.float64).T
        present = ~np.isnan(table)
        domain = np.unique(table[present])
        codes = np.where(present, np.searchsorted(domain, np.where(present, table, 0)), MISSING)
        distinct, of_unit = np.unique(codes, axis=0, return_inverse=True)
        return cls(distinct, of_unit.reshape(-1), domain)

    @property
    def weights(self) -> Floats:
        """(1, patterns): how often each occurs, the weights of the data themselves."""
        return np.bincount(self.of_unit, minlength=len(self.codes))[None, :].astype(np.float64)

    def value_counts(self) -> Ints:
        """(patterns, values): how many raters gave each value."""
        rows, raters = np.nonzero(self.codes != MISSING)
        cells = rows * len(self.domain) + self.codes[rows, raters]
        counts = np.bincount(cells, minlength=len(self.codes) * len(self.domain))
        return counts.reshape(len(self.codes), len(self.domain))

    def complete(self) -> tuple[Ints, Floats]:
        """Patterns without a missing score: their indices and their (n, raters) values."""
        kept = np.flatnonzero((self.codes != MISSING).all(axis=1))
        return kept, self.domain[self.codes[kept]]


def alpha(scores: ArrayLike, level: Level = "ordinal") -> Estimate:
    """Krippendorff's α (2011) by the `krippendorff` package."""
    patterns = Patterns.of(scores)
    return Estimate(None, undefined=why) if (why := _unpaired(patterns)) else Estimate(_package_alpha(patterns, level))


def icc(scores: ArrayLike, form: IccForm) -> Estimate:
    """Intraclass correlation after Shrout & Fleiss (1979), over units that every rater scored."""
    return _point(Patterns.of(scores), f"icc_{form}")


def weighted_kappa(scores: ArrayLike) -> Estimate:
    """Cohen's κ with quadratic weights (1968), the mean over pairs of raters."""
    return _point(Patterns.of(scores), "kappa")


def share_within(scores: ArrayLike, distance: float) -> Estimate:
    """Share of pairs of scores of one unit that differ by at most `distance`."""
    return _point(Patterns.of(scores), "exact" if distance == 0 else f"within_{distance:g}")


COEFFICIENTS = ("alpha_ordinal", "alpha_interval", "icc_2,1", "icc_2,k", "kappa", "exact", "within_1")


def summary(
    scores: ArrayLike,
    coefficients: tuple[str, ...] = COEFFICIENTS,
    draws: int = DRAWS,
    seed: int = 0,
    clusters: Ints | None = None,
) -> Agreement:
    """The named coefficients with 95 % intervals from `draws` resamples of the units.

    `clusters` (units,) numbers the cluster of each unit where units come in groups that are not independent; whole
    clusters are drawn then.
    """
    patterns = Patterns.of(scores)
    points = {name: _point(patterns, name) for name in coefficients}
    defined = {name: statistic(patterns, name) for name, point in points.items() if point.value is not None}
    spread = distributions(defined, _samples(patterns.of_unit, clusters, draws, seed)) if defined else {}
    sizes = (patterns.codes != MISSING).sum(axis=1)[patterns.of_unit]
    raters = patterns.codes.shape[1]
    return Agreement(
        raters=raters,
        units=len(sizes),
        paired_units=int((sizes >= 2).sum()),
        incomplete_units=int((sizes < raters).sum()),
        estimates={name: _with_interval(point, spread.get(name)) for name, point in points.items()},
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
        return _icc_statistic(patterns, rest)
    if family == "kappa":
        return _kappa_statistic(patterns)
    return _share_statistic(patterns, 0 if family == "exact" else float(rest))


def _point(patterns: Patterns, name: str) -> Estimate:
    family, _, rest = name.partition("_")
    why = _unpaired(patterns, equal_is_fine=family in ("exact", "within", "icc"))
    if family == "icc":
        why = why or _uncrossed(patterns)
    if why:
        return Estimate(None, undefined=why)
    if family == "alpha":
        return Estimate(_package_alpha(patterns, cast(Level, rest)))
    value = float(statistic(patterns, name)(patterns.weights)[0])
    if np.isnan(value):
        return Estimate(None, undefined=Undefined.NO_ITEM_SPREAD if family == "icc" else Undefined.ALL_EQUAL)
    return Estimate(value)


def _with_interval(point: Estimate, spread: Floats | None) -> Estimate:
    ends = interval(spread, point.value) if spread is not None and point.value is not None else None
    return Estimate(point.value, *ends) if ends else point


def _unpaired(patterns: Patterns, equal_is_fine: bool = False) -> Undefined | None:
    counts = patterns.value_counts()
    paired = counts[counts.sum(axis=1) >= 2]
    if len(paired) == 0:
        return Undefined.NO_PAIRS
    if not equal_is_fine and (paired.sum(axis=0) > 0).sum() == 1:
        return Undefined.ALL_EQUAL
    return None


def _uncrossed(patterns: Patterns) -> Undefined | None:
    kept, values = patterns.complete()
    if patterns.weights[0, kept].sum() < 2:
        return Undefined.NOT_CROSSED
    return Undefined.ALL_EQUAL if values.min() == values.max() else None


# --- Krippendorff's α ---------------------------------------------------------------------------


def _package_alpha(patterns: Patterns, level: Level) -> float:
    counts = patterns.value_counts()[patterns.of_unit]
    return float(krippendorff.alpha(value_counts=counts, value_domain=patterns.domain, level_of_measurement=level))


def _alpha_statistic(patterns: Patterns, level: Level) -> Statistic:
    """α from each pattern's share of the coincidence matrix, so that a resample is one weighted sum."""
    counts, size = patterns.value_counts(), len(patterns.domain)
    pairable = np.maximum(counts.sum(axis=1), 2)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(size)
    coincidences = (pairs / (pairable - 1)[:, None, None]).reshape(len(counts), -1)

    def value(weights: Floats) -> Floats:
        observed = (weights @ coincidences).reshape(-1, size, size)
        margins = observed.sum(axis=1)
        distances = _distances(level, patterns.domain, margins)
        expected = margins[:, :, None] * margins[:, None, :] - margins[:, :, None] * np.eye(size)
        disagreement = (observed * distances).sum(axis=(1, 2)) * (margins.sum(axis=1) - 1)
        return 1 - ratio(disagreement, (expected * distances).sum(axis=(1, 2)))

    return value


def _distances(level: Level, domain: Floats, margins: Floats) -> Floats:
    """Squared distances between values, (values, values) or one such matrix a resample for ordinal scores."""
    if level == "nominal":
        return 1 - np.eye(len(domain))
    # Ordinal: half the margins of both ends and all between, which is the difference of two mid-ranks.
    places = np.cumsum(margins, axis=1) - margins / 2 if level == "ordinal" else domain[None, :]
    gaps: Floats = places[:, :, None] - places[:, None, :]
    if level == "ratio":
        sums = places[:, :, None] + places[:, None, :]
        gaps = np.divide(gaps, sums, out=np.zeros_like(gaps), where=sums != 0)
    return gaps**2


# --- intraclass correlation ---------------------------------------------------------------------


def _icc_statistic(patterns: Patterns, form: str) -> Statistic:
    """The analysis of variance from weighted sums; centred on a whole number, so that sums stay exact."""
    kept, values = patterns.complete()
    values = values - np.round(values.mean())
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
        return _icc_from_squares(form, units, raters, (between, by_rater, within))

    return value


def _icc_from_squares(form: str, n: Floats, k: int, sums_of_squares: tuple[Floats, Floats, Floats]) -> Floats:
    """Mean squares (between targets, judges, within, error) put together as Shrout & Fleiss (1979) do."""
    # Differences of large sums leave dust where the truth is nought.
    between, by_rater, within = (np.where(np.abs(part) < 1e-9, 0, part) for part in sums_of_squares)
    bms, jms = ratio(between, n - 1), by_rater / (k - 1)
    wms, ems = ratio(within, n * (k - 1)), ratio(within - by_rater, (n - 1) * (k - 1))
    model, mean = form[0], form[2] != "1"
    error = wms if model == "1" else ems
    judges = ratio(jms - ems, n) if model == "2" else np.zeros_like(n)
    return ratio(bms - error, bms + judges if mean else bms + (k - 1) * error + k * judges)


# --- pairs of raters ----------------------------------------------------------------------------


def _kappa_statistic(patterns: Patterns) -> Statistic:
    """Quadratic κ of a pair: 1 − mean squared difference / that expected from the two raters' own scores."""
    records = _pair_records(patterns)

    def value(weights: Floats) -> Floats:
        # Patterns first, so that those of a pair are gathered as whole rows. Pair by pair: all at once would not fit.
        drawn = np.ascontiguousarray(weights.T)
        sums = np.stack([features @ drawn[rows] for rows, features in records], axis=1)
        n, x, y, xx, yy, dd = sums
        kappas = 1 - ratio(n * dd, n * (xx + yy) - 2 * x * y)
        defined = ~np.isnan(kappas)
        return ratio(np.where(defined, kappas, 0).sum(axis=0), defined.sum(axis=0).astype(np.float64))

    return value


def _pair_records(patterns: Patterns) -> list[tuple[Ints, Floats]]:
    """For each pair of raters the patterns that both scored, and these patterns' (features, patterns) to add up."""
    records = []
    for first, second in combinations(patterns.codes.T, 2):
        both = np.flatnonzero((first != MISSING) & (second != MISSING))
        if len(both):
            x, y = patterns.domain[first[both]], patterns.domain[second[both]]
            records.append((both, np.stack([np.ones_like(x), x, y, x**2, y**2, (x - y) ** 2])))
    return records


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
