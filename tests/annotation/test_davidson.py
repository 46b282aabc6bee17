"""Davidson's model against the log-linear model that it is, closed forms, and what must not change it."""

from math import exp, log, sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import logsumexp

from annotation.reports.models import davidson
from annotation.reports.models.davidson import Comparisons, DavidsonFit, Preference, fit, preference
from annotation.reports.models.intervals import Unfit

# Generous: strengths 0, .5 and 1.2, ν = .8 and a preference for the left.
TRUE = (np.array([0.0, 0.5, 1.2, 0.3]), log(0.8), 0.4)


def simulated(seed: int, n: int = 600, versions: int = 4, backgrounds: int = 30) -> Comparisons:
    rng = np.random.default_rng(seed)
    left = rng.integers(versions, size=n)
    right = (left + rng.integers(1, versions, size=n)) % versions
    strengths, tie, side = TRUE
    places = np.stack(
        [
            strengths[right] - side / 2,
            tie + (strengths[left] + strengths[right]) / 2,
            strengths[left] + side / 2,
        ],
        axis=1,
    )
    chances = np.exp(places - logsumexp(places, axis=1, keepdims=True))
    outcome = (rng.random(n)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1) - 1
    return Comparisons(rng.integers(backgrounds, size=n), left, right, outcome, versions)


def of_counts(*counts: tuple[int, int, int, int, int], versions: int = 2) -> Comparisons:
    """From (left, right, left preferred, ties, right preferred), one background a comparison."""
    rows = [
        (left, right, outcome)
        for left, right, *by_outcome in counts
        for outcome, times in zip((1, 0, -1), by_outcome, strict=True)
        for _ in range(times)
    ]
    left, right, outcome = np.array(rows).T
    return Comparisons(np.arange(len(rows)), left, right, outcome, versions)


def fitted(found: Comparisons) -> DavidsonFit:
    point = fit(found)
    assert isinstance(point, DavidsonFit), point
    return point


def log_linear(found: Comparisons) -> tuple[np.ndarray, float, float]:
    """Strengths against the first version, log ν and λ as a Poisson regression of the counts with statsmodels."""
    pairs = sorted(set(zip(found.left.tolist(), found.right.tolist(), strict=True)))
    rows, counts = [], []
    for number, (left, right) in enumerate(pairs):
        here = (found.left == left) & (found.right == right)
        for outcome in (1, 0, -1):
            wins = np.zeros(found.versions)
            wins[left] += (1 + outcome) / 2
            wins[right] += (1 - outcome) / 2
            rows.append([*wins[1:], outcome == 0, outcome / 2, *(np.arange(len(pairs)) == number)])
            counts.append((found.outcome[here] == outcome).sum())
    glm = sm.GLM(counts, np.array(rows, dtype=float), family=sm.families.Poisson()).fit(tol=1e-14, maxiter=200)
    size = found.versions - 1
    return glm.params[:size], glm.params[size], glm.params[size + 1]


@pytest.mark.parametrize("seed", range(4))
def test_the_model_is_the_log_linear_one(seed: int) -> None:
    found = simulated(seed)
    point, (strengths, tie, side) = fitted(found), log_linear(found)
    assert point.strengths[1:] - point.strengths[0] == pytest.approx(strengths, abs=1e-6)
    assert log(point.tie) == pytest.approx(tie, abs=1e-6)
    assert point.side == pytest.approx(side, abs=1e-6)
    assert point.strengths.sum() == pytest.approx(0)


def test_many_comparisons_give_the_strengths_that_made_them() -> None:
    point = fitted(simulated(1, n=60_000))
    assert point.strengths - point.strengths[0] == pytest.approx(TRUE[0], abs=0.05)
    assert (log(point.tie), point.side) == pytest.approx(TRUE[1:], abs=0.05)


def test_two_versions_on_both_sides_alike_have_a_closed_form() -> None:
    """With wins w, ties t and losses l on either side: δ = log(w / l), ν = t / √(wl), and no side is favoured."""
    point = fitted(of_counts((0, 1, 4, 6, 9), (1, 0, 9, 6, 4)))
    assert point.strengths[1] - point.strengths[0] == pytest.approx(log(9 / 4))
    assert (point.tie, point.side) == pytest.approx((6 / sqrt(36), 0))
    assert point.log_likelihood == pytest.approx(2 * sum(n * log(n / 19) for n in (4, 6, 9)))


def test_equals_show_the_side_alone() -> None:
    point = fitted(of_counts((0, 1, 12, 5, 3), (1, 0, 12, 5, 3)))
    assert point.strengths == pytest.approx([0, 0], abs=1e-9)
    assert point.side == pytest.approx(log(12 / 3))


def test_without_ties_it_is_bradleys_and_terrys_model() -> None:
    point = fitted(of_counts((0, 1, 4, 0, 9), (1, 0, 9, 0, 4)))
    assert point.tie == 0
    assert point.strengths[1] - point.strengths[0] == pytest.approx(log(9 / 4))


def test_rates_follow_from_the_strengths_and_add_up_to_one() -> None:
    found = simulated(2)
    point, shown = fitted(found), preference(found, draws=50)
    assert isinstance(shown, Preference)
    for (row, column), rate in shown.rates.items():
        mine, theirs = exp(point.strengths[row]), exp(point.strengths[column])
        tie = point.tie * sqrt(mine * theirs)
        assert rate.value == pytest.approx((mine + tie / 2) / (mine + theirs + tie))
        assert rate.n == (np.isin(found.left, (row, column)) & np.isin(found.right, (row, column))).sum()
        other = shown.rates[column, row]
        assert (other.low, other.high) == pytest.approx((1 - rate.high, 1 - rate.low))  # type: ignore[operator]
        assert rate.low < rate.value < rate.high  # type: ignore[operator]
    assert shown.tie.value == pytest.approx(point.tie / (2 + point.tie))
    assert shown.left.value == pytest.approx(1 / (1 + exp(-point.side)))
    assert [one.n for one in shown.strengths if one] == [
        ((found.left == version) | (found.right == version)).sum() for version in range(4)
    ]


def test_the_interval_is_that_of_resampled_backgrounds() -> None:
    """Ten copies of every decision, all of the same background, make nothing surer."""
    found = simulated(3, n=120)
    ten = Comparisons(*(np.tile(one, 10) for one in (found.background, found.left, found.right, found.outcome)), 4)
    once, tenfold = preference(found, seed=1), preference(ten, seed=1)
    assert isinstance(once, Preference)
    assert isinstance(tenfold, Preference)
    for pair, rate in once.rates.items():
        assert tenfold.rates[pair][2:4] == pytest.approx(rate[2:4], abs=1e-6)


def test_a_resample_is_the_fit_of_the_comparisons_drawn() -> None:
    found = simulated(6, n=200, versions=3, backgrounds=8)
    design = davidson._design(found)
    at = davidson._likeliest(design)
    times = np.array([[2.0, 0, 1, 3, 1, 0, 0, 1], [1, 1, 1, 1, 1, 1, 1, 1]])
    shown = davidson._shown(design, davidson._drawn(design, times, at))
    for row, weights in zip(shown, times, strict=True):
        picks = np.repeat(np.arange(200), weights[found.background].astype(np.int64))
        own = (column[picks] for column in (found.background, found.left, found.right, found.outcome))
        point = fitted(Comparisons(*own, 3))
        assert row[:3] == pytest.approx(point.strengths, abs=1e-6)
        assert row[-2:] == pytest.approx((point.tie / (2 + point.tie), 1 / (1 + exp(-point.side))), abs=1e-6)


def test_a_resample_that_leaves_out_all_comparisons_of_a_version_has_no_values() -> None:
    # The third version was compared once, on the last background.
    found = of_counts((0, 1, 3, 1, 2), (1, 0, 2, 1, 3), (0, 2, 1, 0, 0), versions=3)
    design = davidson._design(found)
    times = np.ones((2, 13))
    times[0, -1] = 0
    drawn = davidson._drawn(design, times, np.zeros(4))
    assert np.isnan(drawn).all(axis=1).tolist() == [True, False]


def test_the_interval_of_a_rate_holds_the_truth_as_often_as_it_says() -> None:
    """Thirty backgrounds with a taste of their own, three raters each: the mean rate is in 95 % of the intervals."""
    rng, held, studies = np.random.default_rng(11), 0, 200
    for study in range(studies):
        taste = np.where(rng.random(30) < 0.5, 0.85, 0.45)
        wins = rng.random((30, 3)) < taste[:, None]
        second_left = rng.random((30, 3)) < 0.5
        background = np.repeat(np.arange(30), 3)
        left = second_left.ravel().astype(np.int64)
        outcome = np.where(wins == second_left, 1, -1).ravel()
        shown = preference(Comparisons(background, left, 1 - left, outcome, 2), draws=400, seed=study)
        assert isinstance(shown, Preference)
        rate = shown.rates[1, 0]
        held += rate.low <= 0.65 <= rate.high  # type: ignore[operator]
    assert 0.90 <= held / studies <= 0.99


def test_the_side_is_taken_out_of_the_rates() -> None:
    """The second version stands left three times in four, and the left is favoured: the raw rate flatters it."""
    found = of_counts((0, 1, 16, 4, 5), (1, 0, 48, 12, 15))
    shown = preference(found, draws=50)
    assert isinstance(shown, Preference)
    assert shown.rates[1, 0].value == pytest.approx(0.5)
    assert shown.left.value == pytest.approx(16 / 21)
    assert np.mean([(48 + 6 + 5 + 2) / 100]) > 0.6


def test_a_version_that_was_not_compared_has_no_strength() -> None:
    found = simulated(4, versions=3)
    wider = Comparisons(found.background, found.left, found.right, found.outcome, 5)
    point, shown = fitted(wider), preference(wider, draws=20)
    assert np.isnan(point.strengths).tolist() == [False, False, False, True, True]
    assert isinstance(shown, Preference)
    assert shown.strengths[3:] == (None, None)
    assert {place for pair in shown.rates for place in pair} == {0, 1, 2}


def test_one_background_gives_values_without_intervals() -> None:
    found = simulated(5, backgrounds=1)
    shown = preference(found, draws=20)
    assert isinstance(shown, Preference)
    for one in (shown.left, shown.tie, shown.rates[0, 1], shown.rates[1, 0]):
        assert (one.low, one.no_interval) == (None, "only one background")


def test_comparisons_that_allow_no_model_say_why() -> None:
    empty = np.zeros(0, dtype=np.int64)
    cases = {
        davidson.NOTHING: Comparisons(empty, empty, empty, empty, 2),
        davidson.ALL_TIES: of_counts((0, 1, 0, 5, 0), (1, 0, 0, 5, 0)),
        davidson.UNCONNECTED: of_counts((0, 1, 3, 1, 3), (1, 0, 3, 1, 3), (2, 3, 3, 1, 3), (3, 2, 3, 1, 3), versions=4),
        davidson.CONFOUNDED: of_counts((0, 1, 3, 1, 4)),
        davidson.ONE_SIDED: of_counts((0, 1, 9, 0, 0), (1, 0, 0, 0, 9)),
    }
    for reason, found in cases.items():
        assert fit(found) == preference(found) == Unfit(reason)
