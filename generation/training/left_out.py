"""What building a training set left out, as lines of its card."""

from collections.abc import Iterator, Mapping
from typing import Any


def left_out(counts: Mapping[str, Any]) -> Iterator[str]:
    """A list for a set's counts; nothing where they name nothing."""
    found = [*_dropped(counts), *_refused(counts), *_cut(counts)]
    if found:
        yield "Left out:\n"
        yield from (f"- {line}" for line in found)
        yield ""


def _dropped(counts: Mapping[str, Any]) -> Iterator[str]:
    """By filter, in the order in which they took effect."""
    for row in counts.get("filters", ()):
        if row["dropped"]:
            yield f"{row['dropped']:,} by the filter “{row['label']}”."


def _refused(counts: Mapping[str, Any]) -> Iterator[str]:
    for row in counts.get("refused", ()):
        yield f"{row['dialogues']:,} dialogues from one side or both. {row['words']}"


def _cut(counts: Mapping[str, Any]) -> Iterator[str]:
    for row in counts.get("cut", ()):
        yield f"{row['turns']:,} {row['words']}."
