"""How long a model seems to type before each bubble, in seconds.

Delays change how human a chat feels (upwards in Gnewuch et al. 2018;
depending on experience in Gnewuch et al. 2022). So a pace is one factor of a chat: chosen once, seeded, stored, and
the same for every system that is compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

Kind = Literal["none", "random", "typing", "words"]
LONGEST = 6.0  # seconds
PACES: Mapping[Kind, str] = {
    "none": "at once",
    "random": "0.8 to 2.5 seconds, whatever the length",
    "typing": "0.8 seconds and 50 milliseconds a character, a quarter more or less",
    "words": "120 words a minute",
}


@dataclass(frozen=True, slots=True)
class Pace:
    kind: Kind = "typing"
    seed: int = 0

    def delay(self, number: int, text: str) -> float:
        """Seconds from 0 to `LONGEST` before the bubble of this number, from 1; the same for the same seed."""
        return min(_LAWS[self.kind](text, Random(f"{self.seed}/{number}")), LONGEST)  # noqa: S311 - guards nothing


_LAWS: Mapping[Kind, Callable[[str, Random], float]] = {
    "none": lambda text, rng: 0.0,
    "random": lambda text, rng: rng.uniform(0.8, 2.5),
    "typing": lambda text, rng: (0.8 + 0.05 * len(text)) * rng.uniform(0.75, 1.25),
    "words": lambda text, rng: len(text.split()) / 120 * 60,
}
