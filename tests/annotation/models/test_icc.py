"""Intervals of intraclass correlations for raters like these."""

import numpy as np
import pytest
from scipy.stats import f

from annotation.reports import agreement
from annotation.reports.agreement import Undefined
from annotation.reports.models.icc import for_raters_like_these, icc_intervals, mean_squares
from annotation.reports.models.intervals import TOO_FEW_RATINGS, Interval, Target
from annotation.reports.patterns import Patterns
from core.intervals import NO_SPREAD

# Shrout & Fleiss (1979), table 2; the intervals are those that R's psych (ICC) prints for them.
SIX_BY_FOUR = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float).T


# The items' means are 2, 2.5 and 2: so near to each other that the correlation of means has no positive denominator.
OUTWEIGHED = np.array([[1.0, 2, 3], [3, 3, 1]])


def scored(seed: int, raters: int = 4, units: int = 60, missing: float = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 1, units) + rng.normal(0, 0.5, (raters, 1)) + rng.normal(0, 1, (raters, units))
    table[rng.random(table.shape) < missing] = np.nan
    return table


def test_shrout_and_fleiss_table_has_its_known_intervals() -> None:
    found = icc_intervals(SIX_BY_FOUR)
    single, mean, consistent = found["2,1"], found["2,k"], found["3,1"]
    assert (single.value, single.low, single.high) == pytest.approx((0.29, 0.019, 0.761), abs=0.001)
    assert (mean.value, mean.low, mean.high) == pytest.approx((0.62, 0.071, 0.927), abs=0.001)
    assert (consistent.value, consistent.low, consistent.high) == pytest.approx((0.71, 0.342, 0.946), abs=0.005)
    assert {one.target for one in found.values()} == {Target.RATERS_LIKE_THESE}


@pytest.mark.parametrize("seed", range(4))
def test_ends_are_those_of_mcgraws_and_wongs_formula_written_out(seed: int) -> None:
    """In the form with n, k and F that textbooks print, for a table of n units and k raters."""
    table = scored(seed, raters=3, units=9)
    (k, n), squares = table.shape, mean_squares(table)
    units, raters, error = squares.of_units, squares.of_raters, squares.of_error
    rho = (units - error) / (units + (k - 1) * error + k * (raters - error) / n)
    weight = n * (1 + (k - 1) * rho) - k * rho
    df = (k * rho * raters / error + weight) ** 2 / (
        (k * rho * raters / error) ** 2 / (k - 1) + weight**2 / ((n - 1) * (k - 1))
    )
    below, above = (f.ppf(0.975, n - 1, df), f.ppf(0.975, df, n - 1))
    rest = k * raters + (k * n - k - n) * error
    low = n * (units - below * error) / (below * rest + n * units)
    high = n * (above * units - error) / (rest + n * above * units)
    found = icc_intervals(table)
    assert (found["2,1"].low, found["2,1"].high) == pytest.approx((low, high))
    assert (found["2,k"].low, found["2,k"].high) == pytest.approx(
        tuple(k * end / (1 + (k - 1) * end) for end in (low, high))
    )


def test_values_are_those_of_the_agreement_tables_and_lie_in_their_intervals() -> None:
    for missing in (0, 0.2):
        table = scored(1, missing=missing)
        for form, found in icc_intervals(table).items():
            assert found.value == agreement.icc(table, form).value
            assert found.low < found.value < found.high


def test_a_missing_score_changes_mean_squares_and_ends_little() -> None:
    table = scored(2)
    holed = table.copy()
    holed[1, 7] = np.nan
    whole, missing = mean_squares(table), mean_squares(holed)
    assert (missing.units, missing.raters) == (60, 4)
    assert missing.each == pytest.approx(4 - 1 / 60)
    for one in ("of_units", "of_raters", "of_error", "freedom", "of_rater"):
        assert getattr(missing, one) == pytest.approx(getattr(whole, one), rel=0.05), one
    for form, found in icc_intervals(holed).items():
        expected = icc_intervals(table)[form]
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)


def test_more_raters_and_units_narrow_the_interval() -> None:
    widths = [found.high - found.low for found in (icc_intervals(scored(3, *size))["2,1"] for size in
              ((3, 20), (3, 200), (12, 200)))]  # fmt: skip
    assert widths == sorted(widths, reverse=True)


def test_who_scored_nothing_and_what_nobody_scored_does_not_count() -> None:
    table = scored(4)
    wider = np.full((5, 62), np.nan)
    wider[:4, :60] = table
    assert icc_intervals(wider) == icc_intervals(table)


def test_correlations_without_an_interval_say_why() -> None:
    perfect = np.tile(np.arange(6.0), (3, 1))
    for one in icc_intervals(perfect).values():
        assert one == Interval.none(1, Target.RATERS_LIKE_THESE, NO_SPREAD)
    alone = icc_intervals(np.array([[1.0, 2, np.nan], [np.nan, np.nan, 3]]))
    for one in alone.values():
        assert one == Interval.none(None, Target.RATERS_LIKE_THESE, Undefined.NO_PAIRS.value)
    # Only the mean's denominator is not positive, so that the single score's correlation stands without an interval.
    halved = icc_intervals(OUTWEIGHED)
    assert halved["2,1"].value == agreement.icc(OUTWEIGHED, "2,1").value != halved["2,k"].value
    assert {halved[form].no_interval for form in ("2,1", "2,k")} == {Undefined.OUTWEIGHED.value}
    assert halved["3,1"].low is not None
    two = np.array([[1.0, 2], [1, 3]])
    assert TOO_FEW_RATINGS not in {one.no_interval for one in icc_intervals(two).values()}


def test_raters_whose_levels_alone_differ_leave_no_error_to_compare_with() -> None:
    """The raters are 3 points apart on each item, further than the items are."""
    for one in icc_intervals(np.array([[1.0, 2, 1], [4, 5, 4]])).values():
        assert (one.low, one.high, one.no_interval) == (None, None, NO_SPREAD)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_a_summary_takes_the_intervals_for_raters_like_these_and_keeps_its_own_beside(missing: float) -> None:
    table = scored(5, units=30, missing=missing)
    patterns = Patterns.of(table)
    before = agreement.summary(table, ("icc_2,1", "icc_2,k", "kappa"), draws=50)
    found = for_raters_like_these(before, table, patterns)
    for form, one in icc_intervals(table, patterns=patterns).items():
        if (name := f"icc_{form}") in before.estimates:
            after = found.estimates[name]
            assert (after.value, after.low, after.high) == (before.estimates[name].value, one.low, one.high)
    assert found.estimates["kappa"] == before.estimates["kappa"]
    assert found.these_raters == {name: before.estimates[name] for name in ("icc_2,1", "icc_2,k")}
    assert (found.units, found.clusters) == (before.units, before.clusters)


def test_a_summary_of_one_cluster_or_without_correlations_stays_as_it_is() -> None:
    table = scored(6, units=5)
    for coefficients, clusters in ((("icc_2,1",), np.zeros(5, dtype=np.int64)), (("kappa",), np.arange(5))):
        found = agreement.summary(table, coefficients, draws=50, clusters=clusters)
        assert for_raters_like_these(found, table, Patterns.of(table)) == found
    of_two = agreement.summary(table, ("icc_2,1",), draws=50, clusters=np.arange(5) % 2)
    assert for_raters_like_these(of_two, table, Patterns.of(table)).these_raters == of_two.estimates


def test_a_correlation_that_is_undefined_has_no_interval_of_either_kind() -> None:
    found = agreement.summary(OUTWEIGHED, ("icc_2,1", "icc_2,k"), draws=50)
    after = for_raters_like_these(found, OUTWEIGHED, Patterns.of(OUTWEIGHED))
    assert after.estimates["icc_2,k"] == found.estimates["icc_2,k"]
    assert set(after.these_raters) == {"icc_2,1"}
    assert (after.estimates["icc_2,1"].low, after.estimates["icc_2,1"].high) == (None, None)
    assert after.estimates["icc_2,1"].no_interval == Undefined.OUTWEIGHED.value
