"""The mixed model with items against generalised least squares with matrices of all ratings."""

import numpy as np
import pytest
from scipy import optimize, stats

from annotation.reports.bootstrap import Floats
from annotation.reports.models import intervals
from annotation.reports.models.intervals import Interval, Target
from annotation.reports.models.ratings import Ratings
from annotation.reports.models.with_items import ItemModel
from core.intervals import NO_SPREAD
from tests.annotation.models.rating_tables import drawn

LIKE_THESE = Target.RATERS_LIKE_THESE


class Dense:
    """value ~ version with effects of backgrounds, items, raters and cells, all written out."""

    def __init__(self, ratings: Ratings) -> None:
        versions = ratings.versions
        item, cell = (one * versions + ratings.version for one in (ratings.background, ratings.rater))
        same = [np.equal.outer(one, one).astype(float) for one in (ratings.background, item, ratings.rater, cell)]
        self.covers = [*same, np.eye(len(ratings.value))]
        self.design = np.equal.outer(ratings.version, np.arange(versions)).astype(float)
        self.value = ratings.value

    def covariance(self, variances: Floats) -> tuple[Floats, Floats]:
        """The covariance of the (versions,) means, and the inverse of that of the ratings."""
        inverse = np.linalg.inv(np.tensordot(variances, self.covers, axes=1))
        return np.linalg.inv(self.design.T @ inverse @ self.design), inverse

    def means(self, variances: Floats) -> Floats:
        covariance, inverse = self.covariance(variances)
        return np.asarray(covariance @ self.design.T @ inverse @ self.value)

    def unlikeliness(self, logarithms: Floats) -> float:
        """−2 log restricted likelihood without constants, of logarithms of variances."""
        covariance, inverse = self.covariance(np.exp(logarithms))
        rest = self.value - self.design @ (covariance @ self.design.T @ inverse @ self.value)
        return float(-np.linalg.slogdet(inverse)[1] - np.linalg.slogdet(covariance)[1] + rest @ inverse @ rest)

    def df(self, variances: Floats, contrast: Floats) -> float:
        """Satterthwaite's, with the inverse expected information as the variances' covariance."""
        covariance, inverse = self.covariance(variances)
        projected = inverse - inverse @ self.design @ covariance @ self.design.T @ inverse
        products = [projected @ one for one in self.covers]
        information = np.array([[np.sum(one * other.T) / 2 for other in products] for one in products])
        weights = covariance @ self.design.T @ inverse
        gradient = np.array([contrast @ weights @ one @ weights.T @ contrast for one in self.covers])
        unit = contrast @ covariance @ contrast
        return float(2 * unit**2 / (gradient @ np.linalg.solve(information, gradient)))


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_interval_is_that_of_matrices_written_out(missing: float) -> None:
    """The likeliest variances are sought once more, by another search."""
    ratings = lucky(12, missing)
    model, dense = ItemModel(ratings), Dense(ratings)
    assert (model.fitted.deviations > 0).all()
    found = optimize.minimize(dense.unlikeliness, np.full(5, -1.0), method="BFGS", options={"gtol": 1e-4})
    assert model.fitted.variances == pytest.approx(np.exp(found.x), rel=1e-3)
    variances = model.fitted.variances
    for weights in ({0: -1, 1: 1}, {0: 1}, {0: 1, 1: 1, 2: -2}):
        contrast = np.array([weights.get(version, 0) for version in range(3)], dtype=float)
        interval = model.interval(weights)
        assert interval.value == pytest.approx(contrast @ dense.means(variances))
        assert interval.se == pytest.approx(np.sqrt(contrast @ dense.covariance(variances)[0] @ contrast))
        assert interval.df == pytest.approx(dense.df(variances, contrast), rel=1e-4)
        half = stats.t.ppf(0.975, interval.df) * interval.se
        assert (interval.low, interval.high) == pytest.approx((interval.value - half, interval.value + half))
        assert interval.target == LIKE_THESE


def lucky(seed: int, missing: float) -> Ratings:
    """Scores of three versions by four raters, some items of which turned out well by chance."""
    ratings = drawn(seed, 4, 8, 3, missing)
    luck = np.random.default_rng(seed).normal(0, 0.7, (8, 3))
    value = ratings.value + luck[ratings.background, ratings.version]
    return Ratings.numbered(value, ratings.version, ratings.background, ratings.rater, 3)


def constant(own: list[float], rows: list[tuple[int, int, int]]) -> Ratings:
    """Rows are version, background and rater, who always gives its own value."""
    version, background, rater = np.array(rows).T
    return Ratings.numbered(np.array(own)[rater], version, background, rater, 3)


def test_where_each_rater_gave_one_value_any_sum_of_means_varies_with_raters_alone() -> None:
    every = [(version, background, rater) for version in (0, 1) for background in (0, 1) for rater in (0, 1, 2)]
    model = ItemModel(constant([2.0, 3, 5], every))
    # Three times a mean of 10/3 with a variance of (7/3)/3.
    tripled = model.interval({0: 3})
    assert (tripled.value, tripled.se, tripled.df) == pytest.approx((10, np.sqrt(7), 2))
    assert tripled.target == LIKE_THESE
    assert model.interval({0: 1, 1: 2}).se == pytest.approx(np.sqrt(7))
    assert model.interval({0: -1, 1: 1}) == Interval.none(0, LIKE_THESE, NO_SPREAD)
    same = ItemModel(constant([2.0, 2, 2], every))
    assert same.interval({0: 3}) == Interval.none(6, LIKE_THESE, NO_SPREAD)


def test_versions_that_no_chain_of_raters_links_have_no_difference() -> None:
    apart = ItemModel(constant([2.0, 3], [(0, 0, 0), (0, 1, 0), (1, 0, 1), (1, 1, 1)]))
    assert apart.interval({0: -1, 1: 1}) == Interval.none(None, LIKE_THESE, intervals.NOT_LINKED)
    # Rater 1 joins versions 0 and 1, rater 2 versions 1 and 2.
    chained = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2), (2, 0, 2)]
    assert ItemModel(constant([2.0, 3, 4], chained)).interval({0: -1, 2: 1}).value == 0


def test_a_sum_that_names_a_version_without_ratings_has_no_value() -> None:
    model = ItemModel(constant([2.0, 3], [(0, 0, 0), (2, 1, 0), (0, 1, 1)]))
    assert model.interval({0: -1, 1: 1}) == Interval.none(None, LIKE_THESE, intervals.NO_RATINGS)
    assert model.interval({0: -1, 2: 1}).value == 0


def test_one_rater_or_too_few_ratings_give_a_value_alone() -> None:
    one = drawn(1, 1, 6, 2)
    plain = [one.value[one.version == version].mean() for version in (0, 1)]
    assert ItemModel(one).interval({0: -1, 1: 1}) == Interval.none(
        pytest.approx(plain[1] - plain[0]), LIKE_THESE, intervals.ONE_RATER
    )
    # Five ratings beyond the versions would be needed, one more than there are variances.
    rows = [(0, 0, 0), (1, 0, 0), (0, 1, 1), (1, 1, 0), (0, 1, 0), (1, 0, 1)]
    version, background, rater = np.array(rows).T
    few = Ratings.numbered(np.array([1.0, 5, 3, 2, 5, 4]), version, background, rater, 2)
    assert ItemModel(few).interval({0: -1, 1: 1}) == Interval.none(
        pytest.approx(11 / 3 - 3), LIKE_THESE, intervals.TOO_FEW_RATINGS
    )
