"""Which dialogues of a new corpus rated items become, and which of them belong to one background."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from annotation.imported.rating_rows import Message, RatedItem
from dialogues.formats.reading import quoted
from dialogues.formats.records import KEY_LENGTH

NO_TEXT = "The imported file of ratings has no text for this dialogue."


class PlacingError(ValueError):
    """The items cannot be dialogues of one corpus; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A dialogue to be. `origin` is the key of its background, or "" for one that is a background itself.

    `version` is as the file has it; None for a background that nobody rated.
    """

    key: str
    origin: str
    version: str | None
    messages: tuple[Message, ...]
    theme: str = ""

    @property
    def has_text(self) -> bool:
        return self.messages[0][1] != NO_TEXT


def keys_of(items: Sequence[RatedItem]) -> list[str]:
    """Each item's dialogue: as the file names it, else the item, with its version if it has several.

    Raises PlacingError if two would have one key, or a key is too long.
    """
    versions = Counter(of.item for of in items)
    keys = [of.dialogue or (of.item if versions[of.item] == 1 else f"{of.item}/{of.version}") for of in items]
    if twice := next((key for key, count in Counter(keys).items() if count > 1), None):
        raise PlacingError(f"Two items would be the dialogue “{quoted(twice)}”. Give items other names in the file.")
    if long := next((key for key in keys if len(key) > KEY_LENGTH), None):
        raise PlacingError(f"The name of the item “{quoted(long)}” is longer than {KEY_LENGTH} characters. Shorten it.")
    return keys


def placed(items: Sequence[RatedItem]) -> Iterator[Placed]:
    """First the backgrounds, then the others; raises PlacingError as `keys_of` does, and for a background of one."""
    keys = keys_of(items)
    known = dict(zip(keys, items, strict=True))
    versions = Counter(of.item for of in items)
    above = [of.background or (of.item if versions[of.item] > 1 else "") for of in items]
    origins = ["" if origin == key else origin for key, origin in zip(keys, above, strict=True)]
    # The first item of a background shows its context.
    backgrounds = dict(zip(reversed(origins), reversed(items), strict=True))
    if wrong := next((key for key, origin in zip(keys, origins, strict=True) if origin and key in backgrounds), None):
        raise PlacingError(
            f"“{quoted(wrong)}” is the background of other items and has a background itself. Name the original's."
        )
    for key, of in backgrounds.items():
        if key and key not in known:
            yield Placed(key, "", None, of.context or ((1, NO_TEXT),), of.theme)
    rows = [Placed(*row) for row in _rows(keys, origins, items)]
    yield from (row for row in rows if not row.origin)
    yield from (row for row in rows if row.origin)


def _rows(
    keys: Sequence[str], origins: Sequence[str], items: Sequence[RatedItem]
) -> Iterator[tuple[str, str, str, tuple[Message, ...], str]]:
    for key, origin, of in zip(keys, origins, items, strict=True):
        yield key, origin, of.version, of.messages or ((1, NO_TEXT),), of.theme
