"""Losses over steps, read from what a trainer told."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

MOST_POINTS = 400


class Point(NamedTuple):
    """A loss at a step, of training or evaluation."""

    step: int
    loss: float


def points(payloads: Iterable[Mapping[str, Any]]) -> list[Point]:
    """The losses that payloads of events tell, by step; a step told twice, as after a resume, has its last loss."""
    found: dict[int, float] = {}
    for payload in payloads:
        step, loss = payload.get("step"), number(payload.get("loss"))
        if type(step) is int and step >= 0 and loss is not None:
            found[step] = loss
    return [Point(step, found[step]) for step in sorted(found)]


def thinned(curve: list[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most that many points, evenly chosen; the first and the last stay."""
    if len(curve) <= most:
        return curve
    return [curve[round(place * (len(curve) - 1) / (most - 1))] for place in range(most)]


def number(value: object) -> float | None:
    """The value if it is a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        return None
    return float(value)
