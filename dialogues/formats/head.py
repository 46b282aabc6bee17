"""What the beginning of a file shows, gathered once for all forms to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.lines import lines_of

# How many lines or objects are looked at.
LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Head:
    """The first megabyte as `text`; for JSON and Parquet also what contains the dialogues, and the first of them.

    `container` is one of the constants of `dialogues.formats.containers`, or "" for a file that is neither.
    """

    text: str
    container: str = ""
    objects: tuple[Mapping[str, Any], ...] = ()

    def lines(self) -> list[str]:
        """The first lines that hold more than white space."""
        return [line for line in lines_of(self.text) if line.strip()][:LOOKED_AT]
