"""When gold and attention items come: spread over a rater's queue by seed. Pure: randomness from the seed alone."""

import math
import random

# Nobody is checked before this many rated items, so that a check never looks like the study's beginning.
FIRST_BLOCK = 5


def due(rated: int, checks: int, seed: int) -> list[int]:
    """After how many of `rated` items each of `checks` items comes, in no order of the checks.

    The queue after its first block is cut into as many equal stretches as there are checks, and each check falls
    somewhere within one: they are neither bunched nor regular. Where the queue is short, the first block is too.
    """
    if checks < 1:
        return []
    rng = random.Random(f"checks:{seed}")  # noqa: S311 - places that anyone can repeat
    first = min(FIRST_BLOCK, rated // (checks + 1))
    first = min(max(first, 1), rated)
    length = (rated - first) / checks
    places = []
    for stretch in range(checks):
        low = first + math.ceil(stretch * length)
        high = max(low, first + math.ceil((stretch + 1) * length) - 1)
        places.append(rng.randint(low, high))
    rng.shuffle(places)
    return places
