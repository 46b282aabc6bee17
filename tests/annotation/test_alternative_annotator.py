"""The alternative annotator test on an example worked by hand, and what must not change it."""

from math import atan, pi, sqrt

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from annotation.reports.models.alternative_annotator import (
    CROWD,
    EXPERT,
    TOO_FEW_ITEMS,
    TOO_FEW_RATERS,
    AlternativeAnnotator,
    alternative_annotator,
)
from annotation.reports.models.intervals import Unfit

gap = np.nan
# Three raters, four items and a judge, worked by hand with the definitions of Calderon et al. (2025), section 3.
RATERS = np.array([[1.0, 5, 3, 4], [2, 3, 3, 5], [2, 2, 5, 4]])
JUDGE = np.array([2.0, 3, 4, 1])
# By rater left out: 1 where only the rater was nearest to the other two, −1 where only the judge was, else 0.
BY_HAND = [(-1, -1, -1, 1), (0, 0, -1, 1), (0, -1, -1, 1)]


def judged(*args: object, **options: object) -> AlternativeAnnotator:
    found = alternative_annotator(*args, **options)  # type: ignore[arg-type]
    assert isinstance(found, AlternativeAnnotator), found
    return found


def p_of_three_degrees(t: float) -> float:
    """Student's distribution function on three degrees of freedom, in closed form."""
    x = t / sqrt(3)
    return 0.5 + (x / (1 + x**2) + atan(x)) / pi


def test_the_example_worked_by_hand() -> None:
    found = judged(RATERS, JUDGE, epsilon=EXPERT)
    assert found.epsilon == EXPERT
    # Means −.5, 0 and −.25 with deviations 1, √(2/3) and √(11/12), from which ε = .2 is taken.
    expected = [-0.7 / (1 / 2), -0.2 / (sqrt(2 / 3) / 2), -0.45 / (sqrt(11 / 12) / 2)]
    assert [one.p for one in found.against] == pytest.approx([p_of_three_degrees(t) for t in expected])
    assert [one.judge for one in found.against] == [0.75, 0.75, 0.75]
    assert (found.winning_rate, found.advantage) == (0, 0.75)
    assert [(one.rater, one.items, one.is_won) for one in found.against] == [(place, 4, False) for place in range(3)]


def test_the_p_values_are_those_of_scipys_test() -> None:
    for one, behind in zip(judged(RATERS, JUDGE, epsilon=CROWD).against, BY_HAND, strict=True):
        assert one.p == pytest.approx(ttest_1samp(behind, CROWD, alternative="less").pvalue)


def many(seed: int, *, judge_noise: float, raters: int = 3, items: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 1, size=items)
    return truth + rng.normal(0, 0.6, size=(raters, items)), truth + rng.normal(0, judge_noise, size=items)


def test_a_judge_nearer_to_the_truth_than_raters_wins_and_a_noisy_one_loses() -> None:
    good, bad = judged(*many(1, judge_noise=0.1)), judged(*many(1, judge_noise=2))
    assert good.winning_rate == 1
    assert bad.winning_rate == 0
    assert good.advantage > 0.5 > bad.advantage


def test_wins_follow_benjaminis_and_yekutielis_steps() -> None:
    """The largest k with p₍k₎ ≤ k/m · .05 / (1 + 1/2 + … + 1/m) tells how many are won."""
    mixed = 0
    for seed in range(30):
        found = judged(*many(seed, judge_noise=0.45, raters=5, items=40))
        chances = sorted(one.p for one in found.against)
        bound = 0.05 / sum(1 / k for k in range(1, 6))
        won = max((k for k in range(1, 6) if chances[k - 1] <= k / 5 * bound), default=0)
        assert sum(one.is_won for one in found.against) == won
        mixed += 0 < won < 5
    assert mixed > 3


def test_a_higher_epsilon_never_loses_a_rater() -> None:
    rates = [judged(*many(2, judge_noise=0.6), epsilon=epsilon).winning_rate for epsilon in (0, 0.1, 0.2, 0.5)]
    assert rates == sorted(rates)
    assert rates[0] < rates[-1]


def test_three_raters_and_few_items_are_said_to_show_little() -> None:
    found = judged(RATERS, JUDGE)
    assert "With 3 raters only the winning rates 0, 0.33, 0.67 and 1 are possible" in found.limits[0]
    assert "fewer than 30 items" in found.limits[1]
    assert judged(*many(3, judge_noise=0.1, raters=8)).limits == ()


def test_gaps_leave_out_items_that_two_raters_and_the_judge_do_not_share() -> None:
    wider = np.hstack([RATERS, [[4, gap, 1], [gap, gap, 2], [gap, 3, 5]]])
    found = judged(wider, np.append(JUDGE, [3, 2, gap]), epsilon=EXPERT)
    assert found.against == judged(RATERS, JUDGE, epsilon=EXPERT).against
    assert [one.items for one in found.against] == [4, 4, 4]


def test_items_of_one_background_count_as_one() -> None:
    scores, judge = many(4, judge_noise=0.6, items=40)
    once = judged(scores, judge)
    copies = judged(np.repeat(scores, 5, axis=1), np.repeat(judge, 5), clusters=np.repeat(np.arange(40), 5))
    assert [one.p for one in copies.against] == pytest.approx([one.p for one in once.against])
    assert [one.items for one in copies.against] == [200] * 3


def test_a_judge_as_near_as_every_rater_always_wins_at_any_epsilon_above_nought() -> None:
    same = np.tile([1.0, 2, 3, 4], (3, 1))
    assert judged(same, same[0]).winning_rate == 1
    assert judged(same, same[0], epsilon=0).winning_rate == 0


def test_two_raters_on_two_backgrounds_are_the_least_that_can_be_tested() -> None:
    scores = np.array([[1.0, 2, 5], [2, 2, 4]])
    found = judged(scores, np.array([2.0, 2, 4]), clusters=np.array([0, 0, 1]))
    # Of the first rater's two backgrounds, the judge alone is nearest in one of two items, then in the only one.
    (first, second) = found.against
    assert first.p == pytest.approx(ttest_1samp([-0.5, -1], CROWD, alternative="less").pvalue)
    # The judge says what the second rater says.
    assert (second.p, second.is_won) == (0, True)


def test_a_distance_counts_as_nearer_however_little_but_rounding_does_not() -> None:
    scores = np.array([[3.0, 3, 3], [4, 4, 4]])
    nearer, as_near = (judged(scores, np.full(3, 3 + more), epsilon=0).against[0] for more in (1e-6, -1e-12))
    # Without spread p is 0 or 1: the judge alone is nearest on every item, or neither is.
    assert (nearer.judge, nearer.p) == (1, 0)
    assert (as_near.judge, as_near.p) == (1, 1)


def test_scores_that_allow_no_test_say_why() -> None:
    assert alternative_annotator(RATERS[:1], JUDGE) == Unfit(TOO_FEW_RATERS)
    assert alternative_annotator(RATERS, np.full(4, gap)) == Unfit(TOO_FEW_ITEMS)
    assert alternative_annotator(RATERS, JUDGE, clusters=np.zeros(4, dtype=np.int64)) == Unfit(TOO_FEW_ITEMS)
