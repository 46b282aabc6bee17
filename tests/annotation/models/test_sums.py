"""Which variances ratings can tell apart, and sums over tables with gaps."""

import numpy as np
import pytest

from annotation.reports.models.ratings import Ratings
from annotation.reports.models.sums import Sums, Term
from tests.annotation.models.rating_tables import drawn

EVERY = tuple(Term)


def sums_of(*rated: tuple[int, int, int]) -> Sums:
    """Of ratings of these (background, version, rater), no two alike."""
    background, version, rater = (np.array(column) for column in zip(*rated, strict=True))
    return Sums.of(Ratings.numbered(np.arange(len(rated)), version, background, rater, int(version.max()) + 1))


@pytest.mark.parametrize(
    ("rated", "expected"),
    [
        ([(b, v, r) for b in (0, 1) for v in (0, 1) for r in (0, 1)], EVERY),
        # One background: a rater has no two ratings of a version.
        ([(0, v, r) for v in (0, 1) for r in (0, 1)], {Term.ITEM, Term.RATER}),
        # One rater, so that no two ratings share an item.
        ([(b, v, 0) for b in (0, 1) for v in (0, 1)], {Term.BACKGROUND, Term.RATER_VERSION}),
        # Each background has one version: its items are its backgrounds.
        ([(b, b % 2, r) for b in (0, 1, 2) for r in (0, 1)], {Term.BACKGROUND, Term.RATER, Term.RATER_VERSION}),
        # Each rater scored one version: their lean is their severity.
        ([(b, r // 2, r) for b in (0, 1) for r in range(4)], {Term.BACKGROUND, Term.ITEM, Term.RATER}),
        # No two ratings share anything but the version.
        ([(0, 0, 0), (1, 0, 1)], set()),
    ],
)
def test_variances_are_told_apart_where_ratings_can_tell_them(
    rated: list[tuple[int, int, int]], expected: set[Term]
) -> None:
    found = sums_of(*rated).told_apart(EVERY)
    assert {term for term in Term if found[term]} == set(expected)


@pytest.mark.parametrize("term", Term)
def test_only_what_is_wanted_is_told_apart(term: Term) -> None:
    assert np.flatnonzero(Sums.of(drawn(1, 3, 4, 2)).told_apart((term,))).tolist() == [term]


def test_items_that_nobody_rated_have_sums_of_nought() -> None:
    sums = sums_of((0, 0, 0), (0, 2, 0), (1, 1, 0), (1, 0, 0))
    assert sums.of_items.shape == (2, 3)
    assert (sums.of_items == 0)[sums.counts.sum(axis=2) == 0].all()
    assert sums.of_items.sum() == pytest.approx(0)
