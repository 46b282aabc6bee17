"""Intervals for raters like these and for these raters, against analyses of variance and t tests written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from annotation.reports.bootstrap import Floats
from annotation.reports.models import crossed, intervals
from annotation.reports.models.crossed import crossed_of, difference_intervals, mean_intervals
from annotation.reports.models.intervals import Interval, Target
from annotation.reports.models.ratings import Ratings
from annotation.reports.models.selections import varies
from core.intervals import NO_SPREAD
from tests.annotation.models.rating_tables import drawn

# Raters × backgrounds, worked by hand: means by rater 1, 2, 3; by background 1, 3; the residuals are ±1 and 0.
BY_HAND = np.array([[1.0, 1], [0, 4], [2, 4]])


def of_table(differences: Floats) -> Ratings:
    """Two versions, of which the first has only noughts, so that differences (raters, backgrounds) are the second."""
    rater, background = (axis.ravel() for axis in np.indices(differences.shape))
    value = np.concatenate([np.zeros(differences.size), differences.ravel()])
    version = np.repeat([0, 1], differences.size)
    return Ratings.numbered(value, version, np.tile(background, 2), np.tile(rater, 2), 2)


def test_a_table_worked_by_hand_has_its_standard_error_and_degrees_of_freedom() -> None:
    # MSR = 2·((1−2)² + 0 + (3−2)²)/2 = 2, MSB = 3·((1−2)² + (3−2)²)/1 = 6, MSE = (1 + 1 + 1 + 1 + 0 + 0)/2 = 2.
    found = crossed_of(BY_HAND[None])
    assert found.mean == pytest.approx([2])
    assert found.se == pytest.approx([np.sqrt((2 + 6 - 2) / 6)])
    assert found.df == pytest.approx([(2 + 6 - 2) ** 2 / (2**2 / 2 + 6**2 / 1 + 2**2 / 2)])
    like_these = difference_intervals(of_table(BY_HAND), [(0, 1)])[0, 1][0]
    assert (like_these.value, like_these.se) == pytest.approx((2, 1))
    half = stats.t.ppf(0.975, 0.9)
    assert (like_these.low, like_these.high) == pytest.approx((2 - half, 2 + half))


def test_the_variance_is_never_below_the_residuals() -> None:
    # Every rater and every background has the same mean: MSR = MSB = 0, MSE = 4·1²/2 = 2 with 2 degrees of freedom.
    found = crossed_of(np.array([[[1.0, -1], [-1, 1], [0, 0]]]))
    assert found.se == pytest.approx([np.sqrt(2 / 6)])
    assert found.df == pytest.approx([2])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 20))
def test_many_tables_at_once_are_each_as_alone(seed: int, raters: int, backgrounds: int) -> None:
    tables = np.random.default_rng(seed).normal(0, 1, (5, raters, backgrounds))
    together = crossed_of(tables)
    for place, table in enumerate(tables):
        rows, columns = table.mean(axis=1), table.mean(axis=0)
        msr = backgrounds * rows.var(ddof=1)
        msb = raters * columns.var(ddof=1)
        rest = table - rows[:, None] - columns + table.mean()
        mse = (rest**2).sum() / ((raters - 1) * (backgrounds - 1))
        total = max(msr + msb - mse, mse)
        shares = msr**2 / (raters - 1) + msb**2 / (backgrounds - 1) + mse**2 / ((raters - 1) * (backgrounds - 1))
        assert together.mean[place] == pytest.approx(table.mean())
        assert together.se[place] == pytest.approx(np.sqrt(total / table.size))
        assert together.df[place] == pytest.approx(total**2 / shares)
        alone = difference_intervals(of_table(table), [(0, 1)])[0, 1][0]
        assert (alone.value, alone.se, alone.df) == pytest.approx((table.mean(), together.se[place], total**2 / shares))


def test_these_raters_have_the_paired_t_test_of_the_backgrounds_means() -> None:
    ratings = drawn(3, raters=3, backgrounds=14, versions=3)
    tables = [
        np.array(
            [ratings.value[(ratings.version == one) & (ratings.background == place)].mean() for place in range(14)]
        )
        for one in range(3)
    ]
    for (first, second), (_, these) in difference_intervals(ratings, [(0, 1), (2, 0)]).items():
        expected = stats.ttest_rel(tables[second], tables[first])
        ends = expected.confidence_interval(0.95)
        assert these.value == pytest.approx((tables[second] - tables[first]).mean())
        assert (these.t, these.p, these.df) == pytest.approx((expected.statistic, expected.pvalue, 13))
        assert (these.low, these.high) == pytest.approx((ends.low, ends.high))
    for version, (_, these) in mean_intervals(ratings).items():
        ends = stats.ttest_1samp(tables[version], 0).confidence_interval(0.95)
        assert (these.low, these.high) == pytest.approx((ends.low, ends.high))


def test_every_interval_names_whom_it_speaks_of_and_holds_its_value() -> None:
    ratings = drawn(4, raters=4, backgrounds=12, versions=3, missing=0.2)
    found = [*mean_intervals(ratings).values(), *difference_intervals(ratings, [(0, 1), (1, 2), (0, 2)]).values()]
    for like_these, these in found:
        assert (like_these.target, these.target) == (Target.RATERS_LIKE_THESE, Target.THESE_RATERS)
        for one in (like_these, these):
            assert one.low < one.value < one.high
            assert one.value - one.low == pytest.approx(stats.t.ppf(0.975, one.df) * one.se)


def test_a_table_with_one_gap_is_judged_nearly_as_the_whole() -> None:
    ratings = drawn(6, raters=4, backgrounds=30, versions=2)
    kept = np.arange(len(ratings.value)) != 17
    columns = (ratings.version[kept], ratings.background[kept], ratings.rater[kept])
    holed = Ratings.numbered(ratings.value[kept], *columns, 2)
    for whole, missing in zip(
        difference_intervals(ratings, [(0, 1)])[0, 1], difference_intervals(holed, [(0, 1)])[0, 1], strict=True
    ):
        assert missing.value == pytest.approx(whole.value, abs=0.03)
        assert missing.se == pytest.approx(whole.se, rel=0.2)
    for whole, missing in zip(mean_intervals(ratings)[1], mean_intervals(holed)[1], strict=True):
        assert missing.value == pytest.approx(whole.value, abs=0.03)
        assert (missing.se, missing.df) == pytest.approx((whole.se, whole.df), rel=0.2)


def test_in_a_complete_table_the_model_for_gaps_is_the_analysis_of_variance() -> None:
    """Of one version, where no variance is estimated as nought."""
    ratings = drawn(8, raters=4, backgrounds=25, versions=1)
    table = crossed.table_of(ratings, 0)
    by_squares = crossed_of(table[None])
    by_likelihood = crossed.ItemModel(ratings).interval({0: 1})
    expected = (float(by_squares.mean[0]), float(by_squares.se[0]), float(by_squares.df[0]))
    assert (by_likelihood.value, by_likelihood.se, by_likelihood.df) == pytest.approx(expected, rel=1e-4)


def test_two_ratings_of_one_rater_and_item_count_as_their_mean() -> None:
    ratings = of_table(np.array([[1.0, 2, 4], [2, 2, 3]]))
    twice = Ratings.numbered(
        np.append(ratings.value, ratings.value[-1] + 2), *(np.append(one, one[-1]) for one in
        (ratings.version, ratings.background, ratings.rater)), 2,
    )  # fmt: skip
    moved = of_table(np.array([[1.0, 2, 4], [2, 2, 4]]))
    pair = [(0, 1)]
    assert difference_intervals(twice, pair)[0, 1][0] == difference_intervals(moved, pair)[0, 1][0]


@pytest.mark.parametrize(
    ("table", "like_these", "these"),
    [
        (np.array([[1.0, 2, 4]]), intervals.ONE_RATER, ""),
        (np.array([[1.0], [3], [4]]), intervals.ONE_BACKGROUND, intervals.ONE_BACKGROUND),
        (np.full((3, 4), 2.0), NO_SPREAD, NO_SPREAD),
    ],
)
def test_one_cluster_or_no_spread_gives_a_value_without_an_interval(table: Floats, like_these: str, these: str) -> None:
    for found in (difference_intervals(of_table(table), [(0, 1)])[0, 1], mean_intervals(of_table(table))[1]):
        assert [one.value for one in found] == pytest.approx([table.mean()] * 2)
        assert [one.no_interval for one in found] == [like_these, these]
        assert [one.target for one in found] == [Target.RATERS_LIKE_THESE, Target.THESE_RATERS]
        assert [(one.low is None, one.p is None) for one in found] == [(bool(one.no_interval),) * 2 for one in found]


def test_nothing_and_a_single_value_do_not_vary() -> None:
    assert not varies(np.zeros(0))
    assert not varies(np.array([3.0]))
    assert varies(np.array([3.0, 4]))


def test_too_few_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="at least two raters"):
        crossed_of(np.zeros((1, 1, 5)))


def test_versions_that_nobody_rated_or_nobody_rated_both_of_have_no_value() -> None:
    nobody = Ratings.numbered(*(np.zeros(0, dtype=int) for _ in range(4)), 2)
    assert [one.no_interval for one in difference_intervals(nobody, [(0, 1)])[0, 1]] == [intervals.NO_RATINGS] * 2
    assert mean_intervals(nobody)[0] == tuple(Interval.none(None, target, intervals.NO_RATINGS) for target in Target)
    apart = drawn(1, raters=4, backgrounds=8, versions=2)
    kept = apart.version == apart.rater % 2
    columns = (apart.version[kept], apart.background[kept], apart.rater[kept])
    like_these, these = difference_intervals(Ratings.numbered(apart.value[kept], *columns, 2), [(0, 1)])[0, 1]
    # Raters like these can be asked about: raters differ between versions, which makes the interval wide.
    assert like_these.se > 0.2
    assert these == Interval.none(None, Target.THESE_RATERS, intervals.NOT_BOTH)
    first = without(apart, apart.version == 1)
    these = difference_intervals(first, [(0, 1)])[0, 1][1]
    assert these == Interval.none(None, Target.THESE_RATERS, intervals.NO_RATINGS)


def test_an_interval_ends_where_the_scale_does() -> None:
    wide = Interval.of(3.0, 4.0, 2, Target.THESE_RATERS)
    cut = wide.within(1, 5)
    assert (cut.value, cut.low, cut.high, cut.se) == (3, 1, 5, 2)
    assert wide.within(-50, 50) == wide
    assert wide.within(-50, 5).low == wide.low
    nothing = Interval.none(3.0, Target.THESE_RATERS, intervals.ONE_RATER)
    assert nothing.within(1, 5) == nothing


def test_few_ratings_with_gaps_give_values_only() -> None:
    rows = [(1, 0, 0, 0), (5, 1, 0, 0), (3, 0, 1, 1), (2, 1, 0, 1), (5, 0, 1, 0)]
    value, version, background, rater = (np.array([row[place] for row in rows]) for place in range(4))
    like_these, _ = difference_intervals(Ratings.numbered(value, version, background, rater, 2), [(0, 1)])[0, 1]
    assert (like_these.value, like_these.no_interval) == (0.5, intervals.TOO_FEW_RATINGS)


def without(ratings: Ratings, left_out: NDArray[np.bool_]) -> Ratings:
    kept = ~left_out
    columns = (ratings.version[kept], ratings.background[kept], ratings.rater[kept])
    return Ratings.numbered(ratings.value[kept], *columns, ratings.versions)


def test_a_rater_who_scored_a_version_once_is_not_one_of_these_raters() -> None:
    ratings = drawn(9, raters=4, backgrounds=10, versions=2)
    of_last = (ratings.rater == 3) & (ratings.version == 1)
    once = without(ratings, of_last & (ratings.background > 0))
    never = without(ratings, of_last)
    assert difference_intervals(once, [(0, 1)])[0, 1][1] == difference_intervals(never, [(0, 1)])[0, 1][1]
    assert difference_intervals(never, [(0, 1)])[0, 1][1].low is not None


def test_a_complete_corner_of_a_table_with_gaps_does_not_stand_for_all_of_it() -> None:
    """Three raters scored both versions of two backgrounds, and one version each of twenty more."""
    ratings = drawn(10, raters=3, backgrounds=22, versions=2)
    few = without(ratings, (ratings.background > 1) & ((ratings.background + ratings.rater) % 2 != ratings.version))
    corner = without(ratings, ratings.background > 1)
    found, alone = (difference_intervals(one, [(0, 1)])[0, 1][0] for one in (few, corner))
    assert found.value != alone.value
    assert found.se < 0.7 * difference_intervals(corner, [(0, 1)])[0, 1][1].se
    assert found.value == pytest.approx(difference_intervals(ratings, [(0, 1)])[0, 1][0].value, abs=3 * found.se)


def test_items_that_differ_widen_the_interval_of_a_table_with_gaps() -> None:
    rng = np.random.default_rng(12)
    background, version, rater = (axis.ravel() for axis in np.indices((15, 2, 6)))
    kept = rng.random(len(rater)) < 0.6
    noise = rng.normal(0, 0.3, len(rater))
    lucky = rng.normal(0, 1, (15, 2))[background, version]
    columns = (version[kept], background[kept], rater[kept])
    flat, varied = (
        difference_intervals(Ratings.numbered(value[kept], *columns, 2), [(0, 1)])[0, 1][0]
        for value in (noise, noise + lucky)
    )
    # Fifteen items a version with a standard deviation of 1.
    assert varied.se == pytest.approx(np.sqrt(2 / 15), rel=0.5)
    assert flat.se < 0.3 * varied.se


def test_these_raters_leave_out_all_that_a_rater_who_does_not_count_has_said() -> None:
    ratings = drawn(9, raters=4, backgrounds=10, versions=2)
    once = without(ratings, (ratings.rater == 3) & (ratings.version == 1) & (ratings.background > 0))
    others = without(ratings, ratings.rater == 3)
    assert difference_intervals(once, [(0, 1)])[0, 1][1] == difference_intervals(others, [(0, 1)])[0, 1][1]


def test_a_rater_with_two_ratings_of_each_version_is_one_of_these_raters() -> None:
    ratings = drawn(9, raters=3, backgrounds=10, versions=2)
    twice = without(ratings, (ratings.rater == 2) & (ratings.background > 1))
    own = [
        np.mean([twice.value[(twice.rater == rater) & (twice.version == version)].mean() for rater in range(3)])
        for version in (0, 1)
    ]
    found = difference_intervals(twice, [(0, 1)])[0, 1][1]
    assert found.value == pytest.approx(own[1] - own[0])
    assert found.df == 9


def test_one_rating_of_each_version_by_each_rater_gives_a_value_for_these_raters_alone() -> None:
    apart = Ratings.numbered(np.array([1.0, 3, 2, 5]), *map(np.array, ([0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 1, 1])), 2)
    found = difference_intervals(apart, [(0, 1)])[0, 1][1]
    assert found == Interval.none(2.5, Target.THESE_RATERS, intervals.TOO_FEW_RATINGS)


def test_what_was_rated_of_neither_version_does_not_count_for_their_difference() -> None:
    """A rater and a background of the third version only."""
    ratings = drawn(9, raters=4, backgrounds=10, versions=3)
    other = ratings.version == 2
    few = without(ratings, ~other & ((ratings.rater == 3) | (ratings.background == 9)))
    both = without(few, (few.rater == 3) | (few.background == 9))
    assert difference_intervals(few, [(0, 1)])[0, 1] == difference_intervals(both, [(0, 1)])[0, 1]


def test_a_complete_table_stands_for_four_fifths_of_the_ratings_and_not_for_less() -> None:
    """Three raters scored both versions of `whole` backgrounds, and one version each of the others."""
    for whole, is_enough in ((8, True), (7, False)):
        ratings = drawn(10, raters=3, backgrounds=12, versions=2)
        apart = without(ratings, (ratings.background >= whole) & (ratings.version == ratings.background % 2))
        corner = without(ratings, ratings.background >= whole)
        found, alone = (difference_intervals(one, [(0, 1)])[0, 1][0] for one in (apart, corner))
        assert (found == alone) == is_enough
