"""Davidson's model of comparisons side by side: Bradley and Terry's with ties, and with an effect of the side. Pure.

Of two versions with strengths s (logarithms), the left one is preferred, neither is, or the right one is, with chances
in the proportion

    e^(s_left + λ/2)  :  ν e^((s_left + s_right)/2)  :  e^(s_right − λ/2)

(Davidson 1970; the order effect of Davidson & Beaver 1977, spread over both sides). Fitted by maximum likelihood.
Decisions on one background are not independent, so intervals resample whole backgrounds.
"""

from dataclasses import dataclass
from itertools import combinations
from math import exp

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from annotation.reports.bootstrap import DRAWS, Floats, Ints, distributions, ends, resamples
from annotation.reports.comparisons import CLUSTER
from annotation.reports.models.intervals import Unfit
from core.intervals import Estimate

NEWTON_STEPS, STILL = 60, 1e-9
# The longest step of one parameter, and its furthest value: e¹² are odds of 160,000 to 1.
LONGEST, FURTHEST = 1.0, 12.0
# Keeps an equation solvable where a resample holds nothing about a parameter.
RIDGE = 1e-9

NOTHING = "Nobody has compared these versions."
ALL_TIES = "Every comparison is a tie, so no version is stronger."
UNCONNECTED = "Some versions were not compared with the others, not even by way of a third."
ONE_SIDED = "A version or a side was preferred every time, so no finite strength describes it."
CONFOUNDED = "The versions always stood on the same sides, so that a side cannot be told from a version."


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Columns (n,): the background, the versions on the left and on the right, and 1 (left preferred), 0 or −1."""

    background: Ints
    left: Ints
    right: Ints
    outcome: Ints
    versions: int


@dataclass(frozen=True, slots=True)
class DavidsonFit:
    """`strengths` (versions,) sum to 0 over the versions compared, NaN for others; `tie` is ν ≥ 0 and `side` is λ."""

    strengths: Floats
    tie: float
    side: float
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Preference:
    """The model with its intervals; an n counts comparisons of the version, of the two versions, or all.

    `strengths` by version are logarithms, None where a version was not compared. `rates` by (row, column) are the
    chances, from 0 to 1, that the row's version is preferred to the column's, a tie counting half and no side favoured.
    `tie` is the chance of a tie between equals, `left` that of the left among decided comparisons of equals.
    """

    strengths: tuple[Estimate | None, ...]
    rates: dict[tuple[int, int], Estimate]
    tie: Estimate
    left: Estimate


@dataclass(frozen=True, slots=True)
class _Design:
    """`counts` (backgrounds, cells, outcomes) by the ordered pair on the screen; `features` (cells, outcomes, d).

    The outcomes are left, tie and right, or left and right if nobody called a tie. The parameters are the strengths of
    the `present` versions but the first, log ν if there are ties, and λ.
    """

    counts: Floats
    features: Floats
    pairs: Ints
    present: Ints
    versions: int

    @property
    def has_ties(self) -> bool:
        return bool(self.counts.shape[2] == 3)

    @property
    def totals(self) -> Floats:
        """(cells, outcomes)"""
        return np.asarray(self.counts.sum(axis=0))


def fit(found: Comparisons) -> DavidsonFit | Unfit:
    """The most likely parameters, or why there are none."""
    if not len(found.outcome):
        return Unfit(NOTHING)
    design = _design(found)
    at = _likeliest(design)
    if isinstance(at, Unfit):
        return at
    strengths = np.full(design.versions, np.nan)
    strengths[design.present] = _strengths(design, at[None])[0]
    tie = exp(at[-2]) if design.has_ties else 0.0
    return DavidsonFit(strengths, tie, float(at[-1]), _log_likelihood(design, at))


def preference(found: Comparisons, draws: int = DRAWS, seed: int = 0) -> Preference | Unfit:
    """The model with bootstrap intervals from `draws` resamples of backgrounds, or why it is none."""
    if not len(found.outcome):
        return Unfit(NOTHING)
    design = _design(found)
    at = _likeliest(design)
    if isinstance(at, Unfit):
        return at
    samples = resamples(np.arange(len(design.counts)), draws, seed)
    spread = distributions({"shown": lambda weights: _shown(design, _drawn(design, weights, at))}, samples)["shown"]
    return _with_intervals(design, _shown(design, at[None])[0], spread)


def _design(found: Comparisons) -> _Design:
    present = np.unique([found.left, found.right])
    left, right = np.searchsorted(present, found.left), np.searchsorted(present, found.right)
    cells, cell = np.unique(left * len(present) + right, return_inverse=True)
    background = np.unique(found.background, return_inverse=True)[1]
    counts = np.zeros((int(background.max()) + 1, len(cells), 3))
    np.add.at(counts, (background, cell, 1 - found.outcome), 1)
    kept = np.array([0, 1, 2] if (found.outcome == 0).any() else [0, 2])
    pairs = np.stack(np.divmod(cells, len(present)), axis=1)
    features = _features(pairs, len(present))[:, kept]
    if len(kept) == 2:
        features = np.delete(features, -2, axis=2)
    return _Design(counts[:, :, kept], features, pairs, present, found.versions)


def _features(pairs: Ints, versions: int) -> Floats:
    """(cells, 3, d): what each outcome adds of each parameter."""
    left, right = np.eye(versions)[pairs[:, 0]], np.eye(versions)[pairs[:, 1]]
    strengths = np.stack([left, (left + right) / 2, right], axis=1)[:, :, 1:]
    others = np.broadcast_to(np.array([[0, 0.5], [1, 0], [0, -0.5]]), (len(pairs), 3, 2))
    return np.concatenate([strengths, others], axis=2)


def _likeliest(design: _Design) -> Floats | Unfit:
    """(d,) parameters."""
    totals, size = design.totals, design.features.shape[2]
    if totals[:, [0, -1]].sum() == 0:
        return Unfit(ALL_TIES)
    if not _connected(design, totals[None])[0]:
        return Unfit(UNCONNECTED)
    told = (design.features - design.features[:, -1:]).reshape(-1, size)
    if np.linalg.matrix_rank(told) < size:
        return Unfit(CONFOUNDED)
    at: Floats = _searched(design, totals[None], np.zeros((1, size)))[0]
    return Unfit(ONE_SIDED) if np.abs(at).max() >= FURTHEST else at


def _drawn(design: _Design, weights: Floats, start: Floats) -> Floats:
    """(draws, d) parameters of resampled backgrounds, NaN where versions are not connected.

    Where a version won every comparison that was drawn, its parameter stands at `FURTHEST`, so that a chance is 1.
    """
    counts = np.tensordot(weights, design.counts, axes=1)
    found = _searched(design, counts, np.repeat(start[None], len(weights), axis=0))
    found[~_connected(design, counts)] = np.nan
    return found


def _connected(design: _Design, counts: Floats) -> NDArray[np.bool_]:
    """(draws,): whether every version can be reached from every other by way of comparisons."""
    size = len(design.present)
    reached = np.broadcast_to(np.eye(size), (len(counts), size, size)).copy()
    compared = counts.sum(axis=2) > 0
    for place, (left, right) in enumerate(design.pairs.tolist()):
        reached[:, left, right] = np.maximum(reached[:, left, right], compared[:, place])
        reached[:, right, left] = np.maximum(reached[:, right, left], compared[:, place])
    for _ in range(size):
        reached = np.minimum(reached @ reached, 1)
    return np.asarray((reached > 0).all(axis=(1, 2)))


def _searched(design: _Design, counts: Floats, at: Floats) -> Floats:
    """(draws, d) by Newton's method from `at`, in steps of limited length and within `FURTHEST`."""
    ridge = RIDGE * np.eye(at.shape[1])
    n = counts.sum(axis=2)
    for _ in range(NEWTON_STEPS):
        chances = _chances(design, at)
        mean = np.einsum("kco,cod->kcd", chances, design.features)
        slope = np.einsum("kco,cod->kd", counts, design.features) - np.einsum("kc,kcd->kd", n, mean)
        squares = np.einsum("kc,kco,cod,coe->kde", n, chances, design.features, design.features, optimize=True)
        information = squares - np.einsum("kc,kcd,kce->kde", n, mean, mean, optimize=True)
        step = np.linalg.solve(information + ridge, slope[:, :, None])[:, :, 0]
        after = np.clip(at + np.clip(step, -LONGEST, LONGEST), -FURTHEST, FURTHEST)
        moved, at = float(np.abs(after - at).max()), after
        if moved < STILL:
            break
    return at


def _chances(design: _Design, at: Floats) -> Floats:
    """(draws, cells, outcomes)"""
    return np.asarray(softmax(np.einsum("cod,kd->kco", design.features, at), axis=2))


def _log_likelihood(design: _Design, at: Floats) -> float:
    return float((design.totals * np.log(_chances(design, at[None])[0])).sum())


def _strengths(design: _Design, at: Floats) -> Floats:
    """(draws, present) strengths that sum to 0."""
    found = np.concatenate([np.zeros((len(at), 1)), at[:, : len(design.present) - 1]], axis=1)
    return np.asarray(found - found.mean(axis=1, keepdims=True))


def _shown(design: _Design, at: Floats) -> Floats:
    """(draws, …): strengths, the chance of each pair's first version, of a tie between equals, and of the left."""
    strengths = _strengths(design, at)
    tie = np.exp(at[:, -2]) if design.has_ties else np.zeros(len(at))
    gap = np.stack([strengths[:, i] - strengths[:, j] for i, j in _pairs(design)], axis=1)
    rates = (np.exp(gap / 2) + tie[:, None] / 2) / (2 * np.cosh(gap / 2) + tie[:, None])
    return np.column_stack([strengths, rates, tie / (2 + tie), expit(at[:, -1])])


def _pairs(design: _Design) -> list[tuple[int, int]]:
    return list(combinations(range(len(design.present)), 2))


def _with_intervals(design: _Design, points: Floats, spread: Floats) -> Preference:
    n, names = design.totals.sum(axis=1), design.present.tolist()
    found = iter(
        Estimate(float(point), count, *ends(spread[:, place], float(point), len(design.counts), CLUSTER))
        for place, (point, count) in enumerate(zip(points, _sizes(design, n), strict=True))
    )
    strengths: list[Estimate | None] = [None] * design.versions
    for name in names:
        strengths[name] = next(found)
    rates = {}
    for i, j in _pairs(design):
        rate = next(found)
        rates[names[i], names[j]] = rate
        rates[names[j], names[i]] = _other_way(rate)
    return Preference(tuple(strengths), rates, next(found), next(found))


def _sizes(design: _Design, n: Floats) -> list[int]:
    """The number of comparisons behind each figure of `_shown`."""
    of_version = [int(n[(design.pairs == place).any(axis=1)].sum()) for place in range(len(design.present))]
    of_pair = [
        int(n[(design.pairs == i).any(axis=1) & (design.pairs == j).any(axis=1)].sum()) for i, j in _pairs(design)
    ]
    return [*of_version, *of_pair, int(n.sum()), int(n.sum())]


def _other_way(rate: Estimate) -> Estimate:
    low, high = (None if end is None else 1 - end for end in (rate.high, rate.low))
    return Estimate(1 - rate.value, rate.n, low, high, rate.no_interval)
