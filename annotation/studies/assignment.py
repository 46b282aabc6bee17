"""Seeded orders: which item a rater sees when. Pure: no clock, no database, randomness from the seed alone."""

import random
from collections import Counter
from collections.abc import Hashable, Sequence


def rater_order(backgrounds: Sequence[Hashable], seed: int) -> list[int]:
    """A permutation of the items' indices with no two of one background side by side, where that is possible.

    `backgrounds[i]` is the background of item i. Each step draws evenly from the items that are allowed next, and
    only a background that holds half of what is left is taken out of turn. Where one background holds more than
    half of all items, neighbours are unavoidable and come at the end. Linear in the number of items.
    """
    rng = random.Random(seed)  # noqa: S311 - an order that anyone can repeat, not a secret
    pool = list(range(len(backgrounds)))
    left = _Remaining(backgrounds)
    order: list[int] = []
    last: Hashable | None = None
    while pool:
        crowded = left.crowded(last)
        place = _draw(pool, backgrounds, rng, last, crowded)
        pool[place], pool[-1] = pool[-1], pool[place]
        order.append(pool.pop())
        last = backgrounds[order[-1]]
        left.take(last)
    return order


def claim_pivot(seed: int, given: int, places: int) -> int:
    """Where in a study's shuffle a rater looks for their next place, after `given` places; 0 ≤ pivot < places.

    Each rater jumps about on their own seeded path, so that no two see one order and few meet at one place.
    """
    if places < 1:
        raise ValueError("a study without places has no pivot")
    return random.Random(f"{seed}:{given}").randrange(places)  # noqa: S311 - repeatable on purpose


class _Remaining:
    """How many items each background still has, and the highest such count."""

    def __init__(self, backgrounds: Sequence[Hashable]) -> None:
        self.counts = Counter(backgrounds)
        self.with_count = Counter(self.counts.values())
        self.total = len(backgrounds)
        self.highest = max(self.with_count, default=0)

    def take(self, background: Hashable) -> None:
        count = self.counts[background]
        self.counts[background] -= 1
        self.with_count[count] -= 1
        self.with_count[count - 1] += 1
        self.total -= 1
        while self.highest and not self.with_count[self.highest]:
            self.highest -= 1

    def crowded(self, last: Hashable | None) -> Hashable | None:
        """The background that must come now, or its items could no longer be kept apart."""
        if 2 * self.highest <= self.total:
            return None
        return next((key for key, count in self.counts.items() if count == self.highest and key != last), None)


def _draw(
    pool: list[int],
    backgrounds: Sequence[Hashable],
    rng: random.Random,
    last: Hashable | None,
    crowded: Hashable | None,
) -> int:
    """An allowed place in the pool: tries at random first, then looks at every item."""

    def allowed(place: int) -> bool:
        background = backgrounds[pool[place]]
        return background == crowded if crowded is not None else background != last

    for _ in range(20):
        place = rng.randrange(len(pool))
        if allowed(place):
            return place
    places = [place for place in range(len(pool)) if allowed(place)] or list(range(len(pool)))
    return rng.choice(places)
