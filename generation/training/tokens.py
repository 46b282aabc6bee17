"""Lengths of examples in tokens, estimated, and what would be cut at usual lengths.

Four characters make a token, as in English with most tokenizers, and each turn has a few more for the marks that chat
templates put around it. A tokenizer would say it exactly, and the trainer does: it has the one of its base model.
"""

import math
from array import array
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from generation.training.rendering import Example, Preference

CHARACTERS_A_TOKEN = 4
# Llama 3 writes <|start_header_id|>, the role, <|end_header_id|>, an empty line and <|eot_id|>.
MARKS_A_TURN = 5
LENGTHS = (1024, 2048, 4096, 8192)


def estimate(made: Example | Preference) -> int:
    """Tokens of one example; of a preference, those of its prompt and its longer reply."""
    if isinstance(made, Example):
        return sum(_of(turn.content) for turn in made.turns)
    return sum(_of(turn.content) for turn in made.prompt) + max(_of(made.chosen), _of(made.rejected))


def _of(content: str) -> int:
    return math.ceil(len(content) / CHARACTERS_A_TOKEN) + MARKS_A_TURN


@dataclass(slots=True)
class Lengths:
    """Estimated, one example after the other."""

    _each: "array[int]" = field(default_factory=lambda: array("L"))

    def add(self, made: Example | Preference) -> None:
        self._each.append(estimate(made))

    def as_json(self) -> dict[str, Any]:
        """`cut` says for each length how many examples are longer, and how many tokens of them are beyond it."""
        each = self._each
        beyond = {length: [long - length for long in each if long > length] for length in LENGTHS}
        return {
            "is_estimate": True,
            "total": sum(each),
            "median": median(each) if each else 0,
            "longest": max(each, default=0),
            "cut": [{"length": length, "examples": len(over), "tokens": sum(over)} for length, over in beyond.items()],
        }
