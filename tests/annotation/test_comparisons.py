"""Means over backgrounds, Holm's adjustment, and which versions are compared."""

import numpy as np
import pytest

from annotation.reports.comparisons import holm, means, version_pairs


def column(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def test_a_mean_is_over_all_scores_and_counts_them() -> None:
    # Background 1 has three scores that sum to 12, background 2 one score of 2.
    (cell,) = means(column([12, 2]), column([3, 1]))
    assert cell is not None
    assert (cell.value, cell.n, cell.backgrounds) == (3.5, 4, 2)


def test_a_mean_without_scores_is_a_gap_and_one_background_has_no_interval() -> None:
    gap, lone = means(np.array([[0.0, 4.0]]), np.array([[0.0, 1.0]]))
    assert gap is None
    assert lone is not None
    assert (lone.low, lone.high) == (None, None)


def test_where_there_are_no_backgrounds_every_mean_is_a_gap() -> None:
    assert means(np.empty((0, 3)), np.empty((0, 3))) == [None, None, None]


def test_the_interval_of_a_mean_is_near_the_normal_one_where_backgrounds_are_many() -> None:
    scores = np.random.default_rng(3).normal(3, 1, size=400)
    (cell,) = means(column(list(scores)), np.ones((400, 1)), draws=2000)
    assert cell is not None
    reach = 1.96 * scores.std(ddof=1) / 20
    assert cell.low == pytest.approx(scores.mean() - reach, abs=0.02)
    assert cell.high == pytest.approx(scores.mean() + reach, abs=0.02)


def test_repeated_scores_of_one_background_do_not_narrow_the_interval() -> None:
    values = list(np.random.default_rng(4).normal(3, 1, size=30))
    once = means(column(values), np.ones((30, 1)))[0]
    tenfold = means(column([10 * value for value in values]), np.full((30, 1), 10.0))[0]
    assert once is not None
    assert tenfold is not None
    assert tenfold.n == 10 * once.n
    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high))


def test_a_mean_of_one_background_or_of_equal_ones_has_no_interval_and_says_why() -> None:
    lone, equal = means(np.array([[9.0, 9.0], [0.0, 9.0]]), np.array([[3.0, 3.0], [0.0, 3.0]]))
    assert lone is not None
    assert equal is not None
    assert (lone.value, lone.low, lone.high, lone.no_interval) == (3.0, None, None, "only one background")
    assert (equal.value, equal.low, equal.high, equal.no_interval) == (3.0, None, None, "no spread")


def test_holm_multiplies_by_the_tests_left_and_never_falls() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06)]
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_every_pair_of_versions_is_compared_neighbours_first() -> None:
    assert version_pairs(["a", "b", "c", "d"]) == [
        ("a", "b"), ("b", "c"), ("c", "d"), ("a", "c"), ("b", "d"), ("a", "d"),
    ]  # fmt: skip
    assert version_pairs(["a", "b"]) == [("a", "b")]
    assert version_pairs(["a"]) == []
