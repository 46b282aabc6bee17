"""Left and right of a pair. What is stored is relative to the item's two dialogues; what a rater sees and sends is
relative to where they stood. Pure: an answer's parts in, the same parts turned out.
"""

from collections.abc import Mapping, Sequence


def turned_scores(scores: Mapping[str, int]) -> dict[str, int]:
    """−1 and 1 changed over: “left is better” becomes “right is better”."""
    return {key: -value for key, value in scores.items()}


def turned_places(evidence: Mapping[str, Sequence[int]], before: int, after: int) -> dict[str, list[int]]:
    """Message places where the dialogue of `before` messages moves behind the one of `after` messages."""
    return {
        key: sorted(place + after if place < before else place - before for place in places)
        for key, places in evidence.items()
    }
