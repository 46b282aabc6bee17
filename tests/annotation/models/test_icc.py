"""Intervals of intraclass correlations for raters like these."""

import numpy as np
import pytest

from annotation.reports import agreement
from annotation.reports.agreement import Undefined
from annotation.reports.models.icc import icc_intervals, mean_squares
from annotation.reports.models.intervals import TOO_FEW_RATINGS, Target
from core.intervals import NO_SPREAD

# Shrout & Fleiss (1979), table 2; the intervals are those that R's psych (ICC) prints for them.
SIX_BY_FOUR = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float).T


def scored(seed: int, raters: int = 4, units: int = 60, missing: float = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 1, units) + rng.normal(0, 0.5, (raters, 1)) + rng.normal(0, 1, (raters, units))
    table[rng.random(table.shape) < missing] = np.nan
    return table


def test_shrout_and_fleiss_table_has_its_known_intervals() -> None:
    found = icc_intervals(SIX_BY_FOUR)
    single, mean = found["2,1"], found["2,k"]
    assert (single.value, single.low, single.high) == pytest.approx((0.29, 0.019, 0.761), abs=0.001)
    assert (mean.value, mean.low, mean.high) == pytest.approx((0.62, 0.071, 0.927), abs=0.001)
    assert {one.target for one in found.values()} == {Target.RATERS_LIKE_THESE}


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
    assert {(one.value, one.low, one.no_interval) for one in icc_intervals(perfect).values()} == {(1, None, NO_SPREAD)}
    alone = icc_intervals(np.array([[1.0, 2, np.nan], [np.nan, np.nan, 3]]))
    assert {(one.value, one.no_interval) for one in alone.values()} == {(None, Undefined.NO_PAIRS.value)}
    two = np.array([[1.0, 2], [1, 3]])
    assert TOO_FEW_RATINGS not in {one.no_interval for one in icc_intervals(two).values()}
