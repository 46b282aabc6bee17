"""What becomes of a training set's dialogues: refused and why, cut and how much, and how the rest is split."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generation.training.rendering import CUTS, REASONS, Example, Preference
from generation.training.splits import SPLITS
from generation.training.tokens import Lengths

KEYS_NAMED = 5
NO_PREFERENCE = "no_preference"
WORDS = {**REASONS, NO_PREFERENCE: "Both dialogues answer the same, or share no turn before a reply."}


@dataclass(slots=True)
class Refused:
    """Dialogues that make no example from one side or from both, and the first of them by key."""

    sides: int = 0
    keys: dict[str, None] = field(default_factory=dict)

    def add(self, key: str) -> None:
        self.sides += 1
        self.keys[key] = None

    @property
    def dialogues(self) -> int:
        return len(self.keys)

    def as_json(self) -> dict[str, Any]:
        return {"dialogues": self.dialogues, "sides": self.sides, "keys": list(self.keys)[:KEYS_NAMED]}


@dataclass(slots=True)
class Tally:
    """Counts over items in their order; the split of a background is known once all are counted."""

    lengths: Lengths = field(default_factory=Lengths)
    refused: dict[str, Refused] = field(default_factory=dict)
    cut: Counter[str] = field(default_factory=Counter)
    examples: Counter[str] = field(default_factory=Counter)
    dialogues: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    is_demo: bool = False

    def refuse(self, kind: str, key: str) -> None:
        self.refused.setdefault(kind, Refused()).add(key)

    def take(self, background: str, version: str, made: Sequence[Example | Preference], *, is_demo: bool) -> None:
        """An item and its examples; one without any is no item."""
        self.dialogues[background] += 1
        self.versions[version] += 1
        self.examples[background] += len(made)
        self.is_demo = self.is_demo or is_demo
        for one in made:
            self.lengths.add(one)
            if isinstance(one, Example):
                self.cut.update(one.cut)

    def as_json(self, splits: Mapping[str, str]) -> dict[str, Any]:
        """`splits` names the split of each background."""
        return {
            "refused": [{"reason": kind, "words": WORDS[kind], **one.as_json()} for kind, one in self._by_reason()],
            "cut": [
                {"kind": kind, "words": words, "turns": self.cut[kind]}
                for kind, words in CUTS.items()
                if self.cut[kind]
            ],
            "splits": {name: self._of_split(name, splits) for name in SPLITS},
            "versions": dict(sorted(self.versions.items())),
            "tokens": self.lengths.as_json(),
        }

    def _by_reason(self) -> list[tuple[str, Refused]]:
        return sorted(self.refused.items())

    def _of_split(self, name: str, splits: Mapping[str, str]) -> dict[str, int]:
        backgrounds = [one for one in self.examples if splits[one] == name]
        return {
            "examples": sum(self.examples[one] for one in backgrounds),
            "dialogues": sum(self.dialogues[one] for one in backgrounds),
            "backgrounds": len(backgrounds),
        }
