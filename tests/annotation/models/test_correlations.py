"""Pearson's r, Spearman's ρ and Kendall's τ-b against SciPy, and their intervals against resampled copies."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kendalltau, pearsonr, spearmanr

from annotation.reports.bootstrap import cluster_resamples, ends
from annotation.reports.models.correlations import KENDALL, PEARSON, SPEARMAN, coefficients, correlations
from core.intervals import NO_SPREAD, Estimate

Floats = NDArray[np.float64]
BY_SCIPY: dict[str, Any] = {PEARSON: pearsonr, SPEARMAN: spearmanr, KENDALL: kendalltau}


def scores(seed: int, items: int = 24) -> tuple[Floats, Floats]:
    """Two columns with many ties."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 1, size=items)
    return np.round(truth + rng.normal(size=items)), np.round(2 * truth + rng.normal(size=items))


def estimate(found: Estimate | None) -> Estimate:
    assert found is not None
    return found


@pytest.mark.parametrize("name", BY_SCIPY)
@pytest.mark.parametrize("seed", range(5))
def test_the_coefficients_are_scipys(name: str, seed: int) -> None:
    first, second = scores(seed)
    for one, other in ((first, second), (second, first), (first, -second)):
        found = estimate(correlations(one, other, np.arange(24), seed=1, draws=10)[name])
        assert found.value == pytest.approx(BY_SCIPY[name](one, other)[0], abs=1e-12)
        assert found.n == 24


def test_kendalls_coefficient_of_four_items_counted_by_hand() -> None:
    # Items 1 and 2 are tied in the first column, so 5 pairs differ in it and 6 in the second. Items 2 and 3 are the one
    # discordant pair, the other 4 rise in both.
    first, second = np.array([1.0, 1, 2, 3]), np.array([1.0, 3, 2, 4])
    found = estimate(correlations(first, second, np.arange(4), seed=1)[KENDALL])
    assert found.value == pytest.approx((4 - 1) / np.sqrt(5 * 6))


@pytest.mark.parametrize("name", BY_SCIPY)
def test_the_intervals_are_those_of_backgrounds_drawn_as_often_as_the_resamples_say(name: str) -> None:
    first, second = scores(7)
    clusters = np.arange(24) // 2
    pairs, pattern = np.unique(np.stack([first, second], axis=1), axis=0, return_inverse=True)
    values = []
    for weights in cluster_resamples(pattern.reshape(-1), clusters, 200, 3):
        for row in weights.astype(np.int64):
            one, other = np.repeat(pairs, row, axis=0).T
            values.append(BY_SCIPY[name](one, other)[0])
    point = BY_SCIPY[name](first, second)[0]
    found = estimate(correlations(first, second, clusters, seed=3, draws=200)[name])
    assert (found.low, found.high) == pytest.approx(ends(np.array(values), point, 12, "background")[:2], abs=1e-9)


def test_two_items_are_the_fewest_that_correlate() -> None:
    two, one = (correlations(np.arange(n) + 1.0, np.arange(n) * 2.0, np.arange(n), seed=1, draws=20) for n in (2, 1))
    assert [estimate(two[name]).value for name in BY_SCIPY] == [1, 1, 1]
    assert one == dict.fromkeys(BY_SCIPY)


def test_what_rounding_leaves_of_equal_scores_is_no_spread() -> None:
    """Resamples that draw one value only have no correlation, also where its mean is off by a rounding error."""
    first = np.array([0.1] * 9 + [0.7])
    second = np.array([1.1, 1.3, 1.2, 1.9, 1.4, 1.6, 1.8, 1.7, 1.5, 2.3])
    tenths, whole = (
        estimate(correlations(factor * first, second, np.arange(10), seed=5, names=[PEARSON])[PEARSON])
        for factor in (1, 10)
    )
    assert (tenths.value, tenths.low, tenths.high) == pytest.approx((whole.value, whole.low, whole.high), abs=1e-9)


def test_copies_of_the_items_of_a_background_make_nothing_more_certain() -> None:
    first, second = scores(4)
    once = correlations(first, second, np.arange(24), seed=2)
    twice = correlations(np.tile(first, 2), np.tile(second, 2), np.tile(np.arange(24), 2), seed=2)
    for name in (PEARSON, SPEARMAN, KENDALL):
        one, two = estimate(once[name]), estimate(twice[name])
        assert (two.value, two.low, two.high) == pytest.approx((one.value, one.low, one.high))
        assert (one.n, two.n) == (24, 48)


@pytest.mark.parametrize("constant", [0, 1])
def test_a_column_that_never_varies_has_no_coefficient(constant: int) -> None:
    columns = list(scores(1))
    columns[constant] = np.full(24, 3.3)
    assert correlations(columns[0], columns[1], np.arange(24), seed=1) == dict.fromkeys(BY_SCIPY)


def test_one_background_or_no_scatter_gives_no_interval() -> None:
    first, second = scores(2)
    found = estimate(correlations(first, second, np.zeros(24, dtype=np.int64), seed=1)[PEARSON])
    assert (found.low, found.no_interval) == (None, "only one background")
    same = estimate(correlations(first, first, np.arange(24), seed=1)[KENDALL])
    assert (same.value, same.low, same.no_interval) == (1, None, NO_SPREAD)


def test_coefficients_alone_have_no_interval_and_none_where_a_column_never_varies() -> None:
    first, second = scores(3)
    found = coefficients(first, second)
    assert found == {name: pytest.approx(of(first, second)[0], abs=1e-12) for name, of in BY_SCIPY.items()}
    assert coefficients(first, np.ones(24)) == dict.fromkeys(BY_SCIPY)
