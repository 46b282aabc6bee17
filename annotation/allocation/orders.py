"""Seeded orders: which item a rater sees when. Pure: randomness comes from the seed alone."""

import math
import random
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from math import gcd

from annotation.allocation.williams import seeded


def rater_order(backgrounds: Sequence[Hashable], seed: int) -> list[int]:
    """A permutation of the items' indices in which no two neighbours share a background, if that is possible.

    `backgrounds[i]` is the background of item i. Each step draws uniformly from the items allowed next; a background
    that holds half of the remaining items is forced. If one background holds more than half of all items, neighbours
    are unavoidable and come at the end. Linear in the number of items.
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


def crossed_blocks(families: Sequence[Mapping[int, int]], versions: int, seed: int) -> list[dict[int, int]]:
    """Every item once, in blocks that hold each version once, each of a different background.

    `families[n]` maps the versions of background n, from 1, to its items; a block lacks what a background lacks.
    Backgrounds are shuffled; in block b version v takes the background `shift[v]` places after the b-th, with the
    shifts as far apart as possible: with twice as many backgrounds as versions, consecutive blocks share none. Raises
    ValueError for fewer backgrounds than versions, since no such blocks exist then.
    """
    if len(families) < versions:
        raise ValueError("fewer backgrounds than versions: a block would show a background twice")
    shuffled = list(families)
    seeded(seed, "blocks").shuffle(shuffled)
    spacing = len(shuffled) // versions
    blocks = []
    for number in range(len(shuffled)):
        taken = {v: shuffled[(number + (v - 1) * spacing) % len(shuffled)] for v in range(1, versions + 1)}
        blocks.append({version: family[version] for version, family in taken.items() if version in family})
    return [block for block in blocks if block]


def claim_pivot(seed: int, version: int, block: int, *, backgrounds: int, versions: int) -> int:
    """The number, from 0, of the background at which a rater starts to look for `version` in this block.

    Each rater follows a seeded path of their own that visits every background once before it repeats one; versions are
    shifted along it as in `crossed_blocks`.
    """
    if backgrounds < 1:
        raise ValueError("a study without backgrounds has no pivot")
    rng = seeded(seed, "path")
    start, stride = rng.randrange(backgrounds), _stride(rng, backgrounds)
    shift = (version - 1) * max(1, backgrounds // versions)
    return (start + stride * (block + shift)) % backgrounds


def _stride(rng: random.Random, backgrounds: int) -> int:
    """A step width that visits every background, because it is coprime to their number."""
    while True:
        stride = rng.randrange(1, backgrounds + 1)
        if gcd(stride, backgrounds) == 1:
            return stride


class _Remaining:
    """How many items each background has left, and the highest such count."""

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
        """The background that must come now so that its items can still be kept apart; None if any may come."""
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
    """The place of an allowed item in the pool: a few random tries, then a look at every item."""

    def allowed(place: int) -> bool:
        background = backgrounds[pool[place]]
        return background == crowded if crowded is not None else background != last

    for _ in range(20):
        place = rng.randrange(len(pool))
        if allowed(place):
            return place
    places = [place for place in range(len(pool)) if allowed(place)] or list(range(len(pool)))
    return rng.choice(places)


# No check comes before this many rated items, so that none looks like the start of the study.
FIRST_BLOCK = 5


def checks_due(rated: int, checks: int, seed: int) -> list[int]:
    """For each of `checks`, in random order, after how many of the `rated` items it is checks_due.

    The queue after its first items is cut into as many equal stretches as there are checks, and each check is placed at
    random within one, so they are neither bunched nor regular. In a short queue the start without checks is shorter.
    """
    if checks < 1:
        return []
    rng = random.Random(f"checks:{seed}")  # noqa: S311 - places that anyone can repeat
    first = min(FIRST_BLOCK, rated // (checks + 1))
    places = _one_a_stretch(rng, min(max(first, 1), rated), rated, checks)
    rng.shuffle(places)
    return places


# At least so many other rated items lie between an item and its repeat, if there are as many.
BETWEEN = 10


def repeats_due(rated: int, repeats: int, seed: int) -> list[int]:
    """After how many of the `rated` items each of `repeats` is due, in ascending order.

    As checks, they are spread over equal stretches of the queue, from the first place that lies far enough from the
    first item; in a queue that is too short for that all are due at its end.
    """
    rng = random.Random(f"repeats:{seed}")  # noqa: S311 - places that anyone can repeat
    return sorted(_one_a_stretch(rng, min(BETWEEN + 1, rated), rated, repeats))


def _one_a_stretch(rng: random.Random, first: int, end: int, count: int) -> list[int]:
    """A random place in each of `count` equal stretches from `first` to `end`."""
    length = (end - first) / max(count, 1)
    places = []
    for stretch in range(count):
        low, after = (first + math.ceil(number * length) for number in (stretch, stretch + 1))
        places.append(rng.randint(low, max(low, after - 1)))
    return places
