"""The order each rater sees: every item once, versions of a background kept apart, the same again for a seed."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.allocation.orders import rater_order

BACKGROUNDS = st.lists(st.integers(0, 8), max_size=40)
SEEDS = st.integers(0, 2**32)


def neighbours(backgrounds: list[int], order: list[int]) -> int:
    return sum(backgrounds[a] == backgrounds[b] for a, b in pairwise(order))


@settings(max_examples=200, deadline=None)
@given(BACKGROUNDS, SEEDS)
def test_every_item_comes_once_and_neighbours_are_as_few_as_can_be(backgrounds: list[int], seed: int) -> None:
    order = rater_order(backgrounds, seed)
    assert sorted(order) == list(range(len(backgrounds)))
    most = max(Counter(backgrounds).values(), default=0)
    assert neighbours(backgrounds, order) == max(0, 2 * most - len(backgrounds) - 1)


@settings(max_examples=50, deadline=None)
@given(BACKGROUNDS, SEEDS)
def test_a_seed_gives_the_same_order_again(backgrounds: list[int], seed: int) -> None:
    assert rater_order(backgrounds, seed) == rater_order(backgrounds, seed)


def test_raters_with_other_seeds_see_other_orders() -> None:
    backgrounds = [number // 4 for number in range(40)]
    assert len({tuple(rater_order(backgrounds, seed)) for seed in range(50)}) == 50


def test_each_place_in_the_order_is_about_equally_likely_for_an_item() -> None:
    backgrounds = [number // 4 for number in range(20)]
    first = Counter(rater_order(backgrounds, seed)[0] for seed in range(2000))
    assert set(first) == set(range(20))
    assert max(first.values()) < 2 * min(first.values())
