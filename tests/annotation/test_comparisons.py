"""Means and paired differences by background, checked against formulas and exhaustive enumeration."""

from itertools import product

import numpy as np
import pytest

from annotation.reports.comparisons import holm, means, paired_differences, sign_flip_p, version_pairs
from core.tables import AtMost


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


def test_a_difference_pairs_backgrounds_and_leaves_out_those_with_one_version() -> None:
    first, second = column([1, 2, np.nan, 4]), column([2, 2, 5, np.nan])
    (pair,) = paired_differences(first, second)
    assert pair is not None
    assert (pair.n, pair.mean, pair.higher) == (2, 0.5, 0.75)
    assert pair.effect == pytest.approx(0.5 / np.std([1, 0], ddof=1))


def test_no_common_background_gives_no_difference_and_one_gives_no_test() -> None:
    assert paired_differences(column([1, np.nan]), column([np.nan, 2])) == [None]
    (lone,) = paired_differences(column([1]), column([2]))
    assert lone is not None
    assert (lone.mean, lone.p, lone.low, lone.effect) == (1.0, None, None, None)


def test_the_p_of_few_backgrounds_is_exact() -> None:
    gaps = [0.5, 1.0, -0.25, 0.75, 0.0, 2.0]
    sums = [abs(sum(s * g for s, g in zip(signs, gaps, strict=True))) for signs in product((1, -1), repeat=6)]
    by_hand = np.mean([total >= abs(sum(gaps)) - 1e-9 for total in sums])
    assert sign_flip_p(column(gaps)) == pytest.approx([by_hand])


def test_the_p_of_many_backgrounds_is_drawn_with_a_seed_and_near_the_exact_one() -> None:
    gaps = np.random.default_rng(6).normal(0.4, 1, size=(40, 1))
    assert sign_flip_p(gaps, seed=1) == sign_flip_p(gaps, seed=1)
    z = abs(gaps.mean()) / (np.sqrt((gaps**2).mean()) / np.sqrt(40))
    normal = 2 * (1 - 0.5 * (1 + np.tanh(z * 0.79788 * (1 + 0.044715 * z**2))))
    assert sign_flip_p(gaps, seed=1) == pytest.approx([normal], abs=0.01)


def test_a_clear_difference_is_never_reported_as_impossible() -> None:
    assert 0 < sign_flip_p(np.ones((50, 1)))[0] < 0.001


def test_equal_versions_differ_by_nothing() -> None:
    (pair,) = paired_differences(column([3, 3, 4]), column([3, 3, 4]))
    assert pair is not None
    assert (pair.mean, pair.p, pair.effect, pair.higher) == (0.0, 1.0, None, 0.5)
    assert (pair.low, pair.high, pair.no_interval) == (None, None, "no spread")


@pytest.mark.parametrize("unit", [1, 1e-5, 0.1])
def test_equal_differences_have_neither_interval_nor_effect_in_any_unit(unit: float) -> None:
    (pair,) = paired_differences(column([unit * one for one in (1, 3, 2)]), column([unit * one for one in (2, 4, 3)]))
    assert pair is not None
    assert pair.mean == pytest.approx(unit)
    assert (pair.low, pair.no_interval, pair.effect) == (None, "no spread", None)


def test_a_mean_of_one_background_or_of_equal_ones_has_no_interval_and_says_why() -> None:
    lone, equal = means(np.array([[9.0, 9.0], [0.0, 9.0]]), np.array([[3.0, 3.0], [0.0, 3.0]]))
    assert lone is not None
    assert equal is not None
    assert (lone.value, lone.low, lone.high, lone.no_interval) == (3.0, None, None, "only one background")
    assert (equal.value, equal.low, equal.high, equal.no_interval) == (3.0, None, None, "no spread")


@pytest.mark.parametrize("unit", [1, 1e-7, 1e7])
def test_the_unit_of_the_scores_changes_no_p(unit: float) -> None:
    for backgrounds in (6, 40):
        gaps = np.random.default_rng(6).integers(-2, 4, size=(backgrounds, 1)).astype(float)
        assert sign_flip_p(unit * gaps, seed=1) == sign_flip_p(gaps, seed=1)


def test_a_p_at_the_floor_of_its_draws_is_marked_and_an_exact_one_is_not() -> None:
    clear = [paired_differences(column([1.0] * n), column([2.0 + i / n for i in range(n)]))[0] for n in (40, 5)]
    drawn, exact = (one.p for one in clear if one is not None)
    assert isinstance(drawn, AtMost)
    assert drawn == 1 / 10_001
    assert exact == 2 / 2**5
    assert not isinstance(exact, AtMost)
    adjusted = holm([drawn, 0.5, drawn])
    assert [isinstance(p, AtMost) for p in adjusted] == [True, False, True]
    assert adjusted == [3 / 10_001, 0.5, 3 / 10_001]


def test_holm_multiplies_by_the_tests_left_and_never_falls() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06)]
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_every_pair_of_versions_is_compared_neighbours_first() -> None:
    assert version_pairs(["a", "b", "c", "d"]) == [
        ("a", "b"), ("b", "c"), ("c", "d"), ("a", "c"), ("b", "d"), ("a", "d"),
    ]  # fmt: skip
    assert version_pairs(["a", "b"]) == [("a", "b")]
    assert version_pairs(["a"]) == []
