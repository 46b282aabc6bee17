"""Resamples by weights, and the intervals that they make."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from annotation.reports import bootstrap
from annotation.reports.bootstrap import cluster_resamples, distributions, interval, ratio, resamples, why_none


@given(st.floats(0.02, 0.98), st.integers(2, 300))
def test_an_interval_is_corrected_for_bias_and_few_clusters(below: float, clusters: int) -> None:
    """Its ends are the quantiles at Φ(2z ± t√(n / (n − 1))), Φ(z) being the share of resamples below the value."""
    values = np.linspace(0, 1, 2001)
    found = interval(values, below, clusters)
    z = norm.ppf((np.sum(values < below - 1e-9) + np.sum(np.abs(values - below) <= 1e-9) / 2) / 2001)
    reach = t.ppf(0.975, clusters - 1) * np.sqrt(clusters / (clusters - 1))
    assert found == pytest.approx(tuple(norm.cdf([2 * z - reach, 2 * z + reach])), abs=5e-4)


def test_percentiles_of_a_normal_value_reach_as_far_as_the_t_interval_of_its_mean() -> None:
    """Resampled means of n values have the variance s²(n − 1)/n², s²/n being the squared standard error."""
    values = np.random.default_rng(1).normal(size=8)
    draws = np.concatenate(list(resamples(np.arange(8), 20_000, 1))) @ values / 8
    low, high = interval(draws, float(values.mean()), 8) or (np.nan, np.nan)
    by_t = t.interval(0.95, 7, values.mean(), values.std(ddof=1) / np.sqrt(8))
    assert high - low == pytest.approx(by_t[1] - by_t[0], rel=0.1)


def test_resamples_that_equal_the_value_lie_half_below_it() -> None:
    values = np.array([0.0] * 30 + [1] * 40 + [2] * 30)
    assert bootstrap._share_below(values, 1) == pytest.approx(0.5)
    assert bootstrap._share_below(values, 1 + 1e-12) == pytest.approx(0.5)
    assert bootstrap._share_below(values, 1.1) == pytest.approx(0.7)


def test_half_of_the_resamples_are_enough_for_an_interval() -> None:
    values = np.array([0.1, 0.2, 0.3, np.nan, np.nan, np.nan])
    assert why_none(values, 0.2) == ""
    assert why_none(np.append(values, np.nan), 0.2) == bootstrap.TOO_FEW_DEFINED
    assert why_none(np.array([]), 0.2) == bootstrap.TOO_FEW_DEFINED


@pytest.mark.parametrize("units", [3, 200])
def test_there_are_as_many_resamples_as_were_asked_for(units: int) -> None:
    """Also more than are drawn at once, by counting units and by drawing counts."""
    pattern = np.arange(units) % 3
    for drawn in (resamples(pattern, 250, 1), cluster_resamples(pattern, np.arange(units), 250, 1)):
        weights = np.concatenate(list(drawn))
        assert weights.shape == (250, 3)
        assert weights.sum(axis=1).tolist() == [units] * 250
    assert distributions({"none": lambda weights: weights}, [])["none"].shape == (0,)


def test_an_interval_is_left_out_where_resamples_miss_the_value() -> None:
    assert interval(np.array([0.1, 0.2, 0.3]), point=0.9, clusters=9) is None
    assert interval(np.array([0.1, np.nan, np.nan]), point=0.1, clusters=9) is None
    assert interval(np.array([1.0, 1.0, 1.0]), point=1.0, clusters=9) is None
    assert interval(np.array([1.0, 1.0, 2.0]), point=1.0, clusters=9) is not None


@pytest.mark.parametrize(
    ("values", "point", "why"),
    [
        ([0.1, 0.2, 0.3], 0.9, "resamples lie on one side of the value"),
        ([0.1, np.nan, np.nan], 0.1, "undefined in most resamples"),
        ([0.3, 0.1 + 0.2, 0.3], 0.3, "no spread"),
        ([0.1, 0.2, 0.3], 0.2, ""),
    ],
)
def test_an_interval_is_there_or_a_reason_is(values: list[float], point: float, why: str) -> None:
    assert why_none(np.array(values), point) == why
    assert (interval(np.array(values), point, 9) is None) == bool(why)


def test_a_resample_of_clusters_draws_their_units_together() -> None:
    # Clusters 7, 8 and 9 have the patterns (0, 1), (0, 2) and (3,).
    pattern, cluster = np.array([0, 1, 0, 2, 3]), np.array([7, 7, 8, 8, 9])
    weights = np.concatenate(list(cluster_resamples(pattern, cluster, draws=250, seed=3)))
    assert weights.shape == (250, 4)
    assert (weights[:, 0] == weights[:, 1] + weights[:, 2]).all()
    assert (weights[:, 1:].sum(axis=1) == 3).all()
    assert len(np.unique(weights, axis=0)) == 10


def test_a_quotient_is_undefined_where_nothing_is_shared_and_takes_any_shapes_that_fit() -> None:
    found = ratio(np.array([[1.0, 2, 3], [4, 5, 6]]), np.array([[2.0], [0]]))
    assert found[0].tolist() == [0.5, 1, 1.5]
    assert np.isnan(found[1]).all()
    assert ratio(np.array([[3.0], [6]]), np.array([[1.0, 2, 3]])).tolist() == [[3, 1.5, 1], [6, 3, 2]]
