"""The short form of `python -m tests.coverage`: intervals hold what they say they are about, within wide bounds."""

import numpy as np
import pytest

from tests.coverage import agreement_intervals
from tests.coverage.closed_form import fixed
from tests.coverage.measuring import hold_against_product, measured
from tests.coverage.studies import Cell, drawn, expected_score

STUDIES = 300


@pytest.mark.parametrize(
    "cell", [Cell(3, 24, 0.4, 0.2), Cell(3, 100, 0, 0.2), Cell(5, 12, 0.4, 0), Cell(10, 100, 0.4, 0.2)]
)
def test_intervals_hold_the_truth_and_null_studies_seldom_differ(cell: Cell) -> None:
    found = measured(cell, STUDIES, seed=11)
    # Means of several intervals a study: the standard error is at most that of one, 1.1 points.
    assert 0.92 < found.mean_these < 0.98
    assert 0.92 < found.difference_these < 0.98
    assert found.mean_like_these > 0.91
    assert found.difference_like_these > 0.92
    assert found.mixed > 0.915
    assert found.family_mixed < 0.085


def test_an_interval_for_these_raters_is_not_one_for_raters_like_these() -> None:
    made = drawn(Cell(3, 100, 0.4, 0.2), STUDIES, np.random.default_rng(2))
    gap = fixed(made.scores[..., 1] - made.scores[..., 0])
    assert np.mean(np.abs(gap.mean) <= gap.se * 1.98) < 0.75
    level = fixed(made.scores[..., 0])
    assert np.mean(np.abs(level.mean - made.overall) <= level.se * 1.98) < 0.6


def test_a_background_that_suits_one_version_calls_for_crossed_intervals() -> None:
    """The mixed model has no effect of items; differences paired by background need none."""
    found = measured(Cell(10, 24, 0.4, 0.2, item_sd=0.3), STUDIES, seed=3)
    assert found.difference_like_these > 0.925
    assert found.mixed < found.difference_like_these - 0.02


def test_where_some_raters_score_an_item_intervals_hold_too() -> None:
    found = measured(Cell(4, 20, 0.4, 0.2, each=2), 10, seed=4)
    assert found.difference_these > 0.85
    assert found.difference_like_these > 0.85
    assert found.mean_like_these > 0.85
    assert found.mean_these > 0.85


@pytest.mark.parametrize("cell", [Cell(3, 60, 0, 0), Cell(4, 12, 0.4, 0), Cell(3, 24, 0, 0.2), Cell(2, 10, 0.3, 0.3)])
def test_the_search_finds_the_maximum_that_is_known_for_complete_tables(cell: Cell) -> None:
    rng = np.random.default_rng(5)
    hold_against_product(drawn(cell, 12, rng).scores, rng)


def test_the_truth_about_rounded_scores_is_what_many_of_them_average() -> None:
    cell = Cell(2, 4000, 0.4, 0.2, item_sd=0.3)
    made = drawn(cell, 4, np.random.default_rng(6))
    assert made.scores.mean(axis=2) == pytest.approx(made.of_raters, abs=0.08)
    assert float(expected_score(np.array(3.0), 1.0)) == pytest.approx(3)
    whole = drawn(Cell(4000, 2, 0.4, 0.2), 4, np.random.default_rng(7))
    between = np.array([whole.scores[..., version].mean() for version in range(4)])
    assert between.mean() == pytest.approx(whole.overall, abs=0.12)


def test_agreement_of_raters_like_these_is_held_by_f_and_that_of_these_raters_by_resampling() -> None:
    found = agreement_intervals.measured(Cell(4, 30, 0.4, 0.2, item_sd=0.7), 40, seed=8)
    assert found.icc_by_f > 0.85
    assert found.icc_these > 0.8
    assert found.alpha_these > 0.8


def test_the_truth_about_agreement_is_that_of_a_study_without_end() -> None:
    cell = Cell(3, 6000, 0.5, 0.3, item_sd=0.7)
    made = drawn(cell, 1, np.random.default_rng(9))
    table = made.scores[0].reshape(3, -1)
    truth = agreement_intervals.of_these_raters(made.levels[0], cell)
    assert float(agreement_intervals.agreement.icc(table, "2,1").value or 0) == pytest.approx(truth.icc, abs=0.02)
    alpha = agreement_intervals.agreement.alpha(table, "interval").value
    assert float(alpha or 0) == pytest.approx(truth.alpha, abs=0.02)
    like_these = agreement_intervals.of_raters_like_these(cell)
    assert like_these.icc == pytest.approx(like_these.alpha)
