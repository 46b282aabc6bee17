"""How carefully raters work, on figures that can be checked by hand."""

from typing import Any

import numpy as np
import pytest

from annotation.monitoring.quality import NoAgreement, Ratings, is_fast, longest_run, quality
from annotation.rating.arithmetic import missed
from annotation.reports.agreement import weighted_kappa

NAN = np.nan


def ratings(tables: list[list[list[float]]], seconds: float = 30, words: float = 100) -> Ratings:
    """`tables[rater][item]` is a row of scores; an empty row was not rated."""
    rows = [
        (rater, item, row) for rater, table in enumerate(tables) for item, row in enumerate(table) if row
    ]  # fmt: skip
    return Ratings(
        rater=np.array([row[0] for row in rows], dtype=np.int64),
        item=np.array([row[1] for row in rows], dtype=np.int64),
        scores=np.array([row[2] for row in rows], dtype=np.float64).reshape(len(rows), -1),
        seconds=np.full(len(rows), seconds),
        words=np.full(len(rows), words),
        raters=len(tables),
    )


def everybody(found: Ratings) -> Any:
    return np.ones(found.raters, dtype=np.bool_)


def test_agreement_is_the_weighted_kappa_of_the_report_where_two_raters_share_all_items() -> None:
    rng = np.random.default_rng(4)
    scores = rng.integers(1, 6, size=(2, 40)).astype(np.float64)
    found = ratings([[[float(value)] for value in row] for row in scores])
    kappa = weighted_kappa(scores).value
    assert [one.agreement for one in quality(found, everybody(found))] == pytest.approx([kappa, kappa])


def test_agreement_pools_a_raters_pairs_of_scores_with_all_others() -> None:
    rng = np.random.default_rng(5)
    scores = rng.integers(1, 6, size=(3, 30)).astype(np.float64)
    scores[2, 10:] = NAN
    tables = [[[] if np.isnan(value) else [float(value)] for value in row] for row in scores]
    found = ratings(tables)
    first = quality(found, everybody(found))[0]
    observed = expected = 0.0
    for other in scores[1:]:
        shared = np.flatnonzero(~np.isnan(other))
        gaps = (scores[0][:, None] - other[None, shared]) ** 2
        own = gaps[shared, np.arange(len(shared))].sum()
        observed += own
        expected += len(shared) * (gaps.sum() - own) / (gaps.size - len(shared))
    assert first.agreement == pytest.approx(1 - observed / expected)
    assert first.compared == 40


def test_who_is_not_counted_is_compared_with_the_others_but_not_they_with_them() -> None:
    tables: list[list[list[float]]] = [[[1], [2], [5], [4]], [[1], [2], [5], [5]], [[5], [4], [1], [1]]]
    found = ratings(tables)
    rows = quality(found, np.array([True, True, False]))
    assert rows[0].agreement == pytest.approx(rows[1].agreement or 0)
    assert (rows[0].agreement or 0) > 0.8
    assert (rows[2].agreement or 0) < 0
    assert [row.compared for row in rows] == [4, 4, 8]


def test_agreement_without_a_value_says_why() -> None:
    alone = ratings([[[1], [2]], [[], [3]]])
    assert [one.no_agreement for one in quality(alone, everybody(alone))] == [NoAgreement.TOO_FEW] * 2
    equal = ratings([[[3], [3]], [[3], [3]]])
    assert [one.no_agreement for one in quality(equal, everybody(equal))] == [NoAgreement.ALL_EQUAL] * 2
    crossed = ratings([[[1], [2]], [[2], [1]]])
    assert [one.no_agreement for one in quality(crossed, everybody(crossed))] == [NoAgreement.NO_CHANCE] * 2


def test_straight_lining_counts_equal_scores_and_runs_of_identical_rows() -> None:
    table: list[list[float]] = [[3, 3, 3], [4, 4, 4], [4, 4, 4], [1, 2, 3], [1, 2, 3], [1, 2, 3], [5, NAN, NAN]]
    found = ratings([table])
    (one,) = quality(found, everybody(found))
    # A row with one score says nothing of straight lines.
    assert (one.straight, one.longest_run) == (3 / 6, 3)


@pytest.mark.parametrize(("rows", "run"), [([], 0), ([[1.0]], 1), ([[1.0], [2.0]], 1), ([[NAN], [NAN]], 2)])
def test_the_longest_run_of_few_ratings(rows: list[list[float]], run: int) -> None:
    assert longest_run(np.array(rows, dtype=np.float64).reshape(len(rows), 1)) == run


def test_very_fast_is_faster_than_twice_the_average_reader() -> None:
    # 476 words take 60 seconds at this speed; what nobody timed is not fast.
    seconds = np.array([59.9, 60.1, NAN])
    assert is_fast(seconds, np.full(3, 476.0)).tolist() == [True, False, False]


def test_a_rater_without_ratings_has_figures_without_values() -> None:
    found = ratings([[[1], [2]], [[], []]])
    idle = quality(found, everybody(found))[1]
    assert (idle.ratings, idle.median_seconds, idle.fast, idle.straight, idle.longest_run) == (0, None, None, None, 0)


def test_an_expected_score_is_missed_beyond_its_tolerance_or_without_a_score() -> None:
    assert missed({"a": 4, "b": 1}, {"a": 5}, 1) == []
    assert missed({"a": 3}, {"a": 5}, 1) == ["a"]
    assert missed({}, {"a": 5}, 1) == ["a"]
