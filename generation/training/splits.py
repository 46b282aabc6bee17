"""Which backgrounds are trained on and which are held out; all versions of a background are on one side."""

import hashlib
from collections.abc import Collection

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")


class EmptySplitError(ValueError):
    """Too few backgrounds for the shares; the text says what to do."""


def split_of(backgrounds: Collection[str], *, validation: float, test: float, seed: int) -> dict[str, str]:
    """The split of each background by name: the same for the same names and seed, in whatever order they come.

    `validation` and `test` are shares from 0; a share above 0 gets one background at least. Raises EmptySplitError if
    none is left to train on.
    """
    ranked = sorted(backgrounds, key=lambda name: (hashlib.sha256(f"{seed}\n{name}".encode()).digest(), name))
    sizes = [max(1, round(share * len(ranked))) if share else 0 for share in (validation, test)]
    if sum(sizes) >= len(ranked):
        raise EmptySplitError(
            f"{len(ranked):,} backgrounds are too few: {sum(sizes):,} would be held out and none trained on. Hold out "
            "less, or choose more dialogues."
        )
    ends = (sizes[0], sum(sizes))
    return {
        name: VALIDATION if place < ends[0] else TEST if place < ends[1] else TRAIN for place, name in enumerate(ranked)
    }
