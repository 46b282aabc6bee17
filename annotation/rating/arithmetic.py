"""Arithmetic on a rater's answers: compare scores with expected ones, and swap the sides of a pair. Pure.

Stored scores and evidence are relative to the item's two dialogues; what a rater sees and sends is relative to the
sides on which the dialogues stood.
"""

from collections.abc import Mapping, Sequence


def missed(scores: Mapping[str, int], expected: Mapping[str, int], tolerance: int) -> list[str]:
    """The expected metrics whose score is missing or off by more than `tolerance`."""
    return [key for key, value in expected.items() if key not in scores or abs(scores[key] - value) > tolerance]


def turned_scores(scores: Mapping[str, int]) -> dict[str, int]:
    """Swap −1 and 1: “left is better” becomes “right is better”."""
    return {key: -value for key, value in scores.items()}


def turned_places(evidence: Mapping[str, Sequence[int]], before: int, after: int) -> dict[str, list[int]]:
    """Message places, from 0, after the first dialogue (`before` messages) and the second (`after`) are swapped."""
    return {
        key: sorted(place + after if place < before else place - before for place in places)
        for key, places in evidence.items()
    }
