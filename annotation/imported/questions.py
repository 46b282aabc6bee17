"""The questions of imported ratings: keys made from the file's names, and what is known of their scales."""

import re
from collections.abc import Sequence

from dialogues.rubric import KEY, Metric

_NOT_KEY = re.compile(r"[^a-z0-9]+")
_LONGEST = 36
_UNKNOWN = "Imported ratings: the file does not say what raters were asked."


def questions_of(names: Sequence[str], lows: Sequence[int], highs: Sequence[int]) -> tuple[Metric, ...]:
    """One question a metric of the file, in its order, with a key of its own."""
    keys: list[str] = []
    for number, name in enumerate(names, 1):
        keys.append(_free(_key(name, number), keys))
    return tuple(
        Metric(key, name, _UNKNOWN, f"{low}, the lowest point", f"{high}, the highest point")
        for key, name, low, high in zip(keys, names, lows, highs, strict=True)
    )


def _key(name: str, number: int) -> str:
    key = _NOT_KEY.sub("_", name.lower()).strip("_")[:_LONGEST]
    # A name in another script has no letters for a key.
    return name if KEY.fullmatch(name) and len(name) <= 40 else key if KEY.fullmatch(key) else f"metric_{number}"


def _free(key: str, taken: Sequence[str]) -> str:
    number = 1
    free = key
    while free in taken:
        number += 1
        free = f"{key[:_LONGEST]}_{number}"
    return free
