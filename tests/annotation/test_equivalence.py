"""Two one-sided tests against statsmodels and the interval that goes with them."""

from math import inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from statsmodels.stats.weightstats import ttost_paired

from annotation.reports.models.equivalence import NO_MARGIN, Equivalence, two_one_sided_tests
from annotation.reports.models.intervals import Unfit


def equivalence_of(difference: float, se: float, df: float, margin: float) -> Equivalence:
    found = two_one_sided_tests(difference, se, df, margin)
    assert isinstance(found, Equivalence), found
    return found


@pytest.mark.parametrize("seed", range(5))
def test_paired_scores_give_what_statsmodels_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(3.1, 1, size=(2, 24))
    gaps = first - second
    found = equivalence_of(gaps.mean(), gaps.std(ddof=1) / sqrt(24), 23, margin=0.5)
    p, (_, lower, _), (_, upper, _) = ttost_paired(first, second, -0.5, 0.5)
    assert (found.p, found.no_worse_p, found.no_better_p) == pytest.approx((p, lower, upper), abs=1e-12)


@given(st.floats(-2, 2), st.floats(0.01, 2), st.floats(1, 200), st.floats(0.01, 3))
def test_equivalence_is_a_ninety_percent_interval_within_the_margins(
    difference: float, se: float, df: float, margin: float
) -> None:
    found = equivalence_of(difference, se, df, margin)
    assert (found.difference, found.margin) == (difference, margin)
    assert found.low + found.high == pytest.approx(2 * difference, abs=1e-9)
    assert found.high - found.low == pytest.approx(2 * se * student.ppf(0.95, df))
    if min(abs(found.low + margin), abs(found.high - margin)) > 1e-6:
        assert found.is_no_worse == (found.low > -margin)
        assert found.is_equivalent == (-margin < found.low and found.high < margin)


def test_no_worse_looks_at_one_side_only() -> None:
    found = equivalence_of(difference=0.9, se=0.1, df=10, margin=0.3)
    assert found.is_no_worse
    assert not found.is_equivalent
    assert found.p == found.no_better_p > 0.99


def test_without_a_margin_or_a_standard_error_there_is_no_test() -> None:
    for margin in (0, -0.3, nan):
        assert two_one_sided_tests(0.1, 0.1, 10, margin) == Unfit(NO_MARGIN)
    for difference, se, df in ((0.1, 0, 10), (0.1, nan, 10), (nan, 0.1, 10), (inf, 0.1, 10), (0.1, 0.1, 0)):
        why = "There is no standard error of the difference to test with: no spread."
        assert two_one_sided_tests(difference, se, df, 0.3) == Unfit(why)
