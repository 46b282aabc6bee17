"""How carefully each rater works: pace, very fast answers, straight-lining, agreement with the others. Pure.

None of these proves anything: they say whose ratings to look at. A row of scores is (metrics,) with NaN for a gap;
ratings are in the order in which they were given.

- *Very fast*: answered in less time than reading the text takes at twice the average speed. Silent reading of English
  non-fiction averages 238 words a minute (Brysbaert 2019), so the limit is 476.
- *Straight-lining*: the share of ratings in which all metrics got the same score, and the longest run of consecutive
  ratings with identical scores (the "long string" of Johnson 2005; see Curran 2016).
- *Agreement*: Cohen's κ with quadratic weights (1968), pooled over the rater's pairs of scores with every other counted
  rater (observed over expected squared differences, as in the report), then averaged over metrics.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from annotation.reports.bootstrap import Floats, Ints
from core.intervals import DUST

READING_WORDS_A_MINUTE = 238
FASTEST_WORDS_A_MINUTE = 2 * READING_WORDS_A_MINUTE
# A pair of raters is compared if they share at least this many items.
ENOUGH_SHARED = 2

Bools = NDArray[np.bool_]


class NoAgreement(StrEnum):
    """Why a rater's agreement with the others has no value."""

    TOO_FEW = "too few items that others scored too"
    ALL_EQUAL = "all scores are equal"
    NO_CHANCE = "scores of different items are all equal, so chance would leave no disagreement"


@dataclass(frozen=True, slots=True)
class Ratings:
    """One entry for each rating; each rater's are in the order in which they were given.

    `rater` and `item` are numbers from 0; `scores` (ratings, metrics) has NaN for a gap, `seconds` NaN if not timed;
    `words` is the length of the text.
    """

    rater: Ints
    item: Ints
    scores: Floats
    seconds: Floats
    words: Floats
    raters: int


@dataclass(frozen=True, slots=True)
class Quality:
    """One rater's figures; shares from 0 to 1, None if undefined."""

    ratings: int
    median_seconds: float | None
    fast: float | None
    straight: float | None
    longest_run: int
    agreement: float | None
    # How many comparisons with another rater's score the agreement is based on, over all metrics.
    compared: int
    no_agreement: NoAgreement | None


def quality(ratings: Ratings, counted: Bools) -> list[Quality]:
    """One row for each rater; `counted` (raters,) says with whose scores they are compared."""
    kappa, compared, why = agreement(ratings, counted)
    rows = []
    for rater in range(ratings.raters):
        mine = ratings.rater == rater
        scores = ratings.scores[mine]
        value = float(kappa[rater])
        rows.append(
            Quality(
                ratings=int(mine.sum()),
                median_seconds=_median(ratings.seconds[mine]),
                fast=_share(is_fast(ratings.seconds[mine], ratings.words[mine]), ~np.isnan(ratings.seconds[mine])),
                straight=_share(is_straight(scores), (~np.isnan(scores)).sum(axis=1) >= 2),
                longest_run=longest_run(scores),
                agreement=None if np.isnan(value) else value,
                compared=int(compared[rater]),
                no_agreement=why[rater] if np.isnan(value) else None,
            )
        )
    return rows


def is_fast(seconds: Floats, words: Floats) -> Bools:
    """Whether each rating took less time than reading its text fast; False if not timed."""
    fast: Bools = np.nan_to_num(seconds, nan=np.inf) < 60 * words / FASTEST_WORDS_A_MINUTE
    return fast


def is_straight(scores: Floats) -> Bools:
    """Whether all scores of each row are equal, ignoring gaps; False for rows with fewer than two."""
    present = ~np.isnan(scores)
    high = np.where(present, scores, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(present, scores, np.inf).min(axis=1, initial=np.inf)
    straight: Bools = (present.sum(axis=1) >= 2) & (high == low)
    return straight


def longest_run(scores: Floats) -> int:
    """The length of the longest run of identical rows; 0 without rows."""
    if len(scores) == 0:
        return 0
    alike = ((scores[1:] == scores[:-1]) | (np.isnan(scores[1:]) & np.isnan(scores[:-1]))).all(axis=1)
    breaks = np.flatnonzero(np.concatenate([[True], ~alike, [True]]))
    return int(np.diff(breaks).max())


def agreement(ratings: Ratings, counted: Bools) -> tuple[Floats, Ints, list[NoAgreement]]:
    """(raters,) each: mean κ with the others, number of scores compared, and why κ would have no value.

    Computes all pairs at once: sums over common items are products of (raters, items) matrices.
    """
    metrics = ratings.scores.shape[1]
    items = int(ratings.item.max()) + 1 if len(ratings.item) else 0
    kappas = np.full((metrics, ratings.raters), np.nan)
    compared = np.zeros(ratings.raters, dtype=np.int64)
    why = np.full(ratings.raters, NoAgreement.TOO_FEW, dtype=object)
    for metric in range(metrics):
        table = np.full((ratings.raters, items), np.nan)
        table[ratings.rater, ratings.item] = ratings.scores[:, metric]
        shared, observed, expected = _pairs(table)
        usable = (shared >= ENOUGH_SHARED) & counted[None, :] & ~np.eye(ratings.raters, dtype=np.bool_)
        by_chance = (usable * expected).sum(axis=1)
        np.divide((usable * observed).sum(axis=1), by_chance, out=kappas[metric], where=by_chance > 0)
        defined = ~np.isnan(kappas[metric])
        compared += np.where(defined, (usable * shared).sum(axis=1), 0).astype(np.int64)
        differ = (usable * observed).sum(axis=1) > 0
        why[usable.any(axis=1) & ~defined & ~differ & (why == NoAgreement.TOO_FEW)] = NoAgreement.ALL_EQUAL
        why[usable.any(axis=1) & ~defined & differ] = NoAgreement.NO_CHANCE
    known = ~np.isnan(kappas)
    mean = np.full(ratings.raters, np.nan)
    np.divide(np.nan_to_num(1 - kappas).sum(axis=0), known.sum(axis=0), out=mean, where=known.any(axis=0))
    return mean, compared, list(why)


def _pairs(table: Floats) -> tuple[Floats, Floats, Floats]:
    """(raters, raters) each: number of common items, sum of squared differences, and its expectation by chance.

    The expectation compares a rater's score of one item with the other's scores of *other* items, as the report's κ.
    """
    present = (~np.isnan(table)).astype(np.float64)
    filled = np.nan_to_num(table)
    shared = present @ present.T
    common_squares = filled**2 @ present.T
    observed = common_squares + common_squares.T - 2 * filled @ filled.T
    n, total, squares = (sums.sum(axis=1, keepdims=True) for sums in (present, filled, filled**2))
    both_squares = n.T * squares + n * squares.T
    crossed = both_squares - 2 * total * total.T - observed
    crossed[crossed <= DUST * both_squares] = 0
    apart = n * n.T - shared
    expected = shared * np.divide(crossed, apart, out=np.zeros_like(apart), where=apart > 0)
    return shared, observed, expected


def _median(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None


def _share(hits: Bools, among: Bools) -> float | None:
    total = int(among.sum())
    return float((hits & among).sum() / total) if total else None
