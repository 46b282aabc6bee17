"""Whether an answer is what was expected, metric by metric. Pure."""

from collections.abc import Mapping, Sequence


def missed(scores: Mapping[str, int], expected: Mapping[str, int], tolerance: int) -> list[str]:
    """The expected metrics whose score is further off than `tolerance`, or missing."""
    return [key for key, value in expected.items() if key not in scores or abs(scores[key] - value) > tolerance]


def turned_scores(scores: Mapping[str, int]) -> dict[str, int]:
    """−1 and 1 changed over: “left is better” becomes “right is better”."""
    return {key: -value for key, value in scores.items()}


def turned_places(evidence: Mapping[str, Sequence[int]], before: int, after: int) -> dict[str, list[int]]:
    """Message places where the dialogue of `before` messages moves behind the one of `after` messages."""
    return {
        key: sorted(place + after if place < before else place - before for place in places)
        for key, places in evidence.items()
    }
