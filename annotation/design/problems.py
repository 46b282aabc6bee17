"""What a draft's check-list is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence, and the step where it can be fixed."""

    text: str
    step: str
