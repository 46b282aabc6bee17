"""Prediction-powered means against `ppi-python`, and their coverage where dialogues cluster."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import t as student

from annotation.reports.models import prediction_powered
from annotation.reports.models.intervals import Unfit
from annotation.reports.models.prediction_powered import (
    PoweredMean,
    background_means,
    powered_difference,
    powered_mean,
)

Floats = NDArray[np.float64]
ppi = pytest.importorskip("ppi_py", reason="ppi-python is not installed (requirements-dev.txt)")
gap = np.nan


def scores(seed: int, rated: int = 40, others: int = 500, noise: float = 0.5) -> tuple[Floats, Floats]:
    """People's and the judge's mean scores of independent backgrounds; the judge is lenient by .4."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 0.7, size=rated + others)
    people = np.where(np.arange(rated + others) < rated, truth + rng.normal(0, 0.3, size=rated + others), gap)
    return people, truth + 0.4 + rng.normal(0, noise, size=rated + others)


def powered(people: Floats, judge: Floats) -> PoweredMean:
    found = powered_mean(people, judge)
    assert isinstance(found, PoweredMean), found
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("noise", [0.05, 0.5, 30])
def test_independent_backgrounds_give_what_ppi_python_gives(seed: int, noise: float) -> None:
    people, judge = scores(seed, noise=noise)
    found, rated = powered(people, judge), ~np.isnan(people)
    given = (people[rated], judge[rated], judge[~rated])
    assert found.value == pytest.approx(ppi.ppi_mean_pointestimate(*given).item(), abs=1e-8)
    (low,), (high,) = ppi.ppi_mean_ci(*given, alpha=0.05)
    assert (found.value - 1.959963984540054 * found.se) == pytest.approx(low, abs=1e-8)
    assert (found.value + 1.959963984540054 * found.se) == pytest.approx(high, abs=1e-8)
    assert (found.rated, found.judged) == (40, 500)


def test_the_difference_of_two_versions_is_ppi_pythons_of_the_paired_differences() -> None:
    first, second = scores(1), scores(2)
    found = powered_difference(np.stack([first[0], second[0]]), np.stack([first[1], second[1]]))
    assert isinstance(found, PoweredMean)
    people, judge = first[0] - second[0], first[1] - second[1]
    rated = ~np.isnan(people)
    expected = ppi.ppi_mean_pointestimate(people[rated], judge[rated], judge[~rated])
    assert found.value == pytest.approx(expected.item(), abs=1e-8)


def test_a_background_of_which_people_rated_one_version_counts_as_judged_alone() -> None:
    people, judge = np.stack([scores(1)[0], scores(2)[0]]), np.stack([scores(1)[1], scores(2)[1]])
    people[1, 0] = gap
    found = powered_difference(people, judge)
    assert isinstance(found, PoweredMean)
    assert (found.rated, found.judged) == (39, 501)


def test_a_judge_who_tells_nothing_changes_nothing() -> None:
    people, judge = scores(3)
    found = powered(people, np.full_like(judge, 4))
    assert (found.power, found.value) == (0, pytest.approx(np.nanmean(people)))
    # As would one who says the contrary of what people say: λ is not below 0.
    assert powered(people, np.where(np.isnan(people), judge, -people)).power == 0


def test_a_good_judge_makes_the_interval_narrower_than_peoples_alone() -> None:
    found = powered(*scores(4, noise=0.1))
    reach = student.ppf(0.975, found.rated - 1) * found.people_se
    assert found.power > 0.7
    assert found.high - found.low < 0.7 * 2 * reach
    assert found.value == pytest.approx((found.low + found.high) / 2)


@pytest.mark.parametrize("rated", [2, 5])
def test_few_backgrounds_have_students_interval_of_the_plain_mean_where_the_judge_is_ignored(rated: int) -> None:
    people, judge = scores(6, rated=rated, others=30)
    found = powered(people, np.full_like(judge, 4))
    alone = people[:rated]
    assert found.people_se == pytest.approx(alone.std(ddof=1) / rated**0.5)
    ends = student.interval(0.95, rated - 1, alone.mean(), found.people_se)
    assert (found.low, found.high) == pytest.approx(ends)


def test_a_constant_leniency_of_the_judge_does_not_matter() -> None:
    people, judge = scores(5)
    assert powered(people, judge + 1).value == pytest.approx(powered(people, judge).value)


def test_backgrounds_that_people_or_judge_lack_are_told_apart() -> None:
    people, judge = np.array([1.0, 2, 3, gap, gap, 4]), np.array([1.0, 2, 2, 4, gap, gap])
    found = powered(people, judge)
    assert (found.rated, found.judged, found.people) == (3, 1, 2)


def test_scores_that_allow_no_mean_say_why() -> None:
    people, judge = np.array([1.0, 2, gap]), np.array([1.0, 2, 3])
    assert powered_mean(np.array([1.0, gap, gap]), judge) == Unfit(prediction_powered.TOO_FEW)
    assert powered_mean(people, np.array([1.0, 2, gap])) == Unfit(prediction_powered.NOTHING_MORE)
    assert powered_mean(np.array([2.0, 2, gap]), judge) == Unfit(prediction_powered.NO_SPREAD)


def test_background_means_are_means_by_number_with_gaps() -> None:
    found = background_means(np.array([1.0, 2, 4, 5, 3]), np.array([0, 0, 3, 3, 1]), 5)
    np.testing.assert_array_equal(found, [1.5, 3, gap, 4.5, gap])


def clustered(rng: np.random.Generator, backgrounds: int, rated: int) -> tuple[Floats, Floats, Floats]:
    """Four dialogues a background, which are as good as their background for the most part; the truth is 3."""
    number = np.repeat(np.arange(backgrounds), 4)
    quality = 3 + rng.normal(0, 0.6, size=backgrounds)[number] + rng.normal(0, 0.4, size=4 * backgrounds)
    judge = quality + 0.3 + rng.normal(0, 0.5, size=backgrounds)[number] + rng.normal(0, 0.4, size=4 * backgrounds)
    people = quality + rng.normal(0, 0.3, size=4 * backgrounds)
    return np.where(number < rated, people, gap), judge, number


def test_the_interval_covers_where_dialogues_of_a_background_are_alike() -> None:
    """100 rated dialogues on 25 backgrounds; taken as independent, they would promise too much."""
    rng, studies, held, careless = np.random.default_rng(7), 600, 0, 0
    for _ in range(studies):
        people, judge, number = clustered(rng, backgrounds=300, rated=25)
        rated = ~np.isnan(people)
        means = np.full(300, gap)
        means[:25] = background_means(people[rated], number[rated], 25)
        found = powered(means, background_means(judge, number, 300))
        held += found.low <= 3 <= found.high
        alone = powered(people, judge)
        careless += alone.low <= 3 <= alone.high
    assert 0.93 <= held / studies <= 0.97
    assert careless / studies < 0.85
