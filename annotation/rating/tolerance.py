"""Whether an answer is what was expected, metric by metric. Pure."""

from collections.abc import Mapping


def missed(scores: Mapping[str, int], expected: Mapping[str, int], tolerance: int) -> list[str]:
    """The expected metrics whose score is further off than `tolerance`, or missing."""
    return [key for key, value in expected.items() if key not in scores or abs(scores[key] - value) > tolerance]
