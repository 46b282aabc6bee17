"""The likelihood and its derivatives against the same written out with matrices of all ratings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.reports.models import likelihood, reml
from annotation.reports.models.satterthwaite import expected
from annotation.reports.models.sums import Sums, Term
from tests.annotation.models.rating_tables import drawn

EVERY = tuple(Term)


def indicators(numbers: np.ndarray) -> np.ndarray:
    return (numbers[:, None] == np.unique(numbers)[None, :]).astype(float)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.floats(0, 3), min_size=4, max_size=4), st.integers(1, 4))
def test_all_that_is_computed_by_elimination_equals_the_matrices(seed: int, ratios: list[float], versions: int) -> None:
    ratings = drawn(seed, raters=4, backgrounds=7, versions=versions, missing=0.3)
    if len(np.unique(ratings.version)) < versions or np.ptp(ratings.value) == 0:
        return
    value = (ratings.value - ratings.value.mean()) / ratings.value.std()
    item = ratings.background * versions + ratings.version
    groups = [indicators(one) for one in (ratings.background, item, ratings.rater)]
    cell = (ratings.version * ratings.raters + ratings.rater)[:, None] == np.arange(versions * ratings.raters)
    groups.append(cell.astype(float))
    design = indicators(ratings.version)
    whole = np.eye(len(value)) + sum(ratio * one @ one.T for ratio, one in zip(ratios, groups, strict=True))
    inverse = np.linalg.inv(whole)
    covariance = np.linalg.inv(design.T @ inverse @ design)
    projected = inverse - inverse @ design @ covariance @ design.T @ inverse
    sums = Sums.of(ratings)
    point = likelihood.at(sums, np.array(ratios), True)
    logs = np.linalg.slogdet(whole)[1] - np.linalg.slogdet(covariance)[1]
    assert point.logs == pytest.approx(logs)
    assert point.error - likelihood.LEAST_ERROR * sums.squares == pytest.approx(value @ projected @ value)
    assert point.means == pytest.approx(covariance @ design.T @ inverse @ value)
    assert point.covariance == pytest.approx(covariance)
    weighted = design.T @ inverse
    for place, one in enumerate(groups):
        assert point.traces[place] == pytest.approx(np.trace(one.T @ projected @ one))
        assert point.pulls[place] == pytest.approx(np.sum((one.T @ projected @ value) ** 2))
        gain = covariance @ weighted @ one @ one.T @ weighted.T @ covariance
        assert point.gains[place] == pytest.approx(gain)
    raters = groups[Term.RATER]
    assert point.rater_effects == pytest.approx(raters.T @ projected @ value)
    assert point.rater_errors == pytest.approx(raters.T @ projected @ raters)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_expected_information_equals_its_traces(missing: float) -> None:
    ratings = drawn(3, raters=4, backgrounds=9, versions=3, missing=missing)
    fitted = reml.fit(Sums.of(ratings), EVERY)
    assert fitted.sought.all()
    item = ratings.background * 3 + ratings.version
    cell = ratings.version * 4 + ratings.rater
    groups = [indicators(one) for one in (ratings.background, item, ratings.rater, cell)]
    covers = [*(one @ one.T for one in groups), np.eye(len(ratings.value))]
    design = indicators(ratings.version)
    inverse = np.linalg.inv(sum(ratio * cover for ratio, cover in zip([*fitted.deviations**2, 1], covers, strict=True)))
    covariance = np.linalg.inv(design.T @ inverse @ design)
    projected = inverse - inverse @ design @ covariance @ design.T @ inverse
    by_hand = np.array([[np.trace(projected @ a @ projected @ b) / 2 for b in covers] for a in covers])
    assert np.linalg.inv(expected(fitted).covariance / fitted.error**2) == pytest.approx(by_hand, rel=1e-4, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.5))
def test_no_point_nearby_is_likelier_than_the_one_found(seed: int, missing: float) -> None:
    ratings = drawn(seed, raters=4, backgrounds=10, versions=3, missing=missing)
    sums = Sums.of(ratings)
    fitted = reml.fit(sums, EVERY)

    def unlikeliness(deviations: np.ndarray) -> float:
        point = likelihood.at(sums, deviations**2, False)
        return point.logs + sums.spare * np.log(point.error)

    least = unlikeliness(fitted.deviations)
    for step in (1e-3, 0.05, 0.5):
        for place in np.flatnonzero(fitted.sought):
            for sign in (-1, 1):
                near = fitted.deviations.copy()
                near[place] = abs(near[place] + sign * step)
                assert unlikeliness(near) >= least - 1e-8


def test_a_term_that_is_left_out_has_no_derivatives_and_changes_no_other() -> None:
    sums = Sums.of(drawn(4, raters=3, backgrounds=6, versions=2, missing=0.2))
    ratios = np.array([0.4, 0, 0.3, 0.2])
    without, with_items = (likelihood.at(sums, ratios, asked) for asked in (False, True))
    assert (without.traces[Term.ITEM], without.pulls[Term.ITEM], without.gains[Term.ITEM].any()) == (0, 0, False)
    others = [term for term in Term if term != Term.ITEM]
    assert without.traces[others] == pytest.approx(with_items.traces[others])
    assert without.pulls[others] == pytest.approx(with_items.pulls[others])
    assert (without.logs, without.error) == pytest.approx((with_items.logs, with_items.error))
