"""When gold and attention items come: spread over a rater's queue by seed. Pure: randomness from the seed alone."""

import math
import random

# No check comes before this many rated items, so that none looks like the start of the study.
FIRST_BLOCK = 5


def due(rated: int, checks: int, seed: int) -> list[int]:
    """For each of `checks`, in random order, after how many of the `rated` items it is due.

    The queue after its first items is cut into as many equal stretches as there are checks, and each check is placed at
    random within one, so they are neither bunched nor regular. In a short queue the start without checks is shorter.
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
