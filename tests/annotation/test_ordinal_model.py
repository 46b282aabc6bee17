"""The cumulative link mixed model against R's `clmm`, its own derivatives and what must not change it."""

from dataclasses import replace
from itertools import combinations
from math import exp
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from annotation.reports.models import ordinal
from annotation.reports.models.intervals import Unfit
from annotation.reports.models.ordinal import ALL_EQUAL, ONE_VERSION, SEPARATED, OrdinalFit, fit
from annotation.reports.models.ordinal_likelihood import Graded, Laplace
from annotation.reports.models.ratings import Ratings
from tests.annotation.model_tables import reference_tables


def crossed(seed: int, *, backgrounds: int = 12, versions: int = 3, raters: int = 4, points: int = 5) -> Ratings:
    """Every rater's whole scores of every version of every background, with effects of all three."""
    rng = np.random.default_rng(seed)
    background, version, rater = (
        one.ravel() for one in np.indices((backgrounds, versions, raters))
    )  # fmt: skip
    place = rng.normal(size=backgrounds)[background] * 0.6 + rng.normal(size=raters)[rater] * 0.5 + version * 0.4
    value = np.clip(np.rint((points + 1) / 2 + place + rng.normal(size=len(place))), 1, points)
    return Ratings.numbered(value, version, background, rater, versions)


def fitted(ratings: Ratings) -> OrdinalFit:
    found = fit(ratings)
    assert isinstance(found, OrdinalFit), found
    return found


def test_twelve_tables_give_what_clmm_gives(shared_data: Path) -> None:
    tables = list(reference_tables(shared_data))
    assert len(tables) == 12
    for name, ratings, reference in tables:
        found, known = fitted(ratings), reference["clmm"]
        assert found.log_likelihood == pytest.approx(known["logLik"], abs=1e-4), name
        assert found.thresholds == pytest.approx(list(known["thresholds"].values()), abs=1e-3), name
        assert found.effects[1:] == pytest.approx(list(known["coefficients"].values()), abs=1e-3), name
        assert found.errors[1:] == pytest.approx(list(known["std_errors"].values()), abs=1e-3), name
        deviations = (found.background_sd, found.rater_sd)
        assert deviations == pytest.approx((known["sd"]["background"], known["sd"]["rater"]), abs=1e-3), name


@pytest.mark.parametrize("seed", range(5))
def test_the_gradient_is_that_of_the_likelihood(seed: int) -> None:
    ratings = crossed(seed, backgrounds=7)
    data = Graded(
        (ratings.value - ratings.value.min()).astype(np.int64), ratings.version, ratings.background, ratings.rater,
        int(np.ptp(ratings.value)) + 1, 3, 7, 4,
    )  # fmt: skip
    criterion, rng = Laplace(data), np.random.default_rng(seed)
    at = np.concatenate([[-2.0], rng.normal(size=data.categories - 2) / 3, rng.normal(size=2), [0.7, -0.4]])
    _, gradient = criterion(at)
    for place, slope in enumerate(gradient):
        step = 1e-5 * (np.arange(len(at)) == place)
        assert (criterion(at + step)[0] - criterion(at - step)[0]) / 2e-5 == pytest.approx(slope, abs=1e-5)


def test_no_step_to_any_side_of_the_fit_is_likelier() -> None:
    ratings = crossed(3)
    found = fitted(ratings)
    data = Graded(
        np.searchsorted(found.values, ratings.value), ratings.version, ratings.background, ratings.rater, 5, 3, 12, 4
    )
    at = np.concatenate(
        [
            found.thresholds[:1], np.log(np.diff(found.thresholds)), found.effects[1:],
            [found.background_sd, found.rater_sd],
        ]
    )  # fmt: skip
    criterion = Laplace(data)
    assert -criterion(at)[0] == pytest.approx(found.log_likelihood, abs=1e-9)
    for step in np.vstack([np.eye(len(at)), -np.eye(len(at))]) / 50:
        assert -criterion(at + step)[0] < found.log_likelihood


def test_a_scale_read_backwards_turns_every_effect_round() -> None:
    ratings = crossed(4)
    forwards, backwards = fitted(ratings), fitted(replace(ratings, value=6 - ratings.value))
    assert backwards.effects == pytest.approx(-forwards.effects, abs=1e-4)
    assert backwards.thresholds == pytest.approx(-forwards.thresholds[::-1], abs=1e-4)
    assert backwards.log_likelihood == pytest.approx(forwards.log_likelihood, abs=1e-7)


def test_only_the_order_of_scores_counts() -> None:
    ratings = crossed(5)
    stretched = replace(ratings, value=np.array([0, 1, 2, 10, 11, 90])[ratings.value.astype(int)].astype(float))
    assert fitted(stretched).effects == pytest.approx(fitted(ratings).effects, abs=1e-9)


def test_contrasts_of_all_pairs_are_differences_with_walds_tests() -> None:
    found = fitted(crossed(6))
    assert [(one.first, one.second) for one in found.contrasts()] == [(0, 1), (0, 2), (1, 2)]
    last = found.contrasts()[2]
    assert last.estimate == pytest.approx(found.effects[1] - found.effects[2])
    variance = found.covariance[1, 1] + found.covariance[2, 2] - 2 * found.covariance[1, 2]
    assert last.se == pytest.approx(variance**0.5)
    assert last.z == pytest.approx(last.estimate / last.se)
    assert last.p == pytest.approx(2 * norm.sf(abs(last.z)))
    assert last.odds_ratio == pytest.approx(exp(last.estimate))
    assert (last.low, last.high) == pytest.approx(
        (exp(last.estimate - 1.959964 * last.se), exp(last.estimate + 1.959964 * last.se)), rel=1e-5
    )
    # Whichever version comes first, a contrast is the same.
    ratings = crossed(6)
    turned = fitted(replace(ratings, version=2 - ratings.version)).contrast(1, 0)
    assert turned is not None
    assert (turned.estimate, turned.se) == pytest.approx((last.estimate, last.se), abs=1e-4)


def test_a_version_without_ratings_has_no_effect_and_no_contrast() -> None:
    ratings = crossed(7)
    wider = replace(ratings, version=np.where(ratings.version == 2, 3, ratings.version), versions=4)
    found = fitted(wider)
    assert np.isnan(found.effects).tolist() == [False, False, True, False]
    assert found.effects[[0, 1, 3]] == pytest.approx(fitted(ratings).effects, abs=1e-9)
    assert found.contrast(1, 2) is None
    assert [(one.first, one.second) for one in found.contrasts()] == [(0, 1), (0, 3), (1, 3)]


def test_one_rater_alone_has_no_spread_of_raters() -> None:
    assert fitted(crossed(8, raters=1)).rater_sd == pytest.approx(0, abs=1e-3)


def test_scores_that_allow_no_model_say_why() -> None:
    ratings = crossed(9)
    assert fit(replace(ratings, value=np.full_like(ratings.value, 3))) == Unfit(ALL_EQUAL)
    assert fit(replace(ratings, version=np.ones_like(ratings.version))) == Unfit(ONE_VERSION)
    # The last version never scores below the best score of the others.
    apart = np.where(ratings.version == 2, 5.0, np.minimum(ratings.value, 4))
    assert fit(replace(ratings, value=apart)) == Unfit(SEPARATED)
    touching = np.where(ratings.version == 2, np.maximum(ratings.value, 3), np.minimum(ratings.value, 3))
    assert fit(replace(ratings, value=touching)) == Unfit(SEPARATED)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4)), min_size=2, max_size=5))
def test_versions_whose_scores_do_not_overlap_are_known_before_any_search(spans: list[tuple[int, int]]) -> None:
    """Each version has its lowest score, and by how much its highest is higher."""
    lows, highs = np.array([(low, low + more) for low, more in spans], dtype=float).T
    every = range(len(spans))
    groups = [set(group) for size in every[1:] for group in combinations(every, size)]
    apart = any(highs[list(group)].max() <= lows[list(set(every) - group)].min() for group in groups)
    assert ordinal._separated(lows, highs) is apart


def test_separated_versions_start_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that runs off to infinity takes seconds before it says so."""
    ratings = crossed(9)
    monkeypatch.delattr(ordinal, "minimize")
    for bound in (2, 3):
        apart = np.where(ratings.version == 0, np.maximum(ratings.value, 3), np.minimum(ratings.value, bound))
        assert fit(replace(ratings, value=apart)) == Unfit(SEPARATED)


def test_two_points_of_a_scale_make_a_model_with_one_threshold() -> None:
    ratings = crossed(11)
    found = fitted(replace(ratings, value=np.where(ratings.value > 3, 1.0, 0.0)))
    assert (found.values.tolist(), len(found.thresholds)) == ([0, 1], 1)
    assert found.effects[0] == 0 < found.effects[1] < found.effects[2]


def test_versions_that_no_background_mixes_up_are_no_model() -> None:
    """Over all backgrounds the versions' scores overlap, so that only the search can tell."""
    ratings = crossed(10, versions=2, raters=2)
    apart = 1 + 2 * (ratings.background % 2) + ratings.version
    assert fit(replace(ratings, value=apart.astype(float))) == Unfit(SEPARATED)
